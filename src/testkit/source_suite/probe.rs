//! Asks a source as the engine would: waits out what is pending, and notes every error.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::super::contract::{Seen, ensure};
use super::super::faults::polled;
use super::specimen::{OracleRow, Specimen, Whose};
use crate::model::{ControllerId, Correction, Identifier, RequestId, Use};
use crate::ports::{
    Answer, CallContext, Erased, Fence, IdempotencyKey, Located, Locator, PlannedAction, PortError,
    Reading, RowCount, SourcePlan, Stopped, WithheldRows, Work,
};

/// How often a pending answer is asked for again.
const PATIENCE: u32 = 100;

/// All errors that a source gave, over all checks.
#[derive(Default)]
pub(super) struct Errors(Mutex<Vec<PortError>>);

impl Errors {
    pub(super) fn note(&self, error: &PortError) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(error.clone());
    }

    pub(super) fn all(&self) -> Vec<PortError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Rows by collection; collections without rows are left out.
pub(super) type Counts = BTreeMap<String, u64>;

pub(super) fn counts(rows: &[RowCount]) -> Counts {
    let mut counts = Counts::new();
    for row in rows.iter().filter(|row| row.rows > 0) {
        *counts.entry(row.collection.clone()).or_default() += row.rows;
    }
    counts
}

pub(super) fn withheld_counts(rows: &[WithheldRows]) -> Counts {
    let rows: Vec<RowCount> = rows
        .iter()
        .map(|row| RowCount::new(&row.collection, row.rows))
        .collect();
    counts(&rows)
}

/// What a plan says will be gone.
pub(super) fn planned_counts(plan: &SourcePlan) -> Counts {
    let rows: Vec<RowCount> = plan
        .rows
        .iter()
        .filter(|line| {
            matches!(
                line.action,
                PlannedAction::Delete | PlannedAction::Anonymise | PlannedAction::Minimise
            )
        })
        .map(|line| RowCount::new(&line.collection, line.rows))
        .collect();
    counts(&rows)
}

/// The context of a call.
pub(super) fn context(key: &str) -> Result<CallContext, Seen> {
    context_of(1, key)
}

/// The context of a call for a request of that number.
fn context_of(request: u128, key: &str) -> Result<CallContext, Seen> {
    Ok(CallContext::new(
        ControllerId::new("source-suite")?,
        RequestId::new(Uuid::from_u128(request)),
        IdempotencyKey(format!("source-suite/{key}")),
        Fence(1),
        DateTime::UNIX_EPOCH + TimeDelta::days(365_000),
    ))
}

/// A specimen that is being checked.
pub(super) struct Probe<'a> {
    pub(super) specimen: Specimen,
    pub(super) errors: &'a Errors,
}

