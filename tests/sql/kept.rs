//! What is kept, row by row, on all three engines: by a duty from the row's own date or from the
//! last contact, by a condition on another row, by a legal hold, and hidden rows until they go.

use std::sync::Arc;

use datarights::adapters::{Hold, SqlSource};
use datarights::datamap::{Column, DataMap, KeptWhile, Link, Retention, Strategy, Table};
use datarights::model::{Category, Ground, Identifier, IdentifierKind, Until};
use datarights::ports::{Erased, PersonalDataSource, Work};
use datarights::testkit::TestClock;

use crate::engines::{Place, everywhere};
use crate::{context, done, erase, locate, options};

fn people() -> Table {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    Table::people().column("mail", mail)
}

fn by_person() -> Link {
    Link::rows(["person"], "people")
}

fn map() -> DataMap {
    DataMap::new().exempt_columns("*", ["id"], "a number of ours")
}

/// What was kept: collection, rows, ground, until.
fn kept(erased: &Erased) -> Vec<String> {
    let mut kept: Vec<String> = erased
        .withheld
        .iter()
        .map(|k| {
            let until = match k.until {
                Until::Date(day) => day.to_string(),
                until => format!("{until:?}"),
            };
            format!("{} {} {} {until}", k.collection, k.rows, k.ground.id())
        })
        .collect();
    kept.sort();
    kept
}

/// Three years after the last contact, which stands in another table.
#[tokio::test]
async fn three_years_after_the_last_contact() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), made DATE)",
                "CREATE TABLE letters (id INTEGER PRIMARY KEY, kind VARCHAR(9), person INTEGER, sent TIMESTAMP NULL)",
                // 1 wrote last in 2024, 2 in 2019, 3 never and came in 2026, 4 never and in 2001; of 5
                // nobody knows anything. What we sent is no contact that came from the person.
                "INSERT INTO people VALUES (1, '1@example.org', '2001-01-01'), (2, '2@example.org', '2001-01-01'),
                   (3, '3@example.org', '2026-01-01'), (4, '4@example.org', '2001-01-01'), (5, '5@example.org', NULL)",
                "INSERT INTO letters VALUES (1, 'in', 1, '2019-05-05 10:00:00'), (2, 'in', 1, '2024-02-29 23:59:59'),
                   (3, 'in', 2, '2019-05-05 10:00:00'), (4, 'out', 2, '2026-05-05 10:00:00')",
            ])
            .await;
        let contact = Retention::new("sent", "fr_prospect".into())
            .latest_of("letters", "from")
            .or("made");
        let map = map()
            .table("people", people().retained(contact).column("made", Column::default()))
            .table(
                "letters",
                Table::new()
                    .link("from", by_person().when("kind", "in"))
                    .link("to", by_person().when("kind", "out"))
                    .column("sent", Column::default()),
            );
        let source = place.open(&map).await;
        let mut told = Vec::new();
        for person in 1..=5 {
            let erased = erase(&source, &format!("{person}@example.org")).await;
            told.push(kept(&erased));
        }
        let expected: [&[&str]; 5] = [
            &["letters 1 fr_prospect 2027-02-28", "people 1 fr_prospect 2027-02-28"],
            &[],
            &["people 1 fr_prospect 2029-01-01"],
            &[],
            &["people 1 fr_prospect Always"],
        ];
        assert_eq!(told, expected, "{}", place.name);
        assert_eq!(place.rows("people", "id").await, ["1", "3", "5"]);
        // The letter that tells how long stays as long; all others go.
        assert_eq!(place.rows("letters", "id").await, ["2"], "{}", place.name);
    })
    .await;
}

