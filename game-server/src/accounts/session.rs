//! Accounts and their devices: made, logged in, refreshed, logged out.
//!
//! A device of an account holds a refresh token, which is exchanged for the next one each time. Two uses of one token mean
//! that two have it: the device then loses its right. What the device shows in between is an access token, good for ten
//! minutes; it is looked up all the same, so that a lost right is lost at once.

use persistence::accounts::{
    Account, AccountChange, AccountEvent, AccountEventKind, AccountKey, Changed, Created, LookupHash,
    NewAccount, NewSession, Revoke, Rotate, Rotation,
};
use persistence::{AccountId, Device, DeviceId, HeroId, StoreError};
use uuid::Uuid;

use super::password::{self, Busy, Verified, Weak};
use super::profile::{self, Profile};
use super::token::{self, Access};
use super::{Accounts, Grant, Secret, clean_device_name, hash};
use crate::admission::AddressKey;

/// How long a device may stay away without logging in again.
pub const REFRESH_LIFE_MS: i64 = 60 * 24 * 60 * 60 * 1000;
/// For so long a used refresh token is good again: its answer was lost, or two tabs have sent it.
pub const REFRESH_GRACE_MS: i64 = 10_000;
/// What every refresh token begins with.
pub const REFRESH_PREFIX: &str = "dhr_";

/// A device that is logged in: what it must keep, and for how long.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who it acts for.
    pub access: Access,
    /// Shows it, for [`super::ACCESS_LIFE_MS`].
    pub access_token: Secret,
    /// Buys the next one, once, within [`REFRESH_LIFE_MS`].
    pub refresh_token: Secret,
}

/// Who a request acts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its device and hero.
    pub grant: Grant,
    /// The account; nothing for a guest.
    pub account: Option<AccountId>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown address, wrong password, banned, about to be erased this minute: nobody is told which.
    #[error("mail or password is wrong")]
    WrongLogin,
    /// Too many wrong passwords.
    #[error("too many wrong passwords")]
    Wait {
        /// How long.
        retry_after_ms: i64,
    },
    /// The token is unknown, used, expired or void.
    #[error("the token is not good any more")]
    Unauthenticated,
    /// No mail address.
    #[error("not a mail address")]
    NoMail,
    /// The password is refused.
    #[error("the password is too weak")]
    Weak(Weak),
    /// The code of a mail is unknown, used or too old.
    #[error("the code is not good any more")]
    Code,
    /// Another account has this address.
    #[error("the mail address is taken")]
    MailTaken,
    /// Another account has this address, and its owner may be the one who asks, but has not shown it.
    #[error("the mail address is taken; its owner must link first")]
    LinkFirst,
    /// Another account has this subject.
    #[error("the subject is taken")]
    SubjectTaken,
    /// The ID token is not good, or whom it speaks for is banned: nobody is told which.
    #[error("the ID token is not good")]
    WrongIdToken,
    /// The keys that verify ID tokens cannot be fetched.
    #[error("no keys for ID tokens")]
    KeysAway,
    /// The guest's hero belongs to somebody already.
    #[error("the hero is taken")]
    HeroTaken,
    /// Too many hash passwords right now.
    #[error("too many at once")]
    Busy,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Busy> for AuthError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// A wish for an account.
#[derive(Debug)]
pub struct Registration<'a> {
    /// The mail address.
    pub mail: &'a str,
    /// The password.
    pub password: &'a str,
    /// What others may call them.
    pub name: Option<&'a str>,
    /// What the player calls the device.
    pub device_name: &'a str,
    /// The guest whose hero it is; a new hero otherwise.
    pub guest: Option<Grant>,
}

/// What an account begins with.
pub(super) struct Beginning<'a> {
    /// The mail address in its normal form.
    pub(super) mail: Option<String>,
    /// What another identity provider calls the owner.
    pub(super) subject: Option<LookupHash>,
    /// The password's hash.
    pub(super) password: Option<String>,
    /// Who the owner is.
    pub(super) profile: Profile,
    /// What the player calls the device.
    pub(super) device_name: &'a str,
    /// The guest whose hero it is; a new hero otherwise.
    pub(super) guest: Option<Grant>,
}

