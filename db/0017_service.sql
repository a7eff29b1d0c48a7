-- Customer service. Conventions as in the first schema.

-- The institution's people at the desk. Kept 10 years after they left, because what they did is on record.
CREATE TABLE clerks (
    id               BLOB PRIMARY KEY CHECK (length(id) = 16),          -- clk_…; owner, operator
    name             TEXT NOT NULL,                                     -- personal; operator
    code_sha256      BLOB UNIQUE CHECK (length(code_sha256) = 32),      -- hash of the open invitation's code; NULL without one; program
    code_expires_at  INTEGER,                                           -- operator
    joined_at        INTEGER,                                           -- when an invitation was first redeemed; operator
    ended_at         INTEGER,                                           -- when the person was removed; operator
    created_at       INTEGER NOT NULL,                                  -- operator
    CHECK ((code_sha256 IS NULL) = (code_expires_at IS NULL))
) STRICT;

-- Signed-in desks. Deleted when they end or are ended.
CREATE TABLE clerk_sessions (
    token_sha256  BLOB PRIMARY KEY CHECK (length(token_sha256) = 32),   -- hash of the cookie; program
    clerk         BLOB NOT NULL REFERENCES clerks (id),                 -- whose; program
    created_at    INTEGER NOT NULL,                                     -- program
    expires_at    INTEGER NOT NULL                                      -- program
) STRICT, WITHOUT ROWID;
CREATE INDEX clerk_sessions_by_end ON clerk_sessions (expires_at);
CREATE INDEX clerk_sessions_of_clerk ON clerk_sessions (clerk);

-- Every case that was looked up, whether or not there was one, and what was done with it. Rows are added only: the database
-- refuses to change or delete one. Kept 10 years.
CREATE TABLE service_log (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),                -- svc_…; owner, operator
    clerk      BLOB NOT NULL REFERENCES clerks (id),                    -- who; owner, operator
    act        TEXT NOT NULL,                                           -- payments::service::ACTS; owner, operator
    reference  TEXT NOT NULL,                                           -- by what; empty for what was none, which may be a name; owner, operator
    account    BLOB REFERENCES accounts (id),                           -- whose case; NULL: nobody's, or there was none; operator
    reason     TEXT,                                                    -- payments::service::REASONS, of a freeze; owner, operator
    at         INTEGER NOT NULL                                         -- owner, operator
) STRICT;
CREATE INDEX service_log_of_account ON service_log (account, id);
CREATE INDEX service_log_of_clerk ON service_log (clerk, at);
