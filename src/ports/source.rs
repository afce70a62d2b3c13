//! Where personal data lives.

use std::fmt;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::model::{
    Assurance, Collection, Correction, Digest, Ground, Identifier, IdentifierKind, Personal,
    SearchDepth, SourceId, Until, Use, Value, exposed,
};

use super::{Answer, ByteStream, CallContext, PortError, RowCount, WithheldRows};

/// What a source is, as far as planning must know.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SourceDescription {
    /// How the host calls it.
    pub id: SourceId,
    /// What a person would call it.
    pub title: String,
    /// Identifiers it can search by.
    pub accepts: Vec<IdentifierKind>,
    /// Sources whose erasure must be finished before this one's begins: this one holds what
    /// leads to them.
    pub erase_after: Vec<SourceId>,
    /// What its erasure reaches at best.
    pub assurance: Assurance,
}

impl SourceDescription {
    /// A source that deletes rows and depends on no other.
    pub fn new(
        id: SourceId,
        title: impl Into<String>,
        accepts: impl IntoIterator<Item = IdentifierKind>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            accepts: accepts.into_iter().collect(),
            erase_after: Vec::new(),
            assurance: Assurance::Deleted,
        }
    }
}

/// How many locators a source may answer with for one person.
pub const MAX_LOCATORS: usize = 256;

/// What a source needs to find a person's rows again, even half-way through their erasure.
/// Sealed before it is stored; its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locator(#[serde(with = "exposed")] pub Personal<String>);

impl Locator {
    /// A locator in the source's own form, e.g. `users:42`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Personal::new(text.into()))
    }

    /// The text in clear.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locator(..)")
    }
}

/// Where a person was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Located {
    /// What the source needs to find the rows again; empty when nothing was found.
    /// [`MAX_LOCATORS`] at most: they lead to the rows, they do not list them.
    pub locators: Vec<Locator>,
    /// How many rows each collection holds, where the source knows.
    pub rows: Vec<RowCount>,
    /// Further identifiers that stood there and lead to other sources. Set by the source, sealed
    /// by the engine.
    #[serde(skip)]
    pub identifiers: Vec<Identifier>,
    /// Until how far back was searched, where the source keeps nothing older.
    pub horizon: Option<chrono::DateTime<chrono::Utc>>,
}

/// The work a plan is made for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Work {
    /// To erase what was located.
    Erase,
    /// To correct these fields.
    Rectify(Vec<Correction>),
}

/// What will happen to the rows of a collection.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlannedAction {
    /// The rows go.
    Delete,
    /// The rows stay; what identifies the person in them is replaced.
    Anonymise,
    /// The rows must stay, and what need not be kept in them is replaced. The source plans to
    /// withhold them, too.
    Minimise,
    /// The rows stay, but for what another line says of them.
    Withhold {
        /// On which ground.
        ground: Ground,
        /// Until when.
        until: Until,
        /// Whether they are restricted meanwhile: kept, and not otherwise used.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        restricted: bool,
    },
    /// A field is changed.
    Correct {
        /// Which field.
        field: String,
    },
}

/// One line of a plan.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct PlannedRows {
    /// The collection, as the source names it.
    pub collection: String,
    /// What will happen.
    pub action: PlannedAction,
    /// To how many rows.
    pub rows: u64,
}

impl PlannedRows {
    /// The rows, where they are planned to be withheld.
    pub(crate) fn withheld(&self) -> Option<WithheldRows> {
        let PlannedAction::Withhold {
            ground,
            until,
            restricted,
        } = &self.action
        else {
            return None;
        };
        Some(WithheldRows {
            collection: self.collection.clone(),
            rows: self.rows,
            ground: ground.clone(),
            until: *until,
            restricted: *restricted,
        })
    }
}

/// What a source will do: made and checked before the first write.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct SourcePlan {
    /// What happens, in the order it happens.
    pub rows: Vec<PlannedRows>,
    /// The values now, for a rectification: field by field, in the order of the wish, of those
    /// fields that the source holds a value of.
    pub current: Vec<Correction>,
    /// What somebody who approves relies on. The default covers collections, actions and counts;
    /// a source may cover more. A plan with another digest has to be approved again.
    pub digest: Digest,
}

