//! What makes a value ours: HMAC-SHA256 with a key that only the database knows, over the value, its age and the place
//! it was written for. So a Redis that was restored from elsewhere, was written to by somebody, mixes values up or
//! cuts them is noticed, and what it says is nothing.
//!
//! ```text
//! epoch, 20 digits │ seq, 20 digits │ seal, 32 bytes │ body
//! ```
//!
//! Epoch and seq stand in front as digits, so that a script in Redis can compare two values as texts, whatever its
//! language settings. An older value of ours has a good seal: whoever reads compares (epoch, seq) with the database.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::fact::Lie;
use crate::record::{Epoch, Seq};

/// Digits of epoch and seq together.
pub(super) const STAMP_BYTES: usize = 40;
const DIGITS: usize = STAMP_BYTES / 2;
const SEAL_BYTES: usize = 32;
/// What a seal adds to a body.
pub(super) const HEADER_BYTES: usize = STAMP_BYTES + SEAL_BYTES;

/// A sealed value, opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened<'a> {
    pub(super) epoch: Epoch,
    pub(super) seq: Seq,
    pub(super) body: &'a [u8],
}

/// Seals values and opens them.
#[derive(Clone)]
pub(super) struct Sealer(Hmac<Sha256>);

impl Sealer {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"))
    }

    /// A value that is good at this place only: a key or a channel of Redis.
    pub(super) fn seal(&self, place: &str, epoch: Epoch, seq: Seq, body: &[u8]) -> Vec<u8> {
        let mut stamp = String::with_capacity(STAMP_BYTES);
        write!(stamp, "{:020}{:020}", epoch.0, seq.0).expect("a string takes everything");
        let mut value = Vec::with_capacity(HEADER_BYTES + body.len());
        value.extend_from_slice(stamp.as_bytes());
        value.extend_from_slice(&self.mac(place, stamp.as_bytes(), body).finalize().into_bytes());
        value.extend_from_slice(body);
        value
    }

    /// What a value says, if it was sealed for this place.
    pub(super) fn open<'a>(&self, place: &str, value: &'a [u8]) -> Result<Opened<'a>, Lie> {
        let (stamp, rest) = value.split_at_checked(STAMP_BYTES).ok_or(Lie::Nonsense)?;
        let (seal, body) = rest.split_at_checked(SEAL_BYTES).ok_or(Lie::Nonsense)?;
        let (epoch, seq) = parse_stamp(stamp).ok_or(Lie::Nonsense)?;
        self.mac(place, stamp, body).verify_slice(seal).map_err(|_| Lie::BadSeal)?;
        Ok(Opened { epoch, seq, body })
    }

    /// A name for something that must not be readable in Redis, such as an address.
    pub(super) fn pseudonym(&self, name: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(b"dopamine-hero pseudonym 1");
        mac.update(name.as_bytes());
        let mut hex = String::with_capacity(32);
        for byte in mac.finalize().into_bytes().iter().take(16) {
            write!(hex, "{byte:02x}").expect("a string takes everything");
        }
        hex
    }

    fn mac(&self, place: &str, stamp: &[u8], body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(b"dopamine-hero value 1");
        // Lengths before every variable part but the last: two different values never read the same.
        mac.update(&(place.len() as u64).to_be_bytes());
        mac.update(place.as_bytes());
        mac.update(stamp);
        mac.update(body);
        mac
    }
}

fn parse_stamp(stamp: &[u8]) -> Option<(Epoch, Seq)> {
    if !stamp.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (epoch, seq) = std::str::from_utf8(stamp).ok()?.split_at_checked(DIGITS)?;
    Some((Epoch(epoch.parse().ok()?), Seq(seq.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealer() -> Sealer {
        Sealer::new([7; 32])
    }

    #[test]
    fn what_was_sealed_opens() {
        let value = sealer().seal("dh:hot:a", Epoch(3), Seq(u64::MAX), b"body");
        let opened = sealer().open("dh:hot:a", &value);
        assert_eq!(opened, Ok(Opened { epoch: Epoch(3), seq: Seq(u64::MAX), body: b"body" }));
    }

    #[test]
    fn another_place_another_key_and_no_value_are_noticed() {
        let value = sealer().seal("dh:hot:a", Epoch(3), Seq(9), b"body");
        assert_eq!(sealer().open("dh:hot:b", &value), Err(Lie::BadSeal));
        assert_eq!(Sealer::new([8; 32]).open("dh:hot:a", &value), Err(Lie::BadSeal));
        assert_eq!(sealer().open("dh:hot:a", b""), Err(Lie::Nonsense));
        assert_eq!(sealer().open("dh:hot:a", &[b'x'; 200]), Err(Lie::Nonsense));
        assert_eq!(
            sealer().open("dh:hot:a", &[b'9'; 200]),
            Err(Lie::Nonsense),
            "no number of 20 nines is a u64"
        );
        assert_eq!(sealer().open("dh:hot:a", &[b'0'; 200]), Err(Lie::BadSeal));
    }

    #[test]
    fn newer_values_are_larger_texts() {
        let stamp = |epoch, seq| sealer().seal("a", Epoch(epoch), Seq(seq), b"")[..STAMP_BYTES].to_vec();
        assert!(stamp(2, 0) > stamp(1, u64::MAX));
        assert!(stamp(1, 10) > stamp(1, 9));
    }

    #[test]
    fn a_pseudonym_tells_nothing_and_is_always_the_same() {
        assert_eq!(sealer().pseudonym("192.0.2.1"), sealer().pseudonym("192.0.2.1"));
        assert_ne!(sealer().pseudonym("192.0.2.1"), sealer().pseudonym("192.0.2.2"));
        assert_ne!(sealer().pseudonym("192.0.2.1"), Sealer::new([8; 32]).pseudonym("192.0.2.1"));
        assert_eq!(sealer().pseudonym("192.0.2.1").len(), 32);
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(body: Vec<u8>, at: prop::sample::Index, change in 1..=u8::MAX) {
            let mut value = sealer().seal("dh:hot:a", Epoch(3), Seq(9), &body);
            let at = at.index(value.len());
            value[at] ^= change;
            prop_assert!(sealer().open("dh:hot:a", &value).is_err());
        }

        #[test]
        fn no_bytes_panic(value: Vec<u8>) {
            prop_assert!(sealer().open("dh:hot:a", &value).is_err());
        }
    }
}
