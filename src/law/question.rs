//! The questions that can be put to a regime's clocks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which clock is asked.
///
/// Written in snake case, in files and in stored requests.
///
/// ```
/// use datarights::law::Question;
/// assert_eq!("ack".parse(), Ok(Question::Ack));
/// assert_eq!(Question::BreachAuthority.name(), "breach_authority");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Question {
    /// When the answer is due as things stand, a valid extension included.
    Response,
    /// When the answer is due once it has validly been extended.
    ExtendedResponse,
    /// Until when an extension can be announced.
    ExtensionNoticeCutoff,
    /// Until when a refusal must be sent.
    RefusalNotice,
    /// Until when receipt must be confirmed.
    Ack,
    /// Until when an opt-out must be carried out.
    OptOut,
    /// Until when the use of sensitive data must be limited.
    Limit,
    /// From when a person who opted out may be asked to opt in again.
    OptInAskEarliest,
    /// When the answer to an appeal is due. `received` is the receipt of the appeal.
    AppealResponse,
    /// The same, once validly extended.
    AppealExtended,
    /// When the answer to a grievance is due.
    GrievanceResponse,
    /// Until when a breach must be reported. `received` is the moment of awareness.
    BreachAuthority,
    /// Until when a complaint must be acknowledged.
    ComplaintAck,
    /// Until when a person is told of data that others supplied. `received` is the collection.
    IndirectCollectionNotice,
    /// Until when processing must cease after consent was withdrawn.
    ConsentRevocation,
    /// From when on data must be searched by default.
    LookbackStartDefault,
    /// Until when the record of the request must be kept.
    RecordRetentionUntil,
    /// Until when logs must be kept. `received` is the processing.
    LogRetentionUntil,
    /// When a simplified answer is due (Brazil).
    ResponseSimplified,
    /// Until when to answer or to say when one will (Singapore).
    ResponseOrTimeframeNotice,
    /// The limit by which authorities measure "timely" (China).
    OperationalLimit,
    /// Until when the person must confirm an announced fee (Switzerland).
    FeeConfirmDeadline,
    /// Until when the person can complain to the board (Turkey).
    BoardComplaintDeadline,
    /// The last day on which no lawsuit can be brought yet (Japan).
    LawsuitBarLastDay,
    /// Until when the deletion platform must be accessed again (California's Delete Act).
    DropNextAccess,
    /// From when on health data may be handed over (France).
    HealthAccessEarliest,
    /// Until when health data must be handed over (France).
    HealthAccessLatest,
}

impl Question {
    /// Every question.
    pub const ALL: [Self; 27] = [
        Self::Response,
        Self::ExtendedResponse,
        Self::ExtensionNoticeCutoff,
        Self::RefusalNotice,
        Self::Ack,
        Self::OptOut,
        Self::Limit,
        Self::OptInAskEarliest,
        Self::AppealResponse,
        Self::AppealExtended,
        Self::GrievanceResponse,
        Self::BreachAuthority,
        Self::ComplaintAck,
        Self::IndirectCollectionNotice,
        Self::ConsentRevocation,
        Self::LookbackStartDefault,
        Self::RecordRetentionUntil,
        Self::LogRetentionUntil,
        Self::ResponseSimplified,
        Self::ResponseOrTimeframeNotice,
        Self::OperationalLimit,
        Self::FeeConfirmDeadline,
        Self::BoardComplaintDeadline,
        Self::LawsuitBarLastDay,
        Self::DropNextAccess,
        Self::HealthAccessEarliest,
        Self::HealthAccessLatest,
    ];

    /// The snake-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::ExtendedResponse => "extended_response",
            Self::ExtensionNoticeCutoff => "extension_notice_cutoff",
            Self::RefusalNotice => "refusal_notice",
            Self::Ack => "ack",
            Self::OptOut => "opt_out",
            Self::Limit => "limit",
            Self::OptInAskEarliest => "opt_in_ask_earliest",
            Self::AppealResponse => "appeal_response",
            Self::AppealExtended => "appeal_extended",
            Self::GrievanceResponse => "grievance_response",
            Self::BreachAuthority => "breach_authority",
            Self::ComplaintAck => "complaint_ack",
            Self::IndirectCollectionNotice => "indirect_collection_notice",
            Self::ConsentRevocation => "consent_revocation",
            Self::LookbackStartDefault => "lookback_start_default",
            Self::RecordRetentionUntil => "record_retention_until",
            Self::LogRetentionUntil => "log_retention_until",
            Self::ResponseSimplified => "response_simplified",
            Self::ResponseOrTimeframeNotice => "response_or_timeframe_notice",
            Self::OperationalLimit => "operational_limit",
            Self::FeeConfirmDeadline => "fee_confirm_deadline",
            Self::BoardComplaintDeadline => "board_complaint_deadline",
            Self::LawsuitBarLastDay => "lawsuit_bar_last_day",
            Self::DropNextAccess => "drop_next_access",
            Self::HealthAccessEarliest => "health_access_earliest",
            Self::HealthAccessLatest => "health_access_latest",
        }
    }

    /// Whether every request asks it, so that one without the clock could pass its last day
    /// unseen.
    pub(super) const fn is_of_every_request(self) -> bool {
        matches!(
            self,
            Self::Response | Self::RefusalNotice | Self::Ack | Self::AppealResponse
        )
    }

    /// Whether it is asked of a request for a right, so that a regime that does not know the
    /// right has no answer. Others are asked of a breach, a grievance, a complaint, a
    /// collection or a log.
    pub const fn concerns_right(self) -> bool {
        !matches!(
            self,
            Self::GrievanceResponse
                | Self::BreachAuthority
                | Self::ComplaintAck
                | Self::IndirectCollectionNotice
                | Self::LogRetentionUntil
                | Self::DropNextAccess
        )
    }

    /// Whether that is the name of the duty it asks about, which may stand in the place of the
    /// right.
    pub(super) fn is_of_duty(self, name: &str) -> bool {
        match self {
            Self::AppealResponse | Self::AppealExtended => name == "appeal",
            // The record of an appeal is kept as that of a request.
            Self::RecordRetentionUntil => matches!(name, "records" | "retention" | "appeal"),
            Self::BoardComplaintDeadline | Self::LawsuitBarLastDay | Self::OperationalLimit => {
                name == "complaint"
            }
            _ => false,
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no [`Question`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no question is called `{0}`; see `Question::ALL` for those that are")]
pub struct UnknownQuestion(pub String);

impl FromStr for Question {
    type Err = UnknownQuestion;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|question| question.name() == name)
            .ok_or_else(|| UnknownQuestion(name.to_owned()))
    }
}
