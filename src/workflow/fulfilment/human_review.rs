//! Human review of an automated decision: one task for a member of staff, and its verdict.
//!
#![doc = include_str!("../../../docs/machines/human_review.md")]
//!
//! # Example
//! A `Course` hands each command to [`decide`](crate::workflow::decide) and plays the rest; it is in
//! `docs/machines/example.rs`.
//!
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! let mut review = Course::approved(Right::HumanReview)?;
//! assert_eq!(review.phase(), Phase::Reviewing);
//! // A member of staff brings the verdict; the engine could only say that it is waited for.
//! let verdict = fulfilment::Command::Answer {
//!     task: Task::Review,
//!     target: Target::Request,
//!     result: Box::new(StepResult::done(Finding::Reviewed { verdict: Verdict::Changed })),
//! };
//! let early = review.give(&Actor::staff("carol")?, verdict.clone());
//! assert!(matches!(early, Err(Rejection::NoSuchStep { .. }))); // not handed out yet
//! let waits = StepResult::Pending(Pending {
//!     handle: Handle("review".to_owned()),
//!     look_again: review.now,
//!     task: None,
//! });
//! review.give(&Actor::Engine, fulfilment::Command::Answer {
//!     task: Task::Review,
//!     target: Target::Request,
//!     result: Box::new(waits),
//! })?;
//! review.give(&Actor::staff("carol")?, verdict)?;
//! assert_eq!(review.work().verdict, Some(Verdict::Changed));
//! # Ok(()) }
//! ```

use crate::workflow::table::{Table, table};

use super::{On, Phase};

pub(super) const TABLE: Table<Phase, On> = table!(Phase, On;
    Reviewing {
        Answer => Reviewing | Ended;
        Cancel => Ended;
    }
    Ended {
        Retry => Reviewing;
    }
);
