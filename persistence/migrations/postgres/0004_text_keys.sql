-- What players type is encrypted in the journal. Each hero has a key for it, encrypted itself; a hero whose owner was
-- erased has none any more, and will not get one.
CREATE TABLE hero_text_key (
    hero_id uuid  PRIMARY KEY,
    key     bytea
);

-- Nothing that a player typed is kept outside the journal.
ALTER TABLE tasks DROP COLUMN title;
