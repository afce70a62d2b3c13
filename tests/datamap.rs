//! The data map by itself: builder, TOML and JSON are one; what cannot be meant is refused; what
//! map and database do not agree on is named.
#![cfg(feature = "datamap")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "datamap/clashes.rs"]
mod clashes;

use datarights::datamap::{
    Catalogue, CatalogueColumn, CatalogueTable, Class, Column, DataMap, DeleteRule, ForeignKey,
    Generalise, JsonPath, KeptWhile, Link, MapFileError, MapProblems, Plain, Problem, Retention,
    RetentionRule, RowErasure, Strategy as Erase, Table,
};
use datarights::law::{Meanwhile, Period, RetentionDuty, RetentionStart};
use datarights::model::{Category, Ground, IdentifierKind, Purpose};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

// ---- One map in three forms -------------------------------------------------------------------

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,8}",
        Just("select".to_owned()),
        Just("a\"b'c; DROP TABLE x.y".to_owned()),
        Just("ünï \u{1f600}\n".to_owned()),
    ]
}

fn names() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(name(), 1..3)
}

fn kind() -> impl Strategy<Value = IdentifierKind> {
    prop_oneof![
        Just(IdentifierKind::Mail),
        Just(IdentifierKind::Phone),
        name().prop_map(|kind| IdentifierKind::Custom(kind.into())),
    ]
}

fn plain() -> impl Strategy<Value = Plain> {
    prop_oneof![
        any::<bool>().prop_map(Plain::Bool),
        any::<i64>().prop_map(Plain::Int),
        name().prop_map(Plain::Text),
    ]
}

fn erase() -> impl Strategy<Value = Erase> {
    prop_oneof![
        Just(Erase::Keep),
        Just(Erase::Null),
        plain().prop_map(Erase::Fixed),
        any::<u32>().prop_map(Erase::Mask),
        Just(Erase::Generalise(Generalise::Year)),
        Just(Erase::Generalise(Generalise::Network)),
        Just(Erase::Random),
        name().prop_map(Erase::Own),
        any::<u32>().prop_map(|n| Erase::Generalise(Generalise::Prefix(n))),
        Just(Erase::Pseudonym),
    ]
}

fn retention() -> impl Strategy<Value = Retention> {
    let own = (name(), 1u32..50).prop_map(|(id, years)| {
        RetentionRule::Own(RetentionDuty::new(
            id,
            "an article",
            "what",
            Period::Years(years),
            RetentionStart::Document,
            Meanwhile::Restrict,
        ))
    });
    let rule = prop_oneof![
        Just(RetentionRule::Named("de_hgb257_books".to_owned())),
        own
    ];
    (name(), rule, any::<bool>()).prop_map(|(from, rule, closing)| {
        let retention = Retention::new(from, rule);
        if closing {
            retention.year_closing("03-31")
        } else {
            retention
        }
    })
}

