//! A source of personal data in memory: for tests, examples and trials.

mod collection;
mod state;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use futures::{StreamExt, stream};

pub use collection::{MemoryCell, MemoryCollection, MemoryRow};
use state::{Owners, State};

use crate::model::{
    Assurance, ControllerId, Correction, Failure, Identifier, IdentifierKind, MissingRows,
    NormalForm, Personal, RowCount, SourceId, Until, Use, WithheldRows,
};
use crate::ports::{
    Answer, CallContext, Cancel, Cell, Clock, Erased, ErrorKind, File, IdempotencyKey, Item,
    Located, Locator, PersonalDataSource, PlannedAction, PortError, Reading, Residue,
    SourceDescription, SourcePlan, Stopped, Work,
};

/// Rows in memory, each of one owner. Clones share them.
///
/// It keeps the whole contract of [`PersonalDataSource`]. People are found by the columns named
/// with [`MemoryCollection::found_by`]; from there, all rows of the same owner are theirs. Rows
/// withheld until a date become free when the clock given with [`MemorySource::with_clock`] has
/// passed it; without a clock they stay withheld.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use datarights::adapters::{MemoryCollection, MemorySource};
/// use datarights::model::{Ground, IdentifierKind, SourceId, Until};
///
/// let desk = MemorySource::new(SourceId::new("desk")?, "Help desk")
///     .with(MemoryCollection::new("users", ["name", "mail"]).found_by("mail", IdentifierKind::Mail))
///     .with(MemoryCollection::new("tickets", ["subject"]))
///     .with(MemoryCollection::new("invoices", ["amount"])
///         .withheld(Ground::new("tax_records"), Until::HoldLifted));
/// desk.insert("users", "7", ["Ada", "ada@example.org"])?;
/// desk.insert("tickets", "7", ["My printer burns"])?;
/// desk.insert("invoices", "7", [1200])?;
/// assert_eq!(desk.rows().len(), 3);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MemorySource {
    id: SourceId,
    title: String,
    state: Arc<Mutex<State>>,
}

/// A row that does not fit its collection.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemorySourceError {
    /// There is no such collection.
    #[error("there is no collection {collection}")]
    NoSuchCollection {
        /// The name that was given.
        collection: String,
    },
    /// The collection's rules name a column that it does not have.
    #[error("collection {collection} has no column {column}")]
    NoSuchColumn {
        /// The collection.
        collection: String,
        /// The column.
        column: String,
    },
    /// Not as many cells as columns.
    #[error("a row of {collection} has {expected} cells, not {actual}")]
    CellCount {
        /// The collection.
        collection: String,
        /// How many columns it has.
        expected: usize,
        /// How many cells came.
        actual: usize,
    },
}

/// A row as it is stored now, for a test to compare.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct MemoryStoredRow {
    /// The collection.
    pub collection: String,
    /// Whose it is; `None` once it is anonymised.
    pub owner: Option<Personal<String>>,
    /// Its cells.
    pub cells: Vec<MemoryCell>,
    /// Whether its use is restricted.
    pub restricted: bool,
}

