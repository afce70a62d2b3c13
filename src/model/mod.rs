//! The words: parties, identifiers, categories, rights, requests, outcomes, sealed values.
//!
//! Types with serde and nothing else: no I/O, no clock, no rules of any law.
//! May use nothing else of this crate.

mod category;
mod id;
mod identifier;
mod outcome;
mod party;
mod personal;
mod record;
mod request;
mod right;
mod sealed;

pub(crate) use id::is_name;

pub use category::{Category, LegalBasis, Purpose};
pub use id::{ControllerId, IdError, IntakeId, RequestId, SourceId};
pub use identifier::{Identifier, IdentifierError, IdentifierKind, NormalForm, Window};
pub use outcome::{
    Assurance, End, Failure, Fee, Ground, Handle, MissingRows, Outcome, Pending, RowCount,
    SearchDepth, Task, Until, Verdict, WithheldRows,
};
pub use party::{Actor, Party, PartyId, PartyRole};
pub use personal::{Exposed, Personal, exposed};
pub use record::{Collection, Column, Correction, Value};
pub use request::{Channel, Use, Wish};
pub use right::Right;
pub use sealed::{Digest, KeyId, KeyedDigest, Sealed};
