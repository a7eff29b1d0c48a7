-- Trusted helpers. Conventions as in the first schema.

-- Whom an owner lets see payments and freeze the account. Kept as long as the owner's account; the phone goes at the end.
CREATE TABLE helpers (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),              -- hlp_…; owner, helper
    owner        BLOB NOT NULL REFERENCES accounts (id),                -- whose account; owner, helper
    phone        TEXT NOT NULL,                                         -- whom the owner asked; empty at the end; owner (masked), program
    helper       BLOB REFERENCES accounts (id),                         -- who agreed; NULL until then; owner, helper
    invited_at   INTEGER NOT NULL,                                      -- owner, helper
    accepted_at  INTEGER,                                               -- owner, helper
    froze_at     INTEGER,                                               -- when the helper froze the account last; owner, helper
    ended_at     INTEGER                                                -- when one of the two ended it; owner, helper
) STRICT;
CREATE INDEX helpers_of_owner ON helpers (owner) WHERE ended_at IS NULL;
CREATE INDEX helpers_by_phone ON helpers (phone) WHERE ended_at IS NULL;
