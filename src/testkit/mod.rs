//! For tests of hosts and adapters: conformance suites, fault injection, a settable clock.
//!
//! Nothing an application needs at run time.
//! May use everything below it.

mod clock;
mod doubles;
mod entropy;
mod faults;

pub use clock::{Stuck, TestClock};
pub use doubles::{Codes, Letter, Outbox, Received, Recipient};
pub use entropy::SeededEntropy;
pub use faults::{Fault, Faulty, Method, Recorded, Recorder};