impl Probe<'_> {
    /// Asks until the answer is no longer *pending*.
    async fn settled<T>(
        &self,
        key: &str,
        call: impl AsyncFn(&CallContext) -> Result<Answer<T>, PortError>,
    ) -> Result<Answer<T>, Seen> {
        self.settled_in(context(key)?, call).await
    }

    async fn settled_in<T>(
        &self,
        mut context: CallContext,
        call: impl AsyncFn(&CallContext) -> Result<Answer<T>, PortError>,
    ) -> Result<Answer<T>, Seen> {
        while context.attempt <= PATIENCE {
            match self.noted(call(&context).await)? {
                Answer::Pending(pending) => {
                    ensure!(
                        !pending.handle.0.is_empty(),
                        "a pending answer has an empty handle"
                    );
                    self.specimen.oracle.work().await;
                    context.resume = Some(pending.handle);
                    context.attempt += 1;
                }
                settled => return Ok(settled),
            }
        }
        Err(Seen(format!("it was still pending after {PATIENCE} calls")))
    }

    /// Keeps an error for the check of all errors; what is said of it here shows no value.
    pub(super) fn noted<T>(&self, result: Result<T, PortError>) -> Result<T, Seen> {
        result.map_err(|error| {
            self.errors.note(&error);
            Seen(format!("it failed as {:?}", error.kind))
        })
    }

    pub(super) async fn locate(&self, identifiers: &[Identifier]) -> Result<Located, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled("locate", async |c| source.locate(c, identifiers).await)
            .await?;
        whole("locate", answer)
    }

    /// The locators of the person.
    pub(super) async fn person(&self) -> Result<Vec<Locator>, Seen> {
        let located = self.locate(&self.specimen.person).await?;
        ensure!(
            !located.locators.is_empty(),
            "the person was not found by their identifiers"
        );
        Ok(located.locators)
    }

    /// `None` where the source does not do that work.
    pub(super) async fn plan(
        &self,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Option<SourcePlan>, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled("plan", async |c| source.plan(c, locators, work).await)
            .await?;
        unless_unsupported("plan", answer)
    }

    pub(super) async fn read(&self, key: &str, locators: &[Locator]) -> Result<Reading, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled(key, async |c| source.read(c, locators).await)
            .await?;
        whole("read", answer)
    }

    pub(super) async fn rectify(
        &self,
        key: &str,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Option<Counts>, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled(key, async |c| {
                source.rectify(c, locators, corrections).await
            })
            .await?;
        Ok(unless_unsupported("rectify", answer)?.map(|rows| counts(&rows)))
    }

    pub(super) async fn restrict(
        &self,
        key: &str,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Option<Counts>, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled(key, async |c| {
                source.restrict(c, locators, restricted).await
            })
            .await?;
        Ok(unless_unsupported("restrict", answer)?.map(|rows| counts(&rows)))
    }

    /// Restricts or lifts for a request of that number.
    pub(super) async fn restrict_for(
        &self,
        request: u128,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Option<Counts>, Seen> {
        let source = &self.specimen.source;
        let context = context_of(request, &format!("restrict-{restricted}/{request}"))?;
        let answer = self
            .settled_in(context, async |c| {
                source.restrict(c, locators, restricted).await
            })
            .await?;
        Ok(unless_unsupported("restrict", answer)?.map(|rows| counts(&rows)))
    }

    pub(super) async fn stop(
        &self,
        key: &str,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Option<Stopped>, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled(key, async |c| source.stop(c, identifiers, uses).await)
            .await?;
        unless_unsupported("stop", answer)
    }

    pub(super) async fn erase(
        &self,
        key: &str,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Option<Erased>, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled(key, async |c| source.erase(c, locators, plan).await)
            .await?;
        unless_unsupported("erase", answer)
    }

    /// Begins an erasure and drops it after so many polls; whether it was finished by then.
    pub(super) async fn erase_some(
        &self,
        key: &str,
        locators: &[Locator],
        plan: &SourcePlan,
        polls: usize,
    ) -> Result<bool, Seen> {
        let context = context(key)?;
        let erasing = self.specimen.source.erase(&context, locators, plan);
        match polled(erasing, polls).await {
            Some(result) => self.noted(result).map(|_| true),
            None => Ok(false),
        }
    }

    pub(super) async fn residue(&self, locators: &[Locator]) -> Result<Option<Counts>, Seen> {
        let source = &self.specimen.source;
        let answer = self
            .settled("residue", async |c| source.residue(c, locators).await)
            .await?;
        Ok(unless_unsupported("residue", answer)?.map(|left| counts(&left.rows)))
    }

    /// What is stored, by collection.
    pub(super) async fn stored(&self) -> Counts {
        let mut stored = Counts::new();
        for row in self.specimen.oracle.rows(Whose::Person).await {
            *stored.entry(row.collection).or_default() += 1;
        }
        stored
    }

    /// What is stored in collections without retention.
    pub(super) async fn stored_freely(&self) -> Counts {
        let mut stored = self.stored().await;
        stored.retain(|collection, _| !self.specimen.withheld.contains(collection));
        stored
    }

    /// Fails when rows change while something is done.
    pub(super) async fn unchanged<T>(
        &self,
        whose: Whose,
        what: &str,
        work: impl Future<Output = Result<T, Seen>>,
    ) -> Result<T, Seen> {
        let rows = async || {
            let mut rows = self.specimen.oracle.rows(whose).await;
            rows.sort();
            rows
        };
        let before = rows().await;
        let result = work.await?;
        let after = rows().await;
        let is_new = |row: &&OracleRow| before.binary_search(row).is_err();
        let changed = after.iter().filter(is_new).count();
        ensure!(
            before == after,
            "{what} changed rows: of {} there are {} now, {changed} of them new or different",
            before.len(),
            after.len()
        );
        Ok(result)
    }
}

/// The answer of work that must be done wholly.
pub(super) fn whole<T>(what: &str, answer: Answer<T>) -> Result<T, Seen> {
    match answer {
        Answer::Done(done) => Ok(done),
        Answer::Partly { .. } => Err(Seen(format!("{what} was done only in part"))),
        Answer::Unsupported => Err(Seen(format!("{what} is unsupported"))),
        Answer::Pending(_) => Err(Seen(format!("{what} is pending"))),
    }
}

/// The answer of work that a source need not be able to do.
fn unless_unsupported<T>(what: &str, answer: Answer<T>) -> Result<Option<T>, Seen> {
    match answer {
        Answer::Unsupported => Ok(None),
        other => whole(what, other).map(Some),
    }
}
