//! Files and folders of an installation: private, whole, one user at a time.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Mode;
use crate::run::{Failure, context, failed};

/// A folder that only this user may look into, also if it was there before with other permissions.
pub fn private_folder(path: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(context(path))?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(context(path))
}

/// Two at once on one folder would be two platforms on one ledger.
pub fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(context(&path))?;
    file.try_lock().map_err(|_| Failure(format!("another Handsel is running in {}; stop it, or give another --dir", dir.display())))?;
    Ok(file)
}

/// An installation stays what it was made for: a crowd of demonstration accounts has no place among real ones.
pub fn keep_mode(dir: &Path, mode: Mode) -> Result<(), Failure> {
    let path = dir.join("mode");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim() == mode.name() => Ok(()),
        Ok(text) => Err(Failure(format!("{} is an installation for {}; give another --dir", dir.display(), text.trim()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => fs::write(&path, mode.name()).map_err(context(&path)),
        Err(error) => Err(context(&path)(error)),
    }
}

/// Reads the keys in `path`, or makes and stores them.
pub fn keys<T: Serialize + DeserializeOwned>(path: &Path, make: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    if path.exists() {
        return read(path);
    }
    let keys = make()?;
    write_private(path, &keys)?;
    Ok(keys)
}

/// Reads a configuration or key file.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(context(path))?;
    // The parser's message may quote the line, and the line may be a key.
    toml::from_str(&text)
        .map_err(|_| Failure(format!("{} cannot be read; restore it from a backup, or start with an empty folder", path.display())))
}

/// Writes a file that only this user may read, whole or not at all.
pub fn write_private(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    let text = toml::to_string(content).map_err(failed("a configuration cannot be written"))?;
    let partial = path.with_extension("partial");
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&partial).map_err(context(&partial))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(context(&partial))?;
    fs::rename(&partial, path).map_err(context(path))
}
