//! Telling merchants what happened, by the Standard Webhooks rules (standardwebhooks.com, specification 1.0.0).
//!
//! An event is written in the transaction that made it happen; one delivery for each endpoint that wants it stands beside
//! it. From then on a [`delivery::Delivery`] goes by attempts: [`delivery::Delivery::after`] says what each one leads to,
//! [`schedule`] when the next is due. [`signature`] makes the headers that a receiver verifies, and [`reach`] says which
//! addresses may be connected to at all.
//!
//! Invariant: at least once, never silently given up: a delivery ends delivered, or dead and listed, and can be replayed.

pub mod delivery;
pub mod reach;
pub mod schedule;
pub mod signature;

/// Largest body in bytes: the rules advise less than 20 kB.
pub const BODY_LEN_MAX: usize = 20_000;

#[cfg(test)]
mod tests;
