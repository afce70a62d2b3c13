//! What every call to a port carries, and how every working port answers.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{ControllerId, Handle, MissingRows, Pending, RequestId};

/// The number of a lease: grows with every claim of a request. A write under an older number
/// than the newest is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// Names one effect for ever: the same over all its attempts, crashes included. Performing a
/// key twice must leave what performing it once leaves.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub String);

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tells running work that nobody waits for it any more. Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    parent: Option<Cancel>,
}

impl Cancel {
    /// One that is set with this one, and can be set alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Flag {
            set: AtomicBool::new(false),
            parent: Some(self.clone()),
        }))
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::Release);
    }

    /// Whether the work should stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::Acquire) || self.0.parent.as_ref().is_some_and(Self::is_cancelled)
    }
}

/// What every call to a port carries. Nothing in it is personal: it may be logged whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallContext {
    /// For whom the work is done.
    pub controller: ControllerId,
    /// For which request.
    pub request: RequestId,
    /// Names the effect, the same over all attempts.
    pub key: IdempotencyKey,
    /// The lease under which it is done.
    pub fence: Fence,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When the caller stops waiting.
    pub deadline: DateTime<Utc>,
    /// The handle of an earlier *pending* answer to the same key. It has nothing to do with
    /// `Engine::resume`, which takes up what was set aside.
    pub resume: Option<Handle>,
    /// Set when nobody waits any more.
    pub cancel: Cancel,
}

impl CallContext {
    /// A first attempt without a handle.
    pub fn new(
        controller: ControllerId,
        request: RequestId,
        key: IdempotencyKey,
        fence: Fence,
        deadline: DateTime<Utc>,
    ) -> Self {
        Self {
            controller,
            request,
            key,
            fence,
            attempt: 1,
            deadline,
            resume: None,
            cancel: Cancel::default(),
        }
    }
}

/// How a working port answers. Failing is the `Err` beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Answer<T> {
    /// All of it was done.
    Done(T),
    /// Some of it was done, and this is missing.
    Partly {
        /// What was done.
        done: T,
        /// What was not.
        missing: Vec<MissingRows>,
    },
    /// This port cannot do that kind of work, ever.
    Unsupported,
    /// The work goes on outside; look again then, or have the answer brought by a command.
    Pending(Pending),
}

/// Why a port failed, as far as the engine must know to go on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Not reachable, or not in time. Tried again with backoff.
    Unavailable,
    /// Reachable but contended: a deadlock, a rate limit. Tried again, sooner.
    Busy,
    /// It will never work like this: a constraint, a permission, a bad plan.
    Refused,
    /// It answered what cannot be.
    Nonsense,
    /// It was asked to stop.
    Cancelled,
}

impl ErrorKind {
    /// Whether trying again can help.
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::Unavailable | Self::Busy)
    }
}

/// The error of a working port: a kind, a code, a place. It has no room for a value, and never
/// carries another system's text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{code}{}{}", if place.is_some() { " at " } else { "" }, place.as_deref().unwrap_or(""))]
#[non_exhaustive]
pub struct PortError {
    /// What the engine needs to know.
    pub kind: ErrorKind,
    /// What happened, in snake case, e.g. `not_null_violation`.
    pub code: Cow<'static, str>,
    /// Where, e.g. `users.email`: names of tables and columns only.
    pub place: Option<String>,
}

impl PortError {
    /// An error without a place.
    pub fn new(kind: ErrorKind, code: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            code: code.into(),
            place: None,
        }
    }

    /// The same error with its place.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Not reachable, or not in time.
    pub fn unavailable(code: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unavailable, code)
    }

    /// It will never work like this.
    pub fn refused(code: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Refused, code)
    }
}
