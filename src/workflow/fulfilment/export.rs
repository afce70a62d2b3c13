//! Export: the same package, to download, or handed to another controller.
//!
#![doc = include_str!("../../../docs/machines/export.md")]

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
        Answer => Packing | Sending | Ended;
        Cancel => Ended;
    }
    Sending {
        Answer => Sending | Ended;
    }
    Ended {
        Retry => Locating | Ended;
    }
);

pub(super) fn after(phase: Phase, work: &Fulfilment) -> Next {
    match phase {
        Phase::Packing if work.package.is_some() && work.deliver_to.is_some() => {
            Next::Enter(Phase::Sending)
        }
        Phase::Packing | Phase::Sending => Next::End,
        _ => super::access::after(phase, work),
    }
}
