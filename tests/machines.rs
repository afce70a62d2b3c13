//! The declared tables against what the machines do: every phase, every command, every target.
//!
//! Situations are collected by a search over small worlds. What a decision does must
//! be declared, what is declared must be seen, and what is not open must be rejected.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

#[path = "machines/clocks.rs"]
mod clocks;
#[path = "machines/diagrams.rs"]
mod diagrams;
#[path = "machines/holes.rs"]
mod holes;
#[path = "model/kept.rs"]
mod kept;
#[path = "machines/letters.rs"]
mod letters;
#[path = "machines/notices.rs"]
mod notices;
#[path = "machines/rights.rs"]
mod rights;
#[path = "machines/sums.rs"]
mod sums;
#[path = "machines/tails.rs"]
mod tails;
#[path = "machines/told.rs"]
mod told;
#[path = "machines/turns.rs"]
mod turns;
#[path = "machines/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Debug;

use datarights::model::Right;
use datarights::workflow::fulfilment::{self, Fulfilment, Machine};
use datarights::workflow::{
    Command, Decision, Delivery, Event, Letter, Rejection, Request, Table, Timer, lifecycle,
};
use world::*;

/// How many situations of one world are looked into with the same phases. A restriction goes round
/// more often than others before all was seen, and an erasure has more ways to wait.
const fn situations(machine: Machine) -> usize {
    match machine {
        Machine::Restriction => 128,
        Machine::Erasure => 32,
        _ => 24,
    }
}

/// Which transitions were seen: (from, on) → to.
type Seen<P, C> = BTreeMap<(P, C), BTreeSet<P>>;

#[derive(Default)]
struct Coverage {
    lifecycle: Seen<lifecycle::Phase, lifecycle::On>,
    work: BTreeMap<Machine, Seen<fulfilment::Phase, fulfilment::On>>,
}

/// The laws and rights that lead to different courses of a machine.
fn exercised(machine: Machine) -> Vec<(&'static str, Right)> {
    match machine {
        Machine::Access => vec![("eu_gdpr", Right::Access)],
        Machine::Export => vec![("eu_gdpr", Right::Export)],
        Machine::Rectification => vec![("eu_gdpr", Right::Rectification)],
        Machine::Erasure => vec![("eu_gdpr", Right::Erasure)],
        Machine::Restriction => vec![("eu_gdpr", Right::Restriction)],
        Machine::HumanReview => vec![("eu_gdpr", Right::HumanReview)],
        Machine::Stop => vec![
            // Weighed; at once; at once without knowing who; at once when it is known who.
            ("eu_gdpr", Right::Objection),
            ("eu_gdpr", Right::ConsentWithdrawal),
            ("us_ca_ccpa", Right::OptOut),
            ("us_in", Right::OptOut),
        ],
        _ => panic!("no right for {machine:?}"),
    }
}

fn worlds(machine: Machine) -> Vec<World> {
    exercised(machine)
        .into_iter()
        .flat_map(|(law, right)| worlds_of(law, &right))
        .chain(without_grounds(machine))
        .chain(with_clocks_of_their_own(machine))
        .collect()
}

/// A law under which silence ends a request, and a policy that asks the person once more.
fn without_grounds(machine: Machine) -> Option<World> {
    let policy = policies().swap_remove(2);
    let world = |policy| World::under("vn_pdpl", Right::Erasure, policy, landscapes().remove(0));
    (machine == Machine::Erasure).then(|| world(policy))
}

/// Laws under which more than elsewhere moves the clocks.
fn with_clocks_of_their_own(machine: Machine) -> Vec<World> {
    if machine != Machine::Access {
        return Vec::new();
    }
    let world = |law| World::simple(Right::Access).under_law(law);
    vec![
        world("us_ut"),
        world("us_co"),
        world("uk_gdpr").stating("uk_exam_marks=true"),
    ]
}

fn worlds_of(law: &str, right: &Right) -> Vec<World> {
    let mut all = Vec::new();
    let mut policies = policies();
    if *right != Right::Erasure {
        // Confirmation and grace are for erasures only.
        policies.retain(|policy| !policy.confirm_erasure);
    }
    for policy in policies {
        for landscape in landscapes() {
            let mut world = World::under(law, right.clone(), policy.clone(), landscape);
            if *right == Right::Export && all.len() % 2 == 0 {
                world.delivery = Delivery::Transmit(party("other-bank"));
            }
            all.push(world);
        }
    }
    all
}

