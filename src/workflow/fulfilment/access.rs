//! Access: find, read, and make a package a person can open.
//!
#![doc = include_str!("../../../docs/machines/access.md")]
//!
//! # Example
//! A `Course` hands each command to [`decide`](crate::workflow::decide) and plays the rest; it is in
//! `docs/machines/example.rs`.
//!
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! let mut access = Course::approved(Right::Access)?;
//! assert_eq!(access.phase(), Phase::Locating);
//! access.answer(located(3))?; // three rows of the person are in the source
//! access.answer(Finding::Nothing)?; // the locks are taken: nobody writes meanwhile
//! access.answer(read(3))?;
//! access.answer(packed())?;
//! assert_eq!(access.outcome(), Some(&Outcome::Done));
//! assert_eq!(access.effects, [Effect::Notify(Letter::Response)]); // all is there: the answer goes out
//!
//! let mut stranger = Course::approved(Right::Access)?;
//! stranger.answer(located(0))?;
//! assert_eq!(stranger.outcome(), Some(&Outcome::NothingFound)); // an end of its own
//! # Ok(()) }
//! ```

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
