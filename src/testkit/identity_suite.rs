//! Checks a verifier, line by line, against the contract of [`IdentityVerifier`].
//!
//! You provide a function that makes a fresh [`Specimen`]: your verifier, two people it knows, and
//! an [`Inbox`] that shows what they were sent.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt as _;

use super::contract::{Checked, Report, Seen, Violations, ensure, lines};
use super::delivery::{self, Delivery, OtherEnd, context_of, says_nothing};
use crate::model::{ControllerId, Identifier, Personal, RequestId};
use crate::ports::{CallContext, Check, IdentityVerifier};

lines! {
    /// The lines of the contract of [`IdentityVerifier`].
    IdentityLine {
        Once = "`challenge` is idempotent by key: one code, not a new one per retry",
        Apart = "other keys, and the same key of another controller, are other challenges",
        Trouble = "a challenge that did not go out is a temporary error, or *pending*; the next call of the key makes it good, and sends nothing twice",
        Verifies = "`check` verifies what the person was sent",
        Rejects = "`check` rejects what the person was not sent, and everything before a challenge",
        Foreign = "`check` rejects evidence of another request, and of another controller",
        QuietErrors = "errors carry codes, never a value",
    }
}

/// What was sent to whom, past the verifier. Each challenge that went out is one that `arrived`.
#[async_trait]
pub trait Inbox: OtherEnd {
    /// The evidence by which the person of a request can show who they are now: the code of the
    /// newest challenge.
    async fn evidence(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Option<Personal<String>>;
}

/// A verifier that has challenged nobody yet.
#[non_exhaustive]
pub struct Specimen {
    /// The verifier.
    pub verifier: Arc<dyn IdentityVerifier>,
    /// What the people it knows were sent.
    pub inbox: Arc<dyn Inbox>,
    /// By what two people are known to it.
    pub people: [Vec<Identifier>; 2],
}

impl Specimen {
    /// A verifier, what it sends, and two people whom it can challenge.
    pub fn new(
        verifier: Arc<dyn IdentityVerifier>,
        inbox: Arc<dyn Inbox>,
        people: [Vec<Identifier>; 2],
    ) -> Self {
        Self {
            verifier,
            inbox,
            people,
        }
    }

    /// Challenges somebody, and gives what they were sent.
    async fn challenged(&self, context: &CallContext, nth: u8) -> Result<Personal<String>, Seen> {
        let it = self.challenges();
        if !it.settle(context.clone(), nth).await? {
            return Err("a verifier that can challenge nobody verifies nobody".into());
        }
        let evidence = self
            .inbox
            .evidence(&context.controller, context.request)
            .await;
        evidence.ok_or_else(|| "it is *done*, and the person holds no evidence".into())
    }

    fn challenges(&self) -> Delivery {
        let (verifier, people) = (Arc::clone(&self.verifier), self.people.clone());
        Delivery {
            send: Box::new(move |context, nth| {
                let (verifier, person) =
                    (Arc::clone(&verifier), people[usize::from(nth) % 2].clone());
                async move { verifier.challenge(&context, &person).await }.boxed()
            }),
            end: Arc::<dyn Inbox>::clone(&self.inbox),
        }
    }
}

/// Checks a verifier; `fresh` makes a new specimen for every check.
///
/// Not checked: that evidence is compared in constant time, and neither logged nor kept.
///
/// # Errors
/// The lines that it breaks.
pub async fn check(fresh: impl AsyncFn() -> Specimen) -> Result<(), Violations<IdentityLine>> {
    let mut report = Report::new();
    let challenges = async || fresh().await.challenges();
    report
        .run(IdentityLine::Once, delivery::once(&challenges))
        .await;
    report
        .run(IdentityLine::Apart, delivery::apart(&challenges))
        .await;
    report
        .run(IdentityLine::Trouble, delivery::trouble(&challenges))
        .await;
    report.run(IdentityLine::Verifies, verifies(&fresh)).await;
    report.run(IdentityLine::Rejects, rejects(&fresh)).await;
    report.run(IdentityLine::Foreign, foreign(&fresh)).await;
    report
        .run(IdentityLine::QuietErrors, delivery::quiet(&challenges))
        .await;
    report.run(IdentityLine::QuietErrors, quiet(&fresh)).await;
    report.end()
}

/// Like [`check`], and panics with the broken lines.
///
/// # Panics
/// When a line is broken.
#[allow(clippy::panic, reason = "an assertion for tests")]
pub async fn assert_conforms(fresh: impl AsyncFn() -> Specimen) {
    if let Err(violations) = check(fresh).await {
        panic!("{violations}");
    }
}

async fn verifies(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    let it = fresh().await;
    let first = context_of("identity-suite", 1, "first")?;
    it.challenged(&first, 0).await?;
    // A retry: what the person holds after it must count.
    let evidence = it.challenged(&first, 0).await?;
    let at = context_of("identity-suite", 1, "check")?;
    ensure!(
        it.verifier.check(&at, &evidence).await? == Check::Verified,
        "what the person was sent is rejected"
    );
    Ok(())
}

/// What nobody was sent, whatever codes look like.
fn inventions(evidence: &str) -> Vec<String> {
    let mut last = evidence.to_owned();
    let end = last
        .pop()
        .map_or('0', |end| if end == '0' { '1' } else { '0' });
    vec![
        String::new(),
        " ".to_owned(),
        last.clone(),
        format!("{last}{end}"),
        format!("{evidence}0"),
        "' OR '1'='1".to_owned(),
    ]
}

async fn rejects(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    let it = fresh().await;
    let at = context_of("identity-suite", 1, "first")?;
    for evidence in inventions("000000") {
        let found = it.verifier.check(&at, &Personal::new(evidence)).await?;
        ensure!(
            found == Check::Rejected,
            "something is verified before any challenge"
        );
    }
    let sent = it.challenged(&at, 0).await?;
    for (nth, evidence) in inventions(sent.expose()).into_iter().enumerate() {
        let found = it.verifier.check(&at, &Personal::new(evidence)).await?;
        ensure!(
            found == Check::Rejected,
            "what nobody was sent is verified: invention {nth}"
        );
    }
    Ok(())
}

async fn foreign(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    for (controller, request, what) in [
        ("identity-suite", 2, "request"),
        ("identity-suite-2", 1, "controller"),
    ] {
        let it = fresh().await;
        let own = context_of("identity-suite", 1, "own")?;
        let other = context_of(controller, request, "other")?;
        let evidence = it.challenged(&own, 0).await?;
        let before = it.verifier.check(&other, &evidence).await?;
        it.challenged(&other, 1).await?;
        let after = it.verifier.check(&other, &evidence).await?;
        ensure!(
            [before, after] == [Check::Rejected; 2],
            "evidence of another {what} is verified"
        );
        ensure!(
            it.verifier.check(&own, &evidence).await? == Check::Verified,
            "a challenge of another {what} made the person's evidence worthless"
        );
    }
    Ok(())
}

/// Errors of `check`, if there are any, hold no evidence.
async fn quiet(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    let it = fresh().await;
    let at = context_of("identity-suite", 1, "first")?;
    let evidence = "evidence' of; \"the\" suite";
    match it
        .verifier
        .check(&at, &Personal::new(evidence.to_owned()))
        .await
    {
        Err(error) => says_nothing(&error, &[evidence.to_owned()]),
        Ok(_) => Ok(()),
    }
}
