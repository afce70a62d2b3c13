//! What letters say: every law's items, from what happened, the record, and words. What nobody
//! has given keeps a letter from going out, and is named.
#![cfg(all(feature = "testkit", feature = "package"))]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

mod common;
#[path = "letters/courses.rs"]
mod courses;
#[path = "letters/demands.rs"]
mod demands;
#[path = "letters/erasures.rs"]
mod erasures;
#[path = "machines/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use common::{World, controller, record, staff};
use datarights::engine::{Controller, Engine, EngineError, Intake};
use datarights::law::Regimes;
use datarights::model::{
    Actor, Channel, Failure, Ground, Identifier, Outcome, RequestId, Right, Wish,
};
use datarights::ports::Notice;
use datarights::workflow::fulfilment::Phase as Work;
use datarights::workflow::lifecycle::{self, Phase};
use datarights::workflow::{Finding, Letter, StepResult};
use futures::TryStreamExt;

const RIGHTS: [Right; 10] = [
    Right::Access,
    Right::Rectification,
    Right::Erasure,
    Right::Export,
    Right::Restriction,
    Right::Objection,
    Right::ConsentWithdrawal,
    Right::HumanReview,
    Right::OptOut,
    Right::LimitSensitive,
];

/// What only a host can know, over all laws.
pub(crate) const OWN: [(&str, &str); 7] = [
    ("appeal", "Write to appeals@acme.example within sixty days."),
    ("authority", "the Attorney General, ag.example/complain"),
    ("controller", "Acme, 1 High Street, privacy@acme.example"),
    ("criteria", "Tickets are answered in their order."),
    ("objection", "Write to objections@acme.example."),
    ("prescribed", "Nothing else is prescribed."),
    ("procedure", "acme.example/privacy describes the procedure."),
];

pub(crate) fn told_everything(regime: &str) -> Controller {
    let mut acme = controller(regime, "Europe/Paris");
    for (key, words) in OWN {
        acme = acme.with_words(key, words);
    }
    acme
}

fn missing(acme: &Controller, regime: &str) -> BTreeSet<String> {
    let missing = acme.missing_words(regime, &RIGHTS).unwrap();
    missing.into_iter().map(|missing| missing.key).collect()
}

#[test]
fn a_host_can_say_everything_that_any_law_wants_and_knows_beforehand_what_it_needs() {
    let mut needed = BTreeSet::new();
    for id in Regimes::builtin().ids() {
        let id = id.as_str();
        for language in ["en", "fr"] {
            let told = told_everything(id).in_language(language);
            assert_eq!(missing(&told, id), BTreeSet::new(), "{id} {language}");
        }
        needed.extend(missing(&controller(id, "Europe/Paris"), id));
    }
    let own: BTreeSet<_> = OWN.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(needed, own, "nothing is asked for that is not needed");

    let mut silent = controller("eu_gdpr", "Europe/Paris");
    silent.record = None;
    let listed = [
        "automated_decisions",
        "categories",
        "period",
        "purposes",
        "recipients",
        "source",
        "transfer_safeguards",
    ];
    let listed: BTreeSet<_> = listed.map(str::to_owned).into();
    assert_eq!(missing(&silent, "eu_gdpr"), listed);
    let half = silent
        .clone()
        .with_record(datarights::law::ProcessingRecord {
            period: "  ".to_owned(),
            ..record()
        });
    assert_eq!(
        missing(&half, "eu_gdpr"),
        ["period".to_owned()].into(),
        "blank is not said"
    );
    assert!(matches!(
        silent.missing_words("atlantis", &RIGHTS),
        Err(EngineError::UnknownRegime(_))
    ));
}

fn notice(world: &World, request: RequestId, kind: &str) -> Option<Notice> {
    let letters = world.outbox.letters_about(request);
    let notices = letters.into_iter().map(|letter| letter.notice);
    notices.filter(|notice| notice.kind == kind).last()
}

