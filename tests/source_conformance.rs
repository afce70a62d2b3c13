//! Sources that conform, in all the ways a source may answer.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "source_desk/mod.rs"]
mod desk;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::DateTime;
use datarights::adapters::MemorySource;
use datarights::model::{
    Correction, Handle, Identifier, Pending, RowCount, SourceId, Until, Use, WithheldRows,
};
use datarights::ports::{
    Answer, CallContext, Erased, ErrorKind, IdempotencyKey, Located, Locator, PersonalDataSource,
    PlannedAction, PortError, Reading, Residue, SourceDescription, SourcePlan, Stopped, Work,
};
use datarights::testkit::source_suite;
use datarights::testkit::{SourceLine, TestClock};
use desk::{Rules, desk, specimen};

const ALL: Rules = Rules {
    secrets: true,
    retention: true,
};

#[tokio::test]
async fn the_memory_source_conforms() {
    source_suite::assert_conforms(async || {
        let desk = desk(ALL);
        specimen(Arc::new(desk.clone()), desk)
    })
    .await;
}

/// A person does the work: every call is pending once per key.
struct Manual {
    inner: MemorySource,
    asked: Mutex<HashSet<(IdempotencyKey, &'static str)>>,
}

impl Manual {
    fn pending<T>(&self, context: &CallContext, what: &'static str) -> Option<Answer<T>> {
        if context.cancel.is_cancelled() {
            return None; // the inner source says so
        }
        let first = self
            .asked
            .lock()
            .unwrap()
            .insert((context.key.clone(), what));
        first.then(|| {
            Answer::Pending(Pending {
                handle: Handle(format!("{what} {}", context.key)),
                look_again: DateTime::UNIX_EPOCH,
                task: None,
            })
        })
    }
}

#[async_trait]
impl PersonalDataSource for Manual {
    fn describe(&self) -> SourceDescription {
        self.inner.describe()
    }
    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        match self.pending(context, "locate") {
            Some(pending) => Ok(pending),
            None => self.inner.locate(context, identifiers).await,
        }
    }
    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        match work {
            Work::Erase => self.inner.plan(context, locators, work).await,
            _ => Ok(Answer::Unsupported),
        }
    }
    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        match self.pending(context, "read") {
            Some(pending) => Ok(pending),
            None => self.inner.read(context, locators).await,
        }
    }
    async fn rectify(
        &self,
        _: &CallContext,
        _: &[Locator],
        _: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        Ok(Answer::Unsupported)
    }
    async fn restrict(
        &self,
        _: &CallContext,
        _: &[Locator],
        _: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        Ok(Answer::Unsupported)
    }
    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        match self.pending(context, "stop") {
            Some(pending) => Ok(pending),
            None => self.inner.stop(context, identifiers, uses).await,
        }
    }
    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        match self.pending(context, "erase") {
            Some(pending) => Ok(pending),
            None => self.inner.erase(context, locators, plan).await,
        }
    }
    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        self.inner.residue(context, locators).await
    }
}

#[tokio::test]
async fn a_source_whose_work_is_done_by_hand_conforms() {
    source_suite::assert_conforms(async || {
        let desk = desk(ALL);
        let manual = Manual {
            inner: desk.clone(),
            asked: Mutex::default(),
        };
        let mut specimen = specimen(Arc::new(manual), desk);
        specimen.impossible = None;
        specimen
    })
    .await;
}

#[tokio::test]
async fn a_specimen_that_is_not_as_it_says_is_told() {
    let violations = source_suite::check(async || {
        let desk = desk(ALL);
        let mut specimen = specimen(Arc::new(desk.clone()), desk);
        specimen.person = vec![Identifier::mail("stranger@example.org").unwrap()];
        specimen
    })
    .await
    .expect_err("nobody was found");
    assert!(violations.has(SourceLine::FindsFirst), "{violations}");
    assert!(!violations.to_string().contains("stranger"), "{violations}");
}

