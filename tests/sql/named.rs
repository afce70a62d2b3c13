//! What names a person inside texts: every identifier that is known of them and told apart from
//! chance, in whatever stands in the rows of others; and nothing that may be somebody else's.

use datarights::adapters::SqlSourceOptions;
use datarights::datamap::DataMap;
use datarights::model::{Identifier, RowCount};
use datarights::ports::{PersonalDataSource as _, Work};

use crate::engines::{Place, everywhere};
use crate::{context, done, options};

const MAP: &str = r#"
schema = 1

[tables.people]
person = true
columns.id = { category = "account", identifiers = ["account"] }
columns.code = { category = "account", identifiers = ["account"] }
columns.cookie = { category = "device", identifiers = ["device"] }
columns.login = { category = "account", identifiers = [{ custom = "login" }] }
columns.mail = { category = "contact", identifiers = ["mail"] }

[tables.visits]
links.visitor = { columns = ["mail"], to = { identifier = { kind = "mail" } } }
columns.mail = { category = "contact" }

[tables.notes]
columns.body = { free_text = true }
columns.log = { free_text = true }

[[exempt]]
table = "*"
columns = ["id"]
reason = "numbers"
"#;

async fn filled(place: &Place, notes: &[(&str, &str)]) {
    let blob = match place.name {
        "postgres" => "BYTEA",
        _ => "BLOB",
    };
    place
        .run(&[
            "CREATE TABLE people (id INTEGER PRIMARY KEY, code VARCHAR(40), cookie VARCHAR(60), login VARCHAR(40), mail VARCHAR(60))",
            "CREATE TABLE visits (id INTEGER PRIMARY KEY, mail VARCHAR(60))",
            &format!("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, log {blob})"),
            "INSERT INTO people VALUES (10442, 'ACC-0442', '5f1c-77aa-91d0', 'ada_l', 'ada@example.org'), \
             (10443, 'ACC-0443', '5f1c-77aa-91d1', 'martin', 'bob@example.org')",
            "INSERT INTO visits VALUES (1, 'eve@example.org')",
        ])
        .await;
    for (n, (body, log)) in notes.iter().enumerate() {
        let (body, log) = (place.literal(body), place.bytes(log.as_bytes()));
        place
            .run(&[&format!("INSERT INTO notes VALUES ({n}, {body}, {log})")])
            .await;
    }
}

/// Erases who has these identifiers; what stays in the notes, in order. The search by value finds
/// nothing more.
async fn erased(place: &Place, who: &[Identifier]) -> Vec<String> {
    erased_with(place, who, options().searching_by_value()).await
}

/// The same, looked for along the map alone: by value, what looks like theirs is found too.
async fn erased_by_path(place: &Place, who: &[Identifier]) -> Vec<String> {
    erased_with(place, who, options()).await
}

async fn erased_with(place: &Place, who: &[Identifier], options: SqlSourceOptions) -> Vec<String> {
    let map = DataMap::from_toml(MAP).unwrap();
    let source = place.open_with(&map, options).await;
    let found = done(source.locate(&context("l"), who).await.unwrap());
    let context = context("e");
    let plan = source.plan(&context, &found.locators, &Work::Erase).await;
    let plan = done(plan.unwrap());
    let erased = source.erase(&context, &found.locators, &plan).await;
    done(erased.unwrap());
    let left = source.residue(&context, &found.locators).await;
    assert_eq!(done(left.unwrap()).rows, [], "{}", place.name);
    let text = match place.name {
        "postgres" => "convert_from(log, 'UTF8')",
        "mariadb" => "CONVERT(log USING utf8mb4)",
        _ => "CAST(log AS TEXT)",
    };
    place
        .texts(&format!(
            "SELECT concat_ws('|', body, {text}) FROM notes ORDER BY id"
        ))
        .await
}

