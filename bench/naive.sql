-- One payment as a plain program writes it: one transaction, a row for the payment, two entries, two balances, the
-- idempotency key. `handsel bench pay` runs it with pgbench beside Handsel; with :merchants 1 all pay the same one.
\set payer random(1, :payers)
\set merchant random(1, :merchants)
\set amount random(100, 20000)
\set key random(1, 9000000000000000000)
BEGIN;
INSERT INTO naive_idempotency (key, created_at) VALUES (:key, now());
SELECT balance FROM naive_accounts WHERE id = :payer FOR UPDATE;
INSERT INTO naive_payments (payer, merchant, amount, created_at) VALUES (:payer, :merchant, :amount, now()) RETURNING id \gset
INSERT INTO naive_entries (payment, account, amount) VALUES (:id, :payer, 0 - :amount);
INSERT INTO naive_entries (payment, account, amount) VALUES (:id, 1000000 + :merchant, :amount);
UPDATE naive_accounts SET balance = balance - :amount WHERE id = :payer;
UPDATE naive_accounts SET balance = balance + :amount WHERE id = 1000000 + :merchant;
COMMIT;
