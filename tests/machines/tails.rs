//! Work that rests, is left as it is, is broken off or begins anew: what follows, and when it is looked
//! at again.

use chrono::TimeDelta;
use datarights::model::{Failure, IdentifierKind, Outcome, Right, Until};
use datarights::workflow::fulfilment::{self, Phase};
use datarights::workflow::{
    Approval, Delivery, Event, Finding, Landscape, Letter, Policy, Rejection, Review, StepResult,
    Target, Task, Timer, lifecycle,
};

use crate::world::*;

fn until(days: i64) -> Vec<datarights::model::WithheldRows> {
    vec![withheld(Until::Date(day(days)))]
}

fn reviewing() -> Policy {
    let mut policy = plain_policy();
    policy.review = Review::Always;
    policy
}

/// An erasure of one source by these settings, in the phase of erasing.
fn erasing(policy: Policy) -> Course {
    let mut world = World::simple(Right::Erasure);
    world.policy = policy;
    let mut course = Course::approved(world);
    course.work_until(Phase::Erasing);
    course
}

fn entered(course: &Course, wanted: Phase) -> bool {
    let mut events = course.last.events.iter();
    events.any(|envelope| matches!(envelope.event, Event::Entered { phase } if phase == wanted))
}

fn tail(course: &Course) -> Option<TimeDelta> {
    let tail = course.situation.timers.get(&Timer::Tail)?;
    Some(*tail - course.situation.now)
}

fn too_late(course: &Course, command: lifecycle::Command) -> bool {
    matches!(course.attempt(command), Err(Rejection::TooLate { .. }))
}

// ---- how often, and which plan

#[test]
fn what_is_left_is_erased_as_often_as_the_policy_says() {
    for rounds in 1..=3 {
        let mut policy = plain_policy();
        policy.erasure_rounds = rounds;
        let mut course = erasing(policy);
        let mut erased = 0;
        while course.work().phase == Phase::Erasing {
            erased += 1;
            course
                .work_until(Phase::Searching)
                .answer_source("crm", StepResult::done(left(rows(1))));
        }
        assert_eq!(erased, rounds);
        assert_eq!(course.work().outcome, Some(Outcome::Partly));
    }
}

#[test]
fn what_is_searched_and_not_found_is_not_erased_again() {
    let mut policy = plain_policy();
    policy.erasure_rounds = 3;
    let mut course = erasing(policy);
    course
        .work_until(Phase::Searching)
        .answer_source("crm", StepResult::done(left(vec![])));
    assert_eq!(course.work().outcome, Some(Outcome::Done));
}

#[test]
fn a_plan_is_approved_where_somebody_does_or_did_approve_plans() {
    let plan = |version| StepResult::done(planned("crm", version, 3, vec![]));
    // The policy asks for it since.
    let mut since = Course::approved(World::simple(Right::Erasure));
    since.work_until(Phase::Checking);
    since.world.policy.plan_approval = Approval::OnePerson;
    since.answer_source("crm", plan("b"));
    assert_eq!(since.work().phase, Phase::Approval);
    // It asks for it no more: what was approved is another plan.
    let mut before = Course::of(World::simple(Right::Erasure));
    before.world.policy.plan_approval = Approval::OnePerson;
    before
        .give(lifecycle::Command::ConfirmIdentity)
        .give(lifecycle::Command::Approve);
    before.work_until(Phase::Approval);
    let digest = before.work().plan_digest();
    before
        .give(fulfilment::Command::ApprovePlan { digest })
        .work_until(Phase::Checking);
    before.world.policy.plan_approval = Approval::None;
    before.answer_source("crm", plan("b"));
    assert_eq!(before.work().phase, Phase::Approval);
    assert_eq!(before.work().approved, None);
}

