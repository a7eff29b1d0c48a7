//! Disputes as their payee sees them, and what it says to them.

use base::id::{DisputeId, MerchantId, PaymentId};
use base::time::Timestamp;
use payments::dispute::{STATUSES, status_name};
use payments::shop::check_text;
use wire::api::List;
use wire::problem::Code;
use wire::shop::{NewStatement, ShopDispute};

use crate::Store;
use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits, Name};
use crate::shop::staff::Signed;

/// Longest statement in characters.
const STATEMENT_CHARS_MAX: usize = 2_000;

impl Store {
    /// The disputes of the merchant's payments, newest first, older than `starting_after`; at most `limit`, and at most 100.
    pub fn shop_disputes(
        &self,
        merchant: MerchantId,
        starting_after: Option<DisputeId>,
        limit: u32,
    ) -> Result<List<ShopDispute>, StoreError> {
        self.read(|tx| {
            let (before, limit) = (starting_after.map_or(u128::MAX, DisputeId::bits), limit.clamp(1, LIST_MAX));
            let sql = format!("{DISPUTES} WHERE p.merchant = ?1 AND d.id < ?2 ORDER BY d.id DESC LIMIT ?3");
            let mut data = tx.list(&sql, (Bits(merchant.bits()), Bits(before), limit + 1), read)?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }

    /// What the payee says, once and before it is decided: 200 with [`ShopDispute`], or `not_found`, `invalid_request`,
    /// `state_conflict`.
    pub fn state_to_dispute(
        &self,
        idempotency: &Idempotency,
        by: &Signed,
        id: DisputeId,
        new: &NewStatement,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("state_to_dispute", idempotency, Keep::Forever, now, |tx| {
            let dispute = load(tx, by.merchant, id)?;
            check_text(&new.statement.replace('\n', " "), STATEMENT_CHARS_MAX, "statement")?;
            if dispute.decided_at.is_some() || dispute.statement.is_some() {
                return Err(Code::StateConflict.into());
            }
            tx.execute(
                "INSERT INTO dispute_statements (dispute, statement, made_by, made_at) VALUES (?1, ?2, ?3, ?4)",
                (Bits(id.bits()), &new.statement, Bits(by.id.bits()), At(now)),
            )?;
            Ok(Answer::of(200, &load(tx, by.merchant, id)?))
        })
    }
}

/// What the payee said to a dispute.
pub(crate) fn statement(tx: &Tx, dispute: DisputeId) -> Result<Option<String>, StoreError> {
    Ok(tx.find("SELECT statement FROM dispute_statements WHERE dispute = ?1", [Bits(dispute.bits())], |row| row.get(0))?)
}

const DISPUTES: &str = "SELECT d.id, d.payment, d.status, d.amount_minor, d.opened_at, d.decide_by, d.decided_at, s.statement, s.made_at
    FROM disputes d JOIN payments p ON p.id = d.payment LEFT JOIN dispute_statements s ON s.dispute = d.id";

fn load(tx: &Tx, merchant: MerchantId, id: DisputeId) -> Result<ShopDispute, StoreError> {
    let sql = format!("{DISPUTES} WHERE p.merchant = ?1 AND d.id = ?2");
    tx.find(&sql, (Bits(merchant.bits()), Bits(id.bits())), read)?.ok_or(Code::NotFound.into())
}

fn read(row: &Row) -> Result<ShopDispute, DbError> {
    Ok(ShopDispute {
        id: DisputeId::from_bits(row.get::<Bits>(0)?.0),
        payment: PaymentId::from_bits(row.get::<Bits>(1)?.0),
        status: row.get::<Name>(2)?.read(|name| STATUSES.into_iter().find(|status| status_name(*status) == name))?,
        amount_minor: row.get(3)?,
        opened_at: row.get::<At>(4)?.0,
        decide_by: row.get::<At>(5)?.0,
        decided_at: row.get::<Option<At>>(6)?.map(|at| at.0),
        statement: row.get(7)?,
        stated_at: row.get::<Option<At>>(8)?.map(|at| at.0),
    })
}
