//! Performing one effect: from the effect to the port, and from its answer to a result.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::FutureExt as _;

use crate::model::{
    ControllerId, Correction, Failure, Handle, Identifier, KeyId, PartyId, RequestId, RowCount,
    SearchDepth, SourceId, Task as ManualTask, Verdict,
};
use crate::ports::{
    Answer, CallContext, Cancel, Erased, ErrorKind, Fence, IdempotencyKey, Instruction, Located,
    Locator, MissingRows, Order, Package, Pending, PersonalDataSource, PortError, ProcessorGateway,
    SourcePlan, Stopped, VaultError, Work,
};
use crate::workflow::fulfilment::{Machine, SourceWork};
use crate::workflow::{Effect, Finding, Letter, Request, StepResult, Target, Task};

use super::Engine;
use super::agenda::Item;
use super::error::{EngineError, Unsaid};
use super::findings::not_corrected;
use super::gates::{Heard, Pass};
use super::guard::{PANICKED, guard};
use super::observe::watched;
use super::package::Made;
use super::parts::Parts;

/// What becomes of an attempt.
pub(super) enum Performed {
    /// A step was answered.
    Step(StepResult),
    /// A person was located: what was found is sealed when it is written down, because another
    /// source may have found more in the meantime.
    Located(Box<Located>, Vec<MissingRows>),
    /// Uses were ended, and what stood there is sealed as above.
    Stopped(Stopped, Vec<MissingRows>),
    /// A letter or a challenge went out, or waits.
    Sent(Option<Pending>),
    /// It will not work, ever.
    Failed {
        failure: Failure,
        /// As with [`Later`]: nobody was called, or not for this.
        ours: bool,
    },
    /// The package is gone.
    PackageDeleted,
    /// The key is gone.
    Shredded,
    /// The request may go.
    Delete,
    /// It did not work now.
    Later(Later),
}

/// Why it did not work now.
pub(super) struct Later {
    pub(super) kind: ErrorKind,
    pub(super) code: String,
    /// Whether it is our own side that failed, and not who was called.
    pub(super) ours: bool,
    /// Whether it panicked. A code says nothing of that: it is a port's own.
    pub(super) panicked: bool,
}

impl Later {
    /// Something of our own that is not done yet.
    pub(super) fn ours(code: &str) -> Self {
        Self {
            kind: ErrorKind::Unavailable,
            code: code.to_owned(),
            ours: true,
            panicked: false,
        }
    }
}

impl Performed {
    fn later(error: PortError, ours: bool) -> Self {
        Self::Later(Later {
            kind: error.kind,
            code: error.code.into_owned(),
            ours,
            panicked: false,
        })
    }

    /// What the guard around an attempt says: what comes from a port is within its answer.
    fn broken_off(error: PortError) -> Self {
        Self::Later(Later {
            panicked: error.code == PANICKED,
            kind: error.kind,
            code: error.code.into_owned(),
            ours: false,
        })
    }

    fn failed(failure: Failure, ours: bool) -> Self {
        Self::Failed { failure, ours }
    }

    /// What it says about who was called.
    fn heard(&self) -> Heard {
        match self {
            Self::Later(later)
                if later.kind != ErrorKind::Unavailable || later.ours || later.panicked =>
            {
                Heard::Unclear
            }
            Self::Later(later) => Heard::Nothing(later.code.clone()),
            Self::Failed { ours: true, .. } => Heard::Unclear,
            _ => Heard::Answer,
        }
    }
}

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

/// What keeps an attempt from an answer of its port.
enum Stop {
    Port(PortError),
    /// A port of our own side: where packages are kept.
    Ours(PortError),
    Engine(EngineError),
    Unsaid(Unsaid),
    Broken(&'static str),
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unsaid(unsaid) => Self::Unsaid(unsaid),
            other => Self::Engine(other),
        }
    }
}

type Port<T> = Result<Answer<T>, Stop>;

