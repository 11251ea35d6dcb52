//! Hears what other nodes hint through the cache, and passes it to whoever it concerns here. A hint is never believed:
//! it only makes somebody ask the store earlier than they would have.

use std::sync::Arc;

use persistence::Hint;
use tokio::task::JoinHandle;

use crate::node::Node;

/// Listens until the task is aborted, or the cache is gone.
pub fn listen(node: Arc<Node>) -> JoinHandle<()> {
    let mut hints = node.cache.hints();
    tokio::spawn(async move {
        while let Some(hint) = hints.recv().await {
            hear(&node, hint);
        }
    })
}

fn hear(node: &Node, hint: Hint) {
    match hint {
        Hint::Wanted { hero, .. } => node.shard(hero).hand_over(hero),
        Hint::Advanced { heroes } => {
            // Nearly all of them are nobody's here.
            let watched = heroes.into_iter().filter(|(hero, ..)| node.directory.is_connected(*hero));
            watched.for_each(|(hero, _, seq)| node.shard(hero).advanced(hero, seq.0));
        }
        Hint::Released { hero, .. } => {
            node.loader.released(hero);
            if node.directory.is_connected(hero) {
                node.shard(hero).advanced(hero, u64::MAX);
            }
        }
    }
}
