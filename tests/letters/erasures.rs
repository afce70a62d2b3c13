//! What the answer to an erasure says of what was kept, and of the search for what is left.

use datarights::engine::Controller;
use datarights::model::{Failure, Ground, Right, RowCount, SearchDepth, Until, WithheldRows};
use datarights::workflow::fulfilment::Phase as Work;
use datarights::workflow::{Finding, Letter, StepResult};

use super::told_everything;
use super::world::{Course, World, erased};

const LEGAL: &str = "erasure_exception_legal_obligation";

fn kept(restricted: bool) -> WithheldRows {
    WithheldRows {
        collection: "invoices".to_owned(),
        rows: 2,
        ground: Ground::new(LEGAL),
        until: Until::Date("2035-12-31".parse().unwrap()),
        restricted,
    }
}

fn left(rows: u64, depth: SearchDepth) -> StepResult {
    StepResult::done(Finding::Left {
        rows: vec![RowCount::new("notes", rows)],
        depth,
    })
}

/// A course up to its answer: what was erased and kept, and what the search came to.
fn course(withheld: Vec<WithheldRows>, search: &StepResult) -> Course {
    let rests = match withheld.is_empty() {
        true => Work::Ended,
        false => Work::Withholding,
    };
    let mut course = Course::approved(World::simple(Right::Erasure));
    course.work_until(Work::Erasing);
    course.answer_source("crm", StepResult::done(erased(3, withheld)));
    // While something is left it is erased and searched for again.
    for _ in 0..9 {
        if course.work().phase == Work::Searching {
            course.answer_source("crm", search.clone());
        } else if course.work().phase == Work::Erasing {
            course.answer_source("crm", StepResult::done(erased(0, Vec::new())));
        }
    }
    course.work_until(rests);
    course
}

fn said(acme: &Controller, course: &Course, item: &str) -> String {
    let said = acme.says(course.request(), Letter::Response).unwrap();
    let said = said.into_iter().find(|said| said.item == item);
    said.and_then(|said| said.words).unwrap_or_default()
}

fn acme(language: &str) -> Controller {
    told_everything("eu_gdpr").in_language(language)
}

#[test]
fn what_is_restricted_meanwhile_is_told() {
    let cases = [
        (
            "en",
            "It is restricted: we keep it and use it for nothing else.",
        ),
        (
            "fr",
            "Son traitement est limité\u{a0}: nous le conservons et n’en faisons aucun autre usage.",
        ),
    ];
    let nothing_left = left(0, SearchDepth::ByPath);
    for (language, sentence) in cases {
        let reasons = |withheld| said(&acme(language), &course(withheld, &nothing_left), "reasons");
        let plain = reasons(vec![kept(false)]);
        assert!(plain.contains("2035"), "{plain}");
        assert!(!plain.contains(sentence), "{plain}");
        assert_eq!(reasons(vec![kept(true)]), format!("{plain} {sentence}"));

        // Line by line: what is not restricted is not said to be.
        let lines = reasons(vec![kept(true), kept(false)]);
        let lines: Vec<_> = lines.lines().map(|line| line.ends_with(sentence)).collect();
        assert_eq!(lines, [true, false]);
    }
    // Words of the host's own for what is kept do not leave it out.
    let own = acme("en").with_words("withheld.date", "{rows} kept. {ground}");
    let reasons = said(&own, &course(vec![kept(true)], &nothing_left), "reasons");
    assert!(reasons.starts_with("2 kept."), "{reasons}");
    assert!(reasons.ends_with("for nothing else."), "{reasons}");
}

#[test]
fn how_deep_was_searched_is_told() {
    let (path, value) = (SearchDepth::ByPath, SearchDepth::ByValue);
    let by_path = "After the erasure we searched again by all that leads to your data.";
    let by_value = "After the erasure we searched again by all that leads to your data, and for \
                    what identifies you wherever text is stored.";
    let done = "Your request was carried out in full.";
    let partly = "Your request was carried out in part; what was left out is named.";
    let cases = [
        (left(0, path), vec![], done, Some(by_path)),
        (left(0, value), vec![], done, Some(by_value)),
        (left(1, value), vec![], partly, Some(by_value)),
        (left(0, path), vec![kept(false)], partly, Some(by_path)),
        // No search is claimed that was not made.
        (
            StepResult::Failed(Failure::Unavailable),
            vec![],
            partly,
            None,
        ),
    ];
    for (search, withheld, outcome, searched) in cases {
        let course = course(withheld, &search);
        let words = said(&acme("en"), &course, "action_taken");
        let expected = [Some(outcome), searched];
        let expected: Vec<_> = expected.into_iter().flatten().collect();
        assert_eq!(words, expected.join(" "));
    }
    let french = said(
        &acme("fr"),
        &course(vec![], &left(0, value)),
        "action_taken",
    );
    assert_eq!(
        french,
        "Votre demande a été entièrement exécutée. Après l’effacement, nous avons de nouveau \
         recherché vos données par tout ce qui y mène, ainsi que ce qui vous identifie partout où \
         du texte est enregistré."
    );
}

/// Only an erasure is searched again.
#[test]
fn an_access_says_nothing_of_a_search_afterwards() {
    let mut course = Course::approved(World::simple(Right::Access));
    course.work_until(Work::Ended);
    let done = said(&acme("en"), &course, "action_taken");
    assert_eq!(done, "Your request was carried out in full.");
}
