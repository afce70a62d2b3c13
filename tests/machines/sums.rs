//! What work comes to, and what is told of it: by source, by recipient, as a whole.

use chrono::TimeDelta;
use datarights::model::{
    Assurance, Failure, Ground, IdentifierKind, KeyedDigest, Outcome, Purpose, Right, SearchDepth,
    Until, Use,
};
use datarights::workflow::fulfilment::{self, Phase, stop::uses};
use datarights::workflow::{
    Delivery, Finding, Landscape, Letter, Rejection, StepResult, Target, Task, lifecycle,
};

use crate::world::*;

fn done(finding: Finding) -> StepResult {
    StepResult::done(finding)
}

/// Approved, with both sources found.
fn course(right: Right, sources: &[&str], recipients: &[&str]) -> Course {
    Course::approved(looked_at(right, sources, recipients))
}

fn outcome(course: &mut Course) -> Outcome {
    course.work_until(Phase::Ended);
    course.work().outcome.clone().unwrap()
}

// ---- the outcome as a whole

#[test]
fn what_was_found_and_may_not_be_changed_is_partly_done() {
    let mut kept = course(Right::Rectification, &["crm"], &[]);
    kept.work_until(Phase::Planning);
    let withheld = vec![withheld(Until::Always)];
    kept.answer_source("crm", done(planned("crm", "a", 0, withheld)));
    assert_eq!(outcome(&mut kept), Outcome::Partly);
}

#[test]
fn a_correction_of_what_is_right_already_is_done_and_an_erasure_of_nothing_found_nothing() {
    let mut right = course(Right::Rectification, &["crm"], &[]);
    right.work_until(Phase::Planning);
    right.answer_source("crm", done(planned("crm", "a", 0, vec![])));
    assert_eq!(outcome(&mut right), Outcome::Done);

    let mut nobody = course(Right::Rectification, &["crm"], &[]);
    nobody
        .work_until(Phase::Locating)
        .answer_source("crm", done(located("crm", 0, None)));
    assert_eq!(outcome(&mut nobody), Outcome::NothingFound);
}

#[test]
fn a_search_that_no_identifier_fits_anywhere_failed_and_in_part_if_others_were_searched() {
    let landscape = |kinds: &[IdentifierKind]| Landscape {
        sources: (kinds.iter().enumerate())
            .map(|(place, kind)| source(["crm", "shop"][place], std::slice::from_ref(kind), &[]))
            .collect(),
        recipients: Vec::new(),
    };
    let of = |kinds: &[IdentifierKind]| {
        let world = World::new(Right::Access, plain_policy(), landscape(kinds));
        let mut course = Course::approved(world);
        if course.work().phase == Phase::Locating {
            course.answer_source("crm", done(located("crm", 0, None)));
        }
        outcome(&mut course)
    };
    use IdentifierKind::{Account, Mail};
    assert_eq!(of(&[Account]), Outcome::Failed);
    assert_eq!(of(&[Account, Account]), Outcome::Failed);
    assert_eq!(of(&[Mail, Account]), Outcome::Partly);
    assert_eq!(of(&[Mail]), Outcome::NothingFound);
}

// ---- rectifications

#[test]
fn nothing_disputed_is_changed_unless_everything_was_found_and_planned() {
    let two = || course(Right::Rectification, &["crm", "shop"], &[]);
    let mut unsearched = two();
    unsearched
        .answer_source("crm", done(located("crm", 1, None)))
        .answer_source("shop", failed());
    assert_eq!(unsearched.work().phase, Phase::Ended);
    let mut unplanned = two();
    unplanned
        .work_until(Phase::Planning)
        .answer_source("crm", done(planned("crm", "a", 1, vec![])))
        .answer_source("shop", failed());
    assert_eq!(unplanned.work().phase, Phase::Ended);
    let mut part = two();
    part.answer_source("crm", done(located("crm", 1, None)))
        .answer_source("shop", done(located("shop", 0, None)));
    assert_eq!(part.work().phase, Phase::Planning);
    part.answer_source("crm", done(planned("crm", "a", 1, vec![])));
    assert_eq!(part.work().phase, Phase::Queued);
}

