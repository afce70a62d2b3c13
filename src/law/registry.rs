//! The regimes a host works with: ours, and its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use chrono::NaiveDate;

use super::{
    Clock, Fact, Ground, GroundUse, Notice, Pause, Regime, RegimeDigest, RegimeId, RegimePin, Text,
    Topic, Verified, regimes,
};
use serde::{Deserialize, Serialize};

/// National or other rules laid on a base regime.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Overlay {
    /// Its id.
    pub id: RegimeId,
    /// The regime it can be laid on, and no other.
    pub base: RegimeId,
    /// Its version.
    pub version: Text,
    /// Its name.
    pub name: Text,
    /// Where it holds.
    pub jurisdiction: Text,
    /// The day on which it was true.
    pub as_of: NaiveDate,
    /// Clocks that come before those of the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// Pauses instead of those of the base, if any is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// Grounds besides those of the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// Letters besides those of the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// Facts besides those of the base.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Topic, Vec<Fact>>,
}

impl Overlay {
    /// An overlay that says nothing yet.
    pub fn new(
        id: RegimeId,
        base: RegimeId,
        version: impl Into<Text>,
        name: impl Into<Text>,
        jurisdiction: impl Into<Text>,
        as_of: NaiveDate,
    ) -> Self {
        Self {
            id,
            base,
            version: version.into(),
            name: name.into(),
            jurisdiction: jurisdiction.into(),
            as_of,
            clocks: Vec::new(),
            pauses: Vec::new(),
            grounds: Vec::new(),
            notices: Vec::new(),
            facts: BTreeMap::new(),
        }
    }

    /// The base with this laid on it, under this overlay's own id.
    ///
    /// # Errors
    /// [`RegimeError::WrongBase`] if it belongs on another regime.
    pub fn on(&self, base: &Regime) -> Result<Regime, RegimeError> {
        if base.id != self.base {
            return Err(RegimeError::WrongBase {
                overlay: self.id.clone(),
                belongs_on: self.base.clone(),
                found: base.id.clone(),
            });
        }
        let mut regime = base.clone();
        regime.id = self.id.clone();
        regime.version = format!("{}+{}", base.version, self.version).into();
        regime.name = self.name.clone();
        regime.jurisdiction = self.jurisdiction.clone();
        regime.as_of = base.as_of.min(self.as_of);
        regime.overlays.push(self.id.clone());
        regime.clocks.splice(0..0, self.clocks.iter().cloned());
        if !self.pauses.is_empty() {
            regime.pauses.clone_from(&self.pauses);
        }
        regime.grounds.extend(self.grounds.iter().cloned());
        // What it lists a ground for is no longer left open.
        let listed = |usage: &GroundUse| self.grounds.iter().any(|g| g.uses.contains(usage));
        regime.any_ground.retain(|usage| !listed(usage));
        regime.notices.extend(self.notices.iter().cloned());
        for (topic, facts) in &self.facts {
            let known = regime.facts.entry(*topic).or_default();
            known.extend(facts.iter().cloned());
        }
        Ok(regime)
    }
}

/// Why there is no such regime.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegimeError {
    /// No regime of that name.
    #[error("no regime is called `{0}`; `Regimes::ids` lists those that are known")]
    Unknown(RegimeId),
    /// No version of it was in force that day.
    #[error("no version of {id} is in force on {date}")]
    NotInForce {
        /// Which regime.
        id: RegimeId,
        /// The day asked about.
        date: NaiveDate,
    },
    /// No regime matches a pin: that version is not here, or it was altered.
    #[error("version {} of {} is not here as it was when it was pinned (digest {})", .0.version, .0.id, .0.digest)]
    NotPinned(RegimePin),
    /// An overlay on a regime it does not belong on.
    #[error("the overlay {overlay} belongs on {belongs_on}, not on {found}")]
    WrongBase {
        /// Which overlay.
        overlay: RegimeId,
        /// Where it belongs.
        belongs_on: RegimeId,
        /// Where it was laid.
        found: RegimeId,
    },
    /// A regime that cannot be written in its canonical form.
    #[error("{id} cannot be written in its canonical form: {reason}")]
    Unwritable {
        /// Which regime.
        id: RegimeId,
        /// Why.
        reason: String,
    },
}

