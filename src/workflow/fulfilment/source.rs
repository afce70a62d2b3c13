//! What is known of one source, and of one recipient.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{
    Assurance, Digest, Failure, IdentifierKind, KeyedDigest, MissingRows, PartyId, RowCount,
    SearchDepth, SourceId, WithheldRows,
};
use crate::workflow::effect::Task;
use crate::workflow::event::{Finding, PartRef, SourceInfo};

/// What is known of a source.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceWork {
    /// Which source.
    pub id: SourceId,
    /// By what it can search.
    pub accepts: Vec<IdentifierKind>,
    /// Whose erasure must be finished before this one's begins.
    pub erase_after: Vec<SourceId>,
    /// Whether it was searched: some identifier fits it.
    pub searched: bool,
    /// The sealed locators; `None` when nothing was found.
    pub locators: Option<PartRef>,
    /// Digests over source and locator.
    pub keys: Vec<KeyedDigest>,
    /// How many rows each collection held when it was searched.
    pub found: Vec<RowCount>,
    /// Until how far back was searched.
    pub horizon: Option<DateTime<Utc>>,
    /// Its sealed plan, and what an approval of it relies on.
    pub plan: Option<(PartRef, Digest)>,
    /// How many rows the plan changes.
    pub planned: Vec<RowCount>,
    /// Which of the wished corrections find no place in that plan, counted from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untaken: Vec<u32>,
    /// The sealed report of what was read from it.
    pub spool: Option<PartRef>,
    /// Whether its rows are, or may be, restricted because of this request.
    pub restricted: bool,
    /// Whether anything of its part of the work was done.
    pub worked: bool,
    /// Whether the last attempt did all of its part that can be done.
    pub finished: bool,
    /// How many rows were read, corrected or erased.
    pub done: Vec<RowCount>,
    /// What is kept back (or, before the erasure, would be).
    pub withheld: Vec<WithheldRows>,
    /// What could not be done.
    pub missing: Vec<MissingRows>,
    /// What a search afterwards still found.
    pub left: Vec<RowCount>,
    /// How sure its erasure is.
    pub assurance: Option<Assurance>,
    /// How deep the last search after it went.
    #[serde(default, skip_serializing_if = "SearchDepth::is_by_path")]
    pub depth: SearchDepth,
}

/// What is known of a recipient.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecipientWork {
    /// Who.
    pub id: PartyId,
    /// Whether they confirmed what was done so far.
    pub confirmed: bool,
    /// Why they did not.
    pub failure: Option<Failure>,
}

impl SourceWork {
    pub(super) fn new(info: &SourceInfo) -> Self {
        Self {
            id: info.id.clone(),
            accepts: info.accepts.clone(),
            erase_after: info.erase_after.clone(),
            searched: false,
            locators: None,
            keys: Vec::new(),
            found: Vec::new(),
            horizon: None,
            plan: None,
            planned: Vec::new(),
            untaken: Vec::new(),
            spool: None,
            restricted: false,
            worked: false,
            finished: false,
            done: Vec::new(),
            withheld: Vec::new(),
            missing: Vec::new(),
            left: Vec::new(),
            assurance: None,
            depth: SearchDepth::ByPath,
        }
    }

    /// The same source before anything was asked; a restriction stays until it is lifted, by what
    /// it was found by.
    pub(super) fn anew(&self) -> Self {
        let (locators, keys) = match self.restricted {
            true => (self.locators.clone(), self.keys.clone()),
            false => (None, Vec::new()),
        };
        Self {
            restricted: self.restricted,
            locators,
            keys,
            ..Self::new(&SourceInfo {
                id: self.id.clone(),
                accepts: self.accepts.clone(),
                erase_after: self.erase_after.clone(),
            })
        }
    }

    /// Whether the person was found there.
    pub const fn is_found(&self) -> bool {
        self.locators.is_some()
    }

    pub(super) fn is_planned(&self) -> bool {
        self.planned.iter().any(|rows| rows.rows > 0)
    }

    /// Whether it was searched to the end, and holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.searched && self.missing.is_empty() && !self.is_found()
    }

    /// Whether there is something to erase: not begun, failed, or free to go since.
    pub(super) fn is_unerased(&self) -> bool {
        self.is_found() && (!self.finished || self.is_planned())
    }

    pub(super) fn miss(&mut self, missing: MissingRows) {
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    pub(super) fn answered(&mut self, task: Task, finding: &Finding) {
        match finding {
            Finding::Located {
                rows,
                locators,
                keys,
                horizon,
                ..
            } => {
                self.found.clone_from(rows);
                // What is restricted is lifted by what it was found by, even if it is not any more.
                if locators.is_some() || !self.restricted {
                    self.locators.clone_from(locators);
                    self.keys.clone_from(keys);
                }
                self.horizon = *horizon;
            }
            Finding::Planned {
                part,
                digest,
                rows,
                withheld,
                untaken,
            } => {
                self.untaken.clone_from(untaken);
                self.plan = Some((part.clone(), *digest));
                self.planned.clone_from(rows);
                self.withheld.clone_from(withheld);
            }
            Finding::Read {
                spool,
                rows,
                withheld,
            } => {
                self.worked = true;
                self.spool = Some(spool.clone());
                self.done.clone_from(rows);
                self.withheld.clone_from(withheld);
            }
            Finding::Changed { rows } => match task {
                Task::Restrict => self.restricted = true,
                Task::Unrestrict => self.restricted = false,
                _ => {
                    self.worked = true;
                    self.done.clone_from(rows);
                }
            },
            Finding::Erased {
                rows,
                withheld,
                assurance,
            } => {
                self.worked = true;
                add(&mut self.done, rows);
                self.withheld.clone_from(withheld);
                self.assurance = Some(*assurance);
                self.planned.clear();
                self.left.clear();
                self.depth = SearchDepth::ByPath;
            }
            Finding::Left { rows, depth } => {
                self.depth = *depth;
                self.left = rows.iter().filter(|left| left.rows > 0).cloned().collect();
            }
            Finding::Stopped { rows, .. } => {
                // It holds for what may come, even where nothing is there.
                self.worked = true;
                self.done.clone_from(rows);
            }
            Finding::Nothing => self.worked |= task == Task::Stop,
            Finding::Packed { .. } | Finding::Reviewed { .. } => {}
        }
    }
}

/// Adds counts, collection by collection.
fn add(counts: &mut Vec<RowCount>, more: &[RowCount]) {
    for count in more {
        match counts.iter_mut().find(|c| c.collection == count.collection) {
            Some(known) => known.rows = known.rows.saturating_add(count.rows),
            None => counts.push(count.clone()),
        }
    }
}
