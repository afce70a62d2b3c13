//! Texts in which JSON may stand. A document is read string by string, and what was JSON stays JSON;
//! in any other text, what stands behind JSON's escapes is looked at beside the text as it is.

use std::ops::Range;

use super::text::{Marks, REMOVED};

/// How often JSON is looked at that stands in JSON.
const NESTED: usize = 3;

/// A text without the person.
pub(super) fn cleaned(marks: &Marks, text: &str) -> String {
    cleaned_within(marks, text, NESTED)
}

fn cleaned_within(marks: &Marks, text: &str, depth: usize) -> String {
    if depth > 0 && is_document(text) {
        document(marks, text, depth)
    } else {
        prose(marks, text)
    }
}

/// Whether a text is JSON, and more than a bare word or number.
fn is_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A document with its strings cleaned, names of members too. A number that is the person's becomes a
/// string.
fn document(marks: &Marks, text: &str, depth: usize) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let token = match first {
            '"' => string(rest),
            '-' | '0'..='9' => number(rest),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(token);
        rest = after;
        match first {
            '"' => cleaned.push_str(&cleaned_string(marks, token, depth)),
            '0'..='9' if marks.without(token) == REMOVED => {
                cleaned.push('"');
                cleaned.push_str(REMOVED);
                cleaned.push('"');
            }
            _ => cleaned.push_str(token),
        }
    }
    cleaned
}

/// How long the string is with which a text begins, with its quotes.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

fn number(text: &str) -> usize {
    let goes_on = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    text.find(|c| !goes_on(c)).unwrap_or(text.len())
}

fn cleaned_string(marks: &Marks, token: &str, depth: usize) -> String {
    let Ok(said) = serde_json::from_str::<String>(token) else {
        return prose(marks, token); // half of a pair: no text, and JSON all the same
    };
    let cleaned = cleaned_within(marks, &said, depth - 1);
    if cleaned == said {
        return token.to_owned();
    }
    let Ok(written) = serde_json::to_string(&cleaned) else {
        return token.to_owned();
    };
    // Where everything else was escaped, the column may take no more than that.
    if token.is_ascii() {
        in_ascii(&written)
    } else {
        written
    }
}

fn in_ascii(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            written.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                written.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    written
}

/// Any text: as it is, then as it reads with its escapes read, once and again.
fn prose(marks: &Marks, text: &str) -> String {
    let mut text = marks.without(text);
    for depth in 1..=NESTED {
        if !text.contains('\\') {
            break;
        }
        let mut read = views(&text, depth);
        for mark in marks.each() {
            let Some(deepest) = read.last() else { break };
            let places = mark.places(&deepest.text);
            if places.is_empty() {
                continue;
            }
            let behind = |place: usize| read.iter().rev().fold(place, |at, view| view.behind(at));
            let places = places.iter();
            let places = places.map(|place| behind(place.start)..behind(place.end));
            text = without_places(&text, places);
            read = views(&text, depth);
        }
    }
    text
}

/// A text without what stands at these places, one after the other.
pub(super) fn without_places(text: &str, places: impl Iterator<Item = Range<usize>>) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut last = 0;
    for place in places {
        cleaned.push_str(&text[last..place.start]);
        cleaned.push_str(REMOVED);
        last = place.end;
    }
    cleaned.push_str(&text[last..]);
    cleaned
}

/// A text with its escapes read.
struct View {
    text: String,
    /// Where the text goes on behind an escape, here and in the text that was read.
    escapes: Vec<(usize, usize)>,
}

impl View {
    /// The place in the text that was read.
    fn behind(&self, place: usize) -> usize {
        let before = self.escapes.partition_point(|(here, _)| *here <= place);
        match self.escapes[..before].last() {
            Some((here, there)) => there + (place - here),
            None => place,
        }
    }
}

/// A text with its escapes read so many times.
fn views(text: &str, depth: usize) -> Vec<View> {
    let mut views: Vec<View> = Vec::with_capacity(depth);
    for _ in 0..depth {
        let last = views.last().map_or(text, |view| &view.text);
        views.push(unescaped(last));
    }
    views
}

