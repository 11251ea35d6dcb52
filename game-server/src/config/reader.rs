//! Turns texts into values and collects what is wrong with them.

mod avatars;

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use persistence::RedisUrl;

use super::{
    Config, DatabaseUrl, Environment, LogFormat, LogLevel, Network, PostgresUrl, Rate, SECRET_EXAMPLE,
    SHARDS_MAX, SecretKey, SecretText, VARIABLES,
};

/// Most origins in `ALLOWED_ORIGINS`.
const ORIGINS_MAX: usize = 64;
/// Most networks in `TRUSTED_PROXIES`.
const PROXIES_MAX: usize = 64;
/// Longest name of a node.
const NODE_NAME_BYTES_MAX: usize = 64;
/// Shortest and longest token of a deployment's hook.
const DRAIN_TOKEN_BYTES: RangeInclusive<usize> = 32..=256;
/// The one in `.env.example`: never outside development.
const DRAIN_TOKEN_EXAMPLE: &str = "this-is-an-example-make-your-own-token";
/// Most secrets at a time: the current one and the one before.
const SECRETS_MAX: usize = 2;
/// As much of a wrong value as is repeated in its problem.
const SHOWN_CHARS_MAX: usize = 80;

/// What is wrong with one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub variable: &'static str,
    /// What it was set to; cut, and without what may be a password.
    pub value: String,
    /// What would have been right.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is {:?}; expected {}", self.variable, self.value, self.expected)
    }
}

