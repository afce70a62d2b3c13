//! What an erasure keeps is restricted where the map says how, and free with its erasure: on all
//! three databases, beside what the cells must hold.

use std::sync::Arc;

use datarights::adapters::{Hold, SqlSource};
use datarights::datamap::DataMap;
use datarights::model::{Ground, Identifier, RequestId};
use datarights::ports::{CallContext, Erased, PersonalDataSource, PlannedAction, Work};
use datarights::testkit::TestClock;

use crate::engines::{Place, everywhere};
use crate::{context, done, locate, options};

const MAIL: &str = "ada@example.org";

const SCHEMA: [&str; 15] = [
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), state VARCHAR(9))",
    "CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, day DATE, state VARCHAR(9))",
    "CREATE TABLE items (id INTEGER PRIMARY KEY, bill INTEGER)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, gone TIMESTAMP NULL, state VARCHAR(9))",
    "CREATE TABLE cases (id INTEGER PRIMARY KEY, person INTEGER, state VARCHAR(9))",
    "CREATE TABLE cards (id INTEGER PRIMARY KEY, person INTEGER, name VARCHAR(9), state VARCHAR(9))",
    "CREATE TABLE loans (id INTEGER PRIMARY KEY, card INTEGER, is_open INTEGER)",
    "INSERT INTO people VALUES (1, 'ada@example.org', 'new'), (2, 'bob@example.org', 'new')",
    "INSERT INTO bills VALUES (1, 1, '2010-01-01', 'paid'), (2, 1, '2020-01-01', 'paid'), (3, 2, '2020-01-01', 'paid')",
    "INSERT INTO bills VALUES (4, 1, '2021-01-01', NULL)",
    "INSERT INTO items VALUES (1, 1), (2, 2), (3, 3)",
    "INSERT INTO notes VALUES (1, 1, NULL, 'new'), (2, 2, NULL, 'new')",
    "INSERT INTO cases VALUES (1, 1, 'open'), (2, 1, 'closed'), (3, 2, 'open')",
    "INSERT INTO cards VALUES (1, 1, 'Ada', 'in use'), (2, 1, 'Ada', 'in use'), (3, 2, 'Bob', 'in use')",
    "INSERT INTO loans VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1)",
];

fn map() -> DataMap {
    DataMap::from_toml(
        r#"
        schema = 1
        [tables.people]
        person = true
        columns.mail = { category = "contact", identifiers = ["mail"] }
        restrict = { column = "state", equals = "blocked" }
        [tables.bills]
        links.person = { columns = ["person"], to = { rows = { table = "people" } } }
        columns.day = { category = "financial" }
        retention = { from = "day", rule = { named = "fr_com_l123_22" } }
        restrict = { column = "state", equals = "blocked" }
        [tables.items]
        links.bill = { columns = ["bill"], to = { rows = { table = "bills" } } }
        kept_with = "bill"
        [tables.notes]
        links.person = { columns = ["person"], to = { rows = { table = "people" } } }
        soft_delete = { column = "gone", days = 30 }
        restrict = { column = "state", equals = "blocked" }
        [tables.cases]
        # Nothing marks it: it hangs on a person who is restricted.
        links.person = { columns = ["person"], to = { rows = { table = "people" } } }
        kept_while = [{ column = "state", equals = "open", ground = "legal_claims" }]
        [tables.cards]
        erase = "columns"
        links.person = { columns = ["person"], to = { rows = { table = "people" } } }
        restrict = { column = "state", equals = "blocked" }
        columns.person = { erase = "null" }
        columns.name = { category = "identity", erase = { fixed = "" } }
        [tables.loans]
        links.card = { columns = ["card"], to = { rows = { table = "cards" } } }
        kept_while = [{ column = "is_open", equals = 1, ground = "legal_claims" }]
        [[exempt]]
        table = "*"
        columns = ["id", "state", "gone", "is_open"]
        reason = "of ours"
        "#,
    )
    .unwrap()
}

async fn at(place: &Place, now: &str) -> SqlSource {
    let clock = Arc::new(TestClock::at(now.parse().unwrap()));
    let source = SqlSource::open(place.pool.clone(), &map(), clock, options()).await;
    source.unwrap_or_else(|error| panic!("{}: {error}", place.name))
}

fn by(request: u128, key: &str) -> CallContext {
    let mut context = context(key);
    context.request = RequestId::new(uuid::Uuid::from_u128(request));
    context
}

