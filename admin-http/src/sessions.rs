//! Logins, in the memory of this server alone: whoever is logged in sees the overview also while the database is away
//! (docs/decisions/0014-operators-log-in-to-one-server.md).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, header};
use data_encoding::BASE64URL_NOPAD;

use crate::digest::sha256;
use crate::views::Role;

/// The cookie. Its prefix makes a browser keep it to this host, to TLS and away from every script's name tricks.
pub(crate) const COOKIE: &str = "__Host-operator";
/// A login ends after so long without use.
pub(crate) const IDLE_MS: i64 = 15 * 60 * 1_000;
/// A login ends after so long in any case.
pub(crate) const AGE_MS: i64 = 8 * 60 * 60 * 1_000;
/// For so long the database is not asked again whether an operator may still look. What changes something always asks.
const BELIEVED_MS: i64 = 5_000;
/// Most logins at once. Full: the one that was not used for longest ends.
const SESSIONS_MAX: usize = 100;

/// Names a login: what its cookie hashes to, so that no comparison of secrets takes a telling time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey([u8; 32]);

/// Whose login it is.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) key: SessionKey,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) revision: i64,
    pub(crate) csrf_token: String,
    pub(crate) idle_until_ms: i64,
    pub(crate) ends_at_ms: i64,
    /// Whether the database must be asked again.
    pub(crate) is_doubtful: bool,
}

#[derive(Default)]
pub(crate) struct Sessions {
    all: Mutex<HashMap<SessionKey, Login>>,
}

struct Login {
    name: String,
    role: Role,
    revision: i64,
    csrf_token: String,
    begun_ms: i64,
    used_ms: i64,
    asked_ms: i64,
}

impl Login {
    fn is_over(&self, now_ms: i64) -> bool {
        now_ms - self.used_ms >= IDLE_MS || now_ms - self.begun_ms >= AGE_MS
    }

    fn caller(&self, key: SessionKey, now_ms: i64) -> Caller {
        Caller {
            key,
            name: self.name.clone(),
            role: self.role,
            revision: self.revision,
            csrf_token: self.csrf_token.clone(),
            idle_until_ms: self.used_ms + IDLE_MS,
            ends_at_ms: self.begun_ms + AGE_MS,
            is_doubtful: now_ms - self.asked_ms >= BELIEVED_MS,
        }
    }
}

impl Sessions {
    /// A new login with an id that nobody had before, and what its cookie holds. `random` is 64 bytes that nobody can
    /// guess.
    pub(crate) fn begin(
        &self,
        name: &str,
        role: Role,
        revision: i64,
        random: &[u8; 64],
        now_ms: i64,
    ) -> (String, Caller) {
        let (id, csrf) = random.split_at(32);
        let cookie = BASE64URL_NOPAD.encode(id);
        let login = Login {
            name: name.to_owned(),
            role,
            revision,
            csrf_token: BASE64URL_NOPAD.encode(csrf),
            begun_ms: now_ms,
            used_ms: now_ms,
            asked_ms: now_ms,
        };
        let mut all = self.lock();
        if all.len() >= SESSIONS_MAX {
            all.retain(|_, login| !login.is_over(now_ms));
        }
        while all.len() >= SESSIONS_MAX {
            let oldest = all.iter().min_by_key(|(_, login)| login.used_ms).map(|(&key, _)| key);
            all.remove(&oldest.expect("it is full"));
        }
        let key = key_of(&cookie);
        let caller = login.caller(key, now_ms);
        all.insert(key, login);
        (cookie, caller)
    }

    /// Whose login the cookie of a request names.
    pub(crate) fn find(&self, headers: &HeaderMap, now_ms: i64) -> Option<Caller> {
        let key = key_of(cookie(headers)?);
        let mut all = self.lock();
        if all.get(&key)?.is_over(now_ms) {
            all.remove(&key);
            return None;
        }
        all.get(&key).map(|login| login.caller(key, now_ms))
    }

