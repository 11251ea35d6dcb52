//! The limits of one socket as they are in production: refused first, closed when it goes on, and the hero is unharmed.

use load_tests::faults::ServerPlan;
use load_tests::wire::{Device, Received};
use protocol::client::{ClientMessage, Ping};
use protocol::server::ServerMessage;
use protocol::{close, limit};

use crate::harness::{Client, Scratch, binary, rename};

#[tokio::test]
async fn a_flood_is_refused_and_then_closed_and_harms_nobody() {
    let scratch = Scratch::new("limits");
    let plan = ServerPlan::new(&binary(), &scratch.0).unwrap();
    let server = plan.start().await.unwrap();
    let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
    let mut victim = Client::open(&plan, &device).await;
    victim.act(rename("before the flood")).await;

    let mut flood = Client::open(&plan, &device.sibling(2, None)).await;
    for number in 0..u64::from(limit::MESSAGES_BURST) * 2 {
        // The server may close in the middle of the flood.
        if flood.socket.send(&ClientMessage::Ping(Ping { client_ms: number })).await.is_err() {
            break;
        }
    }
    let mut refused = 0;
    let code = loop {
        match flood.next().await {
            Received::Message(ServerMessage::Rejected(rejected)) => {
                assert_eq!(rejected.code, "rate");
                assert!(rejected.retry_after_ms.is_some(), "a refusal that says when to try again");
                refused += 1;
            }
            Received::Message(ServerMessage::Pong(_)) => {}
            Received::Closed(code) => break code,
            other => panic!("a ping was answered with {other:?}"),
        }
    };
    assert!(refused >= 1, "closed without a warning");
    assert_eq!(code, close::RATE);

    victim.act(rename("after the flood")).await;
    assert!(server.stop().await.unwrap().success());
}
