//! The search by value, beside what was planted: identifiers in all forms and places, and their
//! likes that are none, by chance on fixed seeds.

use datarights::datamap::{Column, DataMap, Link, RowErasure, Strategy, Table};
use datarights::model::{Category, Identifier, IdentifierKind, RowCount, SearchDepth};
use datarights::ports::{PersonalDataSource, Work};

use crate::engines::{Place, everywhere};
use crate::{context, done, erase, locate, options};

const MAIL: &str = "m.wojcik@example.org";

/// What names her, by how it stands there.
const NAMING: [&str; 9] = [
    "m.wojcik@example.org",
    "Write to <M.Wojcik@Example.ORG>, soon.",
    "tel 0033 (1) 23.45-67/89",
    "+33123456789",
    "for MAŁGORZATA Wójcik",
    r#"{"who":"Ma\u0142gorzata W\u00f3jcik"}"#,
    r#"{"mail":"m.wojcik@example.org","n":[1]}"#,
    r#"{"inner":"{\"tel\":\"+33 1 23 45 67 89\"}"}"#,
    r#"{"url":"https:\/\/example.org\/m.wojcik@example.org"}"#,
];

/// What only looks like it.
const LIKE: [&str; 8] = [
    "em.wojcik@example.org",
    "m.wojcik@example.organic",
    "m.wojcik@example.org.uk",
    "+331234567890",
    "133123456789",
    "Małgorzata Wójcikowa",
    r#"{"who":"Ma\u0142gorzata"}"#,
    "",
];

/// A number by chance, always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, many: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % many as u64) as usize
    }

    /// A text, and whether it names her.
    fn text(&mut self, json: bool) -> (&'static str, bool) {
        loop {
            let naming = self.below(2) == 0;
            let text = match naming {
                true => NAMING[self.below(NAMING.len())],
                false => LIKE[self.below(LIKE.len())],
            };
            if !json || text.starts_with('{') {
                return (text, naming);
            }
        }
    }
}

impl Place {
    fn of_type(&self, kind: &str) -> &'static str {
        match (kind, self.name) {
            ("bytes", "postgres") => "BYTEA",
            ("bytes", "mariadb") => "LONGBLOB",
            ("bytes", _) => "BLOB",
            ("json", "postgres") => "JSONB",
            ("json", "sqlite") => "TEXT",
            _ => "JSON",
        }
    }

    /// People, what hangs on them, and what no map tells of.
    async fn made(&self) {
        let (bytes, json) = (self.of_type("bytes"), self.of_type("json"));
        let letters = format!(
            "CREATE TABLE letters (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), body TEXT,
             about {json}, scan {bytes})"
        );
        let jobs =
            format!("CREATE TABLE jobs (id INTEGER PRIMARY KEY, payload {json}, raw {bytes})");
        self.run(&[
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), phone VARCHAR(40), first_name
             VARCHAR(40), last_name VARCHAR(40))",
            &letters,
            &jobs,
            "CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), day DATE, sent
             VARCHAR(80))",
            "INSERT INTO people VALUES (1, 'm.wojcik@example.org', '+33 1 23 45 67 89', 'Małgorzata',
             'Wójcik'), (2, 'b@example.org', NULL, 'Małgorzata', 'Wolna')",
        ])
        .await;
    }
}

fn map() -> DataMap {
    DataMap::from_toml(
        r#"
        schema = 1
        [tables.people]
        person = true
        names = [["first_name", "last_name"]]
        columns.mail = { category = "contact", identifiers = ["mail"] }
        columns.phone = { category = "contact", identifiers = ["phone"] }
        columns.first_name = { category = "identity" }
        columns.last_name = { category = "identity" }
        [tables.letters]
        links.person = { columns = ["person"], to = { rows = { table = "people" } } }
        columns.body = { category = "correspondence", free_text = true }
        columns.about = { category = "correspondence", free_text = true }
        columns.scan = { category = "correspondence" }
        [tables.bills]
        links.person = { columns = ["person"], to = { rows = { table = "people" } } }
        columns.day = { category = "financial" }
        columns.sent = { category = "contact" }
        retention = { from = "day", rule = { named = "fr_com_l123_22" } }
        [[exempt]]
        table = "*"
        columns = ["id"]
        reason = "numbers"
        [[exempt]]
        table = "jobs"
        reason = "a queue that is empty between two runs"
        "#,
    )
    .unwrap()
}

