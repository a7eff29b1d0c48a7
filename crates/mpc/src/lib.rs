//! Identification on secret shares: three parties find who a probe belongs to, and none of them learns who.
//!
//! Read in this order: [`ring`] and [`share`] (how a template is split), [`layout`], [`kernel`] and [`scan`] (how a gallery
//! lies in memory and is read), [`prss`] (randomness that two parties agree on without talking), [`network`] (how a party
//! talks to its two neighbours), then [`protocol::identify`], which says in which order the other protocols make a search,
//! [`protocol::chunk`] and [`protocol::conclude`].
//!
//! Invariant: `mpc` knows nothing of payments, people, files, sockets, clocks or a random source of its own. It holds
//! against one party that cheats; `docs/protocols/` says how far, and what it does not hold against.

pub mod error;
pub mod field;
pub mod kernel;
pub mod layout;
pub mod network;
pub mod protocol;
pub mod prss;
pub mod ring;
pub mod scan;
pub mod share;
pub mod testing;
pub mod token;
