//! An answer of the server: read into a type, and as it came for whoever passes it on. Fields
//! that this gatepost does not know are kept there.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// An answer of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// The JSON as the server sent it, its fields in their order.
    pub json: Value,
}

impl<T: DeserializeOwned> Answer<T> {
    /// Reads `json`; the error says what is missing.
    pub(super) fn read(json: Value) -> Result<Answer<T>, serde_json::Error> {
        Ok(Answer {
            value: T::deserialize(&json)?,
            json,
        })
    }
}
