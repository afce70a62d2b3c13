//! The measured host on each database: its tables, the work by hand, and the source.

use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use datarights::adapters::{MemoryVault, SqlPool, SqlSource, SqlSourceOptions, SystemClock};
use datarights::datamap::{Column, DataMap, Link, RowErasure, Strategy, Table};
use datarights::model::{Category, ControllerId, Identifier, IdentifierKind, RequestId, SourceId};
use datarights::package::{self, Limits};
use datarights::ports::{
    Answer, CallContext, Cancel, Fence, IdempotencyKey, Item, Located, PersonalDataSource as _,
    SourcePlan, Vault as _, Work,
};
use futures::TryStreamExt as _;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::package_support::{Memory, cover, spool_of, target};

const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432";
const MARIADB: &str = "mysql://root@127.0.0.1:3306";

/// Who has 10,000 orders with a payment each.
pub(crate) const HEAVY: u32 = 1;
/// Who has ten.
pub(crate) const LIGHT: u32 = 2;

/// The numbers from 1 to 100,000, in SQL that all of them understand.
const NUMBERS: &str = "SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n FROM \
                       digits AS a, digits AS b, digits AS c, digits AS e, digits AS f";

/// Tables, rows, indexes. Order n is the heavy one's up to 10,000; the others have ten each.
const SCHEMA: [&str; 10] = [
    "CREATE TABLE digits (d INTEGER PRIMARY KEY)",
    "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, mail VARCHAR(80) NOT NULL UNIQUE, name VARCHAR(80), \
     address VARCHAR(200))",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), name \
     VARCHAR(80), address VARCHAR(200), total INTEGER)",
    "CREATE TABLE payments (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id), \
     name VARCHAR(80), address VARCHAR(200), amount INTEGER)",
    "INSERT INTO users SELECT n, concat('u', n, '@example.org'), concat('Name of ', n), concat(n, \
     ' Long Street, 12345 Anywhere') FROM (NUMBERS) AS x WHERE n <= 10000",
    "INSERT INTO orders SELECT n, CASE WHEN n <= 10000 THEN 1 ELSE 2 + (n - 10001) / 10 END, concat('Name of ', n), concat(n, ' Long Street, 12345 Anywhere'), n % 977 \
     FROM (NUMBERS) AS x",
    "INSERT INTO payments SELECT id, id, name, address, total FROM orders",
    "CREATE INDEX orders_user ON orders (user_id)",
    "CREATE INDEX payments_order ON payments (order_id)",
];

