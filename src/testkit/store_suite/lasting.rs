//! Checks of what goes with a delete, and what is there again.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::{Due, StoreError};

use super::super::contract::{Checked, Seen};
use super::sample::{
    Tweak as _, at, born, claim_at, claim_one, conflict, controller, exclusive, id, image, lost,
    next, person, shared, worker,
};
use super::{Trial, same};

pub(super) async fn delete_leaves_nothing(t: Trial) -> Checked {
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

pub(super) async fn delete_is_guarded(t: Trial) -> Checked {
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

pub(super) async fn a_request_can_be_created_again(t: Trial) -> Checked {
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

pub(super) async fn microseconds_are_kept(t: Trial) -> Checked {
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

pub(super) async fn far_instants_are_kept(t: Trial) -> Checked {
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

pub(super) async fn everything_is_there_again(mut t: Trial) -> Checked {
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
