-- Versions of the game's numbers that operators brought, and what is published to every server: which of them is in
-- force, and what players are told. All times are milliseconds of UTC.

CREATE TABLE catalogue (
    version        bigint PRIMARY KEY CHECK (version BETWEEN 0 AND 4294967295),
    text           text   NOT NULL CHECK (octet_length(text) <= 262144),
    uploaded_at_ms bigint NOT NULL,
    uploaded_by    text   NOT NULL,
    -- When it was last put in force; nothing when it never was, and then it may make room for another one.
    in_force_at_ms bigint
);

-- One row. Without a version, the one inside the program is in force.
CREATE TABLE published (
    id              integer PRIMARY KEY CHECK (id = 1),
    version         bigint REFERENCES catalogue (version),
    since_ms        bigint CHECK ((since_ms IS NULL) = (version IS NULL)),
    banner_text     text CHECK (char_length(banner_text) <= 200),
    banner_until_ms bigint
);

INSERT INTO published (id) VALUES (1);
