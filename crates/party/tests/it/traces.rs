//! What a party's disk holds of one record, and whether it still does.

use std::path::{Path, PathBuf};

use base::id::RecordId;
use base::party::PartyId;
use party::gallery::header::Identity;
use party::gallery::segment::Segment;
use party::keys;
use party::store;
use tempfile::TempDir;

use crate::world::{DIMENSIONS, World};

/// The bytes that stand for one record at one party.
pub struct Traces {
    /// The row, as the platform's till made it: two bytes per feature.
    pub row: Vec<u8>,
    sealed: Vec<u8>,
    key: Vec<u8>,
    token: Vec<u8>,
}

impl Traces {
    /// Read from a copy of the party's files, since the party is the only user of its own.
    pub fn of(world: &World, party: PartyId, record: RecordId) -> Self {
        let copy = copy_of(&world.configs[party.index()].directory);
        let open = |name| rusqlite::Connection::open(copy.path().join(name)).expect("a database");
        let name = record.bits().to_le_bytes();
        let (slot, sealed, token, epoch, generation): (u32, Vec<u8>, Vec<u8>, u32, u64) = open(store::FILE_NAME)
            .query_row(
                // No test that looks at traces has closed gaps: a slot is an ordinal.
                "SELECT ordinal, sealed, token, epoch, (SELECT generation FROM change ORDER BY sequence DESC LIMIT 1)
                 FROM live JOIN row USING (record, epoch) WHERE record = ?1",
                [name],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
            )
            .expect("the record");
        let key = open(keys::FILE_NAME)
            .query_row("SELECT key FROM row_key WHERE record = ?1 AND epoch = ?2", rusqlite::params![name, epoch], |row| row.get(0))
            .expect("its key");
        let identity = Identity { party, dimensions: usize::from(DIMENSIONS), generation, number: 0 };
        let path = copy.path().join("segments").join(format!("{generation}-00000.segment"));
        let segment = Segment::open(&path, identity).expect("opens").expect("a segment");
        Self { row: segment.rows().read(slot as usize).to_bytes().to_vec(), sealed, key, token }
    }

    /// Which of them are still somewhere in the party's files.
    pub fn found(&self, world: &World, party: PartyId) -> Vec<&'static str> {
        let files: Vec<Vec<u8>> = files_in(&world.configs[party.index()].directory).iter().map(|path| written(path)).collect();
        let anywhere = |needle: &[u8]| files.iter().any(|bytes| contains(bytes, needle));
        let table = [
            ("row", anywhere(&self.row) || files.iter().any(|bytes| has_row(bytes, &self.row))),
            ("sealed row", anywhere(&self.sealed)),
            ("key", anywhere(&self.key)),
            ("token", anywhere(&self.token)),
        ];
        table.into_iter().filter(|(_, found)| *found).map(|(name, _)| name).collect()
    }
}

/// Everything that was written to the files of `directory`.
pub fn bytes_in(directory: &Path) -> Vec<u8> {
    files_in(directory).iter().flat_map(|path| written(path)).collect()
}

/// The file's pages that are not all zero.
fn written(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("reads");
    bytes.chunks(4096).filter(|page| page.iter().any(|byte| *byte != 0)).flatten().copied().collect()
}

/// A copy of the directory as it is. What its party erases meanwhile may be missing.
pub fn copy_of(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    for path in files_in(directory) {
        let to = copy.path().join(path.strip_prefix(directory).expect("it is within"));
        std::fs::create_dir_all(to.parent().expect("it has one")).expect("made");
        match std::fs::copy(&path, to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            copied => assert!(copied.is_ok(), "{copied:?}"),
        }
    }
    copy
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

/// Whether the row's first four pairs of features stand in `bytes` one cache line after the other, as in a segment.
fn has_row(bytes: &[u8], row: &[u8]) -> bool {
    let last = bytes.len().saturating_sub(3 * 64 + 4);
    (0..last).step_by(4).any(|at| (0..4).all(|pair| bytes[at + 64 * pair..at + 64 * pair + 4] == row[4 * pair..4 * pair + 4]))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let first = needle[0];
    haystack.windows(needle.len()).any(|window| window[0] == first && window == needle)
}
