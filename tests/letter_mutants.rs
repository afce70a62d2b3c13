//! The notifier and the verifier of the testkit conform, and their suites bite: each fault is
//! found, on the line of the contract that it breaks.
#![cfg(feature = "testkit")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use datarights::model::{ControllerId, Identifier, Personal, RequestId};
use datarights::ports::{
    Answer, CallContext, Check, Handle, IdempotencyKey, IdentityVerifier, Notice, Notifier,
    Pending, PortError,
};
use datarights::testkit::identity_suite::{self, Inbox};
use datarights::testkit::{
    Codes, Cut, IdentityLine, NotifierLine, OtherEnd, Outbox, notifier_suite,
};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Wrong {
    Nothing,
    NewKeyPerCall,
    OneKeyForAll,
    IgnoresController,
    ToNobody,
    SaysLess,
    DoneWhenAsked,
    LossIsDone,
    LossIsFinal,
    TellsWho,
    VerifiesAll,
    VerifiesNobody,
    VerifiesNothing,
    ComparesTheBeginning,
    TakesAnyCode,
    IgnoresControllerOfEvidence,
    TellsEvidence,
}
use Wrong::*;

/// A post office: it may lose what is handed over, or lie until somebody carries it away.
#[derive(Clone, Default)]
struct Post(Arc<Mutex<Counter>>);

#[derive(Default)]
struct Counter {
    cut: Option<Cut>,
    held: bool,
    /// What lies there, by key.
    lies: BTreeSet<String>,
}

impl Post {
    /// Hands something over, with what may happen on the way.
    async fn carry(
        &self,
        context: &CallContext,
        hand: impl Future<Output = Result<Answer<()>, PortError>>,
    ) -> Result<Answer<()>, PortError> {
        let cut = self.0.lock().unwrap().cut.take();
        let lost = PortError::unavailable("post_office_closed");
        if cut == Some(Cut::There) {
            return Err(lost);
        }
        tokio::task::yield_now().await;
        let answer = hand.await;
        tokio::task::yield_now().await;
        if cut.is_some() {
            return Err(lost);
        }
        let name = format!("{}/{}", context.controller, context.key);
        let mut counter = self.0.lock().unwrap();
        if counter.held {
            counter.lies.insert(name.clone());
        }
        if counter.lies.contains(&name) {
            return Ok(Answer::Pending(Pending {
                handle: Handle(name),
                look_again: context.deadline,
                task: None,
            }));
        }
        answer
    }
}

/// What a fault makes of a context.
fn changed(wrong: Wrong, context: &CallContext, calls: &AtomicU32) -> CallContext {
    let mut context = context.clone();
    match wrong {
        NewKeyPerCall => {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            context.key = IdempotencyKey(format!("{}/{call}", context.key));
        }
        OneKeyForAll => context.key = IdempotencyKey("one".to_owned()),
        IgnoresController => context.controller = ControllerId::new("us").unwrap(),
        _ => {}
    }
    context
}

/// What a fault makes of an answer.
fn told(
    wrong: Wrong,
    answer: Result<Answer<()>, PortError>,
    to: &[Identifier],
) -> Result<Answer<()>, PortError> {
    match (wrong, answer) {
        (DoneWhenAsked, Ok(_)) | (LossIsDone, Err(_)) => Ok(Answer::Done(())),
        (LossIsFinal, Err(_)) => Err(PortError::refused("no_answer")),
        (TellsWho, Err(error)) => {
            let who = to.first().and_then(|to| to.normal().ok());
            Err(error.at(who.expect("a person").expose()))
        }
        (_, answer) => answer,
    }
}

struct Letters {
    outbox: Outbox,
    post: Post,
    wrong: Wrong,
    calls: AtomicU32,
}

