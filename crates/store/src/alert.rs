//! What staff must look at.

use base::id::{AccountId, MerchantId, PaymentId};
use base::time::Timestamp;
use payments::watch::Sign;

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
    /// So much came or went on one day that the authority must be told within five working days.
    LargeAmount,
    /// Money came in parts that stay just below a threshold.
    Structuring,
    /// What came went on to one payee on the same day.
    PassThrough,
    /// An account that had been still for long moved much.
    DormantWoke,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::UnderThreat,
        Self::NotMe,
        Self::Appeal,
        Self::FundEmpty,
        Self::LargeAmount,
        Self::Structuring,
        Self::PassThrough,
        Self::DormantWoke,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnderThreat => "under_threat",
            Self::NotMe => "not_me",
            Self::Appeal => "appeal",
            Self::FundEmpty => "fund_empty",
            Self::LargeAmount => "large_amount",
            Self::Structuring => "structuring",
            Self::PassThrough => "pass_through",
            Self::DormantWoke => "dormant_woke",
        }
    }
}

impl From<Sign> for Kind {
    fn from(sign: Sign) -> Self {
        match sign {
            Sign::LargeAmount => Self::LargeAmount,
            Sign::Structuring => Self::Structuring,
            Sign::PassThrough => Self::PassThrough,
            Sign::DormantWoke => Self::DormantWoke,
        }
    }
}

/// One alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number; a list goes on from it.
    pub sequence: i64,
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
    /// It took in so much on one day that the authority must be told within five working days.
    LargeAmount,
}

impl MerchantKind {
    const ALL: [Self; 5] = [Self::BankAccountRequested, Self::BankAccountShared, Self::PayoutHeld, Self::PayoutReturned, Self::LargeAmount];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BankAccountRequested => "bank_account_requested",
            Self::BankAccountShared => "bank_account_shared",
            Self::PayoutHeld => "payout_held",
            Self::PayoutReturned => "payout_returned",
            Self::LargeAmount => "large_amount",
        }
    }
}

/// One alert about a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MerchantAlert {
    /// Its number; a list goes on from it.
    pub sequence: i64,
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
    /// The newest alerts about merchants first, older than the one with number `starting_after`, at most `limit`. For staff only.
    pub fn merchant_alerts(&self, starting_after: Option<i64>, limit: u32) -> Result<Vec<MerchantAlert>, StoreError> {
        let sql = "SELECT sequence, kind, merchant, at FROM merchant_alerts WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2";
        self.read(|tx| {
            let alerts = tx.list(sql, (starting_after.unwrap_or(i64::MAX), limit), |row| {
                Ok(MerchantAlert {
                    sequence: row.get(0)?,
                    kind: row.get::<Name>(1)?.read(|name| MerchantKind::ALL.into_iter().find(|kind| kind.name() == name))?,
                    merchant: MerchantId::from_bits(row.get::<Bits>(2)?.0),
                    at: row.get::<At>(3)?.0,
                })
            })?;
            Ok(alerts)
        })
    }

    /// The newest alerts first, older than the one with number `starting_after`, at most `limit`. For staff only: no page and no
    /// till may show them.
    pub fn alerts(&self, starting_after: Option<i64>, limit: u32) -> Result<Vec<Alert>, StoreError> {
        let sql = "SELECT sequence, kind, account, payment, at FROM alerts WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2";
        self.read(|tx| {
            let alerts = tx.list(sql, (starting_after.unwrap_or(i64::MAX), limit), |row| {
                Ok(Alert {
                    sequence: row.get(0)?,
                    kind: row.get::<Name>(1)?.read(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name))?,
                    account: AccountId::from_bits(row.get::<Bits>(2)?.0),
                    payment: row.get::<Option<Bits>>(3)?.map(|bits| PaymentId::from_bits(bits.0)),
                    at: row.get::<At>(4)?.0,
                })
            })?;
            Ok(alerts)
        })
    }
}
