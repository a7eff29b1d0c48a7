//! The rules of paying: what is allowed, what is refused and why, as pure functions.
//!
//! Each module of a thing that changes has the same shape: types and documentation in `mod.rs`, `decide` (state and
//! command to an event or a [`refusal::Refusal`]), `apply` (state and event to the next state). Whoever stores the
//! state runs both inside one transaction.
//!
//! Invariant: `payments` knows no SQL, no HTTP, no clock, no random source and no face. Numbers that a regulator or
//! the institution may change come from a rule pack ([`rules`]), never from code.

pub mod account;
pub mod activation;
pub mod consent;
pub mod dispute;
pub mod enrolment;
pub mod figures;
pub mod passcode;
pub mod passkey;
pub mod payment;
pub mod probe;
pub mod refund;
pub mod refusal;
pub mod rules;
pub mod service;
pub mod settlement;
pub mod shop;
pub mod staff;
pub mod terms;
pub mod voucher;
pub mod watch;
pub mod webhook;
