//! Checks a clock, line by line, against the contract of [`Clock`].

use std::task::Poll;

use chrono::TimeDelta;
use futures::future::poll_fn;

use super::contract::{Checked, Report, Violations, ensure, lines};
use crate::ports::Clock;

lines! {
    /// The lines of the contract of [`Clock`].
    ClockLine {
        GoesOn = "`now` does not go back",
        Sleeps = "`sleep_until` returns once `now` is at or after the instant",
        AtOnce = "`sleep_until` an instant that has come returns at once",
        Droppable = "`sleep_until` is safe to drop while waiting",
    }
}

/// Checks a clock. It sleeps for `step`, three times: a few milliseconds on a real clock, anything
/// on one that is driven.
///
/// Not checked: that a clock is right.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use datarights::testkit::{TestClock, clock_suite};
///
/// let clock = TestClock::at(DateTime::UNIX_EPOCH);
/// let checked = clock.drive(clock_suite::check(&clock, TimeDelta::days(1)));
/// assert_eq!(checked, Ok(Ok(())));
/// ```
///
/// # Errors
/// The lines that it breaks.
pub async fn check(clock: &dyn Clock, step: TimeDelta) -> Result<(), Violations<ClockLine>> {
    let mut report = Report::new();
    report.run(ClockLine::GoesOn, goes_on(clock)).await;
    report.run(ClockLine::AtOnce, at_once(clock, step)).await;
    report.run(ClockLine::Sleeps, sleeps(clock, step)).await;
    report
        .run(ClockLine::Droppable, droppable(clock, step))
        .await;
    report.end()
}

async fn goes_on(clock: &dyn Clock) -> Checked {
    let mut last = clock.now();
    for _ in 0..1_000 {
        let now = clock.now();
        ensure!(now >= last, "it went back");
        last = now;
    }
    Ok(())
}

/// Whether a sleep is over when it is looked at for the first time.
async fn over(clock: &dyn Clock, at: chrono::DateTime<chrono::Utc>) -> bool {
    let mut sleep = clock.sleep_until(at);
    poll_fn(|task| Poll::Ready(sleep.as_mut().poll(task).is_ready())).await
}

async fn at_once(clock: &dyn Clock, step: TimeDelta) -> Checked {
    let now = clock.now();
    ensure!(over(clock, now).await, "it waits for the present");
    ensure!(over(clock, now - step).await, "it waits for the past");
    Ok(())
}

async fn sleeps(clock: &dyn Clock, step: TimeDelta) -> Checked {
    for _ in 0..2 {
        let then = clock.now() + step;
        clock.sleep_until(then).await;
        ensure!(clock.now() >= then, "it returned too early");
    }
    Ok(())
}

async fn droppable(clock: &dyn Clock, step: TimeDelta) -> Checked {
    let then = clock.now() + step;
    ensure!(!over(clock, then + step).await, "it does not wait");
    clock.sleep_until(then).await;
    ensure!(
        clock.now() >= then,
        "after a sleep that was dropped, the next one returned too early"
    );
    Ok(())
}
