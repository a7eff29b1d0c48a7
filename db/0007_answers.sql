-- Answers are kept in the order in which they are given. In `idempotency` each long row lay in the middle of a tree: three pages
-- of a batch's nine for each payment. That table is empty from now on; a later step removes it.

-- First answers to requests. Those about money are kept for ever, others until keep_until.
CREATE TABLE answers (
    scope           TEXT NOT NULL,                                      -- principal, method, path; program
    key             TEXT NOT NULL,                                      -- the header; program
    request_digest  BLOB NOT NULL CHECK (length(request_digest) = 32),  -- keyed hash of the body; program
    status          INTEGER NOT NULL,                                   -- HTTP status; whoever asked
    body            BLOB NOT NULL,                                      -- JSON, may be personal; whoever asked
    created_at      INTEGER NOT NULL,                                   -- program
    keep_until      INTEGER,                                            -- NULL: for ever; program
    PRIMARY KEY (scope, key)
) STRICT;
INSERT INTO answers (scope, key, request_digest, status, body, created_at, keep_until)
    SELECT scope, key, request_digest, status, body, created_at, keep_until FROM idempotency;
DELETE FROM idempotency;
CREATE INDEX answers_by_end ON answers (keep_until) WHERE keep_until IS NOT NULL;
