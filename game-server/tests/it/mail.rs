//! Mails on a real server, read by a mail server of the test's own.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use game_server::clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::accounts::{NOW_MS, PASSWORD, call, login, post, refresh, register, text};
use crate::harness::{PATIENCE, TestServer};
use crate::leaks;

const MINUTE_MS: i64 = 60_000;
const OTHER_PASSWORD: &str = "four plain words here";

/// Takes mails as a mail server does.
pub(crate) struct Receiver {
    mails: mpsc::Receiver<String>,
    url: String,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Says "later" to so many connections first.
    pub(crate) async fn start(busy: usize) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let (taken, mails) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                // A client that goes away ends its own connection only.
                if let Ok(Some(mail)) = receive(stream, number < busy).await {
                    let _gone = taken.send(mail).await;
                }
            }
        });
        Receiver { mails, url, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn stop(&self) {
        self.task.abort();
    }

    pub(crate) async fn mail(&mut self) -> String {
        timeout(PATIENCE, self.mails.recv()).await.expect("in time").expect("it runs")
    }

    /// The code of the next mail's link.
    async fn code(&mut self, to: &str, link: &str) -> String {
        let mail = self.mail().await;
        assert!(mail.contains(&format!("To: {to}")), "{mail}");
        assert!(mail.contains("From: Hero <hero@example.org>"), "{mail}");
        let start = format!("https://play.example.org/#{link}=");
        let (_, rest) = mail.split_once(&start).unwrap_or_else(|| panic!("{start} in {mail}"));
        let code = rest.lines().next().expect("a line").to_owned();
        leaks::secret("mail_code", &code);
        code
    }
}

