//! How something is done: noted, done, and its outcome noted; in this order, and to the end, also when the browser leaves.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::Value;

use crate::audit::Entry;
use crate::error::ApiError;
use crate::operations::{Actor, Refused};
use crate::sessions::Caller;
use crate::{Fact, Panel};

/// Fewest characters of a reason.
const REASON_CHARS_MIN: usize = 3;
/// Most characters of a reason.
const REASON_CHARS_MAX: usize = 200;

/// The outcome of what was done.
pub(crate) const DONE: &str = "done";

/// What an operator wants to be done.
pub(crate) struct Wish {
    pub(crate) action: &'static str,
    pub(crate) subject: String,
    pub(crate) reason: String,
    pub(crate) details: Value,
}

/// A reason without the space around it.
pub(crate) fn reason(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let chars = text.chars().count();
    if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&chars) || text.chars().any(char::is_control) {
        return Err(ApiError::invalid("reason is one line of 3 to 200 characters"));
    }
    Ok(text.to_owned())
}

impl Panel {
    /// Writes the wish into the audit log, then does it, then writes what came of it. If the first fails, nothing is
    /// done.
    pub(crate) async fn carry_out<T, F>(
        self: &Arc<Self>,
        caller: &Caller,
        wish: Wish,
        run: impl FnOnce(Arc<Panel>, Actor) -> F + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refused>> + Send + 'static,
    {
        let entry = Entry {
            operator: caller.name.clone(),
            role: Some(caller.role),
            action: wish.action,
            subject: wish.subject,
            reason: wish.reason,
            details: wish.details,
            outcome: None,
        };
        self.noted(entry, run).await
    }

    /// The same for whoever is no caller yet.
    pub(crate) async fn noted<T, F>(
        self: &Arc<Self>,
        entry: Entry,
        run: impl FnOnce(Arc<Panel>, Actor) -> F + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refused>> + Send + 'static,
    {
        let place = Arc::clone(&self.effects).try_acquire_owned().map_err(|_full| Refused::Busy)?;
        let panel = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _place = place;
            let audit_seq = panel.log.append(entry.clone()).await?;
            let actor = Actor { operator: entry.operator.clone(), audit_seq, reason: entry.reason.clone() };
            let done = AssertUnwindSafe(run(Arc::clone(&panel), actor)).catch_unwind().await;
            let done = done.unwrap_or_else(|_panic| {
                (panel.settings.on_fact)(Fact::Panicked { request_id: String::new() });
                Err(Refused::Internal)
            });
            let outcome =
                done.as_ref().map_or_else(|refused| format!("failed: {refused}"), |_| DONE.to_owned());
            panel.note_outcome(entry, audit_seq, outcome).await;
            done
        });
        match task.await {
            Ok(done) => done.map_err(ApiError::from),
            Err(_stopped) => Err(ApiError::internal()),
        }
    }

    /// What was done stays done when this fails; the row without an outcome tells of it, and so does the server's log.
    async fn note_outcome(&self, entry: Entry, audit_seq: u64, outcome: String) {
        let entry = Entry {
            reason: String::new(),
            details: Value::Null,
            outcome: Some((audit_seq, outcome.clone())),
            ..entry
        };
        if self.log.append(entry).await.is_err() {
            (self.settings.on_fact)(Fact::OutcomeLost { audit_seq, outcome });
        }
    }
}
