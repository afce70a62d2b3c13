//! A small host for the tests: two sources, a recipient, virtual time.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)] // each test uses its part

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use datarights::adapters::{
    MemoryArtifacts, MemoryCollection, MemorySource, MemoryStore, MemoryVault,
};
use datarights::engine::{
    Callee, Controller, Engine, EngineBuilder, EngineError, Intake, Ports, Settings, Tick,
};
use datarights::law::{Calendar, ProcessingRecord};
use datarights::model::{
    Actor, Channel, ControllerId, Correction, Ground, Identifier, IdentifierKind, PartyId,
    Personal, RequestId, SourceId, Until, Wish,
};
use datarights::ports::{
    AccessPolicy, ArtifactStore, Denied, Grant, IdentityVerifier, Notifier, PersonalDataSource,
    ProcessorGateway, Query, RequestStore, Vault, WorkerId,
};
use datarights::testkit::{Codes, Faulty, Outbox, Recipient, Recorder, SeededEntropy, TestClock};
use datarights::workflow::{Policy, Request, fulfilment, lifecycle};
use futures::FutureExt;
use futures::future::BoxFuture;

pub struct Anyone;

#[async_trait::async_trait]
impl AccessPolicy for Anyone {
    async fn allow(&self, _: &Query<'_>) -> Result<Grant, Denied> {
        Ok(Grant::agreed())
    }
}

pub fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).unwrap()
}

pub fn staff(name: &str) -> Actor {
    Actor::staff(name).unwrap()
}

pub fn source_id(name: &str) -> SourceId {
    SourceId::new(name).unwrap()
}

/// What Acme tells people about its processing.
pub fn record() -> ProcessingRecord {
    ProcessingRecord {
        purposes: vec!["support".to_owned()],
        categories: vec!["contact data".to_owned(), "tickets".to_owned()],
        recipients: vec!["Mailer Ltd, sends our mail".to_owned()],
        period: "until one year after the contract ends".to_owned(),
        ..ProcessingRecord::default()
    }
}

/// Acme under a law, at a place.
pub fn controller(regime: &str, zone: &str) -> Controller {
    let acme = ControllerId::new("acme").unwrap();
    Controller::new(acme, "Acme", regime, Calendar::in_zone(zone).unwrap())
        .with_record(record())
        .with_words("ground.tax_records", "Tax law obliges us to keep invoices.")
}

/// Everything outside the engine: it stays when an engine dies.
#[derive(Clone)]
pub struct World {
    pub acme: ControllerId,
    pub clock: TestClock,
    pub entropy: Arc<SeededEntropy>,
    pub store: Arc<dyn RequestStore>,
    pub vault: MemoryVault,
    pub vault_port: Arc<dyn Vault>,
    pub artifacts: MemoryArtifacts,
    pub artifacts_port: Arc<dyn ArtifactStore>,
    pub outbox: Outbox,
    pub notifier: Arc<dyn Notifier>,
    pub codes: Codes,
    pub verifier: Arc<dyn IdentityVerifier>,
    pub access: Arc<dyn AccessPolicy>,
    pub recorder: Recorder,
    pub desk: MemorySource,
    pub log: MemorySource,
    pub desk_port: Arc<Faulty<MemorySource>>,
    pub log_port: Arc<Faulty<MemorySource>>,
    pub recipient: Recipient,
    pub recipient_port: Arc<Faulty<Recipient>>,
    pub policy: Policy,
    pub settings: Settings,
    /// Its id is `acme`, its policy `policy`.
    pub controller: Controller,
}

/// One round of a worker.
pub type Round = BoxFuture<'static, Result<Tick, EngineError>>;

/// The last day on which Ada's invoice is kept.
pub fn invoice_kept_until() -> NaiveDate {
    NaiveDate::from_ymd_opt(2035, 12, 31).unwrap()
}

impl World {
    pub fn new() -> Self {
        Self::keeping_invoices("tax_records")
    }

