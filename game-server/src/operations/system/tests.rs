//! Configuration, banner and drain, as an operator's request calls them.

use std::sync::Arc;
use std::time::Duration;

use admin_http::views::Banner;
use admin_http::{Actor, Operations, Refused};
use persistence::{Fault, MemoryStore};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::{Config, VARIABLES};
use crate::metrics::Metrics;
use crate::node::{Identity, Node};
use crate::operations::NodeOperations;
use crate::published;
use crate::store::Stores;

const SECRET: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=";

fn actor() -> Actor {
    Actor { operator: "ada".to_owned(), audit_seq: 1, reason: "a test".to_owned() }
}

fn operations(store: &MemoryStore) -> NodeOperations {
    let set = |name: &str| match name {
        "SECRET_KEYS" => Some(SECRET.to_owned()),
        "NODE_NAME" => Some("one".to_owned()),
        "ADMIN_DRAIN_TOKEN" => Some(SECRET.to_owned()),
        "SMTP_URL" => Some("smtps://user:hunter22@mail.example.org".to_owned()),
        "MAIL_FROM" => Some("hero@example.org".to_owned()),
        "PUBLIC_URL" => Some("https://play.example.org".to_owned()),
        _ => None,
    };
    let config = Config::parse(set).expect("it is valid");
    let (_outages_tx, outages) = watch::channel(Arc::default());
    let (clock, metrics) = (Clock::system(), Arc::new(Metrics::new()));
    let stores = Stores::of(store.clone());
    let node = Node::start(config, clock, Arc::clone(&metrics), stores, outages, Identity::alone());
    NodeOperations::of_test(node.expect("threads can be had"), store)
}

#[tokio::test]
async fn every_variable_is_shown_and_no_secret() {
    let operations = operations(&MemoryStore::new());
    let system = operations.system().await.expect("it is answered");
    let names: Vec<_> = system.settings.iter().map(|setting| setting.name.as_str()).collect();
    assert_eq!(names, VARIABLES.iter().map(|variable| variable.name).collect::<Vec<_>>());
    let json = serde_json::to_string(&system).expect("it is plain data");
    assert!(!json.contains(SECRET) && !json.contains("hunter22"), "{json}");
    let of = |name: &str| system.settings.iter().find(|setting| setting.name == name).expect("it is there");
    assert_eq!((of("ADMIN_DRAIN_TOKEN").value.as_str(), of("ADMIN_DRAIN_TOKEN").is_default), ("***", false));
    assert_eq!((of("SECRET_KEYS").value.as_str(), of("SECRET_KEYS").is_default), ("***", false));
    assert_eq!((of("PORT").value.as_str(), of("PORT").is_default), ("3001", true));
    assert_eq!(
        (system.database.as_str(), system.environment.as_str()),
        ("memory at data/dopamine-hero.sqlite", "development")
    );
    assert!(system.rust_version.starts_with("rustc 1."), "{}", system.rust_version);
    let [this] = &system.nodes[..] else { panic!("{:?}", system.nodes) };
    assert!(this.is_this && this.is_alive && this.name == "one", "{this:?}");
    assert_eq!((this.connections, this.heroes), (Some(0), Some(0)));
}

#[tokio::test]
async fn a_banner_is_one_line_with_an_end_ahead() {
    let store = MemoryStore::new();
    let operations = operations(&store);
    let following = published::follow(Arc::clone(&operations.node), Arc::new(store.clone()));
    let now_ms = operations.node.clock.now_ms();
    let banner = |text: &str, until_ms| Some(Banner { text: text.to_owned(), until_ms });
    for wrong in [
        banner("", None),
        banner("  ", None),
        banner(&"x".repeat(201), None),
        banner("two\nlines", None),
        banner("over", Some(now_ms - 1)),
        banner("never over", Some(i64::MAX)),
    ] {
        let refused = operations.set_banner(actor(), wrong.clone()).await;
        assert!(matches!(refused, Err(Refused::Invalid(_))), "{wrong:?}: {refused:?}");
    }
    let wanted = banner("<b>We restart</b> at noon.", Some(now_ms + 60_000));
    operations.set_banner(actor(), wanted.clone()).await.expect("it is set");
    assert_eq!(operations.system().await.expect("it is answered").banner, wanted);
    operations.set_banner(actor(), None).await.expect("it is taken back");
    assert_eq!(operations.system().await.expect("it is answered").banner, None);
    store.fail_until_healed(Fault::Unavailable);
    let unsure = operations.set_banner(actor(), wanted).await;
    assert_eq!(unsure, Err(Refused::Unsure));
    following.abort();
}

#[tokio::test]
async fn a_drain_is_asked_for_once_and_answered_before() {
    let operations = operations(&MemoryStore::new());
    let node = Arc::clone(&operations.node);
    let early = timeout(Duration::from_millis(50), node.asked_to_stop()).await;
    assert!(early.is_err(), "nobody asked");
    operations.drain(actor()).await.expect("it is answered");
    operations.drain(actor()).await.expect("twice is no mistake");
    timeout(Duration::from_secs(20), node.asked_to_stop()).await.expect("it is heard");
}
