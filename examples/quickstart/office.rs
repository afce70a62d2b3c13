//! The application with `datarights` in it: every port filled, one engine.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use chrono::Datelike;
use datarights::adapters::{
    DirArtifacts, FileVault, MasterKey, SqliteStore, SystemClock, SystemEntropy, Wrapping,
};
use datarights::engine::{Controller, Engine, Intake, Ports, Progress, Submitted};
use datarights::law::{Calendar, ProcessingRecord, RetentionDuty};
use datarights::model::{Actor, Channel, ControllerId, Identifier, RequestId, SourceId, Wish};
use datarights::ports::{Clock, WorkerId};
use datarights::workflow::{Command, Request};
use futures::future::{Either, select};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};

use crate::db::Db;
use crate::desk::{self, NORA};
use crate::desk_source::DeskSource;
use crate::host::{Letters, MailedCodes, PrintShop, Roles};
use crate::mail_source::MailSource;
use crate::show;

/// What goes wrong in an application ends up here.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Where everything lies.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// The office that answers requests.
pub(crate) struct Office {
    /// The engine.
    pub(crate) engine: Engine,
    /// The help desk is the controller.
    pub(crate) controller: ControllerId,
    /// What the person finds in their inbox.
    pub(crate) codes: Arc<MailedCodes>,
    /// The help desk's database, as its own pages use it.
    pub(crate) desk: Db,
    letters: Arc<Letters>,
    progress: BoxStream<'static, Progress>,
}

impl Office {
    /// Creates the databases, and an engine on them.
    pub(crate) fn open(folder: &Folder) -> Outcome<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (desk_file, log_file) = (folder.path("helpdesk.sqlite"), folder.path("mail.sqlite"));
        desk::create(&desk_file, &log_file, clock.now().year())?;
        let desk = Db::open(&desk_file)?;
        let codes = Arc::new(MailedCodes::new(desk.clone()));
        let letters = Arc::new(Letters::default());

        let ports = Ports {
            // The request store lies beside the application's own data …
            store: Arc::new(SqliteStore::open(folder.path("requests.sqlite"))?),
            // … and its keys do not: whoever has a backup of the one cannot read the other.
            vault: Arc::new(vault(&folder.path("keys"))?),
            artifacts: Arc::new(DirArtifacts::new(folder.path("packages"))),
            clock: Arc::clone(&clock),
            entropy: Arc::new(SystemEntropy::new()?),
            notifier: Arc::clone(&letters) as _,
            verifier: Arc::clone(&codes) as _,
            access: Arc::new(Roles),
        };
        let controller = ControllerId::new("lumen-desk")?;
        let calendar = Calendar::new(show::ZONE);
        let mail_log = MailSource::new(Db::open(&log_file)?, Arc::clone(&clock))?;
        let duty = RetentionDuty::named("fr_com_l123_22")?; // ten years from the year's end
        let leads_to = vec![SourceId::new(MailSource::ID)?];
        let help_desk = DeskSource::new(desk.clone(), Arc::clone(&clock), duty, leads_to)?;
        let engine = Engine::builder(ports)
            .controller(
                Controller::new(controller.clone(), "Lumen Help Desk", "eu_gdpr", calendar)
                    .with_record(record())
                    .with_words("authority", "the CNIL (cnil.fr/plaintes)"),
            )
            .source(Arc::new(help_desk))
            .source(Arc::new(mail_log))
            .gateway(Arc::new(PrintShop::new(clock)?))
            .build();
        let progress = engine.progress();
        Ok(Self {
            engine,
            controller,
            codes,
            desk,
            letters,
            progress,
        })
    }

    /// A letter from Nora: one request for each right that she exercises.
    pub(crate) async fn receive(&mut self, wishes: Vec<Wish>) -> Outcome<Vec<Submitted>> {
        let identifiers = vec![Identifier::mail(NORA.mail)?];
        let intake = Intake::new(Channel::Mail, identifiers, wishes);
        let submitted = self
            .engine
            .submit(&self.controller, &Actor::Person, intake)
            .await?;
        self.work().await?;
        Ok(submitted)
    }

    /// Somebody decides something; the engine carries out what follows.
    pub(crate) async fn command(
        &mut self,
        request: RequestId,
        actor: &Actor,
        command: impl Into<Command>,
    ) -> Outcome<Request> {
        self.engine
            .command(&self.controller, request, actor, command)
            .await?;
        self.work().await?;
        self.request(request).await
    }

    /// A request as the desk sees it.
    pub(crate) async fn request(&self, request: RequestId) -> Outcome<Request> {
        Ok(self
            .engine
            .request(&self.controller, request, &Actor::Host)
            .await?)
    }

    /// Works until nothing is due, and shows what happens meanwhile. A server gives `Engine::run`
    /// a task of its own instead; any number of processes may do so on one store.
    pub(crate) async fn work(&mut self) -> Outcome<()> {
        let worker = WorkerId("quickstart".to_owned());
        loop {
            let mut tick = pin!(self.engine.tick(&worker, Some(&self.controller)));
            let tick = loop {
                match select(self.progress.next(), tick.as_mut()).await {
                    Either::Left((Some(step), _)) => show::progress(&step, &self.letters),
                    Either::Left((None, _)) => return Err("the engine is gone".into()),
                    Either::Right((tick, _)) => break tick?,
                }
            };
            while let Some(Some(step)) = self.progress.next().now_or_never() {
                show::progress(&step, &self.letters);
            }
            if tick.worked == 0 {
                return Ok(());
            }
        }
    }

    /// The person downloads what was made for them. A server hands the pieces to its response.
    pub(crate) async fn download(&self, request: RequestId, to: &Path) -> Outcome<()> {
        let mut package = self
            .engine
            .package(&self.controller, request, &Actor::Person)
            .await?;
        let mut file = std::fs::File::create(to)?;
        while let Some(bytes) = package.next().await {
            file.write_all(&bytes?)?;
        }
        Ok(())
    }
}

/// What the desk tells people about its processing beside the copy of their data (GDPR Art. 15(1)).
fn record() -> ProcessingRecord {
    ProcessingRecord {
        purposes: vec![
            "to answer questions about orders".to_owned(),
            "to send invoices".to_owned(),
        ],
        categories: vec![
            "contact data".to_owned(),
            "tickets".to_owned(),
            "invoices".to_owned(),
        ],
        recipients: vec!["Inkwell Print, which prints our letters".to_owned()],
        period: "invoices ten years from the year's end, all else one year after the last ticket"
            .to_owned(),
        ..ProcessingRecord::default()
    }
}

/// A vault whose keys are wrapped under one of the host's, from its secret manager. Here it is made
/// up and forgotten: nobody opens this quickstart's request store again.
fn vault(folder: &Path) -> Outcome<FileVault> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| "the system gives no randomness")?;
    Ok(FileVault::open(
        folder,
        Wrapping::Under(MasterKey::from_bytes(secret)),
    )?)
}
