//! The gallery's part of the journal, one transaction per change: here the log, in [`records`] every record and its row,
//! sealed, in [`labels`] the named parts it stands in, in [`deletions`] what is and was destroyed. [`crate::staging`] has the rows that are not in force yet.
//!
//! A change of the gallery as a whole costs the log one line and the records nothing: which row of a record is in force, and
//! which slot it has, follow from the log. A refresh puts the next epoch's rows in force; a record's place in the order of
//! enrolments, its *ordinal*, never changes, and a compaction closes gaps between the ordinals ([`numbering`]).

pub mod deletions;
pub mod labels;
pub mod numbering;
pub mod records;

use base::id::RecordId;
use base::time::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

pub use self::deletions::OpenDeletion;
pub use self::records::StoredRecord;
use crate::gallery::snapshot::LogState;
use crate::store::Store;

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// New records.
    Enrol,
    /// Records are destroyed.
    Delete,
    /// Slots are numbered anew without gaps.
    Compact,
    /// Every share becomes another one of the same template.
    Refresh,
    /// Records stand in other named parts.
    Relabel,
}

/// A change of the log as it was applied.
#[derive(Clone, Debug)]
pub struct AppliedChange {
    /// How far the log is with it.
    pub log: LogState,
    /// What it does.
    pub kind: ChangeKind,
    /// How many records it names, and the first.
    pub records: (u64, Option<RecordId>),
    /// SHA-256 over the change without its shares.
    pub digest: [u8; 32],
    /// The change as of which a compaction or a refresh was prepared.
    pub as_of: Option<u64>,
    /// It enrolled a sealed share that did not open, or whose origin was refused.
    pub is_void: bool,
    /// When it was applied.
    pub applied_at: Timestamp,
}

impl Store {
    /// How far the log is.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn log(&self) -> rusqlite::Result<LogState> {
        let sql = "SELECT * FROM change ORDER BY sequence DESC LIMIT 1";
        Ok(self.connection.query_row(sql, [], applied_change).optional()?.map(|change| change.log).unwrap_or_default())
    }

    /// The change `sequence`, if it was applied.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn change(&self, sequence: u64) -> rusqlite::Result<Option<AppliedChange>> {
        self.connection.query_row("SELECT * FROM change WHERE sequence = ?1", [sequence], applied_change).optional()
    }

    /// Changes after `from`, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn changes_after(&self, from: u64) -> rusqlite::Result<Vec<AppliedChange>> {
        let mut statement = self.connection.prepare_cached("SELECT * FROM change WHERE sequence > ?1 ORDER BY sequence")?;
        statement.query_map([from], applied_change)?.collect()
    }
}

pub(crate) fn insert_change(transaction: &Transaction<'_>, change: &AppliedChange) -> rusqlite::Result<()> {
    let AppliedChange { log, kind, records: (count, first), digest, as_of, is_void, applied_at } = change;
    transaction.execute(
        "INSERT INTO change (sequence, kind, records, first_record, digest, root, slots, epoch, generation, as_of, is_void, applied_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            log.sequence,
            kind.name(),
            count,
            first.map(|record| record.bits().to_le_bytes()),
            digest,
            log.root,
            log.slots,
            log.epoch,
            log.generation,
            as_of,
            is_void,
            applied_at.millis()
        ],
    )?;
    Ok(())
}

pub(crate) fn record_at(row: &Row<'_>, column: usize) -> rusqlite::Result<RecordId> {
    Ok(RecordId::from_bits(u128::from_le_bytes(row.get(column)?)))
}

pub(crate) fn applied_change(row: &Row<'_>) -> rusqlite::Result<AppliedChange> {
    let kind: String = row.get("kind")?;
    let first: Option<[u8; 16]> = row.get("first_record")?;
    Ok(AppliedChange {
        log: LogState {
            sequence: row.get("sequence")?,
            root: row.get("root")?,
            slots: row.get("slots")?,
            epoch: row.get("epoch")?,
            generation: row.get("generation")?,
        },
        kind: ChangeKind::named(&kind).expect("the schema checks the kind"),
        records: (row.get("records")?, first.map(|name| RecordId::from_bits(u128::from_le_bytes(name)))),
        digest: row.get("digest")?,
        as_of: row.get("as_of")?,
        is_void: row.get("is_void")?,
        applied_at: Timestamp::from_millis(row.get("applied_at")?),
    })
}

impl ChangeKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Enrol, Self::Delete, Self::Compact, Self::Refresh, Self::Relabel];

    /// In the journal and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::Delete => "delete",
            Self::Compact => "compact",
            Self::Refresh => "refresh",
            Self::Relabel => "relabel",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
