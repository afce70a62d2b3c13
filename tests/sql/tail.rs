//! An engine over a described database, in virtual time: what was kept goes when its time comes,
//! and nobody has to ask again.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::{Hold, SqlSource, SqlSourceOptions};
use datarights::datamap::{Column, DataMap, Link, Retention, Table};
use datarights::engine::{Engine, Intake, Ports};
use datarights::model::{
    Actor, Category, Channel, Failure, Ground, Identifier, IdentifierKind, Outcome, RequestId,
    Right, SearchDepth, Wish,
};
use datarights::workflow::{Request, fulfilment, lifecycle};
use rusqlite::Connection;

use crate::common::{World, staff};
use crate::{context, options, pool};

/// An engine whose one source is the database.
struct Desk {
    world: World,
    engine: Engine,
    source: Arc<SqlSource>,
}

async fn desk(path: &Path, map: &DataMap, grounds: &[&'static str]) -> Desk {
    desk_with(path, map, grounds, options()).await
}

async fn desk_with(
    path: &Path,
    map: &DataMap,
    grounds: &[&'static str],
    options: SqlSourceOptions,
) -> Desk {
    let world = World::new();
    let clock = Arc::new(world.clock.clone());
    let source = SqlSource::open(pool(path).await, map, clock.clone(), options)
        .await
        .unwrap();
    let source = Arc::new(source);
    let ports = Ports {
        store: Arc::clone(&world.store),
        vault: Arc::clone(&world.vault_port),
        clock,
        entropy: world.entropy.clone(),
        artifacts: Arc::clone(&world.artifacts_port),
        notifier: Arc::clone(&world.notifier),
        verifier: Arc::clone(&world.verifier),
        access: Arc::clone(&world.access),
    };
    let mut controller = world.controller.clone();
    for ground in grounds {
        controller = controller.with_words(format!("ground.{ground}"), "We must keep this.");
    }
    let engine = Engine::builder(ports)
        .controller(controller)
        .source(source.clone())
        .build();
    Desk {
        world,
        engine,
        source,
    }
}

impl Desk {
    /// Works on what is due up to an instant.
    async fn work_until(&self, until: DateTime<Utc>) {
        loop {
            let tick = self.engine.tick(&self.world.worker(), None).await.unwrap();
            match tick.next {
                Some(next) if next <= self.world.now() => {}
                Some(next) if next <= until => self.world.clock.set(next),
                _ => return,
            }
        }
    }

    async fn work(&self) {
        self.work_until(self.world.now() + TimeDelta::hours(1))
            .await;
    }

    async fn command(
        &self,
        request: RequestId,
        by: &str,
        command: impl Into<datarights::workflow::Command>,
    ) {
        let acme = &self.world.acme;
        let done = self
            .engine
            .command(acme, request, &staff(by), command)
            .await;
        done.unwrap();
    }

    /// Asks for an erasure, and has it and its plan approved.
    async fn erase(&self, mail: &str) -> RequestId {
        let who = vec![Identifier::mail(mail).unwrap()];
        let intake = Intake::new(Channel::Form, who, [Wish::of(Right::Erasure)]);
        let acme = &self.world.acme;
        let submitted = self.engine.submit(acme, &Actor::Person, intake).await;
        let request = submitted.unwrap()[0].request;
        self.command(request, "alice", lifecycle::Command::ConfirmIdentity)
            .await;
        self.command(request, "alice", lifecycle::Command::Approve)
            .await;
        self.work().await;
        let plan = self
            .engine
            .plan(acme, request, &staff("bob"))
            .await
            .unwrap();
        let digest = plan.digest;
        self.command(request, "bob", fulfilment::Command::ApprovePlan { digest })
            .await;
        self.work().await;
        request
    }

    async fn seen(&self, request: RequestId) -> Request {
        let acme = &self.world.acme;
        let seen = self.engine.request(acme, request, &staff("eve")).await;
        seen.unwrap()
    }

    async fn is_open(&self, request: RequestId) -> bool {
        self.seen(request).await.is_open()
    }
}

fn rows(path: &Path, table: &str) -> i64 {
    let connection = Connection::open(path).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn what_was_kept_goes_by_itself_when_its_time_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, deleted_at TEXT);
             CREATE TABLE invoices (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people, day TEXT);
             CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people, deleted_at TEXT);
             INSERT INTO people VALUES (1, 'ada@example.org', NULL), (2, 'bob@example.org', NULL);
             INSERT INTO invoices VALUES (1, 1, '2017-05-05'), (2, 1, '2018-05-05'), (3, 2, '2018-05-05');
             INSERT INTO notes VALUES (1, 1, NULL), (2, 2, NULL);",
        )
        .unwrap();
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let by_person = || Link::rows(["person"], "people");
    let map = DataMap::new()
        .table(
            "people",
            Table::people()
                .column("mail", mail)
                .soft_deleted("deleted_at", 30),
        )
        .table(
            "invoices",
            Table::new()
                .link("person", by_person())
                .retained(Retention::new("day", "fr_com_l123_22".into()))
                .column("day", Column::default()),
        )
        .table(
            "notes",
            Table::new()
                .link("person", by_person())
                .soft_deleted("deleted_at", 30),
        )
        .exempt_columns("*", ["id"], "a number of ours");
    let desk = desk(&path, &map, &["fr_com_l123_22", "restorable"]).await;
    let request = desk.erase("ada@example.org").await;

    // Everything of hers is kept: the invoices by law, the rest hidden.
    assert_eq!(
        (
            rows(&path, "people"),
            rows(&path, "invoices"),
            rows(&path, "notes")
        ),
        (2, 3, 2)
    );
    let hidden = "notes WHERE deleted_at LIKE '2026-03-02%' AND person = 1";
    assert_eq!(rows(&path, hidden), 1);
    // The bin is emptied after its days.
    desk.work_until(at("2026-04-01T00:00:00Z")).await;
    assert_eq!(rows(&path, "notes"), 2);
    desk.work_until(at("2026-04-05T00:00:00Z")).await;
    assert_eq!(rows(&path, "notes"), 1);
    // The first invoice after ten years, and what it hangs on with the last.
    desk.work_until(at("2027-12-31T12:00:00Z")).await;
    assert_eq!(rows(&path, "invoices"), 3);
    desk.work_until(at("2028-01-03T00:00:00Z")).await;
    assert_eq!((rows(&path, "people"), rows(&path, "invoices")), (2, 2));
    assert!(desk.is_open(request).await);
    desk.work_until(at("2029-01-03T00:00:00Z")).await;
    assert_eq!(
        (
            rows(&path, "people"),
            rows(&path, "invoices"),
            rows(&path, "notes")
        ),
        (1, 1, 1)
    );
    assert!(!desk.is_open(request).await);
}

