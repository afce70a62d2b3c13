//! What need not be kept of a kept row goes at once, on all three databases: beside what the cells
//! must hold afterwards.

use std::sync::Arc;

use datarights::adapters::{Hold, SqlFault, SqlSource, SqlSourceOptions};
use datarights::datamap::DataMap;
use datarights::model::{Assurance, Ground, Identifier, Until};
use datarights::ports::{Erased, Located, PersonalDataSource, PlannedAction, Work};
use datarights::testkit::TestClock;

use crate::engines::{Place, everywhere};
use crate::{context, done, locate, options};

const MAIL: &str = "ada@example.org";

const SCHEMA: [&str; 8] = [
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, mail VARCHAR(80) NOT NULL UNIQUE, full_name VARCHAR(80) NOT NULL, \
     phone VARCHAR(40), born DATE, note VARCHAR(200), gone TIMESTAMP NULL)",
    "CREATE TABLE invoices (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts (id), day DATE, \
     billed_to VARCHAR(80), phone VARCHAR(40))",
    "CREATE TABLE drafts (id INTEGER PRIMARY KEY, account INTEGER, body VARCHAR(80), gone TIMESTAMP NULL)",
    "INSERT INTO accounts VALUES (1, 'ada@example.org', 'Ada Byron', '+49 30 5550101', '1980-05-17', 'nice', NULL)",
    "INSERT INTO accounts VALUES (2, 'bob@example.org', 'Bob Marsh', '+49 30 5550102', '1990-05-17', 'calm', NULL)",
    "INSERT INTO invoices VALUES (1, 1, '2010-03-01', 'Ada Byron', '1'), (2, 1, '2020-03-01', 'Ada Byron', '2')",
    "INSERT INTO invoices VALUES (3, 2, '2020-03-01', 'Bob Marsh', '3'), (4, 1, '2021-03-01', 'Ada Byron', NULL)",
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

