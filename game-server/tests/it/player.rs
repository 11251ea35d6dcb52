//! A player with a socket.

use futures_util::{SinkExt, StreamExt};
use protocol::SUBPROTOCOL;
use protocol::client::{ClientMessage, Command, CommandFrame, Hello};
use protocol::codec;
use protocol::server::{CommandResult, ServerMessage, WelcomeState};
use protocol::types::{Category, Hero, Priority};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::harness::{PATIENCE, TestServer};

/// Somebody who plays over a real socket.
pub(crate) struct Player {
    socket: WebSocketStream<TcpStream>,
    cmd_seq: u64,
}

impl Player {
    /// Connects as a device that has seen nothing; the hero as it is told.
    pub(crate) async fn connect(
        server: &TestServer,
        device_token: &str,
        cmd_seq: u64,
    ) -> (Player, u64, Hero) {
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

    pub(crate) async fn send(&mut self, message: &ClientMessage) {
        self.socket.send(Message::binary(codec::encode_client(message))).await.expect("an open socket");
    }

    pub(crate) async fn receive(&mut self) -> ServerMessage {
        loop {
            let frame = timeout(PATIENCE, self.socket.next()).await.expect("an answer in time");
            if let Message::Binary(bytes) = frame.expect("an open socket").expect("a sound frame") {
                return codec::decode_server(&bytes).expect("a message");
            }
        }
    }

    pub(crate) async fn command(&mut self, body: Command) -> CommandResult {
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

    pub(crate) async fn leave(mut self) {
        self.socket.close(None).await.expect("an open socket");
        while timeout(PATIENCE, self.socket.next()).await.expect("it ends").is_some() {}
    }
}

pub(crate) fn create(title: &str) -> Command {
    Command::CreateTask {
        title: title.to_owned(),
        category: Category::None,
        priority: Priority::Medium,
        estimate_minutes: 5,
        due_on: None,
        recurrence: None,
        parent_id: None,
    }
}