fn unescaped(text: &str) -> View {
    let mut read = String::with_capacity(text.len());
    let mut escapes = Vec::new();
    let mut rest = text;
    let code = |digits: &str| u16::from_str_radix(digits.get(..4)?, 16).ok();
    while let Some(place) = rest.find('\\') {
        read.push_str(&rest[..place]);
        rest = &rest[place + 1..];
        let Some(c) = rest.chars().next() else { break };
        rest = &rest[c.len_utf8()..];
        if let Some(unit) = code(rest).filter(|_| c == 'u') {
            rest = rest.get(4..).unwrap_or_default();
            let low = rest.strip_prefix("\\u").and_then(code);
            match (char::from_u32(unit.into()), low) {
                (Some(c), _) => read.push(c),
                (None, Some(low)) => {
                    let pair = char::decode_utf16([unit, low]).filter_map(Result::ok);
                    read.extend(pair);
                    rest = rest.get(6..).unwrap_or_default();
                }
                (None, None) => {}
            }
        } else {
            read.push(match c {
                'b' | 'f' | 'n' | 'r' | 't' => ' ',
                c => c,
            });
        }
        escapes.push((read.len(), text.len() - rest.len()));
    }
    read.push_str(rest);
    View {
        text: read,
        escapes,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use serde_json::Value;

    use super::super::text::Marks;
    use super::unescaped;

    fn her() -> Marks {
        Marks {
            words: vec![
                "m.wojcik+x@example.org".to_owned(),
                "Małgorzata Wójcik".to_owned(),
            ],
            phones: vec!["33123456789".to_owned()],
            joined: false,
        }
    }

    const NAMING: [&str; 5] = [
        "M.Wojcik+X@example.org",
        "małgorzata wójcik",
        "Małgorzata WÓJCIK",
        "+33 1 23.45-67/89",
        "33123456789",
    ];
    const OTHERS: [&str; 6] = [
        "em.wojcik+x@example.org",
        "m.wojcik+x@example.organic",
        "Małgorzata Wójcikowa",
        "éMałgorzata Wójcik",
        "331234567890",
        "😀\\/",
    ];
    const BETWEEN: [&str; 6] = [" ", "\n", "\"", "<", ", ", "\t("];

    #[derive(Clone, Debug)]
    enum Piece {
        Names(usize),
        Others(usize),
        Between(usize),
    }

    /// A document, and in it what names her.
    #[derive(Clone, Debug)]
    enum Doc {
        Text(Vec<Piece>),
        HerNumber,
        Number(i64),
        List(Vec<Self>),
        /// Under names that are texts too.
        Members(Vec<(Vec<Piece>, Self)>),
        /// JSON in a string.
        Inside(Box<Self>),
    }

    fn pieces() -> impl Strategy<Value = Vec<Piece>> {
        let one = prop_oneof![
            (0..NAMING.len()).prop_map(Piece::Names),
            (0..OTHERS.len()).prop_map(Piece::Others),
        ];
        // Nothing touches what names her.
        proptest::collection::vec((one, 0..BETWEEN.len()), 0..4).prop_map(|all| {
            let both = |(piece, between)| [piece, Piece::Between(between)];
            all.into_iter().flat_map(both).collect()
        })
    }

    fn documents(inside: u32) -> BoxedStrategy<Doc> {
        let leaf = prop_oneof![
            4 => pieces().prop_map(Doc::Text),
            1 => Just(Doc::HerNumber),
            1 => (-9..9_i64).prop_map(Doc::Number),
        ];
        let flat = leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Doc::List),
                proptest::collection::vec((pieces(), inner), 0..3).prop_map(Doc::Members),
            ]
        });
        // At the top stands what is no bare number.
        let top = |doc| Doc::List(vec![doc]);
        if inside == 0 {
            flat.prop_map(top).boxed()
        } else {
            let deeper = documents(inside - 1).prop_map(|doc| Doc::Inside(Box::new(doc)));
            proptest::collection::vec(prop_oneof![flat, deeper], 1..3)
                .prop_map(Doc::List)
                .boxed()
        }
    }

    fn text(pieces: &[Piece], removed: bool) -> String {
        let said = |piece: &Piece| match piece {
            Piece::Names(_) if removed => "[removed]",
            Piece::Names(n) => NAMING[*n],
            Piece::Others(n) => OTHERS[*n],
            Piece::Between(n) => BETWEEN[*n],
        };
        pieces.iter().map(said).collect()
    }

    /// Writes a string, each character in one of the ways in which JSON can.
    fn quoted(text: &str, ways: &mut impl Iterator<Item = u8>) -> String {
        let mut written = "\"".to_owned();
        for c in text.chars() {
            let way = ways.next().unwrap_or_default();
            match (c, way % 4) {
                ('\n', 0) => written.push_str("\\n"),
                ('\t', 0) => written.push_str("\\t"),
                ('"' | '\\' | '/', 0 | 1) => written.extend(['\\', c]),
                ('"' | '\\' | '\n' | '\t', _) | (_, 3) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        written.push_str(&format!("\\u{unit:04X}"));
                    }
                }
                _ => written.push(c),
            }
        }
        written + "\""
    }

    fn written(doc: &Doc, ways: &mut impl Iterator<Item = u8>) -> String {
        match doc {
            Doc::Text(pieces) => quoted(&text(pieces, false), ways),
            Doc::HerNumber => "33123456789".to_owned(),
            Doc::Number(number) => number.to_string(),
            Doc::List(list) => {
                let list: Vec<_> = list.iter().map(|doc| written(doc, ways)).collect();
                format!("[{}]", list.join(" , "))
            }
            Doc::Members(members) => {
                let member = |(n, (name, doc)): (usize, &(Vec<Piece>, Doc))| {
                    let name = format!("{n} {}", text(name, false));
                    format!("{}:{}", quoted(&name, ways), written(doc, ways))
                };
                let members: Vec<_> = members.iter().enumerate().map(member).collect();
                format!("{{{}}}", members.join(","))
            }
            Doc::Inside(doc) => {
                let inner = written(doc, ways);
                quoted(&inner, ways)
            }
        }
    }

    /// Whether a value is the document without her.
    fn is_without(value: &Value, doc: &Doc) -> bool {
        match (doc, value) {
            (Doc::Text(pieces), Value::String(said)) => *said == text(pieces, true),
            (Doc::HerNumber, Value::String(said)) => said == "[removed]",
            (Doc::Number(number), value) => value.as_i64() == Some(*number),
            (Doc::List(list), Value::Array(values)) => {
                list.len() == values.len()
                    && list
                        .iter()
                        .zip(values)
                        .all(|(doc, value)| is_without(value, doc))
            }
            (Doc::Members(members), Value::Object(values)) => {
                members.len() == values.len()
                    && members.iter().enumerate().all(|(n, (name, doc))| {
                        let value = values.get(&format!("{n} {}", text(name, true)));
                        value.is_some_and(|value| is_without(value, doc))
                    })
            }
            (Doc::Inside(doc), Value::String(said)) => {
                serde_json::from_str(said).is_ok_and(|value| is_without(&value, doc))
            }
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(0x0e5c_a9e5),
            failure_persistence: None,
            ..ProptestConfig::with_cases(400)
        })]

        /// However it is escaped, what names her goes, everything else reads as before, and what was
        /// ASCII stays so.
        #[test]
        fn a_document_stays_one(
            doc in (0..3_u32).prop_flat_map(documents),
            ways in proptest::collection::vec(any::<u8>(), 1..300),
        ) {
            let before = written(&doc, &mut ways.iter().copied().cycle());
            let cleaned = her().taken_out(&before);
            let after = cleaned.as_deref().unwrap_or(&before);
            let value: Value = serde_json::from_str(after).map_err(|error| {
                TestCaseError::fail(format!("{error}: {before} -> {after}"))
            })?;
            prop_assert!(is_without(&value, &doc), "{} -> {}", before, after);
            prop_assert_eq!(her().taken_out(after), None, "again");
            if before.is_ascii() {
                prop_assert!(after.is_ascii(), "{} -> {}", before, after);
            }
        }
    }

    #[test]
    fn a_text_with_escapes_keeps_all_else_as_it_is() {
        for (text, expected) in [
            (
                r#"sent {"who":"Ma\u0142gorzata W\u00F3jcik","n":"\u0142"} at 9"#,
                Some(r#"sent {"who":"[removed]","n":"\u0142"} at 9"#),
            ),
            (
                r#"log: "{\"tel\":\"0033\\u00a01 23 45 67 89\"}"."#,
                Some(r#"log: "{\"tel\":\"[removed]\"}"."#),
            ),
            (
                r"a\nm.wojcik\u002Bx@example.org\tb m.wojcik+x@example.org",
                Some(r"a\n[removed]\tb [removed]"),
            ),
            (r#"{"tel":331234567890,"b":-33123456789}"#, None),
            (
                r#"{"half":"\ud800 33123456789"}"#,
                Some(r#"{"half":"\ud800 [removed]"}"#),
            ),
            (r"C:\maps\33123456789\", Some(r"C:\maps\[removed]\")),
            (r"\u004", None),
        ] {
            assert_eq!(her().taken_out(text).as_deref(), expected, "{text}");
        }
        assert_eq!(unescaped(r"\ud83d\ude00!").text, "😀!");
    }

    /// An escape that ends before a name is not its first letter.
    #[test]
    fn the_letter_of_an_escape_belongs_to_no_name() {
        let nadia = Marks {
            words: vec!["nadia@example.org".to_owned()],
            phones: Vec::new(),
            joined: false,
        };
        let of_others = r#"{"to":"\nadia@example.org"}"#;
        assert_eq!(nadia.taken_out(of_others), None);
        let hers = r#"{"to":"\nnadia@example.org"}"#;
        let without = r#"{"to":"\n[removed]"}"#;
        assert_eq!(nadia.taken_out(hers).as_deref(), Some(without));
    }
}
