//! What happens while a person is erased: constraints that come in between, triggers that refuse,
//! locks, lost connections, other requests, new rows. On all three databases; nothing is reported
//! as done while a row is left, and what can be finished is.

use datarights::adapters::{SqlFault, SqlPool, SqlSource};
use datarights::model::{Identifier, RowCount};
use datarights::ports::{
    Answer, Erased, ErrorKind, Locator, PersonalDataSource, PlannedAction, PortError, SourcePlan,
    Work,
};
use futures::TryStreamExt as _;
use futures::future::{BoxFuture, Either, select};
use sqlx::{AssertSqlSafe, Row as _};

use crate::server_suite::{COLUMNS, HIM, PERSON, SCHEMA, map};
use crate::{clock, context, done, locate, options};

/// A maker of empty places.
pub(crate) type Fresh<'a> = &'a dyn Fn() -> BoxFuture<'static, SqlPool>;

/// Runs the same code on whichever pool it is.
macro_rules! on {
    ($pool:expr, $inner:ident => $work:expr) => {
        match $pool {
            SqlPool::Sqlite($inner) => $work,
            SqlPool::Postgres($inner) => $work,
            SqlPool::MySql($inner) => $work,
            _ => panic!("another database"),
        }
    };
}

/// The shop of `server_suite`, a source over it, and the person's plan.
struct Shop {
    pool: SqlPool,
    source: SqlSource,
    locators: Vec<Locator>,
    plan: SourcePlan,
}

impl Shop {
    async fn new(fresh: Fresh<'_>) -> Self {
        let pool = fresh().await;
        for statement in SCHEMA {
            run(&pool, statement).await;
        }
        let map = map();
        let source = SqlSource::open(pool.clone(), &map, clock(), options());
        let source = source.await.unwrap_or_else(|error| panic!("{error}"));
        let locators = locate(&source, HIM).await.locators;
        let plan = planned(&source, &locators).await;
        Self {
            pool,
            source,
            locators,
            plan,
        }
    }

    async fn erase(&self, key: &str) -> Result<Erased, PortError> {
        let erased = self
            .source
            .erase(&context(key), &self.locators, &self.plan)
            .await;
        erased.map(done)
    }

    async fn residue(&self) -> Vec<RowCount> {
        let left = self
            .source
            .residue(&context("residue"), &self.locators)
            .await;
        done(left.unwrap()).rows
    }

    /// Every row, table by table; the person's, or everybody else's.
    async fn rows(&self, theirs: bool) -> Vec<String> {
        let mut all = Vec::new();
        for ((table, condition), (_, columns)) in PERSON.into_iter().zip(COLUMNS) {
            let truth = if theirs { "TRUE" } else { "NOT TRUE" };
            let sql = format!(
                "SELECT concat_ws('|', '{table}', {columns}) FROM {table} WHERE ({condition}) IS {truth}"
            );
            let mut rows = fetch(&self.pool, &sql).await;
            rows.sort();
            all.extend(rows);
        }
        all
    }

    /// Asks for the erasure anew: it is finished, and nobody else is touched.
    async fn finishes(mut self, key: &str, others: &[String]) {
        self.plan = planned(&self.source, &self.locators).await;
        let erased = self.erase(key).await;
        erased.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(self.residue().await, []);
        assert_eq!(self.rows(false).await, others);
        let kept = self.rows(true).await;
        let is_kept =
            |row: &&String| row.starts_with("accounts|") || row.starts_with("invoices|2|");
        assert_eq!(
            kept.iter().filter(|row| !is_kept(row)).count(),
            0,
            "{kept:?}"
        );
    }
}

async fn planned(source: &SqlSource, locators: &[Locator]) -> SourcePlan {
    let plan = source.plan(&context("plan"), locators, &Work::Erase).await;
    done(plan.unwrap_or_else(|error| panic!("{error}")))
}

pub(crate) async fn run(pool: &SqlPool, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    on!(pool, pool => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()));
}

