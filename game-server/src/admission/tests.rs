use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;

use super::{Admission, AdmissionLimits, NoRoom, Place};
use crate::metrics::Metrics;

fn admission(connections_max: usize, unauthenticated_per_address_max: usize) -> Arc<Admission> {
    let limits = AdmissionLimits { connections_max, unauthenticated_per_address_max };
    Admission::new(limits, Arc::new(Metrics::new()))
}

fn client(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn unknown_sockets_of_one_address_are_few_and_others_still_get_in() {
    let admission = admission(10_000, 4);
    let _flood: Vec<_> = (1..=4).map(|_| admission.enter(client("192.0.2.1")).expect("room")).collect();
    assert_eq!(admission.enter(client("192.0.2.1")).err(), Some(NoRoom::Unauthenticated));
    assert!(admission.enter(client("192.0.2.2")).is_ok());
}

#[test]
fn a_place_among_the_unknown_is_free_after_hello_or_when_the_socket_ends() {
    let admission = admission(100, 1);
    let mut first = admission.enter(client("192.0.2.1")).expect("room");
    first.authenticated();
    first.authenticated();
    let second = admission.enter(client("192.0.2.1")).expect("the first is known now");
    assert_eq!(admission.open(), 2);
    drop(second);
    let third = admission.enter(client("192.0.2.1")).expect("the second left");
    drop((first, third));
    assert_eq!(admission.open(), 0);
    assert!(admission.lock().per_address.is_empty(), "no address is remembered");
}

#[test]
fn a_slash_64_is_one_address_and_a_mapped_v4_is_its_v4() {
    let admission = admission(10_000, 1);
    let _place = admission.enter(client("2001:db8::1")).expect("room");
    assert!(admission.enter(client("2001:db8::ffff:2")).is_err());
    assert!(admission.enter(client("2001:db8:0:1::1")).is_ok());
    let _mapped = admission.enter(client("::ffff:192.0.2.1")).expect("room");
    assert!(admission.enter(client("192.0.2.1")).is_err());
}

#[tokio::test]
async fn unknown_sockets_take_two_percent_and_the_most_silent_one_makes_room() {
    let admission = admission(1_000, 4);
    let mut places: Vec<Place> =
        (1..=20).map(|host| admission.enter(client(&format!("192.0.2.{host}"))).expect("room")).collect();
    places[0].authenticated();
    places.push(admission.enter(client("192.0.2.21")).expect("the first is known"));
    let newest = admission.enter(client("192.0.2.22")).expect("the second makes room");
    assert_eq!(admission.lock().unauthenticated.len(), 20);
    places[1].evicted().await;
    for place in places.iter().skip(2).chain([&places[0], &newest]) {
        assert!(place.evicted().now_or_never().is_none(), "only the most silent one");
    }
    assert_eq!(admission.open(), 22, "it is counted until it is gone");
    drop((places, newest));
    assert!(admission.lock().per_address.is_empty() && admission.open() == 0);
}

#[test]
fn all_sockets_take_no_more_than_all_places() {
    let admission = admission(1_000, 4);
    let mut places = Vec::new();
    for _ in 0..1_000 {
        let mut place = admission.enter(client("192.0.2.1")).expect("room");
        place.authenticated();
        places.push(place);
    }
    assert_eq!(admission.enter(client("192.0.2.99")).err(), Some(NoRoom::Full));
}
