//! What a bound device approves: each with the action that its challenge binds to, and the use case that takes the approval.

use base::id::{AccountId, PaymentId, StoreId};
use base::time::Timestamp;
use payments::account::limits::OwnerLimits;
use payments::passkey::Action;
use payments::payment::Payment;
use wire::api::ConsentPurpose;
use wire::dispute::NewLimits;
use wire::passkey::{Approvable, ApprovedPayment, NoticeKind, WaitingPayment};
use wire::problem::Code;

use crate::account::check_payment_consent;
use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::passkey::{self, Answered};
use crate::payment::apply;
use crate::row::{At, Bits};
use crate::{Store, account_rows, consent_rows, device, notice, owner, payment_rows};

impl Store {
    /// What the account's device is asked to approve, in every particular; `not_found` for a payment that does not wait for
    /// this account, `consent_missing` for an enrolment without consent.
    pub fn approvable(&self, account: AccountId, wanted: &Approvable, now: Timestamp) -> Result<Action, StoreError> {
        self.read(|tx| match wanted {
            Approvable::Enrolment {} => enrolment(tx, account),
            Approvable::Device { challenge } => Ok(device::add_device(&challenge.0)),
            Approvable::Limits { limits } => {
                // What cannot be set is not asked about.
                OwnerLimits::default().change(owner::from_wire(limits), self.rules(now)?, now)?;
                Ok(limits_action(limits))
            }
            Approvable::Vouchers { store } => Ok(vouchers(*store)),
            Approvable::Close {} => Ok(close()),
            Approvable::Payment { payment } => {
                let waiting = waiting(tx, account, now)?.into_iter().find(|waiting| waiting.id == *payment).ok_or(Code::NotFound)?;
                pay(tx, waiting.id)
            }
        })
    }

    /// Payments that wait for this account's word, newest first.
    pub fn waiting_payments(&self, account: AccountId, now: Timestamp) -> Result<Vec<WaitingPayment>, StoreError> {
        self.read(|tx| waiting(tx, account, now))
    }

    /// Takes the approval of a payment that waits: 200 with [`ApprovedPayment`] in `paid`, `authorised` or `refused`; or
    /// `not_found`, `payment_expired`, `payment_cancelled`, `state_conflict`, `device_missing`, `passkey_unknown`,
    /// `passkey_invalid`, `approval_used`, `approval_expired`, `approval_mismatch`. The payment moves once, whether passcode or
    /// phone come first.
    pub fn approve_payment(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        payment: PaymentId,
        answered: &Answered,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("approve_payment", idempotency, Keep::Forever, now, |tx| {
            let before = waiting_of(tx, account, payment)?;
            before.check_awaits_passcode(now)?;
            device::approve(tx, account, Some(answered), &pay(tx, payment)?, now)?;
            let event = before.approve(&account_rows::payer(tx, account, now)?, rules, now)?;
            let after = apply(tx, before, &event, rules, now)?;
            notice::record(tx, account, NoticeKind::PaymentApproved, now)?;
            Ok(Answer::of(200, &ApprovedPayment { id: payment, status: after.status, refusal: after.refusal }))
        })
    }

    /// Declines a payment that waits for this account's word: 200 with [`ApprovedPayment`] in `refused`; or `not_found`,
    /// `payment_expired`, `payment_cancelled`, `state_conflict`.
    pub fn decline_payment(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("decline_payment", idempotency, Keep::Forever, now, |tx| {
            let before = waiting_of(tx, account, payment)?;
            let event = before.decline(now)?;
            let after = apply(tx, before, &event, rules, now)?;
            Ok(Answer::of(200, &ApprovedPayment { id: payment, status: after.status, refusal: after.refusal }))
        })
    }

    /// Staff who have seen the person and a document let the account with this phone number enrol a face without a device, until
    /// the time of an enrolment is over; `not_found`. For people without a phone, and only beside the API.
    pub fn allow_enrolment(&self, phone: &str, now: Timestamp) -> Result<(), StoreError> {
        let until = now.plus_millis(self.rules(now)?.clocks.enrolment_lifetime_s * 1000);
        self.run_tx("allow_enrolment", |tx| {
            let rows = tx.execute("UPDATE accounts SET enrolment_approved_until = ?2 WHERE phone = ?1", (phone, At(until)))?;
            if rows == 1 { Ok(()) } else { Err(Code::NotFound.into()) }
        })
    }
}