#[tokio::test]
async fn what_was_held_goes_at_once_when_somebody_says_that_it_is_lifted() {
    held_and_lifted(true).await;
}

#[tokio::test]
async fn what_was_held_goes_by_itself_when_the_hold_is_lifted() {
    held_and_lifted(false).await;
}

async fn held_and_lifted(told_at_once: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT);
             INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org');",
        )
        .unwrap();
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let map = DataMap::new()
        .table("people", Table::people().column("mail", mail))
        .exempt_columns("*", ["id"], "a number of ours");
    let desk = desk(&path, &map, &["litigation"]).await;
    let who = [Identifier::mail("ada@example.org").unwrap()];
    let hold = Hold::on_person("file 7", Ground::new("litigation"), who);
    desk.source
        .place_hold(&context("hold"), &hold)
        .await
        .unwrap();
    let request = desk.erase("ada@example.org").await;
    desk.work_until(at("2027-01-01T00:00:00Z")).await;
    assert_eq!(rows(&path, "people"), 2);
    assert!(desk.is_open(request).await);

    // The engine asks again, and the hold is asked again: nothing goes while it is in force.
    let (acme, alice) = (desk.world.acme.clone(), staff("alice"));
    let told = desk.engine.holds_lifted(&acme, &alice, None, 10);
    assert_eq!(told.await.unwrap(), (vec![request], None));
    desk.work().await;
    assert_eq!(rows(&path, "people"), 2);
    assert!(desk.is_open(request).await);

    desk.source
        .lift_hold(&context("lift"), "file 7")
        .await
        .unwrap();
    if told_at_once {
        let told = desk.engine.holds_lifted(&acme, &alice, None, 10);
        assert_eq!(told.await.unwrap(), (vec![request], None));
        desk.work().await;
    } else {
        // Nobody says so: the next look finds out.
        desk.work().await;
        assert_eq!(rows(&path, "people"), 2);
        desk.work_until(desk.world.now() + TimeDelta::days(7)).await;
    }
    assert_eq!(rows(&path, "people"), 1);
    assert!(!desk.is_open(request).await);
    let told = desk.engine.holds_lifted(&acme, &alice, None, 10);
    assert_eq!(told.await.unwrap(), (vec![], None));
}

