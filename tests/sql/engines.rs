//! One test on all three engines: SQLite in a file, PostgreSQL and MariaDB where they run.

use datarights::adapters::SqlPool;
use datarights::adapters::{SqlSource, SqlSourceOptions};
use datarights::datamap::DataMap;
use sqlx::{AssertSqlSafe, Row as _};

use crate::{clock, options, pool};

/// An empty database.
pub(crate) struct Place {
    pub(crate) pool: SqlPool,
    /// `sqlite`, `postgres` or `mariadb`.
    pub(crate) name: &'static str,
}

impl Place {
    /// A name, quoted.
    pub(crate) fn quoted(&self, name: &str) -> String {
        match self.name {
            "mariadb" => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    /// A text in a statement.
    pub(crate) fn literal(&self, text: &str) -> String {
        let text = text.replace('\'', "''");
        match self.name {
            "mariadb" => format!("'{}'", text.replace('\\', "\\\\")),
            _ => format!("'{text}'"),
        }
    }

    /// Bytes in a statement.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.name {
            "postgres" => format!("'\\x{hex}'"),
            _ => format!("x'{hex}'"),
        }
    }

    /// Runs statements of the test's own, one after the other.
    pub(crate) async fn run(&self, statements: &[&str]) {
        for statement in statements {
            if let Err(error) = self.try_run(statement).await {
                panic!("{}: {error}\n{statement}", self.name);
            }
        }
    }

    pub(crate) async fn try_run(&self, statement: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(statement.to_owned());
        match &self.pool {
            SqlPool::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
            SqlPool::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
            SqlPool::MySql(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
            _ => Ok(()),
        }
    }

    /// These columns of each row as text, `-` for NULL, in order.
    pub(crate) async fn rows(&self, table: &str, columns: &str) -> Vec<String> {
        let kind = match self.name {
            "mariadb" => "CHAR",
            _ => "TEXT",
        };
        let cells: Vec<String> = columns
            .split(", ")
            .map(|column| format!("coalesce(CAST({column} AS {kind}), '-')"))
            .collect();
        let sql = format!("SELECT concat_ws('|', {}) FROM {table}", cells.join(", "));
        let mut rows = self.texts(&sql).await;
        rows.sort();
        rows
    }

    /// The first column of each row, a text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.pool {
            SqlPool::Sqlite(pool) => {
                let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            SqlPool::Postgres(pool) => {
                let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            SqlPool::MySql(pool) => {
                let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(crate) async fn open(&self, map: &DataMap) -> SqlSource {
        self.open_with(map, options()).await
    }

    pub(crate) async fn open_with(&self, map: &DataMap, options: SqlSourceOptions) -> SqlSource {
        SqlSource::open(self.pool.clone(), map, clock(), options)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// Runs a test on each engine. It may ask for more than one database.
pub(crate) async fn everywhere(test: impl AsyncFn(&Place)) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        pool: pool(&folder.path().join("place.sqlite")).await.into(),
        name: "sqlite",
    };
    test(&place).await;
    #[cfg(all(feature = "sql-postgres", feature = "sql-mysql"))]
    {
        let on = async |pool, name| test(&Place { pool, name }).await;
        crate::server_suite::on_postgres(async |fresh| on(fresh().await, "postgres").await).await;
        crate::server_suite::on_mariadb(async |fresh| on(fresh().await, "mariadb").await).await;
    }
}
