-- What bench/naive.sql works on. :payers payers, :merchants merchants.
CREATE TABLE naive_accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL);
CREATE TABLE naive_payments (id BIGSERIAL PRIMARY KEY, payer BIGINT NOT NULL, merchant BIGINT NOT NULL, amount BIGINT NOT NULL, created_at TIMESTAMPTZ NOT NULL);
CREATE TABLE naive_entries (id BIGSERIAL PRIMARY KEY, payment BIGINT NOT NULL REFERENCES naive_payments (id), account BIGINT NOT NULL REFERENCES naive_accounts (id), amount BIGINT NOT NULL);
CREATE TABLE naive_idempotency (key BIGINT PRIMARY KEY, created_at TIMESTAMPTZ NOT NULL);
INSERT INTO naive_accounts SELECT payer, 1000000000 FROM generate_series(1, :payers) payer;
INSERT INTO naive_accounts SELECT 1000000 + merchant, 0 FROM generate_series(1, :merchants) merchant;
