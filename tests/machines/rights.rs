//! Courses of restrictions, ended uses and reviews that could go wrong.

use datarights::model::{Actor, Failure, IdentifierKind, Outcome, RequestId, Right, Verdict};
use datarights::workflow::fulfilment::{self, Phase};
use datarights::workflow::{
    Cause, Command, Event, Finding, Landscape, Letter, Rejection, StepResult, Target, Task,
    lifecycle, receive,
};

use crate::world::*;

/// A world of sources that are searched by mail, and one recipient.
fn world(right: Right, sources: &[&str]) -> World {
    let landscape = Landscape {
        sources: sources
            .iter()
            .map(|name| source(name, &[IdentifierKind::Mail], &[]))
            .collect(),
        recipients: vec![party("mailer")],
    };
    World::new(right, plain_policy(), landscape)
}

fn targets(course: &Course) -> Vec<String> {
    let steps = course.work().steps.iter();
    steps.map(|step| step.target.to_string()).collect()
}

/// A restriction of which only `crm` came to be: `chat` could not be searched.
fn half_restricted() -> Course {
    let mut course = Course::approved(world(Right::Restriction, &["crm", "chat"]));
    course.answer_source("crm", StepResult::done(located("crm", 3, None)));
    course.answer_source("chat", failed());
    course.work_until(Phase::Restricted);
    assert_eq!(course.work().outcome, Some(Outcome::Partly));
    course.give(lifecycle::Command::Rework);
    course
}

#[test]
fn a_restriction_taken_up_again_searches_only_what_is_not_restricted() {
    let mut course = half_restricted();
    assert_eq!(targets(&course), ["chat"]);
    course.answer_source("chat", StepResult::done(located("chat", 1, None)));
    course.work_until(Phase::Restricting);
    assert_eq!(targets(&course), ["chat"]);
    course.work_until(Phase::Restricted);
    assert_eq!(course.work().outcome, Some(Outcome::Done));
    let told = course.effects.iter().filter(|e| e.starts_with("inform/"));
    assert_eq!(told.count(), 1);
}

#[test]
fn what_came_to_light_since_is_restricted_too() {
    let mut course = half_restricted();
    let learned = Some(IdentifierKind::Mail);
    course.answer_source("chat", StepResult::done(located("chat", 1, learned)));
    course.answer_source("crm", StepResult::done(located("crm", 4, None)));
    course.work_until(Phase::Restricting);
    assert_eq!(targets(&course), ["crm", "chat"]);
}

#[test]
fn what_a_later_search_does_not_find_is_still_lifted() {
    let mut course = half_restricted();
    let learned = Some(IdentifierKind::Mail);
    course.answer_source("chat", StepResult::done(located("chat", 1, learned)));
    course.answer_source("crm", StepResult::done(located("crm", 0, None)));
    course.work_until(Phase::Restricted).answered();
    course.give(fulfilment::Command::Lift);
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::RestrictionLifted,
    });
    course.work_until(Phase::Lifting);
    assert_eq!(targets(&course), ["crm", "chat"]);
    let crm = course.work().source(&source_id("crm")).unwrap();
    assert!(crm.is_found(), "by what else is it lifted");
}

#[test]
fn a_source_that_cannot_restrict_is_named() {
    let mut course = Course::approved(world(Right::Restriction, &["crm", "chat"]));
    course.work_until(Phase::Restricting);
    course.answer_source("crm", StepResult::Unsupported);
    course.work_until(Phase::Restricted);
    assert_eq!(course.work().outcome, Some(Outcome::Partly));
    let missing: Vec<_> = course.work().missing().collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].1.failure, Failure::Unsupported);

    let mut nowhere = Course::approved(world(Right::Restriction, &["crm"]));
    nowhere.work_until(Phase::Restricting);
    nowhere.answer_source("crm", StepResult::Unsupported);
    assert_eq!(nowhere.work().phase, Phase::Ended);
    assert_eq!(nowhere.work().outcome, Some(Outcome::Unsupported));
    let told = |effect: &String| effect.starts_with("inform/");
    assert!(!nowhere.effects.iter().any(told), "of what is not so");
}

#[test]
fn a_restriction_whose_answer_was_lost_may_be_in_force_and_is_lifted() {
    let mut course = Course::approved(world(Right::Restriction, &["crm"]));
    course.work_until(Phase::Restricting);
    course.answer_source("crm", failed());
    course.work_until(Phase::Restricted);
    assert!(course.work().sources[0].restricted);
    course.give(lifecycle::Command::Release).answered();
    course.give(fulfilment::Command::Lift);
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::RestrictionLifted,
    });
    course.work_until(Phase::Ended);
    assert!(!course.work().sources[0].restricted);
}

