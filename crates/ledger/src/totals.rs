//! The sums that an auditor checks.

use crate::account::{Account, AccountKind};

/// Sums over all accounts, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All debits.
    pub debits_minor: i64,
    /// All credits.
    pub credits_minor: i64,
    /// Owed to customers.
    pub customer_minor: i64,
    /// Owed to merchants.
    pub merchant_minor: i64,
    /// Held in the reserve.
    pub reserve_minor: i64,
}

impl Totals {
    /// The sums over `accounts`; `None` if one no longer fits into 63 bits.
    pub fn over<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Option<Self> {
        accounts
            .into_iter()
            .try_fold(Self::default(), |sum, account| sum.with(account.key.kind, account.debits_minor, account.credits_minor))
    }

    /// These sums and one more account, or the sums of all accounts of one kind.
    pub fn with(mut self, kind: AccountKind, debits_minor: i64, credits_minor: i64) -> Option<Self> {
        self.debits_minor = self.debits_minor.checked_add(debits_minor)?;
        self.credits_minor = self.credits_minor.checked_add(credits_minor)?;
        let owed = credits_minor.checked_sub(debits_minor)?;
        match kind {
            AccountKind::CustomerWallet => self.customer_minor = self.customer_minor.checked_add(owed)?,
            AccountKind::MerchantPayable => self.merchant_minor = self.merchant_minor.checked_add(owed)?,
            AccountKind::ClientReserve => self.reserve_minor = self.reserve_minor.checked_sub(owed)?,
        }
        Some(self)
    }

    /// Whether debits equal credits, and what is owed to customers and merchants equals the reserve.
    pub fn balanced(&self) -> bool {
        self.debits_minor == self.credits_minor && self.customer_minor.checked_add(self.merchant_minor) == Some(self.reserve_minor)
    }
}
