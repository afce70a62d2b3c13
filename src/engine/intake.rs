//! Taking requests in: sealing who asks, recognising duplicates, starting the clocks.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Builder;

use crate::law::Setting;
use crate::model::{
    Actor, Channel, ControllerId, Digest, End, Identifier, IdentifierKind, IntakeId, KeyId,
    KeyedDigest, RequestId, Right, Wish,
};
use crate::ports::{Commit, Query, StoreError};
use crate::workflow::{
    self, Cause, Context, Decision, Delivery, Request, fulfilment, lifecycle, receive,
};

use super::Engine;
use super::agenda::Agenda;
use super::error::EngineError;
use super::findings::MAX_IDENTIFIERS;

/// A letter, form or call: who asks, and what for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Intake {
    /// On which channel it came.
    pub channel: Channel,
    /// When it was received; `None` for now. Never in the future.
    pub received_at: Option<DateTime<Utc>>,
    /// The date that the letter bears, where it bears one: some laws count from it.
    pub dated: Option<NaiveDate>,
    /// What identifies the person.
    pub identifiers: Vec<Identifier>,
    /// What they want: one request each.
    pub wishes: Vec<Wish>,
    /// The regime it runs under, when not the controller's own.
    pub regime: Option<String>,
    /// To whom an export goes.
    pub delivery: Delivery,
}

impl Intake {
    /// An intake that was received just now.
    pub fn new(
        channel: Channel,
        identifiers: Vec<Identifier>,
        wishes: impl IntoIterator<Item = Wish>,
    ) -> Self {
        Self {
            channel,
            received_at: None,
            dated: None,
            identifiers,
            wishes: wishes.into_iter().collect(),
            regime: None,
            delivery: Delivery::default(),
        }
    }

    /// The same, received at that instant.
    #[must_use]
    pub const fn received_at(mut self, at: DateTime<Utc>) -> Self {
        self.received_at = Some(at);
        self
    }

    /// The same, bearing that date.
    #[must_use]
    pub const fn dated(mut self, on: NaiveDate) -> Self {
        self.dated = Some(on);
        self
    }

    /// The same, under another regime than the controller's own.
    #[must_use]
    pub fn under(mut self, regime: impl Into<String>) -> Self {
        self.regime = Some(regime.into());
        self
    }

    /// The same, the export going to another controller.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}

/// A request that was taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Submitted {
    /// Its id.
    pub request: RequestId,
    /// The right it exercises.
    pub right: Right,
    /// The open request for the same, which it joined.
    pub joined: Option<RequestId>,
}

/// The open requests of a person that a new one has to do with.
#[derive(Clone, Copy, Default)]
pub(super) struct Same {
    /// In which it is carried on.
    pub(super) joins: Option<RequestId>,
    /// Beside which it erases.
    beside: Option<RequestId>,
}

/// What the requests of one intake share.
pub(super) struct Opening<'a> {
    pub(super) controller: &'a ControllerId,
    actor: &'a Actor,
    intake: &'a Intake,
    id: IntakeId,
    person: Vec<KeyedDigest>,
    kinds: Vec<IdentifierKind>,
}

/// The request in which a new one is carried on, if it is not by itself.
pub(super) fn joined(decision: &Decision) -> Option<RequestId> {
    match decision.next.lifecycle.end {
        Some(End::Joined(into)) => Some(into),
        _ => None,
    }
}

/// The first of the requests of one intake that was opened for the same wish.
pub(super) fn same_wish<'a>(
    wish: &Wish,
    mut opened: impl Iterator<Item = &'a Request>,
) -> Result<Option<RequestId>, EngineError> {
    // Two corrections are two wishes, even of one person.
    if wish.right == Right::Rectification {
        return Ok(None);
    }
    let uses = fulfilment::stop::uses(&wish.right, wish.uses.clone())?;
    let same = opened.find(|r| r.facts.right == wish.right && r.facts.uses == uses);
    Ok(same.map(|request| request.facts.id))
}

