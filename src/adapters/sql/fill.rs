//! Filling the sets: from what is known of the person, along the links, until nothing new is found.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::datamap::{CatalogueColumn, Class};
use crate::model::IdentifierKind;
use crate::ports::PortError;

use super::clue::Person;
use super::found::{Found, TOGETHER, others, own};
use super::layout::{Laid, LaidTarget};
use super::statement::{Sql, bytes};

impl Found {
    /// Fills the sets from what is known of the person, along the owned links, until nothing new
    /// is found.
    pub(super) async fn fill(&mut self, person: &Person) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let mut changed = BTreeSet::new();
        for (number, table) in layout.tables.iter().enumerate() {
            if !table.owned {
                continue;
            }
            let mut rows = self.seed(table, person).await?;
            rows += self.seed_by_values(table, person).await?;
            if rows > 0 {
                self.look_at(&table.set);
                changed.insert(number);
            }
        }
        self.close(changed).await
    }

    /// Puts rows into a table's set to which identifiers of the person lead.
    pub(super) async fn seed_by_values(
        &mut self,
        table: &Laid,
        person: &Person,
    ) -> Result<u64, PortError> {
        let mut rows = 0;
        for link in own(table) {
            if let LaidTarget::Identifier(kind, _) = &link.to
                && let Some(sql) = self.by_value(table, link, &table.set, person.values(kind))
            {
                rows += self.run(sql, &table.name).await?;
            }
        }
        Ok(rows)
    }

    /// Follows the owned links from these tables on.
    pub(super) async fn close(&mut self, mut changed: BTreeSet<usize>) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        while !changed.is_empty() {
            let mut next = BTreeSet::new();
            let mut together = Vec::new();
            // What is referred to comes first, so that one round does where there is no cycle.
            for &number in layout.order.iter().rev() {
                let table = &layout.tables[number];
                for link in own(table) {
                    let LaidTarget::Rows(to, _) = link.to else {
                        continue;
                    };
                    let mut waits = together.iter().any(|(other, _)| *other == to);
                    if waits && layout.dialect.look_at("").is_some() {
                        // It wants to see how large a set has become.
                        self.found_by(&mut together, &mut changed, &mut next)
                            .await?;
                        waits = false;
                    }
                    if waits || changed.contains(&to) {
                        together.push((number, self.by_rows(table, link, &table.set)));
                    }
                }
                if together.len() >= TOGETHER {
                    self.found_by(&mut together, &mut changed, &mut next)
                        .await?;
                }
            }
            self.found_by(&mut together, &mut changed, &mut next)
                .await?;
            changed = if self.layout_has_cycles(&next) {
                next
            } else {
                BTreeSet::new()
            };
        }
        Ok(())
    }

    /// Runs statements that fill the sets of these tables, and notes which found something.
    async fn found_by(
        &mut self,
        statements: &mut Vec<(usize, Sql)>,
        changed: &mut BTreeSet<usize>,
        next: &mut BTreeSet<usize>,
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let mut found = Vec::new();
        let mut together = Vec::new();
        for (number, sql) in statements.drain(..) {
            let name = layout.tables[number].name.as_str();
            if sql.params.is_empty() {
                together.push((number, (sql.text, name)));
                continue;
            }
            self.run_noted(&mut together, &mut found).await?;
            found.push((number, self.run(sql, name).await?));
        }
        self.run_noted(&mut together, &mut found).await?;
        let found: BTreeSet<usize> = found
            .into_iter()
            .filter_map(|(number, rows)| (rows > 0).then_some(number))
            .collect();
        for number in found {
            let table = &layout.tables[number];
            self.look_at(&table.set);
            if !table.key.loose {
                // Later tables of this round see it; earlier ones in the next.
                changed.insert(number);
                next.insert(number);
            }
        }
        Ok(())
    }

    /// Runs statements together; notes how many rows of which table each found.
    async fn run_noted(
        &mut self,
        statements: &mut Vec<(usize, (String, &str))>,
        found: &mut Vec<(usize, u64)>,
    ) -> Result<(), PortError> {
        let (numbers, statements): (Vec<usize>, Vec<_>) = statements.drain(..).unzip();
        let rows = self.run_each(&statements).await?;
        found.extend(numbers.into_iter().zip(rows));
        Ok(())
    }

    /// Whether what was found last may lead to a table that came before it in the round.
    fn layout_has_cycles(&self, found: &BTreeSet<usize>) -> bool {
        let mut seen = BTreeSet::new();
        for &number in self.layout.order.iter().rev() {
            seen.insert(number);
            let table = &self.layout.tables[number];
            for link in own(table) {
                if let LaidTarget::Rows(to, _) = link.to
                    && found.contains(&to)
                    && (to == number || !seen.contains(&to))
                {
                    return true;
                }
            }
        }
        false
    }

    /// Rows that are known by their key, also if they are gone: others may hang on them.
    async fn seed(&mut self, table: &Laid, person: &Person) -> Result<u64, PortError> {
        let (before, _) = self.layout.dialect.insert_new();
        let after = self.layout.dialect.unless_known(&table.set, &table.key);
        let mut rows = 0;
        for key in person.rows(&table.name) {
            if !fits(&table.key.columns, key) {
                continue; // a locator of another schema leads nowhere
            }
            let mut sql = self.sql(format!(
                "{before} {} ({}) VALUES (",
                table.set,
                table.key.in_set("")
            ));
            for (n, (column, part)) in table.key.columns.iter().zip(key).enumerate() {
                if n > 0 {
                    sql.push(", ");
                }
                sql.bind_key(column, part);
            }
            sql.push(") ").push(&after);
            rows += self.run(sql, &table.name).await?;
        }
        Ok(rows)
    }

    /// Puts the rows of a person's table into its set that hold one of these identifiers.
    pub(super) async fn seed_by_column(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        kind: &IdentifierKind,
        values: &[&str],
    ) -> Result<u64, PortError> {
        let (before, _) = self.layout.dialect.insert_new();
        let after = self.layout.dialect.unless_known(&table.set, &table.key);
        let mut sql = self.sql(format!(
            "{before} {} ({}) SELECT {} FROM {} AS t WHERE ",
            table.set,
            table.key.in_set(""),
            table.key.under("t").join(", "),
            table.quoted
        ));
        if !self.one_of(&mut sql, column, kind, false, values) {
            return Ok(0);
        }
        sql.push(" ").push(&after);
        self.run(sql, &table.name).await
    }

    /// Makes and fills the sets of rows that are not the person's alone.
    pub(super) async fn find_others(&mut self, person: &Person) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        for table in &layout.tables {
            for link in others(table) {
                let sql = match &link.to {
                    LaidTarget::Rows(..) => Some(self.by_rows(table, link, &link.set)),
                    LaidTarget::Identifier(kind, _) => {
                        self.by_value(table, link, &link.set, person.values(kind))
                    }
                };
                if let Some(sql) = sql
                    && self.run(sql, &table.name).await? > 0
                {
                    self.look_at(&link.set);
                }
            }
        }
        Ok(())
    }
}

/// Whether a key in text can be one of these columns.
pub(super) fn fits(columns: &[CatalogueColumn], key: &[String]) -> bool {
    let part = |(column, part): (&CatalogueColumn, &String)| match column.class {
        Class::Int => part.parse::<i128>().is_ok(),
        Class::Bytes => bytes(part).is_some(),
        _ => true,
    };
    columns.len() == key.len() && columns.iter().zip(key).all(part)
}
