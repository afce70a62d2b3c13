//! How letters go out.

use std::borrow::Cow;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::{
    Assurance, Ground, Identifier, MissingRows, Outcome, Right, Use, Verdict, WithheldRows,
};

use super::{Answer, CallContext, PortError};

/// A letter that falls due: what it is about, and what it must say.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Notice {
    /// Which letter, e.g. `acknowledgement`, `identity_request`, `response`.
    pub kind: Cow<'static, str>,
    /// The right that was exercised.
    pub right: Right,
    /// To whom: whatever the person gave.
    pub to: Vec<Identifier>,
    /// The deadline the letter names: the first instant that is late.
    pub due: Option<DateTime<Utc>>,
    /// The ground, for refusals and extensions.
    pub ground: Option<Ground>,
    /// How the work ended, for responses.
    pub outcome: Option<Outcome>,
    /// What was withheld, for responses.
    pub withheld: Vec<WithheldRows>,
    /// What could not be done, for responses.
    pub missing: Vec<MissingRows>,
    /// How sure an erasure is, for responses.
    pub assurance: Option<Assurance>,
    /// Which uses were to end.
    pub uses: Vec<Use>,
    /// What the review of a decision came to, for responses.
    pub verdict: Option<Verdict>,
}

impl Notice {
    /// A letter that says nothing more than its kind does.
    pub fn new(kind: impl Into<Cow<'static, str>>, right: Right, to: Vec<Identifier>) -> Self {
        Self {
            kind: kind.into(),
            right,
            to,
            due: None,
            ground: None,
            outcome: None,
            withheld: Vec::new(),
            missing: Vec::new(),
            assurance: None,
            uses: Vec::new(),
            verdict: None,
        }
    }
}

/// Sends letters: by mail, in the host's message centre, on paper.
///
/// # A correct implementation
/// - `notify` is idempotent by `context.key`: a letter goes out once.
/// - *done* means handed over to what delivers it. On paper, that is *pending* until it is posted.
///
/// ```
/// use datarights::ports::*;
///
/// /// Sends nothing, for hosts that show everything in their own pages.
/// struct InApp;
///
/// #[async_trait::async_trait]
/// impl Notifier for InApp {
///     async fn notify(&self, _: &CallContext, _: &Notice) -> Result<Answer<()>, PortError> {
///         Ok(Answer::Done(()))
///     }
/// }
/// ```
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends a letter.
    async fn notify(&self, context: &CallContext, notice: &Notice)
    -> Result<Answer<()>, PortError>;
}
