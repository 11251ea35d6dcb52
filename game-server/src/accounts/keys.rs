//! One secret, and what is derived from it: the key that signs access tokens, and the one that encrypts what says who
//! somebody is. A second, older secret still verifies and opens, so that it can be replaced without logging anybody out.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use persistence::accounts::Sealed;
use rand::Rng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::config::{Config, DatabaseUrl, SecretKey};

/// Length of every derived key.
const KEY_BYTES: usize = 32;
/// Names the key within what it has sealed.
const KEY_NAME_BYTES: usize = 8;

/// Why there is no secret to begin with.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the server's secret in {}: {source}. Make its folder writable, or set SECRET_KEYS", path.display())]
pub struct KeysError {
    path: PathBuf,
    source: std::io::Error,
}

/// What is derived from the secrets. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    /// The first one signs and seals, every one verifies and opens.
    derived: Arc<[Derived]>,
}

pub(super) struct Derived {
    pub(super) signing: Ed25519KeyPair,
    /// Names the signing key in tokens.
    pub(super) kid: String,
    sealing: LessSafeKey,
    name: [u8; KEY_NAME_BYTES],
    audit: [u8; KEY_BYTES],
    /// Signs tickets.
    pub(super) tickets: [u8; KEY_BYTES],
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys(***)")
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl Derived {
    fn of(secret: &[u8]) -> Derived {
        let secret = Salt::new(HKDF_SHA256, b"dopamine-hero").extract(secret);
        let derive = |label: &[u8]| {
            let mut key = [0; KEY_BYTES];
            let info = [label];
            let okm = secret.expand(&info, Length).expect("32 bytes are a length that HKDF gives");
            okm.fill(&mut key).expect("the length is the one that was asked for");
            key
        };
        let signing =
            Ed25519KeyPair::from_seed_unchecked(&derive(b"access tokens")).expect("any 32 bytes are a seed");
        let sealing = derive(b"sealed fields");
        Derived {
            kid: HEXLOWER.encode(&name_of(signing.public_key().as_ref())),
            signing,
            sealing: LessSafeKey::new(
                UnboundKey::new(&CHACHA20_POLY1305, &sealing).expect("32 bytes are the length of its key"),
            ),
            name: name_of(&derive(b"name of the sealing key")),
            audit: derive(b"audit log"),
            tickets: derive(b"tickets"),
        }
    }
}

impl Keys {
    /// The configured secrets, or, on a developer's machine, one that is kept beside the database: in a file, or the
    /// one that a shared database has anyway (`of_database`).
    ///
    /// # Errors
    /// When it can neither be read nor kept.
    pub fn open(config: &Config, of_database: &[u8; 32]) -> Result<Keys, KeysError> {
        if !config.secret_keys.is_empty() {
            return Ok(Keys::of(&config.secret_keys));
        }
        match &config.database {
            DatabaseUrl::Sqlite(path) => {
                let path = PathBuf::from(format!("{}.secret", path.display()));
                kept(&path).map_err(|source| KeysError { path, source })
            }
            DatabaseUrl::Memory => Ok(Keys::random()),
            DatabaseUrl::Postgres(_) => Ok(Keys { derived: Arc::new([Derived::of(of_database)]) }),
        }
    }

    /// Of these secrets; the first one is the current one.
    fn of(secrets: &[SecretKey]) -> Keys {
        Keys { derived: secrets.iter().map(|secret| Derived::of(secret.expose())).collect() }
    }

    /// Nobody's, and gone with the process.
    #[must_use]
    pub fn random() -> Keys {
        Keys { derived: Arc::new([Derived::of(&random())]) }
    }

    /// The keys of the operators' audit log: the first one writes, every one verifies.
    #[must_use]
    pub fn audit_keys(&self) -> Vec<[u8; 32]> {
        self.derived.iter().map(|derived| derived.audit).collect()
    }

    /// The one that signs.
    pub(super) fn current(&self) -> &Derived {
        self.derived.first().expect("there is always one")
    }

    /// The one of this name.
    pub(super) fn verifier(&self, is_it: impl Fn(&Derived) -> bool) -> Option<&Derived> {
        self.derived.iter().find(|derived| is_it(derived))
    }

    /// Encrypts what belongs to `owner`. What it is (`label`) and whose are part of the seal: moved to another place it
    /// does not open.
    #[must_use]
    pub fn seal(&self, label: &str, owner: Uuid, bytes: &[u8]) -> Sealed {
        let derived = self.current();
        let mut nonce = [0; NONCE_LEN];
        rand::rng().fill_bytes(&mut nonce);
        let mut sealed = bytes.to_vec();
        derived
            .sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(label, owner), &mut sealed)
            .expect("what we seal is far below the limit of the cipher");
        Sealed([&derived.name[..], &nonce, &sealed].concat())
    }

    /// What was sealed; nothing when it was changed, belongs elsewhere, or its secret is not configured any more.
    #[must_use]
    pub fn open_sealed(&self, label: &str, owner: Uuid, sealed: &Sealed) -> Option<Vec<u8>> {
        let (name, rest) = sealed.0.split_at_checked(KEY_NAME_BYTES)?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN)?;
        let derived = self.verifier(|derived| derived.name == name)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = rest.to_vec();
        let length = derived.sealing.open_in_place(nonce, aad(label, owner), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

/// Names a key without telling it.
fn name_of(key: &[u8]) -> [u8; KEY_NAME_BYTES] {
    let hash: [u8; 32] = Sha256::digest(key).into();
    *hash.first_chunk().expect("a hash is longer")
}

fn aad(label: &str, owner: Uuid) -> Aad<Vec<u8>> {
    Aad::from([label.as_bytes(), &[0], owner.as_bytes()].concat())
}

fn random() -> [u8; KEY_BYTES] {
    let mut secret = [0; KEY_BYTES];
    rand::rng().fill_bytes(&mut secret);
    secret
}

/// The secret in this file, which is made when it is missing.
fn kept(path: &Path) -> std::io::Result<Keys> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    // Only its owner may read it.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            writeln!(file, "{}", BASE64.encode(&random()))?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let text = std::fs::read_to_string(path)?;
    let secret = SecretKey::parse(&text)
        .ok_or_else(|| std::io::Error::new(ErrorKind::InvalidData, "it holds no secret"))?;
    Ok(Keys::of(&[secret]))
}

#[cfg(test)]
mod tests;