/// A map that may be meant: people, and tables that hang on them in some way.
fn map() -> impl Strategy<Value = DataMap> {
    let column = (
        kind(),
        any::<[bool; 5]>(),
        proptest::option::of((name(), name())),
    );
    let people = (name(), kind(), column, names()).prop_map(|(mail, kind, column, names)| {
        Table::people()
            .titled("People")
            .used_for(Purpose("support".into()))
            .column(mail, Column::of(Category::Contact).identifies(kind))
            .column("described", made(column))
            .named_by(names)
    });
    let owned = (names(), retention(), any::<u8>(), plain()).prop_map(
        |(columns, retention, which, plain)| {
            let table = Table::new()
                .link("owner", Link::rows(columns, "people"))
                .link("itself", Link::rows(["parent"], "owned"));
            let claim = KeptWhile::new("state", plain, Ground::new("claims"));
            match which % 5 {
                0 => table.retained(retention).kept_with("owner"),
                2 => table
                    .retained(retention.latest_of("owned", "itself").or("made"))
                    .kept_while(claim),
                3 => table
                    .kept_while(claim.any_of("owned", "itself"))
                    .soft_deleted("gone", which.into()),
                1 => table.erased_by(RowErasure::Keep {
                    ground: Ground::new("books"),
                }),
                _ => table,
            }
        },
    );
    let other = (
        names(),
        name(),
        kind(),
        erase(),
        erase(),
        plain(),
        any::<bool>(),
    )
        .prop_map(|(columns, single, kind, strategy, kept, equals, shared)| {
            let there: Vec<String> = columns.iter().map(|c| format!("{c}_there")).collect();
            let link = Link::rows(columns, "people")
                .referencing(there)
                .when("model", equals)
                .erasing("note", strategy);
            let link = if shared {
                link.shared()
            } else {
                link.mentioned(Ground::new("rights_of_others"))
            };
            Table::new()
                .link("by number", link)
                .link(
                    "in a document",
                    Link::identifier("doc", kind.clone()).at_path(["a", "0"]),
                )
                .link(
                    "then",
                    Link::identifier("ip", IdentifierKind::IpDuring).during("seen"),
                )
                .link("by value", Link::identifier(single, kind).in_normal_form())
                .column(
                    "document",
                    Column::default()
                        .of_others()
                        .part(JsonPath::at(["a", "b"]).holding(Category::Contact).secret())
                        .part(JsonPath::at(["c"]).of_others().erased_by(Erase::Mask(2))),
                )
                .erased_by(RowErasure::Columns)
                .column("kept", Column::of(Category::Usage).erased_by(kept))
        });
    (people, owned, other, name()).prop_map(|(people, owned, other, exempt)| {
        DataMap::new()
            .table("people", people)
            .table("owned", owned)
            .table("other; --", other)
            .exempt(format!("exempt {exempt}"), "a list")
            .exempt_columns("*", [exempt + "_column"], "ours")
    })
}

type Described = (IdentifierKind, [bool; 5], Option<(String, String)>);

fn made((_, flags, file): Described) -> Column {
    let mut column = Column::of(Category::Custom("own".into()));
    if flags[0] {
        column = column.secret();
    }
    if flags[1] {
        column = column.of_others();
    }
    if flags[2] {
        column = column.free_text().text();
    }
    if flags[3] {
        column = column.rectifiable().copied_to("owned", "copy");
    }
    if let Some((name, media)) = file {
        column = column.file(name, flags[4].then_some(&*media));
    }
    column
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_map_is_the_same_in_toml_and_json(map in map()) {
        prop_assert_eq!(map.validate(), Ok(()));
        prop_assert_eq!(&DataMap::from_toml(&map.to_toml().unwrap()).unwrap(), &map);
        prop_assert_eq!(&DataMap::from_json(&map.to_json().unwrap()).unwrap(), &map);
    }
}

#[test]
fn a_file_reads_as_it_is_written_in_the_guide() {
    let map = DataMap::from_toml(
        r#"
        schema = 1

        [tables.users]
        person = true
        columns.email = { category = "contact", identifiers = ["mail"], rectify = true }
        columns.password = { category = "credentials", secret = true }

        [tables.orders]
        erase = "columns"
        links.customer = { columns = ["user_id"], to = { rows = { table = "users" } } }
        columns.name = { erase = { mask = 1 } }
        columns.placed_at = { erase = { generalise = "year" } }

        [[exempt]]
        table = "*"
        columns = ["id"]
        reason = "a number of ours"
        "#,
    )
    .unwrap();
    let written = DataMap::new()
        .table(
            "users",
            Table::people()
                .column(
                    "email",
                    Column::of(Category::Contact)
                        .identifies(IdentifierKind::Mail)
                        .rectifiable(),
                )
                .column("password", Column::of(Category::Credentials).secret()),
        )
        .table(
            "orders",
            Table::new()
                .erased_by(RowErasure::Columns)
                .link("customer", Link::rows(["user_id"], "users"))
                .column("name", Column::default().erased_by(Erase::Mask(1)))
                .column(
                    "placed_at",
                    Column::default().erased_by(Erase::Generalise(Generalise::Year)),
                ),
        )
        .exempt_columns("*", ["id"], "a number of ours");
    assert_eq!(map, written);
}

