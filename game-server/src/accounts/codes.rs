//! What the codes of mails are good for.

use persistence::accounts::{AccountChange, AccountEventKind, AccountKey, CodePurpose, Revoke};

use super::Accounts;
use super::mail::is_code;
use super::password;
use super::session::AuthError;
use crate::admission::AddressKey;

impl Accounts {
    /// Sets a new password for whoever read the mail, which also shows that the address is theirs. Every device loses its
    /// right.
    ///
    /// # Errors
    /// [`AuthError::Code`] when the code is unknown, used or too old.
    pub async fn reset_password(
        &self,
        code: &str,
        password: &str,
        address: AddressKey,
    ) -> Result<(), AuthError> {
        if !is_code(code) {
            return Err(AuthError::Code);
        }
        password::check(password, "").map_err(AuthError::Weak)?;
        // Before the code is used up: it must not be lost because others hash right now.
        let hashed = self.passwords.hash(password.to_owned()).await?;
        let now_ms = self.clock.now_ms();
        let taken = self.store.take_code(super::hash(code), CodePurpose::ResetPassword, now_ms).await?;
        let account = taken.ok_or(AuthError::Code)?;
        let stored = self.store.account(AccountKey::Id(account)).await?.ok_or(AuthError::Code)?;
        // First the devices: a thief that is logged in must not outlive a change that fails halfway.
        self.revoke(stored.hero, Revoke::All, AccountEventKind::DeviceRevoked).await?;
        self.store.change_account(account, AccountChange::Password(hashed)).await?;
        self.note(Some(account), Some(stored.hero), None, AccountEventKind::PasswordReset).await;
        // Logins that began with the old password while it was changed.
        self.revoke(stored.hero, Revoke::All, AccountEventKind::DeviceRevoked).await?;
        if stored.mail_verified_at_ms.is_none() {
            self.store.change_account(account, AccountChange::MailVerified(now_ms)).await?;
        }
        if let Some(mail) = stored.mail {
            self.throttle.succeeded(mail, address, now_ms);
        }
        Ok(())
    }

    /// The address is its owner's.
    ///
    /// # Errors
    /// [`AuthError::Code`] when the code is unknown, used or too old.
    pub async fn verify_mail(&self, code: &str) -> Result<(), AuthError> {
        if !is_code(code) {
            return Err(AuthError::Code);
        }
        let now_ms = self.clock.now_ms();
        let taken = self.store.take_code(super::hash(code), CodePurpose::VerifyMail, now_ms).await?;
        let account = taken.ok_or(AuthError::Code)?;
        self.store.change_account(account, AccountChange::MailVerified(now_ms)).await?;
        self.note(Some(account), None, None, AccountEventKind::MailVerified).await;
        Ok(())
    }
}
