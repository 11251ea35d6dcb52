//! `dopamine-hero healthcheck`: asks the server on this machine whether it is ready. For containers without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::Config;

/// A server that takes longer is not healthy.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// As much of the answer as is read.
const ANSWER_BYTES_MAX: usize = 1024;

/// Asks `GET /ready` on the configured port.
///
/// # Errors
/// Nobody answers in time, or the answer is another one than 200.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    let address = SocketAddr::new(reachable(config.host), config.port);
    let answer =
        timeout(ANSWER_WITHIN, ask(address)).await.with_context(|| format!("{address} does not answer"))?;
    let answer = answer.with_context(|| format!("{address} does not answer"))?;
    let status = answer.lines().next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.1 200 "), "{address} is not ready: {}", status.escape_debug());
    Ok(())
}

/// A server that listens everywhere is asked on loopback.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(ANSWER_BYTES_MAX);
    while answer.len() < ANSWER_BYTES_MAX && stream.read_buf(&mut answer).await? > 0 {}
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
