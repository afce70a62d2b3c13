//! Courses that once went wrong, or could: each says what must be true instead.

use chrono::TimeDelta;
use datarights::model::{Actor, End, Failure, IdentifierKind, Outcome, Right, Until};
use datarights::workflow::fulfilment::{self, Phase};
use datarights::workflow::{
    Approval, Command, Delivery, Event, Finding, Landscape, Letter, Locks, Policy, Rejection,
    Review, StepResult, Target, Task, Timer, lifecycle, receive,
};

use crate::world::*;

fn done() -> StepResult {
    StepResult::done(datarights::workflow::Finding::Nothing)
}

/// Erasure of these sources, by these settings.
fn erasure(policy: Policy, sources: &[(&str, &[&str])], recipients: &[&str]) -> World {
    let landscape = Landscape {
        sources: sources
            .iter()
            .map(|(name, after)| source(name, &[IdentifierKind::Mail], after))
            .collect(),
        recipients: recipients.iter().map(|name| party(name)).collect(),
    };
    World::new(Right::Erasure, policy, landscape)
}

fn refuse() -> lifecycle::Command {
    lifecycle::Command::Refuse { ground: ground() }
}

// ---- an outcome claims nothing that was not shown

#[test]
fn what_could_not_be_read_is_not_called_nothing_found() {
    let mut world = World::simple(Right::Access);
    world
        .landscape
        .sources
        .push(source("logs", &[IdentifierKind::Mail], &[]));
    let mut course = Course::approved(world);
    course.answer_source("crm", StepResult::done(located("crm", 3, None)));
    course.answer_source("logs", StepResult::done(located("logs", 0, None)));
    course.work_until(Phase::Reading);
    course.answer_source("crm", StepResult::Unsupported);
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Unsupported));
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Review);
}

#[test]
fn an_erasure_that_cannot_be_searched_afterwards_is_partly_done() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Searching);
    course.answer_source("crm", StepResult::Unsupported);
    assert_eq!(course.work().outcome, Some(Outcome::Partly));
}

#[test]
fn rows_erased_before_a_failing_tail_stay_told() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    let until = Until::Date(day(100));
    course.answer_source("crm", StepResult::done(erased(10, vec![withheld(until)])));
    course.work_until(Phase::Withholding);
    course.fire(Timer::Tail).work_until(Phase::Erasing);
    course.answer_source("crm", failed());
    course.work_until(Phase::Withholding);
    assert_eq!(course.work().outcome, Some(Outcome::Partly));
    assert_eq!(course.work().sources[0].done, rows(10));
    assert!(course.work().sources[0].worked);
}

#[test]
fn what_a_source_can_never_do_stays_named_after_a_rework() {
    let mut course = Course::approved(erasure(plain_policy(), &[("crm", &[])], &["mailer"]));
    course.answer_source("crm", partly(located("crm", 3, None), Failure::Unsupported));
    course.work_until(Phase::Informing);
    course.answer(&Target::Recipient(party("mailer")), failed());
    course
        .give(lifecycle::Command::Rework)
        .work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Partly));
}

#[test]
fn a_rework_erases_what_was_erased_in_part() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    course.answer_source("crm", partly(erased(1, vec![]), Failure::Unavailable));
    course.work_until(Phase::Ended);
    course
        .give(lifecycle::Command::Rework)
        .work_until(Phase::Erasing);
    assert_eq!(course.work().steps.len(), 1, "the rest is tried again");
}

#[test]
fn an_engine_without_sources_does_not_say_that_nothing_was_found() {
    let course = Course::approved(erasure(plain_policy(), &[], &[]));
    assert_eq!(course.work().outcome, Some(Outcome::Unsupported));
}

#[test]
fn sources_that_could_not_be_searched_are_no_partial_success() {
    let mut world = World::simple(Right::Access);
    world.landscape.sources = vec![source("orders", &[IdentifierKind::Account], &[])];
    let course = Course::approved(world);
    assert_eq!(course.work().outcome, Some(Outcome::Failed));
}

#[test]
fn an_erasure_undone_is_not_taken_up_again() {
    let mut policy = plain_policy();
    policy.grace = Some(TimeDelta::days(3));
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &[]));
    course
        .work_until(Phase::Grace)
        .give(fulfilment::Command::Undo);
    assert_eq!(course.work().outcome, Some(Outcome::Cancelled));
    let rework = course.attempt(lifecycle::Command::Rework);
    assert!(
        matches!(rework, Err(Rejection::TooLate { .. })),
        "{rework:?}"
    );
}

// ---- nothing is erased before it may be

