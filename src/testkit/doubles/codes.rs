//! A verifier that sends codes, without the sending.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::SeededEntropy;
use crate::model::{ControllerId, Identifier, Personal, RequestId};
use crate::ports::{
    Answer, CallContext, Check, Entropy, IdempotencyKey, IdentityVerifier, PortError,
};

/// One code of six digits per challenge; the newest of a request counts. Clones share them.
///
/// The codes follow from a seed: they protect nothing, and are for tests.
#[derive(Clone)]
pub struct Codes {
    entropy: Arc<SeededEntropy>,
    sent: Arc<Mutex<Sent>>,
}

/// The codes of each request, the newest last.
type Sent = BTreeMap<(ControllerId, RequestId), Vec<Code>>;

struct Code {
    key: IdempotencyKey,
    digits: String,
}

impl Codes {
    /// Codes that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            entropy: Arc::new(SeededEntropy::new(seed)),
            sent: Arc::default(),
        }
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The code that the person holds in hand, if one was sent.
    pub fn code(&self, controller: &ControllerId, request: RequestId) -> Option<String> {
        let sent = self.sent();
        let codes = sent.get(&(controller.clone(), request))?;
        codes.last().map(|code| code.digits.clone())
    }
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codes({} requests)", self.sent().len())
    }
}

#[async_trait]
impl IdentityVerifier for Codes {
    async fn challenge(
        &self,
        context: &CallContext,
        _: &[Identifier],
    ) -> Result<Answer<()>, PortError> {
        let mut sent = self.sent();
        let codes = sent
            .entry((context.controller.clone(), context.request))
            .or_default();
        if codes.iter().all(|code| code.key != context.key) {
            codes.push(Code {
                key: context.key.clone(),
                digits: format!("{:06}", self.entropy.next() % 1_000_000),
            });
        }
        Ok(Answer::Done(()))
    }

    async fn check(
        &self,
        context: &CallContext,
        evidence: &Personal<String>,
    ) -> Result<Check, PortError> {
        let Some(code) = self.code(&context.controller, context.request) else {
            return Ok(Check::Rejected);
        };
        // Compares tags, which the crate does in constant time.
        let tag = |text: &str| {
            Hmac::<Sha256>::new_from_slice(code.as_bytes())
                .map(|mac| mac.chain_update(text))
                .map_err(|_| PortError::refused("key_length"))
        };
        let expected = tag(&code)?.finalize().into_bytes();
        Ok(match tag(evidence.expose().trim())?.verify(&expected) {
            Ok(()) => Check::Verified,
            Err(_) => Check::Rejected,
        })
    }
}
