-- Accounts: what makes a guest's hero somebody's for good. Its twin in SQLite has the same tables.

CREATE TABLE account (
    account_id          uuid   PRIMARY KEY,
    hero_id             uuid   NOT NULL UNIQUE,
    -- Keyed hashes: they find an account and tell nothing.
    mail                bytea  UNIQUE CHECK (length(mail) = 32),
    subject             bytea  UNIQUE CHECK (length(subject) = 32),
    password            text,
    -- Encrypted: mail, name, preferences. Nothing else here says who somebody is.
    profile             bytea  NOT NULL,
    avatar              text,
    mail_verified_at_ms bigint,
    created_at_ms       bigint NOT NULL,
    banned_at_ms        bigint,
    erase_at_ms         bigint
);

CREATE INDEX account_to_erase ON account (erase_at_ms) WHERE erase_at_ms IS NOT NULL;

-- An account's device has refresh tokens and no token of its own.
ALTER TABLE device ALTER COLUMN token_hash DROP NOT NULL;
ALTER TABLE device ADD COLUMN account_id uuid;
-- What other nodes look for, so that they close a revoked device's sockets.
CREATE INDEX device_revoked ON device (revoked_at_ms) WHERE revoked_at_ms IS NOT NULL;

-- Every token that a device was given. A used one stays until it expires, so that its second use is noticed.
CREATE TABLE refresh_token (
    token_hash    bytea  PRIMARY KEY CHECK (length(token_hash) = 32),
    device_id     uuid   NOT NULL,
    issued_at_ms  bigint NOT NULL,
    expires_at_ms bigint NOT NULL,
    used_at_ms    bigint
);

CREATE INDEX refresh_token_of_device ON refresh_token (device_id);
CREATE INDEX refresh_token_expires ON refresh_token (expires_at_ms);

-- What a mail's link holds: good once.
CREATE TABLE account_code (
    code_hash     bytea  PRIMARY KEY CHECK (length(code_hash) = 32),
    account_id    uuid   NOT NULL,
    purpose       text   NOT NULL CHECK (purpose IN ('verify_mail', 'reset_password')),
    expires_at_ms bigint NOT NULL
);

CREATE INDEX account_code_of_account ON account_code (account_id, purpose);

-- A guest's hero that is, or will be, united with an account's.
CREATE TABLE hero_union (
    guest_id       uuid   PRIMARY KEY,
    into_id        uuid   NOT NULL,
    account_id     uuid   NOT NULL,
    begun_at_ms    bigint NOT NULL,
    finished_at_ms bigint
);

CREATE INDEX hero_union_of_account ON hero_union (account_id, begun_at_ms);
CREATE INDEX hero_union_unfinished ON hero_union (begun_at_ms) WHERE finished_at_ms IS NULL;

-- What happened to an account, for its owner and for whoever helps.
CREATE TABLE account_event (
    event_id   uuid   PRIMARY KEY,
    account_id uuid,
    hero_id    uuid,
    device_id  uuid,
    kind       text   NOT NULL,
    at_ms      bigint NOT NULL
);

CREATE INDEX account_event_of_hero ON account_event (hero_id, at_ms);

-- The key of the hashes above, encrypted; made once.
CREATE TABLE lookup_key (
    id  integer PRIMARY KEY CHECK (id = 1),
    key bytea   NOT NULL
);
