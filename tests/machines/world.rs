//! What the tests of the machines share: a law, policies, landscapes, requests, and every command
//! that somebody could give in a state.

#![allow(dead_code)] // each test file uses its own part of it

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use datarights::law::{Calendar, Readings, Regime, Regimes, Setting};
use datarights::model::{
    Actor, Assurance, Channel, ControllerId, Digest, Failure, Ground, Handle, IdentifierKind,
    IntakeId, KeyedDigest, MissingRows, PartyId, Pending, Purpose, RequestId, Right, RowCount,
    SearchDepth, SourceId, Until, Use, Verdict, WithheldRows,
};
use datarights::workflow::fulfilment::{self, Phase};
use datarights::workflow::{
    Approval, Cause, Command, Context, Decision, Delivery, Effect, Finding, Intake, Landscape,
    Letter, PartRef, Policy, Rejection, Request, Review, SourceInfo, StepResult, Target, Task,
    Timer, TimerChange, decide, lifecycle, receive,
};

pub(crate) fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).unwrap()
}

pub(crate) fn staff(name: &str) -> Actor {
    Actor::staff(name).unwrap()
}

pub(crate) fn controller() -> ControllerId {
    ControllerId::new("acme").unwrap()
}

pub(crate) fn source_id(name: &str) -> SourceId {
    SourceId::new(name).unwrap()
}

pub(crate) fn party(name: &str) -> PartyId {
    PartyId::new(name).unwrap()
}

pub(crate) fn part(name: &str) -> PartRef {
    PartRef {
        name: name.to_owned(),
        chunks: 1,
        digest: Digest::of(name.as_bytes()),
    }
}

pub(crate) fn pending() -> Pending {
    Pending {
        handle: Handle("ticket-7".to_owned()),
        look_again: start() + TimeDelta::days(14),
        task: None,
    }
}

pub(crate) fn rows(count: u64) -> Vec<RowCount> {
    vec![RowCount::new("tickets", count)]
}

pub(crate) fn missing(failure: Failure) -> MissingRows {
    MissingRows {
        collection: Some("archive".to_owned()),
        rows: None,
        failure,
    }
}

pub(crate) fn failed() -> StepResult {
    StepResult::Failed(Failure::Unavailable)
}

pub(crate) fn partly(finding: Finding, failure: Failure) -> StepResult {
    StepResult::Done {
        finding,
        missing: vec![missing(failure)],
    }
}

pub(crate) fn withheld(until: Until) -> WithheldRows {
    WithheldRows {
        collection: "invoices".to_owned(),
        rows: 2,
        ground: Ground::new("tax"),
        until,
        restricted: false,
    }
}

pub(crate) fn day(days: i64) -> NaiveDate {
    (start() + TimeDelta::days(days)).date_naive()
}

/// A law, a policy, a landscape and a right: what a request lives in.
pub(crate) struct World {
    pub(crate) right: Right,
    pub(crate) policy: Policy,
    pub(crate) landscape: Landscape,
    pub(crate) delivery: Delivery,
    pub(crate) uses: Vec<Use>,
    regime: std::sync::Arc<Regime>,
    calendar: Calendar,
    readings: Readings,
}

/// A source of these kinds, to be erased after those.
pub(crate) fn source(name: &str, accepts: &[IdentifierKind], after: &[&str]) -> SourceInfo {
    SourceInfo {
        id: source_id(name),
        accepts: accepts.to_vec(),
        erase_after: after.iter().map(|name| source_id(name)).collect(),
    }
}

impl World {
    pub(crate) fn new(right: Right, policy: Policy, landscape: Landscape) -> Self {
        Self::under("eu_gdpr", right, policy, landscape)
    }

    /// The same, in a law that knows the right.
    pub(crate) fn under(law: &str, right: Right, policy: Policy, landscape: Landscape) -> Self {
        Self {
            delivery: Delivery::Download,
            uses: match right {
                Right::Objection => vec![Use::Purpose(Purpose("profiling".into()))],
                _ => Vec::new(),
            },
            right,
            policy,
            landscape,
            regime: Regimes::builtin().get(law).unwrap(),
            calendar: Calendar::in_zone("Europe/Paris").unwrap(),
            readings: Readings::default(),
        }
    }

