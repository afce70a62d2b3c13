//! Human review of an automated decision: one task for a member of staff, and its verdict.
//!
#![doc = include_str!("../../../docs/machines/human_review.md")]

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
