//! Random courses under several laws: every letter that the law makes mandatory is asked for at
//! its step, is complete, and is known as late when it is late.
//!
//! What the law demands is read from its tables here a second time.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use datarights::engine::Controller;
use datarights::law::{self, Due, GroundUse, Notice, Period, Question, Regime, Regimes, Step};
use datarights::model::{Failure, Ground, Outcome, Right};
use datarights::workflow::fulfilment::Phase;
use datarights::workflow::{
    Command, Decision, Effect, Event, Letter, Request, Target, Task, lifecycle,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::world::{
    Situation, World, answer, commands, landscapes, policies, somebody_for, start, success,
};
use crate::{RIGHTS, told_everything};

/// The law as it stands when the courses begin.
fn in_force(law: &str) -> Arc<Regime> {
    let begins = start().date_naive();
    Regimes::builtin().in_force(law, begins).unwrap()
}

/// Every law that is in force when the courses begin.
fn laws() -> Vec<String> {
    let regimes = Regimes::builtin();
    let begins = start().date_naive();
    let ids = regimes.ids().map(ToString::to_string);
    ids.filter(|id| regimes.in_force(id, begins).is_ok())
        .collect()
}

/// Laws that differ in what they demand: those under which every letter must come up.
const LAWS: [&str; 13] = [
    "eu_gdpr",
    "uk_gdpr",
    "us_ca_ccpa",
    "us_va",
    "us_co",
    "us_hipaa",
    "br_lgpd",
    "ch_fadp",
    "ca_pipeda",
    "ca_qc_law25",
    "kr_pipa",
    "za_popia",
    "vn_pdpl",
];

/// The notices of a step that concern a right.
fn demanded<'a>(law: &'a Regime, right: &Right, step: Step) -> Vec<&'a Notice> {
    let own: Vec<_> = (law.rights.iter())
        .find(|rule| rule.id == right.name() || rule.rights.contains(right))
        .map(|rule| rule.rights.clone())
        .unwrap_or_default();
    let concerns = |notice: &&Notice| {
        notice.rights.is_empty()
            || notice
                .rights
                .iter()
                .any(|named| named == right || own.contains(named))
    };
    let of_step = |notice: &&Notice| notice.step == step && notice.mandatory;
    law.notices
        .iter()
        .filter(of_step)
        .filter(concerns)
        .collect()
}

/// The letters whose step an event is, with their steps.
fn steps_of(event: &Event) -> Option<(Letter, Vec<Step>)> {
    Some(match event {
        Event::Received(_) => (Letter::Acknowledgement, vec![Step::Acknowledgement]),
        Event::IdentityRequested => (Letter::IdentityRequest, vec![Step::IdentityRequest]),
        Event::FeeRequested { .. } => (Letter::FeeRequest, vec![Step::Fee]),
        Event::Extended { .. } | Event::AppealExtended { .. } => {
            (Letter::Extension, vec![Step::Extension])
        }
        Event::Refused { .. } => (Letter::Refusal, vec![Step::Refusal]),
        Event::Released => (
            Letter::Response,
            vec![Step::Response, Step::OptOutDone, Step::HumanReview],
        ),
        Event::Entered {
            phase: Phase::Announcing,
        } => (Letter::RestrictionLifted, vec![Step::RestrictionLifted]),
        Event::AppealDecided { granted: false } => {
            (Letter::AppealDecision, vec![Step::AppealDenied])
        }
        _ => return None,
    })
}

struct Course {
    world: World,
    law: std::sync::Arc<Regime>,
    acme: Controller,
    situation: Situation,
    /// Letters that are on their way.
    outbox: Vec<Letter>,
    sent: BTreeMap<Letter, DateTime<Utc>>,
    /// Steps of the work that were begun.
    begun: Vec<(Task, Target, u32)>,
    seen: Vec<&'static str>,
    /// Everything that was recorded.
    log: Vec<Event>,
    /// Whether the letter of each extension was out in time, in their order.
    told: Vec<bool>,
    workers: bool,
}

