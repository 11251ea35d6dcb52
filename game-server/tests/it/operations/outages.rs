//! Outages that an operator declares.

use admin_http::Refused;
use admin_http::views::Outage;
use game_server::clock::Clock;
use protocol::client::Command;
use protocol::server::ServerMessage;
use protocol::types::{Category, FocusMode};

use super::{ada, desk};
use crate::harness::TestServer;
use crate::player::Player;

/// A Monday, noon.
const NOON_MS: i64 = 1_772_452_800_000;
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[tokio::test]
async fn a_hero_in_memory_gets_its_shield_back_at_once() {
    let clock = Clock::fixed(NOON_MS);
    let server = TestServer::start_at(clock.clone(), &[]).await;
    let (_, device_token) = server.guest().await;
    let (mut player, ..) = Player::connect(&server, &device_token, 0).await;
    let mode = FocusMode::Countdown { planned_minutes: 25 };
    player.command(Command::StartFocus { mode, category: Category::None, task_id: None }).await;
    clock.advance(25 * 60_000);
    player.command(Command::EndFocus).await;
    // Two days without the player: the missed one costs the shield.
    clock.advance(2 * DAY_MS);
    let shields = loop {
        if let ServerMessage::Events(news) = player.receive().await
            && news.events.iter().any(|event| event.kind == "days_ended")
        {
            break news.patch.streak.expect("it changed").shields;
        }
    };
    assert_eq!(shields, 0);
    let outage = Outage { from_ms: NOON_MS + HOUR_MS, until_ms: NOON_MS + 2 * DAY_MS };
    desk(&server).declare_outage(ada(1), outage).await.expect("it is over");
    let streak = loop {
        if let ServerMessage::Events(news) = player.receive().await
            && news.events.iter().any(|event| event.kind == "outage_declared")
        {
            break news.patch.streak.expect("it changed");
        }
    };
    assert_eq!((streak.days, streak.shields), (1, 1), "the shield is back");
    let earlier = Outage { from_ms: NOON_MS - 3 * HOUR_MS, until_ms: NOON_MS - HOUR_MS };
    desk(&server).declare_outage(ada(2), earlier).await.expect("it is over");
    assert_eq!(desk(&server).outages().await, Ok(vec![outage, earlier]), "newest first");
    for wrong in [
        Outage { from_ms: NOON_MS, until_ms: clock.now_ms() + 1 },
        Outage { from_ms: clock.now_ms() - 32 * DAY_MS, until_ms: clock.now_ms() },
    ] {
        let refused = desk(&server).declare_outage(ada(3), wrong).await;
        assert!(matches!(refused, Err(Refused::Invalid(_))), "{refused:?}");
    }
    player.leave().await;
    server.stop().await;
}
