//! Databases that are not what one expects: rows without a name, names that hide others, keys of
//! bytes, texts that are none. Nobody else's row is touched, and nothing is said that is not so.

use datarights::adapters::{Hold, SqlFault, SqlOpenError, SqlSource};
use datarights::datamap::DataMap;
use datarights::model::{Ground, Identifier};
use datarights::ports::{PersonalDataSource, Work};

use crate::engines::{Place, everywhere};
use crate::{clock, context, done, erase, locate, options};

const MAIL: &str = "ada@example.org";

fn map(text: &str) -> DataMap {
    let all = format!(
        r#"
        schema = 1
        {text}
        [[exempt]]
        table = "*"
        columns = ["id"]
        reason = "of ours"
        "#
    );
    DataMap::from_toml(&all).unwrap()
}

async fn refused(place: &Place, map: &DataMap) -> SqlOpenError {
    let source = SqlSource::open(place.pool.clone(), map, clock(), options()).await;
    source.expect_err(place.name)
}

/// Erases; answers what is left.
async fn erased(place: &Place, map: &DataMap, mail: &str) -> Vec<String> {
    let source = place.open(map).await;
    let found = locate(&source, mail).await;
    assert!(!found.locators.is_empty(), "{}: nobody", place.name);
    erase(&source, mail).await;
    let left = source.residue(&context("r"), &found.locators).await;
    let rows = done(left.unwrap()).rows;
    rows.iter().map(|count| count.collection.clone()).collect()
}

const VISITS: &str = r#"
    [tables.visits]
    links.by = { columns = ["email"], to = { identifier = { kind = "mail" } } }
    columns.email = { category = "contact" }
    columns.page = { category = "usage" }
"#;

#[tokio::test]
async fn rows_of_partitions_have_the_same_places() {
    everywhere(async |place| {
        if place.name != "postgres" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE visits (email TEXT, page TEXT, id INTEGER) PARTITION BY LIST (id)",
                "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1)",
                "CREATE TABLE visits_2 PARTITION OF visits FOR VALUES IN (2)",
                "INSERT INTO visits VALUES ('ada@example.org', 'a', 1), ('bob@example.org', 'b', 2)",
            ])
            .await;
        assert_eq!(erased(place, &map(VISITS), MAIL).await, [""; 0]);
        assert_eq!(place.rows("visits", "page").await, ["b"]);
    })
    .await;
}

#[tokio::test]
async fn a_key_holds_for_its_table_and_not_for_those_that_inherit() {
    everywhere(async |place| {
        if place.name != "postgres" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)",
                "CREATE TABLE staff (room TEXT, PRIMARY KEY (id)) INHERITS (people)",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO staff VALUES (1, 'bob@example.org', 'r')",
            ])
            .await;
        let people = r#"
            [tables.people]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"] }
            [tables.staff]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"] }
            columns.room = { category = "employment" }
        "#;
        let error = refused(place, &map(people)).await;
        assert!(
            error
                .to_string()
                .contains("people: these rows are people, and no primary key"),
            "{error}"
        );
        // Nobody's own key is needed where a value leads to the rows.
        let values = r#"
            [tables.people]
            links.by = { columns = ["mail"], to = { identifier = { kind = "mail" } } }
            columns.mail = { category = "contact" }
            [tables.staff]
            links.by = { columns = ["mail"], to = { identifier = { kind = "mail" } } }
            columns.mail = { category = "contact" }
            columns.room = { category = "employment" }
        "#;
        assert_eq!(erased(place, &map(values), MAIL).await, [""; 0]);
        assert_eq!(place.rows("people", "mail").await, ["bob@example.org"]);
    })
    .await;
}

