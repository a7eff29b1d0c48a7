//! The right to know: every use of a shopper's biometric.

use base::id::{AccountId, PaymentId, QueryId};
use base::time::Timestamp;
use payments::payment::status_name;
use payments::refusal::Refusal;
use rand_core::CryptoRng;
use wire::api::{BiometricQuery, List, Part, PaymentStatus, QueryKind};
use wire::problem::Code;

use crate::Store;
use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// How long rows are kept: three years, in milliseconds.
const KEEP_MS: u64 = 3 * 365 * 86_400_000;

/// What came of a use of a biometric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// What its kind says: enrolled, deleted.
    OfKind,
    /// Whatever becomes of this payment.
    OfPayment(PaymentId),
    /// What its kind says, at this city or store.
    At(&'a str),
    /// It was refused before anybody was asked.
    Refused(Code),
}

/// Adds a row to the account's log.
pub(crate) fn record(
    tx: &Tx,
    account: AccountId,
    kind: QueryKind,
    outcome: Outcome<'_>,
    rng: &mut dyn CryptoRng,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (payment, code, place) = match outcome {
        Outcome::OfKind => (None, None, None),
        Outcome::OfPayment(payment) => (Some(Bits(payment.bits())), None, None),
        Outcome::At(place) => (None, None, Some(place)),
        Outcome::Refused(code) => (None, Some(code.name()), None),
    };
    tx.put(
        "INSERT INTO biometric_queries (id, account, kind, payment, at, outcome, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (Bits(QueryId::new(now, rng).bits()), Bits(account.bits()), kind_name(kind), payment, At(now), code, place),
    )?;
    Ok(())
}

/// Whether the account's log has the look for `payment`.
pub(crate) fn has_look(tx: &Tx, account: AccountId, payment: PaymentId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM biometric_queries WHERE account = ?1 AND payment = ?2 LIMIT 1";
    Ok(tx.find(sql, (Bits(account.bits()), Bits(payment.bits())), |_| Ok(()))?.is_some())
}

/// Deletes rows that are past their time. Identifiers sort by time, so that the index on them finds those.
pub(crate) fn tidy(tx: &Tx, now: Timestamp) -> Result<(), StoreError> {
    let oldest = u128::from(now.millis().saturating_sub(KEEP_MS)) << 80;
    tx.execute("DELETE FROM biometric_queries WHERE id < ?1", [Bits(oldest)])?;
    Ok(())
}

const KINDS: [QueryKind; 5] =
    [QueryKind::Enrolment, QueryKind::Identification, QueryKind::Deletion, QueryKind::PlaceAdded, QueryKind::PlaceRemoved];

const fn kind_name(kind: QueryKind) -> &'static str {
    match kind {
        QueryKind::Enrolment => "enrolment",
        QueryKind::Identification => "identification",
        QueryKind::Deletion => "deletion",
        QueryKind::PlaceAdded => "place_added",
        QueryKind::PlaceRemoved => "place_removed",
    }
}

impl Store {
    /// Every use of the account's biometric, newest first, older than the row with identifier `starting_after`; at most
    /// `limit` rows, and at most 100. `invalid_request` if `starting_after` is no identifier, `cursor_unknown` if it is no row of it.
    pub fn queries(&self, account: AccountId, starting_after: Option<&str>, limit: u32) -> Result<List<BiometricQuery>, StoreError> {
        self.read(|tx| {
            let before = match starting_after {
                None => i64::MAX,
                Some(text) => sequence_of(tx, account, text)?,
            };
            let limit = limit.clamp(1, LIST_MAX);
            let mut data = tx.list("SELECT q.id, q.kind, q.at, m.name, s.name, p.amount_minor, p.status, p.refusal, q.outcome, q.payment, p.rules_version,
                     (SELECT c.version FROM consents c WHERE c.account = q.account AND c.purpose = 'payment' AND c.granted = 1 AND c.decided_at <= q.at
                      ORDER BY c.sequence DESC LIMIT 1), p.searched, q.place
                 FROM biometric_queries q LEFT JOIN payments p ON p.id = q.payment LEFT JOIN merchants m ON m.id = p.merchant LEFT JOIN stores s ON s.id = p.store
                 WHERE q.account = ?1 AND q.sequence < ?2 ORDER BY q.sequence DESC LIMIT ?3", (Bits(account.bits()), before, limit + 1), read_query)?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }
}

fn read_query(row: &Row) -> Result<BiometricQuery, DbError> {
    let kind = row.get::<Name>(1)?.read(|name| KINDS.into_iter().find(|kind| kind_name(*kind) == name))?;
    let (status, refusal, refused): (Option<String>, Option<String>, Option<String>) = (row.get(6)?, row.get(7)?, row.get(8)?);
    let of_kind = match kind {
        QueryKind::Enrolment => "enrolled",
        QueryKind::Deletion => "deleted",
        QueryKind::PlaceAdded => "added",
        QueryKind::PlaceRemoved => "removed",
        QueryKind::Identification => status_name(PaymentStatus::BeingChecked),
    };
    Ok(BiometricQuery {
        id: QueryId::from_bits(row.get::<Bits>(0)?.0),
        kind,
        at: row.get::<At>(2)?.0,
        asked_by: row.get::<Option<String>>(3)?.unwrap_or_else(|| "wallet".to_owned()),
        store_name: row.get(4)?,
        payment: row.get::<Option<Bits>>(9)?.map(|bits| PaymentId::from_bits(bits.0)),
        amount_minor: row.get(5)?,
        outcome: refused.or(refusal).or(status).unwrap_or_else(|| of_kind.to_owned()),
        consent_version: row.get(11)?,
        rules_version: row.get(10)?,
        searched: row.get::<Option<Name>>(12)?.map(|name| name.read(Part::named)).transpose()?,
        place: row.get(13)?,
    })
}

fn sequence_of(tx: &Tx, account: AccountId, text: &str) -> Result<i64, StoreError> {
    let invalid = Refusal::of_field(Code::InvalidRequest, "starting_after");
    let id = text.parse::<QueryId>().map_err(|_| invalid)?;
    tx.find("SELECT sequence FROM biometric_queries WHERE account = ?1 AND id = ?2", (Bits(account.bits()), Bits(id.bits())), |row| {
        row.get(0)
    })?
    .ok_or(Code::CursorUnknown.into())
}