/// Whether staff's word for an enrolment stands and was not taken yet.
pub(crate) fn is_enrolment_allowed(tx: &Tx, account: AccountId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM accounts WHERE id = ?1 AND enrolment_approved_until > ?2";
    Ok(tx.find(sql, (Bits(account.bits()), At(now)), |_| Ok(()))?.is_some())
}

/// Takes the approval of an enrolment: that of a device, or staff's word, once.
pub(crate) fn approve_enrolment(tx: &Tx, account: AccountId, given: Option<&Answered>, now: Timestamp) -> Result<(), StoreError> {
    let rows = tx.execute(
        "UPDATE accounts SET enrolment_approved_until = NULL WHERE id = ?1 AND enrolment_approved_until > ?2",
        (Bits(account.bits()), At(now)),
    )?;
    if rows == 0 {
        device::approve(tx, account, given, &enrolment(tx, account)?, now)?;
    }
    notice::record(tx, account, NoticeKind::EnrolmentApproved, now)
}

/// Takes the approval of what an account without any device may do by itself.
pub(crate) fn approve_if_bound(
    tx: &Tx,
    account: AccountId,
    given: Option<&Answered>,
    action: &Action,
    now: Timestamp,
) -> Result<(), StoreError> {
    if passkey::list(tx, device::subject(account))?.is_empty() {
        return Ok(());
    }
    device::approve(tx, account, given, action, now)
}

/// Enrolling a face under the consent that stands.
fn enrolment(tx: &Tx, account: AccountId) -> Result<Action, StoreError> {
    check_payment_consent(tx, account)?;
    let consent = consent_rows::last(tx, account, ConsentPurpose::Payment)?.ok_or(Code::ConsentMissing)?;
    Ok(Action::new("enrol", &[&consent.text_sha256.0]))
}

/// These limits, in every part: an approval of one set is none of another.
pub(crate) fn limits_action(limits: &NewLimits) -> Action {
    let NewLimits { payment_max_minor, day_max_minor, night_max_minor, passcode_always } = *limits;
    let bytes =
        |limit: Option<i64>| limit.map_or([0; 9], |limit| std::array::from_fn(|at| if at == 0 { 1 } else { limit.to_be_bytes()[at - 1] }));
    Action::new("limits", &[&bytes(payment_max_minor), &bytes(day_max_minor), &bytes(night_max_minor), &[u8::from(passcode_always)]])
}

/// Keeping vouchers for this store on the device that answers.
pub(crate) fn vouchers(store: StoreId) -> Action {
    Action::new("vouchers", &[&store.bits().to_be_bytes()])
}

/// Closing the account.
pub(crate) fn close() -> Action {
    Action::new("close", &[])
}

/// This payment, of the payee and amount that it has.
fn pay(tx: &Tx, payment: PaymentId) -> Result<Action, StoreError> {
    let payment = payment_rows::load(tx, payment)?;
    let (id, payee) = (payment.id.bits().to_be_bytes(), payment.merchant.bits().to_be_bytes());
    let (amount, currency) = (payment.amount.minor.to_be_bytes(), payment.amount.currency.code());
    Ok(Action::new("pay", &[&id, &payee, &amount, currency.as_bytes()]))
}

/// The payment, if it is this account that was recognised for it.
fn waiting_of(tx: &Tx, account: AccountId, payment: PaymentId) -> Result<Payment, StoreError> {
    let payment = payment_rows::load(tx, payment)?;
    if payment.payer == Some(account) { Ok(payment) } else { Err(Code::NotFound.into()) }
}

fn waiting(tx: &Tx, account: AccountId, now: Timestamp) -> Result<Vec<WaitingPayment>, StoreError> {
    let sql = "SELECT id FROM payments WHERE payer = ?1 AND status = 'awaiting_passcode' AND expires_at > ?2 ORDER BY id DESC";
    let ids: Vec<Bits> = tx.list(sql, (Bits(account.bits()), At(now)), |row| row.get(0))?;
    ids.into_iter().map(|id| payment_rows::waiting(tx, PaymentId::from_bits(id.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_of_limits_is_of_nothing_else() {
        let approved = NewLimits { payment_max_minor: Some(1), day_max_minor: Some(1), night_max_minor: Some(1), passcode_always: true };
        let others = [
            NewLimits { payment_max_minor: None, ..approved },
            NewLimits { payment_max_minor: Some(0), ..approved },
            NewLimits { day_max_minor: None, ..approved },
            NewLimits { night_max_minor: None, ..approved },
            NewLimits { passcode_always: false, ..approved },
        ];
        for other in others {
            assert_ne!(limits_action(&approved), limits_action(&other), "{other:?}");
        }
    }
}