fn of(who: u32) -> [(&'static str, String); 3] {
    [
        ("users", format!("id = {who}")),
        ("orders", format!("user_id = {who}")),
        (
            "payments",
            format!("order_id IN (SELECT id FROM orders WHERE user_id = {who})"),
        ),
    ]
}

/// Names in orders are erased as this column says.
fn map(name: Column) -> DataMap {
    let mut users = Table::people().column(
        "mail",
        Column::of(Category::Contact)
            .identifies(IdentifierKind::Mail)
            .erased_by(Strategy::Keep),
    );
    let mut orders = Table::new().link("user", Link::rows(["user_id"], "users"));
    let mut payments = Table::new().link("order", Link::rows(["order_id"], "orders"));
    for table in [&mut users, &mut orders, &mut payments] {
        *table = std::mem::take(table)
            .erased_by(RowErasure::Columns)
            .column(
                "name",
                Column::of(Category::Identity).erased_by(Strategy::Null),
            )
            .column(
                "address",
                Column::of(Category::Contact).erased_by(Strategy::Null),
            );
    }
    orders = orders.column("name", name);
    let keep = || Column::of(Category::Financial).erased_by(Strategy::Keep);
    let kept = |column: Column| column.erased_by(Strategy::Keep);
    DataMap::new()
        .table("users", users)
        .table(
            "orders",
            orders
                .column("user_id", kept(Column::default()))
                .column("total", keep()),
        )
        .table(
            "payments",
            payments
                .column("order_id", kept(Column::default()))
                .column("amount", keep()),
        )
        .exempt("digits", "numbers")
        .exempt_columns("*", ["id"], "a number of ours")
}

/// A name that is erased so.
pub(crate) fn name_erased_by(strategy: Strategy) -> Column {
    Column::of(Category::Identity).erased_by(strategy)
}

/// Runs statements on whichever pool it is.
macro_rules! on {
    ($pool:expr, $inner:ident => $work:expr) => {
        match $pool {
            SqlPool::Sqlite($inner) => $work,
            SqlPool::Postgres($inner) => $work,
            SqlPool::MySql($inner) => $work,
            _ => unreachable!(),
        }
    };
}

pub(crate) struct Desk {
    pool: SqlPool,
    source: SqlSource,
    database: String,
    vault: MemoryVault,
    _folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) async fn new(name: &str) -> Option<Self> {
        let database = format!("datarights_bench_{}", std::process::id());
        let folder = tempfile::tempdir().unwrap();
        let create = AssertSqlSafe(format!("CREATE DATABASE {database}"));
        let pool: SqlPool = match name {
            "sqlite" => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(folder.path().join("bench.sqlite"))
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
                sqlx::SqlitePool::connect_with(options)
                    .await
                    .unwrap()
                    .into()
            }
            "postgres" => {
                let url = format!("{POSTGRES}/postgres");
                let mut admin = sqlx::PgConnection::connect(&url).await.ok()?;
                sqlx::raw_sql(create).execute(&mut admin).await.unwrap();
                let url = format!("{POSTGRES}/{database}");
                sqlx::PgPool::connect(&url).await.unwrap().into()
            }
            _ => {
                let mut admin = sqlx::MySqlConnection::connect(MARIADB).await.ok()?;
                sqlx::raw_sql(create).execute(&mut admin).await.unwrap();
                let url = format!("{MARIADB}/{database}");
                sqlx::MySqlPool::connect(&url).await.unwrap().into()
            }
        };
        for statement in SCHEMA {
            let mut text = statement.replace("NUMBERS", NUMBERS);
            if name == "mariadb" {
                text = text.replace("/ 10", "DIV 10");
            }
            run(&pool, text).await;
        }
        let analyze = match name {
            "mariadb" => "ANALYZE TABLE users, orders, payments",
            _ => "ANALYZE",
        };
        run(&pool, analyze.to_owned()).await;
        let options = SqlSourceOptions::new(SourceId::new("bench").unwrap(), "Bench");
        let clock = Arc::new(SystemClock);
        let map = map(name_erased_by(Strategy::Null));
        let source = SqlSource::open(pool.clone(), &map, clock, options).await;
        let vault = MemoryVault::new();
        vault
            .create_key(&spool_of("bench", "Bench").key)
            .await
            .unwrap();
        Some(Self {
            source: source.unwrap(),
            pool,
            database,
            vault,
            _folder: folder,
        })
    }

    pub(crate) async fn drop_database(&self) {
        match &self.pool {
            SqlPool::Postgres(pool) => {
                pool.close().await;
                let url = format!("{POSTGRES}/postgres");
                let mut admin = sqlx::PgConnection::connect(&url).await.unwrap();
                let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
                sqlx::raw_sql(AssertSqlSafe(drop))
                    .execute(&mut admin)
                    .await
                    .unwrap();
            }
            SqlPool::MySql(_) => run(&self.pool, format!("DROP DATABASE {}", self.database)).await,
            _ => {}
        }
    }

    /// Gives names and addresses back, and lets the database tidy up.
    pub(crate) async fn restore(&self, who: u32) {
        for (table, condition) in of(who) {
            run(
                &self.pool,
                format!(
                    "UPDATE {table} SET name = concat('Name of ', id), address = concat(id, ' Long Street, \
                     12345 Anywhere') WHERE {condition}"
                ),
            )
            .await;
        }
        match &self.pool {
            SqlPool::Postgres(_) => {
                for table in ["users", "orders", "payments"] {
                    run(&self.pool, format!("VACUUM ANALYZE {table}")).await;
                }
                run(&self.pool, "CHECKPOINT".to_owned()).await;
            }
            SqlPool::Sqlite(_) => {
                run(&self.pool, "PRAGMA wal_checkpoint(TRUNCATE)".to_owned()).await;
            }
            _ => {}
        }
    }

    pub(crate) async fn erase_by_hand(&self, who: u32) {
        on!(&self.pool, pool => {
            let mut transaction = pool.begin().await.unwrap();
            for (table, condition) in of(who) {
                let sql = format!("UPDATE {table} SET name = NULL, address = NULL WHERE {condition}");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
            }
            transaction.commit().await.unwrap();
        });
    }

    /// What a plan and a search for what is left come to, by hand.
    pub(crate) async fn count_by_hand(&self, who: u32) -> i64 {
        let counts = of(who).map(|(table, condition)| {
            let left = "(name IS NOT NULL OR address IS NOT NULL)";
            format!("(SELECT count(*) FROM {table} WHERE {condition} AND {left})")
        });
        let sql = format!("SELECT {}", counts.join(" + "));
        on!(&self.pool, pool => {
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap()
        })
    }

    pub(crate) async fn locate(&self, who: u32) -> Located {
        let mail = Identifier::mail(format!("u{who}@example.org")).unwrap();
        done(
            self.source
                .locate(&context("locate"), &[mail])
                .await
                .unwrap(),
        )
    }

    pub(crate) async fn plan(&self, found: &Located) -> SourcePlan {
        let context = context("plan");
        let plan = self
            .source
            .plan(&context, &found.locators, &Work::Erase)
            .await;
        done(plan.unwrap())
    }

    pub(crate) async fn erase(&self, found: &Located, plan: &SourcePlan, key: &str) {
        let erased = self
            .source
            .erase(&context(key), &found.locators, plan)
            .await;
        done(erased.unwrap());
    }

    pub(crate) async fn residue(&self, found: &Located) {
        let left = self
            .source
            .residue(&context("residue"), &found.locators)
            .await;
        assert!(done(left.unwrap()).rows.is_empty());
    }

    /// How long it takes to plan, erase and search where names in orders are erased as this column
    /// says.
    pub(crate) async fn erase_with(&self, who: u32, name: Column, key: &str) -> Duration {
        let options = SqlSourceOptions::new(SourceId::new("bench").unwrap(), "Bench")
            .with_pseudonym_key(b"a key of the bench's own".to_vec());
        let clock = Arc::new(SystemClock);
        let source = SqlSource::open(self.pool.clone(), &map(name), clock, options).await;
        let source = source.unwrap();
        let mail = Identifier::mail(format!("u{who}@example.org")).unwrap();
        let found = done(source.locate(&context("locate"), &[mail]).await.unwrap());
        let (begun, call) = (Instant::now(), context("plan"));
        let plan = source.plan(&call, &found.locators, &Work::Erase).await;
        let plan = done(plan.unwrap());
        let erased = source.erase(&context(key), &found.locators, &plan).await;
        assert!(
            done(erased.unwrap())
                .rows
                .iter()
                .any(|count| count.rows == 10_000)
        );
        let left = source.residue(&context("residue"), &found.locators).await;
        assert!(done(left.unwrap()).rows.is_empty());
        begun.elapsed()
    }

    /// Names the person in their orders by mail address, in a sentence.
    pub(crate) async fn tell(&self, who: u32) {
        let told = format!(
            "UPDATE orders SET name = concat('u{who}@example.org asked for ', id) WHERE user_id = {who}"
        );
        run(&self.pool, told).await;
    }

    /// Searches by value; answers through how many tables.
    pub(crate) async fn search(&self, found: &Located) -> usize {
        let searched = self
            .source
            .search_by_value(&context("search"), &found.locators)
            .await
            .unwrap();
        assert_eq!(searched.rows.len(), 1, "the address of the account");
        searched.tables
    }

    /// Reads all, and counts the rows.
    pub(crate) async fn read(&self, found: &Located) -> usize {
        let mut items = done(
            self.source
                .read(&context("read"), &found.locators)
                .await
                .unwrap(),
        );
        let mut rows = 0;
        while let Some(item) = items.try_next().await.unwrap() {
            rows += usize::from(matches!(item, Item::Row(_)));
        }
        rows
    }

    /// Reads all into a package; answers how many bytes it has.
    pub(crate) async fn export(&self, found: &Located) -> u64 {
        let (store, cancel) = (Memory::default(), Cancel::default());
        let items = done(
            self.source
                .read(&context("read"), &found.locators)
                .await
                .unwrap(),
        );
        let (spool, limits) = (spool_of("bench", "Bench"), Limits::default());
        let report = package::spool(&spool, items, &store, &self.vault, &limits, &cancel);
        let spools = [(spool.clone(), report.await.unwrap())];
        let (cover, target) = (cover(), target());
        let written = package::write(&target, &cover, &spools, &store, &self.vault, &cancel);
        written.await.unwrap().bytes
    }

    /// The yardstick: the bare driver, `serde_json` and `csv`, straight into a ZIP.
    pub(crate) async fn export_by_hand(&self, who: u32) -> u64 {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (table, condition) in of(who) {
            let sql = format!("SELECT * FROM {table} WHERE {condition}");
            let rows: Vec<Plain> = on!(&self.pool, pool => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
                rows.iter().map(|row| Plain {
                    id: row.get(0),
                    other: row.try_get(1).ok(),
                    mail: if table == "users" { row.get(1) } else { None },
                    name: row.get(2),
                    address: row.get(3),
                    number: if table == "users" { None } else { row.get(4) },
                }).collect()
            });
            zip.start_file(format!("{table}.json"), SimpleFileOptions::default())
                .unwrap();
            let mut out = Vec::with_capacity(128 * 1024);
            for row in &rows {
                serde_json::to_writer(&mut out, row).unwrap();
                out.push(b'\n');
                if out.len() > 64 * 1024 {
                    zip.write_all(&out).unwrap();
                    out.clear();
                }
            }
            zip.write_all(&out).unwrap();
            zip.start_file(format!("{table}.csv"), SimpleFileOptions::default())
                .unwrap();
            let mut csv = csv::WriterBuilder::new()
                .buffer_capacity(64 * 1024)
                .from_writer(&mut zip);
            for row in &rows {
                csv.serialize(row).unwrap();
            }
            csv.flush().unwrap();
        }
        zip.finish().unwrap().into_inner().len() as u64
    }
}

#[derive(Serialize)]
struct Plain {
    id: i32,
    other: Option<i32>,
    mail: Option<String>,
    name: Option<String>,
    address: Option<String>,
    number: Option<i32>,
}

async fn run(pool: &SqlPool, sql: String) {
    let sql = AssertSqlSafe(sql);
    on!(pool, pool => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()));
}

fn context(key: &str) -> CallContext {
    CallContext::new(
        ControllerId::new("host").unwrap(),
        RequestId::new(uuid::Uuid::from_u128(7)),
        IdempotencyKey(key.to_owned()),
        Fence(1),
        chrono::DateTime::UNIX_EPOCH,
    )
}

fn done<T>(answer: Answer<T>) -> T {
    match answer {
        Answer::Done(done) => done,
        _ => unreachable!("the source answers at once"),
    }
}