/// One version of a regime, built when it is first asked for.
struct Entry {
    build: Option<regimes::Build>,
    built: OnceLock<Arc<Regime>>,
}

impl Entry {
    fn lazy(build: regimes::Build) -> Arc<Self> {
        Arc::new(Self {
            build: Some(build),
            built: OnceLock::new(),
        })
    }

    fn ready(regime: Regime) -> Arc<Self> {
        Arc::new(Self {
            build: None,
            built: OnceLock::from(Arc::new(regime)),
        })
    }

    fn get(&self) -> Option<&Arc<Regime>> {
        match self.build {
            Some(build) => Some(self.built.get_or_init(|| Arc::new(build().opened()))),
            None => self.built.get(),
        }
    }
}

/// The regimes that a host works with.
///
/// [`Regimes::builtin`] costs next to nothing: a table is built when it is first asked
/// for. A host adds its own with [`add`](Self::add); the same id and version replaces ours.
///
/// ```
/// use datarights::law::Regimes;
/// let regimes = Regimes::builtin();
/// assert_eq!(regimes.get("us_ca_ccpa")?.words.controller, "business");
/// assert!(regimes.get("atlantis").is_err());
/// # Ok::<(), datarights::law::RegimeError>(())
/// ```
#[derive(Clone, Default)]
pub struct Regimes {
    /// All versions of each, the oldest first.
    entries: BTreeMap<RegimeId, Vec<Arc<Entry>>>,
    least: Verified,
}

impl Regimes {
    /// No regime at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The regimes and overlays that we ship.
    pub fn builtin() -> Self {
        let mut all = Self::default();
        for (id, build) in regimes::TABLES {
            let versions = all.entries.entry(RegimeId::shipped(id)).or_default();
            versions.push(Entry::lazy(*build));
        }
        all
    }

    /// Adds a regime. The same id and version replaces the one that is known.
    pub fn add(&mut self, mut regime: Regime) {
        // As it is given, it is whole: a pin of it must be found here again.
        regime.whole = None;
        regime.least = Verified::default();
        let versions = self.entries.entry(regime.id.clone()).or_default();
        versions.retain(|entry| {
            entry
                .get()
                .is_some_and(|known| known.version != regime.version)
        });
        versions.push(Entry::ready(regime));
        versions.sort_by_key(|entry| entry.get().and_then(|regime| regime.in_force.from));
    }

    /// Lays an overlay on its base, all versions of it, and adds the result under the
    /// overlay's id.
    ///
    /// # Errors
    /// [`RegimeError::Unknown`] if its base is not known.
    pub fn overlay(&mut self, overlay: &Overlay) -> Result<(), RegimeError> {
        let versions = self
            .entries
            .get(&overlay.base)
            .ok_or_else(|| RegimeError::Unknown(overlay.base.clone()))?;
        let laid: Vec<_> = versions
            .iter()
            .filter_map(|entry| entry.get())
            .map(|base| overlay.on(base))
            .collect::<Result<_, _>>()?;
        for regime in laid {
            self.add(regime);
        }
        Ok(())
    }

    /// The same regimes without any fact that was checked less well than `least`.
    ///
    /// A right that has lost what a request for it needs is not served
    /// ([`Regime::lacks_for`], [`ClockError::Unsure`](super::ClockError::Unsure)). Requests that
    /// were received before go on with what they pinned.
    #[must_use]
    pub fn verified_only(mut self, least: Verified) -> Self {
        self.least = least;
        self
    }

    /// The ids that are known, in order.
    pub fn ids(&self) -> impl Iterator<Item = &RegimeId> {
        self.entries.keys()
    }

