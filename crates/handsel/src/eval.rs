//! `handsel eval face`: ISO/IEC 19795 figures on labelled pictures, on float cosines and on the parties' integers, and the
//! pairs decided by the parties' protocol.

mod protocol;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use capture::config::CaptureConfig;
use capture::eval::face::{FaceReport, Figures, Sample, evaluate};
use capture::eval::identification::OpenSetPoint;
use capture::eval::pairs::{self, Pair, PictureName};
use capture::eval::proportion::Proportion;
use capture::eval::verification::OperatingPoint;
use capture::face::{Embedding, FaceEngine};
use serde_json::{Value, json};

use self::protocol::ThroughProtocol;
use crate::args::EvalFaceOptions;
use crate::demo::progress_bar;
use crate::photos;
use crate::run::{Failure, context, failed};

/// Looks at every picture once, then computes every figure twice.
pub fn face(options: &EvalFaceOptions) -> Result<ExitCode, Failure> {
    let text = fs::read_to_string(&options.pairs).map_err(context(&options.pairs))?;
    let pairs = pairs::parse(&text).map_err(failed("the pairs file cannot be used"))?;
    let pictures = named_pictures(&options.dir)?;
    let known: BTreeSet<&PictureName> = pictures.iter().map(|(name, _)| name).collect();
    let (present, absent): (Vec<Pair>, Vec<Pair>) =
        pairs.into_iter().partition(|pair| known.contains(&pair.first) && known.contains(&pair.second));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let engine = terminal::look::open_engine(&options.models, CaptureConfig { threads, ..CaptureConfig::archive_photograph() })
        .map_err(|error| Failure(format!("the face models cannot be used: {error}; run `make models`")))?;
    let samples = look_at_all(&engine, &pictures, threads);
    let report = evaluate(&samples, &present).map_err(failed("the evaluation cannot be made"))?;
    let through = protocol::decide(&samples, &present)?;
    if options.json {
        println!("{}", as_json(&report, absent.len(), &through));
    } else {
        print!("{}{}", as_table(&report, absent.len()), through_protocol(&through));
    }
    Ok(ExitCode::SUCCESS)
}

/// Every `NAME/NAME_0001.jpg` below `folder` with its name and number.
fn named_pictures(folder: &Path) -> Result<Vec<(PictureName, PathBuf)>, Failure> {
    let mut pictures = Vec::new();
    for person in photos::people(folder)? {
        for path in person.pictures {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let number = stem
                .rsplit('_')
                .next()
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(|| Failure(format!("{} does not end in a number; pictures are named NAME_0001.jpg", path.display())))?;
            pictures.push((PictureName { person: person.name.clone(), number }, path));
        }
    }
    Ok(pictures)
}

/// The faces of all pictures, on as many threads as there are processors.
fn look_at_all(engine: &FaceEngine, pictures: &[(PictureName, PathBuf)], threads: usize) -> Vec<Sample> {
    let progress = progress_bar(pictures.len());
    progress.set_message("looking at pictures");
    let next = AtomicUsize::new(0);
    let embeddings: Mutex<Vec<Option<Embedding>>> = Mutex::new(vec![None; pictures.len()]);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, (_, path))) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    pictures.get(at).map(|picture| (at, picture))
                } {
                    let look = fs::read(path).ok().and_then(|bytes| engine.look(&bytes).ok());
                    embeddings.lock().expect("no thread panics while it holds this")[at] = look.map(|look| look.embedding);
                    progress.inc(1);
                }
            });
        }
    });
    progress.finish_and_clear();
    let embeddings = embeddings.into_inner().expect("no thread panicked");
    pictures.iter().zip(embeddings).map(|((name, _), embedding)| Sample { name: name.clone(), embedding }).collect()
}

/// Plain figures under the documented keys, counts and intervals beneath `float` and `quantised`.
fn as_json(report: &FaceReport, pairs_absent: usize, through: &ThroughProtocol) -> Value {
    let quantised = &report.quantised;
    json!({
        "pairs": report.pairs,
        "pairs_absent": pairs_absent,
        "failures_to_acquire": proportion(&report.failures_to_acquire),
        "accuracy_float": report.float.accuracy.value(),
        "accuracy_quantised": quantised.accuracy.value(),
        "accuracy_loss_points": report.accuracy_loss_points(),
        "eer_float": report.float.eer.rate,
        "eer_quantised": quantised.eer.rate,
        "fnmr_at_fmr_1e3": quantised.fnmr_at_fmr_1e3.fnmr.value(),
        "fnmr_at_fmr_1e4": quantised.fnmr_at_fmr_1e4.fnmr.value(),
        "open_set": {
            "gallery": report.gallery,
            "mated": report.mated,
            "non_mated": report.non_mated,
            "fnir_at_fpir_1pct": quantised.fnir_at_fpir_1pct.fnir.value(),
            "fnir_at_fpir_0_1pct": quantised.fnir_at_fpir_0_1pct.fnir.value(),
        },
        "float": figures(&report.float),
        "quantised": figures(quantised),
        "protocol": {
            "pairs": through.pairs,
            "equal_scores": through.equal_scores,
            "equal_acceptances": through.equal_acceptances,
            "near_changed_by_truncation": through.changed_by_truncation,
            "near_within_truncation": through.within_truncation,
        },
        "intervals": "95 %, Clopper and Pearson",
    })
}

