//! Performing one effect: from the effect to the port, and from its answer to a result.

mod asking;
mod packing;
mod performed;

pub(super) use performed::{Later, Performed};

use std::sync::Arc;

use chrono::TimeDelta;
use futures::FutureExt as _;

use crate::model::{
    ControllerId, Correction, Failure, Handle, Identifier, KeyId, PartyId, RequestId, RowCount,
    Task as ManualTask, Verdict,
};
use crate::ports::{
    Answer, CallContext, Cancel, Erased, Fence, IdempotencyKey, Instruction, Located, Order,
    Package, Pending, PortError, ProcessorGateway, SourcePlan, VaultError,
};
use crate::workflow::fulfilment::Machine;
use crate::workflow::{Effect, Finding, Letter, Request, StepResult, Target, Task};

use super::Engine;
use super::agenda::Item;
use super::error::EngineError;
use super::gates::Pass;
use super::guard::guard;
use super::observe::watched;
use super::package::Made;
use super::parts::Parts;
use performed::{Stop, again, refused, sent, step};

/// What a person brings for a step that waits for them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Completion {
    /// Where the person was found (an empty answer: nowhere).
    Located(Located),
    /// What would be done.
    Planned(SourcePlan),
    /// What was erased.
    Erased(Erased),
    /// How many rows were corrected, restricted, are not used so any more, or are left.
    Rows(Vec<RowCount>),
    /// What the review of a decision came to.
    Reviewed(Verdict),
    /// It was done: a letter was posted, a recipient was told.
    Done,
    /// It cannot be done.
    Failed(Failure),
}

/// What one attempt needs; owns everything, so that many can run at once.
pub(super) struct Attempt {
    pub(super) engine: Engine,
    pub(super) request: Arc<Request>,
    pub(super) item: Item,
    pub(super) fence: Fence,
    pub(super) cancel: Cancel,
    pub(super) pass: Option<Pass>,
}

type Port<T> = Result<Answer<T>, Stop>;

impl Attempt {
    /// Performs the effect within its time limit. A port that panics is told from one that fails.
    pub(super) async fn run(mut self) -> (Item, Performed) {
        let item = self.item.clone();
        let pass = self.pass.take();
        let limit = self.time_limit();
        let clock = Arc::clone(&self.engine.inner.ports.clock);
        let cancel = self.cancel.clone();
        let performed = async {
            // On the heap: what it holds across all its calls would be moved through every caller.
            let performed = guard(&*clock, limit, &cancel, self.perform().boxed()).await;
            performed.unwrap_or_else(Performed::broken_off)
        };
        let performed = watched(&self, performed).await;
        if let Some(pass) = pass {
            self.engine.heard(pass, performed.heard());
        }
        (item, performed)
    }

    fn time_limit(&self) -> TimeDelta {
        let settings = &self.engine.inner.settings;
        match &self.item.effect {
            Effect::Step {
                task: Task::Read | Task::Pack | Task::Transmit,
                ..
            } => settings.stream_timeout,
            _ => settings.call_timeout,
        }
    }

    fn controller(&self) -> &ControllerId {
        &self.request.facts.controller
    }

    fn id(&self) -> RequestId {
        self.request.facts.id
    }