fn context(key: &str) -> CallContext {
    CallContext::new(
        datarights::model::ControllerId::new("acme").unwrap(),
        datarights::model::RequestId::new(uuid::Uuid::from_u128(1)),
        IdempotencyKey(key.to_owned()),
        datarights::ports::Fence(1),
        DateTime::UNIX_EPOCH,
    )
}

async fn erase(source: &MemorySource, key: &str) -> Result<Answer<Erased>, PortError> {
    let (context, seven) = (context(key), [Locator::new(desk::PERSON)]);
    let Answer::Done(plan) = source.plan(&context, &seven, &Work::Erase).await? else {
        return Err(PortError::refused("plan"));
    };
    source.erase(&context, &seven, &plan).await
}

#[tokio::test]
async fn what_is_withheld_until_a_day_is_free_on_the_day_after() {
    let clock = TestClock::at(DateTime::UNIX_EPOCH);
    let last = clock_day(&clock, 10);
    let source = MemorySource::new(SourceId::new("books").unwrap(), "Books")
        .with(
            datarights::adapters::MemoryCollection::new("invoices", ["amount"]).withheld(
                datarights::model::Ground::new("tax_records"),
                Until::Date(last),
            ),
        )
        .with_clock(Arc::new(clock.clone()));
    source.insert("invoices", desk::PERSON, [100]).unwrap();
    clock.advance(chrono::TimeDelta::days(10)); // the last day it is kept
    let Ok(Answer::Done(erased)) = erase(&source, "first").await else {
        unreachable!("it was not done")
    };
    let kept = WithheldRows {
        collection: "invoices".to_owned(),
        rows: 1,
        ground: datarights::model::Ground::new("tax_records"),
        until: Until::Date(last),
        restricted: false,
    };
    assert_eq!(erased.withheld, [kept]);
    clock.advance(chrono::TimeDelta::days(1));
    let Ok(Answer::Done(erased)) = erase(&source, "tail").await else {
        unreachable!("it was not done")
    };
    assert_eq!(erased.rows, [RowCount::new("invoices", 1)]);
    assert!(source.rows().is_empty());
}

fn clock_day(clock: &TestClock, days: i64) -> chrono::NaiveDate {
    use datarights::ports::Clock;
    (clock.now() + chrono::TimeDelta::days(days)).date_naive()
}

#[tokio::test]
async fn what_is_not_in_the_plan_stays_and_is_told() {
    let source = desk(ALL);
    let (context, seven) = (context("erase"), [Locator::new(desk::PERSON)]);
    let Ok(Answer::Done(mut plan)) = source.plan(&context, &seven, &Work::Erase).await else {
        unreachable!("it was not planned")
    };
    plan.rows.retain(|line| line.collection != "tickets");
    let Ok(Answer::Partly { missing, .. }) = source.erase(&context, &seven, &plan).await else {
        unreachable!("it was done")
    };
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].rows, Some(5));
}

#[tokio::test]
async fn a_cancelled_erasure_stops_and_is_finished_later() {
    let source = desk(ALL);
    let (context, seven) = (context("erase"), [Locator::new(desk::PERSON)]);
    let Ok(Answer::Done(plan)) = source.plan(&context, &seven, &Work::Erase).await else {
        unreachable!("it was not planned")
    };
    assert!(matches!(plan.rows[0].action, PlannedAction::Delete));
    let mut erasing = Box::pin(source.erase(&context, &seven, &plan));
    assert!(futures::poll!(&mut erasing).is_pending());
    context.cancel.cancel();
    let stopped = erasing.await.map_err(|error| error.kind);
    assert_eq!(stopped, Err(ErrorKind::Cancelled));
    assert!(!source.rows_of(desk::PERSON).is_empty());
    assert!(matches!(erase(&source, "erase").await, Ok(Answer::Done(_))));
    assert_eq!(source.rows_of(desk::PERSON).len(), 2); // the invoices
}
