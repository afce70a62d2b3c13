//! Which calls were made, in which order, under which key, attempt and fence.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::Fault;
use crate::ports::CallContext;

/// A method of a port that can be made to fail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Method {
    /// `PersonalDataSource::locate`.
    Locate,
    /// `PersonalDataSource::plan`.
    Plan,
    /// `PersonalDataSource::read`.
    Read,
    /// `PersonalDataSource::rectify`.
    Rectify,
    /// `PersonalDataSource::restrict`.
    Restrict,
    /// `PersonalDataSource::stop`.
    Stop,
    /// `PersonalDataSource::erase`.
    Erase,
    /// `PersonalDataSource::residue`.
    Residue,
    /// `ProcessorGateway::inform`.
    Inform,
    /// `ProcessorGateway::transmit`.
    Transmit,
    /// `Notifier::notify`.
    Notify,
    /// `IdentityVerifier::challenge`.
    Challenge,
    /// `IdentityVerifier::check`.
    Check,
    /// `Vault::create_key`.
    CreateKey,
    /// `Vault::seal`.
    Seal,
    /// `Vault::open`.
    Open,
    /// `Vault::digest`.
    Digest,
    /// `Vault::shred`.
    Shred,
    /// `ArtifactStore::writer`.
    Writer,
    /// `ArtifactWriter::write`.
    Write,
    /// `ArtifactWriter::finish`.
    Finish,
    /// `ArtifactStore::read`.
    ReadArtifact,
    /// `ArtifactStore::delete`.
    DeleteArtifact,
}

/// One call, without its arguments: nothing in it is personal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The name of the wrapper.
    pub port: String,
    /// What was called.
    pub method: Method,
    /// Controller, request, key, fence, attempt; `None` for vaults and artifacts, which get none.
    pub context: Option<CallContext>,
    /// When it began.
    pub at: DateTime<Utc>,
    /// What happened to it.
    pub fault: Fault,
}

/// Writes calls down. Clones share the list; several wrappers may use one.
#[derive(Clone, Default, Debug)]
pub struct Recorder(Arc<Mutex<Vec<Recorded>>>);

impl Recorder {
    fn all(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self, call: Recorded) {
        self.all().push(call);
    }

    /// All calls, in the order they began.
    pub fn calls(&self) -> Vec<Recorded> {
        self.all().clone()
    }

    /// The calls of one method of one wrapper.
    pub fn calls_of(&self, port: &str, method: Method) -> Vec<Recorded> {
        let mut calls = self.calls();
        calls.retain(|call| call.port == port && call.method == method);
        calls
    }

    /// Forgets all calls.
    pub fn clear(&self) {
        self.all().clear();
    }
}
