-- Paying merchants out. Conventions as in the first schema.

-- Bank accounts that merchants want to be paid out to: added, decided once, never changed. Kept 10 years.
CREATE TABLE bank_accounts (
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),           -- ba_…; payee, operator
    merchant        BLOB NOT NULL REFERENCES merchants (id),            -- whose; payee, operator
    holder_name     TEXT NOT NULL,                                      -- as the bank knows the holder; payee, operator
    bank_code       TEXT NOT NULL,                                      -- 12 digits of the clearing system; payee, operator
    account_number  TEXT NOT NULL,                                      -- 8 to 30 digits; operator, the payee its last four
    status          TEXT NOT NULL,                                      -- payments::settlement::bank_account::STATUSES; payee, operator
    requested_at    INTEGER NOT NULL,                                   -- payee, operator
    decided_at      INTEGER,                                            -- when it was approved, rejected or taken back; payee, operator
    decided_by      TEXT,                                               -- who of the staff approved or rejected it; operator
    reason          TEXT,                                               -- of the decision; payee if it was rejected, operator
    effective_at    INTEGER,                                            -- from when on it is paid to; payee, operator
    CHECK (status <> 'approved' OR effective_at IS NOT NULL)
) STRICT;
CREATE INDEX bank_accounts_of_merchant ON bank_accounts (merchant, id);
CREATE INDEX bank_accounts_by_number ON bank_accounts (account_number);

-- What was sent, or is held, of what a merchant is owed: at most once a day. Kept 10 years.
CREATE TABLE payouts (
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),            -- po_…, its transfer's too; payee, operator
    merchant       BLOB NOT NULL REFERENCES merchants (id),             -- whose; payee, operator
    bank_account   BLOB NOT NULL REFERENCES bank_accounts (id),         -- where to; payee, operator
    day            INTEGER NOT NULL,                                    -- local day since 1970 on which it was made; program
    amount_minor   INTEGER NOT NULL CHECK (amount_minor > 0),           -- payee, operator
    status         TEXT NOT NULL,                                       -- payments::settlement::STATUSES; payee, operator
    hold_reason    TEXT,                                                -- payments::settlement::HOLD_REASONS; payee, operator
    settles_until  INTEGER NOT NULL,                                    -- payments before this are in it; payee, operator
    created_at     INTEGER NOT NULL,                                    -- payee, operator
    sent_at        INTEGER,                                             -- payee, operator
    ended_at       INTEGER,                                             -- payee, operator
    decided_by     TEXT,                                                -- who of the staff let it go, gave it up or told what the bank said; operator
    rules_version  TEXT NOT NULL,                                       -- the rule pack that made it; operator
    UNIQUE (merchant, day)
) STRICT;
CREATE INDEX payouts_of_merchant ON payouts (merchant, id);

-- What staff must look at about merchants. Kept 10 years.
CREATE TABLE merchant_alerts (
    sequence  INTEGER PRIMARY KEY,                                      -- order; operator
    kind      TEXT NOT NULL,                                            -- store::alert::MerchantKind; operator
    merchant  BLOB NOT NULL REFERENCES merchants (id),                  -- operator
    at        INTEGER NOT NULL                                          -- operator
) STRICT;
