//! What may stand in an event of what a port answered: the rest is sealed into parts.

use crate::model::{
    Correction, Digest, Identifier, IdentifierKind, KeyedDigest, RowCount, SourceId,
};
use crate::ports::{Fence, Located, MAX_LOCATORS, PlannedAction, PlannedRows, SourcePlan, Stopped};
use crate::workflow::{Finding, PartRef, Request};

use super::Engine;
use super::error::EngineError;
use super::parts::Parts;

/// How many identifiers one person may have before something has gone wrong.
pub(super) const MAX_IDENTIFIERS: usize = 500;

/// What is known of a person after more was said.
pub(super) enum Known {
    /// Nothing that was not known before.
    Same,
    /// All of it, sealed, and the kinds of what is new.
    More(PartRef, Vec<IdentifierKind>),
    /// What was said cannot identify, or is too much.
    Nonsense,
}

/// What was said cannot be.
struct Nonsense;

impl Known {
    /// What a finding says of it.
    fn identified(self) -> Result<Option<(PartRef, Vec<IdentifierKind>)>, Nonsense> {
        match self {
            Self::Same => Ok(None),
            Self::More(part, kinds) => Ok(Some((part, kinds))),
            Self::Nonsense => Err(Nonsense),
        }
    }
}

impl Engine {
    /// Seals a plan and says of it what may stand in an event.
    pub(super) async fn seal_plan(
        &self,
        request: &Request,
        parts: &Parts<'_>,
        name: &str,
        plan: &SourcePlan,
    ) -> Result<Finding, EngineError> {
        let wished: Vec<Correction> = match &request.facts.corrections {
            Some(part) => parts.read(part).await?,
            None => Vec::new(),
        };
        let part = parts.write(name, plan).await?;
        let mut rows: Vec<RowCount> = Vec::new();
        let mut withheld = Vec::new();
        for planned in &plan.rows {
            if let Some(kept) = planned.withheld() {
                withheld.push(kept);
                continue;
            }
            match rows.iter_mut().find(|c| c.collection == planned.collection) {
                Some(count) => count.rows = count.rows.saturating_add(planned.rows),
                None => rows.push(RowCount::new(&planned.collection, planned.rows)),
            }
        }
        Ok(Finding::Planned {
            part,
            digest: plan.digest,
            rows,
            withheld,
            untaken: untaken(plan, &wished),
        })
    }

    /// Adds identifiers to those that are known, and seals them all.
    pub(super) async fn seal_known(
        &self,
        request: &Request,
        parts: &Parts<'_>,
        name: &str,
        more: Vec<Identifier>,
    ) -> Result<Known, EngineError> {
        let mut known: Vec<Identifier> = parts.read(&request.identifiers).await?;
        let mut forms = Vec::new();
        for identifier in &known {
            forms.push(identifier.normal()?);
        }
        let mut kinds = Vec::new();
        for identifier in more {
            let Ok(form) = identifier.normal() else {
                return Ok(Known::Nonsense);
            };
            if !forms.contains(&form) {
                if !kinds.contains(form.kind()) {
                    kinds.push(form.kind().clone());
                }
                forms.push(form);
                known.push(identifier);
            }
        }
        if known.len() > MAX_IDENTIFIERS {
            return Ok(Known::Nonsense);
        }
        if kinds.is_empty() {
            return Ok(Known::Same);
        }
        let exposed: Vec<_> = known.iter().map(Identifier::exposed).collect();
        let part = parts
            .write(&format!("identifiers/{name}"), &exposed)
            .await?;
        Ok(Known::More(part, kinds))
    }

    /// Says of uses that ended what may stand in an event, and adds what else identifies the person
    /// to what is known.
    ///
    /// `None` when the source answered what cannot be.
    pub(super) async fn seal_stopped(
        &self,
        request: &Request,
        name: &str,
        fence: Option<Fence>,
        stopped: Stopped,
    ) -> Result<Option<Finding>, EngineError> {
        let facts = &request.facts;
        let parts = self.parts(&facts.controller, facts.id, fence);
        let found = stopped.identifiers;
        let known = self.seal_known(request, &parts, name, found).await?;
        let Ok(identified) = known.identified() else {
            return Ok(None);
        };
        Ok(Some(Finding::Stopped {
            rows: stopped.rows,
            identified,
        }))
    }

