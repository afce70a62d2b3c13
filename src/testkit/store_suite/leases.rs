//! Checks of `claim`, `renew` and `release`: who may write, and when somebody is needed.

use crate::ports::{Fence, StoreError};

use super::super::contract::{Checked, Seen};
use super::sample::{
    Tweak as _, at, born, claim_at, claim_one, conflict, controller, id, lost, next, requests,
    worker,
};
use super::{Trial, same};

pub(super) async fn the_newest_fence_writes(t: Trial) -> Checked {
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

pub(super) async fn an_older_fence_is_refused(t: Trial) -> Checked {
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

pub(super) async fn a_fence_given_back_is_refused(t: Trial) -> Checked {
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

pub(super) async fn a_fence_never_given_is_refused(t: Trial) -> Checked {
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

pub(super) async fn a_lease_that_ran_out_still_writes(t: Trial) -> Checked {
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

pub(super) async fn claim_is_inclusive_ordered_and_limited(t: Trial) -> Checked {
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

pub(super) async fn a_lease_excludes_until_it_ends(t: Trial) -> Checked {
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

pub(super) async fn fences_grow(t: Trial) -> Checked {
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

pub(super) async fn a_new_request_of_an_old_id_gets_a_larger_fence(t: Trial) -> Checked {
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

pub(super) async fn one_that_ran_out_queues_behind(t: Trial) -> Checked {
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

pub(super) async fn closed_requests_wake_too(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1)).wake(7).closed()).await?;
    same!(t.next_wake(Some(&acme)).await?, Some(at(7)), "its wake");
    claim_one(&*t, &acme, 7).await?;
    Ok(())
}

pub(super) async fn commits_move_the_wake(t: Trial) -> Checked {
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

pub(super) async fn renew_moves_the_end(t: Trial) -> Checked {
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

pub(super) async fn only_the_holder_renews(t: Trial) -> Checked {
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

pub(super) async fn release_frees_at_once(t: Trial) -> Checked {
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

pub(super) async fn release_of_a_lost_lease_leaves_the_new_one(t: Trial) -> Checked {
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

pub(super) async fn commits_leave_the_lease(t: Trial) -> Checked {
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

pub(super) async fn next_wake_is_when_claim_finds(t: Trial) -> Checked {
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
