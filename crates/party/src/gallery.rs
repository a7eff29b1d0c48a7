//! The records in memory, in the layout that the scan reads: one matrix, rows in the order of enrolment.

use std::collections::HashSet;

use base::hash::hash_parts;
use base::id::RecordId;
use mpc::protocol::identify::Records;
use mpc::share::Row;
use mpc::token::TokenShare;
use wire::probe::PartitionLabel;
use zeroize::Zeroize;

/// This party's whole gallery after a certain change.
#[derive(Clone)]
pub struct Gallery {
    /// The last change that was applied; 0 before the first.
    pub sequence: u64,
    /// Hash chain over all changes so far.
    pub root: [u8; 32],
    dimensions: usize,
    shares: Vec<u16>,
    tokens: Vec<TokenShare>,
    /// The records' names, [`NAME_LEN`] bytes each, as they are hashed before every run.
    names: Vec<u8>,
    entries: Vec<Entry>,
    known: HashSet<RecordId>,
}

/// Bytes of a record's name.
const NAME_LEN: usize = 16;

/// One record, without its shares.
#[derive(Clone)]
struct Entry {
    record: RecordId,
    partitions: Vec<PartitionLabel>,
    is_void: bool,
}

/// A record with this party's shares.
pub struct Record {
    /// Its name.
    pub record: RecordId,
    /// The named parts of the gallery that it stands in.
    pub partitions: Vec<PartitionLabel>,
    /// `None` if the sealed share did not open: the record holds a place that must not be searched until it is deleted.
    pub share: Option<Row>,
    /// Of its payment token.
    pub token: TokenShare,
}

/// A void record is among those that were to be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoidRecord(pub RecordId);

impl Gallery {
    /// Without records, for templates of `dimensions` features.
    pub fn empty(dimensions: usize) -> Self {
        Self {
            sequence: 0,
            root: [0; 32],
            dimensions,
            shares: vec![],
            tokens: vec![],
            names: vec![],
            entries: vec![],
            known: HashSet::new(),
        }
    }

    /// The chain's next link: the root after `change_digest` is applied as change `sequence`.
    pub fn root_after(&self, sequence: u64, change_digest: &[u8; 32]) -> [u8; 32] {
        hash_parts("handsel/gallery-root/v1", &[&self.root, &sequence.to_le_bytes(), change_digest])
    }

    /// Puts `record` behind the others.
    pub fn push(&mut self, record: &Record) {
        match &record.share {
            Some(share) => {
                assert_eq!(share.dimensions(), self.dimensions, "shares are checked before they are kept");
                self.shares.extend_from_slice(share.as_slice());
            }
            None => self.shares.resize(self.shares.len() + self.dimensions, 0),
        }
        self.tokens.push(record.token.clone());
        self.names.extend_from_slice(&record.record.bits().to_le_bytes());
        self.known.insert(record.record);
        self.entries.push(Entry { record: record.record, partitions: record.partitions.clone(), is_void: record.share.is_none() });
    }

