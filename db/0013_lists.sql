-- Lists by merchant and by account are chains: each row names the one before it in its list, and the owner's row the last one. In an
-- index each row lay in the middle of a tree: two fifths of the pages that a payment wrote (adr/012). Conventions as in the first schema.

-- The newest of each merchant's lists. Kept like payees.
CREATE TABLE merchant_lists (
    merchant      BLOB PRIMARY KEY REFERENCES merchants (id),           -- whose; payee
    last_payment  BLOB,                                                 -- of payments; payee
    last_event    BLOB                                                  -- of events; payee
) STRICT;
INSERT INTO merchant_lists (merchant, last_payment, last_event)
    SELECT id, (SELECT p.id FROM payments p WHERE p.merchant = merchants.id ORDER BY p.id DESC LIMIT 1),
        (SELECT e.id FROM events e WHERE e.merchant = merchants.id ORDER BY e.id DESC LIMIT 1)
    FROM merchants;
ALTER TABLE accounts ADD COLUMN last_activity BLOB;                     -- reference of the newest of activities; owner
ALTER TABLE accounts ADD COLUMN last_query BLOB;                        -- the newest of biometric_queries; owner
UPDATE accounts SET last_activity = (SELECT a.reference FROM activities a WHERE a.account = accounts.id ORDER BY a.sequence DESC LIMIT 1);
UPDATE accounts SET last_query = (SELECT q.id FROM biometric_queries q WHERE q.account = accounts.id ORDER BY q.sequence DESC LIMIT 1);

ALTER TABLE payments ADD COLUMN previous BLOB;                          -- the merchant's payment before; payee
ALTER TABLE events ADD COLUMN previous BLOB;                            -- the merchant's event before, which may be gone; payee
ALTER TABLE activities ADD COLUMN previous BLOB;                        -- reference of the account's row before; owner
ALTER TABLE biometric_queries ADD COLUMN previous BLOB;                 -- the account's row before, which may be gone; owner
UPDATE payments SET previous = o.previous
    FROM (SELECT id, lag(id) OVER (PARTITION BY merchant ORDER BY id) AS previous FROM payments) AS o WHERE o.id = payments.id;
UPDATE events SET previous = o.previous
    FROM (SELECT id, lag(id) OVER (PARTITION BY merchant ORDER BY id) AS previous FROM events) AS o WHERE o.id = events.id;
UPDATE activities SET previous = o.previous
    FROM (SELECT sequence, lag(reference) OVER (PARTITION BY account ORDER BY sequence) AS previous FROM activities) AS o
    WHERE o.sequence = activities.sequence;
UPDATE biometric_queries SET previous = o.previous
    FROM (SELECT sequence, lag(id) OVER (PARTITION BY account ORDER BY sequence) AS previous FROM biometric_queries) AS o
    WHERE o.sequence = biometric_queries.sequence;

DROP INDEX payments_of_merchant;
DROP INDEX events_of_merchant;
DROP INDEX activities_of_account;
DROP INDEX biometric_queries_of_account;
