//! Every number that bounds what may be on the wire.

/// A frame from a client, in bytes. Larger: close 1009.
pub const INBOUND_FRAME_BYTES_MAX: usize = 8 * 1024;
/// The first frame, `hello`, in bytes. Larger: close 4001.
pub const HELLO_FRAME_BYTES_MAX: usize = 1024;
/// A frame from the server, in bytes.
pub const OUTBOUND_FRAME_BYTES_MAX: usize = 1024 * 1024;
/// How deep maps and lists may nest, the outermost counted.
pub const DEPTH_MAX: usize = 16;
/// Entries of one list or map from a client.
pub const ITEMS_MAX: usize = 256;
/// One string from a client, in bytes of UTF-8.
pub const STRING_BYTES_MAX: usize = 1024;
/// Largest whole number on the wire, 2^53 − 1: what every language can hold exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// How long a fresh socket may wait before it sends `hello`.
pub const HELLO_WITHIN_MS: u32 = 3_000;
/// How long a ticket from `POST /v1/ws-ticket` lives.
pub const TICKET_LIFETIME_MS: u32 = 30_000;
/// Frames a second on one socket.
pub const MESSAGES_PER_SECOND: u32 = 30;
/// Frames at once on one socket.
pub const MESSAGES_BURST: u32 = 60;
/// Bytes a second on one socket.
pub const BYTES_PER_SECOND: u32 = 16 * 1024;
/// Bytes at once on one socket.
pub const BYTES_BURST: u32 = 64 * 1024;
/// Commands a second.
pub const COMMANDS_PER_SECOND: u32 = 10;
/// Commands at once.
pub const COMMANDS_BURST: u32 = 20;
/// `ping` messages a second.
pub const PINGS_PER_SECOND: u32 = 2;

/// Command streams (devices) that a hero remembers.
pub const STREAMS_MAX: usize = 4;
/// Results that the server remembers for each stream, to answer `duplicate`.
pub const RESULTS_PER_STREAM_MAX: usize = 64;

/// `hello.client`, in characters.
pub const CLIENT_CHARS_MAX: usize = 64;
/// A task's title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;
/// What a session is for, in characters.
pub const INTENTION_CHARS_MAX: usize = 200;
/// A hero's name and a preset's name, in characters.
pub const NAME_CHARS_MAX: usize = 40;
/// The short code of a shared rack, in characters.
pub const PRESET_CODE_CHARS_MAX: usize = 512;
