-- The journal and the devices that may write to it. All times are milliseconds of UTC, all ids 16 bytes.

CREATE TABLE hero_head (
    hero_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(hero_id) = 16),
    epoch      INTEGER NOT NULL CHECK (epoch >= 0),
    last_seq   INTEGER NOT NULL CHECK (last_seq >= 0),
    snap_seq   INTEGER NOT NULL CHECK (snap_seq BETWEEN 0 AND last_seq),
    min_reader INTEGER NOT NULL,
    -- The chain at last_seq: a lost last row is noticed, and an append that grew out of another history is too.
    chain      BLOB    NOT NULL CHECK (length(chain) = 32),
    node_id    BLOB    CHECK (length(node_id) = 16),
    state      TEXT    NOT NULL CHECK (state IN ('free', 'owned', 'quarantined'))
) STRICT, WITHOUT ROWID;

CREATE TABLE hero_event (
    hero_id           BLOB    NOT NULL REFERENCES hero_head (hero_id),
    seq               INTEGER NOT NULL CHECK (seq > 0),
    epoch             INTEGER NOT NULL CHECK (epoch > 0),
    stream_id         INTEGER,
    cmd_seq           INTEGER CHECK ((cmd_seq IS NULL) = (stream_id IS NULL)),
    kind              TEXT    NOT NULL,
    schema_version    INTEGER NOT NULL,
    catalogue_version INTEGER NOT NULL,
    at_ms             INTEGER NOT NULL,
    chain             BLOB    NOT NULL CHECK (length(chain) = 32),
    payload           BLOB    NOT NULL,
    PRIMARY KEY (hero_id, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX hero_event_command ON hero_event (hero_id, stream_id, cmd_seq) WHERE stream_id IS NOT NULL;

-- With a rowid: states are large, and large rows make a table without one slow.
CREATE TABLE hero_snapshot (
    hero_id        BLOB    NOT NULL REFERENCES hero_head (hero_id),
    seq            INTEGER NOT NULL CHECK (seq > 0),
    epoch          INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    chain          BLOB    NOT NULL CHECK (length(chain) = 32),
    state_hash     BLOB    NOT NULL CHECK (length(state_hash) = 32),
    state          BLOB    NOT NULL,
    at_ms          INTEGER NOT NULL,
    PRIMARY KEY (hero_id, seq)
) STRICT;

-- The lease of a node covers every hero it owns: one row to renew, however many heroes there are.
CREATE TABLE node (
    node_id        BLOB    NOT NULL PRIMARY KEY CHECK (length(node_id) = 16),
    lease_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Why a hero is quarantined.
CREATE TABLE poison_command (
    hero_id BLOB    NOT NULL PRIMARY KEY REFERENCES hero_head (hero_id),
    reason  TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    device_id     BLOB    NOT NULL PRIMARY KEY CHECK (length(device_id) = 16),
    hero_id       BLOB    NOT NULL REFERENCES hero_head (hero_id),
    token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    name          TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX device_of_hero ON device (hero_id, created_at_ms);

-- Written by the probe that asks whether an append would work.
CREATE TABLE store_probe (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
