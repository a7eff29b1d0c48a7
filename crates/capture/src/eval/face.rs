//! The evaluation of the face path on a folder of people: the same figures on float cosines and on the whole numbers
//! that the parties match.

use std::collections::BTreeMap;

use super::identification::{MatedSearch, OpenSetPoint, Searches};
use super::pairs::{Pair, PictureName};
use super::proportion::Proportion;
use super::verification::{Comparison, EqualErrorRate, OperatingPoint, Scores, accuracy};
use crate::error::CaptureError;
use crate::face::{Embedding, Template};

/// Pictures of one person that make a template, at most: as many as an enrolment takes.
pub const ENROLMENT_PICTURES_MAX: usize = 3;

/// One picture and what became of it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Which picture.
    pub name: PictureName,
    /// The face in it; none when it was not acquired.
    pub embedding: Option<Embedding>,
}

/// The figures for one kind of score.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Correct decisions over the pairs, threshold chosen on the other folds.
    pub accuracy: Proportion,
    /// Equal error rate over the pairs.
    pub eer: EqualErrorRate,
    /// False non-matches over the pairs at a false match rate of at most 1e-3.
    pub fnmr_at_fmr_1e3: OperatingPoint,
    /// The same at 1e-4.
    pub fnmr_at_fmr_1e4: OperatingPoint,
    /// The same two points and 1e-5 over all comparisons of two pictures of the folder: many more impostors.
    pub all_at_fmr_1e3: OperatingPoint,
    /// At 1e-4.
    pub all_at_fmr_1e4: OperatingPoint,
    /// At 1e-5.
    pub all_at_fmr_1e5: OperatingPoint,
    /// Missed identifications at a false positive identification rate of at most 1 %.
    pub fnir_at_fpir_1pct: OpenSetPoint,
    /// The same at 0.1 %.
    pub fnir_at_fpir_0_1pct: OpenSetPoint,
}

/// The whole evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceReport {
    /// Pictures in which no face was acquired, over all pictures. Such a picture is like no other: its genuine
    /// comparisons and searches count as errors.
    pub failures_to_acquire: Proportion,
    /// Pairs compared.
    pub pairs: u64,
    /// People with two or more pictures: the template is the mean of the first three at most, one is left as a probe.
    pub gallery: u64,
    /// Searches with a picture of somebody enrolled that is not part of the template.
    pub mated: u64,
    /// Searches with a picture of somebody who has only one.
    pub non_mated: u64,
    /// On cosines of the float embeddings.
    pub float: Figures,
    /// On inner products of the templates.
    pub quantised: Figures,
}

impl FaceReport {
    /// Accuracy lost to quantisation, in percentage points; negative when it gained.
    pub fn accuracy_loss_points(&self) -> f64 {
        100.0 * (self.float.accuracy.value() - self.quantised.accuracy.value())
    }
}

/// Computes the report.
///
/// # Errors
/// When a pair names a picture that is not among the samples, or when there are no pairs of one kind, nobody with two
/// pictures or nobody with one.
pub fn evaluate(samples: &[Sample], pairs: &[Pair]) -> Result<FaceReport, CaptureError> {
    let mut people: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        people.entry(&sample.name.person).or_default().push(sample);
    }
    for pictures in people.values_mut() {
        pictures.sort_by_key(|sample| sample.name.number);
    }
    let plan = Plan::new(&people);
    let by_name: BTreeMap<&PictureName, &Sample> = samples.iter().map(|sample| (&sample.name, sample)).collect();
    let missing = CaptureError::Evaluation { reason: "a pair names a picture that is not in the folder" };
    let mut couples = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (Some(first), Some(second)) = (by_name.get(&pair.first), by_name.get(&pair.second)) else {
            return Err(missing);
        };
        couples.push((*first, *second, pair.fold));
    }
    let genuine = pairs.iter().filter(|pair| pair.genuine()).count();
    for (empty, reason) in [
        (genuine == 0 || genuine == pairs.len(), "there are no pairs of one person or none of two people"),
        (plan.mated.is_empty(), "nobody has two pictures"),
        (plan.non_mated.is_empty(), "nobody has a single picture"),
    ] {
        if empty {
            return Err(CaptureError::Evaluation { reason });
        }
    }
    let failed = samples.iter().filter(|sample| sample.embedding.is_none()).count() as u64;
    Ok(FaceReport {
        failures_to_acquire: Proportion::new(failed, samples.len() as u64),
        pairs: pairs.len() as u64,
        gallery: plan.enrolled.len() as u64,
        mated: plan.mated.len() as u64,
        non_mated: plan.non_mated.len() as u64,
        float: figures(samples, &couples, &plan, Clone::clone, Embedding::cosine),
        quantised: figures(samples, &couples, &plan, Embedding::quantise, |a: &Template, b: &Template| f64::from(a.score(b))),
    })
}

