//! What a host can show while requests move. Holds ids, names and counts only.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::channel::mpsc;
use futures::stream::BoxStream;

use crate::model::{ControllerId, RequestId};
use crate::workflow::{Effect, Event};

/// How many are kept for a listener that is slow; it misses what comes beyond.
const BUFFER: usize = 1024;

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Whose request.
    pub controller: ControllerId,
    /// Which request.
    pub request: RequestId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: Step,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// An event was recorded.
    Recorded(Box<Event>),
    /// An effect is being performed.
    Began {
        /// Which one.
        effect: Effect,
        /// Which attempt.
        attempt: u32,
    },
    /// An attempt failed and will be made again.
    Retrying {
        /// Which effect.
        effect: Effect,
        /// The code of the failure.
        code: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// An effect waits for another request about the same person.
    WaitingFor {
        /// The other request.
        other: RequestId,
    },
}

/// Hands progress to everybody who listens. Nobody listening costs nothing.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<mpsc::Sender<Progress>>>);

impl Listeners {
    pub(super) fn listen(&self) -> BoxStream<'static, Progress> {
        let (sender, receiver) = mpsc::channel(BUFFER);
        if let Ok(mut listeners) = self.0.lock() {
            listeners.push(sender);
        }
        receiver.boxed()
    }

    pub(super) fn tell(&self, make: impl Fn() -> Progress) {
        let Ok(mut listeners) = self.0.lock() else {
            return;
        };
        // Who is full misses one; who is gone is forgotten.
        listeners.retain_mut(|listener| match listener.try_send(make()) {
            Ok(()) => true,
            Err(error) => error.is_full(),
        });
    }
}
