-- Who may use the operators' panel, what they did, and what waits for a second one of them. Its twin in Postgres has the
-- same tables.

CREATE TABLE panel_operator (
    name           TEXT    NOT NULL PRIMARY KEY,
    role           TEXT    NOT NULL CHECK (role IN ('viewer', 'support', 'operator', 'owner')),
    password       TEXT    NOT NULL,
    -- What it shares with its authenticator, encrypted.
    totp           BLOB    NOT NULL,
    -- The last code that was used, by its step of 30 s.
    totp_step      INTEGER NOT NULL,
    -- Rises with every change that ends its logins.
    revision       INTEGER NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    last_login_ms  INTEGER,
    disabled_at_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Good once; the token itself is nowhere.
CREATE TABLE panel_invitation (
    token_hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('viewer', 'support', 'operator', 'owner')),
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Nothing here is ever changed: what came of a row is a row of its own.
CREATE TABLE audit_row (
    seq        INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    at_ms      INTEGER NOT NULL,
    nonce      BLOB    NOT NULL CHECK (length(nonce) = 16),
    operator   TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    details    TEXT    NOT NULL,
    outcome_of INTEGER,
    outcome    TEXT,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_row_outcome ON audit_row (outcome_of) WHERE outcome_of IS NOT NULL;

-- Where the log ends, so that nobody cuts it off.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB    NOT NULL CHECK (length(hash) = 32),
    seal BLOB    NOT NULL CHECK (length(seal) = 32)
) STRICT;

CREATE TABLE panel_approval (
    id              INTEGER NOT NULL PRIMARY KEY,
    action          TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    wish            TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    requested_by    TEXT    NOT NULL,
    requested_at_ms INTEGER NOT NULL,
    expires_at_ms   INTEGER NOT NULL,
    is_approved     INTEGER CHECK (is_approved IN (0, 1)),
    decided_by      TEXT,
    decided_at_ms   INTEGER,
    decision_seq    INTEGER,
    done_at_ms      INTEGER
) STRICT;
