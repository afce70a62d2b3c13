//! Requests from intake to answer under three laws, through the public engine: each with its own
//! clocks, grounds, letters and words.
#![cfg(feature = "testkit")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

#[path = "../common/mod.rs"]
mod common;

mod brazil;
mod california;
mod french;
mod gdpr;
mod side_by_side;

use common::{World, staff};
use datarights::engine::{Engine, EngineError};
use datarights::law::{GroundError, Regimes};
use datarights::model::{Ground, Identifier, RequestId};
use datarights::ports::Notice;
use datarights::workflow::{Envelope, Rejection, Request, lifecycle};

/// What went out about a request, in order.
fn letters(world: &World, request: RequestId) -> Vec<Notice> {
    let letters = world.outbox.letters_about(request);
    letters.into_iter().map(|letter| letter.notice).collect()
}

fn kinds(world: &World, request: RequestId) -> Vec<String> {
    let letters = letters(world, request);
    letters
        .iter()
        .map(|notice| notice.kind.to_string())
        .collect()
}

/// The last letter of a kind. It is addressed, and names its request, its law and its words.
fn letter(world: &World, request: RequestId, kind: &str) -> Notice {
    let letters = letters(world, request);
    let notice = letters.into_iter().rfind(|notice| notice.kind == kind);
    let notice = notice.unwrap_or_else(|| panic!("no {kind}"));
    assert_eq!(notice.request, request);
    assert!(
        notice
            .to
            .contains(&Identifier::mail("Ada@Example.org").unwrap())
    );
    let law = Regimes::builtin().get(&notice.regime).unwrap();
    assert_eq!(notice.law, law.name);
    notice
}

/// Each item of a letter with its article.
fn items(notice: &Notice) -> Vec<(&str, &str)> {
    let contents = notice.contents.iter();
    contents
        .map(|said| (said.item.as_str(), said.article.as_str()))
        .collect()
}

fn give(
    world: &World,
    engine: &Engine,
    request: RequestId,
    command: lifecycle::Command,
) -> Request {
    let given = world.command(engine, request, &staff("alice"), command);
    let request = given.unwrap();
    world.work(engine);
    request
}

/// A command whose ground the law does not give; what it gives instead. Nothing changes.
fn refused_ground(
    world: &World,
    engine: &Engine,
    request: RequestId,
    command: lifecycle::Command,
) -> String {
    let before = world.see(engine, request);
    let refused = world.command(engine, request, &staff("alice"), command);
    let Err(EngineError::Rejected(Rejection::UnknownGround(GroundError { known, .. }))) = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(world.see(engine, request), before);
    known
}

/// Everything that happened to a request.
fn events(world: &World, engine: &Engine, request: RequestId) -> Vec<Envelope> {
    let eve = staff("eve");
    let events = engine.timeline(&world.acme, request, &eve);
    world.clock.drive(events).unwrap().unwrap()
}

fn refuse(code: &'static str) -> lifecycle::Command {
    lifecycle::Command::Refuse {
        ground: Ground::new(code),
    }
}

fn extend(code: &'static str) -> lifecycle::Command {
    lifecycle::Command::Extend {
        ground: Ground::new(code),
        until: None,
    }
}
