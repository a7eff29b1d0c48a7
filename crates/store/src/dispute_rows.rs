//! Disputes as rows.

use base::id::{AccountId, DisputeId, PaymentId};
use payments::account::tier::VerifiedBy;
use payments::dispute::{CAUSES, Dispute, STATUSES, cause_name, status_name};
use payments::rules::RulePack;
use wire::bytes::HexArray;
use wire::dispute::{self as api, Evidence};
use wire::problem::Code;

use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::payment_rows;
use crate::row::{At, Bits, Name, Sequence};

const COLUMNS: &str =
    "id, payment, account, cause, status, amount_minor, credited_minor, uncollected_minor, opened_at, credit_due_at, decide_by,
    extended, decided_at, reason, rules_version, appealed_at";

/// A new dispute; `dispute_exists` if the payment was disputed before.
pub(crate) fn insert(tx: &Tx, dispute: &Dispute) -> Result<(), StoreError> {
    let rows = tx.execute(
        &format!("INSERT INTO disputes ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, NULL, NULL, ?12, NULL) ON CONFLICT (payment) DO NOTHING"),
        (
            Bits(dispute.id.bits()),
            Bits(dispute.payment.bits()),
            Bits(dispute.account.bits()),
            cause_name(dispute.cause),
            status_name(dispute.status),
            dispute.amount_minor,
            dispute.credited_minor,
            dispute.uncollected_minor,
            At(dispute.opened_at),
            At(dispute.credit_due_at),
            At(dispute.decide_by),
            &dispute.rules_version,
        ),
    )?;
    if rows == 1 { Ok(()) } else { Err(Code::DisputeExists.into()) }
}

/// Stores what changes in a dispute.
pub(crate) fn save(tx: &Tx, dispute: &Dispute) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE disputes SET status = ?2, credited_minor = ?3, uncollected_minor = ?4, decide_by = ?5, extended = ?6, decided_at = ?7, reason = ?8, appealed_at = ?9 WHERE id = ?1",
        (
            Bits(dispute.id.bits()),
            status_name(dispute.status),
            dispute.credited_minor,
            dispute.uncollected_minor,
            At(dispute.decide_by),
            dispute.extended,
            dispute.decided_at.map(At),
            dispute.reason.clone(),
            dispute.appealed_at.map(At),
        ),
    )?;
    Ok(())
}

/// The dispute of this identifier, or `not_found`.
pub(crate) fn load(tx: &Tx, id: DisputeId) -> Result<Dispute, StoreError> {
    tx.find(&format!("SELECT {COLUMNS} FROM disputes WHERE id = ?1"), [Bits(id.bits())], read)?.ok_or(Code::NotFound.into())
}

/// The account's disputes, newest first, older than `after`; at most `limit`.
pub(crate) fn of_account(tx: &Tx, account: AccountId, after: Option<DisputeId>, limit: u32) -> Result<Vec<Dispute>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM disputes WHERE account = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
    Ok(tx.list(&sql, (Bits(account.bits()), Bits(after.map_or(u128::MAX, DisputeId::bits)), limit), read)?)
}

/// Disputes that are not decided.
pub(crate) fn open(tx: &Tx) -> Result<Vec<Dispute>, StoreError> {
    Ok(tx.list(&format!("SELECT {COLUMNS} FROM disputes WHERE decided_at IS NULL ORDER BY decide_by"), (), read)?)
}

/// The payment's dispute, if there is one.
pub(crate) fn of_payment(tx: &Tx, payment: PaymentId) -> Result<Option<Dispute>, StoreError> {
    Ok(tx.find(&format!("SELECT {COLUMNS} FROM disputes WHERE payment = ?1"), [Bits(payment.bits())], read)?)
}

/// What the payee may know of the payment's dispute, if there is one.
pub(crate) fn for_payee(tx: &Tx, payment: PaymentId) -> Result<Option<api::PayeeDispute>, StoreError> {
    Ok(of_payment(tx, payment)?.map(|dispute| api::PayeeDispute {
        id: dispute.id,
        status: dispute.status,
        amount_minor: dispute.amount_minor,
        opened_at: dispute.opened_at,
        decide_by: dispute.decide_by,
        decided_at: dispute.decided_at,
    }))
}

/// Whether the payee may pay back: `payment_disputed` while the institution decides or has paid.
pub(crate) fn check_refundable(tx: &Tx, payment: PaymentId) -> Result<(), StoreError> {
    if of_payment(tx, payment)?.is_some_and(|dispute| dispute.blocks_refunds()) { Err(Code::PaymentDisputed.into()) } else { Ok(()) }
}

