//! Where authorities read a law differently: which reading a controller follows.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Text;

/// Whether a GDPR clock stands still while the controller waits for information it needs.
///
/// Art. 12(3) knows no suspension; EDPB Guidelines 01/2022 par. 159 say that there "may
/// be" one when the information was asked for without undue delay.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdentityReading {
    /// It does not. The safe reading.
    #[default]
    NoSuspension,
    /// The days from asking to answering are not counted.
    SuspendDays,
    /// The period starts again when the information arrives.
    Restart,
}

/// How many days a UK clarification pause excludes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PauseReading {
    /// The day of asking and the day of answering, as UK GDPR 12A(5) says.
    #[default]
    StatutoryInclusive,
    /// One day less, as a worked example derived from the ICO's guidance counts.
    /// Never later than the statute, for those who want both satisfied.
    PublishedExample,
}

/// How the 72 hours of a breach notice run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HourReading {
    /// As elapsed time from the instant. The safe reading.
    #[default]
    Elapsed,
    /// The hour in which it happened is not counted (Reg. 1182/71 Art. 3(1)).
    FirstHourExcluded,
    /// The same, and the period contains two working days (Art. 3(5), debated).
    TwoWorkingDays,
}

/// Whether the day of receipt is itself the first day of a period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReceiptReading {
    /// It is not counted.
    #[default]
    Excluded,
    /// It is day one, as 11 CCR 7021(b) can be read ("will begin on the day that the
    /// business receives the request"). One day earlier.
    DayOne,
}

/// The readings a controller follows, and the circumstances a law asks about.
///
/// [`Readings::default`] is the safe choice everywhere. Written as in policies:
/// `eu_identity=suspend_days, br_small_agent=true`.
///
/// ```
/// use datarights::law::{IdentityReading, Readings};
/// let readings: Readings = "eu_identity=suspend_days, br_small_agent=true".parse()?;
/// assert_eq!(readings.eu_identity, IdentityReading::SuspendDays);
/// assert!(readings.circumstances.contains("br_small_agent=true"));
/// assert!("eu_identity=perhaps".parse::<Readings>().is_err());
/// # Ok::<(), datarights::law::UnknownReading>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Readings {
    /// `eu_identity`: whether waiting for identity stops a GDPR clock.
    pub eu_identity: IdentityReading,
    /// `eu_identity_asked_within`: in how many days after receipt identity must have been
    /// asked for to count as "without undue delay", where the reading needs that. The
    /// number is ours: the EDPB gives none.
    pub eu_identity_asked_within: u16,
    /// `uk_pause`: how many days a clarification pause excludes.
    pub uk_pause: PauseReading,
    /// `breach_hours`: how hours are counted.
    pub breach_hours: HourReading,
    /// `us_ca_receipt`: whether the day of receipt is day one in California.
    pub us_ca_receipt: ReceiptReading,
    /// `roll`: over which days a last day moves, by the name of one of the regime's own
    /// readings, or `none`. Unset: the regime's default.
    pub roll: Option<Text>,
    /// What is so about this controller or this data and moves a clock, as `name=value`:
    /// `br_small_agent=true`, `au_entity=agency`, `fr_health=older_than_five_years`,
    /// `vn_involves=processor`, `uk_exam_marks=true`, or a host's own.
    pub circumstances: BTreeSet<Text>,
}

impl Default for Readings {
    fn default() -> Self {
        Self {
            eu_identity: IdentityReading::default(),
            eu_identity_asked_within: 7,
            uk_pause: PauseReading::default(),
            breach_hours: HourReading::default(),
            us_ca_receipt: ReceiptReading::default(),
            roll: None,
            circumstances: BTreeSet::new(),
        }
    }
}

/// A policy that names no reading.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{found}` is no reading; accepted: {accepted}")]
pub struct UnknownReading {
    /// What was written.
    pub found: String,
    /// What would be accepted there.
    pub accepted: &'static str,
}

/// The circumstances that our own regimes ask about.
const CIRCUMSTANCES: [&str; 7] = [
    "br_small_agent=true",
    "br_small_agent=false",
    "au_entity=agency",
    "au_entity=organisation",
    "fr_health=older_than_five_years",
    "vn_involves=processor",
    "uk_exam_marks=true",
];

const NAMES: &str = "`default`, `eu_identity=…`, `eu_identity_asked_within=…`, `uk_pause=…`, \
     `breach_hours=…`, `us_ca_receipt=…`, `roll=…`, `br_small_agent=true`, `au_entity=agency`, \
     `fr_health=older_than_five_years`, `vn_involves=processor`, `uk_exam_marks=true`";

impl Readings {
    /// Whether that circumstance (`name=value`) was stated.
    pub fn states(&self, circumstance: &str) -> bool {
        self.circumstances.contains(circumstance)
    }

    /// The same with one more circumstance, for regimes of a host's own.
    #[must_use]
    pub fn with_circumstance(mut self, circumstance: impl Into<Text>) -> Self {
        self.circumstances.insert(circumstance.into());
        self
    }

    fn set(&mut self, policy: &str) -> Result<(), UnknownReading> {
        let unknown = |accepted| UnknownReading {
            found: policy.to_owned(),
            accepted,
        };
        let Some((name, value)) = policy.split_once('=') else {
            return match policy {
                "" | "default" => Ok(()),
                _ => Err(unknown(NAMES)),
            };
        };
        match (name.trim(), value.trim()) {
            ("eu_identity", value) => {
                self.eu_identity = match value {
                    "no_suspension" => IdentityReading::NoSuspension,
                    "suspend_days" => IdentityReading::SuspendDays,
                    "restart" | "restart_at_confirmation" => IdentityReading::Restart,
                    _ => return Err(unknown("no_suspension, suspend_days, restart")),
                }
            }
            ("eu_identity_asked_within", value) => {
                self.eu_identity_asked_within =
                    value.parse().map_err(|_| unknown("a number of days"))?;
            }
            ("uk_pause", value) => {
                self.uk_pause = match value {
                    "statutory_inclusive" => PauseReading::StatutoryInclusive,
                    "published_example" => PauseReading::PublishedExample,
                    _ => return Err(unknown("statutory_inclusive, published_example")),
                }
            }
            ("breach_hours", value) => {
                self.breach_hours = match value {
                    "elapsed" => HourReading::Elapsed,
                    "first_hour_excluded" => HourReading::FirstHourExcluded,
                    "two_working_days" => HourReading::TwoWorkingDays,
                    _ => {
                        return Err(unknown("elapsed, first_hour_excluded, two_working_days"));
                    }
                }
            }
            ("us_ca_receipt", value) => {
                self.us_ca_receipt = match value {
                    "excluded" => ReceiptReading::Excluded,
                    "day_one" => ReceiptReading::DayOne,
                    _ => return Err(unknown("excluded, day_one")),
                }
            }
            ("roll", value) => self.roll = Some(value.to_owned().into()),
            (name, value) => {
                let known = CIRCUMSTANCES
                    .into_iter()
                    .find(|known| known.split_once('=') == Some((name, value)))
                    .ok_or_else(|| unknown(NAMES))?;
                self.circumstances.insert(known.into());
            }
        }
        Ok(())
    }
}

impl FromStr for Readings {
    type Err = UnknownReading;

    fn from_str(policies: &str) -> Result<Self, Self::Err> {
        let mut readings = Self::default();
        for policy in policies.split(',') {
            readings.set(policy.trim())?;
        }
        Ok(readings)
    }
}

impl fmt::Display for IdentityReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuspension => "no_suspension",
            Self::SuspendDays => "suspend_days",
            Self::Restart => "restart",
        })
    }
}
