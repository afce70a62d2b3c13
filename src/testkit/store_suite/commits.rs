//! Checks of `create`, `commit` and `history`: what is stored, whole, and in which version.

use crate::ports::{
    Commit, Due, Fence, MAX_CHUNK_BYTES, MAX_EVENT_BYTES, StoreError, StoredEvent, StoredRequest,
};

use super::super::contract::{Checked, Seen};
use super::sample::{
    Tweak as _, at, born, conflict, controller, event, exclusive, id, image, next, part, person,
    shared,
};
use super::{Trial, same};

pub(super) async fn create_stores_all_of_it(t: Trial) -> Checked {
    let acme = controller(0)?;
    same!(t.load(&acme, id(1)).await?, None, "an unknown request");
    let commit = born(id(1)).wake(5).due(9).of([person(1), person(2)]);
    let snapshot = commit.snapshot.clone();
    let chunks = [part("a", 0, b"old"), part("a", 1, b"2"), part("a", 0, b"1")];
    let commit = commit.with(chunks);
    t.create(&acme, commit.events(vec![event(1, b"a"), event(2, b"b")]))
        .await?;
    let stored = StoredRequest {
        version: 1,
        sequence: 2,
        head: event(2, b"b").digest,
        snapshot,
    };
    let image = image(&*t, &acme, id(1)).await?;
    same!(image.loaded, Some(stored), "the request");
    let events = [event(1, b"a"), event(2, b"b")];
    same!(image.history, events, "its history");
    same!(image.wake, Some(at(5)), "its wake");
    let due = [Due {
        request: id(1),
        at: at(9),
    }];
    same!(image.due, due, "its deadline");
    let found = [vec![id(1)], vec![id(1)], vec![]];
    same!(image.found, found, "its people");
    let parts = [Some(b"1".to_vec()), Some(b"2".to_vec()), None, None];
    same!(
        image.parts,
        parts,
        "its parts, a chunk named twice among them"
    );
    same!(image.open, [id(1)], "its place among the open");
    Ok(())
}

pub(super) async fn create_never_overwrites(t: Trial) -> Checked {
    let acme = controller(0)?;
    let first = born(id(1)).wake(5).due(9).of([person(1)]);
    t.create(&acme, first.take([shared(1)])).await?;
    t.put_part(&acme, id(1), None, "a", 0, b"old".to_vec())
        .await?;
    t.commit(&acme, next(id(1), 1).wake(6).due(8)).await?;
    let before = image(&*t, &acme, id(1)).await?;
    let second = born(id(1))
        .state("second")
        .events(vec![event(1, b"x"), event(2, b"y"), event(3, b"z")])
        .wake(1)
        .due(1)
        .of([person(2)])
        .with([part("a", 0, b"new"), part("b", 0, b"new")])
        .take([exclusive(2)]);
    let answer = t.create(&acme, second).await;
    same!(answer, Err(StoreError::Exists(id(1))), "the second create");
    let after = image(&*t, &acme, id(1)).await?;
    same!(after, before, "the first request");
    t.create(&acme, born(id(2)).take([exclusive(2)])).await?;
    Ok(())
}

pub(super) async fn a_commit_replaces_and_adds(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(5).due(9).of([person(1)]))
        .await?;
    let commit = next(id(1), 1).state("second").wake(7).due(8);
    let events = vec![event(2, b"b"), event(3, b"c")];
    let mut commit = commit.events(events).take([exclusive(1)]);
    commit.snapshot.agenda = b"much".to_vec();
    let snapshot = commit.snapshot.clone();
    t.commit(&acme, commit).await?;
    let image = image(&*t, &acme, id(1)).await?;
    let stored = StoredRequest {
        version: 2,
        sequence: 3,
        head: event(3, b"c").digest,
        snapshot,
    };
    same!(image.loaded, Some(stored), "the request");
    same!(image.history.len(), 3, "its events");
    same!(image.wake, Some(at(7)), "its wake");
    same!(image.due[0].at, at(8), "its deadline");
    same!(image.found[0], [id(1)], "its people");
    let answer = t.create(&acme, born(id(2)).take([shared(1)])).await;
    let locked = StoreError::Locked { by: id(1) };
    same!(answer, Err(locked), "its lock");
    t.commit(&acme, next(id(1), 2).wake(None).due(None).events(vec![]))
        .await?;
    let image = super::sample::image(&*t, &acme, id(1)).await?;
    same!(image.wake, None, "a wake taken away");
    same!(image.due, [], "a deadline taken away");
    let head = image.loaded.map(|request| (request.sequence, request.head));
    same!(
        head,
        Some((3, event(3, b"c").digest)),
        "the head without events"
    );
    Ok(())
}

