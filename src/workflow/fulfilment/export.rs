//! Export: the same package, to download, or handed to another controller.
//!
#![doc = include_str!("../../../docs/machines/export.md")]
//!
//! # Example
//! A `Course` hands each command to [`decide`](crate::workflow::decide) and plays the rest; it is in
//! `docs/machines/example.rs`.
//!
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! let mut export = Course::approved(Right::Export)?;
//! export.answer(located(3))?;
//! export.answer(Finding::Nothing)?; // the locks are taken
//! export.answer(read(3))?;
//! assert_eq!(export.phase(), Phase::Packing);
//! export.answer(packed())?;
//! // A download ends here; with `Delivery::Transmit` the package is sent to the other controller first.
//! assert_eq!(export.phase(), Phase::Ended);
//! assert!(export.request.lifecycle.is_released()); // from now on the person may fetch it
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
        _ => super::access::after(phase, work),
    }
}
