//! `AccountStore`: who may act for which hero. A guest's hero is reached by the tokens of its devices alone; an account
//! owns its hero for good.
//!
//! The rows know nobody: what says who somebody is (mail, name) comes encrypted, and is found by keyed hashes.

pub(crate) mod sql;

use uuid::Uuid;

use crate::record::HeroId;
use crate::store::StoreFuture;

/// Longest device name, in bytes; longer ones are cut by the caller.
pub const DEVICE_NAME_BYTES_MAX: usize = 64;
/// Most devices of a hero that may act. One more: the one that was not seen for longest loses its right.
pub const DEVICES_MAX: u32 = 100;
/// Most codes of one purpose that an account has at a time. One more: the oldest is void.
pub const CODES_MAX: u32 = 5;
/// Longest [`Sealed`], in bytes; the caller refuses longer ones.
pub const SEALED_BYTES_MAX: usize = 16 * 1024;

/// Names one device of a player. Of an account's device, it also names the family of its refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub Uuid);

/// Names an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub Uuid);

/// SHA-256 of a token or code. The text itself is never stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A keyed hash of a mail address, or of what another identity provider calls somebody: it finds an account, and tells
/// nothing without the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupHash(pub [u8; 32]);

impl std::fmt::Debug for LookupHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookupHash(…)")
    }
}

/// Bytes that only the application can read.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// A device that may act for a hero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which device.
    pub device: DeviceId,
    /// For whom it acts.
    pub hero: HeroId,
    /// The account that owns the hero.
    pub account: Option<AccountId>,
    /// What its token hashes to; a device that came with an account has refresh tokens instead.
    pub token_hash: Option<TokenHash>,
    /// What the player calls it.
    pub name: String,
    /// When it was made, server UTC.
    pub created_at_ms: i64,
    /// When it last connected, server UTC.
    pub last_seen_ms: i64,
    /// When it lost its right to act; `None` while it has it.
    pub revoked_at_ms: Option<i64>,
}

/// A player who starts without an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGuest {
    /// The new hero.
    pub hero: HeroId,
    /// Its first device.
    pub device: DeviceId,
    /// What the device's token hashes to.
    pub token_hash: TokenHash,
    /// What the player calls the device, at most [`DEVICE_NAME_BYTES_MAX`].
    pub name: String,
    /// Now, server UTC.
    pub created_at_ms: i64,
}

/// An account as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub account: AccountId,
    /// Its hero.
    pub hero: HeroId,
    /// Finds it by its mail address.
    pub mail: Option<LookupHash>,
    /// Finds it by what another identity provider calls its owner.
    pub subject: Option<LookupHash>,
    /// The password's hash with its parameters, in PHC form.
    pub password: Option<String>,
    /// Mail, name, preferences; at most [`SEALED_BYTES_MAX`].
    pub profile: Sealed,
    /// Names the picture.
    pub avatar: Option<String>,
    /// When the mail address was shown to be the owner's.
    pub mail_verified_at_ms: Option<i64>,
    /// When it was made.
    pub created_at_ms: i64,
    /// Since when it may not log in.
    pub banned_at_ms: Option<i64>,
    /// When it will be erased, as its owner asked.
    pub erase_at_ms: Option<i64>,
}

/// A new account, for a new hero or for a guest's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its id.
    pub account: AccountId,
    /// Its hero.
    pub hero: HeroId,
    /// Whether the hero is made with it; otherwise it is a guest's.
    pub is_new_hero: bool,
    /// Finds it by its mail address.
    pub mail: Option<LookupHash>,
    /// Finds it by what another identity provider calls its owner.
    pub subject: Option<LookupHash>,
    /// The password's hash, in PHC form.
    pub password: Option<String>,
    /// Mail, name, preferences.
    pub profile: Sealed,
    /// Now, server UTC.
    pub created_at_ms: i64,
}

/// What became of a new account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    Done,
    /// Another account has this mail address.
    MailTaken,
    /// Another account has this subject.
    SubjectTaken,
    /// The hero is another account's, is being united with one, or does not exist.
    HeroTaken,
}

/// How an account is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKey {
    /// By its id.
    Id(AccountId),
    /// By its hero.
    Hero(HeroId),
    /// By its mail address.
    Mail(LookupHash),
    /// By its subject.
    Subject(LookupHash),
}

/// One change of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChange {
    /// Another name or other preferences.
    Profile(Sealed),
    /// Another password.
    Password(String),
    /// Another mail address, not verified yet.
    Mail {
        /// Finds it.
        mail: LookupHash,
        /// The profile that holds it.
        profile: Sealed,
    },
    /// The mail address is the owner's.
    MailVerified(i64),
    /// The account can also be found by this subject.
    Subject(LookupHash),
    /// Another picture, or none.
    Avatar(Option<String>),
    /// Will be erased then, or not any more.
    EraseAt(Option<i64>),
    /// May not log in since then, or may again.
    BannedAt(Option<i64>),
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is so now.
    Done,
    /// Another account has this mail address or subject.
    Taken,
    /// There is no such account.
    Missing,
}

