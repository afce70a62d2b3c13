//! What is equal, and what is not: between a column and what its link leads to, an identifier and what
//! is stored, a name and that of somebody else.

use datarights::adapters::{SqlOpenError, SqlSource};
use datarights::datamap::DataMap;
use datarights::model::{Identifier, IdentifierKind};
use datarights::ports::{PersonalDataSource, PlannedAction, Work};

use crate::engines::{Place, everywhere};
use crate::{clock, context, correction, done, erase, locate, options, read};

const MAIL: &str = "ada@example.org";

fn map(text: &str) -> DataMap {
    let all = format!(
        r#"
        schema = 1
        {text}
        [[exempt]]
        table = "*"
        columns = ["n"]
        reason = "of ours"
        "#
    );
    DataMap::from_toml(&all).unwrap()
}

/// People with a key, and posts that refer to it.
const POSTS: &str = r#"
    [tables.people]
    person = true
    columns.id = { category = "identity" }
    columns.mail = { category = "contact", identifiers = ["mail"] }
    [tables.posts]
    links.person = { columns = ["person"], to = { rows = { table = "people" } } }
"#;

/// What a post says of whose it is, beside a key of that type: whether it is theirs.
struct Pair<'a> {
    key: &'a str,
    link: &'a str,
    ada: &'a str,
    bob: &'a str,
    /// What stands in posts 1, 2, ….
    posts: &'a [&'a str],
    /// Which of them are hers.
    hers: &'a [usize],
    /// How the key is declared at the link, if it is.
    declared: bool,
}

impl Pair<'_> {
    async fn try_on(&self, place: &Place) {
        let Pair { key, link, .. } = self;
        let said = format!("{}: {key}, {link}", place.name);
        let reference = match self.declared {
            true => ", FOREIGN KEY (person) REFERENCES people (id)",
            false => "",
        };
        // Nothing was done yet.
        let _ = place.try_run("DELETE FROM datarights_effects").await;
        let _ = place.try_run("DROP TABLE posts").await;
        let _ = place.try_run("DROP TABLE people").await;
        let people =
            format!("CREATE TABLE people (id {key} NOT NULL PRIMARY KEY, mail VARCHAR(80))");
        let posts = format!("CREATE TABLE posts (n INTEGER PRIMARY KEY, person {link}{reference})");
        let insert = format!(
            "INSERT INTO people VALUES ({}, '{MAIL}'), ({}, 'bob@example.org')",
            self.ada, self.bob
        );
        place.run(&[&people, &posts, &insert]).await;
        for (n, person) in self.posts.iter().enumerate() {
            let post = format!("INSERT INTO posts VALUES ({}, {person})", n + 1);
            place.run(&[&post]).await;
        }
        let source = place.open(&map(POSTS)).await;
        let found = locate(&source, MAIL).await;
        let posts = found.rows.iter().find(|count| count.collection == "posts");
        let posts = posts.map_or(0, |count| count.rows);
        assert_eq!(posts, self.hers.len() as u64, "{said}");
        // What comes after her rows are gone is found by the key that led to them.
        erase(&source, MAIL).await;
        let rest = |n: &usize| !self.hers.contains(n);
        let rest: Vec<String> = (1..=self.posts.len())
            .filter(rest)
            .map(|n| n.to_string())
            .collect();
        assert_eq!(place.rows("posts", "n").await, rest, "{said}");
        if !self.declared {
            let late = format!(
                "INSERT INTO posts VALUES (9, {})",
                self.posts[self.hers[0] - 1]
            );
            place.run(&[&late]).await;
            let left = source.residue(&context("r"), &found.locators).await;
            assert_eq!(done(left.unwrap()).rows.len(), 1, "{said}");
        }
    }
}

