//! What leaves the server about itself: lines in a file, errors to Sentry, traces to a collector. Each is read by a receiver of
//! the test's own. Every test has a process of its own, because logging is of the whole process.

use std::collections::BTreeMap;
use std::path::PathBuf;

use game_server::telemetry::{self, Telemetry};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;

use crate::collector::Collector;
use crate::harness::{TestServer, config, wait_until};
use crate::player::{Player, create};

/// Must be nowhere but in the process.
const CANARY: &str = "canary-5d1f0c";

/// Starts logging as the binary does: outside of any runtime.
async fn start(variables: &[(&str, &str)]) -> Telemetry {
    let telemetry = config(variables).telemetry;
    tokio::task::spawn_blocking(move || telemetry::start(&telemetry)).await.expect("it starts")
}

async fn finish(telemetry: Telemetry) {
    tokio::task::spawn_blocking(move || telemetry.finish()).await.expect("it ends");
}

/// A guest who adds a task over a socket.
async fn play(server: &TestServer) -> (String, String) {
    let (hero, token) = server.guest().await;
    let (mut player, ..) = Player::connect(server, &token, 0).await;
    player.command(create(CANARY)).await;
    player.leave().await;
    (hero, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_whose_request_or_socket_it_is() {
    let folder = std::env::temp_dir().join(format!("telemetry-{}", uuid::Uuid::new_v4()));
    let path: PathBuf = folder.join("logs/server.log");
    let file = path.to_string_lossy().into_owned();
    let variables = [("LOG_FILE", file.as_str()), ("LOG_LEVEL", "debug")];
    let telemetry = start(&variables).await;
    let server = TestServer::start_with(&variables).await;
    let (hero, token) = play(&server).await;
    let bearer = format!("Bearer {token}");
    let answer = server.request("GET", "/v1/me", &[("authorization", &bearer)], "").await;
    let request_id = answer.header("x-request-id").expect("every answer has one").to_owned();
    server.stop().await;
    finish(telemetry).await;

    let text = std::fs::read_to_string(&path).expect("the file is there");
    std::fs::remove_dir_all(&folder).expect("only ours");
    assert!(!text.contains(&token) && !text.contains(CANARY), "no token and nothing that somebody typed");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let of = |what: &'static str| lines.iter().filter(move |line| line["message"] == what);
    let request = of("request").find(|line| line["span"]["request_id"] == request_id.as_str());
    let span = &request.unwrap_or_else(|| panic!("{request_id} is not in {text}"))["span"];
    assert_eq!(
        (span["method"].as_str(), span["hero"].as_str()),
        (Some("GET"), Some(hero.as_str())),
        "{span}"
    );
    for what in ["connected", "disconnected"] {
        let line = of(what).next().unwrap_or_else(|| panic!("{what} is not in {text}"));
        assert_eq!(line["span"]["hero"], hero.as_str(), "{line}");
        assert!(line["span"]["connection_id"].is_u64(), "{line}");
    }
    let accepted = of("accepted").next().unwrap_or_else(|| panic!("no command in {text}"));
    let span = &accepted["span"];
    assert_eq!(
        (&span["hero"], &span["cmd_seq"]),
        (&Value::from(hero.as_str()), &Value::from(1)),
        "{accepted}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_the_socket_to_the_disk() {
    let collector = Collector::start().await;
    let url = collector.url();
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("OTEL_TRACES_SAMPLER_ARG", "1")];
    let telemetry = start(&variables).await;
    let server = TestServer::start_with(&variables).await;
    let (hero, _token) = play(&server).await;
    // The receiver runs on.
    server.shut_down().await;
    finish(telemetry).await;

    assert!(
        collector.heads().iter().all(|head| head.starts_with("POST /v1/traces ")),
        "{:?}",
        collector.heads()
    );
    let mut spans: Vec<Span> = Vec::new();
    let mut services = Vec::new();
    for body in collector.bodies() {
        let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("it is OTLP");
        for part in request.resource_spans {
            let resource = part.resource.expect("it says who sends");
            services.extend(resource.attributes.iter().map(|it| format!("{}={:?}", it.key, it.value)));
            spans.extend(part.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    collector.stop();
    assert!(
        services.iter().any(|it| it.starts_with("service.name") && it.contains("dopamine-hero")),
        "{services:?}"
    );
    let command = spans.iter().find(|span| span.name == "command").unwrap_or_else(|| panic!("{spans:?}"));
    assert!(command.parent_span_id.is_empty());
    let attributes = format!("{:?}", command.attributes);
    assert!(attributes.contains(&hero) && attributes.contains("durable"), "{attributes}");
    let steps: BTreeMap<&str, &Span> = spans
        .iter()
        .filter(|span| span.trace_id == command.trace_id && span.parent_span_id == command.span_id)
        .map(|span| (span.name.as_str(), span))
        .collect();
    let names = ["socket", "inbox", "decide", "flush", "durable"];
    for name in names {
        let step = steps.get(name).unwrap_or_else(|| panic!("{name} is missing in {spans:?}"));
        assert!(step.start_time_unix_nano >= command.start_time_unix_nano, "{name}");
        assert!(step.end_time_unix_nano <= command.end_time_unix_nano, "{name}");
    }
    assert_eq!(steps.len(), names.len());
    for pair in names.windows(2) {
        let (first, second) = (steps[pair[0]], steps[pair[1]]);
        assert!(first.start_time_unix_nano <= second.start_time_unix_nano, "{pair:?}");
    }
    assert!(!format!("{spans:?}").contains(CANARY), "nothing that somebody typed");
}

#[tokio::test(flavor = "multi_thread")]
async fn sentry_is_told_of_errors_and_panics_and_of_no_secret() {
    let collector = Collector::start().await;
    let dsn = collector.url().replace("http://", "http://public@") + "/1";
    let variables = [
        ("SENTRY_DSN", dsn.as_str()),
        ("SENTRY_TRACES_SAMPLE_RATE", "1"),
        ("APP_ENV", "staging"),
        crate::harness::SECRET,
    ];
    let telemetry = start(&variables).await;
    let server = TestServer::start_with(&variables[..2]).await;
    let (hero, token) = play(&server).await;
    tracing::warn!(hero, password = CANARY, "the line before");
    tracing::error!(hero, error = CANARY, title = CANARY, "a line of an error");
    let broke = std::thread::Builder::new().name("breaks".to_owned()).spawn(|| panic!("it read {CANARY}"));
    broke.expect("a thread").join().expect_err("it panicked");
    // The receiver runs on.
    server.shut_down().await;
    finish(telemetry).await;

    let told = collector.texts().join("\n");
    collector.stop();
    for secret in [CANARY, &token] {
        assert!(!told.contains(secret), "{secret} was told: {told}");
    }
    let items: Vec<Value> = told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let event = |message: &str| {
        items
            .iter()
            .find(|item| item["message"] == message)
            .unwrap_or_else(|| panic!("{message} is not in {told}"))
    };
    let error = event("a line of an error");
    assert_eq!(
        (error["extra"]["hero"].as_str(), error["environment"].as_str()),
        (Some(hero.as_str()), Some("staging"))
    );
    assert_eq!(error["release"], concat!("dopamine-hero@", env!("CARGO_PKG_VERSION")));
    assert!(error.get("user").is_none(), "{error}");
    let before = error["breadcrumbs"].to_string();
    assert!(before.contains("the line before"), "{before}");
    let panic =
        items.iter().find(|item| item["message"].as_str().is_some_and(|it| it.starts_with("panicked at ")));
    let panic = panic.unwrap_or_else(|| panic!("no panic in {told}"));
    assert!(panic["message"].as_str().is_some_and(|it| it.contains("tests/it/telemetry.rs")), "{panic}");
    assert_eq!(panic["tags"]["thread"], "breaks");
    let way = items.iter().find(|item| item["transaction"] == "command").unwrap_or_else(|| panic!("{told}"));
    let steps: Vec<&str> =
        way["spans"].as_array().expect("steps").iter().filter_map(|span| span["op"].as_str()).collect();
    for step in ["socket", "inbox", "decide", "flush", "durable"] {
        assert!(steps.contains(&step), "{step} is missing in {steps:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_costs_nothing_but_its_traces() {
    // A port that nobody listens on.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let (endpoint, dsn) = (format!("http://{gone}"), format!("http://public@{gone}/1"));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_SAMPLER_ARG", "1"),
        ("SENTRY_DSN", dsn.as_str()),
        ("LOG_FILE", "/dev/full"),
        ("LOG_LEVEL", "debug"),
    ];
    let telemetry = start(&variables).await;
    let server = TestServer::start_with(&variables).await;
    for _ in 0..20 {
        play(&server).await;
        tracing::error!("nobody is told of this");
    }
    wait_until("all have left", || server.metrics().connections_open.get() == 0.0).await;
    server.stop().await;
    finish(telemetry).await;
}
