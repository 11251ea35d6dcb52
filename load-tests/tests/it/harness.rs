//! A server process on a store of its own in a temporary directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use load_tests::faults::ServerPlan;
use load_tests::mirror::Mirror;
use load_tests::wire::{Device, Received, Socket};
use protocol::client::{ClientMessage, Command as Wish, CommandFrame};
use protocol::server::{CommandResult, ServerMessage, Welcome};
use protocol::types::{Category, Priority};

/// The server's binary: from `DOPAMINE_HERO_BIN`, or built now, so that an old one is never tested by mistake.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("DOPAMINE_HERO_BIN") {
        return PathBuf::from(path);
    }
    // target/<profile>/deps/it-… → target/<profile>/dopamine-hero
    let test = std::env::current_exe().unwrap();
    let directory = test.parent().and_then(Path::parent).unwrap();
    let target = directory.parent().unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--workspace", "--bin", "dopamine-hero", "--target-dir"])
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success(), "the server does not build");
    directory.join("dopamine-hero")
}

/// A directory that is gone after a test that passed; a failed one leaves it for whoever looks.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path).unwrap();
        }
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

pub(crate) fn plan(scratch: &Scratch) -> ServerPlan {
    ServerPlan::new(&binary(), &scratch.0).unwrap().without_socket_limits()
}

/// One device with its mirror, driven by hand.
pub(crate) struct Client {
    pub(crate) socket: Socket,
    pub(crate) mirror: Mirror,
    pub(crate) applied: u64,
    /// The sequence numbers of all events that came.
    pub(crate) seen: Vec<u64>,
}

impl Client {
    pub(crate) async fn open(plan: &ServerPlan, device: &Device) -> Self {
        Self::resume(plan, device, Mirror::default()).await.0
    }

    pub(crate) async fn resume(plan: &ServerPlan, device: &Device, mut mirror: Mirror) -> (Self, Welcome) {
        let (socket, welcome) = device.open(&plan.endpoint(), mirror.last_seq()).await.unwrap();
        assert_eq!(socket.before_welcome, 0, "messages came before the welcome");
        assert_eq!(mirror.welcome(&welcome), Vec::<String>::new());
        let client = Self { socket, mirror, applied: welcome.cmd_seq_applied, seen: Vec::new() };
        (client, welcome)
    }

    pub(crate) async fn send(&mut self, cmd_seq: u64, body: Wish) {
        self.socket.send(&ClientMessage::Command(CommandFrame { cmd_seq, body })).await.unwrap();
    }

    /// The next message that is not only about events; those are checked and kept.
    pub(crate) async fn next(&mut self) -> Received {
        loop {
            match self.socket.receive_soon().await.unwrap() {
                Received::Message(ServerMessage::Events(events)) => {
                    self.seen.extend(events.events.iter().map(|event| event.seq));
                    assert_eq!(self.mirror.events(&events), Vec::<String>::new());
                }
                Received::Message(ServerMessage::Progress(_) | ServerMessage::Status(_)) => {}
                other => return other,
            }
        }
    }

    /// Sends the next command and waits for its success.
    pub(crate) async fn act(&mut self, body: Wish) -> CommandResult {
        let cmd_seq = self.applied + 1;
        self.send(cmd_seq, body).await;
        match self.next().await {
            Received::Message(ServerMessage::Durable(result)) => {
                assert_eq!(result.cmd_seq, cmd_seq);
                self.applied = cmd_seq;
                result
            }
            other => panic!("command {cmd_seq} was answered with {other:?}"),
        }
    }

    /// Reads on until the mirror contains an event.
    pub(crate) async fn until(&mut self, seq: u64) {
        while self.mirror.seq() < seq {
            match self.socket.receive_soon().await.unwrap() {
                Received::Message(ServerMessage::Events(events)) => {
                    self.seen.extend(events.events.iter().map(|event| event.seq));
                    assert_eq!(self.mirror.events(&events), Vec::<String>::new());
                }
                Received::Message(_) => {}
                Received::Closed(code) => panic!("closed with {code} before event {seq}"),
            }
        }
    }
}

pub(crate) fn create_task(title: &str) -> Wish {
    Wish::CreateTask {
        title: title.to_owned(),
        category: Category::Learning,
        priority: Priority::Medium,
        estimate_minutes: 25,
        due_on: None,
        recurrence: None,
        parent_id: None,
    }
}

pub(crate) fn rename(name: &str) -> Wish {
    Wish::RenameHero { name: name.to_owned() }
}
