//! The state of a request: the fold of its events.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::law::{ClockError, ClockEvent, Setting};
use crate::model::{
    Actor, Channel, ControllerId, Digest, IdentifierKind, IntakeId, KeyedDigest, PartyId,
    RequestId, Right, Use,
};

use super::clock::{Clock, asked_by};
use super::effect::Letter;
use super::event::{Cause, Envelope, Event, PartRef, SCHEMA, StepResult};
use super::fulfilment::Fulfilment;
use super::lifecycle::Lifecycle;

/// What does not change over a request's life.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Facts {
    /// Whose request.
    pub controller: ControllerId,
    /// Which request.
    pub id: RequestId,
    /// The intake it was part of.
    pub intake: IntakeId,
    /// The right that is exercised.
    pub right: Right,
    /// On which channel it came.
    pub channel: Channel,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// By what the person is recognised.
    pub person: Vec<KeyedDigest>,
    /// The kinds of identifiers that were given.
    pub kinds: Vec<IdentifierKind>,
    /// The sealed corrections, for a rectification.
    pub corrections: Option<PartRef>,
    /// To whom an export is handed over, when not to the person.
    pub deliver_to: Option<PartyId>,
    /// Which uses should end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// Another erasure of this person that was open when it came in, and knew less of who they are.
    /// What that one left half done may not be found here any more: somebody looks at the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<RequestId>,
}

/// A request: one right, one controller, one regime version, one person.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Request {
    /// What does not change.
    pub facts: Arc<Facts>,
    /// The sequence of the last event.
    pub sequence: u64,
    /// The identifiers known now, sealed.
    pub identifiers: PartRef,
    /// The kinds of identifiers that were added since it was received, before the work began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<IdentifierKind>,
    /// The deadlines.
    pub clock: Clock,
    /// The legal course.
    pub lifecycle: Lifecycle,
    /// The work, once it began.
    pub fulfilment: Option<Fulfilment>,
}

/// A history that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// There are no events.
    #[error("a history has at least one event")]
    Empty,
    /// The first event is not `received`.
    #[error("a history begins with `received`")]
    NoBeginning,
}

impl Request {
    /// The state after a first event.
    ///
    /// # Errors
    /// [`FoldError::NoBeginning`] for any other event than [`Event::Received`].
    pub fn begin(first: &Envelope) -> Result<Self, FoldError> {
        let Event::Received(received) = &first.event else {
            return Err(FoldError::NoBeginning);
        };
        Ok(Self {
            facts: Arc::new(Facts {
                controller: first.controller.clone(),
                id: first.request,
                intake: received.intake,
                right: received.right.clone(),
                channel: received.channel.clone(),
                received_at: received.received_at,
                person: received.person.clone(),
                kinds: received.kinds.clone(),
                corrections: received.corrections.clone(),
                deliver_to: received.deliver_to.clone(),
                uses: received.uses.clone(),
                beside: received.beside,
            }),
            sequence: first.sequence,
            identifiers: received.identifiers.clone(),
            added: Vec::new(),
            clock: received.clock.clone(),
            lifecycle: Lifecycle::new(),
            fulfilment: None,
        })
    }

    /// The state after a whole history.
    ///
    /// # Errors
    /// Those of [`Request::begin`], and [`FoldError::Empty`].
    pub fn fold<'a>(history: impl IntoIterator<Item = &'a Envelope>) -> Result<Self, FoldError> {
        let mut history = history.into_iter();
        let first = Self::begin(history.next().ok_or(FoldError::Empty)?)?;
        Ok(history.fold(first, Self::apply))
    }

    /// An event that follows this state. Its predecessor is named when the chain is made
    /// ([`chain`](super::chain)).
    pub(super) fn event(
        &self,
        at: DateTime<Utc>,
        actor: Actor,
        cause: Cause,
        event: Event,
    ) -> Envelope {
        Envelope {
            schema: SCHEMA,
            controller: self.facts.controller.clone(),
            request: self.facts.id,
            sequence: self.sequence + 1,
            at,
            actor,
            cause,
            previous: Digest::default(),
            event,
        }
    }

    /// The state after one more event. Total: knows no clock, no policy and no error.
    #[must_use]
    pub fn apply(mut self, envelope: &Envelope) -> Self {
        self.advance(envelope);
        self
    }

    pub(super) fn advance(&mut self, envelope: &Envelope) {
        self.sequence = envelope.sequence;
        match &envelope.event {
            Event::ClockMoved(clock) => self.clock = (**clock).clone(),
            Event::Started {
                sources,
                recipients,
            } => {
                let before = self.fulfilment.as_ref();
                let mut work = Fulfilment::new(&self.facts, sources, recipients, before);
                work.know(&self.added);
                self.fulfilment = Some(work);
            }
            Event::IdentifiersAdded { identifiers, kinds } => {
                self.identifiers = identifiers.clone();
                for kind in kinds {
                    if !self.facts.kinds.contains(kind) && !self.added.contains(kind) {
                        self.added.push(kind.clone());
                    }
                }
                if let Some(work) = &mut self.fulfilment {
                    work.know(kinds);
                }
            }
            Event::StepAnswered {
                result: StepResult::Done { finding, .. },
                ..
            } => {
                if let Some((part, _)) = finding.identified() {
                    self.identifiers = part.clone();
                }
            }
            _ => {}
        }
        self.lifecycle.apply(envelope);
        if matches!(envelope.event, Event::AppealDecided { granted: true })
            && self.clock.appeal.is_some()
        {
            // The new answer has a day of its own.
            self.lifecycle.overdue = false;
        }
        if let Some(fulfilment) = &mut self.fulfilment {
            fulfilment.apply(envelope);
        }
    }

    /// The request as it will be once a letter is out: from then on the clock may stand still, and
    /// no letter promises a day that falls with it.
    ///
    /// # Errors
    /// Those of the law's clocks.
    pub fn once_out(
        &self,
        letter: Letter,
        setting: Setting<'_>,
    ) -> Result<Cow<'_, Self>, ClockError> {
        let kind = asked_by(letter, setting.regime);
        let asks = self.lifecycle.is_asking(letter) && self.lifecycle.stuck_challenge.is_none();
        let Some(kind) = kind.filter(|_| asks) else {
            return Ok(Cow::Borrowed(self));
        };
        let history = &self.clock.history;
        let last = history.events().last();
        let event = ClockEvent {
            at: last.map_or(history.received_at(), |event| event.at),
            kind,
            until: None,
        };
        let clock = self.clock.after(setting, event)?;
        Ok(Cow::Owned(Self {
            clock,
            ..self.clone()
        }))
    }

    /// Whether a letter asks what need not be asked any more: it is not sent.
    pub fn is_moot(&self, letter: Letter) -> bool {
        match letter {
            Letter::IdentityRequest | Letter::ClarificationRequest | Letter::FeeRequest => {
                self.lifecycle.question() != Some(letter)
            }
            Letter::ConfirmationRequest => {
                let work = self.fulfilment.as_ref();
                !work.is_some_and(Fulfilment::awaits_confirmation)
            }
            _ => false,
        }
    }

    /// Whether anything is still to come: its legal course, or work that waits.
    pub fn is_open(&self) -> bool {
        !(self.lifecycle.is_closed() && self.fulfilment.as_ref().is_none_or(Fulfilment::is_ended))
    }
}
