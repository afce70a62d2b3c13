//! Checks a source, line by line, against the contract of
//! [`PersonalDataSource`](crate::ports::PersonalDataSource).
//!
//! You provide a function that makes a fresh [`Specimen`]: your source with two known people in
//! it, and an [`Oracle`] that looks at the rows past the source. Each check gets a specimen of
//! its own. `docs/write-a-source.md` shows one for a small source.
//!
//! Not checked: that memory does not grow with the size of the data.

mod finding;
mod manners;
mod probe;
mod reading;
mod specimen;
mod stopping;
mod writing;

use super::contract::{Checked, Report, Violations, lines};
use probe::{Errors, Probe};
pub use specimen::{Oracle, OracleRow, Specimen, Whose};

lines! {
    /// The lines of the contract of [`PersonalDataSource`](crate::ports::PersonalDataSource).
    SourceLine {
        FindsFirst = "everything is found by `locate` before anything is written; what it returns suffices to find the rows again after any part of them is gone",
        FindsQuietly = "`locate` finds nothing without an error, searches in the normal form, and never fails because of an identifier that leads nowhere",
        PlansOnly = "`plan` writes nothing, and finds what will not work",
        Corrects = "a correction of another source's collection changes nothing; of a corrected field, `plan` gives the wish as the current value",
        Reads = "`read` hands over each collection in one piece, whole, rows with as many cells as columns",
        KeepsSecrets = "`read` does not show secrets",
        Idempotent = "`erase`, `rectify`, `restrict` and `stop` are idempotent by key: a second call leaves what one call leaves and answers for the whole",
        KeepsRestrictions = "a restriction belongs to the request that set it: lifting one leaves those of other requests",
        Stops = "`stop` is in effect when it answers *done*, for those who are there and for those who may come; it holds for the controller of the call alone, outlives an erasure, and finds nobody without an error",
        Erases = "`erase` answers *done* only if all is gone or named as withheld",
        IdentifiesLast = "`erase` removes last what identifies the person",
        TellsResidue = "`residue` counts what is still there and not withheld",
        LeavesOthers = "nothing of anybody else changes",
        QuietErrors = "errors carry codes and names of columns, never a value",
        Cancels = "a call that begins cancelled changes nothing and is *cancelled*; a reading ends with its next item",
    }
}

/// Checks a source; `fresh` makes a new specimen for every check.
///
/// # Errors
/// The lines that it breaks.
pub async fn check(fresh: impl AsyncFn() -> Specimen) -> Result<(), Violations<SourceLine>> {
    let errors = Errors::default();
    let probe = async || Probe {
        specimen: fresh().await,
        errors: &errors,
    };
    let mut report = Report::new();
    macro_rules! check {
        ($line:ident, $check:path) => {
            report
                .run(SourceLine::$line, async { $check(&probe().await).await })
                .await
        };
    }
    check!(FindsFirst, finding::finds);
    report
        .run(SourceLine::FindsFirst, async {
            for lost in finding::collections(&probe().await).await {
                finding::finds_again(&probe().await, &lost).await?;
            }
            Ok(())
        })
        .await;
    check!(FindsQuietly, finding::finds_quietly);
    check!(PlansOnly, finding::plans);
    check!(Corrects, finding::corrects);
    check!(Reads, reading::reads);
    check!(KeepsSecrets, reading::keeps_secrets);
    report
        .run(SourceLine::Idempotent, erases_once(&probe))
        .await;
    check!(Idempotent, writing::changes_again);
    check!(KeepsRestrictions, stopping::keeps_restrictions);
    check!(Stops, stopping::stops);
    check!(Erases, writing::erases);
    report
        .run(SourceLine::IdentifiesLast, async {
            for polls in 1..=writing::BREAKS {
                if !writing::identifies_last(&probe().await, polls).await? {
                    break;
                }
            }
            Ok(())
        })
        .await;
    check!(TellsResidue, writing::tells_residue);
    check!(LeavesOthers, writing::leaves_others);
    check!(QuietErrors, manners::provoke);
    report
        .run(SourceLine::QuietErrors, async {
            manners::quiet(&errors.all(), &fresh().await)
        })
        .await;
    check!(Cancels, manners::cancels);
    report.end()
}

/// However often an erasure is called, and wherever it broke off, it has been done once.
async fn erases_once<'a>(probe: &impl AsyncFn() -> Probe<'a>) -> Checked {
    let Some(expected) = writing::erases_again(&probe().await).await? else {
        return Ok(());
    };
    writing::erases_at_once(&probe().await, &expected).await?;
    for polls in 1..=writing::BREAKS {
        if !writing::erases_after_a_break(&probe().await, polls, &expected).await? {
            break;
        }
    }
    Ok(())
}

/// Like [`check`], and panics with the broken lines.
///
/// # Panics
/// When a line is broken.
#[allow(clippy::panic, reason = "an assertion for tests")]
pub async fn assert_conforms(fresh: impl AsyncFn() -> Specimen) {
    if let Err(violations) = check(fresh).await {
        panic!("{violations}");
    }
}