/// What a column's own rules call equal is not the same.
#[tokio::test]
async fn a_value_in_normal_form_is_compared_byte_by_byte() {
    everywhere(async |place| {
        let column = match place.name {
            "sqlite" => "email TEXT COLLATE NOCASE",
            "mariadb" => "email VARCHAR(80) COLLATE utf8mb4_general_ci",
            _ => "email TEXT",
        };
        let make = format!("CREATE TABLE visits (id INTEGER PRIMARY KEY, {column}, page VARCHAR(9))");
        place
            .run(&[
                &make,
                "INSERT INTO visits VALUES (1, 'müller-17', 'a'), (2, 'muller-17', 'b'), (3, 'MÜLLER-17', 'c')",
            ])
            .await;
        let map = map(r#"
            [tables.visits]
            links.by = { columns = ["email"], to = { identifier = { kind = "account", normal = true } } }
            columns.email = { category = "contact" }
            columns.page = { category = "usage" }
        "#);
        let source = place.open(&map).await;
        let who = [Identifier::account("müller-17").unwrap()];
        let found = done(source.locate(&context("l"), &who).await.unwrap());
        let plan = source.plan(&context("p"), &found.locators, &Work::Erase).await;
        let plan = done(plan.unwrap());
        let erased = source.erase(&context("e"), &found.locators, &plan).await;
        done(erased.unwrap());
        assert_eq!(place.rows("visits", "page").await, ["b", "c"], "{}", place.name);
    })
    .await;
}

#[tokio::test]
async fn a_column_may_hide_the_number_of_its_row() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE visits (rowid TEXT, email TEXT, page TEXT, id INTEGER)",
                "INSERT INTO visits VALUES ('x', 'ada@example.org', 'a', 1), ('x', 'bob@example.org', 'b', 2)",
                "INSERT INTO visits VALUES (NULL, 'ada@example.org', 'c', 3)",
            ])
            .await;
        let map = map(&format!("{VISITS}\ncolumns.rowid = {{ category = \"usage\" }}"));
        assert_eq!(erased(place, &map, MAIL).await, [""; 0]);
        assert_eq!(place.rows("visits", "page").await, ["b"]);
    })
    .await;
}

const PEOPLE: &str = r#"
    [tables.people]
    person = true
    columns.mail = { category = "contact", identifiers = ["mail"] }
"#;

#[tokio::test]
async fn people_are_found_by_keys_of_bytes_and_large_numbers() {
    everywhere(async |place| {
        let (kind, more) = match place.name {
            "sqlite" => ("BLOB NOT NULL", "BIGINT NOT NULL"),
            "postgres" => ("BYTEA", "BIGINT"),
            _ => ("BINARY(3)", "BIGINT UNSIGNED"),
        };
        let (ada, bob) = (place.bytes(&[0, 0xff, 0x80]), place.bytes(b"abc"));
        let last = match place.name {
            "mariadb" => "18446744073709551610",
            _ => "9223372036854775807",
        };
        let next = match place.name {
            "mariadb" => "18446744073709551611",
            _ => "9223372036854775806",
        };
        place
            .run(&[
                &format!("CREATE TABLE people (id {kind} PRIMARY KEY, mail VARCHAR(80))"),
                &format!("CREATE TABLE orders (id {more} PRIMARY KEY, person {kind})"),
                &format!("CREATE TABLE guests (id {more} PRIMARY KEY, mail VARCHAR(80))"),
                &format!("INSERT INTO people VALUES ({ada}, 'ada@example.org'), ({bob}, 'bob@example.org')"),
                &format!("INSERT INTO orders VALUES (1, {ada}), (2, {bob})"),
                &format!("INSERT INTO guests VALUES ({last}, 'ada@example.org'), ({next}, 'bob@example.org')"),
            ])
            .await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.guests]
            person = true
            columns.mail = {{ category = "contact", identifiers = ["mail"] }}
            [tables.orders]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            "#
        ));
        assert_eq!(erased(place, &map, MAIL).await, [""; 0], "{}", place.name);
        for table in ["people", "guests"] {
            let rows = place.rows(table, "mail").await;
            assert_eq!(rows, ["bob@example.org"], "{} {table}", place.name);
        }
        assert_eq!(place.rows("orders", "id").await, ["2"], "{}", place.name);
    })
    .await;
}

