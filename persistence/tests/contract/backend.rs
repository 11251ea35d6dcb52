//! What the contract needs of a backend.

use std::path::PathBuf;
use std::sync::Arc;

use persistence::{
    AboutStore, AccountStore, BudgetStore, CatalogueStore, HeroId, JournalStore, MemoryStore, OperatorStore,
    PostgresStore, ReadModelStore, Seq, SqliteStore, SupportStore, TextKeyStore, UptimeStore,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use test_servers::Postgres as Server;

use crate::folder::Folder;

/// A store that can be made, broken and opened again.
pub(crate) trait Backend: Sized {
    /// An empty one.
    async fn create() -> Self;
    fn journal(&self) -> Arc<dyn JournalStore>;
    fn accounts(&self) -> Arc<dyn AccountStore>;
    fn text_keys(&self) -> Arc<dyn TextKeyStore>;
    fn operators(&self) -> Arc<dyn OperatorStore>;
    fn uptime(&self) -> Arc<dyn UptimeStore>;
    fn support(&self) -> Arc<dyn SupportStore>;
    fn read_models(&self) -> Arc<dyn ReadModelStore>;
    fn catalogues(&self) -> Arc<dyn CatalogueStore>;
    fn about(&self) -> Arc<dyn AboutStore>;
    fn budget(&self) -> Arc<dyn BudgetStore>;
    /// The same data after the process ended without a word.
    async fn reopen(self) -> Self;
    async fn damage_event(&self, hero: HeroId, seq: Seq);
    async fn damage_snapshot(&self, hero: HeroId, seq: Seq);
    async fn lose_event(&self, hero: HeroId, seq: Seq);
}

pub(crate) struct Memory(MemoryStore);

impl Backend for Memory {
    async fn create() -> Self {
        Self(MemoryStore::new())
    }

    fn journal(&self) -> Arc<dyn JournalStore> {
        Arc::new(self.0.clone())
    }

    fn accounts(&self) -> Arc<dyn AccountStore> {
        Arc::new(self.0.clone())
    }

    fn text_keys(&self) -> Arc<dyn TextKeyStore> {
        Arc::new(self.0.clone())
    }

    fn operators(&self) -> Arc<dyn OperatorStore> {
        Arc::new(self.0.clone())
    }

    fn uptime(&self) -> Arc<dyn UptimeStore> {
        Arc::new(self.0.clone())
    }

    fn support(&self) -> Arc<dyn SupportStore> {
        Arc::new(self.0.clone())
    }

    fn read_models(&self) -> Arc<dyn ReadModelStore> {
        Arc::new(self.0.clone())
    }

    fn catalogues(&self) -> Arc<dyn CatalogueStore> {
        Arc::new(self.0.clone())
    }

    fn about(&self) -> Arc<dyn AboutStore> {
        Arc::new(self.0.clone())
    }

    fn budget(&self) -> Arc<dyn BudgetStore> {
        Arc::new(self.0.clone())
    }

    async fn reopen(self) -> Self {
        self.0.crash();
        self
    }

    async fn damage_event(&self, hero: HeroId, seq: Seq) {
        assert!(self.0.damage_event(hero, seq));
    }

    async fn damage_snapshot(&self, hero: HeroId, seq: Seq) {
        assert!(self.0.damage_snapshot(hero, seq));
    }

    async fn lose_event(&self, hero: HeroId, seq: Seq) {
        assert!(self.0.lose_event(hero, seq));
    }
}

pub(crate) struct Sqlite {
    store: SqliteStore,
    folder: Folder,
}

impl Sqlite {
    /// What nobody but a broken disk does.
    async fn tamper(&self, sql: &'static str, hero: HeroId, seq: Seq) {
        let options = SqliteConnectOptions::new().filename(self.folder.file()).foreign_keys(false);
        let mut connection: SqliteConnection = options.connect().await.unwrap();
        let seq = i64::try_from(seq.0).unwrap();
        let done = sqlx::query(sql).bind(hero.0).bind(seq).execute(&mut connection).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        connection.close().await.unwrap();
    }
}

impl Backend for Sqlite {
    async fn create() -> Self {
        let folder = Folder::new();
        Self { store: SqliteStore::open(&folder.file()).await.unwrap(), folder }
    }

    fn journal(&self) -> Arc<dyn JournalStore> {
        Arc::new(self.store.clone())
    }

    fn accounts(&self) -> Arc<dyn AccountStore> {
        Arc::new(self.store.clone())
    }

    fn text_keys(&self) -> Arc<dyn TextKeyStore> {
        Arc::new(self.store.clone())
    }

    fn operators(&self) -> Arc<dyn OperatorStore> {
        Arc::new(self.store.clone())
    }

    fn uptime(&self) -> Arc<dyn UptimeStore> {
        Arc::new(self.store.clone())
    }

    fn support(&self) -> Arc<dyn SupportStore> {
        Arc::new(self.store.clone())
    }

    fn read_models(&self) -> Arc<dyn ReadModelStore> {
        Arc::new(self.store.clone())
    }

    fn catalogues(&self) -> Arc<dyn CatalogueStore> {
        Arc::new(self.store.clone())
    }

    fn about(&self) -> Arc<dyn AboutStore> {
        Arc::new(self.store.clone())
    }

    fn budget(&self) -> Arc<dyn BudgetStore> {
        Arc::new(self.store.clone())
    }

    async fn reopen(self) -> Self {
        // The files as a killed process leaves them: copied under the open store, never closed, with the log unmerged.
        let after = Folder::new();
        for suffix in ["", "-wal"] {
            let name = |folder: &Folder| PathBuf::from(format!("{}{suffix}", folder.file().display()));
            std::fs::copy(name(&self.folder), name(&after)).unwrap();
        }
        self.store.close().await;
        Self { store: SqliteStore::open(&after.file()).await.unwrap(), folder: after }
    }

    async fn damage_event(&self, hero: HeroId, seq: Seq) {
        let sql = "UPDATE hero_event SET payload = CAST(replace(CAST(payload AS TEXT), 'e', 'f') AS BLOB)
            WHERE hero_id = ? AND seq = ?";
        self.tamper(sql, hero, seq).await;
    }

    async fn damage_snapshot(&self, hero: HeroId, seq: Seq) {
        let sql = "UPDATE hero_snapshot SET state = CAST(replace(CAST(state AS TEXT), 's', 't') AS BLOB)
            WHERE hero_id = ? AND seq = ?";
        self.tamper(sql, hero, seq).await;
    }

    async fn lose_event(&self, hero: HeroId, seq: Seq) {
        self.tamper("DELETE FROM hero_event WHERE hero_id = ? AND seq = ?", hero, seq).await;
    }
}

pub(crate) struct Postgres {
    store: PostgresStore,
    server: Server,
}

impl Postgres {
    /// What nobody but a broken disk does.
    fn tamper(&self, sql: &str) {
        assert_eq!(
            self.server.sql(
                &self.server.url(),
                &format!("WITH done AS ({sql} RETURNING 1) SELECT count(*) FROM done")
            ),
            "1"
        );
    }
}

impl Backend for Postgres {
    async fn create() -> Self {
        let server = Server::start();
        PostgresStore::migrate(&server.url()).await.unwrap();
        Self { store: PostgresStore::open(&server.url()).await.unwrap(), server }
    }

    fn journal(&self) -> Arc<dyn JournalStore> {
        Arc::new(self.store.clone())
    }

    fn accounts(&self) -> Arc<dyn AccountStore> {
        Arc::new(self.store.clone())
    }

    fn text_keys(&self) -> Arc<dyn TextKeyStore> {
        Arc::new(self.store.clone())
    }

    fn operators(&self) -> Arc<dyn OperatorStore> {
        Arc::new(self.store.clone())
    }

    fn uptime(&self) -> Arc<dyn UptimeStore> {
        Arc::new(self.store.clone())
    }

    fn support(&self) -> Arc<dyn SupportStore> {
        Arc::new(self.store.clone())
    }

    fn read_models(&self) -> Arc<dyn ReadModelStore> {
        Arc::new(self.store.clone())
    }

    fn catalogues(&self) -> Arc<dyn CatalogueStore> {
        Arc::new(self.store.clone())
    }

    fn about(&self) -> Arc<dyn AboutStore> {
        Arc::new(self.store.clone())
    }

    fn budget(&self) -> Arc<dyn BudgetStore> {
        Arc::new(self.store.clone())
    }

    async fn reopen(mut self) -> Self {
        // The database dies with the process, and comes back from its log.
        self.server.kill();
        self.server.restart();
        Self { store: PostgresStore::open(&self.server.url()).await.unwrap(), ..self }
    }

    async fn damage_event(&self, hero: HeroId, seq: Seq) {
        let seq = seq.0;
        self.tamper(&format!(
            "UPDATE hero_event SET payload = set_byte(payload, 0, get_byte(payload, 0) # 1)
                WHERE hero_id = '{hero}' AND seq = {seq}"
        ));
    }

    async fn damage_snapshot(&self, hero: HeroId, seq: Seq) {
        let seq = seq.0;
        self.tamper(&format!(
            "UPDATE hero_snapshot SET state = set_byte(state, 0, get_byte(state, 0) # 1)
                WHERE hero_id = '{hero}' AND seq = {seq}"
        ));
    }

    async fn lose_event(&self, hero: HeroId, seq: Seq) {
        let seq = seq.0;
        self.tamper(&format!("DELETE FROM hero_event WHERE hero_id = '{hero}' AND seq = {seq}"));
    }
}
