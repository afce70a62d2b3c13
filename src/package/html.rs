//! `index.html`: the page a person opens first. It loads nothing, runs nothing, and shows counts
//! and first rows only, so that it opens whatever there is.
//!
//! `maud` escapes every text and attribute. Links are made of percent-encoded names of the
//! archive, never of what a source says. The policy in the head (CSP Level 3) forbids everything
//! but this one style sheet, known by its hash.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::model::{Digest, MissingRows, SourceId};

use super::contents::{CollectionPart, Contents, Shown, SourcePart};
use super::cover::{Cover, Of};
use super::names::href;
use super::words::{Words, fill};

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(super) fn page(cover: &Cover, contents: &Contents) -> String {
    let words = &cover.words;
    let page = html! {
        (DOCTYPE)
        html lang=(cover.language) dir=(direction(&cover.language)) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (cover.title) " – " (cover.controller) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { (words.skip) }
                (header(cover))
                main #content tabindex="-1" {
                    (summary(words, contents))
                    (missing(words, &cover.missing, &contents.sources))
                    (withheld(words, contents))
                    @for statement in &cover.statements {
                        section {
                            h2 { (statement.title) }
                            @for paragraph in &statement.paragraphs { p { (paragraph) } }
                        }
                    }
                    (index(words, &contents.sources))
                    @for (number, source) in contents.sources.iter().enumerate() {
                        (section(words, number, source))
                    }
                }
                (footer(words))
            }
        }
    };
    page.into_string()
}

/// In which direction a language (BCP 47) is written.
fn direction(language: &str) -> &'static str {
    match language.split(['-', '_']).next().unwrap_or_default() {
        "ar" | "dv" | "fa" | "he" | "ps" | "sd" | "ug" | "ur" | "yi" => "rtl",
        _ => "ltr",
    }
}