#[test]
fn an_erasure_can_be_undone_until_the_instant_and_not_at_it() {
    let mut policy = plain_policy();
    policy.grace = Some(TimeDelta::days(3));
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &[]));
    course.work_until(Phase::Grace);
    course.wait(TimeDelta::days(3) - TimeDelta::seconds(1));
    assert!(course.attempt(fulfilment::Command::Undo).is_ok());
    course.wait(TimeDelta::seconds(1));
    let undo = course.attempt(fulfilment::Command::Undo);
    assert!(matches!(undo, Err(Rejection::TooLate { .. })), "{undo:?}");
}

#[test]
fn a_timer_that_fires_early_is_set_again() {
    let mut policy = plain_policy();
    policy.grace = Some(TimeDelta::days(3));
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &[]));
    course.work_until(Phase::Grace);
    let now = course.situation.now;
    for timer in [Timer::Grace, Timer::Deadline] {
        let fire = Command::Fire(timer);
        let decision = course
            .world
            .decide(course.request(), now, &Actor::Engine, &fire);
        let decision = decision.unwrap();
        assert!(decision.events.is_empty(), "{timer:?}");
        let situation = course.situation.next(now, &decision);
        assert_eq!(situation.timers, course.situation.timers, "{timer:?}");
    }
}

#[test]
fn recipients_are_not_told_to_erase_before_the_person_confirmed_and_could_undo_it() {
    let mut policy = Policy::default();
    policy.plan_approval = Approval::FourEyes;
    policy.confirm_erasure = true;
    policy.grace = Some(TimeDelta::days(3));
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &["mailer"]));
    course.answer_source("crm", StepResult::done(located("crm", 0, None)));
    assert_eq!(course.work().phase, Phase::Confirmation);
    course.give(fulfilment::Command::Confirm);
    course.fire(Timer::Grace).work_until(Phase::Informing);
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::NothingFound));
}

#[test]
fn an_erasure_of_which_a_search_was_incomplete_does_not_begin() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.answer_source("crm", partly(located("crm", 3, None), Failure::Unavailable));
    assert_eq!(course.work().outcome, Some(Outcome::Failed));
    assert!(!course.work().has_written());
}

#[test]
fn what_leads_to_rows_left_in_part_is_not_erased() {
    let sources: &[(&str, &[&str])] = &[("accounts", &["orders"]), ("orders", &[])];
    let mut course = Course::approved(erasure(plain_policy(), sources, &[]));
    course.work_until(Phase::Erasing);
    course.answer_source("orders", partly(erased(1, vec![]), Failure::Unavailable));
    assert!(
        !course
            .effects
            .iter()
            .any(|key| key.starts_with("erase/source/accounts"))
    );
    let failures: Vec<_> = course.work().missing().map(|(_, m)| m.failure).collect();
    assert!(failures.contains(&Failure::Blocked), "{failures:?}");
}

#[test]
fn a_residue_round_keeps_the_order_of_sources() {
    let sources: &[(&str, &[&str])] = &[("accounts", &["orders"]), ("orders", &[])];
    let mut course = Course::approved(erasure(plain_policy(), sources, &[]));
    let until = vec![withheld(Until::Date(day(100)))];
    course.work_until(Phase::Erasing);
    course.answer_source("orders", StepResult::done(erased(1, until.clone())));
    course.answer_source("accounts", StepResult::done(erased(1, until)));
    course.work_until(Phase::Withholding);
    course.fire(Timer::Tail).work_until(Phase::Erasing);
    course.answer_source("orders", failed());
    let left = left(rows(1));
    let before = course.effects.len();
    course.answer_source("accounts", StepResult::done(left));
    course.work_until(Phase::Withholding);
    let erases = |key: &String| key.starts_with("erase/source/accounts");
    assert!(!course.effects[before..].iter().any(erases));
}

#[test]
fn sources_that_wait_for_each_other_are_refused_at_once() {
    let sources: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["a"])];
    let mut course = Course::of(erasure(plain_policy(), sources, &[]));
    course.give(lifecycle::Command::ConfirmIdentity);
    let approve = course.attempt(lifecycle::Command::Approve);
    assert!(
        matches!(approve, Err(Rejection::Malformed { .. })),
        "{approve:?}"
    );
}

#[test]
fn a_plan_is_approved_by_a_second_person_and_as_it_was_shown() {
    let mut course = Course::approved(erasure(Policy::default(), &[("crm", &[])], &[]));
    course.work_until(Phase::Approval);
    let digest = course.work().plan_digest();
    let now = course.situation.now;
    let by = |name, digest| {
        let approve = Command::Work(fulfilment::Command::ApprovePlan { digest });
        let request = course.request();
        course.world.decide(request, now, &staff(name), &approve)
    };
    assert_eq!(by("ada", digest).unwrap_err(), Rejection::FourEyes);
    let changed = by("ben", datarights::model::Digest::of(b"another plan"));
    let current = digest;
    assert_eq!(changed.unwrap_err(), Rejection::PlanChanged { current });
    assert!(by("ben", digest).is_ok());
}

