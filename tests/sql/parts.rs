//! Parts of JSON documents, addresses that were somebody's for a time, and the strategies that no
//! database has, on all three engines.

use std::collections::{BTreeMap, BTreeSet};

use datarights::adapters::{HostStrategy, SqlOpenError, SqlSource};
use datarights::datamap::{
    Column, DataMap, Generalise, JsonPath, Link, RowErasure, Strategy, Table,
};
use datarights::model::{Category, Ground, Identifier, IdentifierKind, Window};
use datarights::ports::{PersonalDataSource, Work};

use crate::engines::{Place, everywhere};
use crate::{clock, context, done, erase, options, read};

fn people() -> Table {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    Table::people().column("mail", mail)
}

fn map() -> DataMap {
    DataMap::new().exempt_columns("*", ["id"], "a number of ours")
}

fn json_type(place: &Place) -> &'static str {
    match place.name {
        "postgres" => "JSONB",
        "mariadb" => "JSON",
        _ => "TEXT",
    }
}

/// A part of a document as text; `-` where there is none.
async fn part(place: &Place, id: u32, path: [&str; 2]) -> String {
    let [a, b] = path;
    let expression = match place.name {
        "postgres" => format!("doc #>> ARRAY['{a}', '{b}']"),
        "mariadb" => format!("JSON_UNQUOTE(JSON_EXTRACT(doc, '$.\"{a}\".\"{b}\"'))"),
        _ => format!("json_extract(doc, '$.\"{a}\".\"{b}\"')"),
    };
    let table = format!("(SELECT {expression} AS value FROM events WHERE id = {id}) AS e");
    place
        .rows(&table, "value")
        .await
        .remove(0)
        .replace("null", "-")
}

async fn events(place: &Place) {
    let made = format!(
        "CREATE TABLE events (id INTEGER PRIMARY KEY, doc {})",
        json_type(place)
    );
    place
        .run(&[
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
            "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
            &made,
            r#"INSERT INTO events VALUES
              (1, '{"buyer": {"mail": "ADA@example.org", "it''s": "Ada", "zip": "75009", "born": "1815-12-10", "vip": true, "n": 7}, "list": [{"mail": "x"}], "kept": 1}'),
              (2, '{"buyer": {"mail": "bob@example.org", "it''s": "Bob", "zip": "36400"}}'),
              (3, '{"buyer": null}'), (4, NULL), (5, '{"buyer": {"mail": ["ada@example.org"]}}')"#,
        ])
        .await;
}

#[tokio::test]
async fn a_part_of_a_document_leads_to_a_person_and_is_changed() {
    everywhere(async |place| {
        events(place).await;
        let mail = || Link::identifier("doc", IdentifierKind::Mail).at_path(["buyer", "mail"]);
        let change = |path: &str, strategy| JsonPath::at(["buyer", path]).erased_by(strategy);
        let doc = Column::of(Category::Contract)
            .of_others()
            .part(change("mail", Strategy::Null).holding(Category::Contact))
            .part(change("it's", Strategy::Mask(1)))
            .part(change("zip", Strategy::Generalise(Generalise::Prefix(2))))
            .part(change("born", Strategy::Generalise(Generalise::Year)).secret())
            .part(change("vip", Strategy::Fixed(false.into())).of_others())
            .part(change("n", Strategy::Fixed(0.into())).of_others())
            .part(
                JsonPath::at(["list", "0", "mail"])
                    .erased_by(Strategy::Fixed("gone".into()))
                    .of_others(),
            )
            .part(
                JsonPath::at(["not", "there"])
                    .erased_by(Strategy::Fixed("x".into()))
                    .of_others(),
            );
        let events = Table::new()
            .erased_by(RowErasure::Columns)
            .link("buyer", mail())
            .column("doc", doc);
        let map = map().table("people", people()).table("events", events);
        let source = place.open(&map).await;

        let (rows, _) = read(&source, "ada@example.org").await;
        let row = rows.iter().find(|(name, _)| name == "events").unwrap();
        let cell = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            row.1,
            [
                cell("doc.buyer.mail", "{\"Text\":\"ADA@example.org\"}"),
                cell("doc.buyer.it's", "{\"Text\":\"Ada\"}"),
                cell("doc.buyer.zip", "{\"Text\":\"75009\"}"),
                cell("doc.buyer.born", "\"Secret\""),
            ],
            "{}",
            place.name
        );

        let before = place.rows("events", "id, doc").await;
        let erased = erase(&source, "ada@example.org").await;
        let counts: Vec<(&str, u64)> = erased
            .rows
            .iter()
            .map(|c| (&*c.collection, c.rows))
            .collect();
        assert_eq!(counts, [("events", 1), ("people", 1)], "{}", place.name);
        for (path, expected) in [
            ("mail", "-"),
            ("it's", "A**"),
            ("zip", "75"),
            ("born", "1815-01-01"),
            ("n", "0"),
        ] {
            let now = if path == "it's" && place.name != "postgres" {
                part(place, 1, ["buyer", "it''s"]).await
            } else {
                part(place, 1, ["buyer", &path.replace('\'', "''")]).await
            };
            assert_eq!(now, expected, "{} {path}", place.name);
        }
        let after = place.rows("events", "id, doc").await;
        assert!(
            after[0].contains("\"gone\"") && after[0].contains("false"),
            "{after:?}"
        );
        assert!(!after[0].contains("there"), "nothing is added: {after:?}");
        assert_eq!(before[1..], after[1..], "{}", place.name);
    })
    .await;
}

