//! The legal course of a request, the same for every right.
//!
#![doc = include_str!("../../../docs/machines/lifecycle.md")]

mod command;
mod moves;
mod phase;
mod state;

pub use command::Command;
pub(super) use moves::{close, decide, fire, keep_for_now, record_passed, reported};
pub use phase::{On, Phase};
pub use state::Lifecycle;

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