    /// The same, where invoices are kept on that ground.
    pub fn keeping_invoices(ground: &'static str) -> Self {
        let clock = TestClock::at(start());
        let shared: Arc<TestClock> = Arc::new(clock.clone());
        let desk = MemorySource::new(source_id("desk"), "Help desk")
            .with(
                MemoryCollection::new("users", ["name", "mail", "phone"])
                    .found_by("mail", IdentifierKind::Mail)
                    .leading_on("phone", IdentifierKind::Phone),
            )
            .with(MemoryCollection::new("tickets", ["subject"]))
            .with(
                MemoryCollection::new("invoices", ["amount"])
                    .withheld(Ground::new(ground), Until::Date(invoice_kept_until())),
            )
            .erased_after(source_id("log"))
            .with_clock(shared.clone());
        let log = MemorySource::new(source_id("log"), "Call log")
            .with(
                MemoryCollection::new("calls", ["number", "minutes"])
                    .found_by("number", IdentifierKind::Phone),
            )
            .with_clock(shared.clone());
        for (id, name, mail, phone) in [
            ("1", "Ada Lovelace", "ada@example.org", "+44 1815 1210"),
            ("2", "Grace Hopper", "grace@example.org", "+1 1906 1209"),
        ] {
            desk.insert("users", id, [name, mail, phone]).unwrap();
            desk.insert("tickets", id, [format!("{name} cannot print")])
                .unwrap();
            desk.insert("invoices", id, [1200]).unwrap();
            log.insert("calls", id, [phone, "7"]).unwrap();
            log.insert("calls", id, [phone, "9"]).unwrap();
        }
        let recorder = Recorder::default();
        let outbox = Outbox::default();
        let faulty = |name: &str, source: &MemorySource| {
            Arc::new(Faulty::new(name, source.clone(), shared.clone()).recorded_by(&recorder))
        };
        let codes = Codes::new(7);
        let vault = MemoryVault::predictable(1);
        let recipient = Recipient::new(PartyId::new("mailer").unwrap(), "Mailer Ltd");
        let artifacts = MemoryArtifacts::new();
        Self {
            acme: ControllerId::new("acme").unwrap(),
            entropy: Arc::new(SeededEntropy::new(3)),
            store: Arc::new(MemoryStore::new()),
            vault_port: Arc::new(vault.clone()),
            vault,
            artifacts_port: Arc::new(artifacts.clone()),
            artifacts,
            notifier: Arc::new(outbox.clone()),
            outbox,
            verifier: Arc::new(codes.clone()),
            codes,
            desk_port: faulty("desk", &desk),
            log_port: faulty("log", &log),
            recipient_port: Arc::new(
                Faulty::new("mailer", recipient.clone(), shared.clone()).recorded_by(&recorder),
            ),
            access: Arc::new(Anyone),
            recorder,
            desk,
            log,
            recipient,
            policy: Policy::default(),
            settings: Settings::default(),
            controller: controller("eu_gdpr", "Europe/Paris"),
            clock,
        }
    }

    /// An engine on this world, as after a restart.
    pub fn engine(&self) -> Engine {
        self.engine_with(|source| source, |gateway| gateway)
    }

    /// The same, with something around its sources and gateways.
    pub fn engine_with(
        &self,
        source: impl Fn(Arc<dyn PersonalDataSource>) -> Arc<dyn PersonalDataSource>,
        gateway: impl Fn(Arc<dyn ProcessorGateway>) -> Arc<dyn ProcessorGateway>,
    ) -> Engine {
        self.builder(source, gateway).build()
    }

    /// An engine that calls a source or a recipient no more often at a time than this.
    pub fn engine_limited(&self, callee: Callee, calls: usize) -> Engine {
        let builder = self.builder(|source| source, |gateway| gateway);
        builder.limit(callee, calls).build()
    }

    fn builder(
        &self,
        source: impl Fn(Arc<dyn PersonalDataSource>) -> Arc<dyn PersonalDataSource>,
        gateway: impl Fn(Arc<dyn ProcessorGateway>) -> Arc<dyn ProcessorGateway>,
    ) -> EngineBuilder {
        let ports = Ports {
            store: Arc::clone(&self.store),
            vault: Arc::clone(&self.vault_port),
            clock: Arc::new(self.clock.clone()),
            entropy: self.entropy.clone(),
            artifacts: Arc::clone(&self.artifacts_port),
            notifier: Arc::clone(&self.notifier),
            verifier: Arc::clone(&self.verifier),
            access: Arc::clone(&self.access),
        };
        let mut controller = self.controller.clone().with_policy(self.policy.clone());
        controller.id = self.acme.clone();
        Engine::builder(ports)
            .controller(controller)
            .source(source(Arc::clone(&self.desk_port) as _))
            .source(source(Arc::clone(&self.log_port) as _))
            .gateway(gateway(Arc::clone(&self.recipient_port) as _))
            .settings(self.settings.clone())
    }

