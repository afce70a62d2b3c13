//! What staff and people see: requests, plans, tasks, timelines, packages.

use chrono::{DateTime, Utc};

use crate::evidence;
use crate::model::{
    Actor, ControllerId, Correction, Digest, Identifier, RequestId, SearchDepth, SourceId, Until,
};
use crate::ports::{ByteStream, Cancel, Denied, Due, Pending, Query, SourcePlan};
use crate::workflow::fulfilment::{self, StepState};
use crate::workflow::{
    CodecError, Envelope, Finding, Letter, Request, StepResult, Target, Task, lifecycle,
};

use super::Engine;
use super::error::EngineError;
use super::guard::guard;
use super::package::Made;
use super::perform::Completion;
use super::requests::Loaded;

/// How many events are read at a time.
const PAGE: usize = 512;

/// A plan as it is shown before it is approved.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// What an approval names.
    pub digest: Digest,
    /// What each source will do.
    pub sources: Vec<(SourceId, SourcePlan)>,
}

/// Something a person has to do, or that goes on outside.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ManualTask {
    /// For which request.
    pub request: RequestId,
    /// What the step does; `None` for a letter.
    pub step: Option<(Task, Target)>,
    /// The letter that is to be sent by hand.
    pub letter: Option<Letter>,
    /// What is to be done, and when the engine looks again.
    pub pending: Pending,
}

