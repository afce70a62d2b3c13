//! Who may be called now: each source, each recipient, the notifier and the verifier get so many calls
//! at a time, and one that is down gets none but a trial now and then. What cannot be called now is put
//! off; everything else goes on.
//!
//! Kept in memory, for one engine: another process finds out by itself, and so does the next one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{PartyId, SourceId};
use crate::ports::{Entropy, ErrorKind};
use crate::workflow::{Effect, Target};

use super::Engine;
use super::progress::{Alert, Trouble};
use super::settings::Settings;

/// Who is called for the effects of requests, and may be down.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Callee {
    /// A source of personal data.
    Source(SourceId),
    /// A processor or another recipient.
    Recipient(PartyId),
    /// Who sends the letters.
    Notifier,
    /// Who asks people for evidence of who they are. What they answer is checked at once, without a
    /// gate.
    Verifier,
}

impl Callee {
    /// Whom an effect needs; `None` for what the engine does with its own ports.
    pub(super) fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::Step { target, .. } => match target {
                Target::Source(id) => Some(Self::Source(id.clone())),
                Target::Recipient(id) => Some(Self::Recipient(id.clone())),
                Target::Request => None,
            },
            Effect::Notify(_) => Some(Self::Notifier),
            Effect::Challenge => Some(Self::Verifier),
            Effect::DeletePackage | Effect::Shred | Effect::Delete => None,
        }
    }

    /// Its kind and its name, e.g. `source/crm`, `notifier`.
    pub fn name(&self) -> String {
        match self {
            Self::Source(id) => format!("source/{id}"),
            Self::Recipient(id) => format!("recipient/{id}"),
            Self::Notifier => "notifier".to_owned(),
            Self::Verifier => "verifier".to_owned(),
        }
    }
}

/// Somebody who does not answer. What needs them waits; nothing else does.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Outage {
    /// Who.
    pub callee: Callee,
    /// Since when it counts as down.
    pub since: DateTime<Utc>,
    /// The code of its last failure.
    pub code: String,
    /// When it is tried again, by one call alone.
    pub next_trial: DateTime<Utc>,
}

/// What a call says about who was called.
pub(super) enum Heard {
    /// It answered, if only to refuse.
    Answer,
    /// It could not be reached, or took too long.
    Nothing(String),
    /// Neither: it is busy, our own side failed, the call was broken off.
    Unclear,
}

/// What a call changed.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// It counts as down from now on.
    Down(Outage),
    /// It was down since then, and answered.
    Back(DateTime<Utc>),
}

#[derive(Default)]
struct Gate {
    /// When each call that is under way began.
    running: Vec<DateTime<Utc>>,
    /// Calls in a row that met nobody.
    failures: u32,
    outage: Option<Outage>,
    /// How often it was tried in vain since it is down.
    trials: u32,
    /// When the trial began that is under way.
    trying: Option<DateTime<Utc>>,
    /// How long a call takes, as the last ones did.
    usual: Option<TimeDelta>,
    /// When the next one that is put off shall come back.
    turn: Option<DateTime<Utc>>,
}

/// The gates of an engine.
#[derive(Default)]
pub(super) struct Gates {
    limits: BTreeMap<Callee, usize>,
    all: Mutex<BTreeMap<Callee, Gate>>,
}

/// A call that was not let through.
pub(super) struct Closed {
    /// When to come back.
    pub(super) until: DateTime<Utc>,
    /// Whether who was to be called is down, not only busy.
    pub(super) down: bool,
}

/// A call that was let through; the next one may come when it is dropped.
pub(super) struct Pass {
    gates: Arc<Gates>,
    callee: Callee,
    began: DateTime<Utc>,
    trial: bool,
    heard: bool,
}

impl Gates {
    pub(super) fn new(limits: BTreeMap<Callee, usize>) -> Self {
        Self {
            limits,
            all: Mutex::default(),
        }
    }

    fn with<T>(&self, callee: &Callee, change: impl FnOnce(&mut Gate) -> T) -> T {
        let mut all = self.all.lock().unwrap_or_else(|broken| broken.into_inner());
        change(all.entry(callee.clone()).or_default())
    }

