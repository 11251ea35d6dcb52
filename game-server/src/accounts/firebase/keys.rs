//! The public keys that sign ID tokens, fetched from Google and kept for as long as its answer says.
//!
//! Whoever sends nonsense must not make us ask Google for each of it: one fetch runs at a time, everybody who needs it waits
//! for the same one, and a key id that we do not know is a reason for another one once a minute. Without an answer, the keys
//! that we have are good until their time is over; then nobody comes in until there is one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use reqwest::{Client, StatusCode, Url, redirect};
use ring::signature::RsaPublicKeyComponents;
use serde::Deserialize;
use serde_json::Value;

use super::token::KID_BYTES_MAX;
use crate::clock::Clock;

/// Keys are kept at least so long, whatever the answer says: it must not make us ask all the time.
const LIFE_MIN_MS: i64 = 60 * 1000;
/// Keys are kept at most so long: one that was withdrawn must end.
const LIFE_MAX_MS: i64 = 24 * 60 * 60 * 1000;
/// While the keys are good, an unknown one is asked for so often at most.
const UNKNOWN_EVERY_MS: i64 = 60 * 1000;
/// When they are not and the source did not answer, it is asked again so often at most.
const RETRY_EVERY_MS: i64 = 5 * 1000;
/// Below the limit of a request, so that the client hears of it.
const FETCH_WITHIN: Duration = Duration::from_secs(4);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// Largest answer, in bytes; Google's has two keys in under a thousand.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Most keys of an answer; further ones are not read.
const KEYS_MAX: usize = 32;
/// 2048 to 8192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
const EXPONENT_BYTES: std::ops::RangeInclusive<usize> = 1..=5;

/// A key that verifies.
#[derive(Debug)]
pub(super) struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    pub(super) fn components(&self) -> RsaPublicKeyComponents<&[u8]> {
        RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent }
    }
}

/// Whether there is such a key cannot be said: the source did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Away;

/// Where keys come from. Clones share what was fetched.
#[derive(Clone, Debug)]
pub(super) struct KeySource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: Url,
    client: Client,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    set: Option<KeySet>,
    fetch: Option<Fetch>,
}

#[derive(Debug)]
struct KeySet {
    keys: BTreeMap<String, Arc<PublicKey>>,
    good_until_ms: i64,
}

/// The last fetch: under way, or what became of it.
#[derive(Debug)]
struct Fetch {
    begun_at_ms: i64,
    end: Shared<BoxFuture<'static, ()>>,
    has_failed: bool,
}

