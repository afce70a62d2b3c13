//! Checks a source of randomness, line by line, against the contract of [`Entropy`].

use std::collections::BTreeSet;

use super::contract::{Checked, Report, Seen, Violations, ensure, lines};
use crate::ports::Entropy;

lines! {
    /// The lines of the contract of [`Entropy`].
    EntropyLine {
        Unrelated = "two calls give unrelated numbers",
    }
}

/// How many numbers are drawn.
const DRAWN: u32 = 4_096;

/// How far from a half the count of a bit may be: more than nine standard deviations, which chance
/// exceeds in no run that anybody will see.
const TOLERANCE: u32 = 300;

/// Checks randomness. Counts bits: it finds counters, clocks and numbers that stick, and is no
/// proof that nobody can guess the next one.
///
/// ```
/// use datarights::testkit::{SeededEntropy, entropy_suite};
/// assert_eq!(entropy_suite::check(&SeededEntropy::new(7)), Ok(()));
/// ```
///
/// # Errors
/// The lines that it breaks.
pub fn check(entropy: &dyn Entropy) -> Result<(), Violations<EntropyLine>> {
    let mut report = Report::new();
    if let Err(Seen(seen)) = unrelated(entropy) {
        report.add(EntropyLine::Unrelated, seen);
    }
    report.end()
}

fn unrelated(entropy: &dyn Entropy) -> Checked {
    let row: Vec<u64> = (0..DRAWN).map(|_| entropy.next()).collect();
    let different: BTreeSet<u64> = row.iter().copied().collect();
    ensure!(different.len() == row.len(), "a number came twice");
    let changes: Vec<u64> = row.windows(2).map(|two| two[0] ^ two[1]).collect();
    for (what, numbers) in [("is set", &row), ("changes", &changes)] {
        for bit in 0..64 {
            let ones = numbers.iter().filter(|n| *n >> bit & 1 == 1).count() as u32;
            ensure!(
                ones.abs_diff(DRAWN / 2) < TOLERANCE,
                "bit {bit} {what} {ones} times in {DRAWN}"
            );
        }
    }
    Ok(())
}
