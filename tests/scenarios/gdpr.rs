//! The GDPR, at a controller in Paris: a month, extended once by two; a refusal in the first.

use super::*;
use datarights::model::{Actor, Outcome, Personal, Right, Wish};
use datarights::ports::Check;
use datarights::workflow::lifecycle::Phase;
use datarights::workflow::{Event, Letter};

const LAW: &str = "EU General Data Protection Regulation";

#[test]
fn an_erasure_from_intake_to_answer() {
    let world = World::keeping_invoices("erasure_exception_legal_obligation");
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.work(&engine);
    let receipt = letter(&world, request, "acknowledgement");
    assert_eq!(items(&receipt), [("receipt", "EDPB 01/2022 par. 57")]);
    let words = receipt.says("receipt").unwrap();
    assert_eq!(
        words,
        format!("We received your request on 2 March 2026. Its number is {request}.")
    );

    // Who is it? The question says what is needed, and why.
    give(
        &world,
        &engine,
        request,
        lifecycle::Command::RequestIdentity,
    );
    let question = letter(&world, request, "identity_request");
    assert_eq!(items(&question), [("needed", "12(6)"), ("doubt", "12(6)")]);
    let code = Personal::new(world.codes.code(&world.acme, request).unwrap());
    let check = engine.answer_identity(&world.acme, request, &Actor::Person, &code);
    assert_eq!(world.clock.drive(check).unwrap().unwrap(), Check::Verified);

    // It takes longer: on a ground of this law, and once.
    let known = refused_ground(&world, &engine, request, extend("reasonably_necessary"));
    assert_eq!(known, "complexity, number_of_requests");
    give(&world, &engine, request, extend("complexity"));
    let longer = letter(&world, request, "extension");
    assert_eq!(
        items(&longer),
        [("extension", "12(3)"), ("reasons", "12(3)")]
    );
    assert_eq!(
        longer.says("extension").unwrap(),
        "Our answer takes longer: you will have it by 2 June 2026."
    );
    assert_eq!(
        longer.says("reasons").unwrap(),
        format!("Your request is complex. (12(3), {LAW})")
    );
    let month = "2026-04-02T22:00:00Z".parse().unwrap(); // the end of 2 April in Paris
    assert_eq!(longer.send_before, Some(month));
    assert!(longer.due > longer.send_before);
    let again = world.command(&engine, request, &staff("alice"), extend("complexity"));
    assert!(matches!(
        again,
        Err(EngineError::Rejected(Rejection::Once { what: "extend" }))
    ));

    // It is carried out; what the law keeps is named, with ground, article, and date.
    give(&world, &engine, request, lifecycle::Command::Approve);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    let answer = letter(&world, request, "response");
    assert_eq!(
        items(&answer),
        [
            ("action_taken", "12(3)"),
            ("reasons", "12(4)"),
            ("complaint", "12(4)"),
            ("judicial_remedy", "12(4)"),
            ("recipients", "19"),
        ]
    );
    assert_eq!(
        answer.says("reasons").unwrap(),
        format!(
            "Help desk, invoices (1): kept until 31 December 2035. The law obliges us to keep \
             these data, or we need them for a task in the public interest. (17(3)(b), {LAW})"
        )
    );
    assert_eq!(
        answer.says("complaint").unwrap(),
        "You can lodge a complaint with a supervisory authority."
    );
    assert_eq!(
        answer.says("recipients").unwrap(),
        "They were told: Mailer Ltd."
    );
    assert_eq!(
        kinds(&world, request),
        [
            "acknowledgement",
            "identity_request",
            "extension",
            "response"
        ]
    );
}

#[test]
fn an_access_answer_has_the_whole_list() {
    let mut world = World::new();
    world.controller = world
        .controller
        .clone()
        .with_words("authority", "the CNIL, cnil.fr/plaintes");
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let answer = letter(&world, request, "response");
    assert_eq!(
        items(&answer),
        [
            ("confirmation", "15(1)"),
            ("purposes", "15(1)(a)"),
            ("categories", "15(1)(b)"),
            ("recipients", "15(1)(c)"),
            ("period", "15(1)(d)"),
            ("rights", "15(1)(e)"),
            ("complaint", "15(1)(f)"),
            ("source", "15(1)(g)"),
            ("automated_decisions", "15(1)(h)"),
            ("transfer_safeguards", "15(2)"),
            ("copy", "15(3)"),
            ("action_taken", "12(3)"),
        ]
    );
    assert_eq!(
        answer.says("confirmation").unwrap(),
        "We process data about you."
    );
    assert_eq!(answer.says("categories").unwrap(), "contact data; tickets");
    assert_eq!(
        answer.says("complaint").unwrap(),
        "You can lodge a complaint with the CNIL, cnil.fr/plaintes."
    );
    assert_eq!(
        answer.says("automated_decisions"),
        None,
        "said not to apply, on purpose"
    );
}

#[test]
fn a_refusal_in_time_and_one_that_is_late() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    for (code, why) in [
        ("free_speech", "California's"),
        ("erasure_exception_claims", "of erasures"),
        ("complexity", "to take longer"),
    ] {
        let known = refused_ground(&world, &engine, request, refuse(code));
        assert!(known.contains("manifestly_unfounded"), "{why}");
    }
    give(&world, &engine, request, extend("complexity"));
    // A month is over: an extension does not extend the time to refuse.
    let month = "2026-04-02T22:00:00Z".parse().unwrap();
    world.work_until(&engine, month);
    world.clock.set(month);
    let late = world.see(&engine, request);
    assert_eq!(late.lifecycle.late_letters, [], "nobody refuses yet");
    assert!(!late.lifecycle.overdue);
    give(&world, &engine, request, refuse("not_identifiable"));
    let refusal = letter(&world, request, "refusal");
    assert_eq!(refusal.send_before, Some(month));
    assert_eq!(
        items(&refusal),
        [
            ("cannot_identify", "11(2)"),
            ("what_would_help", "11(2)"),
            ("reasons", "12(4)"),
            ("complaint", "12(4)"),
            ("judicial_remedy", "12(4)"),
        ]
    );
    let events = events(&world, &engine, request);
    let letter = Letter::Refusal;
    let overdue = Event::LetterOverdue { letter, at: month };
    assert_eq!(
        events.iter().filter(|event| event.event == overdue).count(),
        1
    );
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
    assert_eq!(
        kinds(&world, request),
        ["acknowledgement", "extension", "refusal"]
    );
}

#[test]
fn a_fee_is_announced_with_its_ground_and_its_amount() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    give(
        &world,
        &engine,
        request,
        lifecycle::Command::ConfirmIdentity,
    );
    let charge = |ground: Option<&'static str>| lifecycle::Command::ChargeFee {
        minor_units: 1250,
        currency: "EUR".to_owned(),
        ground: ground.map(Ground::new),
    };
    let refused = world.command(&engine, request, &staff("alice"), charge(None));
    assert!(matches!(
        refused,
        Err(EngineError::Rejected(Rejection::NoGround { .. }))
    ));
    give(
        &world,
        &engine,
        request,
        charge(Some("excessive_repetitive")),
    );
    let fee = letter(&world, request, "fee_request");
    assert_eq!(
        items(&fee),
        ["charge", "amount", "withdraw"].map(|item| (item, "12(5), 15(3)"))
    );
    assert_eq!(fee.says("amount").unwrap(), "The fee is 12.50 EUR.");
    assert!(
        fee.says("charge")
            .unwrap()
            .contains("it repeats earlier ones. (12(5), EU")
    );
    assert_eq!(fee.fee.unwrap().minor_units, 1250);
}
