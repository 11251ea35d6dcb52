//! Asking a server whether it is ready, in as much HTTP as that takes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A server on this machine that takes longer than this to answer is not ready.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);
/// `HTTP/1.1 200` and a little more.
const STATUS_BYTES_MAX: usize = 64;

/// Whether `/ready` on this port of this machine answers 200.
pub(crate) fn is_ready(port: u16) -> bool {
    status_line(port, "/ready").is_some_and(|line| line.split(' ').nth(1) == Some("200"))
}

/// Whether anything at all listens on this port.
pub(crate) fn is_taken(port: u16) -> bool {
    connect(port).is_some()
}

fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, ANSWER_TIME_MAX).ok()
}

fn status_line(port: u16, path: &str) -> Option<String> {
    let mut stream = connect(port)?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut part = [0; STATUS_BYTES_MAX];
    while answer.len() < STATUS_BYTES_MAX && !answer.contains(&b'\n') {
        let count = stream.read(&mut part).ok()?;
        if count == 0 {
            break;
        }
        answer.extend_from_slice(part.get(..count)?);
    }
    String::from_utf8_lossy(&answer).lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn server_that_answers(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let count = stream.read(&mut request).unwrap();
            assert!(request[..count].starts_with(b"GET /ready HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        port
    }

    #[test]
    fn only_200_is_ready() {
        assert!(is_ready(server_that_answers("HTTP/1.1 200 OK\r\n\r\n")));
        assert!(!is_ready(server_that_answers("HTTP/1.1 503 Service Unavailable\r\n\r\n")));
        assert!(!is_ready(server_that_answers("")));
    }

    #[test]
    fn a_port_is_taken_while_someone_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_taken(port));
        drop(listener);
        assert!(!is_taken(port));
        assert!(!is_ready(port));
    }
}
