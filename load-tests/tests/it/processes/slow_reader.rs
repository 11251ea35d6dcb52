//! Devices that never read are closed; the other device of the same hero gets every answer. Counted, not timed.

use load_tests::http;
use load_tests::wire::{Device, Received, Socket};
use protocol::client::{ClientMessage, CommandFrame};
use protocol::server::ServerMessage;
use tokio::net::TcpSocket;

use crate::harness::{Client, Scratch, create_task, plan};

const HEROES: u64 = 6;
/// Far more than the kernel's buffers and the server's queue hold for a device that does not read.
const COMMANDS_MAX: u32 = 6_000;
/// A receive buffer as small as the system allows, so that the kernel hides little.
const RECEIVE_BUFFER_BYTES: u32 = 2_048;
/// Tasks that a hero has before the oldest is deleted again.
const TASKS_MAX: usize = 20;

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

/// Acts until the server says that the other device is gone. Returns how many commands that took.
async fn act_until_alone(client: &mut Client) -> u32 {
    let mut tasks = std::collections::VecDeque::new();
    for number in 0..COMMANDS_MAX {
        let body = match tasks.pop_front() {
            Some(task_id) if tasks.len() >= TASKS_MAX => protocol::client::Command::DeleteTask { task_id },
            oldest => {
                if let Some(oldest) = oldest {
                    tasks.push_front(oldest);
                }
                create_task(&format!("{number} {}", "x".repeat(180)))
            }
        };
        let cmd_seq = client.applied + 1;
        client.socket.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await.unwrap();
        loop {
            match client.socket.receive_soon().await.unwrap() {
                Received::Message(ServerMessage::Durable(result)) => {
                    assert_eq!(result.cmd_seq, cmd_seq);
                    client.applied = cmd_seq;
                    tasks.extend(result.created_id);
                    break;
                }
                Received::Message(ServerMessage::Events(events)) => {
                    assert_eq!(client.mirror.events(&events), Vec::<String>::new());
                }
                Received::Message(ServerMessage::Status(status)) if status.other_devices == 0 => {
                    // The command is still answered: nothing of this hero suffers.
                    assert!(matches!(
                        client.next().await,
                        Received::Message(ServerMessage::Durable(result)) if result.cmd_seq == cmd_seq
                    ));
                    client.applied = cmd_seq;
                    return number;
                }
                Received::Message(_) => {}
                Received::Closed(code) => panic!("the reading device was closed with {code}"),
            }
        }
    }
    panic!("{COMMANDS_MAX} commands, and the device that does not read is still there");
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
                    client.act(create_task(&format!("control {number}"))).await;
                    client.act(protocol::client::Command::DeleteTask { task_id: number + 1 }).await;
                }
                return;
            };
            act_until_alone(&mut client).await;
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
