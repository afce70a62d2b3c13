//! Vaults: where keys are kept, in memory or in a directory.

mod cipher;
mod memory;

pub use memory::MemoryVault;
