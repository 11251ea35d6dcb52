//! Snapshots, all of a call in one statement.

use std::collections::BTreeSet;

use sqlx::Row;
use sqlx::postgres::PgConnection;

use crate::record::{SNAPSHOTS_KEPT, SnapshotRecord, int};
use crate::store::SnapshotOutcome;

/// Stores those whose hero is still the caller's and whose chain is that of the stored event (D11), and prunes.
const SQL: &str = "WITH given AS (
        SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[],
            $7::bytea[], $8::bytea[], $9::bytea[])
            AS given (number, hero_id, seq, epoch, at_ms, schema_version, chain, state_hash, state)
    ), fitting AS (
        SELECT given.* FROM given
        JOIN hero_head head ON head.hero_id = given.hero_id AND head.epoch = given.epoch
            AND head.state <> 'quarantined' AND head.last_seq >= given.seq
        JOIN hero_event event ON event.hero_id = given.hero_id AND event.seq = given.seq AND event.chain = given.chain
        FOR NO KEY UPDATE OF head
    ), stored AS (
        INSERT INTO hero_snapshot (hero_id, seq, epoch, at_ms, schema_version, chain, state_hash, state)
        SELECT hero_id, seq, epoch, at_ms, schema_version, chain, state_hash, state FROM fitting
        ON CONFLICT (hero_id, seq) DO UPDATE SET epoch = excluded.epoch, at_ms = excluded.at_ms,
            schema_version = excluded.schema_version, chain = excluded.chain, state_hash = excluded.state_hash,
            state = excluded.state
    ), moved AS (
        UPDATE hero_head head SET snap_seq = greatest(head.snap_seq, newest.seq),
            min_reader = greatest(head.min_reader, newest.schema_version)
        FROM (SELECT hero_id, max(seq) AS seq, max(schema_version) AS schema_version FROM fitting GROUP BY hero_id)
            AS newest
        WHERE head.hero_id = newest.hero_id
    ), pruned AS (
        -- What is stored here is not seen yet by this part of the statement, so it is counted from both.
        DELETE FROM hero_snapshot old
        WHERE old.hero_id IN (SELECT hero_id FROM fitting)
            AND (old.hero_id, old.seq) NOT IN (SELECT hero_id, seq FROM fitting)
            AND $10 <= (SELECT count(*) FROM (
                    SELECT seq FROM hero_snapshot WHERE hero_id = old.hero_id
                    UNION SELECT seq FROM fitting WHERE hero_id = old.hero_id) AS kept
                WHERE kept.seq > old.seq)
    )
    SELECT number FROM fitting";

pub(super) async fn store(
    connection: &mut PgConnection,
    snapshots: &[SnapshotRecord],
) -> Result<Vec<SnapshotOutcome>, sqlx::Error> {
    let numbers: Vec<i64> = (0..).take(snapshots.len()).collect();
    let rows = sqlx::query(SQL)
        .bind(&numbers)
        .bind(snapshots.iter().map(|it| it.hero.0).collect::<Vec<_>>())
        .bind(snapshots.iter().map(|it| int(it.seq.0)).collect::<Vec<_>>())
        .bind(snapshots.iter().map(|it| int(it.epoch.0)).collect::<Vec<_>>())
        .bind(snapshots.iter().map(|it| it.at_ms).collect::<Vec<_>>())
        .bind(snapshots.iter().map(|it| i32::from(it.schema_version)).collect::<Vec<_>>())
        .bind(snapshots.iter().map(|it| &it.chain.0[..]).collect::<Vec<_>>())
        .bind(snapshots.iter().map(|it| &it.state_hash[..]).collect::<Vec<_>>())
        .bind(snapshots.iter().map(|it| &it.state[..]).collect::<Vec<_>>())
        .bind(i64::from(SNAPSHOTS_KEPT))
        .fetch_all(connection)
        .await?;
    let kept = rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<i64>, _>>()?;
    let outcome = |number| {
        if kept.contains(number) { SnapshotOutcome::Kept } else { SnapshotOutcome::Stale }
    };
    Ok(numbers.iter().map(outcome).collect())
}
