//! The checks, each under the line of the contract that it asks for.

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;

use crate::model::{ControllerId, RequestId};
use crate::ports::{
    Claim, Commit, Due, Fence, MAX_CHUNK_BYTES, MAX_EVENT_BYTES, MAX_PART_NAME_BYTES, StoreError,
    StoredEvent, StoredRequest,
};

use super::super::contract::{Checked, Seen};
use super::sample::{
    Tweak as _, at, born, claim_at, claim_one, controller, event, exclusive, id, image, next, part,
    person, shared, worker,
};
use super::{Check, StoreLine, Trial, model, races, same};

macro_rules! checks {
    ($($line:ident: $check:path,)*) => {
        /// All of them, in the order of the contract.
        pub(super) const ALL: &[(StoreLine, &str, Check)] = &[
            $((StoreLine::$line, stringify!($check), |trial| $check(trial).boxed()),)*
        ];
    };
}

checks! {
    Create: create_stores_all_of_it,
    Create: create_never_overwrites,
    Create: races::one_create_of_an_id_wins,
    Tenants: the_same_id_twice_is_two_requests,
    Tenants: nothing_is_changed_under_another_controller,
    Tenants: indexes_are_separate,
    Tenants: locks_are_separate,
    Whole: a_commit_replaces_and_adds,
    Whole: a_failed_commit_leaves_everything,
    Whole: a_failed_create_leaves_nothing,
    Version: every_commit_adds_one,
    Version: another_version_is_a_conflict,
    Version: races::one_commit_of_a_version_wins,
    Fence: the_newest_fence_writes,
    Fence: an_older_fence_is_refused,
    Fence: a_fence_given_back_is_refused,
    Fence: a_fence_never_given_is_refused,
    Fence: a_lease_that_ran_out_still_writes,
    Form: sequences_have_no_gaps,
    Form: large_events_are_refused,
    Form: create_begins_a_request,
    Form: only_create_names_people_and_parts,
    Form: large_chunks_and_bad_names_are_refused,
    Precedence: the_first_error_is_told,
    History: history_is_paged,
    History: history_keeps_bytes,
    Claim: claim_is_inclusive_ordered_and_limited,
    Claim: a_lease_excludes_until_it_ends,
    Claim: fences_grow,
    Claim: a_new_request_of_an_old_id_gets_a_larger_fence,
    Claim: one_that_ran_out_queues_behind,
    Claim: closed_requests_wake_too,
    Claim: commits_move_the_wake,
    Claim: races::each_request_is_claimed_once,
    Lease: renew_moves_the_end,
    Lease: only_the_holder_renews,
    Lease: release_frees_at_once,
    Lease: release_of_a_lost_lease_leaves_the_new_one,
    Lease: commits_leave_the_lease,
    Wake: next_wake_is_when_claim_finds,
    Due: due_is_exclusive_ordered_and_limited,
    Due: closed_requests_are_not_due,
    Find: find_is_in_order_of_creation,
    Find: closed_requests_are_not_found,
    Open: open_is_paged_in_order_of_ids,
    Parts: chunks_replace,
    Parts: parts_are_deleted,
    Parts: parts_belong_to_a_request,
    Parts: a_lost_lease_writes_no_parts,
    Locks: shared_and_exclusive,
    Locks: a_request_never_blocks_itself,
    Locks: release_frees_only_ones_own,
    Locks: locks_outlive_leases_and_closing,
    Locks: delete_frees_locks,
    Locks: races::one_writer_gets_a_lock,
    Delete: delete_leaves_nothing,
    Delete: delete_is_guarded,
    Delete: a_request_can_be_created_again,
    Instants: microseconds_are_kept,
    Instants: far_instants_are_kept,
    Durable: everything_is_there_again,
    Model: model::any_row_of_calls,
}

fn conflict(request: RequestId, expected: u64, actual: u64) -> StoreError {
    StoreError::Conflict {
        request,
        expected,
        actual,
    }
}

fn lost(request: RequestId, fence: Fence) -> StoreError {
    StoreError::LostLease { request, fence }
}

fn requests(claims: &[Claim]) -> Vec<RequestId> {
    claims.iter().map(|claim| claim.request).collect()
}

/// Whether it was refused as malformed, whatever the reason says.
fn malformed<T: std::fmt::Debug>(answer: Result<T, StoreError>, what: &str) -> Checked {
    match answer {
        Err(StoreError::Malformed(_)) => Ok(()),
        other => Err(Seen(format!("{what}: saw {other:?}, not malformed"))),
    }
}

