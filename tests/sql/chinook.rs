//! The Chinook sample shop: invoices that must be kept ten years with their lines, and employees
//! who report to each other.

use std::path::Path;
use std::sync::Arc;

use datarights::adapters::SqlSource;
use datarights::datamap::DataMap;
use datarights::model::Until;
use datarights::testkit::TestClock;

use crate::engines::{Place, everywhere};
use crate::oracle::{Snapshot, orphans, rows};
use crate::{erase, options, pool, shared};

/// In which nobody stands, each after what it refers to.
const MUSIC: [&str; 7] = [
    "Artist",
    "Album",
    "Genre",
    "MediaType",
    "Track",
    "Playlist",
    "PlaylistTrack",
];

fn map(source: &Path) -> DataMap {
    let mut map = DataMap::from_toml(include_str!("../maps/chinook.toml")).unwrap();
    for table in MUSIC {
        assert!(!rows(source, &format!("SELECT count(*) FROM {table}")).is_empty());
        map = map.exempt(table, "music");
    }
    map
}

#[tokio::test]
async fn invoices_stay_ten_years_and_reports_remain() {
    let Some(original) = shared("chinook.sqlite") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chinook.sqlite");
    std::fs::write(&path, std::fs::read(&original).unwrap()).unwrap();
    // What was invoiced before 2024 need not be kept any more: the year was closed ten years ago.
    let clock = Arc::new(TestClock::at("2034-06-01T00:00:00Z".parse().unwrap()));
    let source = SqlSource::open(pool(&path).await, &map(&path), clock, options())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let before = Snapshot::of(&path);

    let erased = erase(&source, "luisg@embraer.com.br").await;
    let difference = before.difference(&Snapshot::of(&path));
    let gone = "SELECT InvoiceId FROM Invoice WHERE CustomerId = 1 AND InvoiceDate < '2024-01-01'";
    let gone = rows(&original, gone);
    let lines = "SELECT InvoiceLineId FROM InvoiceLine JOIN Invoice USING (InvoiceId)
                 WHERE CustomerId = 1 AND InvoiceDate < '2024-01-01'";
    let lines = rows(&original, lines);
    assert!(gone.len() == 4 && lines.len() > 4);
    let of = |name: &str, rows: &std::collections::BTreeSet<i64>| {
        rows.iter()
            .map(|row| (name.to_owned(), *row))
            .collect::<Vec<_>>()
    };
    let mut expected = of("Invoice", &gone);
    expected.extend(of("InvoiceLine", &lines));
    assert_eq!(difference.deleted, expected.into_iter().collect());
    // Of the account, as long as an invoice refers to it, nothing but the country and the first
    // two characters of the postcode.
    let emptied = [
        "Address",
        "City",
        "Company",
        "Email",
        "Fax",
        "FirstName",
        "LastName",
        "Phone",
        "PostalCode",
        "State",
    ];
    let emptied = emptied.map(|column| ("Customer".to_owned(), column.to_owned(), 1));
    assert_eq!(difference.changed, emptied.into());
    let of_the_account =
        "SELECT count(*) FROM Customer WHERE CustomerId = 1 AND FirstName = '-' AND
        LastName = '-' AND coalesce(Address, City, Company, Fax, Phone, State) IS NULL AND
        PostalCode = '12' AND Country = 'Brazil' AND Email LIKE 'anon-%'";
    assert_eq!(rows(&path, of_the_account), [1].into());
    let kept = |name: &str| {
        let kept = erased
            .withheld
            .iter()
            .filter(|kept| kept.collection == name);
        kept.map(|kept| (kept.rows, kept.until)).collect::<Vec<_>>()
    };
    let until = |day: &str| Until::Date(day.parse().unwrap());
    assert_eq!(kept("Customer"), [(1, until("2035-12-31"))]);
    assert_eq!(
        kept("Invoice"),
        [(2, until("2034-12-31")), (1, until("2035-12-31"))]
    );
    let lines = kept("InvoiceLine")
        .iter()
        .map(|(rows, _)| rows)
        .sum::<u64>();
    let still = "SELECT InvoiceLineId FROM InvoiceLine JOIN Invoice USING (InvoiceId)
                 WHERE CustomerId = 1 AND InvoiceDate >= '2024-01-01'";
    assert_eq!(lines, rows(&original, still).len() as u64);

    // An employee to whom others report, and who looks after nobody; and one who does.
    for (id, mail) in [(2, "nancy@chinookcorp.com"), (3, "jane@chinookcorp.com")] {
        let before = Snapshot::of(&path);
        erase(&source, mail).await;
        let mut difference = before.difference(&Snapshot::of(&path));
        difference.added.clear(); // what the source notes of its effects
        let employee = ("Employee".to_owned(), id);
        assert_eq!(difference.deleted, [employee].into());
        let reports =
            format!("SELECT EmployeeId FROM Employee WHERE ReportsTo = {id} AND EmployeeId <> 3");
        let cares = format!("SELECT CustomerId FROM Customer WHERE SupportRepId = {id}");
        let mut expected = std::collections::BTreeSet::new();
        for row in rows(&original, &reports) {
            expected.insert(("Employee".to_owned(), "ReportsTo".to_owned(), row));
        }
        if id == 2 {
            expected.insert(("Employee".to_owned(), "ReportsTo".to_owned(), 3));
        }
        for row in rows(&original, &cares) {
            expected.insert(("Customer".to_owned(), "SupportRepId".to_owned(), row));
        }
        assert!(expected.len() > 2);
        assert_eq!(difference.changed, expected);
    }
    assert_eq!(orphans(&path), 0);
}

