//! The operators' panel of this server: what it asks, where it keeps its operators, and what becomes of its facts.

use std::sync::Arc;

use admin_http::{Client, Fact, Panel, Settings};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use persistence::OperatorStore;

use super::NodeOperations;
use super::records::NodeRecords;
use crate::config::Environment;
use crate::http::Peer;
use crate::http::client_address::client;
use crate::node::Node;

/// The panel of a node.
pub fn open(node: &Arc<Node>, operations: Arc<NodeOperations>, store: &Arc<dyn OperatorStore>) -> Arc<Panel> {
    let accounts = &node.accounts;
    let (keys, passwords) = (accounts.keys().clone(), accounts.passwords().clone());
    let records = NodeRecords::new(Arc::clone(store), keys, node.clock.clone(), passwords);
    let settings = Settings {
        environment: node.config.environment.as_str().to_owned(),
        is_production: node.config.environment == Environment::Production,
        origin: node.config.admin_origin.clone(),
        drain_token: node.config.admin_drain_token.as_ref().map(|token| token.expose().to_owned()),
        on_fact: Arc::new(log),
    };
    Panel::new(operations, Arc::new(records), settings)
}

/// Its routes, which hear whose request it is.
pub fn router(panel: &Arc<Panel>, node: &Arc<Node>) -> Router {
    panel.router().layer(from_fn_with_state(Arc::clone(node), find_client))
}

async fn find_client(State(node): State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    if let Some(&Peer(peer)) = request.extensions().get::<Peer>() {
        let client = client(peer, request.headers(), &node.config.trusted_proxies);
        request.extensions_mut().insert(Client(client.ip()));
    }
    next.run(request).await
}

fn log(fact: Fact) {
    match fact {
        Fact::Answered { request_id, method, route, status, code, took } => {
            let (status, took_ms) = (status.as_u16(), took.as_millis());
            if status >= 500 {
                tracing::warn!(request_id, %method, route, status, code, took_ms, "an operator's request failed");
            } else {
                tracing::debug!(request_id, %method, route, status, code, took_ms, "an operator's request");
            }
        }
        Fact::Panicked { request_id } => {
            tracing::error!(request_id, "a route of the operators' panel panicked")
        }
        Fact::OutcomeLost { audit_seq, outcome } => {
            tracing::error!(
                audit_seq,
                outcome,
                "the audit log does not say what came of this row; it is here"
            );
        }
    }
}