async fn create_stores_all_of_it(t: Trial) -> Checked {
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

async fn create_never_overwrites(t: Trial) -> Checked {
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

async fn the_same_id_twice_is_two_requests(t: Trial) -> Checked {
    let (acme, other) = (controller(0)?, controller(1)?);
    let commit = born(id(1)).wake(5).due(9).of([person(1)]);
    t.create(&acme, commit.clone()).await?;
    t.put_part(&acme, id(1), None, "a", 0, b"acme".to_vec())
        .await?;
    let empty = image(&*t, &other, id(1)).await?;
    same!(empty.loaded, None, "a request of another controller");
    same!(empty.history, [], "a history of another controller");
    same!(empty.parts, vec![None; 4], "a part of another controller");
    t.create(&other, commit.state("other").wake(6)).await?;
    t.put_part(&other, id(1), None, "a", 0, b"other".to_vec())
        .await?;
    let theirs = image(&*t, &other, id(1)).await?;
    t.commit(&acme, next(id(1), 1).state("moved")).await?;
    t.delete_parts(&acme, id(1), None, None).await?;
    let now = image(&*t, &other, id(1)).await?;
    same!(now, theirs, "the other after a commit");
    t.delete(&acme, id(1), 2, None).await?;
    let now = image(&*t, &other, id(1)).await?;
    same!(now, theirs, "the other after a delete");
    Ok(())
}

async fn nothing_is_changed_under_another_controller(t: Trial) -> Checked {
    let (acme, other) = (controller(0)?, controller(1)?);
    t.create(&acme, born(id(1)).wake(0).of([person(1)])).await?;
    t.put_part(&acme, id(1), None, "a", 0, b"acme".to_vec())
        .await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    let before = image(&*t, &acme, id(1)).await?;
    let unknown = StoreError::Unknown(id(1));
    let answer = t.commit(&other, next(id(1), 1).state("x")).await;
    same!(answer, Err(unknown.clone()), "a commit");
    let answer = t.delete(&other, id(1), 1, None).await;
    same!(answer, Err(unknown.clone()), "a delete");
    let answer = t.put_part(&other, id(1), None, "a", 0, vec![]).await;
    same!(answer, Err(unknown.clone()), "a part");
    let answer = t.delete_parts(&other, id(1), None, None).await;
    same!(answer, Err(unknown.clone()), "a delete of parts");
    let theirs = Claim {
        controller: other,
        ..claim.clone()
    };
    let answer = t.renew(&theirs, at(999)).await;
    same!(answer, Err(unknown), "a renewal");
    t.release(&theirs).await?;
    let after = image(&*t, &acme, id(1)).await?;
    same!(after, before, "the request");
    t.commit(&acme, next(id(1), 1).under(claim.fence)).await?;
    Ok(())
}

async fn indexes_are_separate(t: Trial) -> Checked {
    let (acme, other) = (controller(0)?, controller(1)?);
    t.create(&acme, born(id(1)).wake(5).due(5).of([person(1)]))
        .await?;
    t.create(&other, born(id(2)).wake(3).due(3).of([person(1)]))
        .await?;
    let mine = image(&*t, &acme, id(1)).await?;
    same!(mine.found[0], [id(1)], "find");
    same!(mine.wake, Some(at(5)), "next wake");
    let due: Vec<RequestId> = mine.due.iter().map(|due| due.request).collect();
    same!(due, [id(1)], "due");
    same!(t.next_wake(None).await?, Some(at(3)), "next wake of all");
    let claims = claim_at(&*t, &acme, 10).await?;
    same!(requests(&claims), [id(1)], "claims of one controller");
    let claims = t.claim(None, &worker(), at(10), at(20), 9).await?;
    same!(requests(&claims), [id(2)], "claims of all controllers");
    same!(claims[0].controller, other, "the controller of a claim");
    // By name between the two others, and without requests.
    let third = ControllerId::new("acme-").map_err(Seen::from)?;
    same!(t.next_wake(Some(&third)).await?, None, "next wake of none");
    let claims = t
        .claim(Some(&third), &worker(), at(1_000), at(1_100), 9)
        .await?;
    same!(claims, [], "claims of a controller without requests");
    Ok(())
}

async fn locks_are_separate(t: Trial) -> Checked {
    let (acme, other) = (controller(0)?, controller(1)?);
    t.create(&acme, born(id(1)).take([exclusive(1)])).await?;
    t.create(&other, born(id(1)).take([exclusive(1)])).await?;
    t.create(&other, born(id(2))).await?;
    t.commit(&acme, next(id(1), 1).release()).await?;
    let answer = t.commit(&other, next(id(2), 1).take([shared(1)])).await;
    let locked = StoreError::Locked { by: id(1) };
    same!(answer, Err(locked), "a lock after another's release");
    Ok(())
}

async fn a_commit_replaces_and_adds(t: Trial) -> Checked {
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

async fn a_failed_commit_leaves_everything(t: Trial) -> Checked {
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

async fn a_failed_create_leaves_nothing(t: Trial) -> Checked {
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

async fn every_commit_adds_one(t: Trial) -> Checked {
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

async fn another_version_is_a_conflict(t: Trial) -> Checked {
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

async fn the_newest_fence_writes(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    let answer = t.commit(&acme, next(id(1), 1).under(claim.fence)).await;
    same!(answer, Ok(()), "a commit of the holder");
    t.renew(&claim, at(500)).await?;
    let answer = t.commit(&acme, next(id(1), 2).under(claim.fence)).await;
    same!(answer, Ok(()), "a commit after a renewal");
    let answer = t.commit(&acme, next(id(1), 3)).await;
    same!(answer, Ok(()), "a commit of a person, without a fence");
    let answer = t.commit(&acme, next(id(1), 3).under(claim.fence)).await;
    same!(
        answer,
        Err(conflict(id(1), 3, 4)),
        "a commit the person overtook"
    );
    Ok(())
}

async fn an_older_fence_is_refused(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let old = claim_one(&*t, &acme, 0).await?;
    let new = claim_one(&*t, &acme, 200).await?;
    let answer = t.commit(&acme, next(id(1), 1).under(old.fence)).await;
    same!(
        answer,
        Err(lost(id(1), old.fence)),
        "a commit of the old holder"
    );
    let answer = t.delete(&acme, id(1), 1, Some(old.fence)).await;
    same!(
        answer,
        Err(lost(id(1), old.fence)),
        "a delete of the old holder"
    );
    let answer = t.commit(&acme, next(id(1), 1).under(new.fence)).await;
    same!(answer, Ok(()), "a commit of the new holder");
    Ok(())
}

async fn a_fence_given_back_is_refused(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    t.release(&claim).await?;
    let answer = t.commit(&acme, next(id(1), 1).under(claim.fence)).await;
    same!(
        answer,
        Err(lost(id(1), claim.fence)),
        "a commit after release"
    );
    t.commit(&acme, next(id(1), 1)).await?;
    Ok(())
}

async fn a_fence_never_given_is_refused(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let guess = |fence| next(id(1), 1).under(fence);
    for fence in [Fence(0), Fence(1), Fence(u64::MAX)] {
        let answer = t.commit(&acme, guess(fence)).await;
        same!(answer, Err(lost(id(1), fence)), "a commit before any claim");
    }
    let claim = claim_one(&*t, &acme, 0).await?;
    let newer = Fence(claim.fence.0 + 1);
    let answer = t.commit(&acme, guess(newer)).await;
    same!(answer, Err(lost(id(1), newer)), "a fence from the future");
    Ok(())
}

async fn a_lease_that_ran_out_still_writes(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    t.create(&acme, born(id(2)).wake(10_000)).await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    // Time goes on and others claim, but nobody took this one.
    t.renew(&claim, at(1)).await?;
    t.claim(Some(&acme), &worker(), at(20_000), at(20_100), 0)
        .await?;
    let answer = t.commit(&acme, next(id(1), 1).under(claim.fence)).await;
    same!(answer, Ok(()), "a commit after the lease ran out");
    t.renew(&claim, at(30_000)).await?;
    Ok(())
}

async fn sequences_have_no_gaps(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1))).await?;
    let wrong: [&[u64]; 6] = [&[1], &[3], &[0], &[2, 2], &[2, 4], &[3, 2]];
    for sequences in wrong {
        let events = sequences.iter().map(|n| event(*n, b"x")).collect();
        let answer = t.commit(&acme, next(id(1), 1).events(events)).await;
        malformed(answer, &format!("sequences {sequences:?} after 1"))?;
    }
    t.commit(&acme, next(id(1), 1)).await?;
    Ok(())
}

async fn large_events_are_refused(t: Trial) -> Checked {
    let acme = controller(0)?;
    let large = vec![7; MAX_EVENT_BYTES + 1];
    let answer = t
        .create(&acme, born(id(1)).events(vec![event(1, &large)]))
        .await;
    malformed(answer, "a create with a large event")?;
    t.create(&acme, born(id(1))).await?;
    let answer = t
        .commit(&acme, next(id(1), 1).events(vec![event(2, &large)]))
        .await;
    malformed(answer, "a commit with a large event")?;
    let largest = event(2, &large[1..]);
    t.commit(&acme, next(id(1), 1).events(vec![largest]))
        .await?;
    Ok(())
}

async fn create_begins_a_request(t: Trial) -> Checked {
    let acme = controller(0)?;
    let later = Commit {
        expected: 1,
        ..born(id(1))
    };
    malformed(t.create(&acme, later).await, "version 1")?;
    let fenced = born(id(1)).under(Fence(1));
    malformed(t.create(&acme, fenced).await, "a fence")?;
    let empty = born(id(1)).events(vec![]);
    malformed(t.create(&acme, empty).await, "no event")?;
    let second = born(id(1)).events(vec![event(2, b"x")]);
    malformed(t.create(&acme, second).await, "a first event 2")?;
    same!(t.load(&acme, id(1)).await?, None, "the request");
    Ok(())
}

async fn only_create_names_people_and_parts(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1))).await?;
    let answer = t.commit(&acme, next(id(1), 1).of([person(1)])).await;
    malformed(answer, "people in a commit")?;
    let commit = next(id(1), 1).with([part("a", 0, b"x")]);
    malformed(t.commit(&acme, commit).await, "parts in a commit")
}

async fn large_chunks_and_bad_names_are_refused(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1))).await?;
    t.put_part(&acme, id(1), None, "a", 0, b"old".to_vec())
        .await?;
    let large = vec![7; MAX_CHUNK_BYTES + 1];
    let answer = t.put_part(&acme, id(1), None, "a", 0, large).await;
    malformed(answer, "a large chunk")?;
    let long = "x".repeat(MAX_PART_NAME_BYTES + 1);
    for name in ["", &long] {
        let answer = t.put_part(&acme, id(1), None, name, 0, vec![]).await;
        malformed(answer, "a part's name")?;
    }
    let kept = t.read_part(&acme, id(1), "a", 0).await?;
    same!(kept.as_deref(), Some(&b"old"[..]), "the chunk before");
    let largest = vec![7; MAX_CHUNK_BYTES];
    t.put_part(&acme, id(1), None, &long[1..], 0, largest.clone())
        .await?;
    let kept = t.read_part(&acme, id(1), &long[1..], 0).await?;
    if kept != Some(largest) {
        return Err(Seen("the largest chunk came back otherwise".to_owned()));
    }
    Ok(())
}

