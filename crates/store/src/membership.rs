//! The named parts of the gallery that records stand in: what is counted, and the changes that make the parties follow what
//! owners asked for.
//!
//! A record is counted in a part from when the parties are told until all three have confirmed that it left: a search is
//! never larger than its count says. It may be looked for there before it can be found, which costs four digits. It may be found
//! there until the change that takes it out is delivered; while not all three parties have that, nothing is searched.

use base::id::{AccountId, RecordId};
use base::party::PartyId;
use base::time::Timestamp;
use wire::api::Part;
use wire::bytes::HexArray;
use wire::party::{GalleryChange, GalleryOperation, Relabelled};
use wire::probe::PartitionLabel;

use crate::Store;
use crate::db::{Row, Tx};
use crate::error::StoreError;
use crate::gallery::{insert_change, insert_payload, last_sequence};
use crate::row::{Bits, Name, Sequence};

/// A named part and its kind.
pub(crate) type Named = (PartitionLabel, Part);

/// How many records stand in the parts of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindCount {
    /// Which kind.
    pub kind: Part,
    /// Parts that somebody stands in.
    pub parts: u64,
    /// Records in all of them together; one that stands in two counts twice.
    pub records: u64,
    /// Records in the largest.
    pub largest: u64,
}

impl Store {
    /// The kinds of named parts that somebody stands in.
    pub fn partition_kinds(&self) -> Result<Vec<KindCount>, StoreError> {
        self.read(|tx| {
            let sql = "SELECT kind, count(*), CAST(sum(people) AS BIGINT), max(people)
                 FROM (SELECT kind, part, count(*) AS people FROM memberships GROUP BY kind, part) AS counts GROUP BY kind";
            let mut kinds = tx.list(sql, (), |row| {
                let count = |column| row.get::<Sequence>(column).map(|count| count.0);
                Ok(KindCount { kind: row.get::<Name>(0)?.read(Part::named)?, parts: count(1)?, records: count(2)?, largest: count(3)? })
            })?;
            kinds.sort_by_key(|count| Part::ALL.iter().position(|part| *part == count.kind));
            Ok(kinds)
        })
    }
}

/// Records that a look at this part, or at everybody, may be compared with; counted no further than `most`. A record counts
/// until all three parties confirmed that it is gone.
pub(crate) fn count(tx: &Tx, part: Option<&PartitionLabel>, most: u64) -> Result<u64, StoreError> {
    let most = Sequence(most.min(i64::MAX as u64));
    let count = |row: &Row| row.get::<Sequence>(0);
    let count = match part {
        None => tx.one("SELECT count(*) FROM (SELECT 1 FROM records WHERE destroyed_at IS NULL LIMIT ?1) AS counted", [most], count),
        Some(part) => tx.one("SELECT count(*) FROM (SELECT 1 FROM memberships WHERE part = ?1 LIMIT ?2) AS counted", (part.0, most), count),
    };
    Ok(count?.0)
}

/// The named parts that the account's records are to stand in: its phone's digits, its city, the stores that it is a regular
/// of and their cities, so that a wider part holds everybody of a narrower one.
pub(crate) fn wanted(tx: &Tx, account: AccountId) -> Result<Vec<Named>, StoreError> {
    let sql = "SELECT phone_part, 'phone_suffix' FROM accounts WHERE id = ?1 UNION SELECT part, kind FROM places WHERE account = ?1
         UNION SELECT s.city_part, 'city' FROM places p JOIN stores s ON s.id = p.store WHERE p.account = ?1 AND s.city_part IS NOT NULL";
    Ok(tx.list(sql, [Bits(account.bits())], named)?)
}

/// Counts the record in these parts.
pub(crate) fn enter(tx: &Tx, record: RecordId, parts: &[Named]) -> Result<(), StoreError> {
    for (part, kind) in parts {
        tx.execute(
            "INSERT INTO memberships (record, part, kind) VALUES (?1, ?2, ?3) ON CONFLICT (record, part) DO UPDATE SET leave_sequence = NULL",
            (Bits(record.bits()), part.0, kind.name()),
        )?;
    }
    Ok(())
}

/// Queues one change that makes the records of these accounts stand where their owners want; none if they do.
pub(crate) fn follow(tx: &Tx, accounts: &[AccountId], now: Timestamp) -> Result<(), StoreError> {
    let sequence = last_sequence(tx)? + 1;
    let mut moved = Vec::new();
    for account in accounts {
        let (wanted, records) = (wanted(tx, *account)?, live_records(tx, *account)?);
        for record in records {
            let standing =
                tx.list("SELECT part, kind FROM memberships WHERE record = ?1 AND leave_sequence IS NULL", [Bits(record.bits())], named)?;
            let left: Vec<&Named> = standing.iter().filter(|named| !wanted.contains(named)).collect();
            if !left.is_empty() || wanted.iter().any(|named| !standing.contains(named)) {
                moved.push((record, wanted.clone(), left.into_iter().map(|(part, _)| *part).collect::<Vec<_>>()));
            }
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    // The table's kinds are those of its first version: a change that brings no record and takes none stands as a deletion.
    insert_change(tx, sequence, "delete", now)?;
    let relabelled = |(record, parts, _): &(RecordId, Vec<Named>, _)| Relabelled {
        record: *record,
        partitions: parts.iter().map(|(part, _)| *part).collect(),
    };
    let operation = GalleryOperation::Relabel { records: moved.iter().map(relabelled).collect() };
    for party in PartyId::ALL {
        insert_payload(tx, party, &GalleryChange { sequence, operation: operation.clone() })?;
    }
    for (record, parts, left) in &moved {
        enter(tx, *record, parts)?;
        for part in left {
            tx.execute(
                "UPDATE memberships SET leave_sequence = ?3 WHERE record = ?1 AND part = ?2",
                (Bits(record.bits()), part.0, Sequence(sequence)),
            )?;
        }
    }
    Ok(())
}

/// All three parties have applied the change: who left with it counts no more.
pub(crate) fn complete(tx: &Tx, sequence: u64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM memberships WHERE leave_sequence = ?1", [Sequence(sequence)])?;
    tx.execute("DELETE FROM memberships WHERE record IN (SELECT id FROM records WHERE delete_sequence = ?1)", [Sequence(sequence)])?;
    Ok(())
}

/// The account's records that nobody has asked to destroy.
fn live_records(tx: &Tx, account: AccountId) -> Result<Vec<RecordId>, StoreError> {
    let sql = "SELECT r.id FROM enrolments e JOIN records r ON r.enrolment = e.id
         WHERE e.account = ?1 AND e.status <> 'deleted' AND r.delete_sequence IS NULL ORDER BY r.id";
    Ok(tx.list(sql, [Bits(account.bits())], |row| Ok(RecordId::from_bits(row.get::<Bits>(0)?.0)))?)
}

fn named(row: &Row) -> Result<Named, crate::db::DbError> {
    Ok((HexArray(row.get(0)?), row.get::<Name>(1)?.read(Part::named)?))
}
