//! What need not be kept of a kept row goes at once, on all three databases: beside what the cells
//! must hold afterwards.

use std::sync::Arc;

use datarights::adapters::{Hold, SqlFault, SqlSource, SqlSourceOptions};
use datarights::datamap::DataMap;
use datarights::model::{Assurance, Ground, Identifier};
use datarights::ports::{Erased, Located, PersonalDataSource, PlannedAction, Work};
use datarights::testkit::TestClock;

use crate::engines::{Place, everywhere};
use crate::{context, done, locate, options};

const MAIL: &str = "ada@example.org";

const SCHEMA: [&str; 9] = [
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, mail VARCHAR(80) NOT NULL UNIQUE, full_name VARCHAR(80) NOT NULL, \
     phone VARCHAR(40), born DATE, note VARCHAR(200), gone TIMESTAMP NULL)",
    "CREATE TABLE invoices (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts (id), day DATE, \
     billed_to VARCHAR(80), phone VARCHAR(40))",
    "CREATE TABLE drafts (id INTEGER PRIMARY KEY, account INTEGER, body VARCHAR(80), gone TIMESTAMP NULL)",
    "INSERT INTO accounts VALUES (1, 'ada@example.org', 'Ada Byron', '+49 30 5550101', '1980-05-17', 'nice', NULL)",
    "INSERT INTO accounts VALUES (2, 'bob@example.org', 'Bob Marsh', '+49 30 5550102', '1990-05-17', 'calm', NULL)",
    "INSERT INTO invoices VALUES (1, 1, '2010-03-01', 'Ada Byron', '1'), (2, 1, '2020-03-01', 'Ada Byron', '2')",
    "INSERT INTO invoices VALUES (3, 2, '2020-03-01', 'Bob Marsh', '3'), (4, 1, '2021-03-01', 'Ada Byron', NULL)",
    "INSERT INTO drafts VALUES (1, 1, 'of Ada', NULL)",
    "INSERT INTO drafts VALUES (2, 2, 'of Bob', NULL)",
];

/// As the last lines of the account say.
fn map(lines: &str) -> DataMap {
    let map = format!(
        r#"
        schema = 1
        [tables.accounts]
        person = true
        names = [["full_name"]]
        columns.mail = {{ category = "contact", identifiers = ["mail"], minimise = "pseudonym" }}
        columns.full_name = {{ category = "identity", minimise = {{ fixed = "(erased)" }} }}
        columns.phone = {{ category = "contact", identifiers = ["phone"], minimise = "null" }}
        columns.born = {{ category = "identity", minimise = {{ generalise = "year" }} }}
        columns.note = {{ category = "usage", minimise = "keep" }}
        {lines}
        [tables.invoices]
        links.account = {{ columns = ["account"], to = {{ rows = {{ table = "accounts" }} }} }}
        retention = {{ from = "day", rule = {{ named = "fr_com_l123_22" }} }}
        columns.day = {{ category = "financial" }}
        columns.billed_to = {{ category = "financial" }}
        columns.phone = {{ category = "contact", minimise = "null" }}
        [tables.drafts]
        links.account = {{ columns = ["account"], to = {{ rows = {{ table = "accounts" }} }} }}
        soft_delete = {{ column = "gone", days = 30 }}
        columns.body = {{ category = "usage", minimise = "null" }}
        [[exempt]]
        table = "*"
        columns = ["id", "gone"]
        reason = "of ours"
        "#
    );
    DataMap::from_toml(&map).unwrap()
}

async fn opened(place: &Place, now: &str, lines: &str, options: SqlSourceOptions) -> SqlSource {
    let clock = Arc::new(TestClock::at(now.parse().unwrap()));
    let source = SqlSource::open(place.pool.clone(), &map(lines), clock, options).await;
    source.unwrap_or_else(|error| panic!("{}: {error}", place.name))
}

async fn at(place: &Place, now: &str) -> SqlSource {
    opened(place, now, "", options()).await
}

