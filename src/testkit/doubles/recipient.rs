//! A processor that keeps every order and package.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::TryStreamExt;

use crate::model::{ControllerId, PartyId, RequestId};
use crate::ports::{
    Answer, CallContext, GatewayDescription, IdempotencyKey, Order, Package, PortError,
    ProcessorGateway,
};

/// Something that arrived.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// For whom it was sent.
    pub controller: ControllerId,
    /// About which request.
    pub request: RequestId,
    /// The effect that sent it.
    pub key: IdempotencyKey,
    /// How often it was sent; it took effect once.
    pub sent: u32,
    /// The order, unless it is a package.
    pub order: Option<Order>,
    /// The package, unless it is an order.
    pub package: Option<Vec<u8>>,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("request", &self.request)
            .field("key", &self.key)
            .field("sent", &self.sent)
            .field("order", &self.order)
            .field("package", &self.package.as_ref().map(Vec::len))
            .finish()
    }
}

/// A recipient that confirms at once. Clones share what it received. For one that takes its
/// time, wrap it in [`Faulty`](crate::testkit::Faulty).
#[derive(Clone, Debug)]
pub struct Recipient {
    description: GatewayDescription,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Recipient {
    /// A recipient that is told of every change.
    pub fn new(id: PartyId, title: impl Into<String>) -> Self {
        Self::described(GatewayDescription::new(id, title))
    }

    /// A recipient of this description.
    pub fn described(description: GatewayDescription) -> Self {
        Self {
            description,
            received: Arc::default(),
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that arrived, in order.
    pub fn received(&self) -> Vec<Received> {
        self.all().clone()
    }

    fn receive(&self, context: &CallContext, order: Option<Order>, package: Option<Vec<u8>>) {
        let mut all = self.all();
        let known = all
            .iter_mut()
            .find(|r| r.controller == context.controller && r.key == context.key);
        match known {
            Some(received) => received.sent += 1,
            None => all.push(Received {
                controller: context.controller.clone(),
                request: context.request,
                key: context.key.clone(),
                sent: 1,
                order,
                package,
            }),
        }
    }
}

#[async_trait]
impl ProcessorGateway for Recipient {
    fn describe(&self) -> GatewayDescription {
        self.description.clone()
    }

    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError> {
        self.receive(context, Some(order.clone()), None);
        Ok(Answer::Done(()))
    }

    async fn transmit(
        &self,
        context: &CallContext,
        package: Package,
    ) -> Result<Answer<()>, PortError> {
        let bytes = package.content.try_concat().await?;
        self.receive(context, None, Some(bytes));
        Ok(Answer::Done(()))
    }
}