    fn parts(&self) -> Parts<'_> {
        self.engine
            .parts(self.controller(), self.id(), Some(self.fence))
    }

    fn context(&self) -> CallContext {
        let key = IdempotencyKey(format!("{}/{}", self.id(), self.item.key.0));
        let deadline = self.engine.now() + self.time_limit();
        let mut context = CallContext::new(
            self.controller().clone(),
            self.id(),
            key,
            self.fence,
            deadline,
        );
        context.attempt = self.item.attempt;
        context.resume = self.item.resume.clone();
        context.cancel = self.cancel.clone();
        context
    }

    async fn perform(&self) -> Performed {
        let result = match &self.item.effect {
            Effect::Step { task, target, .. } => self.step(*task, target).await,
            Effect::Notify(letter) => self.notify(*letter).await.map(sent),
            Effect::Challenge => self.challenge().await.map(sent),
            Effect::DeletePackage => self.delete_package().await,
            Effect::Shred => self.shred().await,
            Effect::Delete => Ok(Performed::Delete),
        };
        result.unwrap_or_else(|stop| match stop {
            Stop::Port(error) if again(&error) => Performed::later(error, false),
            Stop::Ours(error) if again(&error) => Performed::later(error, true),
            Stop::Port(error) => Performed::failed(refused(error), false),
            Stop::Ours(error) => Performed::failed(refused(error), true),
            Stop::Unsaid(unsaid) => Performed::failed(unsaid.into(), true),
            Stop::Broken(code) => Performed::failed(Failure::Code(code.into()), true),
            Stop::Engine(EngineError::Vault(VaultError::Shredded(_))) => {
                Performed::failed(Failure::Code("key_destroyed".into()), true)
            }
            Stop::Engine(EngineError::Unreadable { .. }) => {
                Performed::failed(Failure::Code("part_unreadable".into()), true)
            }
            // What cannot be written down either: the worker tells of it, and leaves the request.
            Stop::Engine(EngineError::UnknownController(_) | EngineError::UnknownRegime(_)) => {
                Performed::failed(Failure::Code("not_served".into()), true)
            }
            Stop::Engine(_) => Performed::later(PortError::unavailable("own_store"), true),
        })
    }

    async fn identifiers(&self) -> Result<Vec<Identifier>, Stop> {
        let parts = self.parts();
        Ok(parts.read(&self.request.identifiers).await?)
    }

    async fn corrections(&self) -> Result<Vec<Correction>, Stop> {
        match &self.request.facts.corrections {
            Some(part) => {
                let parts = self.parts();
                Ok(parts.read(part).await?)
            }
            None => Ok(Vec::new()),
        }
    }

    async fn notify(&self, letter: Letter) -> Port<()> {
        let to = self.identifiers().await?;
        let notice = self.engine.notice(&self.request, letter, to)?;
        let notifier = &self.engine.inner.ports.notifier;
        Ok(notifier.notify(&self.context(), &notice).await?)
    }

    async fn challenge(&self) -> Port<()> {
        let identifiers = self.identifiers().await?;
        let verifier = &self.engine.inner.ports.verifier;
        Ok(verifier.challenge(&self.context(), &identifiers).await?)
    }

    async fn step(&self, task: Task, target: &Target) -> Result<Performed, Stop> {
        match target {
            Target::Request if matches!(task, Task::LockToRead | Task::LockToWrite) => {
                Ok(Performed::Step(StepResult::done(Finding::Nothing)))
            }
            Target::Request if task == Task::Review => Ok(self.wait_for_a_human()),
            Target::Request => self.pack().await,
            Target::Recipient(id) => {
                let answer = match task {
                    Task::Transmit => self.transmit(id).await?,
                    _ => self.inform(id).await?,
                };
                Ok(step(answer, |()| Finding::Nothing))
            }
            Target::Source(id) => self.ask(task, id).await,
        }
    }

    /// A review is nothing that an engine does: it waits until a member of staff brings the verdict.
    fn wait_for_a_human(&self) -> Performed {
        Performed::Step(StepResult::Pending(Pending {
            handle: Handle("review".to_owned()),
            look_again: self.engine.now() + TimeDelta::days(7),
            task: Some(ManualTask {
                title: "Review the automated decision".to_owned(),
            }),
        }))
    }

    fn gateway(&self, id: &PartyId) -> Result<&dyn ProcessorGateway, Stop> {
        let gateway = self.engine.inner.gateways.get(id);
        gateway
            .map(|gateway| &**gateway)
            .ok_or(Stop::Broken("no_such_recipient"))
    }

    async fn inform(&self, id: &PartyId) -> Port<()> {
        let work = self.request.fulfilment.as_ref();
        let work = work.ok_or(Stop::Broken("no_such_step"))?;
        let instruction = match work.machine {
            Machine::Erasure => Instruction::Erase,
            Machine::Rectification => Instruction::Rectify(self.corrections().await?),
            Machine::Restriction => Instruction::Restrict(!work.announced),
            Machine::Stop => Instruction::Stop(self.request.facts.uses.clone()),
            _ => return Err(Stop::Broken("no_such_step")),
        };
        let order = Order {
            instruction,
            identifiers: self.identifiers().await?,
            contents: self.engine.told(&self.request)?,
        };
        Ok(self.gateway(id)?.inform(&self.context(), &order).await?)
    }

    async fn transmit(&self, id: &PartyId) -> Port<()> {
        let gateway = self.gateway(id)?;
        let made = Made::of(&self.request).ok_or(Stop::Broken("no_package"))?;
        let package = Package {
            bytes: made.bytes,
            content: made.read(&*self.engine.inner.ports.artifacts).await?,
        };
        Ok(gateway.transmit(&self.context(), package).await?)
    }

    fn round(&self) -> u32 {
        match &self.item.effect {
            Effect::Step { round, .. } => *round,
            _ => 0,
        }
    }

    async fn delete_package(&self) -> Result<Performed, Stop> {
        let artifacts = &self.engine.inner.ports.artifacts;
        let deleted = artifacts.delete_all(self.controller(), self.id()).await;
        deleted.map_err(Stop::Ours)?;
        Ok(Performed::PackageDeleted)
    }

    async fn shred(&self) -> Result<Performed, Stop> {
        let ports = &self.engine.inner.ports;
        ports
            .store
            .delete_parts(self.controller(), self.id(), Some(self.fence), None)
            .await
            .map_err(EngineError::from)?;
        let key = KeyId::of_request(self.controller(), self.id());
        ports.vault.shred(&key).await.map_err(EngineError::from)?;
        Ok(Performed::Shredded)
    }
}
