//! A small server that can be told to lie. It shows that the bots and the audit see what they are there to see: an
//! honest one passes through any number of crashes, and each kind of lie is found.

mod server;

use std::time::Duration;

use load_tests::audit::{Verdict, examine, parse};
use load_tests::bot::{Bot, Phase};
use load_tests::ledger::Ledger;
use load_tests::scenario::crowd::{Crowd, CrowdOptions, compare_views};

use server::{FakeServer, Lie};

/// Few enough that none is a second device of another's hero, which this server does not know.
const BOTS: u32 = 4;
const CRASHES: u64 = 8;

/// Plays through some crashes against a server with one vice.
async fn play(lie: Lie) -> (Vec<Bot>, Verdict) {
    let mut server = FakeServer::start(lie).await;
    let options = CrowdOptions { bots: BOTS, seed: 3, wish_every_ms: 10, cut_once_in: 40 };
    let crowd = Crowd::start(&server.endpoint(), &options).await.unwrap();
    for crash in 1..=CRASHES {
        let stats = crowd.stats.clone();
        let enough = async {
            while stats.acknowledged.get() < crash * 100 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), enough).await.expect("the bots play");
        server.crash();
        crowd.tell(Phase::Down).unwrap();
        server.restart().await;
        crowd.tell(Phase::Up).unwrap();
    }
    let mut bots = crowd.finish().await.unwrap();
    compare_views(&server.endpoint(), &mut bots).await;
    let mut verdict = Verdict::default();
    for bot in bots.chunk_by(|one, other| one.device.hero_id == other.device.hero_id) {
        let ledgers: Vec<&Ledger> = bot.iter().map(|bot| &bot.ledger).collect();
        let export = server.export(&bot[0].device.hero_id);
        verdict.add(examine(&parse(export.to_string().as_bytes()).unwrap(), &ledgers));
    }
    (bots, verdict)
}

fn findings(bots: &[Bot]) -> Vec<String> {
    bots.iter().flat_map(|bot| bot.ledger.findings.clone()).collect()
}

#[tokio::test]
async fn an_honest_server_passes() {
    let (bots, verdict) = play(Lie::None).await;
    assert_eq!(findings(&bots), Vec::<String>::new());
    assert!(verdict.is_clean(), "{verdict:#?}");
    assert!(verdict.acknowledged >= CRASHES * 100, "{verdict:#?}");
}

#[tokio::test]
async fn an_acknowledgement_before_the_flush_is_found() {
    let (bots, verdict) = play(Lie::AcknowledgeBeforeFlush).await;
    assert!(verdict.lost > 0, "{verdict:#?}");
    assert!(verdict.facts_lost > 0, "{verdict:#?}");
    assert!(bots.iter().any(|bot| bot.ledger.lost_on_resume > 0));
}

#[tokio::test]
async fn a_repetition_that_is_applied_again_is_found() {
    let (_, verdict) = play(Lie::ApplyRepetitions).await;
    assert!(verdict.doubled > 0, "{verdict:#?}");
}

#[tokio::test]
async fn a_wallet_that_does_not_add_up_is_found() {
    let (bots, verdict) = play(Lie::PayInSecret).await;
    assert!(verdict.wallets_wrong > 0, "{verdict:#?}");
    assert!(findings(&bots).iter().any(|finding| finding.contains("wallet")));
}

#[tokio::test]
async fn a_forgotten_patch_is_found() {
    let (bots, _) = play(Lie::ForgetPatch).await;
    assert!(findings(&bots).iter().any(|finding| finding.contains("another hero")));
}
