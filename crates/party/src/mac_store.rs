//! The MACs of segments that this party took part in making (`mpc::protocol::mac`): one file each beside the segments, read
//! when a search first needs it. A file holds the MAC's own seeds and sums, all of them uniformly random on their own.
//!
//! A MAC is of a segment as of its last change; when the segment has changed, the MAC is of no use and is thrown away. So is
//! one that a search's check failed with, and one whose file is damaged.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base::hash::{hash_parts, hex, unhex};
use mpc::protocol::mac::SealedMac;

use crate::gallery::snapshot::Stamp;
use crate::link::NOT_POISONED;
use crate::opening::MacName;

/// Bytes of a file's checksum.
const CHECKSUM_LEN: usize = 32;

/// The party's MACs.
pub struct MacStore {
    directory: PathBuf,
    known: Mutex<HashMap<Stamp, Entry>>,
}

struct Entry {
    name: MacName,
    /// Once it was needed.
    mac: Option<Arc<SealedMac>>,
}

impl MacStore {
    /// The store in `directory`, made if it is missing.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(directory: PathBuf) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let mut known = HashMap::new();
        for file in fs::read_dir(&directory)? {
            let file = file?;
            match file.file_name().to_str().and_then(read_file_name) {
                Some((stamp, name)) => drop(known.insert(stamp, Entry { name, mac: None })),
                // The rest of a write that was cut off.
                None => fs::remove_file(file.path())?,
            }
        }
        Ok(Self { directory, known: Mutex::new(known) })
    }

    /// The name of the segment's MAC, or all zero.
    pub fn name(&self, stamp: Stamp) -> MacName {
        self.known.lock().expect(NOT_POISONED).get(&stamp).map_or([0; 16], |entry| entry.name)
    }

    /// The segment's MAC, if there is one of that name that can be read.
    pub fn get(&self, stamp: Stamp, name: MacName, slots: usize, dimensions: usize) -> Option<Arc<SealedMac>> {
        let mut known = self.known.lock().expect(NOT_POISONED);
        let entry = known.get_mut(&stamp).filter(|entry| entry.name == name)?;
        if entry.mac.is_none() {
            entry.mac = self.read(stamp, name, slots, dimensions).map(Arc::new);
        }
        let found = entry.mac.clone();
        if found.is_none() {
            tracing::error!(?stamp, "the file of a segment's MAC is damaged; another one will be made");
            known.remove(&stamp);
            drop(known);
            self.remove_file(stamp, name);
        }
        found
    }

    /// Keeps the segment's MAC, for good and in memory.
    ///
    /// # Errors
    /// What the file system says; then it is not kept.
    pub fn put(&self, stamp: Stamp, name: MacName, mac: SealedMac) -> io::Result<()> {
        let bytes = mac.to_bytes();
        let path = self.directory.join(file_name(stamp, name));
        let unfinished = path.with_extension("new");
        let mut file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&checksum(stamp, name, &bytes))?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        let before = self.known.lock().expect(NOT_POISONED).insert(stamp, Entry { name, mac: Some(Arc::new(mac)) });
        if let Some(before) = before.filter(|before| before.name != name) {
            self.remove_file(stamp, before.name);
        }
        Ok(())
    }

    /// Throws away the MACs of all stamps but `current`.
    pub fn keep_only(&self, current: &[Stamp]) {
        self.forget_if(|stamp| !current.contains(stamp));
    }

    /// Throws these MACs away.
    pub fn forget(&self, stamps: &[Stamp]) {
        self.forget_if(|stamp| stamps.contains(stamp));
    }

    fn forget_if(&self, is_over: impl Fn(&Stamp) -> bool) {
        let over: Vec<(Stamp, Entry)> = self.known.lock().expect(NOT_POISONED).extract_if(|stamp, _| is_over(stamp)).collect();
        over.iter().for_each(|(stamp, entry)| self.remove_file(*stamp, entry.name));
    }

    fn remove_file(&self, stamp: Stamp, name: MacName) {
        if let Err(error) = fs::remove_file(self.directory.join(file_name(stamp, name))) {
            tracing::warn!(?stamp, %error, "the file of a MAC that is of no use any more cannot be removed");
        }
    }

    fn read(&self, stamp: Stamp, name: MacName, slots: usize, dimensions: usize) -> Option<SealedMac> {
        let bytes = zeroize::Zeroizing::new(fs::read(self.directory.join(file_name(stamp, name))).ok()?);
        let (sum, bytes) = bytes.split_first_chunk::<CHECKSUM_LEN>()?;
        if *sum != checksum(stamp, name, bytes) {
            return None;
        }
        SealedMac::from_bytes(bytes, slots, dimensions).ok()
    }
}

