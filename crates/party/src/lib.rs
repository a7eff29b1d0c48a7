//! One of the three share parties: keeps its shares of every enrolled template, checks every probe itself, and takes part
//! in identification. `docs/protocols/identify.md` says what it learns: nothing about whom it helps to find.
//!
//! Read in this order: [`server`] (connections and who they belong to), [`service`] (what is done with each request),
//! [`checks`], [`apply`] and [`identify`] (the two kinds of work), [`gallery`] and [`store`] (what is kept), [`mesh`], [`link`] and [`switchboard`] (the
//! connections to the other two parties), [`tls`] and [`identity`] (who may connect).
//!
//! Invariant: a party never holds a whole template, score, token or name, and never writes a share outside its own
//! directory. It trusts neither the platform's word that a probe is genuine nor its counting.

mod admission;
pub mod apply;
pub mod audit;
pub mod backup;
pub mod budget;
pub mod checks;
pub mod config;
pub mod cpu;
pub mod directory;
pub mod enrolment_check;
pub mod error;
pub mod frame;
pub mod gallery;
pub mod identify;
pub mod identity;
pub mod journal;
pub mod keys;
pub mod link;
pub mod mac_run;
pub mod mac_store;
pub mod mesh;
pub mod opening;
pub mod outbox;
pub mod preparation;
pub mod rebuild;
pub mod refresh;
mod relabel;
pub mod row_seal;
pub mod run_network;
pub mod scan_pool;
pub mod search;
pub mod searched;
pub mod server;
pub mod service;
mod sqlite;
pub mod stages;
pub mod staging;
pub mod store;
pub mod switchboard;
pub mod takeover;
pub mod tls;
pub mod workers;
