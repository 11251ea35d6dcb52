-- What happened, as tables for people. A follower fills them from the journal, and `rebuild-read-models` makes them again:
-- nothing in the game reads them. So no row refers to the journal's tables, and each hero's position lies beside its rows.
-- All times are milliseconds of UTC, all amounts thousandths.

CREATE TABLE read_position (
    hero_id BLOB    NOT NULL PRIMARY KEY CHECK (length(hero_id) = 16),
    seq     INTEGER NOT NULL CHECK (seq >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE energy_ledger (
    hero_id     BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    cause       TEXT,
    subject     TEXT,
    energy_me   INTEGER NOT NULL,
    earned_me   INTEGER NOT NULL,
    dopamine_md INTEGER NOT NULL,
    PRIMARY KEY (hero_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE focus_sessions (
    hero_id         BLOB    NOT NULL,
    session_id      INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('open', 'asks', 'ended', 'discarded')),
    end_kind        TEXT,
    mode            TEXT    NOT NULL,
    planned_minutes INTEGER,
    category        TEXT    NOT NULL,
    task_id         INTEGER,
    started_at_ms   INTEGER NOT NULL,
    ended_at_ms     INTEGER,
    interruptions   INTEGER NOT NULL,
    focus_ms        INTEGER NOT NULL,
    energy_me       INTEGER NOT NULL,
    dopamine_md     INTEGER NOT NULL,
    PRIMARY KEY (hero_id, session_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks (
    hero_id          BLOB    NOT NULL,
    task_id          INTEGER NOT NULL,
    parent_id        INTEGER,
    title            TEXT    NOT NULL,
    category         TEXT    NOT NULL,
    priority         TEXT    NOT NULL,
    estimate_minutes INTEGER NOT NULL,
    due_day          INTEGER,
    repeats          INTEGER NOT NULL CHECK (repeats IN (0, 1)),
    created_at_ms    INTEGER NOT NULL,
    done_at_ms       INTEGER,
    removed_at_ms    INTEGER,
    focus_ms         INTEGER NOT NULL,
    PRIMARY KEY (hero_id, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE module_assemblies (
    hero_id       BLOB    NOT NULL,
    job_id        INTEGER NOT NULL,
    module_id     TEXT    NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('running', 'assembled', 'cancelled')),
    counts        INTEGER NOT NULL CHECK (counts IN (0, 1)),
    paid_me       INTEGER NOT NULL,
    refund_me     INTEGER NOT NULL,
    finish_md     INTEGER NOT NULL,
    work_ms       INTEGER NOT NULL,
    started_at_ms INTEGER,
    ended_at_ms   INTEGER,
    PRIMARY KEY (hero_id, job_id)
) STRICT, WITHOUT ROWID;

-- For totals over all heroes since some moment.
CREATE INDEX energy_ledger_earned ON energy_ledger (at_ms, earned_me) WHERE earned_me <> 0;
CREATE INDEX focus_sessions_ended ON focus_sessions (ended_at_ms, focus_ms) WHERE state IN ('asks', 'ended');
CREATE INDEX tasks_done ON tasks (done_at_ms) WHERE done_at_ms IS NOT NULL;
CREATE INDEX module_assemblies_built ON module_assemblies (ended_at_ms) WHERE state = 'assembled' AND counts = 1;