/// A key decides what is equal to it, as it does for the database.
#[tokio::test]
async fn a_link_compares_by_the_rules_of_the_key() {
    everywhere(async |place| {
        let text = |key, link, posts, hers, declared| Pair {
            key,
            link,
            ada: "'ada'",
            bob: "'ADA-2'",
            posts,
            hers,
            declared,
        };
        let pairs = match place.name {
            "sqlite" => vec![
                text(
                    "TEXT",
                    "TEXT COLLATE NOCASE",
                    &["'ada'", "'ADA-2'"],
                    &[1],
                    true,
                ),
                text(
                    "TEXT",
                    "TEXT COLLATE NOCASE",
                    &["'ada'", "'ADA'"],
                    &[1],
                    false,
                ),
                text(
                    "TEXT COLLATE NOCASE",
                    "TEXT",
                    &["'ada'", "'ADA'", "'b'"],
                    &[1, 2],
                    false,
                ),
                text(
                    "TEXT COLLATE NOCASE",
                    "TEXT",
                    &["'ada'", "'ADA'", "'ada-2'"],
                    &[1, 2],
                    true,
                ),
                text(
                    "TEXT COLLATE RTRIM",
                    "TEXT",
                    &["'ada  '", "'ADA-2'"],
                    &[1],
                    true,
                ),
                text(
                    "TEXT",
                    "TEXT COLLATE RTRIM",
                    &["'ada'", "'ada '"],
                    &[1],
                    false,
                ),
            ],
            "postgres" => vec![
                text(
                    "TEXT",
                    "VARCHAR(9) COLLATE \"C\"",
                    &["'ada'", "'ADA'"],
                    &[1],
                    false,
                ),
                text(
                    "TEXT COLLATE \"C\"",
                    "TEXT COLLATE \"POSIX\"",
                    &["'ada'", "'x'"],
                    &[1],
                    false,
                ),
                text(
                    "CHAR(9)",
                    "TEXT",
                    &["'ada'", "'ada      '", "'ad'"],
                    &[1, 2],
                    false,
                ),
                text("TEXT", "CHAR(9)", &["'ada'", "'ad'"], &[1], false),
            ],
            _ => vec![
                text(
                    "VARCHAR(9) COLLATE utf8mb4_bin",
                    "VARCHAR(9) COLLATE utf8mb4_general_ci",
                    &["'ada'", "'ADA'"],
                    &[1],
                    false,
                ),
                text(
                    "VARCHAR(9) COLLATE utf8mb4_general_ci",
                    "VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_bin",
                    &["'ada'", "'ADA'", "'bob'"],
                    &[1, 2],
                    false,
                ),
                text(
                    "VARCHAR(9) CHARACTER SET latin1",
                    "VARCHAR(9) COLLATE utf8mb4_unicode_ci",
                    &["'ada'", "'bob'"],
                    &[1],
                    false,
                ),
            ],
        };
        for pair in pairs {
            pair.try_on(place).await;
        }
    })
    .await;
}

/// A number or another value is one, however its text is written.
#[tokio::test]
async fn a_link_compares_values_of_two_types() {
    const ADA: &str = "'0f0e0d0c-0b0a-4908-8706-050403020100'";
    const BOB: &str = "'1f0e0d0c-0b0a-4908-8706-050403020100'";
    const UPPER: &str = "'0F0E0D0C-0B0A-4908-8706-050403020100'";
    everywhere(async |place| {
        let numbered = |key, link, posts| Pair {
            key,
            link,
            ada: "5",
            bob: "50",
            posts,
            hers: &[1],
            declared: false,
        };
        let named = |key, link| Pair {
            key,
            link,
            ada: ADA,
            bob: BOB,
            posts: &[UPPER, ADA, BOB],
            hers: &[1, 2],
            declared: false,
        };
        let mut pairs = vec![
            numbered("INTEGER", "VARCHAR(9)", &["'5'", "'50'", "'x5'", "NULL"]),
            numbered("BIGINT", "INTEGER", &["5", "50"]),
            numbered("INTEGER", "DECIMAL(9, 2)", &["5", "50"]),
        ];
        match place.name {
            "sqlite" => {
                let number = numbered("INTEGER", "TEXT", &["'5'", "'50'"]);
                pairs.push(Pair {
                    declared: true,
                    ..number
                });
            }
            "postgres" => {
                pairs.extend([named("UUID", "VARCHAR(40)"), named("UUID", "CHAR(40)")]);
                let turned = Pair {
                    ada: UPPER,
                    posts: &[ADA, BOB],
                    hers: &[1],
                    ..named("TEXT", "UUID")
                };
                pairs.push(turned);
                place.run(&["CREATE EXTENSION citext"]).await;
                let citext = named("CITEXT", "TEXT");
                pairs.push(citext);
            }
            _ => pairs.push(named("UUID", "VARCHAR(40)")),
        }
        for pair in pairs {
            pair.try_on(place).await;
        }
        // Nobody could tell these from each other.
        for (key, link) in [("DECIMAL(9, 2)", "VARCHAR(9)"), ("VARCHAR(9)", "DATE")] {
            place.run(&["DROP TABLE posts", "DROP TABLE people"]).await;
            let people =
                format!("CREATE TABLE people (id {key} PRIMARY KEY NOT NULL, mail VARCHAR(80))");
            let posts = format!("CREATE TABLE posts (n INTEGER PRIMARY KEY, person {link})");
            place.run(&[&people, &posts]).await;
            let source = SqlSource::open(place.pool.clone(), &map(POSTS), clock(), options()).await;
            let error = source.expect_err(place.name);
            let SqlOpenError::Map(problems) = &error else {
                panic!("{}: {error}", place.name);
            };
            let told = problems.to_string();
            assert!(told.contains("posts.person"), "{}: {told}", place.name);
        }
    })
    .await;
}

