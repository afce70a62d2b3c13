//! What has happened to a request that can move its clocks.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClockEventKind {
    /// The controller asked for what it needs to identify the person.
    IdentityRequested,
    /// The person supplied it.
    IdentityConfirmed,
    /// The controller asked what exactly is wanted.
    ClarificationRequested,
    /// The person said so.
    ClarificationReceived,
    /// The controller charged a fee.
    FeeRequested,
    /// The fee was paid.
    FeePaid,
    /// The controller waived the fee it had charged or announced, as if it had never asked.
    FeeWaived,
    /// The controller announced a fee that the person must accept (Switzerland).
    FeeNotified,
    /// The person accepted it.
    FeeConfirmed,
    /// The controller announced an extension.
    ExtensionNotified,
    /// The request was passed on to the data protection officer.
    ForwardedToDpo,
    /// The person received the answer.
    AnswerReceived,
    /// The person asked for erasure.
    ErasureRequested,
    /// A financial year was closed.
    FiscalYearClose,
    /// The results of an examination were announced (UK).
    ResultsAnnounced,
    /// The controller reasonably suspects fraud and cannot authenticate (Utah).
    FraudSuspected,
    /// The controller waits no longer for what it asked the person: it refused, or found that they
    /// could not be asked for it.
    WaitingEnded,
}

/// Something that happened, and when.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(rename = "type")]
    pub kind: ClockEventKind,
    /// The date that an extension notice promised. Needed only under laws that set no
    /// length for the extension (Switzerland, Hong Kong, Singapore).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// When a request was received and what has happened since, in order of time.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use datarights::law::{ClockEventKind, ClockHistory};
/// let at = |day| Utc.with_ymd_and_hms(2026, 3, day, 9, 0, 0).unwrap();
/// let history = ClockHistory::received(at(2)).with(ClockEventKind::ExtensionNotified, at(20));
/// assert_eq!(history.events().len(), 1);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "Written", deny_unknown_fields)]
pub struct ClockHistory {
    received: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_on: Option<NaiveDate>,
    events: Vec<ClockEvent>,
}

/// A history as written, perhaps out of order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    received: DateTime<Utc>,
    #[serde(default)]
    requested_on: Option<NaiveDate>,
    #[serde(default)]
    events: Vec<ClockEvent>,
}

impl From<Written> for ClockHistory {
    fn from(written: Written) -> Self {
        let mut history = Self {
            requested_on: written.requested_on,
            ..Self::received(written.received)
        };
        for event in written.events {
            history.push(event);
        }
        history
    }
}

impl ClockHistory {
    /// A request received at that instant, and nothing since. For an appeal, a grievance,
    /// a complaint or a breach it is the instant at which that one arrived or was noticed.
    pub const fn received(at: DateTime<Utc>) -> Self {
        Self {
            received: at,
            requested_on: None,
            events: Vec::new(),
        }
    }

    /// The same, with the date the request itself bears, where a law counts from it
    /// (PIPEDA 8(4)).
    #[must_use]
    pub fn requested_on(mut self, date: NaiveDate) -> Self {
        self.requested_on = Some(date);
        self
    }

    /// The same, after one more event.
    #[must_use]
    pub fn with(mut self, kind: ClockEventKind, at: DateTime<Utc>) -> Self {
        self.push(ClockEvent {
            at,
            kind,
            until: None,
        });
        self
    }

    /// Adds an event at its place in time; events of one instant keep their order.
    pub fn push(&mut self, event: ClockEvent) {
        let place = self.events.partition_point(|known| known.at <= event.at);
        self.events.insert(place, event);
    }

    /// When the request was received.
    pub const fn received_at(&self) -> DateTime<Utc> {
        self.received
    }

    /// The date the request bears, if it was given.
    pub const fn date_of_request(&self) -> Option<NaiveDate> {
        self.requested_on
    }

    /// What happened, in order of time.
    pub fn events(&self) -> &[ClockEvent] {
        &self.events
    }

    /// The same as it stood when nothing had happened yet.
    pub(super) fn unmoved(&self) -> Self {
        Self {
            events: Vec::new(),
            ..self.clone()
        }
    }

    /// The same as it stood at that instant.
    pub(super) fn up_to(&self, instant: DateTime<Utc>) -> Self {
        let mut earlier = self.clone();
        earlier.events.retain(|event| event.at <= instant);
        earlier
    }

    /// The first event of that kind.
    pub fn first(&self, kind: ClockEventKind) -> Option<ClockEvent> {
        self.all(kind).next()
    }

    /// The last event of that kind.
    pub fn last(&self, kind: ClockEventKind) -> Option<ClockEvent> {
        self.all(kind).next_back()
    }

    /// The events of that kind, in order of time.
    pub fn all(&self, kind: ClockEventKind) -> impl DoubleEndedIterator<Item = ClockEvent> + '_ {
        self.events
            .iter()
            .copied()
            .filter(move |event| event.kind == kind)
    }
}