/// Rows without a key are kept with others, and keep what they refer to.
#[tokio::test]
async fn rows_without_a_key_are_kept_with_what_hangs_together() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE invoices (id INTEGER PRIMARY KEY, person INTEGER, day DATE)",
                "CREATE TABLE items (invoice INTEGER, product VARCHAR(20))",
                "CREATE TABLE bills (person INTEGER, day DATE)",
                "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                "INSERT INTO invoices VALUES (1, 1, '2026-01-01'), (2, 1, '2001-01-01')",
                "INSERT INTO items VALUES (1, 'soap'), (2, 'rope')",
                "INSERT INTO bills VALUES (2, '2026-01-01'), (2, '2001-01-01')",
            ])
            .await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.invoices]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            retention = {{ from = "day", rule = {{ named = "fr_com_l123_22" }} }}
            columns.day = {{ category = "financial" }}
            [tables.items]
            kept_with = "invoice"
            links.invoice = {{ columns = ["invoice"], to = {{ rows = {{ table = "invoices" }} }} }}
            columns.product = {{ category = "financial" }}
            [tables.bills]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            retention = {{ from = "day", rule = {{ named = "fr_com_l123_22" }} }}
            columns.day = {{ category = "financial" }}
            "#
        ));
        for mail in [MAIL, "bob@example.org"] {
            assert_eq!(erased(place, &map, mail).await, [""; 0], "{}", place.name);
        }
        assert_eq!(
            place.rows("items", "product").await,
            ["soap"],
            "{}",
            place.name
        );
        assert_eq!(
            place.rows("bills", "day").await,
            ["2026-01-01"],
            "{}",
            place.name
        );
        assert_eq!(
            place.rows("people", "id").await,
            ["1", "2"],
            "{}",
            place.name
        );
    })
    .await;
}

/// A column that leads to two tables keeps rows of the one that it leads to.
#[tokio::test]
async fn a_link_keeps_nothing_where_it_does_not_lead() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER)",
                "CREATE TABLE bills (id INTEGER PRIMARY KEY, model VARCHAR(9), target INTEGER, day DATE)",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, model VARCHAR(9), target INTEGER)",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO orders VALUES (1, 1), (7, 1)",
                "INSERT INTO bills VALUES (7, 'user', 1, '2026-01-01')",
                "INSERT INTO notes VALUES (1, 'order', 7), (2, 'bill', 7)",
            ])
            .await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.orders]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            [tables.bills]
            links.user = {{ columns = ["target"], to = {{ rows = {{ table = "people" }} }}, when = {{ column = "model", equals = "user" }} }}
            links.order = {{ columns = ["target"], to = {{ rows = {{ table = "orders" }} }}, when = {{ column = "model", equals = "order" }} }}
            columns.day = {{ category = "financial" }}
            retention = {{ from = "day", rule = {{ named = "fr_com_l123_22" }} }}
            [tables.notes]
            kept_with = "bill"
            links.bill = {{ columns = ["target"], to = {{ rows = {{ table = "bills" }} }}, when = {{ column = "model", equals = "bill" }} }}
            links.order = {{ columns = ["target"], to = {{ rows = {{ table = "orders" }} }}, when = {{ column = "model", equals = "order" }} }}
            "#
        ));
        assert_eq!(erased(place, &map, MAIL).await, [""; 0], "{}", place.name);
        assert_eq!(place.rows("orders", "id").await, [""; 0], "{}", place.name);
        assert_eq!(place.rows("notes", "id").await, ["2"], "{}", place.name);
        assert_eq!(place.rows("people", "id").await, ["1"], "{}", place.name);
    })
    .await;
}

