-- Who may use the operators' panel, what they did, and what waits for a second one of them. Its twin in SQLite has the
-- same tables.

CREATE TABLE panel_operator (
    name           text    PRIMARY KEY,
    role           text    NOT NULL CHECK (role IN ('viewer', 'support', 'operator', 'owner')),
    password       text    NOT NULL,
    -- What it shares with its authenticator, encrypted.
    totp           bytea   NOT NULL,
    -- The last code that was used, by its step of 30 s.
    totp_step      bigint  NOT NULL,
    -- Rises with every change that ends its logins.
    revision       bigint  NOT NULL,
    created_at_ms  bigint  NOT NULL,
    last_login_ms  bigint,
    disabled_at_ms bigint
);

-- Good once; the token itself is nowhere.
CREATE TABLE panel_invitation (
    token_hash    bytea   PRIMARY KEY CHECK (length(token_hash) = 32),
    name          text    NOT NULL,
    role          text    NOT NULL CHECK (role IN ('viewer', 'support', 'operator', 'owner')),
    expires_at_ms bigint  NOT NULL
);

-- Nothing here is ever changed: what came of a row is a row of its own.
CREATE TABLE audit_row (
    seq        bigint  PRIMARY KEY CHECK (seq > 0),
    at_ms      bigint  NOT NULL,
    nonce      bytea   NOT NULL CHECK (length(nonce) = 16),
    operator   text    NOT NULL,
    role       text    NOT NULL,
    action     text    NOT NULL,
    subject    text    NOT NULL,
    reason     text    NOT NULL,
    details    text    NOT NULL,
    outcome_of bigint,
    outcome    text,
    hash       bytea   NOT NULL CHECK (length(hash) = 32)
);

CREATE INDEX audit_row_outcome ON audit_row (outcome_of) WHERE outcome_of IS NOT NULL;

-- Where the log ends, so that nobody cuts it off.
CREATE TABLE audit_head (
    id   bigint  PRIMARY KEY CHECK (id = 1),
    seq  bigint  NOT NULL,
    hash bytea   NOT NULL CHECK (length(hash) = 32),
    seal bytea   NOT NULL CHECK (length(seal) = 32)
);

CREATE TABLE panel_approval (
    id              bigint  PRIMARY KEY,
    action          text    NOT NULL,
    subject         text    NOT NULL,
    wish            text    NOT NULL,
    reason          text    NOT NULL,
    requested_by    text    NOT NULL,
    requested_at_ms bigint  NOT NULL,
    expires_at_ms   bigint  NOT NULL,
    is_approved     bigint  CHECK (is_approved IN (0, 1)),
    decided_by      text,
    decided_at_ms   bigint,
    decision_seq    bigint,
    done_at_ms      bigint
);
