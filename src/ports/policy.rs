//! Who may do what.

use async_trait::async_trait;

use crate::model::{Actor, ControllerId, RequestId, Right};

/// What somebody wants to do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Query<'a> {
    /// Whose request.
    pub controller: &'a ControllerId,
    /// Which request; `None` for a new one, and for lists.
    pub request: Option<RequestId>,
    /// The right it exercises; `None` for lists over all rights.
    pub right: Option<&'a Right>,
    /// Who wants it.
    pub actor: &'a Actor,
    /// The command's name in snake case. One of:
    ///
    /// - a command of the lifecycle (`workflow::lifecycle::On`, e.g. `approve`, `add_identifiers`);
    /// - a command of the work (`workflow::fulfilment::On`, e.g. `approve_plan`); completing a step
    ///   by hand is `answer`;
    /// - `submit`, for a new request;
    /// - `view`: how a request stands and what happened to it, nothing of the person in clear;
    /// - `identifiers`, `corrections`, `plan`, `package`, `letter`: to see these;
    /// - `resume`, `repair`, `give_up`: for a request of which something was set aside;
    /// - `due`, `set_aside`, `backlog`: lists and figures of a controller, about no single request.
    pub command: &'a str,
    /// Which step of the work is answered, for `answer`: the task's name and the target's, e.g.
    /// `("erase", "source/crm")`; a review's is `("review", "request")`.
    pub step: Option<(&'a str, &'a str)>,
}

impl<'a> Query<'a> {
    /// A query about an existing request, a new one, or a list.
    pub const fn new(
        controller: &'a ControllerId,
        request: Option<RequestId>,
        right: Option<&'a Right>,
        actor: &'a Actor,
        command: &'a str,
    ) -> Self {
        Self {
            controller,
            request,
            right,
            actor,
            command,
            step: None,
        }
    }

    /// The same, about this step of the work.
    #[must_use]
    pub const fn about(mut self, task: &'a str, target: &'a str) -> Self {
        self.step = Some((task, target));
        self
    }
}

/// Shows that a policy was asked and agreed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Grant;

impl Grant {
    /// Agrees. Only a policy should call this.
    pub const fn agreed() -> Self {
        Self
    }
}

/// The policy said no.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the policy does not let this actor {command}")]
pub struct Denied {
    /// What was refused.
    pub command: String,
}

/// The host's own rules: staff roles, tenants. The workflow's rules (who may approve, four eyes)
/// hold beside it.
///
/// # A correct implementation
/// - Answers no when it does not know: an unknown actor, a command it has not heard of. The engine,
///   the host's own software, and staff whom the host names for that, may be trusted with all commands.
/// - The same question has the same answer, until the host's rules change.
/// - [`Denied`] names the command that was asked for.
///
/// ```
/// use datarights::model::Actor;
/// use datarights::ports::*;
///
/// /// Staff whose reference starts with `dpo-` may do anything, others may look.
/// struct OfficersOnly;
///
/// #[async_trait::async_trait]
/// impl AccessPolicy for OfficersOnly {
///     async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
///         match query.actor {
///             Actor::Staff(who) if who.as_str().starts_with("dpo-") => Ok(Grant::agreed()),
///             Actor::Staff(_) if query.command == "view" => Ok(Grant::agreed()),
///             Actor::Person if matches!(query.command, "submit" | "view" | "package") => {
///                 Ok(Grant::agreed())
///             }
///             Actor::Engine => Ok(Grant::agreed()),
///             _ => Err(Denied { command: query.command.to_owned() }),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait AccessPolicy: Send + Sync {
    /// May this actor do that?
    async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied>;
}
