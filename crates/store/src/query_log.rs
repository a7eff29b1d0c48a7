//! The right to know: every use of a shopper's biometric.

use base::id::{AccountId, PaymentId, QueryId};
use base::time::Timestamp;
use payments::payment::status_name;
use payments::refusal::Refusal;
use rand_core::CryptoRng;
use wire::api::{BiometricQuery, List, PaymentStatus, QueryKind};
use wire::problem::Code;

use crate::Store;
use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// Adds a row to the account's log. The outcome of an identification is that of its payment.
pub(crate) fn record(
    tx: &Tx,
    account: AccountId,
    kind: QueryKind,
    payment: Option<PaymentId>,
    rng: &mut dyn CryptoRng,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.put(
        "INSERT INTO biometric_queries (id, account, kind, payment, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        (Bits(QueryId::new(now, rng).bits()), Bits(account.bits()), kind_name(kind), payment.map(|id| Bits(id.bits())), At(now)),
    )?;
    Ok(())
}

const KINDS: [QueryKind; 3] = [QueryKind::Enrolment, QueryKind::Identification, QueryKind::Deletion];

const fn kind_name(kind: QueryKind) -> &'static str {
    match kind {
        QueryKind::Enrolment => "enrolment",
        QueryKind::Identification => "identification",
        QueryKind::Deletion => "deletion",
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
            let mut data = tx.list("SELECT q.id, q.kind, q.at, m.name, s.name, p.amount_minor, p.status, p.refusal
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
    let outcome = match kind {
        QueryKind::Enrolment => "enrolled".to_owned(),
        QueryKind::Deletion => "deleted".to_owned(),
        QueryKind::Identification => {
            let (status, refusal): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
            refusal.or(status).unwrap_or_else(|| status_name(PaymentStatus::BeingChecked).to_owned())
        }
    };
    Ok(BiometricQuery {
        id: QueryId::from_bits(row.get::<Bits>(0)?.0),
        kind,
        at: row.get::<At>(2)?.0,
        asked_by: row.get::<Option<String>>(3)?.unwrap_or_else(|| "wallet".to_owned()),
        store_name: row.get(4)?,
        amount_minor: row.get(5)?,
        outcome,
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