    /// One source, no recipients, nobody asks twice.
    pub(crate) fn simple(right: Right) -> Self {
        let landscape = Landscape {
            sources: vec![source("crm", &[IdentifierKind::Mail], &[])],
            recipients: Vec::new(),
        };
        Self::new(right, plain_policy(), landscape)
    }

    /// The same under another law.
    pub(crate) fn under_law(self, regime: &str) -> Self {
        let regimes = Regimes::builtin();
        let now = regimes.in_force(regime, start().date_naive());
        self.with_law(now.unwrap_or_else(|_| regimes.get(regime).unwrap()))
    }

    /// The same for a controller of whom that is so.
    pub(crate) fn stating(mut self, circumstance: &'static str) -> Self {
        self.readings = self.readings.with_circumstance(circumstance);
        self
    }

    pub(crate) fn with_law(mut self, regime: std::sync::Arc<Regime>) -> Self {
        self.regime = regime;
        self
    }

    pub(crate) fn setting(&self) -> Setting<'_> {
        Setting {
            regime: &self.regime,
            right: &self.right,
            calendar: &self.calendar,
            readings: &self.readings,
        }
    }

    pub(crate) fn context<'a>(
        &'a self,
        now: DateTime<Utc>,
        actor: &'a Actor,
        cause: &'a Cause,
    ) -> Context<'a> {
        Context {
            now,
            actor,
            cause,
            setting: self.setting(),
            policy: &self.policy,
            landscape: &self.landscape,
        }
    }

    pub(crate) fn intake(&self) -> Intake {
        Intake {
            controller: controller(),
            request: RequestId::new(uuid::Uuid::from_u128(1)),
            intake: IntakeId::new(uuid::Uuid::from_u128(2)),
            channel: Channel::Form,
            received_at: start(),
            dated: None,
            person: vec![KeyedDigest::from_bytes([7; 32])],
            kinds: vec![IdentifierKind::Mail],
            identifiers: part("identifiers/0"),
            corrections: (self.right == Right::Rectification).then(|| part("corrections")),
            delivery: self.delivery.clone(),
            uses: self.uses.clone(),
            joins: None,
            beside: None,
        }
    }

    pub(crate) fn receive(&self) -> Decision {
        let pin = self.regime.pin().unwrap();
        let context = self.context(start(), &Actor::Host, &Cause::Command);
        receive(self.intake(), pin, &context).unwrap()
    }

    pub(crate) fn decide(
        &self,
        request: &Request,
        now: DateTime<Utc>,
        actor: &Actor,
        command: &Command,
    ) -> Result<Decision, Rejection> {
        let cause = match command {
            Command::Fire(timer) => Cause::Timer(*timer),
            _ => Cause::Command,
        };
        self.decide_because(request, now, actor, command, &cause)
    }

    pub(crate) fn decide_because(
        &self,
        request: &Request,
        now: DateTime<Utc>,
        actor: &Actor,
        command: &Command,
        cause: &Cause,
    ) -> Result<Decision, Rejection> {
        decide(request, command, &self.context(now, actor, cause))
    }
}

/// Nobody is asked twice.
pub(crate) fn plain_policy() -> Policy {
    let mut policy = Policy::default();
    policy.plan_approval = Approval::None;
    policy
}

/// The settings that lead to different courses.
pub(crate) fn policies() -> Vec<Policy> {
    let mut all = Vec::new();
    for (approval, confirm, grace, review) in [
        (Approval::None, false, None, Review::WhenIncomplete),
        (Approval::FourEyes, false, None, Review::Always),
        (Approval::OnePerson, true, Some(14), Review::WhenIncomplete),
        (Approval::None, true, None, Review::Always),
        (Approval::None, false, Some(3), Review::WhenIncomplete),
        (Approval::FourEyes, false, Some(3), Review::WhenIncomplete),
    ] {
        let mut policy = Policy::default();
        policy.plan_approval = approval;
        policy.confirm_erasure = confirm;
        policy.grace = grace.map(TimeDelta::days);
        policy.review = review;
        policy.erasure_rounds = 2;
        policy.identity_attempts = 2;
        all.push(policy);
    }
    all
}