#[test]
fn a_letter_that_would_be_incomplete_waits_until_its_words_are_there() {
    let mut world = World::new();
    world.controller.record = None;
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Response, "not answered");
    assert!(notice(&world, request, "response").is_none());
    let [(Letter::Response, Failure::Unsaid(items))] = seen.lifecycle.stuck_letters.as_slice()
    else {
        panic!("{:?}", seen.lifecycle.stuck_letters);
    };
    assert_eq!(items[..2], ["automated_decisions", "categories"]);
    // Staff sees what is missing without sending anything.
    let eve = staff("eve");
    let preview = engine.letter(&world.acme, request, &eve, Letter::Response);
    let unsaid = world.clock.drive(preview).unwrap().unwrap_err();
    let EngineError::Unsaid(unsaid) = unsaid else {
        panic!("{unsaid}")
    };
    assert_eq!(unsaid.missing, *items);
    assert!(unsaid.to_string().contains("purposes"), "{unsaid}");

    world.controller.record = Some(record());
    let engine = world.engine();
    let preview = engine.letter(&world.acme, request, &eve, Letter::Response);
    let preview = world.clock.drive(preview).unwrap().unwrap();
    let letter = Letter::Response;
    let resend = lifecycle::Command::Resend { letter };
    world
        .command(&engine, request, &staff("alice"), resend)
        .unwrap();
    world.work(&engine);
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
    assert_eq!(
        notice(&world, request, "response"),
        Some(preview),
        "as it was shown"
    );
}

#[test]
fn the_words_of_a_hosts_own_ground_are_asked_for() {
    let mut world = World::new();
    world.controller.words.clear();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.approve(&engine, request);
    world.work(&engine);
    world.approve_plan(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(
        seen.lifecycle.outcome,
        Some(Outcome::Partly),
        "what a source withholds is a fact"
    );
    let unsaid = Failure::Unsaid(vec!["ground.tax_records".to_owned()]);
    assert_eq!(seen.lifecycle.stuck_letters, [(Letter::Response, unsaid)]);
}

#[test]
fn where_nothing_is_held_there_is_nothing_to_explain() {
    let mut world = World::new();
    world.controller.record = None;
    let engine = world.engine();
    let stranger = vec![
        Identifier::mail("nobody@example.org").unwrap(),
        Identifier::phone("+1 555 0000").unwrap(),
    ];
    let intake = Intake::new(Channel::Letter, stranger, [Wish::of(Right::Access)]);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    world.approve(&engine, request);
    world.work(&engine);
    let answer = notice(&world, request, "response").unwrap();
    let items: Vec<_> = answer
        .contents
        .iter()
        .map(|said| said.item.as_str())
        .collect();
    assert_eq!(items, ["confirmation", "action_taken"]);
    let none = "We searched for data about you and found none.";
    assert_eq!(answer.says("confirmation"), Some(none));
}

fn page(world: &World, engine: &Engine, request: RequestId) -> String {
    let eve = staff("eve");
    let fetch = async {
        let pieces = engine.package(&world.acme, request, &eve).await.unwrap();
        let pieces: Vec<Vec<u8>> = pieces.try_collect().await.unwrap();
        pieces.concat()
    };
    let bytes = world.clock.drive(fetch).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive
        .by_name("index.html")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn the_page_of_the_package_says_it_too() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let page = page(&world, &engine, request);
    for said in [
        "What we use the data for",
        "contact data; tickets",
        "Mailer Ltd, sends our mail",
        "until one year after the contract ends",
        "You can lodge a complaint with a supervisory authority.",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(
        !page.contains("Automated decisions"),
        "what does not apply is left out"
    );
}

#[test]
fn an_appeal_that_is_denied_says_why_and_where_to_go_on() {
    let mut world = World::new();
    world.controller = told_everything("us_va");
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    let alice = staff("alice");
    let ground = Ground::new("trade_secret");
    world
        .command(
            &engine,
            request,
            &alice,
            lifecycle::Command::Refuse { ground },
        )
        .unwrap();
    world.work(&engine);
    let refusal = notice(&world, request, "refusal").unwrap();
    assert_eq!(refusal.says("appeal"), Some(OWN[0].1));
    world
        .command(&engine, request, &Actor::Person, lifecycle::Command::Appeal)
        .unwrap();
    let denied = lifecycle::Command::DecideAppeal { granted: false };
    world.command(&engine, request, &alice, denied).unwrap();
    world.work(&engine);
    let denied = notice(&world, request, "appeal_decision").unwrap();
    assert_eq!(denied.granted, Some(false));
    assert!(denied.send_before.is_some());
    let reasons = denied.says("reasons").unwrap();
    assert!(
        reasons.contains("it stands. Giving you this would disclose a trade secret."),
        "{reasons}"
    );
    let complain = "You can complain to the Attorney General, ag.example/complain.";
    assert_eq!(denied.says("complain"), Some(complain));
}

#[test]
fn a_hosts_own_words_are_filled_like_ours() {
    let mut world = World::new();
    world.controller = world
        .controller
        .clone()
        .with_words(
            "months",
            "janvier,février,mars,avril,mai,juin,juillet,août,septembre,octobre,novembre,décembre",
        )
        .with_words("extension", "Nous répondrons au plus tard le {due}.")
        .with_words("ground.complexity", "Votre demande est complexe.")
        .with_words("receipt", "{nothing like it}");
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    let extend = lifecycle::Command::Extend {
        ground: Ground::new("complexity"),
        until: None,
    };
    world
        .command(&engine, request, &staff("alice"), extend)
        .unwrap();
    world.work(&engine);
    let longer = notice(&world, request, "extension").unwrap();
    assert_eq!(
        longer.says("extension"),
        Some("Nous répondrons au plus tard le 2 juin 2026.")
    );
    assert!(
        longer
            .says("reasons")
            .unwrap()
            .starts_with("Votre demande est complexe. (12(3), ")
    );
    // A place that nobody fills is told, not printed.
    let stuck = world.see(&engine, request).lifecycle.stuck_letters;
    let unsaid = Failure::Unsaid(vec!["nothing like it".to_owned()]);
    assert_eq!(stuck, [(Letter::Acknowledgement, unsaid)]);
}

/// A call log that keeps a year: older data is gone, and the answer says so.
#[test]
fn the_answer_says_how_far_back_was_searched() {
    let mut course = world::Course::approved(world::World::simple(Right::Access));
    let mut found = world::located("crm", 3, None);
    if let Finding::Located { horizon, .. } = &mut found {
        *horizon = Some("2025-03-01T12:00:00Z".parse().unwrap());
    }
    course.answer_source("crm", StepResult::done(found));
    course.work_until(Work::Ended);
    let acme = told_everything("eu_gdpr");
    let said = acme.says(course.request(), Letter::Response).unwrap();
    let done = said
        .iter()
        .find(|said| said.item == "action_taken")
        .unwrap();
    let words = "Your request was carried out in full. We hold nothing from before 1 March 2025.";
    assert_eq!(done.words.as_deref(), Some(words));
}

#[test]
fn a_fee_is_written_in_its_currency() {
    let cases = [
        ("EUR", 1250, "12.50 EUR"),
        ("EUR", 5, "0.05 EUR"),
        ("JPY", 300, "300 JPY"),
        ("KWD", 1500, "1.500 KWD"),
    ];
    for (currency, minor_units, written) in cases {
        let world = World::new();
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Access));
        let charge = lifecycle::Command::ChargeFee {
            minor_units,
            currency: currency.to_owned(),
            ground: Some(Ground::new("manifestly_unfounded")),
        };
        let alice = staff("alice");
        world
            .command(
                &engine,
                request,
                &alice,
                lifecycle::Command::ConfirmIdentity,
            )
            .unwrap();
        world.command(&engine, request, &alice, charge).unwrap();
        world.work(&engine);
        let fee = notice(&world, request, "fee_request").unwrap();
        assert_eq!(fee.says("amount"), Some(&*format!("The fee is {written}.")));
    }
}

