//! What can go wrong between a source and its database: a code for each, and what to do about it.

use sqlx::error::{DatabaseError, ErrorKind as Kind};

use crate::ports::{ErrorKind, PortError};

/// What went wrong. The [`PortError`] that it comes in names it by [`code`](Self::code), and the
/// table or column as its place; the database's own text, which may quote a value, goes nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum SqlFault {
    /// The schema is not the one that the map was checked beside.
    SchemaChanged,
    /// Several people were found where one was meant.
    SeveralPeople,
    /// The erasure would do more than the plan says that was approved.
    PlanChanged,
    /// A value may stand once, and would stand twice.
    UniqueViolation,
    /// A row is referred to, or refers to one that is gone.
    ForeignKeyViolation,
    /// A column must hold a value.
    NotNullViolation,
    /// A `CHECK` forbids the value.
    CheckViolation,
    /// A trigger or a function of the host's refused.
    TriggerRefused,
    /// The value is longer than the column.
    TooLong,
    /// A value is too large to be read: more than 16 MiB in one row.
    TooLarge,
    /// The user of the pool may not do that.
    NotPermitted,
    /// A deadlock, a conflict of two transactions, a lock that was waited for too long.
    Busy,
    /// The database ended a statement that took too long.
    TimedOut,
    /// The pool had no connection to give.
    NoConnection,
    /// The connection broke, or the server is going down.
    NotReachable,
    /// The database has no room left.
    Full,
    /// A value that cannot be read as what it is declared to be.
    Unreadable,
    /// Something else in the database.
    DatabaseError,
    /// Something else in the driver.
    DriverError,
}

impl SqlFault {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::SchemaChanged,
        Self::SeveralPeople,
        Self::PlanChanged,
        Self::UniqueViolation,
        Self::ForeignKeyViolation,
        Self::NotNullViolation,
        Self::CheckViolation,
        Self::TriggerRefused,
        Self::TooLong,
        Self::TooLarge,
        Self::NotPermitted,
        Self::Busy,
        Self::TimedOut,
        Self::NoConnection,
        Self::NotReachable,
        Self::Full,
        Self::Unreadable,
        Self::DatabaseError,
        Self::DriverError,
    ];

    /// Which one an error of a source names.
    pub fn of(error: &PortError) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|fault| fault.code() == error.code)
    }

    /// Its name in errors and in the answers of requests.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SchemaChanged => "schema_changed",
            Self::SeveralPeople => "several_people",
            Self::PlanChanged => "plan_changed",
            Self::UniqueViolation => "unique_violation",
            Self::ForeignKeyViolation => "foreign_key_violation",
            Self::NotNullViolation => "not_null_violation",
            Self::CheckViolation => "check_violation",
            Self::TriggerRefused => "trigger_refused",
            Self::TooLong => "too_long",
            Self::TooLarge => "too_large",
            Self::NotPermitted => "not_permitted",
            Self::Busy => "busy",
            Self::TimedOut => "timed_out",
            Self::NoConnection => "no_connection",
            Self::NotReachable => "not_reachable",
            Self::Full => "full",
            Self::Unreadable => "unreadable",
            Self::DatabaseError => "database_error",
            Self::DriverError => "driver_error",
        }
    }

    /// What the engine must know: whether trying again can help.
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::Busy => ErrorKind::Busy,
            Self::TimedOut | Self::NoConnection | Self::NotReachable | Self::Full => {
                ErrorKind::Unavailable
            }
            Self::Unreadable => ErrorKind::Nonsense,
            _ => ErrorKind::Refused,
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::SchemaChanged => {
                "run `check` against the new schema, mend the map, open the source again and retry \
                 the request"
            }
            Self::SeveralPeople => {
                "ask which of them is meant, and name in the map as identifiers only what one person \
                 alone has"
            }
            Self::PlanChanged => {
                "retry the request: it is planned again, and approved again where somebody approves"
            }
            Self::UniqueViolation => {
                "give the column a strategy that leaves different values different, e.g. `pseudonym`"
            }
            Self::ForeignKeyViolation => {
                "describe the table whose rows refer to these, or keep the rows"
            }
            Self::NotNullViolation => {
                "give the column a strategy that leaves a value, e.g. `{ fixed = \"\" }`"
            }
            Self::CheckViolation => "give the column a strategy whose value the check allows",
            Self::TriggerRefused => {
                "let the trigger pass what the source's user does, or keep the rows"
            }
            Self::TooLong => "give the column a shorter fixed value, or another strategy",
            Self::TooLarge => "name the column in the map as a file: it is handed over in pieces",
            Self::NotPermitted => {
                "grant the pool's user select, insert, update and delete on described tables, and \
                 temporary tables"
            }
            Self::Busy => "nothing: it is tried again",
            Self::TimedOut => {
                "nothing, it is tried again; if it stays so, raise the statement timeout or index \
                 the columns of the links"
            }
            Self::NoConnection => {
                "nothing, it is tried again; if it stays so, let the pool have more connections"
            }
            Self::NotReachable => "nothing: it is tried again",
            Self::Full => "give the database room; it is tried again",
            Self::Unreadable => "mend the value: its column's type does not allow it",
            Self::DatabaseError | Self::DriverError => {
                "look into the database's own log at that time"
            }
        }
    }

    /// The error of a source, with a table or a column.
    pub(super) fn at(self, place: impl Into<String>) -> PortError {
        PortError::new(self.kind(), self.code()).at(place)
    }
}

