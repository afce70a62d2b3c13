//! Each fault does what its name says.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use futures::{FutureExt, StreamExt};
use uuid::Uuid;

use super::*;
use crate::adapters::{MemoryArtifacts, MemoryCollection, MemorySource, MemoryVault};
use crate::model::{
    ControllerId, Identifier, IdentifierKind, KeyId, PartyId, Personal, RequestId, Right, SourceId,
};
use crate::ports::{
    ArtifactKey, ArtifactStore, Check, Fence, IdempotencyKey, IdentityVerifier, Instruction,
    Locator, Notice, Notifier, Order, PersonalDataSource, ProcessorGateway, Vault, Work,
};
use crate::testkit::{Codes, Outbox, Recipient, TestClock};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn context(key: &str) -> CallContext {
    CallContext::new(
        ControllerId::new("acme").unwrap(),
        RequestId::new(Uuid::from_u128(7)),
        IdempotencyKey(key.to_owned()),
        Fence(3),
        DateTime::UNIX_EPOCH,
    )
}

fn desk(clock: &TestClock) -> Faulty<MemorySource> {
    let source = MemorySource::new(SourceId::new("desk").unwrap(), "Help desk")
        .with(MemoryCollection::new("users", ["mail"]).found_by("mail", IdentifierKind::Mail))
        .with(MemoryCollection::new("tickets", ["subject"]));
    source.insert("users", "7", ["ada@example.org"]).unwrap();
    for _ in 0..3 {
        source.insert("tickets", "7", ["Help"]).unwrap();
    }
    Faulty::new("desk", source, Arc::new(clock.clone()))
}

fn clock() -> TestClock {
    TestClock::at(DateTime::UNIX_EPOCH)
}

#[test]
fn an_erasure_fails_pends_and_succeeds_as_scripted() -> Outcome {
    let clock = clock();
    let desk = desk(&clock).on(
        Method::Erase,
        [
            Fault::Fail(ErrorKind::Unavailable),
            Fault::Pend(TimeDelta::days(14)),
            Fault::Delay(TimeDelta::hours(1)),
        ],
    );
    let seven = [Locator::new("7")];
    let mut context = context("erase");
    clock.drive(async {
        let Answer::Done(plan) = desk.plan(&context, &seven, &Work::Erase).await? else {
            return Err(PortError::refused("plan"));
        };
        let first = desk.erase(&context, &seven, &plan).await;
        assert_eq!(first, Err(PortError::unavailable("injected_fault")));
        context.attempt = 2;
        let Answer::Pending(pending) = desk.erase(&context, &seven, &plan).await? else {
            return Err(PortError::refused("pending"));
        };
        assert_eq!(
            pending.look_again,
            DateTime::UNIX_EPOCH + TimeDelta::days(14)
        );
        assert_eq!(desk.inner().rows().len(), 4);
        context.resume = Some(pending.handle);
        assert!(matches!(
            desk.erase(&context, &seven, &plan).await?,
            Answer::Done(_)
        ));
        Ok(())
    })??;
    assert_eq!(clock.now(), DateTime::UNIX_EPOCH + TimeDelta::hours(1));
    assert!(desk.inner().rows().is_empty());
    let calls = desk.recorder().calls_of("desk", Method::Erase);
    let seen: Vec<_> = calls
        .iter()
        .filter_map(|call| call.context.as_ref())
        .map(|context| (context.attempt, context.fence, context.resume.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            (1, Fence(3), false),
            (2, Fence(3), false),
            (2, Fence(3), true)
        ]
    );
    assert_eq!(desk.faults_left(), 0);
    Ok(())
}

#[test]
fn a_lie_claims_everything_and_half_way_leaves_half() -> Outcome {
    let clock = clock();
    let desk = desk(&clock).on(
        Method::Erase,
        [
            Fault::Lie,
            Fault::FailMidway {
                steps: 1,
                kind: ErrorKind::Busy,
            },
            Fault::FailAfter(ErrorKind::Busy),
            Fault::None,
        ],
    );
    let (context, seven) = (context("erase"), [Locator::new("7")]);
    clock.drive(async {
        let Answer::Done(plan) = desk.plan(&context, &seven, &Work::Erase).await? else {
            return Err(PortError::refused("plan"));
        };
        let Answer::Done(lie) = desk.erase(&context, &seven, &plan).await? else {
            return Err(PortError::refused("lie"));
        };
        assert_eq!((lie.rows.len(), desk.inner().rows().len()), (2, 4));
        assert!(desk.erase(&context, &seven, &plan).await.is_err());
        // The tickets are gone; what identifies the person is not.
        assert_eq!(desk.inner().rows().len(), 1);
        assert!(desk.erase(&context, &seven, &plan).await.is_err());
        assert!(desk.inner().rows().is_empty());
        let Answer::Done(whole) = desk.erase(&context, &seven, &plan).await? else {
            return Err(PortError::refused("whole"));
        };
        assert_eq!(whole.rows.iter().map(|count| count.rows).sum::<u64>(), 4);
        Ok(())
    })??;
    Ok(())
}

