//! Sources that break one line of the contract each: the suite must find every one, on its line.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "source_desk/mod.rs"]
mod desk;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use datarights::adapters::MemorySource;
use datarights::model::{
    Assurance, Collection, Column, ControllerId, Correction, Digest, Identifier, Personal,
    RowCount, Use, Value,
};
use datarights::ports::{
    Answer, CallContext, Cancel, Cell, Erased, ErrorKind, IdempotencyKey, Item, Located, Locator,
    PersonalDataSource, PlannedAction, PortError, Reading, Residue, SourceDescription, SourcePlan,
    Stopped, Work,
};
use datarights::testkit::source_suite::{Oracle, OracleRow, Whose};
use datarights::testkit::{SourceLine, source_suite};
use desk::{DeskOracle, PASSWORD, PERSON, Rules, correction, desk, specimen};
use futures::{StreamExt, stream};

/// What a mutant does wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Wrong {
    LocateWrites,
    LocatesTooMuch,
    LocatorsDieWithTheAccount,
    FailsForStrangers,
    FindsEverybodyForNobody,
    ComparesAsWritten,
    PlanWrites,
    PlanHidesRetention,
    PlanNeverTheSame,
    PlansTheImpossible,
    RefusesForeignCorrections,
    CorrectsNothing,
    HidesWhatIsCorrected,
    RowsOfWrongLength,
    Interleaves,
    RowsBeforeCollections,
    MissesACollection,
    MissesARow,
    BreaksWhileReading,
    ShowsSecrets,
    ShowsSecretsInFileNames,
    SecondErasureFails,
    SecondErasureCountsDouble,
    SecondErasureAnswersForItself,
    SecondCorrectionCountsNothing,
    SecondStopCountsNothing,
    LiftsForOthers,
    StopsNothing,
    StopsWhoIsThere,
    StopsNotForStrangers,
    StopsEverybody,
    StopsForEveryController,
    StopsUntilErased,
    StopsByErasing,
    LiesAboutErasing,
    ErasesNothingButSaysPartly,
    IgnoresRetention,
    ForgetsToNameWhatIsKept,
    ClaimsTooMuch,
    PendsForEver,
    ErasesTheAccountFirst,
    NothingIsEverLeft,
    CountsWhatIsKept,
    ResiduePanics,
    ErasesNeighbours,
    RestrictsEverybody,
    SharesALocator,
    ErrorsShowValues,
    ErrorsShowTexts,
    IgnoresCancel,
    ReadsOnWhenCancelled,
}

/// A source that does one thing wrong.
struct Mutant {
    inner: MemorySource,
    wrong: Wrong,
    calls: AtomicU64,
    /// How often each key erased.
    erased: Mutex<HashMap<IdempotencyKey, u32>>,
}

/// Another cancellation, which nobody sets.
fn deaf(context: &CallContext) -> CallContext {
    let mut context = context.clone();
    context.cancel = Cancel::default();
    context
}

