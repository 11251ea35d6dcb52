//! Passwords: Argon2id, few at a time, so that a crowd that logs in cannot take the whole machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::common_passwords::is_common;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Hashes that may wait for a core. Full: 503, try again in a moment.
const QUEUE_MAX: usize = 64;
/// Fewest characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Most characters.
pub const PASSWORD_CHARS_MAX: usize = 128;

/// Too many hash at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weak {
    /// Under [`PASSWORD_CHARS_MIN`].
    Short,
    /// Over [`PASSWORD_CHARS_MAX`].
    Long,
    /// Among the first that anybody tries.
    Common,
}

impl Weak {
    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Short => "at least 8 characters; a few words are easy to remember and hard to guess",
            Self::Long => "at most 128 characters",
            Self::Common => "this one is among the first that anybody would try; a few words are better",
        }
    }
}

/// Checks a new password. `mail` is what it must not be.
///
/// # Errors
/// [`Weak`].
pub fn check(password: &str, mail: &str) -> Result<(), Weak> {
    match password.chars().count() {
        chars if chars < PASSWORD_CHARS_MIN => Err(Weak::Short),
        chars if chars > PASSWORD_CHARS_MAX => Err(Weak::Long),
        _ if is_common(password, mail) => Err(Weak::Common),
        _ => Ok(()),
    }
}

/// Hashes and verifies, at most one on each core.
#[derive(Clone, Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Passwords { places: Arc::new(Semaphore::new(cores)), waiting: Arc::default() }
    }
}

/// What came of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The password is right.
    Right {
        /// The stored hash is weaker than today's: make it again.
        is_weak: bool,
    },
    /// It is not.
    Wrong,
}

impl Passwords {
    /// The hash of a new password, in PHC form.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn hash(&self, password: String) -> Result<String, Busy> {
        self.in_turn(move || hash_now(&password)).await
    }

    /// Compares a password with a stored hash. Without one it takes as long and is wrong.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<Verified, Busy> {
        self.in_turn(move || {
            let hash = stored.as_deref().and_then(|stored| PasswordHash::new(stored).ok());
            let Some(hash) = hash else {
                let _as_long = hash_now(&password);
                return Verified::Wrong;
            };
            if hasher().verify_password(password.as_bytes(), &hash).is_err() {
                return Verified::Wrong;
            }
            let is_today = Params::try_from(&hash).is_ok_and(|params| {
                (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, 1)
            });
            Verified::Right { is_weak: !is_today }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let waiting = Waiting::enter(&self.waiting)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_closed| Busy)?;
        drop(waiting);
        let hashed = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(place);
            answer
        });
        Ok(hashed.await.expect("hashing does not panic and is not aborted"))
    }
}

/// One of those who wait; leaves when dropped, also when its request ends before its turn.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn enter(count: &Arc<AtomicUsize>) -> Result<Waiting, Busy> {
        let entered = Waiting(Arc::clone(count));
        if count.fetch_add(1, Ordering::Relaxed) >= QUEUE_MAX { Err(Busy) } else { Ok(entered) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn parameters() -> Params {
    Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters are within Argon2's bounds")
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters())
}

fn hash_now(password: &str) -> String {
    let hash: PasswordHash =
        hasher().hash_password(password.as_bytes()).expect("the length is within Argon2's bounds");
    hash.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_no_other() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.expect("nobody waits");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let right = passwords.verify("correct horse".into(), Some(hash.clone())).await;
        assert_eq!(right, Ok(Verified::Right { is_weak: false }));
        for wrong in ["correct horsf", "", "Correct horse"] {
            assert_eq!(passwords.verify(wrong.into(), Some(hash.clone())).await, Ok(Verified::Wrong));
        }
        assert_eq!(passwords.verify("correct horse".into(), None).await, Ok(Verified::Wrong));
        assert_eq!(passwords.verify("x".into(), Some("no hash".into())).await, Ok(Verified::Wrong));
    }

    #[tokio::test]
    async fn a_weaker_hash_is_noticed() {
        let parameters = Params::new(8 * 1024, 1, 1, None).expect("valid");
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let hash: PasswordHash = weak.hash_password(b"correct horse").expect("valid");
        let passwords = Passwords::default();
        let verified = passwords.verify("correct horse".into(), Some(hash.to_string())).await;
        assert_eq!(verified, Ok(Verified::Right { is_weak: true }));
        assert_eq!(passwords.verify("other horse".into(), Some(hash.to_string())).await, Ok(Verified::Wrong));
    }

    #[tokio::test]
    async fn a_crowd_is_refused_and_leaves_no_trace() {
        let passwords = Passwords { places: Arc::new(Semaphore::new(0)), waiting: Arc::default() };
        let wait =
            |passwords: Passwords| tokio::spawn(async move { passwords.verify("x".into(), None).await });
        let waiting: Vec<_> = (0..QUEUE_MAX).map(|_| wait(passwords.clone())).collect();
        while passwords.waiting.load(Ordering::Relaxed) < QUEUE_MAX {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.verify("x".into(), None).await, Err(Busy));
        for one in &waiting {
            one.abort();
        }
        for one in waiting {
            assert!(one.await.is_err_and(|error| error.is_cancelled()));
        }
        assert_eq!(passwords.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn weak_ones_are_refused() {
        let cases = [
            ("1234567", Err(Weak::Short)),
            (&"x1".repeat(65), Err(Weak::Long)),
            ("password", Err(Weak::Common)),
            ("PassWord1", Err(Weak::Common)),
            ("aaaaaaaa", Err(Weak::Common)),
            ("12345678", Err(Weak::Common)),
            ("qwertyui", Err(Weak::Common)),
            ("ada.lovelace", Err(Weak::Common)),
            ("ada.lovelace@example.org", Err(Weak::Common)),
            ("ünïcödé ", Ok(())),
            (&"x1".repeat(64), Err(Weak::Common)),
            (&"words ".repeat(22)[..128], Ok(())),
            ("correct horse", Ok(())),
        ];
        for (password, expected) in cases {
            assert_eq!(check(password, "Ada.Lovelace@example.org"), expected, "{password}");
        }
    }
}