impl Course {
    fn of(law: &str, right: Right, policy: usize, landscape: usize) -> Option<Self> {
        let mut policy = policies().swap_remove(policy % policies().len());
        policy.acknowledge = false;
        let landscape = landscapes().swap_remove(landscape % landscapes().len());
        let world = World::new(right.clone(), policy, landscape).under_law(law);
        let regime = in_force(law);
        // A law that does not grant the right, or not yet, has no course for it.
        match regime.right(&right) {
            Some(rule) if rule.from.is_some() => return None,
            None if !regime.any_right => return None,
            _ => {}
        }
        let received = world.receive();
        let mut course = Self {
            acme: told_everything(law).with_words("ground.tax", "Tax law obliges us."),
            situation: Situation::after(received.clone()),
            world,
            law: regime,
            outbox: Vec::new(),
            sent: BTreeMap::new(),
            begun: Vec::new(),
            seen: Vec::new(),
            log: Vec::new(),
            told: Vec::new(),
            workers: true,
        };
        course.judge(&received);
        Some(course)
    }

    fn request(&self) -> &Request {
        &self.situation.request
    }

    /// What was decided asks for the letters that its events demand, and each of them is complete.
    fn judge(&mut self, decision: &Decision) {
        let asked: Vec<Letter> = decision
            .effects
            .iter()
            .filter_map(|(_, effect)| match effect {
                Effect::Notify(letter) => Some(*letter),
                _ => None,
            })
            .collect();
        let events = decision.events.iter();
        self.log
            .extend(events.map(|envelope| envelope.event.clone()));
        let right = &decision.next.facts.right;
        let law = std::sync::Arc::clone(&self.law);
        for envelope in &decision.events {
            let Some((letter, steps)) = steps_of(&envelope.event) else {
                continue;
            };
            let done = decision.next.lifecycle.outcome == Some(Outcome::Done);
            let demanded: Vec<_> = steps
                .iter()
                // That it was done is said when it was.
                .filter(|step| done || **step != Step::OptOutDone)
                .flat_map(|step| demanded(&law, right, *step))
                .collect();
            if !demanded.is_empty() {
                assert!(
                    asked.contains(&letter),
                    "{:?} asks for no {letter:?}",
                    envelope.event
                );
                self.is_complete(&decision.next, letter, &demanded);
            }
        }
        for letter in &asked {
            let said = self.acme.says(&decision.next, *letter);
            said.unwrap_or_else(|error| panic!("{error}"));
        }
        self.outbox.extend(asked);
        for (_, effect) in &decision.effects {
            if let Effect::Step {
                task,
                target,
                round,
            } = effect
            {
                self.begun.push((*task, target.clone(), *round));
            }
        }
    }

    fn is_complete(&mut self, request: &Request, letter: Letter, demanded: &[&Notice]) {
        let said = self.acme.says(request, letter).unwrap();
        let held = request.lifecycle.outcome != Some(Outcome::NothingFound);
        let in_part = letter == Letter::Response
            && !matches!(
                request.lifecycle.outcome,
                Some(Outcome::Done | Outcome::NothingFound)
            );
        let refusal = match in_part {
            true => crate::courses::demanded(&self.law, &request.facts.right, Step::Refusal),
            false => Vec::new(),
        };
        for item in demanded
            .iter()
            .chain(&refusal)
            .flat_map(|notice| &notice.items)
        {
            let found = said.iter().find(|said| said.item == item.id);
            if item.if_held && !held {
                continue;
            }
            let found = found.unwrap_or_else(|| panic!("{letter:?} leaves out {}", item.id));
            match &found.words {
                Some(words) => assert!(
                    !words.trim().is_empty() && !words.contains(['{', '}']),
                    "{words}"
                ),
                None => assert!(item.if_applicable, "{} always applies", item.id),
            }
            assert!(!found.article.is_empty() || self.law.id.as_str() == "none");
        }
        self.seen.push(letter.name());
    }

    fn give(&mut self, command: &Command) -> bool {
        let now = self.situation.at(command);
        let actor = somebody_for(command);
        let Ok(decision) = self.world.decide(self.request(), now, &actor, command) else {
            return false;
        };
        self.what_passed_is_in_the_log(&decision, now);
        self.extensions_that_nobody_heard_of_are_none(&decision, command, now);
        if let Command::Lifecycle(lifecycle::Command::LetterSent { letter }) = command {
            self.sent.entry(*letter).or_insert(now);
            self.outbox.retain(|waiting| waiting != letter);
        }
        self.judge(&decision);
        self.situation = self.situation.next(now, &decision);
        true
    }

