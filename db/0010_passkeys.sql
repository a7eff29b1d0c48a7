-- Passkeys. Conventions as in the first schema.

-- Devices that somebody signs in and approves with. Kept as long as whoever has them; lost ones too, for disputes.
CREATE TABLE passkeys (
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),            -- pk_…; owner
    credential     BLOB NOT NULL UNIQUE,                                -- the device's own identifier of the passkey; program
    subject_kind   TEXT NOT NULL,                                       -- stable name: account, staff; program
    subject        BLOB NOT NULL CHECK (length(subject) = 16),          -- whose; owner
    name           TEXT NOT NULL,                                       -- the owner's own; owner
    public_key     BLOB NOT NULL,                                       -- as the device gave it when it was bound; program
    state          BLOB NOT NULL CHECK (length(state) = 7),             -- flags and counter as of its last answer; program
    sign_count     INTEGER NOT NULL CHECK (sign_count >= 0),            -- that counter; program
    transports     INTEGER NOT NULL,                                    -- bits: how a browser reaches it; program
    created_at     INTEGER NOT NULL,                                    -- owner
    approves_from  INTEGER NOT NULL,                                    -- its approvals count from then on; owner
    last_used_at   INTEGER,                                             -- owner
    revoked_at     INTEGER                                              -- NULL: stands; owner
) STRICT;
CREATE INDEX passkeys_of_subject ON passkeys (subject_kind, subject, id);

-- What devices were asked to sign. Kept an hour after their end, so that a second answer is told from a late one.
CREATE TABLE passkey_challenges (
    challenge     BLOB PRIMARY KEY CHECK (length(challenge) = 16),      -- random; whoever asked
    subject_kind  TEXT NOT NULL,                                        -- kind of whoever may answer; program
    subject       BLOB CHECK (length(subject) = 16),                    -- who may answer; NULL: whoever has the device; program
    action        BLOB NOT NULL CHECK (length(action) = 32),            -- hash of what is approved; program
    state         BLOB NOT NULL,                                        -- what the answer is verified with; program
    expires_at    INTEGER NOT NULL,                                     -- program
    used_at       INTEGER                                               -- NULL: not answered; program
) STRICT;
CREATE INDEX passkey_challenges_by_end ON passkey_challenges (expires_at);

ALTER TABLE accounts ADD COLUMN approvals_frozen INTEGER NOT NULL DEFAULT 0; -- 1: no device approves anything; owner
ALTER TABLE accounts ADD COLUMN device_bound_at INTEGER;                -- when its newest device was bound; NULL: it never had one; owner
ALTER TABLE accounts ADD COLUMN rebound_at INTEGER;                     -- when a device was last bound in place of a lost one; owner