#[test]
fn a_source_without_anything_to_correct_is_neither_restricted_nor_corrected() {
    let mut course = course(Right::Rectification, &["crm", "shop"], &[]);
    course
        .work_until(Phase::Planning)
        .answer_source("crm", done(planned("crm", "a", 2, vec![])))
        .answer_source("shop", done(planned("shop", "a", 0, vec![])))
        .work_until(Phase::Restricting);
    let asked = |course: &Course| -> Vec<String> {
        let steps = course.work().steps.iter();
        steps.map(|step| step.target.to_string()).collect()
    };
    assert_eq!(asked(&course), ["crm"]);
    course.work_until(Phase::Rectifying);
    assert_eq!(asked(&course), ["crm"]);
}

#[test]
fn a_source_that_cannot_restrict_is_corrected_all_the_same() {
    let mut course = course(Right::Rectification, &["crm"], &[]);
    course
        .work_until(Phase::Restricting)
        .answer_source("crm", StepResult::Unsupported);
    assert_eq!(course.work().phase, Phase::Rectifying);
    assert!(!course.work().sources[0].restricted);
    assert_eq!(outcome(&mut course), Outcome::Done);

    // A restriction itself is not done by that.
    let mut restriction = self::course(Right::Restriction, &["crm"], &[]);
    restriction
        .work_until(Phase::Restricting)
        .answer_source("crm", StepResult::Unsupported);
    assert_eq!(outcome(&mut restriction), Outcome::Unsupported);
}

#[test]
fn a_correction_that_was_approved_is_made_and_its_restriction_lifted() {
    let mut world = World::simple(Right::Rectification);
    world.policy.plan_approval = datarights::workflow::Approval::OnePerson;
    let mut course = Course::approved(world);
    course.work_until(Phase::Approval);
    assert!(course.work().sources[0].restricted);
    let digest = course.work().plan_digest();
    course.give(fulfilment::Command::ApprovePlan { digest });
    let mut phases = Vec::new();
    while course.work().phase != Phase::Ended {
        let phase = course.work().phase;
        let work = course.work();
        let task = phase.task(work.machine).unwrap();
        let target = work.steps[0].target.clone();
        phases.push(phase);
        course.answer(&target, success(task, &target));
    }
    let made = [
        Phase::Queued,
        Phase::Rectifying,
        Phase::Verifying,
        Phase::Lifting,
    ];
    assert_eq!(phases, made);
    assert!(!course.work().sources[0].restricted);
}

#[test]
fn what_could_not_be_lifted_is_named_and_can_be_taken_up_again() {
    let mut course = course(Right::Rectification, &["crm"], &["mailer"]);
    course
        .work_until(Phase::Lifting)
        .answer_source("crm", StepResult::Failed(Failure::Refused));
    let still = Failure::Code("still_restricted".into());
    let named = |course: &Course| {
        course
            .work()
            .missing()
            .any(|(_, missing)| missing.failure == still)
    };
    assert!(named(&course), "in {:?}", course.work().phase);
    assert!(course.work().is_unfinished());
    assert_eq!(outcome(&mut course), Outcome::Partly);
    course.give(lifecycle::Command::Rework);
    course.work_until(Phase::Lifting);
    assert!(!named(&course), "it is being lifted");
    assert_eq!(outcome(&mut course), Outcome::Done);
    assert!(!named(&course));
}

#[test]
fn a_wish_that_no_plan_takes_is_named_once_with_how_many_there_are() {
    let lost = |untaken: [bool; 2]| {
        let mut course = course(Right::Rectification, &["crm", "shop"], &[]);
        course.work_until(Phase::Planning);
        for (name, untaken) in ["crm", "shop"].into_iter().zip(untaken) {
            let plan = match untaken {
                true => planned_without_the_first(name, 3),
                false => planned(name, "a", 3, vec![]),
            };
            course.answer_source(name, done(plan));
        }
        let missing = course.work().missing();
        let wishes = missing.filter(|(_, missing)| missing.failure == Failure::NoSuchField);
        wishes
            .map(|(target, missing)| (target, missing.rows))
            .collect::<Vec<_>>()
    };
    assert_eq!(lost([true, true]), [(Target::Request, Some(1))]);
    for taken in [[true, false], [false, true], [false, false]] {
        assert_eq!(lost(taken), []);
    }
}

// ---- restrictions