async fn the_first_error_is_told(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(9)).take([exclusive(9)])).await?;
    let wrong = Commit {
        expected: 7,
        ..next(id(1), 1)
    };
    let wrong = wrong
        .under(Fence(u64::MAX))
        .events(vec![event(9, b"x")])
        .take([exclusive(9)]);
    let answer = t.commit(&acme, wrong.clone()).await;
    same!(
        answer,
        Err(StoreError::Unknown(id(1))),
        "an unknown request"
    );
    let answer = t
        .create(&acme, born(id(1)).events(vec![]).take([exclusive(9)]))
        .await;
    malformed(answer, "a create, malformed and locked")?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let answer = t.create(&acme, wrong.clone()).await;
    same!(answer, Err(StoreError::Exists(id(1))), "a second create");
    let answer = t.commit(&acme, wrong.clone()).await;
    let gone = lost(id(1), Fence(u64::MAX));
    same!(answer, Err(gone.clone()), "a lost lease");
    let fence = claim_one(&*t, &acme, 0).await?.fence;
    let answer = t.commit(&acme, wrong.clone().under(fence)).await;
    same!(answer, Err(conflict(id(1), 7, 1)), "a conflict");
    let answer = t
        .commit(
            &acme,
            Commit {
                expected: 1,
                ..wrong.clone().under(fence)
            },
        )
        .await;
    malformed(answer, "a gap and a lock")?;
    let answer = t
        .commit(&acme, next(id(1), 1).under(fence).take([exclusive(9)]))
        .await;
    let locked = StoreError::Locked { by: id(9) };
    same!(answer, Err(locked), "a lock");
    let answer = t.delete(&acme, id(1), 7, Some(Fence(u64::MAX))).await;
    same!(answer, Err(gone.clone()), "a delete with a lost lease");
    let answer = t.delete(&acme, id(1), 7, Some(fence)).await;
    same!(
        answer,
        Err(conflict(id(1), 7, 1)),
        "a delete with a conflict"
    );
    let far = Some(Fence(u64::MAX));
    let answer = t.put_part(&acme, id(2), far, "", 0, vec![]).await;
    same!(answer, Err(StoreError::Unknown(id(2))), "a part of nothing");
    let answer = t.put_part(&acme, id(1), far, "", 0, vec![]).await;
    same!(answer, Err(gone), "a part under a lost lease");
    Ok(())
}