pub(crate) async fn fetch(pool: &SqlPool, sql: &str) -> Vec<String> {
    let sql = AssertSqlSafe(sql.to_owned());
    on!(pool, pool => {
        let rows = sqlx::raw_sql(sql).fetch_all(pool).await.unwrap();
        rows.iter().map(|row| row.get_unchecked(0)).collect()
    })
}

/// A table with a row about the person is added after the plan.
async fn a_new_table(fresh: Fresh<'_>) {
    let shop = Shop::new(fresh).await;
    let (theirs, others) = (shop.rows(true).await, shop.rows(false).await);
    run(&shop.pool, "CREATE TABLE complaints (account INTEGER NOT NULL, FOREIGN KEY (account) REFERENCES accounts (id))").await;
    run(&shop.pool, "INSERT INTO complaints VALUES (1)").await;
    let refused = shop.erase("e").await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert_eq!(SqlFault::of(&refused), Some(SqlFault::SchemaChanged));
    assert_eq!(refused.place.as_deref(), Some("complaints"));
    assert_eq!(shop.rows(true).await, theirs);
    // Nor is it said that all was found, or read, or that nothing is left.
    let (source, context, mail) = (&shop.source, context("r"), Identifier::mail(HIM).unwrap());
    let seen = [
        source.locate(&context, &[mail]).await.err(),
        source.read(&context, &shop.locators).await.err(),
        source.residue(&context, &shop.locators).await.err(),
    ];
    for refused in seen {
        assert_eq!(refused.unwrap().place.as_deref(), Some("complaints"));
    }
    run(&shop.pool, "DROP TABLE complaints").await;
    run(&shop.pool, "ALTER TABLE items ADD COLUMN gift VARCHAR(9)").await;
    let refused = shop.erase("e").await.unwrap_err();
    assert_eq!(refused.place.as_deref(), Some("items.gift"));
    assert_eq!(shop.rows(true).await, theirs);
    run(&shop.pool, "ALTER TABLE items DROP COLUMN gift").await;
    shop.finishes("e", &others).await;
}

/// A trigger refuses in the middle: the erasure has deleted rows by then.
async fn a_trigger(fresh: Fresh<'_>) {
    let shop = Shop::new(fresh).await;
    let (theirs, others) = (shop.rows(true).await, shop.rows(false).await);
    let (made, gone) = match &shop.pool {
        SqlPool::Sqlite(_) => (
            "CREATE TRIGGER no BEFORE DELETE ON orders BEGIN SELECT RAISE(ABORT, 'émile@example.org'); END",
            "DROP TRIGGER no",
        ),
        SqlPool::MySql(_) => (
            "CREATE TRIGGER no BEFORE DELETE ON orders FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'émile@example.org'",
            "DROP TRIGGER no",
        ),
        _ => (
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'émile@example.org'; END $$;
             CREATE TRIGGER no BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION no()",
            "DROP TRIGGER no ON orders",
        ),
    };
    run(&shop.pool, made).await;
    let refused = shop.erase("e").await.unwrap_err();
    assert_eq!(
        SqlFault::of(&refused),
        Some(SqlFault::TriggerRefused),
        "{refused}"
    );
    assert_eq!(refused.place.as_deref(), Some("orders"));
    assert!(!format!("{refused:?}").contains("example.org"));
    assert_eq!(shop.rows(true).await, theirs);
    assert_ne!(shop.residue().await, []);
    run(&shop.pool, gone).await;
    shop.finishes("e", &others).await;
}

