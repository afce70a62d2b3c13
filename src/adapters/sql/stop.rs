//! Ending uses: in the rows that are there the map says which column tells of it; for whoever comes
//! later, the source keeps a list of digests, `datarights_stops`, that the host asks before a use.

use std::collections::BTreeSet;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::datamap::Strategy;
use crate::model::{ControllerId, Identifier, RowCount, Use};
use crate::ports::PortError;

use super::dialect::STOPS;
use super::erase::Change;
use super::erase::PseudonymKey;
use super::fault::SqlFault;
use super::found::Found;
use super::layout::Layout;

impl Layout {
    /// Whether any use ends by a column.
    pub(super) fn stops(&self) -> bool {
        self.tables
            .iter()
            .any(|table| !table.described.ends.is_empty())
    }

    /// The uses that the map tells of.
    pub(super) fn uses(&self) -> BTreeSet<&Use> {
        let ends = self.tables.iter().flat_map(|table| &table.described.ends);
        ends.map(|end| &end.of).chain(&self.unused).collect()
    }
}

impl Found {
    /// Ends uses in the rows of the sets. Answers how many rows are not used so any more.
    pub(super) async fn end_uses(&mut self, uses: &[Use]) -> Result<Vec<RowCount>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut counts = Vec::new();
        for table in layout.tables.iter().filter(|table| table.owned) {
            let mut ends = table
                .described
                .ends
                .iter()
                .filter(|end| uses.contains(&end.of));
            let strategies: Vec<_> = ends
                .by_ref()
                .filter_map(|end| {
                    let column = table.table.column(&end.column)?.clone();
                    Some(Change::whole(column, Strategy::Fixed(end.set.clone())))
                })
                .collect();
            if strategies.is_empty() {
                continue;
            }
            self.change(table, &table.set, &strategies, None, false)
                .await?;
            let rows = self.count(table, &table.set, None).await?;
            if rows > 0 {
                counts.push(RowCount::new(&table.name, rows));
            }
        }
        Ok(counts)
    }

    /// Notes for whoever comes later that these uses ended.
    pub(super) async fn note_stops(
        &mut self,
        key: &PseudonymKey,
        controller: &ControllerId,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<(), PortError> {
        let (before, after) = self.layout.dialect.insert_new();
        for what in uses {
            for identifier in identifiers {
                let Some(form) = form(key, controller, identifier, what)? else {
                    continue;
                };
                let mut sql = self.sql(format!("{before} {STOPS} (form) VALUES ("));
                sql.bind_text(form).push(") ").push(after);
                self.run(sql, STOPS).await?;
            }
        }
        Ok(())
    }

    /// Whether a use was ended for whoever has this identifier.
    pub(super) async fn is_stopped(
        &mut self,
        key: &PseudonymKey,
        controller: &ControllerId,
        identifier: &Identifier,
        what: &Use,
    ) -> Result<bool, PortError> {
        let form = form(key, controller, identifier, what)?;
        let form = form.ok_or_else(|| SqlFault::MalformedIdentifier.at(STOPS))?;
        let mut sql = self.sql(format!("SELECT count(*) FROM {STOPS} WHERE form = "));
        sql.bind_text(form);
        Ok(self.session.count(sql, STOPS).await? > 0)
    }
}

/// What stands on the list: a keyed digest, from which nobody without the key tells whose it is.
fn form(
    key: &PseudonymKey,
    controller: &ControllerId,
    identifier: &Identifier,
    what: &Use,
) -> Result<Option<String>, PortError> {
    let Ok(normal) = identifier.normal() else {
        return Ok(None);
    };
    let refused = || SqlFault::NoPseudonymKey.at(STOPS);
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).map_err(|_| refused())?;
    let kind = serde_json::to_string(normal.kind()).map_err(|_| refused())?;
    let what = serde_json::to_string(what).map_err(|_| refused())?;
    for part in [controller.as_str(), &kind, normal.expose(), &what] {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part.as_bytes());
    }
    let bytes = mac.finalize().into_bytes();
    Ok(Some(
        bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}
