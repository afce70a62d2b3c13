//! Several worker processes share the requests of many people, and are killed at any time; on
//! PostgreSQL, connections are cut, statements refused and the server crashed beside that. Real time,
//! real processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use datarights::adapters::{SqliteStore, SystemClock};
use datarights::engine::{Engine, Intake, Settings};
use datarights::model::{Actor, Channel, Correction, Identifier, Personal, RequestId, Right, Wish};
use datarights::ports::{Clock, RequestStore, WorkerId};
use datarights::testkit::SeededEntropy;
use datarights::workflow::{Request, fulfilment, lifecycle};

use crate::child::{self, DESK, MAIL, OUTSIDE, REQUESTS};
use crate::end::{column, dump};
use crate::ports::Trigger;
use crate::{FOLDER, RUN};

/// Where the requests are: `sqlite`, or the address of a PostgreSQL server.
pub(crate) const STORE: &str = "DATARIGHTS_KILL_STORE";
/// Statements that a connection may not run freely.
const OPTIONS: &str = "DATARIGHTS_KILL_OPTIONS";

/// How many workers there are at once.
const WORKERS: usize = 3;
/// The clients who ask: the numbers of the first and the last.
const PEOPLE: (i64, i64) = (40, 47);
/// Longer than any of this takes when all goes well.
const PATIENCE: Duration = Duration::from_secs(90);

/// What may be wrong with a worker's connections.
const MOODS: [&str; 4] = [
    "",
    "-c default_transaction_isolation=serializable",
    "-c statement_timeout=15",
    "-c lock_timeout=1 -c deadlock_timeout=1",
];

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.lease = TimeDelta::milliseconds(800);
    settings.poll = TimeDelta::milliseconds(50);
    settings.backoff = TimeDelta::milliseconds(20);
    settings.longest_backoff = TimeDelta::milliseconds(300);
    settings.lock_wait = TimeDelta::milliseconds(100);
    settings.call_timeout = TimeDelta::seconds(10);
    // What goes wrong comes from outside and ends: nothing is given up.
    settings.attempts = u32::MAX;
    settings.conflicts = 1_000;
    settings
}

async fn store(folder: &Path, store: &str, options: &str) -> Arc<dyn RequestStore> {
    if store == "sqlite" {
        return Arc::new(SqliteStore::open(folder.join(REQUESTS)).unwrap());
    }
    postgres::store(store, options).await
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use datarights::adapters::PostgresStore;
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

    /// Opens it as soon as the server answers.
    pub(super) async fn store(address: &str, options: &str) -> Arc<dyn RequestStore> {
        let mut connect: PgConnectOptions = address.parse().unwrap();
        if !options.is_empty() {
            let pairs = options
                .split("-c ")
                .filter_map(|pair| pair.trim().split_once('='));
            connect = connect.options(pairs);
        }
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(2))
            .connect_lazy_with(connect);
        let until = Instant::now() + PATIENCE;
        loop {
            match PostgresStore::open(pool.clone()).await {
                Ok(store) => return Arc::new(store),
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[cfg(not(feature = "postgres"))]
mod postgres {
    use super::*;
    pub(super) async fn store(_: &str, _: &str) -> Arc<dyn RequestStore> {
        panic!("built without PostgreSQL")
    }
}

async fn engine(folder: &Path, place: &str, options: &str) -> Engine {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = store(folder, place, options).await;
    child::engine(folder, &clock, &Trigger::at(None), store, settings())
}

/// The worker process: it works until somebody kills it.
pub(crate) fn serve() {
    let variable = |name| std::env::var(name).unwrap();
    let folder = PathBuf::from(variable(FOLDER));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let engine = engine(&folder, &variable(STORE), &variable(OPTIONS)).await;
        let worker = WorkerId(variable(RUN));
        let never = std::future::pending();
        engine.run(&worker, None, never, |_| ()).await;
    });
}

/// What is left when everybody has their answer.
#[derive(PartialEq, Debug)]
pub(crate) struct End {
    requests: Vec<String>,
    rows: BTreeMap<String, Vec<String>>,
    performed: usize,
    outside: Vec<String>,
}

impl End {
    /// Fails unless both ends are the same.
    pub(crate) fn must_be(&self, whole: &Self, what: &str) {
        assert_eq!(self.requests, whole.requests, "{what}: requests");
        assert_eq!(self.rows, whole.rows, "{what}: rows");
        assert_eq!(self.performed, whole.performed, "{what}: writes");
        assert_eq!(self.outside, whole.outside, "{what}: letters and orders");
    }
}

/// What goes wrong beside the deaths of workers, again and again until it is told to stop.
pub(crate) type Trouble<'a> = &'a (dyn Fn(&SeededEntropy) + Sync);

/// One world of files, and where its requests are.
pub(crate) struct Load<'a> {
    pub(crate) template: &'a Path,
    pub(crate) store: &'a str,
    pub(crate) seed: u64,
    /// For how long workers are killed; not at all for the run that is compared with.
    pub(crate) kill_for: Option<Duration>,
    /// What goes wrong beside that.
    pub(crate) trouble: Trouble<'a>,
}

