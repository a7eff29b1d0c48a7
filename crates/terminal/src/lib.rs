//! The till's agent: pictures in, sealed and signed shares out.
//!
//! It runs beside the browser that shows the till page, listens on loopback only, and is the one place that sees a
//! frame. Frames, crops, embeddings and templates live in memory for one look and are wiped; what leaves the machine is
//! a [`wire::probe::SealedProbe`].
//!
//! Invariant: the agent knows no shopper, no balance and no rule. It cannot open what it sealed, and it learns the
//! outcome of a payment only from the platform.

pub mod agent;
pub mod config;
pub mod counter;
mod door;
pub mod look;
mod platform;
pub mod probe;
mod routes;
mod upload;
