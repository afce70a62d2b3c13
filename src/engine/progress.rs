//! What a host can show while requests move. Holds ids, names and counts only.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use futures::channel::mpsc;

use crate::model::{ControllerId, RequestId};
use crate::workflow::{Effect, Event};

use super::aside::SetAside;
use super::gates::{Callee, Outage};

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
    /// An effect is not begun yet: who is to be called has enough to do, or is down.
    PutOff {
        /// Which effect.
        effect: Effect,
        /// Until when.
        at: DateTime<Utc>,
    },
    /// An effect waits for another request about the same person.
    WaitingFor {
        /// The other request.
        other: RequestId,
    },
}

/// Something that a person should hear of, whatever the requests do meanwhile.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Alert {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: Trouble,
}

/// What a person should hear of.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// Somebody who is called does not answer. What needs them waits and is tried now and then.
    Down(Outage),
    /// Something cannot be worked on, and waits for a person to decide.
    SetAside(SetAside),
    /// It answered again.
    Back {
        /// Who.
        callee: Callee,
        /// Since when it was down.
        since: DateTime<Utc>,
    },
}

/// Hands what happens to everybody who listens. Nobody listening costs nothing.
pub(super) struct Listeners<T>(Mutex<Vec<mpsc::Sender<T>>>);

impl<T> Default for Listeners<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Listeners<T> {
    /// What is told from now on; a listener that is more than `buffer` behind misses some.
    pub(super) fn listen(&self, buffer: usize) -> mpsc::Receiver<T> {
        let (sender, receiver) = mpsc::channel(buffer);
        if let Ok(mut listeners) = self.0.lock() {
            listeners.push(sender);
        }
        receiver
    }

    pub(super) fn tell(&self, make: impl Fn() -> T) {
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
