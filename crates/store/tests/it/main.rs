//! The store's tests against real files: each use case, each refusal, concurrency, and a process that is killed.

mod gallery;
mod kill;
mod money;
mod paying;
mod wallet;
mod world;