#[test]
fn what_no_map_knows_is_refused_by_name() {
    for text in [
        "schema = 1\nsurprise = true",
        "schema = 1\n[tables.users]\nsurprise = true",
        "schema = 1\n[tables.users]\ncolumns.email = { surprise = true }",
        "schema = 1\n[tables.t]\nlinks.l = { columns = [\"a\"], to = { rows = { table = \"t\", surprise = 1 } } }",
        "schema = 1\n[tables.t]\nlinks.l = { columns = [\"a\"], to = { surprise = { table = \"t\" } } }",
        "schema = 1\n[tables.t]\ncolumns.a = { erase = \"surprise\" }",
    ] {
        let Err(MapFileError::Malformed(said)) = DataMap::from_toml(text) else {
            panic!("{text} was accepted")
        };
        assert!(said.contains("surprise"), "{said}");
    }
    assert!(matches!(
        DataMap::from_json(r#"{"schema": 1, "surprise": true}"#),
        Err(MapFileError::Malformed(_))
    ));
    let later = DataMap::from_toml("schema = 2");
    let Err(MapFileError::Wrong(problems)) = later else {
        panic!("{later:?}")
    };
    assert_eq!(told(Err(problems)), [": UnknownSchema(2)"]);
}

// ---- The schema of the file form ---------------------------------------------------------------

/// As much of JSON Schema as ours uses.
fn accepts(root: &Json, schema: &Json, value: &Json) -> bool {
    let all = |rule: (&String, &Json)| {
        let (name, rule) = (rule.0.as_str(), rule.1);
        match name {
            "$ref" => {
                let place = rule.as_str().unwrap().trim_start_matches('#');
                accepts(root, root.pointer(place).unwrap(), value)
            }
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "oneOf" => {
                let fits = |one: &&Json| accepts(root, one, value);
                rule.as_array().unwrap().iter().filter(fits).count() == 1
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("{other}"),
            },
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| accepts(root, rule, item))),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => rule
                .as_object()
                .unwrap()
                .iter()
                .all(|(name, rule)| value.get(name).is_none_or(|v| accepts(root, rule, v))),
            "additionalProperties" => value.as_object().is_none_or(|fields| {
                let known = schema.get("properties").and_then(Json::as_object);
                let more = |name: &&String| known.is_none_or(|known| !known.contains_key(*name));
                let mut more = fields.keys().filter(more);
                match rule {
                    Json::Bool(allowed) => *allowed || more.next().is_none(),
                    rule => more.all(|name| accepts(root, rule, &fields[name])),
                }
            }),
            "$schema" | "$defs" | "title" | "description" => true,
            other => panic!("{other} is not looked at"),
        }
    };
    schema.as_object().unwrap().iter().all(all)
}