#[test]
fn a_plan_that_changed_after_its_approval_is_approved_anew() {
    let mut course = Course::approved(erasure(Policy::default(), &[("crm", &[])], &[]));
    course.work_until(Phase::Approval);
    let digest = course.work().plan_digest();
    course.give(fulfilment::Command::ApprovePlan { digest });
    course.work_until(Phase::Checking);
    course.answer_source("crm", StepResult::done(planned("crm", "b", 4, vec![])));
    assert_eq!(course.work().phase, Phase::Approval);
    assert!(
        course
            .last
            .events
            .iter()
            .any(|e| e.event == Event::PlanChanged)
    );
    assert_eq!(course.last.locks, Locks::Release);
    let stale = course.attempt(fulfilment::Command::ApprovePlan { digest });
    assert!(
        matches!(stale, Err(Rejection::PlanChanged { .. })),
        "{stale:?}"
    );
}

#[test]
fn a_plan_that_nobody_approves_is_made_anew_before_it_is_carried_out() {
    let mut policy = plain_policy();
    policy.grace = Some(TimeDelta::days(30));
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &[]));
    course.work_until(Phase::Grace).fire(Timer::Grace);
    course.work_until(Phase::Checking);
    course.answer_source("crm", StepResult::done(planned("crm", "b", 4, vec![])));
    assert_eq!(course.work().phase, Phase::Erasing);
    let (part, _) = course.work().sources[0].plan.clone().unwrap();
    assert_eq!(part.name, "plan/crm/b", "not the one of a month ago");
}

// ---- searching

#[test]
fn an_answer_without_the_new_identifiers_does_not_settle_the_search_with_them() {
    let mut world = World::simple(Right::Access);
    world
        .landscape
        .sources
        .push(source("chat", &[IdentifierKind::Mail], &[]));
    let mut course = Course::approved(world);
    let learned = Some(IdentifierKind::Mail);
    course.answer_source("chat", StepResult::done(located("chat", 1, learned)));
    // Answered by hand while its effect runs: it is opened again, and the old effect is void.
    course.answer_source("crm", StepResult::done(located("crm", 1, None)));
    let crm = Target::Source(source_id("crm"));
    let round = course.work().step(&crm).unwrap().round;
    assert!(course.work().waits_for(Task::Locate, &crm, round));
    for earlier in 0..round {
        assert!(!course.work().waits_for(Task::Locate, &crm, earlier));
    }
}

#[test]
fn a_step_opened_again_is_begun_once() {
    let mut world = World::simple(Right::Access);
    world
        .landscape
        .sources
        .push(source("chat", &[IdentifierKind::Mail], &[]));
    let mut course = Course::approved(world);
    course.answer_source("crm", StepResult::done(located("crm", 1, None)));
    let learned = Some(IdentifierKind::Mail);
    course.answer_source("chat", StepResult::done(located("chat", 1, learned)));
    let mut keys = course.effects.clone();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), course.effects.len(), "{:?}", course.effects);
    assert_eq!(course.last.effects.len(), 2, "both are searched again");
}

#[test]
fn a_search_that_failed_and_then_succeeded_is_not_missing() {
    let mut world = World::simple(Right::Access);
    world
        .landscape
        .sources
        .push(source("chat", &[IdentifierKind::Mail], &[]));
    let mut course = Course::approved(world);
    course.answer_source("crm", failed());
    let learned = Some(IdentifierKind::Mail);
    course.answer_source("chat", StepResult::done(located("chat", 1, learned)));
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Done));
}

#[test]
fn keys_of_effects_are_not_used_again_after_an_appeal() {
    let mut course = Course::approved(World::simple(Right::Access));
    course
        .work_until(Phase::Ended)
        .answered()
        .appealed_and_approved();
    course.work_until(Phase::Ended);
    let mut keys = course.effects.clone();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), course.effects.len(), "{:?}", course.effects);
}

#[test]
fn a_granted_appeal_searches_anew_when_the_erasure_was_through() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course
        .work_until(Phase::Ended)
        .answered()
        .appealed_and_approved();
    assert_eq!(course.work().phase, Phase::Locating);
}

#[test]
fn a_granted_appeal_goes_on_with_an_erasure_that_is_not_through() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Always)];
    course.answer_source("crm", StepResult::done(erased(3, kept)));
    course
        .work_until(Phase::Ended)
        .answered()
        .appealed_and_approved();
    course.work_until(Phase::Erasing);
    assert_eq!(
        course.work().steps.len(),
        1,
        "what was withheld is asked for again"
    );
}

