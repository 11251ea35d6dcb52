//! Damages one hero's rows in a store, or mends them, while no server runs. What was there is kept in tables of our own.

use anyhow::Result;

use super::machine::run;
use super::postgres::ask;
use crate::faults::ServerPlan;

/// What is done to a hero.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    /// Says how many events come after the newest snapshot.
    Tail,
    /// Says what state the hero is in.
    State,
    /// Flips a bit of the newest event.
    FlipEvent,
    /// Flips a bit of the newest snapshot.
    FlipSnapshot,
    /// Makes the newest event one of schema version 999, with a chain that holds.
    FutureEvent,
    /// Puts everything back and frees the hero.
    Mend,
}

/// Does it, in SQLite or Postgres, and returns what it says.
pub(super) fn operate(plan: &ServerPlan, what: Operation, hero_id: &str) -> Result<String> {
    let url = plan.database_url();
    if url.starts_with("postgres") {
        return on_postgres(&url, what, hero_id);
    }
    let word = match what {
        Operation::Tail => "tail",
        Operation::State => "state",
        Operation::FlipEvent => "event",
        Operation::FlipSnapshot => "snapshot",
        Operation::FutureEvent => "future",
        Operation::Mend => "mend",
    };
    let file = url.trim_start_matches("sqlite://");
    Ok(run("python3", &["-c", ON_SQLITE, file, word, hero_id])?.trim().to_owned())
}

/// `$HERO` stands for the hero's id, `$LAST` and `$SNAP` for the places of its newest event and snapshot.
fn on_postgres(url: &str, what: Operation, hero_id: &str) -> Result<String> {
    let sql = match what {
        Operation::Tail => "SELECT $LAST - coalesce($SNAP, 0)",
        Operation::State => "SELECT state FROM hero_head WHERE hero_id = $HERO",
        Operation::FlipEvent => FLIP_EVENT,
        Operation::FlipSnapshot => FLIP_SNAPSHOT,
        Operation::FutureEvent => FUTURE_EVENT,
        Operation::Mend => MEND,
    };
    let sql = sql
        .replace("$LAST", "(SELECT max(seq) FROM hero_event WHERE hero_id = $HERO)")
        .replace("$SNAP", "(SELECT max(seq) FROM hero_snapshot WHERE hero_id = $HERO)")
        .replace("$HERO", &format!("'{hero_id}'::uuid"));
    ask(url, &sql)
}

const FLIP_EVENT: &str = "
    CREATE TABLE surgery_event AS SELECT * FROM hero_event WHERE hero_id = $HERO AND seq = $LAST;
    UPDATE hero_event SET payload = set_bit(payload, length(payload) * 4, 1 - get_bit(payload, length(payload) * 4))
        WHERE hero_id = $HERO AND seq = $LAST";
const FLIP_SNAPSHOT: &str = "
    CREATE TABLE surgery_snapshot AS SELECT * FROM hero_snapshot WHERE hero_id = $HERO AND seq = $SNAP;
    UPDATE hero_snapshot SET state = set_bit(state, length(state) * 4, 1 - get_bit(state, length(state) * 4))
        WHERE hero_id = $HERO AND seq = $SNAP";
/// The chain as docs say it is made; a server that computes it otherwise refuses the hero as damaged, not as from the
/// future, and leaves it quarantined.
const FUTURE_EVENT: &str = r"
    CREATE TABLE surgery_event AS SELECT * FROM hero_event WHERE hero_id = $HERO AND seq = $LAST;
    CREATE TABLE surgery_head AS SELECT * FROM hero_head WHERE hero_id = $HERO;
    UPDATE hero_event SET schema_version = 999, chain = sha256(
            'dopamine-hero event 1'::bytea
            || (SELECT chain FROM hero_event WHERE hero_id = $HERO AND seq = $LAST - 1)
            || uuid_send(hero_id) || int8send(seq) || int8send(epoch)
            || CASE WHEN stream_id IS NULL THEN '\x00'::bytea
                ELSE '\x01'::bytea || int8send(stream_id) || int8send(cmd_seq) END
            || int8send(length(kind)) || kind::bytea || int2send(999::smallint)
            || int4send(catalogue_version::integer) || int8send(at_ms) || int8send(length(payload)) || payload)
        WHERE hero_id = $HERO AND seq = $LAST;
    UPDATE hero_head SET min_reader = 999, chain = (SELECT chain FROM hero_event WHERE hero_id = $HERO AND seq = $LAST)
        WHERE hero_id = $HERO";
const MEND: &str = "
    CREATE TABLE IF NOT EXISTS surgery_event AS SELECT * FROM hero_event WHERE false;
    CREATE TABLE IF NOT EXISTS surgery_snapshot AS SELECT * FROM hero_snapshot WHERE false;
    CREATE TABLE IF NOT EXISTS surgery_head AS SELECT * FROM hero_head WHERE false;
    DELETE FROM hero_event USING surgery_event kept
        WHERE hero_event.hero_id = kept.hero_id AND hero_event.seq = kept.seq;
    INSERT INTO hero_event SELECT * FROM surgery_event;
    DELETE FROM hero_snapshot USING surgery_snapshot kept
        WHERE hero_snapshot.hero_id = kept.hero_id AND hero_snapshot.seq = kept.seq;
    INSERT INTO hero_snapshot SELECT * FROM surgery_snapshot;
    UPDATE hero_head SET min_reader = kept.min_reader, chain = kept.chain FROM surgery_head kept
        WHERE hero_head.hero_id = kept.hero_id;
    UPDATE hero_head SET state = 'free' WHERE hero_id = $HERO;
    DELETE FROM poison_command WHERE hero_id = $HERO;
    DROP TABLE surgery_event, surgery_snapshot, surgery_head";
