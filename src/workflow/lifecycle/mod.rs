//! The legal course of a request, the same for every right.
//!
#![doc = include_str!("../../../docs/machines/lifecycle.md")]
//!
//! # Example
//! ```
//! # #![allow(dead_code, unused_imports)]
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines/example.rs"));
//! # fn main() -> Outcomes {
//! // A `Course` is a request under the GDPR that came in on 2 March; `give` hands a command to
//! // `decide`, and takes what it decided.
//! let alice = Actor::staff("alice")?;
//! let mut course = Course::received(Right::Access)?;
//! assert_eq!(course.effects, [Effect::Notify(Letter::Acknowledgement)]);
//! let due = course.request.answer_due();
//!
//! // Only staff approves, and nobody before it is known who asks.
//! let by_herself = course.give(&Actor::Person, lifecycle::Command::ConfirmIdentity);
//! assert!(matches!(by_herself, Err(Rejection::WrongActor { .. })));
//! let Err(Rejection::NotNow { open, .. }) = course.give(&alice, lifecycle::Command::Approve) else {
//!     return Err("it was received just now".into());
//! };
//! assert!(open.contains("request_identity")); // what would be accepted
//!
//! // The person is asked, and staff confirms what they showed.
//! course.give(&alice, lifecycle::Command::RequestIdentity)?;
//! assert_eq!(course.effects, [Effect::Notify(Letter::IdentityRequest), Effect::Challenge]);
//! course.sent(Letter::IdentityRequest)?;
//! course.now += chrono::TimeDelta::days(3);
//! course.give(&alice, lifecycle::Command::ConfirmIdentity)?;
//!
//! // It takes longer: on a ground that the law gives, and once. It counts if the letter is in time.
//! let (ground, until) = (Ground::new("complexity"), None);
//! course.give(&alice, lifecycle::Command::Extend { ground, until })?;
//! course.sent(Letter::Extension)?;
//! assert!(course.request.answer_due() > due);
//!
//! // Approving begins the work, which comes back with an outcome; the answer goes out.
//! course.give(&alice, lifecycle::Command::Approve)?;
//! course.answer(located(0))?;
//! assert_eq!(course.outcome(), Some(&Outcome::NothingFound));
//! course.sent(Letter::Response)?;
//! assert_eq!(course.request.lifecycle.phase, lifecycle::Phase::Answered);
//! # Ok(()) }
//! ```

mod command;
mod moves;
mod phase;
mod state;
mod time;

pub use command::Command;
pub(super) use moves::{decide, reported};
pub use phase::{On, Phase};
pub use state::Lifecycle;
pub(super) use time::{close, fire, keep_for_now, record_passed};

use super::table::{Table, table};

/// The transition table.
pub const TABLE: Table<Phase, On> = table!(Phase, On;
    Received {
        RequestIdentity => Identity;
        AddIdentifiers => Received;
        ConfirmIdentity => Assessment | Fulfilment | Review;
        Extend => Received;
        SuspectFraud => Received;
        AnnounceResults => Received;
        Refuse => Response;
        Resend => Received;
        LetterAnswered => Received;
        Withdraw => Closed;
        Join => Closed;
        JoinedBy => Received;
        Fire => Received;
    }
    Identity {
        Challenge => Identity;
        ChallengeFailed => Identity;
        AttemptIdentity => Identity;
        AddIdentifiers => Identity;
        RejectIdentity => Identity;
        ConfirmIdentity => Assessment | Fulfilment | Review;
        Extend => Identity;
        SuspectFraud => Identity;
        AnnounceResults => Identity;
        Refuse => Response;
        Resend => Identity;
        LetterAnswered => Identity;
        Withdraw => Closed;
        JoinedBy => Identity;
        Fire => Identity | Closed;
    }
    Assessment {
        RequestIdentity => Identity;
        AskClarification => Clarification;
        AddIdentifiers => Assessment;
        ChargeFee => Fee;
        Extend => Assessment;
        AnnounceResults => Assessment;
        Approve => Fulfilment | Review;
        Refuse => Response;
        Resend => Assessment;
        LetterAnswered => Assessment;
        Withdraw => Closed;
        Report => Assessment;
        JoinedBy => Assessment;
        Fire => Assessment;
    }
    Clarification {
        Clarify => Assessment;
        AddIdentifiers => Clarification;
        Extend => Clarification;
        AnnounceResults => Clarification;
        Refuse => Response;
        Resend => Clarification;
        LetterAnswered => Clarification;
        Withdraw => Closed;
        Report => Clarification;
        JoinedBy => Clarification;
        Fire => Clarification | Closed;
    }
    Fee {
        PayFee => Assessment;
        AddIdentifiers => Fee;
        WaiveFee => Assessment;
        Extend => Fee;
        AnnounceResults => Fee;
        Refuse => Response;
        Resend => Fee;
        LetterAnswered => Fee;
        Withdraw => Closed;
        Report => Fee;
        JoinedBy => Fee;
        Fire => Fee | Closed;
    }
    Fulfilment {
        Extend => Fulfilment;
        AnnounceResults => Fulfilment;
        Refuse => Response;
        Resend => Fulfilment;
        LetterAnswered => Fulfilment;
        Withdraw => Closed;
        Report => Review | Response;
        JoinedBy => Fulfilment;
        Fire => Fulfilment | Closed;
    }
    Review {
        Extend => Review;
        AnnounceResults => Review;
        Rework => Fulfilment | Review;
        Release => Response;
        Refuse => Response;
        Resend => Review;
        LetterAnswered => Review;
        Withdraw => Closed;
        Report => Review | Response;
        JoinedBy => Review;
        Fire => Review;
    }
    Response {
        Refuse => Response;
        Rework => Fulfilment | Review | Response;
        Withdraw => Closed;
        Resend => Response;
        LetterAnswered => Response | Answered;
        Report => Response;
        Sweep => Response;
        JoinedBy => Response;
        Fire => Response;
    }
    Answered {
        Rework => Fulfilment;
        Leave => Answered;
        Appeal => Appeal;
        Resend => Answered;
        LetterAnswered => Answered;
        Report => Answered;
        Sweep => Answered;
        JoinedBy => Fulfilment;
        Fire => Answered | Closed;
    }
    Appeal {
        DecideAppeal => Assessment | Answered;
        ExtendAppeal => Appeal;
        Resend => Appeal;
        LetterAnswered => Appeal;
        Report => Appeal;
        Sweep => Appeal;
        JoinedBy => Appeal;
        Fire => Appeal;
    }
    Closed {
        Resend => Closed;
        LetterAnswered => Closed;
        Report => Closed;
        Sweep => Closed;
        Fire => Closed;
    }
);
