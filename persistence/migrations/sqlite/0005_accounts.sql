-- Accounts: what makes a guest's hero somebody's for good. Its twin in Postgres has the same tables.

CREATE TABLE account (
    account_id          BLOB    NOT NULL PRIMARY KEY CHECK (length(account_id) = 16),
    hero_id             BLOB    NOT NULL UNIQUE CHECK (length(hero_id) = 16),
    -- Keyed hashes: they find an account and tell nothing.
    mail                BLOB    UNIQUE CHECK (length(mail) = 32),
    subject             BLOB    UNIQUE CHECK (length(subject) = 32),
    password            TEXT,
    -- Encrypted: mail, name, preferences. Nothing else here says who somebody is.
    profile             BLOB    NOT NULL,
    avatar              TEXT,
    mail_verified_at_ms INTEGER,
    created_at_ms       INTEGER NOT NULL,
    banned_at_ms        INTEGER,
    erase_at_ms         INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX account_to_erase ON account (erase_at_ms) WHERE erase_at_ms IS NOT NULL;

-- An account's device has refresh tokens and no token of its own. SQLite cannot make a column optional in place.
CREATE TABLE device_with_account (
    device_id     BLOB    NOT NULL PRIMARY KEY CHECK (length(device_id) = 16),
    hero_id       BLOB    NOT NULL REFERENCES hero_head (hero_id),
    account_id    BLOB    CHECK (length(account_id) = 16),
    token_hash    BLOB    UNIQUE CHECK (length(token_hash) = 32),
    name          TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO device_with_account (device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms, revoked_at_ms)
    SELECT device_id, hero_id, token_hash, name, created_at_ms, last_seen_ms, revoked_at_ms FROM device;
DROP TABLE device;
ALTER TABLE device_with_account RENAME TO device;
CREATE INDEX device_of_hero ON device (hero_id, created_at_ms);
-- What other nodes look for, so that they close a revoked device's sockets.
CREATE INDEX device_revoked ON device (revoked_at_ms) WHERE revoked_at_ms IS NOT NULL;

-- Every token that a device was given. A used one stays until it expires, so that its second use is noticed.
CREATE TABLE refresh_token (
    token_hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    device_id     BLOB    NOT NULL CHECK (length(device_id) = 16),
    issued_at_ms  INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    used_at_ms    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_token_of_device ON refresh_token (device_id);
CREATE INDEX refresh_token_expires ON refresh_token (expires_at_ms);

-- What a mail's link holds: good once.
CREATE TABLE account_code (
    code_hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    account_id    BLOB    NOT NULL CHECK (length(account_id) = 16),
    purpose       TEXT    NOT NULL CHECK (purpose IN ('verify_mail', 'reset_password')),
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_code_of_account ON account_code (account_id, purpose);

-- A guest's hero that is, or will be, united with an account's.
CREATE TABLE hero_union (
    guest_id       BLOB    NOT NULL PRIMARY KEY CHECK (length(guest_id) = 16),
    into_id        BLOB    NOT NULL CHECK (length(into_id) = 16),
    account_id     BLOB    NOT NULL CHECK (length(account_id) = 16),
    begun_at_ms    INTEGER NOT NULL,
    finished_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX hero_union_of_account ON hero_union (account_id, begun_at_ms);
CREATE INDEX hero_union_unfinished ON hero_union (begun_at_ms) WHERE finished_at_ms IS NULL;

-- What happened to an account, for its owner and for whoever helps.
CREATE TABLE account_event (
    event_id   BLOB    NOT NULL PRIMARY KEY CHECK (length(event_id) = 16),
    account_id BLOB    CHECK (length(account_id) = 16),
    hero_id    BLOB    CHECK (length(hero_id) = 16),
    device_id  BLOB    CHECK (length(device_id) = 16),
    kind       TEXT    NOT NULL,
    at_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_event_of_hero ON account_event (hero_id, at_ms);

-- The key of the hashes above, encrypted; made once.
CREATE TABLE lookup_key (
    id  INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    key BLOB    NOT NULL
) STRICT;
