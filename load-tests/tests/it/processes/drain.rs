//! SIGTERM under load: everybody is told, everything acknowledged is on disk, everybody comes back.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use load_tests::bot::Phase;
use load_tests::proxy::{Faults, Flow, Proxy};
use load_tests::scenario::crowd::{Crowd, CrowdOptions, audit, compare_views};
use test_servers::Postgres;

use crate::harness::{Scratch, plan};

const BOTS: u32 = 200;
/// Above the server's own deadline for a drain.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_tells_everybody_flushes_everything_and_ends_with_0() {
    let scratch = Scratch::new("drain");
    let plan = plan(&scratch);
    let mut server = plan.start().await.unwrap();
    let options = CrowdOptions { bots: BOTS, seed: 11, wish_every_ms: 1_000, cut_once_in: 0 };
    let crowd = Crowd::start(&plan.endpoint(), &options).await.unwrap();
    let stats = crowd.stats.clone();
    let playing = async {
        while stats.connected() < u64::from(BOTS) || stats.acknowledged.get() < 2 * u64::from(BOTS) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), playing).await.expect("200 bots play");

    server.ask_to_stop().await.unwrap();
    let status = server.ended(DRAIN_WITHIN).await.unwrap();
    assert!(status.success(), "the server ended with {status}");
    crowd.tell(Phase::Down).unwrap();
    let (clean, words) = plan.verify().await.unwrap();
    assert!(clean, "{words}");

    let server = plan.start().await.unwrap();
    let mut bots = crowd.finish().await.unwrap();
    compare_views(&plan.endpoint(), &mut bots).await;
    assert!(server.stop().await.unwrap().success());
    let told = stats.drained.get();
    assert!(told >= u64::from(BOTS), "{told} of {BOTS} devices were told that the server goes away");
    for bot in &bots {
        assert_eq!(bot.ledger.findings, Vec::<String>::new());
        assert!(bot.closed.contains_key(&1012), "a socket ended with {:?}", bot.closed);
    }
    let verdict = audit(&plan, &bots).await.unwrap();
    assert!(verdict.is_clean(), "{verdict:#?}");
}

/// Above the deadline that is set, what follows it, and a busy machine.
const HUNG_WITHIN: Duration = Duration::from_secs(30);
/// What the server ends with when its deadline ran out.
const LATE: i32 = 75;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_keeps_nobody_beyond_the_deadline_and_nothing_is_lost() {
    let scratch = Scratch::new("drain-hung");
    let postgres = Postgres::start();
    let line = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, postgres.port()))).await.unwrap();
    let at = |port: u16| format!(":{port}/");
    let url = postgres.url().replace(&at(postgres.port()), &at(line.address().port()));
    let direct = plan(&scratch).on_database(&postgres.url()).with("DRAIN_DEADLINE_MS", "1000");
    direct.migrate().await.unwrap();
    let mut server = direct.clone().on_database(&url).start().await.unwrap();
    let options = CrowdOptions { bots: 40, seed: 12, wish_every_ms: 200, cut_once_in: 0 };
    let crowd = Crowd::start(&direct.endpoint(), &options).await.unwrap();
    let stats = crowd.stats.clone();
    let playing = async {
        while stats.connected() < 40 || stats.acknowledged.get() < 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        line.set(Faults::black_hole(Flow::Held));
        while direct.metric("journal_queue_events").await.unwrap() < 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), playing).await.expect("40 bots play");

    server.ask_to_stop().await.unwrap();
    let status = server.ended(HUNG_WITHIN).await.unwrap();
    assert_eq!(status.code(), Some(LATE), "{status}: {}", direct.log_tail());
    crowd.tell(Phase::Down).unwrap();
    line.heal();

    let server = direct.start().await.unwrap();
    let mut bots = crowd.finish().await.unwrap();
    compare_views(&direct.endpoint(), &mut bots).await;
    assert!(server.stop().await.unwrap().success());
    for bot in &bots {
        assert_eq!(bot.ledger.findings, Vec::<String>::new());
        assert!(bot.closed.contains_key(&1012), "a socket ended with {:?}", bot.closed);
    }
    let verdict = audit(&direct, &bots).await.unwrap();
    assert!(verdict.is_clean(), "{verdict:#?}");
}
