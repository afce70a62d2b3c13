//! What is still to do, told from the history after every step of a course; what is still waited for;
//! and what a request will be once a letter is out.

use chrono::TimeDelta;
use datarights::model::{Actor, End, Failure, IdentifierKind, Outcome, Right};
use datarights::workflow::fulfilment::Phase;
use datarights::workflow::{
    Cause, Command, Decision, Effect, Landscape, Letter, Target, Task, Timer, lifecycle, owed,
};

use crate::kept::Kept;
use crate::world::*;

/// A course with its history, and what an engine would keep beside it.
struct Told {
    course: Course,
    kept: Kept,
}

impl Told {
    fn of(world: World) -> Self {
        let course = Course::of(world);
        let mut told = Self {
            kept: Kept::default(),
            course,
        };
        told.take(&Cause::Command);
        told
    }

    fn take(&mut self, cause: &Cause) {
        self.kept.absorb(cause, &self.course.last);
        self.kept
            .must_be_told(&self.course.world, &self.course.situation);
    }

    fn give(&mut self, command: impl Into<Command>) -> &mut Self {
        let command = command.into();
        let cause = match &command {
            Command::Fire(timer) => Cause::Timer(*timer),
            _ => Cause::Command,
        };
        self.course.give(command);
        self.take(&cause);
        self
    }

    /// What came of an effect, reported by the engine.
    fn report(&mut self, command: impl Into<Command>) -> &mut Self {
        let command = command.into();
        let cause = self.kept.cause(&Actor::Engine, &command);
        assert!(matches!(cause, Cause::Effect(_)), "{command:?}");
        let situation = &self.course.situation;
        let decision: Decision = self
            .course
            .world
            .decide_because(
                &situation.request,
                situation.now,
                &Actor::Engine,
                &command,
                &cause,
            )
            .unwrap();
        self.course.situation = situation.next(situation.now, &decision);
        self.course.last = decision;
        self.take(&cause);
        self
    }

    fn sent(&mut self, letter: Letter) -> &mut Self {
        self.report(lifecycle::Command::LetterSent { letter })
    }

    fn wait(&mut self, span: TimeDelta) -> &mut Self {
        self.course.wait(span);
        self
    }

    /// Answers the steps that are told with success until the work is in this phase.
    fn work_until(&mut self, phase: Phase) -> &mut Self {
        while self.course.work().phase != phase {
            let step = self.effects().into_iter().find_map(|effect| match effect {
                Effect::Step { task, target, .. } => Some((task, target)),
                _ => None,
            });
            let (task, target) = step.unwrap();
            self.give(answer(task, &target, success(task, &target)));
        }
        self
    }

    /// The timers that the history tells of.
    fn timers(&self) -> Vec<Timer> {
        self.owed()
            .timers
            .into_iter()
            .map(|(timer, _)| timer)
            .collect()
    }

    fn effects(&self) -> Vec<Effect> {
        let effects = self.owed().effects.into_iter();
        effects.map(|(_, effect, _)| effect).collect()
    }

    fn owed(&self) -> datarights::workflow::Owed {
        let now = self.course.situation.now;
        let world = &self.course.world;
        let context = world.context(now, &Actor::Engine, &Cause::Command);
        owed(self.kept.history(), &context).unwrap()
    }
}

fn identified(world: World) -> Told {
    let mut told = Told::of(world);
    told.give(lifecycle::Command::RequestIdentity)
        .sent(Letter::IdentityRequest)
        .wait(TimeDelta::days(1))
        .give(lifecycle::Command::ConfirmIdentity)
        .give(lifecycle::Command::Approve);
    told
}

#[test]
fn the_time_for_an_earlier_answer_does_not_run_for_the_confirmation_of_an_erasure() {
    let mut world = World::simple(Right::Erasure);
    world.policy.confirm_erasure = true;
    world.policy.grace = Some(TimeDelta::days(3));
    let mut told = identified(world);
    told.work_until(Phase::Confirmation);
    assert!(
        !told.timers().contains(&Timer::Expiry),
        "its letter is not out"
    );
    told.sent(Letter::ConfirmationRequest);
    assert!(told.timers().contains(&Timer::Expiry));
    told.give(datarights::workflow::fulfilment::Command::Confirm);
    assert!(!told.timers().contains(&Timer::Expiry));
    assert!(told.timers().contains(&Timer::Grace));
    told.course.fire(Timer::Grace);
}