/// As identifiers are, so are columns: without the blanks around them.
#[tokio::test]
async fn blanks_around_an_identifier_are_none() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (n INTEGER PRIMARY KEY, login VARCHAR(20))",
                "CREATE TABLE visits (n INTEGER PRIMARY KEY, login VARCHAR(20))",
                "INSERT INTO people VALUES (1, ' AB-17x '), (2, 'ab-17x')",
                "INSERT INTO visits VALUES (1, 'AB-17x  '), (2, 'AB-17x'), (3, 'AB-17'), (4, 'ab-17x')",
            ])
            .await;
        let map = map(r#"
            [tables.people]
            person = true
            columns.login = { category = "contact", identifiers = ["account"] }
            [tables.visits]
            links.by = { columns = ["login"], to = { identifier = { kind = "account" } } }
            columns.login = { category = "contact" }
        "#);
        let source = place.open(&map).await;
        let who = [Identifier::account("AB-17x ").unwrap()];
        let found = done(source.locate(&context("l"), &who).await.unwrap());
        let plan = source.plan(&context("p"), &found.locators, &Work::Erase).await;
        let plan = done(plan.unwrap());
        let erased = source.erase(&context("e"), &found.locators, &plan).await;
        done(erased.unwrap());
        assert_eq!(place.rows("people", "n").await, ["2"], "{}", place.name);
        assert_eq!(place.rows("visits", "n").await, ["3", "4"], "{}", place.name);
    })
    .await;
}

const NOTES: &str = r#"
    [tables.people]
    person = true
    names = [["first", "middle", "last"]]
    columns.first = { category = "identity" }
    columns.middle = { category = "identity" }
    columns.last = { category = "identity" }
    columns.mail = { category = "contact", identifiers = ["mail"] }
    [tables.notes]
    columns.body = { category = "correspondence", free_text = true }
"#;

/// The notes that are left after an erasure of ada, with these rows of people.
async fn notes(place: &Place, people: &str, notes: &[&str]) -> Vec<String> {
    // Nothing was done yet.
    let _ = place.try_run("DELETE FROM datarights_effects").await;
    let _ = place.try_run("DROP TABLE people").await;
    let _ = place.try_run("DROP TABLE notes").await;
    place
        .run(&[
            "CREATE TABLE people (n INTEGER PRIMARY KEY, first VARCHAR(20), middle VARCHAR(20), \
             last VARCHAR(20), mail VARCHAR(40))",
            "CREATE TABLE notes (n INTEGER PRIMARY KEY, body VARCHAR(80))",
            &format!("INSERT INTO people VALUES {people}"),
        ])
        .await;
    for (n, note) in notes.iter().enumerate() {
        let note = format!("INSERT INTO notes VALUES ({n}, {})", place.literal(note));
        place.run(&[&note]).await;
    }
    let source = place.open(&map(NOTES)).await;
    erase(&source, MAIL).await;
    place.rows("notes", "body").await
}