#[test]
fn an_approval_does_not_disturb_a_tail_that_runs() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Date(day(30)))];
    course.answer_source("crm", StepResult::done(erased(3, kept)));
    course.work_until(Phase::Withholding).answered();
    course.give(lifecycle::Command::Appeal).fire(Timer::Tail);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    course.give(lifecycle::Command::Approve);
    assert_eq!(
        course.phases(),
        (lifecycle::Phase::Fulfilment, Phase::Queued)
    );
    course.work_until(Phase::Ended);
    assert_eq!(course.request().lifecycle.outcome, Some(Outcome::Done));
}

/// A recipient that did a part of it has not confirmed, and is named.
#[test]
fn a_recipient_that_did_a_part_is_named() {
    for failure in [Failure::Unavailable, Failure::Unsupported] {
        let mut course = Course::approved(erasure(plain_policy(), &[("crm", &[])], &["mailer"]));
        course.work_until(Phase::Informing);
        let result = StepResult::Done {
            finding: Finding::Nothing,
            missing: vec![missing(failure)],
        };
        course.answer(&Target::Recipient(party("mailer")), result);
        assert_eq!(course.request().lifecycle.outcome, Some(Outcome::Partly));
        assert!(!course.work().recipients[0].confirmed);
        assert_eq!(course.work().missing().count(), 1);
    }
}

// ---- the ways out

#[test]
fn a_confirmation_that_never_comes_is_told_to_staff() {
    let mut policy = plain_policy();
    policy.confirm_erasure = true;
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &[]));
    course.work_until(Phase::Confirmation);
    assert!(!course.situation.timers.contains_key(&Timer::Expiry));
    course.sent(Letter::ConfirmationRequest).fire(Timer::Expiry);
    assert!(course.request().lifecycle.unanswered);
    course.give(fulfilment::Command::Confirm);
    assert!(!course.request().lifecycle.unanswered);
}

#[test]
fn a_confirmation_that_never_comes_lets_the_request_expire_where_the_law_wants_no_grounds() {
    let mut policy = plain_policy();
    policy.confirm_erasure = true;
    let world = erasure(policy, &[("crm", &[])], &[]).under_law("vn_pdpl");
    let mut course = Course::approved(world);
    course
        .work_until(Phase::Confirmation)
        .sent(Letter::ConfirmationRequest)
        .fire(Timer::Expiry);
    assert_eq!(course.phases(), (lifecycle::Phase::Closed, Phase::Ended));
    assert_eq!(course.request().lifecycle.end, Some(End::Expired));
    let swept = [Timer::Package, Timer::Personal, Timer::Request];
    assert!(course.situation.timers.keys().eq(swept.iter()));
}

#[test]
fn a_confirmation_in_time_does_not_expire() {
    let mut policy = plain_policy();
    policy.confirm_erasure = true;
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &[]));
    course
        .work_until(Phase::Confirmation)
        .sent(Letter::ConfirmationRequest)
        .give(fulfilment::Command::Confirm);
    assert!(!course.situation.timers.contains_key(&Timer::Expiry));
}

#[test]
fn a_plan_that_nobody_approves_can_be_refused() {
    let mut course = Course::approved(erasure(Policy::default(), &[("crm", &[])], &[]));
    course.work_until(Phase::Approval).give(refuse());
    assert_eq!(course.phases(), (lifecycle::Phase::Response, Phase::Ended));
    assert_eq!(course.request().lifecycle.outcome, None);
    course.answered().fire(Timer::Appeal);
    assert_eq!(course.request().lifecycle.end, Some(End::Refused(ground())));
}

#[test]
fn an_outcome_that_waits_for_somebody_can_be_withdrawn_unless_data_changed() {
    let mut world = World::simple(Right::Access);
    world.policy.review = Review::Always;
    let mut course = Course::approved(world);
    course
        .work_until(Phase::Ended)
        .give(lifecycle::Command::Withdraw);
    assert_eq!(course.request().lifecycle.end, Some(End::Withdrawn));

    let mut world = World::simple(Right::Erasure);
    world.policy.review = Review::Always;
    let mut course = Course::approved(world);
    course.work_until(Phase::Ended);
    let withdraw = course.attempt(lifecycle::Command::Withdraw);
    assert!(
        matches!(withdraw, Err(Rejection::TooLate { .. })),
        "{withdraw:?}"
    );
}

/// A rectification whose source is restricted already, in this phase.
fn restricted(phase: Phase) -> Course {
    let mut world = World::simple(Right::Rectification);
    world.policy.plan_approval = Approval::FourEyes;
    let mut course = Course::approved(world);
    course.work_until(Phase::Approval);
    if phase == Phase::Queued {
        let digest = course.work().plan_digest();
        course.give(fulfilment::Command::ApprovePlan { digest });
    }
    course
}

