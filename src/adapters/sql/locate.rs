//! Finding who is meant: from identifiers to people, and to what leads to their rows again.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::datamap::{CatalogueColumn, Class};
use crate::model::{Identifier, IdentifierKind, RowCount};
use crate::ports::{MAX_LOCATORS, PortError};

use super::clue::{Clue, Person};
use super::dialect::{SET, spellings};
use super::fault::SqlFault;
use super::fill::fits;
use super::found::{Found, own};
use super::layout::{Laid, LaidTarget};
use super::rectify::normal;
use super::session::Scalar;
use super::statement::Param;
use super::text::{is_code, is_told_apart};

impl Found {
    /// Who is meant by these identifiers, and what else identifies them.
    pub(super) async fn identify(
        &mut self,
        identifiers: &[Identifier],
    ) -> Result<(Person, Vec<Identifier>), PortError> {
        let given: Vec<(IdentifierKind, String)> = identifiers
            .iter()
            .filter_map(|identifier| identifier.normal().ok())
            .map(|form| (form.kind().clone(), form.expose().to_owned()))
            .collect();
        let of_kind = |kind: &IdentifierKind| -> Vec<&str> {
            let same = given.iter().filter(|(other, _)| other == kind);
            same.map(|(_, value)| value.as_str()).collect()
        };
        let (mut person, mut identifiers) = (Person::default(), Vec::new());
        let layout = Arc::clone(&self.layout);
        let people = || {
            layout
                .tables
                .iter()
                .enumerate()
                .filter(|(_, t)| t.described.person)
        };
        let mut changed = BTreeSet::new();
        for (number, table) in people() {
            let mut rows = 0;
            for (column, described) in table.columns() {
                for kind in &described.identifiers {
                    let values = of_kind(kind);
                    rows += self.seed_by_column(table, column, kind, &values).await?;
                }
            }
            if rows > 0 {
                self.remember(table, &mut person).await?;
                changed.insert(number);
            }
        }
        // Rows of people that links lead to tell of the person, too: a second address, a profile.
        let follows = people().any(|(_, table)| own(table).next().is_some());
        while !changed.is_empty() {
            let mut known: BTreeSet<usize> = changed.clone();
            if follows {
                self.close(changed).await?;
                known.extend(people().map(|(number, _)| number));
            }
            let before = person.len();
            for number in known {
                let table = &layout.tables[number];
                self.know(table, &mut person, &mut identifiers).await?;
            }
            changed = BTreeSet::new();
            if follows && person.len() > before {
                for (number, table) in layout.tables.iter().enumerate() {
                    if table.owned && self.seed_by_values(table, &person).await? > 0 {
                        changed.insert(number);
                    }
                }
            }
        }
        if self.by_value && person.len() > 0 {
            // What no path reaches may stand elsewhere.
            for (kind, value) in &given {
                person.add(Clue::Value(kind.clone(), value.clone()));
            }
        }
        // What stands nowhere is no part of the person: it would be sealed and kept for nothing.
        for table in &layout.tables {
            for link in &table.links {
                let LaidTarget::Identifier(kind, _) = &link.to else {
                    continue;
                };
                for value in of_kind(kind) {
                    let set = format!("{}value", SET);
                    self.make_set(table, &set).await?;
                    if let Some(sql) = self.by_value(table, link, &set, vec![value])
                        && self.run(sql, &table.name).await? > 0
                    {
                        self.know_value(&mut person, kind, value);
                    }
                    let dropped = self.sql(layout.dialect.drop_set(&set));
                    self.run(dropped, &table.name).await?;
                }
            }
        }
        Ok((person, identifiers))
    }

