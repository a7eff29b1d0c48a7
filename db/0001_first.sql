-- The platform's first schema. Every column says its unit, how long it is kept, and who may read it.
-- Identifiers are 16 bytes, big-endian, as in the prefixed texts of the API: they sort by time.
-- Times are milliseconds since 1970 UTC. Amounts are minor units of the row's currency (fen).
-- "Who may read": operator = the platform's staff with a reason on record; owner = the shopper; payee = the merchant;
-- program = nobody but this program. "10 years" is China's law against money laundering (2024), article 34.

-- Payees. Kept as long as payments to them, 10 years.
CREATE TABLE merchants (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16), -- mer_…; anybody
    name        TEXT NOT NULL,                            -- public name on receipts; anybody
    created_at  INTEGER NOT NULL                          -- operator
) STRICT;

-- Places of payees. Kept like payees.
CREATE TABLE stores (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16), -- sto_…; anybody
    merchant    BLOB NOT NULL REFERENCES merchants (id),  -- whose; anybody
    name        TEXT NOT NULL,                            -- public name; anybody
    created_at  INTEGER NOT NULL                          -- operator
) STRICT;

-- Capturing devices. Kept like payees, so that old signatures can be checked.
CREATE TABLE terminals (
    id            BLOB PRIMARY KEY CHECK (length(id) = 16),             -- ter_…; payee, parties
    store         BLOB NOT NULL REFERENCES stores (id),                 -- where it stands; payee
    token_sha256  BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32), -- hash of its bearer token; program
    public_key    BLOB NOT NULL CHECK (length(public_key) = 32),        -- Ed25519 device key; parties
    created_at    INTEGER NOT NULL                                      -- operator
) STRICT;

-- The ledger's accounts. Kept for ever: the books do not forget.
CREATE TABLE ledger_accounts (
    kind           TEXT NOT NULL CHECK (kind IN ('customer_wallet', 'merchant_payable', 'client_reserve')), -- operator
    owner          BLOB NOT NULL CHECK (length(owner) = 16),            -- account or merchant; zeros for the reserve; operator
    currency       TEXT NOT NULL CHECK (currency = 'CNY'),              -- ISO 4217; operator
    debits_minor   INTEGER NOT NULL CHECK (debits_minor >= 0),          -- sum of debits; owner, operator
    credits_minor  INTEGER NOT NULL CHECK (credits_minor >= 0),         -- sum of credits; owner, operator
    PRIMARY KEY (kind, owner),
    CHECK (CASE kind WHEN 'client_reserve' THEN credits_minor <= debits_minor ELSE debits_minor <= credits_minor END)
) STRICT, WITHOUT ROWID;

-- The ledger's transfers, one per payment, refund and top-up, under its identifier. Kept for ever.
CREATE TABLE ledger_transfers (
    id            BLOB PRIMARY KEY CHECK (length(id) = 16),             -- bits of the payment's, refund's or top-up's id; operator
    debit_kind    TEXT NOT NULL,                                        -- account debited; operator
    debit_owner   BLOB NOT NULL,                                        -- the same; operator
    credit_kind   TEXT NOT NULL,                                        -- account credited; operator
    credit_owner  BLOB NOT NULL,                                        -- the same; operator
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),            -- what moved; operator
    currency      TEXT NOT NULL,                                        -- ISO 4217; operator
    posted_at     INTEGER NOT NULL,                                     -- operator
    FOREIGN KEY (debit_kind, debit_owner) REFERENCES ledger_accounts (kind, owner),
    FOREIGN KEY (credit_kind, credit_owner) REFERENCES ledger_accounts (kind, owner)
) STRICT, WITHOUT ROWID;

