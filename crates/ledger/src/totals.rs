//! The sums that an auditor checks.

use crate::account::{Account, AccountKind};

/// Sums over all accounts, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All posted debits.
    pub debits_minor: i64,
    /// All posted credits.
    pub credits_minor: i64,
    /// All pending debits.
    pub debits_pending_minor: i64,
    /// All pending credits.
    pub credits_pending_minor: i64,
    /// Owed to customers.
    pub customer_minor: i64,
    /// Owed to merchants.
    pub merchant_minor: i64,
    /// Fees, promotions' budgets and the compensation fund.
    pub earmarked_minor: i64,
    /// On its way to banks.
    pub transit_minor: i64,
    /// Held in the reserve.
    pub reserve_minor: i64,
}

impl Totals {
    /// The sums over `accounts`; `None` if one no longer fits into 63 bits.
    pub fn over<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Option<Self> {
        accounts.into_iter().try_fold(Self::default(), |sum, account| sum.with(account))
    }

    /// These sums and one more account.
    pub fn with(self, account: &Account) -> Option<Self> {
        let Account { key, debits_minor, credits_minor, debits_pending_minor, credits_pending_minor, .. } = *account;
        self.with_kind(key.kind, [debits_minor, credits_minor, debits_pending_minor, credits_pending_minor])
    }

    /// These sums and those of all accounts of one kind: debits, credits, pending debits, pending credits.
    pub fn with_kind(mut self, kind: AccountKind, sums: [i64; 4]) -> Option<Self> {
        let [debits_minor, credits_minor, debits_pending_minor, credits_pending_minor] = sums;
        self.debits_minor = self.debits_minor.checked_add(debits_minor)?;
        self.credits_minor = self.credits_minor.checked_add(credits_minor)?;
        self.debits_pending_minor = self.debits_pending_minor.checked_add(debits_pending_minor)?;
        self.credits_pending_minor = self.credits_pending_minor.checked_add(credits_pending_minor)?;
        let owed = credits_minor.checked_sub(debits_minor)?;
        let (sum, change) = match kind {
            AccountKind::CustomerWallet => (&mut self.customer_minor, owed),
            AccountKind::MerchantPayable => (&mut self.merchant_minor, owed),
            AccountKind::Fee | AccountKind::PromotionBudget | AccountKind::CompensationFund => (&mut self.earmarked_minor, owed),
            AccountKind::BankSettlement => (&mut self.transit_minor, owed),
            AccountKind::ClientReserve => (&mut self.reserve_minor, owed.checked_neg()?),
        };
        *sum = sum.checked_add(change)?;
        Some(self)
    }

    /// By how much the reserve is more than what is owed, set aside and on its way; 0 unless something is wrong.
    pub fn reserve_excess_minor(&self) -> i128 {
        let claims = [self.customer_minor, self.merchant_minor, self.earmarked_minor, self.transit_minor];
        i128::from(self.reserve_minor) - claims.into_iter().map(i128::from).sum::<i128>()
    }

    /// Whether debits equal credits, also among what is pending, and the reserve equals what is owed, set aside and on its
    /// way to banks.
    pub fn balanced(&self) -> bool {
        self.debits_minor == self.credits_minor
            && self.debits_pending_minor == self.credits_pending_minor
            && self.reserve_excess_minor() == 0
    }
}
