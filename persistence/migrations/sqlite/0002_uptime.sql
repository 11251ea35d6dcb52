-- When the service was last there, and when it was not. All times are milliseconds of UTC.

CREATE TABLE uptime (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    last_beat_ms INTEGER NOT NULL
) STRICT;

-- An hour or more each, so that they are few; kept for the operators.
CREATE TABLE outage (
    from_ms  INTEGER NOT NULL PRIMARY KEY,
    until_ms INTEGER NOT NULL CHECK (until_ms > from_ms)
) STRICT;
