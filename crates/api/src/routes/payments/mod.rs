//! Payments, as a terminal or its merchant's server makes them.

pub mod cancel;
pub mod capture;
pub mod challenge;
pub mod create;
pub mod passcode;
pub mod probe;
pub mod read;
pub mod refund;
pub mod stream;
