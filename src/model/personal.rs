//! Personal data as a type that cannot print itself.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value of a person. `Debug` and `Display` do not show it, and it serialises only where a
/// field asks for it by name with [`exposed`].
///
/// ```
/// use datarights::model::Personal;
/// let name = Personal::new("Ada Lovelace".to_owned());
/// assert_eq!(format!("{name:?}"), "Personal(..)");
/// assert_eq!(name.expose(), "Ada Lovelace");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Shows the value: the one place where it becomes readable, easy to find in a review.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// A view that serialises what is otherwise closed: for sealing, packages and letters.
#[derive(Clone, Copy)]
pub struct Exposed<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: Serialize> Serialize for Exposed<'_, Personal<T>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.expose().serialize(serializer)
    }
}

/// For `#[serde(with = "datarights::model::exposed")]`: serialises a [`Personal`] field in clear.
/// Only for types that are themselves sealed before they are stored.
pub mod exposed {
    use super::{Deserialize, Deserializer, Personal, Serialize, Serializer};

    /// Writes the value in clear.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Serialize, S: Serializer>(
        value: &Personal<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.expose().serialize(serializer)
    }

    /// Reads the value.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Personal<T>, D::Error> {
        Personal::deserialize(deserializer)
    }
}