impl Engine {
    /// A request as it is now, for somebody who may see it.
    ///
    /// # Errors
    /// [`EngineError::UnknownRequest`], [`EngineError::Denied`].
    pub async fn request(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<Request, EngineError> {
        let loaded = self.load(controller, request).await?;
        self.allow(&loaded.request, actor, "view").await?;
        Ok(loaded.request)
    }

    /// Everything that happened to a request, checked for gaps and alterations, and to end where
    /// the request stands.
    ///
    /// # Errors
    /// [`EngineError::Codec`] when the history was altered or cut; as [`Engine::request`] otherwise.
    pub async fn timeline(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<Vec<Envelope>, EngineError> {
        let loaded = self.load(controller, request).await?;
        self.allow(&loaded.request, actor, "view").await?;
        let sequence = loaded.request.sequence;
        self.verified(controller, request, sequence, loaded.head)
            .await
    }

    /// The history of a request up to an event, which must be its end by that digest.
    pub(super) async fn verified(
        &self,
        controller: &ControllerId,
        request: RequestId,
        sequence: u64,
        head: Digest,
    ) -> Result<Vec<Envelope>, EngineError> {
        let mut events = Vec::new();
        loop {
            let after = events.len() as u64;
            let store = &self.inner.ports.store;
            let page = store.history(controller, request, after, PAGE).await?;
            let last = page.len() < PAGE;
            events.extend(page);
            if last {
                break;
            }
        }
        // What was recorded since the request was loaded is left for the next time.
        events.truncate(usize::try_from(sequence).unwrap_or(usize::MAX));
        let bytes = events.iter().map(|event| event.bytes.as_slice());
        let (envelopes, last) = evidence::verify(bytes)?;
        if last != head {
            let sequence = envelopes.len() as u64 + 1;
            return Err(CodecError::Broken { sequence }.into());
        }
        Ok(envelopes)
    }

    /// The plan of an erasure or a rectification, once there is one. That of a rectification holds the
    /// values that stand there now: who may only `view` does not see it.
    ///
    /// # Errors
    /// [`EngineError::Nothing`] before it was made; as [`Engine::request`] otherwise.
    pub async fn plan(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<Plan, EngineError> {
        let seen = self.load(controller, request).await?.request;
        self.allow(&seen, actor, "plan").await?;
        let parts = self.parts(controller, request, None);
        let mut sources = Vec::new();
        if let Some(work) = &seen.fulfilment {
            for source in &work.sources {
                if let Some((part, _)) = &source.plan {
                    sources.push((source.id.clone(), parts.read(part).await?));
                }
            }
        }
        match &seen.fulfilment {
            Some(work) if !sources.is_empty() => Ok(Plan {
                digest: work.plan_digest(),
                sources,
            }),
            _ => Err(EngineError::Nothing {
                what: "plan",
                request,
            }),
        }
    }

    /// The corrections that a person asked for, with their values.
    ///
    /// # Errors
    /// [`EngineError::Nothing`] for other rights; as [`Engine::request`] otherwise.
    pub async fn corrections(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<Vec<Correction>, EngineError> {
        let seen = self.load(controller, request).await?.request;
        self.allow(&seen, actor, "corrections").await?;
        let part = seen.facts.corrections.as_ref();
        let part = part.ok_or(EngineError::Nothing {
            what: "corrections",
            request,
        })?;
        self.parts(controller, request, None).read(part).await
    }

    /// By what the person is known: for whoever works on a task by hand.
    ///
    /// # Errors
    /// As [`Engine::request`].
    pub async fn identifiers(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<Vec<Identifier>, EngineError> {
        let loaded = self.load(controller, request).await?;
        self.allow(&loaded.request, actor, "identifiers").await?;
        let parts = self.parts(controller, request, None);
        parts.read(&loaded.request.identifiers).await
    }

    /// The finished package, a ZIP. Its bytes are compared with what was recorded when it was
    /// made: only a stream that comes to its end without an error was the package. The person gets
    /// it once the answer was released, and never of a request that was refused, withdrawn or has
    /// expired; staff may look before.
    ///
    /// # Errors
    /// [`EngineError::Nothing`] before it is made or after it was deleted. The stream itself ends
    /// with an error of kind [`Nonsense`](crate::ports::ErrorKind::Nonsense) and code
    /// `package_altered` when length or SHA-256 differ.
    pub async fn package(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
    ) -> Result<ByteStream, EngineError> {
        let loaded = self.load(controller, request).await?;
        let seen = loaded.request;
        self.allow(&seen, actor, "package").await?;
        // A person sees what was let out: not what somebody still looks at, refused or gave up.
        if matches!(actor, Actor::Person | Actor::Agent(_)) && !seen.lifecycle.is_released() {
            return Err(EngineError::Nothing {
                what: "package that was released",
                request,
            });
        }
        let made = Made::of(&seen).ok_or(EngineError::Nothing {
            what: "package",
            request,
        })?;
        let ports = &self.inner.ports;
        let limit = self.inner.settings.call_timeout;
        let read = made.read(&*ports.artifacts);
        Ok(guard(&*ports.clock, limit, &Cancel::default(), read).await??)
    }

    /// Open requests whose deadline is before an instant, earliest first, `limit` at most: ids and
    /// instants, for whoever the policy lets see this list (`due`).
    ///
    /// # Errors
    /// [`EngineError::Denied`], and those of the store.
    pub async fn due(
        &self,
        controller: &ControllerId,
        actor: &Actor,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, EngineError> {
        let query = Query::new(controller, None, None, actor, "due");
        self.ask_policy(&query).await?;
        Ok(self
            .inner
            .ports
            .store
            .due(controller, before, limit)
            .await?)
    }

    /// What waits for people or for systems that answer later, over the open requests after
    /// one; looks at `limit` requests at most and says after which to go on.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tasks(
        &self,
        controller: &ControllerId,
        actor: &Actor,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<(Vec<ManualTask>, Option<RequestId>), EngineError> {
        let open = self
            .inner
            .ports
            .store
            .open(controller, after, limit)
            .await?;
        let last = open.last().copied().filter(|_| open.len() == limit);
        let mut tasks = Vec::new();
        for id in open {
            let seen = match self.request(controller, id, actor).await {
                Ok(seen) => seen,
                Err(EngineError::UnknownRequest(_) | EngineError::Denied(_)) => continue,
                Err(error) => return Err(error),
            };
            tasks.extend(tasks_of(&seen));
        }
        Ok((tasks, last))
    }

    /// Takes up every erasure that waits for a hold to be lifted, over the open requests after one;
    /// looks at `limit` requests at most and says after which to go on. For whoever lifted holds, or
    /// ended what rows were kept for: without it, the next look of
    /// [`Policy::look_at_held`](crate::workflow::Policy) finds out.
    ///
    /// # Errors
    /// As [`Engine::command`]; requests whose holds the actor may not lift are left out.
    pub async fn holds_lifted(
        &self,
        controller: &ControllerId,
        actor: &Actor,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<(Vec<RequestId>, Option<RequestId>), EngineError> {
        let store = &self.inner.ports.store;
        let open = store.open(controller, after, limit).await?;
        let last = open.last().copied().filter(|_| open.len() == limit);
        let mut taken_up = Vec::new();
        for id in open {
            let seen = match self.request(controller, id, actor).await {
                Ok(seen) => seen,
                Err(EngineError::UnknownRequest(_) | EngineError::Denied(_)) => continue,
                Err(error) => return Err(error),
            };
            if !seen.fulfilment.as_ref().is_some_and(waits_for_a_hold) {
                continue;
            }
            let command = fulfilment::Command::LiftHold;
            match self.command(controller, id, actor, command).await {
                Ok(_) => taken_up.push(id),
                // It went on by itself meanwhile.
                Err(EngineError::Rejected(_) | EngineError::Denied(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((taken_up, last))
    }

    /// Brings the answer to a step that goes on outside: the command that completes what was
    /// *pending*.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when that step was not handed out as *pending*, or the answer is of
    /// another kind; as [`Engine::command`] otherwise.
    pub async fn complete(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        task: Task,
        target: &Target,
        completion: Completion,
    ) -> Result<Request, EngineError> {
        let completion = &completion;
        let attempt = move |mut loaded: Loaded| async move {
            self.allow_answer(&loaded.request, actor, task, target)
                .await?;
            // Sealed anew each time: another source may have found more in the meantime.
            let result = self
                .seal_completion(&loaded, task, target, completion.clone())
                .await?;
            let command = fulfilment::Command::Answer {
                task,
                target: target.clone(),
                result: Box::new(result),
            };
            self.decide_and_commit(&mut loaded, &command.into(), actor)
                .await?;
            Ok(loaded.request)
        };
        self.until_written(controller, request, attempt).await
    }

    /// Asks the host's policy whether this actor may answer that step.
    pub(super) async fn allow_answer(
        &self,
        request: &Request,
        actor: &Actor,
        task: Task,
        target: &Target,
    ) -> Result<(), EngineError> {
        if *actor == Actor::Engine {
            return Err(EngineError::Denied(Denied {
                command: "act as the engine".to_owned(),
            }));
        }
        let facts = &request.facts;
        let (right, request) = (Some(&facts.right), Some(facts.id));
        let (task, target) = (task.name(), target.name());
        let query = Query::new(&facts.controller, request, right, actor, "answer");
        let query = query.about(&task, &target);
        self.ask_policy(&query).await
    }

    async fn seal_completion(
        &self,
        loaded: &Loaded,
        task: Task,
        target: &Target,
        completion: Completion,
    ) -> Result<StepResult, EngineError> {
        let facts = &loaded.request.facts;
        // Of its own: two who write at once must not overwrite each other.
        let name = format!("by-hand/{target}/{}", self.fresh_id());
        let done = StepResult::done;
        Ok(match completion {
            Completion::Located(located) => {
                let Target::Source(source) = target else {
                    return Err(EngineError::Nothing {
                        what: "such step",
                        request: facts.id,
                    });
                };
                match self
                    .seal_located(&loaded.request, source, &name, None, located)
                    .await?
                {
                    Some(finding) => done(finding),
                    None => StepResult::Failed(crate::model::Failure::Nonsense),
                }
            }
            Completion::Planned(plan) => {
                let name = format!("plan/{name}");
                let parts = self.parts(&facts.controller, facts.id, None);
                done(
                    self.seal_plan(&loaded.request, &parts, &name, &plan)
                        .await?,
                )
            }
            Completion::Erased(erased) => done(Finding::Erased {
                rows: erased.rows,
                withheld: erased.withheld,
                assurance: erased.assurance,
            }),
            Completion::Rows(rows) if matches!(task, Task::Search | Task::Verify) => {
                done(Finding::Left {
                    rows,
                    depth: SearchDepth::ByPath,
                })
            }
            Completion::Rows(rows) if task == Task::Stop => done(Finding::Stopped {
                rows,
                identified: None,
            }),
            Completion::Rows(rows) => done(Finding::Changed { rows }),
            Completion::Reviewed(verdict) => done(Finding::Reviewed { verdict }),
            Completion::Done => done(Finding::Nothing),
            Completion::Failed(failure) => StepResult::Failed(failure),
        })
    }

    /// Says that a letter was sent by hand.
    ///
    /// # Errors
    /// As [`Engine::command`].
    pub async fn letter_posted(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        letter: Letter,
    ) -> Result<Request, EngineError> {
        let command = lifecycle::Command::LetterSent { letter };
        self.command(controller, request, actor, command).await
    }
}

fn waits_for_a_hold(work: &fulfilment::Fulfilment) -> bool {
    let mut withheld = work.withheld();
    let held = withheld.any(|(_, rows)| rows.until == Until::HoldLifted);
    held && work.phase == fulfilment::Phase::Withholding
}

fn tasks_of(request: &Request) -> Vec<ManualTask> {
    let mut tasks = Vec::new();
    for (letter, pending) in &request.lifecycle.pending_letters {
        tasks.push(ManualTask {
            request: request.facts.id,
            step: None,
            letter: Some(*letter),
            pending: pending.clone(),
        });
    }
    if let Some(work) = &request.fulfilment
        && let Some(task) = work.phase.task(work.machine)
    {
        for step in &work.steps {
            if let StepState::Waiting(pending) = &step.state {
                tasks.push(ManualTask {
                    request: request.facts.id,
                    step: Some((task, step.target.clone())),
                    letter: None,
                    pending: pending.clone(),
                });
            }
        }
    }
    tasks
}
