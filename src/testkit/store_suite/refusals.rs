//! Checks of what is refused as malformed, and which of several errors is told.

use crate::ports::{
    Commit, Fence, MAX_CHUNK_BYTES, MAX_EVENT_BYTES, MAX_PART_NAME_BYTES, StoreError,
};

use super::super::contract::{Checked, Seen};
use super::sample::{
    Tweak as _, born, claim_one, conflict, controller, event, exclusive, id, lost, malformed, next,
    part, person,
};
use super::{Trial, same};

pub(super) async fn sequences_have_no_gaps(t: Trial) -> Checked {
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

pub(super) async fn large_events_are_refused(t: Trial) -> Checked {
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

pub(super) async fn create_begins_a_request(t: Trial) -> Checked {
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

pub(super) async fn only_create_names_people_and_parts(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1))).await?;
    let answer = t.commit(&acme, next(id(1), 1).of([person(1)])).await;
    malformed(answer, "people in a commit")?;
    let commit = next(id(1), 1).with([part("a", 0, b"x")]);
    malformed(t.commit(&acme, commit).await, "parts in a commit")
}

pub(super) async fn large_chunks_and_bad_names_are_refused(t: Trial) -> Checked {
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

pub(super) async fn the_first_error_is_told(t: Trial) -> Checked {
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
