//! Tests of whole protocols: all three parties in memory against the plain decision.

mod bits;
mod identify;
mod measure;
mod scan_cost;
mod search;
mod sharing;
