//! Under which names the panel answers, and which pages may ask it to change something.
//!
//! A page of somebody else can make its own name point here (DNS rebinding); therefore only loopback names and the
//! configured one are answered.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, header};

use crate::error::ApiError;

/// The addresses under which operators reach the panel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    /// As a browser writes it, such as `https://admin.example.org`; without it, only loopback names.
    origin: Option<String>,
}

impl Hosts {
    pub(crate) fn new(origin: Option<String>) -> Self {
        Self { origin }
    }

    /// The name under which the request came, if it is one of ours.
    pub(crate) fn check_name(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        // HTTP/1.1 requires a host; a request without one comes from no browser.
        let Some(host) = headers.get(header::HOST) else { return Ok(()) };
        let is_ours = host.to_str().is_ok_and(|host| is_loopback(host) || self.is_configured(host));
        if is_ours {
            return Ok(());
        }
        let hint = "the operators' listener answers to localhost and to the name in ADMIN_ORIGIN";
        Err(ApiError::new(axum::http::StatusCode::FORBIDDEN, "foreign_name", hint))
    }

    /// Whether a request that changes something comes from a page of ours.
    pub(crate) fn check_page(&self, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
        if is_safe(method) {
            return Ok(());
        }
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let site = text("sec-fetch-site").map(|site| site == "same-origin");
        let origin = text("origin").map(|origin| self.is_own(origin, text("host").unwrap_or_default()));
        // A browser says at least one of them; what it says must be right.
        if site.or(origin) == Some(true) && origin.unwrap_or(true) {
            return Ok(());
        }
        Err(ApiError::csrf(
            "this must come from the panel's own page: Origin or Sec-Fetch-Site says otherwise",
        ))
    }

    fn is_own(&self, origin: &str, host: &str) -> bool {
        if self.is_configured(host) {
            return self.origin.as_deref() == Some(origin);
        }
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        is_loopback(host) && own == Some(host)
    }

    fn is_configured(&self, host: &str) -> bool {
        let name = self.origin.as_deref().and_then(|origin| origin.split_once("://"));
        name.is_some_and(|(_, name)| name == host)
    }
}

/// Whether a method changes nothing.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn only_loopback_names_and_the_configured_one_are_answered() {
        let (local, named) = (Hosts::new(None), Hosts::new(Some("https://admin.example.org".into())));
        for host in ["localhost", "localhost:3002", "127.0.0.1", "127.8.8.8:1", "[::1]:3002", "[::1]"] {
            assert!(local.check_name(&headers(&[("host", host)])).is_ok(), "{host}");
            assert!(named.check_name(&headers(&[("host", host)])).is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:3002",
            "10.0.0.1:3002",
            "",
            "127.0.0.1.evil.example",
            "admin.example.org.evil.example",
            "admin.example.org:8443",
            "ADMIN.example.org",
        ] {
            assert!(named.check_name(&headers(&[("host", host)])).is_err(), "{host}");
        }
        assert!(named.check_name(&headers(&[("host", "admin.example.org")])).is_ok());
        assert!(local.check_name(&headers(&[("host", "admin.example.org")])).is_err());
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        let hosts = Hosts::new(Some("https://admin.example.org".into()));
        let check = |pairs: &[(&'static str, &str)]| hosts.check_page(&Method::POST, &headers(pairs)).is_ok();
        let (local, named) = (("host", "localhost:3002"), ("host", "admin.example.org"));
        for good in [
            vec![local, ("origin", "http://localhost:3002")],
            vec![local, ("sec-fetch-site", "same-origin")],
            vec![named, ("origin", "https://admin.example.org"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(check(&good), "{good:?}");
        }
        for bad in [
            vec![local],
            vec![local, ("origin", "null")],
            vec![local, ("origin", "http://localhost:3003")],
            vec![local, ("origin", "http://127.0.0.1:3002")],
            vec![local, ("origin", "http://localhost:3002.evil.example")],
            vec![local, ("origin", "https://admin.example.org")],
            vec![named, ("origin", "http://admin.example.org")],
            vec![named, ("origin", "https://evil.example")],
            vec![named, ("origin", "https://admin.example.org"), ("sec-fetch-site", "cross-site")],
            vec![named, ("origin", "https://admin.example.org"), ("sec-fetch-site", "same-site")],
            vec![named, ("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
            vec![named, ("sec-fetch-site", "none")],
        ] {
            assert!(!check(&bad), "{bad:?}");
        }
        assert!(hosts.check_page(&Method::GET, &headers(&[local])).is_ok(), "looking is free");
        assert!(hosts.check_page(&Method::DELETE, &headers(&[local])).is_err());
    }
}
