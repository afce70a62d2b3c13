//! Time and randomness, the two things the engine never takes by itself.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// The time, and waiting for it.
///
/// # A correct implementation
/// - `now` does not go back by more than clocks are corrected (correctness never depends on it).
/// - `sleep_until` returns once `now` is at or after the instant, at once when it is already, and
///   is safe to drop while waiting.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use datarights::ports::Clock;
///
/// /// A clock that stands still: sleeping on it never ends.
/// struct Stopped(DateTime<Utc>);
///
/// #[async_trait::async_trait]
/// impl Clock for Stopped {
///     fn now(&self) -> DateTime<Utc> {
///         self.0
///     }
///     async fn sleep_until(&self, instant: DateTime<Utc>) {
///         if instant > self.0 {
///             std::future::pending::<()>().await;
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// Waits until then.
    async fn sleep_until(&self, instant: DateTime<Utc>);
}

/// Randomness: for ids and jitter, never for keys.
///
/// # A correct implementation
/// - Two calls give unrelated numbers; a seeded one gives the same row for the same seed.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use datarights::ports::Entropy;
///
/// /// A seeded one, for tests (SplitMix64).
/// struct Seeded(AtomicU64);
///
/// impl Entropy for Seeded {
///     fn next(&self) -> u64 {
///         let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
///         z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
///         z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
///         z ^ (z >> 31)
///     }
/// }
/// ```
pub trait Entropy: Send + Sync {
    /// The next 64 bits.
    fn next(&self) -> u64;
}
