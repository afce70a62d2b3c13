//! Names of things: controllers, sources, requests, intakes.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A name that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Empty, longer than 128 bytes, or with characters outside `a-z A-Z 0-9 . _ -`.
    #[error(
        "{what} has {length} bytes or characters outside a-z A-Z 0-9 . _ - ; 1 to 128 of those are accepted"
    )]
    Malformed {
        /// Which kind of name.
        what: &'static str,
        /// Its length in bytes; the text itself is not repeated, it may be personal.
        length: usize,
    },
}

/// Checks the alphabet that every name shares: safe in keys, file names and logs.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), IdError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 128 || !name.bytes().all(allowed) || name.starts_with('.') {
        return Err(IdError::Malformed {
            what,
            length: name.len(),
        });
    }
    Ok(())
}

/// Whether a text is a name in that alphabet.
pub(crate) fn is_name(name: &str) -> bool {
    check_name("name", name).is_ok()
}

macro_rules! name {
    ($(#[$meta:meta])* $type:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// Takes 1 to 128 characters of `a-z A-Z 0-9 . _ -`, not starting with a dot.
            ///
            /// # Errors
            /// [`IdError::Malformed`] for anything else.
            pub fn new(name: impl Into<String>) -> Result<Self, IdError> {
                let name = name.into();
                check_name($what, &name)?;
                Ok(Self(name.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(name: String) -> Result<Self, IdError> {
                Self::new(name)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = IdError;
            fn try_from(name: &str) -> Result<Self, IdError> {
                Self::new(name)
            }
        }

        impl From<$type> for String {
            fn from(id: $type) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($type), self.0)
            }
        }
    };
}
pub(crate) use name;

name!(
    /// The controller a request concerns: the tenant. Chosen by the host; never personal.
    ///
    /// ```
    /// use datarights::model::ControllerId;
    /// assert!(ControllerId::new("acme-eu").is_ok());
    /// assert!(ControllerId::new("../etc").is_err());
    /// ```
    ControllerId,
    "controller id"
);
name!(
    /// A place where personal data lives, as the host calls it.
    SourceId,
    "source id"
);

macro_rules! uuid_id {
    ($(#[$meta:meta])* $type:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $type(Uuid);

        impl $type {
            /// Wraps an id made by the host or the engine.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $type {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// One request: one right, one controller, one regime version, one person.
    RequestId
);
uuid_id!(
    /// One letter, form or call; it may hold several requests.
    IntakeId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_escape_are_refused() {
        for bad in [
            "",
            "a/b",
            "a b",
            "..",
            ".hidden",
            "a\0",
            "é",
            &"x".repeat(129),
        ] {
            assert!(SourceId::new(bad).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<SourceId>("\"a/b\"").is_err());
    }
}
