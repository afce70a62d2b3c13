//! California: receipt is confirmed within ten business days, the answer comes within 45 days of
//! receipt however long identity takes, and again 45.

use super::*;
use datarights::model::{Outcome, Right, Wish};
use datarights::ports::ErrorKind;
use datarights::testkit::{Fault, Faulty, Method};
use datarights::workflow::{Event, Letter};

fn business() -> World {
    let mut world = World::keeping_invoices("legal_obligation");
    world.controller = common::controller("us_ca_ccpa", "America/Los_Angeles");
    world.policy.acknowledge = false; // the law asks for it anyway
    world
}

#[test]
fn a_deletion_from_intake_to_answer() {
    let world = business();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.work(&engine);
    let receipt = letter(&world, request, "acknowledgement");
    let article = "7021(a)";
    assert_eq!(
        items(&receipt),
        ["process", "verification", "when"].map(|item| (item, article))
    );
    // 2 March and 45 days.
    assert_eq!(
        receipt.says("when").unwrap(),
        "You can expect our answer by 16 April 2026."
    );
    // Ten business days: the end of 16 March in Los Angeles.
    assert_eq!(
        receipt.send_before,
        Some("2026-03-17T07:00:00Z".parse().unwrap())
    );

    let known = refused_ground(&world, &engine, request, extend("complexity"));
    assert_eq!(known, "reasonably_necessary");
    give(&world, &engine, request, extend("reasonably_necessary"));
    let longer = letter(&world, request, "extension");
    assert_eq!(
        items(&longer),
        [("extension", "7021(b)"), ("reasons", "7021(b)")]
    );
    assert!(
        longer
            .says("extension")
            .unwrap()
            .ends_with("by 31 May 2026.")
    );

    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    assert!(seen.lifecycle.late_letters.is_empty());
    let answer = letter(&world, request, "response");
    let denial = "7022(f), 7023(f), 7024(e)";
    assert_eq!(
        items(&answer),
        [
            ("reasons", denial),
            ("appeal", denial),
            ("action_taken", "1798.105, .106, .130"),
            ("record_kept", "1798.105, .106, .130"),
        ]
    );
    let reasons = answer.says("reasons").unwrap();
    assert!(
        reasons.contains("We are legally obliged to keep the information. (1798.105(d)(8), "),
        "{reasons}"
    );
    assert_eq!(
        kinds(&world, request),
        ["acknowledgement", "extension", "response"]
    );
}

#[test]
fn a_request_to_know_that_cannot_be_verified() {
    let world = business();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.work(&engine);
    let known = refused_ground(&world, &engine, request, refuse("not_identifiable"));
    assert!(known.starts_with("unverifiable, "), "{known}");
    refused_ground(&world, &engine, request, refuse("free_speech")); // of deletions
    give(&world, &engine, request, refuse("unverifiable"));
    let denial = letter(&world, request, "refusal");
    let article = "7022(f), 7023(f), 7024(e)";
    assert_eq!(
        items(&denial),
        [
            ("reasons", article),
            ("appeal", article),
            ("cannot_verify", "7024(a)"),
            ("categories", "7024(a)"),
        ]
    );
    assert!(
        denial
            .says("reasons")
            .unwrap()
            .starts_with("We could not verify your identity within")
    );
    assert!(
        denial
            .says("appeal")
            .unwrap()
            .starts_with("There is no appeal to us")
    );
    let law = Regimes::builtin().get(&denial.regime).unwrap();
    assert_eq!(
        (&*law.words.subject, &*law.words.controller),
        ("consumer", "business")
    );
}

#[test]
fn a_receipt_confirmed_too_late_is_recorded_as_late() {
    let mut world = business();
    let notifier = Faulty::new(
        "outbox",
        world.outbox.clone(),
        std::sync::Arc::new(world.clock.clone()),
    );
    notifier.will(Method::Notify, [Fault::Fail(ErrorKind::Refused)]);
    world.notifier = std::sync::Arc::new(notifier);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.work(&engine);
    let due = "2026-03-17T07:00:00Z".parse().unwrap();
    assert_eq!(world.see(&engine, request).due_at(), Some(due));
    // Every worker is down on that day.
    world.clock.set("2026-03-20T12:00:00Z".parse().unwrap());
    world.work(&engine);
    let resend = lifecycle::Command::Resend {
        letter: Letter::Acknowledgement,
    };
    give(&world, &engine, request, resend);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.late_letters, [Letter::Acknowledgement]);
    assert_eq!(seen.due_at(), seen.answer_due(), "it is out now");
    let events = events(&world, &engine, request);
    let letter = Letter::Acknowledgement;
    let overdue = Event::LetterOverdue { letter, at: due };
    assert_eq!(
        events.iter().filter(|event| event.event == overdue).count(),
        1
    );
}
