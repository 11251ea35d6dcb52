//! ID tokens: JSON Web Tokens that Firebase signs with RS256.
//!
//! The header is three known fields and nothing else: a token that brings its own key, names an address of one, or wants
//! another algorithm is refused before anything is looked up. The claims are looked at when the signature is right.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::RSA_PKCS1_2048_8192_SHA256;
use serde::Deserialize;

use super::keys::PublicKey;

/// Longest token, in bytes; Firebase's are one or two thousand.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Longest key id, in bytes.
pub(super) const KID_BYTES_MAX: usize = 128;
/// Longest subject, in bytes, as Firebase says.
const SUBJECT_BYTES_MAX: usize = 128;
/// How far our clock may be behind Google's. No grace at the other end: a token that is over is over.
const SKEW_S: i64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
}

/// A token that looks like one.
pub(super) struct Unverified<'a> {
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
    kid: String,
}

/// What we read of the claims; Firebase writes more of them. Times in seconds of UTC.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    pub(super) sub: String,
    exp: i64,
    iat: i64,
    auth_time: i64,
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

impl Unverified<'_> {
    /// Nothing when it is longer than any, not in three parts, or its header is not as Firebase writes it.
    pub(super) fn parse(token: &str) -> Option<Unverified<'_>> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
        let header: Header = map(&header)?;
        let is_firebases = header.alg == "RS256"
            && header.typ.is_none_or(|typ| typ == "JWT")
            && (1..=KID_BYTES_MAX).contains(&header.kid.len());
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        is_firebases.then_some(Unverified { signed, claims, signature, kid: header.kid })
    }

    /// Names the key that has signed it, if it is true.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The claims, if this key has signed them.
    pub(super) fn claims(&self, key: &PublicKey) -> Option<Claims> {
        key.components().verify(&RSA_PKCS1_2048_8192_SHA256, self.signed.as_bytes(), &self.signature).ok()?;
        let claims = BASE64URL_NOPAD.decode(self.claims.as_bytes()).ok()?;
        map(&claims)
    }
}

impl Claims {
    /// Whether they speak for somebody of this project now.
    pub(super) fn are_good(&self, project_id: &str, issuer: &str, now_s: i64) -> bool {
        let is_ours = self.iss == issuer && self.aud == project_id;
        let is_time = now_s < self.exp && self.iat <= now_s + SKEW_S && self.auth_time <= now_s + SKEW_S;
        let is_somebody = (1..=SUBJECT_BYTES_MAX).contains(&self.sub.len());
        is_ours && is_time && is_somebody
    }
}

/// Only a map: serde would take a list of the fields as well.
fn map<T: for<'de> Deserialize<'de>>(json: &[u8]) -> Option<T> {
    if !json.starts_with(b"{") {
        return None;
    }
    serde_json::from_slice(json).ok()
}
