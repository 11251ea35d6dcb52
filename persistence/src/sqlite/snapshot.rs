//! Snapshots, inside the caller's transaction.

use sqlx::sqlite::SqliteConnection;

use crate::record::{SNAPSHOTS_KEPT, SnapshotRecord, int};
use crate::store::SnapshotOutcome;

pub(super) async fn store(
    connection: &mut SqliteConnection,
    snapshots: &[SnapshotRecord],
) -> Result<Vec<SnapshotOutcome>, sqlx::Error> {
    let mut outcomes = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        outcomes.push(store_one(connection, snapshot).await?);
    }
    Ok(outcomes)
}

async fn store_one(
    connection: &mut SqliteConnection,
    snapshot: &SnapshotRecord,
) -> Result<SnapshotOutcome, sqlx::Error> {
    // The owner's epoch, not ahead of the stored events, on their chain (D11). The last snapshot of a hero may
    // come after its release: until the next claim the epoch is still its own. One at the same position is replaced:
    // that is how a damaged one heals.
    let insert = "INSERT INTO hero_snapshot (hero_id, seq, epoch, schema_version, chain, state_hash, state, at_ms)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
        WHERE EXISTS (SELECT 1 FROM hero_head
                WHERE hero_id = ?1 AND epoch = ?3 AND last_seq >= ?2 AND state <> 'quarantined')
            AND EXISTS (SELECT 1 FROM hero_event WHERE hero_id = ?1 AND seq = ?2 AND chain = ?5)
        ON CONFLICT (hero_id, seq) DO UPDATE SET epoch = excluded.epoch, schema_version = excluded.schema_version,
            chain = excluded.chain, state_hash = excluded.state_hash, state = excluded.state, at_ms = excluded.at_ms";
    let stored = sqlx::query(insert)
        .bind(snapshot.hero.0)
        .bind(int(snapshot.seq.0))
        .bind(int(snapshot.epoch.0))
        .bind(snapshot.schema_version)
        .bind(&snapshot.chain.0[..])
        .bind(&snapshot.state_hash[..])
        .bind(&snapshot.state[..])
        .bind(snapshot.at_ms)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if stored == 0 {
        return Ok(SnapshotOutcome::Stale);
    }
    let head = "UPDATE hero_head SET snap_seq = max(snap_seq, ?2), min_reader = max(min_reader, ?3)
        WHERE hero_id = ?1";
    sqlx::query(head)
        .bind(snapshot.hero.0)
        .bind(int(snapshot.seq.0))
        .bind(snapshot.schema_version)
        .execute(&mut *connection)
        .await?;
    let prune = "DELETE FROM hero_snapshot WHERE hero_id = ?1 AND seq NOT IN
        (SELECT seq FROM hero_snapshot WHERE hero_id = ?1 ORDER BY seq DESC LIMIT ?2)";
    sqlx::query(prune).bind(snapshot.hero.0).bind(SNAPSHOTS_KEPT).execute(connection).await?;
    Ok(SnapshotOutcome::Kept)
}
