//! The package from outside: what goes in comes out, hostile or not, and nothing else does.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers of tests, too

mod package_support;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Cursor, Read as _};

use chrono::{DateTime, NaiveDate, Utc};
use datarights::model::{
    Collection, Column, Digest, Failure, Ground, MissingRows, Purpose, Until, Value, WithheldRows,
};
use datarights::package::{
    self, Cover, Garbage, Limits, Of, PackageError, PackageReport, Spool, SpoolReport, Statement,
};
use datarights::ports::{Cancel, Cell, ErrorKind, File, Item, PortError, VaultError};
use futures::StreamExt as _;
use package_support::*;
use proptest::prelude::*;
use serde_json::Value as Json;

// ── helpers ─────────────────────────────────────────────────────────────────────────────────────

fn spool_items(
    store: &Memory,
    spool: &Spool,
    items: Vec<Item>,
) -> Result<SpoolReport, PackageError> {
    let (limits, cancel) = (Limits::default(), Cancel::default());
    run(package::spool(
        spool,
        reading(items),
        store,
        &Toy::default(),
        &limits,
        &cancel,
    ))
}

fn pack(
    store: &Memory,
    cover: &Cover,
    spools: &[(Spool, SpoolReport)],
) -> Result<PackageReport, PackageError> {
    run(package::write(
        &target(),
        cover,
        spools,
        store,
        &Toy::default(),
        &Cancel::default(),
    ))
}

/// Spools one source and packs it; gives every entry of the archive.
fn packed(cover: &Cover, items: Vec<Item>) -> BTreeMap<String, Vec<u8>> {
    let store = Memory::default();
    let spool = spool_of("crm", "Customers");
    let report = spool_items(&store, &spool, items).unwrap();
    pack(&store, cover, &[(spool, report)]).unwrap();
    unzip(store.get(&target()).unwrap())
}

/// Unzips, and holds the manifest against every entry.
fn unzip(bytes: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        assert!(entry.enclosed_name().is_some(), "{name:?}");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert!(entries.insert(name, content).is_none());
    }
    let lower: HashSet<String> = entries.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(
        lower.len(),
        entries.len(),
        "names that differ in letter case only"
    );
    let manifest: Json = serde_json::from_slice(&entries["manifest.json"]).unwrap();
    let listed = manifest["entries"].as_array().unwrap();
    assert_eq!(listed.len() + 1, entries.len());
    for line in listed {
        let content = &entries[line["name"].as_str().unwrap()];
        assert_eq!(line["bytes"].as_u64(), Some(content.len() as u64));
        assert_eq!(
            line["sha256"].as_str(),
            Some(Digest::of(content).to_string().as_str())
        );
    }
    entries
}

fn text(entries: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(entries[name].clone()).unwrap()
}

fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column::new(*name)).collect()
}

fn file(name: &str, media_type: Option<&str>, content: &[u8]) -> Cell {
    Cell::File(File {
        name: name.to_owned(),
        media_type: media_type.map(str::to_owned),
        content: bytes(content.chunks(7).map(<[u8]>::to_vec).collect()),
    })
}

fn users() -> Item {
    Item::Collection(Collection::new("users", columns(&["id", "name"])))
}

// ── what goes in comes out ──────────────────────────────────────────────────────────────────────