    pub fn worker(&self) -> WorkerId {
        WorkerId("w1".to_owned())
    }

    /// Works until nothing is due any more, in virtual time up to `until`.
    pub fn work_until(&self, engine: &Engine, until: DateTime<Utc>) {
        assert!(self.work_alive(engine, until, |round| round.map(Some).boxed()));
    }

    /// The same, by a worker that may die; `false` when it did. `live` gives a round's result,
    /// or nothing when the worker died in it.
    pub fn work_alive(
        &self,
        engine: &Engine,
        until: DateTime<Utc>,
        live: impl Fn(Round) -> BoxFuture<'static, Option<Result<Tick, EngineError>>>,
    ) -> bool {
        loop {
            let (engine, worker) = (engine.clone(), self.worker());
            let round = async move { engine.tick(&worker, None).await }.boxed();
            let round = self.clock.drive(live(round));
            let Some(tick) = round.expect("an engine that waits sleeps on the clock") else {
                return false;
            };
            match tick.expect("the round goes through").next {
                Some(next) if next <= self.now() => {}
                Some(next) if next <= until => self.clock.set(next),
                _ => return true,
            }
        }
    }

    /// Works on what comes within an hour.
    pub fn work(&self, engine: &Engine) {
        let now = datarights::ports::Clock::now(&self.clock);
        self.work_until(engine, now + TimeDelta::hours(1));
    }

    pub fn now(&self) -> DateTime<Utc> {
        datarights::ports::Clock::now(&self.clock)
    }

    pub fn submit(&self, engine: &Engine, wish: Wish) -> RequestId {
        let intake = Intake::new(
            Channel::Form,
            vec![Identifier::mail("Ada@Example.org").unwrap()],
            [wish],
        );
        let submitted = self
            .clock
            .drive(engine.submit(&self.acme, &Actor::Person, intake))
            .unwrap()
            .unwrap();
        submitted[0].request
    }

    /// The same, where it may be refused.
    pub fn try_submit(&self, engine: &Engine, wish: Wish) -> Result<RequestId, EngineError> {
        let ada = Identifier::mail("Ada@Example.org").unwrap();
        let intake = Intake::new(Channel::Form, vec![ada], [wish]);
        let submitted = engine.submit(&self.acme, &Actor::Person, intake);
        let submitted = self.clock.drive(submitted).unwrap()?;
        Ok(submitted[0].request)
    }

    /// Approves a request and, where there is one, its plan, and works until nothing is due.
    pub fn carry_out(&self, engine: &Engine, request: RequestId) {
        self.approve(engine, request);
        self.work(engine);
        let seen = self.see(engine, request);
        let waits = seen.fulfilment.map(|work| work.phase);
        if waits == Some(fulfilment::Phase::Approval) {
            self.approve_plan(engine, request);
            self.work(engine);
        }
    }

    pub fn command(
        &self,
        engine: &Engine,
        request: RequestId,
        actor: &Actor,
        command: impl Into<datarights::workflow::Command>,
    ) -> Result<Request, datarights::engine::EngineError> {
        self.clock
            .drive(engine.command(&self.acme, request, actor, command))
            .unwrap()
    }

    pub fn see(&self, engine: &Engine, request: RequestId) -> Request {
        self.clock
            .drive(engine.request(&self.acme, request, &staff("eve")))
            .unwrap()
            .unwrap()
    }

    /// Confirms the identity and approves the request, by `alice`.
    pub fn approve(&self, engine: &Engine, request: RequestId) {
        let alice = staff("alice");
        self.command(engine, request, &alice, lifecycle::Command::ConfirmIdentity)
            .unwrap();
        self.command(engine, request, &alice, lifecycle::Command::Approve)
            .unwrap();
    }

    /// Approves the plan that is shown, by `bob`.
    pub fn approve_plan(&self, engine: &Engine, request: RequestId) {
        let bob = staff("bob");
        let plan = self
            .clock
            .drive(engine.plan(&self.acme, request, &bob))
            .unwrap()
            .unwrap();
        let approve = fulfilment::Command::ApprovePlan {
            digest: plan.digest,
        };
        self.command(engine, request, &bob, approve).unwrap();
    }

    pub fn correction() -> Vec<Correction> {
        vec![Correction {
            collection: "users".to_owned(),
            field: "name".to_owned(),
            value: Personal::new("Ada King".to_owned()),
        }]
    }
}
