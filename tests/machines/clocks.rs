//! What staff tells of and only some laws' clocks know; what the law makes of silence; who reviews.

use chrono::TimeDelta;
use datarights::model::{Actor, End, Ground, Purpose, Right, Use};
use datarights::workflow::{
    Cause, Command, Decision, Effect, Event, Letter, Rejection, Timer, lifecycle,
};

use crate::world::*;

fn course(law: &str) -> Course {
    Course::of(World::simple(Right::Access).under_law(law))
}

fn told(course: &mut Course, letter: Letter) {
    course.give(lifecycle::Command::LetterSent { letter });
}

fn closed(decision: &Decision) -> Option<(&End, &Actor, &Cause)> {
    decision
        .events
        .iter()
        .find_map(|envelope| match &envelope.event {
            Event::Closed { end } => Some((end, &envelope.actor, &envelope.cause)),
            _ => None,
        })
}

// ---- Switzerland: a fee that is not accepted

fn swiss_fee() -> Course {
    let mut course = course("ch_fadp");
    course.give(lifecycle::Command::ConfirmIdentity);
    course.give(lifecycle::Command::ChargeFee {
        minor_units: 20_000,
        currency: "CHF".to_owned(),
        ground: None,
    });
    course
}

#[test]
fn a_swiss_fee_that_is_not_accepted_in_ten_days_ends_the_request_as_withdrawn() {
    let mut course = swiss_fee();
    told(&mut course, Letter::FeeRequest);
    let lapses = course.situation.timers[&Timer::Expiry];
    let day = lapses.with_timezone(&chrono_tz::Europe::Paris).date_naive();
    assert_eq!(day, self::day(11), "the first instant after ten whole days");
    // One second before, nothing has happened and it can be accepted.
    course.situation.now = lapses - TimeDelta::seconds(1);
    assert!(course.attempt(lifecycle::Command::PayFee).is_ok());
    course.situation.now = lapses;
    // Too late for everybody, though no worker was there yet.
    for late in [
        lifecycle::Command::PayFee,
        lifecycle::Command::WaiveFee,
        lifecycle::Command::Withdraw,
    ] {
        let late = course.attempt(late);
        assert!(matches!(late, Err(Rejection::NotNow { .. })), "{late:?}");
    }
    course.fire(Timer::Expiry);
    let (end, actor, cause) = closed(&course.last).unwrap();
    assert_eq!(*end, End::Withdrawn);
    assert_eq!(
        (actor, cause),
        (&Actor::Engine, &Cause::Timer(Timer::Expiry))
    );
    let letter = Effect::Notify(Letter::Expiry);
    assert!(
        course
            .last
            .effects
            .iter()
            .any(|(_, effect)| *effect == letter)
    );
    for timer in [Timer::Deadline, Timer::Expiry, Timer::Reminder] {
        assert!(!course.situation.timers.contains_key(&timer), "{timer:?}");
    }
}

#[test]
fn the_ten_days_count_from_the_letter_and_not_without_it() {
    let mut course = swiss_fee();
    course.wait(TimeDelta::days(12));
    let waived = course.attempt(lifecycle::Command::WaiveFee);
    assert!(waived.is_ok(), "nobody told the person yet");
    told(&mut course, Letter::FeeRequest);
    let lapses = course.situation.timers[&Timer::Expiry];
    let day = lapses.with_timezone(&chrono_tz::Europe::Paris).date_naive();
    assert_eq!(day, self::day(23));
    course
        .wait(TimeDelta::days(9))
        .give(lifecycle::Command::PayFee);
    let due = course.request().answer_due().unwrap();
    let due = due.with_timezone(&chrono_tz::Europe::Paris).date_naive();
    assert_eq!(due, self::day(12 + 10 + 30 + 1));
}

#[test]
fn a_second_fee_has_ten_days_of_its_own() {
    let mut course = swiss_fee();
    told(&mut course, Letter::FeeRequest);
    course
        .wait(TimeDelta::days(3))
        .give(lifecycle::Command::WaiveFee);
    course
        .wait(TimeDelta::days(20))
        .give(lifecycle::Command::ChargeFee {
            minor_units: 10_000,
            currency: "CHF".to_owned(),
            ground: None,
        });
    course.wait(TimeDelta::days(1));
    // The letter of the first one is none of the second.
    assert!(course.attempt(lifecycle::Command::WaiveFee).is_ok());
    assert_eq!(course.request().lifecycle.waiting_since, None);
    told(&mut course, Letter::FeeRequest);
    course.wait(TimeDelta::days(11)).fire(Timer::Expiry);
    assert_eq!(course.request().lifecycle.end, Some(End::Withdrawn));
}

