//! What a wallet's money did, as its owner's list.

use base::id::{AccountId, DisputeId, PaymentId, RefundId, TopUpId, TransferId};
use base::time::Timestamp;
use payments::account::usage::Usage;
use payments::refusal::Refusal;
use wire::api::{Activity, ActivityKind, List};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};
use crate::{Store, account_rows, chain};

/// Most rows of a list.
pub(crate) const LIST_MAX: u32 = 100;
/// What a top-up's counterparty is called.
const BANK_NAME: &str = "Demo Bank";

/// One movement of a wallet's money.
pub(crate) enum Entry {
    /// Money came from the bank.
    TopUp { id: TopUpId, amount_minor: i64 },
    /// Money went to a merchant.
    Payment { id: PaymentId, amount_minor: i64 },
    /// Money came back.
    Refund { id: RefundId, payment: PaymentId, amount_minor: i64 },
    /// The compensation fund gave money, under the bits of the dispute or, after an appeal, of the transfer: no two rows have
    /// the same identifier.
    Compensation { reference: u128, payment: PaymentId, amount_minor: i64 },
    /// The compensation fund took back what it gave.
    CompensationTakenBack { transfer: TransferId, payment: PaymentId, amount_minor: i64 },
}

/// Adds a row to the account's list.
pub(crate) fn record(tx: &Tx, account: AccountId, entry: &Entry, now: Timestamp) -> Result<(), StoreError> {
    add(tx, account, entry, None, now)
}

/// The same, where `usage` is what the account has used of its limits then: its row is written once for both.
pub(crate) fn record_paid(tx: &Tx, account: AccountId, entry: &Entry, usage: &Usage, now: Timestamp) -> Result<(), StoreError> {
    add(tx, account, entry, Some(usage), now)
}

fn add(tx: &Tx, account: AccountId, entry: &Entry, usage: Option<&Usage>, now: Timestamp) -> Result<(), StoreError> {
    let (kind, reference, payment, amount_minor) = match entry {
        Entry::TopUp { id, amount_minor } => ("top_up", id.bits(), None, *amount_minor),
        Entry::Payment { id, amount_minor } => ("payment", id.bits(), Some(*id), -amount_minor),
        Entry::Refund { id, payment, amount_minor } => ("refund", id.bits(), Some(*payment), *amount_minor),
        Entry::Compensation { reference, payment, amount_minor } => ("compensation", *reference, Some(*payment), *amount_minor),
        Entry::CompensationTakenBack { transfer, payment, amount_minor } => {
            ("compensation_taken_back", transfer.bits(), Some(*payment), -amount_minor)
        }
    };
    let previous = account_rows::add_activity(tx, account, reference, usage)?;
    tx.put(
        "INSERT INTO activities (account, kind, reference, payment, amount_minor, posted_at, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (Bits(account.bits()), kind, Bits(reference), payment.map(|id| Bits(id.bits())), amount_minor, At(now), previous),
    )?;
    Ok(())
}

impl Store {
    /// The wallet's money, newest first, older than the row with identifier `starting_after`; at most `limit` rows, and
    /// at most 100. `invalid_request` if `starting_after` is no identifier, `cursor_unknown` if it is no row of it.
    pub fn activity(&self, account: AccountId, starting_after: Option<&str>, limit: u32) -> Result<List<Activity>, StoreError> {
        self.read(|tx| page(tx, account, starting_after.map(reference_of).transpose()?, limit))
    }
}

/// Rows older than the one with the reference `after`, newest first; at most `limit`, and at most 100. `cursor_unknown` if it
/// is no row of the account.
pub(crate) fn page(tx: &Tx, account: AccountId, after: Option<u128>, limit: u32) -> Result<List<Activity>, StoreError> {
    let begin = chain::ACTIVITIES.begin(tx, account.bits(), after, || account_rows::last_activity(tx, account))?;
    let limit = limit.clamp(1, LIST_MAX);
    let mut data = from(tx, begin, limit + 1)?;
    let has_more = data.len() > limit as usize;
    data.truncate(limit as usize);
    Ok(List { data, has_more })
}

