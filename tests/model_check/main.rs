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

/// Every choice of so many kinds of trouble, one of each.
fn troubles(many: u32) -> impl Iterator<Item = Budget> {
    let chosen = (0..32_u8).filter(move |chosen| chosen.count_ones() == many);
    chosen.map(|chosen| Budget {
        crashes: chosen & 1,
        takeovers: chosen >> 1 & 1,
        duplicates: chosen >> 2 & 1,
        misfortunes: chosen >> 3 & 1,
        setbacks: chosen >> 4 & 1,
    })
}

#[test]
#[ignore = "takes a minute: any two kinds of trouble"]
fn any_two_kinds_of_trouble_together_keep_what_must_be_true() {
    for budget in troubles(2) {
        walk(system(Right::Erasure, 1, budget));
        walk(system(Right::Access, 1, budget));
    }
}

#[test]
#[ignore = "takes minutes and gigabytes: any three kinds of trouble"]
fn any_three_kinds_of_trouble_together_keep_what_must_be_true() {
    for budget in troubles(3) {
        walk(system(Right::Erasure, 1, budget));
        walk(system(Right::Access, 1, budget));
    }
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
