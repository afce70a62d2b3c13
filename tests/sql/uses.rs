//! Restrictions and uses that end, on all three databases: what the map names is set, requests do
//! not lift each other's restrictions, and what ended stays ended for whoever comes back.

use std::sync::Arc;

use async_trait::async_trait;
use datarights::adapters::{SqlPool, SqlSource};
use datarights::datamap::{Column, DataMap, Link, Table};
use datarights::model::{
    Category, ControllerId, Failure, Identifier, IdentifierKind, RequestId, RowCount, Use,
};
use datarights::ports::{Answer, CallContext, PersonalDataSource};
use datarights::testkit::source_suite::{Oracle, OracleRow, Specimen, Whose, assert_conforms};

use crate::trouble::{Fresh, fetch, run};
use crate::{clock, context, locate, options};

const SCHEMA: [&str; 7] = [
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, mail VARCHAR(80), state VARCHAR(9), news BOOLEAN NOT NULL)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, client INTEGER, FOREIGN KEY (client) REFERENCES clients (id))",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, mail VARCHAR(80), blocked BOOLEAN)",
    "INSERT INTO clients VALUES (1, 'Émile@example.org', 'new', TRUE), (2, 'george@example.org', NULL, TRUE)",
    "INSERT INTO clients VALUES (3, 'émile@example.org', NULL, FALSE)",
    "INSERT INTO orders VALUES (1, 1), (2, 2), (3, 1)",
    "INSERT INTO visits VALUES (1, 'émile@example.org', NULL), (2, 'george@example.org', NULL)",
];
const HIM: &str = "émile@example.org";
const HER: &str = "george@example.org";

/// Visits can be restricted, or cannot.
fn map(visits: Table) -> DataMap {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    DataMap::new()
        .table(
            "clients",
            Table::people()
                .column("mail", mail)
                .restricted_by("state", "blocked")
                .ending(Use::DirectMarketing, "news", false),
        )
        .table(
            "orders",
            Table::new().link("client", Link::rows(["client"], "clients")),
        )
        .table(
            "visits",
            visits
                .link("mail", Link::identifier("mail", IdentifierKind::Mail))
                .column("mail", Column::of(Category::Contact)),
        )
        .exempt_columns("visits", ["blocked"], "a mark of ours")
        .exempt_columns("*", ["id"], "a number of ours")
        .never_used_for(Use::SaleOrSharing)
}

async fn shop(fresh: Fresh<'_>, visits: Table) -> (SqlPool, Arc<SqlSource>) {
    let pool = fresh().await;
    for statement in SCHEMA {
        run(&pool, statement).await;
    }
    let map = map(visits);
    assert_eq!(DataMap::from_toml(&map.to_toml().unwrap()).unwrap(), map);
    let source = SqlSource::open(pool.clone(), &map, clock(), options()).await;
    let source = source.unwrap_or_else(|error| panic!("{error}"));
    (pool, Arc::new(source))
}

async fn states(pool: &SqlPool) -> Vec<String> {
    fetch(pool, "SELECT coalesce(state, '-') FROM clients ORDER BY id").await
}

fn by(request: u128, key: &str) -> CallContext {
    let mut context = context(key);
    context.request = RequestId::new(uuid::Uuid::from_u128(request));
    context
}

async fn restrictions(fresh: Fresh<'_>) {
    let (pool, source) = shop(fresh, Table::new()).await;
    let him = locate(&*source, HIM).await.locators;
    let restrict = async |request, key: &str, on| {
        let answer = source.restrict(&by(request, key), &him, on).await;
        answer.unwrap_or_else(|error| panic!("{error}"))
    };
    let Answer::Partly { done, missing } = restrict(1, "a", true).await else {
        panic!("visits cannot be restricted");
    };
    let counts = [RowCount::new("clients", 2), RowCount::new("orders", 2)];
    assert_eq!(done, counts);
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].collection.as_deref(), Some("visits"));
    assert_eq!(
        (missing[0].rows, &missing[0].failure),
        (Some(1), &Failure::Unsupported)
    );
    assert_eq!(states(&pool).await, ["blocked", "-", "blocked"]);
    // Another request, and the first once more.
    restrict(2, "b", true).await;
    restrict(1, "a", true).await;
    restrict(1, "c", false).await;
    assert_eq!(states(&pool).await, ["blocked", "-", "blocked"]);
    // What the host wrote there meanwhile is not taken back.
    run(&pool, "UPDATE clients SET state = 'left' WHERE id = 3").await;
    restrict(2, "d", false).await;
    assert_eq!(states(&pool).await, ["new", "-", "left"]);
    // The keys of rows that go are forgotten.
    restrict(3, "e", true).await;
    crate::erase(&*source, HIM).await;
    let noted = fetch(&pool, "SELECT row_key FROM datarights_restrictions").await;
    assert_eq!(noted, [""; 0]);
}

