//! Versions of the catalogue beside the journal in memory, and what there is to say about it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::MemoryStore;
use crate::about::{About, AboutStore, KnownNode, NODES_LISTED_MAX};
use crate::catalogue::{
    CATALOGUES_MAX, CatalogueKept, CatalogueStore, InForce, KeptCatalogue, NewCatalogue, Published,
    StoredBanner,
};
use crate::store::StoreFuture;

#[derive(Debug, Default)]
pub(super) struct Catalogues {
    kept: BTreeMap<u32, (NewCatalogue, Option<i64>)>,
    published: Published,
}

impl Catalogues {
    fn keep(&mut self, new: NewCatalogue) -> CatalogueKept {
        if let Some((kept, _)) = self.kept.get(&new.version) {
            return if kept.text == new.text { CatalogueKept::Same } else { CatalogueKept::Taken };
        }
        if self.kept.len() >= CATALOGUES_MAX as usize {
            let unused = self.kept.values().filter(|(_, in_force_at_ms)| in_force_at_ms.is_none());
            let oldest = unused.map(|(kept, _)| (kept.at_ms, kept.version)).min();
            let Some((_, version)) = oldest else { return CatalogueKept::Full };
            self.kept.remove(&version);
        }
        self.kept.insert(new.version, (new, None));
        CatalogueKept::New
    }

    fn put_in_force(&mut self, seen: Option<u32>, next: InForce) -> bool {
        if self.published.in_force.map(|in_force| in_force.version) != seen {
            return false;
        }
        let Some((_, in_force_at_ms)) = self.kept.get_mut(&next.version) else { return false };
        *in_force_at_ms = Some(next.since_ms);
        self.published.in_force = Some(next);
        true
    }
}

impl CatalogueStore for MemoryStore {
    fn published(&self) -> StoreFuture<'_, Published> {
        Box::pin(async move { Ok(self.lock().catalogues.published.clone()) })
    }

    fn catalogues(&self) -> StoreFuture<'_, Vec<KeptCatalogue>> {
        Box::pin(async move {
            let inner = self.lock();
            let mut kept: Vec<_> = inner.catalogues.kept.values().collect();
            kept.sort_by_key(|(kept, _)| std::cmp::Reverse((kept.at_ms, kept.version)));
            let shown = |(kept, in_force_at_ms): &&(NewCatalogue, Option<i64>)| KeptCatalogue {
                version: kept.version,
                uploaded_at_ms: kept.at_ms,
                uploaded_by: kept.by.clone(),
                in_force_at_ms: *in_force_at_ms,
            };
            Ok(kept.iter().map(shown).collect())
        })
    }

    fn catalogue_text(&self, version: u32) -> StoreFuture<'_, Option<String>> {
        Box::pin(
            async move { Ok(self.lock().catalogues.kept.get(&version).map(|(kept, _)| kept.text.clone())) },
        )
    }

    fn keep_catalogue(&self, new: NewCatalogue) -> StoreFuture<'_, CatalogueKept> {
        Box::pin(async move {
            new.check()?;
            self.write(|inner| Ok(inner.catalogues.keep(new)))
        })
    }

    fn put_in_force(&self, seen: Option<u32>, next: InForce) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.write(|inner| Ok(inner.catalogues.put_in_force(seen, next))) })
    }

    fn put_banner(&self, banner: Option<StoredBanner>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            banner.as_ref().map_or(Ok(()), StoredBanner::check)?;
            self.write(|inner| {
                inner.catalogues.published.banner = banner;
                Ok(())
            })
        })
    }
}

impl AboutStore for MemoryStore {
    fn about(&self) -> StoreFuture<'_, About> {
        Box::pin(async move {
            let inner = self.lock();
            let now = Instant::now();
            let mut nodes: Vec<_> = inner
                .nodes
                .iter()
                .map(|(node, lease)| KnownNode {
                    node: *node,
                    name: lease.name.clone(),
                    is_alive: lease.until > now,
                    renewed_at_ms: None,
                })
                .collect();
            nodes.sort_by(|one, other| one.name.cmp(&other.name));
            nodes.truncate(NODES_LISTED_MAX as usize);
            Ok(About { kind: "memory".to_owned(), migrations: Vec::new(), nodes })
        })
    }
}
