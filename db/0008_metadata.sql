-- What merchants note on payments. Conventions as in the first schema.

-- Names and values of the merchant's own, of payments that have some. Kept as long as the payment.
CREATE TABLE payment_metadata (
    payment   BLOB PRIMARY KEY REFERENCES payments (id),                -- payee
    metadata  TEXT NOT NULL                                             -- JSON, an object of texts; payee
) STRICT;