async fn erased(place: &Place, source: &SqlSource, key: &str) -> Erased {
    let found = locate(source, MAIL).await;
    let planning = by(7, "p");
    let plan = source.plan(&planning, &found.locators, &Work::Erase);
    let plan = plan
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", place.name));
    let plan = done(plan);
    let erased = source.erase(&by(7, key), &found.locators, &plan).await;
    let erased = done(erased.unwrap_or_else(|error| panic!("{}: {error}", place.name)));
    let planned = plan.rows.iter().filter_map(|line| match &line.action {
        PlannedAction::Withhold { restricted, .. } => {
            Some((line.collection.as_str(), line.rows, *restricted))
        }
        _ => None,
    });
    let told = erased.withheld.iter();
    let told = told.map(|kept| (kept.collection.as_str(), kept.rows, kept.restricted));
    assert!(
        planned.eq(told),
        "{}: the plan says what is restricted",
        place.name
    );
    let left = source.residue(&by(7, "r"), &found.locators).await;
    assert_eq!(done(left.unwrap()).rows, [], "{}", place.name);
    erased
}

fn restricted(erased: &Erased) -> Vec<String> {
    let line = |rows: &datarights::model::WithheldRows| {
        let how = if rows.restricted {
            "restricted"
        } else {
            "as they are"
        };
        format!("{} {} {how}", rows.rows, rows.collection)
    };
    let mut lines: Vec<String> = erased.withheld.iter().map(line).collect();
    lines.sort();
    lines.dedup();
    lines
}

#[tokio::test]
async fn kept_rows_are_restricted_until_they_go() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        let source = at(place, "2026-11-22T09:00:00Z").await;
        // Somebody else's request has one of them restricted already.
        place
            .run(&["UPDATE cards SET person = NULL WHERE id = 1"])
            .await;
        let found = locate(&source, MAIL).await;
        source
            .restrict(&by(9, "other"), &found.locators, true)
            .await
            .unwrap();
        place
            .run(&["UPDATE cards SET person = 1 WHERE id = 1"])
            .await;
        let first = erased(place, &source, "e1").await;
        assert_eq!(
            restricted(&first),
            [
                "1 bills restricted",
                "1 cases restricted",
                "1 items restricted",
                "1 notes as they are",
                "1 people restricted",
                "2 cards restricted",
                "2 loans restricted",
            ],
            "{}",
            place.name
        );
        let states = |table: &'static str| place.rows(table, "id, state");
        assert_eq!(states("people").await, ["1|blocked", "2|new"]);
        assert_eq!(states("bills").await, ["2|blocked", "3|paid", "4|blocked"]);
        assert_eq!(states("cases").await, ["1|open", "3|open"]);
        let cards = ["1|blocked", "2|blocked", "3|in use"];
        assert_eq!(states("cards").await, cards, "{}", place.name);
        // Looked at again, nothing changes.
        erased(place, &source, "e2").await;
        assert_eq!(states("bills").await, ["2|blocked", "3|paid", "4|blocked"]);
        assert_eq!(states("cards").await, cards);

        // Loans and cases are closed: what this request alone restricted is as it was.
        place
            .run(&[
                "UPDATE loans SET is_open = 0 WHERE card < 3",
                "UPDATE cases SET state = 'closed' WHERE person = 1",
            ])
            .await;
        erased(place, &source, "e3").await;
        assert_eq!(states("cards").await, ["1|in use", "2|blocked", "3|in use"]);
        assert_eq!(place.rows("cards", "id, name").await, ["1|", "2|", "3|Bob"]);
        assert_eq!(states("bills").await, ["2|blocked", "3|paid", "4|blocked"]);

        // When the last period is over, all of it goes, with the notes of its restriction.
        let later = at(place, "2033-01-02T09:00:00Z").await;
        let last = erased(place, &later, "e4").await;
        assert_eq!(restricted(&last), [""; 0]);
        assert_eq!(states("people").await, ["2|new"]);
        assert_eq!(states("bills").await, ["3|paid"]);
        assert_eq!(place.rows("items", "id").await, ["3"]);
        let noted = place.rows("datarights_restrictions", "collection").await;
        assert_eq!(noted, ["cards"], "that of the other request");
    })
    .await;
}

#[tokio::test]
async fn what_is_under_a_hold_is_not_even_restricted() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        let source = at(place, "2026-11-22T09:00:00Z").await;
        let who = [Identifier::mail(MAIL).unwrap()];
        let hold = Hold::on_person("file 7", Ground::new("litigation"), who);
        source.place_hold(&by(7, "h"), &hold).await.unwrap();
        let before = place.rows("people", "id, mail, state").await;
        let kept = erased(place, &source, "e").await;
        assert!(
            restricted(&kept)
                .iter()
                .all(|line| line.ends_with("as they are"))
        );
        assert_eq!(place.rows("people", "id, mail, state").await, before);
    })
    .await;
}
