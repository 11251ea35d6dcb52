//! What the players' listener answers: REST for what is not real time, the upgrade to the game's WebSocket, and the
//! embedded web client for everything else.
//!
//! The routes know accounts and tickets but no hero: a socket that is upgraded is handed to [`Play`], and that is all
//! this module knows of the game.

mod accounts;
mod auth;
mod avatar;
mod caller;
mod catalogue;
mod claim;
pub(crate) mod client_address;
mod codes;
mod description;
mod error;
mod firebase;
mod health;
mod layers;
mod me;
mod origin;
mod own_data;
mod rate_limit;
mod request;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use persistence::Cache;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use catalogue::CatalogueJson;
pub use error::ApiError;
pub use health::{Readiness, ReadinessState};
pub use origin::OriginPolicy;
pub use rate_limit::RateLimit;
pub use request::BODY_BYTES_MAX;

use crate::accounts::avatar::Avatars;
use crate::accounts::erasing::Erasing;
use crate::accounts::firebase::Firebase;
use crate::accounts::own_data::OwnData;
use crate::accounts::settings::Settings;
use crate::accounts::union::Claims;
use crate::accounts::{Accounts, Tickets};
use crate::admission::{Admission, Place};
use crate::assets;
use crate::clock::Clock;
use crate::config::{AuthLimit, Config, Environment, Network};
use crate::metrics::Metrics;
use crate::published::Board;

/// Begins the task that plays on an upgraded socket until it ends, and gives its place back.
pub type Play = Arc<dyn Fn(TokioIo<Upgraded>, Place, &TaskTracker) + Send + Sync>;

/// A school or an office is one address: it may open this many times more sockets than it may make guests, and refresh and
/// look at as many devices.
const TICKETS_PER_GUEST: u32 = 10;
/// Logins of one address; those of one account are limited apart.
const LOGINS: AuthLimit = AuthLimit { window: Duration::from_secs(60), requests_max: 20 };
/// Documents of own data for one address: each reads a whole journal.
const DOCUMENTS: AuthLimit = AuthLimit { window: Duration::from_secs(600), requests_max: 20 };

/// Whose request it is. The listener puts in who is at the other end of the TCP connection; before a route sees it,
/// [`client_address`] has replaced a load balancer of ours by the client that it names.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What the routes need. Made once at start.
pub struct Public {
    /// Guests and devices.
    pub accounts: Accounts,
    /// What accounts choose for their heroes.
    pub settings: Settings,
    /// Unites guests with accounts.
    pub claims: Arc<Claims>,
    /// Pictures of players.
    pub avatars: Avatars,
    /// What players take along.
    pub own_data: OwnData,
    /// Forgets who wants to be forgotten.
    pub erasing: Arc<Erasing>,
    /// Whose ID tokens are taken; nobody's without one.
    pub firebase: Option<Firebase>,
    /// Tickets for sockets.
    pub tickets: Tickets,
    /// Places for sockets.
    pub admission: Arc<Admission>,
    /// Server time.
    pub clock: Clock,
    /// Numbers.
    pub metrics: Arc<Metrics>,
    /// Whether players are taken.
    pub readiness: Arc<Readiness>,
    /// With the catalogue as it is sent.
    pub board: Arc<Board>,
    /// Takes over an upgraded socket.
    pub play: Play,
    /// Every socket that plays, so that a shutdown can wait for them.
    pub sockets: TaskTracker,
    /// Which pages may talk to us.
    pub origins: OriginPolicy,
    /// The limits of the routes that make guests and tickets.
    pub limits: AuthLimits,
    /// Load balancers whose word about a client's address is believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether the server has players: then browsers are told to insist on TLS.
    pub production: bool,
}

/// The limits of the routes that make guests and tickets.
#[derive(Debug)]
pub struct AuthLimits {
    guests: RateLimit,
    tickets: RateLimit,
    /// What makes or changes an account.
    auth: RateLimit,
    logins: RateLimit,
    refreshes: RateLimit,
    /// What looks at an account.
    me: RateLimit,
    /// What takes own data along.
    documents: RateLimit,
}

impl AuthLimits {
    /// From the configured limit; counted over all servers while Redis answers.
    pub fn new(limit: AuthLimit, cache: &Cache, metrics: &Arc<Metrics>) -> AuthLimits {
        let requests_max = limit.requests_max.saturating_mul(TICKETS_PER_GUEST);
        let rate_limit = |name, limit| RateLimit::new(name, limit, cache.clone(), Arc::clone(metrics));
        let wide = AuthLimit { requests_max, ..limit };
        // For load tests, all are raised by the same variables.
        let raised = |own: AuthLimit| AuthLimit {
            requests_max: own.requests_max.max(limit.requests_max / 100 * own.requests_max),
            ..own
        };
        AuthLimits {
            guests: rate_limit("guests", limit),
            tickets: rate_limit("tickets", wide),
            auth: rate_limit("auth", limit),
            logins: rate_limit("logins", raised(LOGINS)),
            refreshes: rate_limit("refreshes", wide),
            me: rate_limit("me", wide),
            documents: rate_limit("documents", raised(DOCUMENTS)),
        }
    }
}

impl OriginPolicy {
    /// As configured.
    pub fn from_config(config: &Config) -> OriginPolicy {
        let https_only = config.environment == Environment::Production;
        OriginPolicy::new(config.allowed_origins.clone(), https_only)
    }
}

impl std::fmt::Debug for Public {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Public").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}

/// Every route of the players' listener.
pub fn router(public: Arc<Public>) -> Router {
    // Nobody is served the description: it is docs/openapi.json.
    let (routes, _description) = routes().split_for_parts();
    routes
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .fallback(assets::serve)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&public), layers::around))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&public), client_address::find))
        .with_state(public)
}

/// The routes and what they say of themselves. Each comes with its description, so that none can be without; path and
/// method are in the attribute above the handler.
fn routes() -> OpenApiRouter<Arc<Public>> {
    OpenApiRouter::with_openapi(description::base())
        .routes(routes!(accounts::create_guest))
        .routes(routes!(auth::register))
        .routes(routes!(auth::login))
        .routes(routes!(firebase::enter))
        .routes(routes!(firebase::link))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::logout))
        .routes(routes!(codes::forgot))
        .routes(routes!(codes::reset))
        .routes(routes!(codes::verify))
        .routes(routes!(codes::resend))
        .routes(routes!(me::show, me::change, own_data::erase))
        .routes(routes!(own_data::restore))
        .routes(routes!(own_data::export))
        .routes(routes!(own_data::ledger))
        .routes(routes!(me::change_password))
        .routes(routes!(claim::preview))
        .routes(routes!(claim::claim))
        .routes(routes!(avatar::put, avatar::delete))
        .routes(routes!(avatar::show))
        .routes(routes!(me::devices))
        .routes(routes!(me::revoke_device))
        .routes(routes!(accounts::issue_ticket))
        .routes(routes!(catalogue::show))
        .routes(routes!(upgrade::open))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
}
