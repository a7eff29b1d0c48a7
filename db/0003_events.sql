-- Events, webhooks and API keys. Conventions as in the first schema.

-- Merchants' keys to the API. Kept two years after they end, so that a leak can be traced.
CREATE TABLE api_keys (
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),            -- key_…; payee
    merchant       BLOB NOT NULL REFERENCES merchants (id),             -- whose; payee
    name           TEXT NOT NULL,                                       -- the payee's own; payee
    secret_sha256  BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32), -- hash of the key; program
    hint           TEXT NOT NULL,                                       -- the key's last four characters; payee
    created_at     INTEGER NOT NULL,                                    -- payee
    last_used_at   INTEGER,                                             -- to the minute; payee
    expires_at     INTEGER                                              -- NULL: no end; payee
) STRICT;
CREATE INDEX api_keys_of_merchant ON api_keys (merchant, id);

-- What happened, written with what made it happen. Kept 90 days.
CREATE TABLE events (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),               -- evt_…; payee
    merchant    BLOB NOT NULL REFERENCES merchants (id),                -- whom it concerns; payee
    type        TEXT NOT NULL,                                          -- stable name; payee
    body        BLOB NOT NULL CHECK (length(body) < 20000),             -- JSON as it is sent; payee
    created_at  INTEGER NOT NULL                                        -- payee
) STRICT;
CREATE INDEX events_of_merchant ON events (merchant, id);
CREATE INDEX events_by_time ON events (created_at);

-- Where merchants want to be told. Kept as long as the payee.
CREATE TABLE webhook_endpoints (
    id                   BLOB PRIMARY KEY CHECK (length(id) = 16),      -- whe_…; payee
    merchant             BLOB NOT NULL REFERENCES merchants (id),       -- whose; payee
    url                  TEXT NOT NULL,                                 -- may hold the payee's own secrets: never logged; payee
    event_types          TEXT NOT NULL,                                 -- names with blanks between; empty: all; payee
    enabled              INTEGER NOT NULL CHECK (enabled IN (0, 1)),    -- payee
    disabled_because     TEXT CHECK (disabled_because IN ('gone')),     -- payee
    key_generation       INTEGER NOT NULL CHECK (key_generation > 0),   -- which of its keys sign; payee
    previous_keys_until  INTEGER,                                       -- end of the generation before; payee
    created_at           INTEGER NOT NULL,                              -- payee
    deleted_at           INTEGER                                        -- operator
) STRICT;
CREATE INDEX webhook_endpoints_of_merchant ON webhook_endpoints (merchant, id);

-- Events on their way. Kept as long as their events.
CREATE TABLE webhook_deliveries (
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),            -- del_…; payee
    endpoint       BLOB NOT NULL REFERENCES webhook_endpoints (id),     -- where to; payee
    event          BLOB NOT NULL REFERENCES events (id),                -- what; payee
    status         TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'dead')), -- payee
    attempts       INTEGER NOT NULL,                                    -- count since queued or replayed; payee
    due_at         INTEGER,                                             -- next attempt, while pending; payee
    claimed_until  INTEGER,                                             -- end of the attempt that is under way; program
    created_at     INTEGER NOT NULL,                                    -- payee
    CHECK ((status = 'pending') = (due_at IS NOT NULL))
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (endpoint, id);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (event);

-- What came of each attempt. Kept as long as their deliveries.
CREATE TABLE webhook_attempts (
    sequence  INTEGER PRIMARY KEY,                                      -- order; program
    delivery  BLOB NOT NULL REFERENCES webhook_deliveries (id),         -- payee
    at        INTEGER NOT NULL,                                         -- when it began; payee
    took_ms   INTEGER NOT NULL,                                         -- milliseconds; payee
    status    INTEGER,                                                  -- HTTP status; payee
    failure   TEXT                                                      -- why there was none, stable name; payee
) STRICT;
CREATE INDEX webhook_attempts_of_delivery ON webhook_attempts (delivery, sequence);
