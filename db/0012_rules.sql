-- What payments were judged by, who was checked how, and what was watched. Conventions as in the first schema.

-- Numbers of rule packs, unchanged once their pack has judged a payment. Kept as long as payments.
CREATE TABLE rule_numbers (
    version  TEXT NOT NULL,                                             -- the pack's; anybody
    name     TEXT NOT NULL,                                             -- with its table, such as strength.look_only_day_max_minor; anybody
    value    TEXT NOT NULL,                                             -- as the file says it; anybody
    PRIMARY KEY (version, name)
) STRICT;

-- Checks of who a shopper is. Kept 10 years after the account's closing.
CREATE TABLE identity_checks (
    sequence    INTEGER PRIMARY KEY,                                    -- order; program
    account     BLOB NOT NULL REFERENCES accounts (id),                 -- whose; owner, operator
    channel     TEXT NOT NULL,                                          -- face_to_face, demo, or the outside source's name; owner, operator
    checked_at  INTEGER NOT NULL,                                       -- owner, operator
    checked_by  TEXT NOT NULL,                                          -- who of the staff recorded it; operator
    revoked_at  INTEGER                                                 -- when it stopped to count; owner, operator
) STRICT;
CREATE INDEX identity_checks_of_account ON identity_checks (account, sequence);
-- Until now an account was of class II without anybody having asked: that is what a demonstration does.
INSERT INTO identity_checks (account, channel, checked_at, checked_by)
    SELECT id, 'demo', created_at, 'platform' FROM accounts WHERE identity_class = 'II';

-- One person's accounts share the caps.
ALTER TABLE accounts ADD COLUMN person BLOB;                            -- the same for all accounts of one person, NULL for an only one; operator
ALTER TABLE accounts ADD COLUMN person_by TEXT;                         -- who of the staff said so; operator
CREATE INDEX accounts_of_person ON accounts (person) WHERE person IS NOT NULL;

-- Days whose movements were looked through for signs of laundering. Kept like alerts, 10 years.
CREATE TABLE watched_days (
    day       INTEGER PRIMARY KEY,                                      -- local day since 1970; operator
    sequence  INTEGER NOT NULL                                          -- the last of its rows in activities; program
) STRICT;
