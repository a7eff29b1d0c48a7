//! Transfers and the results of posting them.

use base::id::TransferId;
use base::money::Money;

use crate::account::AccountKey;

/// One movement of money between two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Chosen by the caller, used once for ever: posting the same transfer again changes nothing.
    pub id: TransferId,
    /// The account that is debited.
    pub debit: AccountKey,
    /// The account that is credited.
    pub credit: AccountKey,
    /// How much; at least 1 minor unit.
    pub amount: Money,
    /// Bound to the next transfer of the batch: the whole chain is posted or nothing of it.
    pub linked: bool,
}

/// What came of one transfer of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Posted now.
    Posted,
    /// The very same transfer was posted before; nothing changed.
    PostedBefore,
    /// Not posted.
    Refused(Refusal),
}

/// Why a transfer is not posted. A transfer with several faults gets the first of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The batch ended inside a chain; the caller must close it.
    #[error("linked_chain_open")]
    LinkedChainOpen,
    /// Another transfer of the same chain was refused.
    #[error("linked_transfer_refused")]
    LinkedTransferRefused,
    /// The amount is zero or negative.
    #[error("amount_not_positive")]
    AmountNotPositive,
    /// Debit and credit name the same account.
    #[error("accounts_same")]
    AccountsSame,
    /// A different transfer was posted under this identifier.
    #[error("exists_different")]
    ExistsDifferent,
    /// There is no such account to debit.
    #[error("debit_account_missing")]
    DebitAccountMissing,
    /// There is no such account to credit.
    #[error("credit_account_missing")]
    CreditAccountMissing,
    /// The amount's currency is not that of both accounts.
    #[error("currency_mismatch")]
    CurrencyMismatch,
    /// A sum would no longer fit into 63 bits.
    #[error("sum_overflows")]
    SumOverflows,
    /// The debited account owes less than that.
    #[error("exceeds_credits")]
    ExceedsCredits,
    /// The credited account holds less than that.
    #[error("exceeds_debits")]
    ExceedsDebits,
}
