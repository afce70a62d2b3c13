//! Checks of `stop`, and of restrictions of several requests.

use super::super::contract::{Checked, ensure};
use super::probe::{Probe, counts};
use super::specimen::Whose;
use crate::model::{Identifier, Use};

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

/// Uses end for the person and for a stranger, and for nobody else; rows stay.
pub(super) async fn stops(probe: &Probe<'_>) -> Checked {
    let oracle = &probe.specimen.oracle;
    let accepts = probe.specimen.source.describe().accepts;
    let mut strangers = vec![
        Identifier::mail("nobody@stop.invalid")?,
        Identifier::phone("+999 000 000 001")?,
        Identifier::account("nobody-of-the-source-suite")?,
    ];
    strangers.retain(|identifier| accepts.contains(&identifier.kind()));
    for (nth, what) in USES.iter().enumerate() {
        let uses = std::slice::from_ref(what);
        let person = &probe.specimen.person;
        let mut before = Vec::new();
        for other in &probe.specimen.other {
            before.push(oracle.is_used(other, what).await);
        }
        let held = probe.stored().await;
        let stopped = probe.stop(&format!("stop-{nth}"), person, uses).await?;
        ensure!(
            probe.stored().await == held,
            "the end of a use changed how many rows there are"
        );
        if stopped.is_none() {
            continue;
        }
        for identifier in person {
            ensure!(
                oracle.is_used(identifier, what).await != Some(true),
                "it answered done, and the person's data is still used for {what:?}"
            );
        }
        for (other, before) in probe.specimen.other.iter().zip(before) {
            ensure!(
                oracle.is_used(other, what).await == before,
                "the end of {what:?} for one person ended it for another"
            );
        }
        let nobody = probe
            .stop(&format!("stop-nobody-{nth}"), &strangers, uses)
            .await?;
        ensure!(
            nobody.is_some_and(|stopped| counts(&stopped.rows).is_empty()),
            "somebody was found by identifiers that lead nowhere, or {what:?} cannot end for them"
        );
        for identifier in &strangers {
            ensure!(
                oracle.is_used(identifier, what).await != Some(true),
                "{what:?} would begin for somebody who may come and had it ended before"
            );
        }
    }
    Ok(())
}
