//! Implementations of ports that we ship, each behind a cargo feature.
//!
//! No rule of how requests move; an adapter never knows another, nor the engine.
//! May use `model` and `ports`; those for SQL databases `datamap` too.

mod artifacts;
mod io_code;
mod memory_source;
mod memory_store;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(
    feature = "sql-sqlite",
    feature = "sql-postgres",
    feature = "sql-mysql"
))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "tokio")]
mod system_clock;
#[cfg(feature = "vault")]
mod vault;

pub use artifacts::{DirArtifacts, MemoryArtifacts};
pub use memory_source::{
    MemoryCell, MemoryCollection, MemoryRow, MemorySource, MemorySourceError, MemoryStoredRow,
};
pub use memory_store::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(any(
    feature = "sql-sqlite",
    feature = "sql-postgres",
    feature = "sql-mysql"
))]
pub use sql::{
    FoundByValue, HeldRows, Hold, HostStrategy, ShownLine, ShownPlan, SqlFault, SqlOpenError,
    SqlPool, SqlSource, SqlSourceOptions,
};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};
#[cfg(feature = "tokio")]
pub use system_clock::{NoRandomness, SystemClock, SystemEntropy};
#[cfg(feature = "vault")]
pub use vault::{FileVault, MasterKey, MemoryVault, Wrapping};
