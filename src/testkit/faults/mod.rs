//! Ports that misbehave on purpose: wrappers that fail, delay, lie or break as a script says.

mod artifacts;
mod people;
mod recorder;
mod source;
#[cfg(test)]
mod tests;
mod vault;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use chrono::TimeDelta;
use futures::future::BoxFuture;

pub use recorder::{Method, Recorded, Recorder};

use crate::ports::{Answer, CallContext, Clock, ErrorKind, Handle, Pending, PortError, VaultError};

/// What goes wrong with one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing: the call goes through.
    None,
    /// It fails before anything is done.
    Fail(ErrorKind),
    /// Everything is done, and then it fails: the answer got lost.
    FailAfter(ErrorKind),
    /// It fails half-way. A stream fails after so many items or pieces; other work is polled so
    /// often and then dropped. Work that is finished sooner fails afterwards.
    FailMidway {
        /// After how many items, pieces or polls.
        steps: usize,
        /// How it fails.
        kind: ErrorKind,
    },
    /// It is *pending*, to be asked again after this time; nothing is done yet. The next call
    /// takes the next fault of the script. Ports that cannot pend fail as unavailable.
    Pend(TimeDelta),
    /// It goes through, this much later.
    Delay(TimeDelta),
    /// Nothing is done, and it never answers.
    Never,
    /// Everything is done, and it never answers.
    NeverAfter,
    /// It is performed twice, one after the other; the second answer is given.
    Twice,
    /// It panics before anything is done.
    Panic,
    /// It panics half-way: after so many items, pieces or polls.
    PanicMidway {
        /// After how many.
        steps: usize,
    },
    /// It says that all is done and does nothing.
    Lie,
    /// It answers what cannot be.
    Garbage,
    /// A stream that does not end; other work never answers.
    Endless,
}

/// What a port does wrong, call by call.
#[derive(Default)]
struct Script {
    next: BTreeMap<Method, VecDeque<Fault>>,
    always: BTreeMap<Method, Fault>,
}

/// A port that misbehaves as scripted, around one that does not. It is a port of the same kind:
/// a source, a gateway, a notifier, a verifier, a vault or an artifact store.
///
/// Every call takes the next fault of its method; when none is left, it goes through. All calls
/// are written down by the [`Recorder`].
///
/// ```
/// use std::sync::Arc;
/// use chrono::DateTime;
/// use datarights::adapters::MemorySource;
/// use datarights::model::SourceId;
/// use datarights::ports::ErrorKind;
/// use datarights::testkit::{Fault, Faulty, Method, Recorder, TestClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recorder = Recorder::default();
/// let source = MemorySource::new(SourceId::new("desk")?, "Help desk");
/// let flaky = Faulty::new("desk", source, Arc::new(TestClock::at(DateTime::UNIX_EPOCH)))
///     .recorded_by(&recorder)
///     .on(Method::Erase, [Fault::Fail(ErrorKind::Unavailable), Fault::FailAfter(ErrorKind::Busy)]);
/// assert_eq!(flaky.faults_left(), 2);
/// # Ok(()) }
/// ```
pub struct Faulty<P> {
    name: String,
    inner: P,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
    script: Arc<Mutex<Script>>,
}

impl<P: Clone> Clone for Faulty<P> {
    /// Shares script and recorder.
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            inner: self.inner.clone(),
            clock: Arc::clone(&self.clock),
            recorder: self.recorder.clone(),
            script: Arc::clone(&self.script),
        }
    }
}

impl<P> fmt::Debug for Faulty<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faulty({})", self.name)
    }
}

impl<P> Faulty<P> {
    /// A wrapper without faults; `name` is what the recorder calls it.
    pub fn new(name: impl Into<String>, inner: P, clock: Arc<dyn Clock>) -> Self {
        Self {
            name: name.into(),
            inner,
            clock,
            recorder: Recorder::default(),
            script: Arc::default(),
        }
    }

    /// Writes its calls down there, besides those of other wrappers.
    #[must_use]
    pub fn recorded_by(mut self, recorder: &Recorder) -> Self {
        self.recorder = recorder.clone();
        self
    }

    /// The next calls of a method go wrong like this, one after the other.
    #[must_use]
    pub fn on(self, method: Method, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.will(method, faults);
        self
    }

    /// Every call of a method goes wrong like this, when its script is used up.
    #[must_use]
    pub fn always(self, method: Method, fault: Fault) -> Self {
        self.script().always.insert(method, fault);
        self
    }