#[test]
fn readings_break_or_never_end() -> Outcome {
    let clock = clock();
    let desk = desk(&clock).on(
        Method::Read,
        [
            Fault::FailMidway {
                steps: 2,
                kind: ErrorKind::Unavailable,
            },
            Fault::Endless,
            Fault::Garbage,
        ],
    );
    let (context, seven) = (context("read"), [Locator::new("7")]);
    let mut lengths = Vec::new();
    clock.drive(async {
        for _ in 0..3 {
            if let Answer::Done(items) = desk.read(&context, &seven).await? {
                let items: Vec<bool> = items.take(100).map(|item| item.is_ok()).collect().await;
                lengths.push((items.len(), items.last().copied()));
            }
        }
        Ok::<_, PortError>(())
    })??;
    assert_eq!(
        lengths,
        [(3, Some(false)), (100, Some(true)), (3, Some(true))]
    );
    Ok(())
}

#[test]
fn shared_ports_are_wrapped_too() -> Outcome {
    let clock = clock();
    let shared: Arc<dyn PersonalDataSource> = Arc::new(desk(&clock));
    let outer = Faulty::new("outer", shared, Arc::new(clock.clone()))
        .on(Method::Residue, [Fault::Delay(TimeDelta::hours(2))]);
    clock.drive(outer.residue(&context("residue"), &[]))??;
    assert_eq!(clock.now(), DateTime::UNIX_EPOCH + TimeDelta::hours(2));
    Ok(())
}

#[test]
fn panics_and_silence() -> Outcome {
    let clock = clock();
    let desk = desk(&clock)
        .on(Method::Locate, [Fault::Panic])
        .always(Method::Residue, Fault::Never);
    let context = context("locate");
    let ada = [Identifier::mail("ada@example.org")?];
    let broke = std::panic::AssertUnwindSafe(desk.locate(&context, &ada))
        .catch_unwind()
        .now_or_never();
    assert!(matches!(broke, Some(Err(_))));
    assert!(desk.residue(&context, &[]).now_or_never().is_none());
    desk.heal();
    assert!(desk.residue(&context, &[]).now_or_never().is_some());
    Ok(())
}

#[test]
fn letters_orders_and_codes() -> Outcome {
    let clock = clock();
    let arc: Arc<dyn Clock> = Arc::new(clock.clone());
    let ada = vec![Identifier::mail("ada@example.org")?];
    let context = context("one");
    let outbox = Faulty::new("post", Outbox::default(), Arc::clone(&arc))
        .on(Method::Notify, [Fault::Twice, Fault::Lie]);
    let crm = Faulty::new(
        "crm",
        Recipient::new(PartyId::new("crm")?, "CRM Ltd"),
        Arc::clone(&arc),
    )
    .on(Method::Inform, [Fault::FailAfter(ErrorKind::Busy)]);
    let codes = Faulty::new("codes", Codes::new(1), arc);
    clock.drive(async {
        let notice = Notice::new("response", context.request, Right::Access, ada.clone());
        outbox.notify(&context, &notice).await?;
        let order = Order {
            contents: Vec::new(),
            instruction: Instruction::Erase,
            identifiers: ada.clone(),
        };
        assert!(crm.inform(&context, &order).await.is_err());
        crm.inform(&context, &order).await?;
        codes.challenge(&context, &ada).await?;
        let code = codes.inner().code(&context.controller, context.request);
        codes.challenge(&context, &ada).await?;
        assert_eq!(
            code,
            codes.inner().code(&context.controller, context.request)
        );
        let right = Personal::new(code.unwrap_or_default());
        assert_eq!(codes.check(&context, &right).await?, Check::Verified);
        let wrong = Personal::new("12345".to_owned());
        assert_eq!(codes.check(&context, &wrong).await?, Check::Rejected);
        let mut other = context.clone();
        other.request = RequestId::new(Uuid::from_u128(8));
        assert_eq!(codes.check(&other, &right).await?, Check::Rejected);
        Ok::<_, PortError>(())
    })??;
    let letters = outbox.inner().letters();
    assert_eq!((letters.len(), letters[0].asked), (1, 2));
    let received = crm.inner().received();
    assert_eq!((received.len(), received[0].sent), (1, 2));
    assert!(!format!("{letters:?} {received:?} {codes:?}").contains("ada"));
    Ok(())
}

#[test]
fn vaults_and_artifacts_break_too() -> Outcome {
    let clock = clock();
    let arc: Arc<dyn Clock> = Arc::new(clock.clone());
    let key = KeyId::try_from("acme/1".to_owned())?;
    let vault =
        Faulty::new("vault", MemoryVault::new(), Arc::clone(&arc)).on(Method::Shred, [Fault::Lie]);
    let store = Faulty::new("store", MemoryArtifacts::new(), arc)
        .on(Method::Finish, [Fault::Fail(ErrorKind::Busy), Fault::Lie]);
    let at = ArtifactKey::new(
        &ControllerId::new("acme")?,
        RequestId::new(Uuid::from_u128(7)),
        "a",
    );
    clock.drive(async {
        vault.create_key(&key).await?;
        vault.shred(&key).await?;
        vault.seal(&key, "still", b"there").await?;
        vault.shred(&key).await?;
        assert!(vault.seal(&key, "now", b"gone").await.is_err());
        Ok::<_, VaultError>(())
    })??;
    clock.drive(async {
        assert!(store.writer(&at).await?.finish().await.is_err());
        store.writer(&at).await?.finish().await?;
        assert!(store.read(&at).await.is_err());
        store.writer(&at).await?.finish().await?;
        assert!(store.read(&at).await.is_ok());
        Ok::<_, PortError>(())
    })??;
    Ok(())
}
