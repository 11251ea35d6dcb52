//! The variables about pictures of players.

use std::path::PathBuf;

use super::Reader;
use crate::config::{AvatarPlace, Bucket, DatabaseUrl, SecretText};

/// Beside a SQLite file.
const FOLDER: &str = "avatars";
/// Longest endpoint, key id and secret.
const TEXT_BYTES_MAX: usize = 512;

impl Reader<'_> {
    pub(in crate::config) fn avatars(&mut self, database: &DatabaseUrl) -> AvatarPlace {
        // All of them are looked at, also those that do not matter here.
        let folder = self.text("AVATAR_DIR");
        let bucket = self.bucket();
        if let Some(bucket) = bucket {
            return AvatarPlace::Bucket(bucket);
        }
        if folder.contains('\0') {
            self.problem("AVATAR_DIR", &folder, "the path of a folder");
        }
        match database {
            _ if !folder.is_empty() => AvatarPlace::Folder(PathBuf::from(folder)),
            DatabaseUrl::Memory => AvatarPlace::Memory,
            DatabaseUrl::Sqlite(file) => AvatarPlace::Folder(file.with_file_name(FOLDER)),
            DatabaseUrl::Postgres(_) => AvatarPlace::Nowhere,
        }
    }

    fn bucket(&mut self) -> Option<Bucket> {
        let [name, endpoint, region, access_key_id, secret] =
            ["S3_BUCKET_NAME", "S3_ENDPOINT", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
                .map(|variable| self.text(variable));
        // Without a bucket the others may mean something to somebody else.
        if name.is_empty() {
            return None;
        }
        if !is_bucket_name(&name) {
            let expected = "3 to 63 small letters, digits, dots and hyphens";
            self.problem("S3_BUCKET_NAME", &name, expected);
        }
        if !endpoint.is_empty() && !is_endpoint(&endpoint) {
            let expected = "an address such as https://s3.example.org or http://minio:9000: nobody's name, \
                            no path, no slash at the end";
            self.problem("S3_ENDPOINT", &super::without_credentials(&endpoint), expected);
        }
        if !is_word(&region) {
            self.problem("S3_REGION", &region, "a region such as eu-central-1");
        }
        if !is_word(&access_key_id) {
            let expected = "the id of the key that may read and write the bucket";
            self.problem("AWS_ACCESS_KEY_ID", &access_key_id, expected);
        }
        if !is_word(&secret) {
            let shown = if secret.is_empty() { "" } else { "***" };
            self.problem("AWS_SECRET_ACCESS_KEY", shown, "the secret that belongs to AWS_ACCESS_KEY_ID");
        }
        Some(Bucket {
            name,
            endpoint: Some(endpoint).filter(|endpoint| !endpoint.is_empty()),
            region,
            access_key_id,
            secret_access_key: SecretText::new(secret),
        })
    }
}

fn is_bucket_name(text: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.chars().all(|c| is_end(c) || matches!(c, '.' | '-'))
        && text.starts_with(is_end)
        && text.ends_with(is_end)
        && !text.contains("..")
}

fn is_endpoint(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        !host.is_empty()
            && host.len() <= TEXT_BYTES_MAX
            && host.chars().all(is_allowed)
            && !host.ends_with(':')
    })
}

/// No space, no control character: what can stand in a header.
fn is_word(text: &str) -> bool {
    (1..=TEXT_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