/// On PostgreSQL a row without a key has another name after each write, on MariaDB after one to what
/// tells it apart.
#[tokio::test]
async fn what_would_be_written_twice_needs_a_key() {
    everywhere(async |place| {
        let make = "CREATE TABLE visits (email VARCHAR(80), page VARCHAR(9), gone TIMESTAMP NULL, id INTEGER)";
        place.run(&[make]).await;
        let hidden = r#"soft_delete = { column = "gone", days = 30 }"#;
        let map = map(&VISITS.replace("links", &format!("{hidden}\nlinks")));
        let opened = SqlSource::open(place.pool.clone(), &map, clock(), options()).await;
        let keyless = matches!(&opened, Err(SqlOpenError::Keyless(table)) if table == "visits");
        assert_eq!(keyless, place.name != "sqlite", "{}", place.name);
    })
    .await;
}

#[tokio::test]
async fn an_address_of_a_type_of_its_own_becomes_its_network() {
    everywhere(async |place| {
        if place.name != "postgres" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE visits (id INTEGER PRIMARY KEY, email TEXT, ip INET)",
                "INSERT INTO visits VALUES (1, 'ada@example.org', '192.0.2.17'), (2, 'bob@example.org', '192.0.2.18')",
            ])
            .await;
        let map = map(r#"
            [tables.visits]
            erase = "columns"
            links.by = { columns = ["email"], to = { identifier = { kind = "mail" } } }
            columns.email = { category = "contact", erase = "keep" }
            columns.ip = { category = "contact", erase = { generalise = "network" } }
        "#);
        assert_eq!(erased(place, &map, MAIL).await, [""; 0]);
        assert_eq!(place.rows("visits", "host(ip)").await, ["192.0.2.0", "192.0.2.18"]);
    })
    .await;
}

#[tokio::test]
async fn a_table_whose_history_stays_is_refused() {
    everywhere(async |place| {
        if place.name != "mariadb" {
            return;
        }
        let made = place.try_run(
            "CREATE TABLE visits (id INTEGER PRIMARY KEY, email TEXT, page TEXT) WITH SYSTEM VERSIONING",
        );
        if made.await.is_err() {
            return; // MySQL has none
        }
        place.run(&["CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)"]).await;
        let error = refused(place, &map(PEOPLE)).await.to_string();
        assert!(error.contains("visits: the table is not described"), "{error}");
        let error = refused(place, &map(&format!("{PEOPLE}{VISITS}"))).await.to_string();
        assert!(error.contains("visits: the database keeps every version"), "{error}");
    })
    .await;
}

/// A key of another kind of number is that number.
#[tokio::test]
async fn a_link_between_kinds_of_numbers_leads_there() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, person DECIMAL(10, 2))",
                "CREATE TABLE calls (id INTEGER PRIMARY KEY, person DOUBLE PRECISION)",
                "INSERT INTO people VALUES (1, 'ada@example.org'), (2, 'bob@example.org')",
                "INSERT INTO orders VALUES (1, 1.00), (2, 2.00), (3, 1.5)",
                "INSERT INTO calls VALUES (1, 1.0), (2, 2.0)",
            ])
            .await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.orders]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            [tables.calls]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            "#
        ));
        assert_eq!(erased(place, &map, MAIL).await, [""; 0], "{}", place.name);
        assert_eq!(
            place.rows("orders", "id").await,
            ["2", "3"],
            "{}",
            place.name
        );
        assert_eq!(place.rows("calls", "id").await, ["2"], "{}", place.name);
    })
    .await;
}

