//! Connections that send the head of a request byte by byte, and what a login takes beside them.
//!
//! They cost this program as much as the server, on the same machine. So the same is measured once more against a listener of
//! our own that only reads: the difference between the two is the server's.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::compare::{Comparison, Part, Round};
use super::{Measurement, SecurityOptions, Verdict};
use crate::faults::ServerPlan;
use crate::http::{Endpoint, connect, request};

const CONNECTIONS: usize = 2_000;
/// Each sends a byte so often: the server, which takes a head within 5 s, gets five of them.
const BYTE_EVERY: Duration = Duration::from_secs(1);
/// How long a server waits for a head.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// A connection that was refused is made again after so long.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Accounts that log in by turns, so that none of them has many devices.
const ACCOUNTS: usize = 10;
const PASSWORD: &str = "three plain words";
/// How long all connections may take to be there, or to be gone.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);
const GOAL: f64 = 0.10;

pub(super) async fn run(options: &SecurityOptions) -> Result<Vec<Measurement>> {
    Ok(vec![compare(options, Without::Connections).await?, compare(options, Without::Server).await?])
}

/// What the parts without go without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    /// There are no trickling connections.
    Connections,
    /// There are as many, but to a listener of our own.
    Server,
}

async fn compare(options: &SecurityOptions, without: Without) -> Result<Measurement> {
    let (rounds, logins) = (options.count(6, 2), options.count(100, 20));
    let plan = options.plan("slowloris")?;
    let server = plan.start().await?;
    let endpoint = plan.endpoint();
    for account in 0..ACCOUNTS {
        let body = json!({ "mail": mail(account), "password": PASSWORD });
        let answer = request(&endpoint, None, "POST", "/v1/auth/register", None, Some(&body)).await?;
        ensure!(answer.status == 201, "no account: {}", answer.status);
    }
    for number in 0..20 {
        login(&endpoint, number).await?;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let sink = Endpoint::local(listener.local_addr()?.port());
    let mut sinking = JoinSet::new();
    sinking.spawn(only_read(listener));
    let mut all = Vec::new();
    let (mut number, mut open_least) = (0, usize::MAX);
    for _ in 0..rounds {
        let mut round = Round::default();
        for part in Part::ALL {
            let trickling = match (part, without) {
                (Part::With, _) => Some(Trickle::start(&endpoint, Some(&plan)).await?),
                (_, Without::Server) => Some(Trickle::start(&sink, None).await?),
                (_, Without::Connections) => None,
            };
            // As many with as without.
            for _ in 0..if part == Part::With { logins } else { logins / 2 } {
                number += 1;
                round.add(part, login(&endpoint, number).await?);
            }
            if let Some(trickling) = trickling {
                open_least = open_least.min(trickling.open.load(Ordering::Relaxed));
                trickling.stop(&plan).await?;
            }
        }
        all.push(round);
    }
    let problems = plan.log_problems();
    let is_well = server.stop().await?.success() && problems.is_empty();
    let found = Comparison::of(&all)?;
    let than = match without {
        Without::Connections => "",
        Without::Server => ", compared with as many to a listener that only reads",
    };
    let seen = format!(
        "login beside {CONNECTIONS} trickling connections{than} ({open_least} open at the least, counted by us): {}; one login \
         at a time, rate limits raised by RATE_LIMIT_MAX_REQUESTS",
        found.words()
    );
    let verdict = if is_well { found.verdict(GOAL) } else { Verdict::Missed };
    let mut figures = found.figures();
    figures["open_least"] = json!(open_least);
    figures["problems"] = json!(problems);
    let name = match without {
        Without::Connections => "slowloris",
        Without::Server => "slowloris, the server's part",
    };
    Ok(Measurement::new(name, "p99 at most x1.10", seen, verdict, figures))
}

fn mail(account: usize) -> String {
    format!("player{account}@example.org")
}

async fn login(endpoint: &Endpoint, number: usize) -> Result<Duration> {
    let body = json!({ "mail": mail(number % ACCOUNTS), "password": PASSWORD });
    let began = Instant::now();
    let answer =
        request(endpoint, Some(source(2, number)), "POST", "/v1/auth/login", None, Some(&body)).await?;
    ensure!(answer.status == 200, "no login: {}", answer.status);
    Ok(began.elapsed())
}

/// An address of its own on this machine, as every client has.
pub(super) fn source(net: u8, number: usize) -> Ipv4Addr {
    let [high, low] = u16::try_from(number % 60_000).unwrap_or(0).to_be_bytes();
    Ipv4Addr::new(127, net.saturating_add(10), high, low.max(1))
}

/// The connections, while it lives.
struct Trickle {
    tasks: JoinSet<()>,
    open: Arc<AtomicUsize>,
}

impl Trickle {
    /// Until all are there, as a server counts them too.
    async fn start(endpoint: &Endpoint, plan: Option<&ServerPlan>) -> Result<Trickle> {
        let open = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..CONNECTIONS {
            let (endpoint, open) = (endpoint.clone(), Arc::clone(&open));
            // Spread over a second, and so are their bytes.
            let first_after = BYTE_EVERY / 1_000 * u32::try_from(number % 1_000).unwrap_or(0);
            tasks.spawn(async move {
                sleep(first_after).await;
                loop {
                    trickle(&endpoint, source(3, number), &open).await;
                    sleep(AGAIN_AFTER).await;
                }
            });
        }
        let trickling = Trickle { tasks, open };
        let enough = CONNECTIONS * 9 / 10;
        until("the connections are there", async || {
            let counted = match plan {
                Some(plan) => count(plan).await?,
                None => CONNECTIONS,
            };
            Ok(counted >= enough && trickling.open.load(Ordering::Relaxed) >= enough)
        })
        .await?;
        Ok(trickling)
    }

    async fn stop(mut self, plan: &ServerPlan) -> Result<()> {
        self.tasks.shutdown().await;
        until("the connections are gone", async || Ok(count(plan).await? < 10)).await
    }
}

/// One connection until its end.
async fn trickle(endpoint: &Endpoint, source: Ipv4Addr, open: &AtomicUsize) {
    struct Open<'a>(&'a AtomicUsize);
    impl Drop for Open<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let Ok(mut stream) = connect(endpoint, Some(source)).await else { return };
    open.fetch_add(1, Ordering::Relaxed);
    let _open = Open(open);
    let head = b"GET /v1/catalogue HTTP/1.1\r\nHost: x\r\nX-Long: ";
    let bytes = head.iter().chain(std::iter::repeat(&b'x'));
    for byte in bytes {
        let mut answer = [0; 64];
        tokio::select! {
            // An answer or the end: the server has had enough.
            _ = stream.read(&mut answer) => return,
            () = sleep(BYTE_EVERY) => {}
        }
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
    }
}

/// Takes connections, reads, and ends them when a server would.
async fn only_read(listener: TcpListener) {
    let mut readers = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        while readers.try_join_next().is_some() {}
        readers.spawn(async move {
            let mut bytes = [0; 64];
            let reading = async { while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {} };
            let _late = timeout(HEAD_WITHIN, reading).await;
        });
    }
}

/// Connections that the server counts.
async fn count(plan: &ServerPlan) -> Result<usize> {
    let open = plan.metric("http_connections_open").await?;
    format!("{open:.0}").parse().context("a count")
}

async fn until(what: &str, condition: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let give_up = Instant::now() + SETTLE_WITHIN;
    while !condition().await? {
        if Instant::now() > give_up {
            bail!("waited in vain until {what}; is `ulimit -n` above {CONNECTIONS}?");
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