#[tokio::test]
async fn what_a_condition_kept_goes_when_it_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    let connection = Connection::open(&path).unwrap();
    let made = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT);
                CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people);
                CREATE TABLE claims (id INTEGER PRIMARY KEY, about INTEGER, state TEXT);
                INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org');
                INSERT INTO orders VALUES (1, 1), (2, 1), (3, 2);
                INSERT INTO claims VALUES (1, 1, 'open'), (2, 2, 'closed');";
    connection.execute_batch(made).unwrap();
    let map = DataMap::from_toml(
        r#"
        schema = 1
        [tables.people]
        person = true
        columns.mail = { category = "contact", identifiers = ["mail"] }
        [tables.orders]
        links.person = { columns = ["person"], to = { rows = { table = "people" } } }
        kept_while = [{ of = { table = "claims", link = "about" }, column = "state", equals = "open", ground = "legal_claims" }]
        [tables.claims]
        links.about = { columns = ["about"], to = { rows = { table = "orders" } } }
        columns.state = { category = "financial" }
        [[exempt]]
        table = "*"
        columns = ["id"]
        reason = "numbers"
        "#,
    )
    .unwrap();
    let desk = desk(&path, &map, &["legal_claims"]).await;
    let request = desk.erase("ada@example.org").await;
    let counts = || {
        (
            rows(&path, "people"),
            rows(&path, "orders"),
            rows(&path, "claims"),
        )
    };
    assert_eq!(counts(), (2, 2, 1));
    // As long as it is open, looks change nothing.
    desk.work_until(desk.world.now() + TimeDelta::days(30))
        .await;
    assert_eq!(counts(), (2, 2, 1));
    let close = "UPDATE claims SET state = 'closed'";
    connection.execute(close, []).unwrap();
    desk.work_until(desk.world.now() + TimeDelta::days(7)).await;
    assert_eq!(counts(), (1, 1, 0));
    desk.work_until(desk.world.now() + TimeDelta::days(60))
        .await;
    assert!(!desk.is_open(request).await);
}

#[tokio::test]
async fn an_answer_says_how_deep_was_searched() {
    let mail = || Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let map = DataMap::new()
        .table("people", Table::people().column("mail", mail()))
        .exempt("jobs", "empty between two runs")
        .exempt_columns("*", ["id"], "a number of ours");
    for (by_value, left) in [(false, None), (true, Some("jobs.payload"))] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.sqlite");
        let connection = Connection::open(&path).unwrap();
        let made = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT);
                    CREATE TABLE jobs (payload TEXT);
                    INSERT INTO people VALUES (1, 'ada@example.org');
                    INSERT INTO jobs VALUES ('to: Ada@Example.org');";
        connection.execute_batch(made).unwrap();
        let mut options = options();
        options.by_value = by_value;
        let desk = desk_with(&path, &map, &[], options).await;
        let request = desk.erase("ada@example.org").await;
        let seen = desk.seen(request).await;
        let work = seen.fulfilment.as_ref().unwrap();
        let missing: Vec<_> = work.missing().map(|(_, rows)| rows).collect();
        let places: Vec<_> = missing.iter().map(|m| m.collection.as_deref()).collect();
        assert_eq!(places, left.into_iter().map(Some).collect::<Vec<_>>());
        assert!(missing.iter().all(|m| m.failure == Failure::Residue));
        let (depth, outcome) = match by_value {
            true => (SearchDepth::ByValue, Outcome::Partly),
            false => (SearchDepth::ByPath, Outcome::Done),
        };
        assert_eq!(work.search_depth(), Some(depth));
        assert_eq!(work.outcome, Some(outcome));

        // Once nothing is left, the request that asks again is through.
        connection.execute("DELETE FROM jobs", []).unwrap();
        if by_value {
            desk.command(request, "alice", lifecycle::Command::Rework)
                .await;
            desk.work().await;
            let seen = desk.seen(request).await;
            let work = seen.fulfilment.unwrap();
            assert_eq!(work.outcome, Some(Outcome::Done));
            assert_eq!(work.search_depth(), Some(SearchDepth::ByValue));
        }
    }
}
