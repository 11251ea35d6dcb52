//! Hashes, as few as there are.

use data_encoding::HEXLOWER;
use ring::digest;

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    *digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}

/// As people and logs write it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Whether two secrets are the same. Their hashes are compared, so that the time tells nothing about them.
pub(crate) fn is_same_secret(one: &str, other: &str) -> bool {
    sha256(one.as_bytes()) == sha256(other.as_bytes())
}
