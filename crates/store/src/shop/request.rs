//! Refunds that wait until somebody other than the asker approves them.

use base::id::{MerchantId, PaymentId, RefundId, RefundRequestId, StaffId};
use base::time::Timestamp;
use payments::shop::check_text;
use payments::staff::check;
use rand_core::CryptoRng;
use wire::api::List;
use wire::problem::Code;
use wire::shop::{Action, NewRefundRequest, RefundRequest, RefundRequestStatus};

use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits, Name};
use crate::setup::Payee;
use crate::shop::refund::Maker;
use crate::shop::staff::{self, Signed};
use crate::{Store, payment, refund};

/// Longest reason in characters.
const REASON_CHARS_MAX: usize = 200;
/// Most requests of one merchant that wait.
const WAITING_MAX: i64 = 100;

impl Store {
    /// Asks for a refund: 201 with [`RefundRequest`], or what [`Store::refund`] would refuse, and `too_many`.
    pub fn request_refund(
        &self,
        idempotency: &Idempotency,
        by: &Signed,
        new: &NewRefundRequest,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let (id, rules) = (RefundRequestId::new(now, rng), self.rules(now)?);
        self.once("request_refund", idempotency, Keep::Forever, now, |tx| {
            check_text(&new.reason, REASON_CHARS_MAX, "reason")?;
            let payment = payment::of_payee(tx, Payee::Merchant(by.merchant), new.payment)?;
            payment.refund(Some(new.amount_minor), rules, now)?;
            let waiting = "SELECT count(*) FROM refund_requests WHERE merchant = ?1 AND status = 'waiting'";
            if tx.one(waiting, [Bits(by.merchant.bits())], |row| row.get::<i64>(0))? >= WAITING_MAX {
                return Err(Code::TooMany.into());
            }
            tx.execute(
                "INSERT INTO refund_requests (id, merchant, payment, amount_minor, reason, status, asked_by, asked_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?7)",
                (
                    Bits(id.bits()),
                    Bits(by.merchant.bits()),
                    Bits(new.payment.bits()),
                    new.amount_minor,
                    &new.reason,
                    Bits(by.id.bits()),
                    At(now),
                ),
            )?;
            Ok(Answer::of(201, &load(tx, by.merchant, id)?))
        })
    }

    /// Approves a request and pays back in the same transaction, or rejects it: 200 with [`RefundRequest`], or `not_found`,
    /// `state_conflict`, `forbidden`, `approval_by_asker`, and what [`Store::refund`] refuses.
    pub fn decide_refund_request(
        &self,
        idempotency: &Idempotency,
        by: &Signed,
        id: RefundRequestId,
        approve: bool,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let (refund, rules) = (RefundId::new(now, rng), self.rules(now)?);
        self.once("decide_refund_request", idempotency, Keep::Forever, now, |tx| {
            check(staff::of_merchant(tx, by.merchant, by.id, now)?.role, Action::ApproveRefunds)?;
            let request = load(tx, by.merchant, id)?;
            if request.status != RefundRequestStatus::Waiting {
                return Err(Code::StateConflict.into());
            }
            if request.asked_by == by.id {
                return Err(Code::ApprovalByAsker.into());
            }
            if approve {
                let before = payment::of_payee(tx, Payee::Merchant(by.merchant), request.payment)?;
                let maker = Maker::Approved(request.asked_by, by.id);
                refund::pay_back(tx, before, Some(request.amount_minor), refund, Some(maker), rules, now)?;
            }
            let status = if approve { RefundRequestStatus::Approved } else { RefundRequestStatus::Rejected };
            tx.execute(
                "UPDATE refund_requests SET status = ?2, decided_by = ?3, decided_at = ?4 WHERE id = ?1",
                (Bits(id.bits()), status_name(status), Bits(by.id.bits()), At(now)),
            )?;
            Ok(Answer::of(200, &load(tx, by.merchant, id)?))
        })
    }

    /// The merchant's, newest first, older than `starting_after`; at most `limit`, and at most 100.
    pub fn refund_requests(
        &self,
        merchant: MerchantId,
        starting_after: Option<RefundRequestId>,
        limit: u32,
    ) -> Result<List<RefundRequest>, StoreError> {
        self.read(|tx| {
            let (before, limit) = (starting_after.map_or(u128::MAX, RefundRequestId::bits), limit.clamp(1, LIST_MAX));
            let sql = format!("{REQUESTS} WHERE r.merchant = ?1 AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3");
            let mut data = tx.list(&sql, (Bits(merchant.bits()), Bits(before), limit + 1), read)?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }
}

const STATUSES: [RefundRequestStatus; 3] = [RefundRequestStatus::Waiting, RefundRequestStatus::Approved, RefundRequestStatus::Rejected];

/// The stable name of a state, as in the API.
const fn status_name(status: RefundRequestStatus) -> &'static str {
    match status {
        RefundRequestStatus::Waiting => "waiting",
        RefundRequestStatus::Approved => "approved",
        RefundRequestStatus::Rejected => "rejected",
    }
}

const REQUESTS: &str = "SELECT r.id, r.payment, r.amount_minor, r.reason, r.status, r.asked_by, a.name, r.asked_at, d.name, r.decided_at
    FROM refund_requests r JOIN staff a ON a.id = r.asked_by LEFT JOIN staff d ON d.id = r.decided_by";

fn load(tx: &Tx, merchant: MerchantId, id: RefundRequestId) -> Result<RefundRequest, StoreError> {
    let sql = format!("{REQUESTS} WHERE r.merchant = ?1 AND r.id = ?2");
    tx.find(&sql, (Bits(merchant.bits()), Bits(id.bits())), read)?.ok_or(Code::NotFound.into())
}

fn read(row: &Row) -> Result<RefundRequest, DbError> {
    Ok(RefundRequest {
        id: RefundRequestId::from_bits(row.get::<Bits>(0)?.0),
        payment: PaymentId::from_bits(row.get::<Bits>(1)?.0),
        amount_minor: row.get(2)?,
        reason: row.get(3)?,
        status: row.get::<Name>(4)?.read(|name| STATUSES.into_iter().find(|status| status_name(*status) == name))?,
        asked_by: StaffId::from_bits(row.get::<Bits>(5)?.0),
        asked_by_name: row.get(6)?,
        asked_at: row.get::<At>(7)?.0,
        decided_by_name: row.get(8)?,
        decided_at: row.get::<Option<At>>(9)?.map(|at| at.0),
    })
}
