//! What is said where a law demands much, little, or something that was checked too little.

use datarights::law::{Regimes, Verified};
use datarights::model::{Failure, Ground, Right, Wish};
use datarights::workflow::lifecycle::{self, Phase};

use crate::common::{World, controller, staff};
use crate::{RIGHTS, notice, told_everything};

/// A notice that was left out as checked too little keeps its right from being served: a host sees
/// that before a person asks, and not only then.
#[test]
fn a_notice_that_was_left_out_is_missing_too() {
    let mut left_out = 0;
    for id in Regimes::builtin().ids() {
        let mut acme = told_everything(id.as_str());
        acme.regimes = Regimes::builtin().verified_only(Verified::Primary);
        let regime = acme.regimes.get(id.as_str()).unwrap();
        for right in RIGHTS {
            let missing = acme
                .missing_words(id.as_str(), std::slice::from_ref(&right))
                .unwrap();
            for words in &missing {
                let checked = words.left_out.unwrap();
                assert!(checked < Verified::Primary, "{id} {words:?}");
                left_out += 1;
            }
            let lacking = regime.lacks_for(&right, &acme.readings);
            let lacks_a_letter = lacking
                .map(datarights::law::Removed::describe)
                .any(|what| what.starts_with("the notice"));
            assert_eq!(missing.is_empty(), !lacks_a_letter, "{id} {right}");
        }
    }
    assert!(left_out > 10, "{left_out}");
    let acme = told_everything("us_hipaa");
    let all = acme.missing_words("us_hipaa", &RIGHTS).unwrap();
    assert!(all.is_empty(), "with the whole law nothing is");
}

/// A host that takes only what was checked, from one day to the next: requests that were received
/// before are carried on under the whole law that they pinned; new ones it cannot serve it refuses.
#[test]
fn open_requests_go_on_when_a_host_takes_only_what_was_checked() {
    for (law, right) in [("br_lgpd", Right::Access), ("us_co", Right::Access)] {
        let mut world = World::new();
        world.controller = told_everything(law);
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(right.clone()));
        world.work(&engine);
        let before = world.see(&engine, request);

        world.controller.regimes = Regimes::builtin().verified_only(Verified::Primary);
        let strict = world.engine();
        let newer = world.try_submit(&strict, Wish::of(right.clone()));
        assert!(newer.is_err(), "{law}: {newer:?}");
        let seen = world.see(&strict, request);
        assert_eq!(seen.clock, before.clock, "nothing moved by itself");
        world.approve(&strict, request);
        world.work(&strict);
        let seen = world.see(&strict, request);
        assert_eq!(
            seen.lifecycle.phase,
            Phase::Answered,
            "{law}: {:?}",
            seen.lifecycle
        );
        assert!(notice(&world, request, "response").is_some());
        // And back: what was pinned is what counts.
        world.controller.regimes = Regimes::builtin();
        let whole = world.engine();
        assert_eq!(world.see(&whole, request), seen);
    }
}

/// Under a law that demands nothing of a refusal, it says that it is one, why, and where to turn.
#[test]
fn a_refusal_under_a_law_that_demands_nothing_still_says_why() {
    let mut bare = 0;
    for id in Regimes::builtin().ids() {
        let law = Regimes::builtin().get(id.as_str()).unwrap();
        let mut world = World::new();
        world.controller =
            told_everything(id.as_str()).with_words("ground.own", "For that reason.");
        let engine = world.engine();
        let Ok(request) = world.try_submit(&engine, Wish::of(Right::Access)) else {
            continue;
        };
        let first = law
            .grounds_for(&Right::Access, datarights::law::GroundUse::Refuse)
            .next();
        if first.is_none() && law.lists_grounds_to(datarights::law::GroundUse::Refuse) {
            continue;
        }
        let code = first.map_or_else(|| "own".to_owned(), |ground| ground.code.to_string());
        let ground = Ground::new(code);
        let refuse = lifecycle::Command::Refuse { ground };
        world
            .command(&engine, request, &staff("alice"), refuse)
            .unwrap();
        world.work(&engine);
        let sent = notice(&world, request, "refusal").unwrap();
        assert!(!sent.contents.is_empty(), "{id}");
        if sent.contents.iter().all(|said| said.article.is_empty()) {
            bare += 1;
            assert!(
                sent.says("refusal").is_some() && sent.says("reasons").is_some(),
                "{id}"
            );
            let external = law.appeal.external.as_ref();
            let remedies = sent.says("remedies").unwrap_or_default();
            assert!(remedies.contains(external), "{id}: {remedies}");
        }
    }
    assert!(bare > 0);
}