/// Hidden for longer than there are days; and since a day that nobody can read.
#[tokio::test]
async fn what_is_hidden_is_not_deleted_for_want_of_a_date() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80), gone VARCHAR(20))",
                "INSERT INTO people VALUES (1, 'ada@example.org', NULL), (2, 'bob@example.org', '22.11.2026')",
            ])
            .await;
        let map = map(&format!(
            "{PEOPLE}\nsoft_delete = {{ column = \"gone\", days = 100000000 }}"
        ));
        erase(&place.open(&map).await, MAIL).await;
        assert_eq!(place.rows("people", "id").await, ["1", "2"], "{}", place.name);
        let source = place.open(&map).await;
        let found = locate(&source, "bob@example.org").await;
        let planning = context("p");
        let plan = source.plan(&planning, &found.locators, &Work::Erase);
        let error = plan.await.unwrap_err();
        assert_eq!(SqlFault::of(&error), Some(SqlFault::Unreadable), "{}", place.name);
        assert_eq!(error.place.as_deref(), Some("people.gone"));
        assert!(!error.to_string().contains("2026"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn bytes_that_are_no_text_and_texts_that_are_no_document_stay() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)",
                "CREATE TABLE letters (id INTEGER PRIMARY KEY, body TEXT)",
                "CREATE TABLE reviews (id INTEGER PRIMARY KEY, person INTEGER, doc TEXT, city TEXT)",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO letters VALUES (1, CAST(x'ff00fe20' || 'ada@example.org' AS TEXT)), (2, '\u{fffd} ada@example.org')",
                "INSERT INTO reviews VALUES (1, 1, 'plain old text', 'Graz'), (2, 1, '{\"mail\":\"ada@example.org\"}', 'Graz')",
            ])
            .await;
        let before = place.texts("SELECT hex(body) FROM letters WHERE id = 1").await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.letters]
            columns.body = {{ category = "correspondence", free_text = true }}
            [tables.reviews]
            erase = "columns"
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            columns.person = {{ erase = "null" }}
            columns.doc = {{ category = "usage", paths = [{{ path = ["mail"], erase = "null" }}] }}
            columns.city = {{ category = "contact", erase = "null" }}
            "#
        ));
        assert_eq!(erased(place, &map, MAIL).await, [""; 0]);
        let after = place.texts("SELECT hex(body) FROM letters WHERE id = 1").await;
        assert_eq!(after, before);
        let readable = place.texts("SELECT body FROM letters WHERE id = 2").await;
        assert!(!readable[0].contains('@'), "{readable:?}");
        let reviews = place.rows("reviews", "doc, city").await;
        assert_eq!(reviews, ["plain old text|-", "{\"mail\":null}|-"]);
    })
    .await;
}

#[tokio::test]
async fn a_hold_on_a_key_that_is_none_is_not_placed() {
    everywhere(async |place| {
        let made = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))";
        place.run(&[made]).await;
        let source = place.open(&map(PEOPLE)).await;
        let ground = Ground::new("litigation");
        for key in ["abc", "", "1.5"] {
            let hold = Hold::on_rows("h", ground.clone(), "people", [vec![key.to_owned()]]);
            let error = source.place_hold(&context("h"), &hold).await.unwrap_err();
            assert_eq!(
                SqlFault::of(&error),
                Some(SqlFault::MalformedKey),
                "{}",
                place.name
            );
        }
        assert_eq!(source.holds(&context("h")).await.unwrap().len(), 0);
    })
    .await;
}

/// `INTEGER PRIMARY KEY DESC` has an index of its own, and may hold NULL.
#[tokio::test]
async fn a_key_that_is_not_the_rows_number_may_name_no_row() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        let make = "CREATE TABLE people (id INTEGER PRIMARY KEY DESC, mail TEXT)";
        place.run(&[make]).await;
        let error = refused(place, &map(PEOPLE)).await;
        assert!(
            error
                .to_string()
                .contains("people: these rows are people, and no primary key"),
            "{error}"
        );
    })
    .await;
}