async fn history_is_paged(t: Trial) -> Checked {
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

async fn history_keeps_bytes(t: Trial) -> Checked {
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

async fn claim_is_inclusive_ordered_and_limited(t: Trial) -> Checked {
    let acme = controller(0)?;
    for (n, wake) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
        t.create(&acme, born(id(n)).wake(wake)).await?;
    }
    t.create(&acme, born(id(5))).await?;
    let early = claim_at(&*t, &acme, 9).await?;
    same!(early, [], "claims before the first wake");
    let none = t.claim(Some(&acme), &worker(), at(30), at(50), 0).await?;
    same!(none, [], "claims with limit 0");
    let two = t.claim(None, &worker(), at(30), at(50), 2).await?;
    same!(requests(&two), [id(2), id(3)], "the two earliest");
    same!(two[0].until, at(50), "the end of a lease");
    let rest = t.claim(Some(&acme), &worker(), at(30), at(50), 2).await?;
    same!(
        requests(&rest),
        [id(1)],
        "the rest, a wake at now among them"
    );
    Ok(())
}

async fn a_lease_excludes_until_it_ends(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let first = claim_one(&*t, &acme, 0).await?;
    same!(claim_at(&*t, &acme, 0).await?, [], "a claim at once");
    same!(
        claim_at(&*t, &acme, 99).await?,
        [],
        "a claim before the end"
    );
    let all = t.claim(None, &worker(), at(99), at(199), 9).await?;
    same!(all, [], "a claim over all controllers before the end");
    let second = claim_one(&*t, &acme, 100).await?;
    same!(second.request, first.request, "the request at the end");
    Ok(())
}

async fn fences_grow(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let mut newest = Fence(0);
    for round in 0..5 {
        let claim = claim_one(&*t, &acme, round * 100).await?;
        if claim.fence <= newest {
            let what = format!("{:?} came after {newest:?}", claim.fence);
            return Err(Seen(what));
        }
        newest = claim.fence;
        if round % 2 == 0 {
            t.release(&claim).await?;
        }
    }
    Ok(())
}

async fn a_new_request_of_an_old_id_gets_a_larger_fence(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let old = claim_one(&*t, &acme, 0).await?;
    t.delete(&acme, id(1), 1, Some(old.fence)).await?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let answer = t.commit(&acme, next(id(1), 1).under(old.fence)).await;
    same!(
        answer,
        Err(lost(id(1), old.fence)),
        "a commit of the old one's holder"
    );
    let new = claim_one(&*t, &acme, 0).await?;
    if new.fence <= old.fence {
        let what = format!("{:?} came after {:?}", new.fence, old.fence);
        return Err(Seen(what));
    }
    Ok(())
}

async fn one_that_ran_out_queues_behind(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    claim_one(&*t, &acme, 0).await?;
    t.create(&acme, born(id(2)).wake(50)).await?;
    t.create(&acme, born(id(3)).wake(150)).await?;
    let order = requests(&claim_at(&*t, &acme, 200).await?);
    same!(
        order,
        [id(2), id(1), id(3)],
        "the order with a lease that ended at 100"
    );
    Ok(())
}

async fn closed_requests_wake_too(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(7).closed()).await?;
    same!(t.next_wake(Some(&acme)).await?, Some(at(7)), "its wake");
    claim_one(&*t, &acme, 7).await?;
    Ok(())
}

async fn commits_move_the_wake(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(50)).await?;
    t.commit(&acme, next(id(1), 1).wake(20)).await?;
    let claim = claim_one(&*t, &acme, 20).await?;
    t.commit(&acme, next(id(1), 2).under(claim.fence).wake(500))
        .await?;
    t.release(&claim).await?;
    same!(
        claim_at(&*t, &acme, 499).await?,
        [],
        "a claim before the new wake"
    );
    let claim = claim_one(&*t, &acme, 500).await?;
    t.commit(&acme, next(id(1), 3).under(claim.fence)).await?;
    same!(
        claim_at(&*t, &acme, 9_000).await?,
        [],
        "a claim without a wake"
    );
    t.commit(&acme, next(id(1), 4).wake(0)).await?;
    same!(
        claim_at(&*t, &acme, 599).await?,
        [],
        "a claim within the old lease"
    );
    claim_one(&*t, &acme, 600).await?;
    Ok(())
}

async fn renew_moves_the_end(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    t.renew(&claim, at(300)).await?;
    same!(
        claim_at(&*t, &acme, 299).await?,
        [],
        "a claim before the new end"
    );
    t.renew(&claim, at(200)).await?;
    let second = claim_one(&*t, &acme, 200).await?;
    if second.fence <= claim.fence {
        return Err(Seen("a renewal used up a fence".to_owned()));
    }
    Ok(())
}

async fn only_the_holder_renews(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let old = claim_one(&*t, &acme, 0).await?;
    let new = claim_one(&*t, &acme, 100).await?;
    let answer = t.renew(&old, at(900)).await;
    same!(
        answer,
        Err(lost(id(1), old.fence)),
        "a renewal of a lost lease"
    );
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(at(200)),
        "the end of the new lease"
    );
    t.release(&new).await?;
    let answer = t.renew(&new, at(900)).await;
    same!(
        answer,
        Err(lost(id(1), new.fence)),
        "a renewal after release"
    );
    t.delete(&acme, id(1), 1, None).await?;
    let answer = t.renew(&new, at(900)).await;
    same!(
        answer,
        Err(StoreError::Unknown(id(1))),
        "a renewal after delete"
    );
    Ok(())
}

async fn release_frees_at_once(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    t.release(&claim).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(at(0)),
        "the wake after release"
    );
    let again = claim_one(&*t, &acme, 1).await?;
    t.release(&again).await?;
    t.release(&again).await?;
    t.delete(&acme, id(1), 1, None).await?;
    t.release(&again).await?;
    Ok(())
}