enum Look {
    Answer(Result<Option<Arc<PublicKey>>, Away>),
    Wait(Shared<BoxFuture<'static, ()>>),
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
enum FetchFailed {
    #[error("no answer")]
    Away(#[from] reqwest::Error),
    #[error("the answer was {0}")]
    Status(StatusCode),
    #[error("the answer is larger than 64 KiB")]
    TooLarge,
    #[error("the answer holds no key that signs with RS256")]
    NoKeys,
}

impl KeySource {
    /// Of this address. Nothing is fetched yet.
    pub(super) fn new(url: &Url, clock: Clock) -> reqwest::Result<KeySource> {
        // It fails when there is one already, and then it is the same.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(FETCH_WITHIN)
            .connect_timeout(CONNECT_WITHIN)
            .redirect(redirect::Policy::none())
            // The configuration has let plain HTTP through on this machine only.
            .https_only(url.scheme() == "https")
            // Only our own variables say where we connect.
            .no_proxy()
            .build()?;
        let inner = Inner { url: url.clone(), client, clock, state: Mutex::default() };
        Ok(KeySource(Arc::new(inner)))
    }

    /// The key of this id, if there is one now.
    pub(super) async fn find(&self, kid: &str) -> Result<Option<Arc<PublicKey>>, Away> {
        match self.look(kid) {
            Look::Answer(answer) => return answer,
            Look::Wait(end) => end.await,
        }
        match self.look(kid) {
            Look::Answer(answer) => answer,
            // Whoever has waited once is not kept any longer.
            Look::Wait(_) => Err(Away),
        }
    }

    fn look(&self, kid: &str) -> Look {
        let now_ms = self.0.clock.now_ms();
        let mut state = self.0.lock();
        let set = state.set.as_ref().filter(|set| now_ms < set.good_until_ms);
        if let Some(key) = set.and_then(|set| set.keys.get(kid)) {
            return Look::Answer(Ok(Some(Arc::clone(key))));
        }
        let every_ms = if set.is_some() { UNKNOWN_EVERY_MS } else { RETRY_EVERY_MS };
        if let Some(fetch) = &state.fetch {
            if fetch.end.peek().is_none() {
                return Look::Wait(fetch.end.clone());
            }
            if now_ms.saturating_sub(fetch.begun_at_ms) < every_ms {
                let is_sure = set.is_some() && !fetch.has_failed;
                return Look::Answer(if is_sure { Ok(None) } else { Err(Away) });
            }
        }
        let inner = Arc::clone(&self.0);
        // A task of its own: it ends within its time, also when whoever asked has gone.
        let task = tokio::spawn(async move { inner.fetch().await });
        let end = task.map(drop).boxed().shared();
        state.fetch = Some(Fetch { begun_at_ms: now_ms, end: end.clone(), has_failed: false });
        Look::Wait(end)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) {
        let fetched = self.ask().await;
        let mut state = self.lock();
        match fetched {
            Ok(set) => {
                tracing::info!(keys = set.keys.len(), "fetched the keys of Firebase's ID tokens");
                state.set = Some(set);
            }
            Err(error) => {
                if let Some(fetch) = &mut state.fetch {
                    fetch.has_failed = true;
                }
                let error = anyhow::Error::from(error);
                tracing::warn!(error = format!("{error:#}"), "no keys of Firebase's ID tokens");
            }
        }
    }

    async fn ask(&self) -> Result<KeySet, FetchFailed> {
        let asked_at_ms = self.clock.now_ms();
        let mut answer = self.client.get(self.url.clone()).send().await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchFailed::Status(answer.status()));
        }
        let good_until_ms = asked_at_ms.saturating_add(life_ms(answer.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(FetchFailed::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let keys = parse(&body);
        if keys.is_empty() {
            return Err(FetchFailed::NoKeys);
        }
        Ok(KeySet { keys, good_until_ms })
    }
}

/// How long an answer is good: `max-age`, less the time that it spent in caches on the way, within our bounds.
fn life_ms(headers: &HeaderMap) -> i64 {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let directives = directives.flat_map(|line| line.split(',')).map(|it| it.trim().to_ascii_lowercase());
    let max_age_s = directives.filter_map(|it| it.strip_prefix("max-age=")?.parse::<i64>().ok()).min();
    let age_s = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse::<i64>().ok());
    let life_s = max_age_s.unwrap_or(0).saturating_sub(age_s.unwrap_or(0).max(0));
    life_s.saturating_mul(1000).clamp(LIFE_MIN_MS, LIFE_MAX_MS)
}

/// The keys of a JSON Web Key Set (RFC 7517) that sign with RS256; others are not ours to use.
fn parse(body: &[u8]) -> BTreeMap<String, Arc<PublicKey>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set = serde_json::from_slice(body).unwrap_or(Set { keys: Vec::new() });
    set.keys.into_iter().take(KEYS_MAX).filter_map(key).collect()
}

fn key(value: Value) -> Option<(String, Arc<PublicKey>)> {
    #[derive(Deserialize)]
    struct Key {
        kty: String,
        kid: String,
        alg: Option<String>,
        #[serde(rename = "use")]
        used_for: Option<String>,
        n: String,
        e: String,
    }
    let key: Key = serde_json::from_value(value).ok()?;
    let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let (modulus, exponent) = (bytes(&key.n)?, bytes(&key.e)?);
    let is_usable = key.kty == "RSA"
        && key.alg.is_none_or(|alg| alg == "RS256")
        && key.used_for.is_none_or(|used_for| used_for == "sig")
        && (1..=KID_BYTES_MAX).contains(&key.kid.len())
        && MODULUS_BYTES.contains(&modulus.len())
        && EXPONENT_BYTES.contains(&exponent.len())
        && modulus.first() != Some(&0)
        && exponent.first() != Some(&0);
    is_usable.then(|| (key.kid, Arc::new(PublicKey { modulus, exponent })))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn an_answer_says_how_long_it_is_good_within_bounds() {
        let life_s = |cache_control: &'static str, age: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
            headers.insert(AGE, HeaderValue::from_static(age));
            life_ms(&headers) / 1000
        };
        assert_eq!(life_s("public, max-age=22000, must-revalidate, no-transform", ""), 22_000);
        assert_eq!(life_s("Max-Age=600", "100"), 500);
        assert_eq!(life_s("max-age=600", "-100"), 600);
        assert_eq!(life_s("max-age=9000, max-age=600", ""), 600);
        for short in ["", "no-store", "max-age=0", "max-age=-9", "max-age=x", "max-age=59"] {
            assert_eq!(life_s(short, ""), 60, "{short}");
        }
        assert_eq!(life_s("max-age=9223372036854775807", ""), 24 * 60 * 60);
        assert_eq!(life_ms(&HeaderMap::new()), LIFE_MIN_MS);
    }

    #[test]
    fn only_keys_for_this_one_algorithm_are_read() {
        let modulus = BASE64URL_NOPAD.encode(&[0xff; 256]);
        let good = serde_json::json!({
            "kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", "n": modulus, "e": "AQAB",
        });
        let read =
            |keys: &[Value]| parse(&serde_json::to_vec(&serde_json::json!({ "keys": keys })).expect("JSON"));
        assert_eq!(read(std::slice::from_ref(&good)).keys().collect::<Vec<_>>(), ["one"]);
        let changes = [
            ("kty", "EC"),
            ("kid", ""),
            ("kid", &"k".repeat(129)),
            ("alg", "HS256"),
            ("alg", "RS512"),
            ("use", "enc"),
            ("n", &BASE64URL_NOPAD.encode(&[0xff; 128])),
            ("n", &BASE64URL_NOPAD.encode(&[0xff; 1025])),
            ("n", &BASE64URL_NOPAD.encode(&[&[0], &[0xff; 256][..]].concat())),
            ("n", "not base64!"),
            ("e", ""),
            ("e", "AAEAAQ"),
        ];
        for (name, value) in changes {
            let mut changed = good.clone();
            changed[name] = Value::from(value);
            assert!(read(&[changed]).is_empty(), "{name} {value}");
        }
        let many: Vec<Value> = (0..1_000)
            .map(|number| {
                let mut key = good.clone();
                key["kid"] = Value::from(number.to_string());
                key
            })
            .collect();
        assert_eq!(read(&many).len(), KEYS_MAX);
        for nonsense in ["", "[]", "{}", "{\"keys\": 1}", "<html>"] {
            assert!(parse(nonsense.as_bytes()).is_empty(), "{nonsense}");
        }
    }
}
