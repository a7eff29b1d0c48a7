//! The vocabulary every other crate speaks: identifiers, money, time, secrets, party numbers.
//!
//! Invariant: `base` knows nothing of payments, biometrics, files, sockets or clocks. Time and randomness are
//! parameters everywhere; the one clock that reads the machine lives in [`time::SystemClock`].

pub mod hash;
pub mod id;
pub mod money;
pub mod party;
pub mod secret;
pub mod time;
