-- Two phases, the hash chain, capturing later, disputes, owners' limits. Same words as in the first file.
-- Names of states and kinds are no longer listed in checks: the program reads them back strictly, and a new one would need
-- every table made anew. Six tables are made anew here: renamed, created, filled, and the old ones dropped at the end.

ALTER TABLE ledger_transfers RENAME TO ledger_transfers_1;
ALTER TABLE ledger_accounts RENAME TO ledger_accounts_1;

-- The ledger's accounts. Kept for ever: the books do not forget.
CREATE TABLE ledger_accounts (
    kind                   TEXT NOT NULL,                               -- ledger::account::AccountKind; operator
    owner                  BLOB NOT NULL CHECK (length(owner) = 16),    -- account or merchant; zeros where there is one only; operator
    currency               TEXT NOT NULL CHECK (currency = 'CNY'),      -- ISO 4217; operator
    debits_minor           INTEGER NOT NULL CHECK (debits_minor >= 0),  -- sum of posted debits; owner, operator
    credits_minor          INTEGER NOT NULL CHECK (credits_minor >= 0), -- sum of posted credits; owner, operator
    debits_pending_minor   INTEGER NOT NULL CHECK (debits_pending_minor >= 0),  -- held for debits; owner, operator
    credits_pending_minor  INTEGER NOT NULL CHECK (credits_pending_minor >= 0), -- held for credits; owner, operator
    PRIMARY KEY (kind, owner),
    CHECK (CASE kind WHEN 'client_reserve' THEN credits_minor + credits_pending_minor <= debits_minor ELSE debits_minor + debits_pending_minor <= credits_minor END)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_accounts (kind, owner, currency, debits_minor, credits_minor, debits_pending_minor, credits_pending_minor)
    SELECT kind, owner, currency, debits_minor, credits_minor, 0, 0 FROM ledger_accounts_1;

-- The ledger's applied transfers: what was posted, held and released, in the order of the hash chain. Kept for ever.
CREATE TABLE ledger_transfers (
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),            -- chosen by whoever asked, counts for ever; operator
    sequence       INTEGER NOT NULL UNIQUE,                             -- place in the chain: 1, 2, 3, …; operator, auditor
    kind           TEXT NOT NULL,                                       -- ledger::transfer::EntryKind; operator
    debit_kind     TEXT NOT NULL,                                       -- account debited; operator
    debit_owner    BLOB NOT NULL,                                       -- the same; operator
    credit_kind    TEXT NOT NULL,                                       -- account credited; operator
    credit_owner   BLOB NOT NULL,                                       -- the same; operator
    amount_minor   INTEGER NOT NULL CHECK (amount_minor > 0),           -- what moved, was held or was released; operator
    currency       TEXT NOT NULL,                                       -- ISO 4217; operator
    pending        BLOB,                                                -- the held transfer that this one decides; operator
    expires_at     INTEGER,                                             -- of what is held: until when; operator
    pending_state  TEXT,                                                -- of what is held: ledger::transfer::PendingState; operator
    posted_at      INTEGER NOT NULL,                                    -- operator
    hash           BLOB CHECK (length(hash) = 32),                      -- over the hash before and this row's line; NULL only until the migration's end; auditor
    FOREIGN KEY (debit_kind, debit_owner) REFERENCES ledger_accounts (kind, owner),
    FOREIGN KEY (credit_kind, credit_owner) REFERENCES ledger_accounts (kind, owner)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_transfers (id, sequence, kind, debit_kind, debit_owner, credit_kind, credit_owner, amount_minor, currency, posted_at)
    SELECT id, row_number() OVER (ORDER BY posted_at, id), 'post', debit_kind, debit_owner, credit_kind, credit_owner, amount_minor, currency, posted_at
    FROM ledger_transfers_1;
DROP TABLE ledger_transfers_1;
DROP TABLE ledger_accounts_1;

ALTER TABLE refunds RENAME TO refunds_1;
ALTER TABLE activities RENAME TO activities_1;
ALTER TABLE biometric_queries RENAME TO biometric_queries_1;
ALTER TABLE payments RENAME TO payments_1;

-- Payments. Kept 10 years.
CREATE TABLE payments (
    id                    BLOB PRIMARY KEY CHECK (length(id) = 16),     -- pay_…; payee, payer
    terminal              BLOB NOT NULL REFERENCES terminals (id),      -- payee
    store                 BLOB NOT NULL REFERENCES stores (id),         -- payee, payer
    merchant              BLOB NOT NULL REFERENCES merchants (id),      -- payee, payer
    amount_minor          INTEGER NOT NULL CHECK (amount_minor > 0),    -- payee, payer
    currency              TEXT NOT NULL CHECK (currency = 'CNY'),       -- ISO 4217; payee, payer
    merchant_reference    TEXT,                                         -- the payee's own; payee
    capture               TEXT NOT NULL CHECK (capture IN ('automatic', 'manual')), -- when the money moves; payee
    status                TEXT NOT NULL,                                -- payments::payment::STATUSES; payee, payer
    created_at            INTEGER NOT NULL,                             -- payee, payer
    expires_at            INTEGER NOT NULL,                             -- of the payment while it is open, of the hold while it is authorised; payee
    nonce                 BLOB,                                         -- of the last challenge; its terminal
    challenge_issued_at   INTEGER,                                      -- its terminal
    challenge_expires_at  INTEGER,                                      -- its terminal
    challenge_partition   BLOB,                                         -- the part searched; its terminal, parties
    passcode_always       INTEGER CHECK (passcode_always IN (0, 1)),    -- 1: even the part was too large; program
    payer                 BLOB REFERENCES accounts (id),                -- whoever was recognised; the payer only
    refusal               TEXT,                                         -- stable code; payee, payer
    authorised_at         INTEGER,                                      -- when the payer's money was held or moved; payee, payer
    paid_at               INTEGER,                                      -- payee, payer
    captured_minor        INTEGER NOT NULL,                             -- what was paid of the amount; payee, payer
    verified_by           TEXT,                                         -- payments::account::VerifiedBy; payer
    refunded_minor        INTEGER NOT NULL,                             -- sum of refunds; payee, payer
    refund_count          INTEGER NOT NULL,                             -- count; payee
    rules_version         TEXT NOT NULL,                                -- the rule pack that judged it last; payee, payer
    terms_sha256          BLOB CHECK (length(terms_sha256) = 32),       -- of the terms that held for it; NULL on payments older than terms; payee, payer
    CHECK (captured_minor BETWEEN 0 AND amount_minor),
    CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    CHECK ((captured_minor > 0) = (paid_at IS NOT NULL)),
    CHECK (authorised_at IS NULL OR payer IS NOT NULL),
    CHECK (paid_at IS NULL OR authorised_at IS NOT NULL)
) STRICT;
INSERT INTO payments (id, terminal, store, merchant, amount_minor, currency, merchant_reference, capture, status, created_at, expires_at, nonce,
        challenge_issued_at, challenge_expires_at, challenge_partition, passcode_always, payer, refusal, authorised_at, paid_at, captured_minor,
        verified_by, refunded_minor, refund_count, rules_version)
    SELECT id, terminal, store, merchant, amount_minor, currency, merchant_reference, 'automatic', status, created_at, expires_at, nonce,
        challenge_issued_at, challenge_expires_at, challenge_partition, passcode_always, payer, refusal, paid_at, paid_at,
        CASE WHEN paid_at IS NULL THEN 0 ELSE amount_minor END, verified_by, refunded_minor, refund_count, rules_version
    FROM payments_1;

-- Refunds, done when they are here. Kept 10 years.
CREATE TABLE refunds (
    id            BLOB PRIMARY KEY CHECK (length(id) = 16),             -- re_…; payee, payer
    payment       BLOB NOT NULL REFERENCES payments (id),               -- payee, payer
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),            -- payee, payer
    refunded_at   INTEGER NOT NULL                                      -- payee, payer
) STRICT;
INSERT INTO refunds (id, payment, amount_minor, refunded_at) SELECT id, payment, amount_minor, refunded_at FROM refunds_1;

