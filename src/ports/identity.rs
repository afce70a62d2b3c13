//! Making sure that the person is who they say.

use async_trait::async_trait;

use crate::model::{Identifier, Personal};

use super::{Answer, CallContext, PortError};

/// What an identity check found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Check {
    /// It is the person.
    Verified,
    /// The evidence does not show it.
    Rejected,
}

/// Verifies who asks: by a code sent to a known address, a session, an electronic identity.
///
/// The number of attempts is limited by the workflow, which counts an attempt before it is
/// checked; a verifier need not count.
///
/// # A correct implementation
/// - `challenge` is idempotent by `context.key`: one code, not a new one per retry.
/// - `check` compares in constant time, verifies what the person was sent, and rejects all else:
///   evidence of another request or controller, and anything before a challenge.
/// - A challenge that did not go out is a temporary error or *pending*. Errors carry codes, never a
///   value.
/// - Evidence is neither logged nor kept.
///
/// ```
/// use datarights::model::{Identifier, Personal};
/// use datarights::ports::*;
///
/// /// The host's own login vouches: there is nothing to send and nothing to check.
/// struct LoggedIn;
///
/// #[async_trait::async_trait]
/// impl IdentityVerifier for LoggedIn {
///     async fn challenge(&self, _: &CallContext, _: &[Identifier]) -> Result<Answer<()>, PortError> {
///         Ok(Answer::Done(()))
///     }
///     async fn check(&self, _: &CallContext, _: &Personal<String>) -> Result<Check, PortError> {
///         Ok(Check::Verified)
///     }
/// }
/// ```
#[async_trait]
pub trait IdentityVerifier: Send + Sync {
    /// Asks the person for evidence, e.g. sends a code.
    async fn challenge(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<()>, PortError>;

    /// Checks the evidence that came back.
    async fn check(
        &self,
        context: &CallContext,
        evidence: &Personal<String>,
    ) -> Result<Check, PortError>;
}
