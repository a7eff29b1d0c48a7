//! The double-entry ledger: accounts, transfers and the sums that must always hold, as a pure state machine.
//!
//! Money never appears or vanishes: each transfer debits one account and credits another by the same amount, at once or
//! in two phases (held, then posted, voided or expired), under an identifier that the caller chose and that counts for
//! ever, so that asking again changes nothing. Whoever stores the ledger loads the accounts and the earlier transfers that
//! a batch touches into a [`post::Ledger`], posts, and writes back what changed in one transaction with the next lines of
//! the [`chain`]. An auditor checks an [`export`] of that chain without us.
//!
//! Invariant: `ledger` knows no SQL, no payment, no person and no clock. After every batch the sum of debits equals the
//! sum of credits, posted and pending, and what is owed, set aside and on its way to banks equals the reserve; a
//! [`breach::Breach`] leaves everything as it was and stops whoever writes.

pub mod account;
pub mod breach;
pub mod chain;
pub mod export;
pub mod post;
pub mod totals;
pub mod transfer;
