//! Checks of parts.

use crate::ports::StoreError;

use super::super::contract::Checked;
use super::sample::{Tweak as _, born, claim_one, controller, id, image, lost};
use super::{Trial, same};

pub(super) async fn chunks_replace(t: Trial) -> Checked {
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

pub(super) async fn parts_are_deleted(t: Trial) -> Checked {
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

pub(super) async fn parts_belong_to_a_request(t: Trial) -> Checked {
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

pub(super) async fn a_lost_lease_writes_no_parts(t: Trial) -> Checked {
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
