//! What cannot be worked on, however often it is tried: set aside with its reason, for a person to
//! decide.
//!
//! An effect that panics again and again is set aside alone: the clocks of its request go on. A
//! request that cannot be read or decided rests as a whole, but for what sweeps; its deadline is
//! still listed. A command to it lets workers try again, as `resume` does.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, Utc};

use crate::model::{Actor, ControllerId, Failure, RequestId};
use crate::ports::{
    Claim, Commit, Fence, LockChange, Mark, Query, Snapshot, StoreError, StoredRequest,
};
use crate::workflow::{
    self, Cause, CodecError, Context, Decision, Effect, EffectKey, Event, Rejection, Request, owed,
};

use super::Engine;
use super::agenda::{Agenda, Aside};
use super::error::EngineError;
use super::postpone::unchanged;
use super::progress::{Alert, Trouble};
use super::requests::Loaded;
use super::settle::failed;
use super::stored;

/// Where the reason lies why a whole request was set aside: a part that is not sealed, because it
/// holds a code alone and must be readable when nothing else is.
const REASON: &str = "set-aside";

/// Something that was set aside.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SetAside {
    /// Whose request.
    pub controller: ControllerId,
    /// Of which request.
    pub request: RequestId,
    /// The effect, or `None` for the request as a whole.
    pub effect: Option<Effect>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, as a code: `panicked`, `unreadable_state`; `unknown` where the reason was lost.
    pub code: String,
}

impl SetAside {
    fn new(
        controller: &ControllerId,
        request: RequestId,
        effect: Option<Effect>,
        aside: Aside,
    ) -> Self {
        Self {
            controller: controller.clone(),
            request,
            effect,
            at: aside.at,
            code: aside.code,
        }
    }
}

/// How often requests could not be worked on, one after the other, by this engine.
#[derive(Default)]
pub(super) struct Tries(Mutex<BTreeMap<(ControllerId, RequestId), u32>>);

impl Tries {
    fn more(&self, claim: &Claim) -> u32 {
        let mut all = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        let key = (claim.controller.clone(), claim.request);
        let tries = all.entry(key).or_default();
        *tries += 1;
        *tries
    }

    pub(super) fn forget(&self, claim: &Claim) {
        let mut all = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        if !all.is_empty() {
            all.remove(&(claim.controller.clone(), claim.request));
        }
    }
}

/// Why a request cannot be worked on, where trying again does not help; `None` for what passes, and
/// for what others may do: a newer release, or an engine that knows the law.
fn lasting(error: &EngineError) -> Option<String> {
    let code = match error {
        EngineError::Unreadable { what, .. } => return Some(format!("unreadable_{what}")),
        EngineError::Codec(CodecError::TooLarge { .. } | CodecError::Broken { .. }) => "codec",
        EngineError::Fold(_) => "fold",
        EngineError::Rejected(_) => "rejected",
        EngineError::Law(_) => "law",
        EngineError::Panicked => "panicked",
        EngineError::Store(StoreError::Malformed(_)) => "malformed",
        _ => return None,
    };
    Some(code.to_owned())
}

fn nothing(request: RequestId) -> EngineError {
    EngineError::Nothing {
        what: "effect that was set aside",
        request,
    }
}

impl Engine {
    /// Takes note that a request could not be worked on, and sets it aside when that was so again
    /// and again. One that was set aside before, and was tried because something is to be swept, is
    /// set aside at once.
    pub(super) async fn in_vain(&self, claim: &Claim, error: &EngineError) {
        let Some(code) = lasting(error) else {
            return;
        };
        let enough = self.inner.tries.more(claim) >= self.inner.settings.set_aside_after;
        // What comes in between, or a store that fails: it is tried again when the lease ran out.
        if let Ok(true) = self.set_request_aside(claim, code, enough).await {
            self.inner.tries.forget(claim);
        }
    }

    async fn set_request_aside(
        &self,
        claim: &Claim,
        code: String,
        enough: bool,
    ) -> Result<bool, StoreError> {
        let store = &self.inner.ports.store;
        let (of, request) = (&claim.controller, claim.request);
        let Some(stored) = store.load(of, request).await? else {
            return Ok(false);
        };
        let before = match stored.snapshot.mark {
            Some(Mark::Aside) => self.reason(of, request).await?,
            _ => None,
        };
        if before.is_none() && !enough {
            return Ok(false);
        }
        let is_new = before.as_ref().is_none_or(|before| before.code != code);
        let now = self.now();
        let aside = Aside { at: now, code };
        let fence = Some(claim.fence);
        if is_new {
            let reason = serde_json::to_vec(&aside).unwrap_or_default();
            store
                .put_part(of, request, fence, REASON, 0, reason)
                .await?;
        }
        // What sweeps is tried for ever: what must go must go.
        let agenda = stored::agenda(request, &stored.snapshot.agenda);
        let sweep = agenda.ok().and_then(|agenda| agenda.next_sweep());
        let soonest = now + self.inner.settings.longest_backoff;
        let snapshot = Snapshot {
            wake_at: sweep.map(|at| at.max(soonest)),
            mark: Some(Mark::Aside),
            ..stored.snapshot
        };
        let commit = bare(request, stored.version, snapshot);
        store.commit(of, Commit { fence, ..commit }).await?;
        if is_new {
            self.tell_aside(of, request, None, aside);
        }
        store.release(claim).await?;
        Ok(true)
    }

