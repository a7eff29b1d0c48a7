//! What a helper tells a party that is rebuilt, as bytes: its log and its records, without any row. Two helpers whose
//! journals are alike say the same byte for byte.
//!
//! A *head* comes first, then *pages* of one kind of entry each: changes, deletions, records in order of slots. Numbers are
//! little-endian.

use base::id::RecordId;
use base::time::Timestamp;
use wire::bytes::HexArray;

use crate::gallery::snapshot::LogState;
use crate::journal::{AppliedChange, ChangeKind, StoredRecord};
use crate::staging::{KnownDeletion, Takeover};

/// Entries of a page.
pub const PAGE_ENTRIES: usize = 2048;

/// What comes before the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How far the helper's log is.
    pub log: LogState,
    /// The pages hold what came after this change.
    pub from: u64,
    /// How many pages.
    pub pages: u32,
}

/// The bytes are no head or page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

const CHANGES: u8 = 1;
const DELETIONS: u8 = 2;
const RECORDS: u8 = 3;

impl Head {
    /// As bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_log(&mut bytes, &self.log);
        bytes.extend(self.from.to_le_bytes());
        bytes.extend(self.pages.to_le_bytes());
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(bytes);
        let head = Self { log: reader.log()?, from: reader.u64()?, pages: reader.u32()? };
        reader.end(head)
    }
}

/// The pages of `takeover`.
pub fn pages(takeover: &Takeover) -> Vec<Vec<u8>> {
    let mut pages = Vec::new();
    page_by_page(&mut pages, CHANGES, &takeover.changes, put_change);
    page_by_page(&mut pages, DELETIONS, &takeover.deletions, |bytes, deletion| {
        bytes.extend(deletion.sequence.to_le_bytes());
        bytes.extend(deletion.position.to_le_bytes());
        bytes.extend(deletion.record.bits().to_le_bytes());
        put_option(bytes, deletion.ordinal.map(u32::to_le_bytes));
    });
    page_by_page(&mut pages, RECORDS, &takeover.records, |bytes, (record, labels)| {
        bytes.extend(record.record.bits().to_le_bytes());
        bytes.extend(record.slot.to_le_bytes());
        bytes.extend(record.sequence.to_le_bytes());
        bytes.extend(record.epoch.to_le_bytes());
        bytes.extend(record.token);
        bytes.extend((labels.len() as u32).to_le_bytes());
        labels.iter().for_each(|label| bytes.extend(label.0));
    });
    pages
}

/// Adds what a page holds to `takeover`; changes are applied at `now`.
///
/// # Errors
/// [`Malformed`].
pub fn read_page(page: &[u8], takeover: &mut Takeover, now: Timestamp) -> Result<(), Malformed> {
    let (kind, entries) = page.split_first().ok_or(Malformed)?;
    let mut reader = Reader(entries);
    while !reader.0.is_empty() {
        match *kind {
            CHANGES => takeover.changes.push(reader.change(now)?),
            DELETIONS => {
                let (sequence, position, record) = (reader.u64()?, reader.u32()?, reader.record()?);
                let (is_some, ordinal) = (reader.bool()?, reader.u32()?);
                takeover.deletions.push(KnownDeletion { sequence, position, record, ordinal: is_some.then_some(ordinal) });
            }
            RECORDS => {
                let (record, slot, sequence, epoch) = (reader.record()?, reader.u32()?, reader.u64()?, reader.u32()?);
                let (token, count) = (reader.array()?, reader.u32()?);
                let labels = (0..count).map(|_| reader.array().map(HexArray)).collect::<Result<Vec<_>, _>>()?;
                takeover.records.push((StoredRecord { record, slot, sequence, epoch, sealed: None, token }, labels));
            }
            _ => return Err(Malformed),
        }
    }
    Ok(())
}

fn page_by_page<T>(pages: &mut Vec<Vec<u8>>, kind: u8, entries: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    for entries in entries.chunks(PAGE_ENTRIES) {
        let mut page = vec![kind];
        entries.iter().for_each(|entry| put(&mut page, entry));
        pages.push(page);
    }
}

/// Without what differs between parties: when it was applied, and whether a share opened.
fn put_change(bytes: &mut Vec<u8>, change: &AppliedChange) {
    put_log(bytes, &change.log);
    bytes.push(ChangeKind::ALL.iter().position(|kind| *kind == change.kind).expect("all kinds are in the list") as u8);
    bytes.extend(change.records.0.to_le_bytes());
    put_option(bytes, change.records.1.map(|record| record.bits().to_le_bytes()));
    bytes.extend(change.digest);
    put_option(bytes, change.as_of.map(u64::to_le_bytes));
}

