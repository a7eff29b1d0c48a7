//! The check of the books.

use ledger::totals::Totals;

use crate::Store;
use crate::error::StoreError;

impl Store {
    /// The sums over all accounts and over all postings, which must agree. [`Totals::balanced`] says whether debits equal
    /// credits, and customers' and merchants' money the reserve.
    pub fn books(&self) -> Result<Totals, StoreError> {
        todo!()
    }
}
