//! The schema of a help desk that thousands run, with 600 people and 2,500 tickets, through
//! sources written by hand. What must be true afterwards is looked up in the original by SQL of
//! the tests' own, and compared cell by cell.
#![cfg(all(
    feature = "package",
    feature = "sqlite",
    feature = "testkit",
    feature = "tokio"
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod bench;
#[path = "../../examples/quickstart/db.rs"]
mod db;
mod oracle;
mod people;
mod source;
mod suite;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use datarights::model::{Correction, Identifier, Outcome, Personal, Right, Until, Wish};
use datarights::workflow::lifecycle::Phase;
use rusqlite::Connection;
use serde_json::Value as Json;

use bench::Bench;
use oracle::{Difference, Snapshot, leading_to, orphans, rows, text};
use people::{DMITRI, GIULIA, LEA, MALGORZATA, SOREN, Somebody};

fn correction(field: &str, value: &str) -> Correction {
    Correction {
        collection: "users".to_owned(),
        field: field.to_owned(),
        value: Personal::new(value.to_owned()),
    }
}

/// The rows of a collection in the package.
fn collection(package: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<Json> {
    let path = package
        .keys()
        .find(|path| path.ends_with(&format!("/{name}.json")));
    let Some(path) = path else { return Vec::new() };
    match serde_json::from_slice(&package[path]).unwrap() {
        Json::Array(rows) => rows,
        Json::Object(mut fields) => match fields.remove("rows") {
            Some(Json::Array(rows)) => rows,
            other => panic!("{path}: {other:?}"),
        },
        other => panic!("{path}: {other}"),
    }
}

#[tokio::test]
async fn a_client_is_given_everything_and_no_secret() {
    let Some(bench) = Bench::new() else { return };
    let original = bench::original().unwrap();
    for who in [&MALGORZATA, &LEA, &DMITRI] {
        for right in [Right::Access, Right::Export] {
            let request = bench.carry(who.identifier(), Wish::of(right)).await;
            assert_eq!(request.lifecycle.phase, Phase::Answered);
            assert_eq!(request.lifecycle.outcome, Some(Outcome::Done));
            let package = bench.package(&request).await.unwrap();

            // Links between rows are no data of their own.
            let theirs = who.rows(&original);
            for (table, rows) in theirs
                .iter()
                .filter(|(table, _)| **table != "team_assign_agent")
            {
                let given = collection(&package, table);
                assert_eq!(given.len(), rows.len(), "{table} of {}", who.id);
            }
            let files = package
                .keys()
                .filter(|path| path.starts_with("files/"))
                .count();
            assert_eq!(files, theirs["ticket_attachment"].len());
            no_secret(&package, &original);
        }
    }
    let after = Snapshot::of(&bench.database());
    let difference = Snapshot::of(&original).difference(&after);
    assert_eq!(difference, Difference::default(), "reading changes nothing");
}

/// No secret of anybody stands in what is handed over.
fn no_secret(package: &BTreeMap<String, Vec<u8>>, original: &Path) {
    let connection = Connection::open(original).unwrap();
    let sql = "SELECT password FROM users UNION SELECT remember_token FROM users
               UNION SELECT token FROM password_resets";
    let mut statement = connection.prepare(sql).unwrap();
    let secrets = statement
        .query_map([], |row| row.get::<_, Option<String>>(0))
        .unwrap();
    let secrets: Vec<String> = secrets
        .filter_map(Result::unwrap)
        .filter(|s| s.len() > 8)
        .collect();
    assert!(secrets.len() > 600);
    for (path, content) in package {
        let content = String::from_utf8_lossy(content);
        assert!(
            !secrets
                .iter()
                .any(|secret| content.contains(secret.as_str())),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_agent_is_not_given_other_peoples_tickets() {
    let Some(bench) = Bench::new() else { return };
    let original = bench::original().unwrap();
    let request = bench
        .carry(GIULIA.identifier(), Wish::of(Right::Access))
        .await;
    assert_eq!(request.lifecycle.phase, Phase::Answered);
    let package = bench.package(&request).await.unwrap();
    assert_eq!(collection(&package, "users").len(), 1);
    assert_eq!(collection(&package, "ticket_thread").len(), 0);
    let written = rows(&original, "SELECT id FROM ticket_thread WHERE user_id = 8").len() as u64;
    let withheld: Vec<_> = request.fulfilment.as_ref().unwrap().withheld().collect();
    assert_eq!(withheld.len(), 1);
    let (_, kept) = withheld[0];
    assert_eq!(
        (kept.collection.as_str(), kept.rows),
        ("ticket_thread_of_others", written)
    );
    assert_eq!(kept.ground.id(), "rights_of_others");
    let manifest = String::from_utf8_lossy(&package["manifest.json"]).into_owned();
    assert!(
        manifest.contains("ticket_thread_of_others"),
        "the answer names what is not in it"
    );
    no_secret(&package, &original);
}

/// A message of somebody else that names the person.
struct Planted {
    row: i64,
    before: &'static str,
    after: &'static str,
}

/// Everything of a person goes, every other cell stays, and what names them in other people's
/// texts is taken out of them.
async fn erased(who: &Somebody, plant: &[Planted]) -> (Bench, Difference) {
    let bench = Bench::new().unwrap();
    let path = bench.database();
    let planting = Connection::open(&path).unwrap();
    for Planted { row, before, .. } in plant {
        let sql = "UPDATE ticket_thread SET body = ?1 WHERE rowid = ?2";
        let cell = rusqlite::params![before.as_bytes(), row];
        planting.execute(sql, cell).unwrap();
    }
    drop(planting);
    let before = Snapshot::of(&path);
    let identifiers = who.identifiers(&path);
    assert!(
        before.naming(&identifiers).len() > 2,
        "there is something to find"
    );
    let theirs = who.rows(&path);

    let request = bench
        .carry(who.identifier(), Wish::of(Right::Erasure))
        .await;
    assert_eq!(
        request.lifecycle.phase,
        Phase::Answered,
        "{:?}",
        request.fulfilment
    );

    let after = Snapshot::of(&path);
    assert_eq!(orphans(&path), 0, "no foreign key leads nowhere");
    let difference = before.difference(&after);
    let all = theirs
        .iter()
        .flat_map(|(table, rows)| rows.iter().map(|row| ((*table).to_owned(), *row)));
    assert_eq!(
        difference.deleted,
        all.collect(),
        "their rows, and no others"
    );
    assert_eq!(difference.added, BTreeSet::new());
    let mut left = after.naming(&identifiers);
    let banned = format!(
        "SELECT id FROM banlist WHERE email_address = '{}'",
        who.mail
    );
    let banned = rows(&path, &banned);
    left.retain(|(table, _, row)| table != "banlist" || !banned.contains(row));
    assert_eq!(left, BTreeSet::new(), "nothing names them but what is kept");
    assert_eq!(leading_to(&path, "users", who.id), BTreeSet::new());
    for planted in plant {
        let body = after.cell("ticket_thread", "body", planted.row);
        assert_eq!(text(body), planted.after);
    }
    (bench, difference)
}

fn places(places: &[(&str, &str, i64)]) -> BTreeSet<oracle::Place> {
    places
        .iter()
        .map(|(table, column, row)| ((*table).into(), (*column).into(), *row))
        .collect()
}

#[tokio::test]
async fn a_client_is_erased_and_nobody_else_is_touched() {
    if bench::original().is_none() {
        return;
    }
    // Message 499 is Uwe's; joanm.90@… is somebody else.
    let quoted = Planted {
        row: 499,
        before: "I know Małgorzata Nguyễn: m.90@example.org, +33699308747. Not joanm.90@example.org.",
        after: "I know [removed]: [removed], [removed]. Not joanm.90@example.org.",
    };
    let (bench, difference) = erased(&MALGORZATA, &[quoted]).await;
    assert_eq!(
        difference.changed,
        places(&[("ticket_thread", "body", 499)])
    );

    let letter = bench.letters.letters().pop().unwrap();
    assert_eq!(letter.notice.outcome, Some(Outcome::Done));
    assert_eq!(letter.notice.withheld, []);
}

#[tokio::test]
async fn the_head_of_an_organisation_leaves_it_standing() {
    if bench::original().is_none() {
        return;
    }
    let (_bench, difference) = erased(&DMITRI, &[]).await;
    assert_eq!(difference.changed, places(&[("organization", "head", 1)]));
}

#[tokio::test]
async fn namesakes_keep_their_name() {
    if bench::original().is_none() {
        return;
    }
    let (bench, difference) = erased(&LEA, &[]).await;
    assert_eq!(difference.changed, BTreeSet::new());
    let after = Snapshot::of(&bench.database());
    assert!(
        !after.naming(["Léa Bernard"]).is_empty(),
        "the other two are still there"
    );
}

#[tokio::test]
async fn what_is_kept_is_named() {
    if bench::original().is_none() {
        return;
    }
    let (bench, _) = erased(&SOREN, &[]).await;
    let left = Snapshot::of(&bench.database()).naming(SOREN.marks);
    let ban = rows(
        &bench.database(),
        "SELECT id FROM banlist WHERE email_address = 's.514@example.org'",
    );
    assert_eq!(
        left,
        places(&[("banlist", "email_address", *ban.first().unwrap())])
    );
    let letter = bench.letters.letters().pop().unwrap();
    assert_eq!(letter.notice.outcome, Some(Outcome::Partly));
    let [kept] = letter.notice.withheld.as_slice() else {
        panic!("{:?}", letter.notice)
    };
    assert_eq!(
        (kept.collection.as_str(), kept.rows, kept.until),
        ("banlist", 1, Until::Always)
    );
}

#[tokio::test]
async fn an_agent_goes_and_other_peoples_tickets_stay() {
    if bench::original().is_none() {
        return;
    }
    let original = bench::original().unwrap();
    let named = Planted {
        row: 499,
        before: "This Ticket has been assigned to Giulia Bernard",
        after: "This Ticket has been assigned to [removed]",
    };
    let (bench, difference) = erased(&GIULIA, &[named]).await;
    let written = rows(&original, "SELECT id FROM ticket_thread WHERE user_id = 8");
    let assigned = rows(&original, "SELECT id FROM tickets WHERE assigned_to = 8");
    assert!(written.len() > 100 && assigned.len() > 100);
    let after = Snapshot::of(&bench.database());
    let before = Snapshot::of(&original);
    let unlinked = |row: &i64| text(after.cell("ticket_thread", "user_id", *row)).is_empty();
    assert!(written.iter().all(unlinked));
    let says = |row: &i64| {
        before.cell("ticket_thread", "body", *row) == after.cell("ticket_thread", "body", *row)
    };
    assert!(
        written.iter().all(says),
        "the answers to other people stay as they are"
    );

    let mut expected = places(&[("ticket_thread", "body", 499)]);
    for row in written {
        expected.insert(("ticket_thread".into(), "user_id".into(), row));
        if !text(before.cell("ticket_thread", "ip_address", row)).is_empty() {
            expected.insert(("ticket_thread".into(), "ip_address".into(), row));
        }
    }
    for row in assigned {
        expected.insert(("tickets".into(), "assigned_to".into(), row));
    }
    for row in rows(&original, "SELECT id FROM tickets WHERE lock_by = 8") {
        expected.insert(("tickets".into(), "lock_by".into(), row));
    }
    assert_eq!(difference.changed, expected);
}

#[tokio::test]
async fn a_client_is_corrected_and_every_copy_follows() {
    let Some(bench) = Bench::new() else { return };
    let path = bench.database();
    let before = Snapshot::of(&path);
    let wish = vec![
        correction("last_name", "Bernard-Şahin"),
        correction("email", "lea@example.net"),
    ];
    let request = bench.carry(LEA.identifier(), Wish::rectify(wish)).await;
    assert_eq!(
        request.lifecycle.phase,
        Phase::Answered,
        "{:?}",
        request.fulfilment
    );
    assert_eq!(request.lifecycle.outcome, Some(Outcome::Done));

    let after = Snapshot::of(&path);
    let difference = before.difference(&after);
    let theirs = LEA.rows(&bench::original().unwrap());
    let mut expected = places(&[
        ("users", "last_name", 72),
        ("users", "email", 72),
        ("users", "user_name", 72),
    ]);
    for (table, column) in [
        ("kb_comment", "email"),
        ("login_attempts", "User"),
        ("password_resets", "email"),
    ] {
        expected.extend(
            theirs[table]
                .iter()
                .map(|row| (table.into(), column.into(), *row)),
        );
    }
    assert_eq!(
        difference,
        Difference {
            changed: expected,
            ..Difference::default()
        }
    );
    assert_eq!(text(after.cell("users", "last_name", 72)), "Bernard-Şahin");
    assert_eq!(text(after.cell("users", "email", 72)), "lea@example.net");
}

#[tokio::test]
async fn an_agent_is_corrected() {
    let Some(bench) = Bench::new() else { return };
    let before = Snapshot::of(&bench.database());
    let wish = Wish::rectify(vec![correction("phone_number", "+33123456789")]);
    let request = bench.carry(GIULIA.identifier(), wish).await;
    assert_eq!(request.lifecycle.outcome, Some(Outcome::Done));
    let difference = before.difference(&Snapshot::of(&bench.database()));
    let changed = places(&[("users", "phone_number", 8)]);
    assert_eq!(
        difference,
        Difference {
            changed,
            ..Difference::default()
        }
    );
}

#[tokio::test]
async fn a_correction_that_cannot_be_changes_nothing() {
    let Some(bench) = Bench::new() else { return };
    let before = Snapshot::of(&bench.database());
    // The address of somebody else, an empty name, a column that is nobody's to correct.
    for wish in [
        correction("email", "b.9@example.org"),
        correction("first_name", " "),
        correction("role", "admin"),
    ] {
        let request = bench
            .carry(LEA.identifier(), Wish::rectify(vec![wish]))
            .await;
        assert_eq!(
            request.lifecycle.phase,
            Phase::Review,
            "somebody looks at it"
        );
        assert_eq!(request.lifecycle.outcome, Some(Outcome::Failed));
    }
    assert_eq!(
        before.difference(&Snapshot::of(&bench.database())),
        Difference::default()
    );
}

#[tokio::test]
async fn nobody_is_found_without_an_error() {
    let Some(bench) = Bench::new() else { return };
    let before = Snapshot::of(&bench.database());
    let nobody = Identifier::mail("nobody@example.org").unwrap();
    for right in [Right::Access, Right::Erasure] {
        let request = bench.carry(nobody.clone(), Wish::of(right)).await;
        assert_eq!(request.lifecycle.phase, Phase::Answered);
        assert_eq!(request.lifecycle.outcome, Some(Outcome::NothingFound));
    }
    assert_eq!(
        before.difference(&Snapshot::of(&bench.database())),
        Difference::default()
    );
}
