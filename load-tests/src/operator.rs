//! Somebody who runs the server: logs in on the operators' listener as a browser does (one-time token, password, code of an
//! authenticator, session, token against forged requests), and asks and does things there.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use ring::hmac;
use serde_json::{Value, json};

use crate::http::{Answer, Endpoint, request_with};

/// How the session's cookie is called.
const COOKIE: &str = "__Host-operator";
/// How long a code of an authenticator is good (RFC 6238).
const CODE_LIFE_S: u64 = 30;

/// An operator with a session.
#[derive(Debug)]
pub struct Operator {
    endpoint: Endpoint,
    cookie: String,
    csrf_token: String,
}

impl Operator {
    /// The first operator of a server: with the one-time token of the command line.
    ///
    /// # Errors
    /// When the server refuses any step.
    pub async fn first(endpoint: Endpoint, token: &str) -> Result<Self> {
        let password = format!("{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>());
        let wish = json!({ "token": token, "password": password });
        let origin = format!("http://{}", endpoint.authority);
        let headers = [("Origin", origin.as_str()), ("Sec-Fetch-Site", "same-origin")];
        let setup = request_with(&endpoint, None, "POST", "/v1/setup", &headers, Some(&wish)).await?;
        let setup = answered(&setup, "POST /v1/setup")?;
        let secret = setup["totp_secret"].as_str().context("no secret for the authenticator")?;
        let code = code_of(secret, seconds_now())?;
        let wish = json!({ "token": token, "password": password, "totp_secret": secret, "code": code });
        let confirmed =
            request_with(&endpoint, None, "POST", "/v1/setup/confirm", &headers, Some(&wish)).await?;
        answered(&confirmed, "POST /v1/setup/confirm")?;
        let cookie = confirmed.header("set-cookie").context("no session")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Self::with_cookie(endpoint, cookie).await
    }

    /// Somebody who is logged in already: `value` is that of the session's cookie.
    ///
    /// # Errors
    /// When the session is none.
    pub async fn signed_in(endpoint: Endpoint, value: &str) -> Result<Self> {
        Self::with_cookie(endpoint, format!("{COOKIE}={value}")).await
    }

    async fn with_cookie(endpoint: Endpoint, cookie: String) -> Result<Self> {
        let mut operator = Self { endpoint, cookie, csrf_token: String::new() };
        let session = operator.get("/v1/session").await?;
        let token = session["csrf_token"].as_str().context("the session is over")?;
        operator.csrf_token = token.to_owned();
        Ok(operator)
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", path, None).await
    }

    /// Does something.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", path, Some(body)).await
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let origin = format!("http://{}", self.endpoint.authority);
        let headers = [
            ("Cookie", self.cookie.as_str()),
            ("Origin", origin.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
            ("x-csrf-token", self.csrf_token.as_str()),
        ];
        let answer = request_with(&self.endpoint, None, method, path, &headers, body).await?;
        answered(&answer, &format!("{method} {path}"))
    }
}

/// The body of a success; nothing of one without a body.
fn answered(answer: &Answer, what: &str) -> Result<Value> {
    if !(200..300).contains(&answer.status) {
        bail!("{what}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
}

/// What an authenticator shows for a secret in base32 (RFC 6238: HMAC-SHA-1, 30 s, 6 digits).
fn code_of(secret: &str, unix_s: u64) -> Result<String> {
    let secret = secret.trim_end_matches('=').as_bytes();
    let secret = data_encoding::BASE32_NOPAD.decode(secret).context("the secret is not base32")?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = hmac::sign(&key, &(unix_s / CODE_LIFE_S).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().context("a tag has bytes")? & 0x0f);
    let bytes: [u8; 4] = tag.get(offset..offset + 4).context("a tag has 20 bytes")?.try_into()?;
    Ok(format!("{:06}", (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000))
}

#[expect(clippy::disallowed_methods, reason = "an authenticator goes by the clock on the wall")]
fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::code_of;

    /// The examples of RFC 6238, appendix B, by their last six digits.
    #[test]
    fn codes_are_those_of_an_authenticator() {
        let secret = data_encoding::BASE32_NOPAD.encode(b"12345678901234567890");
        for (unix_s, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code_of(&secret, unix_s).unwrap(), code);
        }
    }
}