/// A device that logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The new device, and the family of its refresh tokens.
    pub device: DeviceId,
    /// Whose.
    pub account: AccountId,
    /// The account's hero.
    pub hero: HeroId,
    /// What the player calls the device, at most [`DEVICE_NAME_BYTES_MAX`].
    pub name: String,
    /// Its first refresh token.
    pub refresh: TokenHash,
    /// Now, server UTC.
    pub created_at_ms: i64,
    /// Until when the token is good.
    pub expires_at_ms: i64,
}

/// A refresh token that is exchanged for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotate {
    /// The token that was sent.
    pub presented: TokenHash,
    /// Its successor.
    pub next: TokenHash,
    /// Now, server UTC.
    pub now_ms: i64,
    /// For so long a used token is good again: its answer may have been lost, or two tabs have sent it.
    pub grace_ms: i64,
    /// Until when the successor is good.
    pub expires_at_ms: i64,
}

/// What became of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The successor is good now.
    Rotated(Device),
    /// It was used before, so two have it: the device has lost its right just now, and an event says so.
    Reused(Device),
    /// Unknown, expired, or of a device without a right.
    Unknown,
}

/// Which devices of a hero lose their right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoke {
    /// This one.
    One(DeviceId),
    /// All.
    All,
    /// All others.
    AllBut(DeviceId),
}

/// A device that lost its right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// For whom it acted.
    pub hero: HeroId,
    /// Which.
    pub device: DeviceId,
    /// When.
    pub at_ms: i64,
}

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodePurpose {
    /// To show that a mail address is the owner's.
    VerifyMail,
    /// To set a new password.
    ResetPassword,
}

impl CodePurpose {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyMail => "verify_mail",
            Self::ResetPassword => "reset_password",
        }
    }
}

/// A code that was sent by mail, good once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// What it hashes to.
    pub hash: TokenHash,
    /// Whose.
    pub account: AccountId,
    /// What for.
    pub purpose: CodePurpose,
    /// Until when.
    pub expires_at_ms: i64,
}

/// A guest's hero that is, or will be, united with an account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Union {
    /// The guest's hero.
    pub guest: HeroId,
    /// The account's hero.
    pub into: HeroId,
    /// The account.
    pub account: AccountId,
    /// When it was decided.
    pub begun_at_ms: i64,
    /// When it was done.
    pub finished_at_ms: Option<i64>,
}

