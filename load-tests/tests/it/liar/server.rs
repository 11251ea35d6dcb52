//! Just enough of a server for a bot: heroes with tasks and a wallet in memory, a "disk" that a crash falls back to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use load_tests::http::Endpoint;
use protocol::client::{ClientMessage, Command, CommandFrame, Hello};
use protocol::codec;
use protocol::server::{CommandResult, Event, Events, Pong, ServerMessage, Welcome, WelcomeState};
use protocol::types::{Hero, HeroPatch, Task};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    AcknowledgeBeforeFlush,
    ApplyRepetitions,
    PayInSecret,
    ForgetPatch,
}

/// An event, the command that caused it and its content.
type Line = (Event, Option<(u64, u64)>, Value);

#[derive(Clone)]
struct FakeHero {
    view: Hero,
    events: Vec<Line>,
    marks: BTreeMap<u64, Vec<CommandResult>>,
}

#[derive(Default)]
struct Store {
    memory: BTreeMap<String, FakeHero>,
    disk: BTreeMap<String, FakeHero>,
    commands: u64,
}

pub(crate) struct FakeServer {
    lie: Lie,
    port: u16,
    store: Arc<Mutex<Store>>,
    tasks: JoinSet<()>,
}

impl FakeServer {
    pub(crate) async fn start(lie: Lie) -> Self {
        let store = Arc::default();
        let mut server = Self { lie, port: 0, store, tasks: JoinSet::new() };
        server.restart().await;
        server
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::local(self.port)
    }

    /// Everything that is only in memory is gone, and so is every connection.
    pub(crate) fn crash(&mut self) {
        self.tasks.abort_all();
        let mut store = self.store.lock().unwrap();
        store.memory = store.disk.clone();
    }

    pub(crate) async fn restart(&mut self) {
        while self.tasks.join_next().await.is_some() {}
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let (lie, store) = (self.lie, Arc::clone(&self.store));
        self.tasks.spawn(async move {
            let mut sockets = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                sockets.spawn(serve(stream, lie, Arc::clone(&store)));
            }
        });
    }

    pub(crate) fn export(&self, hero_id: &str) -> Value {
        let store = self.store.lock().unwrap();
        let hero = &store.disk[hero_id];
        let events: Vec<Value> = hero
            .events
            .iter()
            .map(|(event, command, body)| {
                let mut line = serde_json::to_value(event).unwrap();
                line["stream_id"] = json!(command.map(|command| command.0));
                line["cmd_seq"] = json!(command.map(|command| command.1));
                line["body"] = body.clone();
                line
            })
            .collect();
        let streams: Vec<Value> = hero
            .marks
            .iter()
            .map(|(stream_id, results)| json!({"stream_id": stream_id, "cmd_seq": results.len()}))
            .collect();
        json!({"hero_id": hero_id, "last_seq": events.len(), "hero": hero.view, "streams": streams, "events": events})
    }
}

fn new_hero(hero_id: &str) -> FakeHero {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../protocol/golden/server.welcome.snapshot.json");
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut view: Hero = serde_json::from_value(json["welcome"]["state"]["snapshot"].clone()).unwrap();
    view.hero_id = hero_id.to_owned();
    view.tasks.clear();
    view.wallet.energy_me = 0;
    view.wallet.dopamine_md = 0;
    FakeHero { view, events: Vec::new(), marks: BTreeMap::new() }
}

async fn serve(mut stream: TcpStream, lie: Lie, store: Arc<Mutex<Store>>) {
    let mut first = [0; 4];
    if !matches!(stream.peek(&mut first).await, Ok(4)) {
        return;
    }
    if first == *b"POST" { http(&mut stream, &store).await } else { socket(stream, lie, &store).await }
}

