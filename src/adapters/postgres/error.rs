//! What PostgreSQL answers, as the errors of the port: by SQLSTATE, never by text, for its text can
//! hold values.

use crate::ports::StoreError;

/// The port's error for one of sqlx's.
pub(super) fn store_error(error: &sqlx::Error) -> StoreError {
    use sqlx::Error;
    match error {
        Error::Database(told) => match told.code() {
            Some(code) => of_state(&code),
            None => backend("no_sqlstate", false),
        },
        Error::Io(_) => backend("io", true),
        Error::PoolTimedOut => backend("pool_timed_out", true),
        Error::PoolClosed => backend("pool_closed", false),
        Error::WorkerCrashed => backend("worker_crashed", true),
        Error::BeginFailed => backend("begin_failed", true),
        Error::Tls(_) => backend("tls", false),
        Error::Protocol(_) => backend("protocol", true),
        // The tables hold what we never wrote.
        Error::RowNotFound
        | Error::ColumnDecode { .. }
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::Decode(_) => StoreError::Corrupt("a row is not as written"),
        _ => backend("sqlx", false),
    }
}

/// By class and code (PostgreSQL documentation, appendix A).
fn of_state(code: &str) -> StoreError {
    match code {
        "25006" => StoreError::NotWritable("25006"), // a standby, or read-only by setting
        "53100" => StoreError::NotWritable("53100"), // the disk is full
        "XX001" => StoreError::Corrupt("XX001"),     // a damaged page
        "XX002" => StoreError::Corrupt("XX002"),     // a damaged index
        _ => backend(code, is_temporary(code)),
    }
}

fn is_temporary(code: &str) -> bool {
    // 08: the connection; 40: rolled back, deadlocks among them; 53: memory, connections;
    // 57P: the server stops or starts. 55P03 and 57014: waited too long; 25P03: idled too long.
    ["08", "40", "53", "57P"]
        .iter()
        .any(|class| code.starts_with(class))
        || matches!(code, "55P03" | "57014" | "25P03")
}

/// Whether the database undid it all and asks to begin again (40001) or chose it to end a deadlock
/// (40P01).
pub(super) fn asks_again(error: &StoreError) -> bool {
    matches!(error, StoreError::Backend { code, .. } if code == "40001" || code == "40P01")
}

pub(super) fn backend(code: &str, temporary: bool) -> StoreError {
    StoreError::Backend {
        code: code.to_owned(),
        temporary,
    }
}
