//! Opens the store that `DATABASE_URL` names: the one place that knows which databases there are.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use persistence::{
    AboutStore, AccountStore, BudgetStore, CatalogueStore, JournalStore, MemoryStore, MigrationStatus,
    OperatorStore, PostgresStore, ReadModelStore, SqliteStore, StoreError, SupportStore, TextKeyStore,
    UptimeStore,
};
use rand::Rng;

use crate::accounts::Keys;
use crate::config::DatabaseUrl;

/// The faces of one database.
#[derive(Clone)]
pub struct Stores {
    /// Heroes.
    pub journal: Arc<dyn JournalStore>,
    /// Who may act for them.
    pub accounts: Arc<dyn AccountStore>,
    /// With what their players' texts are encrypted.
    pub text_keys: Arc<dyn TextKeyStore>,
    /// When the service was there.
    pub uptime: Arc<dyn UptimeStore>,
    /// What happened, as tables for people.
    pub read_models: Arc<dyn ReadModelStore>,
    /// Who was seen last, and who is kept out.
    pub support: Arc<dyn SupportStore>,
    /// What operators publish.
    pub catalogues: Arc<dyn CatalogueStore>,
    /// How the database is.
    pub about: Arc<dyn AboutStore>,
    /// The month's money.
    pub budget: Arc<dyn BudgetStore>,
    /// Who may use the operators' panel, and what they did.
    pub operators: Arc<dyn OperatorStore>,
    /// Seals what its nodes put into Redis; the same for all of them.
    pub seal_key: [u8; 32],
    /// Sign tokens and encrypt what says who somebody is. Random until the configured ones are put here.
    pub keys: Keys,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

impl Stores {
    /// All faces of one store, with a new seal: right for a store that has one node, which recognises nothing in Redis
    /// that an earlier run of it has put there.
    pub fn of<S>(store: S) -> Self
    where
        S: JournalStore
            + AccountStore
            + TextKeyStore
            + UptimeStore
            + ReadModelStore
            + SupportStore
            + CatalogueStore
            + AboutStore
            + BudgetStore
            + OperatorStore
            + 'static,
    {
        let store = Arc::new(store);
        let mut seal_key = [0; 32];
        rand::rng().fill_bytes(&mut seal_key);
        Self {
            journal: Arc::clone(&store) as _,
            accounts: Arc::clone(&store) as _,
            text_keys: Arc::clone(&store) as _,
            uptime: Arc::clone(&store) as _,
            read_models: Arc::clone(&store) as _,
            support: Arc::clone(&store) as _,
            catalogues: Arc::clone(&store) as _,
            about: Arc::clone(&store) as _,
            budget: Arc::clone(&store) as _,
            operators: store,
            seal_key,
            keys: Keys::random(),
        }
    }
}

/// Why a store cannot be used. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// The store itself.
    #[error("cannot use the store {url}")]
    Store {
        /// Which, without a password.
        url: String,
        /// Why.
        source: StoreError,
    },
    /// The folder of the store cannot be made.
    #[error("cannot make the folder {folder} for the store")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing is kept there.
    #[error(
        "DATABASE_URL is memory:, where nothing is kept; name a sqlite:// file or a postgres:// database"
    )]
    Forgetful,
    /// There is no such file.
    #[error("there is no store at {path}: check DATABASE_URL; the server makes it when it starts")]
    Missing {
        /// Where.
        path: String,
    },
}

/// An open store and what closes it.
#[derive(Debug)]
pub struct OpenStore {
    stores: Stores,
    closing: Closing,
}

#[derive(Debug)]
enum Closing {
    Memory,
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

impl OpenStore {
    /// Opens a store for writing and checks that it keeps what it confirms.
    ///
    /// # Errors
    /// [`OpenFailed`].
    pub async fn open(url: &DatabaseUrl) -> Result<OpenStore, OpenFailed> {
        let failed = |source| OpenFailed::Store { url: url.to_string(), source };
        match url {
            DatabaseUrl::Memory => {
                Ok(OpenStore { stores: Stores::of(MemoryStore::private()), closing: Closing::Memory })
            }
            DatabaseUrl::Sqlite(path) => {
                make_folder_of(path)?;
                Ok(Self::sqlite(SqliteStore::open(path).await.map_err(failed)?))
            }
            DatabaseUrl::Postgres(address) => {
                Ok(Self::postgres(PostgresStore::open(address.expose()).await.map_err(failed)?))
            }
        }
    }

