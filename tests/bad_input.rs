//! Bad input to the engine: a typed error that says what, where and what would be accepted;
//! nothing half-written; the engine lives on.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod common;

use std::sync::Arc;

use chrono::TimeDelta;
use common::{World, staff};
use datarights::engine::{EngineError, Intake};
use datarights::law::{Calendar, Due, HolidayList};
use datarights::model::{
    Actor, Channel, ControllerId, Ground, Identifier, PartyId, RequestId, Right, Wish,
};
use datarights::ports::{AccessPolicy, Denied, ErrorKind, Grant, Query};
use datarights::testkit::{Fault, Faulty, Method};
use datarights::workflow::{Delivery, Rejection, fulfilment, lifecycle};

fn ada() -> Vec<Identifier> {
    vec![Identifier::mail("ada@example.org").unwrap()]
}

fn refused(world: &World, intake: Intake) -> EngineError {
    let engine = world.engine();
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let error = world.clock.drive(submitted).unwrap().unwrap_err();
    let open = world
        .clock
        .drive(world.store.open(&world.acme, None, 10))
        .unwrap()
        .unwrap();
    assert!(open.is_empty(), "nothing of a refused intake is stored");
    error
}

#[test]
fn an_intake_that_cannot_be_one_is_refused() {
    let world = World::new();
    let erasure = || [Wish::of(Right::Erasure)];
    let nobody = Intake::new(Channel::Form, Vec::new(), erasure());
    assert!(matches!(
        refused(&world, nobody),
        EngineError::EmptyIntake(_)
    ));
    let nothing = Intake::new(Channel::Form, ada(), []);
    assert!(matches!(
        refused(&world, nothing),
        EngineError::EmptyIntake(_)
    ));
    let unsaid = Intake::new(Channel::Form, ada(), [Wish::of(Right::Rectification)]);
    assert!(matches!(
        refused(&world, unsaid),
        EngineError::EmptyIntake(_)
    ));
    let tomorrow =
        Intake::new(Channel::Form, ada(), erasure()).received_at(world.now() + TimeDelta::days(1));
    assert!(matches!(
        refused(&world, tomorrow),
        EngineError::Rejected(Rejection::InTheFuture { .. })
    ));
    let lawless = Intake::new(Channel::Form, ada(), erasure()).under("atlantis");
    assert!(matches!(
        refused(&world, lawless),
        EngineError::UnknownRegime(_)
    ));
    let other = Intake::new(
        Channel::Form,
        ada(),
        [Wish::of(Right::from("right_to_tea"))],
    );
    let unknown = refused(&world, other);
    assert!(matches!(unknown, EngineError::Rejected(_)), "{unknown}");
}

#[test]
fn unknown_ids_and_foreign_controllers_are_told() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    let nobody = RequestId::new(uuid::Uuid::from_u128(7));
    let command = world.command(
        &engine,
        nobody,
        &staff("alice"),
        lifecycle::Command::Approve,
    );
    assert!(matches!(command, Err(EngineError::UnknownRequest(id)) if id == nobody));
    let globex = ControllerId::new("globex").unwrap();
    let alice = staff("alice");
    let foreign = engine.request(&globex, request, &alice);
    let foreign = world.clock.drive(foreign).unwrap();
    assert!(
        matches!(foreign, Err(EngineError::UnknownRequest(_))),
        "another's is nobody's"
    );
    let intake = Intake::new(Channel::Form, ada(), [Wish::of(Right::Access)]);
    let unserved = engine.submit(&globex, &alice, intake);
    assert!(matches!(
        world.clock.drive(unserved).unwrap(),
        Err(EngineError::UnknownController(id)) if id == globex
    ));
}

