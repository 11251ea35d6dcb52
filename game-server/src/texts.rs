//! What players type, in the journal: encrypted with a key that each hero has for itself. Erasing a hero forgets its key;
//! its history stays, folds, and says nothing about anybody.
//!
//! The key is random, and kept sealed in the store. A text is encrypted the same way each time: whoever folds a journal
//! without its key gets the same bytes as the snapshot that was written with it. What shows is only that two texts of one
//! hero are equal.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use persistence::accounts::Sealed;
use persistence::{HeroId, StoreError, StoredTextKey, TextKeyStore};
use rand::Rng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use rmp::Marker;
use rmp::decode::read_marker;
use rmp::encode::write_ext_meta;
use simulation::text::{READABLE_EXT, SEALED_EXT};

use crate::accounts::Keys;

/// What the key in the store is sealed as.
const LABEL: &str = "text key";
/// Length of the part that encrypts, and of the part that makes nonces.
const PART_BYTES: usize = 32;

/// Encrypts and opens the texts of one hero. It prints as `***`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TextKey {
    sealing: [u8; PART_BYTES],
    nonces: [u8; PART_BYTES],
}

impl fmt::Debug for TextKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TextKey(***)")
    }
}

/// Bytes that cannot be opened: they were changed, or belong to another hero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text in it does not open with the hero's key")]
pub struct TextDamaged;

impl TextKey {
    /// A new one.
    #[must_use]
    pub fn random() -> TextKey {
        let (mut sealing, mut nonces) = ([0; PART_BYTES], [0; PART_BYTES]);
        rand::rng().fill_bytes(&mut sealing);
        rand::rng().fill_bytes(&mut nonces);
        TextKey { sealing, nonces }
    }

    /// A key as it is kept, once it is unsealed: 64 bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<TextKey> {
        let (sealing, nonces) = bytes.split_first_chunk()?;
        Some(TextKey { sealing: *sealing, nonces: nonces.try_into().ok()? })
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &self.sealing).expect("32 bytes are its length"))
    }

    /// The same MessagePack with every readable text encrypted.
    #[must_use]
    pub fn seal(&self, plain: Vec<u8>) -> Vec<u8> {
        let sealed = rewrite(&plain, READABLE_EXT, |out, text| {
            let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.nonces), text);
            let nonce = *hash.as_ref().first_chunk::<NONCE_LEN>().expect("a hash is longer than a nonce");
            let mut sealed = text.to_vec();
            self.cipher()
                .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
                .expect("a text is far below the limit of the cipher");
            ext(out, SEALED_EXT, &[&nonce, &sealed]);
            Ok(())
        });
        match sealed.expect("what we have just encoded is MessagePack") {
            Cow::Owned(sealed) => sealed,
            Cow::Borrowed(_) => plain,
        }
    }

    /// The same MessagePack with every text readable.
    ///
    /// # Errors
    /// [`TextDamaged`].
    pub fn open<'a>(&self, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, TextDamaged> {
        rewrite(stored, SEALED_EXT, |out, sealed| {
            let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(TextDamaged)?;
            let mut text = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let text =
                self.cipher().open_in_place(nonce, Aad::empty(), &mut text).map_err(|_| TextDamaged)?;
            ext(out, READABLE_EXT, &[text]);
            Ok(())
        })
    }
}

/// What a text is longer when it is sealed: nonce, tag, and a longer head.
const ONE_TEXT_BYTES_MORE: usize = NONCE_LEN + 16 + 4;

/// Copies MessagePack and lets `each` write something else for every extension value of this kind. Without any, nothing
/// is copied. One pass over markers, without a stack: what they nest does not matter here.
fn rewrite<'a>(
    bytes: &'a [u8],
    kind: i8,
    mut each: impl FnMut(&mut Vec<u8>, &[u8]) -> Result<(), TextDamaged>,
) -> Result<Cow<'a, [u8]>, TextDamaged> {
    let mut out = Vec::new();
    let (mut rest, mut copied) = (bytes, bytes);
    while !rest.is_empty() {
        let before = rest;
        match value(&mut rest).ok_or(TextDamaged)? {
            Value::Ext(found, data) if found == kind => {
                let untouched = copied.len() - before.len();
                if out.is_empty() {
                    out.reserve(bytes.len() + ONE_TEXT_BYTES_MORE);
                }
                out.extend_from_slice(copied.get(..untouched).ok_or(TextDamaged)?);
                each(&mut out, data)?;
                copied = rest;
            }
            Value::Ext(..) | Value::Other => {}
        }
    }
    if copied.len() == bytes.len() {
        return Ok(Cow::Borrowed(bytes));
    }
    out.extend_from_slice(copied);
    Ok(Cow::Owned(out))
}

enum Value<'a> {
    Ext(i8, &'a [u8]),
    Other,
}

