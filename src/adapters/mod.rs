//! Implementations of ports that we ship, each behind a cargo feature.
//!
//! No rule of how requests move; an adapter never knows another, nor the engine.
//! May use `model` and `ports`.

mod memory_store;

pub use memory_store::MemoryStore;
