-- The merchant's own people and places. Conventions as in the first schema.

-- What a head office says of its merchant, and how far its staff may refund. Kept like payees.
CREATE TABLE head_offices (
    merchant                  BLOB PRIMARY KEY REFERENCES merchants (id), -- whose; payee, operator
    legal_name                TEXT NOT NULL,                            -- as registered; payee, operator
    credit_code               TEXT NOT NULL,                            -- unified social credit code, GB 32100-2015; payee, operator
    refund_payment_max_minor  INTEGER CHECK (refund_payment_max_minor >= 0), -- refunded of one payment without a manager; NULL: the default; payee
    refund_day_max_minor      INTEGER CHECK (refund_day_max_minor >= 0), -- refunded on a day by one person or till without a manager; NULL: the default; payee
    changed_at                INTEGER NOT NULL                          -- payee, operator
) STRICT;

-- Where stores are. Kept like payees.
CREATE TABLE store_places (
    store         BLOB PRIMARY KEY REFERENCES stores (id),              -- which; payee, operator
    city          TEXT NOT NULL,                                        -- payee, operator
    address       TEXT NOT NULL,                                        -- payee, operator
    latitude_e6   INTEGER NOT NULL CHECK (latitude_e6 BETWEEN -90000000 AND 90000000), -- millionths of a degree, WGS 84; payee, operator
    longitude_e6  INTEGER NOT NULL CHECK (longitude_e6 BETWEEN -180000000 AND 180000000) -- the same; payee, operator
) STRICT;

-- The merchant's people. Kept 10 years after they left, because what they did is on record.
CREATE TABLE staff (
    id               BLOB PRIMARY KEY CHECK (length(id) = 16),          -- stf_…; payee
    merchant         BLOB NOT NULL REFERENCES merchants (id),           -- whose; payee
    name             TEXT NOT NULL,                                     -- personal; payee
    role             TEXT NOT NULL,                                     -- payments::staff::ROLES; payee
    code_sha256      BLOB UNIQUE CHECK (length(code_sha256) = 32),      -- hash of the open invitation's code; NULL without one; program
    code_expires_at  INTEGER,                                           -- payee
    joined_at        INTEGER,                                           -- when an invitation was first redeemed; payee
    ended_at         INTEGER,                                           -- when the person left; payee
    created_at       INTEGER NOT NULL,                                  -- payee
    CHECK ((code_sha256 IS NULL) = (code_expires_at IS NULL))
) STRICT;
CREATE INDEX staff_of_merchant ON staff (merchant, id);

-- Signed-in consoles. Deleted when they end or are ended.
CREATE TABLE staff_sessions (
    token_sha256  BLOB PRIMARY KEY CHECK (length(token_sha256) = 32),   -- hash of the cookie; program
    staff         BLOB NOT NULL REFERENCES staff (id),                  -- whose; program
    created_at    INTEGER NOT NULL,                                     -- program
    expires_at    INTEGER NOT NULL                                      -- program
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_sessions_by_end ON staff_sessions (expires_at);
CREATE INDEX staff_sessions_of_staff ON staff_sessions (staff);

-- Tills on their way to work, and what each was bound to: never changed from then on. Kept like terminals.
CREATE TABLE activations (
    id               BLOB PRIMARY KEY CHECK (length(id) = 16),          -- act_…; payee
    merchant         BLOB NOT NULL REFERENCES merchants (id),           -- whose; payee
    store            BLOB NOT NULL REFERENCES stores (id),              -- where the till will stand; payee
    status           TEXT NOT NULL,                                     -- payments::activation::STATUSES; payee
    code_sha256      BLOB UNIQUE CHECK (length(code_sha256) = 32),      -- hash of the code, until it is redeemed; program
    expires_at       INTEGER NOT NULL,                                  -- by when it must be active; payee
    created_by       BLOB NOT NULL REFERENCES staff (id),               -- who began it; payee
    created_at       INTEGER NOT NULL,                                  -- payee
    terminal         BLOB,                                              -- ter_…, from attesting on; payee
    serial           TEXT,                                              -- the device's serial number; payee, operator
    public_key       BLOB CHECK (length(public_key) = 32),              -- Ed25519 device key; parties
    token_sha256     BLOB UNIQUE CHECK (length(token_sha256) = 32),     -- hash of its bearer token; program
    nonce            BLOB CHECK (length(nonce) = 32),                   -- what the device signs; program
    acquirer_code    TEXT,                                              -- first of the five elements; payee, operator
    credit_code      TEXT,                                              -- third (the merchant's identifier is the second); payee, operator
    bank_account     BLOB REFERENCES bank_accounts (id),                -- fourth: where it is settled to; payee, operator
    address          TEXT,                                              -- fifth: where it stands; payee, operator
    latitude_e6      INTEGER,                                           -- where the device says it is, millionths of a degree; payee, operator
    longitude_e6     INTEGER,                                           -- the same; payee, operator
    attested_at      INTEGER,                                           -- when the code was redeemed; payee
    active_at        INTEGER,                                           -- when the test payment and its refund were through; payee
    stopped_at       INTEGER                                            -- when it was taken out of use; payee
) STRICT;
CREATE INDEX activations_of_merchant ON activations (merchant, id);
CREATE UNIQUE INDEX activations_serial ON activations (serial) WHERE status IN ('attested', 'active');

-- Refunds that wait for somebody who may approve them. Kept 10 years.
CREATE TABLE refund_requests (
    id            BLOB PRIMARY KEY CHECK (length(id) = 16),             -- rr_…; payee
    merchant      BLOB NOT NULL REFERENCES merchants (id),              -- whose; payee
    payment       BLOB NOT NULL REFERENCES payments (id),               -- payee
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),            -- payee
    reason        TEXT NOT NULL,                                        -- in the asker's words; payee
    status        TEXT NOT NULL,                                        -- wire::shop::RefundRequestStatus; payee
    asked_by      BLOB NOT NULL REFERENCES staff (id),                  -- payee
    asked_at      INTEGER NOT NULL,                                     -- payee
    decided_by    BLOB REFERENCES staff (id),                           -- another person than asked; payee
    decided_at    INTEGER,                                              -- payee
    CHECK (decided_by IS NULL OR decided_by <> asked_by)
) STRICT;
CREATE INDEX refund_requests_of_merchant ON refund_requests (merchant, id);

-- Who made which refund at a till or in the console. Kept 10 years.
CREATE TABLE refund_makers (
    refund        BLOB PRIMARY KEY REFERENCES refunds (id),             -- payee
    made_by       BLOB NOT NULL CHECK (length(made_by) = 16),           -- a member of the staff or a terminal; payee
    approved_by   BLOB REFERENCES staff (id),                           -- payee
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),            -- payee
    made_at       INTEGER NOT NULL                                      -- payee
) STRICT;
CREATE INDEX refund_makers_by_maker ON refund_makers (made_by, made_at);

-- What a payee says to a dispute, once. Kept like disputes.
CREATE TABLE dispute_statements (
    dispute    BLOB PRIMARY KEY REFERENCES disputes (id),               -- operator, payee
    statement  TEXT NOT NULL,                                           -- in the payee's words; operator, payee
    made_by    BLOB NOT NULL REFERENCES staff (id),                     -- payee
    made_at    INTEGER NOT NULL                                         -- operator, payee
) STRICT;