    /// Whoever commands, at the latest now it is written down what passed before.
    fn what_passed_is_in_the_log(&self, decision: &Decision, now: DateTime<Utc>) {
        let before = self.request();
        let log = || {
            self.log
                .iter()
                .chain(decision.events.iter().map(|e| &e.event))
        };
        if before.lifecycle.is_answered() {
            return;
        }
        let first = before.lifecycle.answered_at.is_none() && !before.lifecycle.appealed;
        let due = before.clock.response.as_ref().and_then(Due::late_from);
        if let Some(due) = due.filter(|due| *due <= now && first) {
            let passed =
                log().any(|event| matches!(event, Event::DeadlinePassed { at } if *at <= due));
            assert!(passed, "{due} passed, and nobody wrote it down");
        }
        let receipt = before
            .clock
            .acknowledgement
            .as_ref()
            .and_then(Due::late_from);
        if let Some(due) = receipt.filter(|due| *due <= now)
            && !self.sent.contains_key(&Letter::Acknowledgement)
        {
            let letter = Letter::Acknowledgement;
            let passed = Event::LetterOverdue { letter, at: due };
            assert!(log().any(|event| *event == passed), "the receipt was late");
        }
        // A refusal is late only if there is one: also one that comes after its last day.
        let mut refused = false;
        for event in log() {
            refused |= matches!(event, Event::Refused { .. });
            let letter = match event {
                Event::LetterOverdue { letter, .. } => Some(*letter),
                _ => None,
            };
            let is_late = letter == Some(Letter::Refusal);
            assert!(refused || !is_late, "late with what nobody decided");
        }
    }

    /// The deadline is what the law computes with the extensions alone whose letter is out, or
    /// can still be in time.
    fn extensions_that_nobody_heard_of_are_none(
        &mut self,
        decision: &Decision,
        command: &Command,
        now: DateTime<Utc>,
    ) {
        use lifecycle::Command as C;
        let extended = |event: &&Event| matches!(event, Event::Extended { .. });
        let known = self.told.len();
        let notice = self.request().clock.extension_notice.as_ref();
        let cutoff = notice.and_then(Due::late_from);
        if let Some(told) = self.told.last_mut()
            && matches!(
                command,
                Command::Lifecycle(C::LetterSent {
                    letter: Letter::Extension
                })
            )
            && cutoff.is_none_or(|cutoff| now < cutoff)
        {
            *told = true;
        }
        let decided = decision
            .events
            .iter()
            .map(|e| &e.event)
            .filter(extended)
            .count();
        self.told.resize(known + decided, false);
        let clock = &decision.next.clock;
        let notices = clock
            .history
            .all(law::ClockEventKind::ExtensionNotified)
            .count();
        let told = self.told.iter().filter(|told| **told).count();
        let cutoff = clock.extension_notice.as_ref().and_then(Due::late_from);
        let open = !self.request().lifecycle.is_answered() && !self.request().lifecycle.appealed;
        if open && cutoff.is_some_and(|cutoff| cutoff <= now) {
            assert_eq!(notices, told, "an extension that nobody was told of");
        }
    }

    /// As a worker would: every timer whose time has come, in order.
    fn fire_due(&mut self) {
        loop {
            let next = self
                .situation
                .timers
                .iter()
                .min_by_key(|(timer, at)| (**at, **timer));
            match next {
                Some((timer, at)) if *at <= self.situation.now => {
                    let command = Command::Fire(*timer);
                    // What sweeps the request is the end of the course.
                    if !self.give(&command) {
                        self.situation.timers.clear();
                    }
                }
                _ => return,
            }
        }
    }

    /// What is not out by its last day is late, and what was out is not.
    fn lateness_is_true(&self) {
        let request = self.request();
        let (life, clock) = (&request.lifecycle, &request.clock);
        let late_from = |due: &Option<Due>| due.as_ref().and_then(Due::late_from);
        let now = self.situation.now;
        let acknowledgement = late_from(&clock.acknowledgement);
        if let Some(last) = acknowledgement {
            let letter = Letter::Acknowledgement;
            let sent = self.sent.get(&letter);
            let late = life.late_letters.contains(&letter);
            if sent.is_some_and(|at| *at < last) {
                assert!(!late, "sent in time");
            } else if now >= last && !life.is_answered() {
                assert!(late, "nobody knows that it is late");
            }
        }
        if let (Some(last), true) = (late_from(&clock.appeal), life.appealed) {
            let letter = Letter::AppealDecision;
            let in_time = self.sent.get(&letter).is_some_and(|at| *at < last);
            if now >= last && !life.is_closed() && !in_time {
                assert!(life.late_letters.contains(&letter));
            }
        }
        // An appeal that was put off, and nobody was told, was not.
        if let Some(last) = late_from(&clock.appeal_extension_notice)
            && now >= last
            && clock.is_appeal_extended()
            && life.phase == lifecycle::Phase::Appeal
        {
            assert!(life.is_sent(Letter::Extension), "nobody heard of it");
        }
        // The fee that the person was told of and did not accept in the law's days.
        if let Some(last) = late_from(&clock.fee)
            && now >= last
            && life.is_sent(Letter::FeeRequest)
        {
            assert_ne!(life.phase, lifecycle::Phase::Fee, "it counts as withdrawn");
        }
        // A refusal that must come before the answer.
        if let (Some(last), Some(answer)) = (late_from(&clock.refusal), late_from(&clock.response))
            && last < answer
            && now >= last
            && life.phase == lifecycle::Phase::Response
            && life.refusal.is_some()
            && !life.appealed
            && !self.sent.contains_key(&Letter::Refusal)
        {
            assert!(life.late_letters.contains(&Letter::Refusal));
        }
    }

