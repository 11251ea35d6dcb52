//! Bytes to messages and back.
//!
//! Encoding cannot fail. Decoding trusts nothing: before any type is built, one pass over the bytes (`scan`, no
//! recursion, no allocation) proves that the frame is exactly one sound MessagePack value within the limits of
//! [`crate::limit`], so that a frame of 8 KiB that announces 64 MiB, or nests 8,192 lists, costs a few microseconds.
//! Then serde builds the message and refuses unknown fields, wrong types and numbers out of range.
//!
//! An error says what is wrong, at which byte, and what follows from it: a frame that is not MessagePack ends the
//! socket, a sound frame that is not a message is refused with `rejected{malformed}` and nothing else happens.

mod scan;

use std::io::Cursor;

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::client::ClientMessage;
use crate::server::{Rejected, ServerMessage};
use crate::{close, code::RejectCode, limit};

/// Fields of client messages that are lists. Everywhere else a list would be a struct without field names, which is
/// refused because nobody could add a field to it.
const CLIENT_LISTS: &[&[u8]] = &[b"weekdays"];

/// Fields of client messages that hold a choice. A choice is its name or a map; serde would also take its position in
/// the enum, which changes whenever a variant is added above it.
const CLIENT_CHOICES: &[&[u8]] =
    &[b"body", b"mode", b"category", b"priority", b"recurrence", b"confirm_focus"];

/// The scan has already refused what is deeper; serde_derive looks a few levels further into each of them.
const SERDE_DEPTH_MAX: usize = 4 * limit::DEPTH_MAX;

const CLIENT_LIMITS: scan::Limits = scan::Limits {
    frame_bytes_max: limit::INBOUND_FRAME_BYTES_MAX,
    depth_max: limit::DEPTH_MAX,
    items_max: limit::ITEMS_MAX,
    string_bytes_max: limit::STRING_BYTES_MAX,
    lists: Some(CLIENT_LISTS),
    choices: CLIENT_CHOICES,
};

/// The server is trusted not to attack; these only stop a broken one from filling a client's memory.
const SERVER_LIMITS: scan::Limits = scan::Limits {
    frame_bytes_max: limit::OUTBOUND_FRAME_BYTES_MAX,
    depth_max: limit::DEPTH_MAX,
    items_max: 65_536,
    string_bytes_max: 65_536,
    lists: None,
    choices: &[],
};

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// More bytes than a frame may have.
    TooBig,
    /// The frame ends before the value that it announces.
    Truncated,
    /// The byte 0xc1, which MessagePack never uses.
    InvalidMarker,
    /// A string that is not UTF-8.
    InvalidText,
    /// Bytes after the value.
    TrailingBytes,
    /// Maps or lists nested too deep.
    TooDeep,
    /// A string over its limit.
    StringTooLong,
    /// A list or a map with too many entries.
    TooManyItems,
    /// A floating-point number.
    Float,
    /// Binary or extension data.
    Binary,
    /// A map whose key is not a string.
    KeyNotText,
    /// A list where a map with field names, or a plain value, belongs.
    UnexpectedList,
    /// A number beyond what every language can hold, or beyond its field.
    NumberOutOfRange,
    /// Sound MessagePack that is no message: unknown variant or field, missing field, wrong type.
    Shape,
}

impl DecodeErrorKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::TooBig,
        Self::Truncated,
        Self::InvalidMarker,
        Self::InvalidText,
        Self::TrailingBytes,
        Self::TooDeep,
        Self::StringTooLong,
        Self::TooManyItems,
        Self::Float,
        Self::Binary,
        Self::KeyNotText,
        Self::UnexpectedList,
        Self::NumberOutOfRange,
        Self::Shape,
    ];

    /// A stable name, for metrics and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooBig => "too_big",
            Self::Truncated => "truncated",
            Self::InvalidMarker => "invalid_marker",
            Self::InvalidText => "invalid_text",
            Self::TrailingBytes => "trailing_bytes",
            Self::TooDeep => "too_deep",
            Self::StringTooLong => "string_too_long",
            Self::TooManyItems => "too_many_items",
            Self::Float => "float",
            Self::Binary => "binary",
            Self::KeyNotText => "key_not_text",
            Self::UnexpectedList => "unexpected_list",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::Shape => "shape",
        }
    }

    /// What a server does about it.
    #[must_use]
    pub const fn consequence(self) -> Consequence {
        match self {
            Self::TooBig => Consequence::Close(close::TOO_BIG),
            Self::Truncated
            | Self::InvalidMarker
            | Self::InvalidText
            | Self::TrailingBytes
            | Self::TooDeep => Consequence::Close(close::INVALID_PAYLOAD),
            Self::StringTooLong
            | Self::TooManyItems
            | Self::Float
            | Self::Binary
            | Self::KeyNotText
            | Self::UnexpectedList
            | Self::NumberOutOfRange
            | Self::Shape => Consequence::Reject,
        }
    }
}

/// What a server does about a frame that it cannot decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// End the socket with this code; the command was certainly not applied.
    Close(u16),
    /// Answer with [`DecodeError::rejected`]; the socket goes on.
    Reject,
}

/// Why a frame is not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{hint} (byte {byte})")]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Where it was noticed, counted from 0.
    pub byte: usize,
    /// What is wrong and what belongs there, at most 240 characters without control characters.
    pub hint: String,
    /// The number of the command, if the frame is one and it could be found.
    pub cmd_seq: Option<u64>,
}

impl DecodeError {
    fn new(kind: DecodeErrorKind, byte: usize, hint: impl Into<String>) -> Self {
        Self { kind, byte, hint: hint.into(), cmd_seq: None }
    }

