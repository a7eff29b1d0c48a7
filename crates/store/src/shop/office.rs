//! What the head office says of its merchant, and its stores.

use base::id::{MerchantId, StaffId, StoreId, TerminalId};
use base::time::Timestamp;
use payments::activation::missing;
use payments::shop::{check_head_office, check_store};
use payments::staff::{ACTIONS, RefundLimits, may};
use wire::api::List;
use wire::problem::Code;
use wire::shop::{HeadOffice, NewShopStore, Place, Shop, ShopStore};

use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits};
use crate::{Store, shop};

/// Most stores of one merchant.
const STORES_MAX: usize = 500;

impl Store {
    /// Who is signed in, and what the merchant is: `not_found` for somebody who has left.
    pub fn shop(&self, merchant: MerchantId, staff: StaffId, now: Timestamp) -> Result<Shop, StoreError> {
        self.read(|tx| {
            let me = shop::staff::of_merchant(tx, merchant, staff, now)?;
            let head_office = head_office(tx, merchant)?;
            Ok(Shop {
                may: ACTIONS.into_iter().filter(|action| may(me.role, *action)).collect(),
                missing: missing(head_office.as_ref(), shop::activation::settlement_account(tx, merchant)?),
                merchant,
                merchant_name: tx.one("SELECT name FROM merchants WHERE id = ?1", [Bits(merchant.bits())], |row| row.get(0))?,
                me,
                head_office,
            })
        })
    }

    /// Replaces what the head office says: 200 with [`HeadOffice`], or `invalid_request`. What tills are bound to stays as it was.
    pub fn set_head_office(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        said: &HeadOffice,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("set_head_office", idempotency, Keep::Day, now, |tx| {
            check_head_office(said)?;
            tx.execute(
                "INSERT INTO head_offices (merchant, legal_name, credit_code, refund_payment_max_minor, refund_day_max_minor, changed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (merchant) DO UPDATE SET legal_name = excluded.legal_name, credit_code = excluded.credit_code,
                     refund_payment_max_minor = excluded.refund_payment_max_minor, refund_day_max_minor = excluded.refund_day_max_minor,
                     changed_at = excluded.changed_at",
                (
                    Bits(merchant.bits()),
                    &said.legal_name,
                    &said.credit_code,
                    said.refund_payment_max_minor,
                    said.refund_day_max_minor,
                    At(now),
                ),
            )?;
            Ok(Answer::of(200, said))
        })
    }

    /// Opens a store: 201 with [`ShopStore`], or `invalid_request`, `too_many`.
    pub fn open_shop_store(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: StoreId,
        new: &NewShopStore,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("open_shop_store", idempotency, Keep::Day, now, |tx| {
            check_store(new)?;
            if stores(tx, merchant)?.len() >= STORES_MAX {
                return Err(Code::TooMany.into());
            }
            tx.execute(
                "INSERT INTO stores (id, merchant, name, created_at) VALUES (?1, ?2, ?3, ?4)",
                (Bits(id.bits()), Bits(merchant.bits()), &new.name, At(now)),
            )?;
            save_place(tx, id, &new.place)?;
            Ok(Answer::of(201, &store_of(tx, merchant, id)?))
        })
    }

    /// Changes a store: 200 with [`ShopStore`], or `not_found`, `invalid_request`. Its tills stay bound to what they were.
    pub fn change_shop_store(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: StoreId,
        new: &NewShopStore,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("change_shop_store", idempotency, Keep::Day, now, |tx| {
            store_of(tx, merchant, id)?;
            check_store(new)?;
            tx.execute("UPDATE stores SET name = ?2 WHERE id = ?1", (Bits(id.bits()), &new.name))?;
            save_place(tx, id, &new.place)?;
            Ok(Answer::of(200, &store_of(tx, merchant, id)?))
        })
    }

    /// The merchant's stores, newest first.
    pub fn shop_stores(&self, merchant: MerchantId) -> Result<List<ShopStore>, StoreError> {
        self.read(|tx| Ok(List { data: stores(tx, merchant)?, has_more: false }))
    }
}

/// What the head office says, if it has.
pub(super) fn head_office(tx: &Tx, merchant: MerchantId) -> Result<Option<HeadOffice>, StoreError> {
    let sql = "SELECT legal_name, credit_code, refund_payment_max_minor, refund_day_max_minor FROM head_offices WHERE merchant = ?1";
    let read = |row: &Row| {
        Ok(HeadOffice {
            legal_name: row.get(0)?,
            credit_code: row.get(1)?,
            refund_payment_max_minor: row.get(2)?,
            refund_day_max_minor: row.get(3)?,
        })
    };
    Ok(tx.find(sql, [Bits(merchant.bits())], read)?)
}

/// How far the merchant's people and tills refund alone.
pub(super) fn refund_limits(tx: &Tx, merchant: MerchantId) -> Result<RefundLimits, StoreError> {
    let said = head_office(tx, merchant)?;
    Ok(said.map_or_else(RefundLimits::default, |said| RefundLimits {
        payment_max_minor: said.refund_payment_max_minor,
        day_max_minor: said.refund_day_max_minor,
    }))
}

/// A store of the merchant, or `not_found`.
pub(super) fn store_of(tx: &Tx, merchant: MerchantId, id: StoreId) -> Result<ShopStore, StoreError> {
    let sql = format!("{STORES} WHERE s.merchant = ?1 AND s.id = ?2");
    let mut found = tx.find(&sql, (Bits(merchant.bits()), Bits(id.bits())), read_store)?.ok_or(Code::NotFound)?;
    found.tills = tills(tx, id)?;
    Ok(found)
}

fn stores(tx: &Tx, merchant: MerchantId) -> Result<Vec<ShopStore>, StoreError> {
    let mut all = tx.list(&format!("{STORES} WHERE s.merchant = ?1 ORDER BY s.id DESC"), [Bits(merchant.bits())], read_store)?;
    for store in &mut all {
        store.tills = tills(tx, store.id)?;
    }
    Ok(all)
}

/// Those of a store that take payments.
fn tills(tx: &Tx, store: StoreId) -> Result<Vec<TerminalId>, StoreError> {
    let sql = "SELECT id FROM terminals t WHERE store = ?1
         AND NOT EXISTS (SELECT 1 FROM activations a WHERE a.terminal = t.id AND a.status = 'stopped') ORDER BY id";
    Ok(tx.list(sql, [Bits(store.bits())], |row| Ok(TerminalId::from_bits(row.get::<Bits>(0)?.0)))?)
}

fn save_place(tx: &Tx, store: StoreId, place: &Place) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO store_places (store, city, address, latitude_e6, longitude_e6) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (store) DO UPDATE SET city = excluded.city, address = excluded.address, latitude_e6 = excluded.latitude_e6,
             longitude_e6 = excluded.longitude_e6",
        (Bits(store.bits()), &place.city, &place.address, place.latitude_e6, place.longitude_e6),
    )?;
    Ok(())
}

const STORES: &str =
    "SELECT s.id, s.name, p.city, p.address, p.latitude_e6, p.longitude_e6 FROM stores s LEFT JOIN store_places p ON p.store = s.id";

fn read_store(row: &Row) -> Result<ShopStore, DbError> {
    let place = match row.get::<Option<String>>(2)? {
        None => None,
        Some(city) => Some(Place { city, address: row.get(3)?, latitude_e6: row.get(4)?, longitude_e6: row.get(5)? }),
    };
    Ok(ShopStore { id: StoreId::from_bits(row.get::<Bits>(0)?.0), name: row.get(1)?, place, tills: Vec::new() })
}