#[test]
fn elsewhere_nobody_withdraws_for_the_person() {
    let mut course = course("uk_gdpr");
    course.give(lifecycle::Command::ConfirmIdentity);
    course.give(lifecycle::Command::ChargeFee {
        minor_units: 1000,
        currency: "GBP".to_owned(),
        ground: Some(Ground::new("excessive_repetitive")),
    });
    told(&mut course, Letter::FeeRequest);
    course.wait(TimeDelta::days(40)).fire(Timer::Expiry);
    assert_eq!(course.request().lifecycle.end, None);
    assert!(course.request().lifecycle.unanswered);
}

// ---- Utah: suspected fraud

#[test]
fn suspected_fraud_lifts_the_clock_of_utah_until_it_is_known_who_asks() {
    let mut course = course("us_ut");
    let due = course.request().answer_due();
    assert!(due.is_some());
    course
        .wait(TimeDelta::days(3))
        .give(lifecycle::Command::SuspectFraud);
    assert_eq!(course.request().answer_due(), None);
    assert!(!course.situation.timers.contains_key(&Timer::Deadline));
    assert_eq!(
        course
            .attempt(lifecycle::Command::SuspectFraud)
            .unwrap_err(),
        Rejection::Once {
            what: "suspect_fraud"
        }
    );
    course.give(lifecycle::Command::ConfirmIdentity);
    assert_eq!(course.request().answer_due(), due);
    let late = self::course("us_ut");
    let mut late = late;
    late.situation.now = due.unwrap() + TimeDelta::days(1);
    late.give(lifecycle::Command::SuspectFraud);
    assert!(
        late.request().lifecycle.overdue,
        "a clock that ran out is not lifted"
    );
    assert_eq!(late.request().answer_due(), due);
}

#[test]
fn laws_without_such_a_clock_say_so() {
    let course = course("eu_gdpr");
    let fraud = course.attempt(lifecycle::Command::SuspectFraud);
    assert!(
        matches!(fraud, Err(Rejection::MovesNothing { .. })),
        "{fraud:?}"
    );
    let at = course.situation.now;
    let results = course.attempt(lifecycle::Command::AnnounceResults { at });
    assert!(
        matches!(results, Err(Rejection::MovesNothing { .. })),
        "{results:?}"
    );
}

// ---- UK: examination results

#[test]
fn announced_results_start_the_forty_days_of_an_examination() {
    let world = World::simple(Right::Access)
        .under_law("uk_gdpr")
        .stating("uk_exam_marks=true");
    let mut course = Course::of(world);
    let outer = course.request().answer_due().unwrap();
    assert!(
        outer > start() + TimeDelta::days(150),
        "five months without results"
    );
    let at = start() + TimeDelta::days(20);
    course.wait(TimeDelta::days(25));
    for wrong in [start() - TimeDelta::days(1), start() + TimeDelta::days(26)] {
        let wrong = course.attempt(lifecycle::Command::AnnounceResults { at: wrong });
        assert!(
            matches!(wrong, Err(Rejection::Malformed { .. })),
            "{wrong:?}"
        );
    }
    course.give(lifecycle::Command::AnnounceResults { at });
    let due = course.request().answer_due().unwrap();
    assert_eq!(due.date_naive(), day(60));
    let again = course.attempt(lifecycle::Command::AnnounceResults { at });
    assert_eq!(
        again.unwrap_err(),
        Rejection::Once {
            what: "announce_results"
        }
    );
}

// ---- Colorado and Minnesota: an appeal that takes longer

fn appealed(law: &str) -> Course {
    let mut course = course(law);
    course.give(lifecycle::Command::Refuse {
        ground: Ground::new("trade_secret"),
    });
    told(&mut course, Letter::Refusal);
    course.give(lifecycle::Command::Appeal);
    course
}

