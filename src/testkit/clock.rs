//! A clock that stands still until a test moves it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::Clock;

/// Virtual time. Clones share it. Needs no runtime; sleepers may be dropped at any time.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use datarights::ports::Clock;
/// use datarights::testkit::TestClock;
///
/// let clock = TestClock::at(DateTime::UNIX_EPOCH);
/// let day = DateTime::UNIX_EPOCH + TimeDelta::days(1);
/// assert!(clock.drive(clock.sleep_until(day)).is_ok()); // a day passes, at once
/// assert_eq!(clock.now(), day);
/// ```
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Time>>);

struct Time {
    now: DateTime<Utc>,
    next_id: u64,
    /// Who sleeps until when; the id tells apart those that wake together.
    sleepers: BTreeMap<(DateTime<Utc>, u64), Waker>,
}

/// What is driven waits for something else than the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the future waits, and nothing sleeps on the clock that could wake it")]
pub struct Stuck;

impl TestClock {
    /// A clock that shows this instant.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Time {
            now,
            next_id: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the time, backwards too, and wakes everybody whose instant has come.
    pub fn set(&self, now: DateTime<Utc>) {
        let woken: Vec<Waker> = {
            let mut time = self.time();
            time.now = now;
            time.sleepers
                .range(..=(now, u64::MAX))
                .map(|(_, waker)| waker.clone())
                .collect()
        };
        // Outside the lock: a waker may poll at once.
        woken.into_iter().for_each(Waker::wake);
    }

    /// Lets time pass. An end beyond what `DateTime` holds leaves the time as it is.
    pub fn advance(&self, by: TimeDelta) {
        let then = self.time().now.checked_add_signed(by);
        if let Some(then) = then {
            self.set(then);
        }
    }

    /// The instant of the next sleeper, or `None` when nobody sleeps.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.time().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// The first instant after `then` at which somebody wakes.
    pub fn next_wake_after(&self, then: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let time = self.time();
        let mut later = time.sleepers.range((then, u64::MAX)..);
        later.next().map(|((at, _), _)| *at)
    }

    /// Steps to the next sleeper and says where time is then; `None` when nobody sleeps.
    pub fn advance_to_next(&self) -> Option<DateTime<Utc>> {
        let next = self.next_wake()?.max(self.now());
        self.set(next);
        Some(next)
    }

    /// How many sleep.
    pub fn sleepers(&self) -> usize {
        self.time().sleepers.len()
    }

    /// Runs a future to its end on this thread and steps the clock whenever nothing else can go
    /// on. For futures that wait for this clock and for each other only: one that waits for
    /// another thread would see time run away.
    ///
    /// # Errors
    /// [`Stuck`] when the future waits and nobody sleeps. The future is dropped.
    pub fn drive<F: Future>(&self, future: F) -> Result<F::Output, Stuck> {
        let flag = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if flag.0.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return Ok(output);
                }
            } else if self.advance_to_next().is_none() {
                return Err(Stuck);
            }
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.time().now
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        let id = {
            let mut time = self.time();
            time.next_id += 1;
            time.next_id
        };
        Sleep {
            clock: self.clone(),
            key: (instant, id),
        }
        .await;
    }
}

/// One sleeper; takes itself off the list when it wakes or is dropped.
struct Sleep {
    clock: TestClock,
    key: (DateTime<Utc>, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut time = self.clock.time();
        if time.now >= self.key.0 {
            return Poll::Ready(());
        }
        time.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // Taken out of the lock before it is dropped: dropping a waker may drop a task.
        let _waker = self.clock.time().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn hour(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(n)
    }

    #[test]
    fn sleepers_wake_in_order_and_time_steps_from_one_to_the_next() {
        let clock = TestClock::at(hour(0));
        let order = Mutex::new(Vec::new());
        let nap = |n| {
            let (clock, order) = (&clock, &order);
            async move {
                clock.sleep_until(hour(n)).await;
                order.lock().unwrap().push((n, clock.now()));
            }
        };
        clock
            .drive(futures::future::join3(nap(3), nap(1), nap(2)))
            .unwrap();
        assert_eq!(
            *order.lock().unwrap(),
            [(1, hour(1)), (2, hour(2)), (3, hour(3))]
        );
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn a_dropped_sleeper_leaves_nothing_behind() {
        let clock = TestClock::at(hour(0));
        let mut sleep = clock.sleep_until(hour(9));
        assert!((&mut sleep).now_or_never().is_none());
        assert_eq!(clock.next_wake(), Some(hour(9)));
        assert_eq!(clock.next_wake_after(hour(8)), Some(hour(9)));
        assert_eq!(clock.next_wake_after(hour(9)), None);
        drop(sleep);
        assert_eq!(clock.next_wake(), None);
        assert_eq!(clock.advance_to_next(), None);
    }

    #[test]
    fn an_instant_that_has_come_does_not_sleep() {
        let clock = TestClock::at(hour(5));
        assert!(clock.sleep_until(hour(5)).now_or_never().is_some());
        clock.set(hour(1)); // clocks are corrected
        assert!(clock.sleep_until(hour(5)).now_or_never().is_none());
    }

    #[test]
    fn what_waits_for_nothing_is_told() {
        let clock = TestClock::at(hour(0));
        assert_eq!(clock.drive(std::future::pending::<()>()), Err(Stuck));
    }
}
