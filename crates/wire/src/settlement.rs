//! The JSON of paying merchants out. Amounts, times and identifiers are as in [`crate::api`].

use base::id::{BankAccountId, PayoutId};
use base::money::Currency;
use base::secret::Secret;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /v1/bank-accounts`. Answers with [`BankAccount`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBankAccount {
    /// Whose it is, as the bank knows them; 1 to 64 characters.
    pub holder_name: String,
    /// The bank's code in the clearing system, 12 digits.
    pub bank_code: String,
    /// The account's number, 8 to 30 digits. It is never shown whole again.
    pub account_number: Secret<String>,
}

/// Where a bank account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankAccountStatus {
    /// Staff has not decided.
    Waiting,
    /// Staff has asked the merchant back; money goes there from `effective_at` on, until another one is in force.
    Approved,
    /// Staff does not take it.
    Rejected,
    /// The merchant took it back.
    Withdrawn,
}

/// A bank account that a merchant wants to be paid out to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    /// Its identifier.
    pub id: BankAccountId,
    /// Whose it is.
    pub holder_name: String,
    /// The bank's code.
    pub bank_code: String,
    /// The last four digits of its number.
    pub account_last4: String,
    /// Where it stands.
    pub status: BankAccountStatus,
    /// When the merchant asked for it.
    pub requested_at: Timestamp,
    /// When it was approved, rejected or taken back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<Timestamp>,
    /// From when on it is paid to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effective_at: Option<Timestamp>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutStatus {
    /// Staff must look first; the money is still with the merchant here.
    Held,
    /// On its way to the bank.
    InTransit,
    /// The bank has it.
    Arrived,
    /// The bank sent it back; the money is with the merchant here again.
    Returned,
    /// Staff gave it up; the money stayed with the merchant here.
    Cancelled,
}

/// Why a payout is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// Unusually many round sums.
    RoundSums,
    /// Unusually many payments by night.
    Night,
    /// Most of the money is one payer's.
    OnePayer,
    /// The last payout to this bank account came back.
    ReturnedBefore,
}

/// What a merchant is owed, on its way to its bank: at most one a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// Its identifier.
    pub id: PayoutId,
    /// Where it goes.
    pub bank_account: BankAccountId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Where it stands.
    pub status: PayoutStatus,
    /// Why it was held.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hold_reason: Option<HoldReason>,
    /// Payments before this are in it.
    pub settles_until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent_at: Option<Timestamp>,
    /// When it arrived, came back or was given up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
}
