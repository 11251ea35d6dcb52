//! A real server for one test, and the smallest possible HTTP client.
//!
//! [`TestServer::stop`] is part of every test: it fails when a task or a connection is left behind.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use game_server::clock::Clock;
use game_server::config::Config;
use game_server::metrics::Metrics;
use game_server::server::Server;
use game_server::store::OpenStore;
use persistence::{BudgetStore, Drained, ReadModelStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use crate::leaks;

/// Longer than anything here takes on a busy machine; a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A secret as somebody would make one.
pub(crate) const SECRET: (&str, &str) = ("SECRET_KEYS", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=");

/// Waits until a condition holds.
pub(crate) async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < give_up, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A running server on an empty store in memory, or on the one it is told.
pub(crate) struct TestServer {
    server: Option<Server>,
    metrics: Arc<Metrics>,
    read_models: Arc<dyn ReadModelStore>,
    budget: Arc<dyn BudgetStore>,
}

impl TestServer {
    /// With nothing configured.
    pub(crate) async fn start() -> TestServer {
        TestServer::start_with(&[]).await
    }

    /// With some variables set.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> TestServer {
        TestServer::start_at(Clock::system(), variables).await
    }

    /// With some variables set and a clock of the test's own.
    pub(crate) async fn start_at(clock: Clock, variables: &[(&str, &str)]) -> TestServer {
        leaks::listen();
        let config = config(variables);
        let store = OpenStore::open(&config.database).await.expect("the store opens");
        let read_models = Arc::clone(&store.stores().read_models);
        let budget = Arc::clone(&store.stores().budget);
        let server = Server::start(config, clock, store).await.expect("the server starts");
        let metrics = Arc::clone(&server.node().metrics);
        TestServer { server: Some(server), metrics, read_models, budget }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("not stopped yet")
    }

    /// Where players connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server().address()
    }

    /// The server's numbers.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What the follower has written.
    pub(crate) fn read_models(&self) -> &dyn ReadModelStore {
        &*self.read_models
    }

    /// The month's money.
    pub(crate) fn budget(&self) -> &Arc<dyn BudgetStore> {
        &self.budget
    }

    /// A request to the players' listener.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        request(self.address(), method, path, headers, body).await
    }

    /// A new guest: hero and device token.
    pub(crate) async fn guest(&self) -> (String, String) {
        let answer = self.request("POST", "/v1/guests", &[], "").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let json = answer.json();
        let text = |name: &str| json[name].as_str().expect("a text").to_owned();
        (text("hero_id"), text("device_token"))
    }

    /// A ticket for a socket.
    pub(crate) async fn ticket(&self, device_token: &str) -> String {
        let bearer = format!("Bearer {device_token}");
        let answer = self.request("POST", "/v1/ws-ticket", &[("authorization", &bearer)], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["ticket"].as_str().expect("a text").to_owned()
    }

    /// Shuts down and checks that nothing is left.
    pub(crate) async fn stop(self) {
        self.shut_down().await;
        let tasks = Handle::current().metrics();
        wait_until("every task has ended", || tasks.num_alive_tasks() == 0).await;
    }

    /// The same of one of several servers; tasks are looked at when the last one stops.
    pub(crate) async fn shut_down(mut self) {
        let server = self.server.take().expect("not stopped yet");
        if leaks::are_wanted() {
            let scrape = request(server.metrics_address(), "GET", "/metrics", &[], "").await;
            leaks::metrics(scrape.text());
        }
        let drained = server.shutdown(PATIENCE).await;
        assert_eq!(drained, Drained::Clean);
        assert_eq!(self.metrics.connections_open.get(), 0.0, "a player's socket is left");
        assert_eq!(self.metrics.http_connections_open.get(), 0.0, "a connection is left");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        assert!(self.server.is_none() || std::thread::panicking(), "a test must stop its server");
    }
}

/// A configuration for tests: every port free, nothing on disk.
pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    let base = [
        ("PORT", "0"),
        ("ADMIN_PORT", "0"),
        ("METRICS_PORT", "0"),
        ("DATABASE_URL", "memory:"),
        ("SHARDS", "2"),
    ];
    for (_, value) in variables.iter().filter(|(name, _)| *name == "SECRET_KEYS") {
        leaks::secret("secret_key", value);
    }
    let look_up = |name: &str| {
        let found = variables.iter().chain(&base).find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Config::parse(look_up).expect("the test's variables are right")
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

/// One request on a connection of its own.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    leaks::body(body.as_bytes());
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    let has = |name: &str| headers.iter().any(|(found, _)| found.eq_ignore_ascii_case(name));
    if !has("host") {
        write!(head, "host: {address}\r\n").expect("a string takes it");
    }
    if !has("connection") {
        head.push_str("connection: close\r\n");
    }
    if !body.is_empty() && !has("content-length") && !has("transfer-encoding") {
        write!(head, "content-length: {}\r\n", body.len()).expect("a string takes it");
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("a string takes it");
    }
    send(address, &format!("{head}\r\n{body}")).await
}

/// Sends some text on a new connection and reads the answer until its end.
pub(crate) async fn send(address: SocketAddr, text: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    // A server that has heard enough may close before everything is sent.
    let _closed = stream.write_all(text.as_bytes()).await;
    read_answer(&mut stream).await
}

/// Reads one answer: its head, and its body if it says how long that is.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let reading = async {
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = parse(&bytes) {
                leaks::body(&answer.body);
                if let Some(cookie) = answer.header("set-cookie") {
                    leaks::cookie(cookie);
                }
                return answer;
            }
            let read = stream.read_buf(&mut bytes).await.unwrap_or(0);
            assert!(read > 0, "the answer ended early: {:?}", String::from_utf8_lossy(&bytes));
        }
    };
    timeout(PATIENCE, reading).await.expect("an answer in time")
}

/// Reads until the other side closes; how many bytes came.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let reading = async { while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {} };
    timeout(PATIENCE, reading).await.expect("the end in time");
    bytes
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..head_end]).expect("a head is text");
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let of = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let rest = bytes.get(head_end + 4..)?;
    let body = if of("transfer-encoding") == Some("chunked") {
        unchunked(rest)?
    } else {
        let length: usize = of("content-length").map_or(0, |value| value.parse().expect("a length"));
        rest.get(..length)?.to_vec()
    };
    Some(Answer { status, headers, body })
}

/// A body that comes in chunks, once the last of them is there.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line_end]).expect("a size is text");
        let size = usize::from_str_radix(size, 16).expect("a size is a number");
        let chunk = rest.get(line_end + 2..line_end + 2 + size)?;
        body.extend_from_slice(chunk);
        rest = rest.get(line_end + 2 + size + 2..)?;
        if size == 0 {
            return Some(body);
        }
    }
}
