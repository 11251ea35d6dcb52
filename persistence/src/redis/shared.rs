//! What handles and actor share: the connection, the breaker, and how one call is made, judged and told.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use ::redis::{Cmd, PushInfo, PushKind, RedisError, Value};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};

use super::breaker::Breaker;
use super::fact::{CacheFact, Call, Lie, Outcome};
use super::link::Link;
use super::seal::Sealer;
use super::value::{self, HINT_BYTES_MAX, Hint};
use super::{CALL_WAIT, CacheConfig};
use crate::record::NodeId;

pub(super) struct Shared {
    pub(super) me: NodeId,
    pub(super) sealer: Sealer,
    on_fact: Arc<dyn Fn(CacheFact) + Send + Sync>,
    started: Instant,
    line: Mutex<Line>,
    /// The breaker has opened.
    pub(super) opened: Notify,
    pub(super) hints: Mutex<Option<mpsc::Sender<Hint>>>,
}

/// The connection and whether it may be used. A link is there exactly while the breaker is closed.
struct Line {
    breaker: Breaker,
    link: Option<Link>,
    /// Counts connections, so that news of an old one are not taken for those of the present one.
    generation: u64,
    /// The connection that is being made is gone already.
    is_lost_early: bool,
}

impl Shared {
    pub(super) fn new(config: &CacheConfig) -> Self {
        Self {
            me: config.node,
            sealer: Sealer::new(config.key),
            on_fact: Arc::clone(&config.on_fact),
            started: Instant::now(),
            line: Mutex::new(Line {
                breaker: Breaker::new(config.seed),
                link: None,
                generation: 0,
                is_lost_early: false,
            }),
            opened: Notify::new(),
            hints: Mutex::new(None),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().expect("no code panics while it holds this lock")
    }

    pub(super) fn is_up(&self) -> bool {
        self.line().link.is_some()
    }

    /// When to probe next; `None` while Redis is there.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        self.line().breaker.probe_at().map(|at| self.started + at)
    }

    /// A new connection is being made: its number.
    pub(super) fn connecting(&self) -> u64 {
        let mut line = self.line();
        line.generation += 1;
        line.is_lost_early = false;
        line.generation
    }

    /// It is made, or was not.
    pub(super) fn connected(&self, made: Result<Link, String>) {
        let now = self.started.elapsed();
        let mut line = self.line();
        let made = match made {
            Ok(_) if line.is_lost_early => Err("the connection was closed at once".to_owned()),
            made => made,
        };
        let fact = match made {
            Ok(link) => {
                line.link = Some(link);
                line.breaker.connected(now);
                CacheFact::Back
            }
            Err(why) => CacheFact::Away { why, after: line.breaker.open(now) },
        };
        drop(line);
        (self.on_fact)(fact);
    }

    /// No more calls.
    pub(super) fn hang_up(&self) {
        self.line().link = None;
    }

    /// The connection with this number is gone.
    fn lost(&self, generation: u64) {
        let mut line = self.line();
        if line.generation != generation {
            return;
        }
        if line.link.take().is_none() {
            line.is_lost_early = true;
            return;
        }
        let after = line.breaker.open(self.started.elapsed());
        drop(line);
        self.tell_away("the connection was closed".to_owned(), after);
    }

    fn failed(&self, why: impl FnOnce() -> String) {
        let mut line = self.line();
        let Some(after) = line.breaker.failed(self.started.elapsed()) else { return };
        line.link = None;
        drop(line);
        self.tell_away(why(), after);
    }

    fn tell_away(&self, why: String, after: Duration) {
        self.opened.notify_one();
        (self.on_fact)(CacheFact::Away { why, after });
    }

    /// Tells how a call ended that was not sent.
    pub(super) fn tell(&self, call: Call, outcome: Outcome) {
        (self.on_fact)(CacheFact::Called { call, outcome, took: Duration::ZERO });
    }

