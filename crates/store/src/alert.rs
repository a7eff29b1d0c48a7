//! What staff must look at.

use base::id::{AccountId, MerchantId, PaymentId};
use base::time::Timestamp;

use crate::Store;
use crate::db::Tx;
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// The kinds of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The passcode given under threat was used.
    UnderThreat,
    /// A payer says that a payment is not theirs.
    NotMe,
    /// A payer appeals against the rejection of a dispute.
    Appeal,
    /// The compensation fund could not pay what was due.
    FundEmpty,
}

impl Kind {
    const ALL: [Self; 4] = [Self::UnderThreat, Self::NotMe, Self::Appeal, Self::FundEmpty];

    const fn name(self) -> &'static str {
        match self {
            Self::UnderThreat => "under_threat",
            Self::NotMe => "not_me",
            Self::Appeal => "appeal",
            Self::FundEmpty => "fund_empty",
        }
    }
}

/// One alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Why.
    pub kind: Kind,
    /// Whose account.
    pub account: AccountId,
    /// About which payment.
    pub payment: Option<PaymentId>,
    /// When.
    pub at: Timestamp,
}

/// Raises an alert.
pub(crate) fn raise(tx: &Tx, kind: Kind, account: AccountId, payment: Option<PaymentId>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO alerts (kind, account, payment, at) VALUES (?1, ?2, ?3, ?4)",
        (kind.name(), Bits(account.bits()), payment.map(|id| Bits(id.bits())), At(now)),
    )?;
    Ok(())
}

/// The kinds of alerts about merchants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MerchantKind {
    /// It asks to be paid to another bank account: ask it back at the number on file.
    BankAccountRequested,
    /// The bank account that it asks for is another merchant's too.
    BankAccountShared,
    /// A payout waits for staff.
    PayoutHeld,
    /// A payout came back from the bank.
    PayoutReturned,
}

impl MerchantKind {
    const ALL: [Self; 4] = [Self::BankAccountRequested, Self::BankAccountShared, Self::PayoutHeld, Self::PayoutReturned];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BankAccountRequested => "bank_account_requested",
            Self::BankAccountShared => "bank_account_shared",
            Self::PayoutHeld => "payout_held",
            Self::PayoutReturned => "payout_returned",
        }
    }
}

/// One alert about a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MerchantAlert {
    /// Why.
    pub kind: MerchantKind,
    /// About whom.
    pub merchant: MerchantId,
    /// When.
    pub at: Timestamp,
}

/// Raises an alert about a merchant.
pub(crate) fn raise_about(tx: &Tx, kind: MerchantKind, merchant: MerchantId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("INSERT INTO merchant_alerts (kind, merchant, at) VALUES (?1, ?2, ?3)", (kind.name(), Bits(merchant.bits()), At(now)))?;
    Ok(())
}

impl Store {
    /// The newest alerts about merchants first, at most `limit`. For staff only.
    pub fn merchant_alerts(&self, limit: u32) -> Result<Vec<MerchantAlert>, StoreError> {
        self.read(|tx| {
            let alerts = tx.list("SELECT kind, merchant, at FROM merchant_alerts ORDER BY sequence DESC LIMIT ?1", [limit], |row| {
                Ok(MerchantAlert {
                    kind: row.get::<Name>(0)?.read(|name| MerchantKind::ALL.into_iter().find(|kind| kind.name() == name))?,
                    merchant: MerchantId::from_bits(row.get::<Bits>(1)?.0),
                    at: row.get::<At>(2)?.0,
                })
            })?;
            Ok(alerts)
        })
    }

    /// The newest alerts first, at most `limit`. For staff only: no page and no till may show them.
    pub fn alerts(&self, limit: u32) -> Result<Vec<Alert>, StoreError> {
        self.read(|tx| {
            let alerts = tx.list("SELECT kind, account, payment, at FROM alerts ORDER BY sequence DESC LIMIT ?1", [limit], |row| {
                Ok(Alert {
                    kind: row.get::<Name>(0)?.read(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name))?,
                    account: AccountId::from_bits(row.get::<Bits>(1)?.0),
                    payment: row.get::<Option<Bits>>(2)?.map(|bits| PaymentId::from_bits(bits.0)),
                    at: row.get::<At>(3)?.0,
                })
            })?;
            Ok(alerts)
        })
    }
}