    /// The newest version of a regime.
    ///
    /// # Errors
    /// [`RegimeError::Unknown`].
    pub fn get(&self, id: &str) -> Result<Arc<Regime>, RegimeError> {
        self.versions(id)?
            .pop()
            .ok_or_else(|| RegimeError::Unknown(id.into()))
    }

    /// Every version of a regime, the oldest first.
    ///
    /// # Errors
    /// [`RegimeError::Unknown`].
    pub fn versions(&self, id: &str) -> Result<Vec<Arc<Regime>>, RegimeError> {
        let id = RegimeId::from(id);
        let Some(versions) = self.entries.get(&id) else {
            return Err(RegimeError::Unknown(id));
        };
        Ok(versions
            .iter()
            .filter_map(|entry| entry.get())
            .map(|regime| taken(regime, self.least))
            .collect())
    }

    /// The version of a regime that is in force on `date`.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use datarights::law::Regimes;
    /// let regimes = Regimes::builtin();
    /// let day = |y| NaiveDate::from_ymd_opt(y, 6, 1).unwrap();
    /// assert!(regimes.in_force("in_dpdp", day(2026)).is_err());
    /// assert!(regimes.in_force("in_dpdp", day(2027)).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`RegimeError::Unknown`], or [`RegimeError::NotInForce`].
    pub fn in_force(&self, id: &str, date: NaiveDate) -> Result<Arc<Regime>, RegimeError> {
        self.versions(id)?
            .into_iter()
            .rfind(|regime| regime.in_force.contains(date))
            .ok_or_else(|| RegimeError::NotInForce {
                id: id.into(),
                date,
            })
    }

    /// The very regime that a request pinned, as far as was taken of it then.
    ///
    /// # Errors
    /// [`RegimeError::NotPinned`] if that version is not here, or is not what it was.
    pub fn by_pin(&self, pin: &RegimePin) -> Result<Arc<Regime>, RegimeError> {
        let Some(versions) = self.entries.get(&pin.id) else {
            return Err(RegimeError::Unknown(pin.id.clone()));
        };
        for regime in versions.iter().filter_map(|entry| entry.get()) {
            if regime.version == pin.version && digest_of(regime)? == pin.digest {
                return Ok(taken(regime, pin.least));
            }
        }
        Err(RegimeError::NotPinned(pin.clone()))
    }
}

fn taken(regime: &Arc<Regime>, least: Verified) -> Arc<Regime> {
    if least.is_any() {
        Arc::clone(regime)
    } else {
        Arc::new(Regime::clone(regime).verified_at_least(least))
    }
}

fn digest_of(regime: &Regime) -> Result<RegimeDigest, RegimeError> {
    regime.digest().map_err(|error| RegimeError::Unwritable {
        id: regime.id.clone(),
        reason: error.to_string(),
    })
}

impl fmt::Debug for Regimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regimes")
            .field("ids", &self.entries.keys())
            .field("least", &self.least)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::Regimes;

    /// What stands there after the tables of some laws were asked for.
    fn built(regimes: &Regimes) -> Vec<&str> {
        let is_built = |id: &&super::RegimeId| {
            let versions = &regimes.entries[*id];
            versions.iter().any(|entry| entry.built.get().is_some())
        };
        let ids = regimes.entries.keys().filter(is_built);
        ids.map(super::RegimeId::as_str).collect()
    }

    #[test]
    fn no_table_is_built_that_nobody_asked_for() {
        let regimes = Regimes::builtin();
        assert_eq!(regimes.ids().count(), 49);
        assert!(built(&regimes).is_empty());
        regimes.get("br_lgpd").unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        regimes.in_force("fr_overlay", day).unwrap();
        assert!(regimes.get("atlantis").is_err());
        assert_eq!(built(&regimes), ["br_lgpd", "fr_overlay"]);
        // What was built once is not built again.
        let again = regimes.clone();
        assert!(std::sync::Arc::ptr_eq(
            &regimes.get("br_lgpd").unwrap(),
            &again.get("br_lgpd").unwrap()
        ));
    }
}
