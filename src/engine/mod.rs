//! Drives requests to their end: takes commands, performs effects through ports, retries, fires
//! timers.
//!
//! Decides nothing by itself: the workflow does. Reads no clock, sleeps, spawns and draws
//! randomness only through ports; knows no adapter.
//! May use everything below it but `adapters`.

mod agenda;
mod aside;
mod backlog;
mod controller;
mod error;
mod findings;
mod gates;
mod guard;
mod intake;
mod letters;
mod limits;
mod notice;
mod observe;
mod package;
mod parts;
mod perform;
mod postpone;
mod prepare;
mod progress;
mod requests;
mod run;
mod settings;
mod settle;
mod stored;
mod view;
mod words;
mod worker;

pub use aside::SetAside;
pub use backlog::Backlog;
pub use controller::Controller;
pub use error::{EngineError, Unsaid};
pub use gates::{Callee, Outage};
pub use intake::{Intake, Submitted};
pub use letters::MissingWords;
pub use perform::Completion;
pub use prepare::Prepared;
pub use progress::{Alert, Progress, Step, Trouble};
pub use run::Tick;
pub use settings::Settings;
pub use view::{ManualTask, Plan};

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;

use crate::model::{ControllerId, PartyId, SourceId};
use crate::ports::{
    AccessPolicy, ArtifactStore, Clock, Entropy, IdentityVerifier, Notifier, PersonalDataSource,
    ProcessorGateway, RequestStore, Vault,
};
use crate::workflow::{Landscape, SourceInfo};

/// How many steps are kept for a listener that is slow; it misses what comes beyond.
const PROGRESS: usize = 1024;

/// The ports that every engine needs.
#[derive(Clone)]
pub struct Ports {
    /// Where requests are kept.
    pub store: Arc<dyn RequestStore>,
    /// Where keys are kept.
    pub vault: Arc<dyn Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where packages are kept.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// How letters go out.
    pub notifier: Arc<dyn Notifier>,
    /// How people show who they are.
    pub verifier: Arc<dyn IdentityVerifier>,
    /// Who may do what.
    pub access: Arc<dyn AccessPolicy>,
}

/// The engine. Cheap to clone; all clones are one.
///
/// Commands ([`Engine::submit`], [`Engine::command`]) only write down what was decided. The work
/// is done by whoever calls [`Engine::tick`] or [`Engine::run`]: any number of workers, in any
/// number of processes on one store.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    ports: Ports,
    controllers: BTreeMap<ControllerId, Controller>,
    sources: BTreeMap<SourceId, Arc<dyn PersonalDataSource>>,
    gateways: BTreeMap<PartyId, Arc<dyn ProcessorGateway>>,
    landscape: Landscape,
    settings: Settings,
    gates: Arc<gates::Gates>,
    tries: aside::Tries,
    listeners: progress::Listeners<Progress>,
    alerts: progress::Listeners<Alert>,
    /// Rings when somebody's command left something to do.
    bell: progress::Listeners<()>,
}

/// Puts an engine together.
pub struct EngineBuilder {
    ports: Ports,
    controllers: BTreeMap<ControllerId, Controller>,
    sources: Vec<Arc<dyn PersonalDataSource>>,
    gateways: Vec<Arc<dyn ProcessorGateway>>,
    limits: BTreeMap<Callee, usize>,
    settings: Settings,
}

impl EngineBuilder {
    /// Serves a controller.
    #[must_use]
    pub fn controller(mut self, controller: Controller) -> Self {
        self.controllers.insert(controller.id.clone(), controller);
        self
    }

    /// Asks a source. One with the id of another replaces it.
    #[must_use]
    pub fn source(mut self, source: Arc<dyn PersonalDataSource>) -> Self {
        self.sources.push(source);
        self
    }

    /// Tells a recipient.
    #[must_use]
    pub fn gateway(mut self, gateway: Arc<dyn ProcessorGateway>) -> Self {
        self.gateways.push(gateway);
        self
    }

    /// Calls somebody so often at the same time and no more, over all requests of this engine,
    /// instead of [`Settings::calls`].
    #[must_use]
    pub fn limit(mut self, callee: Callee, calls: usize) -> Self {
        self.limits.insert(callee, calls);
        self
    }

    /// Tries as hard as these say.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        let settings = self.settings.bounded();
        let mut sources = BTreeMap::new();
        let mut infos = BTreeMap::new();
        for source in self.sources {
            let description = source.describe();
            infos.insert(
                description.id.clone(),
                SourceInfo {
                    id: description.id.clone(),
                    accepts: description.accepts,
                    erase_after: description.erase_after,
                },
            );
            sources.insert(description.id, source);
        }
        let mut gateways = BTreeMap::new();
        let mut recipients = Vec::new();
        for gateway in self.gateways {
            let description = gateway.describe();
            if description.informed {
                recipients.push(description.id.clone());
            }
            gateways.insert(description.id, gateway);
        }
        recipients.sort();
        recipients.dedup();
        Engine {
            inner: Arc::new(Inner {
                ports: limits::limited(self.ports, settings.call_timeout),
                controllers: self.controllers,
                sources,
                gateways,
                landscape: Landscape {
                    sources: infos.into_values().collect(),
                    recipients,
                },
                settings,
                gates: Arc::new(gates::Gates::new(self.limits)),
                tries: aside::Tries::default(),
                listeners: progress::Listeners::default(),
                alerts: progress::Listeners::default(),
                bell: progress::Listeners::default(),
            }),
        }
    }
}

impl Engine {
    /// Begins an engine on these ports.
    pub fn builder(ports: Ports) -> EngineBuilder {
        EngineBuilder {
            ports,
            controllers: BTreeMap::new(),
            sources: Vec::new(),
            gateways: Vec::new(),
            limits: BTreeMap::new(),
            settings: Settings::default(),
        }
    }

    /// What happens from now on, as it happens. A listener that is more than 1,024 behind misses
    /// some: the whole is in [`Engine::timeline`]. It is for the host itself: of all controllers,
    /// and no policy is asked.
    pub fn progress(&self) -> BoxStream<'static, Progress> {
        self.inner.listeners.listen(PROGRESS).boxed()
    }

    /// What a person should hear of from now on: who is down, and that they are back; what was set
    /// aside. Of this engine alone; like [`Engine::progress`] it is for the host itself.
    pub fn alerts(&self) -> BoxStream<'static, Alert> {
        self.inner.alerts.listen(PROGRESS).boxed()
    }

    /// Who is down now, as far as this engine found out.
    pub fn outages(&self) -> Vec<Outage> {
        self.inner.gates.outages()
    }
}
