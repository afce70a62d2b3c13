//! The rows of a memory source, and what is done to them. Knows nothing of calls and answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;

use super::MemoryStoredRow;
use super::collection::{MemoryCell, MemoryCollection, MemoryRow, corrected, identifier, text};
use crate::model::{
    ControllerId, Correction, Ground, Identifier, NormalForm, Personal, RequestId, RowCount,
    SourceId, Until, Use, Value, WithheldRows,
};
use crate::ports::{Clock, IdempotencyKey, PlannedAction, PlannedRows, PortError, SourcePlan};

/// Rows that one key changed, by collection.
pub(super) type Counts = BTreeMap<String, u64>;

/// How many rows are erased before the work lets others in.
const AT_ONCE: usize = 64;

#[derive(Default)]
pub(super) struct State {
    pub(super) collections: Vec<MemoryCollection>,
    pub(super) erase_after: Vec<SourceId>,
    pub(super) clock: Option<Arc<dyn Clock>>,
    rows: BTreeMap<u64, StoredRow>,
    next_row: u64,
    /// Who is not used for what any more, and will not be.
    stopped: BTreeSet<(ControllerId, NormalForm, Use)>,
    /// What each key did so far.
    done: HashMap<(ControllerId, IdempotencyKey), Counts>,
}

struct StoredRow {
    /// Index into `collections`.
    collection: usize,
    /// `None` once it is anonymised.
    owner: Option<String>,
    row: MemoryRow,
    /// By which requests: it is, until each has lifted its own.
    restricted: BTreeSet<RequestId>,
}

/// The people a call is about.
pub(super) type Owners = BTreeSet<String>;

impl StoredRow {
    fn belongs_to(&self, owners: &Owners) -> bool {
        self.owner.as_ref().is_some_and(|o| owners.contains(o))
    }
}

impl State {
    pub(super) fn index(&self, collection: &str) -> Option<usize> {
        self.collections
            .iter()
            .position(|c| c.shape.name == collection)
    }

    pub(super) fn insert(&mut self, collection: usize, owner: &str, row: MemoryRow) {
        self.next_row += 1;
        self.rows.insert(
            self.next_row,
            StoredRow {
                collection,
                owner: Some(owner.to_owned()),
                row,
                restricted: BTreeSet::new(),
            },
        );
    }

    pub(super) fn all(&self) -> Vec<MemoryStoredRow> {
        self.rows
            .values()
            .map(|stored| MemoryStoredRow {
                collection: self.collections[stored.collection].shape.name.clone(),
                owner: stored.owner.clone().map(Personal::new),
                cells: stored.row.cells.clone(),
                restricted: !stored.restricted.is_empty(),
            })
            .collect()
    }

    /// Ends the retention of a collection's rows.
    pub(super) fn release(&mut self, collection: usize) {
        self.collections[collection].withheld = None;
        for stored in self.rows.values_mut() {
            if stored.collection == collection {
                stored.row.withheld = None;
            }
        }
    }

    /// Removes a person's rows of one collection, as if somebody else had.
    pub(super) fn lose(&mut self, collection: usize, owner: &str) {
        self.rows
            .retain(|_, s| s.collection != collection || s.owner.as_deref() != Some(owner));
    }

    /// Why a row must be kept today.
    fn keeps(&self, stored: &StoredRow, today: Option<NaiveDate>) -> Option<(Ground, Until)> {
        let rule = stored
            .row
            .withheld
            .as_ref()
            .or(self.collections[stored.collection].withheld.as_ref())?;
        match (rule.1, today) {
            (Until::Date(last), Some(today)) if today > last => None,
            _ => Some(rule.clone()),
        }
    }

    fn today(&self) -> Option<NaiveDate> {
        self.clock.as_ref().map(|clock| clock.now().date_naive())
    }