/// To ask again could not help: staff is told which source it is, and lifts there by hand.
#[test]
fn a_source_that_cannot_lift_is_named() {
    let mut course = Course::approved(world(Right::Restriction, &["crm", "chat"]));
    course.work_until(Phase::Restricted).answered();
    course.give(fulfilment::Command::Lift);
    course.give(lifecycle::Command::LetterSent {
        letter: Letter::RestrictionLifted,
    });
    course.work_until(Phase::Lifting);
    course.answer_source("crm", StepResult::Unsupported);
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Partly));
    let missing: Vec<_> = course.work().missing().collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].0, Target::Source(source_id("crm")));
    assert_eq!(missing[0].1.failure, Failure::Unsupported);
    assert!(course.work().source(&source_id("crm")).unwrap().restricted);
    assert!(!course.work().source(&source_id("chat")).unwrap().restricted);
}

#[test]
fn the_end_of_a_use_is_done_only_if_everybody_answered() {
    for (result, outcome) in [
        (StepResult::done(stopped(0, None)), Outcome::Done),
        (StepResult::Unsupported, Outcome::Partly),
        (failed(), Outcome::Partly),
    ] {
        let mut course = Course::of(world(Right::ConsentWithdrawal, &["crm", "chat"]));
        assert_eq!(targets(&course), ["crm", "chat", "mailer"]);
        let mailer = Target::Recipient(party("mailer"));
        course.answer(&mailer, success(Task::Stop, &mailer));
        course.answer_source("crm", StepResult::done(stopped(0, None)));
        assert_eq!(course.work().phase, Phase::Stopping);
        course.answer_source("chat", result);
        assert_eq!(course.work().outcome, Some(outcome));
    }
}

#[test]
fn what_is_taken_up_again_asks_only_whoever_did_not_do_it() {
    let mut course = Course::of(world(Right::ConsentWithdrawal, &["crm", "chat"]));
    course.answer_source("crm", failed());
    course.work_until(Phase::Ended);
    course.give(lifecycle::Command::Rework);
    assert_eq!(targets(&course), ["crm"]);
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Done));
}

#[test]
fn what_begins_at_once_joins_no_other_request_and_is_not_called_back() {
    let world = world(Right::ConsentWithdrawal, &["crm"]);
    let context = world.context(start(), &Actor::Person, &Cause::Command);
    let mut intake = world.intake();
    intake.joins = Some(RequestId::new(uuid::Uuid::from_u128(9)));
    let pin = world.setting().regime.pin().unwrap();
    let decision = receive(intake, pin, &context).unwrap();
    assert!(decision.events.iter().any(|e| e.event == Event::Granted));
    assert_eq!(decision.next.lifecycle.end, None);

    let course = Course::of(world);
    for command in [
        lifecycle::Command::Withdraw,
        lifecycle::Command::Refuse { ground: ground() },
    ] {
        let rejected = course.attempt(command);
        assert!(matches!(rejected, Err(Rejection::TooLate { .. })));
    }
}

#[test]
fn a_granted_appeal_is_approved_without_an_identity_where_none_was_needed() {
    let mut course = Course::of(world(Right::ConsentWithdrawal, &["crm"]));
    course.answer_source("crm", StepResult::Unsupported);
    course.work_until(Phase::Ended);
    course.give(lifecycle::Command::Release).answered();
    course.appealed_and_approved();
    assert_eq!(
        course.phases(),
        (lifecycle::Phase::Fulfilment, Phase::Stopping)
    );
}

#[test]
fn no_machine_brings_the_verdict_of_a_review() {
    let mut course = Course::approved(world(Right::HumanReview, &["crm"]));
    assert_eq!(targets(&course), ["request"], "no source is asked");
    course.answer(&Target::Request, StepResult::Pending(pending()));
    let verdict = StepResult::done(Finding::Reviewed {
        verdict: Verdict::Upheld,
    });
    let by = |actor: &Actor, result: StepResult| {
        let command = Command::Work(answer(Task::Review, &Target::Request, result));
        let now = course.situation.now;
        course.world.decide(course.request(), now, actor, &command)
    };
    for actor in [Actor::Engine, Actor::Host, Actor::Processor(party("ai"))] {
        let refused = by(&actor, verdict.clone());
        assert!(matches!(refused, Err(Rejection::WrongActor { .. })));
    }
    let human = by(&staff("ben"), verdict).unwrap();
    assert_eq!(
        human.next.fulfilment.unwrap().verdict,
        Some(Verdict::Upheld)
    );
    // Who cannot do it refuses the request, with a ground.
    let cannot = by(&staff("ben"), StepResult::Unsupported);
    assert!(matches!(cannot, Err(Rejection::WrongResult { .. })));
}

#[test]
fn a_review_that_is_appealed_is_made_anew() {
    let mut course = Course::approved(world(Right::HumanReview, &[]));
    course.work_until(Phase::Ended).answered();
    assert!(course.work().verdict.is_some());
    course.appealed_and_approved();
    assert_eq!(course.work().verdict, None);
    assert_eq!(course.work().phase, Phase::Reviewing);
}
