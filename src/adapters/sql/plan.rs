//! What an erasure may do: no more than the plan says that was approved.

use std::collections::BTreeMap;

use crate::model::WithheldRows;
use crate::ports::{PlannedAction, PlannedRows, PortError, SourcePlan};

use super::erase::Performed;
use super::fault::SqlFault;

/// A plan of what a rehearsal did.
pub(super) fn plan(rehearsed: Performed) -> SourcePlan {
    let withhold = |kept: WithheldRows| PlannedRows {
        collection: kept.collection,
        action: PlannedAction::Withhold {
            ground: kept.ground,
            until: kept.until,
            restricted: kept.restricted,
        },
        rows: kept.rows,
    };
    let mut lines = rehearsed.lines;
    lines.extend(rehearsed.withheld.into_iter().map(withhold));
    SourcePlan::new(lines)
}

/// Refuses what the plan does not cover: more rows would go than it names. Less may be done than was
/// planned: an erasure that was begun is carried to its end, and what must be kept now is kept. What
/// the plan names as kept goes once nothing keeps it.
pub(super) fn covers(plan: &SourcePlan, done: &Performed) -> Result<(), PortError> {
    let planned = sums(&plan.rows);
    let mut kept: BTreeMap<&str, u64> = BTreeMap::new();
    for ((collection, action), rows) in &planned {
        if matches!(action, PlannedAction::Withhold { .. }) {
            *kept.entry(collection).or_default() += rows;
        }
    }
    let kept_of = |collection: &str| kept.get(collection).copied().unwrap_or(0);
    for ((collection, action), rows) in sums(&done.lines) {
        let named = planned.get(&(collection, action)).copied().unwrap_or(0);
        // A row that stays instead, or still, with less in it.
        let whole = match action {
            PlannedAction::Minimise => collection.rsplit_once('.').map_or(0, |(table, _)| {
                let deleted = planned.get(&(table, &PlannedAction::Delete));
                deleted.copied().unwrap_or(0) + kept_of(table)
            }),
            _ => 0,
        };
        if rows > named + kept_of(collection) + whole {
            return Err(SqlFault::PlanChanged.at(collection));
        }
    }
    Ok(())
}

fn sums(lines: &[PlannedRows]) -> BTreeMap<(&str, &PlannedAction), u64> {
    let mut sums = BTreeMap::new();
    for line in lines {
        *sums
            .entry((line.collection.as_str(), &line.action))
            .or_default() += line.rows;
    }
    sums
}