/// The next marker and the bytes that belong to it alone; a list's or map's values come next. Nothing when they end early.
fn value<'a>(rest: &mut &'a [u8]) -> Option<Value<'a>> {
    let skipped = match read_marker(rest).ok()? {
        Marker::Reserved => return None,
        Marker::U8 | Marker::I8 => 1,
        Marker::U16 | Marker::I16 | Marker::Array16 | Marker::Map16 => 2,
        Marker::U32 | Marker::I32 | Marker::F32 | Marker::Array32 | Marker::Map32 => 4,
        Marker::U64 | Marker::I64 | Marker::F64 => 8,
        Marker::FixStr(length) => usize::from(length),
        Marker::Str8 | Marker::Bin8 => number::<1>(rest)?,
        Marker::Str16 | Marker::Bin16 => number::<2>(rest)?,
        Marker::Str32 | Marker::Bin32 => number::<4>(rest)?,
        Marker::FixExt1 => return extension(rest, 1),
        Marker::FixExt2 => return extension(rest, 2),
        Marker::FixExt4 => return extension(rest, 4),
        Marker::FixExt8 => return extension(rest, 8),
        Marker::FixExt16 => return extension(rest, 16),
        Marker::Ext8 => return number::<1>(rest).and_then(|length| extension(rest, length)),
        Marker::Ext16 => return number::<2>(rest).and_then(|length| extension(rest, length)),
        Marker::Ext32 => return number::<4>(rest).and_then(|length| extension(rest, length)),
        Marker::FixPos(_)
        | Marker::FixNeg(_)
        | Marker::FixMap(_)
        | Marker::FixArray(_)
        | Marker::Null
        | Marker::True
        | Marker::False => 0,
    };
    take(rest, skipped)?;
    Some(Value::Other)
}

fn extension<'a>(rest: &mut &'a [u8], length: usize) -> Option<Value<'a>> {
    let kind = take(rest, 1)?.first()?;
    Some(Value::Ext(i8::from_be_bytes([*kind]), take(rest, length)?))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// A big-endian number of `N` bytes.
fn number<const N: usize>(rest: &mut &[u8]) -> Option<usize> {
    Some(take(rest, N)?.iter().fold(0, |number, byte| (number << 8) | usize::from(*byte)))
}

fn ext(out: &mut Vec<u8>, kind: i8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).expect("a text is short");
    write_ext_meta(out, length, kind).expect("a Vec takes every byte");
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// Why there is no key for a hero's texts.
#[derive(Debug, thiserror::Error)]
pub enum KeyFailed {
    /// The store is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret that sealed the key is not configured.
    #[error("no secret in SECRET_KEYS opens the texts of hero {0}: add the one that it was made with")]
    Secret(HeroId),
    /// The hero was erased.
    #[error("the hero was erased")]
    Erased,
}

/// Finds the keys of heroes. Clones share everything.
#[derive(Clone)]
pub struct TextKeys {
    store: Arc<dyn TextKeyStore>,
    keys: Keys,
}

impl fmt::Debug for TextKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TextKeys").finish_non_exhaustive()
    }
}

impl TextKeys {
    /// Keys kept in `store`, sealed with `keys`.
    #[must_use]
    pub fn new(store: Arc<dyn TextKeyStore>, keys: Keys) -> TextKeys {
        TextKeys { store, keys }
    }

    /// The key of a hero that is read; nothing when it has none, because it was erased or never played.
    ///
    /// # Errors
    /// [`KeyFailed::Store`] and [`KeyFailed::Secret`].
    pub async fn find(&self, hero: HeroId) -> Result<Option<TextKey>, KeyFailed> {
        match self.store.text_key(hero).await? {
            Some(StoredTextKey::Kept(sealed)) => self.unseal(hero, &sealed).map(Some),
            Some(StoredTextKey::Forgotten) | None => Ok(None),
        }
    }

    /// The same for a tool that goes on without the secret: texts stay sealed then.
    ///
    /// # Errors
    /// Those of a store that is away.
    pub async fn find_if_configured(&self, hero: HeroId) -> Result<Option<TextKey>, StoreError> {
        match self.find(hero).await {
            Err(KeyFailed::Store(error)) => Err(error),
            Err(KeyFailed::Secret(_) | KeyFailed::Erased) => Ok(None),
            Ok(key) => Ok(key),
        }
    }

    /// The key of a hero that is about to be played: a new one, the first time.
    ///
    /// # Errors
    /// [`KeyFailed`].
    pub async fn get(&self, hero: HeroId) -> Result<TextKey, KeyFailed> {
        let stored = match self.store.text_key(hero).await? {
            Some(stored) => stored,
            None => {
                let TextKey { sealing, nonces } = TextKey::random();
                let candidate = self.keys.seal(LABEL, hero.0, &[sealing, nonces].concat());
                self.store.put_text_key(hero, candidate).await?
            }
        };
        match stored {
            StoredTextKey::Kept(sealed) => self.unseal(hero, &sealed),
            StoredTextKey::Forgotten => Err(KeyFailed::Erased),
        }
    }

    fn unseal(&self, hero: HeroId, sealed: &Sealed) -> Result<TextKey, KeyFailed> {
        let opened = self.keys.open_sealed(LABEL, hero.0, sealed);
        opened.and_then(|bytes| TextKey::parse(&bytes)).ok_or(KeyFailed::Secret(hero))
    }
}

#[cfg(test)]
mod tests;
