//! The store without a disk (under construction: signatures first).

/// Keeps everything in memory; faults can be scripted. Clones share the same data.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
