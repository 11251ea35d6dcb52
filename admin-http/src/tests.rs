//! The whole router over records and a server in memory. The real ones are behind it in `game-server/tests/it/operators.rs`.

mod access;
mod approvals;
pub(crate) mod fake;
mod hook;
mod limits;
mod login;
mod openapi;
mod server;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::tests::fake::FakeRecords;
use crate::tests::server::FakeServer;
use crate::views::Role;
use crate::{Client, Panel, Settings, totp};

const PASSWORD: &str = "correct horse";
const SECRET: &[u8] = b"12345678901234567890";
const DRAIN_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A panel with everything around it.
pub(crate) struct Bench {
    pub(crate) records: Arc<FakeRecords>,
    pub(crate) server: Arc<FakeServer>,
    pub(crate) panel: Arc<Panel>,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The cookie as a browser sends it back.
    fn cookie(&self) -> String {
        let cookie = self.headers["set-cookie"].to_str().expect("text");
        cookie.split(';').next().expect("a first part").to_owned()
    }
}

/// A browser that is logged in.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let (records, server) = (Arc::new(FakeRecords::default()), Arc::new(FakeServer::default()));
        let settings = Settings {
            environment: "development".into(),
            is_production: true,
            origin: Some("https://admin.example.org".into()),
            drain_token: Some(DRAIN_TOKEN.into()),
            on_fact: Arc::new(|_fact| {}),
        };
        let panel = Panel::new(Arc::clone(&server) as _, Arc::clone(&records) as _, settings);
        let router = panel.router();
        Bench { records, server, panel, router }
    }

    /// One with an operator of each role, called like it.
    pub(crate) fn staffed() -> Bench {
        let bench = Bench::new();
        for role in Role::ALL {
            bench.records.add(role.as_str(), role, PASSWORD, SECRET);
        }
        bench
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Client([192, 0, 2, 1].into()));
        let response = self.router.clone().oneshot(request).await.expect("a router never fails");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// As the panel's page asks.
    pub(crate) async fn ask(
        &self,
        browser: Option<&Browser>,
        method: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        self.send(request(browser, method, path, body)).await
    }

    pub(crate) async fn login_with(&self, name: &str, password: &str, code: &str) -> Answer {
        self.ask(None, "POST", "/v1/login", json!({ "name": name, "password": password, "code": code })).await
    }

    /// Logs in with a code that was never used.
    pub(crate) async fn login(&self, name: &str) -> Browser {
        self.records.advance(60_000);
        let code = totp::code_at(SECRET, self.records.now());
        let answer = self.login_with(name, PASSWORD, &code).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        Browser {
            cookie: answer.cookie(),
            csrf: answer.json()["csrf_token"].as_str().expect("a token").into(),
        }
    }
}

pub(crate) fn request(browser: Option<&Browser>, method: &str, path: &str, body: Value) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:3002")
        .header("origin", "http://localhost:3002");
    if let Some(browser) = browser {
        request = request.header("cookie", &browser.cookie).header("x-csrf-token", &browser.csrf);
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    request.body(body).expect("a request")
}
