//! Payouts as rows, and what they are made of.

use base::id::{BankAccountId, MerchantId, PayoutId};
use base::money::Currency;
use base::time::Timestamp;
use payments::rules::RulePack;
use payments::settlement::profile::Profile;
use payments::settlement::{HOLD_REASONS, STATUSES, hold_reason_name, status_name};
use wire::api::List;
use wire::problem::Code;
use wire::settlement::{Payout, PayoutStatus};

use crate::activity::LIST_MAX;
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name, Sequence};
use crate::{chain, merchant_lists};

const PAYOUTS: &str =
    "SELECT merchant, id, bank_account, amount_minor, status, hold_reason, settles_until, created_at, sent_at, ended_at FROM payouts";

/// Merchants that may be paid out at `now` and have not been on `day`: with a bank account in force and nothing held.
pub(crate) fn without_payout(tx: &Tx, day: u32, now: Timestamp) -> Result<Vec<MerchantId>, StoreError> {
    let sql = "SELECT m.id FROM merchants m
         WHERE EXISTS (SELECT 1 FROM bank_accounts b WHERE b.merchant = m.id AND b.status = 'approved' AND b.effective_at <= ?1)
             AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.merchant = m.id AND (p.day = ?2 OR p.status = 'held'))
         ORDER BY m.id";
    let rows: Vec<Bits> = tx.list(sql, (At(now), day), |row| row.get(0))?;
    Ok(rows.into_iter().map(|bits| MerchantId::from_bits(bits.0)).collect())
}

/// What was paid to the merchant since `cut` and not refunded, in minor units. Of payments that began before `begun` nothing
/// was paid so late.
pub(crate) fn paid_since(tx: &Tx, merchant: MerchantId, begun: Timestamp, cut: Timestamp) -> Result<i64, StoreError> {
    let Some(last) = merchant_lists::last_payment(tx, merchant)? else { return Ok(0) };
    let sql = format!("{}SELECT CAST(coalesce(sum(captured_minor - refunded_minor), 0) AS BIGINT) {SINCE}", walk());
    Ok(tx.one(&sql, (last, first_of(begun), At(cut)), |row| row.get(0))?)
}

/// What was paid since `?3` of the payments that [`walk`] finds.
const SINCE: &str = "FROM chain JOIN payments p ON p.id = chain.id WHERE p.paid_at >= ?3";
/// The merchant's payments are in the order in which they were stored, which is nearly that of their identifiers: by as much as a clock
/// may have gone back meanwhile.
const CLOCK_BACK_MS: u64 = 86_400_000;

/// The merchant's payments from the last one, `?1`, back to the identifier `?2`.
fn walk() -> String {
    chain::PAYMENTS.walk("t.id >= ?2")
}

/// Identifiers sort by time: the least of those made at `time`, by a clock that may go back.
fn first_of(time: Timestamp) -> Bits {
    Bits(u128::from(time.millis().saturating_sub(CLOCK_BACK_MS)) << 80)
}

/// The end of what the merchant's last payout was made of; the beginning of time without one.
pub(crate) fn settled_until(tx: &Tx, merchant: MerchantId) -> Result<Timestamp, StoreError> {
    let sql = "SELECT settles_until FROM payouts WHERE merchant = ?1 ORDER BY id DESC LIMIT 1";
    let last: Option<At> = tx.find(sql, [Bits(merchant.bits())], |row| row.get(0))?;
    Ok(last.map_or(Timestamp::from_millis(0), |at| at.0))
}

/// What the merchant's payments were like that were paid in `from..until`.
pub(crate) fn profile(tx: &Tx, merchant: MerchantId, rules: &RulePack, from: Timestamp, until: Timestamp) -> Result<Profile, StoreError> {
    let Some(last) = merchant_lists::last_payment(tx, merchant)? else { return Ok(Profile::default()) };
    let (paid, chain) = (format!("{SINCE} AND p.paid_at < ?4"), walk());
    let which = (last, first_of(rules.begun_before_paid(from)), At(from), At(until));
    let limits = &rules.owner_limits;
    let minute = format!("((paid_at / 60000 + {}) % 1440)", rules.utc_offset_minutes);
    let (night_from, night_until, round_minor) = (limits.night_from_minute, limits.night_until_minute, rules.settlement.round_sum_minor);
    let counted = tx.one(
        &format!(
            "{chain}SELECT count(*), CAST(coalesce(sum(captured_minor), 0) AS BIGINT),
                 CAST(coalesce(sum(CASE WHEN captured_minor % {round_minor} = 0 THEN 1 ELSE 0 END), 0) AS BIGINT),
                 CAST(coalesce(sum(CASE WHEN {minute} >= {night_from} OR {minute} < {night_until} THEN 1 ELSE 0 END), 0) AS BIGINT) {paid}"
        ),
        which,
        |row| {
            Ok(Profile {
                payments: row.get::<Sequence>(0)?.0,
                sum_minor: row.get(1)?,
                round: row.get::<Sequence>(2)?.0,
                by_night: row.get::<Sequence>(3)?.0,
                one_payer_minor: 0,
            })
        },
    )?;
    let sql = format!(
        "{chain}SELECT CAST(coalesce(max(of_one), 0) AS BIGINT) FROM (SELECT sum(captured_minor) AS of_one {paid} GROUP BY payer) AS payers"
    );
    Ok(Profile { one_payer_minor: tx.one(&sql, which, |row| row.get(0))?, ..counted })
}