impl Load<'_> {
    /// Carries all requests to their answers.
    pub(crate) fn run(&self) -> End {
        let folder = tempfile::tempdir().unwrap();
        for name in [DESK, MAIL] {
            std::fs::copy(self.template.join(name), folder.path().join(name)).unwrap();
        }
        let over = AtomicBool::new(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let submitted = runtime.block_on(async {
            let engine = engine(folder.path(), self.store, "").await;
            submit(&engine, folder.path()).await
        });
        std::thread::scope(|scope| {
            let chaos = scope.spawn(|| self.chaos(folder.path(), &over));
            if self.kill_for.is_some() {
                scope.spawn(|| {
                    let chance = SeededEntropy::new(self.seed ^ 1);
                    let started = Instant::now();
                    while !over.load(Ordering::SeqCst) && Some(started.elapsed()) < self.kill_for {
                        (self.trouble)(&chance);
                    }
                });
            }
            let requests = runtime.block_on(async {
                let engine = engine(folder.path(), self.store, "").await;
                attend(&engine, &submitted).await
            });
            over.store(true, Ordering::SeqCst);
            let killed = chaos.join().unwrap();
            assert_eq!(killed == 0, self.kill_for.is_none(), "{killed} were killed");
            let requests = requests.unwrap_or_else(|seen| {
                panic!("seed {}: no answer in {PATIENCE:?}: {seen:?}", self.seed)
            });
            let mut rows = dump(&folder.path().join(DESK));
            rows.extend(dump(&folder.path().join(MAIL)));
            let performed = rows
                .iter()
                .filter(|(table, _)| table.ends_with("/performed"))
                .map(|(_, rows)| rows.len())
                .sum();
            rows.retain(|table, _| !table.ends_with("/performed"));
            let mut outside = column(&folder.path().join(OUTSIDE), "SELECT what FROM received");
            outside.sort();
            End {
                requests: requests.iter().map(shape).collect(),
                rows,
                performed,
                outside,
            }
        })
    }

    fn worker(&self, folder: &Path, number: u64) -> Child {
        let mood = match self.kill_for {
            Some(_) if self.store != "sqlite" => MOODS[number as usize % MOODS.len()],
            _ => "",
        };
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .env(STORE, self.store)
            .env(OPTIONS, mood)
            .env(RUN, number.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Kills workers and starts others; how many were killed before all was over.
    fn chaos(&self, folder: &Path, over: &AtomicBool) -> u64 {
        let chance = SeededEntropy::new(self.seed);
        let draw = |below: u64| datarights::ports::Entropy::next(&chance) % below;
        let mut workers: Vec<Child> = (0..WORKERS as u64)
            .map(|number| self.worker(folder, number))
            .collect();
        let (started, mut killed, mut calm) = (Instant::now(), 0, false);
        while !over.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20 + draw(150)));
            if Some(started.elapsed()) < self.kill_for {
                let one = draw(WORKERS as u64) as usize;
                workers[one].kill().unwrap();
                workers[one].wait().unwrap();
                killed += 1;
                workers[one] = self.worker(folder, WORKERS as u64 + killed);
            } else if !std::mem::replace(&mut calm, true) && self.kill_for.is_some() {
                // The rest is worked off in peace, by others.
                for worker in &mut workers {
                    worker.kill().unwrap();
                    worker.wait().unwrap();
                    *worker = self.worker(folder, 0);
                }
            }
        }
        for mut worker in workers {
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
        killed
    }
}

/// A request without ids and instants.
fn shape(request: &Request) -> String {
    let work = request.fulfilment.as_ref().unwrap();
    let sources: Vec<_> = { work.sources.iter() }
        .map(|s| (&s.id, &s.found, &s.done, &s.withheld, &s.missing, &s.left))
        .collect();
    let outcome = &request.lifecycle.outcome;
    format!(
        "{} {outcome:?} {:?} {sources:?}",
        request.facts.right, work.phase
    )
}

/// The people ask, one after the other.
async fn submit(engine: &Engine, folder: &Path) -> Vec<RequestId> {
    let sql = format!(
        "SELECT email FROM clients WHERE id BETWEEN {} AND {} ORDER BY id",
        PEOPLE.0, PEOPLE.1
    );
    let mails: Vec<String> = column(&folder.join(DESK), &sql);
    let (mut requests, controller) = (Vec::new(), child::controller());
    for (nth, mail) in mails.iter().enumerate() {
        let wish = match nth % 4 {
            0 => Wish::of(Right::Access),
            1 => Wish::rectify(vec![Correction {
                collection: "clients".to_owned(),
                field: "full_name".to_owned(),
                value: Personal::new(format!("Somebody Else {nth}")),
            }]),
            _ => Wish::of(Right::Erasure),
        };
        let identifiers = vec![Identifier::mail(mail).unwrap()];
        let intake = Intake::new(Channel::Mail, identifiers, [wish]);
        let submitted = engine.submit(&controller, &Actor::Person, intake);
        requests.push(submitted.await.unwrap()[0].request);
    }
    requests
}

/// Decides what waits for people, until everybody has an answer.
async fn attend(engine: &Engine, requests: &[RequestId]) -> Result<Vec<Request>, Vec<String>> {
    let until = Instant::now() + PATIENCE;
    let controller = child::controller();
    loop {
        let mut done = Vec::new();
        let mut waiting = Vec::new();
        for request in requests {
            // What cannot be asked now is asked again.
            let Ok(seen) = engine.request(&controller, *request, &Actor::Host).await else {
                waiting.push("not readable".to_owned());
                continue;
            };
            let work = seen.fulfilment.as_ref().map(|work| work.phase);
            match (seen.lifecycle.phase, work) {
                (lifecycle::Phase::Answered, _) => {
                    done.push(seen);
                    continue;
                }
                (lifecycle::Phase::Received | lifecycle::Phase::Assessment, _)
                | (_, Some(fulfilment::Phase::Approval)) => {
                    let (actor, command) = child::next(&seen);
                    // Whether it was heard shows when it is looked at again.
                    drop(engine.command(&controller, *request, &actor, command).await);
                }
                _ => {}
            }
            waiting.push(format!("{:?}/{work:?}", seen.lifecycle.phase));
        }
        if waiting.is_empty() {
            return Ok(done);
        }
        if Instant::now() > until {
            return Err(waiting);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
