//! What can go wrong between a source and its database: a code for each, and what to do about it.

use sqlx::error::{DatabaseError, ErrorKind as Kind};

use crate::ports::{ErrorKind, PortError};

/// One row for each fault: what it is, its code, what the engine makes of it, and what to do.
macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident, $code:literal, $kind:ident: $remedy:literal;)*) => {
        /// What went wrong. The [`PortError`] that it comes in names it by [`code`](Self::code), and
        /// the table or column as its place; the database's own text, which may quote a value, goes
        /// nowhere.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum SqlFault {
            $($(#[$doc])* $fault,)*
        }

        impl SqlFault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$fault,)*];

            /// Its name in errors and in the answers of requests.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$fault => $code,)*
                }
            }

            /// What the engine must know: whether trying again can help.
            pub const fn kind(self) -> ErrorKind {
                match self {
                    $(Self::$fault => ErrorKind::$kind,)*
                }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$fault => $remedy,)*
                }
            }
        }
    };
}

faults! {
    /// The schema is not the one that the map was checked beside.
    SchemaChanged, "schema_changed", Refused:
        "run `check` against the new schema, mend the map, open the source again and retry the request";
    /// Several people were found where one was meant.
    SeveralPeople, "several_people", Refused:
        "ask which of them is meant, and name in the map as identifiers only what one person alone has";
    /// More people were found than a request can name.
    TooManyPeople, "too_many_people", Refused:
        "ask by an identifier that fewer people have: a request can name 256 rows of people at most";
    /// A hold was meant for somebody of whom nothing is here.
    NobodyFound, "nobody_found", Refused:
        "place the hold on rows or on a table, or name the person by an identifier that leads to rows";
    /// The map describes no such table.
    UnknownTable, "unknown_table", Refused:
        "name a table as the map names it";
    /// A hold has no name, or one that is too long.
    MalformedName, "malformed_name", Refused:
        "give the hold a name of 1 to 64 characters";
    /// A key does not have a value for each column of the table's key.
    MalformedKey, "malformed_key", Refused:
        "name rows by one value for each column of their table's key, in its order";
    /// The erasure would do more than the plan says that was approved.
    PlanChanged, "plan_changed", Refused:
        "retry the request: it is planned again, and approved again where somebody approves";
    /// Values that should have got another still stand there.
    NotReplaced, "not_replaced", Refused:
        "let no trigger or rule put the old value back, or give the column another strategy; for a correction, give a value that the column keeps as it is";
    /// The host has no strategy of that name.
    UnknownStrategy, "unknown_strategy", Refused:
        "give it to the source: `SqlSourceOptions::with_strategy`";
    /// Pseudonyms and ended uses need a key, and the source has none, or an empty one.
    NoPseudonymKey, "no_pseudonym_key", Refused:
        "give the source one: `SqlSourceOptions::with_pseudonym_key`";
    /// The machine gave no random bytes.
    NoRandomness, "no_randomness", Refused:
        "look into the machine's source of randomness, and retry the request";
    /// The map lets nobody correct that.
    NotCorrectable, "not_correctable", Refused:
        "say `rectify = true` of the column in the map, if people may correct it";
    /// The new value is no identifier of the column's kind.
    MalformedIdentifier, "malformed_identifier", Refused:
        "ask the person for an address or number that is one";
    /// The column's type does not take the new value.
    WrongType, "wrong_type", Refused:
        "ask the person for a value of the column's type: a number, a date as 2026-11-28, true or false; where an \
         erasure puts it, give the column another strategy";
    /// The new value is empty.
    Empty, "empty", Refused:
        "ask the person for a value; what is to go is erased";
    /// Somebody else has the new value, and it may stand once.
    NotUnique, "not_unique", Refused:
        "ask the person for another value, or correct the other row first";
    /// A value may stand once, and would stand twice.
    UniqueViolation, "unique_violation", Refused:
        "for an erasure, give the column a strategy that leaves different values different, e.g. `pseudonym`, or `random`; for a correction, another value";
    /// A row is referred to, or refers to one that is gone.
    ForeignKeyViolation, "foreign_key_violation", Refused:
        "for an erasure, describe the table whose rows refer to these, or keep them; for a correction, let the key say `ON UPDATE CASCADE`, or be deferred";
    /// A column must hold a value.
    NotNullViolation, "not_null_violation", Refused:
        "for an erasure, give the column a strategy that leaves a value, e.g. `{ fixed = \"\" }`; for a correction, a value";
    /// A `CHECK` forbids the value.
    CheckViolation, "check_violation", Refused:
        "for an erasure, give the column a strategy whose value the check allows; for a correction, such a value";
    /// A trigger or a function of the host's refused.
    TriggerRefused, "trigger_refused", Refused:
        "let the trigger pass what the source's user does, or keep the rows";
    /// The value is longer than the column.
    TooLong, "too_long", Refused:
        "give a shorter value; where an erasure puts it, another strategy";
    /// A value is too large to be read: more than 16 MiB in one row.
    TooLarge, "too_large", Refused:
        "name the column in the map as a file: it is handed over in pieces";
    /// The user of the pool may not do that.
    NotPermitted, "not_permitted", Refused:
        "grant the pool's user select, insert, update and delete on described tables, and temporary tables";
    /// A deadlock, a conflict of two transactions, a lock that was waited for too long.
    Busy, "busy", Busy:
        "nothing: it is tried again";
    /// The database ended a statement that took too long.
    TimedOut, "timed_out", Unavailable:
        "nothing, it is tried again; if it stays so, raise the statement timeout or index the columns of the links";
    /// The pool had no connection to give.
    NoConnection, "no_connection", Unavailable:
        "nothing, it is tried again; if it stays so, let the pool have more connections";
    /// The connection broke, or the server is going down.
    NotReachable, "not_reachable", Unavailable:
        "nothing: it is tried again";
    /// The database has no room left.
    Full, "full", Unavailable:
        "give the database room; it is tried again";
    /// What the source keeps in a table of its own cannot be read: somebody else wrote there.
    UnreadableNote, "unreadable_note", Nonsense:
        "restore the source's table from a backup; lift a hold by its name, and place it anew";
    /// A value that cannot be read as what it is declared to be.
    Unreadable, "unreadable", Nonsense:
        "mend the value: its column's type does not allow it";
    /// Something else in the database.
    DatabaseError, "database_error", Refused:
        "look into the database's own log at that time";
    /// Something else in the driver.
    DriverError, "driver_error", Refused:
        "look into the database's own log at that time";
}

impl SqlFault {
    /// Which one an error of a source names.
    pub fn of(error: &PortError) -> Option<Self> {
        let named = |fault: &&Self| fault.code() == error.code;
        Self::ALL.iter().find(named).copied()
    }

    /// The error of a source, with a table or a column.
    pub(super) fn at(self, place: impl Into<String>) -> PortError {
        self.anywhere().at(place)
    }

    /// The same where no place is to blame.
    pub(super) fn anywhere(self) -> PortError {
        PortError::new(self.kind(), self.code())
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
        1264 | 1265 | 1292 | 1366 | 1367 | 1525 | 3140 | 3141 | 3143 => SqlFault::WrongType,
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
        "22003" | "22007" | "22008" | "22021" | "22P02" | "22P05" => SqlFault::WrongType,
        "54000" => SqlFault::TooLarge,
        "P0001" => SqlFault::TriggerRefused,
        "53300" => SqlFault::NotReachable,
        _ if state.starts_with("53") => SqlFault::Full,
        _ if state.starts_with("08") || state.starts_with("57P") => SqlFault::NotReachable,
        _ => SqlFault::DatabaseError,
    }
}
