//! The measures against tables worked out by hand.

use proptest::prelude::*;

use super::face::{Sample, evaluate};
use super::identification::{MatedSearch, Searches};
use super::pairs::{Pair, PictureName, parse};
use super::proportion::Proportion;
use super::verification::{Comparison, Scores, accuracy};
use crate::error::CaptureError;
use crate::face::{DIMENSIONS, Embedding};

/// Bounds computed apart, by bisection on sums of binomial terms.
#[test]
fn exact_intervals() {
    for (count, trials, lower, upper) in [
        (0, 100, 0.0, 0.036_216_692_6),
        (1, 10, 0.002_528_578_5, 0.445_016_117_0),
        (5, 10, 0.187_086_028_4, 0.812_913_971_6),
        (10, 10, 0.691_502_892_2, 1.0),
        (12, 1_641, 0.003_784_076_0, 0.012_738_791_0),
        (3, 3_000, 0.000_206_271_5, 0.002_919_616_5),
        (34, 1_585, 0.014_900_156_1, 0.029_847_708_7),
        (0, 2_314_703, 0.0, 0.000_001_593_7),
    ] {
        let (low, high) = Proportion::new(count, trials).interval95();
        assert!((low - lower).abs() < 1e-9 && (high - upper).abs() < 1e-9, "{count}/{trials}: {low} {high}");
    }
}

/// Five genuine and ten impostor scores. At a threshold t: FNMR counts genuine below t, FMR impostors at or above it.
fn scores() -> Scores {
    let genuine = vec![9.0, 8.0, 7.0, 5.0, 3.0];
    let impostor = vec![6.0, 5.0, 4.0, 3.0, 2.0, 2.0, 1.0, 1.0, 0.0, 0.0];
    Scores::new(genuine, impostor)
}

#[test]
fn rates_at_thresholds() {
    for (threshold, false_matches, false_non_matches) in
        [(10.0, 0, 5), (9.0, 0, 4), (7.0, 0, 2), (6.0, 1, 2), (5.0, 2, 1), (4.0, 3, 1), (3.0, 4, 0), (0.0, 10, 0)]
    {
        let point = scores().at(threshold);
        assert_eq!((point.fmr.count, point.fnmr.count), (false_matches, false_non_matches), "at {threshold}");
        assert_eq!((point.fmr.trials, point.fnmr.trials), (10, 5));
    }
}

#[test]
fn false_non_matches_at_a_false_match_rate() {
    // Allowed rate, then the impostors accepted and the genuine refused at the lowest threshold that keeps to it.
    for (fmr_max, false_matches, false_non_matches) in
        [(0.0, 0, 2), (0.05, 0, 2), (0.1, 1, 2), (0.2, 2, 1), (0.3, 3, 1), (0.4, 4, 0), (1.0, 10, 0)]
    {
        let point = scores().at_fmr(fmr_max);
        assert_eq!((point.fmr.count, point.fnmr.count), (false_matches, false_non_matches), "at {fmr_max}");
    }
}

#[test]
fn equal_error_rates() {
    // At 5 FMR is 2/10 and FNMR 1/5: exactly equal.
    let eer = scores().equal_error_rate();
    assert_eq!((eer.rate, eer.at.threshold), (0.2, 5.0));
    // Apart: no errors.
    assert_eq!(Scores::new(vec![3.0, 4.0], vec![1.0, 2.0]).equal_error_rate().rate, 0.0);
    // The wrong way round: all errors.
    assert_eq!(Scores::new(vec![1.0], vec![2.0]).equal_error_rate().rate, 1.0);
    // At 2 FMR is 1/1 and FNMR 1/2, at 3 they are 0/1 and 1/2: the mean of the nearer.
    let eer = Scores::new(vec![1.0, 3.0], vec![2.0]).equal_error_rate();
    assert!([0.25, 0.75].contains(&eer.rate), "{}", eer.rate);
}

