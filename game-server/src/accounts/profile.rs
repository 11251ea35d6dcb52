//! Who somebody is: the only place that says so, and encrypted wherever it is kept.

use persistence::AccountId;
use persistence::accounts::{LookupHash, SEALED_BYTES_MAX, Sealed};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::Keys;

/// Longest mail address, in bytes (RFC 5321).
pub const MAIL_BYTES_MAX: usize = 254;
/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 40;
/// Longest preferences as JSON, in bytes.
pub const PREFERENCES_BYTES_MAX: usize = 4 * 1024;

/// What says who somebody is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The mail address as its owner wrote it.
    pub mail: Option<String>,
    /// What others may call them.
    pub name: Option<String>,
    /// What the client keeps here; the server does not look at it.
    #[serde(default)]
    pub preferences: Map<String, Value>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Profile(***)")
    }
}

impl Profile {
    pub(super) fn seal(&self, keys: &Keys, account: AccountId) -> Sealed {
        let text = serde_json::to_vec(self).expect("texts and JSON are JSON");
        debug_assert!(text.len() < SEALED_BYTES_MAX, "every part has a limit");
        keys.seal("profile", account.0, &text)
    }

    /// Nothing when the secret that sealed it is not configured any more.
    pub(super) fn open(keys: &Keys, account: AccountId, sealed: &Sealed) -> Option<Profile> {
        let text = keys.open_sealed("profile", account.0, sealed)?;
        serde_json::from_slice(&text).ok()
    }
}

/// An address as it is compared: without the spaces around it, in lower case. Nothing when it is none.
#[must_use]
pub fn normal_mail(mail: &str) -> Option<String> {
    let mail = mail.trim();
    let (name, domain) = mail.rsplit_once('@')?;
    let is_plain = !mail
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"'));
    let is_domain = !domain.is_empty()
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..")
        && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    let is_mail =
        !name.is_empty() && !name.contains('@') && is_plain && is_domain && mail.len() <= MAIL_BYTES_MAX;
    is_mail.then(|| mail.to_lowercase())
}

/// Finds the account of a normalised address, and tells nothing without the key.
pub(super) fn mail_hash(key: &[u8; 32], normal: &str) -> LookupHash {
    keyed(key, "mail", normal)
}

/// Finds the account of what an identity provider calls somebody: the provider's name, where it knows them, and their name
/// there.
pub(super) fn subject_hash(key: &[u8; 32], path: &[&str; 3]) -> LookupHash {
    keyed(key, "subject", &path.join("\0"))
}

fn keyed(key: &[u8; 32], label: &str, text: &str) -> LookupHash {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, &[label.as_bytes(), &[0], text.as_bytes()].concat());
    LookupHash(tag.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

/// A name as it is kept: one line, no control characters, cut at [`NAME_CHARS_MAX`]. Nothing when nothing is left.
#[must_use]
pub fn clean_name(name: &str) -> Option<String> {
    let clean: String = name.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    let clean = clean.trim_end().to_owned();
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_one_form() {
        assert_eq!(normal_mail("  Ada@Example.ORG "), Some("ada@example.org".into()));
        assert_eq!(normal_mail("ü@münchen.example"), Some("ü@münchen.example".into()));
        assert_eq!(normal_mail("root@localhost"), Some("root@localhost".into()));
        let long = format!("{}@example.org", "a".repeat(250));
        for wrong in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b c",
            "a@@b",
            "a@b..c",
            "a@.b",
            "a@b.",
            "a\r\nBcc: x@y",
            "<a@b>",
            "a@b,c@d",
            &long,
        ] {
            assert_eq!(normal_mail(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_profile_is_sealed_for_its_account() {
        let keys = Keys::random();
        let (one, other) = (AccountId(uuid::Uuid::from_u128(1)), AccountId(uuid::Uuid::from_u128(2)));
        let profile =
            Profile { mail: Some("ada@example.org".into()), name: Some("Ada".into()), ..Profile::default() };
        let sealed = profile.seal(&keys, one);
        assert_eq!(Profile::open(&keys, one, &sealed), Some(profile));
        assert_eq!(Profile::open(&keys, other, &sealed), None);
    }

    #[test]
    fn names_are_one_clean_line() {
        assert_eq!(clean_name(" Ada\n\u{7} Lovelace "), Some("Ada Lovelace".into()));
        assert_eq!(clean_name(" \n"), None);
        assert_eq!(clean_name(&"ä".repeat(90)), Some("ä".repeat(40)));
    }
}