    /// The same commands on grounds of this law.
    /// Whether the law leaves the length of an extension to its notice.
    fn names_its_own_date(&self) -> bool {
        let mut extensions = self.law.clocks.iter().filter_map(|c| c.extension.as_ref());
        extensions.any(|extension| extension.by == Period::Unnumbered)
    }

    fn on_its_grounds(&self, command: Command) -> Command {
        use lifecycle::Command as C;
        let right = &self.request().facts.right;
        let ground = |usage| {
            let code = self.law.grounds_for(right, usage).next();
            Ground::new(code.map_or("tax".to_owned(), |ground| ground.code.to_string()))
        };
        match command {
            Command::Lifecycle(C::Refuse { .. }) => C::Refuse {
                ground: ground(GroundUse::Refuse),
            }
            .into(),
            Command::Lifecycle(C::Extend { .. }) => C::Extend {
                ground: ground(GroundUse::Extend),
                until: self.names_its_own_date().then(|| {
                    let later = self.situation.now + TimeDelta::days(90);
                    later.date_naive()
                }),
            }
            .into(),
            Command::Lifecycle(C::ExtendAppeal { .. }) => C::ExtendAppeal {
                ground: ground(GroundUse::Extend),
            }
            .into(),
            Command::Lifecycle(C::ChargeFee {
                minor_units,
                currency,
                ..
            }) => C::ChargeFee {
                minor_units,
                currency,
                ground: Some(ground(GroundUse::Charge)),
            }
            .into(),
            other => other,
        }
    }

    /// One of the commands that are open now.
    fn step(&mut self, seed: usize) {
        let all = commands(&self.situation);
        // A stride that does not come back to where it began.
        let stride = if all.len().is_multiple_of(7) { 11 } else { 7 };
        for offset in 0..16 {
            let command = all[(seed + offset * stride) % all.len()].clone();
            let ends = matches!(
                &command,
                Command::Fire(_)
                    | Command::Lifecycle(
                        lifecycle::Command::Withdraw | lifecycle::Command::Join { .. }
                    )
            );
            let by_hand = matches!(&command, Command::Lifecycle(c) if c.on() == lifecycle::On::LetterAnswered);
            let command = self.on_its_grounds(command);
            if !(ends || by_hand) && self.give(&command) {
                return;
            }
        }
    }

    /// Answers a step of the work that is waited for, with all of it done.
    fn succeed(&mut self) {
        let Some(work) = &self.request().fulfilment else {
            return;
        };
        let waits = |step: &&(Task, Target, u32)| work.waits_for(step.0, &step.1, step.2);
        if let Some((task, target, _)) = self.begun.iter().find(waits).cloned() {
            let result = success(task, &target);
            self.give(&Command::Work(answer(task, &target, result)));
        }
    }

    /// The notifier refuses every letter.
    fn lose_all(&mut self) {
        for letter in std::mem::take(&mut self.outbox) {
            let failure = Failure::Refused;
            self.give(&lifecycle::Command::LetterFailed { letter, failure }.into());
        }
    }

    fn send_all(&mut self) {
        for letter in std::mem::take(&mut self.outbox) {
            self.give(&lifecycle::Command::LetterSent { letter }.into());
        }
    }
}

#[derive(Clone, Debug)]
enum Move {
    Succeed,
    Step(usize),
    Send,
    Lose,
    Wait(i64),
    /// The workers go down, or come back.
    Workers(bool),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        12 => Just(Move::Succeed),
        6 => (0..1000_usize).prop_map(Move::Step),
        3 => Just(Move::Send),
        1 => Just(Move::Lose),
        1 => (1..30 * 24_i64).prop_map(Move::Wait),
        1 => any::<bool>().prop_map(Move::Workers),
    ];
    proptest::collection::vec(one, 1..80)
}

