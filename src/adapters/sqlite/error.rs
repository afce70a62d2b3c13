//! What SQLite answers, as the errors of the port: by code, never by text, for its text can hold
//! values.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::ports::StoreError;

/// The port's error for one of rusqlite's.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        // The rest is about types of columns: the file holds what we never wrote.
        return match error {
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::QueryReturnedNoRows => {
                StoreError::Corrupt("a row is not as written")
            }
            _ => backend("rusqlite", false),
        };
    };
    let code = code_name(failure.extended_code);
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(code),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::DiskFull => {
            StoreError::NotWritable(code)
        }
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OutOfMemory => backend(code, true),
        _ => backend(code, false),
    }
}

pub(super) fn backend(code: &str, temporary: bool) -> StoreError {
    StoreError::Backend {
        code: code.to_owned(),
        temporary,
    }
}

macro_rules! names {
    ($code:expr, $($name:ident)*) => {
        match $code {
            $(ffi::$name => Some(stringify!($name)),)*
            _ => None,
        }
    };
}

/// The name of an extended result code (<https://sqlite.org/rescode.html>), or of its primary one.
fn code_name(code: i32) -> &'static str {
    let name = |code| {
        names!(code,
            SQLITE_ERROR SQLITE_INTERNAL SQLITE_PERM SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED
            SQLITE_NOMEM SQLITE_READONLY SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT
            SQLITE_NOTFOUND SQLITE_FULL SQLITE_CANTOPEN SQLITE_PROTOCOL SQLITE_SCHEMA
            SQLITE_TOOBIG SQLITE_CONSTRAINT SQLITE_MISMATCH SQLITE_MISUSE SQLITE_NOLFS
            SQLITE_AUTH SQLITE_RANGE SQLITE_NOTADB
            SQLITE_BUSY_RECOVERY SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_TIMEOUT
            SQLITE_CANTOPEN_ISDIR SQLITE_CANTOPEN_FULLPATH SQLITE_CANTOPEN_SYMLINK
            SQLITE_CONSTRAINT_CHECK SQLITE_CONSTRAINT_FOREIGNKEY SQLITE_CONSTRAINT_NOTNULL
            SQLITE_CONSTRAINT_PRIMARYKEY SQLITE_CONSTRAINT_UNIQUE SQLITE_CONSTRAINT_DATATYPE
            SQLITE_CORRUPT_INDEX SQLITE_CORRUPT_SEQUENCE
            SQLITE_IOERR_READ SQLITE_IOERR_SHORT_READ SQLITE_IOERR_WRITE SQLITE_IOERR_FSYNC
            SQLITE_IOERR_DIR_FSYNC SQLITE_IOERR_TRUNCATE SQLITE_IOERR_FSTAT SQLITE_IOERR_UNLOCK
            SQLITE_IOERR_RDLOCK SQLITE_IOERR_DELETE SQLITE_IOERR_NOMEM SQLITE_IOERR_ACCESS
            SQLITE_IOERR_LOCK SQLITE_IOERR_CLOSE SQLITE_IOERR_SHMOPEN SQLITE_IOERR_SHMSIZE
            SQLITE_IOERR_SHMLOCK SQLITE_IOERR_SHMMAP SQLITE_IOERR_MMAP SQLITE_IOERR_DATA
            SQLITE_IOERR_CORRUPTFS
            SQLITE_READONLY_RECOVERY SQLITE_READONLY_CANTLOCK SQLITE_READONLY_ROLLBACK
            SQLITE_READONLY_DBMOVED SQLITE_READONLY_CANTINIT SQLITE_READONLY_DIRECTORY
        )
    };
    name(code)
        .or_else(|| name(code & 0xFF))
        .unwrap_or("SQLITE_UNKNOWN")
}
