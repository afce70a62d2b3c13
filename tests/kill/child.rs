//! The process that is killed: an application with its request store, vault, packages and sources
//! on files. Started again, it looks into its store and goes on.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use datarights::adapters::{DirArtifacts, FileVault, SqliteStore, SystemEntropy, Wrapping};
use datarights::engine::{Controller, Engine, Intake, Ports, Settings};
use datarights::law::{Calendar, ProcessingRecord, RetentionDuty};
use datarights::model::{
    Actor, Channel, ControllerId, Correction, Identifier, PartyId, Personal, RequestId, Right,
    SourceId, Wish,
};
use datarights::ports::{Clock, RequestStore, WorkerId};
use datarights::testkit::TestClock;
use datarights::workflow::{Command, Delivery, Request, fulfilment, lifecycle};

use crate::db::Db;
use crate::desk::NORA;
use crate::desk_source::DeskSource;
use crate::mail_source::MailSource;
use crate::ports::{Outside, Reached, Trigger};
use crate::{FOLDER, POINT, RIGHT, RUN};

/// The databases of the application.
pub(crate) const DESK: &str = "helpdesk.sqlite";
pub(crate) const MAIL: &str = "mail.sqlite";
/// What the world outside received.
pub(crate) const OUTSIDE: &str = "outside.sqlite";
/// The application's requests.
pub(crate) const REQUESTS: &str = "requests.sqlite";
/// Where packages lie.
pub(crate) const PACKAGES: &str = "packages";
/// When all this happens.
pub(crate) const YEAR: i32 = 2026;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Carries the request to its answer, or dies at its point.
pub(crate) fn run() {
    let folder = PathBuf::from(variable(FOLDER).unwrap());
    let right = Right::from(variable(RIGHT).unwrap().as_str());
    let run: i64 = variable(RUN).unwrap().parse().unwrap();
    let trigger = Trigger::at(variable(POINT).map(|point| point.parse().unwrap()));
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(carry(folder.clone(), right, run, trigger.clone()));
    std::fs::write(crate::points_file(&folder), trigger.passed()).unwrap();
}

/// The controller.
pub(crate) fn controller() -> ControllerId {
    ControllerId::new("lumen-desk").unwrap()
}

async fn carry(folder: PathBuf, right: Right, run: i64, trigger: Trigger) {
    let start: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().unwrap();
    // It stands still in each run; between two runs the lease of a process that died has ended.
    let clock: Arc<dyn Clock> = Arc::new(TestClock::at(start + TimeDelta::minutes(10 * run)));
    let store = Arc::new(SqliteStore::open(folder.join(REQUESTS)).unwrap());
    let reached = Arc::new(Reached::new(Arc::clone(&store), &trigger));
    let settings = Settings::default();
    let engine = engine(&folder, &clock, &trigger, reached, settings);

    // A fresh start looks for what an earlier process left.
    let open = store.open(&controller(), None, 10).await.unwrap();
    let request = match open.as_slice() {
        [] => submit(&engine, right).await,
        [one] => *one,
        more => panic!("{} requests, one was asked for", more.len()),
    };
    let worker = WorkerId(format!("run-{run}"));
    loop {
        while engine.tick(&worker, None).await.unwrap().worked > 0 {}
        let seen = engine
            .request(&controller(), request, &Actor::Host)
            .await
            .unwrap();
        if seen.lifecycle.phase == lifecycle::Phase::Answered {
            return;
        }
        let (actor, command) = next(&seen);
        engine
            .command(&controller(), request, &actor, command)
            .await
            .unwrap();
    }
}

/// What somebody decides when nothing moves by itself any more.
pub(crate) fn next(request: &Request) -> (Actor, Command) {
    let staff = |who| Actor::staff(who).unwrap();
    let work = request.fulfilment.as_ref();
    match (request.lifecycle.phase, work.map(|work| work.phase)) {
        (lifecycle::Phase::Received, _) => {
            (Actor::Host, lifecycle::Command::ConfirmIdentity.into())
        }
        (lifecycle::Phase::Assessment, _) => (staff("desk-7"), lifecycle::Command::Approve.into()),
        (lifecycle::Phase::Fulfilment, Some(fulfilment::Phase::Approval)) => {
            let digest = work.unwrap().plan_digest();
            (
                staff("officer-1"),
                fulfilment::Command::ApprovePlan { digest }.into(),
            )
        }
        (phase, work) => panic!("the request stands still in {phase:?}, {work:?}"),
    }
}

async fn submit(engine: &Engine, right: Right) -> RequestId {
    let wish = match right {
        Right::Rectification => Wish::rectify(vec![Correction {
            collection: "clients".to_owned(),
            field: "full_name".to_owned(),
            value: Personal::new("Nora Lindqvist-Berg".to_owned()),
        }]),
        ref other => Wish::of(other.clone()),
    };
    let identifiers = vec![Identifier::mail(NORA.mail).unwrap()];
    let mut intake = Intake::new(Channel::Mail, identifiers, [wish]);
    if right == Right::Export {
        // Handed to another controller, so that sending is among what is disturbed.
        intake = intake.delivered(Delivery::Transmit(
            PartyId::new(Outside::ELSEWHERE).unwrap(),
        ));
    }
    let submitted = engine
        .submit(&controller(), &Actor::Person, intake)
        .await
        .unwrap();
    submitted[0].request
}

pub(crate) fn engine(
    folder: &std::path::Path,
    clock: &Arc<dyn Clock>,
    trigger: &Trigger,
    store: Arc<dyn RequestStore>,
    settings: Settings,
) -> Engine {
    let outside = Outside::open(&folder.join(OUTSIDE), trigger.clone());
    let mail = MailSource::new(Db::open(&folder.join(MAIL)).unwrap(), Arc::clone(clock)).unwrap();
    let leads_to = vec![SourceId::new(MailSource::ID).unwrap()];
    let duty = RetentionDuty::named("fr_com_l123_22").unwrap();
    let desk = Db::open(&folder.join(DESK)).unwrap();
    let desk = DeskSource::new(desk, Arc::clone(clock), duty, leads_to).unwrap();
    let vault = FileVault::open(folder.join("keys"), Wrapping::Plain).unwrap();
    let ports = Ports {
        store,
        vault: Arc::new(Reached::new(Arc::new(vault), trigger)),
        clock: Arc::clone(clock),
        entropy: Arc::new(SystemEntropy::new().unwrap()),
        artifacts: Arc::new(Reached::new(
            Arc::new(DirArtifacts::new(folder.join(PACKAGES))),
            trigger,
        )),
        notifier: Arc::new(outside.clone()),
        verifier: Arc::new(outside.clone()),
        access: Arc::new(outside.clone()),
    };
    let calendar = Calendar::in_zone("Europe/Paris").unwrap();
    Engine::builder(ports)
        .controller(
            Controller::new(controller(), "Lumen Help Desk", "eu_gdpr", calendar)
                .with_record(record()),
        )
        .source(Arc::new(Reached::new(Arc::new(desk), trigger)))
        .source(Arc::new(Reached::new(Arc::new(mail), trigger)))
        .gateway(Arc::new(outside.clone().told()))
        .gateway(Arc::new(outside))
        .settings(settings)
        .build()
}

/// What the help desk tells people about its processing.
fn record() -> ProcessingRecord {
    ProcessingRecord {
        purposes: vec!["support".to_owned()],
        categories: vec!["contact data".to_owned(), "tickets".to_owned()],
        recipients: vec!["a print shop".to_owned()],
        period: "until one year after the contract ends".to_owned(),
        ..ProcessingRecord::default()
    }
}
