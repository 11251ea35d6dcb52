-- Versions of the game's numbers that operators brought, and what is published to every server: which of them is in
-- force, and what players are told. All times are milliseconds of UTC.

CREATE TABLE catalogue (
    version        INTEGER NOT NULL PRIMARY KEY CHECK (version BETWEEN 0 AND 4294967295),
    text           TEXT    NOT NULL CHECK (length(CAST(text AS BLOB)) <= 262144),
    uploaded_at_ms INTEGER NOT NULL,
    uploaded_by    TEXT    NOT NULL,
    -- When it was last put in force; nothing when it never was, and then it may make room for another one.
    in_force_at_ms INTEGER
) STRICT;

-- One row. Without a version, the one inside the program is in force.
CREATE TABLE published (
    id              INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version         INTEGER REFERENCES catalogue (version),
    since_ms        INTEGER CHECK ((since_ms IS NULL) = (version IS NULL)),
    banner_text     TEXT CHECK (length(banner_text) <= 200),
    banner_until_ms INTEGER
) STRICT;

INSERT INTO published (id) VALUES (1);
