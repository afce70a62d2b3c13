//! Access and export through the whole engine: what is in the package, where it goes, and what
//! becomes of it.
#![cfg(all(feature = "testkit", feature = "package"))]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod common;

use std::io::{Cursor, Read};

use chrono::TimeDelta;
use common::{World, staff};
use datarights::engine::{Engine, Intake};
use datarights::model::{
    Actor, Channel, Digest, Failure, Identifier, Outcome, PartyId, RequestId, Right, Wish,
};
use datarights::ports::ErrorKind;
use datarights::testkit::{Fault, Method};
use datarights::workflow::fulfilment::Phase as Work;
use datarights::workflow::lifecycle::{self, Phase};
use datarights::workflow::{Delivery, Letter};
use futures::TryStreamExt;

fn package(world: &World, engine: &Engine, request: RequestId) -> Vec<u8> {
    let eve = staff("eve");
    let fetch = async {
        let pieces = engine.package(&world.acme, request, &eve).await.unwrap();
        let pieces: Vec<Vec<u8>> = pieces.try_collect().await.unwrap();
        pieces.concat()
    };
    world.clock.drive(fetch).unwrap()
}

fn entry(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive
        .by_name(name)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn an_access_answer_holds_everything_of_the_person_and_nothing_of_others() {
    let world = World::new();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    let bytes = package(&world, &engine, request);
    assert_eq!(
        seen.fulfilment.as_ref().unwrap().package,
        Some((bytes.len() as u64, Digest::of(&bytes))),
        "the event names what was handed over"
    );
    assert!(entry(&bytes, "data/desk/users.json").contains("Ada Lovelace"));
    assert!(entry(&bytes, "data/desk/invoices.csv").contains("1200"));
    assert_eq!(entry(&bytes, "data/log/calls.csv").lines().count(), 3);
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    for index in 0..archive.len() {
        let mut text = Vec::new();
        archive
            .by_index(index)
            .unwrap()
            .read_to_end(&mut text)
            .unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("Grace"));
    }
    let letters = world.outbox.letters_about(request);
    let kinds: Vec<_> = letters
        .iter()
        .map(|letter| letter.notice.kind.as_ref())
        .collect();
    assert_eq!(kinds, ["acknowledgement", "response"]);

    // After its period the package is gone, and its spools with it.
    world.work_until(&engine, world.now() + TimeDelta::days(200));
    assert!(world.see(&engine, request).lifecycle.package_deleted);
    assert!(world.artifacts.keys().is_empty());
}

#[test]
fn what_could_not_be_read_is_named_and_looked_at_before_it_goes_out() {
    let world = World::new();
    let engine = world.engine();
    world
        .log_port
        .will(Method::Read, vec![Fault::Fail(ErrorKind::Unavailable); 50]);
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work_until(&engine, world.now() + TimeDelta::days(3));
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Review);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Partly));
    let missing: Vec<_> = seen.fulfilment.as_ref().unwrap().missing().collect();
    assert_eq!(missing[0].1.failure, Failure::Unavailable);
    let manifest = entry(&package(&world, &engine, request), "manifest.json");
    assert!(manifest.contains("unavailable"), "{manifest}");
    world.log_port.heal();
    let rework = lifecycle::Command::Rework;
    world
        .command(&engine, request, &staff("alice"), rework)
        .unwrap();
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.phase, Phase::Answered);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    let bytes = package(&world, &engine, request);
    assert_eq!(entry(&bytes, "data/log/calls.csv").lines().count(), 3);
}

#[test]
fn nothing_found_is_an_answer_of_its_own() {
    let world = World::new();
    let engine = world.engine();
    for right in [Right::Access, Right::Erasure] {
        let stranger = vec![
            Identifier::mail("nobody@example.org").unwrap(),
            Identifier::phone("+1 555 0000").unwrap(),
        ];
        let intake = Intake::new(Channel::Letter, stranger, [Wish::of(right.clone())]);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake);
        let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
        world.approve(&engine, request);
        world.work(&engine);
        if right == Right::Erasure {
            // A recipient may hold what no source holds: it is told all the same.
            assert_eq!(world.recipient.received().len(), 1);
        }
        let seen = world.see(&engine, request);
        assert_eq!(seen.lifecycle.outcome, Some(Outcome::NothingFound));
        assert_eq!(seen.lifecycle.phase, Phase::Answered);
    }
}

#[test]
fn a_source_that_no_identifier_fits_is_named_as_not_searched() {
    let world = World::new();
    let engine = world.engine();
    let stranger = vec![Identifier::mail("nobody@example.org").unwrap()];
    let intake = Intake::new(Channel::Letter, stranger, [Wish::of(Right::Access)]);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(
        seen.lifecycle.outcome,
        Some(Outcome::Partly),
        "the log could not be searched"
    );
    let missing: Vec<_> = seen.fulfilment.as_ref().unwrap().missing().collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].1.failure, Failure::NoIdentifier);
}

#[test]
fn an_export_is_handed_to_another_controller_once() {
    let world = World::new();
    let engine = world.engine();
    world
        .recipient_port
        .will(Method::Transmit, [Fault::FailAfter(ErrorKind::Unavailable)]);
    let ada = vec![Identifier::mail("ada@example.org").unwrap()];
    let to = Delivery::Transmit(PartyId::new("mailer").unwrap());
    let intake = Intake::new(Channel::Form, ada, [Wish::of(Right::Export)]).delivered(to);
    let submitted = engine.submit(&world.acme, &Actor::Person, intake);
    let request = world.clock.drive(submitted).unwrap().unwrap()[0].request;
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(seen.lifecycle.outcome, Some(Outcome::Done));
    assert_eq!(seen.fulfilment.as_ref().unwrap().phase, Work::Ended);
    assert_eq!(
        world.recipient.received().len(),
        1,
        "two attempts, one transmission"
    );
}

#[test]
fn a_letter_that_cannot_be_sent_is_shown_and_sent_again() {
    let world = World::new();
    let mut engine_world = world.clone();
    engine_world.policy.acknowledge = false;
    let notifier = datarights::testkit::Faulty::new(
        "outbox",
        world.outbox.clone(),
        std::sync::Arc::new(world.clock.clone()),
    );
    notifier.will(Method::Notify, [Fault::Fail(ErrorKind::Refused)]);
    engine_world.notifier = std::sync::Arc::new(notifier);
    let engine = engine_world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    world.approve(&engine, request);
    world.work(&engine);
    let seen = world.see(&engine, request);
    assert_eq!(
        seen.lifecycle.phase,
        Phase::Response,
        "not answered: the letter did not go out"
    );
    assert_eq!(
        seen.lifecycle.stuck_letters,
        [(Letter::Response, Failure::Code("injected_fault".into()))]
    );
    let resend = lifecycle::Command::Resend {
        letter: Letter::Response,
    };
    world
        .command(&engine, request, &staff("alice"), resend)
        .unwrap();
    world.work(&engine);
    assert_eq!(world.see(&engine, request).lifecycle.phase, Phase::Answered);
    assert_eq!(world.outbox.letters_about(request).len(), 1);
}