/// A ground that nobody can put into words is told to whoever names it, not to a letter that
/// waits for ever.
#[test]
fn a_ground_without_words_is_refused_at_the_command() {
    for (regime, command) in [
        (
            "cn_pipl", // lists no grounds to refuse
            lifecycle::Command::Refuse {
                ground: Ground::new("tyop"),
            },
        ),
        (
            "us_hipaa", // lists none to extend
            lifecycle::Command::Extend {
                ground: Ground::new("tyop"),
                until: None,
            },
        ),
    ] {
        let mut world = World::new();
        world.controller = told_everything(regime);
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Access));
        world.work(&engine);
        let before = world.see(&engine, request);
        let alice = staff("alice");
        let refused = world.command(&engine, request, &alice, command.clone());
        let Err(EngineError::Unsaid(unsaid)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(unsaid.missing, ["ground.tyop"]);
        assert_eq!(world.see(&engine, request), before);
        world.controller = told_everything(regime).with_words("ground.tyop", "For that reason.");
        let engine = world.engine();
        world.command(&engine, request, &alice, command).unwrap();
    }
}

/// An answer that cannot be sent can still be another one.
#[test]
fn staff_gets_out_of_an_answer_that_is_stuck() {
    let stuck = || {
        let mut course = world::Course::approved(world::World::simple(Right::Access));
        course.work_until(Work::Ended);
        let refuse = lifecycle::Command::Refuse {
            ground: Ground::new("manifestly_unfounded"),
        };
        for command in [
            refuse.clone(),
            lifecycle::Command::Rework,
            lifecycle::Command::Withdraw,
        ] {
            assert!(course.attempt(command).is_err(), "it is on its way");
        }
        let letter = Letter::Response;
        let failure = Failure::Unsaid(vec!["purposes".to_owned()]);
        course.give(lifecycle::Command::LetterFailed { letter, failure });
        (course, refuse)
    };
    let (mut course, refuse) = stuck();
    course.give(refuse.clone());
    assert_eq!(course.request().lifecycle.stuck_letters, []);
    let (letter, failure) = (Letter::Refusal, Failure::Unavailable);
    course.give(lifecycle::Command::LetterFailed { letter, failure });
    assert!(course.attempt(lifecycle::Command::Rework).is_err());
    course.give(refuse).answered();
    assert_eq!(course.request().lifecycle.phase, Phase::Answered);

    let (mut course, _) = stuck();
    course.give(lifecycle::Command::Rework);
    assert_eq!(course.request().lifecycle.stuck_letters, []);
    assert!(matches!(
        course.request().lifecycle.phase,
        Phase::Fulfilment | Phase::Response
    ));
    let (mut course, _) = stuck();
    course.give(lifecycle::Command::Withdraw);
    assert_eq!(course.request().lifecycle.phase, Phase::Closed);
}

