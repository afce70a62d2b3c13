//! Checks of errors and of cancellation.

use futures::StreamExt;

use super::super::contract::{Checked, Seen, ensure};
use super::probe::{Probe, context, whole};
use super::specimen::{Specimen, Whose};
use crate::model::{Identifier, Use};
use crate::ports::{Answer, CallContext, ErrorKind, Locator, PortError, SourcePlan, Work};

/// A locator that leads nowhere, with what an unwary source would put into a query or an error.
const STRAY: &str = "stray' locator; \"of\" the <source> suite";

/// Provokes errors of every method. Whether a call fails is not asked; how it fails is looked at
/// with all other errors by [`quiet`].
pub(super) async fn provoke(probe: &Probe<'_>) -> Checked {
    let stray = [Locator::new(STRAY)];
    let source = &probe.specimen.source;
    let corrections: Vec<_> = probe.specimen.impossible.iter().cloned().collect();
    let plan = SourcePlan::new(Vec::new());
    let person = probe.person().await?;
    for (nth, locators) in [&stray[..], &person].into_iter().enumerate() {
        let work = Work::Rectify(corrections.clone());
        let context = context(&format!("provoke-{nth}"))?;
        let note = |error: Option<PortError>| {
            if let Some(error) = error {
                probe.errors.note(&error);
            }
        };
        note(source.plan(&context, locators, &work).await.err());
        note(source.rectify(&context, locators, &corrections).await.err());
    }
    let work = Work::Erase;
    let context = context("provoke-stray")?;
    let errors = [
        source.plan(&context, &stray, &work).await.err(),
        source.residue(&context, &stray).await.err(),
        source.restrict(&context, &stray, true).await.err(),
        source.erase(&context, &stray, &plan).await.err(),
    ];
    errors.iter().flatten().for_each(|e| probe.errors.note(e));
    match source.read(&context, &stray).await {
        Ok(Answer::Done(items)) => {
            let items: Vec<_> = items.take(16).collect().await;
            for error in items.iter().filter_map(|item| item.as_ref().err()) {
                probe.errors.note(error);
            }
        }
        Ok(_) => {}
        Err(error) => probe.errors.note(&error),
    }
    Ok(())
}

/// No error has room for a value.
pub(super) fn quiet(errors: &[PortError], specimen: &Specimen) -> Checked {
    let name = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/'))
    };
    let code = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let mut values: Vec<String> = specimen
        .person
        .iter()
        .chain(&specimen.other)
        .filter_map(|identifier: &Identifier| identifier.normal().ok())
        .map(|normal| normal.expose().to_owned())
        .collect();
    values.extend(specimen.secrets.iter().map(|s| s.expose().clone()));
    let corrections = specimen.possible.iter().chain(&specimen.impossible);
    values.extend(corrections.map(|c| c.value.expose().clone()));
    // Shorter ones stand in many names by chance.
    values.retain(|value| value.len() >= 4);
    for error in errors {
        ensure!(
            code(&error.code),
            "an error of kind {:?} has a code that is not in snake case",
            error.kind
        );
        ensure!(
            error.place.as_deref().is_none_or(name),
            "the place of {} is not a name of collections and columns",
            error.code
        );
        let text = format!("{error} {error:?}").to_lowercase();
        ensure!(
            values.iter().all(|v| !text.contains(&v.to_lowercase())),
            "an error of kind {:?} holds a value",
            error.kind
        );
    }
    Ok(())
}

fn cancelled<T>(what: &str, answer: Result<Answer<T>, PortError>) -> Checked {
    match answer {
        Err(error) if error.kind == ErrorKind::Cancelled => Ok(()),
        Ok(Answer::Unsupported) => Ok(()),
        Ok(_) => Err(Seen(format!("{what} went on though it was cancelled"))),
        Err(error) => Err(Seen(format!(
            "{what} was cancelled and failed as {:?}",
            error.kind
        ))),
    }
}

fn cancelled_context(key: &str) -> Result<CallContext, Seen> {
    let context = context(key)?;
    context.cancel.cancel();
    Ok(context)
}

/// What is cancelled before it begins does nothing; a reading ends with its next item.
pub(super) async fn cancels(probe: &Probe<'_>) -> Checked {
    let source = &probe.specimen.source;
    let locators = probe.person().await?;
    let plan = probe.plan(&locators, &Work::Erase).await?;
    let wish: Vec<_> = probe.specimen.possible.iter().cloned().collect();
    let context = cancelled_context("cancelled")?;
    probe
        .unchanged(Whose::Person, "cancelled work", async {
            let person = &probe.specimen.person;
            cancelled("locate", source.locate(&context, person).await)?;
            let work = Work::Erase;
            cancelled("plan", source.plan(&context, &locators, &work).await)?;
            cancelled("read", source.read(&context, &locators).await)?;
            cancelled("residue", source.residue(&context, &locators).await)?;
            cancelled("rectify", source.rectify(&context, &locators, &wish).await)?;
            cancelled("restrict", source.restrict(&context, &locators, true).await)?;
            let uses = [Use::DirectMarketing];
            cancelled("stop", source.stop(&context, person, &uses).await)?;
            if let Some(plan) = &plan {
                cancelled("erase", source.erase(&context, &locators, plan).await)?;
            }
            Ok(())
        })
        .await?;
    let context = self::context("cancelled-later")?;
    let mut items = match probe.noted(source.read(&context, &locators).await)? {
        Answer::Pending(_) => return Ok(()), // it is not running here
        answer => whole("read", answer)?,
    };
    if items.next().await.is_some() {
        context.cancel.cancel();
        match items.next().await {
            None => {}
            Some(Err(error)) if error.kind == ErrorKind::Cancelled => {}
            Some(_) => {
                return Err(Seen("a reading went on though it was cancelled".to_owned()));
            }
        }
    }
    Ok(())
}
