//! Loading requests, deciding their commands, and committing what was decided.

use chrono::{DateTime, Utc};

use crate::law::Setting;
use crate::model::{Actor, ControllerId, Digest, Identifier, Personal, RequestId};
use crate::ports::{
    CallContext, Check, Commit, Fence, IdempotencyKey, Lock, LockChange, Mark, Query, Snapshot,
    StoredEvent, StoredRequest,
};
use crate::workflow::{
    Cause, Command, Context, Decision, Effect, Locks, Request, chain, decide, fulfilment, lifecycle,
};

use super::agenda::Agenda;
use super::controller::Controller;
use super::error::EngineError;
use super::findings::{Known, MAX_IDENTIFIERS};
use super::guard::guard;
use super::parts::Parts;
use super::progress::{Progress, Step};
use super::{Engine, stored};

/// A request as it was loaded or committed last.
pub(super) struct Loaded {
    pub(super) version: u64,
    pub(super) head: Digest,
    pub(super) request: Request,
    pub(super) agenda: Agenda,
    /// Whether something of it was set aside, or all of it.
    pub(super) aside: bool,
}

impl Engine {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.inner.ports.clock.now()
    }

    pub(super) fn controller(&self, id: &ControllerId) -> Result<&Controller, EngineError> {
        self.inner
            .controllers
            .get(id)
            .ok_or_else(|| EngineError::UnknownController(id.clone()))
    }

    pub(super) fn parts<'a>(
        &'a self,
        controller: &'a ControllerId,
        request: RequestId,
        fence: Option<Fence>,
    ) -> Parts<'a> {
        Parts {
            fence,
            store: &*self.inner.ports.store,
            vault: &*self.inner.ports.vault,
            controller,
            request,
        }
    }

    pub(super) async fn load(
        &self,
        controller: &ControllerId,
        id: RequestId,
    ) -> Result<Loaded, EngineError> {
        let stored = self.inner.ports.store.load(controller, id).await?;
        Self::read(id, stored.ok_or(EngineError::UnknownRequest(id))?)
    }

    pub(super) fn read(id: RequestId, stored: StoredRequest) -> Result<Loaded, EngineError> {
        Ok(Loaded {
            version: stored.version,
            head: stored.head,
            request: stored::state(id, &stored.snapshot.state)?,
            agenda: stored::agenda(id, &stored.snapshot.agenda)?,
            aside: stored.snapshot.mark == Some(Mark::Aside),
        })
    }

    /// Decides a command on a loaded request, under the law that it pinned.
    pub(super) fn decide(
        &self,
        loaded: &Loaded,
        command: &Command,
        actor: &Actor,
        cause: &Cause,
    ) -> Result<Decision, EngineError> {
        let request = &loaded.request;
        let decided = self.under_law(request, actor, cause, |context| {
            decide(request, command, context)
        });
        Ok(decided??)
    }

    /// Does something of the workflow under the law that a request pinned.
    pub(super) fn under_law<T>(
        &self,
        request: &Request,
        actor: &Actor,
        cause: &Cause,
        then: impl FnOnce(&Context<'_>) -> T,
    ) -> Result<T, EngineError> {
        let facts = &request.facts;
        let controller = self.controller(&facts.controller)?;
        let pin = &request.clock.regime;
        let regime = controller
            .regimes
            .by_pin(pin)
            .map_err(|_| EngineError::UnknownRegime(pin.id.to_string()))?;
        Ok(then(&Context {
            now: self.now(),
            actor,
            cause,
            setting: Setting {
                regime: &regime,
                right: &facts.right,
                calendar: &controller.calendar,
                readings: &controller.readings,
            },
            policy: &controller.policy,
            landscape: &self.inner.landscape,
        }))
    }

    /// Makes of a decision what a store commits.
    pub(super) fn prepare(
        decision: &mut Decision,
        agenda: &Agenda,
        expected: u64,
        head: Digest,
        fence: Option<Fence>,
    ) -> Result<Commit, EngineError> {
        let request = decision.next.facts.id;
        let unreadable = |what| EngineError::Unreadable { what, request };
        let events = chain(&mut decision.events, head)?
            .into_iter()
            .map(|event| StoredEvent {
                sequence: event.sequence,
                digest: event.digest,
                bytes: event.bytes,
            })
            .collect();
        Ok(Commit {
            request,
            expected,
            fence,
            events,
            snapshot: Snapshot {
                state: stored::written(&decision.next)?,
                agenda: serde_json::to_vec(agenda).map_err(|_| unreadable("agenda"))?,
                wake_at: agenda.wake_at(),
                due_at: decision.next.due_at(),
                open: decision.next.is_open(),
                mark: agenda.mark(),
            },
            locks: match std::mem::take(&mut decision.locks) {
                Locks::Keep => LockChange::Keep,
                Locks::Release => LockChange::Release,
                Locks::Take { keys, exclusive } => LockChange::Take(
                    keys.into_iter()
                        .map(|key| Lock { key, exclusive })
                        .collect(),
                ),
            },
            people: Vec::new(),
            parts: Vec::new(),
        })
    }

    /// Commits a decision; what was loaded becomes what is stored.
    pub(super) async fn commit(
        &self,
        loaded: &mut Loaded,
        mut decision: Decision,
        agenda: Agenda,
        fence: Option<Fence>,
    ) -> Result<(), EngineError> {
        let commit = Self::prepare(&mut decision, &agenda, loaded.version, loaded.head, fence)?;
        let head = commit
            .events
            .last()
            .map_or(loaded.head, |event| event.digest);
        let controller = decision.next.facts.controller.clone();
        self.forget_reason_of(loaded, fence).await?;
        self.inner.ports.store.commit(&controller, commit).await?;
        if fence.is_none() {
            self.ring();
        }
        self.tell_events(&decision);
        loaded.version += 1;
        loaded.head = head;
        loaded.request = decision.next;
        loaded.aside = agenda.mark() == Some(Mark::Aside);
        loaded.agenda = agenda;
        Ok(())
    }

    pub(super) fn tell_events(&self, decision: &Decision) {
        for envelope in &decision.events {
            self.inner.listeners.tell(|| Progress {
                controller: envelope.controller.clone(),
                request: envelope.request,
                at: envelope.at,
                what: Step::Recorded(Box::new(envelope.event.clone())),
            });
        }
    }

    /// Asks the host's policy. The engine itself is not asked.
    pub(super) async fn allow(
        &self,
        request: &Request,
        actor: &Actor,
        command: &str,
    ) -> Result<(), EngineError> {
        if *actor == Actor::Engine {
            return Ok(());
        }
        let facts = &request.facts;
        let query = Query::new(
            &facts.controller,
            Some(facts.id),
            Some(&facts.right),
            actor,
            command,
        );
        self.ask_policy(&query).await
    }

    /// Gives a command: decides it and writes down what follows. The work itself is done by
    /// workers; where the request was set aside as a whole, they try it again after the command.
    ///
    /// # Errors
    /// [`EngineError::Denied`] by the host's policy, [`EngineError::Rejected`] by the workflow,
    /// [`EngineError::Unsaid`] for a letter that would miss what the law wants said in it;
    /// [`EngineError::Store`] with a conflict when others were faster again and again.
    pub async fn command(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        command: impl Into<Command>,
    ) -> Result<Request, EngineError> {
        let command = &command.into();
        let attempt = move |mut loaded: Loaded| async move {
            self.allow_command(&loaded.request, actor, command).await?;
            if let Command::Lifecycle(lifecycle::Command::Join { into }) = command {
                // It may be joined, before the other one hears of it.
                self.decide(&loaded, command, actor, &Cause::Command)?;
                self.join(&loaded.request, *into).await?;
            }
            self.decide_and_commit(&mut loaded, command, actor).await?;
            Ok(loaded.request)
        };
        self.until_written(controller, request, attempt).await
    }

    /// Asks the host's policy about a command of somebody outside.
    pub(super) async fn allow_command(
        &self,
        request: &Request,
        actor: &Actor,
        command: &Command,
    ) -> Result<(), EngineError> {
        if *actor == Actor::Engine {
            return Err(EngineError::Denied(crate::ports::Denied {
                command: "act as the engine".to_owned(),
            }));
        }
        match command {
            Command::Work(fulfilment::Command::Answer { task, target, .. }) => {
                self.allow_answer(request, actor, *task, target).await
            }
            _ => self.allow(request, actor, &command.name()).await,
        }
    }

    /// Loads a request and does something with it that ends in a commit; once more on what is stored
    /// then, a bounded number of times, when somebody else was faster.
    pub(super) async fn until_written<T, F>(
        &self,
        controller: &ControllerId,
        request: RequestId,
        attempt: impl Fn(Loaded) -> F,
    ) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, EngineError>> + Send,
    {
        let mut tries = 0;
        loop {
            let loaded = self.load(controller, request).await?;
            match attempt(loaded).await {
                Err(error) if error.is_conflict() && tries < self.inner.settings.conflicts => {
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    pub(super) async fn decide_and_commit(
        &self,
        loaded: &mut Loaded,
        command: &Command,
        actor: &Actor,
    ) -> Result<(), EngineError> {
        let (decision, agenda) = self.decide_for(loaded, command, actor)?;
        self.commit(loaded, decision, agenda, None).await
    }

    /// What somebody's command leads to, and what is to do after it.
    pub(super) fn decide_for(
        &self,
        loaded: &Loaded,
        command: &Command,
        actor: &Actor,
    ) -> Result<(Decision, Agenda), EngineError> {
        let decision = self.decide(loaded, command, actor, &Cause::Command)?;
        // Whoever commands a letter learns now what keeps it from being written.
        if matches!(command, Command::Lifecycle(_)) && *actor != Actor::Engine {
            let controller = self.controller(&decision.next.facts.controller)?;
            for (_, effect) in &decision.effects {
                if let Effect::Notify(letter) = effect {
                    controller.says(&decision.next, *letter)?;
                }
            }
        }
        let mut agenda = loaded.agenda.clone();
        agenda.absorb(&decision, self.now());
        Ok((decision, agenda))
    }

    /// Adds what else identifies a person, before the work begins: further details that were asked
    /// for, or that somebody remembered. From the moment the person is asked who they are, staff adds
    /// them and answers for them. What is known already changes nothing.
    ///
    /// # Errors
    /// [`EngineError::EmptyIntake`] without any, [`EngineError::Identifier`] for what cannot
    /// identify, [`EngineError::TooManyIdentifiers`]; as [`Engine::command`] otherwise.
    pub async fn add_identifiers(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        identifiers: Vec<Identifier>,
    ) -> Result<Request, EngineError> {
        if identifiers.is_empty() {
            return Err(EngineError::EmptyIntake("an identifier of the person"));
        }
        for identifier in &identifiers {
            identifier.normal()?;
        }
        let identifiers = &identifiers;
        let attempt = move |mut loaded: Loaded| async move {
            self.allow(&loaded.request, actor, "add_identifiers")
                .await?;
            // Of its own: two who write at once must not overwrite each other. Sealed anew each
            // time, with what the other one may have added.
            let name = format!("by-hand/{}", self.fresh_id());
            let parts = self.parts(controller, request, None);
            let more = identifiers.clone();
            let known = self
                .seal_known(&loaded.request, &parts, &name, more)
                .await?;
            let (identifiers, kinds) = match known {
                Known::Same => return Ok(loaded.request),
                Known::More(part, kinds) => (part, kinds),
                Known::Nonsense => {
                    return Err(EngineError::TooManyIdentifiers {
                        accepted: MAX_IDENTIFIERS,
                    });
                }
            };
            let command = lifecycle::Command::AddIdentifiers { identifiers, kinds };
            self.decide_and_commit(&mut loaded, &command.into(), actor)
                .await?;
            Ok(loaded.request)
        };
        self.until_written(controller, request, attempt).await
    }

    /// Checks what a person answered to an identity check. The attempt is counted before it is
    /// checked, so that many at once cannot try more often than the policy allows.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when no check is open or the attempts are used up;
    /// [`EngineError::Port`] when the verifier fails, panics or takes longer than
    /// [`Settings::call_timeout`](super::Settings::call_timeout): the attempt counts nevertheless.
    pub async fn answer_identity(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        evidence: &Personal<String>,
    ) -> Result<Check, EngineError> {
        let counted = self
            .command(
                controller,
                request,
                actor,
                lifecycle::Command::AttemptIdentity,
            )
            .await?;
        let attempt = counted.lifecycle.attempts;
        let limit = self.inner.settings.call_timeout;
        let context = CallContext::new(
            controller.clone(),
            request,
            IdempotencyKey(format!("{request}/check/{attempt}")),
            Fence(0),
            self.now() + limit,
        );
        let ports = &self.inner.ports;
        let check = ports.verifier.check(&context, evidence);
        let check = guard(&*ports.clock, limit, &context.cancel, check).await??;
        let command = match check {
            Check::Verified => lifecycle::Command::ConfirmIdentity,
            Check::Rejected => lifecycle::Command::RejectIdentity,
        };
        self.command_as_engine(controller, request, command.into())
            .await?;
        Ok(check)
    }

    pub(super) async fn command_as_engine(
        &self,
        controller: &ControllerId,
        request: RequestId,
        command: Command,
    ) -> Result<(), EngineError> {
        let command = &command;
        let attempt = move |mut loaded: Loaded| async move {
            self.decide_and_commit(&mut loaded, command, &Actor::Engine)
                .await
        };
        self.until_written(controller, request, attempt).await
    }
}
