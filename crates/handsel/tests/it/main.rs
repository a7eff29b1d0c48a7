//! Tests of the whole: the layers, and the binary as a user runs it.

mod copies;
mod installation;
mod layers;
mod up;

mod whole;
