//! A help desk in memory as a specimen for the source suite.

use std::sync::Arc;

use async_trait::async_trait;
use datarights::adapters::{
    MemoryCell, MemoryCollection, MemoryRow, MemorySource, MemoryStoredRow,
};
use datarights::model::{
    ControllerId, Correction, Ground, Identifier, IdentifierKind, Personal, SourceId, Until, Use,
    Value,
};
use datarights::ports::PersonalDataSource;
use datarights::testkit::source_suite::{Oracle, OracleRow, Specimen, Whose};

/// The owner of the rows that the checks are about.
pub(crate) const PERSON: &str = "7";
/// Stands in the person's rows.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Which of its rules the desk keeps.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) secrets: bool,
    pub(crate) retention: bool,
}

/// The desk, with two people and their rows.
pub(crate) fn desk(rules: Rules) -> MemorySource {
    let mut users = MemoryCollection::new("users", ["name", "mail", "phone", "password", "age"])
        .found_by("mail", IdentifierKind::Mail)
        .found_by("phone", IdentifierKind::Phone);
    if rules.secrets {
        users = users.secret("password");
    }
    let mut invoices = MemoryCollection::new("invoices", ["amount"]);
    if rules.retention {
        invoices = invoices.withheld(Ground::new("tax_records"), Until::HoldLifted);
    }
    let desk = MemorySource::new(SourceId::new("desk").unwrap(), "Help desk")
        .with(users)
        .with(MemoryCollection::new("tickets", ["subject"]))
        .with(MemoryCollection::new("attachments", ["file"]))
        .with(MemoryCollection::new("ratings", ["stars", "comment"]).anonymised(["stars"]))
        .with(
            MemoryCollection::new("notes", ["text"])
                .not_handed_over(Ground::new("business_secret")),
        )
        .with(invoices);
    for (owner, name, mail, phone) in [
        (PERSON, "Ada", "ada@example.org", "+33 1 23 45 67 89"),
        ("8", "Bob", "bob@example.org", "+33 1 98 76 54 32"),
    ] {
        let put = |collection: &str, row: MemoryRow| desk.insert(collection, owner, row).unwrap();
        let cells = [
            Value::from(name),
            mail.into(),
            phone.into(),
            PASSWORD.into(),
            36.into(),
        ];
        put("users", cells.into());
        for nth in 0..5 {
            put("tickets", [format!("Printer {nth} burns").as_str()].into());
        }
        put(
            "attachments",
            [MemoryCell::file("photo.jpg", vec![0xff; 100_000])].into(),
        );
        put("ratings", [Value::from(5), "Thanks".into()].into());
        put("notes", ["Pays late"].into());
        put("invoices", [1200].into());
        put("invoices", [800].into());
    }
    desk
}

/// Looks at the desk's rows past the source.
pub(crate) struct DeskOracle(pub(crate) MemorySource);

#[async_trait]
impl Oracle for DeskOracle {
    async fn rows(&self, whose: Whose) -> Vec<OracleRow> {
        let mut rows = match whose {
            Whose::Person => self.0.rows_of(PERSON),
            Whose::Others => self.0.rows_of_others(PERSON),
        };
        rows.retain(|row| row.owner.is_some()); // anonymised rows are nobody's
        rows.iter()
            .map(|row| OracleRow::new(&row.collection, content(row)))
            .collect()
    }

    async fn is_used(&self, by: &ControllerId, who: &Identifier, what: &Use) -> Option<bool> {
        Some(!self.0.is_stopped(by, who, what))
    }

    async fn lose(&self, collection: &str) -> bool {
        self.0.lose(collection, PERSON).is_ok()
    }
}

fn content(row: &MemoryStoredRow) -> String {
    let mut content = format!("{} {:?}", row.restricted, row.owner);
    for cell in &row.cells {
        content += &match cell {
            MemoryCell::Value(value) => serde_json::to_string(value).unwrap(),
            MemoryCell::File { name, bytes, .. } => format!("{name} {}", bytes.len()),
            _ => String::new(),
        };
    }
    content
}

pub(crate) fn correction(collection: &str, field: &str, value: &str) -> Correction {
    Correction {
        collection: collection.to_owned(),
        field: field.to_owned(),
        value: Personal::new(value.to_owned()),
    }
}

/// A specimen of a source that stands in front of a desk.
pub(crate) fn specimen(source: Arc<dyn PersonalDataSource>, desk: MemorySource) -> Specimen {
    let ada = vec![
        Identifier::mail("ada@example.org").unwrap(),
        Identifier::phone("+33123456789").unwrap(),
    ];
    let bob = vec![Identifier::mail("bob@example.org").unwrap()];
    Specimen::new(source, Arc::new(DeskOracle(desk)), ada, bob)
        .withholding("invoices")
        .correcting(
            correction("users", "name", "Ada Lovelace"),
            correction("users", "age", "thirty-six"),
        )
        .hiding(PASSWORD)
}
