//! Maps in which each line can be meant, and two together cannot: refused where they stand, and not
//! without the second.

use datarights::datamap::DataMap;

use super::told;

/// People, and what hangs on them. Lines are put in by table.
fn map(lines: &[(&str, &str)]) -> DataMap {
    let within = |table: &str| -> String {
        let lines = lines.iter().filter(|(here, _)| *here == table);
        lines.map(|(_, line)| format!("{line}\n")).collect()
    };
    let text = format!(
        r#"
        schema = 1
        [tables.people]
        person = true
        names = [["first", "last"]]
        columns.mail = {{ category = "contact", identifiers = ["mail"] }}
        {}
        [tables.orders]
        links.who = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
        columns.day = {{ category = "financial" }}
        {}
        [tables.claims]
        links.who = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
        links.order = {{ columns = ["order"], to = {{ rows = {{ table = "orders" }} }}, when = {{ column = "kind", equals = 1 }} }}
        {}
        [tables.cards]
        erase = "columns"
        links.who = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
        columns.person = {{ erase = "null" }}
        {}
        [tables.visits]
        links.address = {{ columns = ["ip"], to = {{ identifier = {{ kind = "ip_during", at = "seen" }} }} }}
        {}
        "#,
        within("people"),
        within("orders"),
        within("claims"),
        within("cards"),
        within("visits"),
    );
    // Read without its own check, so that all that is wrong is told at once.
    serde_json::from_value(toml::from_str(&text).unwrap()).unwrap()
}

const BY_DAY: &str = r#"retention = { from = "day", rule = { named = "fr_com_l123_22" } }"#;
const BY_CLAIM: &str = r#"retention = { from = "at", of = { table = "claims", link = "order" }, or = "made", rule = { named = "fr_prospect" } }"#;
const WHILE: &str = r#"kept_while = [{ column = "state", equals = "open", ground = "claims" }]"#;
const WHILE_CLAIM: &str = r#"kept_while = [{ of = { table = "claims", link = "order" }, column = "state", equals = "open", ground = "claims" }]"#;
const HIDDEN: &str = r#"soft_delete = { column = "gone", days = 30 }"#;