/// Small landscapes that differ in kind.
pub(crate) fn landscapes() -> Vec<Landscape> {
    use IdentifierKind::{Account, Mail};
    vec![
        Landscape {
            sources: vec![source("crm", &[Mail], &[])],
            recipients: Vec::new(),
        },
        Landscape {
            sources: vec![
                source("accounts", &[Mail], &["orders"]),
                source("orders", &[Account], &[]),
            ],
            recipients: vec![party("mailer")],
        },
        Landscape {
            sources: vec![source("orders", &[Account], &[])],
            recipients: Vec::new(),
        },
        Landscape {
            sources: Vec::new(),
            recipients: vec![party("mailer"), party("printer")],
        },
    ]
}

/// A request as it stands, its timers, and the time.
#[derive(Clone)]
pub(crate) struct Situation {
    pub(crate) request: Request,
    pub(crate) timers: BTreeMap<Timer, DateTime<Utc>>,
    pub(crate) now: DateTime<Utc>,
}

impl Situation {
    pub(crate) fn after(received: Decision) -> Self {
        let mut timers = BTreeMap::new();
        absorb(&mut timers, &received.timers);
        Self {
            request: received.next,
            timers,
            now: start(),
        }
    }

    pub(crate) fn next(&self, now: DateTime<Utc>, decision: &Decision) -> Self {
        let mut timers = self.timers.clone();
        absorb(&mut timers, &decision.timers);
        Self {
            request: decision.next.clone(),
            timers,
            now,
        }
    }

    /// The instant at which a command is given: a timer fires when it is due.
    pub(crate) fn at(&self, command: &Command) -> DateTime<Utc> {
        match command {
            Command::Fire(timer) => self.now.max(self.timers[timer]),
            _ => self.now,
        }
    }
}

pub(crate) fn absorb(timers: &mut BTreeMap<Timer, DateTime<Utc>>, changes: &[TimerChange]) {
    for change in changes {
        match *change {
            TimerChange::Set(timer, at) => {
                timers.insert(timer, at);
            }
            TimerChange::Clear(timer) => {
                timers.remove(&timer);
            }
        }
    }
}

pub(crate) fn ground() -> Ground {
    Ground::new("manifestly_unfounded")
}

pub(crate) fn extend() -> lifecycle::Command {
    lifecycle::Command::Extend {
        ground: Ground::new("complexity"),
        until: None,
    }
}

/// One command of every kind of the legal course (several where their content matters).
pub(crate) fn lifecycle_commands() -> Vec<lifecycle::Command> {
    use lifecycle::Command as C;
    let mut all = vec![
        C::RequestIdentity,
        C::Challenge,
        C::ChallengeFailed {
            failure: Failure::Unavailable,
        },
        C::AttemptIdentity,
        C::RejectIdentity,
        C::ConfirmIdentity,
        C::AddIdentifiers {
            identifiers: part("identifiers/1"),
            kinds: vec![IdentifierKind::Phone],
        },
        C::AskClarification,
        C::Clarify,
        C::ChargeFee {
            minor_units: 1000,
            currency: "EUR".to_owned(),
            ground: Some(ground()),
        },
        C::PayFee,
        C::WaiveFee,
        extend(),
        C::Approve,
        C::Refuse { ground: ground() },
        C::Rework,
        C::Leave,
        C::Release,
        C::Appeal,
        C::SuspectFraud,
        C::AnnounceResults { at: start() },
        C::ExtendAppeal {
            ground: Ground::new("complexity"),
        },
        C::DecideAppeal { granted: true },
        C::DecideAppeal { granted: false },
        C::Withdraw,
        C::Join {
            into: RequestId::new(uuid::Uuid::from_u128(99)),
        },
        C::JoinedBy {
            request: RequestId::new(uuid::Uuid::from_u128(98)),
        },
        C::PackageDeleted,
        C::Shredded,
    ];
    for letter in [
        Letter::Response,
        Letter::Refusal,
        Letter::IdentityRequest,
        Letter::RestrictionLifted,
    ] {
        all.push(C::Resend { letter });
        all.push(C::LetterSent { letter });
        all.push(C::LetterFailed {
            letter,
            failure: Failure::Unavailable,
        });
    }
    for letter in [
        Letter::ClarificationRequest,
        Letter::FeeRequest,
        Letter::ConfirmationRequest,
    ] {
        all.push(C::LetterSent { letter });
    }
    all.push(C::LetterPending {
        letter: Letter::Response,
        pending: pending(),
    });
    all
}

