-- What the service may cost a month, how long servers ran, and who was told. Times are milliseconds of UTC, months are
-- numbers such as 202611, sizes are names from infrastructure/cost/prices.json.
CREATE TABLE budget (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    budget_usd    INTEGER NOT NULL CHECK (budget_usd > 0),
    changed_at_ms INTEGER NOT NULL
) STRICT;

-- All servers of a size together: some rows a month.
CREATE TABLE server_time (
    month    INTEGER NOT NULL,
    size     TEXT    NOT NULL,
    seconds  INTEGER NOT NULL CHECK (seconds >= 0),
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (month, size)
) STRICT, WITHOUT ROWID;

-- A threshold that was passed: whoever puts its claim here tells it; one that died before it was told loses the claim.
CREATE TABLE budget_notice (
    month         INTEGER NOT NULL,
    percent       INTEGER NOT NULL,
    channel       TEXT    NOT NULL,
    claimed_at_ms INTEGER NOT NULL,
    told_at_ms    INTEGER,
    PRIMARY KEY (month, percent, channel)
) STRICT, WITHOUT ROWID;
