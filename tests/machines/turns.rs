//! Turns of the legal course that are taken rarely: what is refused and why, what is counted, what is
//! forgotten, and what stays.

use chrono::TimeDelta;
use datarights::model::{
    Actor, Digest, End, Failure, IdentifierKind, Outcome, RequestId, Right, Until,
};
use datarights::workflow::fulfilment::{self, Phase};
use datarights::workflow::{
    Approval, Cause, Command, Effect, Event, Finding, Landscape, Letter, Locks, MAX_EVENT,
    Rejection, StepResult, Target, Timer, TimerChange, lifecycle, receive,
};

use crate::world::*;

fn refuse() -> lifecycle::Command {
    lifecycle::Command::Refuse { ground: ground() }
}

fn letter_failed(letter: Letter) -> lifecycle::Command {
    lifecycle::Command::LetterFailed {
        letter,
        failure: Failure::Unavailable,
    }
}

fn asked(course: &Course) -> Vec<String> {
    let steps = course.work().steps.iter();
    steps.map(|step| step.target.to_string()).collect()
}

fn too_late(course: &Course, command: lifecycle::Command) -> bool {
    matches!(course.attempt(command), Err(Rejection::TooLate { .. }))
}

/// Erased in part, answered.
fn answered_in_part() -> Course {
    let mut course = Course::approved(looked_at(Right::Erasure, &["crm"], &[]));
    course
        .work_until(Phase::Erasing)
        .answer_source("crm", partly(erased(1, vec![]), Failure::Unavailable))
        .work_until(Phase::Ended)
        .give(lifecycle::Command::Release)
        .answered();
    course
}

fn answered_in_full() -> Course {
    let mut course = Course::approved(looked_at(Right::Erasure, &["crm"], &[]));
    course
        .work_until(Phase::Ended)
        .give(lifecycle::Command::Release)
        .answered();
    course
}

// ---- receipt

#[test]
fn a_request_is_received_now_or_before_and_not_later() {
    let world = World::simple(Right::Access);
    let pin = world.setting().regime.pin().unwrap();
    let received = |hours| {
        let mut intake = world.intake();
        intake.received_at = start() + TimeDelta::hours(hours);
        let context = world.context(start(), &Actor::Host, &Cause::Command);
        receive(intake, pin.clone(), &context).map(|_| ())
    };
    assert_eq!(received(-1), Ok(()));
    assert_eq!(received(0), Ok(()));
    let late = received(1).unwrap_err();
    assert!(matches!(late, Rejection::InTheFuture { .. }), "{late:?}");
}

// ---- names, sizes, what is open

#[test]
fn a_letter_is_named_as_it_is_written() {
    for letter in [
        Letter::Acknowledgement,
        Letter::IdentityRequest,
        Letter::ClarificationRequest,
        Letter::FeeRequest,
        Letter::Extension,
        Letter::ConfirmationRequest,
        Letter::Refusal,
        Letter::Response,
        Letter::AppealDecision,
        Letter::Expiry,
        Letter::RestrictionLifted,
    ] {
        let written = serde_json::to_string(&letter).unwrap();
        assert_eq!(written, format!("\"{}\"", letter.name()));
    }
}

#[test]
fn an_event_may_be_as_large_as_sixty_four_kilobytes() {
    assert_eq!(MAX_EVENT, 65_536);
    let course = Course::of(World::simple(Right::Access));
    let mut envelope = course.last.events[0].clone();
    let mut sized = |length: usize| {
        let mut identifiers = part("");
        identifiers.name = "n".repeat(length);
        envelope.event = Event::IdentifiersAdded {
            identifiers,
            kinds: Vec::new(),
        };
        envelope.encode()
    };
    let empty = sized(0).unwrap().len();
    assert_eq!(sized(MAX_EVENT - empty).unwrap().len(), MAX_EVENT);
    let bytes = MAX_EVENT + 1;
    let large = sized(bytes - empty).unwrap_err();
    assert_eq!(
        large.to_string(),
        datarights::workflow::CodecError::TooLarge { bytes }.to_string()
    );
}