#[test]
fn recipients_are_told_of_a_restriction_though_no_source_holds_the_person_if_all_were_searched() {
    let nowhere = || course(Right::Restriction, &["crm"], &["mailer"]);
    let mut searched = nowhere();
    searched.answer_source("crm", done(located("crm", 0, None)));
    assert_eq!(searched.work().phase, Phase::Informing);
    let mut failing = nowhere();
    failing.answer_source("crm", failed());
    assert_eq!(failing.work().phase, Phase::Ended);
    let mut nobody = course(Right::Restriction, &["crm"], &[]);
    nobody.answer_source("crm", done(located("crm", 0, None)));
    assert_eq!(nobody.work().phase, Phase::Ended);
}

/// In force in one of two sources.
fn half_restricted() -> Course {
    let mut course = course(Right::Restriction, &["crm", "shop"], &[]);
    course
        .work_until(Phase::Restricting)
        .answer_source("crm", done(Finding::Changed { rows: rows(1) }))
        .answer_source("shop", StepResult::Unsupported)
        .work_until(Phase::Restricted);
    course
}

#[test]
fn a_restriction_that_is_in_force_somewhere_is_kept_and_found_again_by_what_it_was_found_by() {
    let mut course = half_restricted();
    let before = course.work().source(&source_id("crm")).unwrap().clone();
    course.give(lifecycle::Command::Rework);
    assert_eq!(course.work().phase, Phase::Locating);
    let after = course.work().source(&source_id("crm")).unwrap();
    assert!(after.restricted && after.is_found());
    assert_eq!(after.locators, before.locators);
    assert_eq!(after.keys, before.keys);
    assert!(
        course
            .work()
            .step(&Target::Source(source_id("crm")))
            .is_none()
    );
}

// ---- locks

#[test]
fn all_that_the_person_was_found_by_is_locked_each_key_once_and_in_order() {
    let mut course = course(Right::Access, &["crm", "shop", "desk"], &[]);
    let keys = [[9; 32], [4; 32], [9; 32]];
    for (name, key) in ["crm", "shop", "desk"].into_iter().zip(keys) {
        let mut finding = located(name, 1, None);
        if let Finding::Located { keys, .. } = &mut finding {
            *keys = vec![KeyedDigest::from_bytes(key)];
        }
        course.answer_source(name, done(finding));
    }
    let sorted = [[4; 32], [9; 32]].map(KeyedDigest::from_bytes);
    assert_eq!(course.work().lock_keys(), sorted);
}

// ---- how sure, how deep

#[test]
fn an_erasure_is_as_sure_and_as_deeply_searched_as_its_weakest_source() {
    let mut course = course(Right::Erasure, &["crm", "shop"], &[]);
    course.work_until(Phase::Erasing);
    assert_eq!(course.work().assurance(), None);
    assert_eq!(course.work().search_depth(), None);
    let all = [Assurance::Deleted, Assurance::Anonymised];

    for (name, assurance) in ["crm", "shop"].into_iter().zip(all) {
        let result = Finding::Erased {
            rows: rows(1),
            withheld: Vec::new(),
            assurance,
        };
        course.answer_source(name, done(result));
    }
    assert_eq!(course.work().assurance(), Some(Assurance::Anonymised));
    let deep = |depth| {
        done(Finding::Left {
            rows: Vec::new(),
            depth,
        })
    };
    course.answer_source("crm", deep(SearchDepth::ByValue));
    assert_eq!(course.work().search_depth(), Some(SearchDepth::ByPath));
    course.answer_source("shop", deep(SearchDepth::ByValue));
    assert_eq!(course.work().search_depth(), Some(SearchDepth::ByValue));
}

#[test]
fn rows_that_are_erased_in_several_rounds_add_up_by_collection() {
    let mut course = course(Right::Erasure, &["crm"], &[]);
    course.world.policy.erasure_rounds = 2;
    course.work_until(Phase::Erasing);
    let erased = |name: &str, count| {
        done(Finding::Erased {
            rows: vec![datarights::model::RowCount::new(name, count)],
            withheld: Vec::new(),
            assurance: Assurance::Deleted,
        })
    };
    let left = |count| {
        done(left(vec![datarights::model::RowCount::new(
            "orders", count,
        )]))
    };
    course
        .answer_source("crm", erased("orders", 3))
        .answer_source("crm", left(2))
        .answer_source("crm", erased("orders", 2));
    let rows = &course.work().sources[0].done;
    assert_eq!(*rows, [datarights::model::RowCount::new("orders", 5)]);
    // A count of nothing is nothing that is left.
    course.answer_source("crm", left(0));
    assert!(course.work().sources[0].left.is_empty());
    assert_eq!(outcome(&mut course), Outcome::Done);
}