/// What is no document has no parts: it stays, and so does what the row is emptied of beside it.
#[tokio::test]
async fn a_text_that_is_no_document_stays() {
    everywhere(async |place| {
        if place.name == "postgres" {
            return; // such a column must be `json` there
        }
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE reviews (id INTEGER PRIMARY KEY, person INTEGER, doc VARCHAR(80), city VARCHAR(20))",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO reviews VALUES (1, 1, 'plain old text', 'Graz'), (2, 1, '{\"mail\": \"ada@example.org\"}', 'Graz')",
            ])
            .await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.reviews]
            erase = "columns"
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            columns.person = {{ erase = "null" }}
            columns.doc = {{ category = "usage", paths = [{{ path = ["mail"], erase = {{ fixed = "gone" }} }}] }}
            columns.city = {{ category = "contact", erase = "null" }}
            "#
        ));
        assert_eq!(erased(place, &map, MAIL).await, [""; 0], "{}", place.name);
        let reviews = place.rows("reviews", "doc, city").await;
        let reviews: Vec<String> = reviews.iter().map(|row| row.replace(": ", ":")).collect();
        assert_eq!(reviews, ["plain old text|-", "{\"mail\":\"gone\"}|-"], "{}", place.name);
    })
    .await;
}

/// Chance writes over what nobody can read.
#[tokio::test]
async fn a_name_that_is_not_utf8_is_replaced_by_chance() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, name TEXT)",
                "INSERT INTO people VALUES (1, 'ada@example.org', CAST(x'4a6f73e9' AS TEXT))",
            ])
            .await;
        let map = map(r#"
            [tables.people]
            person = true
            erase = "columns"
            columns.mail = { category = "contact", identifiers = ["mail"], erase = "keep" }
            columns.name = { category = "identity", erase = "random" }
        "#);
        erased(place, &map, MAIL).await;
        let name = place.texts("SELECT hex(name) FROM people").await;
        assert_ne!(name, ["4A6F73E9"]);
    })
    .await;
}

/// Two spellings that the column calls equal are two rows.
#[tokio::test]
async fn rows_without_a_key_are_told_apart_byte_by_byte() {
    everywhere(async |place| {
        let column = match place.name {
            "mariadb" => "email VARCHAR(80) COLLATE utf8mb4_general_ci",
            _ => "email VARCHAR(80)",
        };
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                &format!("CREATE TABLE visits ({column}, page VARCHAR(9))"),
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO visits VALUES ('Ada@example.org', 'a'), ('ada@example.org', 'b'), ('ada@example.org', 'c')",
            ])
            .await;
        let map = map(&format!("{PEOPLE}{VISITS}"));
        let source = place.open(&map).await;
        let found = locate(&source, MAIL).await;
        let visits = found.rows.iter().find(|count| count.collection == "visits");
        assert_eq!(visits.map(|count| count.rows), Some(3), "{}", place.name);
        assert_eq!(erased(place, &map, MAIL).await, [""; 0], "{}", place.name);
        assert_eq!(place.rows("visits", "page").await, [""; 0], "{}", place.name);
    })
    .await;
}

/// A key that the database takes for NULL, and one that leads to it.
#[tokio::test]
async fn a_key_that_may_be_null_is_followed() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)",
                "CREATE TABLE tickets (code TEXT PRIMARY KEY, person INTEGER)",
                "CREATE TABLE messages (id INTEGER PRIMARY KEY, ticket TEXT REFERENCES tickets)",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO tickets VALUES ('a', 1), ('b', 2)",
                "INSERT INTO messages VALUES (1, 'a'), (2, 'b')",
            ])
            .await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.tickets]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            columns.code = {{ category = "account" }}
            [tables.messages]
            links.ticket = {{ columns = ["ticket"], to = {{ rows = {{ table = "tickets", columns = ["code"] }} }} }}
            "#
        ));
        assert_eq!(erased(place, &map, MAIL).await, [""; 0]);
        assert_eq!(place.rows("messages", "id").await, ["2"]);
    })
    .await;
}

