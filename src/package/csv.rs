//! One collection as CSV (RFC 4180), safe to open in a spreadsheet. How values are written stands
//! in the documentation of `package`.
//!
//! Formulas: OWASP, "CSV Injection". A spreadsheet in a country that writes decimals with a comma
//! splits lines at semicolons, whatever is quoted; hence the care inside a text, too.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::SecondsFormat;

use crate::model::Value;

use super::PackageError;
use super::record::Field;
use super::write::{Format, Head};

/// By this, spreadsheets know UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes collections as CSV.
#[derive(Default)]
pub(super) struct Csv;

impl Format for Csv {
    const EXTENSION: &'static str = "csv";

    fn begin(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> Result<(), PackageError> {
        out.extend_from_slice(BYTE_ORDER_MARK);
        for (index, column) in head.collection.columns.iter().enumerate() {
            separate(out, index);
            put_text(out, &column.name);
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn row(
        &mut self,
        out: &mut Vec<u8>,
        head: &Head<'_>,
        row: &[Field],
    ) -> Result<(), PackageError> {
        for (index, field) in row.iter().enumerate() {
            separate(out, index);
            match field {
                Field::Value(Value::Null) if row.len() == 1 => out.extend_from_slice(b"\"\""),
                Field::Value(value) => put_value(out, value),
                Field::File(note) => put_text(out, &head.path(note)),
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn end(&mut self, _out: &mut Vec<u8>) {}
}

fn separate(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Decimal(value) if is_number(value) => out.extend_from_slice(value.as_bytes()),
        Value::Decimal(value) | Value::Text(value) => put_text(out, value),
        Value::Bytes(bytes) => {
            out.extend_from_slice(b"base64:");
            out.extend_from_slice(BASE64_STANDARD.encode(bytes).as_bytes());
        }
        Value::Date(date) => put_text(out, &date.to_string()),
        Value::Time(time) => put_text(out, &time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        Value::Secret => put_text(out, "[secret, not shown]"),
    }
}

/// Whether it is a number and nothing else: a sign, digits, a point, digits, an exponent.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
        ),
        None => (text, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    [whole, fraction, exponent]
        .iter()
        .all(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Adds a text: quoted where it must be, and with an apostrophe wherever a formula could begin.
fn put_text(out: &mut Vec<u8>, text: &str) {
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let quoted = text.is_empty()
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text.contains(['"', ',', ';', '\t', '\r', '\n']);
    if quoted {
        out.push(b'"');
    }
    let mut done = 0;
    let mut beginning = true;
    for (at, c) in text.char_indices() {
        let formula = matches!(
            c,
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r'
        );
        if (formula && beginning) || c == '"' {
            out.extend_from_slice(&text.as_bytes()[done..at]);
            out.push(if c == '"' { b'"' } else { b'\'' });
            done = at;
        }
        beginning = match c {
            ';' | '\t' | '\r' | '\n' => true,
            '"' | '\'' | ' ' => beginning,
            _ => false,
        };
    }
    out.extend_from_slice(&text.as_bytes()[done..]);
    if quoted {
        out.push(b'"');
    }
}

/// Whether a text can stand as it is. Most can, and this is quicker than to look at each character;
/// `0xEF` is the first byte of the formula characters in full width.
fn is_plain(text: &str) -> bool {
    const SPECIAL: &[u8] = b"\"',;\t\r\n=+-@\xef";
    let outside = text.starts_with(' ') || text.ends_with(' ') || text.is_empty();
    !outside && !text.bytes().any(|byte| SPECIAL.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        put_text(&mut out, text);
        String::from_utf8(out).expect("UTF-8 in, UTF-8 out")
    }

    /// One field, as a reader of RFC 4180 with this delimiter sees it.
    fn read(line: &str, delimiter: u8) -> Vec<Vec<String>> {
        ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(line.as_bytes())
            .records()
            .map(|record| record.expect("CSV").iter().map(str::to_owned).collect())
            .collect()
    }

    /// The documented way back: one apostrophe less wherever a formula could begin.
    fn restored(field: &str) -> String {
        let mut out = String::new();
        let mut beginning = true;
        for c in field.chars() {
            let formula = "=+-@＝＋－＠\t\r".contains(c);
            if formula && beginning {
                assert_eq!(out.pop(), Some('\''), "an open formula in {field:?}");
            }
            beginning = match c {
                ';' | '\t' | '\r' | '\n' => true,
                '"' | '\'' | ' ' => beginning,
                _ => false,
            };
            out.push(c);
        }
        out
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[=+@\t\r\n;,\"' |-]{1,4}",
            Just("=cmd|' /C calc'!A0".to_owned()),
            Just("@SUM(1+1)*cmd".to_owned()),
            Just("＝1+1".to_owned()),
            "\\PC{0,8}",
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn text_comes_back_and_begins_no_formula(texts in proptest::collection::vec(hostile(), 2..5)) {
            let line = texts.iter().map(|text| written(text)).collect::<Vec<_>>().join(",");
            let rows = read(&format!("{line}\r\n"), b',');
            prop_assert_eq!(rows.len(), 1);
            for (field, text) in rows[0].iter().zip(&texts) {
                prop_assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']));
                prop_assert_eq!(&restored(field), text);
            }
            // a spreadsheet that splits at semicolons or tabs finds no formula either
            for delimiter in [b';', b'\t'] {
                for field in read(&format!("{line}\r\n"), delimiter).iter().flatten() {
                    let cell = field.trim_start_matches(['"', ' ']);
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '＝']), "{:?}", field);
                }
            }
        }

        #[test]
        fn numbers_stay_numbers(whole: i64, fraction in "[0-9]{1,12}") {
            let decimal = format!("{whole}.{fraction}");
            let mut out = Vec::new();
            put_value(&mut out, &Value::Decimal(decimal.clone()));
            out.push(b',');
            put_value(&mut out, &Value::Int(whole));
            prop_assert_eq!(String::from_utf8(out).expect("ASCII"), format!("{decimal},{whole}"));
        }
    }

    #[test]
    fn what_is_no_number_is_text() {
        for number in ["0", "-1.50", "1e9", "2.5E-3"] {
            assert!(is_number(number), "{number}");
        }
        for text in [
            "", "-", "1.", ".5", "+1", "1e", "NaN", "-1+cmd", "1,5", "--1", "１",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn null_differs_from_the_empty_text() {
        let mut out = Vec::new();
        put_value(&mut out, &Value::Null);
        out.push(b',');
        put_value(&mut out, &Value::Text(String::new()));
        assert_eq!(out, b",\"\"");
    }
}
