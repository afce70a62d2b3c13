//! A PostgreSQL database for one test: made, given, and dropped when the test is through.
#![allow(dead_code, unreachable_pub, clippy::expect_used, clippy::panic)] // each test uses its part

use std::future::Future;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

/// Where the server is, unless `DATARIGHTS_TEST_POSTGRES` says otherwise.
const HERE: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A database of its own.
#[derive(Clone)]
pub struct Database {
    name: String,
    server: PgConnectOptions,
}

impl Database {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A pool on it.
    pub async fn pool(&self) -> PgPool {
        self.pool_with(|options| options).await
    }

    /// A pool on it, whose connections have these options.
    pub async fn pool_with(
        &self,
        with: impl FnOnce(PgConnectOptions) -> PgConnectOptions,
    ) -> PgPool {
        let options = self.server.clone().database(&self.name);
        PgPoolOptions::new()
            .max_connections(8)
            .connect_with(with(options))
            .await
            .expect("the database is there")
    }

    /// Runs SQL beside the store.
    pub async fn run(&self, sql: &str) {
        let pool = self.pool().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&pool)
            .await
            .expect("runs");
        pool.close().await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Gives a fresh database to a test, and drops it afterwards whatever becomes of the test. Where no
/// server answers the test is skipped with a line; with `CI=true` it fails.
pub fn with_database<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let runtime = runtime();
    let place = std::env::var("DATARIGHTS_TEST_POSTGRES").unwrap_or_else(|_| HERE.to_owned());
    let server = PgConnectOptions::from_str(&place).expect("an address");
    let Ok(mut admin) = runtime.block_on(PgConnection::connect_with(&server)) else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "no PostgreSQL answers"
        );
        println!("skipped: no PostgreSQL answers (set DATARIGHTS_TEST_POSTGRES to one)");
        return;
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("datarights_{}_{number}", std::process::id());
    let mut admin_runs = |sql: String| {
        runtime
            .block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin))
            .expect("an administrator");
    };
    // Left by a process of the same number that was killed.
    admin_runs(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    admin_runs(format!("CREATE DATABASE {name}"));
    let database = Database {
        name: name.clone(),
        server,
    };
    let test = std::panic::AssertUnwindSafe(|| runtime.block_on(test(database)));
    let ended = std::panic::catch_unwind(test);
    admin_runs(format!("DROP DATABASE {name} WITH (FORCE)"));
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}