async fn receive(stream: TcpStream, busy: bool) -> io::Result<Option<String>> {
    let mut stream = BufReader::new(stream);
    let greeting = if busy { "421 later\r\n" } else { "220 here\r\n" };
    stream.write_all(greeting.as_bytes()).await?;
    let (mut mail, mut is_data) = (String::new(), false);
    loop {
        let mut line = String::new();
        if busy || stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let answer = match line.trim_end() {
            "." if is_data => {
                stream.write_all(b"250 taken\r\n").await?;
                return Ok(Some(mail));
            }
            _ if is_data => {
                mail.push_str(&line);
                continue;
            }
            "DATA" => {
                is_data = true;
                "354 go on\r\n"
            }
            "QUIT" => return Ok(None),
            _ => "250 yes\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn start(receiver: &Receiver) -> (TestServer, Clock) {
    let clock = Clock::fixed(NOW_MS);
    let variables = [
        ("SMTP_URL", receiver.url.as_str()),
        ("MAIL_FROM", "Hero <hero@example.org>"),
        ("PUBLIC_URL", "https://play.example.org/"),
    ];
    (TestServer::start_at(clock.clone(), &variables).await, clock)
}

async fn stop(server: TestServer, receiver: Receiver) {
    receiver.task.abort();
    server.stop().await;
}

async fn forgot(server: &TestServer, mail: &str) {
    let answer = post(server, "/v1/auth/password/forgot", None, &json!({ "mail": mail })).await;
    assert_eq!((answer.status, answer.body.as_slice()), (202, b"".as_slice()), "{mail}");
}

async fn reset(server: &TestServer, code: &str, password: &str) -> (u16, String) {
    let body = json!({ "code": code, "password": password });
    let answer = post(server, "/v1/auth/password/reset", None, &body).await;
    (answer.status, if answer.status == 204 { String::new() } else { answer.code() })
}

fn refused() -> (u16, String) {
    (400, "code".to_owned())
}

fn done() -> (u16, String) {
    (204, String::new())
}

#[tokio::test]
async fn an_address_is_verified_by_its_mail() {
    let mut receiver = Receiver::start(1).await;
    let (server, clock) = start(&receiver).await;
    let session = register(&server, "ada@example.org", None).await;
    let access = text(&session, "access_token");
    let first = receiver.code("ada@example.org", "verify").await;
    clock.advance(MINUTE_MS);
    let resend = call(&server, "POST", "/v1/auth/mail/resend", Some(&access), &Value::Null).await;
    assert_eq!(resend.status, 202);
    let second = receiver.code("ada@example.org", "verify").await;
    assert_ne!(first, second);
    let verify = |code: String| {
        let server = &server;
        async move { post(server, "/v1/auth/mail/verify", None, &json!({ "code": code })).await }
    };
    for wrong in ["", "x", &"x".repeat(5_000), &format!("dhc_{}", "x".repeat(43))] {
        let answer = verify(wrong.to_owned()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "code"), "{wrong}");
    }
    assert_eq!(reset(&server, &second, OTHER_PASSWORD).await, refused(), "it is for something else");
    assert_eq!(verify(second.clone()).await.status, 204);
    assert_eq!(verify(second).await.status, 400, "once");
    let me = call(&server, "GET", "/v1/me", Some(&access), &Value::Null).await.json();
    assert_eq!(me["mail_verified"], json!(true));
    clock.advance(24 * 60 * MINUTE_MS - MINUTE_MS);
    assert_eq!(verify(first).await.status, 400, "a day");
    let nobody = call(&server, "POST", "/v1/auth/mail/resend", None, &Value::Null).await;
    assert_eq!(nobody.status, 401);
    stop(server, receiver).await;
}

#[tokio::test]
async fn whoever_reads_the_mail_sets_a_new_password_and_all_others_are_out() {
    let mut receiver = Receiver::start(0).await;
    let (server, clock) = start(&receiver).await;
    let session = register(&server, "ada@example.org", None).await;
    receiver.code("ada@example.org", "verify").await;
    forgot(&server, "nobody@example.org").await;
    forgot(&server, "no address").await;
    forgot(&server, " ADA@example.org").await;
    let late = receiver.code("ada@example.org", "reset").await;
    forgot(&server, "ada@example.org").await;
    clock.advance(15 * MINUTE_MS);
    assert_eq!(reset(&server, &late, OTHER_PASSWORD).await, refused(), "15 minutes");
    forgot(&server, "ada@example.org").await;
    let code = receiver.code("ada@example.org", "reset").await;
    assert_ne!(late, code);
    assert_eq!(reset(&server, &code, "short").await, (400, "weak_password".to_owned()));
    clock.advance(15 * MINUTE_MS - 1);
    assert_eq!(reset(&server, &code, OTHER_PASSWORD).await, done(), "a weak one did not use it up");
    assert_eq!(reset(&server, &code, OTHER_PASSWORD).await, refused(), "once");
    assert_eq!(refresh(&server, &text(&session, "refresh_token")).await.status, 401);
    assert_eq!(login(&server, "ada@example.org", PASSWORD).await.status, 401);
    let answer = login(&server, "ada@example.org", OTHER_PASSWORD).await;
    assert_eq!(answer.status, 200);
    let access = text(&answer.json(), "access_token");
    let me = call(&server, "GET", "/v1/me", Some(&access), &Value::Null).await.json();
    assert_eq!(me["mail_verified"], json!(true), "the mail was read");
    assert!(receiver.mails.try_recv().is_err(), "one a minute");
    stop(server, receiver).await;
}

#[tokio::test]
async fn an_owner_reads_until_when_a_deletion_can_be_undone() {
    let mut receiver = Receiver::start(0).await;
    let (server, clock) = start(&receiver).await;
    let access = text(&register(&server, "ada@example.org", None).await, "access_token");
    receiver.code("ada@example.org", "verify").await;
    clock.advance(MINUTE_MS);
    let erase = call(&server, "DELETE", "/v1/me", Some(&access), &json!({ "password": PASSWORD })).await;
    assert_eq!(erase.status, 200, "{erase:?}");
    let mail = receiver.mail().await;
    assert!(
        mail.contains("To: ada@example.org") && mail.contains("Subject: Your account will be erased"),
        "{mail}"
    );
    assert!(mail.contains("on 2027-02-14 it is erased for good"), "{mail}");
    assert!(mail.contains("https://play.example.org/") && !mail.contains("dhc_"), "no code: {mail}");
    stop(server, receiver).await;
}

#[tokio::test]
async fn without_a_mail_server_the_answers_are_the_same() {
    let server = TestServer::start().await;
    register(&server, "ada@example.org", None).await;
    forgot(&server, "ada@example.org").await;
    forgot(&server, "nobody@example.org").await;
    server.stop().await;
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_secret_or_says_who_somebody_is() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _until_the_end = tracing::subscriber::set_default(subscriber);
    let mut receiver = Receiver::start(1).await;
    let (server, clock) = start(&receiver).await;
    let (_, device_token) = server.guest().await;
    let session = register(&server, "canary@example.org", Some(&device_token)).await;
    let verify = receiver.code("canary@example.org", "verify").await;
    login(&server, "canary@example.org", "wrong canary").await;
    let ticket = server.ticket(&text(&session, "access_token")).await;
    let first = text(&session, "refresh_token");
    let next = refresh(&server, &first).await.json();
    clock.advance(MINUTE_MS);
    assert_eq!(refresh(&server, &first).await.status, 401, "used twice");
    forgot(&server, "canary@example.org").await;
    let code = receiver.code("canary@example.org", "reset").await;
    assert_eq!(reset(&server, &code, OTHER_PASSWORD).await, done());
    stop(server, receiver).await;
    let log = String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(log.contains("an account was made") && log.contains("used twice"), "it was listened to: {log}");
    let secrets = [
        &device_token,
        &text(&session, "access_token"),
        &first,
        &text(&next, "access_token"),
        &text(&next, "refresh_token"),
        &ticket,
        &verify,
        &code,
    ];
    for secret in secrets {
        let part = &secret[secret.len() - 20..];
        assert!(!log.contains(part), "{part} was logged");
    }
    for person in ["canary@", PASSWORD, OTHER_PASSWORD, "wrong canary", "dh_", "dhr_", "dhc_"] {
        assert!(!log.contains(person), "{person} was logged");
    }
}
