//! Access: find, read, and make a package a person can open.
//!
#![doc = include_str!("../../../docs/machines/access.md")]

use crate::workflow::table::{Table, table};

use super::{Fulfilment, Next, On, Phase};

pub(super) const TABLE: Table<Phase, On> = table!(Phase, On;
    Locating {
        Answer => Locating | Queued | Ended;
        Cancel => Ended;
    }
    Queued {
        Answer => Reading;
        Cancel => Ended;
    }
    Reading {
        Answer => Reading | Packing;
        Cancel => Ended;
    }
    Packing {
        Answer => Packing | Ended;
        Cancel => Ended;
    }
    Ended {
        Retry => Locating | Ended;
    }
);

pub(super) fn after(phase: Phase, work: &Fulfilment) -> Next {
    match phase {
        Phase::Locating if work.any_found() => Next::Enter(Phase::Queued),
        Phase::Queued => Next::Enter(Phase::Reading),
        Phase::Reading => Next::Enter(Phase::Packing),
        _ => Next::End,
    }
}