#[test]
fn accuracy_over_folds() {
    let comparison = |fold, score, genuine| Comparison { score, genuine, fold };
    // The best threshold on fold 1 lies at 5 (between 2 and 8), on fold 0 at 3.5 (between 1 and 6).
    let pairs = [
        comparison(0, 6.0, true),
        comparison(0, 1.0, false),
        comparison(1, 8.0, true),
        comparison(1, 2.0, false),
        comparison(1, 1.0, false),
    ];
    assert_eq!(accuracy(&pairs), Proportion::new(5, 5));
    // A genuine pair at 4 in fold 0 is judged by fold 1's threshold of 5 and refused.
    let mut harder = pairs.to_vec();
    harder.push(comparison(0, 4.0, true));
    assert_eq!(accuracy(&harder), Proportion::new(5, 6));
    // Alone, each fold chooses its threshold on itself.
    let alone: Vec<Comparison> = harder.iter().map(|pair| Comparison { fold: 0, ..*pair }).collect();
    assert_eq!(accuracy(&alone), Proportion::new(6, 6));
}

#[test]
fn open_set() {
    let mated = [(9.0, 1.0), (7.0, 2.0), (5.0, 6.0), (3.0, 1.0)];
    let mated = mated.map(|(own, best_other)| MatedSearch { own, best_other }).to_vec();
    let searches = Searches::new(3, mated, vec![8.0, 4.0, 2.0, 1.0]);
    assert_eq!(searches.gallery(), 3);
    // Threshold, then: strangers found, enrolled missed (not first, or too low), enrolled taken for somebody else.
    for (threshold, found, missed, wrong) in [(10.0, 0, 4, 0), (8.5, 0, 3, 0), (6.5, 1, 2, 0), (5.5, 1, 2, 1), (1.0, 4, 1, 1)] {
        let point = searches.at(threshold);
        assert_eq!((point.fpir.count, point.fnir.count, point.wrong_identity.count), (found, missed, wrong), "at {threshold}");
    }
    let point = searches.at_fpir(0.25);
    assert_eq!((point.fpir.count, point.fnir.count), (1, 2));
    assert!(point.threshold > 4.0 && point.threshold < 4.001);
}

fn pair(first: (&str, u32), second: (&str, u32), fold: usize) -> Pair {
    let name = |(person, number): (&str, u32)| PictureName { person: person.to_owned(), number };
    Pair { first: name(first), second: name(second), fold }
}

