//! Measures of biometric performance as ISO/IEC 19795-1:2021 defines them, over plain scores.
//!
//! A score says how alike two samples are; a comparison is accepted when its score reaches the threshold. Every rate
//! comes as a count of errors over a count of trials with a 95 % interval. The intervals take trials as independent;
//! where one picture takes part in many comparisons, as in all-against-all, the truth is less certain than they say.

pub mod face;
pub mod identification;
pub mod pairs;
pub mod proportion;
pub mod verification;

#[cfg(test)]
mod tests;
