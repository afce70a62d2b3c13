//! What the database will not let happen is found when the plan is made, before the first write:
//! CHECK constraints, triggers, uniqueness, lengths, types and foreign keys, as it has them.

use datarights::datamap::{Column, DataMap, Link, RowErasure, Strategy, Table};
use datarights::model::{Category, Ground, IdentifierKind};
use datarights::ports::{ErrorKind, PersonalDataSource, Work};

use crate::engines::{Place, everywhere};
use crate::{context, locate};

const SCHEMA: [&str; 4] = [
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, word VARCHAR(40))",
    "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
    "INSERT INTO notes VALUES (1, 1, 'difference'), (2, 1, 'engine'), (3, 2, 'gone')",
];

/// The notes stay, and their words become this.
fn map(word: Strategy) -> DataMap {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    let word = Column::of(Category::Correspondence).erased_by(word);
    DataMap::new()
        .table("people", Table::people().column("mail", mail))
        .table(
            "notes",
            Table::new()
                .erased_by(RowErasure::Columns)
                .link("person", Link::rows(["person"], "people"))
                .column("person", Column::default().erased_by(Strategy::Null))
                .column("word", word),
        )
        .exempt_columns("*", ["id"], "a number of ours")
}

/// What the plan says; nothing has changed by it, and nothing of the person is in it.
async fn refused(place: &Place, map: &DataMap) -> String {
    let before = rows(place).await;
    let source = place.open(map).await;
    let found = locate(&source, "ada@example.org").await;
    let plan = source
        .plan(&context("plan"), &found.locators, &Work::Erase)
        .await;
    let error = plan.expect_err(place.name);
    assert_eq!(error.kind, ErrorKind::Refused, "{}: {error}", place.name);
    for personal in ["ada", "difference"] {
        assert!(!format!("{error:?}").contains(personal), "{error:?}");
    }
    assert_eq!(before, rows(place).await, "{}", place.name);
    error.to_string()
}

async fn rows(place: &Place) -> Vec<String> {
    let mut all = place.rows("people", "id, mail").await;
    all.extend(place.rows("notes", "id, person, word").await);
    all
}

#[tokio::test]
async fn a_check_that_no_catalogue_can_judge() {
    everywhere(async |place| {
        place.run(&SCHEMA[..1]).await;
        let checked = SCHEMA[1].replace("VARCHAR(40)", "VARCHAR(40) CHECK (length(word) > 3)");
        place.run(&[&checked, SCHEMA[2], SCHEMA[3]]).await;
        let said = refused(place, &map(Strategy::Fixed("x".into()))).await;
        assert_eq!(said, "check_violation at notes", "{}", place.name);
    })
    .await;
}

#[tokio::test]
async fn a_trigger_that_forbids_the_change() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        let trigger: &[&str] = match place.name {
            "postgres" => &[
                "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'not %', OLD.mail; END $$",
                "CREATE TRIGGER no BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION no()",
            ],
            "mariadb" => &[
                "CREATE TRIGGER no BEFORE DELETE ON people FOR EACH ROW SIGNAL SQLSTATE '45000' \
                  SET MESSAGE_TEXT = 'not ada@example.org'",
            ],
            _ => &[
                "CREATE TRIGGER no BEFORE DELETE ON people BEGIN SELECT RAISE(ABORT, 'not ada'); END",
            ],
        };
        place.run(trigger).await;
        let said = refused(place, &map(Strategy::Null)).await;
        assert!(said.ends_with(" at people"), "{}: {said}", place.name);
    })
    .await;
}