pub(super) struct Reader<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Reader { get, problems: Vec::new() }
    }

    pub(super) fn finish(mut self, config: Config) -> Result<Config, Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok(config);
        }
        self.problems.sort_by_key(|problem| VARIABLES.iter().position(|v| v.name == problem.variable));
        Err(self.problems)
    }

    /// The text of a variable, or its default when it is unset or empty.
    pub(super) fn text(&self, name: &'static str) -> String {
        let variable = VARIABLES.iter().find(|variable| variable.name == name);
        let default = variable.expect("every variable that is read is in VARIABLES").default;
        match (self.get)(name) {
            Some(value) if !value.trim().is_empty() => value.trim().to_owned(),
            _ => default.to_owned(),
        }
    }

    pub(super) fn problem(&mut self, variable: &'static str, value: &str, expected: impl Into<String>) {
        let value = value.chars().take(SHOWN_CHARS_MAX).collect();
        self.problems.push(Problem { variable, value, expected: expected.into() });
    }

    /// One of a closed set of words; after a problem, the first of them stands in.
    fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> T {
        let text = self.text(name);
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let expected: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.problem(name, &text, format!("one of {}", expected.join(", ")));
        words.first().expect("a closed set has a member").1
    }

    pub(super) fn environment(&mut self) -> Environment {
        self.word(
            "APP_ENV",
            &[
                ("development", Environment::Development),
                ("staging", Environment::Staging),
                ("production", Environment::Production),
            ],
        )
    }

    pub(super) fn log_level(&mut self) -> LogLevel {
        self.word(
            "LOG_LEVEL",
            &[
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
                ("trace", LogLevel::Trace),
            ],
        )
    }

    pub(super) fn log_format(&mut self) -> LogFormat {
        self.word("LOG_FORMAT", &[("text", LogFormat::Text), ("json", LogFormat::Json)])
    }

    pub(super) fn address(&mut self, name: &'static str) -> IpAddr {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            self.problem(name, &text, "an IP address such as 127.0.0.1, 0.0.0.0 or ::1 (no host name)");
            IpAddr::from([127, 0, 0, 1])
        })
    }

    pub(super) fn admin_origin(&mut self, environment: Environment) -> Option<String> {
        let text = self.text("ADMIN_ORIGIN");
        if text.is_empty() {
            return None;
        }
        if !is_origin(&text) {
            let expected = "an origin such as https://admin.example.org: lower case, no path, no slash at the end, no \
                            port that is the scheme's own";
            self.problem("ADMIN_ORIGIN", &text, expected);
        } else if environment == Environment::Production && !text.starts_with("https://") {
            self.problem("ADMIN_ORIGIN", &text, "only an https:// origin in production");
        }
        Some(text)
    }

    pub(super) fn admin_drain_token(&mut self, environment: Environment) -> Option<SecretText> {
        let text = self.text("ADMIN_DRAIN_TOKEN");
        if text.is_empty() {
            return None;
        }
        // It is one word of an HTTP header.
        let is_token =
            DRAIN_TOKEN_BYTES.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_example = text == DRAIN_TOKEN_EXAMPLE && environment != Environment::Development;
        if !is_token || is_example {
            let expected = "32 to 256 letters, digits and signs without a space that nobody can guess, such as openssl rand \
                            -hex 32 prints, and not the example";
            self.problem("ADMIN_DRAIN_TOKEN", "***", expected);
        }
        Some(SecretText::new(text))
    }

    pub(super) fn number<T>(&mut self, name: &'static str, range: RangeInclusive<u64>) -> T
    where
        T: TryFrom<u64>,
    {
        let text = self.text(name);
        let number = match text.parse::<u64>() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.problem(
                    name,
                    &text,
                    format!("a whole number from {} to {}", range.start(), range.end()),
                );
                *range.start()
            }
        };
        T::try_from(number).ok().expect("the range fits the type")
    }

    pub(super) fn duration(&mut self, name: &'static str, range_ms: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(name, range_ms))
    }

    pub(super) fn rate(&mut self, per_second: &'static str, burst: &'static str) -> Rate {
        Rate {
            per_second: self.number(per_second, 1..=1_000_000_000),
            burst: self.number(burst, 1..=1_000_000_000),
        }
    }

    pub(super) fn shards(&mut self) -> usize {
        if self.text("SHARDS") == "auto" {
            return std::thread::available_parallelism().map_or(1, usize::from).min(SHARDS_MAX);
        }
        let text = self.text("SHARDS");
        match text.parse() {
            Ok(shards) if (1..=SHARDS_MAX).contains(&shards) => shards,
            _ => {
                self.problem("SHARDS", &text, format!("auto, or a whole number from 1 to {SHARDS_MAX}"));
                1
            }
        }
    }

    pub(super) fn database(&mut self, environment: Environment) -> DatabaseUrl {
        let text = self.text("DATABASE_URL");
        if text == "memory:" {
            if environment == Environment::Production {
                self.problem(
                    "DATABASE_URL",
                    &text,
                    "a store that keeps data: memory: forgets every hero at the end",
                );
            }
            return DatabaseUrl::Memory;
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        if let Some(path) =
            path.filter(|path| !path.is_empty() && !path.contains(['?', '\0']) && *path != ":memory:")
        {
            return DatabaseUrl::Sqlite(PathBuf::from(path));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return DatabaseUrl::Postgres(PostgresUrl(text));
        }
        let expected =
            "sqlite://PATH (nothing after a ?), postgres://USER:PASSWORD@HOST:PORT/DATABASE, or memory:";
        self.problem("DATABASE_URL", &without_credentials(&text), expected);
        DatabaseUrl::Memory
    }

    pub(super) fn node_name(&mut self) -> Option<String> {
        let text = self.text("NODE_NAME");
        let is_name = text.len() <= NODE_NAME_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_name {
            let expected = format!("at most {NODE_NAME_BYTES_MAX} letters, digits and signs without a space");
            self.problem("NODE_NAME", &text, expected);
        }
        Some(text).filter(|text| is_name && !text.is_empty())
    }

    pub(super) fn redis(&mut self) -> Option<RedisUrl> {
        let text = self.text("REDIS_URL");
        if text.is_empty() {
            return None;
        }
        let url = RedisUrl::parse(&text);
        url.inspect_err(|error| self.problem("REDIS_URL", &without_credentials(&text), error.to_string()))
            .ok()
    }

    pub(super) fn secret_keys(&mut self, environment: Environment) -> Vec<SecretKey> {
        let text = self.text("SECRET_KEYS");
        let texts: Vec<&str> = text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
        let is_real = |text: &str| environment == Environment::Development || text != SECRET_EXAMPLE;
        let real = texts.iter().filter(|text| is_real(text));
        let keys: Vec<SecretKey> = real.filter_map(|text| SecretKey::parse(text)).collect();
        // What is wrong with a secret is told without the secret.
        if keys.len() != texts.len() || keys.len() > SECRETS_MAX {
            let expected = "one or two random secrets, separated by a comma, each as `openssl rand -base64 32` makes \
                            it, and not the example";
            self.problem("SECRET_KEYS", "***", expected);
        } else if keys.is_empty() && environment != Environment::Development {
            let expected = "a random secret as `openssl rand -base64 32` makes it, the same for all servers of a \
                            database; without it nobody could log in after a restart";
            self.problem("SECRET_KEYS", "", expected);
        }
        keys
    }

    pub(super) fn origins(&mut self, environment: Environment) -> Vec<String> {
        let text = self.text("ALLOWED_ORIGINS");
        let origins: Vec<String> =
            text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        for origin in &origins {
            if !is_origin(origin) {
                let expected = "origins such as https://play.example.org or http://localhost:5173: lower case, \
                                no path, no slash at the end, no port that is the scheme's own, no *";
                self.problem("ALLOWED_ORIGINS", origin, expected);
            } else if environment == Environment::Production && !origin.starts_with("https://") {
                self.problem("ALLOWED_ORIGINS", origin, "only https:// origins in production");
            }
        }
        if origins.len() > ORIGINS_MAX {
            self.problem(
                "ALLOWED_ORIGINS",
                &format!("{} origins", origins.len()),
                format!("at most {ORIGINS_MAX}"),
            );
        }
        origins
    }

    pub(super) fn trusted_proxies(&mut self) -> Vec<Network> {
        let text = self.text("TRUSTED_PROXIES");
        let texts: Vec<&str> = text.split(',').map(str::trim).filter(|network| !network.is_empty()).collect();
        if texts.len() > PROXIES_MAX {
            let found = format!("{} networks", texts.len());
            self.problem("TRUSTED_PROXIES", &found, format!("at most {PROXIES_MAX}"));
        }
        let mut networks = Vec::new();
        for text in texts.into_iter().take(PROXIES_MAX) {
            match text.parse() {
                Ok(network) => networks.push(network),
                Err(_) => {
                    let expected = "networks such as 10.0.0.0/16 or fd00:10::/64, each written as its first \
                                    address, or single addresses; never everybody (/0)";
                    self.problem("TRUSTED_PROXIES", text, expected);
                }
            }
        }
        networks
    }

    /// Two listeners on one port would fail at bind; said here, it names the variables.
    pub(super) fn distinct_listeners(&mut self, config: &Config) {
        if !config.admin_host.is_loopback() && config.admin_origin.is_none() {
            let expected = "the origin under which operators reach ADMIN_HOST, such as https://admin.example.org; other \
                            names are not answered";
            self.problem("ADMIN_ORIGIN", "", expected);
        }
        let (player, admin, metrics) = (config.port, config.admin_port, config.metrics_port);
        if admin != 0 && admin == player {
            self.problem("ADMIN_PORT", &admin.to_string(), "another port than PORT");
        }
        if metrics != 0 && (metrics == player || metrics == admin) {
            self.problem("METRICS_PORT", &metrics.to_string(), "another port than PORT and ADMIN_PORT");
        }
    }
}