    /// Makes one call and tells how it ended. `None` is "not there"; anything that went wrong is the outcome.
    pub(super) async fn ask<T>(
        &self,
        call: Call,
        command: impl FnOnce(&Link) -> Cmd,
        decode: impl FnOnce(Value) -> Result<Option<T>, Lie>,
    ) -> Result<Option<T>, Outcome> {
        let begun = Instant::now();
        let answer = self.send(command).await.and_then(|value| decode(value).map_err(Outcome::Lied));
        let outcome = match &answer {
            Ok(Some(_)) => Outcome::Done,
            Ok(None) => Outcome::Absent,
            Err(outcome) => *outcome,
        };
        let took = if outcome == Outcome::Away { Duration::ZERO } else { begun.elapsed() };
        (self.on_fact)(CacheFact::Called { call, outcome, took });
        answer
    }

    async fn send(&self, command: impl FnOnce(&Link) -> Cmd) -> Result<Value, Outcome> {
        let link = self.line().link.clone();
        let mut link = link.ok_or(Outcome::Away)?;
        let command = command(&link);
        match timeout(CALL_WAIT, link.call(&command)).await {
            Ok(Ok(value)) => {
                self.line().breaker.succeeded();
                Ok(value)
            }
            // An answer, and so a good connection; but something else stands where our value should.
            Ok(Err(error)) if is_nonsense(&error) => {
                self.line().breaker.succeeded();
                Err(Outcome::Lied(Lie::Nonsense))
            }
            Ok(Err(error)) => {
                self.failed(|| error.to_string());
                Err(Outcome::Failed)
            }
            Err(_elapsed) => {
                self.failed(|| format!("no answer within {} ms", CALL_WAIT.as_millis()));
                Err(Outcome::Slow)
            }
        }
    }

    /// A message or the end of the connection with this number. It runs on the connection's task: it must be quick.
    pub(super) fn pushed(&self, generation: u64, push: PushInfo) {
        match push.kind {
            PushKind::Disconnection => self.lost(generation),
            PushKind::Message | PushKind::SMessage => match self.hear(&push.data) {
                Ok(None) => {}
                Ok(Some(outcome)) => self.tell(Call::HearHint, outcome),
                Err(lie) => self.tell(Call::HearHint, Outcome::Lied(lie)),
            },
            _ => {}
        }
    }

    /// `None` when it is of nobody's interest.
    fn hear(&self, data: &[Value]) -> Result<Option<Outcome>, Lie> {
        let [Value::BulkString(channel), Value::BulkString(message)] = data else {
            return Err(Lie::Nonsense);
        };
        if message.len() > HINT_BYTES_MAX {
            return Err(Lie::TooLarge);
        }
        let channel = std::str::from_utf8(channel).map_err(|_| Lie::Nonsense)?;
        let (from, hint) = value::decode_hint(&self.sealer.open(channel, message)?)?;
        if from == self.me {
            return Ok(None);
        }
        let mut listener = self.hints.lock().expect("no code panics while it holds this lock");
        let Some(hints) = listener.as_ref() else { return Ok(None) };
        match hints.try_send(hint) {
            Ok(()) => Ok(Some(Outcome::Done)),
            Err(mpsc::error::TrySendError::Full(_)) => Ok(Some(Outcome::Full)),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                *listener = None;
                Ok(None)
            }
        }
    }
}

/// What a connection calls for every push.
pub(super) fn listener(
    shared: Weak<Shared>,
    generation: u64,
) -> impl Fn(PushInfo) -> Result<(), std::convert::Infallible> + Send + Sync + 'static {
    move |push| {
        if let Some(shared) = shared.upgrade() {
            shared.pushed(generation, push);
        }
        Ok(())
    }
}

/// Redis refused a command that is right for our own values: another type, no number.
fn is_nonsense(error: &RedisError) -> bool {
    matches!(error.code(), Some("WRONGTYPE" | "ERR"))
}