/// Whether a guest's hero may be united with an account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnionBegun {
    /// It is decided now.
    Begun,
    /// It was decided before, with the same account; it may be done.
    Again(Union),
    /// It is another account's, or belongs to this one already, or does not exist.
    Elsewhere,
}

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvent {
    /// Which event; new for each.
    pub id: Uuid,
    /// Whose.
    pub account: Option<AccountId>,
    /// The hero.
    pub hero: Option<HeroId>,
    /// The device that did it, or to which it was done.
    pub device: Option<DeviceId>,
    /// What.
    pub kind: AccountEventKind,
    /// When, server UTC.
    pub at_ms: i64,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $text:literal,)*) => {
        /// What can happen to an account.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum AccountEventKind { $($(#[$doc])* $kind,)* }

        impl AccountEventKind {
            /// As it is stored.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// From how it is stored; nothing when a newer program wrote it.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// It was made.
    Registered = "registered",
    /// A device logged in.
    LoggedIn = "logged_in",
    /// A refresh token was used twice.
    RefreshReused = "refresh_reused",
    /// A device logged out.
    LoggedOut = "logged_out",
    /// A device lost its right.
    DeviceRevoked = "device_revoked",
    /// The password was changed by somebody who knew the old one.
    PasswordChanged = "password_changed",
    /// The password was changed by somebody who reads the mail.
    PasswordReset = "password_reset",
    /// The mail address is the owner's.
    MailVerified = "mail_verified",
    /// Somebody whom another identity provider knows can log in to it.
    SubjectLinked = "subject_linked",
    /// A guest's hero was united with the account's.
    Claimed = "claimed",
    /// The owner wants to be forgotten.
    EraseAsked = "erase_asked",
    /// The owner stays.
    EraseUndone = "erase_undone",
    /// The owner is forgotten.
    Erased = "erased",
    /// It may not log in.
    Banned = "banned",
    /// It may log in again.
    Unbanned = "unbanned",
}

/// Where accounts live: in the same database as the journal. Every method may fail because the database is away.
pub trait AccountStore: Send + Sync {
    /// Makes a hero and its first device, durably, both or neither.
    ///
    /// # Errors
    /// [`crate::StoreError::Poison`] when the hero, device or token exists; those of a database that is away.
    fn create_guest(&self, guest: NewGuest) -> StoreFuture<'_, ()>;

    /// The device with this token, revoked or not.
    fn device_by_token(&self, token_hash: TokenHash) -> StoreFuture<'_, Option<Device>>;

    /// The device of this id, revoked or not.
    fn device(&self, device: DeviceId) -> StoreFuture<'_, Option<Device>>;

    /// Notes that a device connected. An unknown device is ignored.
    fn touch_device(&self, device: DeviceId, now_ms: i64) -> StoreFuture<'_, ()>;

    /// A hero's devices that may act, oldest first, at most [`DEVICES_MAX`].
    fn devices(&self, hero: HeroId) -> StoreFuture<'_, Vec<Device>>;

    /// Makes an account, and its hero if it is new; a guest's devices become the account's. All or nothing.
    fn create_account(&self, account: NewAccount) -> StoreFuture<'_, Created>;

    /// The account with this key.
    fn account(&self, key: AccountKey) -> StoreFuture<'_, Option<Account>>;

    /// Changes an account.
    fn change_account(&self, account: AccountId, change: AccountChange) -> StoreFuture<'_, Changed>;

    /// Adds a device with its first refresh token; over [`DEVICES_MAX`] the one that was not seen for longest loses its
    /// right.
    fn add_session(&self, session: NewSession) -> StoreFuture<'_, ()>;

    /// Exchanges a refresh token. Of two callers with one token, one is the first and the other is within the grace or
    /// not.
    fn rotate(&self, rotate: Rotate) -> StoreFuture<'_, Rotation>;

    /// Takes devices their right; returns those that had it until now.
    fn revoke(&self, hero: HeroId, which: Revoke, now_ms: i64) -> StoreFuture<'_, Vec<DeviceId>>;

    /// Devices that lost their right at `since_ms` or later, the earliest first, at most `limit`.
    fn revoked_since(&self, since_ms: i64, limit: u32) -> StoreFuture<'_, Vec<Revoked>>;

    /// Keeps a code; over [`CODES_MAX`] the one that ends first is void.
    fn put_code(&self, code: Code) -> StoreFuture<'_, ()>;

    /// Uses a code up. The first caller before its end gets the account.
    fn take_code(
        &self,
        hash: TokenHash,
        purpose: CodePurpose,
        now_ms: i64,
    ) -> StoreFuture<'_, Option<AccountId>>;

    /// Decides that a guest's hero is united with an account's. `finished_at_ms` is ignored.
    fn begin_union(&self, union: Union) -> StoreFuture<'_, UnionBegun>;

    /// Notes that it is done; the guest's devices act for the account's hero from now on.
    fn finish_union(&self, guest: HeroId, now_ms: i64) -> StoreFuture<'_, ()>;

    /// Unions that were decided and are not done, the oldest first.
    fn unfinished_unions(&self, limit: u32) -> StoreFuture<'_, Vec<Union>>;

    /// How many unions of an account were decided since then.
    fn unions_since(&self, account: AccountId, since_ms: i64) -> StoreFuture<'_, u32>;

    /// Notes what happened.
    fn note(&self, event: AccountEvent) -> StoreFuture<'_, ()>;

    /// What happened to a hero's account, the newest first. What a newer program noted is left out.
    fn account_events(&self, hero: HeroId, limit: u32) -> StoreFuture<'_, Vec<AccountEvent>>;

    /// Accounts whose time to be erased has come, the earliest first.
    fn due_erasures(&self, now_ms: i64, limit: u32) -> StoreFuture<'_, Vec<Account>>;

    /// Forgets an account, all devices of its hero and the key of its texts, if it is due by now. Its hero's journal
    /// stays. Says whether it was there and due.
    fn erase_account(&self, account: AccountId, now_ms: i64) -> StoreFuture<'_, bool>;

    /// Heroes without an account whose devices were all seen before that, and not since.
    fn stale_guests(&self, before_ms: i64, limit: u32) -> StoreFuture<'_, Vec<HeroId>>;

    /// Heroes without an account whose devices all lost their right before that. One that is promised to an account is
    /// not among them.
    fn orphaned_guests(&self, before_ms: i64, limit: u32) -> StoreFuture<'_, Vec<HeroId>>;

    /// Forgets the devices of a hero without an account, and the key of its texts. Says whether there were any devices.
    fn erase_guest(&self, hero: HeroId) -> StoreFuture<'_, bool>;

    /// Forgets tokens and codes that are past their end.
    fn prune(&self, now_ms: i64) -> StoreFuture<'_, ()>;

    /// The key of all [`LookupHash`]es: `candidate` if there was none, and otherwise the one that is there.
    fn lookup_key(&self, candidate: Sealed) -> StoreFuture<'_, Sealed>;
}
