//! A transaction on any of the databases: statements in, rows out, errors without values.

use futures::StreamExt as _;

use crate::ports::PortError;

use super::dialect::Dialect;
use super::fault::fault;
use super::statement::{Param, Sql};

/// A pool of the host's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SqlPool {
    /// SQLite. Foreign keys are enforced where the pool's options say so, as sqlx's do.
    #[cfg(feature = "sql-sqlite")]
    Sqlite(sqlx::SqlitePool),
    /// PostgreSQL: the tables of the current schema.
    #[cfg(feature = "sql-postgres")]
    Postgres(sqlx::PgPool),
    /// MariaDB and MySQL: the tables of the current database.
    #[cfg(feature = "sql-mysql")]
    MySql(sqlx::MySqlPool),
}

#[cfg(feature = "sql-sqlite")]
impl From<sqlx::SqlitePool> for SqlPool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

#[cfg(feature = "sql-postgres")]
impl From<sqlx::PgPool> for SqlPool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self::Postgres(pool)
    }
}

#[cfg(feature = "sql-mysql")]
impl From<sqlx::MySqlPool> for SqlPool {
    fn from(pool: sqlx::MySqlPool) -> Self {
        Self::MySql(pool)
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// A value as a driver hands it over.
#[derive(Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Int(i64),
    #[cfg(feature = "sql-sqlite")]
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Scalar {
    /// As text, where it is one, or a number.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(number) => Some(number.to_string()),
            #[cfg(feature = "sql-sqlite")]
            Self::Real(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        }
    }

    /// As a count.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Int(number) => u64::try_from(*number).unwrap_or(0),
            Self::Text(text) => text.parse().unwrap_or(0),
            _ => 0,
        }
    }
}

/// The place of an error of one of several statements, until it is known which.
const EACH: &str = "statements";

/// One row.
pub(super) type Row = Vec<Scalar>;

