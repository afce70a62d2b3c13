//! A household with one number: all of it is found, or nobody where one person was meant.

use datarights::adapters::SqlFault;
use datarights::datamap::DataMap;
use datarights::model::Identifier;
use datarights::ports::PersonalDataSource;

use crate::{context, done, options};

#[tokio::test]
async fn several_people_are_found_or_refused() {
    crate::engines::everywhere(async |place| {
        place
            .run(&[
                "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(40), phone VARCHAR(40))",
                "CREATE TABLE staff (id INTEGER PRIMARY KEY, mail VARCHAR(40))",
                "INSERT INTO people VALUES (1, 'ada@example.org', '+33 1 23 45 67 89'), (2, 'bob@example.org', \
                 '0033123456789'), (3, 'eve@example.org', NULL)",
                "INSERT INTO staff VALUES (1, 'eve@example.org')",
            ])
            .await;
        let map = DataMap::from_toml(
            r#"
            schema = 1
            [tables.people]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"] }
            columns.phone = { category = "contact", identifiers = ["phone"] }
            [tables.staff]
            person = true
            columns.mail = { category = "contact", identifiers = ["mail"] }
            [[exempt]]
            table = "*"
            columns = ["id"]
            reason = "numbers"
            "#,
        )
        .unwrap();
        let phone = [Identifier::phone("+33123456789").unwrap()];
        let mails = ["ada@example.org", "bob@example.org"].map(|mail| Identifier::mail(mail).unwrap());
        let eve = [Identifier::mail("eve@example.org").unwrap()];
        let all = place.open(&map).await;
        let one = place
            .open_with(&map, options().refusing_several_people())
            .await;
        for who in [&phone[..], &mails] {
            let found = done(all.locate(&context("l"), who).await.unwrap());
            assert_eq!(found.rows[0].rows, 2, "{}", place.name);
            let error = one.locate(&context("l"), who).await.unwrap_err();
            assert_eq!(error.to_string(), "several_people at people", "{}", place.name);
            assert_eq!(SqlFault::of(&error), Some(SqlFault::SeveralPeople));
        }
        // One row in each of two tables is one person.
        for who in [&mails[..1], &eve] {
            let found = one.locate(&context("l"), who).await;
            assert!(!done(found.unwrap()).locators.is_empty(), "{}", place.name);
        }
    })
    .await;
}
