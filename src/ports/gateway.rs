//! Processors and other recipients that must be told.

use async_trait::async_trait;

use crate::model::{Correction, Identifier, PartyId, Use};

use super::{Answer, ByteStream, CallContext, PortError, Statement};

/// Who is behind a gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct GatewayDescription {
    /// How the host refers to it.
    pub id: PartyId,
    /// What it is called in letters.
    pub title: String,
    /// Whether it is told of erasures, rectifications and restrictions (GDPR Art. 19), and of
    /// uses that end.
    pub informed: bool,
}

impl GatewayDescription {
    /// A recipient that is told of every change.
    pub fn new(id: PartyId, title: impl Into<String>) -> Self {
        Self {
            id,
            title: title.into(),
            informed: true,
        }
    }
}

/// What a recipient is asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Instruction {
    /// Erase what it holds of the person.
    Erase,
    /// Correct these fields.
    Rectify(Vec<Correction>),
    /// Restrict (`true`) or lift the restriction (`false`).
    Restrict(bool),
    /// End these uses.
    Stop(Vec<Use>),
}

/// An instruction about one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// What to do.
    pub instruction: Instruction,
    /// About whom.
    pub identifiers: Vec<Identifier>,
    /// What the law wants the recipient told with it, in its order (GDPR Art. 19). Nothing
    /// personal.
    pub contents: Vec<Statement>,
}

/// A finished package, on its way to another controller (GDPR Art. 20(2)).
pub struct Package {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its content, a ZIP.
    pub content: ByteStream,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Package({} bytes)", self.bytes)
    }
}

/// A way to a processor, a recipient or another controller.
///
/// # A correct implementation
/// - `inform` and `transmit` are idempotent by `context.key`: what is sent twice takes effect once.
/// - *done* means that the recipient confirmed, not that a message left. Until then: *pending*. The
///   next call finds the confirmation, also without the handle, which may have died with a worker.
/// - `inform` passes on what is asked, about whom, and the words of `contents`, or is *unsupported*;
///   never something weaker.
/// - What did not get there, or whose answer was lost, is a temporary error or *pending*; the next
///   call of the key sends what is missing, and nothing twice.
/// - Errors carry codes, never a value.
/// - A package whose content ends in an error was altered or cut: `transmit` passes the error on,
///   and what the recipient has of it is taken back or never takes effect.
///
/// See `docs/write-a-gateway.md` for one that is built step by step.
///
/// ```
/// use datarights::model::PartyId;
/// use datarights::ports::*;
///
/// /// A recipient that never received anything, and says so.
/// struct Nobody(PartyId);
///
/// #[async_trait::async_trait]
/// impl ProcessorGateway for Nobody {
///     fn describe(&self) -> GatewayDescription {
///         GatewayDescription::new(self.0.clone(), "Nobody Ltd")
///     }
///     async fn inform(&self, _: &CallContext, _: &Order) -> Result<Answer<()>, PortError> {
///         Ok(Answer::Done(()))
///     }
///     async fn transmit(&self, _: &CallContext, _: Package) -> Result<Answer<()>, PortError> {
///         Ok(Answer::Unsupported)
///     }
/// }
/// ```
#[async_trait]
pub trait ProcessorGateway: Send + Sync {
    /// Who it leads to. Does not change while the engine runs.
    fn describe(&self) -> GatewayDescription;

    /// Passes an instruction on, and brings the confirmation.
    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError>;

    /// Hands a package over.
    async fn transmit(
        &self,
        context: &CallContext,
        package: Package,
    ) -> Result<Answer<()>, PortError>;
}
