//! Payments, as a terminal makes them.

pub mod cancel;
pub mod challenge;
pub mod create;
pub mod passcode;
pub mod probe;
pub mod read;
pub mod refund;
