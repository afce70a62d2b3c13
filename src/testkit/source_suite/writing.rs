//! Checks of `erase`, `rectify`, `restrict` and `residue`, and of `stop` called twice.

use super::super::contract::{Checked, Seen, ensure};
use super::probe::{Counts, Probe, counts, planned_counts, withheld_counts};
use super::specimen::{OracleRow, Whose};
use crate::model::Use;
use crate::ports::{Erased, Locator, SourcePlan, Stopped, Work};

/// At how many points an erasure is broken off, at most.
pub(super) const BREAKS: usize = 32;

/// Locators and plan of the person; `None` where the source does not erase.
async fn planned(probe: &Probe<'_>) -> Result<Option<(Vec<Locator>, SourcePlan)>, Seen> {
    let locators = probe.person().await?;
    let plan = probe.plan(&locators, &Work::Erase).await?;
    Ok(plan.map(|plan| (locators, plan)))
}

/// What an erasure left and answered.
#[derive(PartialEq)]
pub(super) struct End {
    rows: Vec<OracleRow>,
    erased: Counts,
    withheld: Counts,
}

async fn end(probe: &Probe<'_>, erased: &Erased) -> End {
    let mut rows = probe.specimen.oracle.rows(Whose::Person).await;
    rows.sort();
    End {
        rows,
        erased: counts(&erased.rows),
        withheld: withheld_counts(&erased.withheld),
    }
}

fn same(what: &str, end: &End, expected: &End) -> Checked {
    ensure!(
        end.rows == expected.rows,
        "{what} leaves {} rows, an undisturbed one {}",
        end.rows.len(),
        expected.rows.len()
    );
    ensure!(
        end.erased == expected.erased,
        "{what} answers that it erased {:?}, an undisturbed one {:?}",
        end.erased,
        expected.erased
    );
    ensure!(
        end.withheld == expected.withheld,
        "{what} answers that it kept {:?}, an undisturbed one {:?}",
        end.withheld,
        expected.withheld
    );
    Ok(())
}

/// Once, and again with the same key. What is left is what other checks compare with; `None`
/// where the source does not erase.
pub(super) async fn erases_again(probe: &Probe<'_>) -> Result<Option<End>, Seen> {
    let Some((locators, plan)) = planned(probe).await? else {
        return Ok(None);
    };
    let Some(first) = probe.erase("erase", &locators, &plan).await? else {
        return Ok(None);
    };
    let expected = end(probe, &first).await;
    let Some(second) = probe.erase("erase", &locators, &plan).await? else {
        return Err(Seen(
            "a second erasure is unsupported, the first was not".to_owned(),
        ));
    };
    same("a second erasure", &end(probe, &second).await, &expected)?;
    Ok(Some(expected))
}

/// Twice at the same time.
pub(super) async fn erases_at_once(probe: &Probe<'_>, expected: &End) -> Checked {
    let Some((locators, plan)) = planned(probe).await? else {
        return Ok(());
    };
    let (one, two) = futures::join!(
        probe.erase("erase", &locators, &plan),
        probe.erase("erase", &locators, &plan)
    );
    for erased in [one?, two?].into_iter().flatten() {
        same(
            "one of two erasures at the same time",
            &end(probe, &erased).await,
            expected,
        )?;
    }
    Ok(())
}

/// Broken off after so many polls, and again. Answers whether it was broken off at all.
pub(super) async fn erases_after_a_break(
    probe: &Probe<'_>,
    polls: usize,
    expected: &End,
) -> Result<bool, Seen> {
    let Some((locators, plan)) = planned(probe).await? else {
        return Ok(false);
    };
    if probe.erase_some("erase", &locators, &plan, polls).await? {
        return Ok(false);
    }
    if let Some(erased) = probe.erase("erase", &locators, &plan).await? {
        let what = format!("an erasure that broke off at its step {polls} and was called again");
        same(&what, &end(probe, &erased).await, expected)?;
    }
    Ok(true)
}

/// The other writes, each twice with the same key.
pub(super) async fn changes_again(probe: &Probe<'_>) -> Checked {
    let locators = probe.person().await?;
    if let Some(possible) = &probe.specimen.possible {
        let wish = std::slice::from_ref(possible);
        let first = probe.rectify("rectify", &locators, wish).await?;
        let second = probe
            .unchanged(Whose::Person, "a second rectification", async {
                probe.rectify("rectify", &locators, wish).await
            })
            .await?;
        ensure!(
            first == second,
            "a second rectification answers {second:?}, the first {first:?}"
        );
    }
    let first = probe.restrict("restrict", &locators, true).await?;
    let second = probe
        .unchanged(Whose::Person, "a second restriction", async {
            probe.restrict("restrict", &locators, true).await
        })
        .await?;
    ensure!(
        first == second,
        "a second restriction answers {second:?}, the first {first:?}"
    );
    let (person, uses) = (&probe.specimen.person, [Use::DirectMarketing]);
    let first = probe.stop("stop", person, &uses).await?;
    let second = probe
        .unchanged(Whose::Person, "a second end of a use", async {
            probe.stop("stop", person, &uses).await
        })
        .await?;
    let rows = |stopped: &Option<Stopped>| stopped.as_ref().map(|stopped| counts(&stopped.rows));
    ensure!(
        rows(&first) == rows(&second),
        "a second end of a use answers {:?}, the first {:?}",
        rows(&second),
        rows(&first)
    );
    Ok(())
}

