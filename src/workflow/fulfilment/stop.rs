//! Ending uses of a person's data: objection, withdrawal of consent, opt-out of sale or sharing,
//! limiting the use of sensitive data. Sources and recipients are asked all at once, with what is
//! known, and again with what comes to light; none waits for another, and none for a lock.
//!
#![doc = include_str!("../../../docs/machines/stop.md")]

use crate::model::{Right, Use, is_name};
use crate::workflow::decision::Rejection;
use crate::workflow::table::{Table, table};

use super::{Machine, On, Phase};

pub(super) const TABLE: Table<Phase, On> = table!(Phase, On;
    Stopping {
        Answer => Stopping | Ended;
    }
    Ended {
        Retry => Stopping | Ended;
    }
);

/// The uses that a request ends, from those that were named: sorted, without duplicates.
///
/// # Errors
/// [`Rejection::Malformed`] for a right that ends none, an objection that names none or mixes what
/// is weighed with what is not, and a purpose that is no name.
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
    if *right == Right::Objection
        && named != [Use::DirectMarketing]
        && (named.is_empty() || !named.iter().all(is_purpose))
    {
        return malformed(
            "an objection",
            "direct marketing alone, or one purpose or more",
        );
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
