//! A copy of the help desk, and an engine on it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datarights::adapters::{MemoryArtifacts, MemoryVault, SqliteStore};
use datarights::engine::{Controller, Engine, EngineError, Intake, Ports};
use datarights::law::{Calendar, ProcessingRecord};
use datarights::model::{Actor, Channel, ControllerId, Identifier, RequestId, Wish};
use datarights::ports::WorkerId;
use datarights::testkit::{Codes, Outbox, SeededEntropy, TestClock};
use datarights::workflow::{Command, Request, fulfilment, lifecycle};
use futures::StreamExt;

use crate::db::Db;
use crate::source::TableSource;

/// The help desk, copied; nobody changes the original.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) controller: ControllerId,
    pub(crate) letters: Outbox,
}

/// Where the real help desk lies, if it does; with `CI=true` it must.
pub(crate) fn original() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/helpdesk.sqlite");
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "there is no {}",
        path.display()
    );
    println!("skipped: there is no {}", path.display());
    None
}

pub(crate) fn copy(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("helpdesk.sqlite");
    std::fs::copy(original()?, &path).unwrap();
    // The original may be read-only, and so its copy.
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    #[allow(
        clippy::permissions_set_readonly_false,
        reason = "a copy in a folder of our own"
    )]
    permissions.set_readonly(false);
    std::fs::set_permissions(&path, permissions).unwrap();
    Some(path)
}

impl Bench {
    pub(crate) fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let database = copy(folder.path())?;
        let letters = Outbox::default();
        let ports = Ports {
            store: Arc::new(SqliteStore::open(folder.path().join("requests.sqlite")).unwrap()),
            vault: Arc::new(MemoryVault::new()),
            clock: Arc::new(TestClock::at("2026-11-22T09:00:00Z".parse().unwrap())),
            entropy: Arc::new(SeededEntropy::new(7)),
            artifacts: Arc::new(MemoryArtifacts::new()),
            notifier: Arc::new(letters.clone()),
            verifier: Arc::new(Codes::new(7)),
            access: Arc::new(Anybody),
        };
        let controller = ControllerId::new("help-desk").unwrap();
        let calendar = Calendar::in_zone("Europe/Paris").unwrap();
        let engine = Engine::builder(ports)
            .controller(
                Controller::new(controller.clone(), "Help desk", "eu_gdpr", calendar).with_record(
                    ProcessingRecord {
                        purposes: vec!["support".to_owned()],
                        categories: vec!["tickets".to_owned()],
                        recipients: vec!["none".to_owned()],
                        period: "until one year after the contract ends".to_owned(),
                        ..ProcessingRecord::default()
                    },
                ),
            )
            .source(Arc::new(
                TableSource::desk(Db::open(&database).unwrap()).unwrap(),
            ))
            .source(Arc::new(
                TableSource::addresses(Db::open(&database).unwrap()).unwrap(),
            ))
            .build();
        Some(Self {
            folder,
            engine,
            controller,
            letters,
        })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("helpdesk.sqlite")
    }

    /// Carries a wish as far as it goes: identity, approval, plan, four eyes.
    pub(crate) async fn carry(&self, who: Identifier, wish: Wish) -> Request {
        let intake = Intake::new(Channel::Form, vec![who], [wish]);
        let submitted = self
            .engine
            .submit(&self.controller, &Actor::Person, intake)
            .await
            .unwrap();
        let request = submitted[0].request;
        loop {
            self.work().await;
            let seen = self.request(request).await;
            let work = seen.fulfilment.as_ref();
            match (seen.lifecycle.phase, work.map(|work| work.phase)) {
                (lifecycle::Phase::Received, _) => {
                    self.command(request, "desk", lifecycle::Command::ConfirmIdentity)
                        .await;
                }
                (lifecycle::Phase::Assessment, _) => {
                    self.command(request, "desk", lifecycle::Command::Approve)
                        .await;
                }
                (lifecycle::Phase::Fulfilment, Some(fulfilment::Phase::Approval)) => {
                    let digest = work.unwrap().plan_digest();
                    let approve = fulfilment::Command::ApprovePlan { digest };
                    self.command(request, "officer", approve).await;
                }
                _ => return seen,
            }
        }
    }

    async fn work(&self) {
        let worker = WorkerId("bench".to_owned());
        while self.engine.tick(&worker, None).await.unwrap().worked > 0 {}
    }

    async fn command(&self, request: RequestId, who: &str, command: impl Into<Command>) {
        let staff = Actor::staff(who).unwrap();
        self.engine
            .command(&self.controller, request, &staff, command)
            .await
            .unwrap();
    }

    async fn request(&self, request: RequestId) -> Request {
        self.engine
            .request(&self.controller, request, &Actor::Host)
            .await
            .unwrap()
    }

    /// The entries of the package, as the person unpacks it.
    pub(crate) async fn package(
        &self,
        request: &Request,
    ) -> Result<BTreeMap<String, Vec<u8>>, EngineError> {
        let mut pieces = self
            .engine
            .package(&self.controller, request.facts.id, &Actor::Person)
            .await?;
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            bytes.extend(piece?);
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut entries = BTreeMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            entries.insert(entry.name().unwrap().into_owned(), content);
        }
        Ok(entries)
    }
}

struct Anybody;

#[async_trait::async_trait]
impl datarights::ports::AccessPolicy for Anybody {
    async fn allow(
        &self,
        _: &datarights::ports::Query<'_>,
    ) -> Result<datarights::ports::Grant, datarights::ports::Denied> {
        Ok(datarights::ports::Grant::agreed())
    }
}