async fn release_of_a_lost_lease_leaves_the_new_one(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let old = claim_one(&*t, &acme, 0).await?;
    let new = claim_one(&*t, &acme, 100).await?;
    same!(t.release(&old).await, Ok(()), "the release of a lost lease");
    same!(
        claim_at(&*t, &acme, 150).await?,
        [],
        "a claim within the new lease"
    );
    let answer = t.commit(&acme, next(id(1), 1).under(new.fence)).await;
    same!(answer, Ok(()), "a commit of the new holder");
    Ok(())
}

async fn commits_leave_the_lease(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    t.commit(&acme, next(id(1), 1).wake(0)).await?;
    same!(
        claim_at(&*t, &acme, 99).await?,
        [],
        "a claim after a person's commit"
    );
    t.commit(&acme, next(id(1), 2).under(claim.fence).wake(1))
        .await?;
    same!(
        claim_at(&*t, &acme, 99).await?,
        [],
        "a claim after the holder's commit"
    );
    t.renew(&claim, at(300)).await?;
    Ok(())
}

async fn next_wake_is_when_claim_finds(t: Trial) -> Checked {
    let acme = controller(0)?;
    same!(t.next_wake(Some(&acme)).await?, None, "the wake of nothing");
    same!(t.next_wake(None).await?, None, "the wake of nothing at all");
    t.create(&acme, born(id(1))).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        None,
        "the wake without one"
    );
    t.create(&acme, born(id(2)).wake(30)).await?;
    t.create(&acme, born(id(3)).wake(10)).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(at(10)),
        "the earliest"
    );
    let claim = claim_one(&*t, &acme, 10).await?;
    same!(t.next_wake(Some(&acme)).await?, Some(at(30)), "the next");
    let second = claim_one(&*t, &acme, 30).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(at(110)),
        "the first lease's end"
    );
    same!(t.next_wake(None).await?, Some(at(110)), "the same over all");
    t.renew(&claim, at(500)).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(at(130)),
        "the other lease's end"
    );
    let commit = next(id(2), 1).under(second.fence).wake(400);
    t.commit(&acme, commit).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(at(400)),
        "a wake after its lease"
    );
    t.delete(&acme, id(2), 2, None).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(at(500)),
        "what is left"
    );
    t.commit(&acme, next(id(3), 1)).await?;
    same!(
        t.next_wake(Some(&acme)).await?,
        None,
        "a lease with nothing to do"
    );
    Ok(())
}

async fn due_is_exclusive_ordered_and_limited(t: Trial) -> Checked {
    let acme = controller(0)?;
    for (n, due) in [(1, 30), (2, 10), (3, 20)] {
        t.create(&acme, born(id(n)).due(due)).await?;
    }
    t.create(&acme, born(id(4))).await?;
    let of = |list: Vec<Due>| -> Vec<RequestId> { list.iter().map(|due| due.request).collect() };
    let none = of(t.due(&acme, at(10), 9).await?);
    same!(none, [], "due before the first deadline");
    let two = of(t.due(&acme, at(30), 9).await?);
    same!(two, [id(2), id(3)], "due before the last deadline");
    let one = of(t.due(&acme, at(31), 1).await?);
    same!(one, [id(2)], "the first");
    let none = of(t.due(&acme, at(31), 0).await?);
    same!(none, [], "due with limit 0");
    t.commit(&acme, next(id(2), 1).due(40)).await?;
    let all = of(t.due(&acme, at(99), 9).await?);
    same!(all, [id(3), id(1), id(2)], "due after a deadline moved");
    Ok(())
}

async fn closed_requests_are_not_due(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).due(5).closed()).await?;
    t.create(&acme, born(id(2)).due(6)).await?;
    t.commit(&acme, next(id(2), 1).due(6).closed()).await?;
    same!(t.due(&acme, at(99), 9).await?, [], "due of closed requests");
    t.commit(&acme, next(id(2), 2).due(7)).await?;
    let due = [Due {
        request: id(2),
        at: at(7),
    }];
    same!(
        t.due(&acme, at(99), 9).await?,
        due,
        "due of one opened again"
    );
    Ok(())
}

async fn find_is_in_order_of_creation(t: Trial) -> Checked {
    let acme = controller(0)?;
    for n in [9, 3, 7, 1] {
        let commit = born(id(n)).of([person(1), person(1), person(n as u8)]);
        t.create(&acme, commit).await?;
    }
    t.commit(&acme, next(id(9), 1)).await?;
    let all = t.find(&acme, &person(1)).await?;
    same!(
        all,
        [id(9), id(3), id(7), id(1)],
        "the requests of a person"
    );
    same!(t.find(&acme, &person(7)).await?, [id(7)], "another digest");
    same!(t.find(&acme, &person(2)).await?, [], "nobody");
    t.delete(&acme, id(1), 1, None).await?;
    t.delete(&acme, id(3), 1, None).await?;
    t.create(&acme, born(id(2)).of([person(1)])).await?;
    let all = t.find(&acme, &person(1)).await?;
    same!(all, [id(9), id(7), id(2)], "the requests after deletions");
    Ok(())
}

async fn closed_requests_are_not_found(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).of([person(1)])).await?;
    t.create(&acme, born(id(2)).of([person(1)])).await?;
    t.commit(&acme, next(id(1), 1).closed()).await?;
    same!(
        t.find(&acme, &person(1)).await?,
        [id(2)],
        "find after closing"
    );
    t.commit(&acme, next(id(1), 2)).await?;
    let both = [id(1), id(2)];
    same!(
        t.find(&acme, &person(1)).await?,
        both,
        "find after opening again"
    );
    Ok(())
}