/// Columns that stay as they are for now: which, why, until when.
fn spared(erased: &Erased) -> Vec<String> {
    let columns = erased.withheld.iter();
    let columns = columns.filter(|kept| kept.collection.contains('.'));
    let told = columns.map(|kept| {
        let until = match kept.until {
            Until::Date(day) => day.to_string(),
            other => format!("{other:?}"),
        };
        format!("{} {} {until}", kept.collection, kept.ground.id())
    });
    told.collect()
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
        assert_eq!(answer.assurance, Assurance::Deleted);
        assert_eq!(spared(&answer), [""; 0]);
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
        assert_eq!(erased(&source, &found, "2031").await.1, ["1 invoices"]);
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
            let (answer, lines) = erased(&source, &found, &format!("held {nth}")).await;
            let emptied = lines.iter().any(|line| line.contains('.'));
            assert!(!emptied, "{}: {lines:?}", place.name);
            assert!(
                spared(&answer).contains(&"accounts.mail litigation HoldLifted".to_owned()),
                "{}: {:?}",
                place.name,
                answer.withheld
            );
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

/// Whatever else keeps the row, and whoever else has a row under a hold.
#[tokio::test]
async fn a_hold_spares_what_it_is_on_and_nothing_else() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        let source = at(place, "2026-11-22T09:00:00Z").await;
        let (ada, bob) = (
            locate(&source, MAIL).await,
            locate(&source, "bob@example.org").await,
        );
        let rows = |table: &str, name: &str, ground: &str, id: &str| {
            let ground = Ground::new(ground.to_owned());
            Hold::on_rows(name, ground, table, [vec![id.to_owned()]])
        };
        // One on an invoice of Ada's that is kept for good, for it has no date; and then one of Bob's
        // in the same table.
        place
            .run(&["INSERT INTO invoices VALUES (9, 1, NULL, 'Ada Byron', '9')"])
            .await;
        for (name, id) in [("file 1", "9"), ("file 2", "3")] {
            let ground = if id == "9" { "audit" } else { "litigation" };
            let hold = rows("invoices", name, ground, id);
            source.place_hold(&context("h"), &hold).await.unwrap();
        }
        let before = account(place).await;
        let (answer, _) = erased(&source, &ada, "held").await;
        assert_eq!(account(place).await, before, "{}", place.name);
        assert!(spared(&answer).contains(&"accounts.mail audit HoldLifted".to_owned()));
        // Her other invoices are not under it.
        let invoices = place.rows("invoices", "id, phone").await;
        assert_eq!(invoices, ["2|-", "3|3", "4|-", "9|9"], "{}", place.name);
        // Bob's is, and so is his account.
        let (answer, lines) = erased(&source, &bob, "bob").await;
        assert_eq!(lines, [""; 0], "{}", place.name);
        assert!(spared(&answer).contains(&"invoices.phone litigation HoldLifted".to_owned()));
        // Lifted, hers is emptied, though Bob's still holds a row in the same table.
        source.lift_hold(&context("l"), "file 1").await.unwrap();
        let (answer, lines) = erased(&source, &ada, "lifted").await;
        assert!(
            lines.contains(&"1 accounts.mail".to_owned()),
            "{}: {lines:?}",
            place.name
        );
        assert!(
            answer
                .withheld
                .iter()
                .any(|kept| kept.until == Until::Always)
        );
        assert_eq!(
            place.rows("invoices", "id, phone").await,
            ["2|-", "3|3", "4|-", "9|-"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_hidden_account_is_emptied_when_it_cannot_be_brought_back_any_more() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        let hidden = r#"soft_delete = { column = "gone", days = 30 }"#;
        let source = opened(place, "2026-11-22T09:00:00Z", hidden, options()).await;
        let found = locate(&source, MAIL).await;
        let before = account(place).await;
        let (answer, _) = erased(&source, &found, "e").await;
        assert_eq!(account(place).await, before, "{}", place.name);
        // Somebody comes again on that day, and not only in ten years.
        assert!(spared(&answer).contains(&"accounts.mail restorable 2026-12-22".to_owned()));
        let source = opened(place, "2026-12-23T09:00:00Z", hidden, options()).await;
        let (answer, lines) = erased(&source, &found, "again").await;
        assert!(
            lines.contains(&"1 accounts.mail".to_owned()),
            "{}: {lines:?}",
            place.name
        );
        assert_eq!(spared(&answer), [""; 0]);
        assert_ne!(account(place).await, before, "{}", place.name);
    })
    .await;
}

/// By chance and in chunks; two columns that a check wants together.
#[tokio::test]
async fn columns_of_a_row_are_emptied_together() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80) UNIQUE, lat INTEGER, lon INTEGER, \
                 CHECK ((lat IS NULL) = (lon IS NULL)))",
                "CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, day DATE)",
                "INSERT INTO people VALUES (1, 'ada@example.org', 52, 13), (2, 'bob@example.org', 1, 2)",
                "INSERT INTO bills VALUES (1, 1, '2020-01-01')",
            ])
            .await;
        for id in 2..12 {
            place.run(&[&format!("INSERT INTO bills VALUES ({id}, 1, '2001-01-01')")]).await;
        }
        let map = DataMap::from_toml(
            r#"
            schema = 1
            [tables.people]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"], minimise = "random" }
            columns.lat = { category = "location", minimise = "null" }
            columns.lon = { category = "location", minimise = "null" }
            [tables.bills]
            links.person = { columns = ["person"], to = { rows = { table = "people" } } }
            retention = { from = "day", rule = { named = "fr_com_l123_22" } }
            columns.day = { category = "financial" }
            [[exempt]]
            table = "*"
            columns = ["id"]
            reason = "of ours"
            "#,
        )
        .unwrap();
        let chunks = options().in_chunks_of(3.try_into().unwrap());
        let source = place.open_with(&map, chunks).await;
        let found = locate(&source, MAIL).await;
        let (_, lines) = erased(&source, &found, "e").await;
        assert_eq!(
            lines,
            ["1 people.lat", "1 people.lon", "1 people.mail", "10 bills"],
            "{}",
            place.name
        );
        let people = place.rows("people", "id, lat, lon").await;
        assert_eq!(people, ["1|-|-", "2|1|2"], "{}", place.name);
        let mails = place.rows("people", "mail").await;
        assert!(!mails.contains(&MAIL.to_owned()) && mails.len() == 2, "{mails:?}");
        assert_eq!(left(&source, &found).await, [""; 0], "{}", place.name);
    })
    .await;
}