const ACTIVITIES: &str = "SELECT a.kind, a.reference, a.payment, a.amount_minor, a.posted_at, m.name, s.name, p.rules_version, p.verified_by, p.terms_sha256, d.id
                 FROM chain JOIN activities a ON a.reference = chain.id LEFT JOIN payments p ON p.id = a.payment LEFT JOIN merchants m ON m.id = p.merchant
                     LEFT JOIN stores s ON s.id = p.store LEFT JOIN disputes d ON d.id = a.reference ORDER BY chain.place";

/// At most `limit` rows of an account's list, from one on.
fn from(tx: &Tx, begin: Option<Bits>, limit: u32) -> Result<Vec<Activity>, StoreError> {
    let Some(begin) = begin else { return Ok(Vec::new()) };
    Ok(tx.list(&format!("{}{ACTIVITIES}", chain::ACTIVITIES.walk_some()), (begin, limit), read_activity)?)
}

/// The newest row of the account's list.
pub(crate) fn newest(tx: &Tx, account: AccountId) -> Result<Activity, StoreError> {
    let newest = from(tx, account_rows::last_activity(tx, account)?, 1)?.pop();
    newest.ok_or_else(|| StoreError::Corrupt("a list that was just added to is empty".into()))
}

fn read_activity(row: &Row) -> Result<Activity, DbError> {
    let reference = row.get::<Bits>(1)?.0;
    let kind = row.get::<Name>(0)?.read(|name| match name {
        "payment" => Some(ActivityKind::Payment),
        "refund" => Some(ActivityKind::Refund),
        "top_up" => Some(ActivityKind::TopUp),
        "compensation" => Some(ActivityKind::Compensation),
        "compensation_taken_back" => Some(ActivityKind::CompensationTakenBack),
        _ => None,
    })?;
    let id = match kind {
        ActivityKind::Payment => PaymentId::from_bits(reference).to_string(),
        ActivityKind::Refund => RefundId::from_bits(reference).to_string(),
        ActivityKind::TopUp => TopUpId::from_bits(reference).to_string(),
        ActivityKind::Compensation | ActivityKind::CompensationTakenBack => match row.get::<Option<Bits>>(10)? {
            Some(dispute) => DisputeId::from_bits(dispute.0).to_string(),
            None => TransferId::from_bits(reference).to_string(),
        },
    };
    let payment = row.get::<Option<Bits>>(2)?.map(|bits| PaymentId::from_bits(bits.0));
    let of_payment = kind == ActivityKind::Payment;
    Ok(Activity {
        kind,
        id,
        payment: payment.filter(|_| !of_payment),
        amount_minor: row.get(3)?,
        counterparty: row.get::<Option<String>>(5)?.unwrap_or_else(|| BANK_NAME.into()),
        store_name: row.get(6)?,
        at: row.get::<At>(4)?.0,
        rules_version: row.get::<Option<String>>(7)?.filter(|_| of_payment),
        verified_by: row.get::<Option<String>>(8)?.filter(|_| of_payment),
        terms_sha256: row.get::<Option<[u8; 32]>>(9)?.filter(|_| of_payment).map(HexArray),
    })
}

/// Which row an identifier names.
fn reference_of(text: &str) -> Result<u128, Refusal> {
    let parsed = text
        .parse::<PaymentId>()
        .map(PaymentId::bits)
        .or_else(|_| text.parse::<RefundId>().map(RefundId::bits))
        .or_else(|_| text.parse::<TopUpId>().map(TopUpId::bits))
        .or_else(|_| text.parse::<DisputeId>().map(DisputeId::bits))
        .or_else(|_| text.parse::<TransferId>().map(TransferId::bits));
    parsed.map_err(|_| Refusal::of_field(Code::InvalidRequest, "starting_after"))
}
