//! A very small HTTP/1.1 client: one request, one connection, one answer with a known length.
//!
//! The load generator talks to a server on the same machine or next door, without TLS; a larger client would only blur
//! what is measured.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The longest answer that is read; a longer one is an error.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How long one request may take from connect to the last byte. Far above what a healthy server needs, so that it only
/// ends a hang.
const REQUEST_WITHIN: Duration = Duration::from_secs(15);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host and port as they appear in the `Host` header.
    pub authority: String,
    /// The address to connect to.
    pub address: SocketAddr,
}

impl Endpoint {
    /// A port on this machine.
    #[must_use]
    pub fn local(port: u16) -> Self {
        let address = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
        Self { authority: address.to_string(), address }
    }

    /// From `http://host:port`.
    ///
    /// # Errors
    /// When it is not such an address or the name does not resolve.
    pub async fn resolve(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").context("the address must begin with http://")?;
        let authority = rest.trim_end_matches('/');
        ensure!(!authority.contains('/'), "the address must be http://host:port without a path");
        let with_port =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let mut addresses = tokio::net::lookup_host(&with_port)
            .await
            .with_context(|| format!("cannot resolve {with_port}"))?;
        let address = addresses.next().with_context(|| format!("{with_port} has no address"))?;
        Ok(Self { authority: authority.to_owned(), address })
    }
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of a name, which is in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// Opens a TCP connection, from a chosen loopback address if the server is on loopback too.
///
/// Every bot has an address of its own, as every player has, so that limits per address see what they would see in life
/// and one address never runs out of ports.
///
/// # Errors
/// When the connection is refused.
pub async fn connect(endpoint: &Endpoint, source: Option<Ipv4Addr>) -> Result<TcpStream> {
    let stream = match (source, endpoint.address) {
        (Some(source), SocketAddr::V4(address)) if address.ip().is_loopback() => {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::V4(SocketAddrV4::new(source, 0)))?;
            socket.connect(endpoint.address).await
        }
        _ => TcpStream::connect(endpoint.address).await,
    }
    .with_context(|| format!("cannot connect to {}", endpoint.authority))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends one request and reads the whole answer.
///
/// # Errors
/// When the server cannot be reached, answers too much, too late or not in HTTP.
pub async fn request(
    endpoint: &Endpoint,
    source: Option<Ipv4Addr>,
    method: &str,
    path: &str,
    bearer: Option<&str>,
    body: Option<&Value>,
) -> Result<Answer> {
    let bearer = bearer.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
    request_with(endpoint, source, method, path, &headers, body).await
}

/// The same with any headers.
///
/// # Errors
/// As [`request`].
pub async fn request_with(
    endpoint: &Endpoint,
    source: Option<Ipv4Addr>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let exchange = async {
        let mut stream = connect(endpoint, source).await?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            endpoint.authority,
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut bytes).await?;
        ensure!(
            u64::try_from(bytes.len()).is_ok_and(|length| length <= ANSWER_BYTES_MAX),
            "the answer is too long"
        );
        parse(&bytes)
    };
    tokio::time::timeout(REQUEST_WITHIN, exchange)
        .await
        .with_context(|| format!("no answer to {method} {path} within {} s", REQUEST_WITHIN.as_secs()))?
        .with_context(|| format!("{method} {path}"))
}

/// Splits an answer that was sent with `Connection: close`.
fn parse(bytes: &[u8]) -> Result<Answer> {
    let head_end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("the answer ended before its headers did")?;
    let (head, rest) = bytes.split_at(head_end);
    let body = rest.get(4..).unwrap_or_default();
    let head = std::str::from_utf8(head).context("headers that are not text")?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .context("no status line")?;
    let mut headers = Vec::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        if name.eq_ignore_ascii_case("content-length") {
            let length: usize = value.trim().parse().context("a content-length that is no number")?;
            ensure!(body.len() == length, "the answer was cut off: {} of {length} bytes", body.len());
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("an answer of unknown length is not understood here");
        }
    }
    Ok(Answer { status, headers, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_answer_is_split_into_status_and_body() {
        let answer = parse(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX: y\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, b"{}".as_slice()));
        assert_eq!(answer.header("x"), Some("y"));
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Le").is_err());
    }
}
