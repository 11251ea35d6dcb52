//! The operators' listener: the panel's page, its JSON API, the login, and the audit log.
//!
//! Whoever comes in has a role, and every route but five names the least one it takes; nothing is answered that was not
//! allowed ([`access`]). Whatever changes something is written into the audit log before it happens ([`audit`]), with who
//! and why. The crate knows nothing of the game and of no database: the server implements [`Operations`], which the panel
//! asks about the game, and [`Records`], where operators and the audit log are kept. It logs and counts nothing: what
//! happened goes to the server as a [`Fact`].
#![cfg_attr(not(test), warn(clippy::indexing_slicing, reason = "what comes from outside must not panic"))]

mod access;
mod assets;
pub mod audit;
mod description;
mod digest;
mod effect;
mod error;
mod hook;
mod hosts;
mod layers;
mod operations;
mod records;
mod request;
mod routes;
mod sessions;
#[cfg(test)]
mod tests;
mod throttle;
mod totp;
#[cfg(test)]
mod typescript;
pub mod views;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use tokio::sync::{Semaphore, watch};

pub use error::ErrorBody;
pub use operations::{Actor, Answer, Operations, Refused};
pub use records::{
    APPROVALS_MAX, ApprovalRecord, AuditHead, AuditRecord, DecisionRecord, InvitationRecord, NewOperator,
    OPERATORS_MAX, OperatorRecord, Records,
};
pub use routes::operators::{COMMAND_LINE, invite};

/// Live streams at once. Full: `busy`; the panel asks for the overview instead.
const STREAMS_MAX: usize = 64;
/// Effects that run at once, each until its outcome is noted, also when the browser has left. Full: `busy`.
const EFFECTS_MAX: usize = 32;

/// Who asks: the server puts it into every request, as it finds it behind its load balancers.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

/// Something that happened here, for the server's log and numbers.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A request was answered.
    Answered {
        /// In the answer's `x-request-id`.
        request_id: String,
        /// How it was asked.
        method: Method,
        /// Which route; nothing for the panel's files and for what does not exist.
        route: Option<String>,
        /// The answer.
        status: StatusCode,
        /// The code of an error.
        code: Option<&'static str>,
        /// How long it took until the answer began.
        took: Duration,
    },
    /// A mistake of ours.
    Panicked {
        /// Of the request; empty when it had been answered.
        request_id: String,
    },
    /// Something was done, or not, and the audit log does not say which.
    OutcomeLost {
        /// The row that tells of the wish.
        audit_seq: u64,
        /// What came of it.
        outcome: String,
    },
}

/// What is done with facts.
pub type OnFact = Arc<dyn Fn(Fact) + Send + Sync>;

/// How this server is set.
#[derive(Clone)]
pub struct Settings {
    /// `development`, `staging` or `production`.
    pub environment: String,
    /// Whether browsers are told to insist on TLS.
    pub is_production: bool,
    /// Where operators reach the panel, as browsers write it; nothing: only under loopback names.
    pub origin: Option<String>,
    /// With what the hook of a deployment may start the drain; nothing: with nothing.
    pub drain_token: Option<String>,
    /// What is done with facts.
    pub on_fact: OnFact,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("environment", &self.environment).finish_non_exhaustive()
    }
}

/// The panel of one server.
pub struct Panel {
    operations: Arc<dyn Operations>,
    records: Arc<dyn Records>,
    log: audit::Log,
    sessions: sessions::Sessions,
    throttle: throttle::Throttle,
    failures: routes::login::Failures,
    hosts: hosts::Hosts,
    hook: hook::Hook,
    settings: Settings,
    streams: Arc<Semaphore>,
    effects: Arc<Semaphore>,
    verifications: Semaphore,
    corrections: Semaphore,
    /// Whether there is an operator, once somebody has looked.
    has_operators: AtomicBool,
    closing: watch::Sender<bool>,
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panel").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Panel {
    /// Of this server.
    #[must_use]
    pub fn new(operations: Arc<dyn Operations>, records: Arc<dyn Records>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            log: audit::Log::new(Arc::clone(&records)),
            operations,
            records,
            sessions: sessions::Sessions::default(),
            throttle: throttle::Throttle::default(),
            failures: routes::login::Failures::default(),
            hosts: hosts::Hosts::new(settings.origin.clone()),
            hook: hook::Hook::new(settings.drain_token.clone()),
            settings,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            effects: Arc::new(Semaphore::new(EFFECTS_MAX)),
            // Each reads the whole log.
            verifications: Semaphore::new(1),
            corrections: Semaphore::new(1),
            has_operators: AtomicBool::new(false),
            closing: watch::Sender::new(false),
        })
    }

    /// Every route of the operators' listener, and the panel's page for everything else.
    pub fn router(self: &Arc<Self>) -> Router {
        let (routes, _description, _table) = routes::all(self).into_parts();
        routes
            .method_not_allowed_fallback(async || error::ApiError::method_not_allowed())
            .fallback(assets::serve)
            .layer(axum::middleware::from_fn_with_state(Arc::clone(self), layers::around))
            .with_state(Arc::clone(self))
    }

    /// Ends every live stream, so that the listener can stop.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}
