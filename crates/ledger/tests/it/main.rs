//! The ledger under a seeded model: a list of operations, a fake clock, a disk that fails, and an oracle written apart.

mod model;