#[async_trait]
impl Notifier for Letters {
    async fn notify(
        &self,
        context: &CallContext,
        notice: &Notice,
    ) -> Result<Answer<()>, PortError> {
        let mut sent = notice.clone();
        match self.wrong {
            ToNobody => sent.to.clear(),
            SaysLess => sent.contents.truncate(1),
            _ => {}
        }
        let context = changed(self.wrong, context, &self.calls);
        let hand = self.outbox.notify(&context, &sent);
        told(
            self.wrong,
            self.post.carry(&context, hand).await,
            &notice.to,
        )
    }
}

struct Shelf(Outbox, Post);

#[async_trait]
impl OtherEnd for Shelf {
    async fn arrived(&self) -> Vec<Personal<Vec<u8>>> {
        let letters = self.0.letters().into_iter();
        let content = letters.map(|letter| {
            let to = letter.notice.to.iter().filter_map(|to| to.normal().ok());
            let to: Vec<_> = to.map(|to| to.expose().to_owned()).collect();
            let notice = &letter.notice;
            format!("{} {:?} {to:?}", notice.kind, notice.contents)
        });
        content
            .map(|text| Personal::new(text.into_bytes()))
            .collect()
    }

    async fn hold(&self) -> bool {
        self.1.0.lock().unwrap().held = true;
        true
    }

    async fn confirm(&self) {
        let mut counter = self.1.0.lock().unwrap();
        counter.held = false;
        counter.lies.clear();
    }

    async fn cut(&self, cut: Cut) -> bool {
        self.1.0.lock().unwrap().cut = Some(cut);
        true
    }
}

async fn letters(wrong: Wrong) -> notifier_suite::Specimen {
    let (outbox, post) = (Outbox::default(), Post::default());
    let notifier = Letters {
        outbox: outbox.clone(),
        post: post.clone(),
        wrong,
        calls: AtomicU32::new(0),
    };
    notifier_suite::Specimen::new(Arc::new(notifier), Arc::new(Shelf(outbox, post)))
}

#[tokio::test]
async fn the_outbox_conforms() {
    notifier_suite::assert_conforms(async || letters(Nothing).await).await;
}

#[tokio::test]
async fn the_suite_finds_every_notifier_mutant() {
    for (wrong, line) in [
        (NewKeyPerCall, NotifierLine::Once),
        (OneKeyForAll, NotifierLine::Apart),
        (IgnoresController, NotifierLine::Apart),
        (ToNobody, NotifierLine::Says),
        (SaysLess, NotifierLine::Says),
        (DoneWhenAsked, NotifierLine::HandedOver),
        (LossIsDone, NotifierLine::Trouble),
        (LossIsFinal, NotifierLine::Trouble),
        (TellsWho, NotifierLine::QuietErrors),
    ] {
        let found = notifier_suite::check(async || letters(wrong).await).await;
        let broken = found.expect_err(&format!("{wrong:?} passes"));
        assert!(broken.has(line), "{wrong:?} breaks {:?}", broken.lines());
    }
}

/// A verifier over the codes of the testkit.
struct Mailed {
    codes: Codes,
    post: Post,
    wrong: Wrong,
    calls: AtomicU32,
    /// Which challenges went out, and for what.
    sent: Mutex<Vec<(ControllerId, RequestId, IdempotencyKey)>>,
}

impl Mailed {
    /// A challenge goes out, unless its key did.
    fn note(&self, context: &CallContext) {
        let mut sent = self.sent.lock().unwrap();
        let (whose, key) = (&context.controller, &context.key);
        if !sent
            .iter()
            .any(|(of, _, known)| (of, known) == (whose, key))
        {
            sent.push((whose.clone(), context.request, key.clone()));
        }
    }
}

#[async_trait]
impl IdentityVerifier for Mailed {
    async fn challenge(
        &self,
        context: &CallContext,
        to: &[Identifier],
    ) -> Result<Answer<()>, PortError> {
        let changed = changed(self.wrong, context, &self.calls);
        let hand = async {
            self.note(&changed);
            self.codes.challenge(&changed, to).await
        };
        told(self.wrong, self.post.carry(&changed, hand).await, to)
    }

