//! Three real party servers on loopback with real TLS and real stores, driven as the platform and a terminal drive them.

mod cheating;
mod gallery;
mod identify;
mod kill;
mod kill_upkeep;
mod labels;
mod logs;
mod measure;
mod multiplexer;
mod online;
mod outages;
mod privacy;
mod refusals;
mod traces;
mod upkeep;
mod workers;
mod world;