/// An open transaction. Dropped, it is rolled back.
pub(super) enum Session {
    #[cfg(feature = "sql-sqlite")]
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    #[cfg(feature = "sql-postgres")]
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    #[cfg(feature = "sql-mysql")]
    MySql(sqlx::Transaction<'static, sqlx::MySql>),
}

/// Runs the same code on whichever transaction it is.
macro_rules! on {
    ($session:expr, $transaction:ident => $work:expr) => {
        match $session {
            #[cfg(feature = "sql-sqlite")]
            Session::Sqlite($transaction) => $work,
            #[cfg(feature = "sql-postgres")]
            Session::Postgres($transaction) => $work,
            #[cfg(feature = "sql-mysql")]
            Session::MySql($transaction) => $work,
        }
    };
}

/// A prepared query with its values.
macro_rules! bound {
    ($text:expr, $params:expr, $persistent:expr) => {{
        let mut query = sqlx::query($text).persistent($persistent);
        for param in $params {
            query = match param {
                Param::Int(number) => query.bind(number),
                Param::Text(text) => query.bind(text),
                Param::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// Takes the rows of a statement one after the other, as they come.
macro_rules! each {
    ($sql:expr, $transaction:expr, $persistent:expr, $read:path, $take:expr, $place:expr) => {{
        let Sql { text, params, .. } = $sql;
        let query = bound!(sqlx::AssertSqlSafe(text), params, $persistent);
        let mut rows = query.fetch(&mut **$transaction);
        loop {
            match rows.try_next().await {
                Ok(Some(row)) => {
                    let row = $read(&row).map_err(|error| failed(&error, $place))?;
                    $take(row)?;
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(failed(&error, $place)),
            }
        }
    }};
}

/// Runs a statement by `execute` or `fetch_all`. Without values it goes as it is, in one round, unless
/// it is to be kept. With values it is prepared; where it is kept, closing it would cost a round of its
/// own, and where it is not, temporary tables come and go under the same names.
macro_rules! run {
    ($sql:expr, $transaction:expr, $run:ident, $persistent:expr) => {{
        let Sql {
            text, params, kept, ..
        } = $sql;
        let text = sqlx::AssertSqlSafe(text);
        if params.is_empty() && !kept {
            sqlx::raw_sql(text).$run(&mut **$transaction).await
        } else {
            let query = bound!(text, params, $persistent || kept);
            query.$run(&mut **$transaction).await
        }
    }};
}

impl SqlPool {
    pub(super) fn dialect(&self) -> &'static dyn Dialect {
        match self {
            #[cfg(feature = "sql-sqlite")]
            Self::Sqlite(_) => &super::sqlite::Sqlite,
            #[cfg(feature = "sql-postgres")]
            Self::Postgres(_) => &super::postgres::Postgres,
            #[cfg(feature = "sql-mysql")]
            Self::MySql(_) => &super::mysql::MySql,
        }
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, purpose: Purpose) -> Result<Session, PortError> {
        let begun = match self {
            #[cfg(feature = "sql-sqlite")]
            Self::Sqlite(pool) => pool
                .begin_with(match purpose {
                    Purpose::Read => "BEGIN",
                    // Two writers wait for each other at the start, not in the middle.
                    Purpose::Write => "BEGIN IMMEDIATE",
                })
                .await
                .map(Session::Sqlite),
            #[cfg(feature = "sql-postgres")]
            Self::Postgres(pool) => pool
                // Everything is found and written on one state of the database; who changed a
                // row meanwhile makes it fail and be tried again.
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
                .await
                .map(Session::Postgres),
            #[cfg(feature = "sql-mysql")]
            Self::MySql(pool) => pool.begin().await.map(Session::MySql),
        };
        let _ = purpose;
        begun.map_err(|error| failed(&error, "transaction"))
    }
}

impl Session {
    /// Runs a statement; answers how many rows it changed. `place` names the table for errors.
    pub(super) async fn execute(&mut self, sql: Sql, place: &str) -> Result<u64, PortError> {
        let done = match self {
            #[cfg(feature = "sql-sqlite")]
            Self::Sqlite(transaction) => {
                run!(sql, transaction, execute, false).map(|done| done.rows_affected())
            }
            #[cfg(feature = "sql-postgres")]
            Self::Postgres(transaction) => {
                run!(sql, transaction, execute, false).map(|done| done.rows_affected())
            }
            #[cfg(feature = "sql-mysql")]
            Self::MySql(transaction) => {
                run!(sql, transaction, execute, true).map(|done| done.rows_affected())
            }
        };
        done.map_err(|error| failed(&error, place))
    }

    /// Runs statements without values, in one round. Answers how many rows each changed; an error
    /// comes with the number of those that were done.
    pub(super) async fn execute_each(
        &mut self,
        texts: String,
    ) -> Result<Vec<u64>, (usize, PortError)> {
        let all = sqlx::raw_sql(sqlx::AssertSqlSafe(texts));
        let mut done = Vec::new();
        on!(self, transaction => {
            let mut each = all.execute_many(&mut **transaction);
            loop {
                match each.next().await {
                    Some(Ok(one)) => done.push(one.rows_affected()),
                    Some(Err(error)) => return Err((done.len(), failed(&error, EACH))),
                    None => return Ok(done),
                }
            }
        })
    }

    /// All rows of an answer that is known to be small.
    pub(super) async fn fetch(&mut self, sql: Sql, place: &str) -> Result<Vec<Row>, PortError> {
        let rows = match self {
            #[cfg(feature = "sql-sqlite")]
            Self::Sqlite(transaction) => {
                run!(sql, transaction, fetch_all, false).and_then(|rows| {
                    rows.into_iter()
                        .map(|row| super::sqlite::row(&row))
                        .collect()
                })
            }
            #[cfg(feature = "sql-postgres")]
            Self::Postgres(transaction) => {
                run!(sql, transaction, fetch_all, false).and_then(|rows| {
                    rows.into_iter()
                        .map(|row| super::postgres::row(&row))
                        .collect()
                })
            }
            #[cfg(feature = "sql-mysql")]
            Self::MySql(transaction) => run!(sql, transaction, fetch_all, true).and_then(|rows| {
                rows.into_iter()
                    .map(|row| super::mysql::row(&row))
                    .collect()
            }),
        };
        rows.map_err(|error| failed(&error, place))
    }

    /// Each row of an answer that may be long; not all of them are in memory at once.
    pub(super) async fn each(
        &mut self,
        sql: Sql,
        place: &str,
        mut take: impl FnMut(Row) -> Result<(), PortError>,
    ) -> Result<(), PortError> {
        use futures::TryStreamExt as _;
        match self {
            #[cfg(feature = "sql-sqlite")]
            Self::Sqlite(transaction) => {
                each!(sql, transaction, false, super::sqlite::row, take, place)
            }
            #[cfg(feature = "sql-postgres")]
            Self::Postgres(transaction) => {
                each!(sql, transaction, false, super::postgres::row, take, place)
            }
            #[cfg(feature = "sql-mysql")]
            Self::MySql(transaction) => {
                each!(sql, transaction, true, super::mysql::row, take, place)
            }
        }
    }

    /// The one number that a statement answers with.
    pub(super) async fn count(&mut self, sql: Sql, place: &str) -> Result<u64, PortError> {
        let rows = self.fetch(sql, place).await?;
        Ok(rows
            .first()
            .and_then(|row| row.first())
            .map_or(0, Scalar::count))
    }

    pub(super) async fn commit(self) -> Result<(), PortError> {
        on!(self, transaction => transaction.commit().await)
            .map_err(|error| failed(&error, "transaction"))
    }

    pub(super) async fn rollback(self) -> Result<(), PortError> {
        on!(self, transaction => transaction.rollback().await)
            .map_err(|error| failed(&error, "transaction"))
    }
}

/// Names an error by code and place. The database's own text stays here: it may quote a value.
fn failed(error: &sqlx::Error, place: &str) -> PortError {
    // A key that was checked in the end names its table by itself.
    let told = match error {
        sqlx::Error::Database(error) if place == "transaction" => error.table(),
        _ => None,
    };
    fault(error).at(told.unwrap_or(place))
}
