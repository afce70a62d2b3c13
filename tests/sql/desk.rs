//! The help desk: the schema of one that thousands run, with 600 people and 2,500 tickets, and one
//! map of its 78 tables.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datarights::adapters::SqlSource;
use datarights::datamap::{DataMap, Problem};
use datarights::model::{Ground, Identifier, Until};
use datarights::ports::{PersonalDataSource, Work};
use datarights::testkit::source_suite::{Specimen, assert_conforms};
use rusqlite::Connection;

use crate::oracle::{Snapshot, leading_to, orphans, rows, text};
use crate::people::{DMITRI, GIULIA, LEA, MALGORZATA, SOREN, Somebody};
use crate::sql_oracle::SqlOracle;
use crate::{context, correction, done, erase, locate, open, pool, read, shared};

pub(crate) fn map() -> DataMap {
    DataMap::from_toml(include_str!("../maps/helpdesk.toml")).unwrap()
}

pub(crate) fn copy(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("helpdesk.sqlite");
    std::fs::write(&path, std::fs::read(shared("helpdesk.sqlite")?).unwrap()).unwrap();
    Some(path)
}

/// The rows that are theirs.
fn rows_of(who: &Somebody, database: &Path) -> BTreeSet<(String, i64)> {
    let of = |(table, rows): (&'static str, BTreeSet<i64>)| {
        rows.into_iter().map(move |row| (table.to_owned(), row))
    };
    who.rows(database).into_iter().flat_map(of).collect()
}

/// Cells of other people's rows that name the person by number, and what stands with it.
fn mentions(who: &Somebody, database: &Path) -> BTreeSet<(String, String, i64)> {
    let id = who.id;
    let mine = rows_of(who, database);
    let mut mentions = BTreeSet::new();
    for (table, link, also) in [
        ("tickets", "assigned_to", None),
        ("tickets", "lock_by", None),
        ("ticket_thread", "user_id", Some("ip_address")),
        ("organization", "head", None),
        ("teams", "team_lead", None),
        ("department", "manager", None),
        ("help_topic", "auto_assign", None),
    ] {
        for row in rows(
            database,
            &format!("SELECT rowid FROM {table} WHERE {link} = {id}"),
        ) {
            if mine.contains(&(table.to_owned(), row)) {
                continue;
            }
            mentions.insert((table.to_owned(), link.to_owned(), row));
            let filled = |also| {
                let sql = format!("SELECT rowid FROM {table} WHERE rowid = {row} AND {also} <> ''");
                !rows(database, &sql).is_empty()
            };
            if let Some(also) = also.filter(|also| filled(*also)) {
                mentions.insert((table.to_owned(), also.to_owned(), row));
            }
        }
    }
    mentions
}

#[tokio::test]
async fn the_map_describes_the_whole_desk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = copy(folder.path()) else {
        return;
    };
    let pool = datarights::adapters::SqlPool::from(pool(&path).await);
    let catalogue = pool.catalogue().await.unwrap();
    assert_eq!(catalogue.tables.len(), 78);
    let keys = catalogue.tables.values().map(|t| t.foreign_keys.len());
    assert_eq!(keys.sum::<usize>(), 48);
    if let Err(problems) = map().check(&catalogue) {
        panic!("{problems}");
    }

    // A column added after the map was written is named.
    let connection = Connection::open(&path).unwrap();
    let added = "ALTER TABLE users ADD COLUMN passport TEXT; CREATE TABLE visits (who TEXT);
                 CREATE TABLE likes (id INTEGER PRIMARY KEY, liker INTEGER REFERENCES users);";
    connection.execute_batch(added).unwrap();
    let catalogue = pool.catalogue().await.unwrap();
    let map = map().exempt("likes", "nothing personal");
    let problems = map.check(&catalogue).unwrap_err();
    let told: Vec<String> = problems
        .all()
        .iter()
        .map(|p| format!("{} {:?}", p.table, p.member))
        .collect();
    assert_eq!(
        told,
        [
            "likes Some(\"liker\")",
            "users Some(\"passport\")",
            "visits None"
        ]
    );
    let followed = &problems.all()[0].problem;
    assert_eq!(*followed, Problem::KeyNotFollowed("users".to_owned()));
}

