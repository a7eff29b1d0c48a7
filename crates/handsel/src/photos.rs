//! Folders of photographs: one folder per person, JPEG or PNG, in the order of their names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Failure, context};

/// One person's pictures.
pub struct Person {
    /// The folder's name.
    pub name: String,
    /// Paths of the pictures, sorted.
    pub pictures: Vec<PathBuf>,
}

/// Everybody in `folder` with at least one picture, sorted by name.
pub fn people(folder: &Path) -> Result<Vec<Person>, Failure> {
    let mut people = Vec::new();
    for path in sorted_entries(folder)? {
        if path.is_dir() {
            let pictures: Vec<PathBuf> = sorted_entries(&path)?.into_iter().filter(|picture| is_picture(picture)).collect();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !pictures.is_empty() {
                people.push(Person { name, pictures });
            }
        }
    }
    if people.is_empty() {
        return Err(Failure(format!(
            "{} holds no folder with pictures; give a folder that has one folder of JPEG or PNG files per person",
            folder.display()
        )));
    }
    Ok(people)
}

/// The picture files directly in `folder`, sorted by name.
pub fn pictures(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(sorted_entries(folder)?.into_iter().filter(|path| is_picture(path)).collect())
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(context(folder))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(context(folder))?;
    paths.sort();
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["jpg", "jpeg", "png"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}
