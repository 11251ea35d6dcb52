//! The list of environment variables: the one place that knows their names, defaults and meanings.

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is not set or empty.
    pub default: &'static str,
    /// What it means, in one or two sentences.
    pub meaning: &'static str,
    /// A value somebody might set.
    pub example: &'static str,
}

const fn variable(
    name: &'static str,
    default: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> Variable {
    Variable { name, default, meaning, example }
}

/// Every variable the server reads, in the order of `.env.example`.
pub const VARIABLES: &[Variable] = &[
    variable(
        "APP_ENV",
        "development",
        "production",
        "Where the server runs: development, staging or production. Production refuses what would lose data or let strangers in.",
    ),
    variable(
        "HOST",
        "127.0.0.1",
        "0.0.0.0",
        "IP address of the players' listener. 0.0.0.0 answers the whole network.",
    ),
    variable(
        "PORT",
        "3001",
        "3001",
        "Port of the players' listener: web client, REST and the game's WebSocket. 0 lets the system choose.",
    ),
    variable(
        "ADMIN_HOST",
        "127.0.0.1",
        "::1",
        "IP address of the operators' listener: the panel and its API, behind a login of its own. Any other than a loopback address needs ADMIN_ORIGIN, and something before it that speaks TLS.",
    ),
    variable("ADMIN_PORT", "3002", "3002", "Port of the operators' listener. 0 lets the system choose."),
    variable(
        "ADMIN_ORIGIN",
        "",
        "https://admin.example.org",
        "Where operators reach the panel, exactly as browsers write it. Empty: only under loopback names such as localhost, for instance through an SSH tunnel.",
    ),
    variable(
        "ADMIN_DRAIN_TOKEN",
        "",
        "this-is-an-example-make-your-own-token",
        "What the hook of a deployment sends to the operators' listener to drain this server (POST /v1/drain, Authorization: Bearer TOKEN): 32 to 256 characters, such as openssl rand -hex 32 prints. A secret: whoever knows it can stop the server. Empty: only operators can.",
    ),
    variable(
        "METRICS_HOST",
        "127.0.0.1",
        "10.0.0.5",
        "IP address of the metrics listener. Metrics are not secret, but nobody else's business: keep it inside.",
    ),
    variable(
        "METRICS_PORT",
        "9464",
        "9464",
        "Port of GET /metrics for Prometheus. 0 lets the system choose.",
    ),
    variable(
        "DATABASE_URL",
        "sqlite://data/dopamine-hero.sqlite",
        "postgres://hero:password@db.internal:5432/hero?sslmode=verify-full",
        "Where heroes are kept: sqlite://PATH (made if missing), postgres://USER:PASSWORD@HOST:PORT/DATABASE for one or more servers, or memory: which forgets everything at the end.",
    ),
    variable(
        "NODE_NAME",
        "",
        "hero-1",
        "What this server is called among those that share its Postgres. A server that starts ends the lease of an earlier one of its name, so no two that run may share one. Empty: host name and PORT.",
    ),
    variable(
        "REDIS_URL",
        "",
        "redis://127.0.0.1:6379/0",
        "Redis 6 or newer, which hurries things between several servers and is never needed: redis://HOST:PORT/DATABASE, rediss:// for TLS, or the addresses of a Redis Cluster (7 or newer) separated by commas. Empty: none.",
    ),
    variable(
        "AVATAR_DIR",
        "",
        "/var/lib/dopamine-hero/avatars",
        "Folder for pictures of players, when S3_BUCKET_NAME is empty. Empty: a folder avatars beside the SQLite file; with Postgres, nobody can have a picture.",
    ),
    variable(
        "S3_BUCKET_NAME",
        "",
        "hero-avatars",
        "Bucket for pictures of players, below avatars/, in any store that speaks S3. It need not be readable for anybody else: the server hands the pictures out. Empty: AVATAR_DIR.",
    ),
    variable(
        "S3_ENDPOINT",
        "",
        "https://s3.example.org",
        "Where the bucket's store is. Empty: Amazon's, of the region.",
    ),
    variable("S3_REGION", "us-east-1", "eu-central-1", "Region of the bucket."),
    variable(
        "AWS_ACCESS_KEY_ID",
        "",
        "AKIAEXAMPLE",
        "Id of the key that may get, put, delete and list in the bucket. Read when S3_BUCKET_NAME is set.",
    ),
    variable("AWS_SECRET_ACCESS_KEY", "", "the-secret-of-that-key", "The secret of that key."),
    variable("LOG_LEVEL", "info", "debug", "How much is logged: error, warn, info, debug or trace."),
    variable(
        "LOG_FORMAT",
        "text",
        "json",
        "How a log line looks: text for people, json for machines. Times are UTC.",
    ),
    variable(
        "LOG_FILE",
        "",
        "/var/log/dopamine-hero/server.log",
        "A file that gets every log line too, as JSON. At 10 MB it becomes .1, at most four such are kept. Empty: no file.",
    ),
    variable(
        "SENTRY_DSN",
        "",
        "https://key@o0.ingest.sentry.io/1",
        "The Sentry project that is told of errors and panics, with no personal data. Empty: nobody is told.",
    ),
    variable(
        "SENTRY_TRACES_SAMPLE_RATE",
        "0.1",
        "0.01",
        "The share of commands whose way to the disk Sentry is shown, 0 to 1.",
    ),
    variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "http://127.0.0.1:4318",
        "Where an OpenTelemetry collector takes traces by HTTP, without /v1/traces; in production only https:// or on the same machine. Empty: no traces.",
    ),
    variable(
        "OTEL_TRACES_SAMPLER_ARG",
        "0.1",
        "1",
        "The share of commands that OpenTelemetry is shown from socket to disk, 0 to 1.",
    ),
    variable("TICK_HZ", "10", "20", "Ticks of the simulation a second, 1 to 60. No amount depends on it."),
    variable("SHARDS", "auto", "4", "Threads that simulate heroes, 1 to 64; auto takes one for each core."),
    variable(
        "ALLOWED_ORIGINS",
        "",
        "https://play.example.org,https://staging.example.org",
        "Further web origins whose pages may open a socket, separated by commas, exactly as browsers write them. The server's own origin is always allowed.",
    ),
    variable(
        "TRUSTED_PROXIES",
        "",
        "10.0.0.0/16,fd00:10::/64",
        "Networks of the load balancers before the server, separated by commas. Only what they added to X-Forwarded-For says whose request it is; empty: the header means nothing.",
    ),
    variable(
        "CONNECTIONS_MAX",
        "10000",
        "20000",
        "Most player sockets at once; the next one gets 503 and comes back.",
    ),
    variable(
        "UNAUTHENTICATED_PER_ADDRESS_MAX",
        "4",
        "500",
        "Most sockets of one address (IPv6: /64) that have not said who they are. Raise it for load tests.",
    ),
    variable(
        "DRAIN_DEADLINE_MS",
        "10000",
        "25000",
        "How long a shutdown may take before the process ends anyway.",
    ),
    variable(
        "SOCKET_MESSAGES_PER_SECOND",
        "30",
        "1000",
        "Frames one socket, and all of a player together, may send a second.",
    ),
    variable(
        "SOCKET_MESSAGES_BURST",
        "60",
        "2000",
        "Frames one socket, and all of a player together, may send at once.",
    ),
    variable(
        "SOCKET_BYTES_PER_SECOND",
        "16384",
        "1048576",
        "Bytes one socket, and all of a player together, may send a second.",
    ),
    variable(
        "SOCKET_BYTES_BURST",
        "65536",
        "4194304",
        "Bytes one socket, and all of a player together, may send at once.",
    ),
    variable(
        "SOCKET_COMMANDS_PER_SECOND",
        "10",
        "1000",
        "Commands one player may send a second, over all sockets.",
    ),
    variable(
        "SOCKET_COMMANDS_BURST",
        "20",
        "2000",
        "Commands one player may send at once, over all sockets.",
    ),
    variable(
        "SOCKET_PINGS_PER_SECOND",
        "2",
        "10",
        "Pings one socket, and all of a player together, may send a second.",
    ),
    variable(
        "SOCKET_PINGS_BURST",
        "4",
        "20",
        "Pings one socket, and all of a player together, may send at once.",
    ),
    variable(
        "RATE_LIMIT_WINDOW_MS",
        "900000",
        "60000",
        "Window of the request limit on the routes that make guests and tickets.",
    ),
    variable(
        "RATE_LIMIT_MAX_REQUESTS",
        "100",
        "100000",
        "Requests one address (IPv6: /64) may send to each of these routes within the window. Raise it for load tests.",
    ),
    variable(
        "SECRET_KEYS",
        "",
        super::SECRET_EXAMPLE,
        "What access tokens are signed and personal data encrypted with: 32 random bytes in base64 (openssl rand -base64 32), the same for all servers of a database, needed outside development. To replace it, put the new one before the old one, separated by a comma. Whoever loses it loses names, mail addresses and what players typed. Empty, in development: one that is kept beside the database.",
    ),
    variable(
        "SMTP_URL",
        "",
        "smtps://user:password@mail.example.org",
        "The mail server: smtps://USER:PASSWORD@HOST (TLS), or smtp://HOST:PORT with ?tls=required behind it, without which production takes only a mail server on the same machine. Empty: no mails, so nobody who forgot a password comes back.",
    ),
    variable(
        "MAIL_FROM",
        "",
        "Dopamine Hero <hero@example.org>",
        "From whom mails are; needed with SMTP_URL.",
    ),
    variable(
        "PUBLIC_URL",
        "",
        "https://play.example.org",
        "Where players reach the web client, as links in mails begin; needed with SMTP_URL.",
    ),
    variable(
        "MONTHLY_BUDGET_USD",
        "500",
        "280",
        "What the servers and what belongs to them may cost a month, in dollars, until the panel sets another budget. At 50, 80 and 100 % it is told.",
    ),
    variable(
        "BUDGET_MAIL_TO",
        "",
        "operators@example.org",
        "Who gets a mail when a part of the budget is spent; needs SMTP_URL. Empty: nobody.",
    ),
    variable(
        "SLACK_WEBHOOK_URL",
        "",
        "https://hooks.slack.com/services/T0/B0/secret",
        "The Slack webhook that is told the same. A secret: whoever knows it can write there. Empty: none.",
    ),
    variable(
        "GUEST_LIFE_DAYS",
        "30",
        "365",
        "So many days after its last use a guest's hero is erased for good. 0: never.",
    ),
    variable(
        "FIREBASE_PROJECT_ID",
        "",
        "dopamine-hero-1234",
        "The Firebase project whose users may log in with their ID tokens. Empty: nobody can.",
    ),
    variable(
        "FIREBASE_KEYS_URL",
        "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        "http://127.0.0.1:9099/keys",
        "Where the keys are that sign these tokens, as a JSON Web Key Set: only https://, except on a developer's own machine. Whoever answers there can log in as anybody.",
    ),
];
