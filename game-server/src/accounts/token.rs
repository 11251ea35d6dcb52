//! Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519, good for ten minutes.
//!
//! We alone issue and verify them, so the header of a token must be, byte for byte, the one that we write for a key that
//! is configured: another algorithm, `none`, or a key that the token brings along is not looked at at all.

use data_encoding::BASE64URL_NOPAD;
use persistence::{AccountId, DeviceId, HeroId};
use ring::signature::{ED25519, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Secret;
use super::keys::{Derived, Keys};

/// How long a token is good.
pub const ACCESS_LIFE_MS: i64 = 10 * 60 * 1000;
/// How far the clocks of two servers may be apart.
const SKEW_S: i64 = 5;
/// Longer than any token of ours.
const TOKEN_CHARS_MAX: usize = 1024;
/// Who issues them, and for whom.
const ISSUER: &str = "dopamine-hero";
const AUDIENCE: &str = "dopamine-hero/player";

/// Whom a token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The account.
    pub account: AccountId,
    /// Its hero.
    pub hero: HeroId,
    /// The device that holds the token.
    pub device: DeviceId,
}

#[derive(Debug, Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// Times in seconds of UTC, as the standard wants them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    hero: Uuid,
    sid: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

fn header(key: &Derived) -> String {
    let header = Header { alg: "EdDSA", kid: &key.kid, typ: "at+jwt" };
    BASE64URL_NOPAD.encode(&serde_json::to_vec(&header).expect("three texts are JSON"))
}

/// A token for this device.
pub(super) fn issue(keys: &Keys, access: Access, now_ms: i64) -> Secret {
    let now = now_ms.div_euclid(1000);
    let claims = Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: access.account.0,
        hero: access.hero.0,
        sid: access.device.0,
        iat: now,
        nbf: now,
        exp: now + ACCESS_LIFE_MS / 1000,
    };
    let claims = BASE64URL_NOPAD.encode(&serde_json::to_vec(&claims).expect("texts and numbers are JSON"));
    let key = keys.current();
    let signed = format!("{}.{claims}", header(key));
    let signature = BASE64URL_NOPAD.encode(key.signing.sign(signed.as_bytes()).as_ref());
    Secret::of(format!("{signed}.{signature}"))
}

/// Whom a token speaks for now; nobody when anything about it is not as we would have written it.
pub(super) fn verify(keys: &Keys, token: &str, now_ms: i64) -> Option<Access> {
    if token.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let key = keys.verifier(|key| header(key) == head)?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    let public = UnparsedPublicKey::new(&ED25519, key.signing.public_key());
    public.verify(signed.as_bytes(), &signature).ok()?;
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let now = now_ms.div_euclid(1000);
    let is_ours = claims.iss == ISSUER && claims.aud == AUDIENCE;
    let is_time = claims.nbf <= now + SKEW_S && claims.iat <= now + SKEW_S && now < claims.exp;
    let is_short = claims.exp.checked_sub(claims.iat).is_some_and(|life| life <= ACCESS_LIFE_MS / 1000);
    (is_ours && is_time && is_short).then_some(Access {
        account: AccountId(claims.sub),
        hero: HeroId(claims.hero),
        device: DeviceId(claims.sid),
    })
}

#[cfg(test)]
mod tests;
