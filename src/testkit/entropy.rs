//! Randomness that repeats.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ports::Entropy;

/// SplitMix64 from a seed: the same row of numbers for the same seed, and a row of its own for
/// every other one. Say the seed when a test fails.
///
/// ```
/// use datarights::ports::Entropy;
/// use datarights::testkit::SeededEntropy;
///
/// assert_eq!(SeededEntropy::new(7).next(), SeededEntropy::new(7).next());
/// ```
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// Starts the row of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_that_of_splitmix64() {
        // The published test vector of SplitMix64 for seed 1234567.
        let entropy = SeededEntropy::new(1_234_567);
        let row: Vec<u64> = (0..3).map(|_| entropy.next()).collect();
        assert_eq!(
            row,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
