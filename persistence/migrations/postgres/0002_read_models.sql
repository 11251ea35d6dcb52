-- What happened, as tables for people. Followers fill them from the journal, and `rebuild-read-models` makes them again:
-- nothing in the game reads them. So no row refers to the journal's tables, and each hero's position lies beside its rows.
-- All times are milliseconds of UTC, all amounts thousandths, yes is 1 and no is 0.

CREATE TABLE read_position (
    hero_id uuid   PRIMARY KEY,
    seq     bigint NOT NULL CHECK (seq >= 0)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE energy_ledger (
    hero_id     uuid   NOT NULL,
    seq         bigint NOT NULL,
    at_ms       bigint NOT NULL,
    energy_me   bigint NOT NULL,
    earned_me   bigint NOT NULL,
    dopamine_md bigint NOT NULL,
    kind        text   NOT NULL,
    cause       text,
    subject     text,
    PRIMARY KEY (hero_id, seq)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.1);

CREATE TABLE focus_sessions (
    hero_id         uuid   NOT NULL,
    session_id      bigint NOT NULL,
    planned_minutes bigint,
    task_id         bigint,
    started_at_ms   bigint NOT NULL,
    ended_at_ms     bigint,
    interruptions   bigint NOT NULL,
    focus_ms        bigint NOT NULL,
    energy_me       bigint NOT NULL,
    dopamine_md     bigint NOT NULL,
    state           text   NOT NULL CHECK (state IN ('open', 'asks', 'ended', 'discarded')),
    end_kind        text,
    mode            text   NOT NULL,
    category        text   NOT NULL,
    PRIMARY KEY (hero_id, session_id)
) WITH (fillfactor = 80);

CREATE TABLE tasks (
    hero_id          uuid   NOT NULL,
    task_id          bigint NOT NULL,
    parent_id        bigint,
    estimate_minutes bigint NOT NULL,
    due_day          bigint,
    repeats          bigint NOT NULL CHECK (repeats IN (0, 1)),
    created_at_ms    bigint NOT NULL,
    done_at_ms       bigint,
    removed_at_ms    bigint,
    focus_ms         bigint NOT NULL,
    title            text   NOT NULL,
    category         text   NOT NULL,
    priority         text   NOT NULL,
    PRIMARY KEY (hero_id, task_id)
) WITH (fillfactor = 80);

CREATE TABLE module_assemblies (
    hero_id       uuid   NOT NULL,
    job_id        bigint NOT NULL,
    counts        bigint NOT NULL CHECK (counts IN (0, 1)),
    paid_me       bigint NOT NULL,
    refund_me     bigint NOT NULL,
    finish_md     bigint NOT NULL,
    work_ms       bigint NOT NULL,
    started_at_ms bigint,
    ended_at_ms   bigint,
    module_id     text   NOT NULL,
    state         text   NOT NULL CHECK (state IN ('running', 'assembled', 'cancelled')),
    PRIMARY KEY (hero_id, job_id)
) WITH (fillfactor = 80);

-- For totals over all heroes since some moment.
CREATE INDEX energy_ledger_earned ON energy_ledger (at_ms, earned_me) WHERE earned_me <> 0;
CREATE INDEX focus_sessions_ended ON focus_sessions (ended_at_ms, focus_ms) WHERE state IN ('asks', 'ended');
CREATE INDEX tasks_done ON tasks (done_at_ms) WHERE done_at_ms IS NOT NULL;
CREATE INDEX module_assemblies_built ON module_assemblies (ended_at_ms) WHERE state = 'assembled' AND counts = 1;
