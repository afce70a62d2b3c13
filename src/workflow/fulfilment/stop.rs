//! Ending uses of a person's data: objection, withdrawal of consent, opt-out of sale or sharing,
//! limiting the use of sensitive data. Sources and recipients are asked all at once, with what is
//! known, and again with what comes to light; none waits for another, and none for a lock.
//!
#![doc = include_str!("../../../docs/machines/stop.md")]
//!
//! # Example
//! A `Course` hands each command to [`decide`](crate::workflow::decide) and plays the rest; it is in
//! `docs/machines/example.rs`.
//!
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! // Nobody confirms or approves it: it begins in the commit that receives it.
//! let mut withdrawal = Course::received(Right::ConsentWithdrawal)?;
//! assert_eq!(withdrawal.phase(), Phase::Stopping);
//! withdrawal.answer(Finding::Stopped { rows: rows(2), identified: None })?;
//! assert_eq!(withdrawal.outcome(), Some(&Outcome::Done));
//! # Ok(()) }
//! ```

use crate::model::{Right, Use, is_name};
use crate::workflow::draft::Draft;
use crate::workflow::event::Event;
use crate::workflow::rejection::Rejection;
use crate::workflow::request::Facts;
use crate::workflow::table::{Table, table};

use super::{Machine, On, Phase, start};

pub(super) const TABLE: Table<Phase, On> = table!(Phase, On;
    Stopping {
        Answer => Stopping | Ended;
    }
    Ended {
        Retry => Stopping | Ended;
        Leave => Ended;
    }
);

/// The uses that a request ends, from those that were named: sorted, without duplicates.
///
/// # Errors
/// [`Rejection::Malformed`] for a right that ends none or not these, an objection that names none or
/// mixes what is weighed with what is not, and a purpose that is no name.
pub fn uses(right: &Right, mut named: Vec<Use>) -> Result<Vec<Use>, Rejection> {
    let malformed = |what, accepted| Err(Rejection::Malformed { what, accepted });
    if Machine::of(right) != Some(Machine::Stop) {
        return match named.is_empty() {
            true => Ok(named),
            false => malformed("the uses", "none, for this right"),
        };
    }
    if named.is_empty() {
        named.extend(match right {
            Right::ConsentWithdrawal => Some(Use::Consent),
            Right::OptOut => Some(Use::SaleOrSharing),
            Right::LimitSensitive => Some(Use::SensitiveBeyondNeeds),
            _ => None,
        });
    }
    named.sort_unstable();
    named.dedup();
    let is_purpose = |what: &Use| matches!(what, Use::Purpose(_));
    let (fit, accepted) = match right {
        // The one is not weighed, the other is.
        Right::Objection => (
            named == [Use::DirectMarketing] || (!named.is_empty() && named.iter().all(is_purpose)),
            "direct marketing alone, or one purpose or more",
        ),
        Right::LimitSensitive => (
            named == [Use::SensitiveBeyondNeeds],
            "sensitive data beyond needs",
        ),
        Right::OptOut => (
            !named.contains(&Use::Consent) && !named.contains(&Use::SensitiveBeyondNeeds),
            "sale or sharing, direct marketing, purposes",
        ),
        _ => (
            !named.contains(&Use::SaleOrSharing) && !named.contains(&Use::SensitiveBeyondNeeds),
            "consent, direct marketing, purposes that rest on consent",
        ),
    };
    if !fit {
        return malformed("the uses of this right", accepted);
    }
    let is_named = |what: &Use| match what {
        Use::Purpose(purpose) => is_name(&purpose.0),
        _ => true,
    };
    if !named.iter().all(is_named) {
        return malformed("a purpose", "1 to 128 characters of a-z A-Z 0-9 . _ -");
    }
    Ok(named)
}

/// Whether nothing is weighed: what the person wants is carried out as soon as they may want it.
pub(in crate::workflow) fn is_at_once(facts: &Facts) -> bool {
    match facts.right {
        Right::ConsentWithdrawal | Right::OptOut | Right::LimitSensitive => true,
        Right::Objection => facts.uses == [Use::DirectMarketing],
        _ => false,
    }
}

/// Whether the person must show who they are. Withdrawing consent is as easy as giving it (GDPR
/// Art. 7(3)), and whoever wants no advertisement says so (Art. 21(3)); for other rights the law
/// of the request says which are free.
pub(in crate::workflow) fn needs_identity(draft: &Draft<'_>) -> bool {
    let facts = &draft.request().facts;
    let free = match facts.right {
        Right::ConsentWithdrawal | Right::Objection => true,
        _ => draft.is_unverified(),
    };
    !(free && is_at_once(facts))
}

/// Begins the work without a decision, where the law leaves none.
pub(in crate::workflow) fn grant(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    if !is_at_once(&draft.request().facts) {
        return Ok(());
    }
    draft.emit(Event::Granted);
    start(draft)
}
