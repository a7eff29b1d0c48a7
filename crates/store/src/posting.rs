//! Posting in the ledger inside a transaction.
