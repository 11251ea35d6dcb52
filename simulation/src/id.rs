//! Names of catalogue entries: short, inline, copyable.
//!
//! Every entry of the catalogue has a name of lowercase letters, digits and underscores. It is part of saved
//! heroes and of the wire, so it is a string there; here it is 24 bytes on the stack, so that a module can be
//! named in an event without allocating.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name in bytes.
pub const NAME_BYTES_MAX: usize = 24;

/// A lowercase name of 1 to [`NAME_BYTES_MAX`] bytes out of `a-z`, `0-9` and `_`. Unused bytes are zero, so that
/// the derived order is the order of the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name([u8; NAME_BYTES_MAX]);

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text has no character.
    #[error("a name must not be empty")]
    Empty,
    /// The text is longer than [`NAME_BYTES_MAX`] bytes.
    #[error("a name has at most {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// The text has a character outside of `a-z`, `0-9` and `_`.
    #[error("a name has only a-z, 0-9 and _")]
    Character,
}

impl Name {
    const fn new(text: &str) -> Result<Self, NameError> {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Err(NameError::Empty);
        }
        if bytes.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong);
        }
        let mut inline = [0; NAME_BYTES_MAX];
        let mut index = 0;
        while index < bytes.len() {
            let byte = bytes[index];
            if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
                return Err(NameError::Character);
            }
            inline[index] = byte;
            index += 1;
        }
        Ok(Self(inline))
    }

    fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES_MAX);
        core::str::from_utf8(&self.0[..len]).expect("a name is checked to be ASCII when it is made")
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a name of 1 to {NAME_BYTES_MAX} characters out of a-z, 0-9 and _")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Name, E> {
        Name::new(text).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// Declares one kind of name. Kinds do not mix: a module's name is no achievement's name.
macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(Name);

        // `Borrow<str>` asks that a name hashes as its text does.
        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl $type {
            /// Checks a text and makes a name of it.
            ///
            /// # Errors
            /// Says which rule of names the text breaks.
            pub const fn new(text: &str) -> Result<Self, NameError> {
                match Name::new(text) {
                    Ok(name) => Ok(Self(name)),
                    Err(error) => Err(error),
                }
            }

            /// A name that is written in the source; a bad one is a bug and does not compile in a `const`.
            #[must_use]
            pub const fn literal(text: &str) -> Self {
                match Name::new(text) {
                    Ok(name) => Self(name),
                    Err(_) => panic!("a literal name must be 1 to 24 of a-z, 0-9 and _"),
                }
            }

            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        // Allows `map.get("gen_sine")`; the order of the bytes is the order of the text.
        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(NameVisitor).map(Self)
            }
        }
    };
}

name_type! {
    /// The name of a module, such as `gen_sine`. In version 1 a hero owns at most one copy of each module, so it
    /// is also the instance id.
    ModuleId
}
name_type! {
    /// The name of an achievement, such as `first_spark`.
    AchievementId
}
name_type! {
    /// The name of a skin or a cable colour, such as `cable_coral`.
    CosmeticId
}

/// The id of a hero, 16 bytes that the rules only compare: a hero does not know its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HeroKey(pub [u8; Self::BYTES]);

impl HeroKey {
    /// Its size.
    pub const BYTES: usize = 16;
}

impl fmt::Display for HeroKey {
    /// As a UUID is written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}