-- Shoppers' accounts. Kept 10 years after closing.
CREATE TABLE accounts (
    id                   BLOB PRIMARY KEY CHECK (length(id) = 16),      -- acc_…; owner, operator
    name                 TEXT NOT NULL,                                 -- personal; owner only
    phone                TEXT NOT NULL UNIQUE,                          -- personal; owner (masked), program
    phone_part           BLOB NOT NULL CHECK (length(phone_part) = 16), -- keyed label of the last four digits; parties
    passcode_hash        TEXT,                                          -- Argon2id with salt and pepper; NULL without a passcode; program
    identity_class       TEXT NOT NULL CHECK (identity_class IN ('I', 'II', 'III')), -- owner, operator
    paused               INTEGER NOT NULL CHECK (paused IN (0, 1)),     -- 1: no paying by biometrics; owner, operator
    closed               INTEGER NOT NULL CHECK (closed IN (0, 1)),     -- owner, operator
    passcode_wrong       INTEGER NOT NULL,                              -- wrong tries in a row, count; program
    passcode_locks       INTEGER NOT NULL,                              -- locks since the last right try, count; program
    passcode_locked_until INTEGER,                                      -- end of the lock, time; owner, operator
    paid_life_minor      INTEGER NOT NULL,                              -- paid since opening; owner
    usage_year           INTEGER NOT NULL,                              -- local year of the next; program
    paid_year_minor      INTEGER NOT NULL,                              -- paid in it; owner
    usage_day            INTEGER NOT NULL,                              -- local day since 1970 of the next two; program
    paid_day_minor       INTEGER NOT NULL,                              -- paid on it; owner
    paid_day_look_only_minor INTEGER NOT NULL,                          -- paid on it by look alone; owner
    look_only_run        INTEGER NOT NULL,                              -- payments by look alone in a row, count; owner
    created_at           INTEGER NOT NULL                               -- owner, operator
) STRICT;

-- Signed-in wallets. Deleted when they end or are ended.
CREATE TABLE sessions (
    token_sha256  BLOB PRIMARY KEY CHECK (length(token_sha256) = 32),   -- hash of the cookie; program
    account       BLOB NOT NULL REFERENCES accounts (id),               -- whose; program
    created_at    INTEGER NOT NULL,                                     -- program
    expires_at    INTEGER NOT NULL                                      -- program
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Consents given and withdrawn, never changed. Kept 10 years after the account's closing, as proof.
CREATE TABLE consents (
    sequence     INTEGER PRIMARY KEY,                                   -- order of decisions; program
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),          -- con_…; owner
    account      BLOB NOT NULL REFERENCES accounts (id),                -- whose; owner, operator
    purpose      TEXT NOT NULL CHECK (purpose IN ('payment', 'membership', 'improvement', 'marketing')), -- owner, operator
    version      TEXT NOT NULL,                                         -- of the text shown; owner, operator
    text_sha256  BLOB NOT NULL CHECK (length(text_sha256) = 32),        -- of the text shown; owner, operator
    granted      INTEGER NOT NULL CHECK (granted IN (0, 1)),            -- 0: withdrawn; owner, operator
    decided_at   INTEGER NOT NULL                                       -- owner, operator
) STRICT;
CREATE INDEX consents_of_account ON consents (account, purpose, sequence);

-- Enrolled faces, without any template. Kept 3 years after deletion, as proof of it.
CREATE TABLE enrolments (
    id                    BLOB PRIMARY KEY CHECK (length(id) = 16),     -- enr_…; owner
    account               BLOB NOT NULL REFERENCES accounts (id),       -- whose; owner, program
    status                TEXT NOT NULL CHECK (status IN ('waiting_for_capture', 'storing', 'enrolled', 'deleting', 'deleted')), -- owner
    nonce                 BLOB NOT NULL CHECK (length(nonce) = 32),     -- of its challenge; the capturing device
    challenge_issued_at   INTEGER NOT NULL,                             -- the capturing device
    challenge_expires_at  INTEGER NOT NULL,                             -- the capturing device
    created_at            INTEGER NOT NULL,                             -- owner
    enrolled_at           INTEGER,                                      -- owner
    deleted_at            INTEGER                                       -- owner
) STRICT;
CREATE UNIQUE INDEX enrolments_standing ON enrolments (account) WHERE status <> 'deleted';

-- Changes of the parties' galleries, in the order in which all three apply them. Kept for ever: a party that was
-- restored must see all of them.
CREATE TABLE gallery_changes (
    sequence    INTEGER PRIMARY KEY,                                    -- 1, 2, 3, …; parties
    kind        TEXT NOT NULL CHECK (kind IN ('enrol', 'delete')),      -- parties
    queued_at   INTEGER NOT NULL,                                       -- operator
    applied_at  INTEGER                                                 -- when all three had it; operator
) STRICT;

