//! Whose ID tokens are taken.

use reqwest::Url;

use super::reader::without_credentials;
use super::{Environment, Reader};

/// Longest project id, and longest address of keys, in bytes.
const TEXT_BYTES_MAX: usize = 255;

/// A Firebase project, and where the keys are that sign its ID tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirebaseConfig {
    /// The project's id.
    pub project_id: String,
    /// A JSON Web Key Set.
    pub keys_url: Url,
}

impl Reader<'_> {
    pub(super) fn firebase(&mut self, environment: Environment) -> Option<FirebaseConfig> {
        let (project_id, url) = (self.text("FIREBASE_PROJECT_ID"), self.text("FIREBASE_KEYS_URL"));
        let keys_url = keys_url(&url, environment);
        if keys_url.is_none() {
            let expected = "an https:// address without a name and a password; http:// only outside production, and \
                            only of this machine: http://127.0.0.1:PORT or http://[::1]:PORT";
            self.problem("FIREBASE_KEYS_URL", &without_credentials(&url), expected);
        }
        if project_id.is_empty() {
            return None;
        }
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(4..=64).contains(&project_id.len()) || !project_id.bytes().all(is_allowed) {
            let expected = "the project's id, such as dopamine-hero-1234: lower-case letters, digits and -";
            self.problem("FIREBASE_PROJECT_ID", &project_id, expected);
        }
        Some(FirebaseConfig { project_id, keys_url: keys_url? })
    }
}

/// Whoever answers there can log in as anybody, so nobody on the way may.
fn keys_url(text: &str, environment: Environment) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= TEXT_BYTES_MAX)?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let is_here = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_private = match url.scheme() {
        "https" => true,
        "http" => is_here && environment != Environment::Production,
        _ => false,
    };
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    (is_private && is_anonymous && url.fragment().is_none()).then_some(url)
}