#[test]
fn illegal_commands_say_what_is_open_and_change_nothing() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    let before = world.see(&engine, request);
    let alice = staff("alice");
    let paid = world.command(&engine, request, &alice, lifecycle::Command::PayFee);
    let Err(EngineError::Rejected(Rejection::NotNow { open, phase, .. })) = paid else {
        panic!("{paid:?}");
    };
    assert_eq!(phase, "received");
    assert!(open.contains("confirm_identity"), "{open}");
    let early = fulfilment::Command::LiftHold;
    assert!(world.command(&engine, request, &alice, early).is_err());
    let wrong = world.command(
        &engine,
        request,
        &Actor::Person,
        lifecycle::Command::Approve,
    );
    assert!(wrong.is_err());
    let posing = world.command(
        &engine,
        request,
        &Actor::Engine,
        lifecycle::Command::Withdraw,
    );
    assert!(
        matches!(posing, Err(EngineError::Denied(_))),
        "nobody poses as the engine"
    );
    assert_eq!(world.see(&engine, request), before);
}

#[test]
fn a_request_cannot_be_extended_twice_or_too_late() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    let alice = staff("alice");
    let extend = || lifecycle::Command::Extend {
        ground: Ground::new("complexity"),
        until: None,
    };
    let due = world.see(&engine, request).due_at().unwrap();
    let extended = world.command(&engine, request, &alice, extend()).unwrap();
    assert!(extended.answer_due().unwrap() > due + TimeDelta::days(55));
    let before = world.see(&engine, request);
    assert!(matches!(
        world.command(&engine, request, &alice, extend()),
        Err(EngineError::Rejected(Rejection::Once { .. }))
    ));
    assert_eq!(world.see(&engine, request), before);
    let late = world.submit(&engine, Wish::of(Right::Erasure));
    world.clock.advance(TimeDelta::days(40));
    let before = world.see(&engine, late);
    assert!(matches!(
        world.command(&engine, late, &alice, extend()),
        Err(EngineError::Rejected(Rejection::ExtensionTooLate { .. }))
    ));
    let after = world.see(&engine, late);
    assert_eq!(after.clock.response, before.clock.response, "no day moved");
    assert_eq!(after.lifecycle.extension, None);
}

#[test]
fn the_same_wish_twice_is_one_request() {
    let world = World::new();
    let engine = world.engine();
    let first = world.submit(&engine, Wish::of(Right::Access));
    let intake = Intake::new(Channel::Mail, ada(), [Wish::of(Right::Access)]);
    let again = engine.submit(&world.acme, &Actor::Person, intake);
    let again = world.clock.drive(again).unwrap().unwrap();
    assert_eq!(again[0].joined, Some(first));
    // It was never open beside the other, not even for an instant.
    let joined = world.store.load(&world.acme, again[0].request);
    assert_eq!(
        world.clock.drive(joined).unwrap().unwrap().unwrap().version,
        1
    );
    assert!(world.see(&engine, again[0].request).lifecycle.is_closed());
    // Whoever takes the first one back would take the second one along.
    let withdraw = lifecycle::Command::Withdraw;
    let refused = world.command(&engine, first, &Actor::Person, withdraw);
    assert!(
        matches!(
            refused,
            Err(EngineError::Rejected(Rejection::Joined { by })) if by == again[0].request
        ),
        "{refused:?}"
    );
    // Another right is another request; so is another person's.
    let other = Intake::new(Channel::Mail, ada(), [Wish::of(Right::Erasure)]);
    let other = engine.submit(&world.acme, &Actor::Person, other);
    assert_eq!(world.clock.drive(other).unwrap().unwrap()[0].joined, None);
    let grace = vec![Identifier::mail("grace@example.org").unwrap()];
    let grace = Intake::new(Channel::Mail, grace, [Wish::of(Right::Access)]);
    let grace = engine.submit(&world.acme, &Actor::Person, grace);
    assert_eq!(world.clock.drive(grace).unwrap().unwrap()[0].joined, None);
}

