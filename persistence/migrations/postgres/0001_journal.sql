-- The journal, the devices that may write to it, and what nodes know of each other. All times are milliseconds of UTC.
--
-- Every key begins with hero_id, so that hero_head, hero_event, hero_snapshot and poison_command can be spread over
-- partitions or machines by hero. hero_event refers to hero_head by the append alone, which moves the head in the same
-- statement: a foreign key would check once a row what is checked once a hero.

CREATE TABLE hero_head (
    hero_id    uuid    PRIMARY KEY,
    epoch      bigint  NOT NULL CHECK (epoch >= 0),
    last_seq   bigint  NOT NULL CHECK (last_seq >= 0),
    snap_seq   bigint  NOT NULL CHECK (snap_seq BETWEEN 0 AND last_seq),
    min_reader integer NOT NULL,
    -- The chain at last_seq: a lost last row is noticed, and an append that grew out of another history is too.
    chain      bytea   NOT NULL CHECK (length(chain) = 32),
    node_id    uuid,
    state      text    NOT NULL CHECK (state IN ('free', 'owned', 'quarantined')),
    -- The node that has a player of this hero and waits until the owner lets go.
    wanted_by  uuid
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

-- Holds only heroes that are about to be handed over. Appends do not touch its columns.
CREATE INDEX hero_head_wanted ON hero_head (node_id) WHERE wanted_by IS NOT NULL;

CREATE TABLE hero_event (
    hero_id           uuid     NOT NULL,
    seq               bigint   NOT NULL CHECK (seq > 0),
    epoch             bigint   NOT NULL CHECK (epoch > 0),
    stream_id         bigint,
    cmd_seq           bigint   CHECK ((cmd_seq IS NULL) = (stream_id IS NULL)),
    at_ms             bigint   NOT NULL,
    catalogue_version bigint   NOT NULL,
    schema_version    integer  NOT NULL,
    kind              text     NOT NULL,
    chain             bytea    NOT NULL CHECK (length(chain) = 32),
    payload           bytea    NOT NULL,
    PRIMARY KEY (hero_id, seq)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.1);

CREATE UNIQUE INDEX hero_event_command ON hero_event (hero_id, stream_id, cmd_seq) WHERE stream_id IS NOT NULL;

CREATE TABLE hero_snapshot (
    hero_id        uuid    NOT NULL,
    seq            bigint  NOT NULL CHECK (seq > 0),
    epoch          bigint  NOT NULL,
    at_ms          bigint  NOT NULL,
    schema_version integer NOT NULL,
    chain          bytea   NOT NULL CHECK (length(chain) = 32),
    state_hash     bytea   NOT NULL CHECK (length(state_hash) = 32),
    state          bytea   NOT NULL,
    PRIMARY KEY (hero_id, seq)
);

-- The lease of a node covers every hero it owns: one row to renew, however many heroes there are.
CREATE TABLE node (
    node_id        uuid   PRIMARY KEY,
    name           text   NOT NULL,
    lease_until_ms bigint NOT NULL
);

-- Which socket of which node speaks for a stream of commands: the one that was opened last, on whatever node.
CREATE TABLE stream_socket (
    hero_id       uuid   NOT NULL,
    stream_id     bigint NOT NULL,
    node_id       uuid   NOT NULL,
    connection_id bigint NOT NULL,
    at_ms         bigint NOT NULL,
    PRIMARY KEY (hero_id, stream_id)
);

-- Why a hero is quarantined.
CREATE TABLE poison_command (
    hero_id uuid   PRIMARY KEY,
    reason  text   NOT NULL,
    at_ms   bigint NOT NULL
);

CREATE TABLE device (
    device_id     uuid   PRIMARY KEY,
    hero_id       uuid   NOT NULL,
    token_hash    bytea  NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    name          text   NOT NULL,
    created_at_ms bigint NOT NULL,
    last_seen_ms  bigint NOT NULL,
    revoked_at_ms bigint
);

CREATE INDEX device_of_hero ON device (hero_id, created_at_ms);

-- Written by the probe that asks whether an append would work.
CREATE TABLE store_probe (
    id    integer PRIMARY KEY CHECK (id = 1),
    count bigint  NOT NULL
);

-- When the service was last there, and when it was not.
CREATE TABLE uptime (
    id           integer PRIMARY KEY CHECK (id = 1),
    last_beat_ms bigint  NOT NULL
);

CREATE TABLE outage (
    from_ms  bigint PRIMARY KEY,
    until_ms bigint NOT NULL CHECK (until_ms > from_ms)
);

-- What all nodes of one database share and a cache must not know: it seals what nodes leave in Redis.
CREATE TABLE seal (
    id  integer PRIMARY KEY CHECK (id = 1),
    key bytea   NOT NULL CHECK (length(key) = 32)
);

INSERT INTO seal VALUES (1, decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- The append: compares and swaps every head, then inserts the events; all of it or nothing, in one statement. It raises
-- DH001 when a head is not where the caller believes; the caller then reads why and nothing has happened.
--
-- The heads are moved first, so that a call waits here for an older one on the same hero, and what follows sees what
-- that one committed.
CREATE FUNCTION journal_append(
    part_hero uuid[], part_epoch bigint[], part_base bigint[], part_last bigint[], part_previous bytea[],
    part_chain bytea[], part_reader integer[],
    event_hero uuid[], event_seq bigint[], event_epoch bigint[], event_stream bigint[], event_command bigint[],
    event_at bigint[], event_catalogue bigint[], event_schema integer[], event_kind text[], event_chain bytea[],
    event_payload bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    moved bigint;
BEGIN
    UPDATE hero_head AS head
    SET last_seq = part.last, chain = part.chain, min_reader = greatest(head.min_reader, part.reader)
    FROM unnest(part_hero, part_epoch, part_base, part_last, part_previous, part_chain, part_reader)
        AS part (hero, epoch, base, last, previous, chain, reader)
    WHERE head.hero_id = part.hero AND head.epoch = part.epoch AND head.last_seq = part.base
        AND head.chain = part.previous AND head.state = 'owned';
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(part_hero) THEN
        RAISE EXCEPTION 'a head has moved' USING ERRCODE = 'DH001';
    END IF;
    INSERT INTO hero_event (hero_id, seq, epoch, stream_id, cmd_seq, at_ms, catalogue_version, schema_version, kind,
        chain, payload)
    SELECT * FROM unnest(event_hero, event_seq, event_epoch, event_stream, event_command, event_at, event_catalogue,
        event_schema, event_kind, event_chain, event_payload);
END
$$;