/// What a ground is besides: without choice, or open to a second look.
#[test]
fn a_refusal_says_what_the_law_adds_to_its_ground() {
    let said = |law: &str, code: &'static str| {
        let mut world = World::new();
        world.controller = told_everything(law);
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Access));
        let ground = Ground::new(code);
        let refuse = lifecycle::Command::Refuse { ground };
        world
            .command(&engine, request, &staff("alice"), refuse)
            .unwrap();
        world.work(&engine);
        let sent = notice(&world, request, "refusal").unwrap();
        let words = sent.contents.iter().filter_map(|said| said.words.clone());
        words.collect::<Vec<_>>().join("\n")
    };
    assert!(said("us_hipaa", "endangerment").contains("reviewed by somebody who did not"));
    assert!(said("hk_pdpo", "identity").contains("leaves us no choice"));
    let plain = said("eu_gdpr", "manifestly_unfounded");
    assert!(
        !plain.contains("no choice") && !plain.contains("reviewed"),
        "{plain}"
    );
}

/// Recipients are told what the law wants them told, with the order itself.
#[test]
fn a_recipient_is_told_what_the_law_wants_said() {
    for (right, word) in [
        (Right::Erasure, "erased"),
        (Right::Restriction, "restricted"),
    ] {
        let world = World::new();
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(right.clone()));
        world.carry_out(&engine, request);
        let received = world.recipient.received();
        let order = received.iter().find_map(|it| it.order.clone()).unwrap();
        let [change] = order.contents.as_slice() else {
            panic!("{:?}", order.contents);
        };
        assert_eq!(
            (change.item.as_str(), change.article.as_str()),
            ("change", "19")
        );
        assert!(change.words.as_ref().unwrap().contains(word), "{change:?}");
    }
}

/// What nobody has words for is not sent to recipients either.
#[test]
fn an_order_that_would_be_incomplete_is_not_sent() {
    use datarights::law::{Item, Notice, Step};
    let mut law = datarights::law::Regime::clone(&Regimes::builtin().get("eu_gdpr").unwrap());
    law.id = "acme_gdpr".into();
    let items = [Item::new("contract_clause", "under which clause")];
    let demanded = Notice::new(
        Step::RecipientNotice,
        items,
        "House rule 4",
        Verified::Primary,
    );
    law.notices.push(demanded);
    let mut regimes = Regimes::builtin();
    regimes.add(law);
    let mut world = World::new();
    world.controller = controller("acme_gdpr", "Europe/Paris").with_regimes(regimes);
    let missing = world
        .controller
        .missing_words("acme_gdpr", &[Right::Erasure])
        .unwrap();
    assert!(
        missing
            .iter()
            .any(|missing| missing.key == "contract_clause"),
        "{missing:?}"
    );
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.carry_out(&engine, request);
    assert!(world.recipient.received().is_empty());
    let seen = world.see(&engine, request);
    let work = seen.fulfilment.unwrap();
    assert!(
        work.missing().any(|(_, rows)| matches!(&rows.failure, Failure::Unsaid(items) if items == &["contract_clause"])),
        "{:?}", work.missing().collect::<Vec<_>>()
    );
}
