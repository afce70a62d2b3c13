//! The state of the work: its phase, its open steps, and what is known of each source.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{
    Assurance, Digest, Failure, IdentifierKind, KeyedDigest, MissingRows, Outcome, PartyId,
    Pending, SearchDepth, SourceId, Verdict, WithheldRows,
};
use crate::workflow::effect::{Target, Task};
use crate::workflow::event::SourceInfo;
use crate::workflow::request::Facts;

use super::source::{RecipientWork, SourceWork};
use super::{Machine, Phase};

/// How far a step is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepState {
    /// Not answered yet.
    Open,
    /// It goes on outside.
    Waiting(Pending),
    /// Done; what could not be done never can be.
    Done,
    /// Done in part; the rest can be tried again.
    Partly,
    /// Failed, unsupported, or never begun because another failed.
    Failed,
}

/// One step of the present phase.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// Whose.
    pub target: Target,
    /// The round it was opened in: names its effect.
    pub round: u32,
    /// How far it is.
    pub state: StepState,
    /// Whether more identifiers came to light since it began.
    pub stale: bool,
}

impl Step {
    /// Whether an answer is still awaited.
    pub const fn is_unsettled(&self) -> bool {
        matches!(self.state, StepState::Open | StepState::Waiting(_))
    }
}

/// The work for one request.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Fulfilment {
    /// Which machine does it.
    pub machine: Machine,
    /// Where it stands.
    pub phase: Phase,
    /// Grows with every phase entered and every step opened again: names effects for ever.
    pub round: u32,
    /// The steps of the present phase.
    pub steps: Vec<Step>,
    /// The sources that must answer.
    pub sources: Vec<SourceWork>,
    /// The recipients that must be told.
    pub recipients: Vec<RecipientWork>,
    /// The kinds of identifiers that are known.
    pub kinds: Vec<IdentifierKind>,
    /// To whom the package goes, when not to the person.
    pub deliver_to: Option<RecipientWork>,
    /// The plan that was approved.
    pub approved: Option<Digest>,
    /// Whether the person confirmed.
    pub confirmed: bool,
    /// Until when it can be undone.
    pub grace_until: Option<DateTime<Utc>>,
    /// Whether that time was given.
    pub grace_given: bool,
    /// Whether it was stopped.
    pub cancelled: bool,
    /// Whether it may have begun to change data.
    pub written: bool,
    /// How often it erased since it last began to.
    pub erasures: u32,
    /// The package: size in bytes and SHA-256.
    pub package: Option<(u64, Digest)>,
    /// The package's name among the request's artifacts; one without is called `package.zip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_name: Option<String>,
    /// Why the package could not be made.
    pub package_failure: Option<Failure>,
    /// When the next of what is withheld may go, or it is tried again.
    pub withheld_until: Option<DateTime<Utc>>,
    /// How often in a row it rested only to try again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rests: u32,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether the person was told that the restriction ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub announced: bool,
    /// Whether what is missing was left as it is, until the work goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// What the review of a decision came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