#[test]
fn pairs_files() {
    let two_folds = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nBob\t1\t2\nBob\t2\tAnn\t1\n";
    let expected = [
        pair(("Ann", 1), ("Ann", 2), 0),
        pair(("Ann", 1), ("Bob", 3), 0),
        pair(("Bob", 1), ("Bob", 2), 1),
        pair(("Bob", 2), ("Ann", 1), 1),
    ];
    assert_eq!(parse(two_folds).expect("sound"), expected);
    // Spaces, blank lines, no header: each kind is dealt out to ten folds in turn.
    let dealt = parse("Ann 1 2\n\n  Ann 1 3  \nAnn 1 Bob 3\r\n").expect("sound");
    assert_eq!(dealt.iter().map(|pair| pair.fold).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(parse("10\nAnn 1 2\n").expect("sound").len(), 1);
    assert_eq!(parse("").expect("sound"), []);
}

#[test]
fn damaged_pairs_files() {
    for (text, line) in [
        ("Ann\n", 1),
        ("Ann 1\n", 1),
        ("10 Ann\n", 1),
        ("10 300\nAnn one 2\n", 2),
        ("Ann 1 2\n\n10 300\n", 3),
        ("Ann 1 Ann 2\n", 1),
        ("Ann 1 Bob 2 3\n", 1),
        ("10 0\n", 1),
    ] {
        let error = parse(text).expect_err(text);
        assert!(matches!(error, CaptureError::Pairs { line: found, .. } if found == line), "{text:?}: {error}");
    }
}

/// A face in the plane of the first two numbers, so that the cosine of two is that of the angle between them.
fn sample(person: &str, number: u32, degrees: Option<f32>) -> Sample {
    let embedding = degrees.map(|degrees| {
        let mut vector = [0.0; DIMENSIONS];
        [vector[0], vector[1]] = [degrees.to_radians().cos(), degrees.to_radians().sin()];
        Embedding::from_vector(&vector)
    });
    Sample { name: PictureName { person: person.to_owned(), number }, embedding }
}

#[test]
fn a_whole_evaluation() {
    let samples = [
        sample("Ann", 1, Some(0.0)),
        sample("Ann", 2, Some(10.0)),
        sample("Ann", 3, Some(20.0)),
        sample("Ann", 4, Some(12.0)),
        sample("Ann", 5, None),
        sample("Bob", 1, Some(90.0)),
        sample("Bob", 2, Some(100.0)),
        sample("Cy", 1, Some(180.0)),
        sample("Dan", 1, Some(82.0)),
    ];
    let pairs = parse("Ann 1 2\nAnn 1 5\nBob 1 2\nAnn 1 Bob 1\nBob 1 Cy 1\nAnn 2 Cy 1\n").expect("sound");
    let report = evaluate(&samples, &pairs).expect("enough of everything");
    assert_eq!(report.failures_to_acquire, Proportion::new(1, 9));
    // Ann is enrolled with the mean of three (10 degrees) and searched for twice, once without a face; Bob with one.
    assert_eq!((report.pairs, report.gallery, report.mated, report.non_mated), (6, 2, 3, 2));
    for figures in [&report.float, &report.quantised] {
        assert_eq!(figures.eer.at.fnmr, Proportion::new(1, 3));
        assert_eq!(figures.fnmr_at_fmr_1e3.fmr, Proportion::new(0, 3));
        // All against all: 10 pairs of Ann's and one of Bob's are genuine; the other 25 of 36 are not.
        assert_eq!((figures.all_at_fmr_1e3.fnmr.trials, figures.all_at_fmr_1e3.fmr.trials), (11, 25));
        // Dan is 8 degrees from Bob's template, nearer than Bob's own other picture: only Ann is found.
        let point = figures.fnir_at_fpir_1pct;
        assert_eq!((point.fpir.count, point.fnir.count, point.wrong_identity.count), (0, 2, 0));
    }
    assert!((report.float.all_at_fmr_1e5.threshold - 8f64.to_radians().cos()).abs() < 1e-6);
    assert_eq!(report.accuracy_loss_points(), 0.0);
}

#[test]
fn evaluations_of_nothing() {
    let samples = [sample("Ann", 1, Some(0.0)), sample("Ann", 2, Some(1.0)), sample("Bob", 1, Some(90.0))];
    let sound = "Ann 1 2\nAnn 1 Bob 1\n";
    assert!(evaluate(&samples, &parse(sound).expect("sound")).is_ok());
    for (samples, pairs) in [
        (&samples[..], "Ann 1 2\n"),
        (&samples[..], "Ann 1 Bob 1\n"),
        (&samples[..], "Ann 1 3\nAnn 1 Bob 1\n"),
        (&samples[..2], "Ann 1 2\n"),
        (&samples[..0], sound),
    ] {
        let error = evaluate(samples, &parse(pairs).expect("sound")).expect_err(pairs);
        assert!(matches!(error, CaptureError::Evaluation { .. }));
    }
}

proptest! {
    /// The rate is kept to, and one score lower it would not be.
    #[test]
    fn the_lowest_threshold_that_keeps_to_a_rate(
        impostor in proptest::collection::vec(-20i32..20, 1..60),
        fmr_max in 0.0f64..1.0,
    ) {
        let impostor: Vec<f64> = impostor.into_iter().map(f64::from).collect();
        let scores = Scores::new(vec![0.0], impostor.clone());
        let point = scores.at_fmr(fmr_max);
        prop_assert!(point.fmr.value() <= fmr_max + 1e-9);
        let below = impostor.iter().copied().filter(|score| *score < point.threshold).fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(below == f64::NEG_INFINITY || scores.at(below).fmr.value() > fmr_max);
    }

    /// Lower and upper bound lie on either side of the proportion, and each has its 2.5 % beyond it.
    #[test]
    fn intervals_contain_their_proportion(trials in 1u64..2_000, share in 0.0f64..=1.0) {
        let proportion = Proportion::new((trials as f64 * share) as u64, trials);
        let (lower, upper) = proportion.interval95();
        prop_assert!(0.0 <= lower && lower <= proportion.value() && proportion.value() <= upper && upper <= 1.0);
    }

    #[test]
    fn arbitrary_text_is_no_panic(text in "\\PC{0,80}(\n\\PC{0,80}){0,4}") {
        let _ = parse(&text);
    }
}
