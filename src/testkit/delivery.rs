//! What the suites of gateways, notifiers and verifiers share: what is sent arrives, once, and
//! *done* is said when it did.

use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{BoxFuture, poll_fn};
use uuid::Uuid;

use super::contract::{Checked, Seen, ensure};
use crate::model::{ControllerId, Identifier, Personal, RequestId};
use crate::ports::{Answer, CallContext, Fence, IdempotencyKey, PortError};

/// Where a message is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// On the way there: nothing arrives.
    There,
    /// On the way back: it arrives and takes effect, and its sender does not learn that.
    Back,
}

/// Who receives, as the suite sees them past the port.
#[async_trait]
pub trait OtherEnd: Send + Sync {
    /// What arrived and took effect, in order: of a package exactly its bytes, of anything else
    /// any form that tells two apart. It is compared, never read.
    async fn arrived(&self) -> Vec<Personal<Vec<u8>>>;

    /// From now on, confirms nothing until [`OtherEnd::confirm`]. Answers whether that is
    /// possible; where confirmations always come at once, it is not.
    async fn hold(&self) -> bool {
        false
    }

    /// Confirms all that it has, and does whatever else a *pending* answer waits for.
    async fn confirm(&self) {}

    /// Loses the next message that would take effect. Answers whether that is possible.
    async fn cut(&self, _: Cut) -> bool {
        false
    }
}

type Sent = Result<Answer<()>, PortError>;

/// A port that sends, under one of its methods; what is sent is numbered.
pub(super) struct Delivery {
    pub(super) send: Box<dyn Fn(CallContext, u8) -> BoxFuture<'static, Sent> + Send + Sync>,
    pub(super) end: Arc<dyn OtherEnd>,
}

/// At how many points a call is broken off, at most.
const BREAKS: usize = 32;

/// How often a *pending* answer is asked again, at most.
const LOOKS: u32 = 32;

/// A first call under a key.
pub(super) fn context(key: &str) -> Result<CallContext, Seen> {
    context_of("delivery-suite", 1, key)
}

pub(super) fn context_of(controller: &str, request: u128, key: &str) -> Result<CallContext, Seen> {
    Ok(CallContext::new(
        ControllerId::new(controller)?,
        RequestId::new(Uuid::from_u128(request)),
        IdempotencyKey(format!("delivery-suite/{key}")),
        Fence(1),
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(365_000),
    ))
}

/// The address of one of the suite's people, in its normal form.
fn address(nth: u8) -> String {
    format!("person-{nth}@delivery-suite.example")
}

/// By what one of the suite's people is known.
pub(super) fn person(nth: u8) -> Vec<Identifier> {
    vec![Identifier::Mail(Personal::new(address(nth)))]
}

impl Delivery {
    async fn arrived(&self) -> usize {
        self.end.arrived().await.len()
    }

    /// Sends until it is done, with the handle of the answer before. `false`: it is never done.
    pub(super) async fn settle(&self, mut context: CallContext, nth: u8) -> Result<bool, Seen> {
        for _ in 0..LOOKS {
            match (self.send)(context.clone(), nth).await? {
                Answer::Done(()) => return Ok(true),
                Answer::Unsupported => {
                    ensure!(
                        self.arrived().await == 0,
                        "it is *unsupported*, and something arrived"
                    );
                    return Ok(false);
                }
                Answer::Partly { .. } => {
                    return Err("a message is there or not: it was *partly* done".into());
                }
                Answer::Pending(pending) => {
                    self.end.confirm().await;
                    context.attempt += 1;
                    context.resume = Some(pending.handle);
                }
            }
        }
        Err("it stays *pending* though the other end confirmed".into())
    }

    async fn arrived_once(&self, after: &str) -> Checked {
        let arrived = self.arrived().await;
        ensure!(arrived == 1, "{after}, {arrived} arrived, not 1");
        Ok(())
    }
}

/// Whether it is ever done, when nothing disturbs it.
pub(super) async fn supported(fresh: &impl AsyncFn() -> Delivery) -> Result<bool, Seen> {
    fresh().await.settle(context("supported")?, 0).await
}

/// However often a key is sent, it takes effect once: again, at the same time, and after a call
/// that was dropped wherever it waited.
pub(super) async fn once(fresh: &impl AsyncFn() -> Delivery) -> Checked {
    let it = fresh().await;
    if !it.settle(context("again")?, 0).await? {
        return Ok(());
    }
    it.arrived_once("after one call").await?;
    it.settle(context("again")?, 0).await?;
    it.arrived_once("after a second call of one key").await?;

    let it = fresh().await;
    let calls = (
        (it.send)(context("raced")?, 0),
        (it.send)(context("raced")?, 0),
    );
    // One of two may be told to come again.
    let _answers = futures::join!(calls.0, calls.1);
    it.settle(context("raced")?, 0).await?;
    it.arrived_once("after two calls of one key at a time")
        .await?;

    for polls in 1..=BREAKS {
        let it = fresh().await;
        let mut call = (it.send)(context("broken")?, 0);
        let mut ended = false;
        for _ in 0..polls {
            ended = poll_fn(|task| Poll::Ready(call.as_mut().poll(task).is_ready())).await;
            if ended {
                break;
            }
        }
        drop(call);
        it.settle(context("broken")?, 0).await?;
        it.arrived_once("after a call that was dropped, and another")
            .await?;
        if ended {
            break;
        }
    }
    Ok(())
}

