//! `handsel models`: folds the fetched models so that the runtime reads them.

use std::fs;
use std::process::ExitCode;

use base::hash::hex;
use capture::models::{MODEL_FILES, fold as fold_weights};
use sha2::{Digest, Sha256};

use crate::args::ModelsOptions;
use crate::run::{Failure, context};

/// Checks each fetched file against its pinned hash and writes the folded model: next to its final name first, then
/// renamed, so that a half-written file is never used. What is there already and right stays.
pub fn fold(options: &ModelsOptions) -> Result<ExitCode, Failure> {
    fs::create_dir_all(&options.out).map_err(context(&options.out))?;
    for model in MODEL_FILES {
        let source = options.source.join(model.source);
        let bytes = fs::read(&source).map_err(context(&source))?;
        if hex(&Sha256::digest(&bytes)) != model.source_sha256 {
            return Err(Failure(format!("{} is not the expected file; remove it and run `make models`", source.display())));
        }
        let folded = fold_weights(&bytes, model.input).map_err(|error| Failure(format!("{}: {error}", source.display())))?;
        let out = options.out.join(model.folded);
        if fs::read(&out).is_ok_and(|present| present == folded) {
            continue;
        }
        let partial = out.with_extension("partial");
        fs::write(&partial, &folded).map_err(context(&partial))?;
        fs::rename(&partial, &out).map_err(context(&out))?;
        eprintln!("{} ({} bytes)", out.display(), folded.len());
    }
    Ok(ExitCode::SUCCESS)
}