async fn ends(fresh: Fresh<'_>) {
    let (pool, source) = shop(fresh, Table::new()).await;
    let host = context("").controller;
    let him = [Identifier::mail(HIM).unwrap()];
    let stopped = |key: &'static str, uses: Vec<Use>| {
        let (source, him) = (Arc::clone(&source), him.clone());
        async move { source.stop(&context(key), &him, &uses).await.unwrap() }
    };
    let Answer::Done(first) = stopped("a", vec![Use::DirectMarketing]).await else {
        panic!("the map tells of it");
    };
    assert_eq!(first.rows, [RowCount::new("clients", 2)]);
    assert!(!first.identifiers.is_empty());
    assert_eq!(
        stopped("a", vec![Use::DirectMarketing]).await,
        Answer::Done(first)
    );
    let news = fetch(
        &pool,
        "SELECT CASE WHEN news THEN 'yes' ELSE 'no' END FROM clients ORDER BY id",
    )
    .await;
    assert_eq!(news, ["no", "yes", "no"]);
    let Answer::Done(never) = stopped("b", vec![Use::SaleOrSharing]).await else {
        panic!("it never happens");
    };
    assert_eq!(never.rows, []);
    assert_eq!(stopped("c", vec![Use::Consent]).await, Answer::Unsupported);
    let both = stopped("d", vec![Use::Consent, Use::DirectMarketing]).await;
    assert!(matches!(both, Answer::Partly { .. }));
    crate::erase(&*source, HIM).await;
    let her = Identifier::mail(HER).unwrap();
    let ask = async |host: &ControllerId, who: &Identifier| {
        source
            .is_stopped(host, who, &Use::DirectMarketing)
            .await
            .unwrap()
    };
    assert!(ask(&host, &Identifier::mail("ÉMILE@example.org").unwrap()).await);
    assert!(!ask(&host, &her).await);
    assert!(!ask(&ControllerId::new("neighbour").unwrap(), &him[0]).await);
    // The list names nobody.
    let list = fetch(&pool, "SELECT form FROM datarights_stops").await;
    assert!(!list.is_empty() && list.iter().all(|form| !form.contains('@')));
}

struct Looks {
    pool: SqlPool,
    source: Arc<SqlSource>,
}

#[async_trait]
impl Oracle for Looks {
    async fn rows(&self, whose: Whose) -> Vec<OracleRow> {
        let (clients, orders, visits) = match whose {
            Whose::Person => ("id <> 2", "client = 1", "id = 1"),
            Whose::Others => ("id = 2", "client = 2", "id = 2"),
        };
        let mut all = Vec::new();
        for (table, columns, condition) in [
            (
                "clients",
                "id, mail, state, CASE WHEN news THEN 'y' ELSE 'n' END",
                clients,
            ),
            ("orders", "id, client", orders),
            (
                "visits",
                "id, mail, CASE WHEN blocked THEN 'y' ELSE 'n' END",
                visits,
            ),
        ] {
            let sql = format!("SELECT concat_ws('|', {columns}) FROM {table} WHERE {condition}");
            let rows = fetch(&self.pool, &sql).await;
            all.extend(rows.into_iter().map(|row| OracleRow::new(table, row)));
        }
        all
    }

    async fn lose(&self, _: &str) -> bool {
        false
    }

    async fn is_used(&self, by: &ControllerId, who: &Identifier, what: &Use) -> Option<bool> {
        if *what != Use::DirectMarketing {
            return None;
        }
        Some(!self.source.is_stopped(by, who, what).await.unwrap())
    }
}

async fn the_contract(fresh: Fresh<'_>) {
    assert_conforms(async || {
        let visits = Table::new().restricted_by("blocked", true);
        let (pool, source) = shop(fresh, visits).await;
        let oracle = Arc::new(Looks {
            pool,
            source: Arc::clone(&source),
        });
        let mail = |address: &str| vec![Identifier::mail(address).unwrap()];
        Specimen::new(source, oracle, mail(HIM), mail(HER))
    })
    .await;
}

crate::trouble::everywhere!(restrictions, ends, the_contract);
