//! Implementations of ports that we ship, each behind a cargo feature.
//!
//! No rule of how requests move; an adapter never knows another, nor the engine.
//! May use `model` and `ports`.

mod artifacts;
mod memory_source;
mod memory_store;
#[cfg(feature = "vault")]
mod vault;

pub use artifacts::MemoryArtifacts;
pub use memory_source::{
    MemoryCell, MemoryCollection, MemoryRow, MemorySource, MemorySourceError, MemoryStoredRow,
};
pub use memory_store::MemoryStore;
#[cfg(feature = "vault")]
pub use vault::MemoryVault;
