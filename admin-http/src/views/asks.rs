//! What the panel sends. Unknown fields are refused.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Banner, Role};

/// The beginning of becoming an operator.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SetupAsk {
    /// From the command line, or from an owner.
    #[schema(max_length = 128)]
    pub token: String,
    /// 8 to 128 characters.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
}

/// The end of becoming an operator.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SetupConfirm {
    /// As before.
    #[schema(max_length = 128)]
    pub token: String,
    /// As before.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// As it was offered.
    #[schema(max_length = 64)]
    pub totp_secret: String,
    /// What the authenticator shows: six digits.
    #[schema(min_length = 6, max_length = 6)]
    pub code: String,
}

/// A login.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LoginAsk {
    /// The operator's name.
    #[schema(max_length = 32)]
    pub name: String,
    /// The password.
    #[schema(max_length = 128)]
    pub password: String,
    /// What the authenticator shows: six digits, good once.
    #[schema(min_length = 6, max_length = 6)]
    pub code: String,
}

/// Why something is done.
#[derive(Clone, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ReasonAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
}

/// To close a socket.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CloseAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// Which; nothing: all of the hero.
    #[schema(max_length = 64)]
    pub connection_id: Option<String>,
}

/// To ban, or to take that back.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct BanAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// Whether it may not log in.
    pub is_banned: bool,
}

/// To erase, or to take that back.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct EraseAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// Whether it will be erased.
    pub is_wanted: bool,
}

/// To correct balances.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CorrectionAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// Energy; with `reverts`, 0 or that event's, negated.
    pub energy_me: i64,
    /// Dopamine; with `reverts`, 0 or that event's, negated.
    pub dopamine_md: i64,
    /// The event that it takes back.
    pub reverts: Option<u64>,
}

/// A second person's word.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ApprovalDecision {
    /// Whether it shall be done.
    pub is_approved: bool,
}

/// To say that the service was away.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct OutageAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// From.
    pub from_ms: i64,
    /// Until.
    pub until_ms: i64,
}

/// To keep another catalogue.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CatalogueUpload {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// At most 256 KiB.
    #[schema(max_length = 262144)]
    pub text: String,
}

/// To put a catalogue in force.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CatalogueSwitch {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// What the operator saw in force.
    pub in_force: u32,
    /// What is to be.
    pub version: u32,
}

/// To set the budget.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct BudgetAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// Whole dollars a month.
    pub budget_usd: u32,
}

/// To tell players something, or nothing any more.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct BannerAsk {
    /// 3 to 200 characters.
    #[schema(min_length = 3, max_length = 200)]
    pub reason: String,
    /// What they are told.
    pub banner: Option<Banner>,
}

/// To invite somebody. For a name that exists, it lets that person choose a password and authenticator anew.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct InvitationAsk {
    /// 1 to 32 of a to z, 0 to 9, `.`, `-` and `_`.
    #[schema(pattern = "^[a-z0-9._-]{1,32}$")]
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// What is to be another way. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct OperatorChange {
    /// What it may do.
    #[cfg_attr(test, ts(optional))]
    pub role: Option<Role>,
    /// Whether it may not log in.
    #[cfg_attr(test, ts(optional))]
    pub is_disabled: Option<bool>,
}