/// In others' rows, the part that leads to the person is taken out of the document.
#[tokio::test]
async fn a_mention_in_a_document_is_taken_out_of_it() {
    everywhere(async |place| {
        events(place).await;
        let mention = Link::identifier("doc", IdentifierKind::Mail)
            .at_path(["buyer", "mail"])
            .mentioned(Ground::new("rights_of_others"));
        let hidden = JsonPath::at(["buyer"]).of_others();
        let events = Table::new()
            .link("buyer", mention)
            .column("doc", Column::default().part(hidden));
        let map = map().table("people", people()).table("events", events);
        let source = place.open(&map).await;
        erase(&source, "ada@example.org").await;
        assert_eq!(
            part(place, 1, ["buyer", "mail"]).await,
            "-",
            "{}",
            place.name
        );
        assert_eq!(part(place, 1, ["buyer", "zip"]).await, "75009");
        assert_eq!(part(place, 2, ["buyer", "mail"]).await, "bob@example.org");
    })
    .await;
}

fn during(address: &str, from: &str, to: &str) -> Identifier {
    let window = Window {
        start: from.parse().unwrap(),
        end: to.parse().unwrap(),
    };
    Identifier::ip_during(address.parse().unwrap(), window)
}

#[tokio::test]
async fn an_address_is_somebodys_for_a_time() {
    everywhere(async |place| {
        let (ip, at) = match place.name {
            "postgres" => ("INET", "TIMESTAMPTZ"),
            "mariadb" => ("VARCHAR(45)", "DATETIME(6)"),
            _ => ("TEXT", "DATETIME"),
        };
        let zone = if place.name == "mariadb" { "" } else { "+00:00" };
        let made = format!("CREATE TABLE visits (id INTEGER PRIMARY KEY, ip {ip}, seen {at}, page VARCHAR(9))");
        let filled = format!(
            "INSERT INTO visits VALUES (1, '192.0.2.7', '2026-03-01 08:59:59{zone}', 'before'),
              (2, '192.0.2.7', '2026-03-01 09:00:00{zone}', 'first'), (3, '::ffff:192.0.2.7', '2026-03-01 09:30:00{zone}', 'mapped'),
              (4, '192.0.2.7', '2026-03-01 10:00:00{zone}', 'after'), (5, '192.0.2.8', '2026-03-01 09:30:00{zone}', 'other'),
              (6, '192.0.2.7', NULL, 'never'), (7, '2001:db8::a:1', '2026-03-01 09:30:00{zone}', 'six'),
              (8, '2001:0DB8:0000:0000:0000:0000:000A:0001', '2026-03-01 09:30:00{zone}', 'zeros'),
              (9, '2001:db8:0:0:0:0:a:1', '2026-03-01 09:30:00{zone}', 'groups'),
              (10, '2001:db8::a:11', '2026-03-01 09:30:00{zone}', 'another')"
        );
        place.run(&[&made, &filled]).await;
        let link = Link::identifier("ip", IdentifierKind::IpDuring).during("seen");
        let visits = Table::new()
            .link("visitor", link)
            .column("ip", Column::of(Category::Device))
            .column("seen", Column::of(Category::Usage))
            .column("page", Column::of(Category::Usage));
        let source = place.open(&map().table("visits", visits)).await;
        assert_eq!(source.describe().accepts, [IdentifierKind::IpDuring]);
        let hour = |address| [during(address, "2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z")];
        let found = source.locate(&context("l"), &hour("2001:db8::a:1")).await;
        assert_eq!(done(found.unwrap()).rows[0].rows, 3, "{}", place.name);
        let found = source.locate(&context("l"), &hour("192.0.2.7")).await;
        let found = done(found.unwrap());
        assert_eq!(found.rows[0].rows, 2, "{}", place.name);
        let plan = source.plan(&context("p"), &found.locators, &Work::Erase).await;
        let plan = done(plan.unwrap());
        done(source.erase(&context("e"), &found.locators, &plan).await.unwrap());
        assert_eq!(
            place.rows("visits", "page").await,
            ["after", "another", "before", "groups", "never", "other", "six", "zeros"],
            "{}",
            place.name
        );
        // Nobody's in another year.
        let who = [during("192.0.2.7", "2025-03-01T09:00:00Z", "2025-03-01T10:00:00Z")];
        let found = done(source.locate(&context("l"), &who).await.unwrap());
        assert!(found.locators.is_empty());
    })
    .await;
}