    /// Lets a call through, or says why not and when to come back.
    pub(super) fn enter(
        self: &Arc<Self>,
        callee: Callee,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Result<Pass, Closed> {
        let limit = self.limits.get(&callee).copied();
        let limit = limit.unwrap_or(settings.calls).max(1);
        let trial = self.with(&callee, |gate| {
            let trial = match &mut gate.outage {
                Some(outage) if outage.next_trial <= now => {
                    // A trial may be a reading of hours: others may try meanwhile.
                    outage.next_trial = now + settings.longest_trial;
                    gate.trying = Some(now);
                    true
                }
                None if gate.running.len() < limit => false,
                _ => {
                    return Err(Closed {
                        until: gate.turn(now, limit, settings),
                        down: gate.outage.is_some(),
                    });
                }
            };
            gate.running.push(now);
            Ok(trial)
        })?;
        Ok(Pass {
            gates: Arc::clone(self),
            callee,
            began: now,
            trial,
            heard: false,
        })
    }

    /// Who is down.
    pub(super) fn outages(&self) -> Vec<Outage> {
        let all = self.all.lock().unwrap_or_else(|broken| broken.into_inner());
        all.values()
            .filter_map(|gate| gate.outage.clone())
            .collect()
    }
}

impl Gate {
    /// When the next one that is put off shall come back: one after the other, as fast as calls
    /// go, so that they neither come all at once nor again and again in vain.
    fn turn(&mut self, now: DateTime<Utc>, limit: usize, settings: &Settings) -> DateTime<Utc> {
        let usual = self.usual.unwrap_or(settings.backoff / 4);
        let pace = usual / i32::try_from(limit).unwrap_or(i32::MAX);
        let pace = pace.max(TimeDelta::milliseconds(1));
        // What goes on for long will go on as long again: nobody asks again and again meanwhile.
        let oldest = self.trying.or_else(|| self.running.iter().min().copied());
        let age = oldest.map_or(TimeDelta::zero(), |began| now - began);
        let wait = age.min(settings.longest_trial).max(settings.backoff / 8);
        let soonest = now + wait.max(pace);
        let free = match &self.outage {
            Some(outage) if self.trying.is_none() => outage.next_trial.max(soonest),
            _ => soonest,
        };
        let at = self.turn.map_or(free, |turn| turn.max(free));
        let at = at.min(free + settings.longest_trial);
        self.turn = Some(at + pace);
        at
    }
}

impl Pass {
    /// Who is called.
    pub(super) const fn callee(&self) -> &Callee {
        &self.callee
    }

    /// Takes note of what came of the call.
    pub(super) fn heard(
        &mut self,
        heard: Heard,
        now: DateTime<Utc>,
        settings: &Settings,
        entropy: &dyn Entropy,
    ) -> Option<Change> {
        let wait = |trials| {
            let wait = settings.wait_after(trials, ErrorKind::Unavailable, entropy);
            now + wait.min(settings.longest_trial)
        };
        self.heard = !matches!(heard, Heard::Unclear);
        self.gates.with(&self.callee, |gate| match heard {
            Heard::Answer => {
                let took = (now - self.began).max(TimeDelta::zero());
                gate.usual = Some(gate.usual.map_or(took, |usual| (usual * 7 + took) / 8));
                gate.failures = 0;
                gate.trials = 0;
                gate.outage.take().map(|outage| Change::Back(outage.since))
            }
            Heard::Nothing(code) => {
                gate.failures = gate.failures.saturating_add(1);
                match &mut gate.outage {
                    Some(outage) if self.trial => {
                        gate.trials = gate.trials.saturating_add(1);
                        outage.next_trial = wait(gate.trials + 1);
                        outage.code = code;
                        None
                    }
                    // Called before it was known to be down.
                    Some(_) => None,
                    None if gate.failures >= settings.down_after => {
                        let outage = Outage {
                            callee: self.callee.clone(),
                            since: now,
                            code,
                            next_trial: wait(1),
                        };
                        gate.outage = Some(outage.clone());
                        Some(Change::Down(outage))
                    }
                    None => None,
                }
            }
            Heard::Unclear => None,
        })
    }
}

impl Drop for Pass {
    /// Also where the call is broken off: a trial that was is made by the next one.
    fn drop(&mut self) {
        self.gates.with(&self.callee, |gate| {
            if let Some(place) = gate.running.iter().position(|began| *began == self.began) {
                gate.running.swap_remove(place);
            }
            if self.trial && gate.trying == Some(self.began) {
                gate.trying = None;
            }
            if let Some(outage) = &mut gate.outage
                && self.trial
                && !self.heard
            {
                outage.next_trial = self.began;
            }
        });
    }
}

impl Engine {
    /// Takes note of what a call says about who was called, and tells who should hear of it.
    pub(super) fn heard(&self, mut pass: Pass, heard: Heard) {
        let now = self.now();
        let entropy = &*self.inner.ports.entropy;
        if let Some(change) = pass.heard(heard, now, &self.inner.settings, entropy) {
            super::observe::changed(pass.callee(), &change);
            self.inner.alerts.tell(|| Alert {
                at: now,
                what: match &change {
                    Change::Down(outage) => Trouble::Down(outage.clone()),
                    Change::Back(since) => Trouble::Back {
                        callee: pass.callee().clone(),
                        since: *since,
                    },
                },
            });
        }
    }
}
