use datarights::testkit::source_suite::{Oracle, OracleRow, Specimen, Whose, assert_conforms};

/// Looks into the tables past the source. Writer 1 is the person.
#[async_trait]
impl Oracle for Guestbook {
    async fn rows(&self, whose: Whose) -> Vec<OracleRow> {
        let tables = self.begin();
        let asked = |number: u32| (number == 1) == (whose == Whose::Person);
        let writers = tables.writers.iter().filter(|(number, _)| asked(**number));
        let entries = tables.entries.values().filter(|entry| asked(entry.writer));
        writers
            .map(|(_, w)| {
                OracleRow::new("writers", format!("{} {} {}", w.name, w.mail, w.password))
            })
            .chain(entries.map(|entry| OracleRow::new("entries", &entry.text)))
            .collect()
    }

    async fn lose(&self, collection: &str) -> bool {
        let mut tables = self.begin();
        match collection {
            "writers" => drop(tables.writers.remove(&1)),
            _ => tables.entries.retain(|_, entry| entry.writer != 1),
        }
        true
    }
}

/// A guestbook with two writers, made anew for every check.
async fn specimen() -> Specimen {
    let book = Guestbook {
        id: SourceId::new("guestbook").expect("a valid name"),
        tables: Arc::default(),
    };
    for (number, name) in [(1, "ada"), (2, "bob")] {
        let mut tables = book.begin();
        let writer = Writer {
            name: name.to_owned(),
            mail: format!("{name}@example.org"),
            password: format!("the password of {name}"),
        };
        tables.writers.insert(number, writer);
        for nth in 0..3 {
            let text = format!("{name} was here, for the time {nth}");
            tables.entries.insert(
                number * 10 + nth,
                Entry {
                    writer: number,
                    text,
                },
            );
        }
    }
    let mail = |name: &str| Identifier::Mail(Personal::new(format!("{name}@example.org")));
    let correction = |field: &str| Correction {
        collection: "writers".to_owned(),
        field: field.to_owned(),
        value: Personal::new("Ada Lovelace".to_owned()),
    };
    let source = Arc::new(book.clone());
    Specimen::new(source, Arc::new(book), vec![mail("ada")], vec![mail("bob")])
        .correcting(correction("name"), correction("no_such_field"))
        .hiding("the password of ada")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_conforms(async || specimen().await).await;
}
