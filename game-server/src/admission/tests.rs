use std::net::SocketAddr;
use std::sync::Arc;

use super::{Admission, AdmissionLimits, NoRoom};
use crate::metrics::Metrics;

fn admission(connections_max: usize, unauthenticated_per_address_max: usize) -> Arc<Admission> {
    let limits = AdmissionLimits { connections_max, unauthenticated_per_address_max };
    Admission::new(limits, Arc::new(Metrics::new()))
}

fn peer(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

#[test]
fn unknown_sockets_of_one_address_are_few_and_others_still_get_in() {
    let admission = admission(10_000, 4);
    let _flood: Vec<_> =
        (1..=4).map(|port| admission.enter(peer(&format!("192.0.2.1:{port}"))).expect("room")).collect();
    assert_eq!(admission.enter(peer("192.0.2.1:9")).err(), Some(NoRoom::Unauthenticated));
    assert!(admission.enter(peer("192.0.2.2:9")).is_ok());
}

#[test]
fn a_place_among_the_unknown_is_free_after_hello_or_when_the_socket_ends() {
    let admission = admission(100, 1);
    let first = admission.enter(peer("192.0.2.1:1")).expect("room");
    admission.authenticated(peer("192.0.2.1:1"));
    admission.authenticated(peer("192.0.2.1:1"));
    let second = admission.enter(peer("192.0.2.1:2")).expect("the first is known now");
    assert_eq!(admission.open(), 2);
    drop(second);
    let third = admission.enter(peer("192.0.2.1:3")).expect("the second left");
    drop((first, third));
    assert_eq!(admission.open(), 0);
    assert!(admission.lock().per_address.is_empty(), "no address is remembered");
}

#[test]
fn a_slash_64_is_one_address_and_a_mapped_v4_is_its_v4() {
    let admission = admission(10_000, 1);
    let _place = admission.enter(peer("[2001:db8::1]:1")).expect("room");
    assert!(admission.enter(peer("[2001:db8::ffff:2]:1")).is_err());
    assert!(admission.enter(peer("[2001:db8:0:1::1]:1")).is_ok());
    let _mapped = admission.enter(peer("[::ffff:192.0.2.1]:1")).expect("room");
    assert!(admission.enter(peer("192.0.2.1:2")).is_err());
}

#[test]
fn unknown_sockets_take_two_percent_and_all_sockets_no_more_than_all_places() {
    let admission = admission(1_000, 4);
    let mut places = Vec::new();
    for host in 1..=20 {
        places.push(admission.enter(peer(&format!("192.0.2.{host}:1"))).expect("room"));
    }
    assert_eq!(admission.enter(peer("192.0.2.99:1")).err(), Some(NoRoom::Unauthenticated));
    for port in 2..=981 {
        for place in &places {
            admission.authenticated(place.peer);
        }
        places.push(admission.enter(peer(&format!("192.0.2.1:{port}"))).expect("room"));
    }
    assert_eq!(admission.enter(peer("192.0.2.99:1")).err(), Some(NoRoom::Full));
}
