//! A notifier that keeps every letter.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::model::{ControllerId, RequestId};
use crate::ports::{Answer, CallContext, IdempotencyKey, Notice, Notifier, PortError};

/// A letter that went out.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Letter {
    /// For whom it was sent.
    pub controller: ControllerId,
    /// About which request.
    pub request: RequestId,
    /// The effect that sent it.
    pub key: IdempotencyKey,
    /// How often it was asked for; it went out once.
    pub asked: u32,
    /// What it says.
    pub notice: Notice,
}

/// Keeps letters instead of sending them, each once per key. Clones share them.
///
/// ```
/// use datarights::testkit::Outbox;
/// assert!(Outbox::default().letters().is_empty());
/// ```
#[derive(Clone, Default, Debug)]
pub struct Outbox(Arc<Mutex<Vec<Letter>>>);

impl Outbox {
    fn all(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All letters, in the order they went out.
    pub fn letters(&self) -> Vec<Letter> {
        self.all().clone()
    }

    /// The letters about a request.
    pub fn letters_about(&self, request: RequestId) -> Vec<Letter> {
        let mut letters = self.letters();
        letters.retain(|letter| letter.request == request);
        letters
    }
}

#[async_trait]
impl Notifier for Outbox {
    async fn notify(
        &self,
        context: &CallContext,
        notice: &Notice,
    ) -> Result<Answer<()>, PortError> {
        let mut letters = self.all();
        let sent = letters
            .iter_mut()
            .find(|letter| letter.controller == context.controller && letter.key == context.key);
        match sent {
            Some(letter) => letter.asked += 1,
            None => letters.push(Letter {
                controller: context.controller.clone(),
                request: context.request,
                key: context.key.clone(),
                asked: 1,
                notice: notice.clone(),
            }),
        }
        Ok(Answer::Done(()))
    }
}