fn put_option<const N: usize>(bytes: &mut Vec<u8>, option: Option<[u8; N]>) {
    bytes.push(option.is_some().into());
    bytes.extend(option.unwrap_or([0; N]));
}

fn put_log(bytes: &mut Vec<u8>, log: &LogState) {
    bytes.extend(log.sequence.to_le_bytes());
    bytes.extend(log.root);
    bytes.extend(log.slots.to_le_bytes());
    bytes.extend(log.epoch.to_le_bytes());
    bytes.extend(log.generation.to_le_bytes());
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*array)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// At most what SQLite keeps.
    fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes).and_then(|number| if i64::try_from(number).is_ok() { Ok(number) } else { Err(Malformed) })
    }

    fn bool(&mut self) -> Result<bool, Malformed> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Malformed),
        }
    }

    fn record(&mut self) -> Result<RecordId, Malformed> {
        self.array().map(|bytes| RecordId::from_bits(u128::from_le_bytes(bytes)))
    }

    fn log(&mut self) -> Result<LogState, Malformed> {
        Ok(LogState { sequence: self.u64()?, root: self.array()?, slots: self.u32()?, epoch: self.u32()?, generation: self.u64()? })
    }

    fn change(&mut self, now: Timestamp) -> Result<AppliedChange, Malformed> {
        let (log, kind) = (self.log()?, self.array::<1>()?);
        let kind = *ChangeKind::ALL.get(usize::from(kind[0])).ok_or(Malformed)?;
        let (count, is_some, first) = (self.u64()?, self.bool()?, self.record()?);
        let digest = self.array()?;
        let (is_prepared, as_of) = (self.bool()?, self.u64()?);
        let (records, as_of) = ((count, is_some.then_some(first)), is_prepared.then_some(as_of));
        Ok(AppliedChange { log, kind, records, digest, as_of, is_void: false, applied_at: now })
    }

    fn end<T>(&self, value: T) -> Result<T, Malformed> {
        if self.0.is_empty() { Ok(value) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOG: LogState = LogState { sequence: 9, root: [3; 32], slots: 7, epoch: 1, generation: 4 };

    fn takeover() -> Takeover {
        let change = |kind, first| AppliedChange {
            log: LOG,
            kind,
            records: (2, first),
            digest: [8; 32],
            as_of: (kind == ChangeKind::Refresh).then_some(6),
            is_void: false,
            applied_at: Timestamp::from_millis(1),
        };
        let record = |bits: u128| StoredRecord {
            record: RecordId::from_bits(bits),
            slot: bits as u32,
            sequence: 5,
            epoch: 1,
            sealed: None,
            token: [bits as u8; 16],
        };
        Takeover {
            from: 2,
            changes: vec![change(ChangeKind::Enrol, Some(RecordId::from_bits(4))), change(ChangeKind::Refresh, None)],
            deletions: vec![
                KnownDeletion { sequence: 6, position: 0, record: RecordId::from_bits(3), ordinal: Some(2) },
                KnownDeletion { sequence: 6, position: 1, record: RecordId::from_bits(9), ordinal: None },
            ],
            records: (0..3000).map(|bits| (record(bits), (0..bits as u8 % 3).map(|label| HexArray([label; 16])).collect())).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let head = Head { log: LOG, from: 2, pages: 4 };
        assert_eq!(Head::from_bytes(&head.to_bytes()), Ok(head));
        let written = pages(&takeover());
        assert_eq!(written.len(), 4, "changes, deletions, two of records");
        let mut read = Takeover::default();
        written.iter().for_each(|page| read_page(page, &mut read, Timestamp::from_millis(7)).expect("a page"));
        assert_eq!(pages(&read), written);
        assert_eq!((read.changes.len(), read.deletions, read.records.len()), (2, takeover().deletions, 3000));
        assert_eq!(read.changes[0].applied_at.millis(), 7);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(kind in 0..5_u8, bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Head::from_bytes(&bytes);
            let page = [&[kind], &bytes[..]].concat();
            let _ = read_page(&page, &mut Takeover::default(), Timestamp::from_millis(1));
        }

        #[test]
        fn a_cut_page_is_refused(cut in 1..40_usize) {
            for page in pages(&takeover()).iter().filter(|page| page.len() > 40) {
                let cut = &page[..page.len() - cut];
                // Cut between two entries it is a page with fewer.
                let mut read = Takeover::default();
                let result = read_page(cut, &mut read, Timestamp::from_millis(1));
                prop_assert!(result.is_err() || pages(&read)[0].len() == cut.len() || page[0] == RECORDS);
            }
        }
    }
}
