//! A shared port is a port: forwarders for `Arc`, so that wrappers fit around `Arc<dyn …>` too.
//! No method has a default, so that one that is missing here does not compile.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::*;
use crate::model::{
    ControllerId, Correction, Identifier, KeyId, KeyedDigest, NormalForm, Personal, RequestId,
    Sealed, Use,
};

#[async_trait]
impl<T: PersonalDataSource + ?Sized> PersonalDataSource for Arc<T> {
    fn describe(&self) -> SourceDescription {
        (**self).describe()
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        (**self).locate(context, identifiers).await
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        (**self).plan(context, locators, work).await
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        (**self).read(context, locators).await
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        (**self).rectify(context, locators, corrections).await
    }

    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        (**self).restrict(context, locators, restricted).await
    }

    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        (**self).stop(context, identifiers, uses).await
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        (**self).erase(context, locators, plan).await
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        (**self).residue(context, locators).await
    }
}

#[async_trait]
impl<T: ProcessorGateway + ?Sized> ProcessorGateway for Arc<T> {
    fn describe(&self) -> GatewayDescription {
        (**self).describe()
    }

    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError> {
        (**self).inform(context, order).await
    }

    async fn transmit(
        &self,
        context: &CallContext,
        package: Package,
    ) -> Result<Answer<()>, PortError> {
        (**self).transmit(context, package).await
    }
}

#[async_trait]
impl<T: Notifier + ?Sized> Notifier for Arc<T> {
    async fn notify(
        &self,
        context: &CallContext,
        notice: &Notice,
    ) -> Result<Answer<()>, PortError> {
        (**self).notify(context, notice).await
    }
}

#[async_trait]
impl<T: IdentityVerifier + ?Sized> IdentityVerifier for Arc<T> {
    async fn challenge(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<()>, PortError> {
        (**self).challenge(context, identifiers).await
    }

    async fn check(
        &self,
        context: &CallContext,
        evidence: &Personal<String>,
    ) -> Result<Check, PortError> {
        (**self).check(context, evidence).await
    }
}

#[async_trait]
impl<T: ArtifactStore + ?Sized> ArtifactStore for Arc<T> {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        (**self).writer(key).await
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        (**self).read(key).await
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        (**self).delete(key).await
    }

    async fn delete_all(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), PortError> {
        (**self).delete_all(controller, request).await
    }
}

#[async_trait]
impl<T: Vault + ?Sized> Vault for Arc<T> {
    async fn create_key(&self, key: &KeyId) -> Result<(), VaultError> {
        (**self).create_key(key).await
    }

    async fn seal(&self, key: &KeyId, place: &str, clear: &[u8]) -> Result<Sealed, VaultError> {
        (**self).seal(key, place, clear).await
    }

    async fn open(&self, place: &str, sealed: &Sealed) -> Result<Personal<Vec<u8>>, VaultError> {
        (**self).open(place, sealed).await
    }

    async fn digest(
        &self,
        controller: &ControllerId,
        normal: &NormalForm,
    ) -> Result<KeyedDigest, VaultError> {
        (**self).digest(controller, normal).await
    }

    async fn shred(&self, key: &KeyId) -> Result<(), VaultError> {
        (**self).shred(key).await
    }
}

#[async_trait]
impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        (**self).sleep_until(instant).await
    }
}
