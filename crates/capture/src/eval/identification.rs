//! One-to-many, open set: who is this, if anybody who is enrolled?

use super::proportion::Proportion;
use super::verification::{lowest_threshold, reaching};

/// What the search for one enrolled person gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatedSearch {
    /// Score against the person's own template.
    pub own: f64,
    /// Highest score against anybody else's.
    pub best_other: f64,
}

/// Searches of which the truth is known.
#[derive(Clone, PartialEq)]
pub struct Searches {
    gallery: u64,
    mated: Vec<MatedSearch>,
    /// Highest score of each search for somebody who is not enrolled, highest first.
    non_mated: Vec<f64>,
}

/// What a threshold costs in an open-set search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenSetPoint {
    /// Least score that is accepted.
    pub threshold: f64,
    /// False positive identification rate: searches for people who are not enrolled that found somebody.
    pub fpir: Proportion,
    /// False negative identification rate: searches for enrolled people that did not have that person's own template
    /// first and at or above the threshold.
    pub fnir: Proportion,
    /// Those of them that found somebody else instead.
    pub wrong_identity: Proportion,
}

impl Searches {
    /// Searches in a gallery of `gallery` people.
    ///
    /// # Panics
    /// When there are no searches of either kind or a score is not a number.
    pub fn new(gallery: u64, mated: Vec<MatedSearch>, mut non_mated: Vec<f64>) -> Searches {
        assert!(!mated.is_empty() && !non_mated.is_empty(), "a rate needs trials");
        assert!(non_mated.iter().all(|score| !score.is_nan()), "a score is a number");
        assert!(mated.iter().all(|search| !search.own.is_nan() && !search.best_other.is_nan()), "a score is a number");
        non_mated.sort_unstable_by(|a, b| b.total_cmp(a));
        Searches { gallery, mated, non_mated }
    }

    /// People enrolled.
    pub fn gallery(&self) -> u64 {
        self.gallery
    }

    /// The error rates at one threshold.
    pub fn at(&self, threshold: f64) -> OpenSetPoint {
        let mated = self.mated.len() as u64;
        let found = |search: &&MatedSearch| search.own >= threshold && search.own > search.best_other;
        let wrong = |search: &&MatedSearch| search.best_other >= threshold && search.best_other >= search.own;
        let count = |condition: &dyn Fn(&&MatedSearch) -> bool| self.mated.iter().filter(condition).count() as u64;
        OpenSetPoint {
            threshold,
            fpir: Proportion::new(reaching(&self.non_mated, threshold), self.non_mated.len() as u64),
            fnir: Proportion::new(mated - count(&found), mated),
            wrong_identity: Proportion::new(count(&wrong), mated),
        }
    }

    /// The operating point with the lowest threshold whose false positive identification rate is at most `fpir_max`.
    pub fn at_fpir(&self, fpir_max: f64) -> OpenSetPoint {
        self.at(lowest_threshold(&self.non_mated, fpir_max))
    }
}