#[test]
fn a_package_holds_everything_in_both_formats() {
    let date = NaiveDate::from_ymd_opt(1990, 2, 28).unwrap();
    let time: DateTime<Utc> = "2024-05-01T10:00:00.25Z".parse().unwrap();
    let names = [
        "id", "big", "price", "name", "born", "seen", "ok", "blob", "hash", "photo", "none",
    ];
    let entries = packed(
        &cover(),
        vec![
            Item::Collection(Collection::new("users", columns(&names)).titled("Your account")),
            Item::Row(vec![
                7.into(),
                i64::MAX.into(),
                Cell::Value(Value::Decimal("12.50".to_owned())),
                "=1+1".into(),
                date.into(),
                time.into(),
                true.into(),
                vec![1_u8, 2, 255].into(),
                Cell::Value(Value::Secret),
                file(
                    "Foto vom März.jpg",
                    Some("image/jpeg"),
                    b"not really a picture",
                ),
                Cell::Value(Value::Null),
            ]),
            Item::Collection(Collection::new("notes", columns(&["only"]))),
            Item::Row(vec![Cell::Value(Value::Null)]),
        ],
    );
    let photo = "files/crm/users/000001-Foto_vom_März.jpg";
    let json: Json = serde_json::from_slice(&entries["data/crm/users.json"]).unwrap();
    assert_eq!(json["title"], "Your account");
    assert_eq!(
        json["rows"][0],
        serde_json::json!({
            "id": 7, "big": "9223372036854775807", "price": "12.50", "name": "=1+1",
            "born": "1990-02-28", "seen": "2024-05-01T10:00:00.250Z", "ok": true,
            "blob": {"$bytes": "AQL/"}, "hash": {"$secret": true},
            "photo": {
                "$file": photo, "name": "Foto vom März.jpg", "media_type": "image/jpeg", "bytes": 20,
                "sha256": Digest::of(b"not really a picture").to_string(),
            },
            "none": null,
        })
    );
    assert_eq!(
        text(&entries, "data/crm/users.csv"),
        format!(
            "\u{feff}id,big,price,name,born,seen,ok,blob,hash,photo,none\r\n\
             7,9223372036854775807,12.50,'=1+1,1990-02-28,2024-05-01T10:00:00.250Z,true,\
             base64:AQL/,\"[secret, not shown]\",{photo},\r\n"
        )
    );
    assert_eq!(
        text(&entries, "data/crm/notes.csv"),
        "\u{feff}only\r\n\"\"\r\n"
    );
    assert_eq!(entries[photo], b"not really a picture");
}