/// Whether the last payout to this bank account came back.
pub(crate) fn came_back(tx: &Tx, merchant: MerchantId, bank_account: BankAccountId) -> Result<bool, StoreError> {
    let sql = "SELECT status FROM payouts WHERE merchant = ?1 AND bank_account = ?2 ORDER BY id DESC LIMIT 1";
    let last: Option<String> = tx.find(sql, (Bits(merchant.bits()), Bits(bank_account.bits())), |row| row.get(0))?;
    Ok(last.as_deref() == Some(status_name(PayoutStatus::Returned)))
}

/// A new payout; `false` if the merchant has one of that day.
pub(crate) fn insert(tx: &Tx, merchant: MerchantId, day: u32, payout: &Payout, rules: &RulePack) -> Result<bool, StoreError> {
    let rows = tx.execute(
        "INSERT INTO payouts (id, merchant, bank_account, day, amount_minor, status, hold_reason, settles_until, created_at, sent_at, rules_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (merchant, day) DO NOTHING",
        (
            Bits(payout.id.bits()),
            Bits(merchant.bits()),
            Bits(payout.bank_account.bits()),
            day,
            payout.amount_minor,
            status_name(payout.status),
            payout.hold_reason.map(hold_reason_name),
            At(payout.settles_until),
            At(payout.created_at),
            payout.sent_at.map(At),
            &rules.version,
        ),
    )?;
    Ok(rows == 1)
}

/// Stores where a payout stands, and when it was sent or ended.
pub(crate) fn set_status(tx: &Tx, id: PayoutId, status: PayoutStatus, by: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
    let column = if status == PayoutStatus::InTransit { "sent_at" } else { "ended_at" };
    tx.execute(
        &format!("UPDATE payouts SET status = ?2, {column} = ?3, decided_by = ?4 WHERE id = ?1"),
        (Bits(id.bits()), status_name(status), At(now), by),
    )?;
    Ok(())
}

/// A payout and whose it is, or `not_found`.
pub(crate) fn load(tx: &Tx, id: PayoutId) -> Result<(MerchantId, Payout), StoreError> {
    tx.find(&format!("{PAYOUTS} WHERE id = ?1"), [Bits(id.bits())], read)?.ok_or(Code::NotFound.into())
}

/// The merchant's own payout, or `not_found`.
pub(crate) fn owned(tx: &Tx, merchant: MerchantId, id: PayoutId) -> Result<Payout, StoreError> {
    let (owner, payout) = load(tx, id)?;
    if owner == merchant { Ok(payout) } else { Err(Code::NotFound.into()) }
}

/// The merchant's payouts, newest first.
pub(crate) fn of_merchant(tx: &Tx, merchant: MerchantId, after: Option<PayoutId>, limit: u32) -> Result<List<Payout>, StoreError> {
    let limit = limit.clamp(1, LIST_MAX);
    let before = after.map_or(u128::MAX, PayoutId::bits);
    let sql = format!("{PAYOUTS} WHERE merchant = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
    let mut data = tx.list(&sql, (Bits(merchant.bits()), Bits(before), limit + 1), |row| Ok(read(row)?.1))?;
    let has_more = data.len() > limit as usize;
    data.truncate(limit as usize);
    Ok(List { data, has_more })
}

fn read(row: &Row) -> Result<(MerchantId, Payout), DbError> {
    let reason = |name: Name| name.read(|name| HOLD_REASONS.into_iter().find(|reason| hold_reason_name(*reason) == name));
    let payout = Payout {
        id: PayoutId::from_bits(row.get::<Bits>(1)?.0),
        bank_account: BankAccountId::from_bits(row.get::<Bits>(2)?.0),
        amount_minor: row.get(3)?,
        currency: Currency::CNY,
        status: row.get::<Name>(4)?.read(|name| STATUSES.into_iter().find(|status| status_name(*status) == name))?,
        hold_reason: row.get::<Option<Name>>(5)?.map(reason).transpose()?,
        settles_until: row.get::<At>(6)?.0,
        created_at: row.get::<At>(7)?.0,
        sent_at: row.get::<Option<At>>(8)?.map(|at| at.0),
        ended_at: row.get::<Option<At>>(9)?.map(|at| at.0),
    };
    Ok((MerchantId::from_bits(row.get::<Bits>(0)?.0), payout))
}