fn checksum(stamp: Stamp, name: MacName, bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
    hash_parts("handsel/mac-file/v1", &[file_name(stamp, name).as_bytes(), bytes])
}

fn file_name(stamp: Stamp, name: MacName) -> String {
    format!("mac-{}-{}-{}-{}", stamp.generation, stamp.segment, stamp.changed_at, hex(&name))
}

fn read_file_name(text: &str) -> Option<(Stamp, MacName)> {
    let mut fields = text.strip_prefix("mac-")?.split('-');
    let stamp =
        Stamp { generation: fields.next()?.parse().ok()?, segment: fields.next()?.parse().ok()?, changed_at: fields.next()?.parse().ok()? };
    let name = unhex(fields.next()?)?.try_into().ok()?;
    fields.next().is_none().then_some((stamp, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::layout::{RowsView, block_numbers};
    use mpc::protocol::mac::seal;
    use mpc::testing::World;

    const DIMENSIONS: usize = 8;

    fn mac(seed: u64) -> SealedMac {
        let numbers = vec![3; block_numbers(DIMENSIONS)];
        let [(mac, _), ..] = World::new(seed).run(|session| seal(session, RowsView::new(&numbers, DIMENSIONS), 16));
        mac.expect("it is made")
    }

    fn stamp(segment: u32, changed_at: u64) -> Stamp {
        Stamp { generation: 2, segment, changed_at }
    }

    #[test]
    fn what_was_kept_is_there_after_a_restart_and_what_is_of_no_use_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = folder.path().join("macs");
        let (first, second) = (mac(1), mac(2));
        let bytes = first.to_bytes();
        let store = MacStore::open(directory.clone()).expect("opens");
        store.put(stamp(0, 7), [1; 16], first).expect("written");
        store.put(stamp(1, 9), [2; 16], second).expect("written");
        fs::write(directory.join("mac-2-5-5-77.new"), b"cut off").expect("written");

        let store = MacStore::open(directory.clone()).expect("opens");
        assert_eq!([store.name(stamp(0, 7)), store.name(stamp(1, 9)), store.name(stamp(1, 8))], [[1; 16], [2; 16], [0; 16]]);
        let found = store.get(stamp(0, 7), [1; 16], 16, DIMENSIONS).expect("it is there");
        assert_eq!(found.to_bytes(), bytes);
        assert!(store.get(stamp(0, 7), [2; 16], 16, DIMENSIONS).is_none(), "another name");
        store.put(stamp(0, 7), [3; 16], mac(3)).expect("written");
        assert_eq!(fs::read_dir(&directory).expect("a folder").count(), 2, "one file a segment, no rest of a write");
        store.keep_only(&[stamp(0, 7)]);
        assert_eq!(store.name(stamp(1, 9)), [0; 16]);
        store.forget(&[stamp(0, 7)]);
        assert_eq!(fs::read_dir(&directory).expect("a folder").count(), 0);
    }

    #[test]
    fn a_damaged_file_is_no_mac() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = MacStore::open(folder.path().to_owned()).expect("opens");
        store.put(stamp(0, 7), [1; 16], mac(1)).expect("written");
        let path = folder.path().join(file_name(stamp(0, 7), [1; 16]));
        let whole = fs::read(&path).expect("the file");
        for at in [0, CHECKSUM_LEN, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).expect("written");
            let store = MacStore::open(folder.path().to_owned()).expect("opens");
            assert!(store.get(stamp(0, 7), [1; 16], 16, DIMENSIONS).is_none(), "byte {at}");
            assert_eq!(store.name(stamp(0, 7)), [0; 16]);
            fs::write(&path, &whole).expect("written");
        }
        fs::write(&path, &whole[..10]).expect("written");
        assert!(MacStore::open(folder.path().to_owned()).expect("opens").get(stamp(0, 7), [1; 16], 16, DIMENSIONS).is_none());
    }
}
