// What is tested on both databases; `main.rs` and `postgres.rs` say on which.
mod copies;
mod devices;
mod disputes;
mod events;
mod gallery;
mod group;
mod holds;
mod kill;
mod load;
mod money;
mod owners;
mod paying;
mod place;
mod rights;
mod settlement;
mod wallet;
mod world;
