//! Several devices of one hero, and what a device finds when it comes back.

use load_tests::mirror::{Mirror, lasting};
use load_tests::wire::{Device, Received};
use protocol::server::{ServerMessage, WelcomeState};

use crate::harness::{Client, Scratch, create_task, plan, rename};

#[tokio::test]
async fn all_devices_of_a_hero_see_the_same_events() {
    let scratch = Scratch::new("devices-same");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
    let mut first = Client::open(&plan, &device).await;
    let mut second = Client::open(&plan, &device.sibling(2, None)).await;
    let mut third = Client::open(&plan, &device.sibling(3, None)).await;
    let began = first.mirror.seq();
    let mut last = 0;
    for number in 0..20 {
        // Each device writes in its own stream, all of them into one journal.
        last = first.act(create_task(&format!("first {number}"))).await.seq;
        last = last.max(second.act(create_task(&format!("second {number}"))).await.seq);
        last = last.max(third.act(rename(&format!("third {number}"))).await.seq);
    }
    for client in [&mut first, &mut second, &mut third] {
        client.until(last).await;
        let expected: Vec<u64> = (began + 1..=client.mirror.seq()).collect();
        assert_eq!(client.seen, expected, "every event once and in order");
    }
    let (mut fresh, _) = Client::resume(&plan, &device.sibling(4, None), Mirror::default()).await;
    let newest = fresh.mirror.seq();
    for client in [&mut first, &mut second, &mut third, &mut fresh] {
        client.until(newest).await;
    }
    let expected = lasting(fresh.mirror.hero().unwrap());
    for client in [&first, &second, &third] {
        assert_eq!(lasting(client.mirror.hero().unwrap()), expected);
    }
    assert_eq!(expected.tasks.len(), 40);
    assert!(server.stop().await.unwrap().success());
}