    async fn check(
        &self,
        context: &CallContext,
        evidence: &Personal<String>,
    ) -> Result<Check, PortError> {
        let code = self.codes.code(&context.controller, context.request);
        let given = evidence.expose();
        let verified = match self.wrong {
            VerifiesAll => true,
            VerifiesNobody => false,
            VerifiesNothing if code.is_none() => true,
            ComparesTheBeginning => code.is_some_and(|code| given.starts_with(&code)),
            TakesAnyCode => {
                let sent = self.sent.lock().unwrap();
                sent.iter().any(|(controller, request, _)| {
                    self.codes.code(controller, *request).as_ref() == Some(given)
                })
            }
            IgnoresControllerOfEvidence => {
                let sent = self.sent.lock().unwrap();
                sent.iter().any(|(controller, request, _)| {
                    *request == context.request
                        && self.codes.code(controller, *request).as_ref() == Some(given)
                })
            }
            TellsEvidence if code.as_ref() != Some(given) => {
                return Err(PortError::refused("wrong").at(given));
            }
            _ => return self.codes.check(context, evidence).await,
        };
        Ok(match verified {
            true => Check::Verified,
            false => Check::Rejected,
        })
    }
}

#[async_trait]
impl OtherEnd for Mailed {
    async fn arrived(&self) -> Vec<Personal<Vec<u8>>> {
        let sent = self.sent.lock().unwrap();
        let text = |sent| Personal::new(format!("{sent:?}").into_bytes());
        sent.iter().map(text).collect()
    }

    async fn cut(&self, cut: Cut) -> bool {
        self.post.0.lock().unwrap().cut = Some(cut);
        true
    }
}

#[async_trait]
impl Inbox for Mailed {
    async fn evidence(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Option<Personal<String>> {
        let code = match self.wrong {
            IgnoresController => self.codes.code(&ControllerId::new("us").unwrap(), request),
            _ => self.codes.code(controller, request),
        };
        code.map(Personal::new)
    }
}

async fn codes(wrong: Wrong) -> identity_suite::Specimen {
    let verifier = Arc::new(Mailed {
        codes: Codes::new(7),
        post: Post::default(),
        wrong,
        calls: AtomicU32::new(0),
        sent: Mutex::default(),
    });
    let mail = |address| vec![Identifier::mail(address).unwrap()];
    let people = [
        mail("person-0@delivery-suite.example"),
        mail("bob@example.org"),
    ];
    let inbox = Arc::clone(&verifier);
    identity_suite::Specimen::new(verifier, inbox, people)
}

#[tokio::test]
async fn the_codes_conform() {
    identity_suite::assert_conforms(async || codes(Nothing).await).await;
}

#[tokio::test]
async fn the_suite_finds_every_verifier_mutant() {
    for (wrong, line) in [
        (NewKeyPerCall, IdentityLine::Once),
        (OneKeyForAll, IdentityLine::Apart),
        (IgnoresController, IdentityLine::Apart),
        (LossIsDone, IdentityLine::Trouble),
        (LossIsFinal, IdentityLine::Trouble),
        (TellsWho, IdentityLine::QuietErrors),
        (VerifiesAll, IdentityLine::Rejects),
        (VerifiesNobody, IdentityLine::Verifies),
        (VerifiesNothing, IdentityLine::Rejects),
        (ComparesTheBeginning, IdentityLine::Rejects),
        (TakesAnyCode, IdentityLine::Foreign),
        (IgnoresControllerOfEvidence, IdentityLine::Foreign),
        (TellsEvidence, IdentityLine::QuietErrors),
    ] {
        let found = identity_suite::check(async || codes(wrong).await).await;
        let broken = found.expect_err(&format!("{wrong:?} passes"));
        assert!(broken.has(line), "{wrong:?} breaks {:?}", broken.lines());
    }
}
