//! Tests of whole protocols: all three parties in memory against the plain decision.

mod bits;
mod kernel_cost;
mod measure;
mod search;
mod sharing;