/// Whether a text is an origin exactly as a browser would send it.
fn is_origin(text: &str) -> bool {
    let (rest, own_port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, ":443"),
        (_, Some(rest)) => (rest, ":80"),
        _ => return false,
    };
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !rest.is_empty()
        && rest.len() <= 255
        && rest.chars().all(allowed)
        && !rest.ends_with([':'])
        && !rest.ends_with(own_port)
}

/// An address without whoever logs in: what stands before the last @ may be a password, and so may anything after a ?,
/// where some programs take one too.
pub(super) fn without_credentials(text: &str) -> String {
    let (scheme, address) = match text.split_once("://") {
        Some((scheme, address)) if is_scheme(scheme) => (format!("{scheme}://"), address),
        _ => (String::new(), text),
    };
    let (login, place) = match address.rsplit_once('@') {
        // Whether the @ belongs to a login or to a parameter is not said: then neither is anything behind it.
        Some((login, _)) if login.contains('?') => ("***@", "***"),
        Some((_, place)) => ("***@", place),
        None => ("", address),
    };
    match place.split_once('?') {
        Some((place, _)) => format!("{scheme}{login}{place}?***"),
        None => format!("{scheme}{login}{place}"),
    }
}

/// Short and of small letters: the beginning of an address, and not of a password.
fn is_scheme(text: &str) -> bool {
    const CHARS_MAX: usize = 10;
    (1..=CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}
