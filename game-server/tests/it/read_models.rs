//! What a player does over a real socket is in the tables soon after, and says what the player was told.

use futures_util::{SinkExt, StreamExt};
use game_server::clock::Clock;
use persistence::{HeroId, LedgerSum, SessionState};
use protocol::SUBPROTOCOL;
use protocol::client::{ClientMessage, Command, CommandFrame, Hello};
use protocol::codec;
use protocol::server::{CommandResult, ServerMessage, WelcomeState};
use protocol::types::{Category, FocusMode, Hero, Priority};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::harness::{PATIENCE, TestServer, wait_until};

/// A Monday, noon.
const NOON_MS: i64 = 1_772_452_800_000;

struct Player {
    socket: WebSocketStream<TcpStream>,
    cmd_seq: u64,
}

impl Player {
    /// Connects as a device that has seen nothing; the hero as it is told.
    async fn connect(server: &TestServer, device_token: &str, cmd_seq: u64) -> (Player, u64, Hero) {
        let ticket = server.ticket(device_token).await;
        let mut request =
            format!("ws://{}/v1/ws", server.address()).into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let stream = TcpStream::connect(server.address()).await.expect("somebody listens");
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("an upgrade");
        let mut player = Player { socket, cmd_seq };
        let hello =
            Hello { ticket, stream_id: 7, last_seq: None, client: "test".to_owned(), time_zone: None };
        player.send(&ClientMessage::Hello(hello)).await;
        loop {
            if let ServerMessage::Welcome(welcome) = player.receive().await {
                let WelcomeState::Snapshot(hero) = welcome.state else { panic!("it has seen nothing") };
                return (player, welcome.seq, *hero);
            }
        }
    }

    async fn send(&mut self, message: &ClientMessage) {
        self.socket.send(Message::binary(codec::encode_client(message))).await.expect("an open socket");
    }

    async fn receive(&mut self) -> ServerMessage {
        loop {
            let frame = timeout(PATIENCE, self.socket.next()).await.expect("an answer in time");
            if let Message::Binary(bytes) = frame.expect("an open socket").expect("a sound frame") {
                return codec::decode_server(&bytes).expect("a message");
            }
        }
    }

    async fn command(&mut self, body: Command) -> CommandResult {
        self.cmd_seq += 1;
        self.send(&ClientMessage::Command(CommandFrame { cmd_seq: self.cmd_seq, body })).await;
        loop {
            match self.receive().await {
                ServerMessage::Durable(result) => return result,
                ServerMessage::Rejected(rejected) => panic!("{rejected:?}"),
                _ => {}
            }
        }
    }

    async fn leave(mut self) {
        self.socket.close(None).await.expect("an open socket");
        while timeout(PATIENCE, self.socket.next()).await.expect("it ends").is_some() {}
    }
}

#[tokio::test]
async fn the_tables_say_what_the_player_was_told() {
    let clock = Clock::fixed(NOON_MS);
    let server = TestServer::start_at(clock.clone(), &[]).await;
    let (hero_id, device_token) = server.guest().await;
    let (mut player, ..) = Player::connect(&server, &device_token, 0).await;
    let task = Command::CreateTask {
        title: "Water the plants".to_owned(),
        category: Category::None,
        priority: Priority::Medium,
        estimate_minutes: 5,
        due_on: None,
        recurrence: None,
        parent_id: None,
    };
    let task_id = player.command(task).await.created_id.expect("a task");
    let mode = FocusMode::Countdown { planned_minutes: 5 };
    let start = Command::StartFocus { mode, category: Category::None, task_id: Some(task_id) };
    let session_id = player.command(start).await.created_id.expect("a session");
    clock.advance(5 * 60_000);
    player.command(Command::EndFocus).await;
    player.command(Command::CompleteTask { task_id, occurrence_on: None }).await;
    player.command(Command::AssembleModule { module_id: "gen_pulse".to_owned() }).await;
    player.leave().await;

    // What a device that comes now is told.
    let (player, seq, told) = Player::connect(&server, &device_token, 0).await;
    player.leave().await;
    let models = server.read_models();
    let hero: HeroId = hero_id.parse().expect("an id");
    let metrics = server.metrics();
    wait_until("nobody is behind", || {
        metrics.read_models_events_total.get() >= seq && metrics.read_models_lag_heroes.get() == 0.0
    })
    .await;
    let sum = models.ledger_sum(hero).await.expect("a store");
    assert!(sum.read_seq.0 >= seq);
    let wallet = told.wallet;
    assert_eq!(
        sum,
        LedgerSum { energy_me: wallet.energy_me, dopamine_md: wallet.dopamine_md, ..sum },
        "the ledger is the wallet"
    );
    let sessions = models.sessions(hero, None, 10).await.expect("a store");
    let [session] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!((session.session_id, session.state), (session_id, SessionState::Ended));
    assert_eq!((session.end_kind.as_deref(), session.focus_ms), (Some("completed"), 5 * 60_000));
    assert_eq!((session.started_at_ms, session.ended_at_ms), (NOON_MS, Some(NOON_MS + 5 * 60_000)));
    let tasks = models.tasks(hero, None, 10).await.expect("a store");
    assert_eq!(tasks.len(), told.tasks.len());
    assert_eq!((&*tasks[0].title, tasks[0].focus_ms), ("Water the plants", 5 * 60_000));
    assert_eq!(tasks[0].done_at_ms, Some(NOON_MS + 5 * 60_000));
    let assemblies = models.assemblies(hero, None, 10).await.expect("a store");
    let modules: Vec<_> = assemblies.iter().map(|row| row.module_id.as_str()).collect();
    assert_eq!(modules, ["gen_pulse", "gen_sine"], "newest first, with the free starter");
    let totals = models.totals(NOON_MS).await.expect("a store");
    assert_eq!((totals.sessions, totals.focus_ms, totals.tasks_done), (1, 5 * 60_000, 1));
    assert_eq!(totals.energy_me, wallet.lifetime_energy_me);
    server.stop().await;
}