/// Fills letters of others, and a table that came after the map, which has no key; answers how many
/// rows of each place name her.
async fn planted(place: &Place, seed: u64) -> Vec<RowCount> {
    let (bytes, json) = (place.of_type("bytes"), place.of_type("json"));
    let outbox = place.quoted("out box");
    let outbox = format!("CREATE TABLE {outbox} (body TEXT, about {json}, raw {bytes})");
    place.run(&[&outbox]).await;
    let mut chance = Chance(seed);
    let mut counts = std::collections::BTreeMap::new();
    for n in 0..60 {
        let table = ["letters", "jobs", "out box"][chance.below(3)];
        let (body, of_body) = chance.text(false);
        let (about, of_about) = chance.text(true);
        let (raw, of_raw) = chance.text(false);
        // Not all bytes are text.
        let mut cell = vec![0xff, 0, b' '];
        cell.extend(raw.as_bytes());
        if chance.below(10) == 0 && raw.contains("wojcik") {
            cell.extend(vec![b'.'; 100_000]);
            cell.extend(MAIL.as_bytes());
        }
        let of_raw = of_raw || cell.len() > 100_000;
        let (body, about) = (place.literal(body), place.literal(about));
        let raw = place.bytes(&cell);
        let (row, places) = match table {
            "letters" => (
                format!("({n}, 2, {body}, {about}, {raw})"),
                [
                    Some(("body", of_body)),
                    Some(("about", of_about)),
                    Some(("scan", of_raw)),
                ],
            ),
            "jobs" => (
                format!("({n}, {about}, {raw})"),
                [Some(("payload", of_about)), Some(("raw", of_raw)), None],
            ),
            _ => (
                format!("({body}, {about}, {raw})"),
                [
                    Some(("body", of_body)),
                    Some(("about", of_about)),
                    Some(("raw", of_raw)),
                ],
            ),
        };
        let insert = format!("INSERT INTO {} VALUES ", place.quoted(table));
        place.run(&[&format!("{insert}{row}")]).await;
        for (column, names) in places.into_iter().flatten() {
            *counts.entry(format!("{table}.{column}")).or_insert(0) += u64::from(names);
        }
    }
    let counts = counts.into_iter().filter(|(_, rows)| *rows > 0);
    counts
        .map(|(place, rows)| RowCount::new(place, rows))
        .collect()
}

fn sorted(mut counts: Vec<RowCount>) -> Vec<RowCount> {
    counts.sort();
    counts
}

