//! Checks of `locate` and `plan`.

use chrono::{DateTime, NaiveDate, TimeDelta};

use super::super::contract::{Checked, Seen, ensure};
use super::probe::{Probe, withheld_counts};
use super::specimen::Whose;
use crate::model::{Correction, Identifier, IdentifierKind, Personal, Window};
use crate::ports::{ErrorKind, Located, Locator, MAX_LOCATORS, PlannedRows, Work};

/// `locate` writes nothing, and its locators are of a useful number.
pub(super) async fn finds(probe: &Probe<'_>) -> Checked {
    ensure!(
        !probe.stored().await.is_empty(),
        "the specimen's person has no rows"
    );
    let located = probe
        .unchanged(
            Whose::Person,
            "locate",
            probe.unchanged(Whose::Others, "locate", async {
                probe.locate(&probe.specimen.person).await
            }),
        )
        .await?;
    ensure!(
        !located.locators.is_empty(),
        "the person was not found by their identifiers"
    );
    ensure!(
        located.locators.len() <= MAX_LOCATORS,
        "there are {} locators; {MAX_LOCATORS} are accepted",
        located.locators.len()
    );
    Ok(())
}

/// The collections that can be lost, each to be tried on a specimen of its own.
pub(super) async fn collections(probe: &Probe<'_>) -> Vec<String> {
    probe.stored().await.into_keys().collect()
}

/// The locators still lead to everything after the rows of one collection are gone.
pub(super) async fn finds_again(probe: &Probe<'_>, lost: &str) -> Checked {
    let locators = probe.person().await?;
    let Some(plan) = probe.plan(&locators, &Work::Erase).await? else {
        return Ok(());
    };
    if !probe.specimen.oracle.lose(lost).await {
        return Ok(());
    }
    if let Some(left) = probe.residue(&locators).await? {
        let stored = probe.stored_freely().await;
        for (collection, rows) in stored {
            ensure!(
                left.get(&collection) == Some(&rows),
                "after the rows of {lost} were lost, those of {collection} are not found again"
            );
        }
    }
    probe.erase("lost", &locators, &plan).await?;
    let left = probe.stored_freely().await;
    ensure!(
        left.is_empty(),
        "after the rows of {lost} were lost, an erasure left {left:?}"
    );
    Ok(())
}

/// Identifiers that lead nowhere, of every kind, malformed ones too.
fn strangers(accepts: &[IdentifierKind]) -> Result<Vec<Identifier>, Seen> {
    let window = Window {
        start: DateTime::UNIX_EPOCH,
        end: DateTime::UNIX_EPOCH + TimeDelta::seconds(1),
    };
    let nobody = "nobody-of-the-source-suite";
    let mut strangers = vec![
        Identifier::mail(format!("{nobody}@example.invalid"))?,
        Identifier::phone("+999 000 000 000 000")?,
        Identifier::account(nobody)?,
        Identifier::device(nobody)?,
        Identifier::custom(nobody, nobody)?,
        Identifier::ip_during([203, 0, 113, 254].into(), window),
        Identifier::PhoneDuring {
            number: Personal::new("+999000000000000".to_owned()),
            window,
        },
        Identifier::NameAndBirth {
            name: Personal::new(nobody.to_owned()),
            birth: Personal::new(NaiveDate::MIN),
        },
        Identifier::Mail(Personal::new("not an address".to_owned())),
        Identifier::Phone(Personal::new("not a number".to_owned())),
        Identifier::Account(Personal::new(String::new())),
    ];
    for kind in accepts {
        if let IdentifierKind::Custom(kind) = kind {
            strangers.push(Identifier::custom(kind.clone(), nobody)?);
        }
    }
    Ok(strangers)
}

/// The same identifier as somebody else would write it.
fn rewritten(identifier: &Identifier) -> Option<Identifier> {
    let blanks = |text: &str| Personal::new(format!(" {text} "));
    Some(match identifier {
        Identifier::Mail(mail) => Identifier::Mail(blanks(&mail.expose().to_uppercase())),
        Identifier::Phone(number) => {
            let spread: Vec<String> = number.expose().chars().map(String::from).collect();
            let spread = spread
                .join(" ")
                .replacen("+ ", "+", 1)
                .replacen("0 0", "00", 1);
            Identifier::Phone(Personal::new(spread))
        }
        Identifier::Account(key) => Identifier::Account(blanks(key.expose())),
        Identifier::Device(id) => Identifier::Device(blanks(id.expose())),
        Identifier::Custom { kind, value } => Identifier::Custom {
            kind: kind.clone(),
            value: blanks(value.expose()),
        },
        _ => return None,
    })
}