#[test]
fn what_is_missing_and_withheld_is_named_everywhere() {
    let store = Memory::default();
    let spool = spool_of("billing", "Invoices");
    let line = |rows, until, restricted| {
        Item::Withheld(WithheldRows {
            collection: "invoices".to_owned(),
            rows,
            ground: Ground::new("tax_records"),
            until,
            restricted,
        })
    };
    let kept = |rows, until| line(rows, until, false);
    let until = Until::Date(NaiveDate::from_ymd_opt(2033, 12, 31).unwrap());
    let items = vec![kept(2, until), kept(3, until), kept(1, Until::HoldLifted)];
    let items = items.into_iter().chain([line(7, until, true)]).collect();
    let report = spool_items(&store, &spool, items).unwrap();
    assert_eq!(
        report.withheld.len(),
        3,
        "lines of one ground and date are summed, those restricted apart"
    );
    let mut cover = cover();
    cover.words.name(
        "ground.tax_records",
        "Tax law makes us keep invoices for ten years.",
    );
    let gone = MissingRows {
        collection: None,
        rows: None,
        failure: Failure::Unavailable,
    };
    cover
        .missing
        .push(Of::new(spool.source.clone(), "Mail log", gone));
    pack(&store, &cover, &[(spool, report)]).unwrap();
    let entries = unzip(store.get(&target()).unwrap());
    let manifest: Json = serde_json::from_slice(&entries["manifest.json"]).unwrap();
    assert_eq!(manifest["complete"], false);
    assert_eq!(manifest["missing"][0]["failure"], "unavailable");
    let lines = manifest["withheld"].as_array().unwrap();
    let restricted = |line: &Json| (line["rows"].as_u64(), line["restricted"].as_bool());
    let restricted: BTreeSet<_> = lines.iter().map(restricted).collect();
    let expected = [(1, false), (5, false), (7, true)];
    assert_eq!(
        restricted,
        expected.map(|(rows, so)| (Some(rows), Some(so))).into()
    );
    let line = lines.iter().find(|line| line["rows"] == 5).unwrap();
    assert_eq!(line["ground"], "tax_records");
    assert_eq!(line["until"]["date"], "2033-12-31");
    let page = text(&entries, "index.html");
    for said in [
        "Tax law makes us keep",
        "31 December 2033",
        "Mail log",
        "did not answer in time",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(page.matches("It is restricted: we keep it").count(), 1);
}

// ── the page ────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_page_is_sound_for_readers_of_every_kind() {
    let mut cover = cover();
    cover
        .statements
        .push(Statement::new("Purposes", ["To answer your tickets."]));
    let mut users = Collection::new("users", columns(&["id", "name"])).titled("Your account");
    users.purposes.push(Purpose("support".into()));
    let rows = (0..25).map(|id| Item::Row(vec![id.into(), "Ada".into()]));
    let picture = Collection::new("pictures", columns(&["picture"]));
    let entries = packed(
        &cover,
        [Item::Collection(users)]
            .into_iter()
            .chain(rows)
            .chain([
                Item::Collection(picture),
                Item::Row(vec![file("a b#?.png", Some("image/png"), b"png")]),
            ])
            .collect(),
    );
    let page = scraper::Html::parse_document(&text(&entries, "index.html"));
    assert!(page.errors.is_empty(), "{:?}", page.errors);
    let all = |selector: &str| {
        let selector = scraper::Selector::parse(selector).unwrap();
        page.select(&selector).collect::<Vec<_>>()
    };

    // language, landmarks, one first heading, no level left out
    assert_eq!(all("html[lang=en]").len(), 1);
    for landmark in [
        "header",
        "main#content",
        "nav[aria-labelledby]",
        "footer",
        "h1",
        "title",
    ] {
        assert_eq!(all(landmark).len(), 1, "{landmark}");
    }
    assert_eq!(all("a.skip[href='#content']").len(), 1);
    let levels = all("h1,h2,h3,h4")
        .into_iter()
        .map(|heading| heading.value().name().as_bytes()[1]);
    let mut before = b'0';
    for level in levels {
        assert!(
            level <= before + 1,
            "a heading of level {level} after {before}"
        );
        before = level;
    }
    // every table has a caption and scoped headings, in a named region the keyboard reaches
    assert_eq!(all("table").len(), all("table > caption").len());
    assert_eq!(all("th").len(), all("th[scope]").len());
    let regions = all(".scroll[role=region][tabindex='0'][aria-labelledby]").len();
    assert_eq!(all("table").len(), regions);
    // each id once, and every reference leads somewhere
    let ids: Vec<&str> = all("[id]")
        .iter()
        .filter_map(|element| element.attr("id"))
        .collect();
    assert_eq!(ids.len(), ids.iter().collect::<HashSet<_>>().len());
    for element in all("[aria-labelledby]") {
        assert!(ids.contains(&element.attr("aria-labelledby").unwrap()));
    }
    for link in all("a") {
        let href = link.attr("href").unwrap();
        match href.strip_prefix('#') {
            Some(id) => assert!(ids.contains(&id), "{href}"),
            None => assert!(entries.contains_key(&decoded(href)), "{href}"),
        }
    }
    // the first 20 of 25 rows, and nothing that runs or loads
    assert_eq!(all("#c0-0 ~ .scroll tbody tr").len(), 21);
    assert_eq!(
        all("script,img,iframe,object,embed,link,form,base,[style],[onclick]").len(),
        0
    );
    // the style sheet is the one the policy names
    let policy = all("meta[http-equiv='Content-Security-Policy']")[0]
        .attr("content")
        .unwrap();
    let style: String = all("style")[0].text().collect();
    let hash = Digest::of(style.as_bytes());
    use base64::Engine as _;
    let hash = base64::prelude::BASE64_STANDARD.encode(hash.as_bytes());
    assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}';")));
}