/// Ten years from the close of the financial year in which the invoice was written.
#[tokio::test]
async fn ten_years_from_the_close_of_the_financial_year() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE invoices (id INTEGER PRIMARY KEY, person INTEGER, invoice_date DATE)",
                "INSERT INTO people VALUES (1, '1@example.org')",
                "INSERT INTO invoices VALUES (1, 1, '2016-03-31'), (2, 1, '2016-04-01'), (3, 1, '2026-11-01')",
            ])
            .await;
        let books = Retention::new("invoice_date", "fr_com_l123_22".into()).year_closing("03-31");
        let invoices = Table::new()
            .link("person", by_person())
            .retained(books)
            .column("invoice_date", Column::default());
        let map = map().table("people", people()).table("invoices", invoices);
        let erased = erase(&place.open(&map).await, "1@example.org").await;
        assert_eq!(
            kept(&erased),
            [
                "invoices 1 fr_com_l123_22 2027-03-31",
                "invoices 1 fr_com_l123_22 2037-03-31",
                "people 1 fr_com_l123_22 2037-03-31",
            ],
            "{}",
            place.name
        );
        assert_eq!(place.rows("invoices", "id").await, ["2", "3"]);
    })
    .await;
}

/// An order stays while a claim about it is open, and a subscription while it is running.
#[tokio::test]
async fn while_a_condition_holds() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, running BOOLEAN)",
                "CREATE TABLE claims (id INTEGER PRIMARY KEY, about INTEGER, state VARCHAR(9))",
                "INSERT INTO people VALUES (1, '1@example.org')",
                "INSERT INTO orders VALUES (1, 1, FALSE), (2, 1, FALSE), (3, 1, TRUE)",
                "INSERT INTO claims VALUES (1, 1, 'closed'), (2, 1, 'open'), (3, 2, 'closed')",
            ])
            .await;
        let open = KeptWhile::new("state", "open", Ground::new("legal_claims"));
        let running = KeptWhile::new("running", true, Ground::new("contract"));
        let map = map()
            .table("people", people())
            .table(
                "orders",
                Table::new()
                    .link("person", by_person())
                    .kept_while(open.any_of("claims", "about"))
                    .kept_while(running)
                    .column("running", Column::default()),
            )
            .table(
                "claims",
                Table::new()
                    .link("about", Link::rows(["about"], "orders"))
                    .column("state", Column::default()),
            );
        let source = place.open(&map).await;
        let first = erase(&source, "1@example.org").await;
        assert_eq!(
            kept(&first),
            [
                "claims 1 legal_claims HoldLifted",
                "orders 1 contract HoldLifted",
                "orders 1 legal_claims HoldLifted",
                "people 1 legal_claims HoldLifted",
            ],
            "{}",
            place.name
        );
        assert_eq!(place.rows("orders", "id").await, ["1", "3"]);
        assert_eq!(place.rows("claims", "id").await, ["2"]);
        place
            .run(&[
                "UPDATE claims SET state = 'closed'",
                "UPDATE orders SET running = FALSE",
            ])
            .await;
        let found = locate(&source, "1@example.org").await;
        let again = erase_as(&source, "again", &found.locators).await;
        assert_eq!(kept(&again), [""; 0], "{}", place.name);
        assert_eq!(place.rows("people", "id").await, [""; 0]);
    })
    .await;
}

async fn erase_as(
    source: &SqlSource,
    key: &str,
    locators: &[datarights::ports::Locator],
) -> Erased {
    let plan = source.plan(&context("p"), locators, &Work::Erase).await;
    let plan = done(plan.unwrap());
    done(source.erase(&context(key), locators, &plan).await.unwrap())
}

const DESK: [&str; 5] = [
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), name VARCHAR(80))",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, by_whom INTEGER, body VARCHAR(80))",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, person INTEGER)",
    "INSERT INTO people VALUES (1, '1@example.org', 'a'), (2, '2@example.org', 'b')",
    "INSERT INTO notes VALUES (1, 1, 2, 'x'), (2, 1, 2, 'y'), (3, 2, 1, 'ask 1@example.org'), (4, 2, 2, 'z')",
];

