//! How events move the state of the work. Total: asks nobody, and refuses nothing.

use crate::model::{Failure, IdentifierKind, Outcome, SourceId};
use crate::workflow::effect::{Letter, Target, Task};
use crate::workflow::event::{Envelope, Event, Finding, StepResult};

use super::source::SourceWork;
use super::state::{Fulfilment, Step, StepState, can_be_retried, whole};
use super::{Machine, Phase};

impl Fulfilment {
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
            Event::Withholding { until, again } => {
                self.withheld_until = *until;
                self.rests = if *again {
                    self.rests.saturating_add(1)
                } else {
                    0
                };
                self.outcome = Some(self.resting_outcome());
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
            Event::LeftAsItIs => self.left = true,
            Event::Reworked | Event::Approved => self.left = false,
            Event::Ended { outcome } => {
                self.phase = Phase::Ended;
                self.steps.clear();
                self.outcome = Some(outcome.clone());
            }
            _ => {}
        }
    }

    const fn resting_outcome(&self) -> Outcome {
        if self.cancelled {
            Outcome::Cancelled
        } else {
            Outcome::Partly
        }
    }

    fn enter(&mut self, phase: Phase) {
        let again = self.phase.rests() && !phase.rests();
        // A rectification that was left goes on only to lift what it restricted.
        let left = self.left && self.machine == Machine::Rectification;
        self.left &= phase.rests() || left;
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
        }
        if again && !left {
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
                        // What was lifted in part is lifted again.
                        source.restricted |= task == Task::Unrestrict && !missing.is_empty();
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
                    // Who did a part of it has not confirmed it.
                    let partly = match result {
                        StepResult::Done { missing, .. } => missing.first(),
                        _ => None,
                    };
                    recipient.failure = failure.or(partly.map(|missing| missing.failure.clone()));
                    recipient.confirmed = finished && recipient.failure.is_none();
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