#[test]
fn a_plan_that_changed_is_confirmed_anew() {
    let mut world = World::simple(Right::Erasure);
    world.policy.plan_approval = Approval::OnePerson;
    world.policy.confirm_erasure = true;
    world.policy.grace = Some(TimeDelta::days(3));
    let mut course = Course::approved(world);
    let approve = |course: &mut Course| {
        let digest = course.work().plan_digest();
        course.give(fulfilment::Command::ApprovePlan { digest });
        assert_eq!(course.work().phase, Phase::Confirmation);
        assert!(!course.work().confirmed);
        course.give(fulfilment::Command::Confirm);
        assert!(course.work().confirmed);
        assert_eq!(course.work().phase, Phase::Grace);
        course.fire(Timer::Grace).work_until(Phase::Checking);
    };
    course.work_until(Phase::Approval);
    approve(&mut course);
    let plan = |version| StepResult::done(planned("crm", version, 3, vec![]));
    course.answer_source("crm", plan("b"));
    assert_eq!(course.work().phase, Phase::Approval);
    assert_eq!(course.work().grace_until, None);
    approve(&mut course);
    course.answer_source("crm", plan("b"));
    assert_eq!(course.work().phase, Phase::Erasing);
}

// ---- when it is looked at again

#[test]
fn what_is_withheld_waits_on_when_it_cannot_be_planned_while_somebody_looks_at_it() {
    let mut course = erasing(reviewing());
    course
        .answer_source("crm", StepResult::done(erased(1, until(400))))
        .work_until(Phase::Withholding);
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Review);
    course.fire(Timer::Tail).work_until(Phase::Checking);
    course.answer_source("crm", failed());
    assert_eq!(course.work().phase, Phase::Withholding);
    course.fire(Timer::Tail).work_until(Phase::Ended);
}

/// An erasure that was answered, whose tail failed in part, and of which the rest is kept until then.
fn failing_and_kept(days_more: i64) -> Course {
    let mut course = erasing(plain_policy());
    course
        .answer_source("crm", StepResult::done(erased(1, until(400))))
        .work_until(Phase::Withholding)
        .answered()
        .fire(Timer::Tail)
        .work_until(Phase::Erasing);
    // The tail is due when day 400 is over.
    course
        .answer_source(
            "crm",
            partly(erased(1, until(401 + days_more)), Failure::Unavailable),
        )
        .work_until(Phase::Withholding);
    course
}

#[test]
fn what_failed_is_tried_again_no_later_than_what_is_kept_may_go() {
    let day = TimeDelta::days(1);
    // To the end of that very day: neither sooner nor later than the next try.
    let today = failing_and_kept(0);
    assert_eq!(tail(&today), Some(day));
    assert_eq!(today.work().rests, 0);
    // Beyond the next try: that comes first, and the one after it later still.
    let mut later = failing_and_kept(10);
    assert_eq!(tail(&later), Some(day));
    assert_eq!(later.work().rests, 1);
    for (days, rests) in [(2, 2), (4, 3)] {
        later.fire(Timer::Tail).work_until(Phase::Erasing);
        later
            .answer_source("crm", partly(erased(1, until(411)), Failure::Unavailable))
            .work_until(Phase::Withholding);
        assert_eq!(
            (tail(&later), later.work().rests),
            (Some(day * days), rests)
        );
    }
    // By now what is kept may go before the next try.
    later.fire(Timer::Tail).work_until(Phase::Erasing);
    later
        .answer_source("crm", partly(erased(1, until(411)), Failure::Unavailable))
        .work_until(Phase::Withholding);
    assert!(tail(&later).unwrap() < day * 8);
    assert_eq!(later.work().rests, 0);
}

// ---- left as it is

