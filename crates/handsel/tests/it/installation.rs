//! Where the models and pictures are, and whether they are there at all.

use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

/// Models and test pictures, or `None` after saying that the test skips.
pub fn models_and_pictures() -> Option<(PathBuf, PathBuf)> {
    let (models, pictures) = (root().join("var/models"), root().join("var/test-pictures"));
    for needed in [models.join("recogniser.onnx"), pictures.join("obama.jpg")] {
        if !needed.exists() {
            assert!(std::env::var_os("HANDSEL_REQUIRE_TEST_DATA").is_none(), "{} must be there", needed.display());
            println!("skipped: {} is not there; `make models test-data` brings it", needed.display());
            return None;
        }
    }
    Some((models, pictures))
}
