//! Names inside the archive: made from what a source calls things, never taken over.
//!
//! Folders are ASCII and unique whatever the letter case; a file's name carries its number in
//! front, which makes it unique and keeps it from being special. What is refused, and why:
//! separators, `..`, drive letters and absolute paths (APPNOTE 4.4.17, "zip slip"); the characters
//! and device names of Windows ("Naming Files, Paths, and Namespaces"); control and format
//! characters, so that no right-to-left override hides an extension; and lengths with which a
//! whole path would not fit into Windows' 260 characters.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Longest folder name, in bytes.
const FOLDER: usize = 40;
/// Longest file name behind its number, in bytes, with its extension.
const FILE: usize = 80;
/// Longest extension that is kept when a name is cut, in bytes, with its dot.
const EXTENSION: usize = 12;

/// Gives each folder under one parent a name of its own.
#[derive(Default)]
pub(super) struct Folders {
    /// Lower-case names that are taken, with the number the next of that name gets.
    taken: HashMap<String, u32>,
}

impl Folders {
    /// A folder name for what a source calls `name`: 1 to 40 characters of `A-Z a-z 0-9 . _ -`.
    pub(super) fn name(&mut self, name: &str) -> String {
        let mut safe: String = name
            .chars()
            .map(|c| match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
                _ => '_',
            })
            .take(FOLDER - 8) // room for a number
            .collect();
        safe.truncate(safe.trim_end_matches('.').len());
        if safe.is_empty() {
            safe.push_str("unnamed");
        }
        if safe.starts_with('.') || is_device(&safe) {
            safe.insert(0, '_');
        }
        let mut unique = safe.clone();
        while self.taken.contains_key(&unique.to_ascii_lowercase()) {
            let next = self.taken.entry(safe.to_ascii_lowercase()).or_insert(1);
            *next += 1;
            unique = format!("{safe}-{next}");
        }
        self.taken.insert(unique.to_ascii_lowercase(), 1);
        unique
    }
}

/// A file name: its number, then what is left of its own name; letters of any script stay.
pub(super) fn file(number: u64, name: &str) -> String {
    let mut safe = String::new();
    for c in name.chars().take(4 * FILE) {
        let keep = c.is_alphanumeric() || matches!(c, '.' | '-');
        match c {
            _ if keep => safe.push(c),
            _ if safe.ends_with('_') => {}
            _ => safe.push('_'),
        }
    }
    let safe = safe.trim_matches(['.', '_', '-']);
    let (stem, extension) = match safe.rfind('.') {
        Some(dot) if safe.len() - dot <= EXTENSION => safe.split_at(dot),
        _ => (safe, ""),
    };
    let mut end = stem.len().min(FILE - extension.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    let stem = stem[..end].trim_end_matches(['.', '_', '-']);
    match (stem, extension) {
        ("", "") => format!("{number:06}"),
        _ => format!("{number:06}-{stem}{extension}"),
    }
}

/// A path of the archive as a relative reference (RFC 3986): every byte that is not unreserved
/// is percent-encoded, so that it can neither leave the folder nor name a scheme.
pub(super) fn href(path: &str) -> String {
    let mut href = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                href.push(char::from(byte));
            }
            _ => {
                let _ = write!(href, "%{byte:02X}");
            }
        }
    }
    href
}

/// Whether Windows takes the name for a device, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_uppercase();
    let device = stem.get(..3).unwrap_or_default();
    let number = stem.get(3..).unwrap_or_default();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || matches!(device, "COM" | "LPT")
            && number.len() == 1
            && number.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pieces of which hostile names are made.
    pub(super) fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("..".to_owned()),
            Just("/".to_owned()),
            Just("\\".to_owned()),
            Just("C:".to_owned()),
            Just("con".to_owned()),
            Just("LPT1.txt".to_owned()),
            Just("\u{202e}gpj.exe".to_owned()),
            Just(" ".to_owned()),
            Just(".".to_owned()),
            Just("\0\r\n\u{7f}".to_owned()),
            Just("e\u{301}é".to_owned()),
            Just("a".repeat(300)),
            "\\PC{0,6}",
            any::<char>().prop_map(String::from),
        ];
        proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
    }

    fn assert_safe(name: &str) {
        assert!(!name.is_empty() && name.len() <= FILE + 22, "{name:?}");
        assert!(
            !name.starts_with('.') && !name.ends_with(['.', ' ']),
            "{name:?}"
        );
        assert!(
            !name
                .chars()
                .any(|c| c.is_control() || "/\\:*?\"<>|".contains(c)),
            "{name:?}"
        );
        assert!(
            !name.contains(['\u{202e}', '\u{200f}', '\u{2066}']),
            "{name:?}"
        );
        assert!(!is_device(name), "{name:?}");
    }

    proptest! {
        #[test]
        fn folders_are_safe_and_distinct(names in proptest::collection::vec(hostile(), 0..20)) {
            let mut folders = Folders::default();
            let mut seen = std::collections::HashSet::new();
            for name in &names {
                let folder = folders.name(name);
                assert_safe(&folder);
                prop_assert!(folder.len() <= FOLDER && folder.is_ascii());
                prop_assert!(seen.insert(folder.to_lowercase()), "{folder} twice");
            }
        }

        #[test]
        fn files_are_safe(number in 1_u64..2_000_000, name in hostile()) {
            let file = file(number, &name);
            assert_safe(&file);
            let front = format!("{number:06}");
            prop_assert!(file.starts_with(&front));
            let href = href(&file);
            prop_assert!(href.is_ascii() && !href.contains([':', '"', '<', '&', ' ', '#', '?']));
        }
    }

    #[test]
    fn names_stay_readable() {
        let mut folders = Folders::default();
        let names = [
            "Tickets",
            "tickets",
            "TICKETS",
            "tickets-2",
            "CON",
            "..",
            "été",
            "",
        ];
        let made: Vec<_> = names.iter().map(|name| folders.name(name)).collect();
        let expected = [
            "Tickets",
            "tickets-2",
            "TICKETS-3",
            "tickets-2-2",
            "_CON",
            "unnamed",
            "_t_",
            "unnamed-2",
        ];
        assert_eq!(made, expected);
        assert_eq!(
            file(7, "Rechnung März 2024.pdf"),
            "000007-Rechnung_März_2024.pdf"
        );
        assert_eq!(file(8, "履歴書.pdf"), "000008-履歴書.pdf");
        assert_eq!(file(9, "../../etc/passwd"), "000009-etc_passwd");
        assert_eq!(file(10, "C:\\aux"), "000010-C_aux");
        assert_eq!(file(11, "photo\u{202e}gpj.exe"), "000011-photo_gpj.exe");
        assert_eq!(file(12, ". ."), "000012");
    }
}