    fn of<'a>(&'a self, owners: &'a Owners) -> impl Iterator<Item = (u64, &'a StoredRow)> {
        self.rows
            .iter()
            .filter(|(_, stored)| stored.belongs_to(owners))
            .map(|(id, stored)| (*id, stored))
    }

    /// Who is found by one of these.
    pub(super) fn find(&self, wanted: &BTreeSet<NormalForm>) -> Owners {
        self.rows
            .values()
            .filter(|stored| {
                let collection = &self.collections[stored.collection];
                collection
                    .identifying
                    .iter()
                    .filter(|column| column.searched)
                    .filter_map(|column| {
                        let cell = stored.row.cells.get(collection.index(&column.column)?)?;
                        identifier(&column.kind, cell)?.normal().ok()
                    })
                    .any(|normal| wanted.contains(&normal))
            })
            .filter_map(|stored| stored.owner.clone())
            .collect()
    }

    /// Every identifier that stands in these people's rows.
    pub(super) fn identifiers(&self, owners: &Owners) -> BTreeSet<Identifier> {
        self.of(owners)
            .flat_map(|(_, stored)| {
                let collection = &self.collections[stored.collection];
                collection.identifying.iter().filter_map(|column| {
                    let cell = stored.row.cells.get(collection.index(&column.column)?)?;
                    identifier(&column.kind, cell)
                })
            })
            .collect()
    }

    /// The identifiers in these people's rows that nobody asked with.
    pub(super) fn further(
        &self,
        owners: &Owners,
        wanted: &BTreeSet<NormalForm>,
    ) -> Vec<Identifier> {
        let mut all: Vec<_> = self.identifiers(owners).into_iter().collect();
        all.retain(|found| found.normal().is_ok_and(|normal| !wanted.contains(&normal)));
        all
    }

    /// Rows by collection, in the collections' order, of those a rule picks.
    fn count(&self, owners: &Owners, pick: impl Fn(&StoredRow) -> bool) -> Vec<RowCount> {
        let mut counts = vec![0; self.collections.len()];
        for (_, stored) in self.of(owners).filter(|(_, stored)| pick(stored)) {
            counts[stored.collection] += 1;
        }
        self.collections
            .iter()
            .zip(counts)
            .filter(|(_, rows)| *rows > 0)
            .map(|(collection, rows)| RowCount::new(&collection.shape.name, rows))
            .collect()
    }

    pub(super) fn held(&self, owners: &Owners) -> Vec<RowCount> {
        self.count(owners, |_| true)
    }

    /// What is there and need not be kept.
    pub(super) fn residue(&self, owners: &Owners) -> Vec<RowCount> {
        let today = self.today();
        self.count(owners, |stored| self.keeps(stored, today).is_none())
    }

    pub(super) fn withheld(&self, owners: &Owners) -> Vec<WithheldRows> {
        let today = self.today();
        let mut kept: BTreeMap<(usize, Ground, Until), u64> = BTreeMap::new();
        for (_, stored) in self.of(owners) {
            if let Some((ground, until)) = self.keeps(stored, today) {
                *kept.entry((stored.collection, ground, until)).or_default() += 1;
            }
        }
        kept.into_iter()
            .map(|((collection, ground, until), rows)| WithheldRows {
                collection: self.collections[collection].shape.name.clone(),
                rows,
                ground,
                until,
                restricted: false,
            })
            .collect()
    }

    /// The collections in the order they are erased: those by which people are found come last.
    pub(super) fn erase_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.collections.len()).collect();
        order.sort_by_key(|index| self.collections[*index].identifies());
        order
    }

    pub(super) fn erasure_plan(&self, owners: &Owners) -> SourcePlan {
        let (residue, withheld) = (self.residue(owners), self.withheld(owners));
        let mut lines = Vec::new();
        for index in self.erase_order() {
            let collection = &self.collections[index];
            let name = &collection.shape.name;
            let action = match collection.anonymised {
                Some(_) => PlannedAction::Anonymise,
                None => PlannedAction::Delete,
            };
            lines.extend(
                residue
                    .iter()
                    .filter(|c| c.collection == *name)
                    .map(|c| PlannedRows {
                        collection: name.clone(),
                        action: action.clone(),
                        rows: c.rows,
                    }),
            );
            lines.extend(
                withheld
                    .iter()
                    .filter(|w| w.collection == *name)
                    .map(|w| PlannedRows {
                        collection: name.clone(),
                        action: PlannedAction::Withhold {
                            ground: w.ground.clone(),
                            until: w.until,
                            restricted: w.restricted,
                        },
                        rows: w.rows,
                    }),
            );
        }
        SourcePlan::new(lines)
    }

    /// Erases some rows of a collection and says whether more are left.
    pub(super) fn erase_some(
        &mut self,
        who: &(ControllerId, IdempotencyKey),
        owners: &Owners,
        collection: usize,
    ) -> bool {
        let today = self.today();
        let mut ids: Vec<u64> = self
            .of(owners)
            .filter(|(_, s)| s.collection == collection && self.keeps(s, today).is_none())
            .map(|(id, _)| id)
            .take(AT_ONCE + 1)
            .collect();
        let more = ids.len() > AT_ONCE;
        ids.truncate(AT_ONCE);
        let shape = &self.collections[collection];
        for id in &ids {
            let Some(keeping) = &shape.anonymised else {
                self.rows.remove(id);
                continue;
            };
            if let Some(stored) = self.rows.get_mut(id) {
                stored.owner = None;
                for (cell, column) in stored.row.cells.iter_mut().zip(&shape.shape.columns) {
                    if !keeping.contains(&column.name) {
                        *cell = MemoryCell::Value(Value::Null);
                    }
                }
            }
        }
        if !ids.is_empty() {
            let counts = self.done.entry(who.clone()).or_default();
            *counts.entry(shape.shape.name.clone()).or_default() += ids.len() as u64;
        }
        more
    }

    /// What a key did so far.
    pub(super) fn done_by(&self, who: &(ControllerId, IdempotencyKey)) -> Option<Vec<RowCount>> {
        let counts = self.done.get(who)?;
        Some(
            counts
                .iter()
                .map(|(collection, rows)| RowCount::new(collection, *rows))
                .collect(),
        )
    }

    /// What the corrections would change: checked as a whole, so that a write cannot stop half-way.
    /// Corrections of collections that are not here belong to other sources; where no row is, there
    /// is nothing to correct.
    fn corrections(
        &self,
        owners: &Owners,
        corrections: &[Correction],
    ) -> Result<Vec<Correcting>, PortError> {
        let mut all = Vec::new();
        for correction in corrections {
            let Some(index) = self.index(&correction.collection) else {
                continue;
            };
            let place = format!("{}.{}", correction.collection, correction.field);
            let column = self.collections[index]
                .index(&correction.field)
                .ok_or_else(|| PortError::refused("no_such_column").at(&place))?;
            if self.collections[index].secret.contains(&correction.field) {
                return Err(PortError::refused("secret").at(&place));
            }
            let mut new = Vec::new();
            let mut current = correction.value.expose().to_owned();
            for (id, stored) in self.of(owners).filter(|(_, s)| s.collection == index) {
                let cell = &stored.row.cells[column];
                let value = corrected(cell, correction.value.expose())
                    .ok_or_else(|| PortError::refused("type_mismatch").at(&place))?;
                if let MemoryCell::Value(now) = cell
                    && *now != value
                {
                    current = text(now).unwrap_or_default();
                }
                new.push((id, value));
            }
            if !new.is_empty() {
                all.push(Correcting {
                    collection: index,
                    column,
                    new,
                    current,
                });
            }
        }
        Ok(all)
    }

    pub(super) fn rectification_plan(
        &self,
        owners: &Owners,
        corrections: &[Correction],
    ) -> Result<SourcePlan, PortError> {
        let changes = self.corrections(owners, corrections)?;
        let name = |change: &Correcting| {
            let collection = &self.collections[change.collection].shape;
            (
                collection.name.clone(),
                collection.columns[change.column].name.clone(),
            )
        };
        let lines = changes
            .iter()
            .map(|change| {
                let (collection, field) = name(change);
                PlannedRows {
                    collection,
                    action: PlannedAction::Correct { field },
                    rows: change.new.len() as u64,
                }
            })
            .collect();
        let mut plan = SourcePlan::new(lines);
        plan.current = changes
            .iter()
            .map(|change| {
                let (collection, field) = name(change);
                Correction {
                    collection,
                    field,
                    value: Personal::new(change.current.clone()),
                }
            })
            .collect();
        Ok(plan)
    }

    pub(super) fn rectify(
        &mut self,
        who: &(ControllerId, IdempotencyKey),
        owners: &Owners,
        corrections: &[Correction],
    ) -> Result<Vec<RowCount>, PortError> {
        if let Some(done) = self.done_by(who) {
            return Ok(done);
        }
        let mut changed: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for change in self.corrections(owners, corrections)? {
            let name = &self.collections[change.collection].shape.name;
            let rows = changed.entry(name.clone()).or_default();
            for (id, value) in change.new {
                if let Some(stored) = self.rows.get_mut(&id) {
                    stored.row.cells[change.column] = MemoryCell::Value(value);
                    rows.insert(id);
                }
            }
        }
        let counts = changed
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(name, rows)| (name, rows.len() as u64))
            .collect();
        self.done.insert(who.clone(), counts);
        Ok(self.done_by(who).unwrap_or_default())
    }

    pub(super) fn restrict(
        &mut self,
        who: &(ControllerId, IdempotencyKey),
        by: RequestId,
        owners: &Owners,
        restricted: bool,
    ) -> Vec<RowCount> {
        if let Some(done) = self.done_by(who) {
            return done;
        }
        let mut counts = Counts::new();
        for stored in self.rows.values_mut().filter(|s| s.belongs_to(owners)) {
            if restricted {
                stored.restricted.insert(by);
            } else {
                stored.restricted.remove(&by);
            }
            let name = &self.collections[stored.collection].shape.name;
            *counts.entry(name.clone()).or_default() += 1;
        }
        self.done.insert(who.clone(), counts);
        self.done_by(who).unwrap_or_default()
    }

    /// Ends uses for these people, by all that identifies them.
    pub(super) fn stop(
        &mut self,
        who: &(ControllerId, IdempotencyKey),
        wanted: &BTreeSet<NormalForm>,
        owners: &Owners,
        uses: &[Use],
    ) -> Vec<RowCount> {
        if let Some(done) = self.done_by(who) {
            return done;
        }
        let theirs = self.identifiers(owners);
        let theirs = theirs.iter().filter_map(|i| i.normal().ok());
        let forms: BTreeSet<NormalForm> = theirs.chain(wanted.iter().cloned()).collect();
        for what in uses {
            let each = forms.iter();
            let each = each.map(|form| (who.0.clone(), form.clone(), what.clone()));
            self.stopped.extend(each);
        }
        let counts = self.held(owners).into_iter();
        let counts = counts.map(|count| (count.collection, count.rows)).collect();
        self.done.insert(who.clone(), counts);
        self.done_by(who).unwrap_or_default()
    }

    pub(super) fn is_stopped(&self, by: &ControllerId, form: NormalForm, what: &Use) -> bool {
        self.stopped.contains(&(by.clone(), form, what.clone()))
    }

    /// The next row of a collection after an id, as it may be handed over.
    pub(super) fn next_row(
        &self,
        owners: &Owners,
        collection: usize,
        after: u64,
    ) -> Option<(u64, Vec<MemoryCell>)> {
        let (id, stored) = self
            .rows
            .range(after + 1..)
            .find(|(_, stored)| stored.collection == collection && stored.belongs_to(owners))?;
        let mut cells = stored.row.cells.clone();
        let shape = &self.collections[collection];
        for column in shape.secret.iter().filter_map(|column| shape.index(column)) {
            if cells[column] != MemoryCell::Value(Value::Null) {
                cells[column] = MemoryCell::Value(Value::Secret);
            }
        }
        Some((*id, cells))
    }

    /// How many rows these people have in a collection.
    pub(super) fn rows_in(&self, owners: &Owners, collection: usize) -> u64 {
        self.of(owners)
            .filter(|(_, stored)| stored.collection == collection)
            .count() as u64
    }
}

/// One correction, ready to be written.
struct Correcting {
    collection: usize,
    column: usize,
    new: Vec<(u64, Value)>,
    /// What stands there now, of several rows one that is not as wished.
    current: String,
}