#[test]
fn each_question_is_told_until_it_is_answered() {
    let mut told = Told::of(World::simple(Right::Access).under_law("uk_gdpr"));
    told.give(lifecycle::Command::RequestIdentity);
    assert!(told.effects().contains(&Effect::Challenge));
    told.sent(Letter::IdentityRequest)
        .give(lifecycle::Command::ConfirmIdentity);
    assert!(!told.effects().contains(&Effect::Challenge));
    told.give(lifecycle::Command::AskClarification);
    assert!(!told.timers().contains(&Timer::Expiry));
    told.sent(Letter::ClarificationRequest);
    assert!(told.timers().contains(&Timer::Expiry));
    told.give(lifecycle::Command::Clarify);
    assert!(!told.timers().contains(&Timer::Expiry));
}

#[test]
fn an_erasure_that_waits_for_another_source_is_not_told_as_to_be_done() {
    let landscape = Landscape {
        sources: vec![
            source("accounts", &[IdentifierKind::Mail], &["orders"]),
            source("orders", &[IdentifierKind::Mail], &[]),
        ],
        recipients: Vec::new(),
    };
    let mut told = identified(World::new(Right::Erasure, plain_policy(), landscape));
    told.work_until(Phase::Erasing);
    let erased = |told: &Told| -> Vec<String> {
        let effects = told.effects().into_iter();
        effects
            .filter_map(|effect| match effect {
                Effect::Step {
                    task: Task::Erase,
                    target,
                    ..
                } => Some(target.to_string()),
                _ => None,
            })
            .collect()
    };
    let orders = Target::Source(source_id("orders"));
    let accounts = Target::Source(source_id("accounts"));
    assert_eq!(erased(&told), [orders.to_string()]);
    told.give(answer(Task::Erase, &orders, success(Task::Erase, &orders)));
    assert_eq!(erased(&told), [accounts.to_string()]);
}

#[test]
fn whoever_is_under_a_restriction_is_told_before_it_ends() {
    let mut told = identified(World::simple(Right::Restriction));
    told.work_until(Phase::Restricted);
    told.sent(Letter::Response)
        .give(datarights::workflow::fulfilment::Command::Lift);
    assert_eq!(told.course.work().phase, Phase::Announcing);
    let announced = Effect::Notify(Letter::RestrictionLifted);
    assert!(told.effects().contains(&announced));
    told.sent(Letter::RestrictionLifted);
    assert!(!told.effects().contains(&announced));
}

#[test]
fn the_package_of_who_withdraws_is_given_up_and_that_of_who_was_answered_is_kept_for_a_while() {
    let read = || {
        let mut world = World::simple(Right::Access);
        world.policy.review = datarights::workflow::Review::Always;
        let mut told = identified(world);
        told.work_until(Phase::Ended);
        told
    };
    let mut withdrawn = read();
    withdrawn.give(lifecycle::Command::Withdraw);
    assert_eq!(
        withdrawn.course.request().lifecycle.end,
        Some(End::Withdrawn)
    );
    assert!(withdrawn.effects().contains(&Effect::DeletePackage));

    let mut answered = read();
    answered
        .give(lifecycle::Command::Release)
        .sent(Letter::Response)
        .give(Command::Fire(Timer::Appeal));
    let end = Some(End::Answered(Outcome::Done));
    assert_eq!(answered.course.request().lifecycle.end, end);
    assert!(!answered.effects().contains(&Effect::DeletePackage));
    assert!(answered.timers().contains(&Timer::Package));
    // Deleted at the very instant, it is not looked for again.
    answered.course.situation.now = answered.course.situation.timers[&Timer::Package];
    answered.give(Command::Fire(Timer::Package));
    assert!(
        answered.timers().contains(&Timer::Package),
        "a timer leaves no trace"
    );
    answered.report(lifecycle::Command::PackageDeleted);
    assert!(!answered.timers().contains(&Timer::Package));
    assert!(answered.timers().contains(&Timer::Personal));
}

#[test]
fn after_an_appeal_the_person_has_anew_the_time_to_appeal() {
    let mut told = Told::of(World::simple(Right::Access));
    told.give(lifecycle::Command::ConfirmIdentity)
        .give(lifecycle::Command::Refuse { ground: ground() })
        .sent(Letter::Refusal);
    assert!(told.timers().contains(&Timer::Appeal));
    told.wait(TimeDelta::days(2))
        .give(lifecycle::Command::Appeal);
    assert!(!told.timers().contains(&Timer::Appeal));
    told.wait(TimeDelta::days(2))
        .give(lifecycle::Command::DecideAppeal { granted: true });
    assert!(!told.timers().contains(&Timer::Appeal));
    told.give(lifecycle::Command::Approve)
        .work_until(Phase::Ended);
    told.sent(Letter::Response);
    assert!(told.timers().contains(&Timer::Appeal));
}

