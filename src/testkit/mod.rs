//! For tests of hosts and adapters: conformance suites, fault injection, a settable clock.
//!
//! Nothing an application needs at run time.
//! May use everything below it.

mod clock;
mod entropy;

pub use clock::{Stuck, TestClock};
pub use entropy::SeededEntropy;