#[tokio::test]
async fn every_identifier_is_found_wherever_it_stands_and_nothing_else() {
    everywhere(async |place| {
        place.made().await;
        let source = place
            .open_with(&map(), options().searching_by_value())
            .await;
        let seed = 0x5eed + place.name.len() as u64;
        let found = locate(&source, MAIL).await;
        let planted = planted(place, seed).await;
        assert!(planted.len() > 5, "{}", place.name);
        let her = [
            RowCount::new("people.mail", 1),
            RowCount::new("people.phone", 1),
        ];
        let values = source.search_by_value(&context("v"), &found.locators).await;
        let values = values.unwrap_or_else(|error| panic!("{}: {error}", place.name));
        let all = sorted(planted.iter().cloned().chain(her).collect());
        assert_eq!(sorted(values.rows), all, "{}", place.name);
        assert_eq!((values.tables, values.not_looked_for), (5, vec![]));

        let map = map().exempt("out box", "nobody looked");
        let source = place.open_with(&map, options().searching_by_value()).await;
        // An erasure would leave what no path reaches, and leaves it.
        let beyond =
            |count: &&RowCount| !["letters.body", "letters.about"].contains(&&*count.collection);
        let left: Vec<RowCount> = planted.iter().filter(beyond).cloned().collect();
        let before = place.rows("people", "id, mail").await;
        let foreseen = source
            .foresee_by_value(&context("f"), &found.locators)
            .await;
        assert_eq!(sorted(foreseen.unwrap().rows), left, "{}", place.name);
        assert_eq!(place.rows("people", "id, mail").await, before);
        let plan = source
            .plan(&context("p"), &found.locators, &Work::Erase)
            .await;
        let erased = source
            .erase(&context("e"), &found.locators, &done(plan.unwrap()))
            .await;
        done(erased.unwrap_or_else(|error| panic!("{}: {error}", place.name)));
        let residue = source.residue(&context("r"), &found.locators).await;
        let residue = done(residue.unwrap());
        assert_eq!(sorted(residue.rows), left, "{}", place.name);
        assert_eq!(residue.depth, SearchDepth::ByValue);
        // What was JSON is JSON.
        for about in place.rows("letters", "about").await {
            let about: Result<serde_json::Value, _> = serde_json::from_str(&about);
            assert!(about.is_ok_and(|about| about.is_object()), "{}", place.name);
        }
        // Who asks for no more is told no more.
        let by_path = place.open(&map).await;
        let residue = by_path.residue(&context("r"), &found.locators).await;
        let residue = done(residue.unwrap());
        assert_eq!((residue.rows, residue.depth), (vec![], SearchDepth::ByPath));
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_is_not_told_twice() {
    everywhere(async |place| {
        place.made().await;
        let source = place
            .open_with(&map(), options().searching_by_value())
            .await;
        place
            .run(&[
                "INSERT INTO bills VALUES (1, 1, '2026-01-01', 'm.wojcik@example.org'), \
                    (2, 2, '2026-01-01', 'm.wojcik@example.org')",
            ])
            .await;
        let erased = crate::locate(&source, MAIL).await;
        let plan = source
            .plan(&context("p"), &erased.locators, &Work::Erase)
            .await;
        let done_ = source
            .erase(&context("e"), &erased.locators, &done(plan.unwrap()))
            .await;
        assert_eq!(done(done_.unwrap()).withheld.len(), 2, "the account too");
        let residue = source.residue(&context("r"), &erased.locators).await;
        let residue = done(residue.unwrap()).rows;
        // What stands in somebody else's bill is left.
        assert_eq!(residue, [RowCount::new("bills.sent", 1)], "{}", place.name);
    })
    .await;
}

#[tokio::test]
async fn a_search_that_could_not_be_made_is_not_claimed() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE cards (id INTEGER PRIMARY KEY, holder VARCHAR(20))",
                "INSERT INTO cards VALUES (1, '4711')",
            ])
            .await;
        let account = Identifier::account("4711").unwrap();
        let link = Link::identifier("holder", IdentifierKind::Account);
        let holder = Column::of(Category::Account);
        let map = DataMap::new()
            .table(
                "cards",
                Table::new().link("holder", link).column("holder", holder),
            )
            .exempt_columns("cards", ["id"], "a number");
        let source = place.open_with(&map, options().searching_by_value()).await;
        let found = done(source.locate(&context("l"), &[account]).await.unwrap());
        let residue = source.residue(&context("r"), &found.locators).await;
        let residue = done(residue.unwrap());
        assert_eq!(residue.rows, [RowCount::new("cards", 1)]);
        assert_eq!(residue.depth, SearchDepth::ByPath, "{}", place.name);
        let values = source.search_by_value(&context("v"), &found.locators).await;
        let values = values.unwrap();
        assert!(!values.was_made());
        assert_eq!(values.not_looked_for, [IdentifierKind::Account]);
    })
    .await;
}

/// Where the database puts only ASCII in lower case, or keeps texts in another character set, other
/// letters are found and replaced all the same.
#[tokio::test]
async fn letters_outside_ascii_are_the_same_under_every_collation() {
    everywhere(async |place| {
        let text = match place.name {
            "postgres" => "VARCHAR(80) COLLATE \"C\"",
            "mariadb" => "VARCHAR(80) CHARACTER SET latin1",
            _ => "VARCHAR(80)",
        };
        let people = format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail {text}, name {text}, town {text})"
        );
        let rows = "INSERT INTO people VALUES (1, 'ÉMILE.ÖZ@example.org', 'Émile', 'Orléans'), \
                    (2, 'emile.oz@example.org', 'Emile', 'Orleans')";
        place.run(&[&people, rows]).await;
        let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
        let name =
            Column::of(Category::Identity).erased_by(Strategy::Fixed("personne, effacée".into()));
        let town = Column::of(Category::Contact).erased_by(Strategy::Pseudonym);
        let table = Table::people()
            .erased_by(RowErasure::Columns)
            .column("mail", mail.erased_by(Strategy::Keep))
            .column("name", name)
            .column("town", town);
        let map =
            DataMap::new()
                .table("people", table)
                .exempt_columns("*", ["id"], "a number of ours");
        let options = options().with_pseudonym_key(b"a key of this test alone".to_vec());
        let source = place.open_with(&map, options).await;
        erase(&source, "émile.öz@example.org").await;
        let found = locate(&source, "émile.öz@example.org").await;
        let left = source.residue(&context("r"), &found.locators).await;
        assert_eq!(done(left.unwrap()).rows, [], "{}", place.name);
        let names = place.rows("people", "name").await;
        assert_eq!(names, ["Emile", "personne, effacée"], "{}", place.name);
        let towns = place.rows("people", "town").await;
        assert!(towns.iter().any(|town| town == "Orleans"), "{}", place.name);
        assert!(towns.iter().all(|town| town != "Orléans"), "{}", place.name);
    })
    .await;
}