/// Plans and erases; answers what was done, line by line.
async fn erased(source: &SqlSource, found: &Located, key: &str) -> (Erased, Vec<String>) {
    let planning = context("p");
    let plan = source.plan(&planning, &found.locators, &Work::Erase);
    let plan = done(plan.await.unwrap());
    let erased = source.erase(&context(key), &found.locators, &plan).await;
    let erased = done(erased.unwrap());
    let done_lines = |action: &PlannedAction| !matches!(action, PlannedAction::Withhold { .. });
    let planned = plan.rows.iter().filter(|line| done_lines(&line.action));
    let mut planned: Vec<String> = planned
        .map(|line| format!("{} {}", line.rows, line.collection))
        .collect();
    let rows = erased.rows.iter();
    let mut lines: Vec<String> = rows
        .map(|count| format!("{} {}", count.rows, count.collection))
        .collect();
    planned.sort();
    lines.sort();
    assert_eq!(planned, lines, "the plan said what was done");
    (erased, lines)
}

async fn left(source: &SqlSource, found: &Located) -> Vec<String> {
    let left = source.residue(&context("r"), &found.locators).await;
    let rows = done(left.unwrap()).rows;
    rows.iter()
        .map(|count| format!("{} {}", count.rows, count.collection))
        .collect()
}

async fn account(place: &Place) -> String {
    let rows = place
        .rows("accounts", "id, mail, full_name, phone, born, note")
        .await;
    rows[0].clone()
}

#[tokio::test]
async fn an_account_behind_an_invoice_is_emptied_at_once_and_goes_with_it() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        let source = at(place, "2026-11-22T09:00:00Z").await;
        let found = locate(&source, MAIL).await;
        let others = |rows: Vec<String>| -> Vec<String> {
            rows.into_iter()
                .filter(|row| row.starts_with(['2', '3']))
                .collect()
        };
        let columns = "id, mail, full_name, phone, born, note";
        let before = others(place.rows("accounts", columns).await);

        let (answer, lines) = erased(&source, &found, "e").await;
        assert_eq!(
            lines,
            [
                "1 accounts.born",
                "1 accounts.full_name",
                "1 accounts.mail",
                "1 accounts.phone",
                "1 invoices",
                "1 invoices.phone"
            ],
            "{}",
            place.name
        );
        assert_eq!(answer.assurance, Assurance::Anonymised);
        let row = account(place).await;
        let (first, rest) = row.split_at("1|anon-".len() + 32);
        assert!(first.starts_with("1|anon-"), "{}: {row}", place.name);
        assert_eq!(rest, "|(erased)|-|1980-01-01|nice", "{}", place.name);
        let invoices = place.rows("invoices", "id, billed_to, phone").await;
        assert_eq!(
            invoices,
            ["2|Ada Byron|-", "3|Bob Marsh|3", "4|Ada Byron|-"],
            "{}: what the duty needs stays",
            place.name
        );
        // What can be brought back is whole.
        assert_eq!(
            place.rows("drafts", "id, body").await,
            ["1|of Ada", "2|of Bob"]
        );
        assert_eq!(others(place.rows("accounts", columns).await), before);
        assert_eq!(left(&source, &found).await, [""; 0], "{}", place.name);

        // Nobody is found by what is gone; who asks again is told nothing is here.
        assert_eq!(locate(&source, MAIL).await.rows, [], "{}", place.name);
        // Asked for anew: there is nothing to do.
        assert_eq!(erased(&source, &found, "again").await.1, [""; 0]);

        // What comes back into a kept row is left, and goes with the next erasure.
        place
            .run(&["UPDATE accounts SET phone = '+49 30 5550101' WHERE id = 1"])
            .await;
        assert_eq!(
            left(&source, &found).await,
            ["1 accounts.phone"],
            "{}",
            place.name
        );
        assert_eq!(
            erased(&source, &found, "more").await.1,
            ["1 accounts.phone"]
        );

        // The first invoice's time is over, the second's is not; then it is, and the account goes.
        let source = at(place, "2031-06-01T00:00:00Z").await;
        assert_eq!(
            erased(&source, &found, "2031").await.1,
            ["1 drafts", "1 invoices"]
        );
        let source = at(place, "2032-06-01T00:00:00Z").await;
        let (answer, lines) = erased(&source, &found, "2032").await;
        assert_eq!(lines, ["1 accounts", "1 invoices"], "{}", place.name);
        assert_eq!(
            (answer.assurance, answer.withheld.len()),
            (Assurance::Deleted, 0)
        );
        assert_eq!(place.rows("accounts", "id").await, ["2"]);
        assert_eq!(place.rows("invoices", "id").await, ["3"]);
    })
    .await;
}

