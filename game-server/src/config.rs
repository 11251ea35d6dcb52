//! What the operator can set, all of it, from the environment and nowhere else.
//!
//! [`Config::parse`] is pure: it takes a function that looks a variable up and returns either a configuration or every
//! problem at once. [`VARIABLES`] is the one list of variables; `.env.example` and `docs/operations.md` are tested
//! against it. What makes the game correct (flush before acknowledgement, full synchronisation of the disk, frame sizes)
//! is not here, because it must not depend on an operator's mood.

mod avatars;
mod budget;
mod firebase;
mod mail;
mod network;
mod reader;
mod shown;
mod telemetry;
mod variables;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use avatars::{AvatarPlace, Bucket, SecretText};
pub use budget::{BUDGET_USD_MAX, BudgetConfig};
pub use firebase::FirebaseConfig;
pub use mail::MailConfig;
pub use network::Network;
use persistence::RedisUrl;
pub use reader::Problem;
use reader::Reader;
pub use shown::ShownVariable;
pub use telemetry::{OtlpConfig, SentryConfig, TelemetryConfig};
pub use variables::{VARIABLES, Variable};

/// Most shards; a hero's shard is a hash, so that the number may differ between starts.
pub const SHARDS_MAX: usize = 64;

/// Longest drain. What follows it has limits of its own, which leave it 15 s of the 90 in which a server has ended.
const DRAIN_DEADLINE_MS_MAX: u64 = 75_000;

/// The whole configuration of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the server runs.
    pub environment: Environment,
    /// Address of the players' listener.
    pub host: IpAddr,
    /// Port of the players' listener; 0 lets the system choose.
    pub port: u16,
    /// Address of the operators' listener.
    pub admin_host: IpAddr,
    /// Where operators reach the panel, as browsers write it; nothing: only under loopback names.
    pub admin_origin: Option<String>,
    /// With what the hook of a deployment may start the drain; nothing: with nothing.
    pub admin_drain_token: Option<SecretText>,
    /// Port of the operators' listener.
    pub admin_port: u16,
    /// Address of the metrics listener.
    pub metrics_host: IpAddr,
    /// Port of the metrics listener.
    pub metrics_port: u16,
    /// Where heroes are kept.
    pub database: DatabaseUrl,
    /// Where pictures of players are kept.
    pub avatars: AvatarPlace,
    /// What this server is called among those that share its database; nothing: host name and port.
    pub node_name: Option<String>,
    /// Where Redis is, if there is one.
    pub redis: Option<RedisUrl>,
    /// Where logs, errors and traces go.
    pub telemetry: TelemetryConfig,
    /// Ticks of the simulation a second.
    pub tick_hz: u32,
    /// Threads that simulate, 1 to [`SHARDS_MAX`].
    pub shards: usize,
    /// Origins besides the server's own from which a browser may open a socket, exactly as browsers write them.
    pub allowed_origins: Vec<String>,
    /// Load balancers whose word about a client's address is believed.
    pub trusted_proxies: Vec<Network>,
    /// Most player sockets at once; the next one is told to come back later.
    pub connections_max: usize,
    /// Most sockets of one address (IPv6: /64) that have not said who they are.
    pub unauthenticated_per_address_max: usize,
    /// How long a shutdown may take before the process ends anyway.
    pub drain_deadline: Duration,
    /// Limits of one socket.
    pub socket_limits: SocketLimits,
    /// Limit of the routes that make accounts and tickets.
    pub auth_limit: AuthLimit,
    /// The server's secrets, the current one first; none on a developer's machine.
    pub secret_keys: Vec<SecretKey>,
    /// How mails are sent; nothing: they are not.
    pub mail: Option<MailConfig>,
    /// What the service may cost, and who is told.
    pub budget: BudgetConfig,
    /// How many days a guest lives after its last use; 0: for ever.
    pub guest_life_days: u32,
    /// Whose ID tokens are taken; nothing: nobody's.
    pub firebase: Option<FirebaseConfig>,
    /// Every variable as operators may see it, in the order of [`VARIABLES`].
    pub shown: Vec<ShownVariable>,
}

/// A secret from which keys are derived. It prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Vec<u8>);

/// The one in `.env.example`: never outside development.
pub(crate) const SECRET_EXAMPLE: &str = "dGhpcyBpcyBub3QgYSBzZWNyZXQsIG1ha2UgeW91ciBvd24h";

/// Fewest bytes of a secret.
const SECRET_BYTES_MIN: usize = 32;
/// Fewest different bytes: random ones have more, typed ones have not.
const SECRET_DIFFERENT_BYTES_MIN: usize = 16;