/// A relative reference without its percent-encoding.
fn decoded(href: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = href.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_page_opens_whatever_there_is() {
    let wide: Vec<String> = (0..100).map(|column| format!("column {column}")).collect();
    let mut items = Vec::new();
    for collection in 0..200 {
        let columns: Vec<Column> = wide.iter().map(Column::new).collect();
        items.push(Item::Collection(Collection::new(
            format!("c{collection}"),
            columns,
        )));
        items.push(Item::Row(
            wide.iter()
                .map(|_| "<&\"".repeat(80).as_str().into())
                .collect(),
        ));
    }
    let entries = packed(&cover(), items);
    let page = text(&entries, "index.html");
    assert!(page.len() < 6_000_000, "{} bytes", page.len());
    assert!(page.contains("60 more columns stand in the files."));
    assert!(page.contains("The rows stand in the files only."));
}

#[test]
fn nothing_found_is_said() {
    let entries = packed(&cover(), Vec::new());
    assert!(text(&entries, "index.html").contains("We searched, and found nothing about you."));
    let mut french = Cover::new(
        "Vos données",
        "Acme",
        request(),
        cover().right,
        cover().created_at,
        "fr-BE",
    );
    french.title = "<b>Vos données</b>".to_owned();
    let page = text(&packed(&french, Vec::new()), "index.html");
    assert!(
        page.contains("<html lang=\"fr-BE\" dir=\"ltr\">") && page.contains("n’avons rien trouvé")
    );
    assert!(page.contains("&lt;b&gt;Vos"));
}

// ── hostile content ─────────────────────────────────────────────────────────────────────────────

/// Pieces of text that try to be something else.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("\"><img src=x onerror=alert(1)>".to_owned()),
        Just("</title></style><!--".to_owned()),
        Just("javascript:alert(1)".to_owned()),
        Just("&lt;&#60;&amp;".to_owned()),
        Just("=HYPERLINK(\"http://x\")".to_owned()),
        Just("-1+1;@x\t=y\r\n+z".to_owned()),
        Just("../../etc/passwd".to_owned()),
        Just("C:\\con\\nul.".to_owned()),
        Just("\u{202e}\u{2066}\u{feff}\u{2028}\0\u{b}".to_owned()),
        Just("{day}{title}".to_owned()),
        "\\PC{0,8}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => hostile().prop_map(Value::Text),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::Int),
        1 => (any::<i64>(), "[0-9]{1,20}").prop_map(|(whole, rest)| Value::Decimal(format!("{whole}.{rest}"))),
        1 => hostile().prop_map(Value::Decimal),
        1 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        1 => (-4_000_000_000_i64..4_000_000_000, 0..1_000_000_000_u32)
            .prop_map(|(seconds, nanos)| Value::Time(DateTime::from_timestamp(seconds, nanos).unwrap())),
        1 => Just(Value::Secret),
    ]
}

/// What stands in JSON for a value, written down a second time and in another way.
fn expected_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) if (-9_007_199_254_740_991..=9_007_199_254_740_991).contains(value) => {
            (*value).into()
        }
        Value::Int(value) => value.to_string().into(),
        Value::Decimal(text) | Value::Text(text) => text.clone().into(),
        Value::Bytes(bytes) => {
            use base64::Engine as _;
            serde_json::json!({"$bytes": base64::prelude::BASE64_STANDARD.encode(bytes)})
        }
        Value::Secret => serde_json::json!({"$secret": true}),
        Value::Time(_) => Json::from("a time"),
        _ => unreachable!("not made here"),
    }
}

