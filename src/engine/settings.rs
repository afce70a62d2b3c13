//! How hard and how long the engine tries.

use chrono::TimeDelta;

use crate::ports::{Entropy, ErrorKind};

/// The engine's own settings; the controller's are in [`crate::workflow::Policy`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How long a worker holds a request before somebody else may take it; renewed half-way.
    pub lease: TimeDelta,
    /// How many requests one worker claims at a time.
    pub claims: usize,
    /// How many effects of one request run at the same time.
    pub concurrency: usize,
    /// How many calls one source, one recipient, the notifier or the verifier gets at the same time,
    /// over all requests of this engine; [`EngineBuilder::limit`](super::EngineBuilder::limit) says
    /// otherwise for one of them.
    pub calls: usize,
    /// After how many calls in a row that did not reach it, of whichever requests, one of these counts
    /// as down: what needs it is put off, and one call at a time tries it.
    pub down_after: u32,
    /// The longest wait between two trials of what is down; the first ones wait as after a failure.
    pub longest_trial: TimeDelta,
    /// How long an effect is put off at most because who it needs is down; then it counts as failed:
    /// the answer names a source, and a letter waits to be sent again.
    pub longest_outage: TimeDelta,
    /// How long a port may take for one call: store, vault and policy too. One that takes longer is
    /// dropped where it stands; of a write it is then not known whether it happened.
    pub call_timeout: TimeDelta,
    /// How long reading a source or making a package may take.
    pub stream_timeout: TimeDelta,
    /// How often an effect is tried before it counts as failed.
    pub attempts: u32,
    /// After how many panics an effect is set aside for a person to decide, and after how many
    /// tries in vain, by one engine, a request that cannot be read or decided.
    pub set_aside_after: u32,
    /// How long to wait after a first failure; doubled after each further one.
    pub backoff: TimeDelta,
    /// The longest wait between two attempts.
    pub longest_backoff: TimeDelta,
    /// How long to wait at most before asking again for a lock that another request holds.
    pub lock_wait: TimeDelta,
    /// How often a person's command is decided anew when somebody else was faster.
    pub conflicts: u32,
    /// How long an idle worker waits at most before it looks again.
    pub poll: TimeDelta,
    /// How long what runs has to stop by itself after a shutdown, before it is dropped.
    pub farewell: TimeDelta,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: TimeDelta::seconds(60),
            claims: 16,
            concurrency: 8,
            calls: 16,
            down_after: 5,
            longest_trial: TimeDelta::minutes(5),
            longest_outage: TimeDelta::days(7),
            call_timeout: TimeDelta::minutes(5),
            stream_timeout: TimeDelta::hours(6),
            attempts: 12,
            set_aside_after: 5,
            backoff: TimeDelta::seconds(2),
            longest_backoff: TimeDelta::hours(1),
            lock_wait: TimeDelta::minutes(1),
            conflicts: 16,
            poll: TimeDelta::seconds(30),
            farewell: TimeDelta::seconds(10),
        }
    }
}

impl Settings {
    /// The same, each within what makes sense: nothing spins, and no instant overflows.
    pub(super) fn bounded(mut self) -> Self {
        let century = TimeDelta::days(36_525);
        self.claims = self.claims.max(1);
        self.concurrency = self.concurrency.max(1);
        self.attempts = self.attempts.max(1);
        self.calls = self.calls.max(1);
        self.set_aside_after = self.set_aside_after.max(1);
        self.down_after = self.down_after.max(1);
        for span in [
            &mut self.lease,
            &mut self.call_timeout,
            &mut self.stream_timeout,
            &mut self.backoff,
            &mut self.longest_backoff,
            &mut self.lock_wait,
            &mut self.longest_trial,
            &mut self.longest_outage,
            &mut self.poll,
        ] {
            *span = (*span).clamp(TimeDelta::milliseconds(1), century);
        }
        self.farewell = self.farewell.clamp(TimeDelta::zero(), century);
        self
    }

    /// How long to wait after an attempt failed: doubling, a quarter of it for what is merely
    /// busy, and with jitter between half and all of it, so that many do not return at once.
    pub(super) fn wait_after(
        &self,
        attempt: u32,
        kind: ErrorKind,
        entropy: &dyn Entropy,
    ) -> TimeDelta {
        let base = self.backoff.num_milliseconds().max(1);
        let base = if kind == ErrorKind::Busy {
            base / 4
        } else {
            base
        }
        .max(1);
        let doubled = base.saturating_mul(1_i64 << attempt.saturating_sub(1).min(30));
        let full = doubled.min(self.longest_backoff.num_milliseconds().max(1));
        let half = full / 2;
        let jitter = i64::try_from(entropy.next() % (half.unsigned_abs() + 1)).unwrap_or(0);
        TimeDelta::milliseconds(full - half + jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);
    impl Entropy for Fixed {
        fn next(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn waits_grow_stay_bounded_and_never_vanish() {
        let settings = Settings::default();
        for seed in [0, 1, u64::MAX] {
            let waits: Vec<_> = (1..40)
                .map(|n| settings.wait_after(n, ErrorKind::Unavailable, &Fixed(seed)))
                .collect();
            assert!(waits.iter().all(|w| *w > TimeDelta::zero()));
            assert!(waits.iter().all(|w| *w <= settings.longest_backoff));
            assert!(waits.windows(2).all(|w| w[0] <= w[1]), "{waits:?}");
        }
    }
}