/// Staff joins a request to an open one of the same person for the same, and to no other.
#[test]
fn staff_joins_only_what_is_the_same() {
    let world = World::new();
    let engine = world.engine();
    let submit = |mails: &[&str], right: Right| {
        let person = mails.iter().map(|mail| Identifier::mail(*mail).unwrap());
        let intake = Intake::new(Channel::Mail, person.collect(), [Wish::of(right)]);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake);
        world.clock.drive(submitted).unwrap().unwrap()[0].request
    };
    let first = submit(&["ada@example.org"], Right::Access);
    let other_right = submit(&["ada@example.org"], Right::Erasure);
    let other_person = submit(&["grace@example.org"], Right::Access);
    let closed = submit(&["ada@example.org"], Right::Export);
    let alice = staff("alice");
    let withdraw = lifecycle::Command::Withdraw;
    world.command(&engine, closed, &alice, withdraw).unwrap();
    // More is known of the person: it is not joined by itself.
    let second = submit(&["ada@example.org", "ada@home.example"], Right::Access);
    let join = |into| {
        let join = lifecycle::Command::Join { into };
        world.command(&engine, second, &alice, join)
    };
    for into in [other_right, other_person, closed, second] {
        let refused = join(into);
        assert!(
            matches!(
                refused,
                Err(EngineError::Rejected(Rejection::Malformed { .. }))
            ),
            "{refused:?}"
        );
        assert_eq!(world.see(&engine, into).lifecycle.joined_by, None);
    }
    let nobody = RequestId::new(uuid::Uuid::from_u128(7));
    assert!(matches!(join(nobody), Err(EngineError::UnknownRequest(_))));
    join(first).unwrap();
    let life = world.see(&engine, first).lifecycle;
    assert_eq!(life.joined_by, Some(second));
}

#[test]
fn too_many_identifiers_and_an_unknown_recipient_are_refused_at_once() {
    let world = World::new();
    let many: Vec<_> = (0..1_500)
        .map(|n| Identifier::mail(format!("a{n}@example.org")).unwrap())
        .collect();
    let many = Intake::new(Channel::Form, many, [Wish::of(Right::Access)]);
    let error = refused(&world, many);
    assert!(matches!(
        error,
        EngineError::TooManyIdentifiers { accepted: 500 }
    ));
    let most: Vec<_> = (0..500)
        .map(|n| Identifier::mail(format!("a{n}@example.org")).unwrap())
        .collect();
    let nobody = PartyId::new("nobody").unwrap();
    let export = Intake::new(Channel::Form, ada(), [Wish::of(Right::Export)])
        .delivered(Delivery::Transmit(nobody.clone()));
    assert!(matches!(
        refused(&world, export),
        EngineError::UnknownRecipient(who) if who == nobody
    ));
    let most = Intake::new(Channel::Form, most, [Wish::of(Right::Access)]);
    let engine = world.engine();
    let taken = engine.submit(&world.acme, &Actor::Person, most);
    assert!(world.clock.drive(taken).unwrap().is_ok());
}

/// Whoever was asked who they are cannot then name somebody else.
#[test]
fn a_person_who_was_challenged_adds_no_identifier() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    let add = |who: &Actor| {
        let grace = vec![Identifier::mail("grace@example.org").unwrap()];
        let added = engine.add_identifiers(&world.acme, request, who, grace);
        world.clock.drive(added).unwrap()
    };
    let ask = lifecycle::Command::RequestIdentity;
    world
        .command(&engine, request, &staff("alice"), ask)
        .unwrap();
    assert!(matches!(
        add(&Actor::Person),
        Err(EngineError::Rejected(Rejection::WrongActor { .. }))
    ));
    assert!(add(&staff("alice")).is_ok());
}

