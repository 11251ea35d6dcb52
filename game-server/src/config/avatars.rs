//! Where pictures of players are kept.

use std::fmt;
use std::path::PathBuf;

/// Where pictures of players are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AvatarPlace {
    /// Nobody has a picture: several servers share a Postgres and no place for files was named.
    Nowhere,
    /// In memory, beside a database that is there too.
    Memory,
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a bucket of a store that speaks S3.
    Bucket(Bucket),
}

/// A bucket and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Where its store is; nothing: Amazon's, of the region.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Who asks.
    pub access_key_id: String,
    /// Signs what is asked; it never leaves the server.
    pub secret_access_key: SecretText,
}

/// A text from the environment that must not be seen. It prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Hides a text.
    pub fn new(text: String) -> SecretText {
        SecretText(text)
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}
