-- Offline vouchers: sums that are set aside and signed for one store, so that its tills take them without network. Conventions as in
-- the first schema.

-- Where shoppers pay while a till has no network: one store at a time. Deleted when it is switched off.
CREATE TABLE voucher_stores (
    account  BLOB PRIMARY KEY REFERENCES accounts (id),                 -- whose; owner
    store    BLOB NOT NULL REFERENCES stores (id),                      -- owner
    since    INTEGER NOT NULL                                           -- owner
) STRICT;

-- The vouchers. What is set aside for one is the held transfer of the same identifier. Kept 10 years.
CREATE TABLE vouchers (
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),            -- vch_…; owner, tills of the store once it is stopped or used
    account        BLOB NOT NULL REFERENCES accounts (id),              -- whose; owner
    store          BLOB NOT NULL REFERENCES stores (id),                -- the only one that takes it; owner, payee
    most_minor     INTEGER NOT NULL CHECK (most_minor > 0),             -- what is set aside; owner
    currency       TEXT NOT NULL CHECK (currency = 'CNY'),              -- ISO 4217; owner, payee
    state          TEXT NOT NULL,                                       -- payments::voucher::issue::VoucherState; owner
    issued_at      INTEGER NOT NULL,                                    -- owner
    expires_at     INTEGER NOT NULL,                                    -- from then on no till takes it; owner, payee
    held_until     INTEGER NOT NULL,                                    -- from then on nothing is set aside; operator
    payment        BLOB UNIQUE REFERENCES payments (id),                -- what it was used for; owner, payee
    taken_at       INTEGER,                                             -- when the till took it, by its clock; owner, payee
    CHECK ((state = 'used') = (payment IS NOT NULL)),
    CHECK ((payment IS NULL) = (taken_at IS NULL))
) STRICT;
CREATE INDEX vouchers_of_account ON vouchers (account, id);
CREATE INDEX vouchers_of_store ON vouchers (store, expires_at);
CREATE INDEX vouchers_held ON vouchers (held_until) WHERE state = 'open';