/// What a step of this kind can be answered with.
pub(crate) fn results(task: Task, target: &Target) -> Vec<StepResult> {
    let name = target.to_string();
    let done = |finding, missing| StepResult::Done { finding, missing };
    let mut all: Vec<StepResult> = match task {
        Task::Locate => vec![
            StepResult::done(located(&name, 3, None)),
            StepResult::done(located(&name, 0, None)),
            StepResult::done(located(&name, 1, Some(IdentifierKind::Account))),
            done(located(&name, 1, None), vec![missing(Failure::Unavailable)]),
            done(located(&name, 1, None), vec![missing(Failure::Unsupported)]),
        ],
        Task::Plan => vec![
            StepResult::done(planned(&name, "a", 3, vec![])),
            StepResult::done(planned(&name, "b", 0, vec![])),
            StepResult::done(planned(
                &name,
                "a",
                3,
                vec![withheld(Until::Date(day(400)))],
            )),
            StepResult::done(planned_without_the_first(&name, 3)),
            StepResult::done(planned_without_the_first(&name, 0)),
        ],
        Task::Read => vec![
            StepResult::done(read(&name, vec![])),
            StepResult::done(read(&name, vec![withheld(Until::Always)])),
            done(read(&name, vec![]), vec![missing(Failure::Unavailable)]),
        ],
        Task::Pack => vec![StepResult::done(Finding::Packed {
            bytes: 1000,
            digest: Digest::of(b"package"),
            name: None,
        })],
        Task::Rectify | Task::Restrict | Task::Unrestrict => {
            vec![StepResult::done(Finding::Changed { rows: rows(1) })]
        }
        Task::Erase => vec![
            StepResult::done(erased(3, vec![])),
            StepResult::done(erased(1, vec![withheld(Until::Date(day(400)))])),
            StepResult::done(erased(1, vec![withheld(Until::HoldLifted)])),
            done(erased(1, vec![]), vec![missing(Failure::Refused)]),
        ],
        Task::Search | Task::Verify => vec![
            StepResult::done(left(vec![])),
            StepResult::done(left(rows(1))),
        ],
        Task::LockToRead | Task::LockToWrite => return vec![StepResult::done(Finding::Nothing)],
        Task::Stop if matches!(target, Target::Source(_)) => vec![
            StepResult::done(stopped(3, None)),
            StepResult::done(stopped(0, None)),
            StepResult::done(stopped(1, Some(IdentifierKind::Account))),
            done(stopped(1, None), vec![missing(Failure::Unavailable)]),
        ],
        Task::Review => {
            return vec![
                StepResult::done(Finding::Reviewed {
                    verdict: Verdict::Changed,
                }),
                StepResult::Pending(pending()),
            ];
        }
        _ => vec![StepResult::done(Finding::Nothing)],
    };
    all.push(StepResult::Pending(pending()));
    all.push(StepResult::Unsupported);
    all.push(StepResult::Failed(Failure::Unavailable));
    all
}

/// Found with so many rows; with a further kind of identifier that came to light.
pub(crate) fn located(name: &str, count: u64, learned: Option<IdentifierKind>) -> Finding {
    Finding::Located {
        rows: rows(count),
        locators: (count > 0).then(|| part(&format!("locators/{name}"))),
        keys: vec![KeyedDigest::from_bytes([name.len() as u8; 32])],
        identified: learned.map(|kind| (part("identifiers/1"), vec![kind])),
        horizon: None,
    }
}

/// So many rows are not used so any more; with a further kind of identifier that came to light.
pub(crate) fn stopped(count: u64, learned: Option<IdentifierKind>) -> Finding {
    Finding::Stopped {
        rows: rows(count),
        identified: learned.map(|kind| (part("identifiers/1"), vec![kind])),
    }
}

pub(crate) fn planned(
    name: &str,
    version: &str,
    count: u64,
    withheld: Vec<WithheldRows>,
) -> Finding {
    Finding::Planned {
        part: part(&format!("plan/{name}/{version}")),
        digest: Digest::of(version.as_bytes()),
        rows: rows(count),
        withheld,
        untaken: Vec::new(),
    }
}

