//! Players: who they are, what happened to their heroes, and why a balance is what it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Players that were found.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PlayerPage {
    /// At most 50.
    pub players: Vec<PlayerRow>,
    /// Where the next page begins; nothing on the last one.
    pub next: Option<String>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PlayerRow {
    /// The hero.
    pub hero_id: String,
    /// Its name; nothing when it cannot be read (erased, or set aside).
    pub name: Option<String>,
    /// `guest`, `account`, `banned`, `erasing` or `unknown` (nobody's any more).
    pub kind: String,
    /// When it was made.
    pub created_at_ms: Option<i64>,
    /// When a device of it was last seen.
    pub last_seen_ms: Option<i64>,
    /// Sockets on this server.
    pub connections: u32,
}

/// One player.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Player {
    /// Its row.
    pub row: PlayerRow,
    /// The last event.
    pub last_seq: u64,
    /// Which server has the hero in memory, by name.
    pub owner: Option<String>,
    /// Why it is set aside, if it is.
    pub quarantined: Option<String>,
    /// The hero as its player sees it: `Hero` of the protocol. Nothing when it cannot be read.
    #[cfg_attr(test, ts(type = "unknown | null"))]
    pub hero: Option<Value>,
    /// Nothing for a guest.
    pub account: Option<AccountFacts>,
    /// Devices that may act.
    pub devices: Vec<Device>,
    /// Sockets that are open on this server.
    pub sockets: Vec<Socket>,
}

/// What is known of an account. The mail address is masked (`a…@example.org`).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AccountFacts {
    /// The account.
    pub account_id: String,
    /// Masked.
    pub mail: Option<String>,
    /// Whether it is shown to be the owner's.
    pub is_mail_verified: bool,
    /// Since when it may not log in.
    pub banned_at_ms: Option<i64>,
    /// When it will be erased.
    pub erase_at_ms: Option<i64>,
    /// When it was made.
    pub created_at_ms: i64,
}

/// A device that may act for a hero.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Device {
    /// The device.
    pub device_id: String,
    /// What the player calls it.
    pub name: String,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was last seen.
    pub last_seen_ms: i64,
}

/// An open socket.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Socket {
    /// Its number on this server.
    pub connection_id: String,
    /// Whose device it is.
    pub device_id: Option<String>,
    /// Since when.
    pub connected_at_ms: i64,
}

/// A page of a hero's journal.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Timeline {
    /// The last event there is.
    pub last_seq: u64,
    /// Newest first.
    pub events: Vec<TimelineEvent>,
    /// The `before` of the next page; nothing on the last one.
    pub before: Option<u64>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TimelineEvent {
    /// Its place in the journal.
    pub seq: u64,
    /// When it happened.
    pub at_ms: i64,
    /// What.
    pub kind: String,
    /// Why a balance changed.
    pub cause: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// Change of the energy balance.
    pub energy_me: i64,
    /// Change of the dopamine balance.
    pub dopamine_md: i64,
    /// The device's stream and the number of its command; nothing when time or the server did it.
    pub command: Option<(u64, u64)>,
    /// Which numbers were in force.
    pub catalogue_version: u32,
    /// The operator who did it.
    pub operator: Option<String>,
    /// All that the event says.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub body: Value,
}

/// A hero as it was.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HeroAt {
    /// After this event.
    pub seq: u64,
    /// When that happened.
    pub at_ms: i64,
    /// The hero as its player saw it then: `Hero` of the protocol.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub hero: Value,
    /// The sections that the event changed, as they were before it: `HeroPatch` of the protocol.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub before: Value,
}

/// Why a balance is what it is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Balance {
    /// What there is to spend.
    pub energy_me: i64,
    /// What there is to spend.
    pub dopamine_md: i64,
    /// By cause, the largest first; they add up to the balances.
    pub causes: Vec<CauseSum>,
    /// The last 100 changes, newest first.
    pub lines: Vec<BalanceLine>,
    /// Whether the sums and the hero agree; if not, something is wrong and `verify` says what.
    pub adds_up: bool,
}

/// What one cause added up to.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CauseSum {
    /// Why.
    pub cause: String,
    /// How often.
    pub count: u64,
    /// Energy in all.
    pub energy_me: i64,
    /// Dopamine in all.
    pub dopamine_md: i64,
}

/// One change, with the balances after it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BalanceLine {
    /// The event.
    pub seq: u64,
    /// When.
    pub at_ms: i64,
    /// What.
    pub kind: String,
    /// Why.
    pub cause: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// Change of energy.
    pub energy_me: i64,
    /// Change of dopamine.
    pub dopamine_md: i64,
    /// Energy after it.
    pub energy_balance_me: i64,
    /// Dopamine after it.
    pub dopamine_balance_md: i64,
}

/// A change of a hero's balances. Positive grants, negative takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Energy.
    pub energy_me: i64,
    /// Dopamine.
    pub dopamine_md: i64,
    /// The event that it takes back; the amounts must then be that event's, negated, so that whoever looks at the amounts
    /// sees what happens. An event can be taken back once.
    pub reverts: Option<u64>,
}

/// What a correction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Corrected {
    /// Its event in the hero's journal.
    pub seq: u64,
    /// Energy after it.
    pub energy_me: i64,
    /// Dopamine after it.
    pub dopamine_md: i64,
}

/// The service was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// From.
    pub from_ms: i64,
    /// Until.
    pub until_ms: i64,
}
