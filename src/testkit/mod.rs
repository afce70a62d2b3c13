//! For tests of hosts and adapters: conformance suites, fault injection, a settable clock.
//!
//! Nothing an application needs at run time.
//! May use everything below it.
