//! Brazil: a full declaration within fifteen days, everything else at once; no extension.

use super::*;
use datarights::model::{Outcome, Right, Wish};
use datarights::workflow::lifecycle::Phase;

fn controlador() -> World {
    let mut world = World::keeping_invoices("legal_obligation");
    world.controller = common::controller("br_lgpd", "America/Sao_Paulo").with_words(
        "criteria",
        "Tickets are sorted by product and answered in their order.",
    );
    world
}

#[test]
fn an_access_from_intake_to_answer() {
    let world = controlador();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.work(&engine);
    assert_eq!(
        kinds(&world, request),
        ["acknowledgement"],
        "by our own policy"
    );
    assert!(
        letter(&world, request, "acknowledgement")
            .contents
            .is_empty()
    );
    // Fifteen days: the end of 17 March in São Paulo.
    let due = "2026-03-18T03:00:00Z".parse().unwrap();
    assert_eq!(world.see(&engine, request).due_at(), Some(due));
    let longer = world.command(&engine, request, &staff("alice"), extend("complexity"));
    assert!(
        matches!(longer, Err(EngineError::Rejected(Rejection::NoExtension))),
        "{longer:?}"
    );
    world.approve(&engine, request);
    world.work(&engine);
    let answer = letter(&world, request, "response");
    assert_eq!(
        items(&answer),
        [
            ("origin", "19 II"),
            ("absence", "19 II"),
            ("criteria", "19 II"),
            ("purpose", "19 II"),
            ("action_taken", "18"),
        ]
    );
    assert_eq!(answer.says("purpose").unwrap(), "support");
    assert_eq!(answer.says("origin").unwrap(), "The data come from you.");
    assert_eq!(answer.says("absence"), None);
    assert_eq!(answer.due, Some(due));
}

#[test]
fn a_deletion_keeps_what_article_16_keeps_and_tells_the_operators() {
    let world = controlador();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    assert_eq!(
        world.see(&engine, request).due_at(),
        None,
        "at once: no number"
    );
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    assert_eq!(world.recipient.received().len(), 1, "18 par. 6");
    let answer = letter(&world, request, "response");
    assert_eq!(
        items(&answer),
        [("action_taken", "18"), ("reasons", "18 par. 4")]
    );
    let reasons = answer.says("reasons").unwrap();
    assert!(
        reasons.contains(
            "A legal or regulatory duty requires us to keep these data. (16 I, Brazil LGPD"
        ),
        "{reasons}"
    );
}

#[test]
fn a_refusal_says_who_the_agent_is_not() {
    let world = controlador();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    let known = refused_ground(&world, &engine, request, refuse("manifestly_unfounded"));
    assert_eq!(known, "not_the_agent, reasons_of_fact_or_law");
    give(&world, &engine, request, refuse("not_the_agent"));
    let refusal = letter(&world, request, "refusal");
    assert_eq!(items(&refusal), [("reasons", "18 par. 4")]);
    assert!(
        refusal
            .says("reasons")
            .unwrap()
            .contains("(18 par. 4 I, Brazil LGPD")
    );
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
    let law = Regimes::builtin().get(&refusal.regime).unwrap();
    assert_eq!(
        (&*law.words.subject, &*law.words.controller),
        ("titular", "controlador")
    );
}
