//! The double-entry ledger: accounts, transfers and the sums that must always hold, as a pure state machine.
//!
//! Money never appears or vanishes: each transfer debits one account and credits another by the same amount, under an
//! identifier that the caller chose and that counts for ever, so that posting again changes nothing. Whoever stores
//! the ledger loads the accounts and the earlier transfers that a batch touches into a [`Ledger`], posts, and writes
//! back what changed.
//!
//! Invariant: `ledger` knows no SQL, no payment, no person and no clock. After every posting the sum of debits equals
//! the sum of credits, and what is owed to customers and merchants equals the reserve; a breach is a bug and panics.

pub mod account;
pub mod post;
pub mod totals;
pub mod transfer;