#[tokio::test]
async fn strategies_that_no_database_has() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, ip VARCHAR(45), code VARCHAR(30), word VARCHAR(30))",
                "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                "INSERT INTO visits VALUES (1, 1, '192.0.2.17', 'AB-12 x', 'Difference'), (2, 1, '2001:db8:1:2:3:4:5:6', NULL, 'difference'),
                  (3, 1, 'nonsense', 'AB-12 x', 'ENGINE'), (4, 2, '192.0.2.99', 'CD-34 y', 'Engine'), (5, 1, NULL, '', NULL)",
            ])
            .await;
        let by = |strategy| Column::of(Category::Device).erased_by(strategy);
        let visits = Table::new()
            .erased_by(RowErasure::Columns)
            .link("person", Link::rows(["person"], "people"))
            .column("person", Column::default().erased_by(Strategy::Keep))
            .column("ip", by(Strategy::Generalise(Generalise::Network)))
            .column("code", by(Strategy::Random))
            .column("word", by(Strategy::Own("reversed".to_owned())));
        let map = map().table("people", people()).table("visits", visits);
        let missing = SqlSource::open(place.pool.clone(), &map, clock(), options()).await;
        assert!(matches!(missing, Err(SqlOpenError::UnknownStrategy(name)) if name == "reversed"));
        let reversed = HostStrategy::new(|word| {
            let done = word.starts_with('~');
            (!done).then(|| format!("~{}", word.chars().rev().collect::<String>()))
        });
        let options = options().with_strategy("reversed", reversed);
        let source = place.open_with(&map, options).await;
        let erased = erase(&source, "ada@example.org").await;
        let changed = erased.rows.iter().find(|count| count.collection == "visits");
        assert_eq!(changed.unwrap().rows, 3, "{}", place.name);
        assert_eq!(
            place.rows("visits", "id, ip, word").await,
            [
                "1|192.0.2.0|~ecnereffiD",
                "2|2001:db8:1:2::|~ecnereffid",
                "3||~ENIGNE",
                "4|192.0.2.99|Engine",
                "5|-|-",
            ],
            "{}",
            place.name
        );
        let codes = place.rows("visits", "id, code").await;
        assert_eq!(codes[3], "4|CD-34 y");
        assert_eq!((&*codes[1], &*codes[4]), ("2|-", "5|"));
        for code in [&codes[0], &codes[2]] {
            let form: String = code[2..]
                .chars()
                .map(|c| match c {
                    '0'..='9' => '0',
                    'A'..='Z' => 'A',
                    'a'..='z' => 'a',
                    c => c,
                })
                .collect();
            assert_eq!(form, "AA-00 a", "{}", place.name);
        }
        assert_ne!(codes[0][2..], codes[2][2..], "each row has its own");
    })
    .await;
}

/// More values than are replaced one by one, each twice: equal ones stay equal, and what is a
/// pseudonym already stays as it is.
#[tokio::test]
async fn many_values_become_pseudonyms() {
    const VALUES: u32 = 230;
    const MADE: &str = "anon-00112233445566778899aabbccddeeff";
    everywhere(async |place| {
        let rows: Vec<String> = (0..2 * VALUES)
            .map(|id| format!("({id}, 1, 'name {}')", id % VALUES))
            .collect();
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, name VARCHAR(80))",
                &format!("INSERT INTO visits VALUES {}", rows.join(", ")),
                &format!("INSERT INTO visits VALUES (1000, 1, '{MADE}'), (1001, 2, 'name 1'), (1002, 1, NULL)"),
            ])
            .await;
        let visits = Table::new()
            .erased_by(RowErasure::Columns)
            .link("person", Link::rows(["person"], "people"))
            .column("person", Column::default().erased_by(Strategy::Keep))
            .column("name", Column::of(Category::Identity).erased_by(Strategy::Pseudonym));
        let source = place.open(&map().table("people", people()).table("visits", visits)).await;
        let erased = erase(&source, "ada@example.org").await;
        let changed = erased.rows.iter().find(|count| count.collection == "visits");
        assert_eq!(changed.unwrap().rows, u64::from(2 * VALUES), "{}", place.name);

        let own = "(SELECT id, name FROM visits WHERE id < 1000) AS v";
        let names: BTreeMap<u32, String> = place
            .rows(own, "id, name")
            .await
            .into_iter()
            .map(|row| {
                let (id, name) = row.split_once('|').unwrap();
                (id.parse().unwrap(), name.to_owned())
            })
            .collect();
        for (id, name) in &names {
            assert!(name.starts_with("anon-") && name.len() == MADE.len(), "{name}");
            assert_eq!(*name, names[&(id % VALUES)], "{}", place.name);
        }
        let different: BTreeSet<&String> = names.values().collect();
        assert_eq!(different.len(), VALUES as usize, "{}", place.name);
        let others = "(SELECT id, name FROM visits WHERE id >= 1000) AS v";
        assert_eq!(
            place.rows(others, "id, name").await,
            [&*format!("1000|{MADE}"), "1001|name 1", "1002|-"],
            "{}",
            place.name
        );
    })
    .await;
}
