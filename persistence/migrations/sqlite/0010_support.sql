-- What operators need to find players and to keep them out. Its twin in Postgres has the same tables.

-- Who was seen last.
CREATE INDEX device_seen ON device (last_seen_ms, device_id);

-- Guests that may not play. An account says so itself; a guest is nothing but its devices, which lost their right at
-- that moment and get it back when the ban is lifted.
CREATE TABLE guest_ban (
    hero_id BLOB    NOT NULL PRIMARY KEY CHECK (length(hero_id) = 16),
    at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Heroes whose sockets are to be closed on all nodes. Every node looks every two seconds; rows are kept for an hour.
CREATE TABLE close_wish (
    hero_id BLOB    NOT NULL PRIMARY KEY CHECK (length(hero_id) = 16),
    at_ms   INTEGER NOT NULL,
    is_ban  INTEGER NOT NULL CHECK (is_ban IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX close_wish_at ON close_wish (at_ms);