async fn breathe() {
    let mut breathed = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut breathed, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Changes what was answered, where it was done.
fn done<T>(answer: Answer<T>, change: impl FnOnce(T) -> T) -> Answer<T> {
    match answer {
        Answer::Done(done) => Answer::Done(change(done)),
        other => other,
    }
}

impl Mutant {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn context(&self, context: &CallContext) -> CallContext {
        if self.is(Wrong::IgnoresCancel) {
            return deaf(context);
        }
        context.clone()
    }

    /// The locators as the inner source knows them.
    async fn real(&self, locators: &[Locator]) -> Result<Vec<Locator>, PortError> {
        if !self.is(Wrong::LocatorsDieWithTheAccount) {
            return Ok(locators.to_vec());
        }
        let identifiers: Vec<Identifier> = locators
            .iter()
            .filter_map(|locator| Identifier::mail(locator.expose()).ok())
            .collect();
        match self.inner.locate(&calm(), &identifiers).await? {
            Answer::Done(located) => Ok(located.locators),
            _ => Ok(Vec::new()),
        }
    }

    fn error(&self, error: PortError, values: &[Correction]) -> PortError {
        let value = values.first().map_or("", |c| c.value.expose().as_str());
        match self.wrong {
            Wrong::ErrorsShowValues => {
                let code = value.replace(['-', ' '], "_");
                PortError::new(error.kind, code)
            }
            Wrong::ErrorsShowTexts => error.at(format!("ERROR: invalid input syntax: \"{value}\"")),
            _ => error,
        }
    }
}

/// The context of a call that a mutant makes by itself.
fn calm() -> CallContext {
    CallContext::new(
        datarights::model::ControllerId::new("mutant").unwrap(),
        datarights::model::RequestId::new(uuid::Uuid::nil()),
        IdempotencyKey("mutant".to_owned()),
        datarights::ports::Fence(1),
        chrono::DateTime::UNIX_EPOCH,
    )
}

#[async_trait]
impl PersonalDataSource for Mutant {
    fn describe(&self) -> SourceDescription {
        self.inner.describe()
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        let context = self.context(context);
        let as_written = ["ada@example.org", "+33123456789", "bob@example.org"];
        let mut wanted = identifiers.to_vec();
        if self.is(Wrong::ComparesAsWritten) {
            wanted.retain(|identifier| match identifier {
                Identifier::Mail(text) | Identifier::Phone(text) => {
                    as_written.contains(&text.expose().as_str())
                }
                _ => true,
            });
        }
        let answer = self.inner.locate(&context, &wanted).await?;
        if let (Wrong::FailsForStrangers, Answer::Done(located)) = (self.wrong, &answer)
            && located.locators.is_empty()
        {
            return Err(PortError::refused("no_such_person"));
        }
        if self.is(Wrong::LocateWrites) {
            let mut touch = calm();
            touch.key = IdempotencyKey(format!("{:?}", self.calls.fetch_add(1, Ordering::Relaxed)));
            let seven = [Locator::new(PERSON)];
            self.inner.restrict(&touch, &seven, true).await?;
        }
        Ok(done(answer, |mut located| {
            match self.wrong {
                Wrong::FindsEverybodyForNobody if identifiers.is_empty() => {
                    located.locators = vec![Locator::new(PERSON), Locator::new("8")];
                }
                Wrong::SharesALocator if !located.locators.is_empty() => {
                    located.locators.push(Locator::new("everybody"));
                }
                Wrong::LocatesTooMuch if !located.locators.is_empty() => {
                    let rows = (0..300).map(|n| Locator::new(format!("row:{n}")));
                    located.locators.extend(rows);
                }
                Wrong::LocatorsDieWithTheAccount => {
                    for locator in &mut located.locators {
                        let mail = match locator.expose() {
                            PERSON => "ada@example.org",
                            _ => "bob@example.org",
                        };
                        *locator = Locator::new(mail);
                    }
                }
                _ => {}
            }
            located
        }))
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        let (context, locators) = (self.context(context), self.real(locators).await?);
        let wishes = match work {
            Work::Rectify(wishes) => wishes.as_slice(),
            _ => &[],
        };
        if self.is(Wrong::RefusesForeignCorrections) && wishes.iter().any(|w| w.field == "field") {
            return Err(PortError::refused("no_such_collection"));
        }
        let answer = match self.inner.plan(&context, &locators, work).await {
            Err(error)
                if self.is(Wrong::PlansTheImpossible) && error.kind == ErrorKind::Refused =>
            {
                Answer::Done(SourcePlan::default())
            }
            other => other.map_err(|error| self.error(error, wishes))?,
        };
        if self.is(Wrong::PlanWrites) {
            self.inner.restrict(&calm(), &locators, true).await?;
        }
        Ok(done(answer, |mut plan| {
            match self.wrong {
                Wrong::PlanHidesRetention => plan
                    .rows
                    .retain(|line| !matches!(line.action, PlannedAction::Withhold { .. })),
                Wrong::PlanNeverTheSame => {
                    let nth = self.calls.fetch_add(1, Ordering::Relaxed);
                    plan.digest = Digest::of(&nth.to_le_bytes());
                }
                Wrong::HidesWhatIsCorrected => {
                    for current in &mut plan.current {
                        current.value = Personal::new(current.value.expose().to_uppercase());
                    }
                }
                _ => {}
            }
            plan
        }))
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        let (mut context, locators) = (self.context(context), self.real(locators).await?);
        if self.is(Wrong::ReadsOnWhenCancelled) && !context.cancel.is_cancelled() {
            context = deaf(&context);
        }
        let wrong = self.wrong;
        let answer = self.inner.read(&context, &locators).await?;
        Ok(done(answer, |items| misread(items, wrong)))
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let (context, locators) = (self.context(context), self.real(locators).await?);
        let foreign = corrections.iter().any(|wish| wish.field == "field");
        if self.is(Wrong::CorrectsNothing) && !foreign && !context.cancel.is_cancelled() {
            return Ok(Answer::Done(vec![RowCount::new("users", 1)]));
        }
        let second = {
            let mut keys = self.erased.lock().unwrap();
            let times = keys.entry(context.key.clone()).or_default();
            *times += 1;
            *times > 1
        };
        let answer = self.inner.rectify(&context, &locators, corrections).await;
        let answer = answer.map_err(|error| self.error(error, corrections))?;
        Ok(done(answer, |rows| match self.wrong {
            Wrong::SecondCorrectionCountsNothing if second => Vec::new(),
            _ => rows,
        }))
    }

    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let (context, mut locators) = (self.context(context), self.real(locators).await?);
        let mut context = context;
        if self.is(Wrong::LiftsForOthers) {
            context.request = datarights::model::RequestId::new(uuid::Uuid::nil());
        }
        if self.is(Wrong::RestrictsEverybody) {
            locators.push(Locator::new("8"));
        }
        self.inner.restrict(&context, &locators, restricted).await
    }

    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        let context = self.context(context);
        if context.cancel.is_cancelled() {
            return self.inner.stop(&context, identifiers, uses).await;
        }
        let found = self.inner.locate(&context, identifiers).await?;
        let is_stranger = matches!(&found, Answer::Done(l) if l.locators.is_empty());
        let nothing = Ok(Answer::Done(Stopped::default()));
        match self.wrong {
            Wrong::StopsNothing => return nothing,
            Wrong::StopsWhoIsThere if is_stranger => return nothing,
            Wrong::StopsNotForStrangers if is_stranger => {
                return Err(PortError::refused("no_such_person"));
            }
            Wrong::StopsEverybody => {
                let bob = [Identifier::mail("bob@example.org").unwrap()];
                let mut calm = calm();
                calm.controller = context.controller.clone();
                self.inner.stop(&calm, &bob, uses).await?;
            }
            Wrong::StopsForEveryController => {
                let mut calm = calm();
                calm.controller = ControllerId::new("neighbour").unwrap();
                self.inner.stop(&calm, identifiers, uses).await?;
            }
            Wrong::StopsByErasing => self.inner.lose("tickets", PERSON).unwrap(),
            _ => {}
        }
        let second = {
            let mut keys = self.erased.lock().unwrap();
            let times = keys.entry(context.key.clone()).or_default();
            *times += 1;
            *times > 1
        };
        let answer = self.inner.stop(&context, identifiers, uses).await?;
        Ok(done(answer, |mut stopped| {
            if self.is(Wrong::SecondStopCountsNothing) && second {
                stopped.rows.clear();
            }
            stopped
        }))
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let (context, locators) = (self.context(context), self.real(locators).await?);
        if context.cancel.is_cancelled() {
            return self.inner.erase(&context, &locators, plan).await;
        }
        let times = {
            let mut keys = self.erased.lock().unwrap();
            let times = keys.entry(context.key.clone()).or_default();
            *times += 1;
            *times
        };
        let claimed = || {
            let rows = plan.rows.iter().filter_map(|line| match line.action {
                PlannedAction::Withhold { .. } => None,
                _ => Some(RowCount::new(&line.collection, line.rows)),
            });
            Erased {
                rows: rows.collect(),
                withheld: Vec::new(),
                assurance: Assurance::Deleted,
            }
        };
        match self.wrong {
            Wrong::LiesAboutErasing => return Ok(Answer::Done(claimed())),
            Wrong::ErasesNothingButSaysPartly => {
                return Ok(Answer::Partly {
                    done: claimed(),
                    missing: Vec::new(),
                });
            }
            Wrong::SecondErasureFails if times > 1 => {
                return Err(PortError::refused("nothing_to_erase"));
            }
            Wrong::PendsForEver => {
                return Ok(Answer::Pending(datarights::model::Pending {
                    handle: datarights::model::Handle("for-ever".to_owned()),
                    look_again: chrono::DateTime::UNIX_EPOCH,
                    task: None,
                }));
            }
            Wrong::ErasesTheAccountFirst => {
                for locator in &locators {
                    self.inner.lose("users", locator.expose()).unwrap();
                }
                breathe().await;
            }
            Wrong::ErasesNeighbours => {
                self.inner.lose("tickets", "8").unwrap();
            }
            _ => {}
        }
        let answer = self.inner.erase(&context, &locators, plan).await?;
        Ok(done(answer, |mut erased| {
            match self.wrong {
                Wrong::SecondErasureCountsDouble => {
                    for count in &mut erased.rows {
                        count.rows *= u64::from(times);
                    }
                }
                Wrong::SecondErasureAnswersForItself if times > 1 => erased.rows.clear(),
                Wrong::ForgetsToNameWhatIsKept => erased.withheld.clear(),
                Wrong::ClaimsTooMuch => erased.assurance = Assurance::Shredded,
                _ => {}
            }
            erased
        }))
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        let (context, locators) = (self.context(context), self.real(locators).await?);
        assert!(!self.is(Wrong::ResiduePanics), "a bug");
        let answer = self.inner.residue(&context, &locators).await?;
        Ok(done(answer, |mut left| {
            match self.wrong {
                Wrong::NothingIsEverLeft => left.rows.clear(),
                Wrong::CountsWhatIsKept => left.rows.push(RowCount::new("kept", 2)),
                _ => {}
            }
            left
        }))
    }
}

