//! Where packages and spools are kept: in memory or in a directory.

mod directory;
mod memory;

pub use directory::DirArtifacts;
pub use memory::MemoryArtifacts;

use crate::ports::PortError;

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

fn no_such_artifact() -> PortError {
    PortError::refused("no_such_artifact")
}
