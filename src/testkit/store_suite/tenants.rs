//! Checks that controllers do not see one another.

use crate::model::{ControllerId, RequestId};
use crate::ports::{Claim, StoreError};

use super::super::contract::{Checked, Seen};
use super::sample::{
    Tweak as _, at, born, claim_at, claim_one, controller, exclusive, id, image, next, person,
    requests, shared, worker,
};
use super::{Trial, same};

pub(super) async fn the_same_id_twice_is_two_requests(t: Trial) -> Checked {
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

pub(super) async fn nothing_is_changed_under_another_controller(t: Trial) -> Checked {
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

pub(super) async fn indexes_are_separate(t: Trial) -> Checked {
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

pub(super) async fn locks_are_separate(t: Trial) -> Checked {
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