-- What a wallet lists: one row per movement of its money. Kept 10 years.
CREATE TABLE activities (
    sequence      INTEGER PRIMARY KEY,                                  -- order of posting; program
    account       BLOB NOT NULL REFERENCES accounts (id),               -- whose; owner
    kind          TEXT NOT NULL,                                        -- wire::api::ActivityKind; owner
    reference     BLOB NOT NULL,                                        -- the payment, refund, top-up or dispute; owner
    payment       BLOB REFERENCES payments (id),                        -- for all but top-ups; owner
    amount_minor  INTEGER NOT NULL,                                     -- signed, what it did to the balance; owner
    posted_at     INTEGER NOT NULL,                                     -- owner
    UNIQUE (reference, kind)
) STRICT;
INSERT INTO activities (sequence, account, kind, reference, payment, amount_minor, posted_at)
    SELECT sequence, account, kind, reference, payment, amount_minor, posted_at FROM activities_1;

-- Every use of a shopper's biometric, for the right to know. Kept 3 years.
CREATE TABLE biometric_queries (
    sequence  INTEGER PRIMARY KEY,                                      -- order; program
    id        BLOB NOT NULL UNIQUE CHECK (length(id) = 16),             -- qry_…; owner
    account   BLOB NOT NULL REFERENCES accounts (id),                   -- whose; owner
    kind      TEXT NOT NULL,                                            -- wire::api::QueryKind; owner
    payment   BLOB REFERENCES payments (id),                            -- for identifications: its outcome is the query's; owner
    at        INTEGER NOT NULL                                          -- owner
) STRICT;
INSERT INTO biometric_queries (sequence, id, account, kind, payment, at) SELECT sequence, id, account, kind, payment, at FROM biometric_queries_1;

