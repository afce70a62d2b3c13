//! How long the pure machines take: one lifecycle command that computes no deadline in 1 µs or
//! less, folding 100 events in 20 µs or less, decoding them in 1.5 times what bare serde takes.
//!
//! `cargo bench --no-default-features --bench workflow`

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, dead_code)] // helpers of tests

#[path = "../tests/machines/world.rs"]
mod world;

use chrono::{DateTime, Utc};
use datarights::model::{Actor, ControllerId, Digest, RequestId, Right};
use datarights::workflow::{Cause, Command, Envelope, Event, Request, lifecycle};
use divan::{Bencher, black_box};
use serde::Deserialize;
use world::{World, staff, start};

fn main() {
    divan::main();
}

/// A request whose person is being asked who they are.
fn asked() -> (World, Request, Vec<Envelope>) {
    let world = World::simple(Right::Erasure);
    let received = world.receive();
    let ask = Command::Lifecycle(lifecycle::Command::RequestIdentity);
    let asked = world
        .decide(&received.next, start(), &staff("alice"), &ask)
        .unwrap();
    let mut events = received.events;
    events.extend(asked.events);
    (world, asked.next, events)
}

/// A hundred events: received, asked, and attempts that fail.
fn hundred() -> Vec<Envelope> {
    let (mut world, mut request, mut events) = asked();
    world.policy.identity_attempts = 1_000;
    let attempt = Command::Lifecycle(lifecycle::Command::AttemptIdentity);
    let reject = Command::Lifecycle(lifecycle::Command::RejectIdentity);
    while events.len() < 100 {
        for (actor, command) in [(&Actor::Person, &attempt), (&Actor::Engine, &reject)] {
            let decision = world.decide(&request, start(), actor, command).unwrap();
            events.extend(decision.events);
            request = decision.next;
        }
    }
    events.truncate(100);
    datarights::workflow::chain(&mut events, Digest::default()).unwrap();
    events
}

/// `decide` alone: it moves a working copy by the event already, as the engine uses it.
#[divan::bench]
fn decide_one_command(bencher: Bencher) {
    let (world, request, _) = asked();
    let command = Command::Lifecycle(lifecycle::Command::AttemptIdentity);
    let (actor, cause) = (Actor::Person, Cause::Command);
    let context = world.context(start(), &actor, &cause);
    bencher.bench_local(|| {
        datarights::workflow::decide(black_box(&request), black_box(&command), &context).unwrap()
    });
}

/// `decide`, and `apply` once more by somebody who keeps the state themselves.
#[divan::bench]
fn decide_and_apply_one_command(bencher: Bencher) {
    let (world, request, _) = asked();
    let command = Command::Lifecycle(lifecycle::Command::AttemptIdentity);
    let (actor, cause) = (Actor::Person, Cause::Command);
    let context = world.context(start(), &actor, &cause);
    bencher
        .with_inputs(|| request.clone())
        .bench_local_values(|mine| {
            let decision =
                datarights::workflow::decide(black_box(&request), black_box(&command), &context)
                    .unwrap();
            decision.events.iter().fold(mine, Request::apply)
        });
}

#[divan::bench]
fn fold_a_hundred_events(bencher: Bencher) {
    let events = hundred();
    bencher.bench_local(|| Request::fold(black_box(&events)).unwrap());
}

#[divan::bench]
fn decode_a_hundred_events(bencher: Bencher) {
    let encoded: Vec<Vec<u8>> = hundred().iter().map(|e| e.encode().unwrap()).collect();
    bencher.bench_local(|| {
        encoded
            .iter()
            .map(|bytes| Envelope::decode(black_box(bytes)).unwrap())
            .collect::<Vec<_>>()
    });
}

/// The same fields, read by serde without a check of schema or type.
#[derive(Deserialize)]
struct Plain {
    schema: u16,
    controller: ControllerId,
    request: RequestId,
    sequence: u64,
    at: DateTime<Utc>,
    actor: Actor,
    cause: Cause,
    previous: Digest,
    event: Event,
}

#[divan::bench]
fn decode_a_hundred_events_by_bare_serde(bencher: Bencher) {
    let encoded: Vec<Vec<u8>> = hundred().iter().map(|e| e.encode().unwrap()).collect();
    bencher.bench_local(|| {
        encoded
            .iter()
            .map(|bytes| serde_json::from_slice::<Plain>(black_box(bytes)).unwrap())
            .collect::<Vec<_>>()
    });
}