#[tokio::test]
async fn who_comes_back_gets_what_is_missing_or_everything() {
    let scratch = Scratch::new("devices-resume");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
    let other = device.sibling(2, None);
    let mut client = Client::open(&plan, &device).await;
    client.act(create_task("before")).await;

    let away = Client::open(&plan, &other).await;
    let left_at = away.mirror.seq();
    away.socket.close().await;
    let (nothing_new, welcome) = Client::resume(&plan, &other, away.mirror.clone()).await;
    assert!(matches!(&welcome.state, WelcomeState::Events(events) if events.events.is_empty()));
    nothing_new.socket.close().await;

    let mut last = 0;
    for number in 0..5 {
        last = client.act(create_task(&format!("meanwhile {number}"))).await.seq;
    }
    let (short_absence, welcome) = Client::resume(&plan, &other, away.mirror.clone()).await;
    let WelcomeState::Events(events) = &welcome.state else { panic!("a snapshot for 5 missing events") };
    let missing: Vec<u64> = events.events.iter().map(|event| event.seq).collect();
    assert_eq!(missing, (left_at + 1..=welcome.seq).collect::<Vec<_>>());
    assert!(welcome.seq >= last);
    short_absence.socket.close().await;

    for number in 0..150 {
        client.act(rename(&format!("long {number}"))).await;
        last = client.act(create_task(&format!("long {number}"))).await.seq;
    }
    let (long_absence, welcome) = Client::resume(&plan, &other, away.mirror.clone()).await;
    assert!(welcome.seq >= last, "whatever way, nothing is missing");
    client.until(welcome.seq).await;
    assert_eq!(lasting(long_absence.mirror.hero().unwrap()), lasting(client.mirror.hero().unwrap()));
    long_absence.socket.close().await;

    // A client that claims to have seen the future gets a snapshot of the present.
    let (socket, welcome) = other.open(&plan.endpoint(), Some(welcome.seq + 1_000)).await.unwrap();
    assert!(matches!(welcome.state, WelcomeState::Snapshot(_)), "events for an unknown future");
    socket.close().await;
    assert!(server.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_happens_once() {
    let scratch = Scratch::new("devices-once");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
    let mut client = Client::open(&plan, &device).await;
    let mut applied_before = 0;
    for number in 0..30_u64 {
        let body = create_task(&format!("once {number}"));
        let cmd_seq = client.applied + 1;
        client.send(cmd_seq, body.clone()).await;
        // The connection dies before the answer, sometimes before and sometimes after the command was read.
        let mirror = client.mirror.clone();
        drop(client);
        let (back, welcome) = Client::resume(&plan, &device, mirror).await;
        client = back;
        applied_before += u64::from(welcome.cmd_seq_applied == cmd_seq);
        assert!([cmd_seq - 1, cmd_seq].contains(&welcome.cmd_seq_applied));
        client.send(cmd_seq, body.clone()).await;
        let first = match client.next().await {
            Received::Message(ServerMessage::Durable(result) | ServerMessage::Duplicate(result)) => result,
            other => panic!("the repeated command was answered with {other:?}"),
        };
        client.send(cmd_seq, body).await;
        match client.next().await {
            Received::Message(ServerMessage::Duplicate(again)) => assert_eq!(again, first),
            other => panic!("the third time it was answered with {other:?}"),
        }
        client.applied = cmd_seq;
    }
    let fresh = Client::open(&plan, &device.sibling(2, None)).await;
    let mut titles: Vec<String> =
        fresh.mirror.hero().unwrap().tasks.iter().map(|task| task.title.clone()).collect();
    titles.sort();
    let mut expected: Vec<String> = (0..30).map(|number| format!("once {number}")).collect();
    expected.sort();
    assert_eq!(titles, expected, "{applied_before} of 30 were applied before the reconnect");
    assert!(server.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_new_socket_of_a_device_replaces_its_old_one() {
    let scratch = Scratch::new("devices-replace");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
    let mut old = Client::open(&plan, &device).await;
    let mut new = Client::open(&plan, &device).await;
    assert!(matches!(old.next().await, Received::Closed(1000)), "the old socket stays open");
    new.act(rename("replaced")).await;
    assert!(server.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_fifth_device_makes_the_oldest_begin_anew_and_nothing_is_doubled() {
    let scratch = Scratch::new("devices-five");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
    let mut oldest = Client::open(&plan, &device).await;
    oldest.act(create_task("of the oldest")).await;
    oldest.act(create_task("of the oldest, second")).await;
    oldest.socket.close().await;
    for stream_id in 2..=5 {
        let mut client = Client::open(&plan, &device.sibling(stream_id, None)).await;
        client.act(create_task(&format!("of device {stream_id}"))).await;
        client.socket.close().await;
    }
    // Its marks are forgotten, so its old numbers must not be taken for new commands.
    let (mut back, welcome) = Client::resume(&plan, &device, Mirror::default()).await;
    assert_eq!(welcome.cmd_seq_applied, 0);
    for cmd_seq in [3, 1] {
        back.send(cmd_seq, create_task("of the oldest")).await;
        match back.next().await {
            Received::Message(ServerMessage::Rejected(rejected)) => {
                assert!(
                    ["stream_forgotten", "out_of_order"].contains(&rejected.code.as_str()),
                    "command {cmd_seq} of a forgotten stream was refused as {}",
                    rejected.code
                );
            }
            other => panic!("command {cmd_seq} of a forgotten stream was answered with {other:?}"),
        }
    }
    back.socket.close().await;
    // What the protocol asks for then: a new stream, from 1.
    let mut anew = Client::open(&plan, &device.sibling(6, None)).await;
    anew.act(create_task("of the oldest, anew")).await;
    assert_eq!(anew.mirror.hero().unwrap().tasks.len(), 7);
    assert!(server.stop().await.unwrap().success());
    let (clean, words) = plan.verify().await.unwrap();
    assert!(clean, "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_logins_at_once_leave_a_clean_journal() {
    const LOGINS: u8 = 100;
    let scratch = Scratch::new("devices-hundred");
    let plan = plan(&scratch);
    let server = plan.start().await.unwrap();
    let device = Device::new_guest(&plan.endpoint(), None, 1).await.unwrap();
    let mut logins = tokio::task::JoinSet::new();
    for number in 0..LOGINS {
        let plan = plan.clone();
        // An address each: how many of one address may be unknown is another test's matter.
        let source = std::net::Ipv4Addr::new(127, 0, 77, number + 1);
        let device = device.sibling(u64::from(number) + 2, Some(source));
        logins.spawn(async move {
            let ticket = device.ticket(&plan.endpoint()).await.unwrap();
            let mut socket = load_tests::wire::Socket::connect(&plan.endpoint(), Some(source)).await.unwrap();
            let hello = protocol::client::ClientMessage::Hello(device.hello(ticket, None));
            socket.send(&hello).await.unwrap();
            let command = protocol::client::CommandFrame { cmd_seq: 1, body: create_task("one of many") };
            let mut is_durable = false;
            loop {
                match socket.receive_soon().await.unwrap() {
                    Received::Message(ServerMessage::Welcome(_)) => {
                        // A newer device may push this one out at any moment.
                        let _closed =
                            socket.send(&protocol::client::ClientMessage::Command(command.clone())).await;
                    }
                    Received::Message(ServerMessage::Durable(result)) => {
                        assert_eq!(result.cmd_seq, 1);
                        is_durable = true;
                    }
                    // The oldest leaves when there are too many; nobody else does.
                    Received::Closed(code) => {
                        assert!(matches!(code, protocol::close::POLICY | 1006), "closed with {code}");
                        return (is_durable, None);
                    }
                    Received::Message(ServerMessage::Rejected(rejected)) => {
                        assert!(matches!(rejected.code.as_str(), "rate" | "busy"), "{rejected:?}");
                        return (false, Some(socket));
                    }
                    Received::Message(_) => {}
                }
                if is_durable {
                    return (true, Some(socket));
                }
            }
        });
    }
    let (mut durable, mut open) = (0, Vec::new());
    while let Some(login) = logins.join_next().await {
        let (is_durable, socket) = login.unwrap();
        durable += usize::from(is_durable);
        open.extend(socket);
    }
    drop(open);
    let (fresh, _) = Client::resume(&plan, &device, Mirror::default()).await;
    let tasks = fresh.mirror.hero().unwrap().tasks.len();
    assert!((durable.max(8)..=usize::from(LOGINS)).contains(&tasks), "{durable} durable, {tasks} tasks");
    fresh.socket.close().await;
    assert!(server.stop().await.unwrap().success());
    let (is_clean, words) = plan.verify().await.unwrap();
    assert!(is_clean, "{words}");
}