DROP TABLE refunds_1;
DROP TABLE activities_1;
DROP TABLE biometric_queries_1;
DROP TABLE payments_1;
CREATE INDEX payments_of_merchant ON payments (merchant, id);
CREATE INDEX payments_open ON payments (expires_at) WHERE status IN ('created', 'challenged', 'being_checked', 'awaiting_passcode', 'authorised');
CREATE INDEX refunds_of_payment ON refunds (payment, id);
CREATE INDEX activities_of_account ON activities (account, sequence);
CREATE INDEX biometric_queries_of_account ON biometric_queries (account, sequence);

-- Shoppers' accounts: what their owners set, and what is counted by night.
ALTER TABLE accounts ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;      -- 1: no money leaves until its owner proves identity anew; owner, operator
ALTER TABLE accounts ADD COLUMN duress_hash TEXT;                       -- Argon2id of the passcode given under threat; program
ALTER TABLE accounts ADD COLUMN usage_night INTEGER NOT NULL DEFAULT 0; -- local day on which the night of the next one began; program
ALTER TABLE accounts ADD COLUMN paid_night_minor INTEGER NOT NULL DEFAULT 0; -- paid in it; owner

-- Limits that owners set, never changed: the newest in force counts. Kept like accounts.
CREATE TABLE account_limits (
    sequence           INTEGER PRIMARY KEY,                             -- order of decisions; program
    account            BLOB NOT NULL REFERENCES accounts (id),          -- whose; owner, operator
    payment_max_minor  INTEGER CHECK (payment_max_minor >= 0),          -- largest single payment; NULL: the rules' own; owner
    day_max_minor      INTEGER CHECK (day_max_minor >= 0),              -- largest sum of a day; NULL: the rules' own; owner
    night_max_minor    INTEGER CHECK (night_max_minor >= 0),            -- largest sum of a night; NULL: the rules' own; owner
    effective_at       INTEGER NOT NULL,                                -- from when it counts: raising takes time; owner
    decided_at         INTEGER NOT NULL                                 -- owner, operator
) STRICT;
CREATE INDEX account_limits_of_account ON account_limits (account, sequence);

-- What staff must look at. Kept 10 years.
CREATE TABLE alerts (
    sequence  INTEGER PRIMARY KEY,                                      -- order; operator
    kind      TEXT NOT NULL,                                            -- payments::alert::AlertKind; operator
    account   BLOB NOT NULL REFERENCES accounts (id),                   -- operator
    payment   BLOB REFERENCES payments (id),                            -- operator
    at        INTEGER NOT NULL                                          -- operator
) STRICT;

-- "Not me": payments that their payer disputes. Kept 10 years.
CREATE TABLE disputes (
    id                BLOB PRIMARY KEY CHECK (length(id) = 16),         -- dp_…; owner, operator
    payment           BLOB NOT NULL UNIQUE REFERENCES payments (id),    -- once for each payment; owner, operator
    account           BLOB NOT NULL REFERENCES accounts (id),           -- whose; owner, operator
    cause             TEXT NOT NULL,                                    -- wire::api::DisputeCause; owner, operator
    status            TEXT NOT NULL,                                    -- payments::dispute::STATUSES; owner, operator
    amount_minor      INTEGER NOT NULL CHECK (amount_minor > 0),        -- what is disputed: paid and not refunded; owner
    credited_minor    INTEGER NOT NULL,                                 -- what the fund gave and did not take back; owner
    uncollected_minor INTEGER NOT NULL,                                 -- what could not be taken back; operator
    opened_at         INTEGER NOT NULL,                                 -- owner, operator
    credit_due_at     INTEGER NOT NULL,                                 -- by when the provisional credit is given; owner
    decide_by         INTEGER NOT NULL,                                 -- by when it is decided; then the payer is right; owner, operator
    extended          INTEGER NOT NULL CHECK (extended IN (0, 1)),      -- 1: the time was prolonged once; owner
    decided_at        INTEGER,                                          -- owner
    reason            TEXT,                                             -- of the decision, in words for the payer; owner, operator
    rules_version     TEXT NOT NULL,                                    -- the rule pack that its clocks and sums come from; owner
    CHECK (credited_minor BETWEEN 0 AND amount_minor)
) STRICT;
CREATE INDEX disputes_of_account ON disputes (account, id);
CREATE INDEX disputes_open ON disputes (decide_by) WHERE decided_at IS NULL;
