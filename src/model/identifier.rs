//! What identifies a person: typed, normalised for matching, closed to printing.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Exposed, Personal};

/// A span of time: from `start` on, before `end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Window {
    /// The first instant inside.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
}

/// The kind of an identifier, without its value: may be logged.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdentifierKind {
    /// A mail address.
    Mail,
    /// A phone number.
    Phone,
    /// A phone number and when it was the person's.
    PhoneDuring,
    /// The host's own key of the person's account.
    Account,
    /// An IP address and when the person used it.
    IpDuring,
    /// A cookie or device id.
    Device,
    /// A name with a birth date.
    NameAndBirth,
    /// A kind of the host's own.
    Custom(Cow<'static, str>),
}

/// Something that identifies a person. `Debug` shows its kind only.
///
/// It deserialises (from a form, a queue), but serialises only through [`Identifier::exposed`].
///
/// ```
/// use datarights::model::Identifier;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let typed = Identifier::mail(" Ada@Example.ORG ")?;
/// assert_eq!(typed.normal()?.expose(), "ada@example.org");
/// assert_eq!(format!("{typed:?}"), "Identifier(Mail)");
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Identifier {
    /// A mail address.
    Mail(Personal<String>),
    /// A phone number, in international form where it is known.
    Phone(Personal<String>),
    /// A phone number and when it was the person's.
    PhoneDuring {
        /// The number.
        number: Personal<String>,
        /// When it was theirs.
        window: Window,
    },
    /// The host's own key of the person's account.
    Account(Personal<String>),
    /// An IP address and when the person used it.
    IpDuring {
        /// The address.
        address: Personal<IpAddr>,
        /// When it was theirs.
        window: Window,
    },
    /// A cookie or device id.
    Device(Personal<String>),
    /// A name with a birth date.
    NameAndBirth {
        /// The full name.
        name: Personal<String>,
        /// The birth date.
        birth: Personal<NaiveDate>,
    },
    /// A kind of the host's own; matched trimmed, otherwise as it is.
    Custom {
        /// The kind, not personal.
        kind: Cow<'static, str>,
        /// The value.
        value: Personal<String>,
    },
}

/// An identifier that cannot identify. Never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// Empty, too long, or not of the form its kind has.
    #[error("a {kind:?} identifier is not of the accepted form: {accepted}")]
    Malformed {
        /// What it was meant to be.
        kind: IdentifierKind,
        /// What would be accepted.
        accepted: &'static str,
    },
}

/// Longest accepted value, in bytes.
const LONGEST: usize = 1024;

/// The form in which identifiers are compared: kind and normal value. Closed to printing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NormalForm {
    kind: IdentifierKind,
    value: Personal<String>,
}

impl NormalForm {
    /// The kind.
    pub const fn kind(&self) -> &IdentifierKind {
        &self.kind
    }

    /// The normal value in clear.
    pub fn expose(&self) -> &str {
        self.value.expose()
    }

    /// The bytes that a keyed digest covers: kind, NUL, value.
    pub fn digest_input(&self) -> Personal<Vec<u8>> {
        let mut bytes = format!("{:?}", self.kind).into_bytes();
        bytes.push(0);
        bytes.extend_from_slice(self.expose().as_bytes());
        Personal::new(bytes)
    }
}

impl fmt::Debug for NormalForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NormalForm({:?})", self.kind)
    }
}

impl Identifier {
    /// A mail address: something before and after one `@`, without blanks.
    ///
    /// # Errors
    /// [`IdentifierError::Malformed`].
    pub fn mail(address: impl Into<String>) -> Result<Self, IdentifierError> {
        Self::Mail(Personal::new(address.into())).checked()
    }

    /// A phone number: 3 to 20 digits, with `+`, blanks, dots, dashes and parentheses between.
    ///
    /// # Errors
    /// [`IdentifierError::Malformed`].
    pub fn phone(number: impl Into<String>) -> Result<Self, IdentifierError> {
        Self::Phone(Personal::new(number.into())).checked()
    }

    /// The host's own key of the person's account.
    ///
    /// # Errors
    /// [`IdentifierError::Malformed`] when empty or longer than 1,024 bytes.
    pub fn account(key: impl Into<String>) -> Result<Self, IdentifierError> {
        Self::Account(Personal::new(key.into())).checked()
    }

