//! The answer a person can open: spools of what was read, and the ZIP made of them.
//!
//! Knows nothing of requests' courses, laws or who may do what; time comes in as an argument.
//! May use `model` and `ports`.
//!
//! # Two steps
//! 1. [`spool`] drains what one source reads out into two sealed artifacts: its rows, and its
//!    files. Nothing is ever written in clear on the way.
//! 2. [`write()`] streams a ZIP from any number of spools. Rows are passed over twice, once for
//!    each format, so that no format has to be kept anywhere.
//!
//! Neither step holds more than a few frames of 256 KiB in memory, however much there is of a
//! person; the directory of the ZIP grows with the *number* of files, by about 0.5 KB each.
//!
//! # What is in a package
//!
//! | entry | what |
//! | --- | --- |
//! | `index.html` | summary, what is missing and withheld, the first rows of each collection |
//! | `data/<source>/<collection>.json` | every row, exact; [how values are written](#json) |
//! | `data/<source>/<collection>.csv` | every row, for spreadsheets; [how values are written](#csv) |
//! | `files/<source>/<collection>/000001-<name>` | attachments, images |
//! | `manifest.json` | counts, sizes and SHA-256 of every other entry, what is missing and why |
//!
//! Names in the archive are made, not taken over: folders are ASCII, files carry a number in
//! front of what the source calls them, and no name is special on any system.
//!
//! ## JSON
//! I-JSON (RFC 7493): whole numbers up to ±(2⁵³ − 1) are numbers; larger ones and all decimals
//! are strings, so that no reader rounds them. Dates and instants are RFC 3339 strings. What JSON
//! has no word for is an object with one key that begins with `$`: `{"$bytes": "<base64>"}`,
//! `{"$file": "<path in the package>", …}`, `{"$secret": true}`.
//!
//! ## CSV
//! RFC 4180 in UTF-8 with a byte order mark, a header line and CRLF. `NULL` and the empty text are
//! both an empty field: only the JSON tells them apart. Numbers stay numbers. In text, an apostrophe
//! is put before each `= + - @` (also in full width), tab or carriage return with which a spreadsheet
//! could begin a formula: at the start of a text, or inside it after a semicolon, tab or line break,
//! quotation marks, blanks and apostrophes between not counted. Taking one apostrophe away at each
//! of these places gives the text back; the JSON is exact.
//! Bytes are `base64:…`, files their path in the package, secrets `[secret, not shown]`.
//!
//! # Example
//! ```
//! use datarights::model::{Collection, Column, ControllerId, RequestId, Right, SourceId, Value};
//! use datarights::package::{self, Cover, Limits, PackageError, PackageReport, Spool};
//! use datarights::ports::{ArtifactKey, ArtifactStore, Cancel, Item, Vault};
//!
//! async fn answer(
//!     store: &dyn ArtifactStore,
//!     vault: &dyn Vault,
//!     controller: &ControllerId,
//!     request: RequestId,
//!     now: chrono::DateTime<chrono::Utc>,
//! ) -> Result<PackageReport, PackageError> {
//!     let reading = futures::stream::iter([
//!         Ok(Item::Collection(Collection::new("users", [Column::new("name")]))),
//!         Ok(Item::Row(vec!["Ada".into()])),
//!     ]);
//!     let crm = SourceId::new("crm").map_err(|_| PackageError::Cancelled)?;
//!     let spool = Spool::new(controller, request, crm, "Customers", 1);
//!     let cancel = Cancel::default();
//!     let report =
//!         package::spool(&spool, Box::pin(reading), store, vault, &Limits::default(), &cancel).await?;
//!
//!     let cover = Cover::new("Your data", "Acme", request, Right::Access, now, "en");
//!     let target = ArtifactKey::new(controller, request, "package.zip");
//!     package::write(&target, &cover, &[(spool, report)], store, vault, &cancel).await
//! }
//! ```

mod archive;
mod contents;
mod cover;
mod csv;
mod error;
mod format;
mod frames;
mod html;
mod json;
mod manifest;
mod names;
mod record;
mod spool;
mod words;
mod write;

pub use cover::{Cover, Of, Statement};
pub use error::{Garbage, PackageError};
pub use spool::{Limits, Spool, SpoolReport, spool};
pub use words::{Words, title};
pub use write::{PackageReport, write};

/// Lets the executor turn to its other tasks once: packing is long work on the processor, and
/// this floor knows no runtime that would share it out.
async fn breathe() {
    let mut rested = false;
    futures::future::poll_fn(|context| {
        if std::mem::replace(&mut rested, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