#[tokio::test]
async fn a_draft_of_the_desk_sees_the_people_and_follows_every_key() {
    let Some(path) = shared("helpdesk.sqlite") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("desk.sqlite"),
        std::fs::read(path).unwrap(),
    )
    .unwrap();
    let pool = pool(&folder.path().join("desk.sqlite")).await;
    let catalogue = datarights::adapters::SqlPool::from(pool)
        .catalogue()
        .await
        .unwrap();
    let draft = DataMap::draft(&catalogue);
    assert_eq!(draft.map.validate(), Ok(()));
    let people = draft.map.tables.iter().filter(|(_, table)| table.person);
    assert_eq!(
        people.map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["users"]
    );

    // What a person decided, the draft has seen, as far as a name or a key gives it away.
    let decided = map();
    for (name, table) in &decided.tables {
        let Some(drafted) = draft.map.tables.get(name) else {
            let declared = &catalogue.tables[name].foreign_keys;
            let keyed = declared
                .iter()
                .any(|key| decided.owned_tables().contains(&*key.table));
            assert!(!keyed, "{name} is not in the draft");
            continue;
        };
        for (column, described) in &table.columns {
            if described.secret {
                assert!(drafted.columns[column].secret, "{name}.{column}");
            }
        }
    }
    let whose = |table: &str, link: &str| draft.map.tables[table].links[link].whose;
    use datarights::datamap::Whose::{Mentioned, Owned};
    assert_eq!(whose("tickets", "user_id"), Owned);
    assert_eq!(whose("tickets", "assigned_to"), Mentioned);
    assert_eq!(whose("department", "manager"), Mentioned);
    assert_eq!(whose("kb_comment", "email_of"), Owned);
    // It is not taken for the end: what it does not know is named.
    let problems = draft.map.check(&catalogue).unwrap_err();
    let not_followed =
        |p: &&datarights::datamap::MapProblem| matches!(p.problem, Problem::KeyNotFollowed(_));
    assert_eq!(problems.all().iter().filter(not_followed).count(), 0);
    assert!(
        problems
            .all()
            .iter()
            .any(|p| p.problem == Problem::TableUndescribed)
    );
    assert!(!draft.guesses.is_empty());
}

/// Everything of a person goes; every other cell stays but those that name them.
async fn erased(who: &Somebody, planted: &[i64]) -> Option<(PathBuf, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path())?;
    let connection = Connection::open(&path).unwrap();
    for row in planted {
        let body = format!("Ask {} about it.", who.marks[1].to_uppercase());
        let sql = "UPDATE ticket_thread SET body = ?1 WHERE id = ?2";
        let cell = rusqlite::params![body.as_bytes(), row];
        assert_eq!(connection.execute(sql, cell).unwrap(), 1);
    }
    // A ticket in the bin; what is said of a ticket by somebody else; the like, of something else.
    let id = who.id;
    let more = format!(
        "UPDATE tickets SET is_deleted = 1 WHERE id = (SELECT min(id) FROM tickets WHERE user_id = {id});
         INSERT INTO notifications (id, model_id, userid_created, type_id)
           SELECT 9000 + type_id, ticket, 1, type_id FROM (SELECT min(id) AS ticket FROM tickets WHERE user_id
           = {id}), (SELECT 1 AS type_id UNION SELECT 2 UNION SELECT 3) WHERE ticket IS NOT NULL"
    );
    connection.execute_batch(&more).unwrap();
    drop(connection);
    let source = open(&path, &map()).await;
    let before = Snapshot::of(&path);
    let identifiers = who.identifiers(&path);
    assert!(
        before.naming(&identifiers).len() > 2,
        "there is something to find"
    );
    assert_ne!(leading_to(&path, "users", who.id), BTreeSet::new());
    let (mine, mentions) = (rows_of(who, &path), mentions(who, &path));
    assert!(mine.len() > 5);

    let erased = erase(&source, who.mail).await;
    let told: u64 = erased.rows.iter().map(|count| count.rows).sum();

    let mut difference = before.difference(&Snapshot::of(&path));
    difference
        .added
        .retain(|(table, _)| table != "datarights_effects");
    assert_eq!(difference.deleted, mine);
    assert_eq!(difference.added, BTreeSet::new());
    let mut expected = mentions;
    let named = |place: &(String, String, i64)| !mine.contains(&(place.0.clone(), place.2));
    let kept = |place: &(String, String, i64)| place.0 != "banlist";
    let names = before.naming(&identifiers);
    expected.extend(names.into_iter().filter(named).filter(kept));
    assert_eq!(difference.changed, expected);
    assert!(told >= mine.len() as u64);
    assert_eq!(Snapshot::of(&path).naming(&identifiers), BTreeSet::new());
    assert_eq!(leading_to(&path, "users", who.id), BTreeSet::new());
    assert_eq!(orphans(&path), orphans(&shared("helpdesk.sqlite").unwrap()));
    Some((path, folder))
}