impl MemorySource {
    /// A source without collections.
    pub fn new(id: SourceId, title: impl Into<String>) -> Self {
        Self {
            id,
            title: title.into(),
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a collection. Collections are read in the order they were added.
    #[must_use]
    pub fn with(self, collection: impl Into<MemoryCollection>) -> Self {
        self.state().collections.push(collection.into());
        self
    }

    /// This source leads to another one, which must be erased before it.
    #[must_use]
    pub fn erased_after(self, other: SourceId) -> Self {
        self.state().erase_after.push(other);
        self
    }

    /// Takes the date from a clock, so that retention ends.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        self.state().clock = Some(clock);
        self
    }

    /// Adds a row of an owner: whatever the application would call them, e.g. a user's number.
    ///
    /// # Errors
    /// [`MemorySourceError`] when the row does not fit; nothing is added then.
    pub fn insert(
        &self,
        collection: &str,
        owner: &str,
        row: impl Into<MemoryRow>,
    ) -> Result<(), MemorySourceError> {
        let row = row.into();
        let mut state = self.state();
        let index = self.index(&state, collection)?;
        let shape = &state.collections[index];
        if let Some(missing) = shape.missing_column() {
            return Err(MemorySourceError::NoSuchColumn {
                collection: collection.to_owned(),
                column: missing.to_owned(),
            });
        }
        let expected = shape.shape.columns.len();
        if row.cells.len() != expected {
            return Err(MemorySourceError::CellCount {
                collection: collection.to_owned(),
                expected,
                actual: row.cells.len(),
            });
        }
        state.insert(index, owner, row);
        Ok(())
    }

    /// Ends the retention of all rows of a collection: a hold is lifted.
    ///
    /// # Errors
    /// [`MemorySourceError::NoSuchCollection`].
    pub fn release(&self, collection: &str) -> Result<(), MemorySourceError> {
        let mut state = self.state();
        let index = self.index(&state, collection)?;
        state.release(index);
        Ok(())
    }

    /// Removes an owner's rows of a collection behind the source's back, as another program
    /// might.
    ///
    /// # Errors
    /// [`MemorySourceError::NoSuchCollection`].
    pub fn lose(&self, collection: &str, owner: &str) -> Result<(), MemorySourceError> {
        let mut state = self.state();
        let index = self.index(&state, collection)?;
        state.lose(index, owner);
        Ok(())
    }

    /// A copy of all rows of everybody, in the order they were added.
    pub fn rows(&self) -> Vec<MemoryStoredRow> {
        self.state().all()
    }

    /// A copy of all rows of an owner.
    pub fn rows_of(&self, owner: &str) -> Vec<MemoryStoredRow> {
        let mut rows = self.rows();
        rows.retain(|row| row.owner.as_ref().is_some_and(|o| o.expose() == owner));
        rows
    }

    /// A copy of all rows but an owner's, nobody's included: what must not change.
    pub fn rows_of_others(&self, owner: &str) -> Vec<MemoryStoredRow> {
        let mut rows = self.rows();
        rows.retain(|row| row.owner.as_ref().is_none_or(|o| o.expose() != owner));
        rows
    }

    /// Whether a controller must not use a person's data so any more: asked by whoever would, before
    /// each use. An identifier that is none may be used for nothing.
    pub fn is_stopped(&self, by: &ControllerId, identifier: &Identifier, what: &Use) -> bool {
        match identifier.normal() {
            Ok(form) => self.state().is_stopped(by, form, what),
            Err(_) => true,
        }
    }

    fn index(&self, state: &State, collection: &str) -> Result<usize, MemorySourceError> {
        state
            .index(collection)
            .ok_or_else(|| MemorySourceError::NoSuchCollection {
                collection: collection.to_owned(),
            })
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemorySource({})", self.id)
    }
}

fn owners(locators: &[Locator]) -> Owners {
    locators.iter().map(|l| l.expose().to_owned()).collect()
}

/// One that is malformed leads nowhere.
fn forms(identifiers: &[Identifier]) -> BTreeSet<NormalForm> {
    identifiers.iter().filter_map(|i| i.normal().ok()).collect()
}

fn effect(context: &CallContext) -> (ControllerId, IdempotencyKey) {
    (context.controller.clone(), context.key.clone())
}

fn go_on(cancel: &Cancel) -> Result<(), PortError> {
    if cancel.is_cancelled() {
        return Err(PortError::new(ErrorKind::Cancelled, "cancelled"));
    }
    Ok(())
}

/// Lets others go on: also the point at which a dropped call leaves its work half done.
async fn breathe() {
    let mut breathed = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut breathed, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl PersonalDataSource for MemorySource {
    fn describe(&self) -> SourceDescription {
        let state = self.state();
        let accepts: BTreeSet<IdentifierKind> = state
            .collections
            .iter()
            .flat_map(|collection| &collection.identifying)
            .filter(|column| column.searched)
            .map(|column| column.kind.clone())
            .collect();
        let mut description = SourceDescription::new(self.id.clone(), &self.title, accepts);
        description.erase_after.clone_from(&state.erase_after);
        description.assurance = assurance(&state);
        description
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        go_on(&context.cancel)?;
        let wanted = forms(identifiers);
        let state = self.state();
        let owners = state.find(&wanted);
        let further = state.further(&owners, &wanted);
        Ok(Answer::Done(Located {
            rows: state.held(&owners),
            locators: owners.into_iter().map(Locator::new).collect(),
            identifiers: further,
            horizon: None,
        }))
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        go_on(&context.cancel)?;
        let (state, owners) = (self.state(), owners(locators));
        Ok(Answer::Done(match work {
            Work::Erase => state.erasure_plan(&owners),
            Work::Rectify(corrections) => state.rectification_plan(&owners, corrections)?,
        }))
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        go_on(&context.cancel)?;
        let cursor = Cursor {
            source: self.clone(),
            cancel: context.cancel.clone(),
            owners: owners(locators),
            collection: 0,
            row: None,
        };
        let items = stream::unfold(cursor, |mut cursor| async move {
            let item = cursor.next().transpose()?;
            Some((item, cursor))
        });
        Ok(Answer::Done(items.boxed()))
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        go_on(&context.cancel)?;
        self.state()
            .rectify(&effect(context), &owners(locators), corrections)
            .map(Answer::Done)
    }

    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        go_on(&context.cancel)?;
        let (effect, by) = (effect(context), context.request);
        let counts = self
            .state()
            .restrict(&effect, by, &owners(locators), restricted);
        Ok(Answer::Done(counts))
    }

    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        go_on(&context.cancel)?;
        let wanted = forms(identifiers);
        let mut state = self.state();
        let owners = state.find(&wanted);
        Ok(Answer::Done(Stopped {
            rows: state.stop(&effect(context), &wanted, &owners, uses),
            identifiers: state.further(&owners, &wanted),
        }))
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let (effect, owners) = (effect(context), owners(locators));
        let order = self.state().erase_order();
        for collection in order {
            let planned = {
                let state = self.state();
                let name = &state.collections[collection].shape.name;
                plan.rows.iter().any(|line| {
                    line.collection == *name
                        && matches!(
                            line.action,
                            PlannedAction::Delete | PlannedAction::Anonymise
                        )
                })
            };
            let mut more = planned;
            while more {
                go_on(&context.cancel)?;
                more = self.state().erase_some(&effect, &owners, collection);
                breathe().await;
            }
        }
        go_on(&context.cancel)?;
        let state = self.state();
        let done = Erased {
            rows: state.done_by(&effect).unwrap_or_default(),
            withheld: state.withheld(&owners),
            assurance: assurance(&state),
        };
        let missing: Vec<MissingRows> = state
            .residue(&owners)
            .into_iter()
            .map(|left| MissingRows {
                collection: Some(left.collection),
                rows: Some(left.rows),
                failure: Failure::Code("not_in_plan".into()),
            })
            .collect();
        Ok(if missing.is_empty() {
            Answer::Done(done)
        } else {
            Answer::Partly { done, missing }
        })
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        go_on(&context.cancel)?;
        let left = self.state().residue(&owners(locators));
        Ok(Answer::Done(left.into()))
    }
}