/// Whoever else is called so keeps every mention; an empty part of a name is none.
#[tokio::test]
async fn a_name_is_theirs_alone_in_whatever_case() {
    const ADA: &str = "(1, 'Ada', NULL, ' Berg ', 'ada@example.org')";
    everywhere(async |place| {
        let text = ["Call Ada Berg.", "Call ADA BERG."];
        let gone = ["Call [removed]."; 2];
        assert_eq!(notes(place, ADA, &text).await, gone, "{}", place.name);
        for part in ["''", "' '"] {
            let ada = ADA.replace("NULL", part);
            assert_eq!(notes(place, &ada, &text).await, gone, "{}", place.name);
        }
        let stays = {
            let mut text = text;
            text.sort_unstable();
            text
        };
        for other in [
            "(2, 'ADA', '', 'Berg', 'bob@example.org')",
            "(2, 'Ada Berg', NULL, NULL, 'bob@example.org')",
        ] {
            let people = format!("{ADA}, {other}");
            assert_eq!(
                notes(place, &people, &text).await,
                stays,
                "{} {other}",
                place.name
            );
        }
        // Another accent is another name.
        let people = format!("{ADA}, (2, 'Ada', '', 'Bérg', 'bob@example.org')");
        assert_eq!(notes(place, &people, &text).await, gone, "{}", place.name);
        // Two rows of hers are nobody else's.
        let people = format!("{ADA}, (2, 'Ada', '', 'Berg', 'Ada@example.org')");
        assert_eq!(notes(place, &people, &text).await, gone, "{}", place.name);
        let middle = "(1, 'Ada', 'Mary', 'Berg', 'ada@example.org')";
        let left = notes(place, middle, &["Ada Mary Berg", "Ada Berg"]).await;
        assert_eq!(left, ["Ada Berg", "[removed]"], "{}", place.name);
    })
    .await;
}

/// Rows of other schemas go with a person's, and no map can say so.
#[tokio::test]
async fn what_is_deleted_elsewhere_along_with_a_row_is_refused() {
    everywhere(async |place| {
        let make = "CREATE TABLE people (n INTEGER PRIMARY KEY, mail VARCHAR(80))";
        place.run(&[make]).await;
        let keyed = "person INTEGER, FOREIGN KEY (person) REFERENCES";
        let elsewhere = match place.name {
            "postgres" => {
                place
                    .run(&[
                        "CREATE SCHEMA other",
                        &format!("CREATE TABLE other.notes ({keyed} people (n) ON DELETE CASCADE)"),
                        &format!("CREATE TABLE other.fine ({keyed} people (n))"),
                    ])
                    .await;
                "other.notes"
            }
            "mariadb" => {
                let here = place.texts("SELECT CAST(database() AS CHAR)").await[0].clone();
                let other = format!("{here}_other");
                place
                    .run(&[
                        &format!("CREATE DATABASE {other}"),
                        &format!("CREATE TABLE {other}.notes ({keyed} {here}.people (n) ON DELETE CASCADE)"),
                    ])
                    .await;
                "_other.notes"
            }
            _ => return, // a key stays in its file
        };
        let text = |how: &str, erase: &str| {
            format!(
                r#"
                [tables.people]
                person = true
                {how}
                columns.mail = {{ category = "contact", identifiers = ["mail"]{erase} }}
                "#
            )
        };
        let source = SqlSource::open(place.pool.clone(), &map(&text("", "")), clock(), options()).await;
        // Where the rows stay, nothing else goes.
        let stays = map(&text("erase = \"columns\"", ", erase = \"null\""));
        let open = SqlSource::open(place.pool.clone(), &stays, clock(), options()).await;
        if place.name == "mariadb" {
            let here = place.texts("SELECT CAST(database() AS CHAR)").await[0].clone();
            place.run(&[&format!("DROP DATABASE {here}_other")]).await;
        }
        let told = source.expect_err(place.name).to_string();
        assert!(told.contains(elsewhere), "{}: {told}", place.name);
        assert!(!told.contains("other.fine"), "{told}");
        open.unwrap();
    })
    .await;
}

/// A key of one partition is one of the table: it is to be followed.
#[tokio::test]
async fn a_key_of_a_partition_is_followed() {
    everywhere(async |place| {
        if place.name != "postgres" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (n INTEGER PRIMARY KEY, mail TEXT)",
                "CREATE TABLE visits (n INTEGER, person INTEGER) PARTITION BY LIST (n)",
                "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1)",
                "CREATE TABLE visits_2 PARTITION OF visits FOR VALUES IN (2)",
                "ALTER TABLE visits_1 ADD FOREIGN KEY (person) REFERENCES people (n) ON DELETE CASCADE",
                "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                "INSERT INTO visits VALUES (1, 1), (1, 2), (2, 1)",
            ])
            .await;
        let text = |visits: &str| {
            map(&format!(
                r#"
                [tables.people]
                person = true
                columns.mail = {{ category = "contact", identifiers = ["mail"] }}
                {visits}
                "#
            ))
        };
        let exempt = text("[[exempt]]\ntable = \"visits\"\nreason = \"counts\"");
        let source = SqlSource::open(place.pool.clone(), &exempt, clock(), options()).await;
        let told = source.unwrap_err().to_string();
        assert!(told.contains("visits.person"), "{told}");
        let followed = text(
            "[tables.visits]\nlinks.person = { columns = [\"person\"], to = { rows = { table = \"people\" } } }",
        );
        let source = place.open(&followed).await;
        erase(&source, MAIL).await;
        assert_eq!(place.rows("visits", "n, person").await, ["1|2"]);
    })
    .await;
}

