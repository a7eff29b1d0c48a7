//! The check of the books.

use ledger::account::AccountKind;
use ledger::totals::Totals;

use crate::Store;
use crate::db::Tx;
use crate::error::StoreError;
use crate::row::Name;

impl Store {
    /// The sums over all accounts. [`Totals::balanced`] says whether debits equal credits, and customers' and merchants'
    /// money the reserve. Errs if the accounts do not hold what the transfers moved.
    pub fn books(&self) -> Result<Totals, StoreError> {
        self.read(totals)
    }
}

pub(crate) fn totals(tx: &Tx) -> Result<Totals, StoreError> {
    let sums = tx.list(
        "SELECT kind, CAST(sum(debits_minor) AS BIGINT), CAST(sum(credits_minor) AS BIGINT) FROM ledger_accounts GROUP BY kind",
        (),
        |row| Ok((row.get::<Name>(0)?.read(AccountKind::from_name)?, row.get(1)?, row.get(2)?)),
    )?;
    let mut totals = Totals::default();
    for (kind, debits, credits) in sums {
        totals = totals.with(kind, debits, credits).ok_or_else(|| StoreError::Corrupt("a sum of the books overflows".into()))?;
    }
    let moved: i64 = tx.one("SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM ledger_transfers", (), |row| row.get(0))?;
    if moved == totals.debits_minor {
        Ok(totals)
    } else {
        Err(StoreError::Corrupt(format!("transfers moved {moved}, accounts were debited {}", totals.debits_minor)))
    }
}