    /// A cookie or device id.
    ///
    /// # Errors
    /// [`IdentifierError::Malformed`] when empty or longer than 1,024 bytes.
    pub fn device(id: impl Into<String>) -> Result<Self, IdentifierError> {
        Self::Device(Personal::new(id.into())).checked()
    }

    /// An IP address and when the person used it.
    pub fn ip_during(address: IpAddr, window: Window) -> Self {
        Self::IpDuring {
            address: Personal::new(address),
            window,
        }
    }

    /// An identifier of the host's own kind.
    ///
    /// # Errors
    /// [`IdentifierError::Malformed`] when empty or longer than 1,024 bytes.
    pub fn custom(
        kind: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Result<Self, IdentifierError> {
        Self::Custom {
            kind: kind.into(),
            value: Personal::new(value.into()),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, IdentifierError> {
        self.normal()?;
        Ok(self)
    }

    /// The kind, without the value.
    pub fn kind(&self) -> IdentifierKind {
        match self {
            Self::Mail(_) => IdentifierKind::Mail,
            Self::Phone(_) => IdentifierKind::Phone,
            Self::PhoneDuring { .. } => IdentifierKind::PhoneDuring,
            Self::Account(_) => IdentifierKind::Account,
            Self::IpDuring { .. } => IdentifierKind::IpDuring,
            Self::Device(_) => IdentifierKind::Device,
            Self::NameAndBirth { .. } => IdentifierKind::NameAndBirth,
            Self::Custom { kind, .. } => IdentifierKind::Custom(kind.clone()),
        }
    }

    /// The form in which it is compared: mail addresses in lower case, numbers as digits,
    /// names in lower case with single blanks.
    ///
    /// # Errors
    /// [`IdentifierError::Malformed`] when the value is not of the form its kind has: a
    /// deserialised identifier is checked here.
    pub fn normal(&self) -> Result<NormalForm, IdentifierError> {
        let kind = self.kind();
        let malformed = |accepted| IdentifierError::Malformed {
            kind: kind.clone(),
            accepted,
        };
        let value = match self {
            Self::Mail(address) => {
                normal_mail(address.expose()).ok_or_else(|| malformed("local@domain"))?
            }
            Self::Phone(number) => normal_phone(number.expose())
                .ok_or_else(|| malformed("3 to 20 digits, in international form"))?,
            Self::PhoneDuring { number, window } => {
                let number = normal_phone(number.expose())
                    .ok_or_else(|| malformed("3 to 20 digits, in international form"))?;
                during(number, *window)
                    .ok_or_else(|| malformed("a window that ends after it starts"))?
            }
            Self::IpDuring { address, window } => {
                during(address.expose().to_canonical().to_string(), *window)
                    .ok_or_else(|| malformed("a window that ends after it starts"))?
            }
            Self::NameAndBirth { name, birth } => {
                let name = name
                    .expose()
                    .split_whitespace()
                    .map(str::to_lowercase)
                    .collect::<Vec<_>>()
                    .join(" ");
                if name.is_empty() || name.len() > LONGEST {
                    return Err(malformed("a name of 1 to 1024 bytes"));
                }
                format!("{name} {}", birth.expose())
            }
            Self::Account(value) | Self::Device(value) | Self::Custom { value, .. } => {
                let value = value.expose().trim();
                if value.is_empty() || value.len() > LONGEST {
                    return Err(malformed("1 to 1024 bytes"));
                }
                value.to_owned()
            }
        };
        Ok(NormalForm {
            kind,
            value: Personal::new(value),
        })
    }

    /// A view that serialises in clear: for sealing and for sources.
    pub const fn exposed(&self) -> Exposed<'_, Self> {
        Exposed(self)
    }
}

fn normal_mail(address: &str) -> Option<String> {
    let address = address.trim();
    let (local, domain) = address.rsplit_once('@')?;
    let clean = !address.contains(|c: char| c.is_whitespace() || c.is_control());
    // Some letters are longer in lower case.
    let lower = address.to_lowercase();
    let fits = address.len() <= LONGEST && lower.len() <= LONGEST;
    (clean && !local.is_empty() && !domain.is_empty() && fits).then_some(lower)
}

fn normal_phone(number: &str) -> Option<String> {
    let number = number.trim();
    let plus = number.strip_prefix('+');
    let mut digits = String::new();
    for c in plus.unwrap_or(number).chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '\u{a0}' | '.' | '-' | '(' | ')' | '/' => {}
            _ => return None,
        }
    }
    // However they are set apart: `(00) 33` is what `0033` is.
    let abroad = digits.strip_prefix("00").filter(|_| plus.is_none());
    let international = plus.is_some() || abroad.is_some();
    let digits = abroad.unwrap_or(&digits);
    let accepted = (3..=20).contains(&digits.len());
    accepted.then(|| format!("{}{digits}", if international { "+" } else { "" }))
}