/// SQLite keeps what it is given: some libraries write words for true and false.
#[tokio::test]
async fn truth_may_be_written_as_a_word() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (n INTEGER PRIMARY KEY, mail TEXT)",
                "CREATE TABLE claims (n INTEGER PRIMARY KEY, person INTEGER, is_open BOOLEAN, ours BOOLEAN)",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO claims VALUES (1, 1, 'true', 1), (2, 1, 'T', 'yes'), (3, 1, 'false', 'true'), \
                 (4, 1, 0, '1'), (5, 1, 'true', 'f'), (6, 1, NULL, 'TRUE'), (7, 1, 1, 0)",
            ])
            .await;
        let map = map(r#"
            [tables.people]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"] }
            [tables.claims]
            kept_while = [{ column = "is_open", equals = true, ground = "legal_claims" }]
            links.person = { columns = ["person"], to = { rows = { table = "people" } }, when = { column = "ours", equals = true } }
            columns.is_open = { category = "financial" }
        "#);
        let source = place.open(&map).await;
        let (rows, _) = read(&source, MAIL).await;
        let open: Vec<&str> = rows
            .iter()
            .filter(|(name, _)| name == "claims")
            .map(|(_, row)| row[0].1.as_str())
            .collect();
        assert_eq!(open.len(), 5);
        let said = |word: &str| open.iter().filter(|cell| cell.contains(word)).count();
        assert_eq!((said("true"), said("false"), said("Null")), (2, 2, 1), "{open:?}");
        erase(&source, MAIL).await;
        // Open claims stay, and what is not hers.
        assert_eq!(place.rows("claims", "n").await, ["1", "2", "5", "7"]);
    })
    .await;
}

/// A copy that the database itself hands on by a key is counted, and planned.
#[tokio::test]
async fn copies_are_planned_and_follow_by_a_key_too() {
    everywhere(async |place| {
        for rule in [" ON UPDATE CASCADE", ""] {
            let key = match rule {
                "" => "",
                _ => ", FOREIGN KEY (mail) REFERENCES people (mail)",
            };
            let _ = place.try_run("DROP TABLE letters").await;
            let _ = place.try_run("DROP TABLE people").await;
            place
                .run(&[
                    "CREATE TABLE people (n INTEGER PRIMARY KEY, mail VARCHAR(80) UNIQUE)",
                    &format!(
                        "CREATE TABLE letters (n INTEGER PRIMARY KEY, person INTEGER, mail VARCHAR(80){key}{rule})"
                    ),
                    "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                    "INSERT INTO letters VALUES (1, 1, 'ada@example.org'), (2, 1, NULL), (3, 2, 'bob@example.org')",
                ])
                .await;
            let map = map(r#"
                [tables.people]
                person = true
                columns.mail = { category = "contact", identifiers = ["mail"], rectify = true, copies = [{ table = "letters", column = "mail" }] }
                [tables.letters]
                links.person = { columns = ["person"], to = { rows = { table = "people" } } }
                links.mail = { columns = ["mail"], to = { rows = { table = "people", columns = ["mail"] } } }
                columns.mail = { category = "contact" }
            "#);
            let source = place.open(&map).await;
            let found = locate(&source, MAIL).await;
            let wish = [correction("people", "mail", "eve@example.org")];
            let work = Work::Rectify(wish.to_vec());
            let plan = source.plan(&context("p"), &found.locators, &work).await;
            let plan = done(plan.unwrap());
            let planned: Vec<(&str, u64)> = plan
                .rows
                .iter()
                .filter(|line| matches!(line.action, PlannedAction::Correct { .. }))
                .map(|line| (line.collection.as_str(), line.rows))
                .collect();
            assert_eq!(planned, [("people", 1), ("letters", 1)], "{}", place.name);
            let told = source.rectify(&context(&format!("c{rule}")), &found.locators, &wish).await;
            let mut told = done(told.unwrap());
            told.sort();
            let told: Vec<(&str, u64)> =
                told.iter().map(|count| (count.collection.as_str(), count.rows)).collect();
            assert_eq!(told, [("letters", 1), ("people", 1)], "{}{rule}", place.name);
            let letters = place.rows("letters", "mail").await;
            assert_eq!(letters, ["-", "bob@example.org", "eve@example.org"], "{}", place.name);
        }
    })
    .await;
}

/// What the database deletes by itself, along with a row of the same table, is counted.
#[tokio::test]
async fn rows_that_go_by_a_cascade_are_counted() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (n INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE posts (id INTEGER PRIMARY KEY, person INTEGER, answers INTEGER, \
                 FOREIGN KEY (answers) REFERENCES posts (id) ON DELETE CASCADE)",
                "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                "INSERT INTO posts VALUES (1, 1, NULL), (2, 1, 1), (3, 2, 2), (4, 2, NULL)",
            ])
            .await;
        let map = map(r#"
            [tables.people]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"] }
            [tables.posts]
            links.person = { columns = ["person"], to = { rows = { table = "people" } } }
            links.answers = { columns = ["answers"], to = { rows = { table = "posts" } } }
            columns.id = { category = "identity" }
        "#);
        let source = place.open(&map).await;
        let erased = erase(&source, MAIL).await;
        let posts = erased.rows.iter().find(|count| count.collection == "posts");
        assert_eq!(posts.map(|count| count.rows), Some(3), "{}", place.name);
        assert_eq!(place.rows("posts", "id").await, ["4"], "{}", place.name);
    })
    .await;
}

