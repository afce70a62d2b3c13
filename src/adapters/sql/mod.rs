//! Sources over SQL databases: a data map and a pool are a [`PersonalDataSource`].
//!
//! `session` runs statements, `statement` writes them, and one room for each database says what
//! differs between them; `gather` makes a catalogue of what they tell. `layout` lays map and catalogue side by side; `found` makes the sets of a
//! person's rows; the rest does the work on them.
//!
//! [`PersonalDataSource`]: crate::ports::PersonalDataSource

mod again;
mod chunks;
mod clue;
mod cursor;
mod deferred;
mod dialect;
mod early;
mod erase;
mod escapes;
mod fault;
mod fill;
mod found;
mod gather;
mod held;
mod holds;
mod inside;
mod json;
mod kept;
mod layout;
mod leads;
mod locate;
mod minimise;
#[cfg(feature = "sql-mysql")]
mod mysql;
mod options;
mod plan;
#[cfg(feature = "sql-postgres")]
mod postgres;
mod purge;
mod read;
mod rectify;
mod restrict;
mod rewrite;
mod schema;
mod session;
mod shown;
mod source;
#[cfg(feature = "sql-sqlite")]
mod sqlite;
mod statement;
mod stop;
mod text;
mod value;

pub use fault::SqlFault;
pub use holds::{HeldRows, Hold};
pub use options::{SqlOpenError, SqlSourceOptions};
pub use rewrite::HostStrategy;
pub use session::SqlPool;
pub use shown::{ShownLine, ShownPlan};
pub use source::SqlSource;
pub use value::FoundByValue;