impl Accounts {
    /// Makes an account and logs the device in.
    ///
    /// # Errors
    /// [`AuthError`]; nothing was made then.
    pub async fn register(&self, wish: Registration<'_>) -> Result<Session, AuthError> {
        let mail = profile::normal_mail(wish.mail).ok_or(AuthError::NoMail)?;
        password::check(wish.password, &mail).map_err(AuthError::Weak)?;
        let hash = self.passwords.hash(wish.password.to_owned()).await?;
        let profile = Profile {
            mail: Some(wish.mail.trim().to_owned()),
            name: wish.name.and_then(profile::clean_name),
            ..Profile::default()
        };
        let beginning = Beginning {
            mail: Some(mail),
            subject: None,
            password: Some(hash),
            profile,
            device_name: wish.device_name,
            guest: wish.guest,
        };
        let session = self.create(beginning).await?;
        self.mail_verification(session.access.account);
        Ok(session)
    }

    /// Whether an account lets its owner in, however they have shown who they are: not a banned one, and not one whose time
    /// to be restored is over.
    pub(super) fn may_come_in(&self, account: &Account) -> bool {
        let is_over = account.erase_at_ms.is_some_and(|at_ms| at_ms <= self.clock.now_ms());
        account.banned_at_ms.is_none() && !is_over
    }

    /// Makes an account and logs the device in.
    pub(super) async fn create(&self, beginning: Beginning<'_>) -> Result<Session, AuthError> {
        let account = AccountId(Uuid::now_v7());
        let guest = beginning.guest;
        let hero = guest.map_or_else(|| HeroId(Uuid::now_v7()), |guest| guest.hero);
        let key = self.lookup_key().await?;
        let new = NewAccount {
            account,
            hero,
            is_new_hero: guest.is_none(),
            mail: beginning.mail.map(|mail| profile::mail_hash(key, &mail)),
            subject: beginning.subject,
            password: beginning.password,
            profile: beginning.profile.seal(&self.keys, account),
            created_at_ms: self.clock.now_ms(),
        };
        match self.store.create_account(new).await? {
            Created::Done => {}
            Created::MailTaken => return Err(AuthError::MailTaken),
            Created::SubjectTaken => return Err(AuthError::SubjectTaken),
            Created::HeroTaken => return Err(AuthError::HeroTaken),
        }
        self.note(Some(account), Some(hero), None, AccountEventKind::Registered).await;
        let session = self.begin(account, hero, beginning.device_name).await?;
        if let Some(guest) = guest {
            // The device that was the guest's goes on as the account's, with other tokens.
            self.store.revoke(hero, Revoke::One(guest.device), self.clock.now_ms()).await?;
        }
        Ok(session)
    }