async fn open_is_paged_in_order_of_ids(t: Trial) -> Checked {
    let (acme, other) = (controller(0)?, controller(1)?);
    for n in [9, 3, 7, 1, 5] {
        t.create(&acme, born(id(n))).await?;
    }
    t.create(&acme, born(id(4)).closed()).await?;
    t.create(&other, born(id(2))).await?;
    t.commit(&acme, next(id(7), 1).closed()).await?;
    let pages = [
        (None, 2, vec![id(1), id(3)]),
        (Some(3), 2, vec![id(5), id(9)]),
        (Some(9), 2, vec![]),
        (Some(4), usize::MAX, vec![id(5), id(9)]),
        (None, 0, vec![]),
    ];
    for (after, limit, page) in pages {
        let seen = t.open(&acme, after.map(id), limit).await?;
        same!(seen, page, "{limit} open after {after:?}");
    }
    t.commit(&acme, next(id(7), 2)).await?;
    t.delete(&acme, id(9), 1, None).await?;
    let all = t.open(&acme, None, 9).await?;
    same!(
        all,
        [id(1), id(3), id(5), id(7)],
        "open after opening again"
    );
    Ok(())
}

async fn chunks_replace(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(5)).await?;
    let before = t.load(&acme, id(1)).await?;
    let put = async |name, chunk, bytes: &[u8]| {
        t.put_part(&acme, id(1), None, name, chunk, bytes.to_vec())
            .await
    };
    put("a", 0, b"a long one").await?;
    put("a", 1, b"").await?;
    put("a", u32::MAX, b"last").await?;
    put("b", 0, b"b").await?;
    put("a", 0, b"short").await?;
    let read = async |part, chunk| t.read_part(&acme, id(1), part, chunk).await;
    same!(
        read("a", 0).await?,
        Some(b"short".to_vec()),
        "a chunk replaced"
    );
    same!(read("a", 1).await?, Some(vec![]), "an empty chunk");
    same!(
        read("a", u32::MAX).await?,
        Some(b"last".to_vec()),
        "the last chunk"
    );
    same!(read("b", 0).await?, Some(b"b".to_vec()), "another part");
    same!(read("a", 2).await?, None, "a chunk not written");
    same!(read("c", 0).await?, None, "a part not written");
    same!(
        t.load(&acme, id(1)).await?,
        before,
        "the request beside its parts"
    );
    Ok(())
}

async fn parts_are_deleted(t: Trial) -> Checked {
    let acme = controller(0)?;
    for n in [1, 2] {
        t.create(&acme, born(id(n))).await?;
        for (name, chunk) in [("a", 0), ("a", 1), ("b", 0)] {
            t.put_part(&acme, id(n), None, name, chunk, vec![1]).await?;
        }
    }
    let neighbour = image(&*t, &acme, id(2)).await?.parts;
    t.delete_parts(&acme, id(1), None, Some("a")).await?;
    let parts = image(&*t, &acme, id(1)).await?.parts;
    same!(
        parts,
        [None, None, Some(vec![1]), None],
        "the parts after one was deleted"
    );
    t.delete_parts(&acme, id(1), None, Some("a")).await?;
    t.delete_parts(&acme, id(1), None, None).await?;
    t.delete_parts(&acme, id(1), None, None).await?;
    let parts = image(&*t, &acme, id(1)).await?.parts;
    same!(parts, vec![None; 4], "the parts after all were deleted");
    let parts = image(&*t, &acme, id(2)).await?.parts;
    same!(parts, neighbour, "the parts of another request");
    Ok(())
}

async fn parts_belong_to_a_request(t: Trial) -> Checked {
    let acme = controller(0)?;
    let unknown = StoreError::Unknown(id(1));
    let answer = t.put_part(&acme, id(1), None, "a", 0, vec![1]).await;
    same!(answer, Err(unknown.clone()), "a part of an unknown request");
    let answer = t.delete_parts(&acme, id(1), None, None).await;
    same!(
        answer,
        Err(unknown),
        "a delete of parts of an unknown request"
    );
    same!(
        t.read_part(&acme, id(1), "a", 0).await?,
        None,
        "such a part"
    );
    Ok(())
}

async fn a_lost_lease_writes_no_parts(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    let old = claim_one(&*t, &acme, 0).await?;
    t.put_part(&acme, id(1), Some(old.fence), "a", 0, b"old".to_vec())
        .await?;
    let new = claim_one(&*t, &acme, 100).await?;
    t.put_part(&acme, id(1), Some(new.fence), "a", 0, b"new".to_vec())
        .await?;
    let gone = lost(id(1), old.fence);
    let answer = t
        .put_part(&acme, id(1), Some(old.fence), "a", 0, b"late".to_vec())
        .await;
    same!(answer, Err(gone.clone()), "a chunk of the old holder");
    let answer = t.delete_parts(&acme, id(1), Some(old.fence), None).await;
    same!(answer, Err(gone), "a delete of the old holder");
    let kept = t.read_part(&acme, id(1), "a", 0).await?;
    same!(kept, Some(b"new".to_vec()), "the chunk of the new holder");
    t.delete_parts(&acme, id(1), Some(new.fence), None).await?;
    Ok(())
}

async fn shared_and_exclusive(t: Trial) -> Checked {
    let acme = controller(0)?;
    for n in 1..=4 {
        t.create(&acme, born(id(n))).await?;
    }
    let take = async |n, lock| t.commit(&acme, next(id(n), 1).take([lock])).await;
    same!(take(1, shared(1)).await, Ok(()), "a first reader");
    same!(take(2, shared(1)).await, Ok(()), "a second reader");
    match take(3, exclusive(1)).await {
        Err(StoreError::Locked { by }) if by == id(1) || by == id(2) => {}
        other => return Err(Seen(format!("a writer among readers: saw {other:?}"))),
    }
    same!(take(3, exclusive(2)).await, Ok(()), "a first writer");
    let locked = Err(StoreError::Locked { by: id(3) });
    same!(take(4, shared(2)).await, locked, "a reader after a writer");
    same!(take(4, exclusive(2)).await, locked, "a second writer");
    same!(take(4, exclusive(3)).await, Ok(()), "a writer elsewhere");
    let answer = t.create(&acme, born(id(5)).take([shared(2)])).await;
    same!(answer, locked, "a create that reads after a writer");
    Ok(())
}

