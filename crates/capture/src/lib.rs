//! Capture: from the bytes of one picture to a face template, and the measures of how well that works.
//!
//! Pure functions over bytes and images: no file, socket, clock or random source, nothing kept between two calls.
//! Whatever holds a picture, a crop or an embedding wipes its own memory when dropped and never prints its contents.
//! `docs/capture.md` describes the pipeline, every threshold with its source, and what the liveness model cannot stop.

pub mod config;
pub mod error;
pub mod eval;
pub mod face;
pub mod models;
pub mod picture;
mod resample;
