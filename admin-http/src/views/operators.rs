//! Operators, what they did, and what waits for a second one of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Correction;

/// What an operator may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at the server, and at no player.
    Viewer,
    /// Looks at players and helps them.
    Support,
    /// Changes what players have, and how the service goes on.
    Operator,
    /// Says who the operators are.
    Owner,
}

impl Role {
    /// All of them, from the least to the most.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Support, Role::Operator, Role::Owner];

    /// As it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Support => "support",
            Role::Operator => "operator",
            Role::Owner => "owner",
        }
    }

    /// From how it is written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// There is no operator yet: the first one comes with a token of the command line.
    Setup,
    /// Nobody is logged in here.
    Anonymous,
    /// Somebody is.
    SignedIn,
}

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SignedIn {
    /// The operator's name.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// The login of this browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Session {
    /// Whether somebody is there.
    pub state: SessionState,
    /// Who.
    pub operator: Option<SignedIn>,
    /// What the header `x-csrf-token` of everything that changes something must hold.
    pub csrf_token: Option<String>,
    /// `development`, `staging` or `production`.
    pub environment: String,
    /// When it ends unless something is asked before.
    pub idle_until_ms: Option<i64>,
    /// When it ends at the latest.
    pub ends_at_ms: Option<i64>,
}

/// What somebody who was invited gets to see before becoming an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SetupOffer {
    /// The name that the invitation says.
    pub name: String,
    /// The role that the invitation says.
    pub role: Role,
    /// For the authenticator, in base32. It is shown once and not kept before it was confirmed.
    pub totp_secret: String,
    /// The same as an address for a QR code.
    pub totp_uri: String,
}

/// One operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Operator {
    /// The name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when.
    pub created_at_ms: i64,
    /// When it last logged in.
    pub last_login_ms: Option<i64>,
    /// Whether it may not log in any more.
    pub is_disabled: bool,
}

/// What lets somebody become an operator, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Invitation {
    /// To be given to that person, and shown only now.
    pub token: String,
    /// Until when it is good.
    pub expires_at_ms: i64,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AuditRow {
    /// Its place in the log.
    pub seq: u64,
    /// When.
    pub at_ms: i64,
    /// Who; `command line` for whoever has a shell on the machine, nothing for somebody unknown.
    pub operator: String,
    /// What the operator might do then; nothing for somebody unknown.
    pub role: Option<Role>,
    /// What.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// What else was said.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub details: Value,
    /// `done`, or `failed: ` and why; nothing while it goes on, or for what has no effect.
    pub outcome: Option<String>,
    /// Follows from everything that is before it, in hex.
    pub hash: String,
}

/// A page of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AuditPage {
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// The `before` of the next page; nothing on the last one.
    pub before: Option<u64>,
}

/// Whether the audit log is as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AuditVerdict {
    /// Nothing was changed, removed, moved or cut off.
    pub is_whole: bool,
    /// Rows that were read.
    pub rows: u64,
    /// The first thing that is wrong.
    pub problem: Option<String>,
}

/// Where a wish for a second person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided.
    Open,
    /// A second one agreed.
    Approved,
    /// A second one did not.
    Refused,
    /// Nobody decided within seven days.
    Expired,
}

/// What an operator wants to do and may not do alone.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Approval {
    /// Which: the row of the audit log in which it was asked for.
    pub id: u64,
    /// `correction`.
    pub action: String,
    /// Whose hero.
    pub hero_id: String,
    /// What would change.
    pub correction: Correction,
    /// Why.
    pub reason: String,
    /// Who wants it.
    pub requested_by: String,
    /// Since when.
    pub requested_at_ms: i64,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at_ms: Option<i64>,
    /// Whether it has been carried out. One that was approved and is not done may be approved again: it happens once.
    pub is_done: bool,
}
