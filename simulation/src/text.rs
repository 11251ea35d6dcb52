//! What players type: titles, names, intentions. It is the only thing in a hero that may say who somebody is, so that it
//! has a type of its own: whoever stores a hero finds every text in the bytes, and can encrypt it there.
//!
//! In MessagePack a text is an extension value. People's formats (JSON) show it as a string.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Type of the MessagePack extension that holds a readable text, UTF-8.
pub const READABLE_EXT: i8 = 1;
/// Type of the one that holds an encrypted text.
pub const SEALED_EXT: i8 = 2;
/// How MessagePack's serializer is asked for an extension value.
const EXT_STRUCT: &str = "_ExtStruct";
/// What is shown of a text that cannot be read.
const UNREADABLE: &str = "(unreadable)";

/// A text that a player typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayerText {
    /// As it was typed.
    Readable(Box<str>),
    /// As it is stored. The rules carry it along: a history folds without its key, and after the key is gone. It is seldom,
    /// so it has the second box: a text is two words and not three.
    Sealed(Box<Box<[u8]>>),
}

impl PlayerText {
    /// The text; a sealed one shows that it cannot be read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Readable(text) => text,
            Self::Sealed(_) => UNREADABLE,
        }
    }
}

impl Default for PlayerText {
    fn default() -> Self {
        Self::Readable(Box::default())
    }
}

impl From<&str> for PlayerText {
    fn from(text: &str) -> Self {
        Self::Readable(text.into())
    }
}

impl From<String> for PlayerText {
    fn from(text: String) -> Self {
        Self::Readable(text.into())
    }
}

impl PartialEq<str> for PlayerText {
    fn eq(&self, text: &str) -> bool {
        matches!(self, Self::Readable(own) if **own == *text)
    }
}

impl PartialEq<&str> for PlayerText {
    fn eq(&self, text: &&str) -> bool {
        *self == **text
    }
}

impl fmt::Display for PlayerText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Bytes as bytes, not as a list of numbers.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Serialize for PlayerText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(self.as_str());
        }
        let (kind, bytes) = match self {
            Self::Readable(text) => (READABLE_EXT, text.as_bytes()),
            Self::Sealed(bytes) => (SEALED_EXT, &***bytes),
        };
        serializer.serialize_newtype_struct(EXT_STRUCT, &(kind, Bytes(bytes)))
    }
}

impl<'de> Deserialize<'de> for PlayerText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An extension, or a string: that is how events of schema version 1 and people's formats have it.
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = PlayerText;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, or an extension value that holds one")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PlayerText, E> {
        Ok(text.into())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, extension: D) -> Result<PlayerText, D::Error> {
        extension.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<PlayerText, A::Error> {
        let kind: i8 = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let OwnBytes(bytes) = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        match kind {
            READABLE_EXT => {
                let text =
                    core::str::from_utf8(&bytes).map_err(|_| de::Error::custom("a text is not UTF-8"))?;
                Ok(text.into())
            }
            SEALED_EXT => Ok(PlayerText::Sealed(Box::new(bytes))),
            _ => Err(de::Error::custom("an extension value that is no text")),
        }
    }
}

struct OwnBytes(Box<[u8]>);

impl<'de> Deserialize<'de> for OwnBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl Visitor<'_> for BytesVisitor {
            type Value = OwnBytes;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<OwnBytes, E> {
                Ok(OwnBytes(bytes.to_owned().into()))
            }
        }

        deserializer.deserialize_bytes(BytesVisitor)
    }
}
