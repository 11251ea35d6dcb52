//! One pass over the bytes of a frame before any type is built.
//!
//! rmp-serde believes what a frame announces: it has no limit for lists and strings, ignores bytes behind the value and
//! recurses as deep as the data. So this walks the markers first, with a fixed stack of [`limit::DEPTH_MAX`] places,
//! allocating nothing. Its time is linear in the bytes that are really there, never in what they announce.
//!
//! Two kinds of findings: *damage* (the bytes are not one MessagePack value) ends the walk at once; a *refusal* (sound,
//! but nothing that a client may send) is remembered while the walk goes on, because the command's number may follow.

use super::{DecodeError, DecodeErrorKind as Kind};
use crate::limit;

/// What a frame may hold.
pub(super) struct Limits {
    pub(super) frame_bytes_max: usize,
    pub(super) depth_max: usize,
    pub(super) items_max: usize,
    pub(super) string_bytes_max: usize,
    /// The fields that may be lists, or nothing if any may, and floats and other types too.
    pub(super) lists: Option<&'static [&'static [u8]]>,
    /// The fields in which a number is refused, because they hold the name of a choice.
    pub(super) choices: &'static [&'static [u8]],
}

/// What the walk found out about a sound value.
#[derive(Debug)]
pub(super) struct Scan {
    /// `command.cmd_seq`, if the frame has one.
    pub(super) cmd_seq: Option<u64>,
    /// The first thing that a client may not send.
    pub(super) refusal: Option<DecodeError>,
}

/// One marker with what belongs to it.
enum Token<'a> {
    Nil,
    Boolean,
    Unsigned(u64),
    Signed(i64),
    Float,
    Text(&'a [u8]),
    /// Binary or extension data; its bytes are already behind us.
    Binary,
    List(u32),
    Map(u32),
}

/// An open map or list.
#[derive(Clone, Copy, Default)]
struct Open<'a> {
    /// Values still to come; a map's keys and values both count, so an even number means "a key is next".
    left: u64,
    is_map: bool,
    /// The map's last key.
    key: &'a [u8],
}

