-- What owners say of twins. Conventions as in the first schema.

ALTER TABLE account_limits ADD COLUMN passcode_always INTEGER NOT NULL DEFAULT 0; -- 1: a look alone never pays, as for twins; owner