/// The documented way back from CSV: one apostrophe less wherever a formula could begin.
fn restored(field: &str) -> String {
    let mut out = String::new();
    let mut beginning = true;
    for c in field.chars() {
        if "=+-@＝＋－＠\t\r".contains(c) && beginning {
            assert_eq!(out.pop(), Some('\''), "an open formula in {field:?}");
        }
        beginning =
            matches!(c, ';' | '\t' | '\r' | '\n') || beginning && matches!(c, '"' | '\'' | ' ');
        out.push(c);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn hostile_content_stays_content(
        title in hostile(),
        collections in proptest::collection::vec(hostile(), 1..4),
        names in proptest::collection::hash_set(hostile(), 2..5),
        file_name in hostile(),
        values in proptest::collection::vec(value(), 4),
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let collections: Vec<String> = collections.into_iter().collect::<HashSet<_>>().into_iter().collect();
        let row = &values[..names.len() - 1];
        let mut items = Vec::new();
        for name in &collections {
            let columns = names.iter().map(Column::new);
            items.push(Item::Collection(Collection::new(name.clone(), columns).titled(&*title)));
            let mut cells: Vec<Cell> = row.iter().cloned().map(Cell::Value).collect();
            cells.push(file(&file_name, Some(&title), title.as_bytes()));
            items.push(Item::Row(cells));
        }
        let mut cover = cover();
        cover.title = title.clone();
        cover.language = title.clone();
        cover.statements.push(Statement::new(title.clone(), [title.clone()]));
        let entries = packed(&cover, items);

        // JSON: the very values
        let manifest: Json = serde_json::from_slice(&entries["manifest.json"]).unwrap();
        let parts = manifest["sources"][0]["collections"].as_array().unwrap();
        prop_assert_eq!(parts.len(), collections.len());
        for (part, name) in parts.iter().zip(&collections) {
            prop_assert_eq!(part["collection"].as_str(), Some(name.as_str()));
            let json: Json = serde_json::from_slice(&entries[part["json"].as_str().unwrap()]).unwrap();
            for (column, value) in names.iter().zip(row) {
                let found = &json["rows"][0][column];
                match value {
                    Value::Time(time) => {
                        let found: DateTime<Utc> = found.as_str().unwrap().parse().unwrap();
                        prop_assert_eq!(found, *time);
                    }
                    value => prop_assert_eq!(found, &expected_json(value)),
                }
            }
            let path = json["rows"][0][&names[names.len() - 1]]["$file"].as_str().unwrap();
            prop_assert_eq!(&entries[path], title.as_bytes());

            // CSV: the same texts behind the apostrophes
            let csv = &entries[part["csv"].as_str().unwrap()];
            let mut csv = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_slice());
            let rows: Vec<_> = csv.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 2);
            prop_assert_eq!(rows[0].iter().map(restored).collect::<Vec<_>>(), names.clone());
            for (field, value) in rows[1].iter().zip(row) {
                match value {
                    Value::Text(text) => prop_assert_eq!(&restored(field), text),
                    Value::Int(number) => prop_assert_eq!(field, number.to_string()),
                    _ => {}
                }
            }
        }

        // HTML: an independent parser finds only the elements the page is made of
        let page = text(&entries, "index.html");
        let page = scraper::Html::parse_document(&page);
        const ELEMENTS: [&str; 32] = [
            "html", "head", "meta", "title", "style", "body", "a", "main", "header", "footer", "nav",
            "section", "h1", "h2", "h3", "p", "dl", "dt", "dd", "div", "span", "table", "caption",
            "thead", "tbody", "tr", "th", "td", "bdi", "em", "small", "time", ];
        const ATTRIBUTES: [&str; 17] = [
            "lang", "dir", "charset", "http-equiv", "content", "name", "class", "href", "id", "tabindex",
            "aria-labelledby", "aria-hidden", "role", "scope", "colspan", "rel", "datetime",
        ];
        for node in page.tree.nodes() {
            prop_assert!(!node.value().is_comment());
            if let Some(element) = node.value().as_element() {
                prop_assert!(ELEMENTS.contains(&element.name()), "{}", element.name());
                for (name, value) in element.attrs() {
                    prop_assert!(ATTRIBUTES.contains(&name), "{}", name);
                    prop_assert!(name != "href" || !value.contains(':'), "{}", value);
                }
            }
        }
        let heading = page.select(&scraper::Selector::parse("h1").unwrap()).next().unwrap();
        let heading: String = heading.text().collect();
        prop_assert_eq!(heading, title.replace('\0', "").replace("\r\n", "\n").replace('\r', "\n"));
    }
}

