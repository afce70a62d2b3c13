//! The real transition functions, walked by a model checker: all courses within small bounds, with two
//! workers that die, lose their leases and answer twice and late, and clocks that jump.
//!
//! `cargo test --all-features --test model_check -- --nocapture` prints how many states were seen.
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod broken;
mod system;
#[path = "../machines/world.rs"]
mod world;

use broken::Broken;
use datarights::model::{IdentifierKind, Right};
use datarights::workflow::{Command, Landscape, fulfilment, lifecycle};
use stateright::{Checker, HasDiscoveries, Model};
use system::{Budget, System};
use world::{World, plain_policy, source};

/// What people may do in these courses, each once.
fn commands(right: &Right) -> Vec<Command> {
    use lifecycle::Command as C;
    let mut all: Vec<Command> = vec![C::ConfirmIdentity.into(), C::Approve.into()];
    if *right == Right::Erasure {
        all.push(fulfilment::Command::LiftHold.into());
    }
    all.push(C::Withdraw.into());
    all
}

const QUIET: Budget = Budget {
    crashes: 0,
    takeovers: 0,
    duplicates: 0,
    misfortunes: 0,
    setbacks: 0,
};

fn system(right: Right, sources: usize, budget: Budget) -> System {
    let names = ["crm", "shop"];
    let sources = &names[..sources];
    let landscape = Landscape {
        sources: { sources.iter() }
            .map(|name| source(name, &[IdentifierKind::Mail], &[]))
            .collect(),
        recipients: Vec::new(),
    };
    System {
        commands: commands(&right),
        world: World::new(right, plain_policy(), landscape),
        budget,
        broken: Broken::Nothing,
    }
}

/// Walks all of it.
fn walk(system: System) {
    let (right, sources) = (
        system.world.right.clone(),
        system.world.landscape.sources.len(),
    );
    let budget = system.budget;
    let checker = system.checker().threads(2).spawn_bfs().join();
    println!(
        "{right}, {sources} source(s), {budget:?}: {} states, {} of them different, {} steps deep",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

/// What a course of the daily tests may meet: each bound is walked to its end.
const DAILY: [Budget; 5] = [
    QUIET,
    Budget {
        misfortunes: 1,
        crashes: 1,
        ..QUIET
    },
    Budget {
        takeovers: 1,
        ..QUIET
    },
    Budget {
        misfortunes: 1,
        duplicates: 1,
        ..QUIET
    },
    Budget {
        crashes: 1,
        setbacks: 1,
        ..QUIET
    },
];

#[test]
fn every_course_of_an_erasure_keeps_what_must_be_true() {
    for budget in DAILY {
        walk(system(Right::Erasure, 1, budget));
    }
}

#[test]
fn every_course_of_an_access_keeps_what_must_be_true() {
    for budget in DAILY {
        walk(system(Right::Access, 1, budget));
    }
}

#[test]
fn two_sources_answer_in_any_order() {
    for budget in [
        QUIET,
        Budget {
            misfortunes: 1,
            ..QUIET
        },
    ] {
        walk(system(Right::Erasure, 2, budget));
    }
}

#[test]
#[ignore = "takes minutes and gigabytes: everything at once"]
fn every_course_with_everything_at_once_keeps_what_must_be_true() {
    let all = Budget {
        crashes: 1,
        takeovers: 1,
        duplicates: 1,
        misfortunes: 1,
        setbacks: 1,
    };
    walk(system(Right::Erasure, 1, all));
    walk(system(Right::Access, 1, all));
    let two = Budget {
        takeovers: 0,
        setbacks: 0,
        ..all
    };
    walk(system(Right::Erasure, 2, two));
}

/// A property that nothing can break says nothing.
#[test]
fn a_broken_transition_breaks_its_property() {
    for (broken, property) in Broken::ALL {
        let unlucky = Budget {
            misfortunes: 1,
            ..QUIET
        };
        let mut system = system(Right::Erasure, 1, unlucky);
        system.broken = broken;
        let until = HasDiscoveries::AnyOf([property].into());
        let checker = system.checker().finish_when(until).spawn_bfs().join();
        let found = checker.discovery(property);
        assert!(found.is_some(), "{broken:?} keeps: {property}");
    }
}
