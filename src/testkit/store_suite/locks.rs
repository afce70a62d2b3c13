//! Checks of locks.

use crate::ports::StoreError;

use super::super::contract::{Checked, Seen};
use super::sample::{Tweak as _, born, claim_one, controller, exclusive, id, next, shared};
use super::{Trial, same};

pub(super) async fn shared_and_exclusive(t: Trial) -> Checked {
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

pub(super) async fn a_request_never_blocks_itself(t: Trial) -> Checked {
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

pub(super) async fn release_frees_only_ones_own(t: Trial) -> Checked {
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

pub(super) async fn locks_outlive_leases_and_closing(t: Trial) -> Checked {
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

pub(super) async fn delete_frees_locks(t: Trial) -> Checked {
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