async fn a_request_never_blocks_itself(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(
        &acme,
        born(id(1)).take([shared(1), shared(1), exclusive(2)]),
    )
    .await?;
    t.create(&acme, born(id(2))).await?;
    let answer = t
        .commit(&acme, next(id(1), 1).take([shared(1), exclusive(2)]))
        .await;
    same!(answer, Ok(()), "taking the same again");
    let answer = t.commit(&acme, next(id(1), 2).take([exclusive(1)])).await;
    same!(answer, Ok(()), "reading, then writing, alone");
    let answer = t.commit(&acme, next(id(1), 3).take([shared(1)])).await;
    same!(answer, Ok(()), "writing, then reading");
    let answer = t.commit(&acme, next(id(2), 1).take([shared(1)])).await;
    let locked = StoreError::Locked { by: id(1) };
    same!(
        answer,
        Err(locked),
        "another reader: an exclusive lock stays one"
    );
    t.commit(&acme, next(id(2), 1).take([shared(3)])).await?;
    t.commit(&acme, next(id(1), 4).take([shared(3)])).await?;
    let answer = t.commit(&acme, next(id(1), 5).take([exclusive(3)])).await;
    let locked = StoreError::Locked { by: id(2) };
    same!(
        answer,
        Err(locked),
        "reading, then writing, beside another reader"
    );
    Ok(())
}

async fn release_frees_only_ones_own(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).take([shared(1), exclusive(2)]))
        .await?;
    t.create(&acme, born(id(2)).take([shared(1)])).await?;
    t.create(&acme, born(id(3))).await?;
    t.commit(&acme, next(id(1), 1).release()).await?;
    let answer = t.commit(&acme, next(id(3), 1).take([exclusive(1)])).await;
    let locked = StoreError::Locked { by: id(2) };
    same!(answer, Err(locked), "a writer beside the reader left");
    let answer = t.commit(&acme, next(id(3), 1).take([exclusive(2)])).await;
    same!(answer, Ok(()), "a writer after release");
    t.commit(&acme, next(id(2), 1).release()).await?;
    t.commit(&acme, next(id(2), 2).release()).await?;
    let answer = t.commit(&acme, next(id(3), 2).take([exclusive(1)])).await;
    same!(answer, Ok(()), "a writer after both released");
    Ok(())
}

async fn locks_outlive_leases_and_closing(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    t.create(&acme, born(id(2))).await?;
    let probe = async |what: &str| {
        let answer = t.commit(&acme, next(id(2), 1).take([shared(1)])).await;
        let locked = Err(StoreError::Locked { by: id(1) });
        same!(answer, locked, "the lock {what}");
        Ok::<_, Seen>(())
    };
    let claim = claim_one(&*t, &acme, 0).await?;
    let commit = next(id(1), 1).under(claim.fence).wake(0);
    t.commit(&acme, commit.take([exclusive(1)])).await?;
    let second = claim_one(&*t, &acme, 100).await?;
    probe("after the lease ran out").await?;
    let commit = next(id(1), 2).under(second.fence).wake(0);
    t.commit(&acme, commit.take([exclusive(1)])).await?;
    t.release(&second).await?;
    probe("after the lease was given back").await?;
    t.commit(&acme, next(id(1), 3).closed()).await?;
    probe("after closing").await?;
    t.commit(&acme, next(id(1), 4).closed().release()).await?;
    t.commit(&acme, next(id(2), 1).take([exclusive(1)])).await?;
    Ok(())
}

async fn delete_frees_locks(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).take([exclusive(1), shared(2)]))
        .await?;
    t.create(&acme, born(id(2)).take([shared(2)])).await?;
    t.delete(&acme, id(1), 1, None).await?;
    let answer = t.create(&acme, born(id(3)).take([exclusive(1)])).await;
    same!(answer, Ok(()), "a lock of a deleted request");
    let answer = t.commit(&acme, next(id(3), 1).take([exclusive(2)])).await;
    let locked = StoreError::Locked { by: id(2) };
    same!(answer, Err(locked), "the lock of the other reader");
    Ok(())
}

async fn delete_leaves_nothing(t: Trial) -> Checked {
    let acme = controller(0)?;
    let empty = image(&*t, &acme, id(1)).await?;
    t.create(&acme, born(id(1)).wake(0).due(9).of([person(1)]))
        .await?;
    t.put_part(&acme, id(1), None, "a", 0, vec![1]).await?;
    t.commit(&acme, next(id(1), 1).wake(0).due(8)).await?;
    t.delete(&acme, id(1), 2, None).await?;
    let after = image(&*t, &acme, id(1)).await?;
    same!(after, empty, "what is left");
    same!(
        claim_at(&*t, &acme, 9_000).await?,
        [],
        "claims of what is left"
    );
    let answer = t.commit(&acme, next(id(1), 2)).await;
    same!(
        answer,
        Err(StoreError::Unknown(id(1))),
        "a commit afterwards"
    );
    let answer = t.delete(&acme, id(1), 2, None).await;
    same!(answer, Err(StoreError::Unknown(id(1))), "a second delete");
    Ok(())
}

async fn delete_is_guarded(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0)).await?;
    t.create(&acme, born(id(2)).due(1).of([person(1)])).await?;
    t.put_part(&acme, id(2), None, "b", 1, vec![1]).await?;
    let neighbour = image(&*t, &acme, id(2)).await?;
    let answer = t.delete(&acme, id(1), 2, None).await;
    same!(
        answer,
        Err(conflict(id(1), 2, 1)),
        "a delete of another version"
    );
    let old = claim_one(&*t, &acme, 0).await?;
    let new = claim_one(&*t, &acme, 100).await?;
    let answer = t.delete(&acme, id(1), 1, Some(old.fence)).await;
    same!(
        answer,
        Err(lost(id(1), old.fence)),
        "a delete of the old holder"
    );
    same!(
        t.load(&acme, id(1)).await?.is_some(),
        true,
        "the request is there"
    );
    t.delete(&acme, id(1), 1, Some(new.fence)).await?;
    let after = image(&*t, &acme, id(2)).await?;
    let wake = after.wake;
    same!(wake, None, "the wake of the neighbour");
    same!(after.loaded, neighbour.loaded, "the neighbour");
    same!(after.parts, neighbour.parts, "the neighbour's parts");
    same!(after.found, neighbour.found, "the neighbour's people");
    Ok(())
}

