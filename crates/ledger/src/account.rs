//! Accounts of the ledger and the limits that their kind puts on them.

use base::id::{AccountId, MerchantId};
use base::money::Currency;

/// What an account stands for. The kind decides on which side its balance is and what may not be overdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountKind {
    /// What the institution owes a shopper: credits raise it, debits may never exceed credits.
    CustomerWallet,
    /// What the institution owes a merchant: credits raise it, debits may never exceed credits.
    MerchantPayable,
    /// Clients' money at the reserve bank: debits raise it, credits may never exceed debits.
    ClientReserve,
}

impl AccountKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::CustomerWallet, Self::MerchantPayable, Self::ClientReserve];

    /// The stable name in storage and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CustomerWallet => "customer_wallet",
            Self::MerchantPayable => "merchant_payable",
            Self::ClientReserve => "client_reserve",
        }
    }

    /// The kind of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the account refuses a debit that its credits do not cover: true of everything owed to somebody.
    pub const fn debits_must_not_exceed_credits(self) -> bool {
        matches!(self, Self::CustomerWallet | Self::MerchantPayable)
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
    /// The owner's identifier bits; 0 for the reserve.
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
}

/// One account with everything that was ever posted to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which account.
    pub key: AccountKey,
    /// The only currency it takes.
    pub currency: Currency,
    /// Sum of all debits in minor units; never negative, never falls.
    pub debits_minor: i64,
    /// Sum of all credits in minor units; never negative, never falls.
    pub credits_minor: i64,
}

impl Account {
    /// A new account with nothing posted.
    pub const fn new(key: AccountKey, currency: Currency) -> Self {
        Self { key, currency, debits_minor: 0, credits_minor: 0 }
    }

    /// The balance on the account's own side, in minor units; never negative.
    pub const fn balance_minor(&self) -> i64 {
        if self.key.kind.debits_must_not_exceed_credits() {
            self.credits_minor - self.debits_minor
        } else {
            self.debits_minor - self.credits_minor
        }
    }
}
