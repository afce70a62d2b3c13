//! Gateways, notifiers and verifiers that misbehave.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};

use super::{CanPend, Fakes, Fault, Faulty, Method};
use crate::model::{Failure, Identifier, MissingRows, Pending, Personal};
use crate::ports::{
    Answer, CallContext, Check, GatewayDescription, IdentityVerifier, Notice, Notifier, Order,
    Package, PortError, ProcessorGateway,
};

/// A lie and garbage of everything that only says *done*.
const DONE_OR_NOT: Fakes<'static, Answer<()>, PortError> = Fakes {
    lie: &|| Answer::Done(()),
    garbage: &|| {
        Ok(Answer::Partly {
            done: (),
            missing: vec![MissingRows {
                collection: Some("no_such_collection".to_owned()),
                rows: Some(u64::MAX),
                failure: Failure::Nonsense,
            }],
        })
    },
};

#[async_trait]
impl<G: ProcessorGateway> ProcessorGateway for Faulty<G> {
    fn describe(&self) -> GatewayDescription {
        self.inner.describe()
    }

    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError> {
        let fault = self.begin(Method::Inform, Some(context));
        let perform = || self.inner.inform(context, order);
        self.happen(fault, Some(context), &perform, DONE_OR_NOT)
            .await
    }

    /// A package that is not simply passed through is read into memory first, so that it can be
    /// sent twice.
    async fn transmit(
        &self,
        context: &CallContext,
        package: Package,
    ) -> Result<Answer<()>, PortError> {
        let fault = self.begin(Method::Transmit, Some(context));
        if fault == Fault::None {
            return self.inner.transmit(context, package).await;
        }
        let bytes = package.bytes;
        let pieces: Vec<Vec<u8>> = package.content.try_collect().await?;
        let perform = || {
            let content = stream::iter(pieces.clone()).map(Ok).boxed();
            self.inner.transmit(context, Package { bytes, content })
        };
        self.happen(fault, Some(context), &perform, DONE_OR_NOT)
            .await
    }
}

#[async_trait]
impl<N: Notifier> Notifier for Faulty<N> {
    async fn notify(
        &self,
        context: &CallContext,
        notice: &Notice,
    ) -> Result<Answer<()>, PortError> {
        let fault = self.begin(Method::Notify, Some(context));
        let perform = || self.inner.notify(context, notice);
        self.happen(fault, Some(context), &perform, DONE_OR_NOT)
            .await
    }
}

impl CanPend for Check {
    fn pending(_: Pending) -> Option<Self> {
        None
    }
}

#[async_trait]
impl<V: IdentityVerifier> IdentityVerifier for Faulty<V> {
    async fn challenge(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<()>, PortError> {
        let fault = self.begin(Method::Challenge, Some(context));
        let perform = || self.inner.challenge(context, identifiers);
        self.happen(fault, Some(context), &perform, DONE_OR_NOT)
            .await
    }

    /// A lie says *verified*.
    async fn check(
        &self,
        context: &CallContext,
        evidence: &Personal<String>,
    ) -> Result<Check, PortError> {
        let fault = self.begin(Method::Check, Some(context));
        let fakes = Fakes {
            lie: &|| Check::Verified,
            garbage: &|| {
                Err(PortError::new(
                    crate::ports::ErrorKind::Nonsense,
                    super::CODE,
                ))
            },
        };
        let perform = || self.inner.check(context, evidence);
        self.happen(fault, Some(context), &perform, fakes).await
    }
}