/// Spoils a reading.
fn misread(items: Reading, wrong: Wrong) -> Reading {
    match wrong {
        Wrong::RowsOfWrongLength => items
            .map(|item| {
                item.map(|item| match item {
                    Item::Row(mut cells) => {
                        cells.push(Cell::Value(Value::Null));
                        Item::Row(cells)
                    }
                    other => other,
                })
            })
            .boxed(),
        Wrong::Interleaves => {
            let again = Collection::new("users", ["a", "b", "c", "d", "e"].map(Column::new));
            items
                .chain(stream::iter([Ok(Item::Collection(again))]))
                .boxed()
        }
        Wrong::RowsBeforeCollections => stream::iter([Ok(Item::Row(Vec::new()))])
            .chain(items)
            .boxed(),
        Wrong::MissesACollection => items.take(2).boxed(), // users, and Ada
        Wrong::MissesARow => items
            .enumerate()
            .filter(|(nth, _)| futures::future::ready(*nth != 4))
            .map(|(_, item)| item)
            .boxed(),
        Wrong::BreaksWhileReading => items
            .take(3)
            .chain(stream::iter([Err(PortError::unavailable("broken"))]))
            .boxed(),
        Wrong::ShowsSecretsInFileNames => items
            .map(|item| {
                item.map(|item| match item {
                    Item::Row(cells) => Item::Row(cells.into_iter().map(renamed).collect()),
                    other => other,
                })
            })
            .boxed(),
        _ => items,
    }
}

