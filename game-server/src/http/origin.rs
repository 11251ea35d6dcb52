//! Which pages may talk to the server from a browser. Compared as whole texts: no patterns, no case folding.

use axum::http::{HeaderMap, StatusCode, header};

use super::{ApiError, Public};

/// The rule for `Origin`.
#[derive(Clone, Debug)]
pub struct OriginPolicy {
    allowed: Vec<String>,
    https_only: bool,
}

impl OriginPolicy {
    /// The listed origins, and the server's own; in production its own only over TLS.
    pub fn new(allowed: Vec<String>, https_only: bool) -> OriginPolicy {
        OriginPolicy { allowed, https_only }
    }

    /// Whether a page of this origin may open a socket. `host` is the request's own `Host`.
    pub fn allows(&self, origin: &str, host: Option<&str>) -> bool {
        self.lists(origin) || host.is_some_and(|host| self.is_same(origin, host))
    }

    /// Whether the origin is one of the listed ones, so that its pages may read our answers.
    pub fn lists(&self, origin: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == origin)
    }

    fn is_same(&self, origin: &str, host: &str) -> bool {
        // The scheme was ended by the load balancer; a browser cannot lie about the host it talks to.
        let rest = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
            (Some(rest), _) => rest,
            (_, Some(rest)) if !self.https_only => rest,
            _ => return false,
        };
        !host.is_empty() && rest == host
    }
}

/// That the request comes from a page that may act for the player: what rides on a cookie must not come from elsewhere.
/// Browsers name the origin of every request that changes something.
pub(super) fn require_own(public: &Public, headers: &HeaderMap) -> Result<(), ApiError> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origins.next().and_then(|origin| origin.to_str().ok());
    if origins.next().is_none() && origin.is_some_and(|origin| public.origins.allows(origin, host)) {
        return Ok(());
    }
    let hint = "the cookie is for this server's own pages; programs send the refresh token in the body";
    Err(ApiError::new(StatusCode::FORBIDDEN, "origin", hint))
}

#[cfg(test)]
mod tests {
    use super::OriginPolicy;

    #[test]
    fn only_exact_origins_pass() {
        let policy = OriginPolicy::new(vec!["https://play.example.org".into()], false);
        let host = Some("localhost:3001");
        for (origin, expected) in [
            ("https://play.example.org", true),
            ("http://localhost:3001", true),
            ("https://localhost:3001", true),
            ("http://play.example.org", false),
            ("https://play.example.org:443", false),
            ("https://play.example.org.evil.example", false),
            ("https://evil.example/https://play.example.org", false),
            ("https://xplay.example.org", false),
            ("HTTPS://play.example.org", false),
            ("https://PLAY.example.org", false),
            ("http://localhost:3002", false),
            ("http://localhost", false),
            ("http://LOCALHOST:3001", false),
            ("http://127.0.0.1:3001", false),
            ("ws://localhost:3001", false),
            ("null", false),
            ("", false),
            ("http://", false),
            ("*", false),
        ] {
            assert_eq!(policy.allows(origin, host), expected, "{origin}");
        }
        assert!(!policy.allows("http://", Some("")));
        assert!(!policy.allows("http://localhost:3001", None));
    }

    #[test]
    fn production_knows_no_plain_origin_of_its_own() {
        let policy = OriginPolicy::new(Vec::new(), true);
        assert!(policy.allows("https://play.example.org", Some("play.example.org")));
        assert!(!policy.allows("http://play.example.org", Some("play.example.org")));
    }
}
