// What is tested on both databases; `main.rs` and `postgres.rs` say on which.
mod copies;
mod events;
mod gallery;
mod group;
mod kill;
mod money;
mod paying;
mod place;
mod wallet;
mod world;
mod disputes;
mod holds;
mod owners;