#[tokio::test]
async fn under_a_hold_nothing_is_emptied_before_it_is_lifted() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        let source = at(place, "2026-11-22T09:00:00Z").await;
        let found = locate(&source, MAIL).await;
        let before = account(place).await;
        let who = [Identifier::mail(MAIL).unwrap()];
        let ground = || Ground::new("litigation");
        let person = Hold::on_person("file 7", ground(), who);
        // On the invoices alone: what they refer to is evidence, too.
        let rows = ["2", "4"].map(|id| vec![id.to_owned()]);
        let invoices = Hold::on_rows("file 7", ground(), "invoices", rows);
        for (nth, hold) in [person, invoices].into_iter().enumerate() {
            source.place_hold(&context("h"), &hold).await.unwrap();
            let (_, lines) = erased(&source, &found, &format!("held {nth}")).await;
            let emptied = lines.iter().any(|line| line.contains('.'));
            assert!(!emptied, "{}: {lines:?}", place.name);
            assert_eq!(account(place).await, before, "{}", place.name);
            assert_eq!(left(&source, &found).await, [""; 0], "{}", place.name);
        }
        source.lift_hold(&context("l"), "file 7").await.unwrap();
        let (_, lines) = erased(&source, &found, "lifted").await;
        assert!(lines.contains(&"1 accounts.mail".to_owned()), "{lines:?}");
        assert_ne!(account(place).await, before, "{}", place.name);
    })
    .await;
}

#[tokio::test]
async fn chunk_by_chunk_the_same_is_emptied() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        for id in 10..30 {
            let row = format!("INSERT INTO invoices VALUES ({id}, 1, '2010-03-01', 'A', '{id}')");
            place.run(&[&row]).await;
        }
        let chunks = options().in_chunks_of(4.try_into().unwrap());
        let source = opened(place, "2026-11-22T09:00:00Z", "", chunks).await;
        let found = locate(&source, MAIL).await;
        let (_, lines) = erased(&source, &found, "e").await;
        assert!(
            lines.contains(&"21 invoices".to_owned()),
            "{}: {lines:?}",
            place.name
        );
        assert!(
            lines.contains(&"1 accounts.mail".to_owned()),
            "{}: {lines:?}",
            place.name
        );
        assert!(account(place).await.contains("|(erased)|-|1980-01-01|"));
        assert_eq!(left(&source, &found).await, [""; 0], "{}", place.name);
    })
    .await;
}

/// Found out when it is planned, whole and in chunks; nothing is written.
#[tokio::test]
async fn what_the_database_refuses_of_it_the_plan_says() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        place
            .run(&["CREATE TABLE guards (id INTEGER PRIMARY KEY)"])
            .await;
        let refusing = match place.name {
            "sqlite" => {
                "CREATE TRIGGER guard BEFORE UPDATE ON accounts WHEN new.full_name = '(erased)' \
                 BEGIN SELECT RAISE(ABORT, 'no'); END"
            }
            _ => "ALTER TABLE accounts ADD CONSTRAINT guard CHECK (full_name <> '(erased)')",
        };
        place.run(&[refusing, "DROP TABLE guards"]).await;
        for id in 10..20 {
            let row = format!("INSERT INTO invoices VALUES ({id}, 1, '2010-03-01', 'A', NULL)");
            place.run(&[&row]).await;
        }
        let before = account(place).await;
        for options in [options(), options().in_chunks_of(3.try_into().unwrap())] {
            let source = opened(place, "2026-11-22T09:00:00Z", "", options).await;
            let found = locate(&source, MAIL).await;
            let planning = context("p");
            let plan = source.plan(&planning, &found.locators, &Work::Erase);
            let error = plan.await.unwrap_err();
            let fault = SqlFault::of(&error).unwrap();
            let refused = matches!(fault, SqlFault::CheckViolation | SqlFault::TriggerRefused);
            assert!(refused, "{}: {error}", place.name);
            assert!(
                error.to_string().contains("accounts"),
                "{}: {error}",
                place.name
            );
            assert_eq!(account(place).await, before, "{}", place.name);
            assert_eq!(place.rows("invoices", "id").await.len(), 14);
        }
    })
    .await;
}