#[test]
fn what_is_not_open_is_refused_with_what_is() {
    let mut course = Course::of(World::simple(Right::Access));
    course.give(lifecycle::Command::Withdraw);
    let refused = course.attempt(lifecycle::Command::Withdraw).unwrap_err();
    let Rejection::NotNow { phase, open, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((&*phase, &*open), ("closed", "resend, letter_answered"));

    let mut erasure = World::simple(Right::Erasure);
    erasure.policy.plan_approval = Approval::OnePerson;
    let mut erasure = Course::approved(erasure);
    erasure.work_until(Phase::Approval);
    let refused = erasure.attempt(Command::Work(fulfilment::Command::Confirm));
    let refused = refused.unwrap_err();
    let Rejection::NotNow { phase, open, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((&*phase, &*open), ("approval", "approve_plan"));
}

// ---- letters

#[test]
fn an_answer_on_its_way_is_waited_for_unless_it_could_not_be_sent() {
    let mut course = Course::approved(World::simple(Right::Access));
    course.work_until(Phase::Ended);
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Response);
    assert!(too_late(&course, lifecycle::Command::Withdraw));
    course.give(letter_failed(Letter::Acknowledgement));
    assert!(
        too_late(&course, lifecycle::Command::Withdraw),
        "another letter"
    );
    course.give(letter_failed(Letter::Response));
    assert!(course.attempt(lifecycle::Command::Withdraw).is_ok());
    assert!(course.attempt(lifecycle::Command::Rework).is_ok());
}

#[test]
fn a_refusal_that_could_not_be_sent_is_not_reworked() {
    let mut course = Course::of(World::simple(Right::Access));
    course.give(refuse()).give(letter_failed(Letter::Refusal));
    assert!(too_late(&course, lifecycle::Command::Rework));
    assert!(course.attempt(refuse()).is_ok());
}

#[test]
fn the_end_of_a_restriction_is_not_told_before_it_is_announced() {
    let mut course = Course::approved(looked_at(Right::Restriction, &["crm"], &[]));
    course.work_until(Phase::Restricted);
    let letter = Letter::RestrictionLifted;
    let told = course.attempt(lifecycle::Command::LetterSent { letter });
    assert!(
        matches!(told, Err(Rejection::NoSuchStep { .. })),
        "{told:?}"
    );
}

#[test]
fn the_timer_of_a_letter_that_fires_early_is_set_again() {
    for law in ["us_ca_ccpa", "vn_pdpl"] {
        let course = Course::of(World::simple(Right::Access).under_law(law));
        let timer = Timer::Acknowledgement;
        let due = course.situation.timers[&timer];
        let early = due - TimeDelta::hours(1);
        let fired = course.world.decide(
            course.request(),
            early,
            &Actor::Engine,
            &Command::Fire(timer),
        );
        let set = TimerChange::Set(timer, due);
        assert!(fired.unwrap().timers.contains(&set), "{law}");
    }
}

#[test]
fn an_extension_that_was_overtaken_by_the_answer_is_waited_for_no_more() {
    let mut course = Course::of(World::simple(Right::Access));
    course.give(extend());
    assert!(course.situation.timers.contains_key(&Timer::Extension));
    course.give(refuse()).sent(Letter::Refusal);
    assert_eq!(course.request().due_at(), None);
    course.give(lifecycle::Command::Appeal);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    assert!(!course.situation.timers.contains_key(&Timer::Extension));
}

#[test]
fn an_extension_of_an_appeal_is_announced_while_the_appeal_runs() {
    let mut course = Course::of(World::simple(Right::Access).under_law("us_co"));
    let ground = datarights::model::Ground::new("trade_secret");
    course
        .wait(TimeDelta::days(3))
        .give(lifecycle::Command::Refuse { ground });
    course.sent(Letter::Refusal).wait(TimeDelta::days(3));
    course.give(lifecycle::Command::Appeal);
    let cutoff = course.request().letter_due(Letter::Extension);
    assert_eq!(cutoff, course.request().letter_due(Letter::AppealDecision));
    assert!(cutoff.unwrap() > course.request().clock.late_from().unwrap());
    // The first extension was told; this one is another.
    let ground = datarights::model::Ground::new("complexity");
    course.give(lifecycle::Command::ExtendAppeal {
        ground: ground.clone(),
    });
    assert!(course.request().lifecycle.appeal_extended);
    assert_eq!(course.request().lifecycle.extension, Some(ground));
    assert!(!course.request().lifecycle.is_sent(Letter::Extension));
}

#[test]
fn what_was_sent_stays_sent_when_the_answer_is_extended() {
    let mut course = Course::of(World::simple(Right::Access));
    course.sent(Letter::Acknowledgement).give(extend());
    assert!(course.request().lifecycle.is_sent(Letter::Acknowledgement));
    assert!(!course.request().lifecycle.is_sent(Letter::Extension));
}

#[test]
fn a_decision_on_an_appeal_is_waited_for_until_the_request_is_closed() {
    let mut course = Course::of(World::simple(Right::Access).under_law("us_co"));
    let ground = datarights::model::Ground::new("trade_secret");
    course.give(lifecycle::Command::Refuse { ground });
    course
        .sent(Letter::Refusal)
        .give(lifecycle::Command::Appeal);
    assert!(course.request().due_at().is_some());
    course.give(lifecycle::Command::DecideAppeal { granted: false });
    assert!(course.request().due_at().is_some(), "its letter is not out");
    course.fire(Timer::Appeal);
    assert!(course.request().lifecycle.is_closed());
    assert_eq!(course.request().due_at(), None);
    assert!(!course.situation.timers.contains_key(&Timer::AppealDecision));
}

#[test]
fn a_late_acknowledgement_stays_late_when_the_answer_is_extended() {
    let mut course = Course::of(World::simple(Right::Access).under_law("us_ca_ccpa"));
    course
        .fire(Timer::Acknowledgement)
        .sent(Letter::Acknowledgement);
    let late = vec![Letter::Acknowledgement];
    assert_eq!(course.request().lifecycle.late_letters, late);
    let law = course.world.setting().regime;
    let ground = law
        .grounds_for(&Right::Access, datarights::law::GroundUse::Extend)
        .next()
        .map_or("complexity".to_owned(), |ground| ground.code.to_string());
    let ground = datarights::model::Ground::new(ground);
    course.give(lifecycle::Command::Extend {
        ground,
        until: None,
    });
    assert_eq!(course.request().lifecycle.late_letters, late);
}

// ---- deadlines

#[test]
fn each_reminder_is_given_once_and_counted() {
    let mut course = Course::of(World::simple(Right::Access));
    for given in 1..=2 {
        course.fire(Timer::Reminder);
        assert_eq!(course.request().lifecycle.reminders, given);
        let next = course.situation.timers.get(&Timer::Reminder);
        assert!(next.is_none_or(|next| *next > course.situation.now));
        assert_eq!(next.is_some(), given == 1);
    }
}

#[test]
fn nobody_is_reminded_of_what_is_overdue_and_it_is_not_watched_again() {
    let mut course = Course::of(World::simple(Right::Access));
    course.fire(Timer::Deadline);
    assert!(course.request().lifecycle.overdue);
    let reminders = course.request().lifecycle.reminders;
    let now = course.situation.now;
    let fired = course
        .world
        .decide(
            course.request(),
            now,
            &Actor::Engine,
            &Command::Fire(Timer::Reminder),
        )
        .unwrap();
    assert_eq!(fired.next.lifecycle.reminders, reminders);
    let watched = |change: &TimerChange| matches!(change, TimerChange::Set(Timer::Deadline, _));
    let asked = course.attempt(lifecycle::Command::RequestIdentity).unwrap();
    assert!(!asked.timers.iter().any(watched));
    course.give(lifecycle::Command::RequestIdentity);
    course.sent(Letter::IdentityRequest);
    assert!(!course.last.timers.iter().any(watched));
}

#[test]
fn results_are_announced_between_the_receipt_and_now() {
    let world = || {
        World::simple(Right::Access)
            .under_law("uk_gdpr")
            .stating("uk_exam_marks=true")
    };
    let mut course = Course::of(world());
    course.wait(TimeDelta::days(25));
    let now = course.situation.now;
    let second = TimeDelta::seconds(1);
    for (at, accepted) in [
        (start() - second, false),
        (start(), true),
        (now, true),
        (now + second, false),
    ] {
        let tried = course.attempt(lifecycle::Command::AnnounceResults { at });
        assert_eq!(tried.is_ok(), accepted, "{at}");
    }
}

#[test]
fn a_fee_does_not_lapse_once_the_request_is_refused() {
    let mut course = Course::of(World::simple(Right::Access).under_law("ch_fadp"));
    course.give(lifecycle::Command::ConfirmIdentity);
    course.give(lifecycle::Command::ChargeFee {
        minor_units: 20_000,
        currency: "CHF".to_owned(),
        ground: None,
    });
    course.sent(Letter::FeeRequest);
    let law = course.world.setting().regime;
    let refuses = law.grounds_for(&Right::Access, datarights::law::GroundUse::Refuse);
    let ground = refuses.into_iter().next().unwrap().code.to_string();
    let ground = datarights::model::Ground::new(ground);
    course.give(lifecycle::Command::Refuse { ground });
    course.wait(TimeDelta::days(15)).sent(Letter::Refusal);
    assert_eq!(course.request().lifecycle.phase, lifecycle::Phase::Answered);
    assert_eq!(course.request().lifecycle.end, None);
}

#[test]
fn a_fee_that_was_never_settled_does_not_lapse_while_another_question_is_open() {
    let mut course = Course::of(World::simple(Right::Access).under_law("ch_fadp"));
    course.give(lifecycle::Command::ConfirmIdentity);
    course.give(lifecycle::Command::ChargeFee {
        minor_units: 20_000,
        currency: "CHF".to_owned(),
        ground: None,
    });
    course.sent(Letter::FeeRequest);
    let law = course.world.setting().regime;
    let mut refuses = law.grounds_for(&Right::Access, datarights::law::GroundUse::Refuse);
    let ground = refuses.next().unwrap().code.to_string();
    drop(refuses);
    let ground = datarights::model::Ground::new(ground);
    course.give(lifecycle::Command::Refuse { ground });
    course
        .sent(Letter::Refusal)
        .give(lifecycle::Command::Appeal);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    course.give(lifecycle::Command::AskClarification);
    course.sent(Letter::ClarificationRequest);
    course.wait(TimeDelta::days(15));
    course.give(lifecycle::Command::Clarify);
    assert_eq!(course.request().lifecycle.end, None);
}

#[test]
fn a_currency_has_three_capital_letters() {
    let mut course = Course::of(World::simple(Right::Access));
    course.give(lifecycle::Command::ConfirmIdentity);
    for (currency, accepted) in [
        ("EUR", true),
        ("EURO", false),
        ("eur", false),
        ("E1R", false),
    ] {
        let charged = course.attempt(lifecycle::Command::ChargeFee {
            minor_units: 500,
            currency: currency.to_owned(),
            ground: Some(ground()),
        });
        assert_eq!(charged.is_ok(), accepted, "{currency}");
    }
}

// ---- taken up again, joined

#[test]
fn what_was_done_in_full_is_not_reworked_after_its_answer() {
    let done = answered_in_full();
    assert!(too_late(&done, lifecycle::Command::Rework));
    assert!(
        answered_in_part()
            .attempt(lifecycle::Command::Rework)
            .is_ok()
    );
    let mut looked = Course::approved(looked_at(Right::Access, &["crm"], &[]));
    looked.work_until(Phase::Ended);
    assert!(looked.attempt(lifecycle::Command::Rework).is_ok());
}

#[test]
fn another_request_is_carried_on_by_one_that_is_open_or_not_done_in_full() {
    let joined = |course: &Course| {
        let request = RequestId::new(uuid::Uuid::from_u128(98));
        course.attempt(lifecycle::Command::JoinedBy { request })
    };
    assert!(joined(&Course::of(World::simple(Right::Access))).is_ok());
    let part = joined(&answered_in_part()).unwrap().next;
    assert_eq!(part.lifecycle.phase, lifecycle::Phase::Fulfilment);
    assert_eq!(part.fulfilment.unwrap().phase, Phase::Queued);
    let done = joined(&answered_in_full());
    assert!(matches!(done, Err(Rejection::TooLate { .. })), "{done:?}");
    let mut refused = Course::of(World::simple(Right::Access));
    refused.give(refuse());
    let refused = joined(&refused);
    assert!(
        matches!(refused, Err(Rejection::TooLate { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_request_joins_another_and_not_itself() {
    let course = Course::of(World::simple(Right::Access));
    let join = |into| course.attempt(lifecycle::Command::Join { into });
    let itself = join(course.request().facts.id);
    assert!(
        matches!(itself, Err(Rejection::Malformed { .. })),
        "{itself:?}"
    );
    let into = RequestId::new(uuid::Uuid::from_u128(99));
    assert_eq!(
        join(into).unwrap().next.lifecycle.end,
        Some(End::Joined(into))
    );
}

fn granted(course: &mut Course) {
    course.give(lifecycle::Command::Appeal);
    course.give(lifecycle::Command::DecideAppeal { granted: true });
    course.give(lifecycle::Command::Approve);
}

fn began(course: &Course) -> bool {
    let mut events = course.last.events.iter();
    events.any(|envelope| matches!(envelope.event, Event::Started { .. }))
}

#[test]
fn a_granted_appeal_goes_on_where_something_is_left_to_do() {
    let mut part = answered_in_part();
    granted(&mut part);
    assert!(!began(&part));
    assert_eq!(part.work().phase, Phase::Queued);

    let mut kept = Course::approved(looked_at(Right::Erasure, &["crm"], &[]));
    kept.work_until(Phase::Erasing)
        .answer_source(
            "crm",
            StepResult::done(erased(1, vec![withheld(Until::Always)])),
        )
        .work_until(Phase::Ended)
        .give(lifecycle::Command::Release)
        .answered();
    granted(&mut kept);
    assert!(!began(&kept));

    let mut done = answered_in_full();
    granted(&mut done);
    assert!(began(&done));
}

#[test]
fn what_was_left_of_a_rectification_is_corrected_after_a_granted_appeal() {
    let mut course = Course::approved(looked_at(Right::Rectification, &["crm"], &[]));
    course
        .work_until(Phase::Lifting)
        .answer_source("crm", StepResult::Failed(Failure::Refused))
        .work_until(Phase::Ended)
        .give(lifecycle::Command::Release)
        .answered()
        .give(lifecycle::Command::Leave);
    assert_eq!(course.work().phase, Phase::Withholding);
    let before = course.work().sources[0].clone();
    granted(&mut course);
    let after = &course.work().sources[0];
    assert!(after.restricted && after.is_found());
    assert_eq!(
        (&after.locators, &after.keys),
        (&before.locators, &before.keys)
    );
    course.work_until(Phase::Rectifying);
}

/// Restricted and never corrected, refused, still restricted; and begun anew.
fn restricted_and_begun_anew() -> Course {
    let mut world = looked_at(Right::Rectification, &["crm"], &[]);
    world.policy.plan_approval = Approval::OnePerson;
    let mut course = Course::approved(world);
    course
        .work_until(Phase::Approval)
        .give(refuse())
        .work_until(Phase::Lifting)
        .answer_source("crm", StepResult::Failed(Failure::Refused))
        .answered();
    assert_eq!(course.work().phase, Phase::Withholding);
    assert!(!course.work().written);
    granted(&mut course);
    assert!(began(&course));
    course
}

#[test]
fn what_is_still_restricted_is_known_by_what_it_was_found_by_until_it_is_found_anew() {
    let mut course = restricted_and_begun_anew();
    let known = course.work().sources[0].clone();
    assert!(known.restricted && known.is_found() && !known.keys.is_empty());
    course.answer_source("crm", StepResult::done(located("crm", 0, None)));
    assert_eq!(course.work().sources[0].locators, known.locators);
    assert_eq!(course.work().sources[0].keys, known.keys);

    let mut moved = restricted_and_begun_anew();
    let mut finding = located("crm", 1, None);
    let other = vec![datarights::model::KeyedDigest::from_bytes([1; 32])];
    if let Finding::Located { keys, .. } = &mut finding {
        keys.clone_from(&other);
    }
    moved.answer_source("crm", StepResult::done(finding));
    assert_eq!(moved.work().sources[0].keys, other);
}

#[test]
fn a_correction_is_not_called_done_while_rows_are_still_restricted_for_it() {
    let mut course = restricted_and_begun_anew();
    course.answer_source("crm", StepResult::done(located("crm", 1, None)));
    course.answer_source("crm", StepResult::done(planned("crm", "b", 0, vec![])));
    assert_eq!(course.work().phase, Phase::Ended);
    assert!(course.work().sources[0].restricted);
    assert!(course.work().is_unfinished());
    assert_eq!(course.work().outcome, Some(Outcome::Failed));
}

#[test]
fn a_package_that_was_deleted_is_forgotten_when_the_work_begins_anew() {
    let mut course = Course::approved(looked_at(Right::Access, &["crm"], &[]));
    course.work_until(Phase::Ended);
    assert!(course.attempt(lifecycle::Command::PackageDeleted).is_err());
    course.give(refuse());
    assert!(
        course.attempt(lifecycle::Command::Shredded).is_err(),
        "it is not over"
    );
    course.give(lifecycle::Command::PackageDeleted);
    assert!(course.request().lifecycle.package_deleted);
    course.sent(Letter::Refusal);
    granted(&mut course);
    assert!(!course.request().lifecycle.package_deleted);
}

#[test]
fn what_was_deleted_after_the_end_is_noted() {
    let mut course = Course::of(World::simple(Right::Access));
    assert!(course.attempt(lifecycle::Command::Shredded).is_err());
    course.give(lifecycle::Command::Withdraw);
    course.give(lifecycle::Command::Shredded);
    assert!(course.request().lifecycle.shredded);
    course.give(lifecycle::Command::PackageDeleted);
    assert!(course.request().lifecycle.package_deleted);
    assert_eq!(course.request().lifecycle.end, Some(End::Withdrawn));
}

#[test]
fn only_what_was_read_is_deleted_when_the_person_withdraws() {
    let deletes = |course: &Course| {
        let mut effects = course.last.effects.iter();
        effects.any(|(_, effect)| *effect == Effect::DeletePackage)
    };
    let mut early = Course::approved(World::simple(Right::Access));
    early.give(lifecycle::Command::Withdraw);
    assert!(!deletes(&early));
    let mut read = Course::approved(World::simple(Right::Access));
    read.work_until(Phase::Packing)
        .give(lifecycle::Command::Withdraw);
    assert!(deletes(&read), "it lies in a spool");
}

#[test]
fn a_refusal_stays_what_it_is_whatever_the_work_still_comes_to() {
    let mut world = World::simple(Right::Rectification);
    world.policy.plan_approval = Approval::OnePerson;
    let mut course = Course::approved(world);
    course.work_until(Phase::Approval).give(refuse());
    assert_eq!(course.request().lifecycle.outcome, None);
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Cancelled));
    assert_eq!(course.request().lifecycle.outcome, None);
}

#[test]
fn a_letter_that_nobody_needs_any_more_is_not_stuck() {
    let mut world = World::simple(Right::Erasure);
    world.policy.confirm_erasure = true;
    let mut course = Course::approved(world);
    course
        .work_until(Phase::Confirmation)
        .give(letter_failed(Letter::ConfirmationRequest));
    assert_eq!(course.request().lifecycle.stuck_letters.len(), 1);
    course.give(lifecycle::Command::Withdraw);
    assert_eq!(course.request().lifecycle.stuck_letters, []);
}

#[test]
fn silence_of_who_was_not_asked_ends_nothing() {
    let fired = |course: &Course| {
        let (now, expiry) = (course.situation.now, Command::Fire(Timer::Expiry));
        let decided = course
            .world
            .decide(course.request(), now, &Actor::Engine, &expiry);
        let next = decided.unwrap().next.lifecycle;
        (next.end, next.unanswered)
    };
    let nothing = (None, false);
    let mut course = Course::of(World::simple(Right::Erasure).under_law("vn_pdpl"));
    assert_eq!(fired(&course), nothing);
    course.give(lifecycle::Command::RequestIdentity);
    assert_eq!(fired(&course), nothing, "the letter is not out");
    course.sent(Letter::IdentityRequest);
    assert_eq!(fired(&course).0, Some(End::Expired));
    course.give(lifecycle::Command::ConfirmIdentity);
    course.give(lifecycle::Command::Approve);
    assert_eq!(fired(&course), nothing);
    course.work_until(Phase::Erasing);
    assert_eq!(fired(&course), nothing);
}

// ---- steps

#[test]
fn a_restriction_asks_only_the_sources_that_are_not_restricted() {
    let mut course = Course::approved(looked_at(Right::Restriction, &["crm", "shop"], &[]));
    course
        .work_until(Phase::Restricting)
        .answer_source("crm", StepResult::done(Finding::Changed { rows: rows(1) }))
        .answer_source("shop", failed())
        .work_until(Phase::Restricted);
    course.give(lifecycle::Command::Rework);
    course.work_until(Phase::Restricting);
    assert!(
        asked(&course).iter().all(|name| name == "shop"),
        "{:?}",
        asked(&course)
    );
}

#[test]
fn what_was_searched_in_part_is_not_restricted() {
    let mut course = Course::approved(looked_at(Right::Access, &["crm", "shop"], &[]));
    course.answer_source("crm", partly(located("crm", 1, None), Failure::Unavailable));
    assert!(!course.work().sources[0].restricted);
}

#[test]
fn only_open_searches_that_a_new_identifier_fits_are_repeated() {
    use IdentifierKind::{Account, Mail};
    let landscape = Landscape {
        sources: vec![
            source("crm", &[Mail], &[]),
            source("desk", &[Mail, Account], &[]),
            source("mails", &[Mail], &[]),
            source("shop", &[Mail, Account], &[]),
        ],
        recipients: Vec::new(),
    };
    let mut course = Course::approved(World::new(Right::Access, plain_policy(), landscape));
    course.answer_source("desk", StepResult::done(located("desk", 1, None)));
    course.answer_source("crm", StepResult::done(located("crm", 1, Some(Account))));
    let stale = |name: &str| {
        let step = course
            .work()
            .step(&Target::Source(source_id(name)))
            .unwrap();
        step.stale
    };
    assert!(stale("shop"));
    assert!(!stale("mails"), "it is not found by that");
    assert!(
        !stale("desk")
            || course
                .work()
                .step(&Target::Source(source_id("desk")))
                .unwrap()
                .round
                > 1
    );
}

#[test]
fn a_source_that_no_identifier_fits_is_named_once_nothing_more_can_come_to_light() {
    use IdentifierKind::{Account, Mail};
    let landscape = Landscape {
        sources: vec![source("crm", &[Mail], &[]), source("shop", &[Account], &[])],
        recipients: Vec::new(),
    };
    let mut course = Course::approved(World::new(Right::Access, plain_policy(), landscape));
    let named = |course: &Course| {
        let mut missing = course.work().missing();
        missing.any(|(_, missing)| missing.failure == Failure::NoIdentifier)
    };
    assert!(!named(&course), "the other one may tell");
    course.answer_source("crm", StepResult::done(located("crm", 1, None)));
    assert!(named(&course));
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Partly));
}

#[test]
fn who_is_not_found_in_a_source_keeps_no_other_waiting() {
    let landscape = Landscape {
        sources: vec![
            source("accounts", &[IdentifierKind::Mail], &["orders"]),
            source("orders", &[IdentifierKind::Mail], &[]),
        ],
        recipients: Vec::new(),
    };
    let mut course = Course::approved(World::new(Right::Erasure, plain_policy(), landscape));
    course
        .answer_source("orders", StepResult::done(located("orders", 0, None)))
        .answer_source("accounts", StepResult::done(located("accounts", 2, None)))
        .work_until(Phase::Erasing);
    assert_eq!(asked(&course), ["accounts"]);
    course.work_until(Phase::Ended);
    assert_eq!(course.work().outcome, Some(Outcome::Done));
}

#[test]
fn a_source_with_nothing_more_to_say_ended_the_use() {
    let world = looked_at(Right::ConsentWithdrawal, &["crm"], &[]);
    let mut stopped = Course::of(world);
    stopped.answer_source("crm", StepResult::done(Finding::Nothing));
    assert_eq!(stopped.work().outcome, Some(Outcome::Done));
}

#[test]
fn recipients_hear_again_of_what_was_erased_since_and_of_nothing_else() {
    for (count, heard) in [(2, false), (0, true)] {
        let mut course = Course::approved(looked_at(Right::Erasure, &["crm"], &["mailer"]));
        let kept = vec![withheld(Until::Date(day(400)))];
        course
            .work_until(Phase::Erasing)
            .answer_source("crm", StepResult::done(erased(1, kept)))
            .work_until(Phase::Withholding);
        assert!(course.work().recipients[0].confirmed);
        course.fire(Timer::Tail).work_until(Phase::Erasing);
        let mut finding = erased(count, vec![]);
        if let Finding::Erased { rows, .. } = &mut finding {
            *rows = self::rows(count);
        }
        course.answer_source("crm", StepResult::done(finding));
        assert_eq!(course.work().recipients[0].confirmed, heard);
    }
}

#[test]
fn recipients_of_a_rectification_hear_of_it_after_its_locks_are_free() {
    let mut course = Course::approved(looked_at(Right::Rectification, &["crm"], &["mailer"]));
    course
        .work_until(Phase::Lifting)
        .work_until(Phase::Informing);
    assert_eq!(course.last.locks, Locks::Release);
    assert_eq!(course.work().plan_digest(), course.work().plan_digest());
    assert_ne!(course.work().plan_digest(), Digest::default());
}

#[test]
fn recipients_of_a_restriction_hear_of_its_end() {
    let mut course = Course::approved(looked_at(Right::Restriction, &["crm"], &["mailer"]));
    course
        .work_until(Phase::Restricted)
        .give(lifecycle::Command::Release)
        .answered()
        .give(fulfilment::Command::Lift)
        .sent(Letter::RestrictionLifted)
        .work_until(Phase::Informing);
    assert!(!course.work().sources[0].restricted);
    course.work_until(Phase::Ended);
    assert!(course.work().recipients[0].confirmed);
}
