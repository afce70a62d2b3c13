//! The gateway of the guide and the recipient of the testkit conform, and the suite bites: each
//! fault is found, on the line of the contract that it breaks.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use datarights::model::{ControllerId, PartyId, Personal};
use datarights::ports::{
    Answer, CallContext, ErrorKind, GatewayDescription, IdempotencyKey, Instruction, Order,
    Package, PortError, ProcessorGateway,
};
use datarights::testkit::gateway_suite::{Specimen, assert_conforms, check};
use datarights::testkit::{GatewayLine, OtherEnd, Recipient};
use futures::{StreamExt, TryStreamExt, stream};

/// The gateway that `docs/write-a-gateway.md` builds.
mod guide {
    #![allow(dead_code, reason = "its main is the guide's own")]
    include!("../docs/write-a-gateway/processor.rs");
    include!("../docs/write-a-gateway/gateway.rs");
    include!("../docs/write-a-gateway/suite.rs");

    pub(super) async fn fresh() -> Specimen {
        specimen().await
    }
}

struct Received(Recipient);

#[async_trait]
impl OtherEnd for Received {
    async fn arrived(&self) -> Vec<Personal<Vec<u8>>> {
        let received = self.0.received().into_iter();
        let content = received.map(|one| match (one.order, one.package) {
            (Some(order), _) => {
                let people = order.identifiers.iter().filter_map(|i| i.normal().ok());
                let people: Vec<_> = people.map(|n| n.expose().to_owned()).collect();
                let what = match &order.instruction {
                    Instruction::Rectify(wishes) => wishes
                        .iter()
                        .map(|wish| wish.value.expose().as_str())
                        .collect(),
                    other => format!("{other:?}"),
                };
                format!("{what} {people:?} {:?}", order.contents).into_bytes()
            }
            (_, package) => package.unwrap_or_default(),
        });
        content.map(Personal::new).collect()
    }
}

