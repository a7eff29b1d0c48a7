-- One party's journal: the gallery's log as applied here and every record, each row (share) sealed under a key of its own that is in
-- another file (`keys.sqlite`). A backup is this file alone.

-- The gallery's log as applied here. Kept for ever: the chain of roots depends on every entry.
CREATE TABLE IF NOT EXISTS change (
    sequence     INTEGER PRIMARY KEY,         -- 1, 2, 3, …
    kind         TEXT NOT NULL CHECK (kind IN ('enrol', 'delete', 'compact', 'refresh', 'relabel')),
    records      INTEGER NOT NULL,            -- how many it names
    first_record BLOB,                        -- 16 bytes: the first that it names, to find the change by
    digest       BLOB NOT NULL,               -- SHA-256 over the change without its shares
    root         BLOB NOT NULL,               -- SHA-256 chain up to and with this change
    slots        INTEGER NOT NULL,            -- slots that there are after it
    epoch        INTEGER NOT NULL,            -- refreshes of the shares after it
    generation   INTEGER NOT NULL,            -- the last change up to it that renumbered or refreshed the gallery
    as_of        INTEGER,                     -- compaction, refresh: the change as of which it was prepared
    is_void      INTEGER NOT NULL,            -- 1 if it enrolled a share that did not open, or whose origin is unknown
    applied_at   INTEGER NOT NULL             -- milliseconds since 1970, this party's clock
) STRICT;

CREATE INDEX IF NOT EXISTS change_of_all ON change (kind, sequence) WHERE as_of IS NOT NULL;

-- Enrolled records. Deleted when the person leaves; secure_delete overwrites them.
CREATE TABLE IF NOT EXISTS record (
    record     BLOB PRIMARY KEY,              -- 16 bytes; says nothing about whose it is
    ordinal    INTEGER NOT NULL UNIQUE,       -- its place in the order of enrolments, the same at all three parties
    sequence   INTEGER NOT NULL,              -- the change that enrolled it
    epoch      INTEGER NOT NULL,              -- the refresh that its row was of at its enrolment, or when it was rebuilt
    token      BLOB NOT NULL                  -- 16 random bytes: its payment token, the same at all three parties
) STRICT;
CREATE INDEX IF NOT EXISTS record_by_sequence ON record (sequence);

-- Records with the epoch of the row that is in force: a refresh changes it for all that were there when it was prepared.
CREATE VIEW IF NOT EXISTS live (record, ordinal, sequence, epoch, token) AS
SELECT record, ordinal, sequence,
       iif(sequence <= (SELECT as_of FROM change WHERE kind = 'refresh' AND as_of IS NOT NULL ORDER BY sequence DESC LIMIT 1),
           (SELECT epoch FROM change ORDER BY sequence DESC LIMIT 1), epoch),
       token
FROM record;

-- This party's Shamir shares: those in force, those of the next epoch while it is prepared, and those of the epoch before
-- until they are erased. A record without one in force is void here.
CREATE TABLE IF NOT EXISTS row (
    record     BLOB NOT NULL,                 -- 16 bytes
    epoch      INTEGER NOT NULL,              -- the refresh that the row is of
    sealed     BLOB NOT NULL,                 -- 2 bytes per feature, sealed
    PRIMARY KEY (record, epoch)
) STRICT;
CREATE INDEX IF NOT EXISTS row_by_epoch ON row (epoch, record);

-- The named parts of the gallery that a record stands in now: set by its enrolment, and anew by every relabelling. Deleted with it.
CREATE TABLE IF NOT EXISTS record_partition (
    record     BLOB NOT NULL REFERENCES record ON DELETE CASCADE,
    label      BLOB NOT NULL,                 -- 16 bytes: an HMAC that only the platform can make
    PRIMARY KEY (record, label)
) STRICT, WITHOUT ROWID;

-- Which epoch's rows are being prepared, or are: at most one row.
CREATE TABLE IF NOT EXISTS staging (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    name       BLOB,                          -- 32 bytes: the same at the three parties if they prepared the same; NULL until all are there
    epoch      INTEGER NOT NULL,              -- the epoch that they are of
    base       INTEGER NOT NULL               -- the change as of which every record has one
) STRICT;

-- Rows that a rebuild has brought so far. Deleted when it is through.
CREATE TABLE IF NOT EXISTS rebuilt_row (
    record     BLOB NOT NULL,                 -- 16 bytes
    epoch      INTEGER NOT NULL,              -- the refresh that the row is of
    sealed     BLOB NOT NULL,                 -- as in row
    PRIMARY KEY (record, epoch)
) STRICT;

-- Deletions as applied here, with what this party signed about them. Kept for ever.
CREATE TABLE IF NOT EXISTS deletion (
    sequence     INTEGER NOT NULL,            -- the change that asked for it
    position     INTEGER NOT NULL,            -- the record's place within that change
    record       BLOB NOT NULL,               -- 16 bytes
    ordinal      INTEGER,                     -- its place in the order of enrolments; NULL if it was not there
    destroyed_at INTEGER,                     -- milliseconds since 1970, this party's clock; NULL until key and row are gone
    signature    BLOB,                        -- Ed25519, 64 bytes; NULL until then
    PRIMARY KEY (sequence, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deletion_unsigned ON deletion (sequence) WHERE signature IS NULL;
CREATE INDEX IF NOT EXISTS deletion_by_ordinal ON deletion (ordinal, sequence);

-- Probes that were used, so that none is used twice. Payments are forgotten two days after they expired.
CREATE TABLE IF NOT EXISTS probe_use (
    nonce      BLOB PRIMARY KEY,              -- 32 bytes, the challenge's
    session    BLOB UNIQUE,                   -- 16 bytes, the run's name; NULL at enrolment
    terminal   BLOB NOT NULL,                 -- 16 bytes
    payee      BLOB,                          -- 16 bytes of a hash of the payee; NULL at enrolment
    weight     INTEGER NOT NULL DEFAULT 1,    -- looks that it counts as against the budgets
    used_at    INTEGER NOT NULL,              -- milliseconds since 1970, this party's clock
    expires_at INTEGER NOT NULL               -- milliseconds since 1970, the challenge's
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS probe_use_by_terminal ON probe_use (terminal, used_at, weight) WHERE session IS NOT NULL;
CREATE INDEX IF NOT EXISTS probe_use_by_payee ON probe_use (payee, used_at, weight) WHERE payee IS NOT NULL;
CREATE INDEX IF NOT EXISTS probe_use_by_time ON probe_use (used_at, weight) WHERE session IS NOT NULL;

-- Looks of each minute, of all terminals together. Forgotten after a day.
CREATE TABLE IF NOT EXISTS minute_looks (
    minute     INTEGER PRIMARY KEY,           -- minutes since 1970, this party's clock
    looks      INTEGER NOT NULL
) STRICT;

-- Enrolments whose templates the three parties checked together before applying them. Kept for ever, so that a change that
-- is sent again meets the same answer.
CREATE TABLE IF NOT EXISTS checked_enrolment (
    digest     BLOB PRIMARY KEY,              -- SHA-256 over the probe
    is_valid   INTEGER NOT NULL,              -- 0 if one of them is no template
    checked_at INTEGER NOT NULL               -- milliseconds since 1970, this party's clock
) STRICT, WITHOUT ROWID;

-- The highest counter seen of each terminal, so that a copy of an old probe is noticed. Kept for ever.
CREATE TABLE IF NOT EXISTS terminal_counter (
    terminal   BLOB PRIMARY KEY,              -- 16 bytes
    counter    INTEGER NOT NULL               -- never falls
) STRICT, WITHOUT ROWID;