/// All tables with their keys and rows, on any engine.
async fn copied(place: &Place, original: &Path) {
    let connection = rusqlite::Connection::open(original).unwrap();
    let people = ["Employee", "Customer", "Invoice", "InvoiceLine"];
    for table in MUSIC.into_iter().chain(people) {
        let list = |sql: String| -> Vec<(String, String, String)> {
            let mut statement = connection.prepare(&sql).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            rows.unwrap().map(Result::unwrap).collect()
        };
        let columns = list(format!(
            "SELECT name, type, CASE \"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END FROM pragma_table_info('{table}')"
        ));
        let key = list(format!(
            "SELECT name, '', '' FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"
        ));
        let q = |name: &str| place.quoted(name);
        let of_type = |declared: &str| match (place.name, declared) {
            ("postgres", "DATETIME") => "TIMESTAMP".to_owned(),
            _ => declared.replace("NVARCHAR", "VARCHAR"),
        };
        let mut parts: Vec<String> = columns
            .iter()
            .map(|(name, declared, filled)| format!("{} {}{filled}", q(name), of_type(declared)))
            .collect();
        let key: Vec<String> = key.iter().map(|(name, ..)| q(name)).collect();
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
        let keys = list(format!(
            "SELECT \"from\", \"table\", \"to\" FROM pragma_foreign_key_list('{table}')"
        ));
        let key = |(from, to, column): &(String, String, String)| {
            format!(
                "FOREIGN KEY ({}) REFERENCES {} ({})",
                q(from),
                q(to),
                q(column)
            )
        };
        parts.extend(keys.iter().map(key));
        place
            .run(&[&format!("CREATE TABLE {} ({})", q(table), parts.join(", "))])
            .await;
        let literals: Vec<String> = columns
            .iter()
            .map(|(c, ..)| format!("quote(\"{c}\")"))
            .collect();
        // Who others report to comes first.
        let rows = format!(
            "SELECT '(' || concat_ws(', ', {}) || ')', '', '' FROM {table} ORDER BY rowid",
            literals.join(", ")
        );
        let rows = list(rows).into_iter().map(|(row, ..)| match place.name {
            "mariadb" => row.replace('\\', "\\\\"),
            _ => row,
        });
        let rows: Vec<String> = rows.collect();
        for rows in rows.chunks(200) {
            let insert = format!("INSERT INTO {} VALUES {}", q(table), rows.join(", "));
            place.run(&[&insert]).await;
        }
    }
}

#[tokio::test]
async fn every_engine_keeps_and_erases_the_same() {
    let Some(original) = shared("chinook.sqlite") else {
        return;
    };
    let told = std::cell::RefCell::new(Vec::new());
    everywhere(async |place| {
        copied(place, &original).await;
        let map = map(&original);
        if let Err(problems) = map.check(&place.pool.catalogue().await.unwrap()) {
            panic!("{}: {problems}", place.name);
        }
        let clock = Arc::new(TestClock::at("2034-06-01T00:00:00Z".parse().unwrap()));
        let source = SqlSource::open(place.pool.clone(), &map, clock, options()).await;
        let source = source.unwrap_or_else(|error| panic!("{}: {error}", place.name));
        let mut answers = Vec::new();
        for mail in [
            "luisg@embraer.com.br",
            "nancy@chinookcorp.com",
            "jane@chinookcorp.com",
        ] {
            let mut erased = erase(&source, mail).await;
            erased.rows.sort();
            erased.withheld.sort();
            answers.push(format!("{erased:?}"));
        }
        for (table, columns) in [
            ("Employee", "EmployeeId, LastName, ReportsTo, Email"),
            (
                "Customer",
                "CustomerId, LastName, SupportRepId, Email, Phone, PostalCode",
            ),
            ("Invoice", "InvoiceId, CustomerId, BillingCity"),
            ("InvoiceLine", "InvoiceLineId, InvoiceId, TrackId"),
            ("Artist", "ArtistId, Name"),
            ("Album", "AlbumId, Title, ArtistId"),
            ("Genre", "GenreId, Name"),
            ("MediaType", "MediaTypeId, Name"),
            ("Track", "TrackId, Name, Composer"),
            ("Playlist", "PlaylistId, Name"),
            ("PlaylistTrack", "PlaylistId, TrackId"),
        ] {
            let columns: Vec<String> = columns.split(", ").map(|c| place.quoted(c)).collect();
            answers.extend(place.rows(&place.quoted(table), &columns.join(", ")).await);
        }
        told.borrow_mut().push((place.name, answers));
    })
    .await;
    let told = told.into_inner();
    let (_, first) = &told[0];
    // The first test says what is right on SQLite.
    assert!(first[0].contains("Customer") && first.len() > 2000);
    for (name, answers) in &told {
        let differs = answers.iter().zip(first).find(|(one, other)| one != other);
        assert_eq!((answers.len(), differs), (first.len(), None), "{name}");
    }
}