    /// Opens a store that exists, for reading, also beside running servers.
    ///
    /// # Errors
    /// [`OpenFailed`].
    pub async fn open_read_only(url: &DatabaseUrl) -> Result<OpenStore, OpenFailed> {
        let failed = |source| OpenFailed::Store { url: url.to_string(), source };
        match url {
            DatabaseUrl::Memory => Err(OpenFailed::Forgetful),
            DatabaseUrl::Sqlite(path) => {
                require_file(path)?;
                Ok(Self::sqlite(SqliteStore::open_read_only(path).await.map_err(failed)?))
            }
            DatabaseUrl::Postgres(address) => {
                let store = PostgresStore::open_read_only(address.expose()).await;
                Ok(Self::postgres(store.map_err(failed)?))
            }
        }
    }

    /// Opens a store for a tool that changes what is not the journal, also beside running servers. A file that no server
    /// uses is made and upgraded like at a start.
    ///
    /// # Errors
    /// [`OpenFailed`].
    pub async fn open_beside(url: &DatabaseUrl) -> Result<OpenStore, OpenFailed> {
        let failed = |source| OpenFailed::Store { url: url.to_string(), source };
        match (url, Self::open(url).await) {
            (DatabaseUrl::Memory, _) => Err(OpenFailed::Forgetful),
            (DatabaseUrl::Sqlite(path), Err(OpenFailed::Store { source: StoreError::InUse { .. }, .. })) => {
                Ok(Self::sqlite(SqliteStore::open_beside(path).await.map_err(failed)?))
            }
            (_, opened) => opened,
        }
    }

    fn sqlite(store: SqliteStore) -> OpenStore {
        OpenStore { stores: Stores::of(store.clone()), closing: Closing::Sqlite(store) }
    }

    fn postgres(store: PostgresStore) -> OpenStore {
        let seal_key = store.seal_key();
        OpenStore {
            stores: Stores { seal_key, ..Stores::of(store.clone()) },
            closing: Closing::Postgres(store),
        }
    }

    /// The same store, in front of which the process dies.
    #[cfg(feature = "fault-points")]
    #[must_use]
    pub fn dying_at(mut self, point: crate::fault_points::FaultPoint) -> Self {
        let journal = Arc::clone(&self.stores.journal);
        self.stores.journal = Arc::new(crate::fault_points::DyingStore::new(journal, point));
        self
    }

    /// The faces of the store.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Ends its connections and gives a file free.
    pub async fn close(self) {
        match self.closing {
            Closing::Memory => {}
            Closing::Sqlite(store) => store.close().await,
            Closing::Postgres(store) => store.close().await,
        }
    }
}

/// Brings the tables of a store up to date. Says where every migration stands then.
///
/// # Errors
/// [`OpenFailed`].
pub async fn migrate(url: &DatabaseUrl) -> Result<Vec<MigrationStatus>, OpenFailed> {
    let migrated = match url {
        DatabaseUrl::Memory => return Err(OpenFailed::Forgetful),
        DatabaseUrl::Sqlite(path) => {
            make_folder_of(path)?;
            SqliteStore::migrate(path).await
        }
        DatabaseUrl::Postgres(address) => PostgresStore::migrate(address.expose()).await,
    };
    migrated.map_err(|source| OpenFailed::Store { url: url.to_string(), source })
}

/// Says where every migration stands; changes nothing.
///
/// # Errors
/// [`OpenFailed`].
pub async fn migration_status(url: &DatabaseUrl) -> Result<Vec<MigrationStatus>, OpenFailed> {
    let status = match url {
        DatabaseUrl::Memory => return Err(OpenFailed::Forgetful),
        DatabaseUrl::Sqlite(path) => {
            require_file(path)?;
            SqliteStore::migration_status(path).await
        }
        DatabaseUrl::Postgres(address) => PostgresStore::migration_status(address.expose()).await,
    };
    status.map_err(|source| OpenFailed::Store { url: url.to_string(), source })
}

fn require_file(path: &Path) -> Result<(), OpenFailed> {
    if path.exists() { Ok(()) } else { Err(OpenFailed::Missing { path: path.display().to_string() }) }
}

fn make_folder_of(path: &Path) -> Result<(), OpenFailed> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder)
            .map_err(|source| OpenFailed::Folder { folder: folder.display().to_string(), source }),
        _ => Ok(()),
    }
}