// ---- transmissions

#[test]
fn another_controller_that_confirmed_a_transmission_has_it() {
    let mut world = World::simple(Right::Export);
    world.delivery = Delivery::Transmit(party("other-bank"));
    let mut course = Course::approved(world);
    course.work_until(Phase::Sending);
    let bank = Target::Recipient(party("other-bank"));
    course.answer(&bank, success(Task::Transmit, &bank));
    assert!(course.work().deliver_to.as_ref().unwrap().confirmed);
    assert_eq!(course.work().outcome, Some(Outcome::Done));
}

// ---- the uses that a request ends

#[test]
fn each_right_ends_the_uses_that_it_is_about_and_no_others() {
    use Use::{Consent, DirectMarketing, SaleOrSharing, SensitiveBeyondNeeds};
    let purpose = |name: &str| Use::Purpose(Purpose(name.to_owned().into()));
    let ads = || purpose("ads");
    let accepted = [
        (Right::ConsentWithdrawal, vec![], vec![Consent]),
        (
            Right::ConsentWithdrawal,
            vec![DirectMarketing],
            vec![DirectMarketing],
        ),
        (Right::ConsentWithdrawal, vec![ads()], vec![ads()]),
        (Right::OptOut, vec![], vec![SaleOrSharing]),
        (Right::OptOut, vec![ads()], vec![ads()]),
        (Right::LimitSensitive, vec![], vec![SensitiveBeyondNeeds]),
        (
            Right::LimitSensitive,
            vec![SensitiveBeyondNeeds],
            vec![SensitiveBeyondNeeds],
        ),
        (
            Right::Objection,
            vec![DirectMarketing],
            vec![DirectMarketing],
        ),
        (Right::Objection, vec![ads(), ads()], vec![ads()]),
        (Right::Access, vec![], vec![]),
    ];
    for (right, named, ended) in accepted {
        assert_eq!(uses(&right, named.clone()), Ok(ended), "{right} {named:?}");
    }
    let refused = [
        (Right::ConsentWithdrawal, vec![SaleOrSharing]),
        (Right::ConsentWithdrawal, vec![SensitiveBeyondNeeds]),
        (Right::OptOut, vec![Consent]),
        (Right::OptOut, vec![SensitiveBeyondNeeds]),
        (Right::LimitSensitive, vec![SaleOrSharing]),
        (Right::LimitSensitive, vec![SensitiveBeyondNeeds, ads()]),
        (Right::Objection, vec![]),
        (Right::Objection, vec![DirectMarketing, ads()]),
        (Right::Objection, vec![SaleOrSharing]),
        (Right::Objection, vec![purpose("no name!")]),
        (Right::Access, vec![ads()]),
    ];
    for (right, named) in refused {
        let tried = uses(&right, named.clone());
        assert!(
            matches!(tried, Err(Rejection::Malformed { .. })),
            "{right} {named:?}"
        );
    }
}

// ---- what the person may see

#[test]
fn an_outcome_is_seen_once_it_was_let_out_and_never_after_a_refusal() {
    let released = |course: &Course| course.request().lifecycle.is_released();
    let mut answered = course(Right::Access, &["crm"], &[]);
    assert!(!released(&answered));
    answered.work_until(Phase::Ended);
    assert!(!released(&answered), "somebody looks at it");
    answered.give(lifecycle::Command::Release);
    assert!(released(&answered));
    answered.answered();
    assert!(released(&answered));
    let mut appealed = Course {
        situation: answered.situation.clone(),
        world: looked_at(Right::Access, &["crm"], &[]),
        last: answered.last.clone(),
        effects: Vec::new(),
    };
    appealed.give(lifecycle::Command::Appeal);
    assert!(released(&appealed));
    answered.fire(datarights::workflow::Timer::Appeal);
    assert!(released(&answered));

    let mut refused = Course::of(looked_at(Right::Access, &["crm"], &[]));
    refused.give(lifecycle::Command::Refuse {
        ground: Ground::new("manifestly_unfounded"),
    });
    assert!(!released(&refused));
    refused.sent(Letter::Refusal);
    assert!(!released(&refused));
    let mut withdrawn = Course::of(looked_at(Right::Access, &["crm"], &[]));
    withdrawn
        .wait(TimeDelta::days(1))
        .give(lifecycle::Command::Withdraw);
    assert!(!released(&withdrawn));
}