/// Places on a map and single bits are handed over as somebody can read them.
#[tokio::test]
async fn places_and_bits_can_be_read() {
    everywhere(async |place| {
        if place.name != "mariadb" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (n INTEGER PRIMARY KEY, mail VARCHAR(80), home POINT, vip BIT(1), flags BIT(9))",
                "INSERT INTO people VALUES (1, 'ada@example.org', ST_GeomFromText('POINT(2 48)'), b'1', b'101')",
            ])
            .await;
        let map = map(r#"
            [tables.people]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"] }
            columns.home = { category = "location" }
            columns.vip = { category = "usage" }
            columns.flags = { category = "usage" }
        "#);
        let source = place.open(&map).await;
        let (rows, _) = read(&source, MAIL).await;
        let cells: Vec<&str> = rows[0].1.iter().map(|(_, cell)| cell.as_str()).collect();
        let all = cells.join(" ");
        for said in ["POINT(2 48)", "1", "5"] {
            assert!(all.contains(said), "{all}");
        }
        erase(&source, MAIL).await;
    })
    .await;
}

/// What does not fit into the characters of a key is not what stands there for it.
#[tokio::test]
async fn a_question_mark_is_no_letter() {
    everywhere(async |place| {
        if place.name != "mariadb" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (id VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE posts (n INTEGER PRIMARY KEY, person VARCHAR(20) CHARACTER SET utf8mb4)",
                "INSERT INTO people VALUES ('???', 'ada@example.org'), ('bob', 'bob@example.org')",
                "INSERT INTO posts VALUES (1, '???'), (2, 'Жак'), (3, 'bob')",
            ])
            .await;
        erase(&place.open(&map(POSTS)).await, MAIL).await;
        assert_eq!(place.rows("posts", "n").await, ["2", "3"]);
    })
    .await;
}

/// A kind as a map writes it.
fn kind_of(identifier: &Identifier) -> &'static str {
    match identifier.kind() {
        IdentifierKind::Phone => "phone",
        IdentifierKind::Device => "device",
        _ => "account",
    }
}

