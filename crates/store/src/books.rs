//! The check of the books.

use ledger::account::AccountKind;
use ledger::totals::Totals;

use crate::Store;
use crate::error::StoreError;
use crate::row::Name;

impl Store {
    /// The sums over all accounts. [`Totals::balanced`] says whether debits equal credits, and customers' and merchants'
    /// money the reserve. Errs if the accounts do not hold what the transfers moved.
    pub fn books(&self) -> Result<Totals, StoreError> {
        self.read(|tx| {
            let mut statement =
                tx.prepare_cached("SELECT kind, sum(debits_minor), sum(credits_minor) FROM ledger_accounts GROUP BY kind")?;
            let mut rows = statement.query([])?;
            let mut totals = Totals::default();
            while let Some(row) = rows.next()? {
                let kind = row.get::<_, Name>(0)?.read(AccountKind::from_name)?;
                totals = totals
                    .with(kind, row.get(1)?, row.get(2)?)
                    .ok_or_else(|| StoreError::Corrupt("a sum of the books overflows".into()))?;
            }
            let moved: i64 = tx.query_row("SELECT coalesce(sum(amount_minor), 0) FROM ledger_transfers", [], |row| row.get(0))?;
            if moved == totals.debits_minor {
                Ok(totals)
            } else {
                Err(StoreError::Corrupt(format!("transfers moved {moved}, accounts were debited {}", totals.debits_minor)))
            }
        })
    }
}