fn renamed(cell: Cell) -> Cell {
    match cell {
        Cell::File(mut file) => {
            file.name = format!("{PASSWORD}.txt");
            Cell::File(file)
        }
        other => other,
    }
}

/// An application that notes what it may not do in the rows, and forgets it with them.
struct Forgetful(MemorySource);

#[async_trait]
impl Oracle for Forgetful {
    async fn rows(&self, whose: Whose) -> Vec<OracleRow> {
        DeskOracle(self.0.clone()).rows(whose).await
    }

    async fn lose(&self, collection: &str) -> bool {
        DeskOracle(self.0.clone()).lose(collection).await
    }

    async fn is_used(&self, by: &ControllerId, who: &Identifier, what: &Use) -> Option<bool> {
        let is_gone = self
            .0
            .rows_of(PERSON)
            .iter()
            .all(|row| row.collection != "users");
        Some(is_gone || !self.0.is_stopped(by, who, what))
    }
}

/// Each mutant and the line on which it must be found.
const MUTANTS: &[(Wrong, SourceLine)] = &[
    (Wrong::LocateWrites, SourceLine::FindsFirst),
    (Wrong::LocatesTooMuch, SourceLine::FindsFirst),
    (Wrong::LocatorsDieWithTheAccount, SourceLine::FindsFirst),
    (Wrong::FailsForStrangers, SourceLine::FindsQuietly),
    (Wrong::FindsEverybodyForNobody, SourceLine::FindsQuietly),
    (Wrong::ComparesAsWritten, SourceLine::FindsQuietly),
    (Wrong::PlanWrites, SourceLine::PlansOnly),
    (Wrong::PlanHidesRetention, SourceLine::PlansOnly),
    (Wrong::PlanNeverTheSame, SourceLine::PlansOnly),
    (Wrong::PlansTheImpossible, SourceLine::PlansOnly),
    (Wrong::RefusesForeignCorrections, SourceLine::Corrects),
    (Wrong::CorrectsNothing, SourceLine::Corrects),
    (Wrong::HidesWhatIsCorrected, SourceLine::Corrects),
    (Wrong::RowsOfWrongLength, SourceLine::Reads),
    (Wrong::Interleaves, SourceLine::Reads),
    (Wrong::RowsBeforeCollections, SourceLine::Reads),
    (Wrong::MissesACollection, SourceLine::Reads),
    (Wrong::MissesARow, SourceLine::Reads),
    (Wrong::BreaksWhileReading, SourceLine::Reads),
    (Wrong::ShowsSecrets, SourceLine::KeepsSecrets),
    (Wrong::ShowsSecretsInFileNames, SourceLine::KeepsSecrets),
    (Wrong::SecondErasureFails, SourceLine::Idempotent),
    (Wrong::SecondErasureCountsDouble, SourceLine::Idempotent),
    (Wrong::SecondErasureAnswersForItself, SourceLine::Idempotent),
    (Wrong::SecondCorrectionCountsNothing, SourceLine::Idempotent),
    (Wrong::SecondStopCountsNothing, SourceLine::Idempotent),
    (Wrong::LiftsForOthers, SourceLine::KeepsRestrictions),
    (Wrong::StopsNothing, SourceLine::Stops),
    (Wrong::StopsWhoIsThere, SourceLine::Stops),
    (Wrong::StopsNotForStrangers, SourceLine::Stops),
    (Wrong::StopsEverybody, SourceLine::Stops),
    (Wrong::StopsForEveryController, SourceLine::Stops),
    (Wrong::StopsUntilErased, SourceLine::Stops),
    (Wrong::StopsByErasing, SourceLine::Stops),
    (Wrong::LiesAboutErasing, SourceLine::Erases),
    (Wrong::ErasesNothingButSaysPartly, SourceLine::Erases),
    (Wrong::IgnoresRetention, SourceLine::Erases),
    (Wrong::ForgetsToNameWhatIsKept, SourceLine::Erases),
    (Wrong::ClaimsTooMuch, SourceLine::Erases),
    (Wrong::PendsForEver, SourceLine::Erases),
    (Wrong::ErasesTheAccountFirst, SourceLine::IdentifiesLast),
    (Wrong::NothingIsEverLeft, SourceLine::TellsResidue),
    (Wrong::CountsWhatIsKept, SourceLine::TellsResidue),
    (Wrong::ResiduePanics, SourceLine::TellsResidue),
    (Wrong::ErasesNeighbours, SourceLine::LeavesOthers),
    (Wrong::RestrictsEverybody, SourceLine::LeavesOthers),
    (Wrong::SharesALocator, SourceLine::LeavesOthers),
    (Wrong::ErrorsShowValues, SourceLine::QuietErrors),
    (Wrong::ErrorsShowTexts, SourceLine::QuietErrors),
    (Wrong::IgnoresCancel, SourceLine::Cancels),
    (Wrong::ReadsOnWhenCancelled, SourceLine::Cancels),
];

#[tokio::test]
async fn the_suite_finds_every_mutant_on_its_line() {
    for (wrong, line) in MUTANTS {
        let violations = source_suite::check(async || {
            let desk = desk(Rules {
                secrets: *wrong != Wrong::ShowsSecrets,
                retention: *wrong != Wrong::IgnoresRetention,
            });
            let mutant = Mutant {
                inner: desk.clone(),
                wrong: *wrong,
                calls: AtomicU64::new(0),
                erased: Mutex::default(),
            };
            let forgetful = desk.clone();
            let mut specimen = specimen(Arc::new(mutant), desk);
            if *wrong == Wrong::StopsUntilErased {
                specimen.oracle = Arc::new(Forgetful(forgetful));
            }
            if *wrong == Wrong::ErrorsShowValues {
                // A value that could pass for a code.
                specimen.impossible = Some(correction("users", "age", "thirty_six"));
            }
            specimen
        })
        .await
        .expect_err(&format!("{wrong:?} passed"));
        assert!(violations.has(*line), "{wrong:?} gave {violations}");
        let text = violations.to_string();
        for value in ["ada@example.org", PASSWORD, "thirty"] {
            assert!(!text.contains(value), "{wrong:?}: the report shows a value");
        }
    }
}
