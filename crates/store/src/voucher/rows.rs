//! Vouchers as rows.

use base::id::{AccountId, PaymentId, StoreId, VoucherId};
use base::money::Money;
use base::time::Timestamp;
use payments::rules::RulePack;
use payments::voucher::issue::VoucherState;
use wire::voucher::{Voucher, VoucherStore, Vouchers};

use crate::db::{Params, Row, Tx};
use crate::error::StoreError;
use crate::posting;
use crate::row::{At, Bits, Name};

/// Most vouchers in an answer.
const SHOWN: u32 = 50;

/// A voucher that was signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) id: VoucherId,
    pub(super) account: AccountId,
    pub(super) store: StoreId,
    pub(super) most: Money,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// From then on nothing is set aside for it.
    pub(super) held_until: Timestamp,
}

pub(super) fn insert(tx: &Tx, voucher: &Held) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO vouchers (id, account, store, most_minor, currency, state, issued_at, expires_at, held_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            Bits(voucher.id.bits()),
            Bits(voucher.account.bits()),
            Bits(voucher.store.bits()),
            voucher.most.minor,
            voucher.most.currency.code(),
            VoucherState::Open.name(),
            At(voucher.issued_at),
            At(voucher.expires_at),
            At(voucher.held_until),
        ),
    )?;
    Ok(())
}

/// The vouchers that a condition selects, oldest first.
pub(super) fn held(tx: &Tx, condition: &str, params: impl Params) -> Result<Vec<Held>, StoreError> {
    let sql = format!(
        "SELECT id, account, store, most_minor, currency, issued_at, expires_at, held_until FROM vouchers WHERE {condition} ORDER BY id"
    );
    Ok(tx.list(&sql, params, |row| {
        Ok(Held {
            id: VoucherId::from_bits(row.get::<Bits>(0)?.0),
            account: AccountId::from_bits(row.get::<Bits>(1)?.0),
            store: StoreId::from_bits(row.get::<Bits>(2)?.0),
            most: Money { minor: row.get(3)?, currency: posting::currency(row, 4)? },
            issued_at: row.get::<At>(5)?.0,
            expires_at: row.get::<At>(6)?.0,
            held_until: row.get::<At>(7)?.0,
        })
    })?)
}

/// The voucher of this identifier and where it stands.
pub(super) fn find(tx: &Tx, id: VoucherId) -> Result<Option<(Held, VoucherState)>, StoreError> {
    let Some(voucher) = held(tx, "id = ?1", [Bits(id.bits())])?.pop() else { return Ok(None) };
    let state =
        tx.one("SELECT state FROM vouchers WHERE id = ?1", [Bits(id.bits())], |row| row.get::<Name>(0)?.read(VoucherState::from_name))?;
    Ok(Some((voucher, state)))
}

/// The store where the account pays without network.
pub(super) fn switched_on(tx: &Tx, account: AccountId) -> Result<Option<StoreId>, StoreError> {
    let sql = "SELECT store FROM voucher_stores WHERE account = ?1";
    Ok(tx.find(sql, [Bits(account.bits())], |row| Ok(StoreId::from_bits(row.get::<Bits>(0)?.0)))?)
}

/// What the account's vouchers are worth together whose time is not over, whatever became of them, in minor units.
pub(super) fn signed_minor(tx: &Tx, account: AccountId, now: Timestamp) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(coalesce(sum(most_minor), 0) AS BIGINT) FROM vouchers WHERE account = ?1 AND expires_at > ?2";
    Ok(tx.one(sql, (Bits(account.bits()), At(now)), |row| row.get(0))?)
}

/// What is set aside for the account's vouchers, in minor units.
pub(crate) fn set_aside_minor(tx: &Tx, account: AccountId) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(coalesce(sum(most_minor), 0) AS BIGINT) FROM vouchers WHERE account = ?1 AND state = 'open'";
    Ok(tx.one(sql, [Bits(account.bits())], |row| row.get(0))?)
}

/// What the owner sees.
pub(super) fn load(tx: &Tx, account: AccountId, rules: &RulePack, now: Timestamp) -> Result<Vouchers, StoreError> {
    let on = "SELECT v.store, s.name, m.name FROM voucher_stores v JOIN stores s ON s.id = v.store JOIN merchants m ON m.id = s.merchant
         WHERE v.account = ?1";
    let on = tx.find(on, [Bits(account.bits())], |row| {
        Ok(VoucherStore { store: StoreId::from_bits(row.get::<Bits>(0)?.0), store_name: row.get(1)?, merchant_name: row.get(2)? })
    })?;
    let all = "SELECT v.id, v.store, s.name, m.name, v.most_minor, v.currency, v.state, v.issued_at, v.expires_at, v.payment
         FROM vouchers v JOIN stores s ON s.id = v.store JOIN merchants m ON m.id = s.merchant WHERE v.account = ?1 ORDER BY v.id DESC LIMIT ?2";
    let vouchers = tx.list(all, (Bits(account.bits()), SHOWN), read_shown)?;
    let first_end = "SELECT min(expires_at) FROM vouchers WHERE account = ?1 AND expires_at > ?2";
    let first_end: Option<At> = tx.one(first_end, (Bits(account.bits()), At(now)), |row| row.get(0))?;
    let is_full = signed_minor(tx, account, now)? >= rules.offline.day_max_minor;
    Ok(Vouchers {
        on,
        vouchers,
        set_aside_minor: set_aside_minor(tx, account)?,
        voucher_max_minor: rules.offline.voucher_max_minor,
        day_max_minor: rules.offline.day_max_minor,
        more_from: first_end.map(|at| at.0).filter(|_| is_full),
    })
}

fn read_shown(row: &Row) -> Result<Voucher, crate::db::DbError> {
    Ok(Voucher {
        id: VoucherId::from_bits(row.get::<Bits>(0)?.0),
        store: StoreId::from_bits(row.get::<Bits>(1)?.0),
        store_name: row.get(2)?,
        merchant_name: row.get(3)?,
        most_minor: row.get(4)?,
        currency: posting::currency(row, 5)?,
        state: row.get::<Name>(6)?.read(VoucherState::from_name)?.name().to_owned(),
        issued_at: row.get::<At>(7)?.0,
        expires_at: row.get::<At>(8)?.0,
        payment: row.get::<Option<Bits>>(9)?.map(|bits| PaymentId::from_bits(bits.0)),
        text: None,
    })
}