    /// Why a whole request was set aside, if it was.
    async fn reason(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<Option<Aside>, StoreError> {
        let store = &self.inner.ports.store;
        let reason = store.read_part(controller, request, REASON, 0).await?;
        Ok(reason.and_then(|reason| serde_json::from_slice(&reason).ok()))
    }

    pub(super) fn tell_aside(
        &self,
        controller: &ControllerId,
        request: RequestId,
        effect: Option<&Effect>,
        aside: Aside,
    ) {
        self.inner.alerts.tell(|| Alert {
            at: aside.at,
            what: Trouble::SetAside(SetAside::new(
                controller,
                request,
                effect.cloned(),
                aside.clone(),
            )),
        });
    }

    /// What was set aside of a controller's requests, for whoever the policy lets see this list
    /// (`set_aside`): of `limit` requests at most after one, and after which to go on.
    ///
    /// # Errors
    /// [`EngineError::Denied`], and those of the store.
    pub async fn set_aside(
        &self,
        controller: &ControllerId,
        actor: &Actor,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<(Vec<SetAside>, Option<RequestId>), EngineError> {
        let query = Query::new(controller, None, None, actor, "set_aside");
        self.ask_policy(&query).await?;
        let store = &self.inner.ports.store;
        let marked = store.marked(controller, Mark::Aside, after, limit).await?;
        let last = marked.last().copied().filter(|_| marked.len() == limit);
        let mut all = Vec::new();
        for request in marked {
            let of = |effect, aside| SetAside::new(controller, request, effect, aside);
            let Some(stored) = store.load(controller, request).await? else {
                continue;
            };
            let before = all.len();
            if let Some(aside) = self.reason(controller, request).await? {
                all.push(of(None, aside));
            }
            if let Ok(agenda) = stored::agenda(request, &stored.snapshot.agenda) {
                let effects = agenda.effects.into_iter();
                all.extend(effects.filter_map(|item| Some(of(Some(item.effect), item.aside?))));
            }
            if all.len() == before {
                let (at, code) = (self.now(), "unknown".to_owned());
                all.push(of(None, Aside { at, code }));
            }
        }
        Ok((all, last))
    }

    /// What is stored of a request of which something was set aside, for whoever may do that.
    async fn aside_of(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        command: &str,
    ) -> Result<StoredRequest, EngineError> {
        let stored = self.inner.ports.store.load(controller, request).await?;
        let stored = stored.ok_or(EngineError::UnknownRequest(request))?;
        // It may be that nothing of it can be read, its right neither.
        let query = Query::new(controller, Some(request), None, actor, command);
        self.ask_policy(&query).await?;
        match stored.snapshot.mark {
            Some(Mark::Aside) => Ok(stored),
            _ => Err(nothing(request)),
        }
    }

    /// Lets workers try again what was set aside, from the first attempt: when its cause was
    /// repaired. An event says who did (`resumed`), but where the state cannot be read: nothing can be
    /// written to follow it.
    ///
    /// # Errors
    /// [`EngineError::Nothing`] when nothing was set aside; [`EngineError::UnknownRequest`],
    /// [`EngineError::Unfamiliar`] and [`EngineError::UnknownSchema`] for what a newer release must
    /// do, [`EngineError::Denied`] (`resume`), those of the store.
    pub async fn resume(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<(), EngineError> {
        let stored = self.aside_of(controller, request, actor, "resume").await?;
        match Self::read(request, stored.clone()) {
            Ok(loaded) => self.put_back(loaded, actor, false).await,
            Err(EngineError::Unreadable { .. }) => {
                self.forget_reason(controller, request, None).await?;
                let snapshot = Snapshot {
                    wake_at: Some(self.now()),
                    mark: None,
                    ..stored.snapshot
                };
                let commit = bare(request, stored.version, snapshot);
                self.inner.ports.store.commit(controller, commit).await?;
                self.ring();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Makes what is stored of a request anew from its events, which are checked for gaps and
    /// alterations, and lets workers try again. What it still had to do stays as it was; where that
    /// cannot be read either, it is told from the events: nothing is left out, and what left no event
    /// (a challenge that went out, a timer that fired) comes once more, under its key. An event says
    /// who did (`repaired`).
    ///
    /// # Errors
    /// [`EngineError::Unreadable`] when that cannot be read either, [`EngineError::Codec`] when the
    /// history was altered; as [`Engine::resume`] otherwise (`repair`).
    pub async fn repair(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<(), EngineError> {
        let stored = self.aside_of(controller, request, actor, "repair").await?;
        let agenda = match stored::agenda(request, &stored.snapshot.agenda) {
            Ok(agenda) => Some(agenda),
            Err(EngineError::Unreadable { .. }) => None,
            Err(error) => return Err(error),
        };
        if let Err(error @ (EngineError::Unfamiliar { .. } | EngineError::UnknownSchema { .. })) =
            stored::state(request, &stored.snapshot.state)
        {
            return Err(error);
        }
        let (sequence, head) = (stored.sequence, stored.head);
        let history = self.verified(controller, request, sequence, head).await?;
        let folded = Request::fold(&history)?;
        let agenda = match agenda {
            Some(agenda) => agenda,
            None => {
                let tell = |context: &Context<'_>| owed(&history, context);
                let owed = self.under_law(&folded, actor, &Cause::Command, tell)??;
                Agenda::of(owed, self.now())
            }
        };
        let loaded = Loaded {
            version: stored.version,
            head: stored.head,
            request: folded,
            agenda,
            aside: true,
        };
        self.put_back(loaded, actor, true).await
    }

    async fn put_back(
        &self,
        mut loaded: Loaded,
        actor: &Actor,
        repaired: bool,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let mut agenda = loaded.agenda.clone();
        agenda.put_back(now);
        let decision = workflow::resume(&loaded.request, repaired, actor, now);
        self.commit(&mut loaded, decision, agenda, None).await
    }

    /// Forgets why a request was set aside, before it is committed as one that is not: a reason that
    /// is left behind would be told of something else.
    pub(super) async fn forget_reason_of(
        &self,
        loaded: &Loaded,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let facts = &loaded.request.facts;
        match loaded.aside {
            true => self.forget_reason(&facts.controller, facts.id, fence).await,
            false => Ok(()),
        }
    }

    async fn forget_reason(
        &self,
        controller: &ControllerId,
        request: RequestId,
        fence: Option<Fence>,
    ) -> Result<(), StoreError> {
        let store = &self.inner.ports.store;
        store
            .delete_parts(controller, request, fence, Some(REASON))
            .await
    }

    /// Counts the effects of a request that were set aside as failed, in events with this actor: it
    /// goes on without them, and its answer names what is missing.
    ///
    /// # Errors
    /// [`EngineError::Nothing`] when no effect of it was set aside; as [`Engine::command`] otherwise
    /// (`give_up`).
    pub async fn give_up(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<Request, EngineError> {
        let attempt = move |mut loaded: Loaded| async move {
            self.allow(&loaded.request, actor, "give_up").await?;
            let effects = loaded.agenda.effects.iter();
            let aside: Vec<(EffectKey, Effect)> = effects
                .filter(|item| item.aside.is_some())
                .map(|item| (item.key.clone(), item.effect.clone()))
                .collect();
            if aside.is_empty() {
                return Err(nothing(request));
            }
            for (key, effect) in aside {
                let mut agenda = loaded.agenda.clone();
                agenda.remove(&key);
                let decision = match failed(&effect, Failure::Broke) {
                    Some(command) => {
                        let cause = Cause::Effect(key);
                        match self.decide(&loaded, &command, &Actor::Engine, &cause) {
                            // The request no longer waits for it.
                            Err(EngineError::Rejected(
                                Rejection::NoSuchStep { .. } | Rejection::NotNow { .. },
                            )) => unchanged(loaded.request.clone()),
                            other => given_up_by(other?, actor),
                        }
                    }
                    None => unchanged(loaded.request.clone()),
                };
                agenda.absorb(&decision, self.now());
                self.commit(&mut loaded, decision, agenda, None).await?;
            }
            Ok(loaded.request)
        };
        self.until_written(controller, request, attempt).await
    }
}

/// The engine may answer what nobody was handed; who decided so stands on what was answered.
fn given_up_by(mut decision: Decision, actor: &Actor) -> Decision {
    for envelope in &mut decision.events {
        if let Event::StepAnswered { .. }
        | Event::LetterFailed { .. }
        | Event::ChallengeFailed { .. } = envelope.event
        {
            envelope.actor = actor.clone();
        }
    }
    decision
}

/// A commit that changes nothing but the snapshot.
fn bare(request: RequestId, expected: u64, snapshot: Snapshot) -> Commit {
    Commit {
        request,
        expected,
        fence: None,
        events: Vec::new(),
        snapshot,
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    }
}
