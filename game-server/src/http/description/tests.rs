use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use serde_json::{Value, json};

use super::super::request::BODY_BYTES_MAX;
use super::super::{Public, routes};
use crate::accounts::password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use crate::accounts::profile::{MAIL_BYTES_MAX, NAME_CHARS_MAX};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
/// Answers of [`from_layers`], which no handler describes.
const FROM_LAYERS: [(&str, &str); 2] = [("408", "timeout"), ("500", "internal")];

type Operation = (String, String);

/// The document: what the routes say of themselves, and what holds for many of them.
fn document() -> Value {
    let (_, description) = routes().split_for_parts();
    let mut document = serde_json::to_value(&description).expect("a description is JSON");
    let paths = document["paths"].as_object_mut().expect("there are routes");
    for operation in paths.values_mut().flat_map(|path| path.as_object_mut().expect("methods").values_mut()) {
        complete(operation);
    }
    document["components"]["headers"] = common_headers();
    document["components"]["responses"] = from_layers();
    document
}

fn complete(operation: &mut Value) {
    // A body that may be left out is not therefore `null`.
    if let Some(content) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
        let or_null = content["oneOf"].as_array().and_then(|schemas| schemas.first()).cloned();
        *content = or_null.unwrap_or_else(|| content.clone());
    }
    let answers = operation["responses"].as_object_mut().expect("answers");
    let is_limited = codes(&answers.get("429").cloned().unwrap_or_default()).contains("rate");
    for (status, answer) in answers.iter_mut() {
        if status.as_str() >= "400" {
            answer["content"] = json!({ "application/json": { "schema": error(&codes(answer)) } });
        }
        let headers = headers(status, is_limited).into_iter();
        let all = answer.as_object_mut().expect("an answer").entry("headers").or_insert_with(|| json!({}));
        let all = all.as_object_mut().expect("headers");
        all.extend(
            headers.map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))),
        );
        if let Some(etag) = all.get_mut("etag") {
            etag["required"] = json!(true);
        }
    }
    for (status, name) in FROM_LAYERS {
        answers.insert(status.to_owned(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
}

/// What surrounds every route may answer these in its place (`layers.rs`), and then without the headers of the limit.
fn from_layers() -> Value {
    let answer = |code: &str, text: &str| {
        json!({
            "description": format!("`{code}`: {text}"),
            "content": { "application/json": { "schema": error(&BTreeSet::from([code.to_owned()])) } },
            "headers": { "x-request-id": { "$ref": "#/components/headers/x-request-id" } },
        })
    };
    json!({
        "timeout": answer("timeout", "it took longer than 10 s"),
        "internal": answer("internal", "a mistake of the server"),
    })
}

/// The codes that the description of an answer names.
fn codes(answer: &Value) -> BTreeSet<String> {
    let text = answer["description"].as_str().unwrap_or_default();
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn error(codes: &BTreeSet<String>) -> Value {
    let codes = json!({ "properties": { "code": { "enum": codes } } });
    json!({ "allOf": [{ "$ref": "#/components/schemas/ErrorBody" }, codes] })
}

/// Headers of many answers, each of which is always there.
fn common_headers() -> Value {
    let header = |kind: Value, text: &str| json!({ "schema": kind, "description": text, "required": true });
    let whole = || json!({ "type": "integer", "minimum": 0 });
    json!({
        "x-request-id": header(json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }), "To ask the operator about"),
        "ratelimit-limit": header(whole(), "Requests that one address may send at once"),
        "ratelimit-remaining": header(whole(), "Requests that are left"),
        "ratelimit-reset": header(whole(), "Seconds until the next request is taken"),
        "retry-after": header(whole(), "Seconds to wait"),
        "www-authenticate": header(json!({ "const": "Bearer" }), "What to send"),
    })
}

/// Those of an answer.
fn headers(status: &str, is_limited: bool) -> Vec<&'static str> {
    let mut headers = vec!["x-request-id"];
    if is_limited {
        headers.extend(["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]);
    }
    match status {
        "401" => headers.push("www-authenticate"),
        "429" | "503" => headers.push("retry-after"),
        _ => {}
    }
    headers
}

#[test]
#[expect(clippy::disallowed_methods, reason = "UPDATE=1 rewrites the file instead of comparing it")]
fn the_openapi_document_is_the_code() {
    let document = document();
    if std::env::var("UPDATE").is_ok() {
        let text = serde_json::to_string_pretty(&document).expect("JSON is text");
        std::fs::write(PATH, text + "\n").expect("the file can be written");
    }
    let text = std::fs::read_to_string(PATH).expect("docs/openapi.json exists");
    let committed: Value = serde_json::from_str(&text).expect("docs/openapi.json is JSON");
    assert_eq!(committed, document, "run with UPDATE=1");
}

fn described(document: &Value) -> BTreeSet<Operation> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = |path: &Value| path.as_object().expect("methods").keys().cloned().collect::<Vec<_>>();
    let each = paths.iter().flat_map(|(path, item)| methods(item).into_iter().map(|it| (it, path.clone())));
    each.collect()
}

/// What a router would answer. axum lists its routes nowhere but in its `Debug`.
fn routed<S>(router: &Router<S>) -> BTreeSet<Operation> {
    let text = format!("{router:?}");
    let (text, _) = text.split_once("fallback_router:").expect("routes come before the fallbacks");
    let (endpoints, paths) = text.split_once("node: Node").expect("paths come behind the endpoints");
    let by_id = |text: &str| -> BTreeMap<String, String> {
        let parts = text.split("RouteId(").skip(1).filter_map(|part| part.split_once("): "));
        parts.map(|(id, rest)| (id.to_owned(), rest.to_owned())).collect()
    };
    let paths = by_id(paths);
    let methods = |endpoint: &str| -> Vec<String> {
        let (methods, _) = endpoint.split_once(" fallback:").unwrap_or((endpoint, ""));
        let fields = methods.rsplit('{').next().unwrap_or_default().split(',');
        let fields = fields.filter_map(|field| field.trim().split_once(": "));
        fields.filter(|(_, is)| *is != "None").map(|(method, _)| method.to_owned()).collect()
    };
    let each = by_id(endpoints).into_iter().flat_map(|(id, endpoint)| {
        let path = paths[&id].split('"').nth(1).expect("a path is a text").to_owned();
        methods(&endpoint).into_iter().map(move |method| (method, path.clone()))
    });
    each.collect()
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let (router, description) = routes().split_for_parts();
    let described = described(&serde_json::to_value(&description).expect("a description is JSON"));
    assert!(described.len() > 20, "{described:?}");
    assert_eq!(routed(&router), described);
    // And a route that somebody adds beside them would be seen.
    let more: Router<std::sync::Arc<Public>> = router
        .route("/v1/beside", axum::routing::delete(async || ()))
        .route("/v1/guests", axum::routing::put(async || ()));
    let beside: BTreeSet<_> = routed(&more).difference(&described).cloned().collect();
    let expected = [("delete", "/v1/beside"), ("put", "/v1/guests")];
    assert_eq!(beside, expected.map(|(method, path)| (method.to_owned(), path.to_owned())).into());
}

#[test]
fn routes_come_with_their_description_only() {
    let source = include_str!("../../http.rs");
    assert_eq!(source.matches(".routes(").count(), source.matches(".routes(routes!(").count());
    for beside in [".route(", ".route_service(", ".nest(", ".nest_service(", ".merge("] {
        assert!(!source.contains(beside), "{beside} adds a route that says nothing of itself");
    }
}

#[test]
fn people_find_every_route_in_the_protocol_too() {
    let text = include_str!("../../../../docs/protocol.md");
    for (method, path) in described(&document()) {
        let request = format!("| `{} {path}`", method.to_uppercase());
        assert!(
            text.lines().any(|line| line.starts_with(&request)),
            "docs/protocol.md has no line {request}"
        );
    }
}

#[test]
fn every_route_says_what_it_is_for_and_how_it_fails() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let what = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{what}");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{what}");
            assert!(names.insert(operation["operationId"].as_str().expect("a name")), "{what}: operation_id");
            let answers = operation["responses"].as_object().expect("answers");
            assert!(answers.keys().any(|status| status.as_str() < "400"), "{what}");
            let errors = answers
                .iter()
                .filter(|(status, answer)| status.as_str() >= "400" && answer.get("$ref").is_none());
            for (status, answer) in errors {
                assert!(!codes(answer).is_empty(), "{what} {status} names its codes in backticks");
            }
            let takes_json = operation.pointer("/requestBody/content/application~1json").is_some();
            for status in ["400", "413"].iter().filter(|_| takes_json) {
                assert!(answers.contains_key(*status), "{what}: any body may be answered {status}");
            }
            let needs_somebody =
                operation["security"].as_array().is_some_and(|ways| !ways.contains(&json!({})));
            assert!(!needs_somebody || answers.contains_key("401"), "{what}: any token may be answered 401");
        }
    }
}

