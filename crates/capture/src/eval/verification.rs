//! One-to-one: is this the person it claims to be?

use super::proportion::Proportion;

/// Scores of comparisons of which the truth is known.
#[derive(Clone, Default, PartialEq)]
pub struct Scores {
    /// Of two samples of one person, highest first.
    genuine: Vec<f64>,
    /// Of samples of two people, highest first.
    impostor: Vec<f64>,
}

/// What a threshold costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// Least score that is accepted.
    pub threshold: f64,
    /// False match rate: impostors accepted.
    pub fmr: Proportion,
    /// False non-match rate: genuine people refused.
    pub fnmr: Proportion,
}

/// The threshold at which both errors are equally frequent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EqualErrorRate {
    /// Mean of the two rates where they differ least.
    pub rate: f64,
    /// The rates there.
    pub at: OperatingPoint,
}

impl Scores {
    /// Sorts the scores.
    ///
    /// # Panics
    /// When either list is empty or a score is not a number.
    pub fn new(mut genuine: Vec<f64>, mut impostor: Vec<f64>) -> Scores {
        assert!(!genuine.is_empty() && !impostor.is_empty(), "a rate needs trials");
        assert!(genuine.iter().chain(&impostor).all(|score| !score.is_nan()), "a score is a number");
        genuine.sort_unstable_by(|a, b| b.total_cmp(a));
        impostor.sort_unstable_by(|a, b| b.total_cmp(a));
        Scores { genuine, impostor }
    }

    /// The error rates at one threshold.
    pub fn at(&self, threshold: f64) -> OperatingPoint {
        let (genuine, impostor) = (self.genuine.len() as u64, self.impostor.len() as u64);
        OperatingPoint {
            threshold,
            fmr: Proportion::new(reaching(&self.impostor, threshold), impostor),
            fnmr: Proportion::new(genuine - reaching(&self.genuine, threshold), genuine),
        }
    }

    /// The operating point with the lowest threshold whose false match rate is at most `fmr_max`. When there are fewer
    /// than 1 / `fmr_max` impostors it has no false match at all, and its interval shows how little that says.
    pub fn at_fmr(&self, fmr_max: f64) -> OperatingPoint {
        self.at(lowest_threshold(&self.impostor, fmr_max))
    }

    /// The equal error rate.
    pub fn equal_error_rate(&self) -> EqualErrorRate {
        let gap = |point: &OperatingPoint| point.fmr.value() - point.fnmr.value();
        // Raising the threshold lowers FMR and raises FNMR, so the crossing is found by halving.
        let mut candidates: Vec<f64> = self.genuine.iter().chain(&self.impostor).copied().collect();
        candidates.sort_unstable_by(f64::total_cmp);
        candidates.dedup();
        let crossing = candidates.partition_point(|threshold| gap(&self.at(*threshold)) > 0.0);
        let around = [crossing.checked_sub(1), Some(crossing)].into_iter().flatten();
        let at = around
            .filter_map(|index| candidates.get(index))
            .map(|threshold| self.at(*threshold))
            .min_by(|a, b| gap(a).abs().total_cmp(&gap(b).abs()))
            .expect("there is at least one score");
        EqualErrorRate { rate: (at.fmr.value() + at.fnmr.value()) / 2.0, at }
    }
}

/// One comparison of a verification protocol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Its score.
    pub score: f64,
    /// Whether both samples are of one person.
    pub genuine: bool,
    /// The part of the protocol that it belongs to.
    pub fold: usize,
}

/// Correct decisions when each fold is judged with the threshold that is best on all others (Huang et al., Labeled
/// Faces in the Wild, 2007, section IV). With a single fold the threshold is chosen on what it is judged by.
pub fn accuracy(comparisons: &[Comparison]) -> Proportion {
    let mut folds: Vec<usize> = comparisons.iter().map(|comparison| comparison.fold).collect();
    folds.sort_unstable();
    folds.dedup();
    let mut correct = 0;
    for fold in &folds {
        let single = folds.len() == 1;
        let others = comparisons.iter().filter(|comparison| single || comparison.fold != *fold);
        let threshold = best_threshold(others.map(|comparison| (comparison.score, comparison.genuine)).collect());
        let own = comparisons.iter().filter(|comparison| comparison.fold == *fold);
        correct += own.filter(|own| (own.score >= threshold) == own.genuine).count() as u64;
    }
    Proportion::new(correct, comparisons.len() as u64)
}

/// The threshold with the most correct decisions: of several, the middle of the widest gap between scores.
fn best_threshold(mut scores: Vec<(f64, bool)>) -> f64 {
    scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let impostors = scores.iter().filter(|(_, genuine)| !genuine).count() as i64;
    let mut correct = impostors; // Nobody is accepted.
    let mut best = (correct, 0.0, f64::INFINITY);
    for (index, (score, genuine)) in scores.iter().enumerate() {
        correct += if *genuine { 1 } else { -1 };
        let next = scores.get(index + 1).map_or(score - 1.0, |(next, _)| *next);
        let gap = score - next;
        if gap > 0.0 && (correct, gap) > (best.0, best.1) {
            best = (correct, gap, score - gap / 2.0);
        }
    }
    best.2
}

/// How many of the scores, highest first, reach a threshold.
pub(super) fn reaching(scores: &[f64], threshold: f64) -> u64 {
    scores.partition_point(|score| *score >= threshold) as u64
}

/// The lowest threshold that at most `rate_max` of the scores, highest first, reach.
pub(super) fn lowest_threshold(scores: &[f64], rate_max: f64) -> f64 {
    // A hair is added so that a rate that is meant to be exactly reached, such as 3 of 3,000, is.
    let allowed = (rate_max * scores.len() as f64 + 1e-9).floor() as usize;
    match scores.get(allowed) {
        Some(first_refused) => first_refused.next_up(),
        None => f64::NEG_INFINITY,
    }
}