pub(super) fn not_to_be_joined() -> EngineError {
    let (what, accepted) = (
        "the request to join",
        "another open request of the same person for the same",
    );
    workflow::Rejection::Malformed { what, accepted }.into()
}

impl Engine {
    /// Takes an intake in: one request for each wish, in their order. A wish for which the same
    /// person has an unanswered (or unfinished) request already joins it.
    ///
    /// Where one wish fails, those before it are in; the error says which one failed.
    ///
    /// # Errors
    /// [`EngineError::EmptyIntake`], [`EngineError::Identifier`], [`EngineError::Denied`],
    /// [`EngineError::UnknownRegime`], [`EngineError::Rejected`] and those of store and vault.
    pub async fn submit(
        &self,
        controller: &ControllerId,
        actor: &Actor,
        intake: Intake,
    ) -> Result<Vec<Submitted>, EngineError> {
        let opening = self.opening(controller, actor, &intake).await?;
        let mut submitted = Vec::new();
        for wish in &intake.wishes {
            submitted.push(self.submit_one(&opening, wish).await?);
        }
        Ok(submitted)
    }

    /// What is asked of an intake before anything is written.
    pub(super) async fn opening<'a>(
        &self,
        controller: &'a ControllerId,
        actor: &'a Actor,
        intake: &'a Intake,
    ) -> Result<Opening<'a>, EngineError> {
        self.controller(controller)?;
        if intake.identifiers.is_empty() {
            return Err(EngineError::EmptyIntake("an identifier of the person"));
        }
        if intake.identifiers.len() > MAX_IDENTIFIERS {
            return Err(EngineError::TooManyIdentifiers {
                accepted: MAX_IDENTIFIERS,
            });
        }
        if let Delivery::Transmit(to) = &intake.delivery
            && !self.inner.gateways.contains_key(to)
        {
            return Err(EngineError::UnknownRecipient(to.clone()));
        }
        if intake.wishes.is_empty() {
            return Err(EngineError::EmptyIntake("a right that is exercised"));
        }
        for wish in &intake.wishes {
            if wish.right == Right::Rectification && wish.corrections.is_empty() {
                return Err(EngineError::EmptyIntake(
                    "the corrections that are asked for",
                ));
            }
        }
        let mut person = Vec::new();
        let mut kinds: Vec<IdentifierKind> = Vec::new();
        for identifier in &intake.identifiers {
            let normal = identifier.normal()?;
            person.push(self.inner.ports.vault.digest(controller, &normal).await?);
            if !kinds.contains(normal.kind()) {
                kinds.push(normal.kind().clone());
            }
        }
        person.sort_unstable();
        person.dedup();
        Ok(Opening {
            controller,
            actor,
            intake,
            id: IntakeId::new(self.fresh_id()),
            person,
            kinds,
        })
    }

    pub(super) async fn allow_submit(
        &self,
        opening: &Opening<'_>,
        wish: &Wish,
    ) -> Result<(), EngineError> {
        let (controller, actor) = (opening.controller, opening.actor);
        let query = Query::new(controller, None, Some(&wish.right), actor, "submit");
        self.ask_policy(&query).await
    }

    async fn submit_one(
        &self,
        opening: &Opening<'_>,
        wish: &Wish,
    ) -> Result<Submitted, EngineError> {
        let controller = opening.controller;
        self.allow_submit(opening, wish).await?;
        let mut same = self.same_open_request(controller, wish, opening).await?;
        loop {
            let (commit, decision) = self.open_one(opening, wish, same).await?;
            let request = commit.request;
            let joined = joined(&decision);
            let written = async {
                // First, so that nothing is lost if it is the last thing that happens here: who
                // gets no id asks again.
                if let Some(into) = joined
                    && !self.carried_on(controller, into, request).await?
                {
                    return Ok(false);
                }
                self.inner.ports.store.create(controller, commit).await?;
                Ok(true)
            };
            match written.await {
                Ok(true) => {
                    self.ring();
                    self.tell_events(&decision);
                    return Ok(Submitted {
                        request,
                        right: wish.right.clone(),
                        joined,
                    });
                }
                // The other one came to its end meanwhile: this one goes its own way.
                Ok(false) => {
                    self.forget(controller, request).await?;
                    same.joins = None;
                }
                Err(error) => {
                    // A backend that was cut off may still be at it: that the request is not there
                    // yet says nothing.
                    let cut_off = matches!(
                        error,
                        EngineError::Store(StoreError::Backend {
                            temporary: true,
                            ..
                        })
                    );
                    if !cut_off {
                        self.forget(controller, request).await?;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Opens a request and makes its key; where it cannot be opened no key is left.
    pub(super) async fn open_one(
        &self,
        opening: &Opening<'_>,
        wish: &Wish,
        same: Same,
    ) -> Result<(Commit, Decision), EngineError> {
        let controller = opening.controller;
        let request = RequestId::new(self.fresh_id());
        let key = KeyId::of_request(controller, request);
        self.inner.ports.vault.create_key(&key).await?;
        let opened = self.open_request(opening, wish, request, same).await;
        if opened.is_err() {
            self.forget(controller, request).await?;
        }
        opened
    }

    /// Destroys the key of a request that was not written: it would stay for ever. Where it is not
    /// known whether the request is there, the key is worth more.
    pub(super) async fn forget(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), EngineError> {
        if let Ok(None) = self.inner.ports.store.load(controller, request).await {
            let key = KeyId::of_request(controller, request);
            self.inner.ports.vault.shred(&key).await?;
        }
        Ok(())
    }

    /// Everything that is written when a request is opened.
    async fn open_request(
        &self,
        opening: &Opening<'_>,
        wish: &Wish,
        request: RequestId,
        same: Same,
    ) -> Result<(Commit, Decision), EngineError> {
        let Opening {
            controller,
            actor,
            intake,
            ..
        } = *opening;
        let setup = self.controller(controller)?;
        let now = self.now();
        let received_at = intake.received_at.unwrap_or(now);
        let regime_id = intake.regime.as_deref().unwrap_or(&setup.regime);
        let unknown = || EngineError::UnknownRegime(regime_id.to_owned());
        let regime = setup
            .regimes
            .in_force(regime_id, setup.calendar.date_of(received_at))
            .map_err(|_| unknown())?;
        let pin = regime.pin().map_err(|_| unknown())?;
        let parts = self.parts(controller, request, None);
        let exposed: Vec<_> = intake.identifiers.iter().map(Identifier::exposed).collect();
        let (identifiers, mut chunks) = parts.seal("identifiers/0", &exposed).await?;
        let corrections = if wish.corrections.is_empty() {
            None
        } else {
            let (corrections, more) = parts.seal("corrections", &wish.corrections).await?;
            chunks.extend(more);
            Some(corrections)
        };
        let cause = Cause::Command;
        let context = Context {
            now,
            actor,
            cause: &cause,
            setting: Setting {
                regime: &regime,
                right: &wish.right,
                calendar: &setup.calendar,
                readings: &setup.readings,
            },
            policy: &setup.policy,
            landscape: &self.inner.landscape,
        };
        let mut decision = receive(
            workflow::Intake {
                controller: controller.clone(),
                request,
                intake: opening.id,
                channel: intake.channel.clone(),
                received_at,
                dated: intake.dated,
                person: opening.person.clone(),
                kinds: opening.kinds.clone(),
                identifiers,
                corrections,
                delivery: intake.delivery.clone(),
                uses: wish.uses.clone(),
                joins: same.joins,
                beside: same.beside,
            },
            pin,
            &context,
        )?;
        let mut agenda = Agenda::new();
        agenda.absorb(&decision, now);
        let mut commit = Self::prepare(&mut decision, &agenda, 0, Digest::default(), None)?;
        commit.people = opening.person.clone();
        commit.parts = chunks;
        Ok((commit, decision))
    }

    /// The oldest request for the same right by the same person that is not answered yet, or
    /// whose erasure is unfinished: to join, or to erase beside where it knows less of them.
    pub(super) async fn same_open_request(
        &self,
        controller: &ControllerId,
        wish: &Wish,
        opening: &Opening<'_>,
    ) -> Result<Same, EngineError> {
        let mut same = Same::default();
        let person = &opening.person;
        // Two corrections are two wishes, even of one person.
        if wish.right == Right::Rectification {
            return Ok(same);
        }
        let uses = fulfilment::stop::uses(&wish.right, wish.uses.clone())?;
        let mut found = Vec::new();
        for digest in person {
            found.extend(self.inner.ports.store.find(controller, digest).await?);
        }
        found.sort_unstable();
        found.dedup();
        for id in found {
            let request = match self.load(controller, id).await {
                Ok(loaded) => loaded.request,
                // Swept in between.
                Err(EngineError::UnknownRequest(_)) => continue,
                Err(error) => return Err(error),
            };
            let unfinished = request
                .fulfilment
                .as_ref()
                .is_some_and(|w| w.is_unfinished());
            // Whoever gives an identifier that another request does not know is not joined to
            // it: what that one erases or hands over would not cover them.
            let covers = person
                .iter()
                .all(|digest| request.facts.person.contains(digest));
            // Another law has other clocks, grounds and letters.
            let regime = &self.controller(controller)?.regime;
            let regime = opening.intake.regime.as_ref().unwrap_or(regime);
            if request.facts.right == wish.right
                && request.clock.regime.id.as_str() == regime
                && request.facts.uses == uses
                && request.facts.deliver_to.as_ref() == opening.intake.delivery.to()
                && request.lifecycle.refusal.is_none()
                && !request.lifecycle.is_closed()
                && (!request.lifecycle.is_answered() || unfinished)
            {
                if covers {
                    same.joins = Some(id);
                    return Ok(same);
                }
                if wish.right == Right::Erasure {
                    same.beside.get_or_insert(id);
                }
            }
        }
        Ok(same)
    }

    /// Writes down in an open request that another one is carried on in it, and takes it up again
    /// where it was answered and is unfinished; `false` when it carries on no other any more.
    async fn carried_on(
        &self,
        controller: &ControllerId,
        into: RequestId,
        request: RequestId,
    ) -> Result<bool, EngineError> {
        let command = lifecycle::Command::JoinedBy { request };
        match self
            .command_as_engine(controller, into, command.into())
            .await
        {
            Ok(()) => Ok(true),
            Err(EngineError::Rejected(_) | EngineError::UnknownRequest(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What must be so before staff joins a request to another: that one is of the same person, for
    /// the same, and writes down that it carries this one on.
    pub(super) async fn join(&self, joining: &Request, into: RequestId) -> Result<(), EngineError> {
        self.is_for_the_same(joining, into).await?;
        let facts = &joining.facts;
        match self.carried_on(&facts.controller, into, facts.id).await? {
            true => Ok(()),
            false => Err(not_to_be_joined()),
        }
    }

    /// Refuses to join a request to one of another person, or for something else.
    pub(super) async fn is_for_the_same(
        &self,
        joining: &Request,
        into: RequestId,
    ) -> Result<(), EngineError> {
        let facts = &joining.facts;
        let other = self.load(&facts.controller, into).await?.request;
        let is_known = |digest: &KeyedDigest| other.facts.person.contains(digest);
        let same = other.facts.right == facts.right
            && other.facts.uses == facts.uses
            && other.facts.deliver_to == facts.deliver_to
            && facts.person.iter().any(is_known);
        match same {
            true => Ok(()),
            false => Err(not_to_be_joined()),
        }
    }

    /// A fresh id, its first bits the time: ids made later sort later (UUID version 7, RFC 9562).
    pub(super) fn fresh_id(&self) -> uuid::Uuid {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        let entropy = &self.inner.ports.entropy;
        let mut random = [0; 10];
        let (head, tail) = random.split_at_mut(8);
        head.copy_from_slice(&entropy.next().to_le_bytes());
        tail.copy_from_slice(&entropy.next().to_le_bytes()[..2]);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
