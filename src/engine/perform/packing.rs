//! What is read goes into spools, and the spools into a package.

#[cfg(feature = "package")]
use crate::model::SourceId;
#[cfg(feature = "package")]
use crate::ports::{Answer, ErrorKind, PortError};
use crate::ports::{CallContext, Locator, PersonalDataSource};
use crate::workflow::fulfilment::SourceWork;
#[cfg(feature = "package")]
use crate::workflow::{Finding, Request, StepResult, Target};

#[cfg(feature = "package")]
use super::super::Engine;
#[cfg(feature = "package")]
use super::super::error::EngineError;
use super::Attempt;
use super::performed::{Performed, Stop};

impl Attempt {
    #[cfg(feature = "package")]
    pub(super) async fn read(
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
    pub(super) async fn pack(&self) -> Result<Performed, Stop> {
        use super::super::package::name_for;
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
    pub(super) async fn read(
        &self,
        _: &dyn PersonalDataSource,
        _: &SourceWork,
        _: &[Locator],
        _: &CallContext,
    ) -> Result<Performed, Stop> {
        Err(Stop::Broken("built_without_package"))
    }

    #[cfg(not(feature = "package"))]
    pub(super) async fn pack(&self) -> Result<Performed, Stop> {
        Err(Stop::Broken("built_without_package"))
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
