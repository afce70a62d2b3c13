//! Clocks, randomness and policies through their suites, and faults that these find.
#![cfg(all(feature = "testkit", feature = "tokio"))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::{SystemClock, SystemEntropy};
use datarights::model::Actor;
use datarights::ports::{AccessPolicy, Clock, Denied, Entropy, Grant, Query};
use datarights::testkit::{
    ClockLine, PolicyLine, SeededEntropy, TestClock, clock_suite, entropy_suite, policy_suite,
};

#[tokio::test]
async fn the_clocks_conform() {
    let system = clock_suite::check(&SystemClock, TimeDelta::milliseconds(5));
    assert_eq!(system.await, Ok(()));
    let test = TestClock::at(DateTime::UNIX_EPOCH);
    let driven = test.drive(clock_suite::check(&test, TimeDelta::days(1)));
    assert_eq!(driven, Ok(Ok(())));
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum WrongClock {
    GoesBack,
    WakesEarly,
    WaitsForThePast,
    NeverWaits,
    WakesAllAtADrop,
}

struct ClockMutant {
    inner: TestClock,
    wrong: WrongClock,
    asked: AtomicI64,
}

struct Dropped<'a>(&'a ClockMutant);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for ClockMutant {
    fn now(&self) -> DateTime<Utc> {
        let back = match self.wrong {
            WrongClock::GoesBack => self.asked.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        self.inner.now() - TimeDelta::seconds(back)
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        match self.wrong {
            WrongClock::WakesEarly => {
                self.inner.sleep_until(instant - TimeDelta::hours(1)).await;
            }
            WrongClock::WaitsForThePast => {
                let soon = self.inner.now() + TimeDelta::seconds(1);
                self.inner.sleep_until(instant.max(soon)).await;
            }
            WrongClock::NeverWaits => {}
            // A sleep that was dropped leaves a word behind by which the next one wakes.
            WrongClock::WakesAllAtADrop if self.asked.swap(0, Ordering::Relaxed) > 0 => {}
            WrongClock::WakesAllAtADrop => {
                let note = Dropped(self);
                self.inner.sleep_until(instant).await;
                std::mem::forget(note);
            }
            WrongClock::GoesBack => self.inner.sleep_until(instant).await,
        }
    }
}

#[test]
fn the_suite_finds_every_clock_mutant() {
    for (wrong, line) in [
        (WrongClock::GoesBack, ClockLine::GoesOn),
        (WrongClock::WakesEarly, ClockLine::Sleeps),
        (WrongClock::WaitsForThePast, ClockLine::AtOnce),
        (WrongClock::NeverWaits, ClockLine::Sleeps),
        (WrongClock::WakesAllAtADrop, ClockLine::Droppable),
    ] {
        let mutant = ClockMutant {
            inner: TestClock::at(DateTime::UNIX_EPOCH),
            wrong,
            asked: AtomicI64::new(0),
        };
        let checked = mutant
            .inner
            .drive(clock_suite::check(&mutant, TimeDelta::days(1)));
        let broken = checked.unwrap().expect_err(&format!("{wrong:?} passes"));
        assert!(broken.has(line), "{wrong:?} breaks {:?}", broken.lines());
    }
}

struct Row(AtomicU64, fn(u64) -> u64);

impl Entropy for Row {
    fn next(&self) -> u64 {
        self.1(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn the_randomness_conforms_and_its_mutants_do_not() {
    for seed in 0..32 {
        let checked = entropy_suite::check(&SeededEntropy::new(seed));
        assert_eq!(checked, Ok(()), "seed {seed}");
    }
    assert_eq!(entropy_suite::check(&SystemEntropy::new().unwrap()), Ok(()));
    let mixed = |n| SeededEntropy::new(n).next();
    type Next = fn(u64) -> u64;
    let mutants: [(&str, Next); 5] = [
        ("sticks", |_| 4),
        ("counts", |n| n),
        ("begins anew", |n| SeededEntropy::new(n % 1_000).next()),
        ("has 63 bits", |n| SeededEntropy::new(n).next() >> 1),
        ("alternates", |n| {
            let half = SeededEntropy::new(n / 2).next();
            if n % 2 == 0 { half } else { !half }
        }),
    ];
    assert_eq!(entropy_suite::check(&Row(AtomicU64::new(0), mixed)), Ok(()));
    for (what, mutant) in mutants {
        let checked = entropy_suite::check(&Row(AtomicU64::new(0), mutant));
        assert!(checked.is_err(), "one that {what} passes");
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum WrongPolicy {
    Nothing,
    TrustsStaff,
    TrustsProcessors,
    TrustsThePerson,
    TrustsAgents,
    NamesTheActor,
    ChangesItsMind,
}

struct Roles(WrongPolicy, AtomicU64);

#[async_trait]
impl AccessPolicy for Roles {
    async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
        let known = matches!(query.command, "submit" | "view" | "withdraw" | "package");
        let allowed = match query.actor {
            Actor::Staff(who) => {
                who.as_str().starts_with("officer-") || self.0 == WrongPolicy::TrustsStaff
            }
            Actor::Person => known || self.0 == WrongPolicy::TrustsThePerson,
            Actor::Agent(_) => known || self.0 == WrongPolicy::TrustsAgents,
            Actor::Processor(_) => self.0 == WrongPolicy::TrustsProcessors,
            Actor::Host | Actor::Engine => true,
            _ => false,
        };
        let calls = self.1.fetch_add(1, Ordering::Relaxed);
        let changed = self.0 == WrongPolicy::ChangesItsMind && calls % 2 == 1;
        if allowed && !changed {
            return Ok(Grant::agreed());
        }
        let command = match self.0 {
            WrongPolicy::NamesTheActor => format!("{:?}", query.actor),
            _ => query.command.to_owned(),
        };
        Err(Denied { command })
    }
}

#[tokio::test]
async fn a_policy_conforms_and_its_mutants_do_not() {
    let policy = |wrong| Roles(wrong, AtomicU64::new(0));
    policy_suite::assert_conforms(&policy(WrongPolicy::Nothing)).await;
    for (wrong, line) in [
        (WrongPolicy::TrustsStaff, PolicyLine::Strangers),
        (WrongPolicy::TrustsProcessors, PolicyLine::Strangers),
        (WrongPolicy::TrustsThePerson, PolicyLine::UnknownCommands),
        (WrongPolicy::TrustsAgents, PolicyLine::UnknownCommands),
        (WrongPolicy::NamesTheActor, PolicyLine::Names),
        (WrongPolicy::ChangesItsMind, PolicyLine::Steady),
    ] {
        let checked = policy_suite::check(&policy(wrong)).await;
        let broken = checked.expect_err(&format!("{wrong:?} passes"));
        assert!(broken.has(line), "{wrong:?} breaks {:?}", broken.lines());
    }
}