fn figures(figures: &Figures) -> Value {
    json!({
        "accuracy": proportion(&figures.accuracy),
        "eer": {"rate": figures.eer.rate, "at": operating_point(&figures.eer.at)},
        "pairs_at_fmr_1e3": operating_point(&figures.fnmr_at_fmr_1e3),
        "pairs_at_fmr_1e4": operating_point(&figures.fnmr_at_fmr_1e4),
        "all_comparisons_at_fmr_1e3": operating_point(&figures.all_at_fmr_1e3),
        "all_comparisons_at_fmr_1e4": operating_point(&figures.all_at_fmr_1e4),
        "all_comparisons_at_fmr_1e5": operating_point(&figures.all_at_fmr_1e5),
        "open_set_at_fpir_1pct": open_set_point(&figures.fnir_at_fpir_1pct),
        "open_set_at_fpir_0_1pct": open_set_point(&figures.fnir_at_fpir_0_1pct),
    })
}

fn operating_point(point: &OperatingPoint) -> Value {
    json!({"threshold": point.threshold, "fmr": proportion(&point.fmr), "fnmr": proportion(&point.fnmr)})
}

fn open_set_point(point: &OpenSetPoint) -> Value {
    json!({
        "threshold": point.threshold,
        "fpir": proportion(&point.fpir),
        "fnir": proportion(&point.fnir),
        "wrong_identity": proportion(&point.wrong_identity),
    })
}

fn proportion(proportion: &Proportion) -> Value {
    let (lower, upper) = proportion.interval95();
    json!({"count": proportion.count, "trials": proportion.trials, "value": proportion.value(), "interval95": [lower, upper]})
}

fn as_table(report: &FaceReport, pairs_absent: usize) -> String {
    let mut text = format!(
        "{} pairs compared ({pairs_absent} more name pictures that are not here); no face acquired: {}\n\
         gallery {}, searches {} mated and {} non-mated; 95 % intervals by Clopper and Pearson\n\n{:34}{:38}{}\n",
        report.pairs,
        percent(&report.failures_to_acquire),
        report.gallery,
        report.mated,
        report.non_mated,
        "",
        "float cosine",
        "quantised, as the parties match",
    );
    type Row = (&'static str, fn(&Figures) -> String);
    let rows: [Row; 7] = [
        ("accuracy", |figures| percent(&figures.accuracy)),
        ("equal error rate", |figures| format!("{:.2} %", 100.0 * figures.eer.rate)),
        ("FNMR at FMR 1e-3, pairs", |figures| percent(&figures.fnmr_at_fmr_1e3.fnmr)),
        ("FNMR at FMR 1e-4, pairs", |figures| percent(&figures.fnmr_at_fmr_1e4.fnmr)),
        ("FNMR at FMR 1e-5, all pictures", |figures| percent(&figures.all_at_fmr_1e5.fnmr)),
        ("FNIR at FPIR 1 %", |figures| percent(&figures.fnir_at_fpir_1pct.fnir)),
        ("FNIR at FPIR 0.1 %", |figures| percent(&figures.fnir_at_fpir_0_1pct.fnir)),
    ];
    for (name, show) in rows {
        text += &format!("{name:34}{:38}{}\n", show(&report.float), show(&report.quantised));
    }
    text + &format!("\naccuracy lost to quantisation: {:.3} percentage points\n", report.accuracy_loss_points())
}

fn through_protocol(through: &ThroughProtocol) -> String {
    format!(
        "by three parties on shares, {} pairs: {} scores equal, {} acceptances equal; {} near otherwise because of truncation, which may \
         decide for {}\n",
        through.pairs, through.equal_scores, through.equal_acceptances, through.changed_by_truncation, through.within_truncation,
    )
}

/// `99.43 % [99.20, 99.61] 5966/6000`
fn percent(proportion: &Proportion) -> String {
    let (lower, upper) = proportion.interval95();
    format!("{:.2} % [{:.2}, {:.2}] {}/{}", 100.0 * proportion.value(), 100.0 * lower, 100.0 * upper, proportion.count, proportion.trials)
}
