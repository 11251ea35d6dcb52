//! Why a socket ends, as WebSocket close codes, and what a client does about each.

/// Ended on purpose: the client is done, or the player logged out.
pub const NORMAL: u16 = 1000;
/// This end goes away without a plan to come back: a page that is closed, a server that is switched off.
pub const GOING_AWAY: u16 = 1001;
/// A text frame: only binary ones are spoken here.
pub const UNSUPPORTED_DATA: u16 = 1003;
/// A frame that is not exactly one sound MessagePack value.
pub const INVALID_PAYLOAD: u16 = 1007;
/// More sockets of one hero than are kept: the oldest one leaves. Coming back by itself would push out another.
pub const POLICY: u16 = 1008;
/// A frame over the limit, see [`crate::limit::INBOUND_FRAME_BYTES_MAX`].
pub const TOO_BIG: u16 = 1009;
/// The server found a mistake of its own; the hero is unharmed.
pub const INTERNAL: u16 = 1011;
/// The server restarts: everything is on disk, `going_away` said when to come back.
pub const RESTART: u16 = 1012;
/// No room: too many sockets, or this one reads too slowly.
pub const OVERLOAD: u16 = 1013;
/// The ticket is missing, used, expired or wrong, or the login ended.
pub const UNAUTHENTICATED: u16 = 4001;
/// The player is locked out by an operator.
pub const BANNED: u16 = 4003;
/// Another server writes for this hero now.
pub const MOVED: u16 = 4004;
/// Over the limits three times in 10 s.
pub const RATE: u16 = 4008;

/// What a client does when a socket was closed. Every new socket needs a new ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Stay away until the player does something.
    Stop,
    /// Come back with a growing, jittered delay of 0.5 to 30 s.
    Backoff,
    /// Come back at once, then with a growing delay.
    Now,
    /// Come back after `going_away.reconnect_after_ms`; without one, as in `Backoff`.
    AfterGoingAway,
    /// Fetch a new ticket; if that is refused with 401, log in again, keeping queued commands.
    NewTicket,
    /// A mistake of the client: do not repeat the frame, report it, come back after 30 s.
    FixClient,
    /// Come back after 10 s or more and send slower.
    SlowDown,
}

impl Reaction {
    /// The name in the documents and in the generated TypeScript.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Backoff => "backoff",
            Self::Now => "now",
            Self::AfterGoingAway => "after_going_away",
            Self::NewTicket => "new_ticket",
            Self::FixClient => "fix_client",
            Self::SlowDown => "slow_down",
        }
    }
}

/// One close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The number on the wire.
    pub code: u16,
    /// Its name in the documents, in logs and in the generated TypeScript.
    pub name: &'static str,
    /// What a client does.
    pub reaction: Reaction,
}

/// Every close code that the server uses, in numeric order.
pub const ALL: [Close; 13] = [
    Close { code: NORMAL, name: "normal", reaction: Reaction::Stop },
    Close { code: GOING_AWAY, name: "going_away", reaction: Reaction::Backoff },
    Close { code: UNSUPPORTED_DATA, name: "unsupported_data", reaction: Reaction::FixClient },
    Close { code: INVALID_PAYLOAD, name: "invalid_payload", reaction: Reaction::FixClient },
    Close { code: POLICY, name: "policy", reaction: Reaction::Stop },
    Close { code: TOO_BIG, name: "too_big", reaction: Reaction::FixClient },
    Close { code: INTERNAL, name: "internal", reaction: Reaction::Backoff },
    Close { code: RESTART, name: "restart", reaction: Reaction::AfterGoingAway },
    Close { code: OVERLOAD, name: "overload", reaction: Reaction::Backoff },
    Close { code: UNAUTHENTICATED, name: "unauthenticated", reaction: Reaction::NewTicket },
    Close { code: BANNED, name: "banned", reaction: Reaction::Stop },
    Close { code: MOVED, name: "moved", reaction: Reaction::Now },
    Close { code: RATE, name: "rate", reaction: Reaction::SlowDown },
];