#[test]
fn a_restriction_is_lifted_under_the_locks_when_the_request_is_withdrawn() {
    for phase in [Phase::Approval, Phase::Queued] {
        let mut course = restricted(phase);
        course.give(lifecycle::Command::Withdraw);
        assert_eq!(course.phases(), (lifecycle::Phase::Closed, Phase::Queued));
        course.work_until(Phase::Lifting);
        assert!(matches!(
            course.last.locks,
            Locks::Take {
                exclusive: true,
                ..
            }
        ));
        course.work_until(Phase::Ended);
        assert_eq!(course.last.locks, Locks::Release);
        assert!(!course.work().sources[0].restricted);
        assert!(course.situation.timers.contains_key(&Timer::Personal));
    }
}

#[test]
fn a_restriction_that_is_under_way_is_waited_for_before_it_is_lifted() {
    let mut course = Course::approved(World::simple(Right::Rectification));
    course
        .work_until(Phase::Restricting)
        .give(lifecycle::Command::Withdraw);
    assert_eq!(course.work().phase, Phase::Restricting);
    course.answer_source("crm", failed());
    assert_eq!(
        course.work().phase,
        Phase::Lifting,
        "it may have been restricted"
    );
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Cancelled));
}

#[test]
fn a_restriction_that_cannot_be_lifted_is_tried_again_until_it_is() {
    let mut course = restricted(Phase::Approval);
    course.give(lifecycle::Command::Withdraw);
    for days in [1, 2] {
        course.work_until(Phase::Lifting);
        course.answer_source("crm", StepResult::Failed(Failure::Refused));
        assert_eq!(course.work().phase, Phase::Withholding);
        assert_eq!(course.last.locks, Locks::Release);
        assert!(course.work().sources[0].restricted);
        assert!(course.request().is_open());
        let tail = course.situation.timers[&Timer::Tail];
        assert_eq!(tail - course.situation.now, TimeDelta::days(days));
        course.fire(Timer::Tail);
    }
    course.work_until(Phase::Ended);
    assert!(!course.work().sources[0].restricted);
    assert_eq!(course.work().outcome, Some(Outcome::Cancelled));
    assert!(!course.request().is_open());
    assert!(course.situation.timers.contains_key(&Timer::Personal));
}

#[test]
fn a_request_is_not_approved_again_while_its_restriction_is_lifted() {
    let mut course = restricted(Phase::Approval);
    course.give(refuse()).answered();
    course.give(lifecycle::Command::Appeal);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    let approve = course.attempt(lifecycle::Command::Approve);
    assert!(
        matches!(approve, Err(Rejection::NotNow { .. })),
        "{approve:?}"
    );
    course
        .work_until(Phase::Ended)
        .give(lifecycle::Command::Approve);
    assert_eq!(
        course.phases(),
        (lifecycle::Phase::Fulfilment, Phase::Locating)
    );
}

#[test]
fn silence_does_not_close_an_erasure_that_was_begun() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course
        .work_until(Phase::Erasing)
        .answer_source("crm", failed());
    course.give(lifecycle::Command::Release).answered();
    course.give(lifecycle::Command::Appeal);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    course
        .give(lifecycle::Command::AskClarification)
        .sent(Letter::ClarificationRequest)
        .fire(Timer::Expiry);
    assert_eq!(
        course.request().lifecycle.phase,
        lifecycle::Phase::Clarification
    );
}

#[test]
fn an_unfinished_erasure_closes_once_it_is_finished() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Date(day(100)))];
    let mut result = StepResult::done(erased(1, kept));
    if let StepResult::Done { missing: list, .. } = &mut result {
        list.push(missing(Failure::Unavailable));
    }
    course
        .answer_source("crm", result)
        .work_until(Phase::Withholding);
    course
        .give(lifecycle::Command::Release)
        .answered()
        .fire(Timer::Appeal);
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Answered);
    course.fire(Timer::Tail).work_until(Phase::Ended);
    assert!(!course.work().is_unfinished());
    course.fire(Timer::Appeal);
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Closed);
}

#[test]
fn an_erasure_that_no_source_can_do_better_closes() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    course.answer_source("crm", partly(erased(1, vec![]), Failure::Unsupported));
    course.work_until(Phase::Ended);
    course
        .give(lifecycle::Command::Release)
        .answered()
        .fire(Timer::Appeal);
    let end = course.request().lifecycle.end.clone();
    assert_eq!(end, Some(End::Answered(Outcome::Partly)));
}