    /// Adds to the script of a method while it is in use.
    pub fn will(&self, method: Method, faults: impl IntoIterator<Item = Fault>) {
        self.script().next.entry(method).or_default().extend(faults);
    }

    /// Forgets all faults: from now on, everything goes through.
    pub fn heal(&self) {
        *self.script() = Script::default();
    }

    /// How many scripted faults have not happened yet.
    pub fn faults_left(&self) -> usize {
        self.script().next.values().map(VecDeque::len).sum()
    }

    /// What is wrapped.
    pub const fn inner(&self) -> &P {
        &self.inner
    }

    /// The calls that were made.
    pub const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next fault of a method and writes the call down.
    fn begin(&self, method: Method, context: Option<&CallContext>) -> Fault {
        let fault = {
            let mut script = self.script();
            let next = script.next.get_mut(&method).and_then(VecDeque::pop_front);
            next.or_else(|| script.always.get(&method).copied())
                .unwrap_or(Fault::None)
        };
        self.recorder.record(Recorded {
            port: self.name.clone(),
            method,
            context: context.cloned(),
            at: self.clock.now(),
            fault,
        });
        fault
    }

    /// Lets a fault happen to a call. `fakes` says what a lie and garbage look like there.
    async fn happen<'a, T: CanPend, E: CanFail>(
        &'a self,
        fault: Fault,
        context: Option<&CallContext>,
        perform: &(dyn Fn() -> BoxFuture<'a, Result<T, E>> + Send + Sync),
        fakes: Fakes<'_, T, E>,
    ) -> Result<T, E> {
        match fault {
            Fault::None => perform().await,
            Fault::Fail(kind) => Err(E::failed(kind)),
            Fault::FailAfter(kind) => {
                let _lost = perform().await;
                Err(E::failed(kind))
            }
            Fault::FailMidway { steps, kind } => {
                let _lost = polled(perform(), steps).await;
                Err(E::failed(kind))
            }
            Fault::Pend(wait) => T::pending(Pending {
                handle: Handle(match context {
                    Some(context) => format!("{}/{}", self.name, context.key),
                    None => self.name.clone(),
                }),
                look_again: self.later(wait),
                task: None,
            })
            .ok_or_else(|| E::failed(ErrorKind::Unavailable)),
            Fault::Delay(wait) => {
                self.clock.sleep_until(self.later(wait)).await;
                perform().await
            }
            Fault::Never | Fault::Endless => std::future::pending().await,
            Fault::NeverAfter => {
                let _lost = perform().await;
                std::future::pending().await
            }
            Fault::Twice => {
                let _first = perform().await;
                perform().await
            }
            Fault::Panic => break_down(),
            Fault::PanicMidway { steps } => {
                let _lost = polled(perform(), steps).await;
                break_down()
            }
            Fault::Lie => Ok((fakes.lie)()),
            Fault::Garbage => (fakes.garbage)(),
        }
    }

    fn later(&self, wait: TimeDelta) -> chrono::DateTime<chrono::Utc> {
        let now = self.clock.now();
        now.checked_add_signed(wait).unwrap_or(now)
    }
}

/// What a lie and garbage look like at one method.
struct Fakes<'a, T, E> {
    lie: &'a (dyn Fn() -> T + Send + Sync),
    garbage: &'a (dyn Fn() -> Result<T, E> + Send + Sync),
}

/// An answer that may be *pending*.
trait CanPend: Sized + Send {
    fn pending(pending: Pending) -> Option<Self>;
}

impl<T: Send> CanPend for Answer<T> {
    fn pending(pending: Pending) -> Option<Self> {
        Some(Self::Pending(pending))
    }
}

/// An error that a fault can be made of.
trait CanFail: Sized + Send {
    fn failed(kind: ErrorKind) -> Self;
}

/// The code of every injected failure.
const CODE: &str = "injected_fault";

impl CanFail for PortError {
    fn failed(kind: ErrorKind) -> Self {
        Self::new(kind, CODE)
    }
}

impl CanFail for VaultError {
    fn failed(kind: ErrorKind) -> Self {
        Self::Backend {
            code: CODE.to_owned(),
            temporary: kind.is_temporary(),
        }
    }
}

/// Polls a future so often and drops it; its output if it was ready by then.
pub(super) async fn polled<T>(mut future: BoxFuture<'_, T>, steps: usize) -> Option<T> {
    let mut left = steps;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[allow(clippy::panic, reason = "this is the fault that was asked for")]
fn break_down() -> ! {
    panic!("{CODE}")
}