impl Fulfilment {
    /// The work when it begins. `before` is earlier work for the same request: what it learned
    /// and what it may have left restricted is not forgotten, and no round is used twice.
    pub(in crate::workflow) fn new(
        facts: &Facts,
        sources: &[SourceInfo],
        recipients: &[PartyId],
        before: Option<&Self>,
    ) -> Self {
        let restricted = |source: &&SourceWork| source.restricted;
        let source = |info: &SourceInfo| {
            let known = before.and_then(|work| work.source(&info.id));
            let known = known.filter(restricted);
            known.map_or_else(|| SourceWork::new(info), SourceWork::anew)
        };
        // A source that is not there any more may still hold rows that were restricted.
        let is_gone = |source: &&SourceWork| sources.iter().all(|info| info.id != source.id);
        let gone = before.into_iter().flat_map(|work| &work.sources);
        let gone = gone.filter(restricted).filter(is_gone);
        let recipient = |id: &PartyId| RecipientWork {
            id: id.clone(),
            confirmed: false,
            failure: None,
        };
        Self {
            // `receive` refuses rights without a machine.
            machine: Machine::of(&facts.right).unwrap_or(Machine::Access),
            phase: Phase::Locating,
            round: before.map_or(0, |work| work.round),
            steps: Vec::new(),
            sources: (sources.iter().map(source))
                .chain(gone.map(SourceWork::anew))
                .collect(),
            recipients: recipients.iter().map(recipient).collect(),
            kinds: before.map_or_else(|| facts.kinds.clone(), |work| work.kinds.clone()),
            deliver_to: facts.deliver_to.as_ref().map(recipient),
            approved: None,
            confirmed: false,
            grace_until: None,
            grace_given: false,
            cancelled: false,
            written: false,
            erasures: 0,
            package: None,
            package_name: None,
            package_failure: None,
            withheld_until: None,
            rests: 0,
            outcome: None,
            announced: false,
            left: false,
            verdict: None,
        }
    }

    /// Whether it is over.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether it may have begun to change data.
    pub const fn has_written(&self) -> bool {
        self.written
    }

    /// Whether it waits for the person to confirm it.
    pub(in crate::workflow) fn awaits_confirmation(&self) -> bool {
        self.phase == Phase::Confirmation
    }

    /// Whether something was read out of a source.
    pub(in crate::workflow) fn has_read(&self) -> bool {
        self.package.is_some() || self.sources.iter().any(|source| source.spool.is_some())
    }

    /// Whether it changed some data, and did not change all that it can, unless somebody left it
    /// as it is.
    pub fn is_unfinished(&self) -> bool {
        let changed = self.written || self.is_left_restricted();
        changed && !self.left && self.missing().any(|(_, missing)| can_be_retried(&missing))
    }

    /// Whether a rectification that nobody stopped came to where nothing should be restricted any
    /// more, and something is.
    fn is_left_restricted(&self) -> bool {
        let passed = match self.phase {
            Phase::Locating | Phase::Planning | Phase::Lifting => self.is_settled(),
            Phase::Informing | Phase::Withholding | Phase::Ended => true,
            _ => false,
        };
        let rectifies = self.machine == Machine::Rectification && !self.cancelled;
        rectifies && passed && self.any_restricted()
    }

    /// Whether all that is still to do is to lift a restriction.
    pub(super) const fn only_lifts(&self) -> bool {
        self.cancelled || self.left
    }