fn desk() -> DataMap {
    let mention = Link::rows(["by_whom"], "people")
        .mentioned(Ground::new("rights_of_others"))
        .erasing("by_whom", Strategy::Null);
    map()
        .table("people", people().column("name", Column::default()))
        .table(
            "notes",
            Table::new()
                .link("person", by_person())
                .link("by", mention)
                .column("body", Column::of(Category::Correspondence).free_text()),
        )
        .table("calls", Table::new().link("person", by_person()))
}

async fn desk_at(place: &Place) -> SqlSource {
    place.run(&DESK).await;
    place
        .run(&["INSERT INTO calls VALUES (1, 1), (2, 2)"])
        .await;
    place.open(&desk()).await
}

#[tokio::test]
async fn a_hold_on_a_person_stops_everything_until_it_is_lifted() {
    everywhere(async |place| {
        let source = desk_at(place).await;
        let who = [Identifier::mail("1@example.org").unwrap()];
        let nobody = [Identifier::mail("0@example.org").unwrap()];
        let ground = || Ground::new("litigation");
        let refused = source
            .place_hold(&context("h"), &Hold::on_person("none", ground(), nobody))
            .await;
        assert_eq!(
            refused.unwrap_err().to_string(),
            "nobody_found at datarights_holds"
        );
        let hold = Hold::on_person("file 7", ground(), who);
        source.place_hold(&context("h"), &hold).await.unwrap();
        assert_eq!(
            source.holds(&context("h")).await.unwrap(),
            [("file 7".to_owned(), ground())]
        );
        let erased = erase(&source, "1@example.org").await;
        assert_eq!(erased.rows, [], "{}", place.name);
        assert_eq!(
            kept(&erased),
            [
                "calls 1 litigation HoldLifted",
                "notes 2 litigation HoldLifted",
                "notes.body 1 litigation HoldLifted",
                "notes.by 1 litigation HoldLifted",
                "people 1 litigation HoldLifted",
            ],
            "{}",
            place.name
        );
        // It outlasts a changed address.
        place
            .run(&["UPDATE people SET mail = 'new@example.org' WHERE id = 1"])
            .await;
        assert_eq!(erase(&source, "new@example.org").await.rows, []);
        // What is held names others, and refers to them.
        let other = erase(&source, "2@example.org").await;
        assert_eq!(
            kept(&other),
            [
                "notes 1 litigation HoldLifted",
                "notes.by 2 litigation HoldLifted",
                "people 1 litigation HoldLifted",
            ],
            "{}",
            place.name
        );
        assert_eq!(place.rows("notes", "id").await, ["1", "2", "3"]);

        assert!(source.lift_hold(&context("h"), "file 7").await.unwrap());
        assert!(!source.lift_hold(&context("h"), "file 7").await.unwrap());
        let found = locate(&source, "new@example.org").await;
        let erased = erase_as(&source, "lifted", &found.locators).await;
        assert!(erased.withheld.is_empty());
        assert_eq!(place.rows("people", "id").await, ["2"]);
    })
    .await;
}