/// More is there than was approved.
async fn a_plan_that_holds_no_more(fresh: Fresh<'_>) {
    let shop = Shop::new(fresh).await;
    let others = shop.rows(false).await;
    run(&shop.pool, "INSERT INTO orders VALUES (7, 7, 1)").await;
    let theirs = shop.rows(true).await;
    let refused = shop.erase("e").await.unwrap_err();
    assert_eq!(SqlFault::of(&refused), Some(SqlFault::PlanChanged));
    assert_eq!(refused.place.as_deref(), Some("orders"));
    assert_eq!(shop.rows(true).await, theirs);
    // Less is no new plan: what is gone already was approved too.
    run(&shop.pool, "DELETE FROM orders WHERE shop = 7").await;
    run(&shop.pool, "DELETE FROM cards WHERE pin = '3333'").await;
    let erased = shop.erase("e").await.unwrap();
    let cards = erased.rows.iter().find(|count| count.collection == "cards");
    assert_eq!(cards.map(|count| count.rows), Some(2));
    shop.finishes("another", &others).await;
}

/// Who waits for a lock in this place, as soon as somebody does.
pub(crate) async fn who_waits(pool: &SqlPool) -> String {
    /// One looks at a time: MariaDB tells anew only what nobody asked for a tenth of a second.
    static LOOKING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let waiting = match pool {
        SqlPool::Postgres(_) => {
            "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%datarights_set%' AND datname = current_database()"
        }
        _ => {
            "SELECT CAST(p.id AS CHAR) FROM information_schema.innodb_trx AS t JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.db = database()"
        }
    };
    loop {
        let _only = LOOKING.lock().await;
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        if let Some(who) = fetch(pool, waiting).await.pop() {
            return who;
        }
    }
}

/// Begins an erasure that must wait for a row; when it waits, `meanwhile` happens, and then the row
/// is free. Answers what became of it.
async fn waits(
    shop: &Shop,
    key: &str,
    meanwhile: impl AsyncFnOnce(String),
) -> Result<Erased, PortError> {
    let hold = "UPDATE messages SET body = 'held' WHERE id = 1";
    match &shop.pool {
        SqlPool::Sqlite(_) => {
            // One writer at a time: the other one waits.
            let meanwhile = meanwhile(String::new());
            futures::join!(shop.erase(key), meanwhile).0
        }
        pool => on!(pool, inner => {
            let mut holder = inner.begin().await.unwrap();
            sqlx::raw_sql(hold).execute(&mut *holder).await.unwrap();
            let waiting = std::pin::pin!(who_waits(pool));
            match select(Box::pin(shop.erase(key)), waiting).await {
                Either::Left(_) => panic!("it did not wait"),
                Either::Right((who, erasing)) => {
                    let then = async {
                        meanwhile(who).await;
                        holder.rollback().await.unwrap();
                    };
                    futures::join!(erasing, then).0
                }
            }
        }),
    }
}

/// The connection is lost in the middle.
async fn a_lost_connection(fresh: Fresh<'_>) {
    let shop = Shop::new(fresh).await;
    if matches!(shop.pool, SqlPool::Sqlite(_)) {
        return; // a file has no connection to lose
    }
    let (theirs, others) = (shop.rows(true).await, shop.rows(false).await);
    let pool = shop.pool.clone();
    let lost = waits(&shop, "e", async |who| {
        let kill = match &pool {
            SqlPool::Postgres(_) => format!("SELECT pg_terminate_backend({who})"),
            _ => format!("KILL {who}"),
        };
        run(&pool, &kill).await;
    })
    .await
    .unwrap_err();
    assert_eq!(lost.kind, ErrorKind::Unavailable, "{lost}");
    assert_eq!(shop.rows(true).await, theirs);
    assert_ne!(shop.residue().await, []);
    shop.finishes("e", &others).await;
}

