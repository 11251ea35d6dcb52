//! SIGTERM under load: everybody is told, everything acknowledged is on disk, everybody comes back.

use std::time::Duration;

use load_tests::bot::Phase;
use load_tests::scenario::crowd::{Crowd, CrowdOptions, audit, compare_views};

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
