//! One collection as CSV (RFC 4180), safe to open in a spreadsheet. How values are written stands
//! in the documentation of `package`.
//!
//! Formulas: OWASP, "CSV Injection". A spreadsheet in a country that writes decimals with a comma
//! splits lines at semicolons, whatever is quoted; hence the care inside a text, too.

use std::borrow::Cow;
use std::cell::Cell;
use std::io;

use ::csv::{Terminator, Writer, WriterBuilder};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::SecondsFormat;

use super::PackageError;
use super::format::{Format, Head};
use super::record::{Field, Value};

/// By this, spreadsheets know UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes collections as CSV.
pub(super) struct Csv(Writer<Line>);

/// Where a line is written. A cell, because the writer around it lends it out shared only.
#[derive(Default)]
struct Line(Cell<Vec<u8>>);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Default for Csv {
    fn default() -> Self {
        let mut builder = WriterBuilder::new();
        builder.terminator(Terminator::CRLF).flexible(true);
        Self(builder.from_writer(Line::default()))
    }
}

impl Csv {
    fn put(&mut self, field: &str) -> Result<(), PackageError> {
        self.0.write_field(field).map_err(|_| failed())
    }

    /// Ends the line, and adds it to what was written.
    fn end_line(&mut self, out: &mut Vec<u8>) -> Result<(), PackageError> {
        self.0.write_record(None::<&[u8]>).map_err(|_| failed())?;
        self.0.flush().map_err(|_| failed())?;
        let line = &self.0.get_ref().0;
        let mut written = line.take();
        out.extend_from_slice(&written);
        written.clear();
        line.set(written);
        Ok(())
    }
}

impl Format for Csv {
    const EXTENSION: &'static str = "csv";

    fn begin(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> Result<(), PackageError> {
        out.extend_from_slice(BYTE_ORDER_MARK);
        for column in &head.collection.columns {
            self.put(&guarded(&column.name))?;
        }
        self.end_line(out)
    }

    fn row(
        &mut self,
        out: &mut Vec<u8>,
        head: &Head<'_>,
        row: &[Field<'_>],
    ) -> Result<(), PackageError> {
        for field in row {
            match field {
                Field::Value(value) => self.put(&text(value))?,
                Field::File(note) => self.put(&guarded(&head.path(note)))?,
            }
        }
        self.end_line(out)
    }

    fn end(&mut self, _out: &mut Vec<u8>) {}
}

fn failed() -> PackageError {
    PackageError::Archive {
        doing: "writing CSV",
    }
}

fn text<'a>(value: &Value<'a>) -> Cow<'a, str> {
    match *value {
        Value::Null => "".into(),
        Value::Bool(value) => if value { "true" } else { "false" }.into(),
        Value::Int(value) => value.to_string().into(),
        Value::Decimal(value) if is_number(value) => value.into(),
        Value::Decimal(value) | Value::Text(value) => guarded(value),
        Value::Bytes(bytes) => format!("base64:{}", BASE64_STANDARD.encode(bytes.0)).into(),
        // A year before the first has a sign.
        Value::Date(date) => guarded(&date.to_string()).into_owned().into(),
        Value::Time(time) => guarded(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            .into_owned()
            .into(),
        Value::Secret => "[secret, not shown]".into(),
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

/// A text with an apostrophe wherever a formula could begin.
fn guarded(text: &str) -> Cow<'_, str> {
    // Most texts can stand as they are, and this is quicker than to look at each character; `0xEF`
    // is the first byte of the formula characters in full width.
    if !text.bytes().any(|byte| b"=+-@\t\r\xef".contains(&byte)) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 1);
    let mut beginning = true;
    for c in text.chars() {
        let formula = matches!(
            c,
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r'
        );
        if formula && beginning {
            out.push('\'');
        }
        beginning = match c {
            ';' | '\t' | '\r' | '\n' => true,
            '"' | '\'' | ' ' => beginning,
            _ => false,
        };
        out.push(c);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A line as it is written.
    fn line(fields: &[Cow<'_, str>]) -> String {
        let mut out = Vec::new();
        let mut csv = Csv::default();
        for field in fields {
            csv.put(field).expect("memory does not fail");
        }
        csv.end_line(&mut out).expect("memory does not fail");
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
            let line = line(&texts.iter().map(|text| guarded(text)).collect::<Vec<_>>());
            let rows = read(&line, b',');
            prop_assert_eq!(rows.len(), 1);
            for (field, text) in rows[0].iter().zip(&texts) {
                prop_assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']));
                prop_assert_eq!(&restored(field), text);
            }
            // a spreadsheet that splits at semicolons or tabs finds no formula either
            for delimiter in [b';', b'\t'] {
                for field in read(&line, delimiter).iter().flatten() {
                    let cell = field.trim_start_matches(['"', ' ']);
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '＝']), "{:?}", field);
                }
            }
        }

        #[test]
        fn numbers_stay_numbers(whole: i64, fraction in "[0-9]{1,12}") {
            let decimal = format!("{whole}.{fraction}");
            let line = line(&[text(&Value::Decimal(&decimal)), text(&Value::Int(whole))]);
            prop_assert_eq!(line, format!("{decimal},{whole}\r\n"));
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
    fn a_line_of_one_empty_field_is_not_lost() {
        for value in [Value::Null, Value::Text("")] {
            assert_eq!(line(&[text(&value)]), "\"\"\r\n");
        }
    }
}