/// A row arrives for the person while they are erased.
async fn a_new_row(fresh: Fresh<'_>) {
    let mut shop = Shop::new(fresh).await;
    let others = shop.rows(false).await;
    let pool = shop.pool.clone();
    if matches!(pool, SqlPool::MySql(_)) {
        // There the row waits for the erasure, too: nobody goes on before one of them gives up.
        shop.source = SqlSource::open(impatient(&pool), &map(), clock(), options())
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let erased = waits(&shop, "e", async |_| {
        run(&pool, "INSERT INTO cards VALUES (1, NULL, '2222')").await;
    })
    .await;
    match erased {
        // It was not seen: the search afterwards says so.
        Ok(_) => assert_eq!(shop.residue().await, [RowCount::new("cards", 1)]),
        Err(error) => assert_eq!(SqlFault::of(&error), Some(SqlFault::PlanChanged), "{error}"),
    }
    shop.plan = planned(&shop.source, &shop.locators).await;
    shop.finishes("again", &others).await;
}

/// A pool on the same database that waits for no lock, or for a second where it cannot wait less.
fn impatient(pool: &SqlPool) -> SqlPool {
    match pool {
        SqlPool::Sqlite(pool) => {
            let options = (*pool.connect_options()).clone();
            let options = options.busy_timeout(std::time::Duration::ZERO);
            sqlx::SqlitePool::connect_lazy_with(options).into()
        }
        SqlPool::Postgres(pool) => {
            let options = (*pool.connect_options()).clone();
            sqlx::PgPool::connect_lazy_with(options.options([("lock_timeout", "1ms")])).into()
        }
        SqlPool::MySql(pool) => sqlx::mysql::MySqlPoolOptions::new()
            .after_connect(|connection, _| {
                Box::pin(async move {
                    let set = "SET innodb_lock_wait_timeout = 1";
                    sqlx::raw_sql(set).execute(connection).await.map(drop)
                })
            })
            .connect_lazy_with((*pool.connect_options()).clone())
            .into(),
        _ => panic!("another database"),
    }
}

/// Somebody else has the row for longer than this one waits.
async fn a_lock(fresh: Fresh<'_>) {
    let mut shop = Shop::new(fresh).await;
    let (theirs, others) = (shop.rows(true).await, shop.rows(false).await);
    shop.source = SqlSource::open(impatient(&shop.pool), &map(), clock(), options())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let busy = on!(&shop.pool, inner => {
        let mut holder = inner.begin().await.unwrap();
        let hold = "UPDATE messages SET body = 'held' WHERE id = 1";
        sqlx::raw_sql(hold).execute(&mut *holder).await.unwrap();
        let busy = shop.erase("e").await.unwrap_err();
        holder.rollback().await.unwrap();
        busy
    });
    assert_eq!(SqlFault::of(&busy), Some(SqlFault::Busy), "{busy}");
    assert!(busy.kind.is_temporary());
    assert_eq!(shop.rows(true).await, theirs);
    shop.finishes("e", &others).await;
}

/// Somebody has a row for which the erasure waits, and wants one that it has: one of them gives up.
async fn a_deadlock(fresh: Fresh<'_>) {
    let shop = Shop::new(fresh).await;
    if matches!(shop.pool, SqlPool::Sqlite(_)) {
        return; // one writer at a time
    }
    let (theirs, others) = (shop.rows(true).await, shop.rows(false).await);
    // PostgreSQL's erasure is the one that looks for deadlocks, and gives up; on MariaDB it is whoever
    // wrote less.
    let hold = match &shop.pool {
        SqlPool::Postgres(_) => {
            "SET LOCAL deadlock_timeout = '1h'; UPDATE orders SET account = 1 WHERE shop = 1 AND number = 1"
        }
        _ => "UPDATE orders SET account = 1 WHERE shop = 1 AND number = 1",
    };
    let before = deadlocks(&shop.pool).await;
    let erased = on!(&shop.pool, inner => {
        let mut holder = inner.begin().await.unwrap();
        sqlx::raw_sql(hold).execute(&mut *holder).await.unwrap();
        let waiting = std::pin::pin!(who_waits(&shop.pool));
        match select(Box::pin(shop.erase("e")), waiting).await {
            Either::Left(_) => panic!("it did not wait"),
            Either::Right((_, erasing)) => {
                let then = async {
                    let wanted = "UPDATE items SET what = 'held' WHERE id = 1";
                    let _victim = sqlx::raw_sql(wanted).execute(&mut *holder).await;
                    holder.rollback().await.unwrap();
                };
                futures::join!(erasing, then).0
            }
        }
    });
    if let Err(error) = erased {
        assert_eq!(SqlFault::of(&error), Some(SqlFault::Busy), "{error}");
        assert_eq!(shop.rows(true).await, theirs);
        assert_ne!(shop.residue().await, []);
    } else {
        assert_eq!(shop.residue().await, []);
    }
    // The server tells of it a little later.
    let mut looks = 0;
    while deadlocks(&shop.pool).await <= before {
        looks += 1;
        assert!(looks < 200, "there was none");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    shop.finishes("again", &others).await;
}

/// How many the server has seen.
async fn deadlocks(pool: &SqlPool) -> u64 {
    let seen = match pool {
        SqlPool::Postgres(_) => {
            "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()"
        }
        _ => {
            "SELECT CAST(count AS CHAR) FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
        }
    };
    fetch(pool, seen).await[0].parse().unwrap()
}

/// Two requests erase one person while a third reads them out.
async fn three_at_once(fresh: Fresh<'_>) {
    let shop = Shop::new(fresh).await;
    let others = shop.rows(false).await;
    let planned: u64 = erasing(&shop.plan);
    let read = async || {
        let items = shop.source.read(&context("read"), &shop.locators).await?;
        let Answer::Done(items) = items else {
            panic!("not done");
        };
        let items: Vec<_> = items.try_collect().await?;
        Ok::<usize, PortError>(items.len())
    };
    let before = read().await.unwrap();
    let (one, two, seen) = futures::join!(shop.erase("one"), shop.erase("two"), read());
    let mut told = 0;
    for erased in [one, two] {
        match erased {
            Ok(erased) => told += erased.rows.iter().map(|count| count.rows).sum::<u64>(),
            Err(error) => assert!(error.kind.is_temporary(), "{error}"),
        }
    }
    assert!(told == planned || told == 0, "{told} of {planned} told");
    let after = read().await.unwrap();
    match seen {
        Ok(seen) => assert!(seen == before || seen == after, "{before}, {seen}, {after}"),
        Err(error) => assert!(error.kind.is_temporary(), "{error}"),
    }
    shop.finishes("one", &others).await;
}

fn erasing(plan: &SourcePlan) -> u64 {
    let kept = |action: &PlannedAction| matches!(action, PlannedAction::Withhold { .. });
    let lines = plan.rows.iter().filter(|line| !kept(&line.action));
    lines.map(|line| line.rows).sum()
}

pub(crate) async fn on_sqlite(test: impl AsyncFnOnce(Fresh<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let made = std::sync::atomic::AtomicU32::new(0);
    let fresh = move || -> BoxFuture<'static, SqlPool> {
        let nth = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = place.join(format!("{nth}.sqlite"));
        drop(rusqlite::Connection::open(&path).unwrap());
        Box::pin(async move { crate::pool(&path).await.into() })
    };
    test(&fresh).await;
}

/// Each test on each database.
macro_rules! everywhere {
    ($($test:ident),*) => {
        mod sqlite { $(#[tokio::test] async fn $test() { $crate::trouble::on_sqlite(super::$test).await; })* }
        mod postgres { $(#[tokio::test] async fn $test() { $crate::server_suite::on_postgres(super::$test).await; })* }
        mod mariadb { $(#[tokio::test] async fn $test() { $crate::server_suite::on_mariadb(super::$test).await; })* }
    };
}
pub(crate) use everywhere;

everywhere!(
    a_new_table,
    a_trigger,
    a_plan_that_holds_no_more,
    a_lost_connection,
    a_new_row,
    a_lock,
    a_deadlock,
    three_at_once
);

#[test]
fn every_fault_says_what_to_do() {
    let guide = include_str!("../../docs/describe-a-database.md");
    for fault in SqlFault::ALL {
        let row = format!("| `{}` | {} |", fault.code(), fault.remedy());
        assert!(guide.contains(&row), "the guide does not tell of {row}");
        let same = SqlFault::ALL
            .iter()
            .filter(|other| other.code() == fault.code());
        assert_eq!(same.count(), 1, "{row}");
    }
}
