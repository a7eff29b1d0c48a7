//! The right to know: every use of a shopper's biometric.

use base::id::{AccountId, PaymentId, QueryId};
use base::time::Timestamp;
use payments::payment::status_name;
use payments::refusal::Refusal;
use rand_core::CryptoRng;
use wire::api::{BiometricQuery, List, Part, PaymentStatus, QueryKind};
use wire::problem::Code;

use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};
use crate::{Store, account_rows, chain};

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
    let id = QueryId::new(now, rng).bits();
    let previous = account_rows::add_query(tx, account, id)?;
    tx.put(
        "INSERT INTO biometric_queries (id, account, kind, payment, at, outcome, place, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (Bits(id), Bits(account.bits()), kind_name(kind), payment, At(now), code, place, previous),
    )?;
    Ok(())
}

/// Whether the account's log has the look for `payment`.
pub(crate) fn has_look(tx: &Tx, account: AccountId, payment: PaymentId) -> Result<bool, StoreError> {
    let Some(last) = account_rows::last_query(tx, account)? else { return Ok(false) };
    let found = "SELECT 1 FROM chain JOIN biometric_queries q ON q.id = chain.id WHERE q.payment = ?2 LIMIT 1";
    let sql = format!("{}{found}", chain::QUERIES.walk("chain.previous IS NOT NULL"));
    Ok(tx.find(&sql, (last, Bits(payment.bits())), |_| Ok(()))?.is_some())
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
            let after =
                starting_after.map(|text| text.parse::<QueryId>().map_err(|_| Refusal::of_field(Code::InvalidRequest, "starting_after")));
            let after = after.transpose()?.map(QueryId::bits);
            let begin = chain::QUERIES.begin(tx, account.bits(), after, || account_rows::last_query(tx, account))?;
            let limit = limit.clamp(1, LIST_MAX);
            let sql = format!("{}{QUERIES}", chain::QUERIES.walk_some());
            let mut data = begin.map_or(Ok(Vec::new()), |begin| tx.list(&sql, (begin, limit + 1), read_query))?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }
}

const QUERIES: &str = "SELECT q.id, q.kind, q.at, m.name, s.name, p.amount_minor, p.status, p.refusal, q.outcome, q.payment, p.rules_version,
         (SELECT c.version FROM consents c WHERE c.account = q.account AND c.purpose = 'payment' AND c.granted = 1 AND c.decided_at <= q.at
          ORDER BY c.sequence DESC LIMIT 1), p.searched, q.place
     FROM chain JOIN biometric_queries q ON q.id = chain.id LEFT JOIN payments p ON p.id = q.payment LEFT JOIN merchants m ON m.id = p.merchant
         LEFT JOIN stores s ON s.id = p.store ORDER BY chain.place";

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