fn read(row: &Row) -> Result<Dispute, DbError> {
    Ok(Dispute {
        id: DisputeId::from_bits(row.get::<Bits>(0)?.0),
        payment: PaymentId::from_bits(row.get::<Bits>(1)?.0),
        account: AccountId::from_bits(row.get::<Bits>(2)?.0),
        cause: row.get::<Name>(3)?.read(cause_from_name)?,
        status: row.get::<Name>(4)?.read(status_from_name)?,
        amount_minor: row.get(5)?,
        credited_minor: row.get(6)?,
        uncollected_minor: row.get(7)?,
        opened_at: row.get::<At>(8)?.0,
        credit_due_at: row.get::<At>(9)?.0,
        decide_by: row.get::<At>(10)?.0,
        extended: row.get(11)?,
        decided_at: row.get::<Option<At>>(12)?.map(|at| at.0),
        reason: row.get(13)?,
        rules_version: row.get(14)?,
        appealed_at: row.get::<Option<At>>(15)?.map(|at| at.0),
    })
}

fn cause_from_name(name: &str) -> Option<api::DisputeCause> {
    CAUSES.into_iter().find(|cause| cause_name(*cause) == name)
}

fn status_from_name(name: &str) -> Option<api::DisputeStatus> {
    STATUSES.into_iter().find(|status| status_name(*status) == name)
}

/// The dispute as its payer sees it, with what is on record about the payment.
pub(crate) fn render(tx: &Tx, dispute: &Dispute, rules: &RulePack) -> Result<api::Dispute, StoreError> {
    let payment = payment_rows::load(tx, dispute.payment)?;
    let names = tx.one(
        "SELECT m.name, s.name FROM payments p JOIN merchants m ON m.id = p.merchant JOIN stores s ON s.id = p.store WHERE p.id = ?1",
        [Bits(dispute.payment.bits())],
        |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)),
    )?;
    // The hold comes before its capture: what moved the money is the last of the two.
    let posted = tx.one(
        "SELECT sequence, hash FROM ledger_transfers WHERE (id = ?1 OR pending = ?1) AND kind IN ('post', 'post_pending')",
        [Bits(dispute.payment.bits())],
        |row| Ok((row.get::<Sequence>(0)?.0, row.get::<[u8; 32]>(1)?)),
    )?;
    Ok(api::Dispute {
        id: dispute.id,
        payment: dispute.payment,
        cause: dispute.cause,
        status: dispute.status,
        amount_minor: dispute.amount_minor,
        credited_minor: dispute.credited_minor,
        opened_at: dispute.opened_at,
        credit_due_at: dispute.credit_due_at,
        decide_by: dispute.decide_by,
        appeal_by: dispute.appeal_by(rules),
        appealed_at: dispute.appealed_at,
        decided_at: dispute.decided_at,
        reason: dispute.reason.clone(),
        rules_version: dispute.rules_version.clone(),
        evidence: Evidence {
            payee_statement: crate::shop::statement(tx, dispute.id)?,
            merchant_name: names.0,
            store_name: names.1,
            terminal: payment.terminal,
            challenge_issued_at: payment.challenge.as_ref().map(|challenge| challenge.issued_at),
            paid_at: payment.paid_at,
            verified_by: payment.verified_by.map(|way| VerifiedBy::name(way).to_owned()),
            rules_version: payment.rules_version,
            terms_sha256: payment.terms_sha256,
            ledger_sequence: posted.0,
            ledger_hash: HexArray(posted.1),
        },
    })
}

/// How many payments were made, and how disputes went.
pub(crate) fn statistics(tx: &Tx) -> Result<api::DisputeStatistics, StoreError> {
    let payments: i64 = tx.one("SELECT count(*) FROM payments WHERE captured_minor > 0", (), |row| row.get(0))?;
    let compensated_minor: i64 =
        tx.one("SELECT CAST(coalesce(sum(credited_minor + uncollected_minor), 0) AS BIGINT) FROM disputes", (), |row| row.get(0))?;
    let disputes = tx.list(
        "SELECT cause, status, count(*), CAST(sum(amount_minor) AS BIGINT) FROM disputes GROUP BY cause, status ORDER BY cause, status",
        (),
        |row| {
            Ok(api::DisputeCount {
                cause: row.get::<Name>(0)?.read(cause_from_name)?,
                status: row.get::<Name>(1)?.read(status_from_name)?,
                count: row.get::<Sequence>(2)?.0,
                amount_minor: row.get(3)?,
            })
        },
    )?;
    Ok(api::DisputeStatistics { payments: payments.unsigned_abs(), disputes, compensated_minor })
}

/// The account's own dispute, or `not_found`.
pub(crate) fn owned(tx: &Tx, account: AccountId, id: DisputeId) -> Result<Dispute, StoreError> {
    let dispute = load(tx, id)?;
    if dispute.account == account { Ok(dispute) } else { Err(Code::NotFound.into()) }
}