/// What is answered is what was planned and what is stored.
pub(super) async fn erases(probe: &Probe<'_>) -> Checked {
    let Some((locators, plan)) = planned(probe).await? else {
        return Ok(());
    };
    let before = probe.stored().await;
    let Some(erased) = probe.erase("erase", &locators, &plan).await? else {
        return Ok(());
    };
    let (gone, kept) = (counts(&erased.rows), withheld_counts(&erased.withheld));
    let stored = probe.stored().await;
    ensure!(
        stored == kept,
        "it is done and names {kept:?} as kept, and {stored:?} is stored"
    );
    for collection in &probe.specimen.withheld {
        ensure!(
            kept.contains_key(collection),
            "rows of {collection} must be kept, and none is"
        );
    }
    let planned = planned_counts(&plan);
    ensure!(
        gone == planned,
        "it says that it erased {gone:?}; planned was {planned:?}"
    );
    for (collection, rows) in before {
        let told = gone.get(&collection).unwrap_or(&0) + kept.get(&collection).unwrap_or(&0);
        ensure!(
            told == rows,
            "of {rows} rows of {collection}, {told} are told to be erased or kept"
        );
    }
    let best = probe.specimen.source.describe().assurance;
    ensure!(
        erased.assurance <= best,
        "it claims {:?} and describes {best:?} as its best",
        erased.assurance
    );
    Ok(())
}

/// As long as rows are left, the person can be found. Answers whether it was broken off at all.
pub(super) async fn identifies_last(probe: &Probe<'_>, polls: usize) -> Result<bool, Seen> {
    let Some((locators, plan)) = planned(probe).await? else {
        return Ok(false);
    };
    if probe.erase_some("erase", &locators, &plan, polls).await? {
        return Ok(false);
    }
    // Asked in this order: what was on its way to the database when the call broke off may arrive at
    // any time, and takes the way to the person last. What is left after that is lost.
    let found = probe.locate(&probe.specimen.person).await?;
    if found.locators.is_empty() {
        let left = probe.stored_freely().await;
        ensure!(
            left.is_empty(),
            "after an erasure broke off at its step {polls}, the person cannot be found any more \
             and {left:?} are left"
        );
    }
    Ok(true)
}

/// Before, after a part, and after all.
pub(super) async fn tells_residue(probe: &Probe<'_>) -> Checked {
    let Some((locators, plan)) = planned(probe).await? else {
        return Ok(());
    };
    let stored = probe.stored_freely().await;
    let Some(mut told) = probe.residue(&locators).await? else {
        return Err(Seen("it erases and cannot say what is left".to_owned()));
    };
    told.retain(|collection, _| !probe.specimen.withheld.contains(collection));
    ensure!(
        told == stored,
        "before an erasure, it tells {told:?}, and {stored:?} is stored"
    );
    if probe.erase("erase", &locators, &plan).await?.is_none() {
        return Ok(());
    }
    let told = probe.residue(&locators).await?.unwrap_or_default();
    let stored = probe.stored_freely().await;
    ensure!(
        told == stored,
        "after an erasure, it tells {told:?}, and {stored:?} is stored"
    );
    Ok(())
}

/// Nothing that is done about one person changes anybody else.
pub(super) async fn leaves_others(probe: &Probe<'_>) -> Checked {
    let locators = probe.person().await?;
    let other = probe.locate(&probe.specimen.other).await?.locators;
    ensure!(
        !other.is_empty(),
        "the other person was not found by their identifiers"
    );
    ensure!(
        other.iter().all(|locator| !locators.contains(locator)),
        "the two people share a locator"
    );
    if let Some(possible) = &probe.specimen.possible {
        probe
            .unchanged(Whose::Others, "a rectification", async {
                let wish = std::slice::from_ref(possible);
                probe.rectify("rectify", &locators, wish).await
            })
            .await?;
    }
    for restricted in [true, false] {
        probe
            .unchanged(Whose::Others, "a restriction", async {
                let key = format!("restrict-{restricted}");
                probe.restrict(&key, &locators, restricted).await
            })
            .await?;
    }
    probe
        .unchanged(Whose::Others, "the end of a use", async {
            let person = &probe.specimen.person;
            probe.stop("stop", person, &[Use::DirectMarketing]).await
        })
        .await?;
    let left = probe.residue(&other).await?;
    if let Some(plan) = probe.plan(&locators, &Work::Erase).await? {
        probe
            .unchanged(Whose::Others, "an erasure", async {
                probe.erase("erase", &locators, &plan).await
            })
            .await?;
    }
    let found = probe.locate(&probe.specimen.other).await?.locators;
    ensure!(
        found == other,
        "after an erasure, the other person is found differently"
    );
    ensure!(
        probe.residue(&other).await? == left,
        "after an erasure, less is told of the other person"
    );
    Ok(())
}
