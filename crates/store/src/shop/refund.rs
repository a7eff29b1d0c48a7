//! Who refunds how much alone.

use base::id::{PaymentId, RefundId, StaffId, TerminalId};
use base::time::Timestamp;
use payments::payment::Payment;
use payments::rules::RulePack;
use payments::staff::{RefundLimits, Refunded, Refunder, check, check_refund as decide};
use rand_core::CryptoRng;
use wire::api::NewRefund;
use wire::shop::{Action, Role};

use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits};
use crate::setup::Payee;
use crate::shop::staff::Signed;
use crate::shop::{office, staff};
use crate::{Store, payment, refund};

/// Who makes a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// Whoever stands at a till.
    Till(TerminalId),
    /// A member of the staff.
    Staff(StaffId, Role),
    /// The first asked for it, the second approved it.
    Approved(StaffId, StaffId),
}

impl Store {
    /// [`Store::refund`] by a member of the staff: besides, `forbidden` and `refund_needs_approval`.
    pub fn refund_by_staff(
        &self,
        idempotency: &Idempotency,
        by: &Signed,
        payment: PaymentId,
        new: &NewRefund,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        let id = RefundId::new(now, rng);
        self.once("refund_by_staff", idempotency, Keep::Forever, now, |tx| {
            // As what the person is now: the session was looked up before.
            let role = staff::of_merchant(tx, by.merchant, by.id, now)?.role;
            check(role, Action::Refund)?;
            let before = payment::of_payee(tx, Payee::Merchant(by.merchant), payment)?;
            Ok(Answer::of(201, &refund::pay_back(tx, before, new.amount_minor, id, Some(Maker::Staff(by.id, role)), rules, now)?))
        })
    }
}

/// Whether `maker` may refund this alone, else `refund_needs_approval`; says whether it is to be noted who did.
pub(crate) fn check_refund(
    tx: &Tx,
    payment: &Payment,
    maker: Maker,
    amount_minor: i64,
    rules: &RulePack,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let limits = office::refund_limits(tx, payment.merchant)?;
    let (who, bits) = match maker {
        Maker::Approved(..) => return Ok(true),
        Maker::Till(_) if limits == RefundLimits::default() => return Ok(false),
        Maker::Till(till) => (Refunder::Till, till.bits()),
        Maker::Staff(id, role) => (Refunder::Staff(role), id.bits()),
    };
    let sql = "SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM refund_makers WHERE made_by = ?1 AND made_at >= ?2 AND approved_by IS NULL";
    let day_minor = tx.one(sql, (Bits(bits), At(rules.local_midnight(now))), |row| row.get(0))?;
    decide(who, limits, Refunded { payment_minor: payment.refunded_minor, day_minor }, amount_minor)?;
    Ok(true)
}

/// Notes who made a refund.
pub(crate) fn note_refund(tx: &Tx, id: RefundId, maker: Maker, amount_minor: i64, now: Timestamp) -> Result<(), StoreError> {
    let (made_by, approved_by) = match maker {
        Maker::Till(till) => (till.bits(), None),
        Maker::Staff(staff, _) => (staff.bits(), None),
        Maker::Approved(asker, approver) => (asker.bits(), Some(Bits(approver.bits()))),
    };
    tx.execute(
        "INSERT INTO refund_makers (refund, made_by, approved_by, amount_minor, made_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        (Bits(id.bits()), Bits(made_by), approved_by, amount_minor, At(now)),
    )?;
    Ok(())
}