/// What a letter says depends on what was done.
#[test]
fn an_answer_does_not_claim_what_was_not_done() {
    use datarights::ports::ErrorKind;
    use datarights::testkit::{Fault, Method};
    let answer = |regime, right: Right, method, words: &[(&str, &str)]| {
        let mut world = World::new();
        world.controller = told_everything(regime);
        for (key, said) in words {
            world.controller = world.controller.clone().with_words(*key, *said);
        }
        let refuse = || [Fault::Fail(ErrorKind::Refused)];
        world.desk_port.will(method, refuse());
        world.log_port.will(method, refuse());
        world.recipient_port.will(Method::Inform, refuse());
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(right.clone()));
        if right == Right::Access {
            world.approve(&engine, request);
        }
        world.work(&engine);
        let release = lifecycle::Command::Release;
        let released = world.command(&engine, request, &staff("alice"), release);
        released.unwrap();
        world.work(&engine);
        let seen = world.see(&engine, request);
        assert_ne!(seen.lifecycle.outcome, Some(Outcome::Done));
        notice(&world, request, "response").unwrap()
    };
    let says = |notice: &Notice, item: &str| notice.says(item).map(str::to_owned);
    let failed = answer("us_ca_ccpa", Right::OptOut, Method::Stop, &[]);
    assert_eq!(says(&failed, "status"), None, "{:?}", failed.contents);
    assert!(says(&failed, "reasons").is_some_and(|words| words.contains("could not be done")));
    for regime in ["eu_gdpr", "uk_gdpr"] {
        let failed = answer(regime, Right::Access, Method::Read, &[]);
        let none = "No copy of the data goes with this answer.";
        assert_eq!(says(&failed, "copy").as_deref(), Some(none));
        let known = "We process data about you.";
        assert_eq!(says(&failed, "confirmation").as_deref(), Some(known));
        let own = [
            ("copy", "Voici une copie."),
            ("confirmation", "Nous avons des données."),
        ];
        let failed = answer(regime, Right::Access, Method::Locate, &own);
        assert_eq!(
            says(&failed, "copy").as_deref(),
            Some(none),
            "a host's word neither"
        );
        let unknown = "We could not establish whether we process data about you.";
        assert_eq!(says(&failed, "confirmation").as_deref(), Some(unknown));
    }
}

/// Where the data come from is stated by the record, or by nobody.
#[test]
fn nobody_says_where_data_come_from_whom_nobody_told() {
    let mut silent = told_everything("br_lgpd");
    assert!(!missing(&silent, "br_lgpd").contains("origin"));
    silent.record = None;
    assert!(missing(&silent, "br_lgpd").contains("origin"));
}

/// Words with a place that is not always known would be stuck: that is known beforehand.
#[test]
fn a_place_that_is_not_always_there_is_missing_beforehand() {
    let due = "Please answer the check. We answer you by {due}.";
    let acme = told_everything("uk_gdpr").with_words("needed", due);
    assert!(missing(&acme, "uk_gdpr").contains("needed.undated"));
    let acme = acme.with_words("needed.undated", "Please answer the check.");
    assert_eq!(missing(&acme, "uk_gdpr"), BTreeSet::new());
    let mut world = World::new();
    world.controller = acme;
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.work(&engine);
    let ask = lifecycle::Command::RequestIdentity;
    world
        .command(&engine, request, &staff("alice"), ask)
        .unwrap();
    world.work(&engine);
    assert_eq!(
        notice(&world, request, "identity_request")
            .unwrap()
            .says("needed"),
        Some("Please answer the check.")
    );
    let acme = told_everything("eu_gdpr").with_words("receipt", "Because of {ground}.");
    assert!(missing(&acme, "eu_gdpr").contains("ground"));
}