/// A plan was made when nothing kept the account; then an invoice came.
#[tokio::test]
async fn a_row_that_is_kept_since_is_emptied_and_no_new_plan_is_asked_for() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, day DATE)",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
            ])
            .await;
        let map = map(r#"
            [tables.people]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"], minimise = "null" }
            [tables.bills]
            links.person = { columns = ["person"], to = { rows = { table = "people" } } }
            retention = { from = "day", rule = { named = "fr_com_l123_22" } }
            columns.day = { category = "financial" }
        "#);
        let source = place.open(&map).await;
        let found = locate(&source, MAIL).await;
        let plan = source
            .plan(&context("p"), &found.locators, &Work::Erase)
            .await;
        let plan = done(plan.unwrap());
        place
            .run(&["INSERT INTO bills VALUES (1, 1, '2026-01-01')"])
            .await;
        let erased = source.erase(&context("e"), &found.locators, &plan).await;
        let erased = done(erased.unwrap_or_else(|error| panic!("{}: {error}", place.name)));
        assert_eq!(erased.withheld.len(), 2, "{}", place.name);
        assert_eq!(
            place.rows("people", "id, mail").await,
            ["1|-"],
            "{}",
            place.name
        );
    })
    .await;
}

/// What does not fit is refused, and not cut off: here in somebody else's row.
#[tokio::test]
async fn a_text_that_does_not_fit_any_more_is_not_cut_off() {
    everywhere(async |place| {
        if place.name == "sqlite" {
            return; // takes any length
        }
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, body VARCHAR(20))",
                "INSERT INTO people VALUES (1, 'a@b.co')",
                "INSERT INTO notes VALUES (1, 'a@b.co pays 1234567')",
            ])
            .await;
        let map = map(&format!(
            "{PEOPLE}\n[tables.notes]\ncolumns.body = {{ category = \"usage\", free_text = true }}"
        ));
        let source = place.open(&map).await;
        let found = locate(&source, "a@b.co").await;
        let planning = context("p");
        let plan = source.plan(&planning, &found.locators, &Work::Erase);
        let error = plan.await.unwrap_err();
        assert_eq!(
            SqlFault::of(&error),
            Some(SqlFault::TooLong),
            "{}",
            place.name
        );
        assert_eq!(place.rows("notes", "body").await, ["a@b.co pays 1234567"]);
    })
    .await;
}

/// Somebody who cannot be found again by their key is not told to be nobody.
#[tokio::test]
async fn a_key_that_cannot_be_bound_again_is_an_error() {
    everywhere(async |place| {
        if place.name != "sqlite" {
            return;
        }
        place
            .run(&[
                "CREATE TABLE people (id NOT NULL PRIMARY KEY, mail TEXT)",
                "INSERT INTO people VALUES (5, 'ada@example.org')",
            ])
            .await;
        let source = place.open(&map(PEOPLE)).await;
        let who = [Identifier::mail(MAIL).unwrap()];
        let error = source.locate(&context("l"), &who).await.unwrap_err();
        assert_eq!(SqlFault::of(&error), Some(SqlFault::Unreadable));
    })
    .await;
}

/// A table without a key that leads to itself would be followed one step only.
#[tokio::test]
async fn rows_without_a_key_do_not_lead_to_others_of_theirs() {
    everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80))",
                "CREATE TABLE posts (num INTEGER, person INTEGER, parent INTEGER)",
                "INSERT INTO people VALUES (1, 'ada@example.org')",
                "INSERT INTO posts VALUES (5, 1, NULL), (6, NULL, 5), (7, NULL, 6)",
            ])
            .await;
        let map = map(&format!(
            r#"{PEOPLE}
            [tables.posts]
            links.person = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            links.parent = {{ columns = ["parent"], to = {{ rows = {{ table = "posts", columns = ["num"] }} }} }}
            columns.num = {{ category = "usage" }}
            "#
        ));
        if place.name == "mariadb" {
            let error = refused(place, &map).await;
            assert!(matches!(error, SqlOpenError::Keyless(table) if table == "posts"));
            return;
        }
        assert_eq!(erased(place, &map, MAIL).await, [""; 0], "{}", place.name);
        assert_eq!(place.rows("posts", "num").await, [""; 0], "{}", place.name);
    })
    .await;
}
