-- Where shoppers asked to be recognised, and the named parts of the gallery that their records stand in. Conventions as in the
-- first schema.

ALTER TABLE stores ADD COLUMN city TEXT; -- where it is; NULL: in no city that is searched; anybody
ALTER TABLE stores ADD COLUMN city_part BLOB; -- keyed label of that city; parties
ALTER TABLE payments ADD COLUMN searched TEXT; -- wire::api::Part that its last look was compared with; payer
ALTER TABLE payments ADD COLUMN searched_people INTEGER; -- how many people were in it, or one more than may be; program
ALTER TABLE payments ADD COLUMN missed_people INTEGER; -- of a search before, without digits, that met nobody or several; program
ALTER TABLE payments ADD COLUMN missed_ambiguous INTEGER; -- 1: it met several; program
ALTER TABLE biometric_queries ADD COLUMN place TEXT; -- the store or city that was named or taken back; owner

-- What shoppers asked for themselves. Deleted when it is taken back, and with the face.
CREATE TABLE places (
    account  BLOB NOT NULL REFERENCES accounts (id),                    -- whose; owner
    part     BLOB NOT NULL CHECK (length(part) = 16),                   -- keyed label of the city or of the store's regulars; parties
    kind     TEXT NOT NULL,                                             -- wire::api::Part: city or regulars; owner
    store    BLOB REFERENCES stores (id),                               -- for regulars; owner
    city     TEXT,                                                      -- for a city; owner
    since    INTEGER NOT NULL,                                          -- owner
    PRIMARY KEY (account, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_of_store ON places (store) WHERE store IS NOT NULL;

-- The named parts that a record stands in. Deleted when all three parties have confirmed that it stands there no more.
CREATE TABLE memberships (
    record          BLOB NOT NULL REFERENCES records (id),              -- parties
    part            BLOB NOT NULL CHECK (length(part) = 16),            -- keyed label; parties
    kind            TEXT NOT NULL,                                      -- wire::api::Part; operator
    leave_sequence  INTEGER REFERENCES gallery_changes (sequence),      -- the change that takes it out; parties
    PRIMARY KEY (record, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_of_part ON memberships (part);
CREATE INDEX memberships_leaving ON memberships (leave_sequence) WHERE leave_sequence IS NOT NULL;
INSERT INTO memberships (record, part, kind) SELECT id, phone_part, 'phone_suffix' FROM records WHERE destroyed_at IS NULL;
