//! This server and its neighbours: configuration, nodes, banner, drain.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use admin_http::views::{Banner, Migration, Node as NodeView, Setting, System};
use admin_http::{Actor, Refused};
use persistence::catalogue::BANNER_CHARS_MAX;
use persistence::{About, NodePresence, StoredBanner};
use tokio::time::timeout;

use super::NodeOperations;
use super::catalogue::{follow, refused, unsure};
use crate::config::DatabaseUrl;

/// How long the database may take to say how it is: operators look at this page when it does not.
const ABOUT_WITHIN: Duration = Duration::from_secs(2);
/// How long Redis may take to say who is there.
const PRESENCE_WITHIN: Duration = Duration::from_secs(1);
/// The furthest end of a banner.
const BANNER_MS_MAX: i64 = 366 * 86_400_000;

pub(super) async fn system(operations: &NodeOperations) -> Result<System, Refused> {
    let node = &operations.node;
    let about = timeout(ABOUT_WITHIN, node.about.about());
    let presence = timeout(PRESENCE_WITHIN, node.cache.presence());
    let (about, presence) = tokio::join!(about, presence);
    let about = match about {
        Ok(Ok(about)) => Some(about),
        // What it does not say is left out; the journal says what is wrong with it.
        Ok(Err(_)) | Err(_) => None,
    };
    let place = match &node.config.database {
        DatabaseUrl::Memory => String::new(),
        url => format!(" at {url}"),
    };
    let kind = about.as_ref().map_or("(does not answer)", |about| about.kind.as_str());
    let shown = node.config.shown.iter().map(|variable| Setting {
        name: variable.name.to_owned(),
        value: variable.value.clone(),
        is_default: variable.is_default,
        meaning: variable.meaning.to_owned(),
    });
    Ok(System {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rust_version: env!("RUSTC_VERSION").to_owned(),
        database: format!("{kind}{place}"),
        environment: node.config.environment.as_str().to_owned(),
        settings: shown.collect(),
        nodes: nodes(operations, about.as_ref(), presence.unwrap_or_default()),
        migrations: about.into_iter().flat_map(|about| about.migrations).map(migration).collect(),
        banner: banner_now(operations),
    })
}

fn migration(migration: persistence::MigrationStatus) -> Migration {
    let persistence::MigrationStatus { version, description, applied, known: _ } = migration;
    Migration { version, description, is_applied: applied }
}

/// Who shares the database. A node alone, and one whose database is away, knows itself.
fn nodes(operations: &NodeOperations, about: Option<&About>, presence: Vec<NodePresence>) -> Vec<NodeView> {
    let node = &operations.node;
    let presence: BTreeMap<_, _> = presence.into_iter().map(|there| (there.node, there)).collect();
    let known = about.into_iter().flat_map(|about| &about.nodes);
    let mut nodes: Vec<NodeView> = known
        .map(|known| NodeView {
            node_id: known.node.0.to_string(),
            name: known.name.clone(),
            is_this: known.node == node.id(),
            is_alive: known.is_alive,
            renewed_at_ms: known.renewed_at_ms,
            connections: presence.get(&known.node).map(|there| there.sockets),
            heroes: presence.get(&known.node).map(|there| there.heroes),
        })
        .collect();
    if nodes.iter().all(|known| !known.is_this) {
        nodes.insert(
            0,
            NodeView {
                node_id: node.id().0.to_string(),
                name: node.config.node_name.clone().unwrap_or_default(),
                is_this: true,
                is_alive: true,
                renewed_at_ms: None,
                connections: None,
                heroes: None,
            },
        );
    }
    if let Some(this) = nodes.iter_mut().find(|known| known.is_this) {
        // What it knows of itself is newer than what it told Redis.
        this.connections = Some(super::whole(node.metrics.connections_open.get()));
        this.heroes = Some(super::whole(node.metrics.heroes_in_memory.get()));
    }
    nodes
}

/// What players are told by this server now.
fn banner_now(operations: &NodeOperations) -> Option<Banner> {
    let now_ms = operations.node.clock.now_ms();
    let notice = operations.node.board.posted().notice.clone();
    let notice = notice.filter(|notice| notice.until_ms.is_none_or(|until_ms| until_ms > now_ms));
    notice.map(|notice| Banner { text: notice.text, until_ms: notice.until_ms })
}

pub(super) async fn set_banner(
    operations: &NodeOperations,
    actor: Actor,
    banner: Option<Banner>,
) -> Result<(), Refused> {
    let now_ms = operations.node.clock.now_ms();
    let banner = banner.map(|banner| checked(banner, now_ms)).transpose()?;
    let is_taken_back = banner.is_none();
    operations.node.catalogues.put_banner(banner).await.map_err(|error| match error {
        persistence::StoreError::Poison { .. } => refused(error),
        error => unsure(error),
    })?;
    tracing::info!(is_taken_back, operator = actor.operator, audit_seq = actor.audit_seq, "banner set");
    follow(operations).await
}

fn checked(Banner { text, until_ms }: Banner, now_ms: i64) -> Result<StoredBanner, Refused> {
    let text = text.trim();
    let is_text =
        !text.is_empty() && text.chars().count() <= BANNER_CHARS_MAX && !text.chars().any(char::is_control);
    if !is_text {
        let expected = format!("a banner has 1 to {BANNER_CHARS_MAX} characters in one line");
        return Err(Refused::Invalid(expected));
    }
    let is_in_time = |until_ms: &i64| (now_ms + 1..=now_ms + BANNER_MS_MAX).contains(until_ms);
    if !until_ms.as_ref().is_none_or(is_in_time) {
        return Err(Refused::Invalid(
            "a banner ends in the future, within a year; or name no end".to_owned(),
        ));
    }
    Ok(StoredBanner { text: text.to_owned(), until_ms })
}

pub(super) async fn drain(operations: &NodeOperations, actor: Actor) -> Result<(), Refused> {
    tracing::warn!(operator = actor.operator, audit_seq = actor.audit_seq, "an operator stops this server");
    operations.node.ask_to_stop();
    Ok(())
}
