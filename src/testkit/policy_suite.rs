//! Checks a policy, line by line, against the contract of [`AccessPolicy`].
//!
//! It asks in the name of actors that no host knows. What a host's own staff may do is the host's.

use uuid::Uuid;

use super::contract::{Checked, Report, Seen, Violations, ensure, lines};
use crate::model::{Actor, ControllerId, PartyId, RequestId, Right};
use crate::ports::{AccessPolicy, Query};

lines! {
    /// The lines of the contract of [`AccessPolicy`].
    PolicyLine {
        Strangers = "staff, processors and controllers whom it does not know decide nothing and see nobody's data",
        UnknownCommands = "a command it has not heard of is not for persons, agents and strangers",
        Steady = "the same question has the same answer",
        Names = "`Denied` names the command that was asked for",
    }
}

/// What is decided, and what shows data.
const WEIGHTY: [&str; 9] = [
    "approve",
    "refuse",
    "approve_plan",
    "answer",
    "package",
    "identifiers",
    "corrections",
    "plan",
    "letter",
];

/// A command that does not exist.
const UNHEARD: &str = "no_such_command_of_the_suite";

/// Checks a policy.
///
/// # Errors
/// The lines that it breaks.
pub async fn check(policy: &dyn AccessPolicy) -> Result<(), Violations<PolicyLine>> {
    let mut report = Report::new();
    report.run(PolicyLine::Strangers, strangers(policy)).await;
    report
        .run(PolicyLine::UnknownCommands, unheard(policy))
        .await;
    report.run(PolicyLine::Steady, steady(policy)).await;
    report.run(PolicyLine::Names, names(policy)).await;
    report.end()
}

/// Like [`check`], and panics with the broken lines.
///
/// # Panics
/// When a line is broken.
#[allow(clippy::panic, reason = "an assertion for tests")]
pub async fn assert_conforms(policy: &dyn AccessPolicy) {
    if let Err(violations) = check(policy).await {
        panic!("{violations}");
    }
}

/// Actors that no host knows, with what they are called in a report.
fn unknown() -> Result<[(&'static str, Actor); 3], Seen> {
    let party = || PartyId::new("stranger-of-the-suite");
    Ok([
        ("unknown staff", Actor::Staff(party()?)),
        ("an unknown processor", Actor::Processor(party()?)),
        (
            "an unknown controller",
            Actor::Controller(ControllerId::new("stranger-of-the-suite")?),
        ),
    ])
}

/// What the policy says: `None` agrees, else the command that it names.
async fn asked(
    policy: &dyn AccessPolicy,
    actor: &Actor,
    command: &str,
) -> Result<Option<String>, Seen> {
    let controller = ControllerId::new("policy-suite")?;
    let request = Some(RequestId::new(Uuid::from_u128(1)));
    let query = Query::new(&controller, request, Some(&Right::Erasure), actor, command);
    Ok(policy.allow(&query).await.err().map(|no| no.command))
}

async fn strangers(policy: &dyn AccessPolicy) -> Checked {
    for (who, actor) in unknown()? {
        for command in WEIGHTY {
            ensure!(
                asked(policy, &actor, command).await?.is_some(),
                "{who} may {command}"
            );
        }
    }
    Ok(())
}

async fn unheard(policy: &dyn AccessPolicy) -> Checked {
    let agent = Actor::Agent(PartyId::new("stranger-of-the-suite")?);
    let others = [("the person", Actor::Person), ("an agent", agent)];
    for (who, actor) in unknown()?.into_iter().chain(others) {
        ensure!(
            asked(policy, &actor, UNHEARD).await?.is_some(),
            "{who} may do what does not exist"
        );
    }
    Ok(())
}

async fn steady(policy: &dyn AccessPolicy) -> Checked {
    let others = [("the person", Actor::Person), ("the engine", Actor::Engine)];
    for (who, actor) in unknown()?.into_iter().chain(others) {
        for command in WEIGHTY.into_iter().chain(["submit", "view"]) {
            let first = asked(policy, &actor, command).await?;
            for _ in 0..3 {
                ensure!(
                    asked(policy, &actor, command).await? == first,
                    "whether {who} may {command} is told in two ways"
                );
            }
        }
    }
    Ok(())
}

async fn names(policy: &dyn AccessPolicy) -> Checked {
    for (_, actor) in unknown()? {
        for command in WEIGHTY.into_iter().chain([UNHEARD]) {
            if let Some(named) = asked(policy, &actor, command).await? {
                ensure!(
                    named == command,
                    "asked for {command}, it names another command"
                );
            }
        }
    }
    Ok(())
}