impl SourcePlan {
    /// A plan of these lines, its digest computed over all of them.
    pub fn new(rows: Vec<PlannedRows>) -> Self {
        let digest = Digest::of(format!("{rows:?}").as_bytes());
        Self {
            rows,
            current: Vec::new(),
            digest,
        }
    }
}

/// What an erasure did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Erased {
    /// Rows erased under this idempotency key, over all its attempts as far as the source knows.
    pub rows: Vec<RowCount>,
    /// Rows kept.
    pub withheld: Vec<WithheldRows>,
    /// How sure it is, as shown, not as hoped.
    pub assurance: Assurance,
}

/// What a search after an erasure found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Residue {
    /// What is still there and not withheld.
    pub rows: Vec<RowCount>,
    /// How deep this very search went.
    pub depth: SearchDepth,
}

impl Residue {
    /// What a search by value found.
    pub const fn by_value(rows: Vec<RowCount>) -> Self {
        Self {
            rows,
            depth: SearchDepth::ByValue,
        }
    }
}

impl From<Vec<RowCount>> for Residue {
    /// What a search by path found.
    fn from(rows: Vec<RowCount>) -> Self {
        Self {
            rows,
            depth: SearchDepth::ByPath,
        }
    }
}

/// What ending a use did.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Stopped {
    /// How many rows there are that are not used so any more; empty where nobody was found.
    pub rows: Vec<RowCount>,
    /// Further identifiers that stood there and lead to other sources, as for [`Located`].
    #[serde(skip)]
    pub identifiers: Vec<Identifier>,
}

/// A large value that is handed over in pieces: an attachment, an image.
pub struct File {
    /// Its name as the source has it; made safe by the package.
    pub name: String,
    /// Its media type, where known.
    pub media_type: Option<String>,
    /// Its content.
    pub content: ByteStream,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("File(..)")
    }
}

/// One field of a row.
#[derive(Debug)]
pub enum Cell {
    /// A value.
    Value(Value),
    /// A file.
    File(File),
}

impl<V: Into<Value>> From<V> for Cell {
    fn from(value: V) -> Self {
        Self::Value(value.into())
    }
}

/// What a source reads out, one after the other.
#[derive(Debug)]
pub enum Item {
    /// The rows that follow are of this collection.
    Collection(Collection),
    /// A row: as many cells as the collection has columns.
    Row(Vec<Cell>),
    /// A row that must not be handed over (another person's, a secret of business).
    Withheld(WithheldRows),
}

/// A person's data as a stream. Files must be read to their end before the next item is asked for.
pub type Reading = BoxStream<'static, Result<Item, PortError>>;