#[test]
fn who_let_a_fee_lapse_is_told_that_the_request_is_over() {
    let mut told = Told::of(World::simple(Right::Access).under_law("ch_fadp"));
    told.give(lifecycle::Command::ConfirmIdentity)
        .give(lifecycle::Command::ChargeFee {
            minor_units: 20_000,
            currency: "CHF".to_owned(),
            ground: None,
        })
        .sent(Letter::FeeRequest)
        .give(Command::Fire(Timer::Expiry));
    assert_eq!(told.course.request().lifecycle.end, Some(End::Withdrawn));
    assert!(told.effects().contains(&Effect::Notify(Letter::Expiry)));
    let mut withdrawn = Told::of(World::simple(Right::Access).under_law("ch_fadp"));
    withdrawn.give(lifecycle::Command::Withdraw);
    assert!(
        !withdrawn
            .effects()
            .contains(&Effect::Notify(Letter::Expiry))
    );
}

// ---- what is still waited for

#[test]
fn a_question_is_waited_for_while_it_is_the_one_that_is_open() {
    let mut course = Course::of(World::simple(Right::Access));
    let questions = [
        Letter::IdentityRequest,
        Letter::ClarificationRequest,
        Letter::FeeRequest,
    ];
    let open = |course: &Course| -> Vec<Letter> {
        let request = course.request();
        for letter in questions {
            let awaited = request.awaits(&Effect::Notify(letter));
            assert_eq!(awaited, !request.is_moot(letter));
        }
        questions
            .into_iter()
            .filter(|letter| !request.is_moot(*letter))
            .collect()
    };
    assert_eq!(open(&course), []);
    assert!(course.request().is_moot(Letter::ConfirmationRequest));
    assert!(
        course
            .request()
            .awaits(&Effect::Notify(Letter::Acknowledgement))
    );
    assert!(!course.request().awaits(&Effect::Challenge));
    course.give(lifecycle::Command::RequestIdentity);
    assert_eq!(open(&course), [Letter::IdentityRequest]);
    assert!(course.request().awaits(&Effect::Challenge));
    course
        .give(lifecycle::Command::ConfirmIdentity)
        .give(lifecycle::Command::AskClarification);
    assert_eq!(open(&course), [Letter::ClarificationRequest]);
    assert!(!course.request().awaits(&Effect::Challenge));
}

#[test]
fn a_package_is_deleted_once_a_request_is_closed_or_refused() {
    let delete = Effect::DeletePackage;
    let mut refused = Course::of(World::simple(Right::Access));
    assert!(!refused.request().awaits(&delete));
    refused.give(lifecycle::Command::Refuse { ground: ground() });
    assert!(!refused.request().lifecycle.is_closed());
    assert!(refused.request().awaits(&delete));
    let mut withdrawn = Course::of(World::simple(Right::Access));
    withdrawn.give(lifecycle::Command::Withdraw);
    assert!(withdrawn.request().lifecycle.refusal.is_none());
    assert!(withdrawn.request().awaits(&delete));
}

// ---- once a letter is out

#[test]
fn no_letter_promises_a_day_that_falls_with_it() {
    // In the United Kingdom the clock starts again with what identifies the person.
    let mut course = Course::of(World::simple(Right::Access).under_law("uk_gdpr"));
    course.give(lifecycle::Command::RequestIdentity);
    let once_out = |course: &Course, letter| {
        let request = course.request();
        request
            .once_out(letter, course.world.setting())
            .unwrap()
            .into_owned()
    };
    assert!(course.request().answer_due().is_some());
    assert_eq!(
        once_out(&course, Letter::IdentityRequest).answer_due(),
        None
    );
    for other in [Letter::ClarificationRequest, Letter::Acknowledgement] {
        assert_eq!(once_out(&course, other), *course.request());
    }
    // The person is not asked by a letter whose challenge failed.
    let mut failed = Course::of(World::simple(Right::Access).under_law("uk_gdpr"));
    failed
        .give(lifecycle::Command::RequestIdentity)
        .give(lifecycle::Command::ChallengeFailed {
            failure: Failure::Unavailable,
        });
    let out = once_out(&failed, Letter::IdentityRequest);
    assert_eq!(out, *failed.request());
    // Once it is out, the day is gone already.
    course.sent(Letter::IdentityRequest);
    assert_eq!(
        once_out(&course, Letter::IdentityRequest),
        *course.request()
    );
}