// ── garbage, limits, failures ───────────────────────────────────────────────────────────────────

fn garbage(items: Vec<Item>, limits: &Limits) -> Garbage {
    let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
    let cancel = Cancel::default();
    let error = run(package::spool(
        &spool,
        reading(items),
        &store,
        &Toy::default(),
        limits,
        &cancel,
    ));
    assert!(
        store.all.lock().unwrap().is_empty(),
        "something became visible"
    );
    match error {
        Err(PackageError::Garbage(garbage)) => {
            assert!(!garbage.to_string().contains("Ada"), "{garbage}");
            garbage
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn garbage_is_told_by_its_kind() {
    let limits = Limits::default();
    let row = || Item::Row(vec![1.into(), "Ada".into()]);
    let users_again = "users".to_owned();
    assert_eq!(garbage(vec![row()], &limits), Garbage::RowBeforeCollection);
    let short = vec![users(), Item::Row(vec!["Ada".into()])];
    let cells = Garbage::Cells {
        collection: users_again.clone(),
        expected: 2,
        found: 1,
    };
    assert_eq!(
        cells.to_string(),
        "a row of users has 1 cells; accepted are 2, one per column"
    );
    assert_eq!(garbage(short, &limits), cells);
    let other = || Item::Collection(Collection::new("other", columns(&["a"])));
    assert_eq!(
        garbage(vec![users(), row(), other(), users()], &limits),
        Garbage::CollectionTwice {
            collection: users_again.clone()
        }
    );
    let twice = Item::Collection(Collection::new("users", columns(&["a", "b", "a"])));
    assert_eq!(
        garbage(vec![twice], &limits),
        Garbage::ColumnTwice {
            collection: users_again.clone(),
            column: "a".to_owned()
        }
    );
    let none = Item::Collection(Collection::new("users", []));
    assert_eq!(
        garbage(vec![none], &limits),
        Garbage::NoColumns {
            collection: users_again.clone()
        }
    );
}

#[test]
fn what_never_ends_is_ended() {
    let users_again = "users".to_owned();
    let mut limits = Limits::default();
    limits.file_bytes = Some(1_000_000);
    limits.source_bytes = Some(1_500_000);
    limits.row_bytes = 1_000;
    limits.lines = 3;
    let endless = || {
        Cell::File(File {
            name: "Ada".to_owned(),
            media_type: None,
            content: futures::stream::repeat_with(|| Ok(vec![0; 1000])).boxed(),
        })
    };
    assert_eq!(
        garbage(vec![users(), Item::Row(vec![1.into(), endless()])], &limits),
        Garbage::FileTooLarge {
            collection: users_again.clone(),
            limit: 1_000_000
        }
    );
    let large = vec![
        users(),
        Item::Row(vec![1.into(), "Ada".repeat(400).as_str().into()]),
    ];
    assert_eq!(
        garbage(large, &limits),
        Garbage::RowTooLarge {
            collection: users_again.clone(),
            limit: 1_000
        }
    );
    let mut many = vec![users()];
    many.extend((0..10_000).map(|id| Item::Row(vec![id.into(), "Ada".repeat(60).as_str().into()])));
    assert_eq!(
        garbage(many, &limits),
        Garbage::SourceTooLarge {
            collection: users_again,
            limit: 1_500_000
        }
    );
    let many = (0..4).map(|n| Item::Collection(Collection::new(format!("c{n}"), columns(&["a"]))));
    assert!(matches!(
        garbage(many.collect(), &limits),
        Garbage::TooMany { limit: 3, .. }
    ));
}

#[test]
fn a_source_that_fails_leaves_nothing() {
    let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
    let (limits, vault) = (Limits::default(), Toy::default());
    for (kind, expected) in [
        (ErrorKind::Busy, "source"),
        (ErrorKind::Cancelled, "cancelled"),
    ] {
        let items = vec![Ok(users()), Err(PortError::new(kind, "deadlock"))];
        let reading = futures::stream::iter(items).boxed();
        let error = run(package::spool(
            &spool,
            reading,
            &store,
            &vault,
            &limits,
            &Cancel::default(),
        ));
        match error {
            Err(PackageError::Source(error)) if expected == "source" => {
                assert_eq!(error.code, "deadlock")
            }
            Err(PackageError::Cancelled) => assert_eq!(expected, "cancelled"),
            other => panic!("{other:?}"),
        }
    }
    let cancel = Cancel::default();
    cancel.cancel();
    let error = run(package::spool(
        &spool,
        reading(vec![users()]),
        &store,
        &vault,
        &limits,
        &cancel,
    ));
    assert_eq!(error, Err(PackageError::Cancelled));
    assert!(store.all.lock().unwrap().is_empty());
}

#[test]
fn a_store_that_is_full_at_any_write_leaves_nothing() {
    let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
    let items = || {
        let rows = (0..2_000).map(|id| Item::Row(vec![id.into(), file("a", None, &[7; 300])]));
        [users()].into_iter().chain(rows).collect::<Vec<_>>()
    };
    let report = spool_items(&store, &spool, items()).unwrap();
    let spools = [(spool.clone(), report)];
    let mut writes = 0;
    loop {
        *store.writes_left.lock().unwrap() = Some(writes);
        match pack(&store, &cover(), &spools) {
            Err(PackageError::Artifacts(error)) => assert_eq!(error.code, "disk_full"),
            Ok(_) => break,
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(store.get(&target()), None);
        writes += 1;
    }
    assert!(writes > 2, "{writes} writes");
    *store.writes_left.lock().unwrap() = Some(1);
    let error = spool_items(&store, &spool_of("other", "Other"), items());
    assert!(
        matches!(error, Err(PackageError::Artifacts(_))),
        "{error:?}"
    );
}

// ── sealing ─────────────────────────────────────────────────────────────────────────────────────

/// A source of several frames, rows and files.
fn large() -> Vec<Item> {
    let text = "Ada Lovelace, 12 St James's Square".repeat(100);
    let rows = (0..200).map(|id| Item::Row(vec![id.into(), text.as_str().into()]));
    let pictures = Collection::new("pictures", columns(&["picture"]));
    let picture = Item::Row(vec![file("ada.png", None, text.repeat(200).as_bytes())]);
    [users()]
        .into_iter()
        .chain(rows)
        .chain([Item::Collection(pictures), picture])
        .collect()
}

/// The sealed frames of an artifact, with their lengths.
fn frames(artifact: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = artifact;
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[..4].try_into().unwrap()) & !(1 << 31);
        let (frame, behind) = rest.split_at(4 + length as usize);
        frames.push(frame.to_vec());
        rest = behind;
    }
    frames
}

#[test]
fn a_spool_that_was_touched_does_not_open() {
    let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
    let report = spool_items(&store, &spool, large()).unwrap();
    let spools = [(spool.clone(), report.clone())];
    assert!(pack(&store, &cover(), &spools).is_ok());
    store.all.lock().unwrap().remove(target().as_str());

    let refused = |what: &str| {
        let error = pack(&store, &cover(), &spools).unwrap_err();
        assert!(
            matches!(
                error,
                PackageError::Damaged { .. } | PackageError::Vault(VaultError::Forged(_))
            ),
            "{what}: {error:?}"
        );
        assert_eq!(store.get(&target()), None, "{what}");
    };
    let (rows, files) = (
        store.get(&spool.rows).unwrap(),
        store.get(&spool.files).unwrap(),
    );
    for (key, artifact) in [(&spool.rows, &rows), (&spool.files, &files)] {
        let all = frames(artifact);
        assert!(all.len() > 2);
        let put = |what: &str, bytes: Vec<u8>| {
            store.put(key, bytes);
            refused(what);
        };
        put("empty", Vec::new());
        put("cut in a frame", artifact[..artifact.len() - 1].to_vec());
        put("without its last frame", all[..all.len() - 1].concat());
        let mut ended = all[..all.len() - 1].to_vec();
        let last = ended.len() - 1;
        ended[last][3] |= 0x80;
        put("ended earlier", ended.concat());
        put(
            "swapped",
            [&all[1..2], &all[..1], &all[2..]].concat().concat(),
        );
        put("without a frame", [&all[..1], &all[2..]].concat().concat());
        put(
            "with a frame twice",
            [&all[..1], &all[..]].concat().concat(),
        );
        put("longer", [artifact.as_slice(), b"x"].concat());
        let mut turned = artifact.clone();
        turned[artifact.len() / 2] ^= 1;
        put("altered", turned);
        let mut endless = artifact.clone();
        endless[2] = 0xff;
        put("a frame too long", endless);
        store.put(key, artifact.clone());
    }
    store.put(&spool.rows, files.clone());
    refused("files for rows");
    store.put(&spool.rows, rows.clone());

    // another writing of the same spool, whole or in part: its frames opened once, the mark tells
    spool_items(&store, &spool, large()).unwrap();
    refused("another spool of the same name");
    let again = frames(&store.get(&spool.rows).unwrap());
    let first = frames(&rows);
    store.put(&spool.files, files);
    store.put(&spool.rows, [&first[..1], &again[1..]].concat().concat());
    refused("the frames of another writing");
    store.put(&spool.rows, rows);
    assert!(pack(&store, &cover(), &spools).is_ok());
}

#[test]
fn a_report_that_does_not_fit_is_refused() {
    let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
    let report = spool_items(&store, &spool, large()).unwrap();
    let twisted = |twist: fn(&mut SpoolReport)| {
        let mut report = report.clone();
        twist(&mut report);
        let error = pack(&store, &cover(), &[(spool.clone(), report)]).unwrap_err();
        assert!(matches!(error, PackageError::Damaged { .. }), "{error:?}");
    };
    twisted(|report| report.collections[0].rows += 1);
    twisted(|report| report.collections.truncate(1));
    twisted(|report| report.collections.swap(0, 1));
    twisted(|report| report.collections.push(report.collections[0].clone()));
    twisted(|report| report.files = 0);
    // and what it says survives being stored
    let stored = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<SpoolReport>(&stored).unwrap(),
        report
    );
}

#[test]
fn nothing_stands_in_clear_and_a_shredded_key_ends_it() {
    let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
    let report = spool_items(&store, &spool, large()).unwrap();
    for artifact in store.all.lock().unwrap().values() {
        assert!(!artifact.windows(8).any(|window| window == b"Lovelace"));
    }
    assert!(!format!("{spool:?} {report:?}").contains("Ada"));
    let vault = Toy::default();
    *vault.shredded.lock().unwrap() = true;
    let spools = [(spool.clone(), report)];
    let (cover, target, cancel) = (cover(), target(), Cancel::default());
    let work = package::write(&target, &cover, &spools, &store, &vault, &cancel);
    assert!(matches!(
        run(work),
        Err(PackageError::Vault(VaultError::Shredded(_)))
    ));
    run(spool.delete(&store)).unwrap();
    run(spool.delete(&store)).unwrap();
    assert!(store.all.lock().unwrap().is_empty());
}
