-- What the service may cost a month, how long servers ran, and who was told. Times are milliseconds of UTC, months are
-- numbers such as 202611, sizes are names from infrastructure/cost/prices.json.
CREATE TABLE budget (
    id            smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    budget_usd    bigint   NOT NULL CHECK (budget_usd > 0),
    changed_at_ms bigint   NOT NULL
);

-- All servers of a size together: some rows a month.
CREATE TABLE server_time (
    month    integer NOT NULL,
    size     text    NOT NULL,
    seconds  bigint  NOT NULL CHECK (seconds >= 0),
    since_ms bigint  NOT NULL,
    PRIMARY KEY (month, size)
);

-- A threshold that was passed: whoever puts its claim here tells it; one that died before it was told loses the claim.
CREATE TABLE budget_notice (
    month         integer NOT NULL,
    percent       integer NOT NULL,
    channel       text    NOT NULL,
    claimed_at_ms bigint  NOT NULL,
    told_at_ms    bigint,
    PRIMARY KEY (month, percent, channel)
);