#[tokio::test]
async fn a_hold_on_a_table_or_on_rows_keeps_those() {
    everywhere(async |place| {
        let source = desk_at(place).await;
        let ground = || Ground::new("litigation");
        for wrong in [
            Hold::on_table("a", ground(), "no such"),
            Hold::on_rows(
                "b",
                ground(),
                "notes",
                [vec!["1".to_owned(), "2".to_owned()]],
            ),
            Hold::on_rows("c", ground(), "notes", []),
            Hold::on_table("", ground(), "notes"),
        ] {
            let refused = source.place_hold(&context("h"), &wrong).await;
            assert!(refused.is_err(), "{wrong:?}");
        }
        let rows = Hold::on_rows(
            "rows",
            ground(),
            "notes",
            [vec!["2".to_owned()], vec!["4".to_owned()]],
        );
        source.place_hold(&context("h"), &rows).await.unwrap();
        let erased = erase(&source, "1@example.org").await;
        assert_eq!(
            kept(&erased),
            [
                "notes 1 litigation HoldLifted",
                "people 1 litigation HoldLifted",
            ],
            "{}",
            place.name
        );
        assert_eq!(place.rows("notes", "id").await, ["2", "3", "4"]);
        let other = place.rows("notes", "by_whom, body").await;
        assert!(other.contains(&"-|ask [removed]".to_owned()), "{other:?}");
        let table = Hold::on_table("rows", ground(), "calls");
        source.place_hold(&context("h"), &table).await.unwrap();
        let found = locate(&source, "1@example.org").await;
        let erased = erase_as(&source, "again", &found.locators).await;
        assert_eq!(
            kept(&erased),
            [""; 0],
            "the hold of that name is another one now"
        );
        let other = erase(&source, "2@example.org").await;
        assert_eq!(
            kept(&other),
            [
                "calls 1 litigation HoldLifted",
                "people 1 litigation HoldLifted"
            ],
            "{}",
            place.name
        );
    })
    .await;
}

/// Hidden first, deleted for good when the days are over; meanwhile it can be brought back.
#[tokio::test]
async fn hidden_rows_come_back_or_go_for_good() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), deleted_at TIMESTAMP NULL)",
                "CREATE TABLE logins (id INTEGER PRIMARY KEY, person INTEGER)",
                "INSERT INTO people VALUES (1, '1@example.org', NULL), (2, '2@example.org', '2026-10-20 00:00:00'),
                   (3, '3@example.org', '2026-11-20 00:00:00'), (4, '4@example.org', NULL)",
                "INSERT INTO logins VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
            ])
            .await;
        let map = map()
            .table("people", people().soft_deleted("deleted_at", 30))
            .table("logins", Table::new().link("person", by_person()));
        let source = place.open(&map).await;
        let mut told = Vec::new();
        for person in 1..=3 {
            told.extend(kept(&erase(&source, &format!("{person}@example.org")).await));
        }
        assert_eq!(
            told,
            ["people 1 restorable 2026-12-22", "people 1 restorable 2026-12-20"],
            "{}",
            place.name
        );
        assert_eq!(place.rows("logins", "id").await, ["4"]);
        let hidden = place.rows("people", "id, deleted_at").await;
        assert_eq!(hidden.len(), 3);
        assert!(hidden[0].starts_with("1|2026-11-22 09:00:00"), "{hidden:?}");
        assert_eq!(hidden[2], "4|-");

        let found = locate(&source, "1@example.org").await;
        let restored = source.restore(&context("restore"), &found.locators).await;
        assert_eq!(restored.unwrap()[0].rows, 1);
        let again = source.restore(&context("restore"), &found.locators).await;
        assert_eq!(again.unwrap()[0].rows, 1, "the same effect answers the same");
        assert_eq!(place.rows("people", "id, deleted_at").await[0], "1|-");

        // What is under a hold is not hidden either.
        let who = [Identifier::mail("4@example.org").unwrap()];
        let hold = Hold::on_person("file", Ground::new("litigation"), who);
        source.place_hold(&context("h"), &hold).await.unwrap();
        assert_eq!(
            kept(&erase(&source, "4@example.org").await),
            [
                "logins 1 litigation HoldLifted",
                "people 1 litigation HoldLifted"
            ]
        );
        assert_eq!(place.rows("people", "id, deleted_at").await[2], "4|-");

        // The third goes for good on the day after.
        let found = locate(&source, "3@example.org").await;
        let later = Arc::new(TestClock::at("2026-12-21T00:00:00Z".parse().unwrap()));
        let source = SqlSource::open(place.pool.clone(), &map, later, options())
            .await
            .unwrap();
        let erased = erase_as(&source, "later", &found.locators).await;
        assert_eq!(kept(&erased), [""; 0]);
        assert_eq!(place.rows("people", "id").await, ["1", "4"]);
    })
    .await;
}