fn walk(
    law: &str,
    right: usize,
    policy: usize,
    landscape: usize,
    moves: &[Move],
) -> Option<Course> {
    let mut course = Course::of(law, RIGHTS[right].clone(), policy, landscape)?;
    if landscape.is_multiple_of(2) {
        course.give(&lifecycle::Command::ConfirmIdentity.into());
        course.give(&lifecycle::Command::Approve.into());
    }
    for next in moves {
        match next {
            Move::Step(seed) => course.step(*seed),
            Move::Succeed => course.succeed(),
            Move::Send => course.send_all(),
            Move::Lose => course.lose_all(),
            Move::Workers(up) => course.workers = *up,
            Move::Wait(hours) => course.situation.now += TimeDelta::hours(*hours),
        }
        if course.workers {
            course.fire_due();
            course.lateness_is_true();
        }
    }
    Some(course)
}

fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(0x1e77_e125);
    }
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config.failure_persistence = None;
    config
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn every_letter_that_a_law_demands_is_asked_for_complete_and_in_time(
        law in prop::sample::select(laws()), right in 0..RIGHTS.len(), policy in 0..6_usize,
        landscape in 0..4_usize, moves in moves(),
    ) {
        walk(&law, right, policy, landscape, &moves);
    }
}

/// The courses are worth something only if they come to every letter, under every law.
#[test]
fn the_courses_come_to_every_letter() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::new(config(1));
    let mut seen = std::collections::BTreeSet::new();
    let mut late = std::collections::BTreeSet::new();
    for number in 0..3600_usize {
        let moves = moves().new_tree(&mut runner).unwrap().current();
        let (law, right) = (number % LAWS.len(), number / LAWS.len() % RIGHTS.len());
        let law = LAWS[law];
        if let Some(course) = walk(law, right, number, number / 7, &moves) {
            seen.extend(course.seen.iter().map(|letter| (law, *letter)));
            late.extend(course.request().lifecycle.late_letters.iter().copied());
        }
    }
    for id in LAWS {
        let law = in_force(id);
        for (step, letter) in [
            (Step::Acknowledgement, Letter::Acknowledgement),
            (Step::IdentityRequest, Letter::IdentityRequest),
            (Step::Extension, Letter::Extension),
            (Step::Fee, Letter::FeeRequest),
            (Step::Refusal, Letter::Refusal),
            (Step::Response, Letter::Response),
            (Step::AppealDenied, Letter::AppealDecision),
        ] {
            let open = |right: &Right| {
                law.right(right).is_some_and(|rule| rule.from.is_none())
                    && !demanded(&law, right, step).is_empty()
                    && (letter != Letter::Extension || can_be_extended(id, right))
            };
            if RIGHTS.iter().any(open) {
                assert!(
                    seen.contains(&(id, letter.name())),
                    "{id} never came to {letter:?}"
                );
            }
        }
    }
    for letter in [Letter::Acknowledgement, Letter::Refusal, Letter::Extension] {
        assert!(late.contains(&letter), "{letter:?} was never late");
    }
}

/// Korea lets access wait without a clock that could be extended.
fn can_be_extended(law: &str, right: &Right) -> bool {
    let request = World::simple(right.clone()).under_law(law).receive().next;
    request.clock.extension_notice.is_some()
}

/// The law's own last day for a letter is the one that is watched.
#[test]
fn the_last_day_of_a_letter_is_the_one_that_the_law_computes() {
    for (id, letter, question) in [
        ("us_ca_ccpa", Letter::Acknowledgement, Question::Ack),
        ("eu_gdpr", Letter::Refusal, Question::RefusalNotice),
        ("us_va", Letter::Extension, Question::ExtensionNoticeCutoff),
        ("br_lgpd", Letter::Response, Question::Response),
    ] {
        let world = World::simple(Right::Access).under_law(id);
        let request = world.receive().next;
        let notice = world.setting().regime.notices.iter().find(|notice| {
            Letter::at(notice.step) == Some(letter) && notice.until == Some(question)
        });
        let due = notice
            .unwrap()
            .due(&world.setting(), &request.clock.history);
        let due = due.unwrap().and_then(|due| due.late_from());
        assert_eq!(request.letter_due(letter), due, "{id}");
    }
}
