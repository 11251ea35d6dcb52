//! `admin-http/openapi.json` is what the routes say of themselves.

use serde_json::{Value, json};

use super::Bench;
use crate::access::Access;
use crate::{hook, routes};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

/// The document: what the routes say of themselves, and what holds for many of them.
fn document() -> Value {
    let (_, description, table) = routes::all(&Bench::new().panel).into_parts();
    let mut document = serde_json::to_value(&description).expect("a description is JSON");
    for (method, path, access) in table {
        let operation = &mut document["paths"][&path][method.to_lowercase()];
        if let Access::Of(role) | Access::Watch(role) = access {
            operation["security"] = json!([{ "login": [] }]);
            operation["x-role"] = json!(role.as_str());
            if method != "GET" {
                let header = json!({
                    "name": "x-csrf-token", "in": "header", "required": true, "schema": { "type": "string" },
                    "description": "As GET /v1/session says",
                });
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                operation["parameters"] = parameters.into_iter().chain([header]).collect();
            }
        }
        if path == hook::PATH {
            operation["security"] = json!([{ "login": [] }, { "deploy_hook": [] }]);
        }
        operation["responses"]["default"] = json!({ "$ref": "#/components/responses/refused" });
    }
    document["components"]["responses"] = json!({
        "refused": {
            "description": "Every refusal and failure",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/ErrorBody" } } },
            "headers": { "x-request-id": { "schema": { "type": "string" }, "required": true } },
        },
    });
    document
}

#[test]
fn openapi_of_operators_is_current() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of `cargo xtask codegen` reaches a test no other way"
    )]
    let update = std::env::var("UPDATE").is_ok();
    let wanted = format!("{}\n", serde_json::to_string_pretty(&document()).expect("it is JSON"));
    if update {
        std::fs::write(PATH, &wanted).expect("write the description");
    }
    let found = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(found == wanted, "admin-http/openapi.json is not what the routes say: run with UPDATE=1");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        if let Some(path) = value["$ref"].as_str() {
            references += 1;
            let pointer = path.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{path} leads nowhere");
        }
        match value {
            Value::Object(map) => open.extend(map.values()),
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    assert!(references > 50, "{references}");
}
