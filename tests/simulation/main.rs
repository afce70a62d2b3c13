//! Deterministic simulation: many workers in virtual time, with everything going wrong that a seed
//! says. Whatever goes wrong, a run must end as the one nobody disturbed.
//!
//! `SEED=17 cargo test --all-features --test simulation` repeats one run and prints what went wrong in it;
//! `SEEDS=1000..2000` runs those.
#![cfg(all(feature = "testkit", feature = "package"))]
#![allow(clippy::unwrap_used, clippy::panic)] // tests

#[path = "../common/mod.rs"]
mod common;
mod course;
mod crew;
mod mistakes;
mod ports;
mod storm;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use course::{Course, End, Weather, run};
use mistakes::Mistake;
use storm::Chance;

/// How many seeds run when nobody says which.
const SEEDS: Range<u64> = 0..500;

/// The undisturbed ends, each made once.
#[derive(Default)]
struct Calm(Mutex<BTreeMap<Course, End>>);

impl Calm {
    fn end(&self, course: Course) -> End {
        let mut ends = self.0.lock().unwrap();
        let made = ends.entry(course).or_insert_with(|| {
            let (chance, weather) = (Chance::new(0), Weather::CALM);
            run(course, &weather, &chance, Mistake::None, &mut Vec::new()).unwrap()
        });
        made.clone()
    }
}

/// One seed: what was wrong with it, and what happened until then.
fn fails(calm: &Calm, seed: u64, mistake: Mistake) -> Option<(String, Vec<String>)> {
    let chance = Chance::new(seed);
    let (mut course, mut weather) = (Course::of(&chance), Weather::of(&chance));
    if seed % 8 == 7 {
        course.asking(&mut weather);
    }
    let expected = calm.end(course);
    let mut log = vec![format!("{course:?}")];
    let end = catch_unwind(AssertUnwindSafe(|| {
        run(course, &weather, &chance, mistake, &mut log)
    }));
    let wrong = match end {
        Ok(Ok(end)) if end == expected => return None,
        Ok(Ok(end)) => end.differs(&expected),
        Ok(Err(wrong)) => wrong,
        Err(_) => "panicked".to_owned(),
    };
    Some((wrong, log))
}

/// The seeds that the environment asks for.
fn asked() -> (Range<u64>, bool) {
    let number = |text: &str| text.trim().parse::<u64>().unwrap();
    if let Ok(seed) = std::env::var("SEED") {
        let seed = number(&seed);
        return (seed..seed + 1, true);
    }
    match std::env::var("SEEDS") {
        Ok(range) => {
            let (from, to) = range.split_once("..").unwrap();
            (number(from)..number(to), false)
        }
        Err(_) => (SEEDS, false),
    }
}

#[test]
fn whatever_goes_wrong_the_end_is_that_of_an_undisturbed_run() {
    let (seeds, told) = asked();
    let calm = Calm::default();
    let next = AtomicU64::new(seeds.start);
    let failed = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if seed.is_multiple_of(10_000) && seed > seeds.start {
                        println!("{seed} of {seeds:?}");
                    }
                    if let Some(wrong) = fails(&calm, seed, Mistake::None) {
                        eprintln!("SEED={seed} fails");
                        failed.lock().unwrap().insert(seed, wrong);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    if let Some((seed, (wrong, log))) = failed.first_key_value() {
        let all: Vec<_> = failed.keys().collect();
        let log = if told { log.join("\n") } else { String::new() };
        panic!("{log}\nseeds {all:?} fail; repeat the first with SEED={seed}: {wrong}");
    }
}

/// A simulation that finds nothing proves nothing: stores and ports that break their contracts are
/// found out.
#[test]
fn what_breaks_its_contract_is_found() {
    const WITHIN: Range<u64> = 0..60;
    let calm = Calm::default();
    for mistake in Mistake::ALL {
        let found = WITHIN
            .into_iter()
            .find_map(|seed| fails(&calm, seed, mistake));
        assert!(found.is_some(), "{mistake:?} is not found by {WITHIN:?}");
    }
}
