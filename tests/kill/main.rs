//! Processes die: a child that carries a request on files is killed with SIGKILL at every point at
//! which it talks to a port, and started again. The end must be that of a run nobody disturbed:
//! the same state, the same rows, the same letters, the same package.
#![cfg(all(
    unix,
    feature = "package",
    feature = "sqlite",
    feature = "testkit",
    feature = "tokio",
    feature = "vault"
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod child;
#[cfg(feature = "postgres")]
mod cluster;
mod end;
mod load;
mod ports;

#[path = "../../examples/quickstart/db.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod db;
#[path = "../../examples/quickstart/desk.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod desk;
#[path = "../../examples/quickstart/desk_source.rs"]
mod desk_source;
#[path = "../../examples/quickstart/mail_source.rs"]
mod mail_source;

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use end::End;
use load::Load;

/// What the child reads from its environment.
pub(crate) const FOLDER: &str = "DATARIGHTS_KILL_FOLDER";
pub(crate) const RIGHT: &str = "DATARIGHTS_KILL_RIGHT";
pub(crate) const RUN: &str = "DATARIGHTS_KILL_RUN";
pub(crate) const POINT: &str = "DATARIGHTS_KILL_POINT";

/// The signal that nobody can catch.
const SIGKILL: i32 = 9;
/// More runs than any of these tests needs.
const RUNS: u32 = 40;

/// Not a test of its own: what the others start, and kill.
#[test]
fn child() {
    if std::env::var_os(load::STORE).is_some() {
        load::serve();
    } else if std::env::var_os(FOLDER).is_some() {
        child::run();
    }
}

/// One request on files of its own.
struct Trial {
    folder: tempfile::TempDir,
    right: &'static str,
    runs: u32,
}

impl Trial {
    fn new(template: &Path, right: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in [child::DESK, child::MAIL] {
            std::fs::copy(template.join(name), folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            right,
            runs: 0,
        }
    }

    /// Starts a process that works until the request is answered, or until that point.
    fn start(&mut self, point: Option<usize>) -> Child {
        self.runs += 1;
        assert!(self.runs < RUNS, "{} comes to no end", self.right);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(FOLDER, self.folder.path())
            .env(RIGHT, self.right)
            .env(RUN, self.runs.to_string())
            .stdout(Stdio::null());
        if let Some(point) = point {
            command.env(POINT, point.to_string());
        }
        command.spawn().unwrap()
    }

    fn run(&mut self, point: Option<usize>) -> ExitStatus {
        self.start(point).wait().unwrap()
    }

    /// Whether the process was killed; one that failed by itself fails the test.
    fn was_killed(&self, status: ExitStatus) -> bool {
        let killed = status.signal() == Some(SIGKILL);
        assert!(
            killed || status.success(),
            "{}, run {}: {status}",
            self.right,
            self.runs
        );
        killed
    }

    fn finish(mut self) -> End {
        let status = self.run(None);
        assert!(!self.was_killed(status), "nobody killed it");
        End::of(self.folder.path())
    }
}

/// The databases before anything was asked, made once.
fn template() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    desk::create(&path(child::DESK), &path(child::MAIL), child::YEAR).unwrap();
    folder
}

const RIGHTS: [&str; 4] = ["access", "rectification", "erasure", "export"];

/// Runs a right once undisturbed, and then once for each of these points, killed there.
fn kill_at(template: &Path, right: &'static str, points: impl Fn(&[String]) -> Vec<Vec<usize>>) {
    let whole = Trial::new(template, right).finish();
    assert!(
        whole.points.len() > 20,
        "{right} talks to its ports: {:?}",
        whole.points
    );
    let all = points(&whole.points);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(points) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut trial = Trial::new(template, right);
                    for (nth, point) in points.iter().enumerate() {
                        let status = trial.run(Some(*point));
                        let killed = trial.was_killed(status);
                        assert!(killed || nth > 0, "{right} never came to point {point}");
                    }
                    trial
                        .finish()
                        .must_be(&whole, &format!("{right} killed at {points:?}"));
                }
            });
        }
    });
}

/// Kills a right's processes after random times, each a little later than the one before.
fn kill_after(template: &Path, right: &'static str, seed: u64) {
    let whole = Trial::new(template, right).finish();
    let mut random = seed;
    let mut trial = Trial::new(template, right);
    for run in 0..12 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut process = trial.start(None);
        thread::sleep(Duration::from_millis(run * 6 + (random >> 33) % 40));
        process.kill().unwrap();
        let status = process.wait().unwrap();
        if !trial.was_killed(status) {
            break;
        }
    }
    trial
        .finish()
        .must_be(&whole, &format!("{right} killed by time, seed {seed}"));
}

/// What has consequences outside the request's own store. Done and not yet written down is where
/// it is done again.
const WRITES: [&str; 5] = ["erase", "rectify", "restrict", "receive", "finish"];