/// Other keys and other controllers are other effects.
pub(super) async fn apart(fresh: &impl AsyncFn() -> Delivery) -> Checked {
    let it = fresh().await;
    if !it.settle(context("one")?, 0).await? {
        return Ok(());
    }
    it.settle(context("two")?, 1).await?;
    ensure!(it.arrived().await == 2, "of two keys only one arrived");
    it.settle(context_of("delivery-suite-2", 2, "one")?, 2)
        .await?;
    ensure!(
        it.arrived().await == 3,
        "the same key of another controller did not arrive"
    );
    Ok(())
}

/// *Done* waits for the confirmation; whoever asks again gets it, with the handle and without.
pub(super) async fn confirmed(fresh: &impl AsyncFn() -> Delivery) -> Checked {
    let it = fresh().await;
    if !supported(fresh).await? || !it.end.hold().await {
        return Ok(());
    }
    let mut later = context("held")?;
    for look in ["at first", "when asked again"] {
        match (it.send)(later.clone(), 0).await? {
            Answer::Pending(pending) => later.resume = Some(pending.handle),
            Answer::Unsupported => return Err("what it can do became *unsupported*".into()),
            _ => {
                return Err(Seen(format!(
                    "nothing was confirmed, and {look} it is *done*"
                )));
            }
        }
        later.attempt += 1;
    }
    it.arrived_once("asked twice").await?;
    it.end.confirm().await;
    let answer = (it.send)(later, 0).await?;
    ensure!(
        answer == Answer::Done(()),
        "it was confirmed, and with the handle it is not *done*"
    );
    // The worker that had the handle may have died before it wrote it down.
    let answer = (it.send)(context("held")?, 0).await?;
    ensure!(
        answer == Answer::Done(()),
        "it was confirmed, and without the handle it is not *done*"
    );
    it.arrived_once("asked once more").await
}

/// What was lost is no success, and the next call makes it good.
pub(super) async fn trouble(fresh: &impl AsyncFn() -> Delivery) -> Checked {
    if !supported(fresh).await? {
        return Ok(());
    }
    for cut in [Cut::There, Cut::Back] {
        let it = fresh().await;
        if !it.end.cut(cut).await {
            continue;
        }
        match (it.send)(context("cut")?, 0).await {
            Ok(Answer::Unsupported) => {
                return Err("a message was lost, and that is *unsupported*".into());
            }
            Ok(Answer::Done(())) if cut == Cut::There => {
                return Err("nothing arrived, and it is *done*".into());
            }
            Err(error) if !error.kind.is_temporary() => {
                let kind = error.kind;
                return Err(Seen(format!("a message was lost, and that is {kind:?}")));
            }
            _ => {}
        }
        it.settle(context("cut")?, 0).await?;
        it.arrived_once(&format!(
            "after one lost on the way {cut:?}, and a second call"
        ))
        .await?;
    }
    Ok(())
}

/// Errors carry codes, never a value.
pub(super) async fn quiet(fresh: &impl AsyncFn() -> Delivery) -> Checked {
    for cut in [Cut::There, Cut::Back] {
        let it = fresh().await;
        if it.end.cut(cut).await
            && let Err(error) = (it.send)(context("quiet")?, 0).await
        {
            says_nothing(&error, &[address(0), "the suite's".to_owned()])?;
        }
    }
    Ok(())
}

/// Whether an error is a code in snake case and holds none of these.
pub(super) fn says_nothing(error: &PortError, values: &[String]) -> Checked {
    let snake = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    ensure!(
        !error.code.is_empty() && error.code.bytes().all(snake),
        "an error of kind {:?} has a code that is not in snake case",
        error.kind
    );
    let text = format!("{error} {error:?}");
    ensure!(
        values.iter().all(|value| !text.contains(value)),
        "an error of kind {:?} holds a value",
        error.kind
    );
    Ok(())
}

/// Whether messages that differ arrived as messages that differ.
pub(super) fn differ(arrived: &[(&str, Personal<Vec<u8>>)]) -> Checked {
    for (nth, (what, content)) in arrived.iter().enumerate() {
        for (other, theirs) in &arrived[..nth] {
            ensure!(
                content.expose() != theirs.expose(),
                "what arrives is the same: {what}, and {other}"
            );
        }
    }
    Ok(())
}
