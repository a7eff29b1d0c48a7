//! Where a shopper asked to be recognised without the phone's digits: the city where they usually pay, and stores that they
//! are a regular of. Only the owner says so, and takes it back.

use base::id::{AccountId, StoreId};
use base::time::Timestamp;
use rand_core::CryptoRng;
use wire::api::{EnrolmentStatus, Part, Places, QueryKind, VisitedShop};
use wire::probe::PartitionLabel;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::query_log::{self, Outcome};
use crate::row::{At, Bits, Name};
use crate::{Store, account_rows, chain, enrolment, membership, voucher};

/// Most shops in an answer, those of which the account is a regular first.
const SHOPS_MAX: u32 = 200;

impl Store {
    /// Where the account asked to be recognised, and where it may ask.
    pub fn places(&self, account: AccountId) -> Result<Places, StoreError> {
        self.read(|tx| load(tx, account))
    }

    /// Names the city where the account usually pays, in the place of the one before; `label` is that city's. `not_found`
    /// if no store is there, `account_closed`.
    pub fn set_city(
        &self,
        account: AccountId,
        city: &str,
        label: PartitionLabel,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Places, StoreError> {
        self.change("set_city", account, now, |tx| {
            if !cities(tx)?.iter().any(|known| known == city) {
                return Err(Code::NotFound.into());
            }
            let before = city_of(tx, account)?;
            if before.as_deref() == Some(city) {
                return Ok(());
            }
            leave_city(tx, account, before, rng, now)?;
            let row = (Bits(account.bits()), label.0, Part::City.name(), city, At(now));
            tx.execute("INSERT INTO places (account, part, kind, city, since) VALUES (?1, ?2, ?3, ?4, ?5)", row)?;
            query_log::record(tx, account, QueryKind::PlaceAdded, Outcome::At(city), rng, now)
        })
    }

    /// Takes the city back. Again: the same without effect.
    pub fn unset_city(&self, account: AccountId, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Places, StoreError> {
        self.change("unset_city", account, now, |tx| leave_city(tx, account, city_of(tx, account)?, rng, now))
    }

    /// Makes the account a regular of a store that it has paid at by its face; `label` is that of the store's regulars.
    /// `not_found` without such a payment or without a face that is enrolled; `account_closed`. Again: the same without effect.
    pub fn set_regular(
        &self,
        account: AccountId,
        store: StoreId,
        label: PartitionLabel,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Places, StoreError> {
        self.change("set_regular", account, now, |tx| {
            let is_enrolled = enrolment::standing(tx, account)?
                .is_some_and(|face| matches!(face.status, EnrolmentStatus::Storing | EnrolmentStatus::Enrolled));
            let name = name_of(tx, store)?.ok_or(Code::NotFound)?;
            if !is_enrolled || !has_paid_at(tx, account, store)? {
                return Err(Code::NotFound.into());
            }
            let row = (Bits(account.bits()), label.0, Part::Regulars.name(), Bits(store.bits()), At(now));
            let sql = "INSERT INTO places (account, part, kind, store, since) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
            if tx.execute(sql, row)? == 0 {
                return Ok(());
            }
            query_log::record(tx, account, QueryKind::PlaceAdded, Outcome::At(&name), rng, now)
        })
    }

    /// The account is no regular of the store any more. Again: the same without effect.
    pub fn unset_regular(&self, account: AccountId, store: StoreId, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Places, StoreError> {
        self.change("unset_regular", account, now, |tx| {
            let name = name_of(tx, store)?.ok_or(Code::NotFound)?;
            let sql = "DELETE FROM places WHERE account = ?1 AND store = ?2";
            if tx.execute(sql, (Bits(account.bits()), Bits(store.bits())))? == 0 {
                return Ok(());
            }
            voucher::stop_at(tx, account, store, self.rules(now)?, now)?;
            query_log::record(tx, account, QueryKind::PlaceRemoved, Outcome::At(&name), rng, now)
        })
    }

    /// Says in which city a store is, with that city's label, or in none. The records of its regulars follow. `not_found`.
    pub fn set_store_city(&self, store: StoreId, city: Option<(&str, PartitionLabel)>, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("set_store_city", |tx| {
            let row = (Bits(store.bits()), city.map(|(name, _)| name), city.map(|(_, label)| label.0));
            if tx.execute("UPDATE stores SET city = ?2, city_part = ?3 WHERE id = ?1", row)? == 0 {
                return Err(Code::NotFound.into());
            }
            let regulars = tx.list("SELECT account FROM places WHERE store = ?1 ORDER BY account", [Bits(store.bits())], |row| {
                Ok(AccountId::from_bits(row.get::<Bits>(0)?.0))
            })?;
            membership::follow(tx, &regulars, now)
        })
    }

    /// One change of what the account asked for; its records follow.
    fn change(
        &self,
        name: &'static str,
        account: AccountId,
        now: Timestamp,
        work: impl FnOnce(&Tx) -> Result<(), StoreError>,
    ) -> Result<Places, StoreError> {
        self.run_tx(name, |tx| {
            if account_rows::payer(tx, account, now)?.closed {
                return Err(Code::AccountClosed.into());
            }
            work(tx)?;
            membership::follow(tx, &[account], now)?;
            load(tx, account)
        })
    }
}

/// Forgets everything that the account asked for: its face is deleted, or it is closed.
pub(crate) fn end(tx: &Tx, account: AccountId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM places WHERE account = ?1", [Bits(account.bits())])?;
    Ok(())
}

/// The label of the city that the store is in.
pub(crate) fn city_label(tx: &Tx, store: StoreId) -> Result<Option<PartitionLabel>, StoreError> {
    let label: Option<[u8; 16]> = tx.one("SELECT city_part FROM stores WHERE id = ?1", [Bits(store.bits())], |row| row.get(0))?;
    Ok(label.map(wire::bytes::HexArray))
}

fn load(tx: &Tx, account: AccountId) -> Result<Places, StoreError> {
    let sql = format!(
        "{}SELECT s.id, s.name, m.name, r.since
         FROM (SELECT DISTINCT p.store FROM chain JOIN payments p ON p.id = chain.id) AS paid
         JOIN stores s ON s.id = paid.store JOIN merchants m ON m.id = s.merchant LEFT JOIN places r ON r.store = s.id AND r.account = ?2
         ORDER BY CASE WHEN r.since IS NULL THEN 1 ELSE 0 END, m.name, s.name, s.id LIMIT ?3",
        chain::ACTIVITIES.walk("chain.previous IS NOT NULL")
    );
    let shops = tx.list(&sql, (account_rows::last_activity(tx, account)?, Bits(account.bits()), SHOPS_MAX), |row| {
        Ok(VisitedShop {
            store: StoreId::from_bits(row.get::<Bits>(0)?.0),
            store_name: row.get(1)?,
            merchant_name: row.get(2)?,
            regular_since: row.get::<Option<At>>(3)?.map(|at| at.0),
        })
    })?;
    Ok(Places { city: city_of(tx, account)?, cities: cities(tx)?, shops })
}

fn cities(tx: &Tx) -> Result<Vec<String>, StoreError> {
    Ok(tx.list("SELECT DISTINCT city FROM stores WHERE city IS NOT NULL ORDER BY city", (), |row| row.get(0))?)
}

fn city_of(tx: &Tx, account: AccountId) -> Result<Option<String>, StoreError> {
    let row = (Bits(account.bits()), Part::City.name());
    Ok(tx.find("SELECT city FROM places WHERE account = ?1 AND kind = ?2", row, |row| Ok(row.get::<Name>(0)?.0))?)
}

fn leave_city(tx: &Tx, account: AccountId, city: Option<String>, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<(), StoreError> {
    let Some(city) = city else { return Ok(()) };
    tx.execute("DELETE FROM places WHERE account = ?1 AND kind = ?2", (Bits(account.bits()), Part::City.name()))?;
    query_log::record(tx, account, QueryKind::PlaceRemoved, Outcome::At(&city), rng, now)
}

/// The store's name with its payee's.
fn name_of(tx: &Tx, store: StoreId) -> Result<Option<String>, StoreError> {
    let sql = "SELECT m.name || ', ' || s.name FROM stores s JOIN merchants m ON m.id = s.merchant WHERE s.id = ?1";
    Ok(tx.find(sql, [Bits(store.bits())], |row| row.get(0))?)
}

fn has_paid_at(tx: &Tx, account: AccountId, store: StoreId) -> Result<bool, StoreError> {
    // An activity of a payment has the payment's identifier.
    let found = "SELECT 1 FROM chain JOIN payments p ON p.id = chain.id WHERE p.store = ?2 LIMIT 1";
    let sql = format!("{}{found}", chain::ACTIVITIES.walk("chain.previous IS NOT NULL"));
    Ok(tx.find(&sql, (account_rows::last_activity(tx, account)?, Bits(store.bits())), |_| Ok(()))?.is_some())
}