/// Walks a world, and tries every command in every situation.
fn explore(
    world: &World,
    most: usize,
    mut visit: impl FnMut(&Situation, &Command, &Result<Decision, Rejection>),
) {
    let first = Situation::after(world.receive());
    let mut known = HashSet::from([likeness(&first)]);
    let mut looked_into: BTreeMap<_, usize> = BTreeMap::new();
    let mut queue = vec![first];
    let mut draw = 0_u64;
    while !queue.is_empty() {
        // Drawn by a fixed rule, so that no part of the world is favoured.
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let situation = queue.swap_remove((draw >> 33) as usize % queue.len());
        let work = situation.request.fulfilment.as_ref();
        let place = (
            situation.request.lifecycle.phase,
            work_phase(&situation.request),
            // Few are, and they would be crowded out.
            work.is_some_and(Fulfilment::is_unfinished),
        );
        let count = looked_into.entry(place).or_default();
        if *count == most {
            continue;
        }
        *count += 1;
        for command in commands(&situation) {
            let now = situation.at(&command);
            let actor = somebody_for(&command);
            let result = world.decide(&situation.request, now, &actor, &command);
            if let Ok(decision) = &result {
                let next = situation.next(now, decision);
                if known.insert(likeness(&next)) {
                    queue.push(next);
                }
            }
            visit(&situation, &command, &result);
        }
    }
}

fn has(decision: &Decision, wanted: impl Fn(&Event) -> bool) -> bool {
    decision
        .events
        .iter()
        .any(|envelope| wanted(&envelope.event))
}

/// Which command of the lifecycle's table a decision was, if it was one.
fn lifecycle_on(command: &Command, decision: &Decision) -> Option<lifecycle::On> {
    match command {
        Command::Lifecycle(command) => Some(command.on()),
        Command::Fire(_) => Some(lifecycle::On::Fire),
        _ => has(decision, |event| {
            matches!(
                event,
                Event::Ended { .. } | Event::Withholding { .. } | Event::Restricted { .. }
            )
        })
        .then_some(lifecycle::On::Report),
    }
}

/// Which command of the work's table a decision was, if it was one.
fn work_on(command: &Command, decision: &Decision) -> Option<fulfilment::On> {
    use fulfilment::On;
    let entered = has(decision, |event| matches!(event, Event::Entered { .. }));
    match command {
        Command::Work(command) => Some(command.on()),
        Command::Lifecycle(lifecycle::Command::LetterSent {
            letter: Letter::RestrictionLifted,
        }) if entered => Some(On::Announce),
        Command::Fire(Timer::Grace | Timer::Tail) if entered => Some(On::Lapse),
        _ if has(decision, |event| *event == Event::Cancelled) => Some(On::Cancel),
        _ if has(decision, |event| *event == Event::LeftAsItIs) => Some(On::Leave),
        _ if entered => Some(On::Retry),
        _ => None,
    }
}

impl Coverage {
    fn note(&mut self, before: &Request, command: &Command, decision: &Decision) {
        let after = &decision.next;
        let from = before.lifecycle.phase;
        let to = after.lifecycle.phase;
        match lifecycle_on(command, decision) {
            Some(on) => note(&mut self.lifecycle, from, on, to),
            None => assert_eq!(from, to, "{command:?} moved the lifecycle"),
        }
        let Some(work) = &after.fulfilment else {
            return;
        };
        let seen = self.work.entry(work.machine).or_default();
        match &before.fulfilment {
            // The work began; without anything to ask, it is where a first answer would lead it.
            None if work.phase == work.machine.first() => {}
            None => note(
                seen,
                work.machine.first(),
                fulfilment::On::Answer,
                work.phase,
            ),
            Some(earlier) => match work_on(command, decision) {
                Some(on) => note(seen, earlier.phase, on, work.phase),
                None => assert_eq!(earlier.phase, work.phase, "{command:?}"),
            },
        }
    }
}

fn note<P, C>(seen: &mut Seen<P, C>, from: P, on: C, to: P)
where
    P: Copy + Ord + Debug,
    C: Copy + Ord + Debug,
{
    seen.entry((from, on)).or_default().insert(to);
}

/// What is declared was seen, and what was seen is declared.
fn assert_table_is_honest<P, C>(name: &str, table: &Table<P, C>, seen: &Seen<P, C>)
where
    P: Copy + Ord + Debug,
    C: Copy + Ord + Debug,
{
    let lines = |(from, on): (P, C), targets: &[P]| -> Vec<_> {
        let line = |to| format!("{from:?} on {on:?} => {to:?}");
        targets.iter().map(line).collect()
    };
    let declared: BTreeSet<_> = (table.0.iter())
        .flat_map(|line| lines((line.from, line.on), line.to))
        .collect();
    let seen: BTreeSet<_> = (seen.iter())
        .flat_map(|(pair, targets)| lines(*pair, &targets.iter().copied().collect::<Vec<_>>()))
        .collect();
    let never_seen: Vec<_> = declared.difference(&seen).collect();
    let undeclared: Vec<_> = seen.difference(&declared).collect();
    assert!(
        never_seen.is_empty() && undeclared.is_empty(),
        "{name}: declared and never seen: {never_seen:#?}; seen and not declared: {undeclared:#?}"
    );
}

/// What the rejection of a command that is not open must say.
fn not_now<P, C>(table: &Table<P, C>, from: P, on: C, is_command: fn(C) -> bool) -> Rejection
where
    P: Copy + Ord + Debug,
    C: Copy + Ord + Debug,
{
    let open: Vec<_> = table
        .open_in(from)
        .filter(|on| is_command(*on))
        .map(|on| snake(&on))
        .collect();
    Rejection::NotNow {
        command: snake(&on),
        phase: snake(&from),
        open: open.join(", "),
    }
}