#[test]
fn limits_are_those_of_the_code() {
    let schemas = &document()["components"]["schemas"];
    for (pointer, limit) in [
        ("/RegisterRequest/properties/mail/maxLength", MAIL_BYTES_MAX),
        ("/RegisterRequest/properties/password/minLength", PASSWORD_CHARS_MIN),
        ("/RegisterRequest/properties/password/maxLength", PASSWORD_CHARS_MAX),
        ("/ResetRequest/properties/password/minLength", PASSWORD_CHARS_MIN),
        ("/ResetRequest/properties/password/maxLength", PASSWORD_CHARS_MAX),
        ("/PasswordChange/properties/new/minLength", PASSWORD_CHARS_MIN),
        ("/PasswordChange/properties/new/maxLength", PASSWORD_CHARS_MAX),
        ("/ForgotRequest/properties/mail/maxLength", MAIL_BYTES_MAX),
        ("/Me/properties/name/maxLength", NAME_CHARS_MAX),
    ] {
        assert_eq!(schemas.pointer(pointer), Some(&json!(limit)), "{pointer}");
    }
    let about = document()["info"]["description"].to_string();
    assert!(about.contains(&format!("{} KiB", BODY_BYTES_MAX / 1024)), "{about}");
    for (name, schema) in
        schemas.as_object().expect("schemas").iter().filter(|(name, _)| name.ends_with("Request"))
    {
        assert_eq!(schema["additionalProperties"], json!(false), "{name} refuses what it does not know");
    }
}
