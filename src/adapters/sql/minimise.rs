//! What a duty to keep a row does not need goes at once: columns of kept rows (data minimisation,
//! GDPR Art. 5(1)(c)). Nothing under a hold is changed, nor what can still be brought back: that is
//! told as withheld, column by column, so that somebody comes again.

use std::sync::Arc;

use crate::model::{Ground, WithheldRows};
use crate::ports::{PlannedAction, PortError};

use super::dialect::SET;
use super::erase::{Change, Performed, PseudonymKey};
use super::found::Found;
use super::kept::{spared, until_of};
use super::layout::Laid;
use super::session::Scalar;

/// What becomes of the kept rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Minimise {
    /// Their columns are changed.
    All,
    /// The same, as a plan: tried out on some rows.
    Rehearse,
    /// Nothing; what would be changed is counted.
    Foresee,
    /// Nothing; what should have been changed is counted. Nobody can see what chance has changed.
    Left,
}

impl Found {
    /// Takes out of kept rows what need not be kept; a line for each column.
    pub(super) async fn minimise(
        &mut self,
        key: Option<&PseudonymKey>,
        how: Minimise,
        done: &mut Performed,
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let set = format!("{SET}minimised");
        for table in &layout.tables {
            let changes = minimised(table);
            if changes.is_empty() || !self.kept_in.contains(&table.name) {
                continue;
            }
            for why in self.reasons_to_spare(table).await? {
                self.make_set(table, &set).await?;
                self.take_spared(table, &set, &why).await?;
                for change in &changes {
                    let place = table.place(&change.column.name);
                    let one = std::slice::from_ref(change);
                    let rows = match how {
                        Minimise::Left => self.count_pending(table, &set, one).await?,
                        _ => self.count_changes(table, &set, one).await?,
                    };
                    let Some((until, ground)) = why.split_once(' ') else {
                        done.note(place, PlannedAction::Minimise, rows);
                        continue;
                    };
                    if rows > 0 {
                        done.withheld.push(WithheldRows {
                            collection: place,
                            rows,
                            ground: Ground::new(ground.to_owned()),
                            until: until_of(until),
                            restricted: false,
                        });
                    }
                }
                let rehearsal = how == Minimise::Rehearse;
                if why.is_empty() && (rehearsal || how == Minimise::All) {
                    self.change(table, &set, &changes, key, rehearsal).await?;
                }
            }
            let dropped = self.sql(layout.dialect.drop_set(&set));
            self.run(dropped, &table.name).await?;
        }
        Ok(())
    }

    /// Why kept rows of a table stay as they are; nothing, for those that need not.
    async fn reasons_to_spare(&mut self, table: &Laid) -> Result<Vec<String>, PortError> {
        let keys = table.key.in_set("");
        let sql = self.sql(format!(
            "SELECT DISTINCT g.spared FROM (SELECT {} AS spared FROM {} GROUP BY {keys}) AS g \
             ORDER BY g.spared",
            spared(),
            table.kept
        ));
        let reasons = self.session.fetch(sql, &table.name).await?;
        let text = |row: &Vec<Scalar>| row.first().and_then(Scalar::text);
        Ok(reasons.iter().filter_map(text).collect())
    }

    /// Puts the kept rows of a table into a set that are spared for this reason.
    async fn take_spared(&mut self, table: &Laid, set: &str, why: &str) -> Result<(), PortError> {
        let keys = table.key.in_set("");
        let mut sql = self.sql(format!(
            "INSERT INTO {set} ({keys}) SELECT {keys} FROM {} GROUP BY {keys} HAVING {} = ",
            table.kept,
            spared()
        ));
        sql.bind_text(why);
        self.run(sql, &table.name).await.map(drop)
    }
}

/// What is changed in the kept rows of a table.
fn minimised(table: &Laid) -> Vec<Change> {
    let columns = table.columns();
    let columns = columns.filter_map(|(column, described)| {
        let strategy = described.minimise.clone()?;
        Some(Change::whole(column.clone(), strategy))
    });
    columns.filter(|change| !change.keeps()).collect()
}