#[test]
fn a_tail_that_ends_during_the_review_is_told_in_the_answer() {
    let mut world = World::simple(Right::Erasure);
    world.policy.review = Review::Always;
    let mut course = Course::approved(world);
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Date(day(2)))];
    course.answer_source("crm", StepResult::done(erased(1, kept)));
    course
        .work_until(Phase::Withholding)
        .fire(Timer::Tail)
        .work_until(Phase::Ended);
    let life = &course.request().lifecycle;
    assert_eq!(
        (life.phase, &life.outcome),
        (lifecycle::Phase::Review, &Some(Outcome::Done))
    );
}

#[test]
fn what_is_still_kept_after_its_date_is_tried_again_a_day_later() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Date(day(-1)))];
    course.answer_source("crm", StepResult::done(erased(1, kept)));
    course.work_until(Phase::Withholding);
    let tail = course.situation.timers[&Timer::Tail];
    assert_eq!(tail - course.situation.now, TimeDelta::days(1));
}

/// An erasure whose request is closed, and whose withheld rows may go now.
fn closed_with_a_tail() -> Course {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Date(day(400)))];
    course.answer_source("crm", StepResult::done(erased(1, kept)));
    course
        .work_until(Phase::Withholding)
        .answered()
        .fire(Timer::Appeal);
    assert!(course.request().lifecycle.is_closed());
    course.fire(Timer::Tail).work_until(Phase::Checking);
    course
}

#[test]
fn a_tail_that_cannot_be_planned_is_tried_again() {
    let mut course = closed_with_a_tail();
    course.answer_source("crm", failed());
    assert_eq!(course.work().phase, Phase::Withholding);
    course.fire(Timer::Tail).work_until(Phase::Ended);
    assert!(course.work().sources[0].finished);
}

#[test]
fn a_tail_that_fails_after_the_request_is_closed_goes_on_until_it_is_finished() {
    let mut course = closed_with_a_tail();
    course.work_until(Phase::Erasing);
    course.answer_source("crm", partly(erased(1, vec![]), Failure::Unavailable));
    course.work_until(Phase::Withholding);
    assert!(course.request().is_open());
    course.fire(Timer::Tail).work_until(Phase::Ended);
    assert!(!course.work().is_unfinished());
    assert!(course.situation.timers.contains_key(&Timer::Request));
}

/// What never works is tried for ever, but ever more rarely.
#[test]
fn the_distance_between_tries_grows_to_a_month() {
    let mut course = closed_with_a_tail();
    let mut distances = Vec::new();
    for _ in 0..8 {
        course.work_until(Phase::Checking);
        course.answer_source("crm", failed());
        assert_eq!(course.work().phase, Phase::Withholding);
        let tail = course.situation.timers[&Timer::Tail];
        distances.push((tail - course.situation.now).num_days());
        course.fire(Timer::Tail);
    }
    assert_eq!(distances, [1, 2, 4, 8, 16, 30, 30, 30]);
    // It went at last; what comes later begins at a day again.
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Date(day(4000)))];
    course.answer_source("crm", StepResult::done(erased(1, kept)));
    course.work_until(Phase::Withholding);
    assert_eq!(course.work().rests, 0);
}

#[test]
fn recipients_are_told_again_only_of_what_was_erased_since() {
    let mut course = Course::approved(erasure(plain_policy(), &[("crm", &[])], &["mailer"]));
    course.work_until(Phase::Erasing);
    let kept = || vec![withheld(Until::Date(day(10)))];
    course.answer_source("crm", StepResult::done(erased(1, kept())));
    course
        .work_until(Phase::Withholding)
        .fire(Timer::Tail)
        .work_until(Phase::Erasing);
    course.answer_source("crm", StepResult::done(erased(0, kept())));
    course
        .work_until(Phase::Withholding)
        .fire(Timer::Tail)
        .work_until(Phase::Ended);
    let told = course
        .effects
        .iter()
        .filter(|key| key.starts_with("inform/"));
    assert_eq!(told.count(), 2, "{:?}", course.effects);
}

#[test]
fn a_search_anew_after_an_undone_run_asks_for_every_gate_again() {
    let mut policy = plain_policy();
    policy.grace = Some(TimeDelta::days(3));
    policy.confirm_erasure = true;
    let mut course = Course::approved(erasure(policy, &[("crm", &[])], &[]));
    course
        .work_until(Phase::Confirmation)
        .give(fulfilment::Command::Confirm);
    course.fire(Timer::Grace).work_until(Phase::Queued);
    // Nothing is written yet: the lock is held up, somebody refuses, the person appeals.
    course.give(refuse()).answered().appealed_and_approved();
    course.work_until(Phase::Confirmation);
    assert!(!course.work().grace_given && !course.work().confirmed);
}

// ---- letters and clocks