/// Whether the same call may go well another time.
fn again(error: &PortError) -> bool {
    error.kind.is_temporary() || error.kind == ErrorKind::Cancelled
}

fn refused(error: PortError) -> Failure {
    match (error.kind, error.place) {
        (ErrorKind::Nonsense, _) => Failure::Nonsense,
        (_, None) => Failure::Code(error.code),
        (_, Some(place)) => Failure::At {
            code: error.code,
            place,
        },
    }
}

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

    fn source(&self, id: &SourceId) -> Result<(&dyn PersonalDataSource, &SourceWork), Stop> {
        let source = self.engine.inner.sources.get(id);
        let work = self
            .request
            .fulfilment
            .as_ref()
            .and_then(|work| work.source(id));
        match (source, work) {
            (Some(source), Some(work)) => Ok((&**source, work)),
            _ => Err(Stop::Broken("no_such_source")),
        }
    }

    async fn ask(&self, task: Task, id: &SourceId) -> Result<Performed, Stop> {
        let (source, work) = self.source(id)?;
        let context = self.context();
        if matches!(task, Task::Locate | Task::Stop) {
            let known = self.identifiers().await?;
            let fitting: Vec<Identifier> = known
                .into_iter()
                .filter(|identifier| work.accepts.contains(&identifier.kind()))
                .collect();
            if task == Task::Stop {
                let uses = &self.request.facts.uses;
                return Ok(match source.stop(&context, &fitting, uses).await? {
                    Answer::Done(stopped) => Performed::Stopped(stopped, Vec::new()),
                    Answer::Partly { done, missing } => Performed::Stopped(done, missing),
                    other => step(other, |_| Finding::Nothing),
                });
            }
            return Ok(match source.locate(&context, &fitting).await? {
                Answer::Done(located) => Performed::Located(Box::new(located), Vec::new()),
                Answer::Partly { done, missing } => Performed::Located(Box::new(done), missing),
                other => step(other, |_| Finding::Nothing),
            });
        }
        let locators = self.locators(work).await?;
        Ok(match task {
            Task::Plan => {
                let wanted = self.work().await?;
                match source.plan(&context, &locators, &wanted).await? {
                    Answer::Done(plan) => {
                        let finding = self.seal_plan(id, &plan).await?;
                        Performed::Step(StepResult::done(finding))
                    }
                    Answer::Partly { done, missing } => Performed::Step(StepResult::Done {
                        finding: self.seal_plan(id, &done).await?,
                        missing,
                    }),
                    other => step(other, |_| Finding::Nothing),
                }
            }
            Task::Verify => {
                let wished = self.corrections().await?;
                let wanted = Work::Rectify(wished.clone());
                let answer = source.plan(&context, &locators, &wanted).await?;
                step(answer, |plan| Finding::Left {
                    rows: not_corrected(&plan, &wished, &work.untaken),
                    depth: SearchDepth::ByPath,
                })
            }
            Task::Read => self.read(source, work, &locators, &context).await?,
            Task::Restrict | Task::Unrestrict => {
                let on = task == Task::Restrict;
                let answer = source.restrict(&context, &locators, on).await?;
                step(answer, |rows| Finding::Changed { rows })
            }
            Task::Rectify => {
                let wished = self.corrections().await?;
                let answer = source.rectify(&context, &locators, &wished).await?;
                step(answer, |rows| Finding::Changed { rows })
            }
            Task::Erase => {
                let plan: SourcePlan = match &work.plan {
                    Some((part, _)) => {
                        let parts = self.parts();
                        parts.read(part).await?
                    }
                    None => return Err(Stop::Broken("no_plan")),
                };
                let answer = source.erase(&context, &locators, &plan).await?;
                step(answer, |erased| Finding::Erased {
                    rows: erased.rows,
                    withheld: erased.withheld,
                    assurance: erased.assurance,
                })
            }
            Task::Search => {
                let answer = source.residue(&context, &locators).await?;
                step(answer, |left| Finding::Left {
                    rows: left.rows,
                    depth: left.depth,
                })
            }
            Task::Locate
            | Task::LockToRead
            | Task::LockToWrite
            | Task::Pack
            | Task::Transmit
            | Task::Inform
            | Task::Stop
            | Task::Review => return Err(Stop::Broken("no_such_step")),
        })
    }

    async fn work(&self) -> Result<Work, Stop> {
        Ok(match self.request.fulfilment.as_ref().map(|w| w.machine) {
            Some(Machine::Rectification) => Work::Rectify(self.corrections().await?),
            _ => Work::Erase,
        })
    }

    async fn locators(&self, work: &SourceWork) -> Result<Vec<Locator>, Stop> {
        let part = work.locators.as_ref().ok_or(Stop::Broken("no_locators"))?;
        let parts = self.parts();
        Ok(parts.read(part).await?)
    }

    async fn seal_plan(&self, source: &SourceId, plan: &SourcePlan) -> Result<Finding, Stop> {
        let name = format!("plan/{source}/{}/{}", self.round(), self.fence.0);
        Ok(self
            .engine
            .seal_plan(&self.request, &self.parts(), &name, plan)
            .await?)
    }

    fn round(&self) -> u32 {
        match &self.item.effect {
            Effect::Step { round, .. } => *round,
            _ => 0,
        }
    }

    #[cfg(feature = "package")]
    async fn read(
        &self,
        source: &dyn PersonalDataSource,
        work: &SourceWork,
        locators: &[Locator],
        context: &CallContext,
    ) -> Result<Performed, Stop> {
        use crate::package;

        let (reading, missing) = match source.read(context, locators).await? {
            Answer::Done(reading) => (reading, Vec::new()),
            Answer::Partly { done, missing } => (done, missing),
            Answer::Unsupported => return Ok(Performed::Step(StepResult::Unsupported)),
            Answer::Pending(pending) => return Ok(Performed::Step(StepResult::Pending(pending))),
        };
        let title = source.describe().title;
        let spool = self
            .engine
            .spool(&self.request, &work.id, title, self.fence.0);
        let ports = &self.engine.inner.ports;
        let report = package::spool(
            &spool,
            reading,
            &*ports.artifacts,
            &*ports.vault,
            &package::Limits::default(),
            &self.cancel,
        )
        .await
        .map_err(package_stop)?;
        let name = format!("spool/{}/{}/{}", work.id, self.round(), self.fence.0);
        let parts = self.parts();
        let part = parts.write(&name, &(self.fence.0, &report)).await?;
        Ok(Performed::Step(StepResult::Done {
            finding: Finding::Read {
                spool: part,
                rows: report.collections,
                withheld: report.withheld,
            },
            missing,
        }))
    }

    #[cfg(feature = "package")]
    async fn pack(&self) -> Result<Performed, Stop> {
        use super::package::name_for;
        use crate::package::{self, Cover, Of};
        use crate::ports::ArtifactKey;

        let Some(work) = &self.request.fulfilment else {
            return Err(Stop::Broken("no_such_step"));
        };
        let parts = self.parts();
        let setup = self.engine.controller(self.controller())?;
        let title_of = |id: &SourceId| {
            let source = self.engine.inner.sources.get(id);
            source.map_or_else(|| id.to_string(), |source| source.describe().title)
        };
        let mut spools = Vec::new();
        for source in &work.sources {
            if let Some(part) = &source.spool {
                let (run, report) = parts.read(part).await?;
                let title = title_of(&source.id);
                spools.push((
                    self.engine.spool(&self.request, &source.id, title, run),
                    report,
                ));
            }
        }
        let mut cover = Cover::new(
            package::title(&self.request.facts.right, &setup.language),
            &setup.name,
            self.id(),
            self.request.facts.right.clone(),
            self.engine.now(),
            &setup.language,
        );
        cover.statements = setup.sections(&self.request)?;
        for (code, words) in setup.grounds(&self.request)? {
            cover.words.name(format!("ground.{code}"), words);
        }
        cover.missing = work
            .missing()
            .filter_map(|(target, missing)| match target {
                Target::Source(id) => Some(Of::new(id.clone(), title_of(&id), missing)),
                Target::Recipient(_) | Target::Request => None,
            })
            .collect();
        let ports = &self.engine.inner.ports;
        let name = name_for(self.fence, self.round(), self.item.attempt);
        let report = package::write(
            &ArtifactKey::new(self.controller(), self.id(), &name),
            &cover,
            &spools,
            &*ports.artifacts,
            &*ports.vault,
            &self.cancel,
        )
        .await
        .map_err(package_stop)?;
        Ok(Performed::Step(StepResult::done(Finding::Packed {
            bytes: report.bytes,
            digest: report.digest,
            name: Some(name),
        })))
    }

    #[cfg(not(feature = "package"))]
    async fn read(
        &self,
        _: &dyn PersonalDataSource,
        _: &SourceWork,
        _: &[Locator],
        _: &CallContext,
    ) -> Result<Performed, Stop> {
        Err(Stop::Broken("built_without_package"))
    }

    #[cfg(not(feature = "package"))]
    async fn pack(&self) -> Result<Performed, Stop> {
        Err(Stop::Broken("built_without_package"))
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

#[cfg(feature = "package")]
fn package_stop(error: crate::package::PackageError) -> Stop {
    use crate::package::PackageError;
    match error {
        PackageError::Artifacts(error) => Stop::Ours(error),
        PackageError::Source(error) => Stop::Port(error),
        PackageError::Vault(error) => Stop::Engine(EngineError::Vault(error)),
        PackageError::Cancelled => Stop::Port(PortError::new(ErrorKind::Cancelled, "cancelled")),
        PackageError::Garbage { .. } => Stop::Port(PortError::new(ErrorKind::Nonsense, "garbage")),
        _ => Stop::Broken("package"),
    }
}

#[cfg(feature = "package")]
impl Engine {
    fn spool(
        &self,
        request: &Request,
        source: &SourceId,
        title: String,
        run: u64,
    ) -> crate::package::Spool {
        let facts = &request.facts;
        crate::package::Spool::new(&facts.controller, facts.id, source.clone(), title, run)
    }
}

fn step<T>(answer: Answer<T>, finding: impl FnOnce(T) -> Finding) -> Performed {
    Performed::Step(match answer {
        Answer::Done(done) => StepResult::done(finding(done)),
        Answer::Partly { done, missing } => StepResult::Done {
            finding: finding(done),
            missing,
        },
        Answer::Unsupported => StepResult::Unsupported,
        Answer::Pending(pending) => StepResult::Pending(pending),
    })
}

fn sent(answer: Answer<()>) -> Performed {
    match answer {
        Answer::Done(()) => Performed::Sent(None),
        // A letter is out, or it is not.
        Answer::Partly { missing, .. } => Performed::failed(
            (missing.into_iter().next()).map_or(Failure::Nonsense, |missing| missing.failure),
            false,
        ),
        Answer::Pending(pending) => Performed::Sent(Some(pending)),
        Answer::Unsupported => Performed::failed(Failure::Unsupported, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only who was called can be back, or down; and its own codes are its own.
    #[test]
    fn what_is_heard_of_whom() {
        let unavailable = || PortError::unavailable(PANICKED);
        let its_own = Performed::later(unavailable(), false);
        assert!(matches!(&its_own, Performed::Later(later) if !later.panicked));
        assert!(matches!(its_own.heard(), Heard::Nothing(code) if code == PANICKED));
        assert!(matches!(
            Performed::broken_off(unavailable()).heard(),
            Heard::Unclear
        ));
        let refused = |ours| Performed::failed(Failure::Code("no_plan".into()), ours);
        assert!(matches!(refused(true).heard(), Heard::Unclear));
        assert!(matches!(refused(false).heard(), Heard::Answer));
    }
}