/// Whatever keeps a request from being opened, its key goes too.
#[test]
fn an_intake_that_fails_leaves_no_key() {
    let later = TimeDelta::days(1);
    let faults: [(_, Option<Method>, _); 3] = [
        (
            "the vault fails",
            Some(Method::Seal),
            Wish::of(Right::Erasure),
        ),
        ("received in the future", None, Wish::of(Right::Erasure)),
        ("an unknown regime", None, Wish::of(Right::Erasure)),
    ];
    for (what, fault, wish) in faults {
        let mut world = World::new();
        let shared = Arc::new(world.clock.clone());
        let vault = Faulty::new("vault", world.vault.clone(), shared).recorded_by(&world.recorder);
        if let Some(method) = fault {
            vault.will(method, [Fault::Fail(ErrorKind::Unavailable)]);
        }
        world.vault_port = Arc::new(vault);
        let mut intake = Intake::new(Channel::Form, ada(), [wish]);
        match what {
            "received in the future" => intake = intake.received_at(world.now() + later),
            "an unknown regime" => intake = intake.under("nowhere"),
            _ => {}
        }
        refused(&world, intake);
        let calls = world.recorder.calls();
        let count = |method| calls.iter().filter(|call| call.method == method).count();
        assert_eq!(count(Method::CreateKey), 1, "{what}");
        assert_eq!(count(Method::Shred), 1, "{what}");
    }
}

#[test]
fn a_list_of_what_is_due_is_asked_of_the_policy() {
    struct OnlyAlice;
    #[async_trait::async_trait]
    impl AccessPolicy for OnlyAlice {
        async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
            if query.command != "due" || *query.actor == staff("alice") {
                return Ok(Grant::agreed());
            }
            Err(Denied {
                command: query.command.to_owned(),
            })
        }
    }
    let mut world = World::new();
    world.access = Arc::new(OnlyAlice);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    let until = world.now() + TimeDelta::days(60);
    let due = |name| {
        let who = staff(name);
        let list = engine.due(&world.acme, &who, until, 10);
        world.clock.drive(list).unwrap()
    };
    assert_eq!(due("alice").unwrap()[0].request, request);
    assert!(matches!(due("bob"), Err(EngineError::Denied(_))));
}

/// Who may see how a request stands does not see by that what is held about the person.
#[test]
fn whoever_may_only_look_sees_no_data() {
    struct Looking;
    #[async_trait::async_trait]
    impl AccessPolicy for Looking {
        async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
            if query.command == "view" || *query.actor != staff("trainee") {
                return Ok(Grant::agreed());
            }
            Err(Denied {
                command: query.command.to_owned(),
            })
        }
    }
    let mut world = World::new();
    world.access = Arc::new(Looking);
    let engine = world.engine();
    let request = world.submit(&engine, Wish::rectify(World::correction()));
    world.approve(&engine, request);
    world.work(&engine);
    let asked = |name: &str| {
        let who = staff(name);
        let seen = async {
            let plan = engine.plan(&world.acme, request, &who).await.map(drop);
            let wished = engine.corrections(&world.acme, request, &who).await;
            let known = engine.identifiers(&world.acme, request, &who).await;
            let looked = engine.request(&world.acme, request, &who).await;
            assert!(looked.is_ok());
            [plan, wished.map(drop), known.map(drop)]
        };
        world.clock.drive(seen).unwrap()
    };
    assert!(asked("alice").iter().all(Result::is_ok));
    let denied = |answer: &Result<(), EngineError>| matches!(answer, Err(EngineError::Denied(_)));
    assert!(asked("trainee").iter().all(denied));
}

#[test]
fn a_zone_that_does_not_exist_and_a_calendar_that_ends_too_early_are_told() {
    let unknown = Calendar::in_zone("Europe/Atlantis").unwrap_err();
    assert!(unknown.to_string().contains("Europe/Atlantis"), "{unknown}");
    let mut world = World::new();
    let provisional = |world: &World| {
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Access));
        matches!(
            world.see(&engine, request).clock.response,
            Some(Due::Due {
                provisional: true,
                ..
            })
        )
    };
    assert!(!provisional(&world));
    world = World::new();
    let short = HolidayList::new([]).complete_until("2026-03-31".parse().unwrap());
    let paris = Calendar::in_zone("Europe/Paris").unwrap();
    world.controller.calendar = paris.with_holidays(short);
    assert!(provisional(&world), "it may yet move");
}
