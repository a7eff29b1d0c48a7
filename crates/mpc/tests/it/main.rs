//! Tests of whole protocols: all three parties in memory against the plain decision.

mod identify;
mod measure;
mod sharing;
