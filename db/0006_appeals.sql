-- Appeals. Conventions as in the first schema.

ALTER TABLE disputes ADD COLUMN appealed_at INTEGER;                    -- when the payer appealed against a rejection; owner, operator