/// Nothing may be loaded or run; the one style sheet is allowed by its hash.
fn policy() -> String {
    let hash = BASE64_STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

fn header(cover: &Cover) -> Markup {
    let words = &cover.words;
    html! {
        header {
            p.from { (cover.controller) }
            h1 { (cover.title) }
            p.lead { (words.intro) }
            dl.about {
                div { dt { (words.right) } dd { (words.right(&cover.right)) } }
                div {
                    dt { (words.created) }
                    dd {
                        time datetime=(cover.created_at.to_rfc3339()) {
                            (words.instant(cover.created_at))
                        }
                    }
                }
                div { dt { (words.request) } dd { (cover.request) } }
            }
        }
    }
}

fn summary(words: &Words, contents: &Contents) -> Markup {
    let bytes = contents
        .sources
        .iter()
        .map(|source| source.file_bytes)
        .sum();
    let nothing = contents.rows() == 0 && contents.files() == 0;
    html! {
        section aria-labelledby="summary" {
            h2 #summary { (words.summary) }
            @if nothing && contents.withheld.is_empty() {
                p.lead { (words.nothing_found) }
            }
            dl.figures {
                (figure(&words.sources, words.number(contents.sources.len() as u64), None))
                (figure(&words.collections, words.number(contents.collections()), None))
                (figure(&words.rows, words.number(contents.rows()), None))
                (figure(&words.files, words.number(contents.files()),
                    (contents.files() > 0).then(|| words.size(bytes))))
            }
        }
    }
}

fn figure(name: &str, value: String, note: Option<String>) -> Markup {
    html! {
        div {
            dt { (name) }
            dd { (value) @if let Some(note) = note { " " small { (note) } } }
        }
    }
}

fn missing(words: &Words, lines: &[Of<MissingRows>], sources: &[SourcePart]) -> Markup {
    html! {
        @if !lines.is_empty() {
            section.warning aria-labelledby="missing" {
                h2 #missing { (words.missing) }
                p { (words.missing_intro) }
                (lines_table("missing", words, &words.missing, &words.reason, &html! {
                    @for line in lines { tr {
                        (what(words, sources, &line.source, &line.title, line.rows.collection.as_deref()))
                        td.number { (rows(words, line.rows.rows)) }
                        td { (words.failure(&line.rows.failure)) }
                    } }
                }))
            }
        }
    }
}

fn withheld(words: &Words, contents: &Contents) -> Markup {
    let lines = &contents.withheld;
    html! {
        @if !lines.is_empty() {
            section aria-labelledby="withheld" {
                h2 #withheld { (words.withheld) }
                p { (words.withheld_intro) }
                (lines_table("withheld", words, &words.withheld, &words.reason_until, &html! {
                    @for line in lines { tr {
                        (what(words, &contents.sources, &line.source, &line.title, Some(&line.rows.collection)))
                        td.number { (words.number(line.rows.rows)) }
                        td {
                            (words.ground(&line.rows.ground)) " "
                            span.until { (words.until(line.rows.until)) }
                            @if line.rows.restricted { " " (words.restricted) }
                        }
                    } }
                }))
            }
        }
    }
}

/// A table of what is not in the package: what, how many rows, and why. Narrow enough for a phone.
fn lines_table(label: &str, words: &Words, caption: &str, why: &str, lines: &Markup) -> Markup {
    scroll(
        label,
        &html! {
            table.narrow {
                caption.hidden { (caption) }
                thead { tr {
                    th scope="col" { (words.collection) }
                    th.number scope="col" { (words.rows) }
                    th scope="col" { (why) }
                } }
                tbody { (lines) }
            }
        },
    )
}

/// The heading of a line: a collection, by its title where the package has it, and its source.
fn what(
    words: &Words,
    sources: &[SourcePart],
    source: &SourceId,
    title: &str,
    collection: Option<&str>,
) -> Markup {
    let parts = sources.iter().filter(|part| part.source == *source);
    let part = parts
        .flat_map(|part| &part.collections)
        .find(|part| Some(part.name.as_str()) == collection);
    let name = part.map(|part| part.title.as_str()).or(collection);
    html! {
        th scope="row" {
            bdi { (name.unwrap_or(&words.everything)) }
            span.hidden { ", " }
            span.place { (title) }
        }
    }
}

/// The list of all collections, with links to their sections and to their data.
fn index(words: &Words, sources: &[SourcePart]) -> Markup {
    html! {
        @if sources.iter().any(|source| !source.collections.is_empty()) {
            nav aria-labelledby="contents" {
                h2 #contents { (words.contents) }
                (scroll("contents", &html! {
                    table {
                        caption.hidden { (words.contents_caption) }
                        thead { tr {
                            th scope="col" { (words.collection) }
                            th.number scope="col" { (words.rows) }
                            th scope="col" { (words.open) }
                        } }
                        @for (number, source) in sources.iter().enumerate() {
                            tbody {
                                tr.group { th colspan="3" scope="rowgroup" { (source.title) } }
                                @for (part, collection) in source.collections.iter().enumerate() {
                                    tr {
                                        th scope="row" {
                                            a href={ "#c" (number) "-" (part) } { (collection.title) }
                                        }
                                        td.number { (words.number(collection.rows)) }
                                        td { (formats(collection)) }
                                    }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }
}

fn section(words: &Words, number: usize, source: &SourcePart) -> Markup {
    html! {
        section aria-labelledby={ "s" (number) } {
            h2 #{ "s" (number) } { (source.title) }
            @if source.collections.is_empty() { p.soft { (words.no_rows) } }
            @for (part, collection) in source.collections.iter().enumerate() {
                (preview(words, &format!("c{number}-{part}"), collection))
            }
        }
    }
}

/// A collection: what it is, its first rows, and where the rest is.
fn preview(words: &Words, id: &str, part: &CollectionPart) -> Markup {
    let preview = &part.preview;
    let (shown, all) = (preview.rows.len() as u64, part.rows);
    let caption = if shown == all {
        &words.all_rows
    } else {
        &words.first_rows
    };
    let caption = fill(
        caption,
        &[
            ("title", &part.title),
            ("shown", &words.number(shown)),
            ("rows", &words.number(all)),
        ],
    );
    html! {
        h3 id=(id) { (part.title) }
        @if !part.purposes.is_empty() {
            @let purposes: Vec<_> = part.purposes.iter().map(|p| words.purpose(p)).collect();
            p.part.soft { (fill(&words.used_for, &[("purposes", &purposes.join(", "))])) }
        }
        p.part { (words.open) ": " (formats(part)) }
        @if all == 0 {
            p.soft { (words.no_rows) }
        } @else if shown == 0 {
            p.soft { (words.rows_in_files) }
        } @else {
            (scroll(id, &html! {
                table {
                    caption { (caption) }
                    thead { tr {
                        @for column in &preview.columns { th scope="col" { bdi { (column) } } }
                    } }
                    tbody {
                        @for row in &preview.rows {
                            tr { @for field in row { (cell(words, field)) } }
                        }
                    }
                }
            }))
            @if preview.more_columns > 0 {
                @let count = words.number(preview.more_columns as u64);
                p.soft { (fill(&words.more_columns, &[("count", &count)])) }
            }
        }
    }
}

fn cell(words: &Words, field: &Shown) -> Markup {
    html! {
        @match field {
            Shown::Null => {
                td.none { span aria-hidden="true" { "–" } span.hidden { (words.no_value) } }
            }
            Shown::Bool(value) => { td { (if *value { &words.yes } else { &words.no }) } }
            Shown::Fixed(text) => { td.fixed { (text) } }
            Shown::Text(text) if text.chars().count() > 60 => { td.text.long { bdi { (text) } } }
            Shown::Text(text) if text.len() > 24 => { td.text { bdi { (text) } } }
            Shown::Text(text) => { td.fixed { bdi { (text) } } }
            Shown::Bytes(bytes) => {
                td.none { (fill(&words.bytes, &[("size", &words.size(*bytes))])) }
            }
            Shown::Secret => { td.secret { em { (words.secret) } } }
            Shown::File { path, name, bytes } => {
                td.file {
                    a href=(path) rel="noopener noreferrer" { bdi { (name) } }
                    " " span.soft { (words.size(*bytes)) }
                }
            }
        }
    }
}

/// Links to the data of a collection.
fn formats(part: &CollectionPart) -> Markup {
    html! {
        span.formats {
            a href=(href(&part.csv)) { span.hidden { (part.title) ", " } "CSV" }
            " "
            a href=(href(&part.json)) { span.hidden { (part.title) ", " } "JSON" }
        }
    }
}

/// A wide table in a region of its own that scrolls, by keyboard too.
fn scroll(label: &str, table: &Markup) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-labelledby=(label) { (table) }
    }
}

fn rows(words: &Words, rows: Option<u64>) -> String {
    rows.map_or_else(
        || words.unknown.clone().into_owned(),
        |rows| words.number(rows),
    )
}

fn footer(words: &Words) -> Markup {
    html! {
        footer {
            h2 { (words.reading) }
            p { (words.reading_files) " " (words.reading_care) }
            p { a href="manifest.json" { "manifest.json" } " " (words.reading_check) }
        }
    }
}
