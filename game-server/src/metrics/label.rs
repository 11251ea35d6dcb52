//! Labels: each is an enum, so that nobody can put an id into one.

use persistence::redis::{Call, Lie, Outcome};

/// One label with a closed set of values.
pub trait Label: Copy + Eq + Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;
    /// All values.
    const ALL: &'static [Self];
    /// How a value is written.
    fn value(self) -> &'static str;
}

/// One label, or a pair of them.
pub trait LabelSet: Copy + Eq + Send + Sync + 'static {
    /// Every combination with its names and values.
    fn all() -> Vec<(Self, Vec<(&'static str, &'static str)>)>;
    /// Each label's name and values.
    fn labels() -> Vec<(&'static str, Vec<&'static str>)>;
}

impl<L: Label> LabelSet for L {
    fn all() -> Vec<(Self, Vec<(&'static str, &'static str)>)> {
        L::ALL.iter().map(|label| (*label, vec![(L::NAME, label.value())])).collect()
    }

    fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        vec![(L::NAME, L::ALL.iter().map(|label| label.value()).collect())]
    }
}

impl<A: Label, B: Label> LabelSet for (A, B) {
    fn all() -> Vec<(Self, Vec<(&'static str, &'static str)>)> {
        let pairs = A::ALL.iter().flat_map(|a| B::ALL.iter().map(move |b| (*a, *b)));
        pairs.map(|(a, b)| ((a, b), vec![(A::NAME, a.value()), (B::NAME, b.value())])).collect()
    }

    fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
        [A::labels(), B::labels()].concat()
    }
}

macro_rules! label {
    ($(#[$doc:meta])* $type:ident as $name:literal { $($(#[$value_doc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$value_doc])* $variant,)* }

        impl Label for $type {
            const NAME: &'static str = $name;
            const ALL: &'static [Self] = &[$($type::$variant,)*];

            fn value(self) -> &'static str {
                match self { $($type::$variant => $value,)* }
            }
        }
    };
}

mod command;
pub use command::CommandKind;

label! {
    /// What became of a command.
    CommandOutcome as "outcome" {
        /// Applied and on disk.
        Durable = "durable",
        /// Had been applied before.
        Duplicate = "duplicate",
        /// Refused, certainly not applied.
        Rejected = "rejected",
    }
}

label! {
    /// Why a frame was refused.
    RejectionCode as "code" {
        /// By the game's rules.
        Rules = "rules",
        /// No message.
        Malformed = "malformed",
        /// Something else before `hello`.
        HelloExpected = "hello_expected",
        /// A second `hello`.
        HelloRepeated = "hello_repeated",
        /// A gap in the stream of commands.
        OutOfOrder = "out_of_order",
        /// A stream of commands that the hero no longer knows.
        StreamForgotten = "stream_forgotten",
        /// Too fast.
        Rate = "rate",
        /// A queue is full.
        Busy = "busy",
        /// The store is away.
        ReadOnly = "read_only",
        /// The hero is set aside.
        Quarantined = "quarantined",
        /// A mistake of ours.
        Internal = "internal",
    }
}

impl RejectionCode {
    /// The class of a code of the wire.
    pub fn of(code: &str) -> RejectionCode {
        Self::ALL.iter().copied().find(|label| label.value() == code).unwrap_or(RejectionCode::Rules)
    }
}

label! {
    /// A route of the players' listener.
    Route as "route" {
        /// `POST /v1/guests`
        Guests = "guests",
        /// `POST /v1/ws-ticket`
        WsTicket = "ws_ticket",
        /// `/v1/auth/…`
        Auth = "auth",
        /// `/v1/me…`
        Me = "me",
        /// `GET /v1/avatars/…`
        Avatars = "avatars",
        /// `GET /v1/catalogue`
        Catalogue = "catalogue",
        /// `GET /v1/ws`
        Socket = "ws",
        /// `GET /health`
        Health = "health",
        /// `GET /ready`
        Ready = "ready",
        /// The web client, and what does not exist.
        Other = "other",
    }
}