#[test]
fn only_what_rests_with_something_missing_is_left_as_it_is() {
    let answered = |result| {
        let mut course = erasing(reviewing());
        course
            .answer_source("crm", result)
            .work_until(Phase::Ended)
            .give(lifecycle::Command::Release)
            .answered();
        course
    };
    let done = answered(StepResult::done(erased(1, vec![])));
    assert!(
        too_late(&done, lifecycle::Command::Leave),
        "nothing is missing"
    );

    let mut part = answered(partly(erased(1, vec![]), Failure::Unavailable));
    assert!(part.work().is_unfinished());
    let mut again = answered(partly(erased(1, vec![]), Failure::Unavailable));
    part.give(lifecycle::Command::Leave);
    assert!(!part.work().is_unfinished());
    assert_eq!(part.phases(), (lifecycle::Phase::Answered, Phase::Ended));
    assert!(
        too_late(&part, lifecycle::Command::Leave),
        "it is left already"
    );

    again.give(lifecycle::Command::Rework);
    again
        .work_until(Phase::Erasing)
        .answer_source("crm", partly(erased(1, vec![]), Failure::Unavailable))
        .work_until(Phase::Ended);
    assert!(again.work().is_unfinished());

    let landscape = Landscape {
        sources: ["crm", "shop"]
            .map(|name| source(name, &[IdentifierKind::Mail], &[]))
            .to_vec(),
        recipients: Vec::new(),
    };
    let mut goes_on = Course::approved(World::new(Right::Erasure, plain_policy(), landscape));
    goes_on
        .work_until(Phase::Erasing)
        .answer_source("crm", StepResult::done(erased(1, until(400))))
        .answer_source("shop", StepResult::done(erased(1, until(400))))
        .work_until(Phase::Withholding)
        .answered()
        .fire(Timer::Tail)
        .work_until(Phase::Erasing)
        .answer_source("crm", partly(erased(1, vec![]), Failure::Unavailable));
    assert_eq!(goes_on.work().phase, Phase::Erasing);
    assert!(goes_on.work().is_unfinished());
    assert!(too_late(&goes_on, lifecycle::Command::Leave), "it goes on");
}

#[test]
fn what_is_left_as_it_is_is_not_tried_again_and_what_is_withheld_still_goes_on_its_day() {
    let mut course = failing_and_kept(30);
    let kept = course.situation.now + TimeDelta::days(31);
    course.give(lifecycle::Command::Leave);
    assert_eq!(course.work().phase, Phase::Withholding);
    assert_eq!(course.situation.timers.get(&Timer::Tail), Some(&kept));
    course.fire(Timer::Tail).work_until(Phase::Ended);
}

#[test]
fn nothing_is_waited_for_when_all_that_was_missing_is_left_as_it_is() {
    let mut course = failing_and_kept(30);
    course.fire(Timer::Tail).work_until(Phase::Erasing);
    course
        .answer_source("crm", partly(erased(1, vec![]), Failure::Unavailable))
        .work_until(Phase::Withholding)
        .give(lifecycle::Command::Leave);
    assert_eq!(course.work().phase, Phase::Ended);
    assert_eq!(tail(&course), None);
    course.fire(Timer::Appeal);
    assert!(!course.request().is_open());
    assert!(course.situation.timers.contains_key(&Timer::Request));
}

/// A rectification whose restriction could not be lifted at its end.
fn still_restricted() -> Course {
    let mut world = World::simple(Right::Rectification);
    world.policy = reviewing();
    let mut course = Course::approved(world);
    course
        .work_until(Phase::Lifting)
        .answer_source("crm", StepResult::Failed(Failure::Refused))
        .work_until(Phase::Ended);
    course
}

#[test]
fn a_rectification_that_is_left_as_it_is_still_frees_what_it_restricted() {
    let mut course = still_restricted();
    course
        .give(lifecycle::Command::Release)
        .answered()
        .give(lifecycle::Command::Leave);
    assert_eq!(course.work().phase, Phase::Withholding);
    course.fire(Timer::Tail).work_until(Phase::Queued);
    course.answer(&Target::Request, StepResult::done(Finding::Nothing));
    assert_eq!(course.work().phase, Phase::Lifting, "and nothing else");
    course.work_until(Phase::Ended);
    assert!(!course.work().sources[0].restricted);
}

// ---- broken off