async fn a_request_can_be_created_again(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(0).due(9).of([person(1)]))
        .await?;
    t.put_part(&acme, id(1), None, "a", 0, vec![1]).await?;
    t.commit(&acme, next(id(1), 1)).await?;
    t.delete(&acme, id(1), 2, None).await?;
    t.create(&acme, born(id(1)).state("again").of([person(2)]))
        .await?;
    let image = image(&*t, &acme, id(1)).await?;
    let loaded = image
        .loaded
        .map(|r| (r.version, r.sequence, r.snapshot.state));
    same!(loaded, Some((1, 1, b"again".to_vec())), "the new request");
    same!(image.history.len(), 1, "its events");
    same!(image.parts, vec![None; 4], "parts of the old one");
    same!(
        image.found,
        [vec![], vec![id(1)], vec![]],
        "people of the old one"
    );
    Ok(())
}

async fn microseconds_are_kept(t: Trial) -> Checked {
    let acme = controller(0)?;
    let wake = at(0) + TimeDelta::microseconds(1);
    let due = at(0) + TimeDelta::microseconds(999_999);
    let mut commit = born(id(1));
    commit.snapshot.wake_at = Some(wake);
    commit.snapshot.due_at = Some(due);
    t.create(&acme, commit.clone()).await?;
    let snapshot = t.load(&acme, id(1)).await?.map(|request| request.snapshot);
    same!(snapshot, Some(commit.snapshot), "instants loaded");
    same!(t.next_wake(Some(&acme)).await?, Some(wake), "next wake");
    same!(
        claim_at(&*t, &acme, 0).await?,
        [],
        "a claim one microsecond early"
    );
    same!(t.due(&acme, due, 9).await?, [], "due at the deadline");
    let after = due + TimeDelta::microseconds(1);
    let list = [Due {
        request: id(1),
        at: due,
    }];
    same!(
        t.due(&acme, after, 9).await?,
        list,
        "due after the deadline"
    );
    let until = wake + TimeDelta::microseconds(5);
    let claims = t.claim(Some(&acme), &worker(), wake, until, 9).await?;
    same!(claims.len(), 1, "claims on the microsecond");
    same!(
        t.next_wake(Some(&acme)).await?,
        Some(until),
        "the lease's end"
    );
    let early = until - TimeDelta::microseconds(1);
    let claims = t.claim(Some(&acme), &worker(), early, until, 9).await?;
    same!(claims, [], "claims one microsecond before the lease's end");
    Ok(())
}

async fn far_instants_are_kept(t: Trial) -> Checked {
    let acme = controller(0)?;
    let year = |n: i64| {
        DateTime::<Utc>::UNIX_EPOCH
            .checked_add_signed(TimeDelta::days(365 * n) + TimeDelta::microseconds(7))
            .ok_or_else(|| Seen("the suite's own instant is wrong".to_owned()))
    };
    // Before 1970, and the year 9000: a legal hold without an end is written like that.
    let (early, late) = (year(-100)?, year(7_030)?);
    let mut commit = born(id(1));
    commit.snapshot.wake_at = Some(late);
    commit.snapshot.due_at = Some(early);
    t.create(&acme, commit.clone()).await?;
    let snapshot = t.load(&acme, id(1)).await?.map(|request| request.snapshot);
    same!(snapshot, Some(commit.snapshot), "far instants");
    let due = t.due(&acme, at(0), 9).await?;
    same!(due.len(), 1, "due before 1970");
    same!(
        claim_at(&*t, &acme, 0).await?,
        [],
        "a claim before the year 9000"
    );
    Ok(())
}

async fn everything_is_there_again(mut t: Trial) -> Checked {
    let acme = controller(0)?;
    if t.fixture.reopen.is_none() {
        return Ok(());
    }
    t.create(&acme, born(id(1)).wake(0).due(9).of([person(1)]))
        .await?;
    t.create(&acme, born(id(2))).await?;
    let claim = claim_one(&*t, &acme, 0).await?;
    let commit = next(id(1), 1).under(claim.fence).wake(3).due(8);
    t.commit(&acme, commit.take([exclusive(1), shared(2)]))
        .await?;
    let part: Vec<u8> = (0..100_000).map(|n| n as u8).collect();
    t.put_part(&acme, id(1), Some(claim.fence), "a", 1, part)
        .await?;
    let before = image(&*t, &acme, id(1)).await?;
    t.reopen().await?;
    let after = image(&*t, &acme, id(1)).await?;
    if after != before {
        return Err(Seen("a request came back otherwise".to_owned()));
    }
    same!(
        claim_at(&*t, &acme, 99).await?,
        [],
        "a claim within the old lease"
    );
    let answer = t.commit(&acme, next(id(2), 1).take([shared(1)])).await;
    let locked = StoreError::Locked { by: id(1) };
    same!(answer, Err(locked), "a lock from before");
    t.commit(&acme, next(id(1), 2).under(claim.fence).wake(3))
        .await?;
    let second = claim_one(&*t, &acme, 100).await?;
    if second.fence <= claim.fence {
        return Err(Seen("fences began anew".to_owned()));
    }
    t.delete(&acme, id(1), 3, Some(second.fence)).await?;
    t.reopen().await?;
    same!(t.load(&acme, id(1)).await?, None, "a deleted request");
    t.create(&acme, born(id(1)).wake(0)).await?;
    let third = claim_one(&*t, &acme, 0).await?;
    if third.fence <= second.fence {
        return Err(Seen("fences of a deleted request began anew".to_owned()));
    }
    Ok(())
}