    /// Whether it goes on, and whether the database must be asked again.
    pub(crate) fn goes_on(&self, key: SessionKey, now_ms: i64) -> Option<bool> {
        let all = self.lock();
        let login = all.get(&key).filter(|login| !login.is_over(now_ms))?;
        Some(now_ms - login.asked_ms >= BELIEVED_MS)
    }

    /// It was used.
    pub(crate) fn used(&self, key: SessionKey, now_ms: i64) {
        if let Some(login) = self.lock().get_mut(&key) {
            login.used_ms = now_ms;
        }
    }

    /// The database was asked, or could not be.
    pub(crate) fn asked(&self, key: SessionKey, now_ms: i64) {
        if let Some(login) = self.lock().get_mut(&key) {
            login.asked_ms = now_ms;
        }
    }

    pub(crate) fn end(&self, key: SessionKey) {
        self.lock().remove(&key);
    }

    /// Ends all logins of an operator.
    pub(crate) fn end_of(&self, name: &str) {
        self.lock().retain(|_, login| login.name != name);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Login>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(cookie: &str) -> SessionKey {
    SessionKey(sha256(cookie.as_bytes()))
}

/// The value of our cookie.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// What makes a browser keep it.
pub(crate) fn set_cookie(value: &str) -> String {
    format!("{COOKIE}={value}; Path=/; Max-Age={}; HttpOnly; Secure; SameSite=Strict", AGE_MS / 1_000)
}

/// What makes a browser forget it.
pub(crate) fn forget_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(sessions: &Sessions, name: &str, number: u8, now_ms: i64) -> HeaderMap {
        let (cookie, _) = sessions.begin(name, Role::Viewer, 1, &[number; 64], now_ms);
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "other=1; __Host-operato=x".parse().expect("a header"));
        headers.append(header::COOKIE, format!("a=b; {COOKIE}={cookie}").parse().expect("a header"));
        headers
    }

    #[test]
    fn a_login_ends_after_15_minutes_without_use_and_after_8_hours_with() {
        let sessions = Sessions::default();
        let ada = begin(&sessions, "ada", 1, 0);
        let caller = sessions.find(&ada, IDLE_MS - 1).expect("it goes on");
        sessions.used(caller.key, IDLE_MS - 1);
        assert_eq!(sessions.goes_on(caller.key, 2 * IDLE_MS - 2), Some(true));
        assert!(sessions.find(&ada, 2 * IDLE_MS - 2).is_some());
        assert!(sessions.find(&ada, 2 * IDLE_MS - 1).is_none(), "idle");
        assert!(sessions.find(&ada, 0).is_none(), "and gone for good");
        let bob = begin(&sessions, "bob", 2, 0);
        let key = sessions.find(&bob, 0).expect("it goes on").key;
        for now_ms in (0..AGE_MS).step_by(60_000) {
            sessions.used(key, now_ms);
        }
        assert!(sessions.find(&bob, AGE_MS - 1).is_some());
        assert!(sessions.find(&bob, AGE_MS).is_none(), "too old");
    }

    #[test]
    fn logins_end_by_name_and_by_hand() {
        let sessions = Sessions::default();
        let (ada, also_ada, bob) =
            (begin(&sessions, "ada", 1, 0), begin(&sessions, "ada", 2, 0), begin(&sessions, "bob", 3, 0));
        sessions.end_of("ada");
        assert!(sessions.find(&ada, 1).is_none() && sessions.find(&also_ada, 1).is_none());
        let key = sessions.find(&bob, 1).expect("another's").key;
        sessions.end(key);
        assert!(sessions.find(&bob, 1).is_none());
    }

    #[test]
    fn a_hundred_at_most_and_the_one_unused_for_longest_makes_room() {
        let sessions = Sessions::default();
        let first = begin(&sessions, "ada", 1, 0);
        for number in 2..=100 {
            begin(&sessions, "ada", number, i64::from(number));
        }
        sessions.used(sessions.find(&first, 100).expect("there is room").key, 100);
        begin(&sessions, "bob", 200, 200);
        assert_eq!(sessions.lock().len(), SESSIONS_MAX);
        assert!(sessions.find(&first, 200).is_some(), "it was used");
    }
}