/// Damages one row of a SQLite store, or mends it, while no server runs. `argv`: file, what, hero (a UUID). The bytes that
/// were there are kept in a table of our own.
const ON_SQLITE: &str = r#"
import hashlib, sqlite3, sys, uuid
file, what, hero = sys.argv[1], sys.argv[2], uuid.UUID(sys.argv[3]).bytes
db = sqlite3.connect(file)
one = lambda sql, *values: db.execute(sql, values).fetchone()
flip = lambda data: data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 16]) + data[len(data) // 2 + 1:]
db.execute("CREATE TABLE IF NOT EXISTS surgery_event AS SELECT * FROM hero_event WHERE 0")
db.execute("CREATE TABLE IF NOT EXISTS surgery_head AS SELECT * FROM hero_head WHERE 0")
db.execute("CREATE TABLE IF NOT EXISTS surgery_snapshot AS SELECT * FROM hero_snapshot WHERE 0")
last = one("SELECT max(seq) FROM hero_event WHERE hero_id = ?", hero)[0]
snap = one("SELECT max(seq) FROM hero_snapshot WHERE hero_id = ?", hero)[0]
if what == "tail":
    print(last - (snap or 0))
elif what == "event":
    db.execute("INSERT INTO surgery_event SELECT * FROM hero_event WHERE hero_id = ? AND seq = ?", (hero, last))
    payload = one("SELECT payload FROM hero_event WHERE hero_id = ? AND seq = ?", hero, last)[0]
    db.execute("UPDATE hero_event SET payload = ? WHERE hero_id = ? AND seq = ?", (flip(payload), hero, last))
elif what == "snapshot":
    db.execute("INSERT INTO surgery_snapshot SELECT * FROM hero_snapshot WHERE hero_id = ? AND seq = ?", (hero, snap))
    state = one("SELECT state FROM hero_snapshot WHERE hero_id = ? AND seq = ?", hero, snap)[0]
    db.execute("UPDATE hero_snapshot SET state = ? WHERE hero_id = ? AND seq = ?", (flip(state), hero, snap))
elif what == "future":
    db.execute("INSERT INTO surgery_event SELECT * FROM hero_event WHERE hero_id = ? AND seq = ?", (hero, last))
    db.execute("INSERT INTO surgery_head SELECT * FROM hero_head WHERE hero_id = ?", (hero,))
    previous = one("SELECT chain FROM hero_event WHERE hero_id = ? AND seq = ?", hero, last - 1)[0]
    epoch, stream, number, kind, catalogue, at, payload = one(
        "SELECT epoch, stream_id, cmd_seq, kind, catalogue_version, at_ms, payload FROM hero_event "
        "WHERE hero_id = ? AND seq = ?", hero, last)
    be = lambda value, size: value.to_bytes(size, "big", signed=False)
    command = b"\0" if stream is None else b"\1" + be(stream, 8) + be(number, 8)
    chain = hashlib.sha256(
        b"dopamine-hero event 1" + previous + hero + be(last, 8) + be(epoch, 8) + command
        + be(len(kind), 8) + kind.encode() + be(999, 2) + be(catalogue, 4) + at.to_bytes(8, "big", signed=True)
        + be(len(payload), 8) + payload).digest()
    db.execute("UPDATE hero_event SET schema_version = 999, chain = ? WHERE hero_id = ? AND seq = ?", (chain, hero, last))
    db.execute("UPDATE hero_head SET min_reader = 999, chain = ? WHERE hero_id = ?", (chain, hero))
elif what == "state":
    print(one("SELECT state FROM hero_head WHERE hero_id = ?", hero)[0])
elif what == "mend":
    db.execute("REPLACE INTO hero_event SELECT * FROM surgery_event WHERE hero_id = ?", (hero,))
    db.execute("REPLACE INTO hero_snapshot SELECT * FROM surgery_snapshot WHERE hero_id = ?", (hero,))
    db.execute("UPDATE hero_head SET state = 'free', min_reader = coalesce((SELECT min_reader FROM surgery_head s "
        "WHERE s.hero_id = hero_head.hero_id), min_reader), chain = coalesce((SELECT chain FROM surgery_head s "
        "WHERE s.hero_id = hero_head.hero_id), chain) WHERE hero_id = ?", (hero,))
    db.execute("DELETE FROM poison_command WHERE hero_id = ?", (hero,))
    for table in ("surgery_event", "surgery_head", "surgery_snapshot"):
        db.execute("DROP TABLE " + table)
db.commit()
"#;