/// The same, without a place for the first of the wished corrections.
pub(crate) fn planned_without_the_first(name: &str, count: u64) -> Finding {
    let mut plan = planned(name, "a", count, vec![]);
    if let Finding::Planned { untaken, .. } = &mut plan {
        untaken.push(0);
    }
    plan
}

pub(crate) fn read(name: &str, withheld: Vec<WithheldRows>) -> Finding {
    Finding::Read {
        spool: part(&format!("spool/{name}")),
        rows: rows(3),
        withheld,
    }
}

pub(crate) fn erased(count: u64, withheld: Vec<WithheldRows>) -> Finding {
    Finding::Erased {
        rows: rows(count),
        withheld,
        assurance: Assurance::Deleted,
    }
}

pub(crate) const fn left(rows: Vec<RowCount>) -> Finding {
    Finding::Left {
        rows,
        depth: SearchDepth::ByPath,
    }
}

/// A result of this kind of step that did all of it.
pub(crate) fn success(task: Task, target: &Target) -> StepResult {
    results(task, target)[0].clone()
}

/// Every command of the work that means something in this state, and some that do not.
pub(crate) fn work_commands(request: &Request) -> Vec<fulfilment::Command> {
    use fulfilment::Command as C;
    let mut all = vec![
        C::Confirm,
        C::Undo,
        C::LiftHold,
        C::Lift,
        C::ApprovePlan {
            digest: request
                .fulfilment
                .as_ref()
                .map_or_else(Digest::default, |work| work.plan_digest()),
        },
    ];
    let Some(work) = &request.fulfilment else {
        all.push(answer(
            Task::Locate,
            &Target::Source(source_id("crm")),
            StepResult::Unsupported,
        ));
        return all;
    };
    let Some(task) = work.phase.task(work.machine) else {
        all.push(answer(
            Task::Erase,
            &Target::Source(source_id("crm")),
            StepResult::done(erased(1, vec![])),
        ));
        return all;
    };
    // One open step stands for the others: they are told apart by what was answered before.
    for step in work.steps.iter().filter(|step| step.is_unsettled()) {
        for result in results(task, &step.target) {
            all.push(answer(task, &step.target, result));
        }
    }
    all
}

pub(crate) fn answer(task: Task, target: &Target, result: StepResult) -> fulfilment::Command {
    fulfilment::Command::Answer {
        task,
        target: target.clone(),
        result: Box::new(result),
    }
}

/// Everything that could be asked of a situation: legal or not.
pub(crate) fn commands(situation: &Situation) -> Vec<Command> {
    let mut all: Vec<Command> = lifecycle_commands().into_iter().map(Into::into).collect();
    all.extend(
        work_commands(&situation.request)
            .into_iter()
            .map(Command::Work),
    );
    all.extend(situation.timers.keys().copied().map(Command::Fire));
    all
}

/// Somebody who may give this command; the plan is approved by another than the request.
pub(crate) fn somebody_for(command: &Command) -> Actor {
    use lifecycle::On;
    match command {
        Command::Fire(_) => Actor::Engine,
        Command::Work(command) => match command.on() {
            fulfilment::On::Answer if is_verdict(command) => staff("ben"),
            fulfilment::On::Answer => Actor::Engine,
            fulfilment::On::Confirm | fulfilment::On::Undo => Actor::Person,
            _ => staff("ben"),
        },
        Command::Lifecycle(command) => match command.on() {
            On::AttemptIdentity | On::Clarify | On::Withdraw | On::Appeal => Actor::Person,
            On::RejectIdentity
            | On::ChallengeFailed
            | On::LetterAnswered
            | On::Join
            | On::JoinedBy
            | On::Sweep => Actor::Engine,
            _ => staff("ada"),
        },
        _ => Actor::Host,
    }
}

/// Whether it brings the verdict of a review.
fn is_verdict(command: &fulfilment::Command) -> bool {
    matches!(
        command,
        fulfilment::Command::Answer { task: Task::Review, result, .. }
            if !matches!(**result, StepResult::Pending(_))
    )
}

