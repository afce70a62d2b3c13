//! Asking a source: each task is one of its methods, and its answer a finding.

use crate::model::{Identifier, SearchDepth, SourceId};
use crate::ports::{Answer, Locator, PersonalDataSource, SourcePlan, Work};
use crate::workflow::fulfilment::{Machine, SourceWork};
use crate::workflow::{Finding, StepResult, Task};

use super::super::findings::not_corrected;
use super::Attempt;
use super::performed::{Performed, Stop, step};

impl Attempt {
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

    pub(super) async fn ask(&self, task: Task, id: &SourceId) -> Result<Performed, Stop> {
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
}