#[test]
fn identity_is_tried_no_more_often_than_the_policy_says() {
    let mut world = World::simple(Right::Access);
    world.policy.identity_attempts = 2;
    let mut course = Course::of(world);
    course.give(lifecycle::Command::RequestIdentity);
    for _ in 0..2 {
        course.give(lifecycle::Command::AttemptIdentity);
        course.give(lifecycle::Command::RejectIdentity);
    }
    let third = course.attempt(lifecycle::Command::AttemptIdentity);
    assert_eq!(third.unwrap_err(), Rejection::TooManyAttempts { limit: 2 });
    course.give(lifecycle::Command::ConfirmIdentity);
}

#[test]
fn a_deadline_is_extended_once_and_in_time() {
    let mut course = Course::of(World::simple(Right::Access));
    let due = course.request().answer_due().unwrap();
    let mut late = Course::of(World::simple(Right::Access));
    late.situation.now = due;
    let refused = late.attempt(extend());
    assert!(
        matches!(refused, Err(Rejection::ExtensionTooLate { .. })),
        "{refused:?}"
    );
    course.situation.now = due - TimeDelta::seconds(1);
    course.give(extend());
    let later = course.request().answer_due().unwrap();
    assert!(later > due);
    assert_eq!(course.situation.timers[&Timer::Deadline], later);
    let again = course.attempt(extend());
    assert_eq!(again.unwrap_err(), Rejection::Once { what: "extend" });
}

#[test]
fn a_deadline_that_passes_is_recorded_once() {
    let mut course = Course::of(World::simple(Right::Access));
    let due = course.request().answer_due().unwrap();
    course.fire(Timer::Deadline);
    let passed = Event::DeadlinePassed { at: due };
    assert_eq!(course.last.events.len(), 1);
    assert_eq!(course.last.events[0].event, passed);
    course.situation.timers.insert(Timer::Deadline, due);
    course.fire(Timer::Deadline);
    assert!(course.last.events.is_empty());
}

#[test]
fn one_letter_that_fails_does_not_hide_another() {
    let mut course = Course::approved(World::simple(Right::Access));
    course.work_until(Phase::Ended);
    for letter in [Letter::Response, Letter::Acknowledgement] {
        let failure = Failure::Unavailable;
        course.give(lifecycle::Command::LetterFailed { letter, failure });
    }
    let resend = || lifecycle::Command::Resend {
        letter: Letter::Response,
    };
    course.give(resend());
    let again = course.attempt(resend());
    assert!(
        matches!(again, Err(Rejection::NoSuchStep { .. })),
        "it is on its way"
    );
    course.answered();
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Answered);
}

#[test]
fn only_the_letter_that_answers_a_request_answers_it() {
    let mut course = Course::of(World::simple(Right::Access));
    course.give(refuse());
    let letter = Letter::Response;
    course.give(lifecycle::Command::LetterSent { letter });
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Response);
    course.answered();
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Answered);
}

#[test]
fn a_deadline_still_to_come_is_watched_again_after_a_granted_appeal() {
    let mut course = Course::approved(World::simple(Right::Access));
    course.work_until(Phase::Ended).answered();
    assert!(!course.situation.timers.contains_key(&Timer::Deadline));
    course.appealed_and_approved();
    let due = course.request().answer_due().unwrap();
    assert_eq!(course.situation.timers.get(&Timer::Deadline), Some(&due));
}

#[test]
fn spans_beyond_time_itself_do_not_panic() {
    let mut world = World::simple(Right::Access);
    world.policy.answer_within = TimeDelta::MAX;
    world.policy.appeal_within = TimeDelta::MAX;
    world.policy.keep_request = TimeDelta::MAX;
    world.policy.remind_before = vec![TimeDelta::MAX, TimeDelta::MIN];
    let mut course = Course::of(world);
    course.give(lifecycle::Command::RequestIdentity);
    course.give(lifecycle::Command::ConfirmIdentity);
    course
        .give(lifecycle::Command::Approve)
        .work_until(Phase::Ended);
    course.answered().fire(Timer::Appeal);
}

// ---- who may, and what is accepted

#[test]
fn a_processor_answers_for_itself_only() {
    let mut course = Course::approved(erasure(plain_policy(), &[("crm", &[])], &["mailer"]));
    course.work_until(Phase::Informing);
    let mailer = Target::Recipient(party("mailer"));
    course.answer(&mailer, StepResult::Pending(pending()));
    let command = Command::Work(answer(Task::Inform, &mailer, done()));
    let now = course.situation.now;
    let by = |actor| course.world.decide(course.request(), now, &actor, &command);
    assert!(by(Actor::Processor(party("mailer"))).is_ok());
    let other = by(Actor::Processor(party("other")));
    assert!(
        matches!(other, Err(Rejection::WrongActor { .. })),
        "{other:?}"
    );
}