pub(super) async fn a_failed_commit_leaves_everything(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(9)).take([exclusive(9)])).await?;
    t.create(&acme, born(id(8))).await?;
    t.create(&acme, born(id(1)).wake(5).due(9).of([person(1)]))
        .await?;
    let before = image(&*t, &acme, id(1)).await?;
    let ok = next(id(1), 1)
        .state("broken")
        .events(vec![event(2, b"b"), event(3, b"c")])
        .wake(1)
        .due(1)
        .take([exclusive(7)]);
    let gap = vec![event(2, b"b"), event(4, b"c")];
    let large = vec![event(2, b"b"), event(3, &vec![0; MAX_EVENT_BYTES + 1])];
    let old = Commit {
        expected: 7,
        ..ok.clone()
    };
    let failing = [
        ("a lost lease", ok.clone().under(Fence(99))),
        ("a conflict", old),
        ("a gap", ok.clone().events(gap)),
        ("a large event", ok.clone().events(large)),
        (
            "a lock held by another",
            ok.clone().take([exclusive(7), exclusive(9)]),
        ),
    ];
    for (name, commit) in failing {
        if t.commit(&acme, commit).await.is_ok() {
            return Err(Seen(format!("a commit with {name} went through")));
        }
        let after = image(&*t, &acme, id(1)).await?;
        same!(after, before, "the request after {name}");
        let probe = t.load(&acme, id(8)).await?.map_or(0, |r| r.version);
        let taken = next(id(8), probe).take([exclusive(7)]);
        let answer = t.commit(&acme, taken).await;
        same!(
            answer,
            Ok(()),
            "taking a lock named by a commit with {name}"
        );
        t.commit(&acme, next(id(8), probe + 1).release()).await?;
    }
    t.commit(&acme, ok).await?;
    Ok(())
}

pub(super) async fn a_failed_create_leaves_nothing(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(9)).take([exclusive(9)])).await?;
    let before = image(&*t, &acme, id(1)).await?;
    let ok = born(id(1)).wake(5).due(9).of([person(1)]);
    let ok = ok.with([part("a", 0, b"sealed")]);
    let large = part("b", 0, &vec![0; MAX_CHUNK_BYTES + 1]);
    let failing = [
        ok.clone().take([exclusive(7), exclusive(9)]),
        ok.clone().events(vec![event(1, b"a"), event(3, b"b")]),
        ok.clone().with([part("a", 0, b"sealed"), large]),
    ];
    for commit in failing {
        if t.create(&acme, commit).await.is_ok() {
            return Err(Seen("a broken create went through".to_owned()));
        }
        let after = image(&*t, &acme, id(1)).await?;
        same!(after, before, "the store after a broken create");
    }
    t.create(&acme, born(id(2)).take([exclusive(7)])).await?;
    t.create(&acme, ok).await?;
    Ok(())
}

pub(super) async fn every_commit_adds_one(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1))).await?;
    let mut sequence = 1;
    for version in 1..5 {
        // Also a commit without events is one.
        let events: Vec<_> = (version != 2)
            .then(|| event(sequence + 1, b"x"))
            .into_iter()
            .collect();
        sequence += events.len() as u64;
        t.commit(&acme, next(id(1), version).events(events)).await?;
        let now = t.load(&acme, id(1)).await?.map(|request| request.version);
        same!(now, Some(version + 1), "the version after a commit");
    }
    Ok(())
}

pub(super) async fn another_version_is_a_conflict(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1))).await?;
    t.commit(&acme, next(id(1), 1)).await?;
    for expected in [0, 1, 3, u64::MAX] {
        let commit = Commit {
            expected,
            ..next(id(1), 2)
        };
        let answer = t.commit(&acme, commit).await;
        let wanted = conflict(id(1), expected, 2);
        same!(answer, Err(wanted), "a commit on version {expected}");
    }
    t.commit(&acme, next(id(1), 2)).await?;
    Ok(())
}

pub(super) async fn history_is_paged(t: Trial) -> Checked {
    let acme = controller(0)?;
    let all: Vec<StoredEvent> = (1..=5).map(|n| event(n, &[n as u8; 3])).collect();
    t.create(&acme, born(id(1)).events(all[..2].to_vec()))
        .await?;
    t.create(&acme, born(id(2))).await?;
    t.commit(&acme, next(id(1), 1).events(all[2..].to_vec()))
        .await?;
    let pages = [
        (0, 2, &all[..2]),
        (2, 2, &all[2..4]),
        (4, 2, &all[4..]),
        (5, 2, &[]),
        (0, 0, &[]),
        (3, usize::MAX, &all[3..]),
        (0, usize::MAX, &all[..]),
        (u64::MAX, usize::MAX, &[]),
    ];
    for (after, limit, page) in pages {
        let seen = t.history(&acme, id(1), after, limit).await?;
        same!(seen, page, "{limit} events after {after}");
    }
    let none = t.history(&acme, id(3), 0, 9).await?;
    same!(none, [], "the history of an unknown request");
    Ok(())
}

pub(super) async fn history_keeps_bytes(t: Trial) -> Checked {
    let acme = controller(0)?;
    let every: Vec<u8> = (0..=255).collect();
    let long: Vec<u8> = (0..MAX_EVENT_BYTES).map(|n| n as u8).collect();
    let mut events = vec![event(1, b""), event(2, &every), event(3, &long)];
    // The digest is the workflow's to make; the store keeps what it is given.
    events[0].digest = crate::model::Digest::from_bytes([0xAB; 32]);
    t.create(&acme, born(id(1)).events(events.clone())).await?;
    let seen = t.history(&acme, id(1), 0, 9).await?;
    if seen != events {
        return Err(Seen("events came back otherwise".to_owned()));
    }
    Ok(())
}
