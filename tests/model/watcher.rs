//! What must be true of every request, whatever is commanded: a model that is simpler than the
//! machines. It keeps what was commanded and answered, and never looks into a table.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use datarights::model::{Actor, Digest, Failure, MissingRows, Outcome, Right, WithheldRows};
use datarights::workflow::fulfilment;
use datarights::workflow::{
    Approval, Command, Decision, Effect, Event, Finding, Letter, Locks, Policy, Rejection, Request,
    StepResult, Target, Task, Timer, lifecycle,
};

use crate::world::{Situation, World, may, start as world_start};

/// What was last heard of a source.
#[derive(Clone, Debug, Default)]
struct Heard {
    /// Whether its last search was done, and found the person.
    found: Option<bool>,
    /// The digest of its last plan.
    plan: Option<Digest>,
    /// Which of the wished corrections that plan has no place for.
    untaken: Vec<u32>,
    /// Whether that plan was made since the locks were taken.
    fresh: bool,
    /// Whether reading, correcting or erasing it was done the last time it was tried.
    done: Option<bool>,
    /// Whether anything was ever read, corrected or erased.
    worked: bool,
    /// What was named as missing since its work began, and can be tried again or never.
    missing: Vec<MissingRows>,
    /// What it said is kept back.
    withheld: Vec<WithheldRows>,
    /// Whether a search afterwards was done and found nothing left.
    clean: Option<bool>,
    /// Whether it is, or may be, restricted.
    restricted: bool,
}

pub(crate) struct Watcher {
    right: Right,
    policy: Policy,
    sources: Vec<String>,
    /// Which sources are erased before which.
    after: BTreeMap<String, Vec<String>>,
    /// Every effect ever asked for.
    effects: BTreeSet<String>,
    /// What was handed out as pending, and to nobody else since.
    pending: BTreeSet<(Task, Target)>,
    /// The steps among them.
    pub(crate) steps: Vec<(Task, Target, u32)>,
    identified: bool,
    attempts: u32,
    extended: bool,
    approver: Option<Actor>,
    plan_approved: Option<Digest>,
    confirmed: bool,
    undo_until: Option<DateTime<Utc>>,
    /// Whether anything was erased or corrected, or that was asked for, since the work began.
    writing: bool,
    locked: Option<bool>,
    heard: BTreeMap<String, Heard>,
    recipients: BTreeMap<String, bool>,
    package: Option<bool>,
    closed: bool,
    overdue: bool,
    /// Every deadline that there ever was.
    dues: BTreeSet<DateTime<Utc>>,
    appealed: bool,
    was_answered: bool,
    /// Which sources are, or may be, restricted while a correction is decided on.
    disputed: BTreeSet<String>,
    /// Whether nothing is weighed, and whether not even the person has to be known.
    at_once: bool,
    free: bool,
    /// Whether somebody wants the restriction lifted, and whether the person was told since.
    lifting: bool,
    told: bool,
    reviewed: bool,
}

const fn is_final(failure: &Failure) -> bool {
    matches!(failure, Failure::Unsupported | Failure::NoIdentifier)
}