fn during(value: String, window: Window) -> Option<String> {
    (window.start < window.end).then(|| {
        format!(
            "{value} {}/{}",
            window.start.timestamp_micros(),
            window.end.timestamp_micros()
        )
    })
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({:?})", self.kind())
    }
}

impl Serialize for Exposed<'_, Identifier> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Clear<'a> {
            Mail(&'a str),
            Phone(&'a str),
            PhoneDuring {
                number: &'a str,
                window: &'a Window,
            },
            Account(&'a str),
            IpDuring {
                address: &'a IpAddr,
                window: &'a Window,
            },
            Device(&'a str),
            NameAndBirth {
                name: &'a str,
                birth: &'a NaiveDate,
            },
            Custom {
                kind: &'a str,
                value: &'a str,
            },
        }
        match self.0 {
            Identifier::Mail(v) => Clear::Mail(v.expose()),
            Identifier::Phone(v) => Clear::Phone(v.expose()),
            Identifier::PhoneDuring { number, window } => Clear::PhoneDuring {
                number: number.expose(),
                window,
            },
            Identifier::Account(v) => Clear::Account(v.expose()),
            Identifier::IpDuring { address, window } => Clear::IpDuring {
                address: address.expose(),
                window,
            },
            Identifier::Device(v) => Clear::Device(v.expose()),
            Identifier::NameAndBirth { name, birth } => Clear::NameAndBirth {
                name: name.expose(),
                birth: birth.expose(),
            },
            Identifier::Custom { kind, value } => Clear::Custom {
                kind,
                value: value.expose(),
            },
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_written_in_two_ways_has_one_normal_form() -> Result<(), IdentifierError> {
        let same = [
            (
                Identifier::mail("A.B@c.org")?,
                Identifier::mail(" a.b@C.ORG")?,
            ),
            (
                Identifier::phone("0033 1 23-45")?,
                Identifier::phone("+33 (1) 2345")?,
            ),
            (
                Identifier::phone("(00)33 12345")?,
                Identifier::phone("0 033 12345")?,
            ),
            (
                Identifier::phone("(00)33 12345")?,
                Identifier::phone("+3312345")?,
            ),
        ];
        for (a, b) in same {
            assert_eq!(a.normal()?, b.normal()?);
        }
        Ok(())
    }

    #[test]
    fn what_cannot_identify_is_refused_without_being_repeated() {
        for address in ["", "@", "a@", "@b", "a b@c", "no-at-sign"] {
            assert!(Identifier::mail(address).is_err(), "{address:?}");
        }
        let error = Identifier::phone("call me Ishmael").map_err(|e| e.to_string());
        assert!(!format!("{error:?}").contains("Ishmael"));
    }

    #[test]
    fn kinds_do_not_collide() -> Result<(), IdentifierError> {
        let account = Identifier::account("7")?.normal()?;
        let device = Identifier::device("7")?.normal()?;
        assert_ne!(
            account.digest_input().expose(),
            device.digest_input().expose()
        );
        Ok(())
    }

    #[test]
    fn exposed_identifiers_read_back() -> Result<(), Box<dyn std::error::Error>> {
        let window = Window {
            start: DateTime::UNIX_EPOCH,
            end: DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(1),
        };
        let all = [
            Identifier::mail("a@b.c")?,
            Identifier::phone("+33123")?,
            Identifier::ip_during("192.0.2.1".parse()?, window),
            Identifier::custom("badge", "77")?,
        ];
        for identifier in all {
            let text = serde_json::to_string(&identifier.exposed())?;
            assert_eq!(serde_json::from_str::<Identifier>(&text)?, identifier);
        }
        Ok(())
    }
}
