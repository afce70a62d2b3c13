//! The traits a host implements, each with its contract: stores, sources, gateways, the clock.
//!
//! No implementation lives here, and no rule of how requests move.
//! May use `model` only.

mod artifacts;
mod clock;
mod context;
mod forward;
mod gateway;
mod identity;
mod notifier;
mod policy;
mod source;
mod store;
mod vault;

pub use artifacts::{ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream};
pub use clock::{Clock, Entropy};
pub use context::{Answer, CallContext, Cancel, ErrorKind, Fence, IdempotencyKey, PortError};
pub use gateway::{GatewayDescription, Instruction, Order, Package, ProcessorGateway};
pub use identity::{Check, IdentityVerifier};
pub use notifier::{Notice, Notifier, Statement};
pub use policy::{AccessPolicy, Denied, Grant, Query};
pub use source::{
    Cell, Erased, File, Item, Located, Locator, MAX_LOCATORS, PersonalDataSource, PlannedAction,
    PlannedRows, Reading, Residue, SourceDescription, SourcePlan, Stopped, Work,
};
pub use store::{
    Claim, Commit, Counted, Due, Lock, LockChange, MAX_CHUNK_BYTES, MAX_EVENT_BYTES,
    MAX_PART_NAME_BYTES, Mark, PartChunk, RequestStore, Snapshot, StoreError, StoredEvent,
    StoredRequest, WorkerId, check_chunk,
};
pub use vault::{Vault, VaultError};

pub use crate::model::{Handle, MissingRows, Pending, RowCount, Task, WithheldRows};
