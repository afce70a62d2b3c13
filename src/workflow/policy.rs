//! The controller's own settings for how requests are carried out.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Who must approve the plan of an erasure or a rectification before it is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Approval {
    /// Nobody: the approval of the request is enough.
    None,
    /// A member of staff, who may be the one who approved the request.
    OnePerson,
    /// A member of staff other than the one who approved the request.
    #[default]
    FourEyes,
}

/// Whether somebody looks at the answer before it goes out. A failed fulfilment always waits for
/// somebody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Review {
    /// Always.
    Always,
    /// When something is missing from it.
    #[default]
    WhenIncomplete,
}

/// The controller's settings. Spans are whole seconds; all of them can be changed on a running
/// system, because what they lead to is frozen into events.
///
/// ```
/// use datarights::workflow::{Approval, Policy};
/// let mut policy = Policy::default();
/// policy.plan_approval = Approval::OnePerson;
/// policy.grace = Some(chrono::TimeDelta::days(14));
/// assert_eq!(policy.identity_attempts, 5);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// How often a person may answer an identity check.
    pub identity_attempts: u32,
    /// How long the person has to answer a question. Then staff is told, and decides; where the law
    /// wants neither grounds nor notice of a refusal, the request expires.
    pub answer_within: TimeDelta,
    /// Whether receipt is confirmed where the law does not demand it.
    pub acknowledge: bool,
    /// Who approves plans.
    pub plan_approval: Approval,
    /// Whether the person must confirm an erasure once more, after its plan was approved.
    pub confirm_erasure: bool,
    /// How long an approved erasure can still be undone.
    pub grace: Option<TimeDelta>,
    /// How often an erasure is repeated while something is left, before it is called incomplete.
    pub erasure_rounds: u32,
    /// How often is looked again at what is withheld without a date: until a hold is lifted, or as
    /// long as a condition holds. `None`: only when somebody says that it is over.
    pub look_at_held: Option<TimeDelta>,
    /// Who looks at answers.
    pub review: Review,
    /// How long a person may appeal after the answer.
    pub appeal_within: TimeDelta,
    /// How long before the deadline staff is reminded, in any order.
    pub remind_before: Vec<TimeDelta>,
    /// How long a package can be fetched after the request came to its end.
    pub keep_package: TimeDelta,
    /// How long what is personal in a closed request is kept: its key is destroyed then.
    pub keep_personal: TimeDelta,
    /// How long the rest of a closed request is kept as evidence; never shorter than the two
    /// before.
    pub keep_request: TimeDelta,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            identity_attempts: 5,
            answer_within: TimeDelta::days(30),
            acknowledge: true,
            plan_approval: Approval::FourEyes,
            confirm_erasure: false,
            grace: None,
            erasure_rounds: 3,
            look_at_held: Some(TimeDelta::days(7)),
            review: Review::WhenIncomplete,
            appeal_within: TimeDelta::days(60),
            remind_before: vec![TimeDelta::days(10), TimeDelta::days(3)],
            keep_package: TimeDelta::days(30),
            keep_personal: TimeDelta::days(365),
            keep_request: TimeDelta::days(3 * 365),
        }
    }
}
