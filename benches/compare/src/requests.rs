//! Erasures of people in a source in memory, from intake to closed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use datarights::adapters::{
    MemoryArtifacts, MemoryCollection, MemorySource, MemoryVault, PostgresStore, SystemClock,
    SystemEntropy,
};
use datarights::engine::{Controller, Engine, Intake, Ports, Settings};
use datarights::law::{Calendar, ProcessingRecord};
use datarights::model::{
    Actor, Channel, ControllerId, Identifier, IdentifierKind, Right, SourceId, Wish,
};
use datarights::ports::{AccessPolicy, Denied, Grant, Query, WorkerId};
use datarights::testkit::{Codes, Outbox};
use datarights::workflow::{Approval, Policy, Review, lifecycle};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{MANY, Turn, WORKERS};

struct Anyone;

#[async_trait]
impl AccessPolicy for Anyone {
    async fn allow(&self, _: &Query<'_>) -> Result<Grant, Denied> {
        Ok(Grant::agreed())
    }
}

fn acme() -> ControllerId {
    ControllerId::new("acme").unwrap()
}

fn mail(n: usize) -> String {
    format!("person-{n}@example.org")
}

async fn engine(pool: &PgPool) -> Engine {
    let users =
        MemoryCollection::new("users", ["name", "mail"]).found_by("mail", IdentifierKind::Mail);
    let desk = MemorySource::new(SourceId::new("desk").unwrap(), "Help desk").with(users);
    for n in 0..MANY {
        let cells = [format!("Person {n}"), mail(n)];
        desk.insert("users", &n.to_string(), cells).unwrap();
    }
    let mut policy = Policy::default();
    policy.plan_approval = Approval::None;
    policy.confirm_erasure = false;
    policy.grace = None;
    policy.review = Review::WhenIncomplete;
    // Closed as soon as the answer is out.
    policy.appeal_within = TimeDelta::zero();
    let mut record = ProcessingRecord::default();
    record.purposes = vec!["support".to_owned()];
    record.categories = vec!["contact data".to_owned()];
    record.recipients = vec!["nobody".to_owned()];
    record.period = "until one year after the contract ends".to_owned();
    let calendar = Calendar::in_zone("Europe/Paris").unwrap();
    let controller = Controller::new(acme(), "Acme", "eu_gdpr", calendar)
        .with_record(record)
        .with_policy(policy);
    let mut settings = Settings::default();
    settings.poll = TimeDelta::milliseconds(20);
    let ports = Ports {
        store: Arc::new(PostgresStore::open(pool.clone()).await.unwrap()),
        vault: Arc::new(MemoryVault::predictable(1)),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::new().unwrap()),
        artifacts: Arc::new(MemoryArtifacts::new()),
        notifier: Arc::new(Outbox::default()),
        verifier: Arc::new(Codes::new(7)),
        access: Arc::new(Anyone),
    };
    Engine::builder(ports)
        .controller(controller)
        .source(Arc::new(desk))
        .settings(settings)
        .build()
}

/// One person asks, and staff confirms and approves at once.
async fn ask(engine: &Engine, n: usize) {
    let identifiers = vec![Identifier::mail(mail(n)).unwrap()];
    let intake = Intake::new(Channel::Form, identifiers, [Wish::of(Right::Erasure)]);
    let submitted = engine.submit(&acme(), &Actor::Person, intake).await;
    let request = submitted.unwrap()[0].request;
    let alice = Actor::staff("alice").unwrap();
    for command in [
        lifecycle::Command::ConfirmIdentity,
        lifecycle::Command::Approve,
    ] {
        let done = engine.command(&acme(), request, &alice, command).await;
        done.unwrap();
    }
}

async fn number(pool: &PgPool, sql: &'static str) -> f64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

pub(crate) async fn turn(database: &str) -> Turn {
    let connections = PgPoolOptions::new().max_connections(WORKERS as u32);
    let pool = connections.connect(database).await.unwrap();
    let engine = engine(&pool).await;
    let begin = Instant::now();
    let askers = (0..WORKERS).map(|first| {
        let engine = engine.clone();
        tokio::spawn(async move {
            for n in (first..MANY).step_by(WORKERS) {
                ask(&engine, n).await;
            }
        })
    });
    let askers: Vec<_> = askers.collect();
    let (stop, _) = tokio::sync::watch::channel(false);
    let workers = (0..WORKERS).map(|n| {
        let (engine, mut stop) = (engine.clone(), stop.subscribe());
        tokio::spawn(async move {
            let worker = WorkerId(format!("w{n}"));
            let stopped = async move {
                let _ = stop.wait_for(|stop| *stop).await;
            };
            engine
                .run(&worker, None, stopped, |error| panic!("{error}"))
                .await;
        })
    });
    let workers: Vec<_> = workers.collect();
    for asker in askers {
        asker.await.unwrap();
    }
    let closed = "SELECT count(*)::float8 FROM datarights.request WHERE NOT open";
    while number(&pool, closed).await < MANY as f64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "they do not close"
        );
    }
    let seconds = begin.elapsed().as_secs_f64();
    stop.send_replace(true);
    for worker in workers {
        worker.await.unwrap();
    }
    let commits = "SELECT avg(version)::float8 FROM datarights.request";
    Turn {
        seconds,
        steps: number(&pool, commits).await,
    }
}
