-- One party's store. Every share in it is uniformly random on its own.

-- The gallery's log as applied here. Kept for ever: the chain of roots depends on every entry.
CREATE TABLE IF NOT EXISTS change (
    sequence   INTEGER PRIMARY KEY,           -- 1, 2, 3, …
    digest     BLOB NOT NULL,                 -- SHA-256 over the change without its shares
    root       BLOB NOT NULL,                 -- SHA-256 chain up to and with this change
    is_void    INTEGER NOT NULL,              -- 1 if it enrolled a share that did not open, or whose origin is unknown
    applied_at INTEGER NOT NULL               -- milliseconds since 1970, this party's clock
) STRICT;

-- Enrolled records. Deleted when the person leaves; secure_delete overwrites them.
CREATE TABLE IF NOT EXISTS record (
    record     BLOB PRIMARY KEY,              -- 16 bytes; says nothing about whose it is
    sequence   INTEGER NOT NULL,              -- the change that enrolled it
    position   INTEGER NOT NULL,              -- its place within that change
    share      BLOB,                          -- this party's Shamir share, 2 bytes per feature; NULL if it did not open
    token_own  BLOB NOT NULL,                 -- 16 bytes: the token's XOR part with this party's number
    token_next BLOB NOT NULL                  -- 16 bytes: the token's XOR part with the next party's number
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS record_order ON record (sequence, position);

-- The named parts of the gallery that a record stands in. Deleted with it.
CREATE TABLE IF NOT EXISTS record_partition (
    record     BLOB NOT NULL REFERENCES record ON DELETE CASCADE,
    label      BLOB NOT NULL,                 -- 16 bytes: an HMAC that only the platform can make
    PRIMARY KEY (record, label)
) STRICT, WITHOUT ROWID;

-- What this party signed about records that it destroyed. Kept for ever.
CREATE TABLE IF NOT EXISTS deletion (
    sequence     INTEGER NOT NULL,            -- the change that asked for it
    position     INTEGER NOT NULL,            -- the record's place within that change
    record       BLOB NOT NULL,               -- 16 bytes
    destroyed_at INTEGER NOT NULL,            -- milliseconds since 1970, this party's clock
    signature    BLOB NOT NULL,               -- Ed25519, 64 bytes
    PRIMARY KEY (sequence, position)
) STRICT, WITHOUT ROWID;

-- Probes that were used, so that none is used twice. Payments are forgotten two days after they expired.
CREATE TABLE IF NOT EXISTS probe_use (
    nonce      BLOB PRIMARY KEY,              -- 32 bytes, the challenge's
    session    BLOB UNIQUE,                   -- 16 bytes, the run's name; NULL at enrolment
    terminal   BLOB NOT NULL,                 -- 16 bytes
    used_at    INTEGER NOT NULL,              -- milliseconds since 1970, this party's clock
    expires_at INTEGER NOT NULL               -- milliseconds since 1970, the challenge's
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS probe_use_by_terminal ON probe_use (terminal, used_at) WHERE session IS NOT NULL;

-- The highest counter seen of each terminal, so that a copy of an old probe is noticed. Kept for ever.
CREATE TABLE IF NOT EXISTS terminal_counter (
    terminal   BLOB PRIMARY KEY,              -- 16 bytes
    counter    INTEGER NOT NULL               -- never falls
) STRICT, WITHOUT ROWID;