/// Numbers beyond those with a sign, UUIDs in upper case, texts in columns of numbers, addresses: by an
/// identifier they are found as they are.
#[tokio::test]
async fn an_identifier_is_found_in_columns_of_every_type() {
    const UPPER: &str = "0F0E0D0C-0B0A-4908-8706-050403020100";
    everywhere(async |place| {
        // The type, the identifier, what stands there, which of it is meant.
        let mut columns: Vec<(&str, Identifier, Vec<&str>, Vec<&str>)> = vec![(
            "BIGINT",
            Identifier::account("5").unwrap(),
            vec!["5", "50"],
            vec!["1"],
        )];
        match place.name {
            "sqlite" => {
                for kind in ["INTEGER", "NUMERIC"] {
                    columns.push((
                        kind,
                        Identifier::phone("+33 123 456 789").unwrap(),
                        vec!["'+33 123 456 789'", "'+33123456789'", "'0033 123456789'", "33123456788"],
                        vec!["1", "2", "3"],
                    ));
                    columns.push((
                        kind,
                        Identifier::account("A-12").unwrap(),
                        vec!["'A-12'", "'A-13'"],
                        vec!["1"],
                    ));
                }
            }
            "postgres" => {
                columns.push((
                    "INET",
                    Identifier::device("10.0.0.1").unwrap(),
                    vec!["'10.0.0.1'", "'10.0.0.11'"],
                    vec!["1"],
                ));
            }
            _ => columns.push((
                "BIGINT UNSIGNED",
                Identifier::account("18446744073709551610").unwrap(),
                vec!["18446744073709551610", "18446744073709551611"],
                vec!["1"],
            )),
        }
        if place.name != "sqlite" {
            let lower = "'0f0e0d0c-0b0a-4908-8706-050403020100'";
            let other = "'0f0e0d0c-0b0a-4908-8706-050403020101'";
            columns.push((
                "UUID",
                Identifier::account(UPPER).unwrap(),
                vec![lower, other],
                vec!["1"],
            ));
        }
        for (kind, identifier, values, meant) in columns {
            for normal in [false, true] {
                let _ = place.try_run("DROP TABLE datarights_effects").await;
                let _ = place.try_run("DROP TABLE visits").await;
                place
                    .run(&[&format!("CREATE TABLE visits (n INTEGER PRIMARY KEY, who {kind})")])
                    .await;
                for (n, value) in values.iter().enumerate() {
                    let row = format!("INSERT INTO visits VALUES ({}, {value})", n + 1);
                    place.run(&[&row]).await;
                }
                let map = map(&format!(
                    r#"
                    [tables.visits]
                    links.by = {{ columns = ["who"], to = {{ identifier = {{ kind = "{}", normal = {normal} }} }} }}
                    columns.who = {{ category = "contact" }}
                    "#,
                    kind_of(&identifier)
                ));
                let source = place.open(&map).await;
                let who = [identifier.clone()];
                let found = done(source.locate(&context("l"), &who).await.unwrap());
                let said = format!("{} {kind} {normal}", place.name);
                assert_eq!(found.rows.first().map(|c| c.rows), Some(meant.len() as u64), "{said}");
                let plan = source.plan(&context("p"), &found.locators, &Work::Erase).await;
                let plan = done(plan.unwrap());
                let erased = source.erase(&context("e"), &found.locators, &plan).await;
                done(erased.unwrap());
                let left = values.len() - meant.len();
                assert_eq!(place.rows("visits", "n").await.len(), left, "{said}");
            }
        }
    })
    .await;
}

/// A type made of another compares as that one does.
#[tokio::test]
async fn a_domain_is_what_it_is_made_of() {
    everywhere(async |place| {
        if place.name != "postgres" {
            return;
        }
        place
            .run(&[
                "CREATE DOMAIN number AS NUMERIC(12, 2)",
                "CREATE DOMAIN short AS VARCHAR(5)",
                "CREATE TABLE people (id number PRIMARY KEY, mail TEXT, name short)",
                "CREATE TABLE posts (n INTEGER PRIMARY KEY, person INTEGER)",
                "INSERT INTO people VALUES (1, 'ada@example.org', 'Ada'), (2, 'bob@example.org', 'Bob')",
                "INSERT INTO posts VALUES (1, 1), (2, 2)",
            ])
            .await;
        let posts = POSTS.replace(
            "[tables.posts]",
            "columns.name = { category = \"identity\", rectify = true }\n[tables.posts]",
        );
        let source = place.open(&map(&posts)).await;
        let found = locate(&source, MAIL).await;
        let wish = [correction("people", "name", "Adelaide")];
        let told = source.rectify(&context("c"), &found.locators, &wish).await;
        assert_eq!(told.map(|_| ()).unwrap_err().to_string(), "too_long at people.name");
        erase(&source, MAIL).await;
        assert_eq!(place.rows("posts", "n").await, ["2"]);
    })
    .await;
}

