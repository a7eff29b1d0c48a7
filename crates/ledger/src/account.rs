//! Accounts of the ledger and the limits that their kind puts on them.

use base::id::{AccountId, MerchantId};
use base::money::Currency;

/// What an account stands for. The kind decides on which side its balance is and what may not be overdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountKind {
    /// What the institution owes a shopper.
    CustomerWallet,
    /// What the institution owes a merchant.
    MerchantPayable,
    /// Fees that were earned and still lie in the reserve.
    Fee,
    /// Money set aside for a promotion.
    PromotionBudget,
    /// Money set aside for shoppers who were charged wrongly.
    CompensationFund,
    /// Money on its way out to a bank, until the bank says that it has arrived.
    BankSettlement,
    /// Clients' money at the reserve bank: the only kind that grows by debits.
    ClientReserve,
}

impl AccountKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::CustomerWallet,
        Self::MerchantPayable,
        Self::Fee,
        Self::PromotionBudget,
        Self::CompensationFund,
        Self::BankSettlement,
        Self::ClientReserve,
    ];

    /// The stable name in storage, exports and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CustomerWallet => "customer_wallet",
            Self::MerchantPayable => "merchant_payable",
            Self::Fee => "fee",
            Self::PromotionBudget => "promotion_budget",
            Self::CompensationFund => "compensation_fund",
            Self::BankSettlement => "bank_settlement",
            Self::ClientReserve => "client_reserve",
        }
    }

    /// The kind of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the account refuses a debit that its credits do not cover: true of everything owed or set aside.
    pub const fn debits_must_not_exceed_credits(self) -> bool {
        !matches!(self, Self::ClientReserve)
    }

    /// Whether the account refuses a credit that its debits do not cover: true of money held.
    pub const fn credits_must_not_exceed_debits(self) -> bool {
        !self.debits_must_not_exceed_credits()
    }
}

/// Names one account: its kind and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey {
    /// What it stands for.
    pub kind: AccountKind,
    /// The owner's identifier bits; 0 where there is one such account only.
    pub owner: u128,
}

impl AccountKey {
    /// The wallet of a shopper's account.
    pub const fn wallet(account: AccountId) -> Self {
        Self { kind: AccountKind::CustomerWallet, owner: account.bits() }
    }

    /// What a merchant is owed.
    pub const fn payable(merchant: MerchantId) -> Self {
        Self { kind: AccountKind::MerchantPayable, owner: merchant.bits() }
    }

    /// The one reserve account.
    pub const RESERVE: Self = Self { kind: AccountKind::ClientReserve, owner: 0 };
    /// The one account of earned fees.
    pub const FEE: Self = Self { kind: AccountKind::Fee, owner: 0 };
    /// The one compensation fund.
    pub const COMPENSATION: Self = Self { kind: AccountKind::CompensationFund, owner: 0 };
    /// The one account of money on its way to banks.
    pub const SETTLEMENT: Self = Self { kind: AccountKind::BankSettlement, owner: 0 };
}

/// One account with everything that was ever posted to it, and what is pending. All sums are minor units, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which account.
    pub key: AccountKey,
    /// The only currency it takes.
    pub currency: Currency,
    /// Sum of all posted debits; never falls.
    pub debits_minor: i64,
    /// Sum of all posted credits; never falls.
    pub credits_minor: i64,
    /// Sum of the pending transfers that debit it.
    pub debits_pending_minor: i64,
    /// Sum of the pending transfers that credit it.
    pub credits_pending_minor: i64,
}

impl Account {
    /// A new account with nothing posted.
    pub const fn new(key: AccountKey, currency: Currency) -> Self {
        Self { key, currency, debits_minor: 0, credits_minor: 0, debits_pending_minor: 0, credits_pending_minor: 0 }
    }

    /// The posted balance on the account's own side, in minor units.
    pub const fn balance_minor(&self) -> i64 {
        if self.key.kind.debits_must_not_exceed_credits() {
            self.credits_minor - self.debits_minor
        } else {
            self.debits_minor - self.credits_minor
        }
    }

    /// What may still leave the account, in minor units: the balance without what pending transfers hold.
    pub const fn available_minor(&self) -> i64 {
        let held = if self.key.kind.debits_must_not_exceed_credits() { self.debits_pending_minor } else { self.credits_pending_minor };
        self.balance_minor() - held
    }

    /// Whether no sum is negative and nothing is overdrawn, pending counted.
    pub const fn is_sound(&self) -> bool {
        self.debits_minor >= 0
            && self.credits_minor >= 0
            && self.debits_pending_minor >= 0
            && self.credits_pending_minor >= 0
            && self.available_minor() >= 0
    }
}
