//! The platform: the HTTP API for terminals and wallets, the resolver that asks the three parties, and the task that
//! keeps their galleries in step.
//!
//! Read [`server`] first (what starts and in which order), then [`routes`] (the table of all endpoints), then
//! `routes/payments/probe.rs`, [`identification`] and [`resolver`] (what happens between a look and a payment), and
//! [`gallery`] (what happens between a consent and a face that can pay).
//!
//! Invariant: the platform can open no sealed share. It sees a record's token only when all three parties have said
//! their part, and it never sees a template, a score or a position in a gallery. `api` decides nothing about money:
//! it turns requests into calls of `store`, whose transactions decide.

pub mod api_key;
pub mod app;
pub mod auth;
mod bench;
pub mod body;
pub mod clerk_auth;
pub mod config;
pub mod crowd;
mod deputy;
pub mod error;
pub mod errors_page;
pub mod gallery;
pub mod hashing;
pub mod identification;
pub mod labels;
pub mod limits;
pub mod macs;
pub mod metrics;
pub mod middleware;
mod numbers;
pub mod once;
pub mod one_time_code;
pub mod openapi;
pub mod passkey;
pub mod problem;
pub mod resolver;
pub mod rng;
pub mod routes;
pub mod server;
pub mod staff_auth;
pub mod version;
pub mod webhooks;

/// What the store keeps of a bearer key or a session's token: its SHA-256. Both are 32 random bytes, so that nobody finds
/// them from their hash.
pub fn token_sha256(token: &str) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(token.as_bytes()).into()
}