/// A key may be stricter than its column.
#[tokio::test]
async fn a_key_that_tells_more_apart_than_its_column_names_no_people() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (id TEXT COLLATE NOCASE NOT NULL, mail TEXT, PRIMARY KEY (id COLLATE BINARY))",
                "CREATE TABLE posts (n INTEGER PRIMARY KEY, person TEXT)",
            ])
            .await;
        let source = SqlSource::open(place.pool.clone(), &map(POSTS), clock(), options()).await;
        let told = source.unwrap_err().to_string();
        assert!(told.contains("no primary key names them"), "{told}");
    })
    .await;
}

/// Names of columns are the same in whatever case, where the database says so.
#[tokio::test]
async fn a_declared_key_may_be_written_in_another_case() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE posts (n INTEGER PRIMARY KEY, person INTEGER, FOREIGN KEY (PERSON) REFERENCES people (ID))",
                "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                "INSERT INTO posts VALUES (1, 1), (2, 2)",
            ])
            .await;
        erase(&place.open(&map(POSTS)).await, MAIL).await;
        assert_eq!(place.rows("posts", "n").await, ["2"], "{}", place.name);
    })
    .await;
}

/// A fixed value of a type that has its own form is there once it is written.
#[tokio::test]
async fn a_fixed_value_is_known_again() {
    everywhere(async |place| {
        let columns: &[(&str, &str, &str)] = match place.name {
            "postgres" => &[
                ("a", "UUID", "00000000-0000-0000-0000-000000000000"),
                ("b", "INET", "::1"),
                ("c", "JSON", "{}"),
                ("d", "POINT", "(0,0)"),
            ],
            "mariadb" => &[
                ("a", "UUID", "00000000-0000-0000-0000-000000000000"),
                ("b", "INET6", "::1"),
                ("c", "JSON", "{}"),
                ("d", "TIME(3)", "00:00:00"),
            ],
            _ => &[("a", "TEXT", "x"), ("b", "CLOB", "y")],
        };
        let typed: Vec<String> = columns.iter().map(|(name, kind, _)| format!("{name} {kind}")).collect();
        let nulls = vec!["NULL"; columns.len()].join(", ");
        place
            .run(&[
                &format!("CREATE TABLE people (n INTEGER PRIMARY KEY, mail VARCHAR(80), {})", typed.join(", ")),
                &format!("INSERT INTO people VALUES (1, 'ada@example.org', {nulls})"),
            ])
            .await;
        let fixed: Vec<String> = columns
            .iter()
            .map(|(name, _, value)| format!("columns.{name} = {{ category = \"usage\", erase = {{ fixed = \"{value}\" }} }}"))
            .collect();
        let map = map(&format!(
            "[tables.people]\nperson = true\nerase = \"columns\"\ncolumns.mail = {{ category = \"contact\", identifiers \
             = [\"mail\"], erase = \"null\" }}\n{}",
            fixed.join("\n")
        ));
        erase(&place.open(&map).await, MAIL).await;
    })
    .await;
}

/// Rules that call different texts equal cannot look into one; others can.
#[tokio::test]
async fn texts_under_rules_of_their_own_are_looked_into() {
    everywhere(async |place| {
        if place.name != "postgres" {
            return;
        }
        place
            .run(&[
                "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
                "CREATE TABLE people (n INTEGER PRIMARY KEY, mail TEXT COLLATE loose, phone TEXT COLLATE loose, born TEXT COLLATE loose)",
                "CREATE TABLE notes (n INTEGER PRIMARY KEY, body TEXT COLLATE loose)",
                "INSERT INTO people VALUES (1, 'Ada@example.org', '+33 123456789', '1815-12-10')",
                "INSERT INTO notes VALUES (1, 'of ada@example.org'), (2, 'of joada@example.org')",
            ])
            .await;
        let map = map(r#"
            [tables.people]
            person = true
            erase = "columns"
            columns.mail = { category = "contact", identifiers = ["mail"], erase = "null" }
            columns.phone = { category = "contact", identifiers = ["phone"], erase = { mask = 3 } }
            columns.born = { category = "identity", erase = { generalise = "year" } }
            [tables.notes]
            columns.body = { category = "correspondence", free_text = true }
        "#);
        let source = place.open(&map).await;
        erase(&source, MAIL).await;
        assert_eq!(place.rows("notes", "body").await, ["of [removed]", "of joada@example.org"]);
        assert_eq!(place.rows("people", "phone, born").await, ["+33**********|1815-01-01"]);
    })
    .await;
}
