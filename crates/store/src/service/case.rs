//! What a reference leads to, and what of it is shown.

use base::id::{AccountId, EnrolmentId, PaymentId};
use base::time::Timestamp;
use payments::account::mask_phone;
use payments::dispute::Dispute;
use payments::rules::RulePack;
use payments::service::{Reference, account_state, mask_name};
use wire::service::{Case, CaseAccount, CaseDispute, CaseEnrolment, CasePayment};

use crate::db::Tx;
use crate::error::StoreError;
use crate::row::{At, Bits};
use crate::service::log::Line;
use crate::{account_rows, dispute_rows, enrolment, payment_rows};

/// What a reference leads to.
pub(super) struct Found {
    /// Whose; none where nobody was recognised.
    pub(super) account: Option<AccountId>,
    payment: Option<PaymentId>,
    enrolment: Option<EnrolmentId>,
}

/// What the reference leads to, if it leads anywhere.
pub(super) fn find(tx: &Tx, reference: Reference) -> Result<Option<Found>, StoreError> {
    let (sql, id) = match reference {
        Reference::Payment(id) => ("SELECT payer, id, NULL FROM payments WHERE id = ?1", id.bits()),
        Reference::Refund(id) => {
            ("SELECT p.payer, p.id, NULL FROM refunds r JOIN payments p ON p.id = r.payment WHERE r.id = ?1", id.bits())
        }
        Reference::Dispute(id) => ("SELECT account, payment, NULL FROM disputes WHERE id = ?1", id.bits()),
        Reference::Enrolment(id) => ("SELECT account, NULL, id FROM enrolments WHERE id = ?1", id.bits()),
    };
    Ok(tx.find(sql, [Bits(id)], |row| {
        Ok(Found {
            account: row.get::<Option<Bits>>(0)?.map(|bits| AccountId::from_bits(bits.0)),
            payment: row.get::<Option<Bits>>(1)?.map(|bits| PaymentId::from_bits(bits.0)),
            enrolment: row.get::<Option<Bits>>(2)?.map(|bits| EnrolmentId::from_bits(bits.0)),
        })
    })?)
}

/// The case as a clerk sees it, as `line` looked it up.
pub(super) fn render(
    tx: &Tx,
    found: &Found,
    line: &Line,
    open_until: Timestamp,
    rules: &RulePack,
    now: Timestamp,
) -> Result<Case, StoreError> {
    Ok(Case {
        look_up: line.id,
        reference: line.reference.clone(),
        open_until,
        account: found.account.map(|id| account(tx, id, now)).transpose()?,
        payment: found.payment.map(|id| payment(tx, id, rules, now)).transpose()?,
        dispute: found.payment.map_or(Ok(None), |id| dispute_rows::of_payment(tx, id))?.map(dispute),
        enrolment: found.enrolment.map(|id| enrolment_of(tx, id)).transpose()?,
    })
}

fn account(tx: &Tx, id: AccountId, now: Timestamp) -> Result<CaseAccount, StoreError> {
    let payer = account_rows::payer(tx, id, now)?;
    let (name, phone): (String, String) =
        tx.one("SELECT name, phone FROM accounts WHERE id = ?1", [Bits(id.bits())], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(CaseAccount {
        state: account_state(&payer),
        identity_class: payer.class,
        enrolled: payer.enrolled,
        name_masked: mask_name(&name),
        phone_masked: mask_phone(&phone),
    })
}

fn payment(tx: &Tx, id: PaymentId, rules: &RulePack, now: Timestamp) -> Result<CasePayment, StoreError> {
    let payment = payment_rows::render(tx, &payment_rows::load(tx, id)?, rules, now)?;
    Ok(CasePayment {
        id,
        status: payment.status,
        refusal: payment.refusal,
        amount_minor: payment.amount_minor,
        currency: payment.currency,
        merchant_name: payment.merchant_name,
        store_name: payment.store_name,
        created_at: payment.created_at,
        paid_at: payment.paid_at,
        rules_version: payment.rules_version,
        refunded_minor: payment.refunded_minor,
        refunds: payment.refunds,
    })
}

fn dispute(dispute: Dispute) -> CaseDispute {
    CaseDispute {
        id: dispute.id,
        status: dispute.status,
        amount_minor: dispute.amount_minor,
        credited_minor: dispute.credited_minor,
        opened_at: dispute.opened_at,
        credit_due_at: dispute.credit_due_at,
        decide_by: dispute.decide_by,
        decided_at: dispute.decided_at,
    }
}

fn enrolment_of(tx: &Tx, id: EnrolmentId) -> Result<CaseEnrolment, StoreError> {
    let created_at: At = tx.one("SELECT created_at FROM enrolments WHERE id = ?1", [Bits(id.bits())], |row| row.get(0))?;
    let parties = "SELECT count(DISTINCT d.party) FROM deletion_confirmations d JOIN records r ON r.id = d.record WHERE r.enrolment = ?1";
    let parties_deleted = tx.one(parties, [Bits(id.bits())], |row| row.get(0))?;
    Ok(CaseEnrolment { status: enrolment::status_of(tx, id)?, created_at: created_at.0, parties_deleted })
}
