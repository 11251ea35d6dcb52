//! Who may use which route. A route comes into the router with the least role it takes, or among the few that are open; there
//! is no third way, so that one without a role does not compile.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderName;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use crate::Panel;
use crate::digest::is_same_secret;
use crate::error::ApiError;
use crate::hosts::is_safe;
use crate::operations::Refused;
use crate::sessions::{Caller, SessionKey};
use crate::views::Role;

/// What everything that changes something must send.
pub(crate) const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
/// How long the database may take to say whether an operator may still look; then it is believed to be away.
const LOOK_WITHIN: Duration = Duration::from_secs(1);
/// How long it may take before something is changed.
const CHANGE_WITHIN: Duration = Duration::from_secs(5);

/// What a route asks of whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Open,
    /// A role.
    Of(Role),
    /// A role. The panel asks it by itself, so that it does not keep a login alive.
    Watch(Role),
}

/// One route of the table: method, path, access.
pub(crate) type Entry = (String, String, Access);

/// Collects routes with what they ask.
pub(crate) struct Routes {
    panel: Arc<Panel>,
    router: OpenApiRouter<Arc<Panel>>,
    table: Vec<Entry>,
}

impl Routes {
    pub(crate) fn new(panel: &Arc<Panel>, description: OpenApi) -> Self {
        let router = OpenApiRouter::with_openapi(description);
        Self { panel: Arc::clone(panel), router, table: Vec::new() }
    }

    /// Adds routes that ask nothing.
    pub(crate) fn open(self, routes: UtoipaMethodRouter<Arc<Panel>>) -> Self {
        self.add(Access::Open, routes)
    }

    /// Adds routes for this role and those above it.
    pub(crate) fn of(self, role: Role, routes: UtoipaMethodRouter<Arc<Panel>>) -> Self {
        self.add(Access::Of(role), routes)
    }

    /// The same, for what the panel asks by itself.
    pub(crate) fn watch(self, role: Role, routes: UtoipaMethodRouter<Arc<Panel>>) -> Self {
        self.add(Access::Watch(role), routes)
    }

    fn add(mut self, access: Access, routes: UtoipaMethodRouter<Arc<Panel>>) -> Self {
        for (path, item) in &routes.1.paths {
            let operations = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            let there = operations.iter().filter(|(_, operation)| operation.is_some());
            self.table.extend(there.map(|(method, _)| ((*method).to_owned(), path.clone(), access)));
        }
        let routes = match access {
            Access::Open => routes,
            Access::Of(_) | Access::Watch(_) => {
                routes.layer(from_fn_with_state((Arc::clone(&self.panel), access), require))
            }
        };
        self.router = self.router.routes(routes);
        self
    }

    pub(crate) fn into_parts(self) -> (Router<Arc<Panel>>, OpenApi, Vec<Entry>) {
        let (router, description) = self.router.split_for_parts();
        (router, description, self.table)
    }
}

/// Lets a request through to its route, with the [`Caller`] in it.
async fn require(
    State((panel, access)): State<(Arc<Panel>, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_change = !is_safe(request.method());
    let admitted = match known(&panel, &request, is_change) {
        Ok(caller) => admit(&panel, access, caller, is_change).await,
        Err(error) => Err(error),
    };
    match admitted {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Whose request it is, and that no other page made the browser send it.
fn known(panel: &Panel, request: &Request, is_change: bool) -> Result<Caller, ApiError> {
    let caller = panel.sessions.find(request.headers(), panel.records.now_ms());
    let caller = caller.ok_or_else(ApiError::unauthenticated)?;
    let sent = request.headers().get(CSRF).and_then(|value| value.to_str().ok());
    if is_change && !sent.is_some_and(|sent| is_same_secret(sent, &caller.csrf_token)) {
        return Err(ApiError::csrf("x-csrf-token is not the one of this login; ask GET /v1/session for it"));
    }
    Ok(caller)
}

async fn admit(panel: &Panel, access: Access, caller: Caller, is_change: bool) -> Result<Caller, ApiError> {
    if is_change || caller.is_doubtful {
        still_is(panel, caller.key, &caller.name, caller.revision, is_change).await?;
    }
    let needed = match access {
        Access::Open => None,
        Access::Of(role) => {
            panel.sessions.used(caller.key, panel.records.now_ms());
            Some(role)
        }
        Access::Watch(role) => Some(role),
    };
    match needed.filter(|&needed| caller.role < needed) {
        Some(needed) => Err(ApiError::forbidden(needed)),
        None => Ok(caller),
    }
}

/// Asks the database whether an operator still is what a login says. While it is away, looking goes on and nothing can be
/// changed.
async fn still_is(
    panel: &Panel,
    key: SessionKey,
    name: &str,
    revision: i64,
    is_change: bool,
) -> Result<(), ApiError> {
    let within = if is_change { CHANGE_WITHIN } else { LOOK_WITHIN };
    let found = timeout(within, panel.records.operator(name)).await.unwrap_or(Err(Refused::Away));
    match found {
        Ok(operator) => {
            if !operator.is_some_and(|operator| operator.revision == revision && !operator.is_disabled) {
                panel.sessions.end(key);
                return Err(ApiError::unauthenticated());
            }
        }
        Err(refused) if is_change => return Err(refused.into()),
        Err(_away) => {}
    }
    panel.sessions.asked(key, panel.records.now_ms());
    Ok(())
}

impl Panel {
    /// Whether a login that only looks goes on.
    pub(crate) async fn may_still_look(&self, caller: &Caller) -> bool {
        match self.sessions.goes_on(caller.key, self.records.now_ms()) {
            None => false,
            Some(false) => true,
            Some(true) => still_is(self, caller.key, &caller.name, caller.revision, false).await.is_ok(),
        }
    }
}