#[tokio::test]
async fn a_client_goes_with_all_that_is_theirs() {
    let Some((path, _folder)) = erased(&MALGORZATA, &[499]).await else {
        return;
    };
    let after = Snapshot::of(&path);
    let body = text(after.cell("ticket_thread", "body", 499));
    assert_eq!(body, "Ask [removed] about it.");
}

#[tokio::test]
async fn the_head_of_an_organisation_leaves_it_standing() {
    let _ = erased(&DMITRI, &[]).await;
}

#[tokio::test]
async fn namesakes_keep_their_name() {
    let Some((path, _folder)) = erased(&LEA, &[]).await else {
        return;
    };
    let after = Snapshot::of(&path);
    assert!(!after.naming(["Léa Bernard"]).is_empty());
}

#[tokio::test]
async fn an_agent_goes_and_other_peoples_tickets_stay() {
    if erased(&GIULIA, &[499, 500]).await.is_none() {
        return;
    }
    let original = shared("helpdesk.sqlite").unwrap();
    let written = rows(&original, "SELECT id FROM ticket_thread WHERE user_id = 8");
    assert!(written.len() > 100);
}

/// In chunks, the desk is left as by one transaction, and the answer is the same.
#[tokio::test]
async fn in_chunks_people_go_as_in_one_transaction() {
    for who in [&DMITRI, &GIULIA, &SOREN] {
        let mut ends = Vec::new();
        for most in [None, std::num::NonZeroU64::new(9)] {
            let folder = tempfile::tempdir().unwrap();
            let Some(path) = copy(folder.path()) else {
                return;
            };
            let mut options = crate::options();
            options.chunk = most;
            let pool = pool(&path).await;
            let source = SqlSource::open(pool, &map(), crate::clock(), options).await;
            let mut erased = erase(&source.unwrap(), who.mail).await;
            erased.rows.sort();
            ends.push((Snapshot::of(&path), erased));
        }
        let (whole, chunked) = (&ends[0], &ends[1]);
        assert_eq!(whole.1, chunked.1, "{}", who.id);
        let mut difference = whole.0.difference(&chunked.0);
        // Notes of effects are numbered as they were made.
        difference
            .added
            .retain(|(table, _)| table != "datarights_effects");
        difference
            .deleted
            .retain(|(table, _)| table != "datarights_effects");
        assert_eq!(
            difference,
            crate::oracle::Difference::default(),
            "{}",
            who.id
        );
    }
}

#[tokio::test]
async fn what_is_kept_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = copy(folder.path()) else {
        return;
    };
    let source = open(&path, &map()).await;
    let identifiers = SOREN.identifiers(&path);
    let erased = erase(&source, SOREN.mail).await;
    let [kept] = erased.withheld.as_slice() else {
        panic!("{:?}", erased.withheld)
    };
    assert_eq!((kept.collection.as_str(), kept.rows), ("banlist", 1));
    assert_eq!(kept.ground, Ground::new("erasure_exception_claims"));
    assert_eq!(kept.until, Until::Always);
    let left = Snapshot::of(&path).naming(&identifiers);
    let places: Vec<&str> = left.iter().map(|(table, _, _)| table.as_str()).collect();
    assert_eq!(places, ["banlist"]);
}

#[tokio::test]
async fn a_person_is_given_all_that_is_theirs_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = copy(folder.path()) else {
        return;
    };
    let source = open(&path, &map()).await;
    let before = Snapshot::of(&path);
    for who in [&MALGORZATA, &LEA, &DMITRI, &GIULIA] {
        let (given, withheld) = read(&source, who.mail).await;
        let of = |table: &str| given.iter().filter(|(name, _)| name == table).count();
        for (table, condition) in who.conditions() {
            let sql = format!("SELECT rowid FROM {table} WHERE {condition}");
            assert_eq!(of(table), rows(&path, &sql).len(), "{table} of {}", who.id);
        }
        let mut mentioned: Vec<(String, u64)> = Vec::new();
        for (link, column) in [
            ("department.manager", "manager"),
            ("help_topic.agent", "auto_assign"),
            ("organization.head", "head"),
            ("teams.lead", "team_lead"),
            ("ticket_thread.author", "user_id"),
            ("tickets.assigned", "assigned_to"),
            ("tickets.locked", "lock_by"),
        ] {
            let mentions = mentions(who, &path);
            let table = link.split('.').next().unwrap();
            let rows = mentions
                .iter()
                .filter(|(t, c, _)| t == table && c == column);
            mentioned.push((link.to_owned(), rows.count() as u64));
        }
        mentioned.retain(|(_, rows)| *rows > 0);
        let mut withheld = withheld;
        withheld.sort();
        assert_eq!(withheld, mentioned, "{}", who.id);
        let secret = |(name, _): &&(String, String)| {
            matches!(name.as_str(), "password" | "remember_token" | "token")
        };
        let mut cells = given.iter().flat_map(|(_, row)| row);
        assert!(cells.clone().any(|cell| secret(&cell)));
        assert!(cells.all(|cell| !secret(&cell) || cell.1 == "\"Secret\""));
    }
    let after = Snapshot::of(&path);
    assert_eq!(
        before.difference(&after),
        crate::oracle::Difference::default()
    );
}

