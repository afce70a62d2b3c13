//! The same letters in French, under French law: what a person reads is in one language.

use datarights::model::{Ground, RequestId, Right, Wish};
use datarights::workflow::lifecycle;

use super::common::{World, record};
use super::{extend, give, letters, refuse};

/// Under French law, with a record of processing in French.
fn acme() -> World {
    let mut world = World::keeping_invoices("erasure_exception_legal_obligation");
    let mut record = record();
    record.purposes = vec!["l’assistance".to_owned()];
    record.categories = vec!["les coordonnées".to_owned(), "les tickets".to_owned()];
    record.recipients = vec!["Mailer Ltd, qui envoie notre courrier".to_owned()];
    record.period = "un an après la fin du contrat".to_owned();
    "fr_overlay".clone_into(&mut world.controller.regime);
    world.controller = world
        .controller
        .clone()
        .in_language("fr-FR")
        .with_record(record)
        .with_words("authority", "la CNIL");
    world
}

/// What an item says in the last letter of a kind.
fn says(world: &World, request: RequestId, kind: &str, item: &str) -> String {
    let letters = letters(world, request);
    let letter = letters.iter().rfind(|letter| letter.kind == kind).unwrap();
    assert!(letter.law.starts_with("RGPD, loi 78-17"), "{}", letter.law);
    letter
        .says(item)
        .unwrap_or_else(|| panic!("no {item}"))
        .to_owned()
}

#[test]
fn an_erasure_is_answered_in_french() {
    let world = acme();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.work(&engine);
    assert_eq!(
        says(&world, request, "acknowledgement", "receipt"),
        format!("Nous avons reçu votre demande le 2 mars 2026. Elle porte le numéro {request}.")
    );
    give(&world, &engine, request, extend("complexity"));
    let law =
        "RGPD, loi 78-17 Informatique et Libertés, décret 2019-536, code de la santé publique";
    assert_eq!(
        says(&world, request, "extension", "extension"),
        "Notre réponse demande plus de temps. Vous la recevrez au plus tard le 2 juin 2026."
    );
    assert_eq!(
        says(&world, request, "extension", "reasons"),
        format!("Votre demande est complexe. (12(3), {law})")
    );
    give(
        &world,
        &engine,
        request,
        lifecycle::Command::ConfirmIdentity,
    );
    give(&world, &engine, request, lifecycle::Command::Approve);
    world.approve_plan(&engine, request);
    world.work(&engine);
    assert_eq!(
        says(&world, request, "response", "reasons"),
        format!(
            "Help desk, invoices (1)\u{a0}: conservé jusqu’au 31 décembre 2035. La loi nous oblige \
             à conserver ces données, ou elles sont nécessaires à une mission d’intérêt public. \
             (17(3)(b), {law})"
        )
    );
    assert_eq!(
        says(&world, request, "response", "complaint"),
        "Vous pouvez saisir d’une réclamation la CNIL."
    );
    assert_eq!(
        says(&world, request, "response", "recipients"),
        "Ont été informés\u{a0}: Mailer Ltd."
    );
}

#[test]
fn a_fee_and_a_refusal_are_told_in_french() {
    let world = acme();
    let engine = world.engine();
    let request = world.submit(&engine, Wish::of(Right::Access));
    give(
        &world,
        &engine,
        request,
        lifecycle::Command::ConfirmIdentity,
    );
    let charge = lifecycle::Command::ChargeFee {
        minor_units: 1250,
        currency: "EUR".to_owned(),
        ground: Some(Ground::new("excessive_repetitive")),
    };
    give(&world, &engine, request, charge);
    assert_eq!(
        says(&world, request, "fee_request", "amount"),
        "Les frais s’élèvent à 12,50 EUR."
    );
    give(&world, &engine, request, refuse("not_identifiable"));
    let reasons = says(&world, request, "refusal", "reasons");
    assert!(
        reasons.starts_with("Nous ne pouvons pas vous identifier"),
        "{reasons}"
    );
}

/// Item by item, in every letter of both courses, nothing of ours is left in English.
#[test]
fn no_letter_mixes_two_languages() {
    let mut said = Vec::new();
    for language in ["en", "fr"] {
        let mut world = acme();
        language.clone_into(&mut world.controller.language);
        let engine = world.engine();
        let request = world.submit(&engine, Wish::of(Right::Access));
        world.work(&engine);
        give(
            &world,
            &engine,
            request,
            lifecycle::Command::RequestIdentity,
        );
        give(
            &world,
            &engine,
            request,
            lifecycle::Command::ConfirmIdentity,
        );
        give(&world, &engine, request, lifecycle::Command::Approve);
        world.work(&engine);
        let contents = letters(&world, request)
            .into_iter()
            .flat_map(|letter| letter.contents);
        said.push(contents.collect::<Vec<_>>());
    }
    let (english, french) = (&said[0], &said[1]);
    assert!(english.len() > 12, "{english:?}");
    let recorded = ["purposes", "categories", "recipients", "period"];
    for (one, other) in english.iter().zip(french) {
        assert_eq!(one.item, other.item);
        let same = one.words.is_none() || recorded.contains(&one.item.as_str());
        assert_eq!(one.words == other.words, same, "{other:?}");
    }
    assert_eq!(english.len(), french.len());
}