/// What makes situations alike: everything that decides what can follow, without times and counts.
pub(crate) fn likeness(situation: &Situation) -> u64 {
    let mut hasher = DefaultHasher::new();
    let life = &situation.request.lifecycle;
    life.phase.hash(&mut hasher);
    life.appealed.hash(&mut hasher);
    life.refusal.is_some().hash(&mut hasher);
    life.outcome.hash(&mut hasher);
    life.stuck_letters.is_empty().hash(&mut hasher);
    life.identified.hash(&mut hasher);
    life.waiting_since.is_some().hash(&mut hasher);
    situation
        .timers
        .contains_key(&Timer::Expiry)
        .hash(&mut hasher);
    if let Some(work) = &situation.request.fulfilment {
        work.phase.hash(&mut hasher);
        for step in &work.steps {
            step.target.hash(&mut hasher);
            step.state.hash(&mut hasher);
            step.stale.hash(&mut hasher);
        }
        for source in &work.sources {
            source.locators.is_some().hash(&mut hasher);
            (source.worked, source.finished, source.restricted).hash(&mut hasher);
            (&source.missing, source.left.is_empty()).hash(&mut hasher);
            source.untaken.hash(&mut hasher);
            source
                .withheld
                .first()
                .map(|rows| rows.until)
                .hash(&mut hasher);
        }
        (work.approved.is_some(), work.cancelled, work.written).hash(&mut hasher);
        (work.erasures.min(2), work.package_failure.is_some()).hash(&mut hasher);
        (work.announced, work.recipients.iter().all(|r| r.confirmed)).hash(&mut hasher);
    }
    hasher.finish()
}

/// The phase of the work, if it began.
pub(crate) fn work_phase(request: &Request) -> Option<Phase> {
    request.fulfilment.as_ref().map(|work| work.phase)
}

/// What an effect does, if it is a step.
pub(crate) const fn task_of(effect: &Effect) -> Option<Task> {
    match effect {
        Effect::Step { task, .. } => Some(*task),
        _ => None,
    }
}

/// A request on its way: gives commands, keeps what came of them.
pub(crate) struct Course {
    pub(crate) world: World,
    pub(crate) situation: Situation,
    pub(crate) last: Decision,
    pub(crate) effects: Vec<String>,
}

impl Course {
    pub(crate) fn of(world: World) -> Self {
        let last = world.receive();
        Self {
            situation: Situation::after(last.clone()),
            effects: last.effects.iter().map(|(key, _)| key.0.clone()).collect(),
            last,
            world,
        }
    }

    /// Identified and approved by ada.
    pub(crate) fn approved(world: World) -> Self {
        let mut course = Self::of(world);
        course.give(lifecycle::Command::ConfirmIdentity);
        course.give(lifecycle::Command::Approve);
        course
    }

    pub(crate) fn request(&self) -> &Request {
        &self.situation.request
    }

    pub(crate) fn work(&self) -> &fulfilment::Fulfilment {
        self.request().fulfilment.as_ref().unwrap()
    }

    pub(crate) fn phases(&self) -> (lifecycle::Phase, Phase) {
        (self.request().lifecycle.phase, self.work().phase)
    }

    /// Tries a command of somebody who may give it; what it comes to if it is accepted.
    pub(crate) fn attempt(&self, command: impl Into<Command>) -> Result<Decision, Rejection> {
        let command = command.into();
        let actor = somebody_for(&command);
        let now = self.situation.at(&command);
        self.world.decide(self.request(), now, &actor, &command)
    }

    pub(crate) fn give(&mut self, command: impl Into<Command>) -> &mut Self {
        let command = command.into();
        let now = self.situation.at(&command);
        let decision = self.attempt(command).unwrap();
        self.situation = self.situation.next(now, &decision);
        let keys = decision.effects.iter().map(|(key, _)| key.0.clone());
        self.effects.extend(keys);
        self.last = decision;
        self
    }

    /// A letter is out.
    pub(crate) fn sent(&mut self, letter: Letter) -> &mut Self {
        self.give(lifecycle::Command::LetterSent { letter })
    }

    pub(crate) fn fire(&mut self, timer: Timer) -> &mut Self {
        self.give(Command::Fire(timer))
    }

    pub(crate) fn wait(&mut self, span: TimeDelta) -> &mut Self {
        self.situation.now += span;
        self
    }

    /// Answers the step of a target.
    pub(crate) fn answer(&mut self, target: &Target, result: StepResult) -> &mut Self {
        let task = self.work().phase.task(self.work().machine).unwrap();
        self.give(answer(task, target, result))
    }

    pub(crate) fn answer_source(&mut self, name: &str, result: StepResult) -> &mut Self {
        self.answer(&Target::Source(source_id(name)), result)
    }