#[tokio::test]
async fn a_client_is_corrected_and_every_copy_follows() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = copy(folder.path()) else {
        return;
    };
    let source = open(&path, &map()).await;
    let before = Snapshot::of(&path);
    let mine = rows_of(&LEA, &path);
    let wishes = vec![
        correction("users", "last_name", "Bernard-Şahin"),
        correction("users", "email", "lea@example.net"),
    ];
    let found = locate(&source, LEA.mail).await;
    let work = Work::Rectify(wishes.clone());
    let plan = done(
        source
            .plan(&context("p"), &found.locators, &work)
            .await
            .unwrap(),
    );
    let now: Vec<&str> = plan
        .current
        .iter()
        .map(|c| c.value.expose().as_str())
        .collect();
    assert_eq!(now, ["Bernard", "l.64@example.org"]);
    let same = before.difference(&Snapshot::of(&path));
    assert_eq!(
        same,
        crate::oracle::Difference::default(),
        "a plan writes nothing"
    );
    let corrected = source
        .rectify(&context("r"), &found.locators, &wishes)
        .await;
    done(corrected.unwrap());
    let plan = done(
        source
            .plan(&context("p"), &found.locators, &work)
            .await
            .unwrap(),
    );
    assert_eq!(plan.current, wishes);

    let difference = before.difference(&Snapshot::of(&path));
    let mut expected: BTreeSet<(String, String, i64)> = BTreeSet::new();
    for (table, row) in mine {
        let columns: &[&str] = match table.as_str() {
            "users" => &["last_name", "email", "user_name"],
            "kb_comment" | "password_resets" => &["email"],
            "login_attempts" => &["User"],
            _ => &[],
        };
        expected.extend(
            columns
                .iter()
                .map(|c| (table.clone(), (*c).to_owned(), row)),
        );
    }
    assert!(expected.len() > 3);
    assert_eq!(difference.changed, expected);
    assert_eq!(difference.deleted, BTreeSet::new());

    // The address of somebody else, a column that is nobody's to correct, one that is none.
    for (field, value) in [("email", "b.9@example.org"), ("role", "admin"), ("x", "y")] {
        let work = Work::Rectify(vec![correction("users", field, value)]);
        let error = source.plan(&context("p"), &found.locators, &work).await;
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(value));
    }
}

#[tokio::test]
async fn a_database_that_changed_since_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = copy(folder.path()) else {
        return;
    };
    let source = open(&path, &map()).await;
    let found = locate(&source, LEA.mail).await;
    let connection = Connection::open(&path).unwrap();
    let added = "ALTER TABLE tickets ADD COLUMN passport TEXT";
    connection.execute_batch(added).unwrap();
    let error = source
        .plan(&context("p"), &found.locators, &Work::Erase)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "schema_changed at tickets.passport");
}

/// Quentin has rows in most tables, and nobody names him in theirs.
const QUENTIN: Somebody = Somebody {
    id: 422,
    mail: "q.414@example.com",
    marks: &[],
};

#[tokio::test]
async fn the_source_keeps_its_contract() {
    if shared("helpdesk.sqlite").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert_conforms(async || {
        let own = tempfile::tempdir_in(folder.path()).unwrap().keep();
        let path = copy(&own).unwrap();
        let connection = Connection::open(&path).unwrap();
        let sql = "SELECT password FROM users WHERE id = 422";
        let secret: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        let source: Arc<dyn PersonalDataSource> = Arc::new(open(&path, &map()).await);
        let person = QUENTIN
            .conditions()
            .into_iter()
            .filter(|(table, _)| *table != "team_assign_agent")
            .collect();
        let oracle = Arc::new(SqlOracle {
            path,
            person,
            ignored: &[],
        });
        let mail = |address: &str| vec![Identifier::mail(address).unwrap()];
        Specimen::new(source, oracle, mail(QUENTIN.mail), mail("m.90@example.org"))
            .correcting(
                correction("users", "phone_number", "+33100000000"),
                correction("users", "role", "admin"),
            )
            .hiding(secret)
    })
    .await;
}
