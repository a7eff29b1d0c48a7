//! The check of the books, and their export for an auditor.

use base::hash::hex;
use ledger::account::{Account, AccountKind};
use ledger::chain::Head;
use ledger::export;
use ledger::totals::Totals;

use crate::Store;
use crate::db::Tx;
use crate::error::StoreError;
use crate::posting;
use crate::row::Name;

/// Transfers that an export reads at a time.
const PAGE: u32 = 1_000;

impl Store {
    /// The sums over all accounts. [`Totals::balanced`] says whether debits equal credits, and the reserve what is owed, set
    /// aside and on its way. Errs if the accounts do not hold what the transfers moved and hold.
    pub fn books(&self) -> Result<Totals, StoreError> {
        self.read(totals)
    }

    /// Where the ledger's hash chain ends: worth noting down elsewhere, daily.
    pub fn ledger_head(&self) -> Result<Head, StoreError> {
        self.read(posting::head)
    }

    /// The whole ledger as [`ledger::export`] has it, piece by piece, as of one moment. Errs if a stored hash is not that of
    /// its row.
    pub fn export_ledger(&self, mut write: impl FnMut(&str) -> std::io::Result<()>) -> Result<Head, StoreError> {
        self.read(|tx| {
            let mut out = |text: &str| write(text).map_err(|error| StoreError::Corrupt(format!("the export cannot be written: {error}")));
            out(&format!("{}\n", ledger::chain::FORMAT))?;
            let stored = posting::head(tx)?;
            let mut head = Head::genesis();
            loop {
                let page = posting::records_after(tx, head.sequence, PAGE)?;
                let mut text = String::new();
                head = page.iter().fold(head, |head, record| export::push_entry(&mut text, head, &record.entry));
                out(&text)?;
                if page.len() < PAGE as usize {
                    break;
                }
            }
            if head != stored {
                return Err(StoreError::Corrupt(format!("the chain ends with {stored:?}, its rows with {}", hex(&head.hash))));
            }
            let accounts: Vec<Account> = posting::accounts(tx)?;
            let mut text = String::new();
            export::push_trailer(&mut text, head, &accounts);
            out(&text)?;
            Ok(head)
        })
    }
}

/// The sums over all accounts, compared with the transfers.
pub(crate) fn totals(tx: &Tx) -> Result<Totals, StoreError> {
    let accounts = "SELECT kind, CAST(sum(debits_minor) AS BIGINT), CAST(sum(credits_minor) AS BIGINT),
                    CAST(sum(debits_pending_minor) AS BIGINT), CAST(sum(credits_pending_minor) AS BIGINT)
                 FROM ledger_accounts GROUP BY kind ORDER BY kind";
    let sums = tx.list(accounts, (), |row| {
        let kind = row.get::<Name>(0)?.read(AccountKind::from_name)?;
        Ok((kind, [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))
    })?;
    let mut totals = Totals::default();
    for (kind, sums) in &sums {
        let more = totals.with_kind(*kind, *sums);
        totals = more.ok_or_else(|| StoreError::Corrupt("a sum of the books overflows".into()))?;
    }
    let of_accounts = [totals.debits_minor, totals.credits_minor, totals.debits_pending_minor, totals.credits_pending_minor];
    let (posted, held) = moved(tx)?;
    if of_accounts == [posted, posted, held, held] {
        Ok(totals)
    } else {
        Err(StoreError::Corrupt(format!("transfers moved {posted} and hold {held}, the accounts say {of_accounts:?}")))
    }
}

/// What all transfers posted, and what they still hold.
fn moved(tx: &Tx) -> Result<(i64, i64), StoreError> {
    let sum = |condition: &str| {
        let sql = format!("SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM ledger_transfers WHERE {condition}");
        tx.one(&sql, (), |row| row.get::<i64>(0))
    };
    Ok((sum("kind IN ('post', 'post_pending')")?, sum("pending_state = 'open'")?))
}