fn assurance(state: &State) -> Assurance {
    let anonymises = state.collections.iter().any(|c| c.anonymised.is_some());
    if anonymises {
        Assurance::Anonymised
    } else {
        Assurance::Deleted
    }
}

/// Where a reading stands. Holds no rows: each is taken when it is asked for.
struct Cursor {
    source: MemorySource,
    cancel: Cancel,
    owners: Owners,
    collection: usize,
    /// The last row handed over; `None` before the collection was named.
    row: Option<u64>,
}

impl Cursor {
    fn next(&mut self) -> Result<Option<Item>, PortError> {
        go_on(&self.cancel)?;
        let state = self.source.state();
        while let Some(collection) = state.collections.get(self.collection) {
            let next = state.next_row(&self.owners, self.collection, self.row.unwrap_or(0));
            match (next, self.row) {
                (None, _) => {
                    self.collection += 1;
                    self.row = None;
                }
                (Some((id, cells)), Some(_)) => {
                    self.row = Some(id);
                    return Ok(Some(Item::Row(cells.into_iter().map(cell).collect())));
                }
                (Some(_), None) => {
                    if let Some(ground) = &collection.not_handed_over {
                        let rows = state.rows_in(&self.owners, self.collection);
                        self.collection += 1;
                        return Ok(Some(Item::Withheld(WithheldRows {
                            collection: collection.shape.name.clone(),
                            rows,
                            ground: ground.clone(),
                            until: Until::Always,
                            restricted: false,
                        })));
                    }
                    self.row = Some(0);
                    return Ok(Some(Item::Collection(collection.shape.clone())));
                }
            }
        }
        Ok(None)
    }
}

fn cell(cell: MemoryCell) -> Cell {
    /// How much of a file is handed over at once, in bytes.
    const PIECE: usize = 64 * 1024;
    match cell {
        MemoryCell::Value(value) => Cell::Value(value),
        MemoryCell::File {
            name,
            media_type,
            bytes,
        } => Cell::File(File {
            name,
            media_type,
            content: stream::iter((0..bytes.len()).step_by(PIECE))
                .map(move |at| Ok(bytes[at..bytes.len().min(at + PIECE)].to_vec()))
                .boxed(),
        }),
    }
}
