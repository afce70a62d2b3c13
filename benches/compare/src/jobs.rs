//! Jobs of as many steps, none of which does anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use underway::{Job, To};
use underway_sqlx::postgres::PgPoolOptions;

use crate::{MANY, Turn, WORKERS};

/// What a step hands to the next one: as large as the state of a request.
#[derive(Clone, Serialize, Deserialize)]
struct State {
    request: usize,
    state: String,
}

pub(crate) async fn turn(database: &str, steps: usize) -> Turn {
    let connections = PgPoolOptions::new().max_connections(WORKERS as u32);
    let pool = connections.connect(database).await.unwrap();
    underway::run_migrations(&pool).await.unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    // What was written by the intake is written by `enqueue`.
    let mut job = Job::<State, ()>::builder().step(|_, state: State| async { To::next(state) });
    for _ in 2..steps.saturating_sub(1) {
        job = job.step(|_, state: State| async { To::next(state) });
    }
    let count = Arc::clone(&done);
    let job = job.step(move |_, _: State| {
        let count = Arc::clone(&count);
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            To::done()
        }
    });
    let job = job.name("compare").pool(pool).build().await.unwrap();
    let job = Arc::new(job);

    let begin = Instant::now();
    let askers = (0..WORKERS).map(|first| {
        let job = Arc::clone(&job);
        tokio::spawn(async move {
            for request in (first..MANY).step_by(WORKERS) {
                let state = "x".repeat(2_048);
                job.enqueue(&State { request, state }).await.unwrap();
            }
        })
    });
    let askers: Vec<_> = askers.collect();
    // One look after the other, without waiting to be told: the fastest way that it offers.
    let workers = (0..WORKERS).map(|_| {
        let (worker, done) = (job.worker(), Arc::clone(&done));
        tokio::spawn(async move {
            while done.load(Ordering::Relaxed) < MANY {
                if worker.process_next_task().await.unwrap().is_none() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                assert!(begin.elapsed() < Duration::from_secs(60), "they do not end");
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    for task in askers.into_iter().chain(workers) {
        task.await.unwrap();
    }
    Turn {
        seconds: begin.elapsed().as_secs_f64(),
        steps: steps as f64,
    }
}