#[test]
fn a_rectification_that_restricted_nothing_yet_ends_at_once_when_it_is_withdrawn() {
    let mut course = Course::approved(World::simple(Right::Rectification));
    course
        .work_until(Phase::Locating)
        .give(lifecycle::Command::Withdraw);
    assert_eq!(course.work().phase, Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Cancelled));
}

#[test]
fn the_locks_for_lifting_are_asked_for_once() {
    let mut world = World::simple(Right::Rectification);
    world.policy.plan_approval = Approval::OnePerson;
    let mut course = Course::approved(world);
    course.work_until(Phase::Approval);
    let digest = course.work().plan_digest();
    course.give(fulfilment::Command::ApprovePlan { digest });
    assert_eq!(course.work().phase, Phase::Queued);
    course.give(lifecycle::Command::Withdraw);
    assert!(
        !entered(&course, Phase::Queued),
        "it waits for them already"
    );
    course.work_until(Phase::Ended);
    assert!(!course.work().sources[0].restricted);
}

#[test]
fn identifiers_are_added_until_the_work_changes_data() {
    let add = || lifecycle::Command::AddIdentifiers {
        identifiers: part("identifiers/1"),
        kinds: vec![IdentifierKind::Phone],
    };
    let mut course = Course::of(World::simple(Right::Erasure));
    assert!(course.attempt(add()).is_ok());
    course
        .give(lifecycle::Command::ConfirmIdentity)
        .give(add())
        .give(add());
    assert_eq!(course.request().identifiers, part("identifiers/1"));
    assert_eq!(
        course.request().added,
        [IdentifierKind::Phone],
        "named once"
    );
    course.give(lifecycle::Command::Approve);
    course.work_until(Phase::Erasing);
    course.answer_source("crm", StepResult::done(erased(3, until(400))));
    course.work_until(Phase::Withholding).answered();
    course.give(lifecycle::Command::Appeal);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    assert!(course.work().written);
    assert!(too_late(&course, add()), "data are changed");
}

// ---- exports

#[test]
fn only_a_package_for_another_controller_is_sent_and_only_if_there_is_one() {
    let exported = |delivery, packed: Option<StepResult>| {
        let mut world = World::simple(Right::Export);
        world.delivery = delivery;
        let mut course = Course::approved(world);
        course.work_until(Phase::Packing);
        let packed = packed.unwrap_or_else(|| success(Task::Pack, &Target::Request));
        course.answer(&Target::Request, packed);
        (entered(&course, Phase::Sending), course.work().phase)
    };
    let transmit = || Delivery::Transmit(party("other-bank"));
    assert_eq!(exported(Delivery::Download, None), (false, Phase::Ended));
    assert_eq!(exported(transmit(), None), (true, Phase::Sending));
    assert_eq!(exported(transmit(), Some(failed())), (false, Phase::Ended));
}

// ---- restrictions

#[test]
fn whoever_takes_up_a_lifted_restriction_again_lifts_what_is_left_of_it() {
    let landscape = Landscape {
        sources: vec![source("crm", &[IdentifierKind::Mail], &[])],
        recipients: vec![party("mailer")],
    };
    let mut course = Course::approved(World::new(Right::Restriction, reviewing(), landscape));
    course.work_until(Phase::Restricted);
    assert!(!course.work().announced);
    course
        .give(lifecycle::Command::Release)
        .answered()
        .give(fulfilment::Command::Lift)
        .sent(Letter::RestrictionLifted);
    assert!(course.work().announced);
    let told = course.work().recipients.iter().all(|to| to.confirmed);
    assert!(!told, "they have not heard of the end yet");
    course.work_until(Phase::Lifting);
    course.answer_source("crm", StepResult::Failed(Failure::Unavailable));
    assert!(course.work().sources[0].restricted);
    course.give(lifecycle::Command::Rework);
    assert_eq!(course.work().phase, Phase::Queued);
    assert!(
        !entered(&course, Phase::Locating),
        "it is known where it is"
    );
    course.work_until(Phase::Ended);
    assert!(!course.work().sources[0].restricted);
}