/// A place where personal data lives.
///
/// # A correct implementation
/// - Everything is found by `locate` before anything is written; what it returns suffices to find
///   the rows again after any part of them is gone.
/// - `locate` finds nothing without an error: an empty answer. It searches only for identifiers of
///   kinds it accepts, in their normal form, and never fails because of one that leads nowhere.
/// - `plan` writes nothing. It finds what will not work: constraints, retention, types.
/// - `read` hands over each collection in one piece, rows with as many cells as columns, and secrets
///   as [`Value::Secret`]. Memory does not grow with the size of the data.
/// - `erase`, `rectify`, `restrict` and `stop` are idempotent by `context.key`: a second call, after
///   a crash or at the same time, leaves what one call leaves and answers for the whole.
/// - A restriction belongs to the request that set it (`context.request`). Rows stay restricted
///   until every request that restricted them has lifted its own.
/// - `stop` is in effect when it answers *done*: for the rows that are there, and for whatever
///   arrives later under one of these identifiers; it finds nobody without an error. It holds for
///   the controller of the call and no other, and an erasure does not take it back. A source that
///   never uses data so answers *done* without rows. *Unsupported* says that it does, or may, and
///   cannot be told.
/// - `erase` removes last what identifies the person, and answers *done* only if all is gone or
///   named as withheld.
/// - `residue` counts what is still there and not withheld. It is asked afterwards, and believed. It
///   says that it searched by value only if this very call did, in all that it holds.
/// - Nothing of anybody else changes.
/// - Errors carry codes and names of columns, never a value or the database's own text.
/// - A correction of a collection that the source does not have is another source's business:
///   nothing is planned and changed for it. One of a field that it does not have, or that cannot
///   hold the value, is refused by `plan`. Of a field that is as it is wished, `plan` gives the
///   wish itself as the current value: that is how a rectification is verified. A correction that
///   no source plans, and of which none gives a current value, is told to be missing.
/// - A call that begins with `context.cancel` set changes nothing and is
///   [`ErrorKind::Cancelled`](super::ErrorKind::Cancelled); work that runs when it is set ends soon,
///   a reading with its next item. What is *pending* carries a handle, and is asked again with
///   `context.resume`.
///
/// See `docs/write-a-source.md` for one that is built step by step.
///
/// A system without an interface is a source, too: people do the work, from a task list
/// ([`Engine::tasks`](crate::engine::Engine::tasks)), and bring what came of it
/// ([`Engine::complete`](crate::engine::Engine::complete)).
///
/// ```
/// use async_trait::async_trait;
/// use datarights::model::*;
/// use datarights::ports::*;
///
/// struct PaperFiles(SourceId);
///
/// /// Handed out under the key of the call: whoever is asked again sees the same task.
/// fn by_hand<T>(context: &CallContext, title: &str) -> Result<Answer<T>, PortError> {
///     Ok(Answer::Pending(Pending {
///         handle: Handle(context.key.0.clone()),
///         look_again: context.deadline + chrono::TimeDelta::days(7),
///         task: Some(Task { title: title.to_owned() }),
///     }))
/// }
///
/// #[async_trait]
/// impl PersonalDataSource for PaperFiles {
///     fn describe(&self) -> SourceDescription {
///         SourceDescription::new(self.0.clone(), "Paper files", [IdentifierKind::NameAndBirth])
///     }
///     async fn locate(
///         &self,
///         context: &CallContext,
///         _: &[Identifier],
///     ) -> Result<Answer<Located>, PortError> {
///         by_hand(context, "Look for the person's file in the cellar")
///     }
///     async fn plan(
///         &self,
///         context: &CallContext,
///         _: &[Locator],
///         _: &Work,
///     ) -> Result<Answer<SourcePlan>, PortError> {
///         by_hand(context, "Say which sheets may go, and which must be kept until when")
///     }
///     async fn read(
///         &self,
///         _: &CallContext,
///         _: &[Locator],
///     ) -> Result<Answer<Reading>, PortError> {
///         Ok(Answer::Unsupported) // the answer says that the file can only be looked at
///     }
///     async fn rectify(
///         &self,
///         context: &CallContext,
///         _: &[Locator],
///         _: &[Correction],
///     ) -> Result<Answer<Vec<RowCount>>, PortError> {
///         by_hand(context, "Put the correction into the file")
///     }
///     async fn restrict(
///         &self,
///         context: &CallContext,
///         _: &[Locator],
///         restricted: bool,
///     ) -> Result<Answer<Vec<RowCount>>, PortError> {
///         by_hand(context, if restricted { "Seal the file" } else { "Unseal the file" })
///     }
///     async fn stop(
///         &self,
///         _: &CallContext,
///         _: &[Identifier],
///         _: &[Use],
///     ) -> Result<Answer<Stopped>, PortError> {
///         Ok(Answer::Done(Stopped::default())) // nobody advertises out of the cellar
///     }
///     async fn erase(
///         &self,
///         context: &CallContext,
///         _: &[Locator],
///         _: &SourcePlan,
///     ) -> Result<Answer<Erased>, PortError> {
///         by_hand(context, "Shred the sheets of the plan")
///     }
///     async fn residue(
///         &self,
///         context: &CallContext,
///         _: &[Locator],
///     ) -> Result<Answer<Residue>, PortError> {
///         by_hand(context, "Look whether anything is left")
///     }
/// }
/// ```
#[async_trait]
pub trait PersonalDataSource: Send + Sync {
    /// What it is. Does not change while the engine runs.
    fn describe(&self) -> SourceDescription;

    /// Finds a person by what identifies them.
    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError>;

    /// Says what the work would do, and writes nothing.
    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError>;

    /// Reads everything out.
    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError>;

    /// Corrects fields, and all copies of them that the source knows.
    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError>;

    /// Restricts the rows (stored, not otherwise used), or lifts this request's restriction.
    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError>;

    /// Ends uses of a person's data, now and for the future. There is no search before it: it
    /// must not wait for other sources.
    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError>;

    /// Erases what the approved plan says.
    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError>;

    /// Searches for what is left and not withheld.
    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError>;
}