-- What each party is told. The payload (sealed shares, which the platform cannot open) is erased once all have it.
CREATE TABLE gallery_payloads (
    sequence  INTEGER NOT NULL REFERENCES gallery_changes (sequence),   -- parties
    party     INTEGER NOT NULL CHECK (party IN (1, 2, 3)),              -- to whom; parties
    payload   BLOB NOT NULL,                                            -- JSON of a gallery change; that party only
    PRIMARY KEY (sequence, party)
) STRICT;

-- How far each party is. Kept for ever.
CREATE TABLE party_progress (
    party     INTEGER PRIMARY KEY CHECK (party IN (1, 2, 3)),           -- operator
    sequence  INTEGER NOT NULL                                          -- last change it acknowledged; operator
) STRICT;
INSERT INTO party_progress (party, sequence) VALUES (1, 0), (2, 0), (3, 0);

-- Names of records in the parties' galleries and whose they are. Kept like enrolments.
CREATE TABLE records (
    id               BLOB PRIMARY KEY CHECK (length(id) = 16),          -- rec_…; parties
    enrolment        BLOB NOT NULL REFERENCES enrolments (id),          -- program
    account          BLOB NOT NULL REFERENCES accounts (id),            -- program
    token_sha256     BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32), -- of the payment token; program
    phone_part       BLOB NOT NULL CHECK (length(phone_part) = 16),     -- the named part it stands in; parties
    enrol_sequence   INTEGER NOT NULL REFERENCES gallery_changes (sequence), -- the change that brought it; parties
    delete_sequence  INTEGER REFERENCES gallery_changes (sequence),     -- the change that destroys it; parties
    destroyed_at     INTEGER                                            -- when all three had; owner
) STRICT;
CREATE INDEX records_live ON records (phone_part) WHERE destroyed_at IS NULL;
CREATE INDEX records_of_enrolment ON records (enrolment);
CREATE INDEX records_enrolled_by ON records (enrol_sequence);
CREATE INDEX records_deleted_by ON records (delete_sequence) WHERE delete_sequence IS NOT NULL;

-- The parties' signed word that a record's shares are gone. Kept like enrolments.
CREATE TABLE deletion_confirmations (
    record        BLOB NOT NULL REFERENCES records (id),                -- owner
    party         INTEGER NOT NULL CHECK (party IN (1, 2, 3)),          -- owner
    sequence      INTEGER NOT NULL,                                     -- the change that asked for it; owner
    destroyed_at  INTEGER NOT NULL,                                     -- by the party's clock; owner
    signature     BLOB NOT NULL CHECK (length(signature) = 64),         -- Ed25519; owner
    PRIMARY KEY (record, party)
) STRICT, WITHOUT ROWID;

-- Nonces of probes that were taken, so that none is taken twice. Kept a day: its challenge is over long before.
CREATE TABLE used_nonces (
    nonce    BLOB PRIMARY KEY CHECK (length(nonce) = 32),               -- program
    used_at  INTEGER NOT NULL                                           -- program
) STRICT, WITHOUT ROWID;
CREATE INDEX used_nonces_by_time ON used_nonces (used_at);

