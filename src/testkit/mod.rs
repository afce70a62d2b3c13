//! For tests of hosts and adapters: conformance suites, fault injection, a settable clock.
//!
//! Nothing an application needs at run time.
//! May use everything below it.

pub mod artifact_suite;
mod clock;
pub mod clock_suite;
mod contract;
mod delivery;
mod doubles;
mod entropy;
pub mod entropy_suite;
mod faults;
pub mod gateway_suite;
pub mod identity_suite;
pub mod notifier_suite;
pub mod policy_suite;
pub mod source_suite;
pub mod store_suite;
pub mod vault_suite;

pub use artifact_suite::ArtifactLine;
pub use clock::{Stuck, TestClock};
pub use clock_suite::ClockLine;
pub use contract::{Violation, Violations};
pub use delivery::{Cut, OtherEnd};
pub use doubles::{Codes, Letter, Outbox, Received, Recipient};
pub use entropy::SeededEntropy;
pub use entropy_suite::EntropyLine;
pub use faults::{Fault, Faulty, Method, Recorded, Recorder};
pub use gateway_suite::GatewayLine;
pub use identity_suite::IdentityLine;
pub use notifier_suite::NotifierLine;
pub use policy_suite::PolicyLine;
pub use source_suite::SourceLine;
pub use store_suite::StoreLine;
pub use vault_suite::VaultLine;
