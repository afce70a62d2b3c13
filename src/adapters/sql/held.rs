//! Single rows under a hold, whoever's they are: they stay as they are while others are erased, and
//! with them what they refer to.

use std::sync::Arc;

use crate::model::{Ground, RowCount, Until, WithheldRows};
use crate::ports::PortError;

use super::clue::Person;
use super::erase::{table_link, taken_out};
use super::fill::fits;
use super::found::{Found, others};
use super::kept::{ON_HOLD, Reasons};
use super::layout::{Laid, LaidTarget};

/// The set of a table's rows that are held, with the reason.
fn held(table: &Laid) -> String {
    format!("{}_held", table.set)
}

/// Rows of others that stay until a hold is lifted.
pub(super) fn under_hold(
    counts: Vec<RowCount>,
    ground: &Ground,
) -> impl Iterator<Item = WithheldRows> {
    let counts = counts.into_iter().filter(|count| count.rows > 0);
    counts.map(|count| WithheldRows {
        collection: count.collection,
        rows: count.rows,
        ground: ground.clone(),
        until: Until::HoldLifted,
        restricted: false,
    })
}

impl Found {
    /// Finds the rows that are held one by one, or for another person, before those of this one. The
    /// sets are to be made anew afterwards.
    pub(super) async fn find_held(&mut self, person: &Person) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        for hold in self.holds().await? {
            let ground = Ground::new(hold.ground.clone());
            let named = hold.table.as_ref();
            let named = layout
                .tables
                .iter()
                .find(|table| named == Some(&table.name));
            if let Some(table) = named {
                for key in hold.rows.iter().filter(|key| fits(&table.key.columns, key)) {
                    self.hold_row(table, key, &ground).await?;
                }
            }
            let other = hold.person();
            if other.len() == 0 || other.meets(person) {
                continue; // all of this person's is held
            }
            self.make_sets().await?;
            self.fill(&other).await?;
            self.find_others(&other).await?;
            for table in &layout.tables {
                let own = table.owned.then_some(&table.set);
                let sets = own.into_iter().chain(others(table).map(|link| &link.set));
                for set in sets {
                    self.hold_set(table, set, &ground).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes the set of held rows of a table, if it is not there.
    async fn make_held(&mut self, table: &Laid) -> Result<(), PortError> {
        if self.held_in.contains(&table.name) {
            return Ok(());
        }
        let mut texts = self.unmade(&held(table));
        let dialect = self.layout.dialect;
        texts.extend(dialect.create_kept(&held(table), &table.key, &table.quoted));
        self.held_in.insert(table.name.clone());
        self.run_all(&texts).await
    }

    async fn hold_row(
        &mut self,
        table: &Laid,
        key: &[String],
        ground: &Ground,
    ) -> Result<(), PortError> {
        self.make_held(table).await?;
        let keys = table.key.in_set("");
        let mut sql = self.sql(format!(
            "INSERT INTO {} ({keys}, why) VALUES (",
            held(table)
        ));
        for (column, part) in table.key.columns.iter().zip(key) {
            sql.bind_key(column, part).push(", ");
        }
        sql.bind_text(format!("{ON_HOLD} {}", ground.id()))
            .push(")");
        self.run(sql, &table.name).await.map(drop)
    }

    async fn hold_set(
        &mut self,
        table: &Laid,
        set: &str,
        ground: &Ground,
    ) -> Result<(), PortError> {
        if self.count(table, set, None).await? == 0 {
            return Ok(());
        }
        self.make_held(table).await?;
        let mut sql = self.sql(format!(
            "INSERT INTO {} ({}, why) SELECT {}, ",
            held(table),
            table.key.in_set(""),
            table.key.in_set("s.")
        ));
        sql.bind_text(format!("{ON_HOLD} {}", ground.id()));
        sql.push(&format!(" FROM {set} AS s"));
        self.run(sql, &table.name).await.map(drop)
    }

    /// Whether a row `t`, or one of a set, is held; nothing, where none of the table is.
    pub(super) fn is_held(&self, table: &Laid, set: Option<&str>) -> Option<String> {
        let dialect = self.layout.dialect;
        let on = match set {
            Some(set) => table.key.same_in(dialect, set, "h"),
            None => table.key.joins(dialect, "t", "h"),
        };
        let held = self.held_in.contains(&table.name).then(|| held(table))?;
        Some(format!("EXISTS (SELECT 1 FROM {held} AS h WHERE {on})"))
    }

    /// Keeps what is held of the person's own rows, and what rows of others refer to that stay as they
    /// are.
    pub(super) async fn keep_beside(&mut self) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let dialect = layout.dialect;
        for table in layout.tables.iter().filter(|table| table.owned) {
            if !self.held_in.contains(&table.name) {
                continue;
            }
            let keys = table.key.in_set("s.");
            let sql = self.sql(format!(
                "SELECT {keys}, max(h.why) FROM {} AS s JOIN {} AS h ON {} GROUP BY {keys}",
                table.set,
                held(table),
                table.key.same_in(dialect, "s", "h"),
            ));
            self.keep_more(table, sql, Reasons::All).await?;
        }
        for table in &layout.tables {
            let ground = self.frozen.get(&table.name).cloned();
            let held = self.is_held(table, Some("x"));
            let (why, only) = match (ground, held) {
                (Some(ground), _) => (format!("{ON_HOLD} {}", ground.id()), "1 = 1".to_owned()),
                (None, Some(held)) => (self.why_held(table).await?, held),
                (None, None) => continue,
            };
            for link in others(table) {
                let LaidTarget::Rows(to, references) = &link.to else {
                    continue;
                };
                let there = &layout.tables[*to];
                let keys = there.key.in_set("s.");
                let mut sql = self.sql(format!("SELECT {keys}, max("));
                sql.bind_text(why.clone());
                sql.push(&format!(
                    ") FROM {} AS x {} {} AS t ON {}{} WHERE {only}",
                    link.set,
                    dialect.join(),
                    table.quoted,
                    table.key.joins(dialect, "t", "x"),
                    self.join_target(link, there, references, &there.set, "s"),
                ));
                self.only_when(&mut sql, table, link, "t");
                sql.push(&format!(" GROUP BY {keys}"));
                self.keep_more(there, sql, Reasons::All).await?;
            }
        }
        Ok(())
    }

    /// One of the reasons for which rows of a table are held.
    async fn why_held(&mut self, table: &Laid) -> Result<String, PortError> {
        let sql = self.sql(format!("SELECT max(why) FROM {}", held(table)));
        let rows = self.session.fetch(sql, &table.name).await?;
        let why = rows.first().and_then(|row| row.first()?.text());
        Ok(why.unwrap_or_default())
    }

    /// Takes rows of others that are held out of the sets of what links find. Answers what stays.
    pub(super) async fn release_held(
        &mut self,
        person: &Person,
    ) -> Result<Vec<WithheldRows>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut withheld = Vec::new();
        for table in &layout.tables {
            if !self.held_in.contains(&table.name) || self.frozen.contains_key(&table.name) {
                continue;
            }
            let mut counts = self.named_in(person, table, true).await?;
            for link in others(table) {
                let Some(is_held) = self.is_held(table, Some("q")) else {
                    continue;
                };
                let set = format!("(SELECT * FROM {} AS q WHERE {is_held})", link.set);
                let changes = taken_out(table, link);
                let rows = self.count_pending(table, &set, &changes).await?;
                counts.push(RowCount::new(table_link(table, link), rows));
                let Some(is_held) = self.is_held(table, Some(&link.set)) else {
                    continue;
                };
                let release = self.sql(format!("DELETE FROM {} WHERE {is_held}", link.set));
                self.run(release, &table.name).await?;
            }
            let why = self.why_held(table).await?;
            let ground = why.split_once(' ').map_or("", |(_, ground)| ground);
            withheld.extend(under_hold(counts, &Ground::new(ground.to_owned())));
        }
        Ok(withheld)
    }
}