impl Watcher {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            right: world.right.clone(),
            policy: world.policy.clone(),
            sources: world
                .landscape
                .sources
                .iter()
                .map(|s| s.id.to_string())
                .collect(),
            after: (world.landscape.sources.iter())
                .map(|source| {
                    let after = source.erase_after.iter().map(ToString::to_string);
                    (source.id.to_string(), after.collect())
                })
                .collect(),
            effects: BTreeSet::new(),
            pending: BTreeSet::new(),
            steps: Vec::new(),
            identified: false,
            attempts: 0,
            extended: false,
            approver: None,
            plan_approved: None,
            confirmed: false,
            undo_until: None,
            writing: false,
            locked: None,
            heard: BTreeMap::new(),
            recipients: BTreeMap::new(),
            package: None,
            closed: false,
            overdue: false,
            dues: BTreeSet::new(),
            appealed: false,
            was_answered: false,
            disputed: BTreeSet::new(),
            at_once: matches!(world.right, Right::OptOut | Right::ConsentWithdrawal),
            free: match world.right {
                Right::ConsentWithdrawal => true,
                Right::OptOut => world.setting().regime.id.as_str() == "us_ca_ccpa",
                _ => false,
            },
            lifting: false,
            told: false,
            reviewed: false,
        }
    }

    /// Takes note of a request that came in. What is carried out at once has begun with it.
    pub(crate) fn received(&mut self, decision: &Decision) {
        assert_eq!(
            decision.next.fulfilment.is_some(),
            self.free,
            "{:?} begins when it comes in, or not before it may",
            self.right
        );
        self.took(decision, world_start());
    }

    /// Takes note of what was decided.
    fn took(&mut self, decision: &Decision, now: DateTime<Utc>) {
        for envelope in &decision.events {
            self.happened(&envelope.event, now);
        }
        self.locked(&decision.locks);
        for (key, effect) in &decision.effects {
            // A package whose deletion was asked for, and has not been carried out when its period
            // ends, is deleted once: what is still to do is there once for each key.
            let still_to_do = *effect == Effect::DeletePackage;
            assert!(
                self.effects.insert(key.0.clone()) || still_to_do,
                "{key:?} was used before"
            );
            self.asked(effect, now);
        }
    }

    /// Judges a decision or a rejection.
    pub(crate) fn judge(
        &mut self,
        situation: &Situation,
        now: DateTime<Utc>,
        actor: &Actor,
        command: &Command,
        result: &Result<Decision, Rejection>,
    ) {
        let asked = situation.request.lifecycle.phase != lifecycle::Phase::Received;
        match result {
            Err(rejection) => self.may_be_rejected(actor, command, rejection, asked),
            Ok(decision) => {
                assert!(may(actor, command, asked), "{actor:?} may not {command:?}");
                self.commanded(situation, now, actor, command);
                if let Command::Lifecycle(lifecycle::Command::Leave) = command {
                    // What was left as it is is still named, and nothing is said to be done.
                    let named = |request: &Request| -> Vec<_> {
                        let work = request.fulfilment.iter();
                        work.flat_map(|work| work.missing()).collect()
                    };
                    assert_eq!(named(&situation.request), named(&decision.next));
                }
                self.took(decision, now);
                let begun = decision.next.fulfilment.is_some();
                assert!(
                    begun || !(self.at_once && self.identified),
                    "{:?} waits though it is known who asks",
                    self.right
                );
            }
        }
    }

    /// A rejection must be true: what it says is checked against what is known.
    fn may_be_rejected(
        &self,
        actor: &Actor,
        command: &Command,
        rejection: &Rejection,
        asked: bool,
    ) {
        match rejection {
            Rejection::WrongActor { .. } => assert!(!may(actor, command, asked)),
            Rejection::TooManyAttempts { limit } => assert_eq!(self.attempts, *limit),
            Rejection::NotIdentified => assert!(!self.identified),
            Rejection::FourEyes => assert_eq!(self.approver.as_ref(), Some(actor)),
            Rejection::Once { what } => assert!(match *what {
                "extend" => self.extended,
                _ => self.appealed,
            }),
            Rejection::NotNow { open, .. } => {
                // Whatever it says is open is a command, not something from within.
                for internal in [
                    "report", "fire", "sweep", "announce", "lapse", "cancel", "retry",
                ] {
                    assert!(!open.split(", ").any(|name| name == internal), "{open}");
                }
            }
            _ => {}
        }
        assert!(!rejection.to_string().is_empty());
    }

    fn commanded(
        &mut self,
        situation: &Situation,
        now: DateTime<Utc>,
        actor: &Actor,
        command: &Command,
    ) {
        use lifecycle::Command as C;
        if self.closed {
            let allowed = match command {
                Command::Lifecycle(command) => matches!(
                    command.on(),
                    lifecycle::On::Resend | lifecycle::On::LetterAnswered | lifecycle::On::Sweep
                ),
                Command::Work(command) => matches!(
                    command.on(),
                    fulfilment::On::Answer | fulfilment::On::LiftHold | fulfilment::On::Lift
                ),
                _ => true,
            };
            assert!(allowed, "{command:?} after the end");
        }
        // Whatever is commanded, what passed before it is recorded.
        let due = situation.request.answer_due();
        self.dues.extend(due);
        self.overdue |= due.is_some_and(|due| now >= due);
        match command {
            Command::Lifecycle(C::AttemptIdentity) => {
                self.attempts += 1;
                assert!(self.attempts <= self.policy.identity_attempts);
            }
            Command::Lifecycle(C::ConfirmIdentity) => self.identified = true,
            Command::Lifecycle(C::Approve) => {
                let known = self.identified || self.free;
                assert!(known, "approved before anybody knew who it is");
                self.approver = Some(actor.clone());
            }
            Command::Lifecycle(C::Extend { .. }) => {
                assert!(!self.extended, "extended twice");
                self.extended = true;
                let cutoff = situation.request.clock.extension_notice.as_ref().unwrap();
                assert!(cutoff.late_from().is_none_or(|until| now < until));
            }
            Command::Lifecycle(C::Appeal) => {
                assert!(!self.appealed, "appealed twice");
                self.appealed = true;
            }
            Command::Work(fulfilment::Command::ApprovePlan { digest }) => {
                let Actor::Staff(_) = actor else {
                    panic!("{actor:?} approved a plan");
                };
                if self.policy.plan_approval == Approval::FourEyes {
                    assert_ne!(self.approver.as_ref(), Some(actor), "four eyes");
                }
                self.plan_approved = Some(*digest);
            }
            Command::Work(fulfilment::Command::Lift) => {
                assert!(self.was_answered, "it ends before they heard of it");
                self.lifting = true;
            }
            Command::Lifecycle(C::LetterSent {
                letter: Letter::RestrictionLifted,
            }) => self.told |= self.lifting,
            Command::Work(fulfilment::Command::Confirm) => self.confirmed = true,
            Command::Work(fulfilment::Command::Undo) => {
                let until = self.undo_until.expect("there was something to undo");
                assert!(now < until, "undone at {now}, after {until}");
                assert!(!self.writing, "undone after it began");
            }
            Command::Work(fulfilment::Command::Answer {
                task,
                target,
                result,
            }) => {
                let waited = |step: &(Task, Target, u32)| step.0 == *task && step.1 == *target;
                assert!(
                    self.steps.iter().any(waited),
                    "{task:?} {target} was never begun"
                );
                let step = (*task, target.clone());
                assert!(
                    *actor == Actor::Engine || self.pending.contains(&step),
                    "{actor:?} answers {task:?} {target}, which was not handed out"
                );
                match **result {
                    StepResult::Pending(_) => self.pending.insert(step),
                    _ => self.pending.remove(&step),
                };
                self.answered(*task, target, result);
            }
            _ => {}
        }
    }

    fn answered(&mut self, task: Task, target: &Target, result: &StepResult) {
        let (finding, mut missing) = match result {
            StepResult::Done { finding, missing } => (Some(finding), missing.clone()),
            StepResult::Unsupported => (None, vec![crate::world::missing(Failure::Unsupported)]),
            StepResult::Failed(failure) => (None, vec![crate::world::missing(failure.clone())]),
            _ => return,
        };
        let complete = finding.is_some() && missing.is_empty();
        match target {
            Target::Recipient(id) => {
                self.recipients.insert(id.to_string(), complete);
            }
            Target::Request => {
                if task == Task::Pack {
                    self.package = Some(complete);
                }
                self.reviewed |= task == Task::Review && complete;
            }
            Target::Source(id) => {
                let heard = self.heard.entry(id.to_string()).or_default();
                let by_itself = self.right == Right::Restriction;
                match (task, finding) {
                    (Task::Restrict, _) if !by_itself && *result != StepResult::Unsupported => {
                        self.disputed.insert(id.to_string());
                    }
                    (Task::Unrestrict, Some(_)) => {
                        self.disputed.remove(id.as_str());
                    }
                    _ => {}
                }
                match (task, finding) {
                    // Whoever is not there will not be used either.
                    (Task::Stop, done) => {
                        *heard = Heard {
                            found: done.map(|_| true),
                            worked: heard.worked || done.is_some(),
                            ..Heard::default()
                        };
                    }
                    (Task::Restrict, done) if by_itself => {
                        heard.worked |= done.is_some();
                        heard.restricted |= done.is_some() || *result != StepResult::Unsupported;
                    }
                    (Task::Unrestrict, Some(_)) if by_itself => heard.restricted = false,
                    (Task::Locate, found) => {
                        *heard = Heard {
                            found: found.map(|found| {
                                matches!(
                                    found,
                                    Finding::Located {
                                        locators: Some(_),
                                        ..
                                    }
                                )
                            }),
                            worked: heard.worked && heard.restricted,
                            restricted: heard.restricted,
                            ..Heard::default()
                        };
                    }
                    (
                        Task::Plan,
                        Some(Finding::Planned {
                            digest,
                            withheld,
                            untaken,
                            ..
                        }),
                    ) => {
                        heard.plan = Some(*digest);
                        heard.untaken.clone_from(untaken);
                        heard.fresh = self.locked == Some(true);
                        heard.withheld.clone_from(withheld);
                    }
                    (Task::Read, Some(Finding::Read { withheld, .. }))
                    | (Task::Erase, Some(Finding::Erased { withheld, .. })) => {
                        heard.withheld.clone_from(withheld);
                        heard.worked = true;
                    }
                    (Task::Rectify, Some(_)) => heard.worked = true,
                    (Task::Search | Task::Verify, Some(Finding::Left { rows, .. })) => {
                        heard.clean = Some(rows.is_empty());
                    }
                    (Task::Search | Task::Verify, _) => heard.clean = Some(false),
                    // What cannot be restricted is corrected without.
                    (Task::Restrict, None) => missing.retain(|m| !is_final(&m.failure)),
                    _ => {}
                }
                let does = matches!(task, Task::Read | Task::Rectify | Task::Erase | Task::Stop);
                if does || by_itself && task == Task::Restrict {
                    heard.done = Some(complete);
                }
                heard.missing.append(&mut missing);
            }
        }
    }

    fn happened(&mut self, event: &Event, now: DateTime<Utc>) {
        match event {
            Event::Started { .. } => {
                self.heard.clear();
                self.recipients.clear();
                self.package = None;
                self.begin_anew();
            }
            Event::Entered {
                phase: fulfilment::Phase::Locating,
            } if self.right == Right::Restriction => {
                // What is restricted stays so, and is not searched again.
                self.heard.retain(|_, heard| heard.restricted);
                self.forgive();
            }
            Event::Entered {
                phase: fulfilment::Phase::Locating,
            } => {
                self.begin_anew();
                if self.right == Right::Export {
                    // What is found now is handed over; what was found before is not.
                    self.recipients.clear();
                }
            }
            Event::Entered {
                phase: fulfilment::Phase::Stopping | fulfilment::Phase::Announcing,
            } => self.forgive(),
            Event::PlanChanged => {
                self.plan_approved = None;
                self.confirmed = false;
                self.undo_until = None;
            }
            Event::Reworked => self.forgive(),
            Event::Entered {
                phase: fulfilment::Phase::Queued,
            } if self.writing => self.forgive(),
            Event::GraceGranted { until } => {
                assert_eq!(Some(*until - now), self.policy.grace);
                self.undo_until = Some(*until);
            }
            Event::DeadlinePassed { at } => {
                assert!(*at <= now && self.dues.contains(at), "{at} was no deadline");
                self.overdue = true;
            }
            Event::AppealDecided { granted: true } => self.overdue = false,
            Event::Ended { outcome } | Event::Restricted { outcome } => self.ended(outcome),
            Event::LetterSent {
                letter: Letter::Response | Letter::Refusal,
            } => self.was_answered = true,
            Event::Closed { .. } => {
                assert!(!self.closed);
                self.closed = true;
            }
            _ => {}
        }
    }

    /// The work begins anew: everything is asked again.
    fn begin_anew(&mut self) {
        self.plan_approved = None;
        self.confirmed = false;
        self.undo_until = None;
        self.writing = false;
        self.lifting = false;
        self.told = false;
        self.reviewed = false;
        self.heard.clear();
        self.package = None;
    }

    /// The work is taken up again: what can be tried again is.
    fn forgive(&mut self) {
        for heard in self.heard.values_mut() {
            heard.missing.retain(|missing| is_final(&missing.failure));
            heard.clean = None;
        }
    }

    fn locked(&mut self, locks: &Locks) {
        match locks {
            Locks::Take { exclusive, keys } => {
                assert_eq!(self.locked, None, "locked twice");
                assert!(keys.is_sorted());
                self.locked = Some(*exclusive);
            }
            Locks::Release => {
                self.locked = None;
                for heard in self.heard.values_mut() {
                    heard.fresh = false;
                }
            }
            _ => {}
        }
    }

    fn asked(&mut self, effect: &Effect, now: DateTime<Utc>) {
        if *effect == Effect::Notify(Letter::RestrictionLifted) {
            assert!(self.lifting, "nobody wants it lifted");
        }
        let Effect::Step {
            task,
            target,
            round,
        } = effect
        else {
            return;
        };
        assert!(
            self.identified || self.free,
            "{task:?} before anybody knew who it is"
        );
        assert!(
            self.approver.is_some() || self.at_once,
            "{task:?} before it was approved"
        );
        if self.right == Right::Restriction {
            assert!(
                *task != Task::Unrestrict || self.told,
                "lifted before the person was told"
            );
            self.writing |= matches!(task, Task::Restrict | Task::Inform);
        }
        self.writing |= *task == Task::Stop;
        match task {
            Task::Read | Task::Verify | Task::Search => assert!(self.locked.is_some(), "{task:?}"),
            Task::Restrict | Task::Unrestrict | Task::Rectify | Task::Erase => {
                assert_eq!(self.locked, Some(true), "{task:?} without a lock to write");
            }
            _ => {}
        }
        if self.right == Right::Erasure && matches!(task, Task::Erase | Task::Inform) {
            self.may_be_erased(*task, now);
        }
        if matches!(task, Task::Erase | Task::Rectify) {
            let found = |heard: &Heard| heard.found == Some(true);
            let id = target.to_string();
            assert!(
                self.heard.get(&id).is_some_and(found),
                "nothing was found in {id}"
            );
            let stale = |heard: &Heard| !heard.fresh && *task == Task::Erase;
            assert!(!self.heard.get(&id).is_some_and(stale), "an old plan");
            let after = self.after.get(&id).filter(|_| *task == Task::Erase);
            for before in after.into_iter().flatten() {
                if let Some(earlier) = self.heard.get(before).filter(|heard| found(heard)) {
                    assert_eq!(earlier.done, Some(true), "{id} before {before}");
                }
            }
            self.writing = true;
        }
        if self.right == Right::Rectification && *task == Task::Rectify {
            assert!(self.policy.plan_approval == Approval::None || self.plan_approved.is_some());
        }
        // Begun anew: what was handed out before does not count.
        self.pending.remove(&(*task, target.clone()));
        self.steps.push((*task, target.clone(), *round));
    }

    /// Every gate that the policy sets was passed before the first row goes.
    fn may_be_erased(&self, task: Task, now: DateTime<Utc>) {
        if self.writing {
            return;
        }
        for id in &self.sources {
            let Some(heard) = self.heard.get(id) else {
                continue;
            };
            let known = heard.found.is_some();
            let whole = heard
                .missing
                .iter()
                .all(|missing| is_final(&missing.failure));
            assert!(
                known && whole,
                "{task:?} though {id} was not searched to the end"
            );
        }
        let found = self.heard.values().any(|heard| heard.found == Some(true));
        if self.policy.plan_approval != Approval::None && found {
            assert_eq!(
                self.plan_approved,
                Some(self.plan()),
                "not what was approved"
            );
        }
        assert!(
            !self.policy.confirm_erasure || self.confirmed,
            "not confirmed"
        );
        if self.policy.grace.is_some() {
            let until = self.undo_until.expect("it could be undone");
            assert!(now >= until, "erased while it could be undone");
        }
    }

    /// What the plans of all sources are worth together.
    fn plan(&self) -> Digest {
        let mut bytes = Vec::new();
        for id in &self.sources {
            if let Some(plan) = self.heard.get(id).and_then(|heard| heard.plan) {
                bytes.extend_from_slice(id.as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(plan.as_bytes());
            }
        }
        Digest::of(&bytes)
    }

    /// An outcome claims no more than was heard.
    fn ended(&self, outcome: &Outcome) {
        if self.right == Right::HumanReview {
            match outcome {
                Outcome::Done => assert!(self.reviewed, "nobody looked at it"),
                _ => assert_eq!(*outcome, Outcome::Cancelled),
            }
            return;
        }
        let heard: Vec<_> = self.sources.iter().map(|id| self.heard.get(id)).collect();
        let all_searched = heard.iter().all(|heard| {
            heard.is_some_and(|heard| heard.found.is_some() && heard.missing.is_empty())
        });
        let recipients_told = self.recipients.values().all(|told| *told);
        let withheld = heard
            .iter()
            .flatten()
            .any(|heard| !heard.withheld.is_empty());
        // A wish that every plan passes over is not carried out.
        let plans = || heard.iter().flatten().filter(|heard| heard.plan.is_some());
        let lost = self.right == Right::Rectification
            && plans().next().is_some()
            && plans().all(|heard| heard.untaken.contains(&0));
        match outcome {
            Outcome::Done => {
                assert!(!lost, "a wish was lost: {:#?}", self.heard);
                assert!(
                    all_searched && recipients_told && !withheld,
                    "{:#?}",
                    self.heard
                );
                for heard in heard
                    .into_iter()
                    .flatten()
                    .filter(|h| h.found == Some(true))
                {
                    // Found, with nothing to correct, is done too.
                    let corrected = self.right == Right::Rectification && heard.done.is_none();
                    assert!(heard.done == Some(true) || corrected, "{heard:?}");
                    assert!(heard.clean != Some(false), "{heard:?}");
                }
                if matches!(self.right, Right::Access | Right::Export) {
                    assert_eq!(self.package, Some(true));
                }
            }
            Outcome::NothingFound => {
                assert!(all_searched && recipients_told, "{:#?}", self.heard);
                assert!(!self.sources.is_empty());
                for heard in heard.into_iter().flatten() {
                    assert!(!heard.worked);
                    assert_eq!(heard.found, Some(false));
                }
            }
            Outcome::Cancelled => {
                assert!(!self.writing, "cancelled after it began");
                assert!(self.disputed.is_empty(), "restricted for ever");
            }
            Outcome::Failed | Outcome::Unsupported => {
                let worked = heard.iter().flatten().any(|heard| heard.worked);
                assert!(
                    !worked || self.package == Some(false),
                    "{outcome:?} is too little"
                );
            }
            _ => {}
        }
    }

    /// What must be true of a request as it stands.
    pub(crate) fn look_at(&self, situation: &Situation) {
        let request = &situation.request;
        let life = &request.lifecycle;
        let has = |timer| situation.timers.contains_key(&timer);
        assert_eq!(life.identified, self.identified);
        assert_eq!(life.attempts, self.attempts);
        assert_eq!(life.is_closed(), self.closed);
        assert!(
            !self.overdue || life.overdue,
            "a deadline that passed is recorded"
        );

        // Timers: nothing is waited for without one, and none is left over.
        if life.is_answered() {
            assert!(!has(Timer::Deadline) && !has(Timer::Reminder));
        } else if !self.was_answered {
            let watched = request.answer_due().is_none() || has(Timer::Deadline) || life.overdue;
            assert!(watched, "nobody watches the deadline");
        }
        if self.closed {
            for timer in [Timer::Expiry, Timer::Appeal, Timer::Grace] {
                assert!(!has(timer), "{timer:?} after the end");
            }
        }
        if life.end.is_some() && !request.is_open() {
            assert!(!has(Timer::Tail));
            assert_eq!(self.locked, None, "locked for ever");
        } else {
            let sweeping = [Timer::Package, Timer::Personal, Timer::Request];
            assert!(!sweeping.into_iter().any(has), "swept while it is open");
        }
        let Some(work) = &request.fulfilment else {
            return;
        };

        // Nothing that is waited for was never asked for.
        for step in work.steps.iter().filter(|step| step.is_unsettled()) {
            let waits = work.phase.task(work.machine).unwrap();
            let asked = self
                .steps
                .contains(&(waits, step.target.clone(), step.round));
            assert!(
                asked || step.state == fulfilment::StepState::Open,
                "{step:?}"
            );
        }
        let stands_still = match work.phase {
            fulfilment::Phase::Grace => !has(Timer::Grace),
            // Staff knows that they are silent.
            fulfilment::Phase::Confirmation => {
                let asked = |key: &String| key.starts_with("notify/confirmation_request");
                let told = life.is_sent(Letter::ConfirmationRequest);
                assert!(told || !has(Timer::Expiry), "nobody asked them");
                !self.effects.iter().any(asked)
            }
            fulfilment::Phase::Withholding => !has(Timer::Tail),
            fulfilment::Phase::Announcing => {
                let asked = |key: &String| key.starts_with("notify/restriction_lifted");
                !self.effects.iter().any(asked)
            }
            fulfilment::Phase::Approval
            | fulfilment::Phase::Restricted
            | fulfilment::Phase::Ended => false,
            _ => {
                let task = work.phase.task(work.machine).unwrap();
                let asked = |step: &fulfilment::Step| {
                    step.is_unsettled()
                        && self
                            .steps
                            .contains(&(task, step.target.clone(), step.round))
                };
                !work.steps.iter().any(asked)
            }
        };
        assert!(!stands_still, "nothing will ever move {:?}", work.phase);

        // What was withheld is named, and what could not be done.
        for source in &work.sources {
            let Some(heard) = self.heard.get(source.id.as_str()) else {
                continue;
            };
            if work.phase == fulfilment::Phase::Ended && heard.done == Some(true) {
                assert_eq!(source.withheld, heard.withheld);
            }
        }
        if let Some(datarights::model::End::Answered(_)) = &life.end {
            let alone = work.phase != fulfilment::Phase::Ended;
            assert!(!work.is_unfinished() || alone, "closed, and not finished");
        }
    }
}
