//! What lies in a store: events, states and agendas, perhaps written by another release or altered.

use std::sync::Arc;

use datarights::adapters::MemoryStore;
use datarights::model::{Digest, RequestId, Right, Wish};
use datarights::ports::{Commit, LockChange, Snapshot, StoredEvent};
use datarights::workflow::{Envelope, Request};

use super::same_again;
use crate::common::{World, staff};

/// The golden events, as far as they belong to one request.
fn golden() -> Vec<Vec<u8>> {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    // Seen from the crate, and from `fuzz/` in it.
    let folder = ["tests", "../tests"]
        .map(|tests| here.join(tests).join("golden/events/v1"))
        .into_iter()
        .find(|folder| folder.exists())
        .expect("the golden events");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the golden events")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).expect("a golden event"))
        .collect()
}

/// One stored event.
pub mod event {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Ok(envelope) = Envelope::decode(bytes) else {
            return false;
        };
        let written = envelope.encode();
        // What was padded is written shorter, what is too large is refused.
        if let Ok(written) = written {
            let again = Envelope::decode(&written).expect("and read");
            assert!(again == envelope, "something is lost in writing");
        }
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        golden()
    }
}

/// A history, an event on each line: `apply` is total.
pub mod history {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let lines = bytes.split(|byte| *byte == b'\n');
        let events: Vec<Envelope> = lines
            .filter_map(|line| Envelope::decode(line).ok())
            .collect();
        let Ok(state) = Request::fold(&events) else {
            return false;
        };
        same_again(&state);
        let _ = state.is_open();
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let golden = golden();
        let begins = |event: &&Vec<u8>| Request::fold(&Envelope::decode(event)).is_ok();
        let received = golden.iter().filter(begins).collect::<Vec<_>>();
        let mut seeds = Vec::new();
        for received in received {
            // The whole alphabet after each beginning, and each letter by itself.
            let lines: Vec<&[u8]> = std::iter::once(received)
                .chain(&golden)
                .map(Vec::as_slice)
                .collect();
            seeds.push(lines.join(&b'\n'));
            for event in &golden {
                seeds.push([received.as_slice(), event].join(&b'\n'));
            }
        }
        seeds
    }
}

/// A stored request: state, agenda and one event, with a byte 0 between them. Whatever it is, a
/// worker and whoever looks get through with it.
pub mod snapshot {
    use super::*;

    const REQUEST: u128 = 0x0190_f5a0_0000_7000_8000_0000_0000_0001;

    pub fn read(bytes: &[u8]) -> bool {
        let mut pieces = bytes.splitn(3, |byte| *byte == 0).map(<[u8]>::to_vec);
        let mut next = || pieces.next().unwrap_or_default();
        let (state, agenda, event) = (next(), next(), next());
        let world = World {
            store: Arc::new(MemoryStore::new()),
            ..World::new()
        };
        let engine = world.engine();
        let request = RequestId::new(uuid::Uuid::from_u128(REQUEST));
        let commit = Commit {
            request,
            expected: 0,
            fence: None,
            events: vec![StoredEvent {
                sequence: 1,
                digest: Digest::of(&event),
                bytes: event,
            }],
            snapshot: Snapshot {
                state,
                agenda,
                wake_at: Some(world.now()),
                due_at: Some(world.now()),
                open: true,
                ..Snapshot::default()
            },
            locks: LockChange::Keep,
            people: Vec::new(),
            parts: Vec::new(),
        };
        let created = world.clock.drive(world.store.create(&world.acme, commit));
        if !matches!(created, Ok(Ok(_))) {
            return false;
        }
        let eve = staff("eve");
        let read = world
            .clock
            .drive(engine.request(&world.acme, request, &eve));
        let _ = world
            .clock
            .drive(engine.timeline(&world.acme, request, &eve));
        let _ = world.clock.drive(engine.tasks(&world.acme, &eve, None, 10));
        let worker = world.worker();
        for _ in 0..3 {
            // What is wrong with it is told; the round ends.
            let tick = world.clock.drive(engine.tick(&worker, None));
            assert!(tick.is_ok(), "a worker waits for ever");
        }
        matches!(read, Ok(Ok(_)))
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let mut seeds = Vec::new();
        for wish in [Right::Access, Right::Erasure].map(Wish::of) {
            let world = World::new();
            let engine = world.engine();
            let request = world.submit(&engine, wish);
            let mut take = || {
                let stored = world.clock.drive(world.store.load(&world.acme, request));
                let stored = stored
                    .expect("it ends")
                    .expect("it loads")
                    .expect("it is there");
                let name = request.to_string();
                let ours = RequestId::new(uuid::Uuid::from_u128(REQUEST)).to_string();
                let state = String::from_utf8(stored.snapshot.state).expect("JSON");
                let state = state.replace(&name, &ours).into_bytes();
                seeds.push([state, stored.snapshot.agenda, b"{}".to_vec()].join(&0));
            };
            take();
            world.approve(&engine, request);
            take();
            world.work(&engine);
            take();
        }
        seeds
    }
}
