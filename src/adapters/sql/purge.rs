//! Purging: what was erased is gone from the files too. SQLite alone can do that on demand; the dead
//! rows of the others go when their server tidies up.

use crate::ports::PortError;

use super::session::SqlPool;

/// `PRAGMA temp_store = MEMORY`.
#[cfg(feature = "sql-sqlite")]
const IN_MEMORY: i64 = 2;

impl SqlPool {
    /// Whether what the last commit erased is gone from the files too. The connections must
    /// overwrite what they delete (`secure_delete`), all of them and always: else something may be
    /// left of what the host changed before; and keep what is temporary in memory (`temp_store`). The log is written back and cut off; somebody who reads
    /// at the same time may keep it from that.
    pub(super) async fn is_purged(&self) -> Result<bool, PortError> {
        match self {
            #[cfg(feature = "sql-sqlite")]
            Self::Sqlite(pool) => {
                use sqlx::Row as _;
                let failed = |error: sqlx::Error| super::fault::fault(&error).at("file");
                let mut connection = pool.acquire().await.map_err(failed)?;
                let ask = async |connection: &mut sqlx::SqliteConnection, text: &'static str| {
                    sqlx::raw_sql(text)
                        .fetch_one(connection)
                        .await
                        .map_err(failed)
                };
                let overwrites = ask(&mut connection, "PRAGMA secure_delete").await?;
                let overwrites: i64 = overwrites.try_get(0).map_err(failed)?;
                let journal = ask(&mut connection, "PRAGMA journal_mode").await?;
                let journal: String = journal.try_get(0).map_err(failed)?;
                // Sets of keys, and what large changes need, may lie in temporary files.
                let temporary = ask(&mut connection, "PRAGMA temp_store").await?;
                let temporary: i64 = temporary.try_get(0).map_err(failed)?;
                if overwrites != 1 || journal == "persist" || temporary != IN_MEMORY {
                    return Ok(false);
                }
                let log = ask(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await?;
                let blocked: i64 = log.try_get(0).map_err(failed)?;
                Ok(blocked == 0)
            }
            #[allow(unreachable_patterns, reason = "SQLite may be the only one")]
            _ => Ok(false),
        }
    }

    /// Whether it can be purged at all.
    pub(super) const fn purges(&self) -> bool {
        match self {
            #[cfg(feature = "sql-sqlite")]
            Self::Sqlite(_) => true,
            #[allow(unreachable_patterns, reason = "SQLite may be the only one")]
            _ => false,
        }
    }
}