    /// Answers open steps with success until the work is in this phase.
    pub(crate) fn work_until(&mut self, phase: Phase) -> &mut Self {
        while self.work().phase != phase {
            let work = self.work();
            let task = work.phase.task(work.machine);
            let task = task.unwrap_or_else(|| panic!("waits in {:?}", work.phase));
            let ready = |step: &&fulfilment::Step| {
                let key = format!("/{}/{}", step.target, step.round);
                step.is_unsettled() && self.effects.iter().any(|effect| effect.ends_with(&key))
            };
            let target = work.steps.iter().find(ready).unwrap().target.clone();
            if task == Task::Review {
                self.give(answer(task, &target, StepResult::Pending(pending())));
            }
            self.give(answer(task, &target, success(task, &target)));
        }
        self
    }

    /// Sends the answer out.
    pub(crate) fn answered(&mut self) -> &mut Self {
        let letter = self.request().lifecycle.answer();
        self.give(lifecycle::Command::LetterSent { letter })
    }

    /// Appeals against the answer, with success, and has the request approved again.
    pub(crate) fn appealed_and_approved(&mut self) -> &mut Self {
        self.give(lifecycle::Command::Appeal);
        self.give(lifecycle::Command::DecideAppeal { granted: true });
        self.give(lifecycle::Command::Approve)
    }
}

/// Who may give which command, whatever a host's own policy adds: written down a second time.
pub(crate) fn may(actor: &Actor, command: &Command, asked: bool) -> bool {
    let allowed = match command {
        Command::Fire(_) => "engine",
        Command::Work(fulfilment::Command::Answer {
            task: Task::Review,
            result,
            ..
        }) => match **result {
            StepResult::Pending(_) => "engine staff",
            _ => "staff",
        },
        Command::Work(fulfilment::Command::Answer { target, .. }) => match target {
            Target::Recipient(to) if *actor == Actor::Processor(to.clone()) => "processor",
            Target::Source(_) | Target::Recipient(_) => "engine staff",
            Target::Request => "engine",
        },
        Command::Work(command) => match command.on() {
            fulfilment::On::ApprovePlan => "staff",
            fulfilment::On::Confirm => "person agent",
            fulfilment::On::Undo => "person agent staff host",
            _ => "staff host",
        },
        Command::Lifecycle(command) => match snake(&command.on()).as_str() {
            "add_identifiers" if asked => "staff host",
            "add_identifiers" | "clarify" | "withdraw" => "person agent staff host",
            "appeal" => "person agent staff",
            "attempt_identity" => "person agent",
            "reject_identity" | "join" | "letter_answered" => "engine staff",
            "confirm_identity" => "engine staff host",
            "rework" => "engine staff host controller",
            "sweep" | "challenge_failed" | "joined_by" => "engine",
            "pay_fee" | "request_identity" | "challenge" => "staff host",
            _ => "staff host controller",
        },
        _ => unreachable!(),
    };
    let name = match actor {
        Actor::Person => "person",
        Actor::Agent(_) => "agent",
        Actor::Staff(_) => "staff",
        Actor::Controller(_) => "controller",
        Actor::Processor(_) => "processor",
        Actor::Host => "host",
        Actor::Engine => "engine",
        _ => unreachable!(),
    };
    allowed.split(' ').any(|allowed| allowed == name)
}

pub(crate) fn snake(name: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for (i, c) in format!("{name:?}").chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// One of every kind.
pub(crate) fn actors() -> [Actor; 7] {
    [
        Actor::Person,
        Actor::Agent(party("lawyer")),
        staff("ben"),
        Actor::Controller(controller()),
        Actor::Processor(party("someone")),
        Actor::Host,
        Actor::Engine,
    ]
}

/// Sources and recipients of these names, and somebody who looks at every answer.
pub(crate) fn looked_at(right: Right, sources: &[&str], recipients: &[&str]) -> World {
    let landscape = Landscape {
        sources: (sources.iter())
            .map(|name| source(name, &[IdentifierKind::Mail], &[]))
            .collect(),
        recipients: recipients.iter().map(|name| party(name)).collect(),
    };
    let mut world = World::new(right, plain_policy(), landscape);
    world.policy.review = Review::Always;
    world
}