#[tokio::test]
async fn the_recipient_conforms() {
    let fresh = async || {
        let recipient = Recipient::new(PartyId::new("acme-print").unwrap(), "Acme Print");
        Specimen::new(Arc::new(recipient.clone()), Arc::new(Received(recipient)))
    };
    assert_conforms(fresh).await;
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Wrong {
    Nothing,
    NamesItselfAnew,
    ErasesWhateverIsAsked,
    ForgetsWho,
    ForgetsTheLaw,
    NewKeyPerCall,
    NewKeyPerAttempt,
    OneKeyForAll,
    IgnoresController,
    DoneWhenSent,
    NeverSeesTheAnswer,
    NeedsTheHandle,
    LossIsDone,
    LossIsFinal,
    LossIsUnsupported,
    GivesUpAfterLoss,
    CutsPackages,
    DoublesPieces,
    SendsHalf,
    SwallowsTheError,
    RenamesTheError,
    TellsWho,
    TellsTexts,
    Panics,
}
use Wrong::*;

/// The guide's gateway with one fault.
struct Mutant {
    inner: Arc<dyn ProcessorGateway>,
    wrong: Wrong,
    calls: AtomicU32,
    lost: Mutex<Vec<IdempotencyKey>>,
}

impl Mutant {
    /// As it was, or as the fault makes it.
    fn context(&self, context: &CallContext) -> CallContext {
        let mut context = context.clone();
        let key = context.key.0.clone();
        match self.wrong {
            NewKeyPerCall => {
                let call = self.calls.fetch_add(1, Ordering::Relaxed);
                context.key = IdempotencyKey(format!("{key}/{call}"));
            }
            NewKeyPerAttempt if context.resume.is_none() && key.ends_with("again") => {
                let call = self.calls.fetch_add(1, Ordering::Relaxed);
                context.key = IdempotencyKey(format!("{key}/{call}"));
            }
            OneKeyForAll => context.key = IdempotencyKey("one".to_owned()),
            IgnoresController => context.controller = ControllerId::new("us").unwrap(),
            _ => {}
        }
        context
    }

    fn before(&self, context: &CallContext) -> Result<(), PortError> {
        assert!(self.wrong != Panics, "as mutants do");
        if self.wrong == GivesUpAfterLoss && self.lost.lock().unwrap().contains(&context.key) {
            return Err(PortError::refused("tried_already"));
        }
        Ok(())
    }

    fn after(
        &self,
        context: &CallContext,
        who: &str,
        answer: Result<Answer<()>, PortError>,
    ) -> Result<Answer<()>, PortError> {
        match (self.wrong, answer) {
            (DoneWhenSent, Ok(Answer::Pending(_))) => Ok(Answer::Done(())),
            (NeedsTheHandle, Ok(Answer::Done(()))) if context.resume.is_none() => {
                Err(PortError::refused("no_such_job"))
            }
            (LossIsDone, Err(error)) if error.kind == ErrorKind::Unavailable => {
                Ok(Answer::Done(()))
            }
            (LossIsFinal, Err(error)) if error.kind == ErrorKind::Unavailable => {
                Err(PortError::refused("no_answer"))
            }
            (LossIsUnsupported, Err(error)) if error.kind == ErrorKind::Unavailable => {
                Ok(Answer::Unsupported)
            }
            (GivesUpAfterLoss, Err(error)) => {
                self.lost.lock().unwrap().push(context.key.clone());
                Err(error)
            }
            (TellsWho, Err(error)) => Err(error.at(who)),
            (TellsTexts, Err(error)) => Err(PortError::new(error.kind, "No route to host!")),
            (RenamesTheError, Err(error)) if error.kind == ErrorKind::Refused => {
                Err(PortError::unavailable("upload_failed"))
            }
            (SwallowsTheError, Err(error)) if error.kind == ErrorKind::Refused => {
                Ok(Answer::Unsupported)
            }
            (_, answer) => answer,
        }
    }
}

#[async_trait]
impl ProcessorGateway for Mutant {
    fn describe(&self) -> GatewayDescription {
        let mut description = self.inner.describe();
        if self.wrong == NamesItselfAnew {
            description.title = self.calls.fetch_add(1, Ordering::Relaxed).to_string();
        }
        description
    }

    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError> {
        self.before(context)?;
        let mut told = order.clone();
        match self.wrong {
            ErasesWhateverIsAsked => told.instruction = Instruction::Erase,
            ForgetsWho => told.identifiers.clear(),
            ForgetsTheLaw => told.contents.clear(),
            _ => {}
        }
        let mut answer = self.inner.inform(&self.context(context), &told).await;
        if self.wrong == NeverSeesTheAnswer
            && let Some(handle) = &context.resume
        {
            // It looks at the handle alone, and remembers what it said first.
            let pending = datarights::ports::Pending {
                handle: handle.clone(),
                look_again: context.deadline,
                task: None,
            };
            answer = Ok(Answer::Pending(pending));
        }
        let who = order.identifiers.first().and_then(|i| i.normal().ok());
        let who = who.map_or_else(String::new, |who| who.expose().to_owned());
        self.after(context, &who, answer)
    }

    async fn transmit(
        &self,
        context: &CallContext,
        package: Package,
    ) -> Result<Answer<()>, PortError> {
        self.before(context)?;
        let bytes = package.bytes;
        let content = match self.wrong {
            CutsPackages => package.content.take(3).boxed(),
            DoublesPieces => package
                .content
                .map_ok(|piece| [piece.clone(), piece].concat())
                .boxed(),
            SendsHalf => {
                let all: Vec<_> = package.content.collect().await;
                stream::iter(all.into_iter().filter(Result::is_ok)).boxed()
            }
            _ => package.content,
        };
        let package = Package { bytes, content };
        let answer = self.inner.transmit(&self.context(context), package).await;
        self.after(context, "person-0@delivery-suite.example", answer)
    }
}

/// Every fault, and the line it breaks.
const MUTANTS: &[(Wrong, GatewayLine)] = &[
    (NamesItselfAnew, GatewayLine::Describes),
    (ErasesWhateverIsAsked, GatewayLine::Informs),
    (ForgetsWho, GatewayLine::Informs),
    (ForgetsTheLaw, GatewayLine::Informs),
    (NewKeyPerCall, GatewayLine::Once),
    (NewKeyPerAttempt, GatewayLine::Once),
    (OneKeyForAll, GatewayLine::Apart),
    (IgnoresController, GatewayLine::Apart),
    (DoneWhenSent, GatewayLine::Confirmed),
    (NeverSeesTheAnswer, GatewayLine::Confirmed),
    (NeedsTheHandle, GatewayLine::Confirmed),
    (LossIsDone, GatewayLine::Trouble),
    (LossIsFinal, GatewayLine::Trouble),
    (LossIsUnsupported, GatewayLine::Trouble),
    (GivesUpAfterLoss, GatewayLine::Trouble),
    (CutsPackages, GatewayLine::Transmits),
    (DoublesPieces, GatewayLine::Transmits),
    (SendsHalf, GatewayLine::Broken),
    (SwallowsTheError, GatewayLine::Broken),
    (RenamesTheError, GatewayLine::Broken),
    (TellsWho, GatewayLine::QuietErrors),
    (TellsTexts, GatewayLine::QuietErrors),
    (Panics, GatewayLine::Informs),
];

async fn mutant(wrong: Wrong) -> Specimen {
    let mut specimen = guide::fresh().await;
    specimen.gateway = Arc::new(Mutant {
        inner: specimen.gateway,
        wrong,
        calls: AtomicU32::new(0),
        lost: Mutex::default(),
    });
    specimen
}

#[tokio::test]
async fn the_gateway_of_the_guide_conforms() {
    assert_conforms(async || mutant(Nothing).await).await;
}

#[tokio::test]
async fn the_suite_finds_every_mutant() {
    for &(wrong, line) in MUTANTS {
        let found = check(async || mutant(wrong).await).await;
        let broken = found.expect_err(&format!("{wrong:?} passes"));
        assert!(broken.has(line), "{wrong:?} breaks {:?}", broken.lines());
    }
}