    /// Seals where a person was found, and adds what else identifies them to what is known.
    ///
    /// `None` when the source answered what cannot be.
    pub(super) async fn seal_located(
        &self,
        request: &Request,
        source: &SourceId,
        name: &str,
        fence: Option<Fence>,
        located: Located,
    ) -> Result<Option<Finding>, EngineError> {
        let facts = &request.facts;
        let parts = self.parts(&facts.controller, facts.id, fence);
        if located.locators.len() > MAX_LOCATORS {
            return Ok(None);
        }
        let found = located.identifiers;
        let known = self.seal_known(request, &parts, name, found).await?;
        let Ok(identified) = known.identified() else {
            return Ok(None);
        };
        let mut keys: Vec<KeyedDigest> = Vec::new();
        for locator in &located.locators {
            // A locator may be long; what is locked is its digest, under the controller's key.
            let digest = Digest::of(locator.expose().as_bytes()).to_string();
            let lock = Identifier::custom(format!("locator/{source}"), digest)?;
            let lock = lock.normal()?;
            keys.push(
                self.inner
                    .ports
                    .vault
                    .digest(&facts.controller, &lock)
                    .await?,
            );
        }
        keys.sort_unstable();
        keys.dedup();
        let locators: Option<PartRef> = if located.locators.is_empty() {
            None
        } else {
            Some(
                parts
                    .write(&format!("locators/{name}"), &located.locators)
                    .await?,
            )
        };
        Ok(Some(Finding::Located {
            rows: located.rows,
            locators,
            keys,
            identified,
            horizon: located.horizon,
        }))
    }
}

/// The wished corrections that a plan neither makes nor finds made, by their places in the wish.
fn untaken(plan: &SourcePlan, wished: &[Correction]) -> Vec<u32> {
    let is_planned = |wish: &Correction, planned: &PlannedRows| {
        let here = planned.rows > 0 && planned.collection == wish.collection;
        here && match &planned.action {
            PlannedAction::Correct { field } => *field == wish.field,
            // It stays as it is, and is named so.
            PlannedAction::Withhold { .. } => true,
            _ => false,
        }
    };
    let is_held = |wish: &Correction, held: &Correction| {
        held.collection == wish.collection && held.field == wish.field
    };
    (0..)
        .zip(wished)
        .filter(|(_, wish)| {
            !plan.rows.iter().any(|planned| is_planned(wish, planned))
                && !plan.current.iter().any(|held| is_held(wish, held))
        })
        .map(|(place, _)| place)
        .collect()
}

/// The fields that do not say what they should, collection by collection. Of a wish that the
/// source took (all but those that its plan left `untaken`) it must say what stands there now.
pub(super) fn not_corrected(
    plan: &SourcePlan,
    wished: &[Correction],
    untaken: &[u32],
) -> Vec<RowCount> {
    let is_of = |wish: &Correction, held: &Correction| {
        held.collection == wish.collection && held.field == wish.field
    };
    let is_kept = |wish: &Correction| {
        let mut lines = plan.rows.iter();
        lines.any(|line| {
            let kept = matches!(line.action, PlannedAction::Withhold { .. });
            kept && line.collection == wish.collection
        })
    };
    let wrong = plan.current.iter().filter(|held| {
        let mut wishes = wished.iter();
        wishes.any(|wish| is_of(wish, held) && wish.value != held.value)
    });
    let unsaid = (0..).zip(wished).filter(|(place, wish)| {
        let taken = !untaken.contains(place) && !is_kept(wish);
        // What was to be emptied may hold no value now.
        let filled = !wish.value.expose().is_empty();
        taken && filled && !plan.current.iter().any(|held| is_of(wish, held))
    });
    let mut rows: Vec<RowCount> = Vec::new();
    for field in wrong.chain(unsaid.map(|(_, wish)| wish)) {
        match rows.iter_mut().find(|c| c.collection == field.collection) {
            Some(count) => count.rows += 1,
            None => rows.push(RowCount::new(&field.collection, 1)),
        }
    }
    rows
}
