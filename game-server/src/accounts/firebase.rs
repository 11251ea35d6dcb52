//! Logs in whoever shows an ID token of the operator's Firebase project, and links accounts with such identities.
//!
//! [`Firebase`] says whose token it is ([`token`]), with keys of Google's ([`keys`]), and knows no account. [`Accounts`] finds
//! the account of an identity by a keyed hash of its subject, or makes one; what else a token says is believed only where
//! Firebase has verified it. An account that has the same mail address already is never handed over: its owner logs in with
//! the password and links.

mod keys;
mod token;

use std::fmt;

use persistence::AccountId;
use persistence::accounts::{Account, AccountChange, AccountEventKind, AccountKey, Changed, LookupHash};

use self::keys::KeySource;
use self::token::Unverified;
use super::profile::{self, Profile};
use super::session::{AuthError, Beginning, Session};
use super::{Accounts, Grant};
use crate::admission::AddressKey;
use crate::clock::Clock;
use crate::config::FirebaseConfig;

/// The client that fetches keys cannot be made.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot make the client that fetches Firebase's keys; does this machine have a list of certificate authorities?"
)]
pub struct FirebaseFailed(#[source] reqwest::Error);

/// Whose ID tokens are taken.
#[derive(Debug)]
pub struct Firebase {
    project_id: String,
    issuer: String,
    keys: KeySource,
    clock: Clock,
}

/// Who somebody is, as Firebase says.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    project_id: String,
    subject: String,
    /// Only an address that Firebase has verified.
    mail: Option<String>,
    name: Option<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Identity(***)")
    }
}

impl Firebase {
    /// Of one project. Nothing is fetched before the first token comes.
    ///
    /// # Errors
    /// [`FirebaseFailed`].
    pub fn open(config: &FirebaseConfig, clock: Clock) -> Result<Firebase, FirebaseFailed> {
        Ok(Firebase {
            project_id: config.project_id.clone(),
            issuer: format!("https://securetoken.google.com/{}", config.project_id),
            keys: KeySource::new(&config.keys_url, clock.clone()).map_err(FirebaseFailed)?,
            clock,
        })
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// [`AuthError::WrongIdToken`] whatever is wrong with it; [`AuthError::KeysAway`] when its key cannot be fetched.
    pub async fn identify(&self, id_token: &str) -> Result<Identity, AuthError> {
        let unverified = Unverified::parse(id_token).ok_or(AuthError::WrongIdToken)?;
        let key = self.keys.find(unverified.kid()).await.map_err(|_| AuthError::KeysAway)?;
        let claims = key.and_then(|key| unverified.claims(&key)).ok_or(AuthError::WrongIdToken)?;
        let now_s = self.clock.now_ms().div_euclid(1000);
        if !claims.are_good(&self.project_id, &self.issuer, now_s) {
            return Err(AuthError::WrongIdToken);
        }
        let mail = if claims.email_verified { claims.email } else { None };
        Ok(Identity {
            project_id: self.project_id.clone(),
            subject: claims.sub,
            mail: mail.filter(|mail| profile::normal_mail(mail).is_some()),
            name: claims.name,
        })
    }
}

impl Accounts {
    /// Logs a device of this identity in, and makes an account when it has none: of the guest's hero if there is a guest, or
    /// of a new one. Also says whether an account was made.
    ///
    /// # Errors
    /// [`AuthError`]; nothing was made then.
    pub async fn enter(
        &self,
        identity: &Identity,
        guest: Option<Grant>,
        device_name: &str,
    ) -> Result<(Session, bool), AuthError> {
        let subject = self.subject(identity).await?;
        if let Some(account) = self.store.account(AccountKey::Subject(subject)).await? {
            return Ok((self.admit(&account, device_name).await?, false));
        }
        let beginning = Beginning {
            mail: identity.mail.as_deref().and_then(profile::normal_mail),
            subject: Some(subject),
            password: None,
            profile: Profile {
                mail: identity.mail.as_ref().map(|mail| mail.trim().to_owned()),
                name: identity.name.as_deref().and_then(profile::clean_name),
                ..Profile::default()
            },
            device_name,
            guest,
        };
        match self.create(beginning).await {
            Ok(session) => {
                if identity.mail.is_some() {
                    self.believe_mail(&session).await;
                }
                Ok((session, true))
            }
            // Another request of the same person may have been faster, and is then why something is taken.
            Err(taken @ (AuthError::SubjectTaken | AuthError::HeroTaken | AuthError::MailTaken)) => {
                match self.store.account(AccountKey::Subject(subject)).await? {
                    Some(account) => Ok((self.admit(&account, device_name).await?, false)),
                    None if matches!(taken, AuthError::MailTaken) => Err(AuthError::LinkFirst),
                    None => Err(taken),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Lets an identity log in to an account, instead of the one that could until now. A stolen access token must not be
    /// enough for that, so the owner says the password.
    ///
    /// # Errors
    /// [`AuthError`]; nothing has changed then.
    pub async fn link(
        &self,
        account: AccountId,
        by: Grant,
        identity: &Identity,
        password: &str,
        address: AddressKey,
    ) -> Result<(), AuthError> {
        self.confirm(account, password, address).await?;
        let subject = self.subject(identity).await?;
        match self.store.change_account(account, AccountChange::Subject(subject)).await? {
            Changed::Done => {}
            Changed::Taken => return Err(AuthError::SubjectTaken),
            Changed::Missing => return Err(AuthError::Unauthenticated),
        }
        self.note(Some(account), Some(by.hero), Some(by.device), AccountEventKind::SubjectLinked).await;
        Ok(())
    }

    async fn admit(&self, account: &Account, device_name: &str) -> Result<Session, AuthError> {
        // The answer is the one for a token that is not good, as a login's is the one for a wrong password.
        if !self.may_come_in(account) {
            return Err(AuthError::WrongIdToken);
        }
        self.begin(account.account, account.hero, device_name).await
    }

    /// Firebase has verified the address already.
    async fn believe_mail(&self, session: &Session) {
        let account = session.access.account;
        let change = AccountChange::MailVerified(self.clock.now_ms());
        match self.store.change_account(account, change).await {
            Ok(_) => {
                let hero = Some(session.access.hero);
                self.note(Some(account), hero, None, AccountEventKind::MailVerified).await;
            }
            // The account is there and its owner is in; the address can be verified by a mail.
            Err(error) => tracing::warn!(%error, "could not note that a mail address is verified"),
        }
    }

    async fn subject(&self, identity: &Identity) -> Result<LookupHash, AuthError> {
        let key = self.lookup_key().await?;
        Ok(profile::subject_hash(key, &["firebase", &identity.project_id, &identity.subject]))
    }
}
