//! The eye: a burst of frames becomes one template, or the reason why not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use capture::config::CaptureConfig;
use capture::error::CaptureError;
use capture::face::{FaceEngine, FaceModels, Look, LookRefusal, Template};
use capture::models::MODEL_FILES;
use wire::api::LookAdvice;
use wire::probe::Purpose;
use wire::problem::Code;
use zeroize::Zeroizing;

use crate::config::TerminalConfig;

/// Fewest good frames in a burst: a single one is refused twenty times as often (`docs/capture.md`).
const GOOD_FRAMES_MIN: usize = 3;
/// Most frames that are looked at; more only cost time.
const FRAMES_MAX: usize = 8;

/// A picture of more bytes is refused while it is read; the same limit as the capture's own default.
pub(crate) const PICTURE_LEN_MAX: usize = 12 << 20;

/// Encoded pictures, wiped when dropped.
pub(crate) struct Frames(pub(crate) Vec<Zeroizing<Vec<u8>>>);

/// What a good burst gives.
pub(crate) struct Burst {
    pub(crate) template: Template,
    pub(crate) capture_took: Duration,
    /// The lowest liveness of the burst's frames, where it is reported rather than enforced.
    pub(crate) liveness_reported: Option<f32>,
}

/// The loaded models and this till's thresholds.
pub(crate) struct Eye {
    engine: FaceEngine,
    good_frames_min: usize,
    archive_photographs: bool,
}

/// Loads the folded models from `folder`. The error is a sentence.
pub fn open_engine(folder: &Path, thresholds: CaptureConfig) -> Result<FaceEngine, String> {
    let mut files = Vec::with_capacity(MODEL_FILES.len());
    for model in MODEL_FILES {
        let path = folder.join(model.folded);
        files.push(fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    let [detector, recogniser, liveness, eyes] = files.as_slice() else { unreachable!("there are four models") };
    FaceEngine::load(FaceModels { detector, recogniser, liveness, eyes }, thresholds).map_err(|error| error.to_string())
}

/// A running stopwatch, for the stage times that the benchmark reports.
#[expect(clippy::disallowed_methods, reason = "stage times are measured here, at the edge; no decision depends on them")]
pub(crate) fn stopwatch() -> Instant {
    Instant::now()
}

impl Eye {
    /// Loads the folded models from the configured folder.
    pub(crate) fn open(config: &TerminalConfig) -> Result<Self, String> {
        let mut thresholds = if config.archive_photographs { CaptureConfig::archive_photograph() } else { CaptureConfig::default() };
        if let Some(liveness_min) = config.liveness_min {
            thresholds.liveness_min = liveness_min;
        }
        let engine = open_engine(&config.models, thresholds)?;
        let archive_photographs = config.archive_photographs;
        Ok(Self { engine, good_frames_min: if archive_photographs { 1 } else { GOOD_FRAMES_MIN }, archive_photographs })
    }

    /// Whether one frame would do, for guiding the person in front of the camera.
    pub(crate) fn advise(&self, picture: &[u8]) -> Result<LookAdvice, Code> {
        match self.engine.look(picture) {
            Ok(look) => Ok(LookAdvice {
                good: true,
                reason: None,
                liveness: self.archive_photographs.then(|| (look.liveness * 100.0).round() / 100.0),
            }),
            Err(error) => Ok(LookAdvice { good: false, reason: Some(code_of(&error)), liveness: None }),
        }
    }

    /// The mean template of the good frames. A frame that shows several people or no live face spoils the burst; other
    /// bad frames are left out as long as enough good ones remain.
    pub(crate) fn look(&self, frames: &Frames, purpose: Purpose) -> Result<Burst, Code> {
        let started = stopwatch();
        if frames.0.len() < self.good_frames_min {
            return Err(Code::TooFewFrames);
        }
        let mut looks: Vec<Look> = Vec::with_capacity(frames.0.len());
        let mut reasons: BTreeMap<&'static str, (usize, Code)> = BTreeMap::new();
        for look in self.look_at_each(&frames.0[..frames.0.len().min(FRAMES_MAX)]) {
            match look {
                Ok(look) => looks.push(look),
                Err(code @ (Code::SeveralFaces | Code::NotLive | Code::Internal)) => return Err(code),
                Err(code) => reasons.entry(code.name()).or_insert((0, code)).0 += 1,
            }
        }
        if looks.len() < self.good_frames_min {
            let most_frequent = reasons.into_values().max_by_key(|(count, _)| *count);
            return Err(most_frequent.map_or(Code::TooFewFrames, |(_, code)| code));
        }
        let template = self.engine.template(&looks).map_err(|refusal: LookRefusal| code_named(refusal.code()))?;
        let liveness_reported = self.archive_photographs.then(|| looks.iter().map(|look| look.liveness).fold(1.0, f32::min));
        let capture_took = started.elapsed();
        tracing::info!(?purpose, frames = looks.len(), capture_ms = capture_took.as_millis() as u64, "looked");
        Ok(Burst { template, capture_took, liveness_reported })
    }

    /// Each frame's look, in order; two frames at a time, since one alone does not keep two processors busy.
    fn look_at_each(&self, frames: &[Zeroizing<Vec<u8>>]) -> Vec<Result<Look, Code>> {
        let look = |frame: &Zeroizing<Vec<u8>>| self.engine.look(frame).map_err(|error| code_of(&error));
        let (first, second) = frames.split_at(frames.len() / 2);
        std::thread::scope(|scope| {
            let beside = scope.spawn(|| first.iter().map(look).collect::<Vec<_>>());
            let rest: Vec<_> = second.iter().map(look).collect();
            let mut looks = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            looks.extend(rest);
            looks
        })
    }
}

/// The API's code for what the capture says.
fn code_of(error: &CaptureError) -> Code {
    let name = match error.code() {
        "picture_unsupported" | "picture_too_small" | "picture_damaged" => "picture_unreadable",
        other => other,
    };
    code_named(name)
}

fn code_named(name: &str) -> Code {
    Code::ALL.iter().copied().find(|code| code.name() == name).unwrap_or_else(|| {
        tracing::error!(code = name, "the capture failed in a way that is not the picture's fault");
        Code::Internal
    })
}