    /// Logs a device in.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn login(
        &self,
        mail: &str,
        password: &str,
        device_name: &str,
        address: AddressKey,
    ) -> Result<Session, AuthError> {
        // What is no address takes the same way as an unknown one.
        let mail = profile::normal_mail(mail).unwrap_or_default();
        let key = profile::mail_hash(self.lookup_key().await?, &mail);
        let account = self.verified(key, password, address).await?;
        self.begin(account.account, account.hero, device_name).await
    }

    /// The account of this address, if this is its password.
    async fn verified(
        &self,
        key: LookupHash,
        password: &str,
        address: AddressKey,
    ) -> Result<Account, AuthError> {
        let wait_ms = self.throttle.begin(key, address, self.clock.now_ms());
        if wait_ms > 0 {
            return Err(AuthError::Wait { retry_after_ms: wait_ms });
        }
        let found = self.store.account(AccountKey::Mail(key)).await?;
        let stored = found.as_ref().and_then(|account| account.password.clone());
        let password = if password.chars().count() > password::PASSWORD_CHARS_MAX { "" } else { password };
        let verified = self.passwords.verify(password.to_owned(), stored).await?;
        let (Some(account), Verified::Right { is_weak }) = (found, verified) else {
            return Err(AuthError::WrongLogin);
        };
        if !self.may_come_in(&account) {
            return Err(AuthError::WrongLogin);
        }
        self.throttle.succeeded(key, address, self.clock.now_ms());
        // Not before the ban was looked at: a banned one must not take longer than an unknown one.
        if is_weak {
            // When many hash at once, the next login does it.
            if let Ok(stronger) = self.passwords.hash(password.to_owned()).await {
                self.store.change_account(account.account, AccountChange::Password(stronger)).await?;
            }
        }
        Ok(account)
    }

    /// Adds a device and gives it its tokens.
    pub(super) async fn begin(
        &self,
        account: AccountId,
        hero: HeroId,
        device_name: &str,
    ) -> Result<Session, AuthError> {
        let now_ms = self.clock.now_ms();
        let device = DeviceId(Uuid::now_v7());
        let refresh_token = Secret::random(REFRESH_PREFIX);
        let session = NewSession {
            device,
            account,
            hero,
            name: clean_device_name(device_name),
            refresh: hash(refresh_token.expose()),
            created_at_ms: now_ms,
            expires_at_ms: now_ms + REFRESH_LIFE_MS,
        };
        self.store.add_session(session).await?;
        // A ban is noted before the devices lose their right: whoever does not find it here had a device by then.
        let found = self.store.account(AccountKey::Id(account)).await?;
        if found.is_none_or(|account| account.banned_at_ms.is_some()) {
            self.store.revoke(hero, Revoke::One(device), now_ms).await?;
            return Err(AuthError::WrongLogin);
        }
        self.note(Some(account), Some(hero), Some(device), AccountEventKind::LoggedIn).await;
        let access = Access { account, hero, device };
        Ok(Session { access, access_token: token::issue(&self.keys, access, now_ms), refresh_token })
    }

    /// Exchanges a refresh token for the next one and an access token.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] and [`AuthError::Store`].
    pub async fn refresh(&self, presented: &str) -> Result<Session, AuthError> {
        if !is_token(presented, REFRESH_PREFIX) {
            return Err(AuthError::Unauthenticated);
        }
        let now_ms = self.clock.now_ms();
        let next = Secret::random(REFRESH_PREFIX);
        let rotate = Rotate {
            presented: hash(presented),
            next: hash(next.expose()),
            now_ms,
            grace_ms: REFRESH_GRACE_MS,
            expires_at_ms: now_ms + REFRESH_LIFE_MS,
        };
        match self.store.rotate(rotate).await? {
            Rotation::Rotated(Device { device, hero, account: Some(account), .. }) => {
                let access = Access { account, hero, device };
                Ok(Session {
                    access,
                    access_token: token::issue(&self.keys, access, now_ms),
                    refresh_token: next,
                })
            }
            Rotation::Reused(Device { device, hero, .. }) => {
                tracing::warn!(%hero, device = %device.0, "a refresh token was used twice; its device is out");
                self.revocations.now();
                Err(AuthError::Unauthenticated)
            }
            Rotation::Rotated(_) | Rotation::Unknown => Err(AuthError::Unauthenticated),
        }
    }

    /// The device that this refresh token belongs to is logged out. A token that is not good any more is ignored.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn log_out_by_refresh(&self, presented: &str) -> Result<(), AuthError> {
        match self.refresh(presented).await {
            Ok(session) => {
                self.log_out(Grant { hero: session.access.hero, device: session.access.device }).await
            }
            Err(AuthError::Unauthenticated) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A device is logged out, and its sockets close.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn log_out(&self, grant: Grant) -> Result<(), AuthError> {
        self.revoke(grant.hero, Revoke::One(grant.device), AccountEventKind::LoggedOut).await.map(|_| ())
    }

    /// Takes devices of a hero their right; their sockets close on every server. Returns how many there were.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn revoke(
        &self,
        hero: HeroId,
        which: Revoke,
        why: AccountEventKind,
    ) -> Result<usize, AuthError> {
        let revoked = self.store.revoke(hero, which, self.clock.now_ms()).await?;
        for device in &revoked {
            self.note(None, Some(hero), Some(*device), why).await;
        }
        if !revoked.is_empty() {
            self.revocations.now();
        }
        Ok(revoked.len())
    }

    /// Who an access token or a guest's device token speaks for; nobody when it is unknown, expired or void.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn caller(&self, bearer: &str) -> Result<Option<Caller>, StoreError> {
        let Some(access) = token::verify(&self.keys, bearer, self.clock.now_ms()) else {
            let guest = self.authenticate(bearer).await?;
            return Ok(guest.map(|(grant, account)| Caller { grant, account }));
        };
        let device = self.store.device(access.device).await?;
        let live = device.filter(|it| it.revoked_at_ms.is_none() && it.account == Some(access.account));
        Ok(live.map(|device| Caller {
            grant: Grant { hero: device.hero, device: device.device },
            account: Some(access.account),
        }))
    }

    /// A hero's devices that may act.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn devices(&self, hero: HeroId) -> Result<Vec<Device>, StoreError> {
        self.store.devices(hero).await
    }

    /// The account of a mail address, found as a login finds it.
    ///
    /// # Errors
    /// Those of a database that is away.
    pub async fn find_by_mail(&self, mail: &str) -> Result<Option<Account>, StoreError> {
        let Some(mail) = profile::normal_mail(mail) else { return Ok(None) };
        let key = profile::mail_hash(self.lookup_key().await?, &mail);
        self.store.account(AccountKey::Mail(key)).await
    }

    /// An account and who it is.
    ///
    /// # Errors
    /// Those of a database that is away; [`AuthError::Unauthenticated`] when it is gone.
    pub async fn account(&self, account: AccountId) -> Result<(Account, Profile), AuthError> {
        let found = self.store.account(AccountKey::Id(account)).await?.ok_or(AuthError::Unauthenticated)?;
        // A secret that was thrown away leaves the account and takes what only it could read.
        let profile = Profile::open(&self.keys, account, &found.profile).unwrap_or_else(|| {
            tracing::error!(account = %account.0, "a profile cannot be opened: is an older secret missing in SECRET_KEYS?");
            Profile::default()
        });
        Ok((found, profile))
    }

    /// Keeps another profile.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] when the account is gone.
    pub async fn set_profile(&self, account: AccountId, profile: &Profile) -> Result<(), AuthError> {
        let sealed = profile.seal(&self.keys, account);
        match self.store.change_account(account, AccountChange::Profile(sealed)).await? {
            Changed::Done => Ok(()),
            Changed::Taken | Changed::Missing => Err(AuthError::Unauthenticated),
        }
    }

    /// Sets another password for somebody who knows the old one. All other devices lose their right.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn change_password(
        &self,
        account: AccountId,
        keep: DeviceId,
        old: &str,
        new: &str,
        address: AddressKey,
    ) -> Result<(), AuthError> {
        let (stored, profile) = self.account(account).await?;
        let mail = profile.mail.as_deref().and_then(profile::normal_mail).unwrap_or_default();
        password::check(new, &mail).map_err(AuthError::Weak)?;
        let key = stored.mail.ok_or(AuthError::WrongLogin)?;
        self.verified(key, old, address).await?;
        let hash = self.passwords.hash(new.to_owned()).await?;
        self.store.change_account(account, AccountChange::Password(hash)).await?;
        self.note(Some(account), Some(stored.hero), Some(keep), AccountEventKind::PasswordChanged).await;
        self.revoke(stored.hero, Revoke::AllBut(keep), AccountEventKind::DeviceRevoked).await?;
        Ok(())
    }

    /// Whether this is the account's password.
    ///
    /// # Errors
    /// [`AuthError::WrongLogin`] when it is not.
    pub async fn confirm(
        &self,
        account: AccountId,
        password: &str,
        address: AddressKey,
    ) -> Result<(), AuthError> {
        let (stored, _) = self.account(account).await?;
        let key = stored.mail.ok_or(AuthError::WrongLogin)?;
        self.verified(key, password, address).await.map(|_| ())
    }

    /// Notes what happened. Only a note: what it is about is done.
    pub(super) async fn note(
        &self,
        account: Option<AccountId>,
        hero: Option<HeroId>,
        device: Option<DeviceId>,
        kind: AccountEventKind,
    ) {
        let event =
            AccountEvent { id: Uuid::now_v7(), account, hero, device, kind, at_ms: self.clock.now_ms() };
        if let Err(error) = self.store.note(event).await {
            tracing::warn!(%error, kind = kind.as_str(), "could not note what happened to an account");
        }
    }
}

/// Whether a text could be a token of ours.
pub(super) fn is_token(text: &str, prefix: &str) -> bool {
    text.len() == prefix.len() + super::TOKEN_TEXT_CHARS && text.starts_with(prefix)
}
