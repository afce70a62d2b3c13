//! What becomes of an attempt, and what it says of who was called.

use crate::model::Failure;
use crate::ports::{Answer, ErrorKind, Located, MissingRows, Pending, PortError, Stopped};
use crate::workflow::{Finding, StepResult};

use super::super::error::{EngineError, Unsaid};
use super::super::gates::Heard;
use super::super::guard::PANICKED;

/// What becomes of an attempt.
pub(in crate::engine) enum Performed {
    /// A step was answered.
    Step(StepResult),
    /// A person was located: what was found is sealed when it is written down, because another
    /// source may have found more in the meantime.
    Located(Box<Located>, Vec<MissingRows>),
    /// Uses were ended, and what stood there is sealed as above.
    Stopped(Stopped, Vec<MissingRows>),
    /// A letter or a challenge went out, or waits.
    Sent(Option<Pending>),
    /// It will not work, ever.
    Failed {
        failure: Failure,
        /// As with [`Later`]: nobody was called, or not for this.
        ours: bool,
    },
    /// The package is gone.
    PackageDeleted,
    /// The key is gone.
    Shredded,
    /// The request may go.
    Delete,
    /// It did not work now.
    Later(Later),
}

/// Why it did not work now.
pub(in crate::engine) struct Later {
    pub(in crate::engine) kind: ErrorKind,
    pub(in crate::engine) code: String,
    /// Whether it is our own side that failed, and not who was called.
    pub(in crate::engine) ours: bool,
    /// Whether it panicked. A code says nothing of that: it is a port's own.
    pub(in crate::engine) panicked: bool,
}

impl Later {
    /// Something of our own that is not done yet.
    pub(in crate::engine) fn ours(code: &str) -> Self {
        Self {
            kind: ErrorKind::Unavailable,
            code: code.to_owned(),
            ours: true,
            panicked: false,
        }
    }
}

impl Performed {
    pub(super) fn later(error: PortError, ours: bool) -> Self {
        Self::Later(Later {
            kind: error.kind,
            code: error.code.into_owned(),
            ours,
            panicked: false,
        })
    }

    /// What the guard around an attempt says: what comes from a port is within its answer.
    pub(super) fn broken_off(error: PortError) -> Self {
        Self::Later(Later {
            panicked: error.code == PANICKED,
            kind: error.kind,
            code: error.code.into_owned(),
            ours: false,
        })
    }

    pub(super) fn failed(failure: Failure, ours: bool) -> Self {
        Self::Failed { failure, ours }
    }

    /// What it says about who was called.
    pub(super) fn heard(&self) -> Heard {
        match self {
            Self::Later(later)
                if later.kind != ErrorKind::Unavailable || later.ours || later.panicked =>
            {
                Heard::Unclear
            }
            Self::Later(later) => Heard::Nothing(later.code.clone()),
            Self::Failed { ours: true, .. } => Heard::Unclear,
            _ => Heard::Answer,
        }
    }
}

/// What keeps an attempt from an answer of its port.
pub(super) enum Stop {
    Port(PortError),
    /// A port of our own side: where packages are kept.
    Ours(PortError),
    Engine(EngineError),
    Unsaid(Unsaid),
    Broken(&'static str),
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unsaid(unsaid) => Self::Unsaid(unsaid),
            other => Self::Engine(other),
        }
    }
}

/// Whether the same call may go well another time.
pub(super) fn again(error: &PortError) -> bool {
    error.kind.is_temporary() || error.kind == ErrorKind::Cancelled
}

pub(super) fn refused(error: PortError) -> Failure {
    match (error.kind, error.place) {
        (ErrorKind::Nonsense, _) => Failure::Nonsense,
        (_, None) => Failure::Code(error.code),
        (_, Some(place)) => Failure::At {
            code: error.code,
            place,
        },
    }
}

pub(super) fn step<T>(answer: Answer<T>, finding: impl FnOnce(T) -> Finding) -> Performed {
    Performed::Step(match answer {
        Answer::Done(done) => StepResult::done(finding(done)),
        Answer::Partly { done, missing } => StepResult::Done {
            finding: finding(done),
            missing,
        },
        Answer::Unsupported => StepResult::Unsupported,
        Answer::Pending(pending) => StepResult::Pending(pending),
    })
}

pub(super) fn sent(answer: Answer<()>) -> Performed {
    match answer {
        Answer::Done(()) => Performed::Sent(None),
        // A letter is out, or it is not.
        Answer::Partly { missing, .. } => Performed::failed(
            (missing.into_iter().next()).map_or(Failure::Nonsense, |missing| missing.failure),
            false,
        ),
        Answer::Pending(pending) => Performed::Sent(Some(pending)),
        Answer::Unsupported => Performed::failed(Failure::Unsupported, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only who was called can be back, or down; and its own codes are its own.
    #[test]
    fn what_is_heard_of_whom() {
        let unavailable = || PortError::unavailable(PANICKED);
        let its_own = Performed::later(unavailable(), false);
        assert!(matches!(&its_own, Performed::Later(later) if !later.panicked));
        assert!(matches!(its_own.heard(), Heard::Nothing(code) if code == PANICKED));
        assert!(matches!(
            Performed::broken_off(unavailable()).heard(),
            Heard::Unclear
        ));
        let refused = |ours| Performed::failed(Failure::Code("no_plan".into()), ours);
        assert!(matches!(refused(true).heard(), Heard::Unclear));
        assert!(matches!(refused(false).heard(), Heard::Answer));
    }
}