    /// Reads the keys of the people in a set.
    async fn remember(&mut self, table: &Laid, person: &mut Person) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let keys = table.key.columns.iter().enumerate();
        let keys = keys.map(|(n, column)| dialect.key_text(&format!("s.k{n}"), column.class));
        let sql = self.sql(format!(
            "SELECT {} FROM {} AS s LIMIT {}",
            keys.collect::<Vec<_>>().join(", "),
            table.set,
            MAX_LOCATORS + 1
        ));
        let rows = self.session.fetch(sql, &table.name).await?;
        if rows.len() > MAX_LOCATORS {
            return Err(SqlFault::TooManyPeople.at(&table.name));
        }
        for row in rows {
            let key: Vec<String> = row.iter().filter_map(Scalar::text).collect();
            if !fits(&table.key.columns, &key) {
                return Err(SqlFault::Unreadable.at(&table.name)); // it could not be found again
            }
            person.add(Clue::Row(table.name.clone(), key));
        }
        Ok(())
    }

    /// Reads identifiers and names of the people in a set.
    async fn know(
        &mut self,
        table: &Laid,
        person: &mut Person,
        identifiers: &mut Vec<Identifier>,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let named: Vec<(&CatalogueColumn, &[IdentifierKind])> = table
            .columns()
            .filter(|(_, described)| !described.identifiers.is_empty())
            .map(|(column, described)| (column, described.identifiers.as_slice()))
            .collect();
        let names = table.described.names.iter().flatten();
        let names = names.filter_map(|name| table.table.column(name));
        let here = |column: &CatalogueColumn| format!("t.{}", dialect.quote(&column.name));
        let told = named.iter().map(|(column, _)| *column).chain(names);
        let selected: Vec<String> = told.map(|column| dialect.text(&here(column))).collect();
        if selected.is_empty() {
            return Ok(());
        }
        let sql = self.sql(format!(
            "SELECT {} FROM {} AS s {} {} AS t ON {} LIMIT {}",
            selected.join(", "),
            table.set,
            dialect.join(),
            table.quoted,
            table.key.joins(dialect, "t", "s"),
            MAX_LOCATORS + 1
        ));
        let rows = self.session.fetch(sql, &table.name).await?;
        if rows.len() > MAX_LOCATORS {
            return Err(SqlFault::TooManyPeople.at(&table.name));
        }
        let texts = self.looks_into_texts();
        for row in rows {
            let mut cells = row.iter().map(Scalar::text);
            for (column, kinds) in &named {
                let Some(stored) = cells.next().flatten() else {
                    continue;
                };
                if table.puts(&column.name, &stored) {
                    continue; // an erasure has put it there: it is nobody's
                }
                for kind in *kinds {
                    let Some(value) = normal(kind, &stored) else {
                        continue; // a login name is not always an address
                    };
                    let told = identifier(kind, &stored);
                    identifiers.extend(told.filter(|told| !identifiers.contains(told)));
                    let mark = match kind {
                        IdentifierKind::Phone => texts,
                        kind if texts && is_code(kind) && is_told_apart(stored.trim()) => {
                            let column = [column.name.clone()];
                            self.is_theirs_alone(table, &column, stored.trim()).await?
                        }
                        _ => false,
                    };
                    if mark {
                        person.add(Clue::Name(stored.trim().to_owned()));
                    }
                    person.add(Clue::Value(kind.clone(), value));
                }
            }
            for parts in &table.described.names {
                let name: Vec<Option<String>> = cells.by_ref().take(parts.len()).collect();
                let mut values = parts.iter().zip(name.iter().flatten());
                if !texts || values.any(|(column, value)| table.puts(column, value)) {
                    continue;
                }
                let said = name.iter().flatten().map(|part| part.trim());
                let said: Vec<&str> = said.filter(|part| !part.is_empty()).collect();
                let whole = said.join(" ");
                // One word names anybody.
                if whole.contains(' ') && self.is_called_alone(&whole).await? {
                    person.add(Clue::Name(whole));
                }
            }
        }
        Ok(())
    }

    /// Whether what names the person is looked for inside texts.
    fn looks_into_texts(&self) -> bool {
        self.by_value || self.layout.has_free_text()
    }

    /// An identifier of somebody of whom nothing else is known.
    fn know_value(&self, person: &mut Person, kind: &IdentifierKind, value: &str) {
        if self.looks_into_texts() && is_code(kind) && is_told_apart(value) {
            person.add(Clue::Name(value.to_owned()));
        }
        person.add(Clue::Value(kind.clone(), value.to_owned()));
    }

    /// Adds the identifiers that lead to no row, and stand in texts; answers in how many.
    pub(super) async fn find_in_texts(
        &mut self,
        identifiers: &[Identifier],
        person: &mut Person,
    ) -> Result<Vec<RowCount>, PortError> {
        let mut unknown = Person::default();
        for form in identifiers.iter().filter_map(|one| one.normal().ok()) {
            let clue = Clue::Value(form.kind().clone(), form.expose().to_owned());
            if self.layout.has_free_text() && !person.knows(&clue) {
                unknown.add(clue);
            }
        }
        let named = self.named_by(&unknown).await?;
        if named.is_empty() {
            return Ok(named);
        }
        for (kind, value) in unknown.identifiers() {
            let mut one = Person::default();
            one.add(Clue::Value(kind.clone(), value.to_owned()));
            if unknown.len() == 1 || !self.named_by(&one).await?.is_empty() {
                self.know_value(person, kind, value);
            }
        }
        Ok(named)
    }

    /// Whether nobody else is called so, among all people.
    async fn is_called_alone(&mut self, whole: &str) -> Result<bool, PortError> {
        let layout = Arc::clone(&self.layout);
        for table in layout.tables.iter().filter(|table| table.described.person) {
            for parts in &table.described.names {
                if !self.is_theirs_alone(table, parts, whole).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether nobody else in a table of people has this value, in whatever case: so it is replaced.
    async fn is_theirs_alone(
        &mut self,
        table: &Laid,
        columns: &[String],
        whole: &str,
    ) -> Result<bool, PortError> {
        let dialect = self.layout.dialect;
        let part = |column: &String| {
            let text = dialect.text(&format!("t.{}", dialect.quote(column)));
            format!("nullif(trim({text}), '')")
        };
        let parts: Vec<String> = columns.iter().map(part).collect();
        // Byte by byte: what a column's own rules call equal is not the same name.
        let called = format!("lower(concat_ws(' ', {}))", parts.join(", "));
        let called = dialect.told_apart(&called, Class::Text);
        let mut sql = self.sql(format!("SELECT count(*) FROM {} AS t WHERE ", table.quoted));
        let spelt = spellings(&whole.to_lowercase());
        sql.one_of(&called, spelt.into_iter().map(Param::Text));
        let own = table.key.joins(dialect, "t", "s");
        sql.push(&format!(
            " AND NOT EXISTS (SELECT 1 FROM {} AS s WHERE {own})",
            table.set
        ));
        Ok(self.session.count(sql, &table.name).await? == 0)
    }

    /// Adds the keys of rows that others hang on without a declared key: if those rows were lost,
    /// nothing else would lead to the others. As far as there is room for locators.
    pub(super) async fn remember_parents(&mut self, person: &mut Person) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        for &number in &layout.loosely_hung_on {
            let parent = &layout.tables[number];
            let named = !parent.key.loose && !parent.key.columns.is_empty();
            if !parent.owned || parent.described.person || !named {
                continue;
            }
            let room = MAX_LOCATORS.saturating_sub(person.len());
            let dialect = layout.dialect;
            let parts: Vec<String> = (0..parent.key.len())
                .map(|n| dialect.key_text(&format!("s.k{n}"), parent.key.class(n)))
                .collect();
            let sql = self.sql(format!(
                "SELECT {} FROM {} AS s LIMIT {}",
                parts.join(", "),
                parent.set,
                room + 1
            ));
            let rows = self.session.fetch(sql, &parent.name).await?;
            if rows.len() <= room {
                for row in rows {
                    let key: Vec<String> = row.iter().filter_map(Scalar::text).collect();
                    person.add(Clue::Row(parent.name.clone(), key));
                }
            }
        }
        Ok(())
    }
}

fn identifier(kind: &IdentifierKind, value: &str) -> Option<Identifier> {
    match kind {
        IdentifierKind::Mail => Identifier::mail(value).ok(),
        IdentifierKind::Phone => Identifier::phone(value).ok(),
        IdentifierKind::Account => Identifier::account(value).ok(),
        IdentifierKind::Device => Identifier::device(value).ok(),
        IdentifierKind::Custom(name) => Identifier::custom(name.clone(), value).ok(),
        _ => None,
    }
}