/// Which fault an error of the driver is.
pub(super) fn fault(error: &sqlx::Error) -> SqlFault {
    match error {
        sqlx::Error::Database(error) => of_database(error.as_ref()),
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => SqlFault::NoConnection,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => SqlFault::NotReachable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => SqlFault::Unreadable,
        _ => SqlFault::DriverError,
    }
}

fn of_database(error: &dyn DatabaseError) -> SqlFault {
    match error.kind() {
        Kind::UniqueViolation => return SqlFault::UniqueViolation,
        Kind::ForeignKeyViolation => return SqlFault::ForeignKeyViolation,
        Kind::NotNullViolation => return SqlFault::NotNullViolation,
        Kind::CheckViolation => return SqlFault::CheckViolation,
        _ => {}
    }
    #[cfg(feature = "sql-sqlite")]
    if let Some(error) = error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
        let code = error.code().and_then(|code| code.parse().ok());
        return of_sqlite(code.unwrap_or(0), error.message());
    }
    #[cfg(feature = "sql-mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return of_mysql(error.number());
    }
    of_sql_state(error.code().as_deref().unwrap_or(""))
}

/// SQLite's result codes (<https://sqlite.org/rescode.html>): the low byte is the kind.
#[cfg(feature = "sql-sqlite")]
fn of_sqlite(code: i32, message: &str) -> SqlFault {
    match (code, code & 0xff) {
        (1811, _) => SqlFault::TriggerRefused,
        (_, 1) if message.starts_with("no such") => SqlFault::SchemaChanged,
        (_, 17) => SqlFault::SchemaChanged,
        (_, 5 | 6) => SqlFault::Busy,
        (_, 9) => SqlFault::TimedOut,
        (_, 7 | 13) => SqlFault::Full,
        (_, 10 | 14) => SqlFault::NotReachable,
        (_, 3 | 8 | 23) => SqlFault::NotPermitted,
        (_, 18) => SqlFault::TooLarge,
        _ => SqlFault::DatabaseError,
    }
}

/// The error numbers of MySQL and MariaDB; their SQL states leave too much together.
#[cfg(feature = "sql-mysql")]
fn of_mysql(number: u16) -> SqlFault {
    match number {
        1205 | 1213 | 1020 => SqlFault::Busy,
        1317 | 1969 | 3024 => SqlFault::TimedOut,
        1040 | 1041 | 1053 | 1077..=1079 | 1158..=1161 | 1203 | 1927 => SqlFault::NotReachable,
        1021 | 1030 | 1114 => SqlFault::Full,
        1044 | 1045 | 1142 | 1143 | 1227 | 1290 | 1370 | 1792 => SqlFault::NotPermitted,
        1054 | 1072 | 1146 | 1412 => SqlFault::SchemaChanged,
        4025 => SqlFault::CheckViolation,
        1406 => SqlFault::TooLong,
        1153 | 1301 => SqlFault::TooLarge,
        1644 => SqlFault::TriggerRefused,
        _ => SqlFault::DatabaseError,
    }
}

/// PostgreSQL's SQL states.
fn of_sql_state(state: &str) -> SqlFault {
    match state {
        "40001" | "40P01" | "55P03" => SqlFault::Busy,
        "57014" | "25P03" | "25P04" => SqlFault::TimedOut,
        "42P01" | "42703" | "42804" => SqlFault::SchemaChanged,
        "42501" | "25006" => SqlFault::NotPermitted,
        "22001" => SqlFault::TooLong,
        "54000" => SqlFault::TooLarge,
        "P0001" => SqlFault::TriggerRefused,
        "53300" => SqlFault::NotReachable,
        _ if state.starts_with("53") => SqlFault::Full,
        _ if state.starts_with("08") || state.starts_with("57P") => SqlFault::NotReachable,
        _ => SqlFault::DatabaseError,
    }
}
