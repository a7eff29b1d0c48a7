//! What the tests share: the models, the portraits and one loaded engine.

use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

use capture::config::CaptureConfig;
use capture::face::{FaceEngine, FaceModels};
use capture::models::{MODEL_FILES, ModelFile};
use capture::picture::Picture;

/// The folder that the environment names, or the one in `var`; none when it lacks the file.
fn folder(variable: &str, default: &str, file: &str) -> Option<PathBuf> {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../var");
    let folder = std::env::var_os(variable).map_or(repository.join(default), PathBuf::from);
    if folder.join(file).exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("HANDSEL_REQUIRE_TEST_DATA").is_none(), "{file} must be there");
    // Straight to standard error: the harness keeps what passing tests print to itself.
    let reason = format!("skipped: {file} is missing; `make test` provides it, or {variable} names its folder\n");
    std::io::stderr().write_all(reason.as_bytes()).expect("standard error is open");
    None
}

/// The bytes of one test portrait.
pub fn portrait(name: &str) -> Option<Vec<u8>> {
    let folder = folder("HANDSEL_TEST_PICTURES", "test-pictures", name)?;
    Some(std::fs::read(folder.join(name)).expect("the file exists"))
}

/// The bytes of a folded model, by its place in `MODEL_FILES`.
pub fn model(index: usize) -> Option<Vec<u8>> {
    let file = MODEL_FILES[index].folded;
    let folder = folder("HANDSEL_MODELS", "models", file)?;
    Some(std::fs::read(folder.join(file)).expect("the file exists"))
}

/// The bytes of a model file as it is shipped.
pub fn source(file: &ModelFile) -> Option<Vec<u8>> {
    let folder = folder("HANDSEL_MODELS", "models", &format!("source/{}", file.source))?;
    Some(std::fs::read(folder.join("source").join(file.source)).expect("the file exists"))
}

/// What the reference runtime answered.
pub fn reference() -> Option<serde_json::Value> {
    let folder = folder("HANDSEL_REFERENCE", "reference", "outputs.json")?;
    let bytes = std::fs::read(folder.join("outputs.json")).expect("the file exists");
    Some(serde_json::from_slice(&bytes).expect("the reference script writes JSON"))
}

/// An engine with other thresholds than the shared ones.
pub fn engine_with(config: CaptureConfig) -> Option<FaceEngine> {
    let [detector, recogniser, liveness, eyes] = [model(0)?, model(1)?, model(2)?, model(3)?];
    let models = FaceModels { detector: &detector, recogniser: &recogniser, liveness: &liveness, eyes: &eyes };
    Some(FaceEngine::load(models, config).expect("the models are the expected ones"))
}

/// An engine with a till's thresholds.
pub fn till() -> Option<&'static FaceEngine> {
    static ENGINE: OnceLock<Option<FaceEngine>> = OnceLock::new();
    ENGINE.get_or_init(|| engine_with(CaptureConfig::default())).as_ref()
}

/// An engine for archive photographs.
pub fn archive() -> Option<&'static FaceEngine> {
    static ENGINE: OnceLock<Option<FaceEngine>> = OnceLock::new();
    ENGINE.get_or_init(|| engine_with(CaptureConfig::archive_photograph())).as_ref()
}

/// A picture made of another one, pixel by pixel.
pub fn paint(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Picture {
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            rgb.extend(pixel(x, y));
        }
    }
    Picture::from_rgb(width, height, rgb)
}
