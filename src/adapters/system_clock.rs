//! The system's time and randomness.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::Digest;
use crate::ports::{Clock, Entropy};

/// The longest sleep before the time is read again.
const STEP: Duration = Duration::from_secs(30);

/// The wall clock; sleeps on tokio, whose timers must be enabled.
///
/// A long sleep is made of short ones, so that a clock that is set, or a machine that slept, is
/// noticed within 30 seconds.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use datarights::adapters::SystemClock;
/// use datarights::ports::Clock;
///
/// SystemClock.sleep_until(SystemClock.now()).await; // at once
/// # }
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        // A span that is not positive is no `Duration`: the instant has come.
        while let Ok(rest) = (instant - Utc::now()).to_std() {
            if rest.is_zero() {
                break;
            }
            tokio::time::sleep(rest.min(STEP)).await;
        }
    }
}

/// The system has no randomness to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the system gives no randomness")]
pub struct NoRandomness;

/// The system's randomness.
///
/// ```
/// use datarights::adapters::SystemEntropy;
/// use datarights::ports::Entropy;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let entropy = SystemEntropy::new()?;
/// assert_ne!(entropy.next(), entropy.next());
/// # Ok(()) }
/// ```
pub struct SystemEntropy {
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl SystemEntropy {
    /// Asks the system once, so that a system that has none is known before work begins.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn new() -> Result<Self, NoRandomness> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| NoRandomness)?;
        Ok(Self {
            seed,
            drawn: AtomicU64::new(0),
        })
    }

    /// What a system that fell silent is replaced by: numbers that follow from the secret seed.
    fn seeded(&self) -> u64 {
        let nth = self.drawn.fetch_add(1, Ordering::Relaxed);
        let digest = Digest::of(&[self.seed.as_slice(), &nth.to_le_bytes()].concat());
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

impl Entropy for SystemEntropy {
    fn next(&self) -> u64 {
        getrandom::u64().unwrap_or_else(|_| self.seeded())
    }
}

impl std::fmt::Debug for SystemEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemEntropy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_system_is_replaced_by_different_numbers() -> Result<(), NoRandomness> {
        let entropy = SystemEntropy::new()?;
        assert_ne!(entropy.seeded(), entropy.seeded());
        assert_ne!(entropy.seeded(), SystemEntropy::new()?.seeded());
        Ok(())
    }
}
