//! Identifiers: one type a noun, so that a session's can never be taken for a user's.

use std::time::Duration;

/// How long after the moment that a record tells its name may be drawn: lists that are in the order
/// of the one and are read in that of the other look so much further.
pub const DRAWN_WITHIN: Duration = Duration::from_secs(1);

/// Declares an identifier: 128 bits that sort by the time they were drawn, written as a short
/// prefix, an underscore and 26 characters of Crockford's base 32 (`us_01J8ZC4T…`).
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(ulid::Ulid);

        impl $name {
            /// What every identifier of this kind starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new one.
            pub fn draw(world: &$crate::world::World) -> $name {
                $name(world.ulid())
            }

            /// Its sixteen bytes, which sort as the identifiers do.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }

            /// The identifier of these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> $name {
                $name(ulid::Ulid::from_bytes(bytes))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.to_string())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::MalformedId;

            fn from_str(text: &str) -> Result<$name, $crate::id::MalformedId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| ulid::Ulid::from_string(rest).ok())
                    .map($name)
                    .ok_or($crate::id::MalformedId { prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::id::MalformedId;

            fn try_from(text: String) -> Result<$name, $crate::id::MalformedId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl $crate::store::Key for $name {
            fn encode(&self, into: &mut Vec<u8>) {
                into.extend_from_slice(&self.to_bytes());
            }

            fn decode(from: &mut &[u8]) -> Result<$name, $crate::store::Error> {
                <[u8; 16] as $crate::store::Key>::decode(from).map($name::from_bytes)
            }
        }
    };
}
pub(crate) use identifier;

/// The text is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {prefix}_ and 26 letters and digits")]
pub struct MalformedId {
    /// What the identifier should have started with.
    pub prefix: &'static str,
}

#[cfg(test)]
mod tests {
    use crate::world::Simulated;

    identifier!(
        /// For this test.
        ThingId,
        "th"
    );

    #[test]
    fn the_text_form_goes_both_ways_and_refuses_other_kinds() {
        let id = ThingId::draw(&Simulated::new(1).world());
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 29);
        assert!(
            id.to_string()
                .replace("th_", "us_")
                .parse::<ThingId>()
                .is_err()
        );
        assert_eq!(ThingId::from_bytes(id.to_bytes()), id);
    }
}