struct Walk<'a, 'l> {
    bytes: &'a [u8],
    at: usize,
    limits: &'l Limits,
    open: [Open<'a>; limit::DEPTH_MAX],
    depth: usize,
    cmd_seq: Option<u64>,
    refusal: Option<DecodeError>,
}

/// Walks the whole frame.
pub(super) fn scan(frame: &[u8], limits: &Limits) -> Result<Scan, DecodeError> {
    if frame.len() > limits.frame_bytes_max {
        let hint = format!("a frame has at most {} bytes", limits.frame_bytes_max);
        return Err(DecodeError::new(Kind::TooBig, limits.frame_bytes_max, hint));
    }
    let mut walk = Walk {
        bytes: frame,
        at: 0,
        limits,
        open: [Open::default(); limit::DEPTH_MAX],
        depth: 0,
        cmd_seq: None,
        refusal: None,
    };
    loop {
        walk.value()?;
        while let Some(top) = walk.top()
            && top.left == 0
        {
            walk.depth -= 1;
        }
        if walk.depth == 0 {
            break;
        }
    }
    if walk.at < frame.len() {
        return Err(DecodeError::new(
            Kind::TrailingBytes,
            walk.at,
            "one frame is one value; more bytes follow it",
        ));
    }
    Ok(Scan { cmd_seq: walk.cmd_seq, refusal: walk.refusal })
}

impl<'a> Walk<'a, '_> {
    fn top(&mut self) -> Option<&mut Open<'a>> {
        self.depth.checked_sub(1).and_then(|index| self.open.get_mut(index))
    }

    fn refuse(&mut self, kind: Kind, byte: usize, hint: impl Into<String>) {
        if self.limits.lists.is_some() && self.refusal.is_none() {
            self.refusal = Some(DecodeError::new(kind, byte, hint));
        }
    }

    /// Reads one marker and puts it where it belongs.
    fn value(&mut self) -> Result<(), DecodeError> {
        let byte = self.at;
        let is_root = self.depth == 0;
        let mut is_key = false;
        if let Some(top) = self.top() {
            is_key = top.is_map && top.left % 2 == 0;
            top.left -= 1;
        }
        let token = self.token()?;
        if is_root && !matches!(token, Token::Map(1)) {
            self.refuse(Kind::Shape, byte, "the outermost value is a map with one key, the message's name");
        }
        if is_key {
            return self.key(&token, byte);
        }
        if matches!(token, Token::Unsigned(_) | Token::Signed(_)) {
            let key = self.top().map_or(&b""[..], |top| top.key);
            if self.limits.choices.contains(&key) {
                self.refuse(Kind::Shape, byte, "a choice is given by its name, never by a number");
            }
        }
        match token {
            Token::Nil | Token::Boolean => {}
            Token::Unsigned(number) => {
                self.find_cmd_seq(number);
                if number > limit::INTEGER_MAX {
                    self.refuse(Kind::NumberOutOfRange, byte, "numbers are at most 2^53 - 1");
                }
            }
            Token::Signed(number) => {
                if number.unsigned_abs() > limit::INTEGER_MAX {
                    self.refuse(Kind::NumberOutOfRange, byte, "numbers are at least -(2^53 - 1)");
                }
            }
            Token::Float => self.refuse(Kind::Float, byte, "every number is a whole number, never a float"),
            Token::Binary => {
                self.refuse(Kind::Binary, byte, "binary and extension data are not used; send a string")
            }
            Token::Text(text) => self.text(text, byte)?,
            Token::List(length) => {
                let key = self.top().map_or(&b""[..], |top| top.key);
                if self.limits.lists.is_some_and(|lists| is_root || !lists.contains(&key)) {
                    self.refuse(
                        Kind::UnexpectedList,
                        byte,
                        "a list is not expected here; send a map with field names",
                    );
                }
                self.enter(length, false, byte)?;
            }
            Token::Map(length) => self.enter(length, true, byte)?,
        }
        Ok(())
    }

    fn key(&mut self, token: &Token<'a>, byte: usize) -> Result<(), DecodeError> {
        match *token {
            Token::Text(text) => {
                self.text(text, byte)?;
                if let Some(top) = self.top() {
                    top.key = text;
                }
            }
            Token::List(length) => {
                self.refuse(Kind::KeyNotText, byte, "a map's keys are strings");
                self.enter(length, false, byte)?;
            }
            Token::Map(length) => {
                self.refuse(Kind::KeyNotText, byte, "a map's keys are strings");
                self.enter(length, true, byte)?;
            }
            Token::Nil
            | Token::Boolean
            | Token::Unsigned(_)
            | Token::Signed(_)
            | Token::Float
            | Token::Binary => self.refuse(Kind::KeyNotText, byte, "a map's keys are strings"),
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8], byte: usize) -> Result<(), DecodeError> {
        if let Err(error) = std::str::from_utf8(text) {
            let at = self.at - text.len() + error.valid_up_to();
            return Err(DecodeError::new(Kind::InvalidText, at, "a string is not UTF-8"));
        }
        if text.len() > self.limits.string_bytes_max {
            let hint = format!("a string has at most {} bytes", self.limits.string_bytes_max);
            self.refuse(Kind::StringTooLong, byte, hint);
        }
        Ok(())
    }

    fn enter(&mut self, length: u32, is_map: bool, byte: usize) -> Result<(), DecodeError> {
        let left = u64::from(length) * if is_map { 2 } else { 1 };
        // Each value takes a byte at least, so a huge announcement is found out before it costs anything.
        if left > (self.bytes.len() - self.at) as u64 {
            return Err(truncated(self.bytes.len()));
        }
        if length as usize > self.limits.items_max {
            let hint = format!("a list or map has at most {} entries", self.limits.items_max);
            self.refuse(Kind::TooManyItems, byte, hint);
        }
        if self.depth >= self.limits.depth_max {
            let hint = format!("maps and lists nest at most {} deep", self.limits.depth_max);
            return Err(DecodeError::new(Kind::TooDeep, byte, hint));
        }
        if let Some(place) = self.open.get_mut(self.depth) {
            *place = Open { left, is_map, key: b"" };
            self.depth += 1;
        }
        Ok(())
    }

    /// `{"command": {"cmd_seq": n, …}}`: remembered so that a refusal can name the command.
    fn find_cmd_seq(&mut self, number: u64) {
        if let [command, frame, ..] = &self.open
            && self.depth == 2
            && command.key == b"command"
            && frame.key == b"cmd_seq"
            && number <= limit::INTEGER_MAX
        {
            self.cmd_seq = Some(number);
        }
    }

    fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        let byte = self.at;
        let [marker] = self.take::<1>()?;
        Ok(match marker {
            0x00..=0x7f => Token::Unsigned(u64::from(marker)),
            0x80..=0x8f => Token::Map(u32::from(marker & 0x0f)),
            0x90..=0x9f => Token::List(u32::from(marker & 0x0f)),
            0xa0..=0xbf => Token::Text(self.skip(u64::from(marker & 0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => {
                return Err(DecodeError::new(Kind::InvalidMarker, byte, "0xc1 is not used in MessagePack"));
            }
            0xc2 | 0xc3 => Token::Boolean,
            0xc4 => self.binary::<1>(0)?,
            0xc5 => self.binary::<2>(0)?,
            0xc6 => self.binary::<4>(0)?,
            0xc7 => self.binary::<1>(1)?,
            0xc8 => self.binary::<2>(1)?,
            0xc9 => self.binary::<4>(1)?,
            0xca => self.skip(4).map(|_| Token::Float)?,
            0xcb => self.skip(8).map(|_| Token::Float)?,
            0xcc => Token::Unsigned(self.number::<1>()?),
            0xcd => Token::Unsigned(self.number::<2>()?),
            0xce => Token::Unsigned(self.number::<4>()?),
            0xcf => Token::Unsigned(self.number::<8>()?),
            0xd0 => Token::Signed(i64::from(i8::from_be_bytes(self.take()?))),
            0xd1 => Token::Signed(i64::from(i16::from_be_bytes(self.take()?))),
            0xd2 => Token::Signed(i64::from(i32::from_be_bytes(self.take()?))),
            0xd3 => Token::Signed(i64::from_be_bytes(self.take()?)),
            0xd4..=0xd8 => self.skip(1 + (1 << (marker - 0xd4))).map(|_| Token::Binary)?,
            0xd9 => self.long_text::<1>()?,
            0xda => self.long_text::<2>()?,
            0xdb => self.long_text::<4>()?,
            0xdc => Token::List(u32::from(u16::from_be_bytes(self.take()?))),
            0xdd => Token::List(u32::from_be_bytes(self.take()?)),
            0xde => Token::Map(u32::from(u16::from_be_bytes(self.take()?))),
            0xdf => Token::Map(u32::from_be_bytes(self.take()?)),
            0xe0..=0xff => Token::Signed(i64::from(i8::from_be_bytes([marker]))),
        })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let taken = self.skip(N as u64)?;
        <[u8; N]>::try_from(taken).map_err(|_| truncated(self.bytes.len()))
    }

    fn skip(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length))
            .and_then(|end| self.bytes.get(self.at..end))
            .ok_or_else(|| truncated(self.bytes.len()))?;
        self.at += taken.len();
        Ok(taken)
    }

    /// A big-endian number of `N` bytes.
    fn number<const N: usize>(&mut self) -> Result<u64, DecodeError> {
        Ok(self.take::<N>()?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn long_text<const N: usize>(&mut self) -> Result<Token<'a>, DecodeError> {
        let length = self.number::<N>()?;
        self.skip(length).map(Token::Text)
    }

    /// `extra` is 1 for extension data, which has a byte for its type.
    fn binary<const N: usize>(&mut self, extra: u64) -> Result<Token<'a>, DecodeError> {
        let length = self.number::<N>()?;
        self.skip(length + extra).map(|_| Token::Binary)
    }
}

fn truncated(bytes: usize) -> DecodeError {
    DecodeError::new(Kind::Truncated, bytes, "the frame ends before the value that it announces")
}