#[test]
fn no_processor_answers_for_a_source() {
    let mut course = Course::approved(erasure(plain_policy(), &[("crm", &[])], &["mailer"]));
    course.work_until(Phase::Erasing);
    course.answer_source("crm", StepResult::Pending(pending()));
    let crm = Target::Source(source_id("crm"));
    let command = Command::Work(answer(Task::Erase, &crm, success(Task::Erase, &crm)));
    let now = course.situation.now;
    let by = |actor| course.world.decide(course.request(), now, &actor, &command);
    for name in ["mailer", "crm"] {
        let processor = by(Actor::Processor(party(name)));
        assert!(matches!(processor, Err(Rejection::WrongActor { .. })));
    }
    assert!(by(staff("ben")).is_ok());
}

#[test]
fn what_was_not_handed_out_is_answered_by_nobody_else() {
    let mut course = Course::approved(erasure(plain_policy(), &[("crm", &[])], &["mailer"]));
    for (phase, target, actor) in [
        (
            Phase::Locating,
            Target::Source(source_id("crm")),
            staff("ben"),
        ),
        (
            Phase::Informing,
            Target::Recipient(party("mailer")),
            Actor::Processor(party("mailer")),
        ),
    ] {
        course.work_until(phase);
        let task = phase.task(course.work().machine).unwrap();
        let command = Command::Work(answer(task, &target, success(task, &target)));
        let now = course.situation.now;
        let answered = |course: &Course| {
            let request = course.request();
            course.world.decide(request, now, &actor, &command)
        };
        let early = answered(&course);
        assert!(
            matches!(early, Err(Rejection::NoSuchStep { .. })),
            "{early:?}"
        );
        course.answer(&target, StepResult::Pending(pending()));
        assert!(answered(&course).is_ok(), "{target}");
    }
}

#[test]
fn a_step_that_must_wait_for_another_is_not_answered_before_it_begins() {
    let sources: &[(&str, &[&str])] = &[("accounts", &["orders"]), ("orders", &[])];
    let mut course = Course::approved(erasure(plain_policy(), sources, &[]));
    course.work_until(Phase::Erasing);
    let accounts = Target::Source(source_id("accounts"));
    let erased = || answer(Task::Erase, &accounts, success(Task::Erase, &accounts));
    let early = course.attempt(erased());
    assert!(
        matches!(early, Err(Rejection::NoSuchStep { .. })),
        "{early:?}"
    );
    let orders = Target::Source(source_id("orders"));
    course.answer(&orders, success(Task::Erase, &orders));
    assert!(course.attempt(erased()).is_ok());
}

#[test]
fn locks_are_taken_or_waited_for() {
    let mut course = Course::approved(World::simple(Right::Access));
    course.work_until(Phase::Queued);
    for result in [
        failed(),
        StepResult::Unsupported,
        StepResult::Pending(pending()),
    ] {
        let command = answer(Task::LockToRead, &Target::Request, result);
        let rejected = course.attempt(command);
        assert!(
            matches!(rejected, Err(Rejection::WrongResult { .. })),
            "{rejected:?}"
        );
    }
}

#[test]
fn an_intake_that_makes_no_sense_is_refused() {
    let world = World::simple(Right::Access);
    let context = world.context(start(), &Actor::Host, &datarights::workflow::Cause::Command);
    let pin = || world.setting().regime.pin().unwrap();
    let mut intake = world.intake();
    intake.delivery = Delivery::Transmit(party("other-bank"));
    let refused = receive(intake, pin(), &context);
    assert!(
        matches!(refused, Err(Rejection::Malformed { .. })),
        "{refused:?}"
    );

    let world = World::simple(Right::Rectification);
    let context = world.context(start(), &Actor::Host, &datarights::workflow::Cause::Command);
    let mut intake = world.intake();
    intake.corrections = None;
    let refused = receive(intake, pin(), &context);
    assert!(
        matches!(refused, Err(Rejection::Malformed { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_hold_that_is_lifted_runs_the_erasure_again() {
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::HoldLifted)];
    course.answer_source("crm", StepResult::done(erased(1, kept)));
    course
        .work_until(Phase::Withholding)
        .answered()
        .fire(Timer::Appeal);
    assert!(course.request().is_open(), "closed, but not over");
    assert!(!course.situation.timers.contains_key(&Timer::Request));
    course.give(fulfilment::Command::LiftHold);
    assert!(
        course
            .last
            .events
            .iter()
            .any(|e| e.event == Event::HoldLifted)
    );
    course.work_until(Phase::Ended);
    assert!(!course.request().is_open());
    assert!(course.situation.timers.contains_key(&Timer::Request));
}
