//! A letter as it is handed to the notifier: its facts beside its words.

use std::borrow::Cow;

use crate::law::{Due, Setting};
use crate::model::{Actor, ControllerId, Identifier, RequestId};
use crate::ports;
use crate::workflow::{Letter, Request, Target};

use super::Engine;
use super::controller::Controller;
use super::error::EngineError;
use super::letters::{Titles, horizon};

impl Titles for Engine {
    fn title(&self, target: &Target) -> String {
        let title = match target {
            Target::Source(id) => {
                (self.inner.sources.get(id)).map(|source| source.describe().title)
            }
            Target::Recipient(id) => {
                (self.inner.gateways.get(id)).map(|gateway| gateway.describe().title)
            }
            Target::Request => None,
        };
        title.unwrap_or_else(|| target.to_string())
    }
}

impl Controller {
    /// A request as it will be once a letter is out.
    pub(super) fn once_out<'r>(
        &self,
        request: &'r Request,
        letter: Letter,
    ) -> Result<Cow<'r, Request>, EngineError> {
        let regime = self.law_of(request)?;
        let setting = Setting {
            regime: &regime,
            right: &request.facts.right,
            calendar: &self.calendar,
            readings: &self.readings,
        };
        Ok(request.once_out(letter, setting)?)
    }
}

impl Engine {
    /// A letter as it would go out now, for staff to look at before it does.
    ///
    /// # Errors
    /// [`EngineError::Unsaid`] when it cannot go out yet; as [`Engine::request`] otherwise.
    pub async fn letter(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        letter: Letter,
    ) -> Result<ports::Notice, EngineError> {
        let loaded = self.load(controller, request).await?;
        self.allow(&loaded.request, actor, "letter").await?;
        let parts = self.parts(controller, request, None);
        let to = parts.read(&loaded.request.identifiers).await?;
        self.notice(&loaded.request, letter, to)
    }

    /// What a recipient is told about a request.
    pub(super) fn told(&self, request: &Request) -> Result<Vec<ports::Statement>, EngineError> {
        self.controller(&request.facts.controller)?.tells(request)
    }

    /// A letter about a request as it stands.
    pub(super) fn notice(
        &self,
        request: &Request,
        letter: Letter,
        to: Vec<Identifier>,
    ) -> Result<ports::Notice, EngineError> {
        let setup = self.controller(&request.facts.controller)?;
        let (life, right) = (&request.lifecycle, request.facts.right.clone());
        let mut notice = ports::Notice::new(letter.name(), request.facts.id, right, to);
        let request = &*setup.once_out(request, letter)?;
        notice.contents = setup.say(request, letter, self)?;
        notice.regime = request.clock.regime.id.to_string();
        notice.law = setup.law_called(&*setup.law_of(request)?);
        notice.due = request.answer_clock().and_then(Due::late_from);
        notice.send_before = request.letter_due(letter);
        notice.fee = life.fee.clone();
        notice.granted = life.appeal_granted;
        notice.ground = match letter {
            Letter::Extension => life.extension.clone(),
            Letter::FeeRequest => life.fee.as_ref().and_then(|fee| fee.ground.clone()),
            _ => life.refusal.clone(),
        };
        notice.outcome = life.outcome.clone();
        notice.uses.clone_from(&request.facts.uses);
        if let Some(work) = &request.fulfilment {
            notice.withheld = work.withheld().map(|(_, rows)| rows.clone()).collect();
            notice.missing = work.missing().map(|(_, rows)| rows).collect();
            notice.assurance = work.assurance();
            notice.depth = work.search_depth();
            notice.verdict = work.verdict;
            notice.horizon = horizon(request);
        }
        Ok(notice)
    }
}
