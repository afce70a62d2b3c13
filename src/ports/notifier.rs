//! How letters go out.

use std::borrow::Cow;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::{
    Assurance, Fee, Ground, Identifier, MissingRows, Outcome, RequestId, Right, SearchDepth, Use,
    Verdict, WithheldRows,
};

use super::{Answer, CallContext, PortError};

/// One thing that the law wants said in a letter, and what is said. Nothing personal.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Statement {
    /// The item, in snake case: `purposes`, `reasons`.
    pub item: String,
    /// Where the law demands it.
    pub article: String,
    /// What the law wants said.
    pub about: String,
    /// What is said; `None` where it does not apply.
    pub words: Option<String>,
}

/// A letter that falls due: what it is about, and what it must say. A host that writes its own
/// text says all of `contents` in it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Notice {
    /// Which letter, e.g. `acknowledgement`, `identity_request`, `response`.
    pub kind: Cow<'static, str>,
    /// The request it is about: the reference that a letter names.
    pub request: RequestId,
    /// The regime it runs under.
    pub regime: String,
    /// What the law is called.
    pub law: String,
    /// The right that was exercised.
    pub right: Right,
    /// To whom: whatever the person gave.
    pub to: Vec<Identifier>,
    /// Everything the law wants said, in its order.
    pub contents: Vec<Statement>,
    /// The deadline of the answer: the first instant that is late. With an extension, the new one.
    pub due: Option<DateTime<Utc>>,
    /// Until when this letter itself is in time, where the law says.
    pub send_before: Option<DateTime<Utc>>,
    /// The ground, for refusals, extensions and fees.
    pub ground: Option<Ground>,
    /// The fee that is charged.
    pub fee: Option<Fee>,
    /// How an appeal was decided.
    pub granted: Option<bool>,
    /// How the work ended, for responses.
    pub outcome: Option<Outcome>,
    /// What was withheld, for responses.
    pub withheld: Vec<WithheldRows>,
    /// What could not be done, for responses.
    pub missing: Vec<MissingRows>,
    /// How sure an erasure is, for responses.
    pub assurance: Option<Assurance>,
    /// How deep was searched for what it left, for responses.
    pub depth: Option<SearchDepth>,
    /// Until how far back was searched, for responses: what is older is not held.
    pub horizon: Option<DateTime<Utc>>,
    /// Which uses were to end.
    pub uses: Vec<Use>,
    /// What the review of a decision came to, for responses.
    pub verdict: Option<Verdict>,
}

impl Notice {
    /// A letter that says nothing more than its kind does.
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        request: RequestId,
        right: Right,
        to: Vec<Identifier>,
    ) -> Self {
        Self {
            kind: kind.into(),
            request,
            regime: String::new(),
            law: String::new(),
            right,
            to,
            contents: Vec::new(),
            due: None,
            send_before: None,
            ground: None,
            fee: None,
            granted: None,
            outcome: None,
            withheld: Vec::new(),
            missing: Vec::new(),
            assurance: None,
            depth: None,
            horizon: None,
            uses: Vec::new(),
            verdict: None,
        }
    }

    /// What is said on an item.
    pub fn says(&self, item: &str) -> Option<&str> {
        let statement = self.contents.iter().find(|said| said.item == item)?;
        statement.words.as_deref()
    }
}

/// Sends letters: by mail, in the host's message centre, on paper.
///
/// # A correct implementation
/// - `notify` is idempotent by `context.key`: a letter goes out once.
/// - *done* means handed over to what delivers it. On paper, that is *pending* until it is posted.
/// - It goes to whom it is for, and says all of its contents.
/// - What was not handed over is a temporary error or *pending*; the next call of the key makes it
///   good, and sends nothing twice. Errors carry codes, never a value.
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
