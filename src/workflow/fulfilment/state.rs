//! The state of the work: its phase, its open steps, and what is known of each source.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{
    Assurance, Digest, Failure, IdentifierKind, KeyedDigest, MissingRows, Outcome, PartyId,
    Pending, SourceId, Verdict, WithheldRows,
};
use crate::workflow::effect::{Letter, Target, Task};
use crate::workflow::event::{Envelope, Event, Finding, SourceInfo, StepResult};
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
    /// When the next of what is withheld may go.
    pub withheld_until: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether the person was told that the restriction ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub announced: bool,
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
        let source = |info: &SourceInfo| SourceWork {
            restricted: before
                .and_then(|work| work.source(&info.id))
                .is_some_and(|source| source.restricted),
            ..SourceWork::new(info)
        };
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
            sources: sources.iter().map(source).collect(),
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
            outcome: None,
            announced: false,
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

    /// Whether it changed some data, and did not change all that it can.
    pub fn is_unfinished(&self) -> bool {
        self.written && self.missing().any(|(_, missing)| can_be_retried(&missing))
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
        let of_sources = self.sources.iter().flat_map(move |source| {
            // While others are still searched, an identifier that fits it may come to light.
            let given_up = !self.phase.searches() || self.is_settled();
            let unsearched = (!source.searched && given_up).then(|| whole(Failure::NoIdentifier));
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
        of_sources.chain(of_recipients).chain(of_package)
    }

    /// How sure the erasure is as a whole: as the weakest source.
    pub fn assurance(&self) -> Option<Assurance> {
        self.sources
            .iter()
            .filter_map(|source| source.assurance)
            .min()
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
    pub(super) fn is_ready(&self, step: &Step) -> bool {
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
            (false, true) if !self.sources.iter().any(SourceWork::is_empty) => Outcome::Failed,
            (false, true) => Outcome::Partly,
            (_, false) => Outcome::NothingFound,
        }
    }

    pub(in crate::workflow) fn apply(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::Entered { phase } => self.enter(*phase),
            Event::StepAnswered {
                task,
                target,
                result,
            } => self.answered(*task, target, result),
            Event::StepReopened { target } => {
                self.round += 1;
                self.search(target);
                let step = Step::open(target.clone(), self.round);
                match self.steps.iter_mut().find(|step| step.target == *target) {
                    Some(known) => *known = step,
                    None => self.steps.push(step),
                }
            }
            Event::StepBlocked { target } => {
                self.settle(target, StepState::Failed);
                if let Target::Source(id) = target
                    && let Some(source) = self.source_mut(id)
                {
                    source.finished = false;
                    source.miss(whole(Failure::Blocked));
                }
            }
            Event::PlanApproved { digest } => self.approved = Some(*digest),
            Event::PlanChanged => {
                self.approved = None;
                self.confirmed = false;
                self.grace_given = false;
                self.grace_until = None;
            }
            Event::Confirmed => self.confirmed = true,
            Event::GraceGranted { until } => {
                self.grace_until = Some(*until);
                self.grace_given = true;
            }
            Event::Withholding { until } => {
                self.withheld_until = *until;
                self.outcome = Some(Outcome::Partly);
            }
            Event::Restricted { outcome } => self.outcome = Some(outcome.clone()),
            Event::LetterSent {
                letter: Letter::RestrictionLifted,
            } if self.phase == Phase::Announcing => {
                self.announced = true;
                // Of this they have not heard yet.
                for recipient in &mut self.recipients {
                    recipient.confirmed = false;
                }
            }
            Event::Cancelled => self.cancelled = true,
            Event::Ended { outcome } => {
                self.phase = Phase::Ended;
                self.steps.clear();
                self.outcome = Some(outcome.clone());
            }
            _ => {}
        }
    }

    fn enter(&mut self, phase: Phase) {
        let again = self.phase.rests();
        if phase == Phase::Locating {
            for source in &mut self.sources {
                if !is_kept(self.machine, source) {
                    *source = source.anew();
                }
            }
            self.approved = None;
            self.confirmed = false;
            self.grace_given = false;
            self.grace_until = None;
            self.package = None;
            self.package_name = None;
            // A recipient restricts a person, not rows: it need not hear of it twice.
            let told = self.machine == Machine::Restriction;
            for recipient in self.recipients.iter_mut().chain(&mut self.deliver_to) {
                recipient.confirmed &= told;
            }
        }
        if again {
            // Taken up again: what can be tried again is, and the rest stays named.
            self.outcome = None;
            self.withheld_until = None;
            self.package_failure = None;
            self.erasures = 0;
            for source in &mut self.sources {
                source.missing.retain(|missing| !can_be_retried(missing));
                source.left.clear();
            }
            for recipient in self.recipients.iter_mut().chain(&mut self.deliver_to) {
                recipient.failure = None;
            }
        }
        match phase {
            Phase::Rectifying | Phase::Stopping => self.written = true,
            Phase::Restricting | Phase::Informing if self.machine == Machine::Restriction => {
                self.written = true;
            }
            Phase::Erasing => {
                self.written = true;
                self.erasures += 1;
            }
            _ => {}
        }
        self.phase = phase;
        self.round += 1;
        let targets = self.targets(phase);
        if phase.searches() {
            for target in &targets {
                self.search(target);
            }
        }
        let round = self.round;
        self.steps = targets
            .into_iter()
            .map(|target| Step::open(target, round))
            .collect();
    }

    /// A search begins: what an earlier one missed does not count any more.
    fn search(&mut self, target: &Target) {
        if let Target::Source(id) = target
            && let Some(source) = self.source_mut(id)
        {
            source.searched = true;
            source.finished = false;
            source.missing.clear();
        }
    }

    /// Who has a step in a phase.
    fn targets(&self, phase: Phase) -> Vec<Target> {
        let sources = |which: &dyn Fn(&SourceWork) -> bool| -> Vec<Target> {
            self.sources
                .iter()
                .filter(|source| which(source))
                .map(|source| Target::Source(source.id.clone()))
                .collect()
        };
        match phase {
            Phase::Locating => sources(&|s| self.can_search(s) && !is_kept(self.machine, s)),
            Phase::Stopping => {
                let mut all = sources(&|s| self.can_search(s) && !s.finished);
                all.extend(self.untold());
                all
            }
            Phase::Planning | Phase::Checking | Phase::Reading => sources(&SourceWork::is_found),
            Phase::Restricting if self.machine == Machine::Restriction => {
                sources(&|s| s.is_found() && !s.finished)
            }
            Phase::Restricting | Phase::Rectifying => sources(&SourceWork::is_planned),
            Phase::Verifying => sources(&|s| s.is_planned() && s.worked),
            Phase::Lifting => sources(&|s| s.restricted),
            Phase::Erasing => {
                if self.sources.iter().any(|s| !s.left.is_empty()) {
                    sources(&|s| !s.left.is_empty())
                } else {
                    sources(&SourceWork::is_unerased)
                }
            }
            Phase::Searching => sources(&|s| s.is_found() && s.worked),
            Phase::Queued | Phase::Packing | Phase::Reviewing => vec![Target::Request],
            Phase::Sending => self
                .deliver_to
                .iter()
                .map(|recipient| Target::Recipient(recipient.id.clone()))
                .collect(),
            Phase::Informing => self.untold().collect(),
            Phase::Approval
            | Phase::Confirmation
            | Phase::Grace
            | Phase::Withholding
            | Phase::Restricted
            | Phase::Announcing
            | Phase::Ended => Vec::new(),
        }
    }

    /// Whether some identifier that is known fits a source.
    fn can_search(&self, source: &SourceWork) -> bool {
        source.accepts.iter().any(|kind| self.kinds.contains(kind))
    }

    /// The recipients that have not confirmed.
    fn untold(&self) -> impl Iterator<Item = Target> {
        self.recipients
            .iter()
            .filter(|recipient| !recipient.confirmed)
            .map(|recipient| Target::Recipient(recipient.id.clone()))
    }

    fn source_mut(&mut self, id: &SourceId) -> Option<&mut SourceWork> {
        self.sources.iter_mut().find(|source| source.id == *id)
    }

    fn settle(&mut self, target: &Target, state: StepState) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.target == *target) {
            step.state = state;
        }
    }

    fn answered(&mut self, task: Task, target: &Target, result: &StepResult) {
        let (state, failure) = match result {
            StepResult::Done { missing, .. } if missing.iter().any(can_be_retried) => {
                (StepState::Partly, None)
            }
            StepResult::Done { .. } => (StepState::Done, None),
            StepResult::Pending(pending) => {
                self.settle(target, StepState::Waiting(pending.clone()));
                return;
            }
            // What cannot be restricted is corrected without.
            StepResult::Unsupported
                if task == Task::Restrict && self.machine == Machine::Rectification =>
            {
                (StepState::Done, None)
            }
            StepResult::Unsupported => (StepState::Failed, Some(Failure::Unsupported)),
            StepResult::Failed(failure) => (StepState::Failed, Some(failure.clone())),
        };
        let finished = state == StepState::Done;
        let is_restriction = self.machine == Machine::Restriction;
        self.settle(target, state);
        match target {
            Target::Source(id) => {
                if let StepResult::Done { finding, .. } = result
                    && let Some((_, kinds)) = finding.identified()
                {
                    self.learn(kinds);
                }
                if let Some(source) = self.source_mut(id) {
                    match task {
                        Task::Read | Task::Rectify | Task::Erase | Task::Stop => {
                            source.finished = finished;
                        }
                        Task::Restrict => {
                            // It may have been restricted before it failed.
                            source.restricted |=
                                failure.as_ref().is_some_and(|f| *f != Failure::Unsupported);
                            source.finished = finished && is_restriction;
                        }
                        _ => {}
                    }
                    if let Some(failure) = failure {
                        source.miss(whole(failure));
                    } else if let StepResult::Done { finding, missing } = result {
                        source.answered(task, finding);
                        if let Finding::Changed { rows } = finding
                            && task == Task::Restrict
                            && is_restriction
                        {
                            source.worked = true;
                            source.done.clone_from(rows);
                        }
                        for missing in missing {
                            source.miss(missing.clone());
                        }
                        if changes(task, finding) {
                            for recipient in &mut self.recipients {
                                recipient.confirmed = false;
                            }
                        }
                    }
                }
            }
            Target::Recipient(id) => {
                let recipient = match task {
                    Task::Transmit => self.deliver_to.as_mut(),
                    _ => self.recipients.iter_mut().find(|r| r.id == *id),
                };
                if let Some(recipient) = recipient {
                    recipient.confirmed = finished;
                    recipient.failure = failure;
                }
            }
            Target::Request => {
                if task == Task::Pack {
                    self.package_failure = failure;
                }
                if let StepResult::Done {
                    finding:
                        Finding::Packed {
                            bytes,
                            digest,
                            name,
                        },
                    ..
                } = result
                {
                    self.package = Some((*bytes, *digest));
                    self.package_name.clone_from(name);
                }
                if let StepResult::Done {
                    finding: Finding::Reviewed { verdict },
                    ..
                } = result
                {
                    self.verdict = Some(*verdict);
                }
            }
        }
    }

    /// Notes kinds of identifiers that are known.
    pub(in crate::workflow) fn know(&mut self, kinds: &[IdentifierKind]) {
        for kind in kinds {
            if !self.kinds.contains(kind) {
                self.kinds.push(kind.clone());
            }
        }
    }

    /// Notes new kinds of identifiers; steps that began without them must search again.
    fn learn(&mut self, kinds: &[IdentifierKind]) {
        self.know(kinds);
        let concerned = self.concerned_by(kinds);
        for step in &mut self.steps {
            if step.is_unsettled() && concerned.contains(&step.target) {
                step.stale = true;
            }
        }
    }
}

/// Whether a new search passes a source over: what it was found by must lift its restriction.
fn is_kept(machine: Machine, source: &SourceWork) -> bool {
    machine == Machine::Restriction && source.restricted
}

/// Whether asking again could help. What a source cannot do at all, and a source that no
/// identifier fits, stay as they are.
const fn can_be_retried(missing: &MissingRows) -> bool {
    !matches!(
        missing.failure,
        Failure::Unsupported | Failure::NoIdentifier
    )
}

/// All of a target's part is missing.
const fn whole(failure: Failure) -> MissingRows {
    MissingRows {
        collection: None,
        rows: None,
        failure,
    }
}

/// Whether rows were changed of which recipients must hear.
fn changes(task: Task, finding: &Finding) -> bool {
    match (task, finding) {
        (Task::Rectify, Finding::Changed { rows }) | (_, Finding::Erased { rows, .. }) => {
            rows.iter().any(|count| count.rows > 0)
        }
        _ => false,
    }
}

impl Step {
    const fn open(target: Target, round: u32) -> Self {
        Self {
            target,
            round,
            state: StepState::Open,
            stale: false,
        }
    }
}