/// A command that its table does not open is rejected, and the rejection says what is open.
fn assert_closed_pairs_are_rejected(
    request: &Request,
    command: &Command,
    result: &Result<Decision, Rejection>,
) {
    let expected = match command {
        Command::Lifecycle(command) => {
            let (from, on) = (request.lifecycle.phase, command.on());
            if lifecycle::TABLE.targets(from, on).is_some() {
                return;
            }
            not_now(&lifecycle::TABLE, from, on, lifecycle::On::is_command)
        }
        Command::Work(command) => match &request.fulfilment {
            None => Rejection::NotNow {
                command: snake(&command.on()),
                phase: snake(&request.lifecycle.phase),
                open: "approve, first".to_owned(),
            },
            Some(work) => {
                let table = work.machine.table();
                if table.targets(work.phase, command.on()).is_some() {
                    return;
                }
                not_now(table, work.phase, command.on(), fulfilment::On::is_command)
            }
        },
        _ => return,
    };
    assert_eq!(result.as_ref().err(), Some(&expected));
}

/// Whatever is rejected although its table opens it is rejected for a reason of its own. The
/// lifecycle may be rejected for its work's sake, and then the work says what is open.
fn assert_other_rejections_say_why(
    request: &Request,
    command: &Command,
    result: &Result<Decision, Rejection>,
) {
    let Err(Rejection::NotNow { command: named, .. }) = result else {
        return;
    };
    if let Command::Lifecycle(given) = command
        && let Some(_) = lifecycle::TABLE.targets(request.lifecycle.phase, given.on())
    {
        let of_work = ["cancel", "retry"].contains(&named.as_str());
        assert!(of_work, "{given:?} rejected with {result:?}");
    }
}

#[test]
fn every_pair_does_what_its_table_declares() {
    let machines: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = Machine::ALL
            .map(|machine| scope.spawn(move || walk(machine)))
            .into_iter()
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let mut lifecycle = Seen::new();
    for (machine, coverage) in Machine::ALL.into_iter().zip(machines) {
        let name = format!("{machine:?}");
        assert_table_is_honest(&name, machine.table(), &coverage.work[&machine]);
        for (pair, reached) in coverage.lifecycle {
            lifecycle.entry(pair).or_default().extend(reached);
        }
    }
    assert_table_is_honest("lifecycle", &lifecycle::TABLE, &lifecycle);
}

/// Walks all worlds of a machine and checks every step.
fn walk(machine: Machine) -> Coverage {
    let mut coverage = Coverage::default();
    let mut pairs = BTreeSet::new();
    for world in worlds(machine) {
        explore(&world, situations(machine), |situation, command, result| {
            let request = &situation.request;
            assert_closed_pairs_are_rejected(request, command, result);
            assert_other_rejections_say_why(request, command, result);
            if let Ok(decision) = result {
                coverage.note(request, command, decision);
            }
            if let Command::Lifecycle(command) = command {
                pairs.insert((request.lifecycle.phase, command.on()));
            }
        });
    }
    // Every command was tried in every phase, the illegal ones too.
    for phase in lifecycle::Phase::ALL {
        for on in lifecycle::On::ALL.into_iter().filter(|on| on.is_command()) {
            assert!(pairs.contains(&(phase, on)), "{phase:?} never saw {on:?}");
        }
    }
    coverage
}

#[test]
fn the_wrong_actor_is_told_so_in_every_situation() {
    let actors = actors();
    let mut refused = BTreeSet::new();
    for machine in Machine::ALL {
        // The policy with every gate, the landscape with a dependency and a recipient.
        let world = worlds(machine).swap_remove(9);
        // Who may is told from the command and the phase: fewer situations show it.
        explore(&world, situations(machine) / 3, |situation, command, _| {
            for actor in &actors {
                let now = situation.at(command);
                let asked = situation.request.lifecycle.phase != lifecycle::Phase::Received;
                match world.decide(&situation.request, now, actor, command) {
                    Err(Rejection::WrongActor { .. }) => {
                        assert!(!may(actor, command, asked), "{actor:?} {command:?}");
                        refused.insert(command.name());
                    }
                    // What is not open is not open to anybody.
                    Err(Rejection::NotNow { .. }) => {}
                    _ => assert!(may(actor, command, asked), "{actor:?} {command:?}"),
                }
            }
        });
    }
    // Every kind of command was refused to somebody.
    for on in lifecycle::On::ALL.into_iter().filter(|on| on.is_command()) {
        assert!(refused.contains(&snake(&on)), "{on:?}");
    }
    for on in [
        "answer",
        "approve_plan",
        "confirm",
        "undo",
        "lift_hold",
        "lift",
    ] {
        assert!(refused.contains(on), "{on}");
    }
}