#[tokio::test]
async fn a_value_that_would_stand_twice() {
    everywhere(async |place| {
        // Two columns together, one of them changed: the catalogue cannot tell, the rows can.
        let unique = "CREATE UNIQUE INDEX one ON notes (word, person)";
        place.run(&SCHEMA).await;
        place.run(&[unique]).await;
        let mut map = map(Strategy::Fixed("gone".into()));
        let notes = map.tables.get_mut("notes").unwrap();
        let two = Strategy::Fixed(2.into());
        notes
            .columns
            .insert("person".to_owned(), Column::default().erased_by(two));
        let said = refused(place, &map).await;
        assert_eq!(said, "unique_violation at notes", "{}", place.name);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_nobody_described_and_that_refers_to_one_that_goes() {
    everywhere(async |place| {
        place.run(&SCHEMA).await;
        place
            .run(&[
                "CREATE TABLE seats (id INTEGER PRIMARY KEY, person INTEGER NOT NULL, \
                 FOREIGN KEY (person) REFERENCES people (id))",
                "INSERT INTO seats VALUES (1, 1)",
            ])
            .await;
        let reason = "furniture, it says";
        let map =
            map(Strategy::Null)
                .exempt("seats", reason)
                .exempt_columns("seats", ["person"], reason);
        let said = refused(place, &map).await;
        assert_eq!(said, "foreign_key_violation at people", "{}", place.name);
    })
    .await;
}

/// MariaDB has no keys that wait for the commit.
#[tokio::test]
async fn a_key_that_is_checked_at_the_commit_only() {
    everywhere(async |place| {
        if place.name == "mariadb" {
            return;
        }
        place.run(&SCHEMA).await;
        place
            .run(&[
                "CREATE TABLE seats (id INTEGER PRIMARY KEY, person INTEGER NOT NULL \
                 REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED)",
                "INSERT INTO seats VALUES (1, 1)",
            ])
            .await;
        let reason = "furniture, it says";
        let map = map(Strategy::Null)
            .exempt("seats", reason)
            .exempt_columns("seats", ["person"], reason);
        let said = refused(place, &map).await;
        assert_eq!(said, "foreign_key_violation at seats", "{}", place.name);

        // Where the erasure breaks nothing, it goes on: what was broken before is not its doing.
        if place.name == "sqlite" {
            place.run(&["PRAGMA foreign_keys = OFF; DELETE FROM seats; INSERT INTO seats VALUES (2, 77); PRAGMA foreign_keys = ON"]).await;
        } else {
            place.run(&["DELETE FROM seats"]).await;
        }
        let source = place.open(&map).await;
        let erased = crate::erase(&source, "ada@example.org").await;
        assert_eq!(erased.rows.len(), 2, "{}", place.name);
    })
    .await;
}

/// What the catalogue tells is said by the check, before there is any plan.
#[tokio::test]
async fn what_the_catalogue_tells_is_found_by_the_check() {
    everywhere(async |place| {
        place.run(&SCHEMA[..1]).await;
        let notes = "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, word VARCHAR(40) NOT NULL UNIQUE)";
        place
            .run(&[
                notes,
                "CREATE TABLE seats (id INTEGER PRIMARY KEY, person INTEGER, \
                 FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE)",
                "CREATE TABLE teams (id INTEGER PRIMARY KEY, lead_by INTEGER, \
                 FOREIGN KEY (lead_by) REFERENCES people (id) ON DELETE CASCADE)",
            ])
            .await;
        let lead = Link::rows(["lead_by"], "people")
            .mentioned(Ground::new("rights_of_others"))
            .erasing("lead_by", Strategy::Keep);
        let with = |word: Strategy| {
            map(word)
                .exempt("seats", "furniture, it says")
                .exempt_columns("seats", ["person"], "furniture, it says")
                .table("teams", Table::new().link("lead", lead.clone()))
        };
        let catalogue = place.pool.catalogue().await.unwrap();
        let said = |word| {
            let problems = with(word).check(&catalogue).unwrap_err();
            let all = problems.all().iter();
            all.map(|p| format!("{}.{} {:?}", p.table, p.member.clone().unwrap_or_default(), p.problem))
                .collect::<Vec<_>>()
        };
        let keys = [
            "seats.person Cascades(\"people\")".to_owned(),
            "teams.lead_by KeyLeftBehind(\"people\")".to_owned(),
        ];
        let expected = |problem: &str| {
            let mut all = vec![format!("notes.word {problem}")];
            all.extend(keys.clone());
            all
        };
        assert_eq!(said(Strategy::Null), expected("NotNull"), "{}", place.name);
        assert_eq!(said(Strategy::Fixed("x".into())), expected("Unique"), "{}", place.name);
        if place.name != "sqlite" {
            // SQLite limits no length.
            let long = "x".repeat(41);
            let mut expected = expected("Length { needs: 41, has: 40 }");
            expected.insert(1, "notes.word Unique".to_owned());
            let mut told = said(Strategy::Fixed(long.as_str().into()));
            told.sort();
            expected.sort();
            assert_eq!(told, expected, "{}", place.name);
        }
    })
    .await;
}
