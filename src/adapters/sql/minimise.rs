//! What a duty to keep a row does not need goes at once: columns of kept rows (data minimisation,
//! GDPR Art. 5(1)(c)). Nothing under a hold is changed, nor what can still be brought back.

use std::sync::Arc;

use crate::ports::{PlannedAction, PortError};

use super::dialect::SET;
use super::erase::{Change, Performed, PseudonymKey};
use super::found::Found;
use super::kept::{HELD, RESTORABLE};
use super::layout::Laid;

/// What becomes of the kept rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Minimise {
    /// Their columns are changed.
    All,
    /// The same, as a plan: tried out on some rows, and counted.
    Rehearse,
    /// Those that need it are counted.
    Count,
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
            let kept = self.kept_in.contains(&table.name);
            if !kept || changes.is_empty() || self.frozen.contains_key(&table.name) {
                continue;
            }
            self.make_set(table, &set).await?;
            if self.take_minimised(table, &set).await? > 0 {
                for change in changes {
                    let place = table.place(&change.column.name);
                    let change = [change];
                    let rows = match how {
                        Minimise::Count => self.count_pending(table, &set, &change).await?,
                        _ => {
                            let rehearsal = how == Minimise::Rehearse;
                            self.change(table, &set, &change, key, rehearsal).await?
                        }
                    };
                    done.note(place, PlannedAction::Anonymise, rows);
                }
            }
            let dropped = self.sql(layout.dialect.drop_set(&set));
            self.run(dropped, &table.name).await?;
        }
        Ok(())
    }

    /// Puts the kept rows of a table into a set, but for those that must stay as they are.
    async fn take_minimised(&mut self, table: &Laid, set: &str) -> Result<u64, PortError> {
        let keys = table.key.in_set("");
        let mut sql = self.sql(format!(
            "INSERT INTO {set} ({keys}) SELECT {keys} FROM {} GROUP BY {keys} HAVING max(CASE WHEN \
             why LIKE '% {RESTORABLE}'",
            table.kept
        ));
        // What a row under a hold refers to is evidence, too.
        let held: Vec<String> = self.frozen.values().map(|g| g.id().to_owned()).collect();
        for ground in held {
            sql.push(" OR why = ").bind_text(format!("{HELD} {ground}"));
        }
        sql.push(" THEN 1 ELSE 0 END) = 0");
        self.run(sql, &table.name).await
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
