//! The store in one SQLite file (under construction: signatures first).

use std::path::Path;

use crate::error::StoreError;

/// A journal in a SQLite file. Clones share the same connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {}

/// Where one migration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// What it does.
    pub description: String,
    /// Whether this file has it.
    pub applied: bool,
    /// Whether this program knows it.
    pub known: bool,
}

impl SqliteStore {
    /// Opens the file for writing: makes it when it is missing, brings its tables up to date, checks its settings, and
    /// keeps every other process from writing it.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::SchemaUnknown`], [`StoreError::Unfit`]: the process must not start.
    pub async fn open(_path: &Path) -> Result<Self, StoreError> {
        unimplemented!("signatures first")
    }

    /// Opens an existing file for reading, also beside a running server. Every write fails.
    ///
    /// # Errors
    /// [`StoreError::SchemaUnknown`], [`StoreError::Unfit`].
    pub async fn open_read_only(_path: &Path) -> Result<Self, StoreError> {
        unimplemented!("signatures first")
    }

    /// Brings the tables up to date and returns where every migration stands then.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn migrate(_path: &Path) -> Result<Vec<MigrationStatus>, StoreError> {
        unimplemented!("signatures first")
    }

    /// Where every migration stands; changes nothing, also beside a running server.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when the file cannot be read.
    pub async fn migration_status(_path: &Path) -> Result<Vec<MigrationStatus>, StoreError> {
        unimplemented!("signatures first")
    }

    /// Closes the connections and gives the file free.
    pub async fn close(&self) {}
}