    /// The stable name of what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.as_str()
    }

    /// What a server does about it.
    #[must_use]
    pub const fn consequence(&self) -> Consequence {
        self.kind.consequence()
    }

    /// The code to close the socket with, or nothing if the frame is only refused.
    #[must_use]
    pub const fn close_code(&self) -> Option<u16> {
        match self.consequence() {
            Consequence::Close(code) => Some(code),
            Consequence::Reject => None,
        }
    }

    /// The answer to a frame whose consequence is [`Consequence::Reject`].
    #[must_use]
    pub fn rejected(&self) -> Rejected {
        Rejected {
            cmd_seq: self.cmd_seq,
            code: RejectCode::Malformed.as_str().into(),
            hint: self.to_string(),
            retry_after_ms: None,
        }
    }
}

/// Reads a frame from a client; strict.
///
/// # Errors
/// Says what is wrong, where, and what the server does about it.
pub fn decode_client(frame: &[u8]) -> Result<ClientMessage, DecodeError> {
    let scan = scan::scan(frame, &CLIENT_LIMITS)?;
    let with_cmd_seq = |mut error: DecodeError| {
        error.cmd_seq = scan.cmd_seq;
        error
    };
    if let Some(error) = scan.refusal {
        return Err(with_cmd_seq(error));
    }
    let message: ClientMessage = build(frame).map_err(with_cmd_seq)?;
    match out_of_range(&message) {
        Some(hint) => {
            Err(with_cmd_seq(DecodeError::new(DecodeErrorKind::NumberOutOfRange, frame.len(), hint)))
        }
        None => Ok(message),
    }
}

/// Reads a frame from a server; fields that are not known are ignored.
///
/// # Errors
/// Says what is wrong and where. A client skips a frame whose error is [`DecodeErrorKind::Shape`]: a newer server may
/// have messages that it does not know.
pub fn decode_server(frame: &[u8]) -> Result<ServerMessage, DecodeError> {
    scan::scan(frame, &SERVER_LIMITS)?;
    build(frame)
}

/// Writes a frame for the server.
#[must_use]
pub fn encode_client(message: &ClientMessage) -> Vec<u8> {
    let mut frame = Vec::with_capacity(128);
    write(message, &mut frame);
    frame
}

/// Writes a frame for a client. The bytes are shared, so that a frame for many sockets is written once.
#[must_use]
pub fn encode_server(message: &ServerMessage) -> Bytes {
    let mut frame = Vec::with_capacity(usual_bytes(message));
    write(message, &mut frame);
    frame.into()
}

/// Room that most messages of this kind fit into, so that their buffers do not grow while they are written.
fn usual_bytes(message: &ServerMessage) -> usize {
    match message {
        ServerMessage::Events(_) => 768,
        ServerMessage::Welcome(_) => 4 * 1024,
        _ => 64,
    }
}

/// Writes a frame for a client behind what is already in `buffer`, so that one allocation serves many frames.
pub fn encode_server_into(message: &ServerMessage, buffer: &mut Vec<u8>) {
    write(message, buffer);
}

fn write(message: &impl Serialize, buffer: &mut Vec<u8>) {
    rmp_serde::encode::write_named(buffer, message)
        .expect("memory takes every byte, and every type of this crate has a length");
}

fn build<T: DeserializeOwned>(frame: &[u8]) -> Result<T, DecodeError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(frame);
    deserializer.set_max_depth(SERDE_DEPTH_MAX);
    match T::deserialize(&mut deserializer) {
        // The scan has shown that the frame is one value, so that what is left of it, if anything, is a value too.
        Ok(message) if IgnoredAny::deserialize(&mut deserializer).is_err() => Ok(message),
        _ => build_with_position(frame),
    }
}

/// The same at twice the cost, for it reads byte after byte: this reader knows where it stands when something is wrong.
fn build_with_position<T: DeserializeOwned>(frame: &[u8]) -> Result<T, DecodeError> {
    let mut deserializer = rmp_serde::Deserializer::new(Cursor::new(frame));
    deserializer.set_max_depth(SERDE_DEPTH_MAX);
    let built = T::deserialize(&mut deserializer);
    let byte = usize::try_from(deserializer.position()).unwrap_or(frame.len()).min(frame.len());
    match built {
        Ok(message) if byte == frame.len() => Ok(message),
        Ok(_) => Err(DecodeError::new(
            DecodeErrorKind::Shape,
            byte,
            "the message ends here, but the value goes on",
        )),
        Err(error) => Err(DecodeError::new(DecodeErrorKind::Shape, byte, plain(&error.to_string()))),
    }
}

/// An error text that may quote the client: short, and without anything that could disturb a terminal or a log.
fn plain(text: &str) -> String {
    const CHARS_MAX: usize = 240;
    text.chars().filter(|character| !character.is_control()).take(CHARS_MAX).collect()
}

/// What serde's types cannot say about numbers and lengths of the frame itself. What a command's values may be is for
/// the rules of the game to say.
fn out_of_range(message: &ClientMessage) -> Option<&'static str> {
    match message {
        ClientMessage::Hello(hello) if hello.stream_id == 0 => Some("stream_id is 1 to 2^53 - 1"),
        ClientMessage::Hello(hello) if hello.client.chars().count() > limit::CLIENT_CHARS_MAX => {
            Some("client is at most 64 characters")
        }
        ClientMessage::Command(frame) if frame.cmd_seq == 0 => Some("cmd_seq is 1 to 2^53 - 1"),
        ClientMessage::Hello(_) | ClientMessage::Command(_) | ClientMessage::Ping(_) => None,
    }
}
