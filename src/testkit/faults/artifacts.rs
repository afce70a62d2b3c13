//! An artifact store that misbehaves.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::source::cut;
use super::{CanFail, CanPend, Fakes, Fault, Faulty, Method, break_down};
use crate::model::Pending;
use crate::model::{ControllerId, RequestId};
use crate::ports::{ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, ErrorKind, PortError};

impl CanPend for Box<dyn ArtifactWriter> {
    fn pending(_: Pending) -> Option<Self> {
        None
    }
}

impl CanPend for ByteStream {
    fn pending(_: Pending) -> Option<Self> {
        None
    }
}

/// A writer that keeps nothing and says that it did.
struct Discarding;

#[async_trait]
impl ArtifactWriter for Discarding {
    async fn write(&mut self, _: &[u8]) -> Result<(), PortError> {
        Ok(())
    }
    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        Ok(())
    }
}

/// A writer whose `write` and `finish` follow the script. Work in the middle cannot be cut off
/// there: what should happen half-way happens before.
struct FaultyWriter {
    script: Faulty<()>,
    inner: Box<dyn ArtifactWriter>,
}

/// What a fault means to a writer.
enum Fate {
    Perform,
    PerformAndFail(ErrorKind),
    PerformAndNever,
    Fail(ErrorKind),
    Skip,
    Never,
    Panic,
}

async fn fate(script: &Faulty<()>, method: Method) -> Fate {
    match script.begin(method, None) {
        Fault::None | Fault::Twice => Fate::Perform,
        Fault::Delay(wait) => {
            script.clock.sleep_until(script.later(wait)).await;
            Fate::Perform
        }
        Fault::FailAfter(kind) => Fate::PerformAndFail(kind),
        Fault::Fail(kind) | Fault::FailMidway { kind, .. } => Fate::Fail(kind),
        Fault::Pend(_) | Fault::Garbage => Fate::Fail(ErrorKind::Unavailable),
        Fault::Lie => Fate::Skip,
        Fault::NeverAfter => Fate::PerformAndNever,
        Fault::Never | Fault::Endless => Fate::Never,
        Fault::Panic | Fault::PanicMidway { .. } => Fate::Panic,
    }
}

#[async_trait]
impl ArtifactWriter for FaultyWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        match fate(&self.script, Method::Write).await {
            Fate::Perform => self.inner.write(bytes).await,
            Fate::PerformAndFail(kind) => {
                self.inner.write(bytes).await?;
                Err(PortError::failed(kind))
            }
            Fate::PerformAndNever => {
                self.inner.write(bytes).await?;
                std::future::pending().await
            }
            Fate::Fail(kind) => Err(PortError::failed(kind)),
            Fate::Skip => Ok(()),
            Fate::Never => std::future::pending().await,
            Fate::Panic => break_down(),
        }
    }

    async fn finish(self: Box<Self>) -> Result<(), PortError> {
        match fate(&self.script, Method::Finish).await {
            Fate::Perform => self.inner.finish().await,
            Fate::PerformAndFail(kind) => {
                self.inner.finish().await?;
                Err(PortError::failed(kind))
            }
            Fate::PerformAndNever => {
                self.inner.finish().await?;
                std::future::pending().await
            }
            Fate::Fail(kind) => Err(PortError::failed(kind)),
            Fate::Skip => Ok(()),
            Fate::Never => std::future::pending().await,
            Fate::Panic => break_down(),
        }
    }
}

#[async_trait]
impl<A: ArtifactStore> ArtifactStore for Faulty<A> {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        let fault = self.begin(Method::Writer, None);
        let fakes = Fakes {
            lie: &|| Box::new(Discarding) as Box<dyn ArtifactWriter>,
            garbage: &|| Err(PortError::failed(ErrorKind::Nonsense)),
        };
        let perform = || self.inner.writer(key);
        let inner = self.happen(fault, None, &perform, fakes).await?;
        let script = Faulty {
            name: self.name.clone(),
            inner: (),
            clock: Arc::clone(&self.clock),
            recorder: self.recorder.clone(),
            script: Arc::clone(&self.script),
        };
        Ok(Box::new(FaultyWriter { script, inner }))
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        let fault = self.begin(Method::ReadArtifact, None);
        let fakes = Fakes {
            lie: &|| stream::empty().boxed(),
            garbage: &|| Ok(stream::iter([Ok(vec![0xff; 64])]).boxed()),
        };
        let perform = || self.inner.read(key);
        match fault {
            Fault::Endless => Ok(stream::repeat(Ok(vec![0; 4096])).boxed()),
            Fault::FailMidway { steps, kind } => {
                let pieces = perform().await?;
                Ok(cut(pieces, steps, move || Err(PortError::failed(kind))))
            }
            Fault::PanicMidway { steps } => {
                let pieces = perform().await?;
                Ok(cut(pieces, steps, || break_down()))
            }
            fault => self.happen(fault, None, &perform, fakes).await,
        }
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        let fault = self.begin(Method::DeleteArtifact, None);
        let fakes = Fakes {
            lie: &|| (),
            garbage: &|| Err(PortError::failed(ErrorKind::Nonsense)),
        };
        let perform = || self.inner.delete(key);
        self.happen(fault, None, &perform, fakes).await
    }

    async fn delete_all(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), PortError> {
        let fault = self.begin(Method::DeleteArtifact, None);
        let fakes = Fakes {
            lie: &|| (),
            garbage: &|| Err(PortError::failed(ErrorKind::Nonsense)),
        };
        let perform = || self.inner.delete_all(controller, request);
        self.happen(fault, None, &perform, fakes).await
    }
}
