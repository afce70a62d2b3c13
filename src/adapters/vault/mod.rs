//! Vaults: where keys are kept, in memory or in a directory.

mod cipher;
mod file;
mod master;
mod memory;

pub use file::FileVault;
pub use master::{MasterKey, Wrapping};
pub use memory::MemoryVault;
