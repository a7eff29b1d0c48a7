//! Bytes that cross a process: probes from till to parties, messages between platform and parties, the JSON of the
//! HTTP API, and its errors.
//!
//! Invariant: `wire` holds shapes and their encodings only. It decides nothing, keeps nothing and opens nothing but
//! what it is handed with the key for it.

pub mod api;
pub mod bytes;
pub mod dispute;
pub mod helper;
pub mod merchant;
pub mod party;
pub mod passkey;
pub mod probe;
pub mod problem;
pub mod receipt;
pub mod seal;
pub mod service;
pub mod settlement;
pub mod shop;
pub mod upkeep;
pub mod voucher;

#[cfg(test)]
mod tests;
