//! Checks of `due`, `find` and `open`.

use crate::model::RequestId;
use crate::ports::{Counted, Due, Mark};

use super::super::contract::Checked;
use super::sample::{Tweak as _, at, born, controller, id, next, person};
use super::{Trial, same};

pub(super) async fn due_is_exclusive_ordered_and_limited(t: Trial) -> Checked {
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

pub(super) async fn closed_requests_are_not_due(t: Trial) -> Checked {
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

pub(super) async fn find_is_in_order_of_creation(t: Trial) -> Checked {
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

pub(super) async fn closed_requests_are_not_found(t: Trial) -> Checked {
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

pub(super) async fn open_is_paged_in_order_of_ids(t: Trial) -> Checked {
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

pub(super) async fn marked_is_paged_in_order_of_ids(t: Trial) -> Checked {
    let (acme, other) = (controller(0)?, controller(1)?);
    for n in [9, 3, 7, 1, 5] {
        t.create(&acme, born(id(n)).marked(Mark::Aside)).await?;
    }
    t.create(&acme, born(id(2))).await?;
    t.create(&acme, born(id(4)).marked(Mark::Retrying)).await?;
    let closed = born(id(6)).closed().marked(Mark::Aside);
    t.create(&acme, closed).await?;
    t.create(&other, born(id(8)).marked(Mark::Aside)).await?;
    t.commit(&acme, next(id(7), 1)).await?;
    let pages = [
        (None, 2, vec![id(1), id(3)]),
        (Some(3), 2, vec![id(5), id(6)]),
        (Some(9), 2, vec![]),
        (Some(4), usize::MAX, vec![id(5), id(6), id(9)]),
        (None, 0, vec![]),
    ];
    for (after, limit, page) in pages {
        let seen = t.marked(&acme, Mark::Aside, after.map(id), limit);
        same!(seen.await?, page, "{limit} set aside after {after:?}");
    }
    t.commit(&acme, next(id(4), 1).marked(Mark::Aside)).await?;
    let seen = t.marked(&acme, Mark::Retrying, None, 9).await?;
    same!(seen, [], "retrying after another mark");
    let seen = t.load(&acme, id(4)).await?.map(|seen| seen.snapshot.mark);
    same!(seen, Some(Some(Mark::Aside)), "the mark as it is loaded");
    t.delete(&acme, id(9), 1, None).await?;
    let all = t.marked(&acme, Mark::Aside, None, 9).await?;
    let right = [id(1), id(3), id(4), id(5), id(6)];
    same!(all, right, "set aside after a delete");
    Ok(())
}

pub(super) async fn counts_are_those_of_the_lists(t: Trial) -> Checked {
    let (acme, other) = (controller(0)?, controller(1)?);
    let due = |seconds| Counted::DueBefore(at(seconds));
    let (retrying, aside) = (
        Counted::Marked(Mark::Retrying),
        Counted::Marked(Mark::Aside),
    );
    let all = [Counted::Open, due(20), due(21), retrying, aside];
    for what in all {
        same!(t.count(&acme, what).await?, 0, "{what:?} of none");
    }
    t.create(&acme, born(id(1)).due(10)).await?;
    t.create(&acme, born(id(2)).due(20).marked(Mark::Aside))
        .await?;
    t.create(&acme, born(id(3)).marked(Mark::Retrying)).await?;
    let closed = born(id(4)).due(5).closed().marked(Mark::Aside);
    t.create(&acme, closed).await?;
    let theirs = born(id(5)).due(10).marked(Mark::Retrying);
    t.create(&other, theirs).await?;
    for (what, right) in all.into_iter().zip([3, 1, 2, 1, 2]) {
        same!(t.count(&acme, what).await?, right, "{what:?}");
    }
    t.commit(&acme, next(id(2), 1).closed()).await?;
    t.delete(&acme, id(3), 1, None).await?;
    for (what, right) in all.into_iter().zip([1, 1, 1, 0, 1]) {
        same!(t.count(&acme, what).await?, right, "{what:?}, later");
    }
    Ok(())
}