impl SecretKey {
    /// A secret in base64; nothing when it is short, or looks typed rather than random.
    pub fn parse(text: &str) -> Option<SecretKey> {
        let bytes = data_encoding::BASE64.decode(text.trim().as_bytes()).ok()?;
        let different: std::collections::BTreeSet<u8> = bytes.iter().copied().collect();
        let is_random = bytes.len() >= SECRET_BYTES_MIN && different.len() >= SECRET_DIFFERENT_BYTES_MIN;
        is_random.then_some(SecretKey(bytes))
    }

    /// The bytes, for the one place that derives keys.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Where the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine.
    Development,
    /// A rehearsal of production.
    Staging,
    /// With players.
    Production,
}

impl Environment {
    /// As `APP_ENV` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Environment::Development => "development",
            Environment::Staging => "staging",
            Environment::Production => "production",
        }
    }
}

/// Where heroes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// In memory: gone when the process ends. For tests.
    Memory,
    /// In a SQLite file.
    Sqlite(PathBuf),
    /// In a Postgres database.
    Postgres(PostgresUrl),
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => formatter.write_str("memory:"),
            Self::Sqlite(path) => path.display().fmt(formatter),
            Self::Postgres(url) => url.fmt(formatter),
        }
    }
}

/// The address of a Postgres database. It may hold a password, so it prints without whoever logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// The address itself, for the one place that connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&reader::without_credentials(&self.0))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what needs a person.
    Error,
    /// And what may soon need one.
    Warn,
    /// And what an operator wants to see of a healthy server.
    Info,
    /// And every request and socket.
    Debug,
    /// Everything, libraries too.
    Trace,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// What one socket may send. Over it: `rejected{rate}`, and at the third time within 10 s, close 4008.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketLimits {
    /// Frames of any kind.
    pub messages: Rate,
    /// Bytes of payload.
    pub bytes: Rate,
    /// Commands that change the hero.
    pub commands: Rate,
    /// Pings.
    pub pings: Rate,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What flows in every second.
    pub per_second: u32,
    /// What fits.
    pub burst: u32,
}

/// So many requests of one address within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthLimit {
    /// The window.
    pub window: Duration,
    /// Requests in it.
    pub requests_max: u32,
}

impl Config {
    /// Reads every variable through `get`.
    ///
    /// # Errors
    /// All problems, in the order of [`VARIABLES`]; never just the first.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Config, Vec<Problem>> {
        let mut reader = Reader::new(&get);
        let environment = reader.environment();
        let database = reader.database(environment);
        let mail = reader.mail(environment);
        let config = Config {
            environment,
            host: reader.address("HOST"),
            port: reader.number("PORT", 0..=65_535),
            admin_host: reader.address("ADMIN_HOST"),
            admin_origin: reader.admin_origin(environment),
            admin_drain_token: reader.admin_drain_token(environment),
            admin_port: reader.number("ADMIN_PORT", 0..=65_535),
            metrics_host: reader.address("METRICS_HOST"),
            metrics_port: reader.number("METRICS_PORT", 0..=65_535),
            avatars: reader.avatars(&database),
            database,
            node_name: reader.node_name(),
            redis: reader.redis(),
            telemetry: reader.telemetry(environment),
            tick_hz: reader.number("TICK_HZ", 1..=60),
            shards: reader.shards(),
            allowed_origins: reader.origins(environment),
            trusted_proxies: reader.trusted_proxies(),
            connections_max: reader.number("CONNECTIONS_MAX", 1..=1_000_000),
            unauthenticated_per_address_max: reader.number("UNAUTHENTICATED_PER_ADDRESS_MAX", 1..=1_000_000),
            drain_deadline: reader.duration("DRAIN_DEADLINE_MS", 100..=DRAIN_DEADLINE_MS_MAX),
            socket_limits: SocketLimits {
                messages: reader.rate("SOCKET_MESSAGES_PER_SECOND", "SOCKET_MESSAGES_BURST"),
                bytes: reader.rate("SOCKET_BYTES_PER_SECOND", "SOCKET_BYTES_BURST"),
                commands: reader.rate("SOCKET_COMMANDS_PER_SECOND", "SOCKET_COMMANDS_BURST"),
                pings: reader.rate("SOCKET_PINGS_PER_SECOND", "SOCKET_PINGS_BURST"),
            },
            auth_limit: AuthLimit {
                window: reader.duration("RATE_LIMIT_WINDOW_MS", 1_000..=86_400_000),
                requests_max: reader.number("RATE_LIMIT_MAX_REQUESTS", 1..=1_000_000_000),
            },
            secret_keys: reader.secret_keys(environment),
            budget: reader.budget(environment, mail.is_some()),
            mail,
            guest_life_days: reader.number("GUEST_LIFE_DAYS", 0..=36_500),
            firebase: reader.firebase(environment),
            shown: shown::shown(&get),
        };
        reader.distinct_listeners(&config);
        reader.finish(config)
    }
}

#[cfg(test)]
mod tests;