    /// Whether something is left that it could still do: what failed, or what was withheld.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_unfinished() || self.withheld().next().is_some()
    }

    /// What is known of a source.
    pub fn source(&self, id: &SourceId) -> Option<&SourceWork> {
        self.sources.iter().find(|source| source.id == *id)
    }

    /// The step of a target in the present phase.
    pub fn step(&self, target: &Target) -> Option<&Step> {
        self.steps.iter().find(|step| step.target == *target)
    }

    /// Whether the work waits for this step, begun in that round.
    pub fn waits_for(&self, task: Task, target: &Target, round: u32) -> bool {
        self.phase.task(self.machine) == Some(task)
            && self
                .step(target)
                .is_some_and(|step| step.round == round && step.is_unsettled())
    }

    /// What the whole plan is worth: what an approval names.
    pub fn plan_digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for source in &self.sources {
            if let Some((_, digest)) = &source.plan {
                bytes.extend_from_slice(source.id.as_str().as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(digest.as_bytes());
            }
        }
        Digest::of(&bytes)
    }

    /// The locks that reading or writing the person's rows needs: sorted, without duplicates.
    pub fn lock_keys(&self) -> Vec<KeyedDigest> {
        let mut keys: Vec<_> = self.sources.iter().flat_map(|s| s.keys.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// What was kept back, by source.
    pub fn withheld(&self) -> impl Iterator<Item = (&SourceId, &WithheldRows)> {
        self.sources
            .iter()
            .flat_map(|source| source.withheld.iter().map(move |rows| (&source.id, rows)))
    }

    /// What could not be done, by source or recipient.
    pub fn missing(&self) -> impl Iterator<Item = (Target, MissingRows)> + '_ {
        let left_restricted = self.is_left_restricted();
        let of_sources = self.sources.iter().flat_map(move |source| {
            // While others are still searched, an identifier that fits it may come to light.
            let given_up = !self.phase.searches() || self.is_settled();
            let unsearched = (!source.searched && given_up).then(|| whole(Failure::NoIdentifier));
            let still = (left_restricted && source.restricted)
                .then(|| whole(Failure::Code("still_restricted".into())));
            let left = source.left.iter().map(|left| MissingRows {
                collection: Some(left.collection.clone()),
                rows: Some(left.rows),
                failure: Failure::Residue,
            });
            source
                .missing
                .iter()
                .cloned()
                .chain(unsearched)
                .chain(still)
                .chain(left)
                .map(|missing| (Target::Source(source.id.clone()), missing))
        });
        let of_recipients =
            self.recipients
                .iter()
                .chain(&self.deliver_to)
                .filter_map(move |recipient| {
                    let failure = recipient.failure.clone()?;
                    Some((Target::Recipient(recipient.id.clone()), whole(failure)))
                });
        let of_package = self
            .package_failure
            .iter()
            .map(move |failure| (Target::Request, whole(failure.clone())));
        let of_wishes = Some(self.lost_wishes()).filter(|lost| *lost > 0);
        let of_wishes = of_wishes.map(|lost| {
            let missing = MissingRows {
                rows: Some(lost),
                ..whole(Failure::NoSuchField)
            };
            (Target::Request, missing)
        });
        of_sources
            .chain(of_recipients)
            .chain(of_package)
            .chain(of_wishes)
    }

    /// How many of the wished corrections no plan takes.
    fn lost_wishes(&self) -> u64 {
        let mut planned = self.sources.iter().filter(|source| source.plan.is_some());
        let Some(first) = planned
            .next()
            .filter(|_| self.machine == Machine::Rectification)
        else {
            return 0;
        };
        let others: Vec<_> = planned.collect();
        let is_lost = |wish: &&u32| others.iter().all(|source| source.untaken.contains(wish));
        first.untaken.iter().filter(is_lost).count() as u64
    }

    /// How sure the erasure is as a whole: as the weakest source.
    pub fn assurance(&self) -> Option<Assurance> {
        self.sources
            .iter()
            .filter_map(|source| source.assurance)
            .min()
    }

    /// How deep was searched for what the erasure left, as a whole: as the shallowest search. One that
    /// failed is named as missing.
    pub fn search_depth(&self) -> Option<SearchDepth> {
        let erased = self.sources.iter().filter(|s| s.assurance.is_some());
        erased.map(|source| source.depth).min()
    }

    /// Whether rows are, or may be, restricted because of this request.
    pub(super) fn any_restricted(&self) -> bool {
        self.sources.iter().any(|source| source.restricted)
    }

    /// Who must be asked again when identifiers of these kinds come to light.
    pub(super) fn concerned_by(&self, kinds: &[IdentifierKind]) -> Vec<Target> {
        let sources = self
            .sources
            .iter()
            .filter(|source| source.accepts.iter().any(|kind| kinds.contains(kind)))
            .map(|source| Target::Source(source.id.clone()));
        // Recipients are told beside the sources where nothing may wait.
        let recipients = (self.phase == Phase::Stopping)
            .then_some(&self.recipients)
            .into_iter()
            .flatten()
            .map(|recipient| Target::Recipient(recipient.id.clone()));
        sources.chain(recipients).collect()
    }

    pub(super) fn any_found(&self) -> bool {
        self.sources.iter().any(SourceWork::is_found)
    }

    /// Whether every step has come to an end.
    pub(super) fn is_settled(&self) -> bool {
        !self.steps.iter().any(Step::is_unsettled)
    }

    /// Whether a step failed, wholly or for something that can be tried again.
    pub(super) fn any_failed(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.state, StepState::Failed | StepState::Partly))
    }

    /// Whether an open step can begin: the sources that must come first are done.
    pub(in crate::workflow) fn is_ready(&self, step: &Step) -> bool {
        step.state == StepState::Open
            && self
                .predecessors(step)
                .all(|source| self.is_cleared(source) == Some(true))
    }

    /// An open step that can never begin: one before it failed, now or the last time.
    pub(super) fn blocked(&self) -> Option<Target> {
        self.steps
            .iter()
            .filter(|step| step.state == StepState::Open)
            .find(|step| {
                self.predecessors(step)
                    .any(|source| self.is_cleared(source) == Some(false))
            })
            .map(|step| step.target.clone())
    }

    /// The sources whose erasure must be finished before this step begins.
    fn predecessors<'a>(&'a self, step: &'a Step) -> impl Iterator<Item = &'a SourceWork> {
        let after: &[SourceId] = match (&step.target, self.phase) {
            (Target::Source(id), Phase::Erasing) => {
                self.source(id).map_or(&[], |source| &source.erase_after)
            }
            _ => &[],
        };
        after.iter().filter_map(|id| self.source(id))
    }

    /// Whether nothing of a source stands in the way of those after it; `None` while it is being
    /// erased.
    fn is_cleared(&self, source: &SourceWork) -> Option<bool> {
        match self.step(&Target::Source(source.id.clone())) {
            Some(step) if step.is_unsettled() => None,
            Some(step) => Some(step.state == StepState::Done),
            None => Some(source.finished || !source.is_found()),
        }
    }

    /// How the work ended, from what its sources and recipients answered.
    pub(super) fn outcome(&self) -> Outcome {
        if self.cancelled {
            return Outcome::Cancelled;
        }
        if self.machine == Machine::HumanReview {
            return match self.verdict {
                Some(_) => Outcome::Done,
                None => Outcome::Failed,
            };
        }
        let missing = self.missing().next().is_some();
        let withheld = self.withheld().next().is_some();
        if self.sources.iter().any(|source| source.worked) {
            return match (&self.package_failure, missing || withheld) {
                (Some(_), _) => Outcome::Failed,
                (None, true) => Outcome::Partly,
                (None, false) => Outcome::Done,
            };
        }
        let is_unsupported = |source: &SourceWork| {
            let mut failures = source.missing.iter().map(|missing| &missing.failure);
            failures.any(|failure| *failure == Failure::Unsupported)
        };
        // Without any source, none can do this: that nothing was found would claim too much.
        if self.sources.iter().all(is_unsupported) {
            return Outcome::Unsupported;
        }
        if missing && self.recipients.iter().any(|recipient| recipient.confirmed) {
            return Outcome::Partly;
        }
        if self.missing().any(|(_, missing)| can_be_retried(&missing)) {
            return Outcome::Failed;
        }
        match (self.any_found(), missing) {
            (true, true) => Outcome::Unsupported,
            (true, false) if withheld => Outcome::Partly,
            // Found, and everything was as it is wished.
            (true, false) if self.machine == Machine::Rectification => Outcome::Done,
            (false, true) if !self.sources.iter().any(SourceWork::is_empty) => Outcome::Failed,
            (false, true) => Outcome::Partly,
            (_, false) => Outcome::NothingFound,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Whether asking again could help. What a source cannot do at all, a source that no identifier
/// fits, and a correction that finds no place, stay as they are.
pub(super) const fn can_be_retried(missing: &MissingRows) -> bool {
    !matches!(
        missing.failure,
        Failure::Unsupported | Failure::NoIdentifier | Failure::NoSuchField
    )
}

/// All of a target's part is missing.
pub(super) const fn whole(failure: Failure) -> MissingRows {
    MissingRows {
        collection: None,
        rows: None,
        failure,
    }
}