fn extend_appeal() -> Command {
    let ground = Ground::new("complexity");
    lifecycle::Command::ExtendAppeal { ground }.into()
}

#[test]
fn an_appeal_is_extended_where_the_law_knows_that_and_its_letter_is_out() {
    for law in ["us_co", "us_mn"] {
        let mut course = appealed(law);
        let due = course.request().due_at().unwrap();
        course.wait(TimeDelta::days(40)).give(extend_appeal());
        let extended = course.request().letter_due(Letter::AppealDecision).unwrap();
        assert_eq!((extended - due).num_hours(), 60 * 24, "{law}");
        assert_eq!(
            course.request().due_at(),
            Some(due),
            "its letter comes first"
        );
        assert_eq!(course.situation.timers[&Timer::Extension], due);
        let twice = course.attempt(extend_appeal()).unwrap_err();
        assert_eq!(
            twice,
            Rejection::Once {
                what: "extend_appeal"
            }
        );

        // Without the letter it never took effect.
        let mut untold = appealed(law);
        untold.wait(TimeDelta::days(40)).give(extend_appeal());
        untold.situation.now = due;
        untold.fire(Timer::Extension);
        assert!(!untold.request().lifecycle.appeal_extended);
        assert_eq!(
            untold.request().letter_due(Letter::AppealDecision),
            Some(due)
        );

        told(&mut course, Letter::Extension);
        assert_eq!(course.request().due_at(), Some(extended));
        course.situation.now = due + TimeDelta::days(1);
        course.give(lifecycle::Command::DecideAppeal { granted: true });
        assert!(course.request().lifecycle.late_letters.is_empty());
    }
}

#[test]
fn an_appeal_is_not_extended_elsewhere_or_too_late() {
    let virginia = appealed("us_va").attempt(extend_appeal()).unwrap_err();
    assert_eq!(virginia, Rejection::NoExtension);
    let mut late = appealed("us_co");
    late.wait(TimeDelta::days(60));
    let late = late.attempt(extend_appeal()).unwrap_err();
    assert!(
        matches!(late, Rejection::ExtensionTooLate { .. }),
        "{late:?}"
    );
}

// ---- who reviews, and under which conditions

#[test]
fn a_reviewable_refusal_is_not_reviewed_by_who_refused() {
    let refused = |law, code: &'static str| {
        let mut course = course(law);
        let ground = Ground::new(code);
        let refuse: Command = lifecycle::Command::Refuse { ground }.into();
        let by = somebody_for(&refuse);
        course.give(refuse);
        told(&mut course, Letter::Refusal);
        course.give(lifecycle::Command::Appeal);
        (course, by)
    };
    let decide: Command = lifecycle::Command::DecideAppeal { granted: true }.into();
    let (course, by) = refused("us_hipaa", "endangerment");
    let attempt = |course: &Course, actor: &Actor| {
        let now = course.situation.now;
        course.world.decide(course.request(), now, actor, &decide)
    };
    assert_eq!(attempt(&course, &by).unwrap_err(), Rejection::SameReviewer);
    assert!(attempt(&course, &staff("zoe")).is_ok());
    // Other grounds leave it open who looks again.
    let (course, by) = refused("eu_gdpr", "manifestly_unfounded");
    assert!(attempt(&course, &by).is_ok());
}

#[test]
fn the_conditions_of_a_right_are_those_of_the_law_that_the_request_pinned() {
    let conditions = |law, right, uses| {
        let mut world = World::simple(right).under_law(law);
        world.uses = uses;
        let regime = datarights::law::Regimes::builtin().get(law).unwrap();
        Course::of(world).request().conditions(&regime).len()
    };
    let profiling = vec![Use::Purpose(Purpose("profiling".into()))];
    assert_eq!(conditions("eu_gdpr", Right::Export, Vec::new()), 2);
    assert_eq!(conditions("eu_gdpr", Right::Objection, profiling), 1);
    // Direct marketing is not weighed: nobody confirms anything.
    let marketing = vec![Use::DirectMarketing];
    assert_eq!(conditions("eu_gdpr", Right::Objection, marketing), 0);
    assert_eq!(conditions("eu_gdpr", Right::Access, Vec::new()), 0);
    assert_eq!(conditions("us_va", Right::Export, Vec::new()), 0);
}
