//! Checks of `stop`, and of restrictions of several requests.

use super::super::contract::{Checked, Seen, ensure};
use super::probe::{Probe, context, counts};
use super::specimen::Whose;
use crate::model::{ControllerId, Identifier, Use};
use crate::ports::Work;

/// The uses that are ended, each by itself.
const USES: [Use; 4] = [
    Use::DirectMarketing,
    Use::Consent,
    Use::SaleOrSharing,
    Use::SensitiveBeyondNeeds,
];

/// What one request restricted, another cannot lift.
pub(super) async fn keeps_restrictions(probe: &Probe<'_>) -> Checked {
    let locators = probe.person().await?;
    if probe.restrict_for(1, &locators, true).await?.is_none() {
        return Ok(());
    }
    probe
        .unchanged(
            Whose::Person,
            "a second request's restriction, lifted,",
            async {
                probe.restrict_for(2, &locators, true).await?;
                probe.restrict_for(2, &locators, false).await
            },
        )
        .await?;
    Ok(())
}

/// Whether each of these is used so, as far as the oracle sees.
async fn used(
    probe: &Probe<'_>,
    by: &ControllerId,
    identifiers: &[Identifier],
    what: &Use,
) -> Vec<Option<bool>> {
    let mut used = Vec::new();
    for identifier in identifiers {
        used.push(probe.specimen.oracle.is_used(by, identifier, what).await);
    }
    used
}

/// Uses end for the person and for strangers, for nobody else and for no other controller; rows
/// stay.
pub(super) async fn stops(probe: &Probe<'_>) -> Checked {
    let (by, neighbour) = (context("")?.controller, ControllerId::new("neighbour")?);
    let accepts = probe.specimen.source.describe().accepts;
    let mut strangers = vec![
        Identifier::mail("nobody@stop.invalid")?,
        Identifier::phone("+999 000 000 001")?,
        Identifier::account("nobody-of-the-source-suite")?,
    ];
    strangers.retain(|identifier| accepts.contains(&identifier.kind()));
    let (person, other) = (&probe.specimen.person, &probe.specimen.other);
    let mut ended = Vec::new();
    for (nth, what) in USES.iter().enumerate() {
        let uses = std::slice::from_ref(what);
        let before = (
            used(probe, &by, other, what).await,
            used(probe, &neighbour, person, what).await,
        );
        let held = probe.stored().await;
        let stopped = probe.stop(&format!("stop-{nth}"), person, uses).await?;
        if stopped.is_none() {
            continue;
        }
        ended.push(what);
        ensure!(
            probe.stored().await == held,
            "the end of a use changed how many rows there are"
        );
        ensure!(
            !used(probe, &by, person, what).await.contains(&Some(true)),
            "it answered done, and the person's data is still used for {what:?}"
        );
        let after = (
            used(probe, &by, other, what).await,
            used(probe, &neighbour, person, what).await,
        );
        ensure!(
            after == before,
            "the end of {what:?} ended it for another person or another controller"
        );
        let key = format!("stop-strangers-{nth}");
        let nobody = probe.stop(&key, &strangers, uses).await?;
        ensure!(
            nobody.is_some_and(|stopped| counts(&stopped.rows).is_empty()),
            "somebody was found by identifiers that lead nowhere, or {what:?} cannot end for them"
        );
        ensure!(
            !used(probe, &by, &strangers, what)
                .await
                .contains(&Some(true)),
            "{what:?} would begin for somebody who may come and had it ended before"
        );
    }
    outlives_erasure(probe, &by, &ended).await
}

/// Whoever comes back after an erasure is not used so either.
async fn outlives_erasure(probe: &Probe<'_>, by: &ControllerId, ended: &[&Use]) -> Checked {
    let locators = probe.person().await?;
    let Some(plan) = probe.plan(&locators, &Work::Erase).await? else {
        return Ok(());
    };
    if probe.erase("erase", &locators, &plan).await?.is_none() {
        return Ok(());
    }
    for what in ended {
        let used = used(probe, by, &probe.specimen.person, what).await;
        if used.contains(&Some(true)) {
            return Err(Seen(format!("an erasure took the end of {what:?} back")));
        }
    }
    Ok(())
}
