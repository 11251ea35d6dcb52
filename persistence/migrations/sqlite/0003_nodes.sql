-- What nodes know of each other. With SQLite there is one node at a time; its twin in Postgres has many.

-- The node that has a player of this hero and waits until the owner lets go.
ALTER TABLE hero_head ADD COLUMN wanted_by BLOB CHECK (length(wanted_by) = 16);

ALTER TABLE node ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- Which socket of which node speaks for a stream of commands: the one that was opened last, on whatever node.
CREATE TABLE stream_socket (
    hero_id       BLOB    NOT NULL CHECK (length(hero_id) = 16),
    stream_id     INTEGER NOT NULL,
    node_id       BLOB    NOT NULL CHECK (length(node_id) = 16),
    connection_id INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    PRIMARY KEY (hero_id, stream_id)
) STRICT, WITHOUT ROWID;
