//! Devices that never read are closed; the other device of the same hero gets every answer. Counted, not timed.

use std::collections::VecDeque;

use load_tests::http;
use load_tests::wire::{Device, Received, Socket};
use protocol::client::{ClientMessage, CommandFrame};
use protocol::server::ServerMessage;
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Client, Scratch, create_task, plan};

const HEROES: u64 = 4;
/// Far more than the kernel's buffers (some MiB on loopback) and the server's queue hold for a device that does not read.
const COMMANDS_MAX: u64 = 30_000;
/// Commands that are on their way at once.
const IN_FLIGHT_MAX: u64 = 16;
/// A receive buffer as small as the system allows, so that the kernel hides little.
const RECEIVE_BUFFER_BYTES: u32 = 2_048;
/// Tasks that a hero has before the oldest is deleted again.
const TASKS_MAX: usize = 20;
/// Commands after which the deaf device shows that it is alive, as a phone in a pocket does.
const SIGN_OF_LIFE_EACH: u64 = 50;

/// Says hello and then reads nothing any more.
async fn deaf(plan: &load_tests::faults::ServerPlan, device: &Device) -> Socket {
    let endpoint = plan.endpoint();
    let ticket = device.ticket(&endpoint).await.unwrap();
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(RECEIVE_BUFFER_BYTES).unwrap();
    let stream = tcp.connect(endpoint.address).await.unwrap();
    let mut socket = Socket::upgrade(&endpoint, stream).await.unwrap();
    socket.send(&ClientMessage::Hello(device.hello(ticket, None))).await.unwrap();
    match socket.receive_soon().await.unwrap() {
        Received::Message(ServerMessage::Welcome(_)) => socket,
        other => panic!("hello was answered with {other:?}"),
    }
}

/// Acts until the server says that the other device is gone.
async fn act_until_alone(client: &mut Client, deaf_one: &mut Socket) {
    let mut tasks = VecDeque::new();
    let mut sent = client.applied;
    let mut alone = false;
    while !alone || client.applied < sent {
        while !alone && sent < client.applied + IN_FLIGHT_MAX {
            let body = match tasks.pop_front() {
                Some(task_id) if tasks.len() >= TASKS_MAX => {
                    protocol::client::Command::DeleteTask { task_id }
                }
                oldest => {
                    tasks.extend(oldest);
                    create_task(&"🦀".repeat(protocol::limit::TITLE_CHARS_MAX))
                }
            };
            sent += 1;
            assert!(sent < COMMANDS_MAX, "{sent} commands, and the device that does not read is still there");
            let frame = CommandFrame { cmd_seq: sent, body };
            client.socket.send(&ClientMessage::Command(frame)).await.unwrap();
            if sent.is_multiple_of(SIGN_OF_LIFE_EACH) {
                // When the server has cut the connection this fails, and that is what we wait for.
                let _ = deaf_one.send_raw(Message::Pong(Vec::new().into())).await;
            }
        }
        match client.socket.receive_soon().await.unwrap() {
            Received::Message(ServerMessage::Durable(result)) => {
                assert_eq!(result.cmd_seq, client.applied + 1);
                client.applied += 1;
                tasks.extend(result.created_id);
            }
            Received::Message(ServerMessage::Events(events)) => {
                assert_eq!(client.mirror.events(&events), Vec::<String>::new());
            }
            Received::Message(ServerMessage::Status(status)) => alone |= status.other_devices == 0,
            Received::Message(ServerMessage::Progress(_) | ServerMessage::Pong(_)) => {}
            other => panic!("the reading device got {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_closed_and_nobody_else_notices() {
    let scratch = Scratch::new("slow-reader");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let mut heroes = tokio::task::JoinSet::new();
    for number in 0..HEROES {
        let plan = plan.clone();
        heroes.spawn(async move {
            let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
            // Every second hero has a deaf device; the others are the control.
            let deaf_one =
                if number % 2 == 0 { Some(deaf(&plan, &device.sibling(2, None)).await) } else { None };
            let mut client = Client::open(&plan, &device).await;
            let Some(mut deaf_one) = deaf_one else {
                for number in 0..200 {
                    let made = client.act(create_task(&format!("control {number}"))).await;
                    let task_id = made.created_id.expect("a task has a number");
                    client.act(protocol::client::Command::DeleteTask { task_id }).await;
                }
                return;
            };
            act_until_alone(&mut client, &mut deaf_one).await;
            // What was in the buffers still comes out, then the end.
            let code = loop {
                if let Received::Closed(code) = deaf_one.receive_soon().await.unwrap() {
                    break code;
                }
            };
            assert!(matches!(code, 1006 | 1013), "the deaf device was closed with {code}");
            // It comes back and is served again.
            let (again, welcome) =
                Client::resume(&plan, &device.sibling(2, None), client.mirror.clone()).await;
            assert_eq!(welcome.seq, again.mirror.seq());
            client.act(create_task("afterwards")).await;
        });
    }
    while let Some(hero) = heroes.join_next().await {
        hero.unwrap();
    }
    let metrics = http::request(&plan.metrics_endpoint(), None, "GET", "/metrics", None, None).await.unwrap();
    let metrics = String::from_utf8(metrics.body).unwrap();
    let counted = metrics
        .lines()
        .filter(|line| {
            line.starts_with("dopamine_hero_slow_clients_closed_total")
                || line.starts_with("slow_clients_closed_total")
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum::<u64>();
    assert_eq!(counted, HEROES.div_ceil(2), "slow clients that the server counted");
    assert!(server.stop().await.unwrap().success());
}