fn restrict(column: &str) -> String {
    format!(r#"restrict = {{ column = "{column}", equals = "x" }}"#)
}

fn ends(column: &str) -> String {
    format!(r#"ends = [{{ of = "direct_marketing", column = "{column}", set = "x" }}]"#)
}

fn mention(of: &str, erase: &str) -> String {
    format!(
        r#"links.{of} = {{ columns = ["{of}"], to = {{ rows = {{ table = "people" }} }}, whose = "mentioned", ground = "rights_of_others", erase = {{ {erase} }} }}"#
    )
}

/// Neither line alone is refused; both are, for this reason.
fn clash(one: (&str, &str), other: (&str, &str), expected: &str) {
    for alone in [one, other] {
        assert_eq!(told(map(&[alone]).validate()), [""; 0], "{alone:?}");
    }
    let both = told(map(&[one, other]).validate());
    assert_eq!(both, [expected], "{one:?} {other:?}");
}

#[test]
fn a_mark_does_not_decide_how_long_rows_are_kept() {
    let cases = [
        ("orders", BY_DAY, "orders", "day"),
        ("orders", WHILE, "orders", "state"),
        ("orders", HIDDEN, "orders", "gone"),
        ("orders", BY_CLAIM, "orders", "made"),
        // In the rows by which others are kept.
        ("orders", BY_CLAIM, "claims", "at"),
        ("orders", WHILE_CLAIM, "claims", "state"),
    ];
    for (table, keeps, marked, column) in cases {
        let expected = format!("{marked}.{column}: MarkDecides");
        for mark in [restrict(column), ends(column)] {
            clash((table, keeps), (marked, &mark), &expected);
        }
    }
    // A column of the same name elsewhere decides nothing.
    for (keeps, elsewhere, column) in [(WHILE_CLAIM, "orders", "state"), (BY_DAY, "claims", "day")]
    {
        let both = map(&[("orders", keeps), (elsewhere, &restrict(column))]);
        assert_eq!(told(both.validate()), [""; 0]);
    }
}

#[test]
fn a_mark_does_not_hide_rows_from_who_looks_for_them() {
    let cases = [
        ("people", "mail"),
        ("people", "last"),
        ("orders", "person"),
        ("claims", "kind"),
        ("visits", "ip"),
        ("visits", "seen"),
    ];
    for (table, column) in cases {
        for mark in [restrict(column), ends(column)] {
            let said = told(map(&[(table, &mark)]).validate());
            assert_eq!(said, [format!("{table}.{column}: MarkFinds")]);
        }
    }
}

#[test]
fn a_column_has_one_mark() {
    let (restrict, end) = (restrict("state"), ends("state"));
    clash(
        ("orders", &restrict),
        ("orders", &end),
        "orders.state: TwoMarks",
    );
    let two = |other| {
        let line = format!(
            r#"ends = [{{ of = "direct_marketing", column = "news", set = 0 }}, {{ of = "sensitive_beyond_needs", column = "news", set = {other} }}]"#
        );
        told(map(&[("orders", &line)]).validate())
    };
    assert_eq!(two(0), [""; 0]);
    assert_eq!(two(1), ["orders.news: TwoMarks"]);
}

/// Lifted, a restriction would bring back what was erased.
#[test]
fn an_erasure_does_not_change_what_marks_a_restriction() {
    let restrict = restrict("state");
    let null = r#"columns.state = { erase = "null" }"#;
    clash(
        ("cards", &restrict),
        ("cards", null),
        "cards.state: MarkErased",
    );
    let kept = r#"columns.state = { erase = "keep" }"#;
    assert_eq!(
        told(map(&[("cards", &restrict), ("cards", kept)]).validate()),
        [""; 0]
    );
    clash(
        ("orders", &restrict),
        ("orders", &mention("seller", r#"state = "null""#)),
        "orders.state: MarkErased",
    );
}

#[test]
fn what_decides_is_not_erased_for_somebody_else() {
    let cases = [
        (
            BY_DAY,
            "orders",
            mention("seller", r#"day = "null""#),
            "day",
        ),
        (
            HIDDEN,
            "orders",
            mention("seller", r#"gone = "null""#),
            "gone",
        ),
        (
            WHILE_CLAIM,
            "claims",
            mention("clerk", r#"state = "null""#),
            "state",
        ),
        // The link that leads to what is kept, and one that is its own way.
        (
            WHILE_CLAIM,
            "claims",
            mention("clerk", r#"order = "null""#),
            "order",
        ),
        (WHILE, "orders", mention("state", ""), "state"),
    ];
    for (keeps, table, link, column) in cases {
        let expected = format!("{table}.{column}: DecidingErased");
        clash(("orders", keeps), (table, &link), &expected);
        let kept = link.replace(r#""null""#, r#""keep""#);
        if kept != link {
            let both = map(&[("orders", keeps), (table, &kept)]);
            assert_eq!(told(both.validate()), [""; 0], "{kept}");
        }
    }
}

/// Nothing would ever be hidden, and so nothing deleted.
#[test]
fn a_duty_does_not_count_from_the_day_of_hiding() {
    for retention in [
        BY_DAY.replace("day", "gone"),
        BY_CLAIM.replace("made", "gone"),
    ] {
        clash(
            ("orders", HIDDEN),
            ("orders", &retention),
            "orders.gone: NeverHidden",
        );
    }
}

/// A row of others that two links find.
#[test]
fn two_links_do_the_same_to_a_column() {
    let seller = mention("seller", "");
    let buyer = |seller: &str| mention("buyer", &format!(r#"seller = {seller}"#));
    clash(
        ("claims", &seller),
        ("claims", &buyer(r#""keep""#)),
        "claims.seller: TwoStrategies",
    );
    let same = map(&[("claims", &seller), ("claims", &buyer(r#""null""#))]);
    assert_eq!(told(same.validate()), [""; 0]);
    // A part of a document, and the whole of it.
    let part = r#"links.part = { columns = ["doc"], path = ["mail"], to = { identifier = { kind = "mail" } }, whose = "mentioned", ground = "rights_of_others" }"#;
    let whole = mention("buyer", r#"doc = "null""#);
    clash(
        ("claims", part),
        ("claims", &whole),
        "claims.doc: TwoStrategies",
    );
}

#[test]
fn a_way_is_described_once() {
    let link = |name: &str, more: &str| {
        format!(
            r#"links.{name} = {{ columns = ["seller"], to = {{ rows = {{ table = "people" }} }}{more} }}"#
        )
    };
    let mention = r#", whose = "mentioned", ground = "rights_of_others""#;
    let when = |kind: u8| format!(r#", when = {{ column = "kind", equals = {kind} }}"#);
    clash(
        ("orders", &link("a", "")),
        ("orders", &link("b", mention)),
        "orders.b: LinkTwice",
    );
    clash(
        ("orders", &link("a", &when(1))),
        ("orders", &link("b", &format!("{mention}{}", when(1)))),
        "orders.b: LinkTwice",
    );
    let apart = [link("a", &when(1)), link("b", &when(2))];
    let apart = map(&[("orders", &apart[0]), ("orders", &apart[1])]);
    assert_eq!(told(apart.validate()), [""; 0]);
}

/// What no condition tells apart leads to one table.
#[test]
fn columns_that_lead_to_two_tables_say_when() {
    use datarights::datamap::{Catalogue, CatalogueColumn, CatalogueTable, Class, ForeignKey};
    let int = |name: &str| CatalogueColumn::new(name, Class::Int, "INTEGER");
    let text = CatalogueColumn::new("mail", Class::Text, "TEXT");
    let keyed = |to: &[&str]| {
        let mut notes = CatalogueTable::new([int("id").not_null(), int("of"), int("kind")]);
        for to in to {
            notes = notes.foreign_key(ForeignKey::new(["of"], *to, ["id"]));
        }
        let people = CatalogueTable::new([int("id").not_null(), text.clone()]).keyed(["id"]);
        let orders = CatalogueTable::new([int("id").not_null(), int("person")]).keyed(["id"]);
        Catalogue::new()
            .table("people", people)
            .table("orders", orders)
            .table("notes", notes.keyed(["id"]))
    };
    let map = |person: &str, order: &str| {
        let text = format!(
            r#"
            schema = 1
            [tables.people]
            person = true
            columns.mail = {{ category = "contact", identifiers = ["mail"] }}
            [tables.orders]
            links.who = {{ columns = ["person"], to = {{ rows = {{ table = "people" }} }} }}
            [tables.notes]
            links.person = {{ columns = ["of"], to = {{ rows = {{ table = "people" }} }}{person} }}
            links.order = {{ columns = ["of"], to = {{ rows = {{ table = "orders" }} }}{order} }}
            [[exempt]]
            table = "*"
            columns = ["id", "kind"]
            reason = "numbers"
            "#
        );
        DataMap::from_toml(&text).unwrap()
    };
    let when = |kind: u8| format!(r#", when = {{ column = "kind", equals = {kind} }}"#);
    let ambiguous = ["notes.person: AmbiguousLink(\"orders\")"];
    let none = keyed(&[]);
    assert_eq!(told(map("", "").check(&none)), ambiguous);
    assert_eq!(told(map(&when(1), "").check(&none)), ambiguous);
    assert_eq!(told(map(&when(1), &when(1)).check(&none)), ambiguous);
    assert_eq!(told(map(&when(1), &when(2)).check(&none)), [""; 0]);
    assert_eq!(told(map("", "").check(&keyed(&["people"]))), ambiguous);
    let both = keyed(&["people", "orders"]);
    assert_eq!(told(map("", "").check(&both)), [""; 0]);
}

fn minimise(column: &str, strategy: &str) -> String {
    format!(r#"columns.{column} = {{ minimise = {strategy} }}"#)
}

#[test]
fn what_a_kept_row_needs_is_not_taken_out_of_it() {
    let cases = [
        (WHILE, "orders", "state"),
        (HIDDEN, "orders", "gone"),
        (BY_CLAIM, "orders", "made"),
        (BY_CLAIM, "claims", "at"),
        (WHILE_CLAIM, "claims", "state"),
    ];
    for (keeps, table, column) in cases {
        let expected = format!("{table}.{column}: NeededWhileKept");
        let line = minimise(column, r#""null""#);
        clash(("orders", keeps), (table, &line), &expected);
        let kept = minimise(column, r#""keep""#);
        assert_eq!(
            told(map(&[("orders", keeps), (table, &kept)]).validate()),
            [""; 0]
        );
    }
    clash(
        ("orders", &restrict("state")),
        ("orders", &minimise("state", "{ fixed = 1 }")),
        "orders.state: NeededWhileKept",
    );
    // What leads from there, and to there.
    let line = minimise("order", r#""null""#);
    let from = told(map(&[("claims", &line)]).validate());
    assert_eq!(from, ["claims.order: NeededWhileKept"]);
    let to = r#"links.code = { columns = ["code"], to = { rows = { table = "orders", columns = ["code"] } } }"#;
    clash(
        ("claims", to),
        ("orders", &minimise("code", r#""null""#)),
        "orders.code: NeededWhileKept",
    );
    // People are found by their keys.
    let name = minimise("first", r#"{ fixed = "" }"#);
    assert_eq!(told(map(&[("people", &name)]).validate()), [""; 0]);
}

#[test]
fn only_what_may_be_kept_is_minimised() {
    let line = r#"columns.name = { erase = "null", minimise = "null" }"#;
    let stays = told(map(&[("cards", line)]).validate());
    assert_eq!(stays, ["cards.name: NeverKept"]);
    let of_others = r#"
        [tables.letters]
        links.to = { columns = ["to"], to = { rows = { table = "people" } }, whose = "mentioned", ground = "rights_of_others" }
        columns.body = { category = "correspondence", minimise = "null" }
    "#;
    let others = told(map(&[("visits", of_others)]).validate());
    assert_eq!(others, ["letters.body: NeverKept"]);
}
