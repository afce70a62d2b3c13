//! Checks with many threads at once, over every handle the fixture has.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::model::RequestId;
use crate::ports::StoreError;

use super::super::contract::{Checked, Seen};
use super::sample::{Tweak as _, at, born, controller, event, exclusive, id, next, worker};
use super::{Store, Trial, same};

const RACERS: usize = 8;

/// Starts the same work on many threads at once, and collects what they answer.
fn race<T: Send + 'static>(
    trial: &Trial,
    work: impl Fn(Store, usize) -> BoxFuture<'static, T> + Send + Sync,
) -> Vec<T> {
    let handles: Vec<&Store> = std::iter::once(&trial.fixture.store)
        .chain(&trial.fixture.others)
        .collect();
    let answers = Arc::new(Mutex::new(Vec::new()));
    let start = Barrier::new(RACERS);
    std::thread::scope(|scope| {
        for racer in 0..RACERS {
            let store = Arc::clone(handles[racer % handles.len()]);
            let answers = Arc::clone(&answers);
            let (start, work, runner) = (&start, &work, &trial.runner);
            scope.spawn(move || {
                start.wait();
                let work = work(store, racer).map(move |answer| {
                    answers
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(answer);
                });
                runner(work.boxed());
            });
        }
    });
    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *answers)
}

pub(super) async fn one_commit_of_a_version_wins(t: Trial) -> Checked {
    let acme = controller(0)?;
    t.create(&acme, born(id(1))).await?;
    for version in 1..=5 {
        let of = acme.clone();
        let answers = race(&t, |store, racer| {
            let of = of.clone();
            async move {
                let commit = next(id(1), version).state(&format!("racer {racer}"));
                store.commit(&of, commit).await
            }
            .boxed()
        });
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        same!(won, 1, "commits of version {version} that won");
        for answer in answers.into_iter().filter_map(Result::err) {
            let conflict = StoreError::Conflict {
                request: id(1),
                expected: version,
                actual: version + 1,
            };
            same!(answer, conflict, "a commit that lost");
        }
        let history = t.history(&acme, id(1), 0, usize::MAX).await?;
        same!(history.len() as u64, version + 1, "events after a race");
    }
    Ok(())
}

pub(super) async fn one_create_of_an_id_wins(t: Trial) -> Checked {
    let acme = controller(0)?;
    let of = acme.clone();
    let answers = race(&t, |store, racer| {
        let of = of.clone();
        let name = format!("racer {racer}");
        async move {
            let commit = born(id(1))
                .state(&name)
                .events(vec![event(1, name.as_bytes())]);
            store.create(&of, commit).await.map(|()| name)
        }
        .boxed()
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    same!(won.len(), 1, "creates that won");
    for answer in lost.into_iter().filter_map(Result::err) {
        same!(answer, StoreError::Exists(id(1)), "a create that lost");
    }
    let loaded = t.load(&acme, id(1)).await?;
    let state = loaded.map(|request| request.snapshot.state);
    let winner = won.into_iter().find_map(Result::ok).map(String::into_bytes);
    same!(state, winner, "the state stored");
    Ok(())
}

pub(super) async fn each_request_is_claimed_once(t: Trial) -> Checked {
    let controllers = [controller(0)?, controller(1)?];
    for n in 0..40_u8 {
        let of = &controllers[usize::from(n % 2)];
        t.create(of, born(id(n.into())).wake(i64::from(n))).await?;
    }
    let answers = race(&t, |store, _| {
        async move {
            let mut claims = Vec::new();
            // One that gives what is leased already would give for ever.
            for _ in 0..40 {
                let more = store.claim(None, &worker(), at(100), at(200), 3).await?;
                if more.is_empty() {
                    break;
                }
                claims.extend(more);
            }
            Ok::<_, StoreError>(claims)
        }
        .boxed()
    });
    let mut claims = Vec::new();
    for answer in answers {
        claims.extend(answer?);
    }
    let requests: BTreeSet<RequestId> = claims.iter().map(|claim| claim.request).collect();
    same!(claims.len(), 40, "claims of 40 requests");
    same!(requests.len(), 40, "requests claimed of 40");
    Ok(())
}

pub(super) async fn one_writer_gets_a_lock(t: Trial) -> Checked {
    let acme = controller(0)?;
    for n in 0..RACERS {
        t.create(&acme, born(id(n as u128))).await?;
    }
    // More than once: a store may have to warm up before its racers meet.
    let mut versions = [1; RACERS];
    for _ in 0..5 {
        let of = acme.clone();
        let answers = race(&t, |store, racer| {
            let of = of.clone();
            let request = id(racer as u128);
            let commit = next(request, versions[racer]).take([exclusive(1), exclusive(2)]);
            async move { (racer, store.commit(&of, commit).await) }.boxed()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, a)| a.is_ok());
        let [(holder, _)] = won[..] else {
            let holders: Vec<usize> = won.iter().map(|(racer, _)| *racer).collect();
            return Err(Seen(format!("{holders:?} hold one exclusive lock")));
        };
        let by = id(holder as u128);
        for answer in lost.into_iter().filter_map(|(_, answer)| answer.err()) {
            same!(answer, StoreError::Locked { by }, "a take that lost");
        }
        t.commit(&acme, next(by, versions[holder] + 1).release())
            .await?;
        versions[holder] += 2;
    }
    Ok(())
}
