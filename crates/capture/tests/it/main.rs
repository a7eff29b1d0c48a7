//! Integration tests of the capture crate.
//!
//! Those on real pictures need the folded models and the test portraits, which `make test` provides in `var`; without
//! them they print that they are skipped and why. `HANDSEL_MODELS`, `HANDSEL_TEST_PICTURES` and `HANDSEL_REFERENCE`
//! name other places.

mod decode;
mod portraits;
mod reference;
mod world;