-- Payments. Kept 10 years.
CREATE TABLE payments (
    id                    BLOB PRIMARY KEY CHECK (length(id) = 16),     -- pay_…; payee, payer
    terminal              BLOB NOT NULL REFERENCES terminals (id),      -- payee
    store                 BLOB NOT NULL REFERENCES stores (id),         -- payee, payer
    merchant              BLOB NOT NULL REFERENCES merchants (id),      -- payee, payer
    amount_minor          INTEGER NOT NULL CHECK (amount_minor > 0),    -- payee, payer
    currency              TEXT NOT NULL CHECK (currency = 'CNY'),       -- ISO 4217; payee, payer
    merchant_reference    TEXT,                                         -- the payee's own; payee
    status                TEXT NOT NULL CHECK (status IN ('created', 'challenged', 'being_checked', 'awaiting_passcode', 'paid', 'refused', 'expired', 'cancelled')), -- payee, payer
    created_at            INTEGER NOT NULL,                             -- payee, payer
    expires_at            INTEGER NOT NULL,                             -- payee
    nonce                 BLOB,                                         -- of the last challenge; its terminal
    challenge_issued_at   INTEGER,                                      -- its terminal
    challenge_expires_at  INTEGER,                                      -- its terminal
    challenge_partition   BLOB,                                         -- the part searched; its terminal, parties
    passcode_always       INTEGER CHECK (passcode_always IN (0, 1)),    -- 1: even the part was too large; program
    payer                 BLOB REFERENCES accounts (id),                -- whoever was recognised; the payer only
    refusal               TEXT,                                         -- stable code; payee, payer
    paid_at               INTEGER,                                      -- payee, payer
    verified_by           TEXT CHECK (verified_by IN ('look', 'look_and_passcode')), -- payer
    refunded_minor        INTEGER NOT NULL,                             -- sum of refunds; payee, payer
    refund_count          INTEGER NOT NULL,                             -- count; payee
    rules_version         TEXT NOT NULL,                                -- the rule pack that judged it last; payee, payer
    CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    CHECK (paid_at IS NULL OR payer IS NOT NULL)
) STRICT;
CREATE INDEX payments_of_merchant ON payments (merchant, id);
CREATE INDEX payments_open ON payments (expires_at) WHERE status IN ('created', 'challenged', 'being_checked', 'awaiting_passcode');

-- Refunds, done when they are here. Kept 10 years.
CREATE TABLE refunds (
    id            BLOB PRIMARY KEY CHECK (length(id) = 16),             -- re_…; payee, payer
    payment       BLOB NOT NULL REFERENCES payments (id),               -- payee, payer
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),            -- payee, payer
    refunded_at   INTEGER NOT NULL                                      -- payee, payer
) STRICT;
CREATE INDEX refunds_of_payment ON refunds (payment, id);

-- What a wallet lists: one row per movement of its money. Kept 10 years.
CREATE TABLE activities (
    sequence      INTEGER PRIMARY KEY,                                  -- order of posting; program
    account       BLOB NOT NULL REFERENCES accounts (id),               -- whose; owner
    kind          TEXT NOT NULL CHECK (kind IN ('payment', 'refund', 'top_up')), -- owner
    reference     BLOB NOT NULL UNIQUE,                                 -- the payment, refund or top-up; owner
    payment       BLOB REFERENCES payments (id),                        -- for payments and refunds; owner
    amount_minor  INTEGER NOT NULL,                                     -- signed, what it did to the balance; owner
    posted_at     INTEGER NOT NULL                                      -- owner
) STRICT;
CREATE INDEX activities_of_account ON activities (account, sequence);

-- Every use of a shopper's biometric, for the right to know. Kept 3 years.
CREATE TABLE biometric_queries (
    sequence  INTEGER PRIMARY KEY,                                      -- order; program
    id        BLOB NOT NULL UNIQUE CHECK (length(id) = 16),             -- qry_…; owner
    account   BLOB NOT NULL REFERENCES accounts (id),                   -- whose; owner
    kind      TEXT NOT NULL CHECK (kind IN ('enrolment', 'identification', 'deletion')), -- owner
    payment   BLOB REFERENCES payments (id),                            -- for identifications: its outcome is the query's; owner
    at        INTEGER NOT NULL                                          -- owner
) STRICT;
CREATE INDEX biometric_queries_of_account ON biometric_queries (account, sequence);

-- First answers to requests. Those about money are kept for ever, others until keep_until.
CREATE TABLE idempotency (
    scope           TEXT NOT NULL,                                      -- principal, method, path; program
    key             TEXT NOT NULL,                                      -- the header; program
    request_digest  BLOB NOT NULL CHECK (length(request_digest) = 32),  -- keyed hash of the body; program
    status          INTEGER NOT NULL,                                   -- HTTP status; whoever asked
    body            BLOB NOT NULL,                                      -- JSON, may be personal; whoever asked
    created_at      INTEGER NOT NULL,                                   -- program
    keep_until      INTEGER,                                            -- NULL: for ever; program
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_end ON idempotency (keep_until) WHERE keep_until IS NOT NULL;
