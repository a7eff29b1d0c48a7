//! `handsel models`: folds the fetched models so that the runtime reads them.

use std::fs;
use std::process::ExitCode;

use capture::models::{MODEL_FILES, fold as fold_weights};

use crate::args::ModelsOptions;
use crate::run::{Failure, context};

/// Writes each folded model next to its final name first and renames it, so that a half-written file is never used.
pub fn fold(options: &ModelsOptions) -> Result<ExitCode, Failure> {
    fs::create_dir_all(&options.out).map_err(context(&options.out))?;
    for model in MODEL_FILES {
        let source = options.source.join(model.source);
        let bytes = fs::read(&source).map_err(context(&source))?;
        let folded_bytes = fold_weights(&bytes, model.input).map_err(|error| Failure(format!("{}: {error}", source.display())))?;
        let out = options.out.join(model.folded);
        let partial = out.with_extension("partial");
        fs::write(&partial, &folded_bytes).map_err(context(&partial))?;
        fs::rename(&partial, &out).map_err(context(&out))?;
        eprintln!("{} ({} bytes)", out.display(), folded_bytes.len());
    }
    Ok(ExitCode::SUCCESS)
}