    /// Wipes and removes a record, if it is there.
    pub fn remove(&mut self, record: RecordId) {
        if !self.known.remove(&record) {
            return;
        }
        let at = self.entries.iter().position(|entry| entry.record == record).expect("a known record has an entry");
        let row = at * self.dimensions..(at + 1) * self.dimensions;
        // Wiped first: moving the later rows up leaves the last row's old place untouched.
        self.shares[row.clone()].zeroize();
        self.shares.drain(row);
        self.tokens[at].zeroize();
        self.tokens.remove(at);
        self.names.drain(at * NAME_LEN..(at + 1) * NAME_LEN);
        self.entries.remove(at);
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether there is such a record.
    pub fn contains(&self, record: RecordId) -> bool {
        self.known.contains(&record)
    }

    /// The rows in `partition`, or all of them, in order.
    ///
    /// # Errors
    /// [`VoidRecord`] if one of them must not be searched.
    pub fn rows(&self, partition: Option<&PartitionLabel>) -> Result<Vec<u32>, VoidRecord> {
        let within = |entry: &Entry| partition.is_none_or(|label| entry.partitions.contains(label));
        let rows = self.entries.iter().enumerate().filter(|(_, entry)| within(entry));
        rows.map(|(at, entry)| if entry.is_void { Err(VoidRecord(entry.record)) } else { Ok(at as u32) }).collect()
    }

    /// A hash over the root and the names of `rows` in order: equal at the three parties, or they would search different
    /// records. `rows` must come from [`Gallery::rows`].
    pub fn digest(&self, rows: &[u32]) -> [u8; 32] {
        let some: Vec<&[u8]> = match rows.len() == self.len() {
            // Rows are in order and each stands once, so these are all.
            true => vec![&self.names],
            false => rows.iter().map(|row| &self.names[*row as usize * NAME_LEN..][..NAME_LEN]).collect(),
        };
        hash_parts("handsel/searched/v1", &[&self.root, &self.sequence.to_le_bytes(), &some.concat()])
    }

    /// These rows for the scan.
    pub fn records<'a>(&'a self, rows: &'a [u32]) -> Records<'a> {
        Records { shares: &self.shares, tokens: &self.tokens, rows }
    }
}

impl Drop for Gallery {
    fn drop(&mut self) {
        self.shares.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::bytes::HexArray;

    fn record(number: u8, partitions: &[u8], void: bool) -> Record {
        Record {
            record: RecordId::from_bits(u128::from(number)),
            partitions: partitions.iter().map(|label| HexArray([*label; 16])).collect(),
            share: (!void).then(|| Row::from_bytes(&[number; 4], 2).expect("two features")),
            token: TokenShare::from_parts([[number; 16], [number; 16]]),
        }
    }

    fn gallery(records: &[Record]) -> Gallery {
        let mut gallery = Gallery::empty(2);
        records.iter().for_each(|record| gallery.push(record));
        gallery
    }

    #[test]
    fn rows_are_those_of_the_partition_in_order() {
        let gallery = gallery(&[record(1, &[7], false), record(2, &[], false), record(3, &[8, 7], false)]);
        for (partition, rows) in [(None, vec![0, 1, 2]), (Some(7), vec![0, 2]), (Some(8), vec![2]), (Some(9), vec![])] {
            assert_eq!(gallery.rows(partition.map(|label| HexArray([label; 16])).as_ref()), Ok(rows));
        }
    }

    #[test]
    fn removing_keeps_the_others_in_order_and_in_step() {
        for removed in 1..=3 {
            let mut gallery = gallery(&[record(1, &[], false), record(2, &[], false), record(3, &[], false)]);
            gallery.remove(RecordId::from_bits(removed));
            gallery.remove(RecordId::from_bits(99));
            let left: Vec<u8> = (1..=3).filter(|number| u128::from(*number) != removed).collect();
            assert_eq!(gallery.shares, left.iter().flat_map(|number| [u16::from_le_bytes([*number; 2]); 2]).collect::<Vec<u16>>());
            assert_eq!(gallery.tokens.iter().map(|token| token.to_parts()[0][0]).collect::<Vec<u8>>(), left);
            assert_eq!(
                left.iter().map(|number| gallery.contains(RecordId::from_bits(u128::from(*number)))).collect::<Vec<_>>(),
                [true, true]
            );
            assert!(!gallery.contains(RecordId::from_bits(removed)));
            assert_eq!(gallery.len(), 2);
        }
    }

    #[test]
    fn a_void_record_is_searched_by_nobody_until_it_is_removed() {
        let mut gallery = gallery(&[record(1, &[7], false), record(2, &[], true)]);
        assert_eq!(gallery.rows(None), Err(VoidRecord(RecordId::from_bits(2))));
        assert_eq!(gallery.rows(Some(&HexArray([7; 16]))), Ok(vec![0]));
        gallery.remove(RecordId::from_bits(2));
        assert_eq!(gallery.rows(None), Ok(vec![0]));
    }

    #[test]
    fn the_digest_depends_on_root_order_and_names() {
        let (one, two) =
            (gallery(&[record(1, &[], false), record(2, &[], false)]), gallery(&[record(2, &[], false), record(1, &[], false)]));
        assert_eq!(one.digest(&[0]), two.digest(&[1]));
        assert_eq!(one.digest(&[0, 1]), one.clone().digest(&[0, 1]));
        assert_ne!(one.digest(&[0]), two.digest(&[0]));
        assert_ne!(one.digest(&[0, 1]), two.digest(&[0, 1]));
        assert_ne!(one.digest(&[0]), one.digest(&[0, 1]));
        let mut later = one.clone();
        later.root = one.root_after(1, &[5; 32]);
        assert_ne!(one.digest(&[0]), later.digest(&[0]));
    }
}