/// Who is enrolled with what, and which pictures are searched for.
struct Plan<'a> {
    enrolled: Vec<Vec<&'a Embedding>>,
    /// A probe and the place in `enrolled` of whom it shows.
    mated: Vec<(&'a Sample, usize)>,
    non_mated: Vec<&'a Sample>,
}

impl<'a> Plan<'a> {
    fn new(people: &BTreeMap<&str, Vec<&'a Sample>>) -> Plan<'a> {
        let mut plan = Plan { enrolled: Vec::new(), mated: Vec::new(), non_mated: Vec::new() };
        for pictures in people.values() {
            let (enrolment, probes) = pictures.split_at((pictures.len() - 1).min(ENROLMENT_PICTURES_MAX));
            if enrolment.is_empty() {
                plan.non_mated.extend(probes);
                continue;
            }
            plan.mated.extend(probes.iter().map(|probe| (*probe, plan.enrolled.len())));
            plan.enrolled.push(enrolment.iter().filter_map(|sample| sample.embedding.as_ref()).collect());
        }
        plan
    }
}

/// Score of a comparison in which one picture was not acquired.
const NOT_ACQUIRED: f64 = f64::NEG_INFINITY;

/// Every figure, for faces in the form `F` that `convert` gives and scores that `score` gives.
fn figures<F>(
    samples: &[Sample],
    couples: &[(&Sample, &Sample, usize)],
    plan: &Plan<'_>,
    convert: impl Fn(&Embedding) -> F,
    score: impl Fn(&F, &F) -> f64,
) -> Figures {
    let compare = |a: &Option<F>, b: &Option<F>| match (a, b) {
        (Some(a), Some(b)) => score(a, b),
        _ => NOT_ACQUIRED,
    };
    let face = |sample: &Sample| sample.embedding.as_ref().map(&convert);
    let comparison = |(first, second, fold): &(&Sample, &Sample, usize)| Comparison {
        score: compare(&face(first), &face(second)),
        genuine: first.name.person == second.name.person,
        fold: *fold,
    };
    let comparisons: Vec<Comparison> = couples.iter().map(comparison).collect();
    let pairs = split(comparisons.iter().map(|comparison| (comparison.score, comparison.genuine)));
    let faces: Vec<(&str, Option<F>)> = samples.iter().map(|sample| (sample.name.person.as_str(), face(sample))).collect();
    let all = split(faces.iter().enumerate().flat_map(|(index, (person, face))| {
        let compare = &compare;
        faces[..index].iter().map(move |(other, other_face)| (compare(face, other_face), person == other))
    }));
    let gallery: Vec<Option<F>> = plan.enrolled.iter().map(|enrolment| mean(enrolment, &convert)).collect();
    let searches = search(plan, &gallery, face, compare);
    Figures {
        accuracy: accuracy(&comparisons),
        eer: pairs.equal_error_rate(),
        fnmr_at_fmr_1e3: pairs.at_fmr(1e-3),
        fnmr_at_fmr_1e4: pairs.at_fmr(1e-4),
        all_at_fmr_1e3: all.at_fmr(1e-3),
        all_at_fmr_1e4: all.at_fmr(1e-4),
        all_at_fmr_1e5: all.at_fmr(1e-5),
        fnir_at_fpir_1pct: searches.at_fpir(1e-2),
        fnir_at_fpir_0_1pct: searches.at_fpir(1e-3),
    }
}

fn mean<F>(enrolment: &[&Embedding], convert: impl Fn(&Embedding) -> F) -> Option<F> {
    (!enrolment.is_empty()).then(|| convert(&Embedding::mean(enrolment.iter().copied())))
}

fn split(scores: impl Iterator<Item = (f64, bool)>) -> Scores {
    let (mut genuine, mut impostor) = (Vec::new(), Vec::new());
    for (score, same) in scores {
        if same { &mut genuine } else { &mut impostor }.push(score);
    }
    Scores::new(genuine, impostor)
}

fn search<F>(plan: &Plan<'_>, gallery: &[F], face: impl Fn(&Sample) -> F, score: impl Fn(&F, &F) -> f64) -> Searches {
    let scores = |sample: &Sample| -> Vec<f64> {
        let probe = face(sample);
        gallery.iter().map(|template| score(&probe, template)).collect()
    };
    let highest = |scores: &[f64]| scores.iter().copied().fold(NOT_ACQUIRED, f64::max);
    let mated = plan.mated.iter().map(|(probe, who)| {
        let mut others = scores(probe);
        let own = others.swap_remove(*who);
        MatedSearch { own, best_other: highest(&others) }
    });
    let non_mated = plan.non_mated.iter().map(|probe| highest(&scores(probe)));
    Searches::new(gallery.len() as u64, mated.collect(), non_mated.collect())
}