/// The points after every write outside, and some that are spread over the whole, other ones for
/// each right; every third is killed again while it recovers.
fn some(passed: &[String], offset: usize) -> Vec<Vec<usize>> {
    const SPREAD: usize = 6;
    let of = passed.len();
    let after_writes = (0..of).filter(|point| {
        let write = passed[*point].strip_prefix("after ");
        write.is_some_and(|write| WRITES.contains(&write))
    });
    let spread = (0..SPREAD).map(|n| (n * of / SPREAD + offset * of / (SPREAD * 4)).min(of - 1));
    let killed_again = |point: usize| match point.is_multiple_of(3) {
        true => vec![point, of / 4 + point % 7],
        false => vec![point],
    };
    let points: BTreeSet<usize> = after_writes.chain(spread).collect();
    points.into_iter().map(killed_again).collect()
}

#[test]
fn a_killed_process_leads_to_the_same_end() {
    let template = template();
    for (offset, right) in RIGHTS.into_iter().enumerate() {
        kill_at(template.path(), right, |passed| some(passed, offset));
    }
}

#[test]
fn a_process_killed_at_any_time_leads_to_the_same_end() {
    let template = template();
    for (seed, right) in (1..).zip(RIGHTS) {
        kill_after(template.path(), right, seed);
    }
}

#[test]
#[ignore = "takes minutes: every point of every right"]
fn a_process_killed_at_every_point_leads_to_the_same_end() {
    let template = template();
    for right in RIGHTS {
        kill_at(template.path(), right, |passed| {
            let of = passed.len();
            (0..of).map(|point| vec![point]).collect()
        });
        kill_at(template.path(), right, |passed| {
            let of = passed.len();
            (0..of)
                .step_by(5)
                .map(|point| vec![point, point / 2, of / 3])
                .collect()
        });
        for seed in 100..130 {
            kill_after(template.path(), right, seed);
        }
    }
}

/// The requests of many people in SQLite, with workers killed for so long.
fn load_on_sqlite(seeds: impl Iterator<Item = u64>, kill_for: Duration) {
    let template = template();
    let load = |seed, kill_for| Load {
        template: template.path(),
        store: "sqlite",
        seed,
        kill_for,
        trouble: &|_| thread::sleep(Duration::from_millis(50)),
    };
    let whole = load(0, None).run();
    for seed in seeds {
        let end = load(seed, Some(kill_for)).run();
        end.must_be(&whole, &format!("SQLite under load, seed {seed}"));
    }
}

/// The same in PostgreSQL, with connections cut, locks held by others, and the server crashed.
#[cfg(feature = "postgres")]
fn load_on_postgres(seeds: impl Iterator<Item = u64>, kill_for: Duration) {
    use datarights::ports::Entropy;
    let Some(cluster) = cluster::Cluster::start() else {
        return;
    };
    let template = template();
    let load = |name: &str, seed, kill_for| {
        let trouble = |chance: &datarights::testkit::SeededEntropy| match chance.next() % 40 {
            0 => cluster.crash(),
            1..8 => {
                let neighbour = "BEGIN;
                    SELECT 1 FROM datarights.request ORDER BY random() LIMIT 4 FOR UPDATE;
                    SELECT pg_sleep(0.03); COMMIT";
                cluster.sql(name, neighbour);
            }
            8..16 => {
                let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    ORDER BY random() LIMIT 2";
                cluster.sql(name, cut);
            }
            _ => thread::sleep(Duration::from_millis(20)),
        };
        let store = cluster.database(name);
        let (template, store, trouble) = (template.path(), store.as_str(), &trouble);
        Load {
            template,
            store,
            seed,
            kill_for,
            trouble,
        }
        .run()
    };
    let whole = load("whole", 0, None);
    for seed in seeds {
        let end = load(&format!("seed_{seed}"), seed, Some(kill_for));
        end.must_be(&whole, &format!("PostgreSQL under load, seed {seed}"));
    }
}

#[test]
fn workers_killed_under_load_on_sqlite_lead_to_the_same_end() {
    load_on_sqlite(1..2, Duration::from_secs(3));
}

#[cfg(feature = "postgres")]
#[test]
fn workers_killed_under_load_on_postgres_lead_to_the_same_end() {
    load_on_postgres(1..2, Duration::from_secs(3));
}

/// One load after the other: most of them end before the eight seconds are over.
fn ten_minutes_of_seeds() -> impl Iterator<Item = u64> {
    let begun = Instant::now();
    let in_time = move |_: &u64| begun.elapsed() < Duration::from_mins(10);
    let seeds = (100..).take_while(in_time);
    seeds.inspect(move |seed| println!("seed {seed}, {:.0?}", begun.elapsed()))
}

#[test]
#[ignore = "takes ten minutes"]
fn workers_killed_for_minutes_on_sqlite_lead_to_the_same_end() {
    load_on_sqlite(ten_minutes_of_seeds(), Duration::from_secs(8));
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "takes ten minutes"]
fn workers_killed_for_minutes_on_postgres_lead_to_the_same_end() {
    load_on_postgres(ten_minutes_of_seeds(), Duration::from_secs(8));
}

/// Where the child says how many points it passed.
pub(crate) fn points_file(folder: &Path) -> PathBuf {
    folder.join("points")
}
