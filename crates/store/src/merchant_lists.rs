//! The newest of each merchant's lists.

use base::id::MerchantId;

use crate::db::{Kind, Tx};
use crate::error::StoreError;
use crate::row::Bits;

/// The last rows of a merchant's chains.
#[derive(Clone, Copy, Default)]
struct Last {
    payment: Option<Bits>,
    event: Option<Bits>,
}

const LAST: Kind<Option<Last>> = Kind::new("merchant lists", &["merchant_lists"]);

/// A merchant that has lists from now on.
pub(crate) fn open(tx: &Tx, merchant: MerchantId) -> Result<(), StoreError> {
    tx.execute("INSERT INTO merchant_lists (merchant) VALUES (?1) ON CONFLICT (merchant) DO NOTHING", [Bits(merchant.bits())])?;
    Ok(())
}

/// Adds a payment to the merchant's; the one before it.
pub(crate) fn add_payment(tx: &Tx, merchant: MerchantId, payment: u128) -> Result<Option<Bits>, StoreError> {
    change(tx, merchant, |last| last.payment.replace(Bits(payment)))
}

/// Adds an event to the merchant's; the one before it.
pub(crate) fn add_event(tx: &Tx, merchant: MerchantId, event: u128) -> Result<Option<Bits>, StoreError> {
    change(tx, merchant, |last| last.event.replace(Bits(event)))
}

/// The merchant's last payment.
pub(crate) fn last_payment(tx: &Tx, merchant: MerchantId) -> Result<Option<Bits>, StoreError> {
    Ok(load(tx, merchant)?.payment)
}

/// The merchant's last event.
pub(crate) fn last_event(tx: &Tx, merchant: MerchantId) -> Result<Option<Bits>, StoreError> {
    Ok(load(tx, merchant)?.event)
}

fn change(tx: &Tx, merchant: MerchantId, change: impl FnOnce(&mut Last) -> Option<Bits>) -> Result<Option<Bits>, StoreError> {
    let mut last = load(tx, merchant)?;
    let before = change(&mut last);
    let sql = "UPDATE merchant_lists SET last_payment = ?2, last_event = ?3 WHERE merchant = ?1";
    tx.put_known(sql, (Bits(merchant.bits()), last.payment, last.event), &LAST, (0, merchant.bits()), Some(last))?;
    Ok(before)
}

fn load(tx: &Tx, merchant: MerchantId) -> Result<Last, StoreError> {
    let sql = "SELECT last_payment, last_event FROM merchant_lists WHERE merchant = ?1";
    let found = tx.recall_row(&LAST, (0, merchant.bits()), sql, [Bits(merchant.bits())], |row| {
        Ok(Last { payment: row.get(0)?, event: row.get(1)? })
    })?;
    Ok(found.unwrap_or_default())
}
