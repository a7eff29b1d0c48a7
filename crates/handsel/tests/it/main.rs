//! Tests of the whole: the layers, and the binary as a user runs it.

mod admin;
mod copies;
mod installation;
mod layers;
mod receipt;
mod up;
mod whole;
mod workers;
