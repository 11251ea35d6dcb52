//! Whose request it is: the address that limits and logs count by.
//!
//! Anybody can write `X-Forwarded-For`, so nothing is believed but what a load balancer of ours has added to its end:
//! from the right, hop by hop, as long as the hop that wrote it is listed in `TRUSTED_PROXIES`. Without that list the
//! address is the one of the TCP connection, and the header means nothing. `Forwarded` and `X-Real-IP` always mean nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;

use super::{Peer, Public};
use crate::config::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Load balancers of ours in a row; what stands further to the left is not looked at.
const HOPS_MAX: usize = 8;

/// Replaces the address of the TCP connection by the client's, so that no route sees another.
pub(super) async fn find(State(public): State<Arc<Public>>, mut request: Request, next: Next) -> Response {
    if let Some(&Peer(peer)) = request.extensions().get::<Peer>() {
        let client = client(peer, request.headers(), &public.trusted_proxies);
        request.extensions_mut().insert(Peer(client));
    }
    next.run(request).await
}

/// The last hop that no proxy of ours is; with the port of the TCP connection, which tells log lines apart.
pub(crate) fn client(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> SocketAddr {
    let is_ours = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.ip().to_canonical();
    // Several headers of one name are one list; whoever comes last has written last.
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',')).take(HOPS_MAX);
    while is_ours(client) {
        // What cannot be read was not written by a proxy that we know, so the one that passed it on stands for it.
        let Some(hop) = hops.next().and_then(|hop| address(hop.trim())) else { break };
        client = hop;
    }
    SocketAddr::new(client, peer.port())
}

/// An address, with or without a port.
fn address(hop: &str) -> Option<IpAddr> {
    let alone = hop.parse::<IpAddr>();
    let address = alone.or_else(|_| hop.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().expect("a header's value"));
        }
        headers.insert("forwarded", "for=203.0.113.66".parse().expect("a header's value"));
        headers.insert("x-real-ip", "203.0.113.66".parse().expect("a header's value"));
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().expect("a network")).collect();
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        let client = client(peer, &headers, &trusted);
        assert_eq!(client.port(), 4711);
        client.ip().to_string()
    }

    #[test]
    fn without_a_proxy_of_ours_the_header_means_nothing() {
        assert_eq!(found("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(found("192.0.2.1", &["198.51.100.7, 10.0.0.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(found("::ffff:192.0.2.1", &[], &[]), "192.0.2.1", "a mapped address is its v4");
    }

    #[test]
    fn behind_our_proxies_it_is_the_hop_they_wrote_and_never_what_the_client_wrote() {
        let ours = &["10.0.0.0/8", "fd00::/8"];
        for (peer, lines, expected) in [
            ("10.0.0.1", &["198.51.100.7"][..], "198.51.100.7"),
            // The client wrote the first ones.
            ("10.0.0.1", &["203.0.113.66, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.66", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["10.0.0.9, 198.51.100.7"], "198.51.100.7"),
            // Two proxies of ours in a row.
            ("10.0.0.1", &["203.0.113.66, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.66, 198.51.100.7", "10.0.0.2"], "198.51.100.7"),
            ("fd00::1", &["2001:db8::5"], "2001:db8::5"),
            ("10.0.0.1", &["[2001:db8::5]:4711"], "2001:db8::5"),
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["  198.51.100.7\t"], "198.51.100.7"),
            // A request of the proxy itself, such as its health check.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // What no proxy of ours can have written.
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7,"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7, 10.0.0.2, <script>"], "10.0.0.1"),
        ] {
            assert_eq!(found(peer, lines, ours), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_long_way_is_not_walked_to_its_end() {
        let long = vec!["10.0.0.2"; 1_000].join(", ");
        assert_eq!(found("10.0.0.1", &[&format!("198.51.100.7, {long}")], &["10.0.0.0/8"]), "10.0.0.2");
    }
}