pub(super) async fn finds_quietly(probe: &Probe<'_>) -> Checked {
    let nothing = |located: &Located, what: &str| {
        ensure!(
            located.locators.is_empty() && located.identifiers.is_empty(),
            "{what} led to somebody"
        );
        Ok(())
    };
    nothing(&probe.locate(&[]).await?, "no identifier")?;
    let accepts = probe.specimen.source.describe().accepts;
    let strangers = strangers(&accepts)?;
    for stranger in &strangers {
        let located = probe.locate(std::slice::from_ref(stranger)).await?;
        nothing(&located, &format!("an unknown {:?}", stranger.kind()))?;
    }
    let sorted = |mut locators: Vec<Locator>| {
        locators.sort();
        locators
    };
    let known = sorted(probe.person().await?);
    let mixed = [&strangers[..], &probe.specimen.person].concat();
    ensure!(
        sorted(probe.locate(&mixed).await?.locators) == known,
        "unknown identifiers beside the known ones changed what was found"
    );
    let rewritten: Vec<Identifier> = probe
        .specimen
        .person
        .iter()
        .map(|identifier| match rewritten(identifier) {
            Some(other) if other.normal() == identifier.normal() => other,
            _ => identifier.clone(),
        })
        .collect();
    ensure!(
        sorted(probe.locate(&rewritten).await?.locators) == known,
        "identifiers of the same normal form found something else"
    );
    Ok(())
}

/// `plan` writes nothing, repeats, and names what is kept.
pub(super) async fn plans(probe: &Probe<'_>) -> Checked {
    let locators = probe.person().await?;
    let plan = probe
        .unchanged(
            Whose::Person,
            "plan",
            probe.unchanged(Whose::Others, "plan", async {
                let plan = probe.plan(&locators, &Work::Erase).await?;
                if let Some(correction) = &probe.specimen.possible {
                    let work = Work::Rectify(vec![correction.clone()]);
                    probe.plan(&locators, &work).await?;
                }
                Ok(plan)
            }),
        )
        .await?;
    if let Some(plan) = plan {
        let again = probe.plan(&locators, &Work::Erase).await?;
        ensure!(
            Some(plan.digest) == again.map(|plan| plan.digest),
            "two plans of the same rows have two digests"
        );
        let kept: Vec<_> = plan.rows.iter().filter_map(PlannedRows::withheld).collect();
        let kept = withheld_counts(&kept);
        for collection in &probe.specimen.withheld {
            ensure!(
                kept.contains_key(collection),
                "the plan does not say that rows of {collection} are kept"
            );
        }
    }
    refuses_the_impossible(probe, &locators).await
}

async fn refuses_the_impossible(probe: &Probe<'_>, locators: &[Locator]) -> Checked {
    let Some(impossible) = &probe.specimen.impossible else {
        return Ok(());
    };
    let work = Work::Rectify(vec![impossible.clone()]);
    let context = super::probe::context("impossible")?;
    let answer = probe.specimen.source.plan(&context, locators, &work).await;
    match answer {
        Ok(crate::ports::Answer::Unsupported) => Ok(()),
        Ok(_) => Err(Seen(
            "a correction that cannot be made was planned".to_owned(),
        )),
        Err(error) => {
            probe.errors.note(&error);
            ensure!(
                error.kind == ErrorKind::Refused,
                "a correction that cannot be made was {:?}, not refused",
                error.kind
            );
            Ok(())
        }
    }
}

/// A rectification can be verified, and leaves other sources' business alone.
pub(super) async fn corrects(probe: &Probe<'_>) -> Checked {
    let locators = probe.person().await?;
    let foreign = Correction {
        collection: "no_collection_of_this_source".to_owned(),
        field: "field".to_owned(),
        value: Personal::new("value".to_owned()),
    };
    let work = Work::Rectify(vec![foreign.clone()]);
    if let Some(plan) = probe.plan(&locators, &work).await? {
        ensure!(
            plan.rows.is_empty() && plan.current.is_empty(),
            "a correction of another source's collection was planned"
        );
    }
    probe
        .unchanged(
            Whose::Person,
            "a correction of another source's collection",
            async {
                probe
                    .rectify("foreign", &locators, std::slice::from_ref(&foreign))
                    .await
            },
        )
        .await?;
    let Some(possible) = &probe.specimen.possible else {
        return Ok(());
    };
    let work = Work::Rectify(vec![possible.clone()]);
    let Some(before) = probe.plan(&locators, &work).await? else {
        return Ok(());
    };
    ensure!(
        before.current.len() == 1,
        "the plan of one correction gives {} current values",
        before.current.len()
    );
    ensure!(
        before.current.first() != Some(possible),
        "the specimen's correction changes nothing, or its plan hides the value that is there"
    );
    let changed = probe
        .rectify("correct", &locators, std::slice::from_ref(possible))
        .await?;
    ensure!(
        changed.is_some_and(|rows| rows.contains_key(&possible.collection)),
        "no row of the corrected collection was counted"
    );
    let after = probe.plan(&locators, &work).await?;
    ensure!(
        after.is_some_and(|plan| plan.current.first() == Some(possible)),
        "after the correction, the plan does not give the wish as the current value"
    );
    Ok(())
}
