-- What nodes know of each other. With SQLite there is one node at a time; its twin in Postgres has many.

-- The node that has a player of this hero and waits until the owner lets go.
ALTER TABLE hero_head ADD COLUMN wanted_by BLOB CHECK (length(wanted_by) = 16);

ALTER TABLE node ADD COLUMN name TEXT NOT NULL DEFAULT '';