fn schema_accepts(value: &Json) -> bool {
    let schema: Json = serde_json::from_str(DataMap::json_schema()).unwrap();
    accepts(&schema, &schema, value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn every_map_satisfies_the_schema(map in map()) {
        let json = serde_json::from_str(&map.to_json().unwrap()).unwrap();
        prop_assert!(schema_accepts(&json));
    }
}

#[test]
fn the_schema_refuses_what_is_no_map() {
    let link = |to: Json| json!({ "schema": 1, "tables": { "t": { "links": { "l": to } } } });
    let column =
        |column: Json| json!({ "schema": 1, "tables": { "t": { "columns": { "c": column } } } });
    assert!(schema_accepts(&column(json!({ "erase": { "fixed": 0 } }))));
    for wrong in [
        json!({}),
        json!({ "schema": 2 }),
        json!({ "schema": 1, "surprise": 1 }),
        json!({ "schema": 1, "tables": { "t": { "surprise": 1 } } }),
        link(json!({ "columns": ["a"] })),
        link(json!({ "columns": ["a"], "to": { "rows": { "table": "t", "surprise": 1 } } })),
        link(json!({ "columns": ["a"], "to": { "identifier": { "kind": "name_and_birth" } } })),
        column(json!({ "erase": "surprise" })),
        column(json!({ "erase": { "mask": "x" } })),
        column(json!({ "category": "surprise" })),
    ] {
        assert!(!schema_accepts(&wrong), "{wrong}");
        let read = serde_json::from_value::<DataMap>(wrong.clone());
        let refused = read.map_or(true, |map| map.validate().is_err());
        assert!(refused, "the schema refuses what is read: {wrong}");
    }
}

// ---- What cannot be meant ---------------------------------------------------------------------

fn told(result: Result<(), MapProblems>) -> Vec<String> {
    let problems = result.err();
    let all = problems.iter().flat_map(MapProblems::all);
    all.map(|p| {
        let member = p.member.as_ref().map(|m| format!(".{m}"));
        format!("{}{}: {:?}", p.table, member.unwrap_or_default(), p.problem)
    })
    .collect()
}

fn mail() -> Column {
    Column::of(Category::Contact).identifies(IdentifierKind::Mail)
}

fn users() -> DataMap {
    DataMap::new().table("users", Table::people().column("email", mail()))
}

#[test]
fn maps_that_cannot_be_meant_are_refused_by_place() {
    let mut nameless = datarights::law::RetentionDuty::named("fr_com_l123_22").unwrap();
    nameless.id = "".into();
    let nameless = Retention::new("date", nameless.into());
    let ground = || Ground::new("rights_of_others");
    let owner = || Link::rows(["user_id"], "users");
    let cases: Vec<(DataMap, &[&str])> = vec![
        (
            DataMap::new().table("users", Table::people()),
            &["users: NoIdentifier"],
        ),
        (users().table("lost", Table::new()), &["lost: NoWay"]),
        // A loop that leads nowhere.
        (
            users()
                .table("a", Table::new().link("b", Link::rows(["b_id"], "b")))
                .table("b", Table::new().link("a", Link::rows(["a_id"], "a"))),
            &[
                "a: NoWay",
                "a.b: LeadsToNobody(\"b\")",
                "b: NoWay",
                "b.a: LeadsToNobody(\"a\")",
            ],
        ),
        (
            users().table(
                "orders",
                Table::new().link("who", Link::rows(["id"], "usres")),
            ),
            &["orders: NoWay", "orders.who: UnknownTarget(\"usres\")"],
        ),
        // Through a mention, nobody's rows are reached.
        (
            users()
                .table(
                    "teams",
                    Table::new().link("lead", owner().mentioned(ground())),
                )
                .table(
                    "wins",
                    Table::new().link("team", Link::rows(["team_id"], "teams")),
                ),
            &["wins: NoWay", "wins.team: LeadsToNobody(\"teams\")"],
        ),
        (
            users().table(
                "orders",
                Table::new().link("who", owner().erasing("user_id", Erase::Null)),
            ),
            &["orders.who: UselessStrategy"],
        ),
        (
            users().table(
                "teams",
                Table::new()
                    .link(
                        "lead",
                        owner().mentioned(ground()).erasing("note", Erase::Null),
                    )
                    .link(
                        "boss",
                        Link::rows(["boss_id"], "users")
                            .shared()
                            .erasing("note", Erase::Keep),
                    ),
            ),
            &["teams.note: TwoStrategies"],
        ),
        (
            users().table(
                "orders",
                Table::new()
                    .link("who", owner())
                    .erased_by(RowErasure::Columns)
                    .column("name", Column::default()),
            ),
            &["orders.name: NoStrategy"],
        ),
        (
            users().table(
                "orders",
                Table::new()
                    .link("who", owner())
                    .column("name", Column::default().erased_by(Erase::Null)),
            ),
            &["orders.name: UselessStrategy"],
        ),
        (
            users().table(
                "orders",
                Table::new().link("who", owner()).column("mail", mail()),
            ),
            &["orders.mail: StrayIdentifier"],
        ),
        (
            users().table(
                "visits",
                Table::new().link("ip", Link::identifier("ip", IdentifierKind::IpDuring)),
            ),
            &["visits.ip: Window"],
        ),
        (
            users().table(
                "visits",
                Table::new()
                    .link(
                        "mail",
                        Link::identifier("m", IdentifierKind::Mail).during("at"),
                    )
                    .link(
                        "path",
                        Link::identifier("m", IdentifierKind::Mail).at_path(["a\"b"]),
                    )
                    .link("rows", owner().at_path(["a"])),
            ),
            &[
                "visits.mail: Window",
                "visits.path: BadPath",
                "visits.rows: BadPath",
            ],
        ),
        // A part, and what is around it; a part that cannot be replaced where it stands.
        (
            users().table(
                "orders",
                Table::new()
                    .link("who", owner())
                    .erased_by(RowErasure::Columns)
                    .column(
                        "twice",
                        Column::default()
                            .part(JsonPath::at(["a"]).erased_by(Erase::Null))
                            .part(JsonPath::at(["a", "b"]).erased_by(Erase::Mask(1))),
                    )
                    .column(
                        "whole",
                        Column::default()
                            .erased_by(Erase::Null)
                            .part(JsonPath::at(["a"]).erased_by(Erase::Random)),
                    ),
            ),
            &[
                "orders.twice: TwoStrategies",
                "orders.whole: NotOnPath",
                "orders.whole: TwoStrategies",
            ],
        ),
        (
            users().table(
                "orders",
                Table::new().link("who", Link::rows(["a", "b"], "users").referencing(["a"])),
            ),
            &["orders.who: Arity { here: 2, there: 1 }"],
        ),
        (
            users().table(
                "orders",
                Table::new().link("who", Link::rows([""; 0], "users")),
            ),
            &["orders.who: NoColumns"],
        ),
        (
            users().table(
                "invoices",
                Table::new()
                    .link("who", owner())
                    .retained(Retention::new("date", "no_such_duty".into()).year_closing("02-29")),
            ),
            &["invoices.date: UnknownDuty(\"no_such_duty\")"],
        ),
        (
            users().table(
                "invoices",
                Table::new().link("who", owner()).retained(
                    Retention::new("date", "fr_com_l123_22".into()).year_closing("02-29"),
                ),
            ),
            &["invoices.date: YearClose"],
        ),
        (
            users().table(
                "invoices",
                Table::new().link("who", owner()).retained(nameless),
            ),
            &["invoices.date: EmptyName"],
        ),
        (
            // Nothing leads from visits to orders.
            users()
                .table("visits", Table::new().link("who", owner()))
                .table(
                    "orders",
                    Table::new()
                        .link("who", owner())
                        .retained(
                            Retention::new("at", "fr_prospect".into()).latest_of("visits", "who"),
                        )
                        .kept_while(KeptWhile::new("open", true, ground()).any_of("claims", "of")),
                ),
            &["orders.of: NoSuchWay", "orders.who: NoSuchWay"],
        ),
        (
            users().table(
                "orders",
                Table::new()
                    .link("who", owner())
                    .erased_by(RowErasure::Columns)
                    .soft_deleted("gone", 30),
            ),
            &["orders: UselessRetention"],
        ),
        (
            users().table(
                "lines",
                Table::new().link("who", owner()).kept_with("invoice"),
            ),
            &["lines.invoice: KeptWithNothing"],
        ),
        (
            users()
                .exempt("lists", " ")
                .exempt("lists", "a list")
                .exempt("users", "no"),
            &[
                "lists: NoReason",
                "lists: ExemptTwice",
                "users: DescribedAndExempt",
            ],
        ),
        (
            users().exempt_columns("users", ["email"], "ours"),
            &["users.email: DescribedAndExempt"],
        ),
    ];
    for (map, expected) in cases {
        let mut expected: Vec<String> = expected.iter().map(|&s| s.to_owned()).collect();
        let mut said = told(map.validate());
        expected.sort();
        said.sort();
        assert_eq!(said, expected, "{}", map.to_toml().unwrap());
    }
}

// ---- A map beside a database ------------------------------------------------------------------

fn int(name: &str) -> CatalogueColumn {
    CatalogueColumn::new(name, Class::Int, "INTEGER")
}

fn text(name: &str) -> CatalogueColumn {
    CatalogueColumn::new(name, Class::Text, "TEXT")
}

fn database() -> Catalogue {
    let users = CatalogueTable::new([int("id").not_null(), text("email")]).keyed(["id"]);
    let orders = CatalogueTable::new([
        int("id").not_null(),
        int("user_id"),
        text("name").not_null().of_length(8),
        text("code"),
        CatalogueColumn::new("total", Class::Decimal, "NUMERIC").computed(),
    ])
    .keyed(["id"])
    .unique(["code"])
    .foreign_key(ForeignKey::new(["user_id"], "users", ["id"]));
    Catalogue::new()
        .table("users", users)
        .table("orders", orders)
}

fn described() -> DataMap {
    users()
        .table(
            "orders",
            Table::new()
                .link("who", Link::rows(["user_id"], "users"))
                .column("name", Column::default())
                .column("code", Column::default()),
        )
        .exempt_columns("*", ["id", "total"], "a number of ours")
}

#[test]
fn a_map_of_all_that_is_there_passes() {
    assert_eq!(described().check(&database()), Ok(()));
}

#[test]
fn what_was_added_to_the_database_is_named() {
    let mut there = database();
    let orders = there.tables.get_mut("orders").unwrap();
    orders.columns.push(text("shipping_address"));
    let there = there
        .table("visits", CatalogueTable::new([int("visitor")]))
        .table(
            "keyed",
            CatalogueTable::new([int("u")]).foreign_key(ForeignKey::new(["u"], "users", ["id"])),
        );
    let map = described().exempt("keyed", "nothing personal, it says");
    assert_eq!(
        told(map.check(&there)),
        [
            "keyed.u: KeyNotFollowed(\"users\")",
            "orders.shipping_address: ColumnUndescribed",
            "visits: TableUndescribed",
        ]
    );
}

#[test]
fn what_is_gone_from_the_database_is_named() {
    let mut there = database();
    let orders = there.tables.get_mut("orders").unwrap();
    orders
        .columns
        .retain(|c| c.name != "code" && c.name != "total");
    let map = described()
        .exempt("lists", "a list")
        .table("old", Table::new().link("u", Link::rows(["u"], "users")));
    assert_eq!(
        told(map.check(&there)),
        [
            "*.total: StaleExemption",
            "lists: StaleExemption",
            "old: TableGone",
            "orders.code: ColumnGone",
        ]
    );
}

#[test]
fn a_value_that_leads_to_a_person_is_described_too() {
    let mut there = database();
    let visits = CatalogueTable::new([text("email")]);
    there.tables.insert("visits".to_owned(), visits);
    let link = Link::identifier("email", IdentifierKind::Mail);
    let map = described().table("visits", Table::new().link("who", link));
    assert_eq!(told(map.check(&there)), ["visits.email: ColumnUndescribed"]);
}

/// The orders stay, with these strategies.
fn erasing(name: Erase, code: Erase) -> DataMap {
    let mut map = described();
    let orders = Table::new()
        .erased_by(RowErasure::Columns)
        .link("who", Link::rows(["user_id"], "users"))
        .column("user_id", Column::default().erased_by(Erase::Null))
        .column("name", Column::default().erased_by(name))
        .column("code", Column::default().erased_by(code));
    map.tables.insert("orders".to_owned(), orders);
    map
}

/// A link by the columns of a key, to other columns than the key leads to.
#[test]
fn a_link_follows_a_key_to_where_it_leads() {
    let mut there = database();
    let users = there.tables.get_mut("users").unwrap();
    users.columns.push(int("code"));
    users.unique.push(vec!["code".to_owned()]);
    let orders = there.tables.get_mut("orders").unwrap();
    orders.foreign_keys[0].references = vec!["code".to_owned()];
    let map = described().exempt_columns("users", ["code"], "a number of ours");
    assert_eq!(
        told(map.check(&there)),
        ["orders.user_id: KeyNotFollowed(\"users\")"]
    );
    let mut map = map;
    let orders = map.tables.get_mut("orders").unwrap();
    let link = orders.links.remove("who").unwrap();
    orders
        .links
        .insert("who".to_owned(), link.referencing(["code"]));
    assert_eq!(map.check(&there), Ok(()));
}

/// The database deletes with a person also what the condition leaves out.
#[test]
fn a_key_that_cascades_is_followed_without_a_condition() {
    let mut there = database();
    let key = &mut there.tables.get_mut("orders").unwrap().foreign_keys[0];
    key.on_delete = DeleteRule::Cascade;
    let mut map = described();
    assert_eq!(map.check(&there), Ok(()));
    let orders = map.tables.get_mut("orders").unwrap();
    let link = orders.links.remove("who").unwrap();
    orders
        .links
        .insert("who".to_owned(), link.when("code", "user"));
    assert_eq!(
        told(map.check(&there)),
        ["orders.user_id: Cascades(\"users\")"]
    );
}

#[test]
fn a_condition_compares_what_can_be_compared() {
    let mut map = described();
    let orders = map.tables.get_mut("orders").unwrap();
    let link = orders.links.remove("who").unwrap();
    let by = |equals: Plain| link.clone().when("code", equals);
    for (equals, expected) in [
        (Plain::Text("user".to_owned()), ""),
        (Plain::Int(0), "orders.code: NotComparable(\"TEXT\")"),
        (Plain::Bool(true), "orders.code: NotComparable(\"TEXT\")"),
    ] {
        let orders = map.tables.get_mut("orders").unwrap();
        orders.links.insert("who".to_owned(), by(equals));
        assert_eq!(told(map.check(&database())).join(" "), expected);
    }
}

/// What may be corrected takes along what hangs on it.
#[test]
fn a_correction_cuts_nobody_off() {
    let mut there = database();
    there.tables.insert(
        "visits".to_owned(),
        CatalogueTable::new([int("id"), text("mail")]),
    );
    let email = |copied: bool| {
        let column = Column::default()
            .identifies(IdentifierKind::Mail)
            .rectifiable();
        match copied {
            true => column.copied_to("visits", "mail"),
            false => column,
        }
    };
    let visits = || {
        let link = Link::rows(["mail"], "users").referencing(["email"]);
        Table::new().link("by", link)
    };
    for (copied, expected) in [(true, ""), (false, "users.email: CutOff(\"visits\")")] {
        let mut map = described().table("visits", visits());
        let users = map.tables.get_mut("users").unwrap();
        users.columns.insert("email".to_owned(), email(copied));
        assert_eq!(told(map.check(&there)).join(" "), expected);
    }
}

#[test]
fn a_strategy_that_a_column_cannot_take_is_named() {
    let long = || Erase::Fixed("far too long".into());
    let cases: Vec<(Erase, Erase, &[&str])> = vec![
        (Erase::Fixed("gone".into()), Erase::Null, &[]),
        (Erase::Mask(1), Erase::Pseudonym, &[]),
        (Erase::Null, Erase::Keep, &["orders.name: NotNull"]),
        (
            long(),
            Erase::Null,
            &["orders.name: Length { needs: 12, has: 8 }"],
        ),
        (
            Erase::Pseudonym,
            Erase::Null,
            &["orders.name: Length { needs: 37, has: 8 }"],
        ),
        (
            Erase::Keep,
            Erase::Fixed("gone".into()),
            &["orders.code: Unique"],
        ),
        (
            Erase::Fixed(Plain::Int(0)),
            Erase::Mask(2),
            &["orders.name: Type(\"TEXT\")", "orders.code: Unique"],
        ),
    ];
    for (name, code, expected) in cases {
        let mut said = told(erasing(name, code).check(&database()));
        said.sort();
        let mut expected: Vec<String> = expected.iter().map(|&s| s.to_owned()).collect();
        expected.sort();
        assert_eq!(said, expected);
    }
}

#[test]
fn what_is_minimised_is_looked_at_in_the_database() {
    let cases = [
        ("name", Erase::Null, "orders.name: NotNull"),
        ("name", Erase::Mask(1), ""),
        ("code", Erase::Fixed("".into()), "orders.code: Unique"),
        ("code", Erase::Pseudonym, ""),
        (
            "id",
            Erase::Pseudonym,
            "orders.id: NeededWhileKept orders.id: Type(\"INTEGER\")",
        ),
        ("id", Erase::Keep, ""),
    ];
    for (column, strategy, expected) in cases {
        let mut map = described();
        let orders = map.tables.get_mut("orders").unwrap();
        let described = Column::default().minimised_by(strategy);
        orders.columns.insert(column.to_owned(), described);
        let said = told(map.check(&database())).join(" ");
        assert_eq!(said, expected, "{column}");
    }
}

#[test]
fn a_row_that_stays_may_not_refer_to_one_that_goes() {
    let mut map = erasing(Erase::Keep, Erase::Keep);
    let orders = map.tables.get_mut("orders").unwrap();
    orders.columns.remove("user_id");
    assert_eq!(
        told(map.check(&database())),
        ["orders.user_id: KeyLeftBehind(\"users\")"]
    );
    let mut there = database();
    let key = &mut there.tables.get_mut("orders").unwrap().foreign_keys[0];
    key.on_delete = DeleteRule::Release;
    assert_eq!(map.check(&there), Ok(()));
}

#[test]
fn a_mention_becomes_null_unless_said_otherwise() {
    let mut there = database();
    let teams = CatalogueTable::new([int("lead").not_null()]);
    there.tables.insert("teams".to_owned(), teams);
    let lead = || Link::rows(["lead"], "users").mentioned(Ground::new("rights_of_others"));
    let map = |link| described().table("teams", Table::new().link("lead", link));
    assert_eq!(told(map(lead()).check(&there)), ["teams.lead: NotNull"]);
    let fixed = lead().erasing("lead", Erase::Fixed(Plain::Int(0)));
    assert_eq!(map(fixed).check(&there), Ok(()));
}

#[test]
fn rows_that_lead_on_need_a_key() {
    let mut there = database();
    let carts = CatalogueTable::new([int("user_id"), text("code")]);
    let items = CatalogueTable::new([text("cart")]);
    there.tables.insert("carts".to_owned(), carts);
    there.tables.insert("items".to_owned(), items);
    let carts = Table::new()
        .link("who", Link::rows(["user_id"], "users"))
        .column("code", Column::default());
    let items = |link| {
        described()
            .table("carts", carts.clone())
            .table("items", Table::new().link("cart", link))
    };
    let by_key = Link::rows(["cart"], "carts");
    assert_eq!(
        told(items(by_key.clone()).check(&there)),
        ["items.cart: NoKey"]
    );
    let by_code = by_key.referencing(["code"]);
    assert_eq!(items(by_code).check(&there), Ok(()));
}

#[test]
fn problems_say_what_to_do() {
    let mut there = database();
    let orders = there.tables.get_mut("orders").unwrap();
    orders.columns.push(text("address"));
    let error = described().check(&there).unwrap_err();
    let expected =
        "orders.address: the column is not described: describe it, or exempt it with a reason";
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(error.all()[0].problem, Problem::ColumnUndescribed);
}
