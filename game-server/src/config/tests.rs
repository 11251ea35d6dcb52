use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::{AvatarPlace, Config, DatabaseUrl, Environment, LogFormat, LogLevel, Problem, Rate, VARIABLES};

fn parse(pairs: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let map: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    Config::parse(|name| map.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn nothing_set_is_a_developers_machine() {
    let config = parse(&[]).expect("the defaults are right");
    assert_eq!(config.environment, Environment::Development);
    assert_eq!((config.port, config.admin_port, config.metrics_port), (3001, 3002, 9464));
    assert!(
        config.host.is_loopback() && config.admin_host.is_loopback() && config.metrics_host.is_loopback()
    );
    assert_eq!(config.database, DatabaseUrl::Sqlite(PathBuf::from("data/dopamine-hero.sqlite")));
    assert_eq!((config.telemetry.level, config.telemetry.format), (LogLevel::Info, LogFormat::Text));
    assert_eq!(config.redis, None);
    assert_eq!(config.tick_hz, 10);
    assert!((1..=64).contains(&config.shards));
    assert_eq!(config.allowed_origins, Vec::<String>::new());
    assert_eq!(config.trusted_proxies, Vec::new(), "no header is believed unless somebody says so");
    assert_eq!(config.drain_deadline, Duration::from_secs(10));
    assert_eq!(config.socket_limits.messages, Rate { per_second: 30, burst: 60 });
    assert_eq!(config.socket_limits.bytes, Rate { per_second: 16_384, burst: 65_536 });
    assert_eq!(config.socket_limits.commands, Rate { per_second: 10, burst: 20 });
    assert_eq!(config.auth_limit.requests_max, 100);
    assert_eq!(config.guest_life_days, 30);
}

#[test]
fn an_empty_value_is_an_unset_one() {
    assert_eq!(parse(&[("PORT", ""), ("HOST", "  ")]), parse(&[]));
}

#[test]
fn every_example_is_right() {
    for variable in VARIABLES {
        let mut pairs = vec![(variable.name, variable.example)];
        if variable.name == "APP_ENV" {
            pairs.extend([("DATABASE_URL", "sqlite://a"), SECRET]);
        }
        if variable.name == "SMTP_URL" {
            pairs.extend([("MAIL_FROM", "a@example.org"), ("PUBLIC_URL", "https://example.org")]);
        }
        if variable.name == "BUDGET_MAIL_TO" {
            let server = ("SMTP_URL", "smtp://127.0.0.1:25");
            pairs.extend([server, ("MAIL_FROM", "a@example.org"), ("PUBLIC_URL", "https://example.org")]);
        }
        if variable.name == "S3_BUCKET_NAME" {
            pairs.extend([("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")]);
        }
        assert_eq!(parse(&pairs).err(), None, "{}", variable.name);
    }
}

#[test]
fn all_problems_are_told_at_once_each_with_what_was_expected() {
    let problems = parse(&[
        ("APP_ENV", "prod"),
        ("HOST", "localhost"),
        ("PORT", "70000"),
        ("ADMIN_HOST", "everywhere"),
        ("ADMIN_PORT", "-1"),
        ("METRICS_PORT", "3001"),
        ("DATABASE_URL", "mysql://root:secret@db/heroes"),
        ("REDIS_URL", "redis://:secret@a:6379,http://b"),
        ("LOG_LEVEL", "INFO"),
        ("LOG_FORMAT", "xml"),
        ("TICK_HZ", "0"),
        ("SHARDS", "65"),
        ("ALLOWED_ORIGINS", "https://ok.example,*,https://Up.example,https://a.example/"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 10.0.0.1/8, 0.0.0.0/0"),
        ("SOCKET_MESSAGES_PER_SECOND", "many"),
    ])
    .expect_err("all of them are wrong");
    let names: Vec<&str> = problems.iter().map(|problem| problem.variable).collect();
    assert_eq!(
        names,
        [
            "APP_ENV",
            "HOST",
            "PORT",
            "ADMIN_HOST",
            "ADMIN_PORT",
            "DATABASE_URL",
            "REDIS_URL",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "TICK_HZ",
            "SHARDS",
            "ALLOWED_ORIGINS",
            "ALLOWED_ORIGINS",
            "ALLOWED_ORIGINS",
            "TRUSTED_PROXIES",
            "TRUSTED_PROXIES",
            "SOCKET_MESSAGES_PER_SECOND",
        ]
    );
    let text = problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
    assert!(text.contains("PORT is \"70000\"; expected a whole number from 0 to 65535"), "{text}");
    assert!(!text.contains("secret"), "a password is not repeated: {text}");
}

#[test]
fn a_drain_token_is_long_one_word_and_never_repeated() {
    assert_eq!(parse(&[]).expect("right").admin_drain_token, None);
    let token = "0123456789abcdef0123456789abcdef";
    let config = parse(&[("ADMIN_DRAIN_TOKEN", token)]).expect("right");
    assert_eq!(config.admin_drain_token.as_ref().map(|token| token.expose()), Some(token));
    assert!(!format!("{config:?}").contains(token), "no secret is printed");
    let (short, two_words, long) = (&token[1..], format!("{token} {token}"), token.repeat(9));
    for wrong in [short, &two_words, &long, "ä123456789abcdef0123456789abcdef"] {
        let problems = parse(&[("ADMIN_DRAIN_TOKEN", wrong)]).expect_err("no token");
        let text = problems.iter().map(Problem::to_string).collect::<String>();
        assert!(text.starts_with("ADMIN_DRAIN_TOKEN is \"***\"; expected 32 to 256"), "{text}");
        assert!(!text.contains("abcdef"), "{text}");
    }
    let example = ("ADMIN_DRAIN_TOKEN", "this-is-an-example-make-your-own-token");
    let staging = [("APP_ENV", "staging"), SECRET];
    assert!(parse(&[example]).is_ok() && parse(&staging).is_ok());
    assert!(parse(&[example, staging[0], staging[1]]).is_err(), "everybody knows the example");
}

#[test]
fn one_port_for_two_listeners_is_a_problem() {
    let problems = parse(&[("METRICS_PORT", "3001"), ("ADMIN_PORT", "3001")]).expect_err("they collide");
    assert_eq!(problems.len(), 2);
    assert!(parse(&[("PORT", "0"), ("METRICS_PORT", "0"), ("ADMIN_PORT", "0")]).is_ok(), "0 is no port yet");
}

#[test]
fn operators_are_elsewhere_only_under_a_name() {
    let config = parse(&[]).expect("right");
    assert_eq!(config.admin_origin, None);
    let named = [("ADMIN_HOST", "10.0.0.5"), ("ADMIN_ORIGIN", "https://admin.example.org")];
    let config = parse(&named).expect("right");
    assert_eq!(config.admin_origin.as_deref(), Some("https://admin.example.org"));
    let problems = parse(&[("ADMIN_HOST", "0.0.0.0")]).expect_err("nobody could reach it");
    assert_eq!((problems.len(), problems[0].variable), (1, "ADMIN_ORIGIN"));
    for wrong in ["admin.example.org", "https://admin.example.org/", "https://Admin.example.org", "*"] {
        assert!(parse(&[("ADMIN_ORIGIN", wrong)]).is_err(), "{wrong}");
    }
    let plain = ("ADMIN_ORIGIN", "http://admin.example.org");
    assert!(parse(&[plain]).is_ok());
    let secret = ("SECRET_KEYS", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=");
    let problems = parse(&[plain, secret, ("APP_ENV", "production")]).expect_err("passwords in plain text");
    assert_eq!((problems.len(), problems[0].variable), (1, "ADMIN_ORIGIN"));
}

#[test]
fn the_password_of_a_database_is_never_shown() {
    let url = "postgres://hero:hunter2@db:5432/heroes";
    let config = parse(&[("DATABASE_URL", url)]).expect("right");
    let DatabaseUrl::Postgres(found) = &config.database else { panic!("{:?}", config.database) };
    assert_eq!(found.expose(), url);
    for shown in [format!("{config:?}"), config.database.to_string()] {
        assert!(shown.contains("postgres://***@db:5432/heroes") && !shown.contains("hunter2"), "{shown}");
    }
    let problems = parse(&[("DATABASE_URL", "mysql://hero:hunter2@db/heroes")]).expect_err("not ours");
    let text = problems[0].to_string();
    assert!(text.contains("mysql://***@db/heroes") && text.contains("postgres://USER"), "{text}");
    assert!(!text.contains("hunter2"));
}

#[test]
fn pictures_are_beside_the_heroes_unless_somebody_says_where() {
    let place = |pairs: &[(&str, &str)]| parse(pairs).map(|config| config.avatars);
    let folder = |path: &str| Ok(AvatarPlace::Folder(PathBuf::from(path)));
    assert_eq!(place(&[]), folder("data/avatars"));
    assert_eq!(place(&[("DATABASE_URL", "sqlite:a.sqlite")]), folder("avatars"));
    assert_eq!(place(&[("DATABASE_URL", "memory:")]), Ok(AvatarPlace::Memory));
    let postgres = ("DATABASE_URL", "postgres://db/heroes");
    assert_eq!(place(&[postgres]), Ok(AvatarPlace::Nowhere), "servers may not share a folder");
    assert_eq!(place(&[postgres, ("AVATAR_DIR", "/srv/a")]), folder("/srv/a"));
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
    assert_eq!(place(&keys), folder("data/avatars"), "keys alone name no bucket");
}

#[test]
fn a_bucket_needs_its_key_and_never_shows_it() {
    let bucket = ("S3_BUCKET_NAME", "hero-avatars");
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
    let pairs = [bucket, keys[0], keys[1], ("S3_ENDPOINT", "http://minio:9000"), ("AVATAR_DIR", "/srv/a")];
    let config = parse(&pairs).expect("right");
    let AvatarPlace::Bucket(found) = &config.avatars else { panic!("{:?}", config.avatars) };
    assert_eq!((found.name.as_str(), found.region.as_str()), ("hero-avatars", "us-east-1"));
    assert_eq!(found.endpoint.as_deref(), Some("http://minio:9000"));
    assert_eq!(found.secret_access_key.expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));

    let problems = parse(&[bucket]).expect_err("it has no key");
    let names: Vec<&str> = problems.iter().map(|problem| problem.variable).collect();
    assert_eq!(names, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    for (variable, wrong) in [
        ("S3_BUCKET_NAME", "Up"),
        ("S3_BUCKET_NAME", "a..b"),
        ("S3_BUCKET_NAME", "a/b/c"),
        ("S3_ENDPOINT", "minio:9000"),
        ("S3_ENDPOINT", "https://me:hunter2@s3.example.org"),
        ("S3_ENDPOINT", "https://s3.example.org/path"),
        ("S3_REGION", "two words"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2 hunter2"),
    ] {
        let mut pairs = vec![(variable, wrong), bucket, keys[0], keys[1]];
        pairs.retain(|pair| pair.0 != variable || pair.1 == wrong);
        let problems = parse(&pairs).expect_err(wrong);
        assert_eq!((problems.len(), problems[0].variable), (1, variable), "{wrong}");
        assert!(!problems[0].to_string().contains("hunter2"), "{}", problems[0]);
    }
}

#[test]
fn a_node_name_is_one_word() {
    assert_eq!(parse(&[]).expect("right").node_name, None);
    assert_eq!(parse(&[("NODE_NAME", "hero-1")]).expect("right").node_name.as_deref(), Some("hero-1"));
    let too_long = "x".repeat(65);
    for wrong in ["two words", "ünode", too_long.as_str()] {
        assert!(parse(&[("NODE_NAME", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn redis_is_one_server_or_a_cluster() {
    let redis = |text| parse(&[("REDIS_URL", text)]).map(|config| config.redis.map(|url| url.to_string()));
    assert_eq!(redis("redis://:secret@host/1"), Ok(Some("redis://host:6379/1".to_owned())));
    assert_eq!(redis("rediss://a,rediss://b:1"), Ok(Some("rediss://a:6379/0,rediss://b:1/0".to_owned())));
    let problems = redis("host:6379").expect_err("it has no scheme");
    assert!(problems[0].expected.starts_with("redis://HOST:PORT"), "{problems:?}");
}

/// A secret as somebody would make one.
const SECRET: (&str, &str) = ("SECRET_KEYS", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=");

#[test]
fn production_refuses_to_forget_and_plain_origins() {
    let production = ("APP_ENV", "production");
    assert!(parse(&[production, SECRET, ("DATABASE_URL", "memory:")]).is_err());
    assert!(parse(&[production, SECRET, ("ALLOWED_ORIGINS", "http://play.example.org")]).is_err());
    assert!(parse(&[production, SECRET, ("ALLOWED_ORIGINS", "https://play.example.org:8443")]).is_ok());
}

#[test]
fn secrets_are_real_outside_development_and_never_repeated_in_a_problem() {
    let (example, zeros) = (super::SECRET_EXAMPLE, "A".repeat(44));
    for environment in ["production", "staging"] {
        let with = |secrets: &str| parse(&[("APP_ENV", environment), ("SECRET_KEYS", secrets)]);
        for wrong in [
            "",
            example,
            &zeros,
            "c2hvcnQ=",
            "not base64!",
            &format!("{},{},{}", SECRET.1, SECRET.1, SECRET.1),
        ] {
            let problems = with(wrong).expect_err(wrong);
            assert_eq!(problems[0].variable, "SECRET_KEYS");
            assert!(wrong.is_empty() || !problems[0].to_string().contains(wrong), "{}", problems[0]);
        }
        assert_eq!(with(&format!("{}, {}", SECRET.1, SECRET.1)).expect("two").secret_keys.len(), 2);
    }
    assert_eq!(parse(&[]).expect("a developer needs none").secret_keys, []);
    assert!(parse(&[("SECRET_KEYS", "c2hvcnQ=")]).is_err(), "a developer's typing error is told, too");
}

#[test]
fn sqlite_paths() {
    let path = |url| parse(&[("DATABASE_URL", url)]).map(|config| config.database);
    assert_eq!(path("sqlite:///var/a.sqlite"), Ok(DatabaseUrl::Sqlite(PathBuf::from("/var/a.sqlite"))));
    assert_eq!(path("sqlite:a.sqlite"), Ok(DatabaseUrl::Sqlite(PathBuf::from("a.sqlite"))));
    assert!(path("sqlite://").is_err());
    assert!(path("sqlite://a.sqlite?synchronous=off").is_err(), "durability is no knob");
    assert!(path("sqlite::memory:").is_err());
}

#[test]
fn the_table_and_the_parser_know_the_same_variables() {
    let asked = RefCell::new(BTreeSet::new());
    let parsed = Config::parse(|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    });
    assert!(parsed.is_ok());
    let listed: BTreeSet<String> = VARIABLES.iter().map(|variable| variable.name.to_owned()).collect();
    assert_eq!(listed.len(), VARIABLES.len(), "no variable is listed twice");
    assert_eq!(asked.into_inner(), listed);
}

/// `.env.example` as it must be: every variable commented out at its default, below what it means.
fn env_example() -> String {
    let mut text = String::from(
        "# Every variable of dopamine-hero, at its default. Generated from game-server/src/config/variables.rs:\n\
         # UPDATE=1 cargo nextest run -p game-server env_example\n\
         # Nothing reads this file by itself: set -a; . ./.env; set +a\n",
    );
    for variable in VARIABLES {
        text.push_str(&format!(
            "\n# {}\n# Example: {}={}\n{}={}\n",
            variable.meaning, variable.name, variable.example, variable.name, variable.default
        ));
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites the file instead of comparing it")]
fn env_example_shows_every_variable_at_its_default_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path, env_example()).expect("the file can be written");
    }
    let text = std::fs::read_to_string(path).expect(".env.example exists");
    assert_eq!(text, env_example(), "run with UPDATE=1");
    let assignments: Vec<(&str, &str)> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    let table: Vec<(&str, &str)> =
        VARIABLES.iter().map(|variable| (variable.name, variable.default)).collect();
    assert_eq!(assignments, table);
    assert_eq!(parse(&assignments), parse(&[]), "copied as it is, it changes nothing");
}

/// The table of variables in `docs/operations.md`.
fn operations_table() -> String {
    let mut text = String::from("| variable | default | example | meaning |\n|---|---|---|---|\n");
    for variable in VARIABLES {
        let default =
            if variable.default.is_empty() { String::new() } else { format!("`{}`", variable.default) };
        let row =
            format!("| `{}` | {default} | `{}` | {} |\n", variable.name, variable.example, variable.meaning);
        text.push_str(&row);
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites the table instead of comparing it")]
fn operations_md_explains_every_variable() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
    let text = std::fs::read_to_string(path).expect("docs/operations.md exists");
    let (before, rest) = text.split_once("<!-- variables:").expect("the table's begin is marked");
    let (mark, rest) = rest.split_once("-->\n").expect("the mark ends");
    let (table, after) = rest.split_once("<!-- end -->").expect("the table's end is marked");
    if std::env::var("UPDATE").is_ok() {
        let text = format!("{before}<!-- variables:{mark}-->\n{}<!-- end -->{after}", operations_table());
        std::fs::write(path, text).expect("the file can be written");
    } else {
        assert_eq!(table, operations_table(), "run with UPDATE=1");
    }
}

#[test]
fn mails_need_a_mail_server_a_sender_and_links() {
    let wrong = |pairs: &[(&str, &str)]| -> BTreeSet<&str> {
        let problems = parse(pairs).err().unwrap_or_default();
        assert!(problems.iter().all(|problem| !problem.to_string().contains("hunter2")), "{problems:?}");
        problems.into_iter().map(|problem| problem.variable).collect()
    };
    let from = ("MAIL_FROM", "a@example.org");
    let links = ("PUBLIC_URL", "https://example.org");
    let all = BTreeSet::from(["SMTP_URL", "MAIL_FROM", "PUBLIC_URL"]);
    assert_eq!(wrong(&[("SMTP_URL", "http://a:hunter2@b")]), all);
    assert_eq!(
        wrong(&[("MAIL_FROM", "a"), ("PUBLIC_URL", "ftp://a")]),
        BTreeSet::from(["MAIL_FROM", "PUBLIC_URL"])
    );
    let production = [("APP_ENV", "production"), SECRET, from, links];
    for (url, is_right) in [
        ("smtp://mail.example.org", false),
        ("smtp://a:hunter2@mail.example.org:587?tls=opportunistic", false),
        ("smtp://127.0.0.1.example.org", false),
        ("smtp://a:hunter2@mail.example.org:587?tls=required", true),
        ("smtps://a:hunter2@mail.example.org", true),
        ("smtp://127.0.0.1:25", true),
        ("smtp://localhost", true),
    ] {
        let pairs = [&production[..], &[("SMTP_URL", url)]].concat();
        assert_eq!(wrong(&pairs).is_empty(), is_right, "{url}");
    }
    let config = parse(&[("SMTP_URL", "smtp://a:hunter2@b"), from, links]).expect("it is right");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn keys_of_id_tokens_come_from_where_nobody_on_the_way_can_change_them() {
    let project = ("FIREBASE_PROJECT_ID", "hero-1");
    assert_eq!(parse(&[]).expect("right").firebase, None);
    let config = parse(&[project]).expect("right").firebase.expect("a project");
    assert_eq!(config.project_id, "hero-1");
    assert_eq!(config.keys_url.host_str(), Some("www.googleapis.com"));
    for (url, outside, production) in [
        ("https://keys.example.org/jwk", true, true),
        ("http://127.0.0.1:9099/keys", true, false),
        ("http://[::1]:9099/keys", true, false),
        ("http://keys.example.org/jwk", false, false),
        ("http://127.0.0.1.example.org/", false, false),
        ("http://localhost:9099/", false, false),
        ("http://192.0.2.1/", false, false),
        ("https://a:hunter2@example.org/", false, false),
        ("https://example.org/#x", false, false),
        ("ftp://example.org/", false, false),
        ("file:///etc/keys", false, false),
        ("keys", false, false),
    ] {
        let url = ("FIREBASE_KEYS_URL", url);
        let problems = parse(&[project, url]).err().unwrap_or_default();
        assert_eq!(problems.is_empty(), outside, "{url:?} {problems:?}");
        assert!(problems.iter().all(|problem| !problem.to_string().contains("hunter2")), "{problems:?}");
        let problems = parse(&[("APP_ENV", "production"), SECRET, project, url]).err().unwrap_or_default();
        assert_eq!(problems.is_empty(), production, "{url:?} {problems:?}");
    }
    for wrong in ["Hero", "a b", "x/y", "abc", &"a".repeat(65)] {
        let problems = parse(&[("FIREBASE_PROJECT_ID", wrong)]).expect_err(wrong);
        assert_eq!(problems[0].variable, "FIREBASE_PROJECT_ID");
    }
}

#[test]
fn an_address_is_shown_without_what_logs_in_wherever_that_stands() {
    for (address, shown) in [
        ("postgres://u:hunter2@db:5432/heroes", "postgres://***@db:5432/heroes"),
        ("postgres://db/heroes?user=u&password=hunter2", "postgres://db/heroes?***"),
        ("postgres://db/heroes?user=u&password=hunter2@x", "postgres://***@***"),
        ("postgres://u:hunter?2@db/heroes", "postgres://***@***"),
        ("mysql:/u:hunter2@db/heroes", "***@db/heroes"),
        ("hunter2://x@db/heroes", "***@db/heroes"),
        ("sqlite://data/heroes.sqlite", "sqlite://data/heroes.sqlite"),
    ] {
        assert_eq!(super::reader::without_credentials(address), shown, "{address}");
    }
}

#[test]
fn collectors_are_reached_over_tls_and_their_secrets_are_never_shown() {
    let slack = "https://hooks.slack.com/services/T0/B0/hunter2";
    let all = [
        ("SENTRY_DSN", "https://hunter2@o0.ingest.sentry.io/1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:hunter2@collector.example.org:4318/"),
        ("SLACK_WEBHOOK_URL", slack),
        ("LOG_FILE", "/var/log/server.log"),
    ];
    let config = parse(&all).expect("right");
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    let telemetry = &config.telemetry;
    let traces = telemetry.otlp.as_ref().expect("a collector").traces_url.expose();
    assert_eq!(traces, "https://me:hunter2@collector.example.org:4318/v1/traces");
    assert_eq!(telemetry.file, Some(PathBuf::from("/var/log/server.log")));
    assert_eq!(telemetry.traced_share(), 0.1);
    assert_eq!(config.budget.slack_webhook.expect("a webhook").expose(), slack);
    let none = parse(&[]).expect("right");
    assert_eq!((none.telemetry.traced_share(), none.budget.monthly_usd), (0.0, 500));
    for (variable, value, outside, production) in [
        ("SENTRY_DSN", "http://k@127.0.0.1:9000/1", true, true),
        ("SENTRY_DSN", "http://hunter2@sentry.example.org/1", true, false),
        ("SENTRY_DSN", "https://sentry.example.org/hunter2", false, false),
        ("SENTRY_TRACES_SAMPLE_RATE", "1.5", false, false),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318", true, true),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", true, false),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://hunter2@collector:4317", false, false),
        ("OTEL_TRACES_SAMPLER_ARG", "-0.1", false, false),
        ("OTEL_TRACES_SAMPLER_ARG", "NaN", false, false),
        ("SLACK_WEBHOOK_URL", "http://example.org/hunter2", true, false),
        ("SLACK_WEBHOOK_URL", "hunter2", false, false),
        ("MONTHLY_BUDGET_USD", "0", false, false),
        ("BUDGET_MAIL_TO", "operators@example.org", false, false),
        ("BUDGET_MAIL_TO", "operators", false, false),
        ("LOG_FILE", "/var/log/", false, false),
    ] {
        for (environment, is_right) in [("staging", outside), ("production", production)] {
            let problems =
                parse(&[("APP_ENV", environment), SECRET, (variable, value)]).err().unwrap_or_default();
            assert_eq!(problems.is_empty(), is_right, "{variable}={value} {environment} {problems:?}");
            assert!(problems.iter().all(|it| it.variable == variable), "{problems:?}");
            assert!(problems.iter().all(|it| !it.to_string().contains("hunter2")), "{problems:?}");
        }
    }
}