#[tokio::test]
async fn every_identifier_that_is_theirs_alone_goes_from_texts() {
    everywhere(async |place| {
        filled(
            place,
            &[
                (
                    "Account acc-0442 is closed; ask ada_l.",
                    "by ADA@example.org",
                ),
                (
                    r#"{"cookie": "5f1c-77aa-91d0", "who": "ada_l"}"#,
                    "cookie=5F1C-77AA-91D0;",
                ),
            ],
        )
        .await;
        let ada = [Identifier::mail("ada@example.org").unwrap()];
        assert_eq!(
            erased(place, &ada).await,
            [
                "Account [removed] is closed; ask [removed].|by [removed]",
                r#"{"cookie": "[removed]", "who": "[removed]"}|cookie=[removed];"#,
            ],
            "{}",
            place.name
        );
    })
    .await;
}

/// A code that two people have, and an address that begins like a login, are not theirs alone.
#[tokio::test]
async fn what_others_have_too_stays() {
    everywhere(async |place| {
        filled(
            place,
            &[
                (
                    "ACC-0442 moves, says ada_l@other.example.",
                    "ada_l, ACC-0442.pdf",
                ),
                // A longer code, a number, a word.
                (
                    "ACC-0442-7, ACC-0443, 10442 pieces",
                    "xada_l, ada_l-2, 5f1c-77aa-91d1",
                ),
            ],
        )
        .await;
        place
            .run(&["INSERT INTO people VALUES (3, 'ACC-0442', NULL, NULL, 'son@example.org')"])
            .await;
        let ada = [Identifier::mail("ada@example.org").unwrap()];
        assert_eq!(
            erased_by_path(place, &ada).await,
            [
                "ACC-0442 moves, says ada_l@other.example.|[removed], ACC-0442.pdf",
                "ACC-0442-7, ACC-0443, 10442 pieces|xada_l, ada_l-2, 5f1c-77aa-91d1",
            ],
            "{}",
            place.name
        );
    })
    .await;
}

#[tokio::test]
async fn a_word_names_nobody() {
    everywhere(async |place| {
        filled(place, &[("Ask Martin, acc-0443.", "martin@example.org")]).await;
        let bob = [Identifier::mail("bob@example.org").unwrap()];
        let left = erased(place, &bob).await;
        assert_eq!(
            left,
            ["Ask Martin, [removed].|martin@example.org"],
            "{}",
            place.name
        );
    })
    .await;
}

/// An address that they gave and proved counts, though no row of theirs has it any more.
#[tokio::test]
async fn what_they_gave_is_known_of_them() {
    everywhere(async |place| {
        filled(place, &[("Was old.ada@example.org once.", "-")]).await;
        let ada = ["ada@example.org", "old.ada@example.org"];
        let ada = ada.map(|mail| Identifier::mail(mail).unwrap());
        let left = erased(place, &ada).await;
        assert_eq!(left, ["Was [removed] once.|-"], "{}", place.name);
    })
    .await;
}

/// So does who has no account, and is found by a value alone.
#[tokio::test]
async fn who_has_no_account_goes_from_texts_too() {
    everywhere(async |place| {
        filled(place, &[("Eve@example.org came by.", "ada@example.org")]).await;
        let eve = [Identifier::mail("eve@example.org").unwrap()];
        let left = erased(place, &eve).await;
        assert_eq!(
            left,
            ["[removed] came by.|ada@example.org"],
            "{}",
            place.name
        );
    })
    .await;
}

/// And who is named in a text, and nowhere else.
#[tokio::test]
async fn who_stands_in_a_text_alone_is_found_there() {
    everywhere(async |place| {
        filled(place, &[("carl@example.org called.", "carla@example.org")]).await;
        let source = place.open(&DataMap::from_toml(MAP).unwrap()).await;
        let nobody = [Identifier::mail("car@example.org").unwrap()];
        let found = source.locate(&context("l"), &nobody).await;
        assert_eq!(done(found.unwrap()).locators.len(), 0, "{}", place.name);
        let carl = [Identifier::mail("carl@example.org").unwrap()];
        let found = source.locate(&context("l"), &carl).await;
        assert_eq!(done(found.unwrap()).rows, [RowCount::new("notes.body", 1)]);
        let left = erased(place, &carl).await;
        assert_eq!(
            left,
            ["[removed] called.|carla@example.org"],
            "{}",
            place.name
        );
    })
    .await;
}
