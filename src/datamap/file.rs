//! The file form: TOML and JSON, field by field what the types are.

use super::{DataMap, MapFileError};

impl DataMap {
    /// The JSON Schema (draft 2020-12) of the file form, for editors and other tools.
    pub const fn json_schema() -> &'static str {
        include_str!("schema.json")
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// [`MapFileError::Malformed`] with the place, [`MapFileError::Wrong`] for a map that
    /// [`DataMap::validate`] refuses.
    pub fn from_toml(text: &str) -> Result<Self, MapFileError> {
        let map: Self =
            toml::from_str(text).map_err(|error| MapFileError::Malformed(error.to_string()))?;
        map.validate()?;
        Ok(map)
    }

    /// Writes TOML.
    ///
    /// # Errors
    /// [`MapFileError::Unwritable`].
    pub fn to_toml(&self) -> Result<String, MapFileError> {
        toml::to_string_pretty(self).map_err(|error| MapFileError::Unwritable(error.to_string()))
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// As [`DataMap::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, MapFileError> {
        let map: Self = serde_json::from_str(text)
            .map_err(|error| MapFileError::Malformed(error.to_string()))?;
        map.validate()?;
        Ok(map)
    }

    /// Writes JSON.
    ///
    /// # Errors
    /// [`MapFileError::Unwritable`].
    pub fn to_json(&self) -> Result<String, MapFileError> {
        serde_json::to_string_pretty(self)
            .map_err(|error| MapFileError::Unwritable(error.to_string()))
    }
}
