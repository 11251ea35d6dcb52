//! What stands in for Firebase: keys, tokens that they sign, and a server that hands the keys out and counts who asks.
//!
//! `test-key-1.pk8` and `test-key-2.pk8` were made for this by `openssl genpkey` and `openssl pkcs8`; nothing else knows them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::accounts::NOW_MS;

pub(crate) const PROJECT: &str = "hero-test-1";
const NOW_S: i64 = NOW_MS / 1000;

/// A key that signs tokens.
pub(crate) struct SigningKey {
    pub(crate) kid: &'static str,
    pair: RsaKeyPair,
}

impl SigningKey {
    pub(crate) fn first() -> SigningKey {
        SigningKey::of("first", include_bytes!("test-key-1.pk8"))
    }

    pub(crate) fn second() -> SigningKey {
        SigningKey::of("second", include_bytes!("test-key-2.pk8"))
    }

    fn of(kid: &'static str, pkcs8: &[u8]) -> SigningKey {
        SigningKey { kid, pair: RsaKeyPair::from_pkcs8(pkcs8).expect("a key of 2048 bits") }
    }

    /// As it is handed out.
    pub(crate) fn public(&self) -> Value {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.pair.public());
        let (n, e) = (BASE64URL_NOPAD.encode(&parts.n), BASE64URL_NOPAD.encode(&parts.e));
        json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": n, "e": e })
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "RS256", "kid": self.kid, "typ": "JWT" })
    }

    /// A token of these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&part(&self.header()), &part(claims))
    }

    /// Signs whatever it is.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        self.sign_with(&RSA_PKCS1_SHA256, header, claims)
    }

    pub(crate) fn sign_with(&self, padding: &'static dyn RsaEncoding, header: &str, claims: &str) -> String {
        let text = format!("{header}.{claims}");
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(padding, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("it signs");
        format!("{text}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

/// A part of a token.
pub(crate) fn part(value: &Value) -> String {
    BASE64URL_NOPAD.encode(&serde_json::to_vec(value).expect("JSON"))
}

/// What Firebase says of somebody who has just signed in.
pub(crate) fn claims(subject: &str) -> Value {
    json!({
        "iss": format!("https://securetoken.google.com/{PROJECT}"),
        "aud": PROJECT,
        "auth_time": NOW_S - 5,
        "iat": NOW_S - 1,
        "exp": NOW_S + 3_600,
        "sub": subject,
        "user_id": subject,
        "firebase": { "identities": {}, "sign_in_provider": "password" },
    })
}

/// The same with a verified address.
pub(crate) fn claims_with_mail(subject: &str, mail: &str) -> Value {
    let mut claims = claims(subject);
    claims["email"] = json!(mail);
    claims["email_verified"] = json!(true);
    claims["name"] = json!("Ada of Firebase");
    claims
}

/// How the key server answers.
#[derive(Clone)]
pub(crate) struct Behaviour {
    pub(crate) keys: Vec<Value>,
    pub(crate) status: u16,
    pub(crate) cache_control: &'static str,
    /// Bytes of spaces before the keys.
    pub(crate) padding: usize,
}

struct State {
    behaviour: Behaviour,
    asked: usize,
}

/// Hands keys out.
pub(crate) struct KeyServer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    /// Answers wait while it is held.
    held: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl KeyServer {
    pub(crate) async fn start(keys: &[&SigningKey]) -> KeyServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
        let keys = keys.iter().map(|key| key.public()).collect();
        let behaviour = Behaviour { keys, status: 200, cache_control: "public, max-age=600", padding: 0 };
        let state = Arc::new(Mutex::new(State { behaviour, asked: 0 }));
        let (held, is_held) = watch::channel(false);
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that goes away ends its own connection only.
                let _gone = answer(stream, &shared, is_held.clone()).await;
            }
        });
        KeyServer { url, state, held, task }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.lock().behaviour);
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.lock().asked
    }

    pub(crate) fn hold(&self, is_held: bool) {
        self.held.send_replace(is_held);
    }

    pub(crate) fn stop(self) {
        self.task.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    state: &Mutex<State>,
    mut is_held: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    assert!(request.starts_with(b"GET /keys HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&request));
    let behaviour = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked += 1;
        state.behaviour.clone()
    };
    // Gone when the test is over.
    let _until_the_end = is_held.wait_for(|is_held| !is_held).await.is_ok();
    let Behaviour { keys, status, cache_control, padding } = behaviour;
    let body = format!("{}{}", " ".repeat(padding), json!({ "keys": keys }));
    let head = format!(
        "HTTP/1.1 {status} Hm\r\ncontent-type: application/json\r\ncache-control: {cache_control}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}
