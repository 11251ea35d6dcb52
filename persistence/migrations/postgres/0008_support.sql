-- What operators need to find players and to keep them out.

-- Who was seen last.
CREATE INDEX device_seen ON device (last_seen_ms, device_id);

-- Guests that may not play. An account says so itself; a guest is nothing but its devices, which lost their right at
-- that moment and get it back when the ban is lifted.
CREATE TABLE guest_ban (
    hero_id uuid   PRIMARY KEY,
    at_ms   bigint NOT NULL
);

-- Heroes whose sockets are to be closed on all nodes. Every node looks every two seconds; rows are kept for an hour.
CREATE TABLE close_wish (
    hero_id uuid   PRIMARY KEY,
    at_ms   bigint NOT NULL,
    is_ban  bigint NOT NULL CHECK (is_ban IN (0, 1))
);

CREATE INDEX close_wish_at ON close_wish (at_ms);
