//! The journal: one writer per hero, nothing lost.
//!
//! A hero's truth is a row of events and, to start faster, snapshots of it. [`JournalStore`] is where they live;
//! [`JournalWriter`] is the actor that brings them there in batches and says when they are durable; [`scan`] reads
//! everything again and says what does not fit. [`ReadModelStore`] keeps copies of it as tables for people. This crate knows no rule of the game and no wire format.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, reason = "what comes from outside must not panic"))]

pub mod about;
pub mod accounts;
pub mod budget;
pub mod catalogue;
pub mod error;
mod jitter;
mod load;
pub mod memory;
mod migration;
pub mod operators;
pub mod postgres;
pub mod read_model;
mod read_rows;
pub mod record;
pub mod redis;
mod rows;
pub mod scan;
pub mod sqlite;
pub mod store;
pub mod support;
pub mod text_keys;
pub mod uptime;
pub mod writer;

pub use about::{About, AboutStore, KnownNode};
pub use accounts::{AccountId, AccountStore, Device, DeviceId, NewGuest, TokenHash};
pub use budget::{BudgetNotice, BudgetStore, Month, ServerTime};
pub use catalogue::{
    CatalogueKept, CatalogueStore, InForce, KeptCatalogue, NewCatalogue, Published, StoredBanner,
};
pub use error::{Fence, FenceReason, StoreError};
pub use load::load_hot;
pub use memory::{Fault, MemoryStore};
pub use migration::MigrationStatus;
pub use operators::OperatorStore;
pub use postgres::PostgresStore;
pub use read_model::{
    AssemblyRow, AssemblyState, Behind, FocusSessionRow, HeroRows, LedgerRow, LedgerSum, ReadModelStore,
    ReadRows, SessionState, TaskRow, Totals,
};
pub use record::{
    Chain, CommandRef, CommandSeq, Epoch, EventBody, EventKind, EventRecord, HeroId, NodeId, Seq,
    SnapshotRecord, StreamId,
};
pub use redis::{Cache, CacheConfig, CacheFact, CacheTask, Hint, NodePresence, RedisUrl, Whereabouts};
pub use sqlite::SqliteStore;
pub use store::{
    Appended, Claim, ConnectionCount, HeroAppend, HeroHead, HeroState, JournalStore, Loaded, SnapshotOutcome,
    Speaker, StoreFuture,
};
pub use support::SupportStore;
pub use text_keys::{StoredTextKey, TextKeyStore};
pub use uptime::{Outage, UptimeStore};
pub use writer::{
    Drained, JournalHandle, JournalWriter, Notice, Permit, Refused, Subscription, Ticket, WriterConfig,
    WriterFact, WriterFailed, WriterStats,
};