/// A hero's id is its token and its ticket.
async fn http(stream: &mut TcpStream, store: &Mutex<Store>) {
    let mut bytes = vec![0; 4096];
    let length = stream.read(&mut bytes).await.unwrap_or(0);
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let body = if text.starts_with("POST /v1/guests") {
        let mut store = store.lock().unwrap();
        let id = format!("hero-{}", store.disk.len());
        store.disk.insert(id.clone(), new_hero(&id));
        store.memory.insert(id.clone(), new_hero(&id));
        json!({"hero_id": id, "device_token": id})
    } else {
        let token = text.split("Bearer ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
        json!({"ticket": token})
    };
    let body = body.to_string();
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn socket(stream: TcpStream, lie: Lie, store: &Mutex<Store>) {
    #[expect(clippy::result_large_err, reason = "the library's callback has this type")]
    let agree = |_: &Request, mut response: Response| {
        let name = HeaderValue::from_static(protocol::SUBPROTOCOL);
        response.headers_mut().insert("sec-websocket-protocol", name);
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, agree).await else { return };
    let mut opened: Option<Hello> = None;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Binary(frame) = message else { continue };
        let answers = match (codec::decode_client(&frame).unwrap(), &opened) {
            (ClientMessage::Hello(hello), None) => {
                let welcome = welcome(&store.lock().unwrap(), lie, &hello);
                opened = Some(hello);
                vec![welcome]
            }
            (ClientMessage::Ping(ping), _) => {
                vec![ServerMessage::Pong(Pong { client_ms: ping.client_ms, server_now_ms: 0 })]
            }
            (ClientMessage::Command(frame), Some(hello)) => {
                command(&mut store.lock().unwrap(), lie, hello, &frame)
            }
            (message, _) => panic!("a bot sent {message:?}"),
        };
        for answer in answers {
            if socket.send(Message::Binary(codec::encode_server(&answer))).await.is_err() {
                return;
            }
        }
    }
}

fn welcome(store: &Store, lie: Lie, hello: &Hello) -> ServerMessage {
    let hero = &store.memory[&hello.ticket];
    let seq = u64::try_from(hero.events.len()).unwrap();
    let state = match hello.last_seq {
        Some(last_seq) if last_seq <= seq => {
            let events = hero.events.iter().skip(usize::try_from(last_seq).unwrap());
            let patch = HeroPatch {
                wallet: Some(hero.view.wallet),
                profile: Some(hero.view.profile.clone()).filter(|_| lie != Lie::ForgetPatch),
                tasks: Some(hero.view.tasks.clone()),
                ..HeroPatch::default()
            };
            WelcomeState::Events(Box::new(Events {
                events: events.map(|event| event.0.clone()).collect(),
                patch,
            }))
        }
        _ => WelcomeState::Snapshot(Box::new(hero.view.clone())),
    };
    ServerMessage::Welcome(Box::new(Welcome {
        connection_id: String::new(),
        seq,
        cmd_seq_applied: hero.marks.get(&hello.stream_id).map_or(0, |results| results.len() as u64),
        state,
        catalogue_version: 1,
        server_now_ms: 0,
        tick_hz: 10,
        read_only: false,
        other_devices: 0,
    }))
}

fn command(store: &mut Store, lie: Lie, hello: &Hello, frame: &CommandFrame) -> Vec<ServerMessage> {
    store.commands += 1;
    let flushes = lie != Lie::AcknowledgeBeforeFlush || store.commands.is_multiple_of(7);
    let refuses = store.commands.is_multiple_of(9);
    let hero = store.memory.get_mut(&hello.ticket).unwrap();
    let results = hero.marks.entry(hello.stream_id).or_default();
    let applied = results.len() as u64;
    let reject = |code: &str| {
        vec![ServerMessage::Rejected(protocol::server::Rejected {
            cmd_seq: Some(frame.cmd_seq),
            code: code.to_owned(),
            hint: "no".to_owned(),
            retry_after_ms: None,
        })]
    };
    if frame.cmd_seq <= applied {
        let told = results[usize::try_from(frame.cmd_seq - 1).unwrap()];
        if lie == Lie::ApplyRepetitions {
            append(hero, Some((hello.stream_id, frame.cmd_seq)), &frame.body, lie);
            store.disk.clone_from(&store.memory);
        }
        return vec![ServerMessage::Duplicate(told)];
    }
    if frame.cmd_seq > applied + 1 {
        return reject("out_of_order");
    }
    if refuses {
        return reject("not_today");
    }
    let (events, created_id) = append(hero, Some((hello.stream_id, frame.cmd_seq)), &frame.body, lie);
    let result = CommandResult { cmd_seq: frame.cmd_seq, seq: events.events[0].seq, created_id };
    hero.marks.entry(hello.stream_id).or_default().push(result);
    if flushes {
        store.disk.clone_from(&store.memory);
    }
    // Only this device hears of it: the other one learns it when it comes back.
    let mut answers = vec![ServerMessage::Durable(result)];
    if hello.stream_id == *store.memory[&hello.ticket].marks.keys().next().unwrap()
        || hello.last_seq.is_none()
    {
        answers.insert(0, ServerMessage::Events(Box::new(events)));
    }
    answers
}

fn append(
    hero: &mut FakeHero,
    command: Option<(u64, u64)>,
    body: &Command,
    lie: Lie,
) -> (Events, Option<u32>) {
    let seq = hero.events.len() as u64 + 1;
    let mut patch = HeroPatch::default();
    let mut created_id = None;
    let mut energy_me = 0;
    match body {
        Command::CreateTask { title, category, priority, estimate_minutes, .. } => {
            let task_id = u32::try_from(seq).unwrap();
            let task = Task {
                task_id,
                parent_id: None,
                title: title.clone(),
                category: *category,
                priority: *priority,
                estimate_minutes: *estimate_minutes,
                due_on: None,
                recurrence: None,
                occurrence_on: None,
                created_at_ms: 0,
                done_at_ms: None,
                focus_ms: 0,
                reward_me: 0,
            };
            hero.view.tasks.push(task.clone());
            created_id = Some(task_id);
            patch.tasks = Some(vec![task]);
            energy_me = 5;
        }
        Command::RenameHero { name } => {
            hero.view.profile.name.clone_from(name);
            patch.profile = Some(hero.view.profile.clone()).filter(|_| lie != Lie::ForgetPatch);
        }
        _ => {}
    }
    hero.view.wallet.energy_me += energy_me + i64::from(lie == Lie::PayInSecret && seq.is_multiple_of(20));
    patch.wallet = Some(hero.view.wallet);
    let event = Event {
        seq,
        at_ms: 0,
        kind: "done".to_owned(),
        cause: None,
        energy_me,
        dopamine_md: 0,
        subject: None,
        note: None,
    };
    hero.events.push((event.clone(), command, serde_json::to_value(body).unwrap()));
    (Events { events: vec![event], patch }, created_id)
}
