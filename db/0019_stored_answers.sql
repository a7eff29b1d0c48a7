-- Answers are found by a hash: scope and key made an index of 43 to a page, of which every payment changes another one. `answers` is empty
-- from now on; a later step removes it. Conventions as in the first schema.

-- First answers to requests. Those about money are kept for ever, others until keep_until.
CREATE TABLE stored_answers (
    place           BLOB PRIMARY KEY CHECK (length(place) = 16),        -- of a SHA-256 of principal, method, path and the header; program
    request_digest  BLOB NOT NULL CHECK (length(request_digest) = 32),  -- keyed hash of the body; program
    status          INTEGER NOT NULL,                                   -- HTTP status; whoever asked
    body            BLOB NOT NULL,                                      -- JSON, may be personal; whoever asked
    created_at      INTEGER NOT NULL,                                   -- program
    keep_until      INTEGER                                             -- NULL: for ever; program
) STRICT;
CREATE INDEX stored_answers_by_end ON stored_answers (keep_until) WHERE keep_until IS NOT NULL;