impl Route {
    /// The label of a route's path in the router.
    pub fn of(path: Option<&str>) -> Route {
        match path {
            Some("/v1/guests") => Route::Guests,
            Some("/v1/ws-ticket") => Route::WsTicket,
            Some(path) if path.starts_with("/v1/auth/") => Route::Auth,
            Some(path) if path.starts_with("/v1/me") => Route::Me,
            Some("/v1/avatars/{key}") => Route::Avatars,
            Some("/v1/catalogue") => Route::Catalogue,
            Some("/v1/ws") => Route::Socket,
            Some("/health") => Route::Health,
            Some("/ready") => Route::Ready,
            _ => Route::Other,
        }
    }
}

label! {
    /// What Redis was asked.
    RedisCall as "call" {
        /// A hot snapshot was read.
        GetSnapshot = "get_snapshot",
        /// A hot snapshot was written.
        PutSnapshot = "put_snapshot",
        /// Where a hero is played was read.
        GetAt = "get_at",
        /// Where a hero is played was written.
        PutAt = "put_at",
        /// The servers were listed.
        GetPresence = "get_presence",
        /// This server said that it is there.
        PutPresence = "put_presence",
        /// A counter over all servers was raised.
        Count = "count",
        /// A hint was sent.
        SendHint = "send_hint",
        /// A hint came.
        HearHint = "hear_hint",
        /// A value that was not believed was deleted.
        Forget = "forget",
    }
}

impl RedisCall {
    /// The label of a call.
    pub fn of(call: Call) -> RedisCall {
        match call {
            Call::GetSnapshot => RedisCall::GetSnapshot,
            Call::PutSnapshot => RedisCall::PutSnapshot,
            Call::GetAt => RedisCall::GetAt,
            Call::PutAt => RedisCall::PutAt,
            Call::GetPresence => RedisCall::GetPresence,
            Call::PutPresence => RedisCall::PutPresence,
            Call::Count => RedisCall::Count,
            Call::SendHint => RedisCall::SendHint,
            Call::HearHint => RedisCall::HearHint,
            Call::Forget => RedisCall::Forget,
        }
    }
}

label! {
    /// How a call of Redis ended.
    RedisOutcome as "outcome" {
        /// Done, or found.
        Done = "done",
        /// Not there.
        Absent = "absent",
        /// Not sent: Redis is away.
        Away = "away",
        /// Not sent, or not heard: a queue is full, or the value too large.
        Full = "full",
        /// No answer in time.
        Slow = "slow",
        /// The connection broke, or Redis said no.
        Failed = "failed",
        /// Not sealed by us for this place.
        BadSeal = "bad_seal",
        /// Nothing of ours.
        Nonsense = "nonsense",
        /// Larger than anything of ours.
        TooLarge = "too_large",
    }
}

impl RedisOutcome {
    /// The label of an outcome.
    pub fn of(outcome: Outcome) -> RedisOutcome {
        match outcome {
            Outcome::Done => RedisOutcome::Done,
            Outcome::Absent => RedisOutcome::Absent,
            Outcome::Away => RedisOutcome::Away,
            Outcome::Full => RedisOutcome::Full,
            Outcome::Slow => RedisOutcome::Slow,
            Outcome::Failed => RedisOutcome::Failed,
            Outcome::Lied(Lie::BadSeal) => RedisOutcome::BadSeal,
            Outcome::Lied(Lie::Nonsense) => RedisOutcome::Nonsense,
            Outcome::Lied(Lie::TooLarge) => RedisOutcome::TooLarge,
        }
    }
}

label! {
    /// The hundreds of an HTTP status.
    StatusClass as "status" {
        /// Switched protocols.
        Informational = "1xx",
        /// Done.
        Success = "2xx",
        /// Elsewhere, or not changed.
        Redirection = "3xx",
        /// The client's mistake.
        ClientError = "4xx",
        /// Ours.
        ServerError = "5xx",
    }
}

impl StatusClass {
    /// The class of a status.
    pub fn of(status: u16) -> StatusClass {
        match status {
            0..=199 => StatusClass::Informational,
            200..=299 => StatusClass::Success,
            300..=399 => StatusClass::Redirection,
            400..=499 => StatusClass::ClientError,
            _ => StatusClass::ServerError,
        }
    }
}