/// Who asks for an emptied account has no other's name.
#[tokio::test]
async fn what_an_erasure_wrote_names_nobody() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, account VARCHAR(80), full_name VARCHAR(80))",
                "CREATE TABLE letters (id INTEGER PRIMARY KEY, body VARCHAR(200))",
                "CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, day DATE)",
                "INSERT INTO people VALUES (1, 'ada-17-x', 'Ada Byron')",
                "INSERT INTO letters VALUES (1, 'To a Deleted User of ours')",
                "INSERT INTO bills VALUES (1, 1, '2020-01-01')",
            ])
            .await;
        let map = DataMap::from_toml(
            r#"
            schema = 1
            [tables.people]
            person = true
            names = [["full_name"]]
            columns.account = { category = "account", identifiers = ["account"] }
            columns.full_name = { category = "identity", minimise = { fixed = "Deleted User" } }
            [tables.letters]
            columns.body = { category = "correspondence", free_text = true }
            [tables.bills]
            links.person = { columns = ["person"], to = { rows = { table = "people" } } }
            retention = { from = "day", rule = { named = "fr_com_l123_22" } }
            columns.day = { category = "financial" }
            [[exempt]]
            table = "*"
            columns = ["id"]
            reason = "of ours"
            "#,
        )
        .unwrap();
        let source = place.open(&map).await;
        let who = [Identifier::account("ada-17-x").unwrap()];
        for key in ["once", "twice"] {
            let found = source.locate(&context("l"), &who).await;
            erased(&source, &done(found.unwrap()), key).await;
        }
        assert_eq!(
            place.rows("letters", "body").await,
            ["To a Deleted User of ours"],
            "{}",
            place.name
        );
        assert_eq!(place.rows("people", "full_name").await, ["Deleted User"]);
    })
    .await;
}

/// Whatever tables are called: with what can be brought back stays whole what it refers to.
#[tokio::test]
async fn what_a_hidden_row_refers_to_stays_whole_as_long() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        place
            .run(&[
                "INSERT INTO drafts VALUES (1, 1, 'of Ada', NULL)",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, account INTEGER, gone TIMESTAMP NULL)",
                "INSERT INTO notes VALUES (1, 2, NULL)",
            ])
            .await;
        let notes = r#"
            [tables.notes]
            links.account = { columns = ["account"], to = { rows = { table = "accounts" } } }
            soft_delete = { column = "gone", days = 20 }
        "#;
        for (mail, until) in [(MAIL, "2026-12-22"), ("bob@example.org", "2026-12-22")] {
            let source = opened(place, "2026-11-22T09:00:00Z", notes, options()).await;
            let found = locate(&source, mail).await;
            let columns = "id, mail, full_name, phone, born, note";
            let before = place.rows("accounts", columns).await;
            let (answer, _) = erased(&source, &found, mail).await;
            assert_eq!(
                place.rows("accounts", columns).await,
                before,
                "{}",
                place.name
            );
            let told = spared(&answer);
            let mine = format!("accounts.mail restorable {until}");
            assert!(told.contains(&mine), "{}: {told:?}", place.name);
            assert!(
                told.contains(&format!("drafts.body restorable {until}")),
                "{told:?}"
            );
            assert_eq!(
                place.rows("drafts", "id, body").await,
                ["1|of Ada", "2|of Bob"]
            );
            assert_eq!(left(&source, &found).await, [""; 0], "{}", place.name);
            let source = opened(place, "2026-12-23T09:00:00Z", notes, options()).await;
            let key = format!("{mail} again");
            let (answer, lines) = erased(&source, &found, &key).await;
            assert!(
                lines.contains(&"1 accounts.mail".to_owned()),
                "{}: {lines:?}",
                place.name
            );
            assert_eq!(spared(&answer), [""; 0]);
            if mail == MAIL {
                let next = "INSERT INTO drafts VALUES (1, 7, 'of Ada', NULL)";
                place.run(&[next]).await;
            }
        }
    })
    .await;
}
