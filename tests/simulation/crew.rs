//! Many tasks on one thread, whose turns chance gives; time passes when nobody can go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Wake, Waker};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use datarights::ports::Clock;
use datarights::testkit::TestClock;
use futures::future::BoxFuture;

use crate::storm::Chance;

/// A worker's own clock: it goes with the true one, and shows another time.
#[derive(Clone)]
pub(crate) struct Skewed {
    base: TestClock,
    seconds: Arc<AtomicI64>,
}

impl Skewed {
    pub(crate) fn new(base: &TestClock) -> Self {
        Self {
            base: base.clone(),
            seconds: Arc::default(),
        }
    }

    /// The clock is corrected, or goes wrong.
    pub(crate) fn set(&self, seconds: i64) {
        self.seconds.store(seconds, Ordering::SeqCst);
    }

    fn skew(&self) -> TimeDelta {
        TimeDelta::seconds(self.seconds.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Clock for Skewed {
    fn now(&self) -> DateTime<Utc> {
        self.base.now() + self.skew()
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        while self.now() < instant {
            self.base.sleep_until(instant - self.skew()).await;
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

struct Task {
    work: BoxFuture<'static, ()>,
    woken: Arc<Woken>,
}

/// Tasks that take turns.
pub(crate) struct Crew {
    clock: TestClock,
    chance: Chance,
    tasks: Vec<Task>,
}

impl Crew {
    pub(crate) fn new(clock: &TestClock, chance: &Chance) -> Self {
        Self {
            clock: clock.clone(),
            chance: chance.clone(),
            tasks: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, work: BoxFuture<'static, ()>) {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.tasks.push(Task { work, woken });
    }

    /// Gives turns until `over`, which is asked whenever nobody can go on at once. `false` when time
    /// passes `until`, or nobody will ever go on.
    pub(crate) fn run(&mut self, until: DateTime<Utc>, over: impl Fn() -> bool) -> bool {
        loop {
            let ready: Vec<usize> = (0..self.tasks.len())
                .filter(|n| self.tasks[*n].woken.0.load(Ordering::Acquire))
                .collect();
            if ready.is_empty() {
                if over() {
                    return true;
                }
                match self.clock.next_wake_after(self.clock.now()) {
                    Some(next) if next <= until => self.clock.set(next),
                    _ => return false,
                }
                continue;
            }
            let number = self.chance.pick(&ready);
            let task = &mut self.tasks[number];
            task.woken.0.store(false, Ordering::Release);
            let waker = Waker::from(Arc::clone(&task.woken));
            let turn = task.work.as_mut().poll(&mut Context::from_waker(&waker));
            if turn.is_ready() {
                drop(self.tasks.swap_remove(number));
            }
        }
    }
}
