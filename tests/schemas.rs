//! What is stored and not known is an error that says so, at whatever depth it stands: a field that
//! is passed over would be gone with the next commit.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod common;

use std::path::PathBuf;

use common::{World, staff};
use datarights::engine::EngineError;
use datarights::model::{RequestId, Right, Wish};
use datarights::ports::{Commit, LockChange, Snapshot};
use datarights::workflow::{CodecError, Envelope, Request};
use serde_json::{Value, json};

/// The same with something unknown in it, once for each object that is in it.
fn with_something_unknown(whole: &Value) -> Vec<(String, Value)> {
    fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.push(at.to_owned());
                for (name, field) in fields {
                    objects(field, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    objects(item, &format!("{at}/{place}"), found);
                }
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    objects(whole, "", &mut places);
    let altered = places.into_iter().map(|place| {
        let mut altered = whole.clone();
        let object = altered.pointer_mut(&place).unwrap();
        object["of_a_later_release"] = json!(1);
        (place, altered)
    });
    altered.collect()
}

fn golden(kind: &str) -> Vec<(String, Value)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", kind, "v1"]
        .iter()
        .collect();
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let content = serde_json::from_slice(&std::fs::read(&path).unwrap());
        (name, content.unwrap())
    });
    files.collect()
}

#[test]
fn nothing_unknown_in_an_event_is_passed_over() {
    for (name, event) in golden("events") {
        for (place, altered) in with_something_unknown(&event) {
            let read = Envelope::decode(altered.to_string().as_bytes());
            let malformed = matches!(read, Err(CodecError::Malformed { .. }));
            assert!(malformed, "{name} at {place:?}: {read:?}");
        }
    }
}

#[test]
fn nothing_unknown_in_a_state_is_passed_over() {
    for (name, state) in golden("states") {
        assert!(serde_json::from_value::<Request>(state.clone()).is_ok());
        for (place, altered) in with_something_unknown(&state) {
            let read = serde_json::from_value::<Request>(altered);
            assert!(read.is_err(), "{name} at {place:?}");
        }
    }
}

/// Puts another snapshot in the place of a request's, as a newer release would.
fn overwrite(world: &World, request: RequestId, change: impl Fn(&mut Snapshot)) {
    let stored = world.store.load(&world.acme, request);
    let stored = world.clock.drive(stored).unwrap().unwrap().unwrap();
    let mut snapshot = stored.snapshot;
    change(&mut snapshot);
    let commit = Commit {
        request,
        expected: stored.version,
        fence: None,
        events: Vec::new(),
        snapshot,
        locks: LockChange::Keep,
        people: Vec::new(),
        parts: Vec::new(),
    };
    let written = world.store.commit(&world.acme, commit);
    world.clock.drive(written).unwrap().unwrap();
}

fn altered(bytes: &mut Vec<u8>, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_slice(bytes).unwrap();
    change(&mut value);
    *bytes = value.to_string().into_bytes();
}

/// The request is left as it is, whoever comes to it is told, and the others are worked on.
#[test]
fn a_request_of_a_newer_release_is_left_alone() {
    type Change = fn(&mut Snapshot);
    let newer: [(&str, Change); 2] = [
        ("state", |s| {
            altered(&mut s.state, |state| state["schema"] = json!(2))
        }),
        ("agenda", |s| {
            altered(&mut s.agenda, |agenda| {
                *agenda = json!({"schema": 2, "to_do": []})
            })
        }),
    ];
    let unknown: [(&str, Change); 3] = [
        ("state", |s| {
            altered(&mut s.state, |state| state["extra"] = json!(1))
        }),
        ("agenda", |s| {
            altered(&mut s.agenda, |agenda| {
                agenda["effects"][0]["extra"] = json!(1)
            })
        }),
        ("agenda", |s| {
            altered(&mut s.agenda, |agenda| {
                agenda["timers"]["of_the_moon"] = json!(1)
            })
        }),
    ];
    let all = newer.map(|one| (true, one)).into_iter();
    for (is_newer, (piece, change)) in all.chain(unknown.map(|one| (false, one))) {
        let world = World::new();
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Erasure));
        let other = world.submit(&engine, Wish::of(Right::Access));
        overwrite(&world, request, change);
        let before = world.clock.drive(world.store.load(&world.acme, request));
        let is_told = |error: &EngineError| match error {
            EngineError::UnknownSchema {
                what,
                found: 2,
                known: 1,
                ..
            } => is_newer && *what == piece,
            EngineError::Unfamiliar { what, .. } => !is_newer && *what == piece,
            _ => false,
        };
        let looked = world
            .clock
            .drive(engine.request(&world.acme, request, &staff("eve")));
        let told = looked.unwrap().unwrap_err();
        assert!(is_told(&told), "{piece}: {told}");
        // However often it is tried: a newer release may work on it.
        for _ in 0..world.settings.set_aside_after + 2 {
            let tick = world.clock.drive(engine.tick(&world.worker(), None));
            let told = tick.unwrap().unwrap_err();
            assert!(is_told(&told), "{piece}: {told}");
            world.clock.advance(world.settings.lease * 2);
        }
        let after = world.clock.drive(world.store.load(&world.acme, request));
        assert_eq!(after, before, "{piece}");
        let sent = world.see(&engine, other).lifecycle.sent;
        assert!(!sent.is_empty(), "{piece}: the other request goes on");
    }
}
