//! Transfers: what may be asked of the ledger, and what it keeps of what was done.

use base::id::TransferId;
use base::money::Money;
use base::time::Timestamp;

use crate::account::AccountKey;

/// One request to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Chosen by the caller, used once for ever: asking the same again changes nothing.
    pub id: TransferId,
    /// What is to be done.
    pub action: Action,
    /// Bound to the next transfer of the batch: the whole chain is applied or nothing of it.
    pub linked: bool,
}

/// What a transfer does. Amounts are at least 1 minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Moves money at once.
    Post {
        /// The account that is debited.
        debit: AccountKey,
        /// The account that is credited.
        credit: AccountKey,
        /// How much.
        amount: Money,
    },
    /// Holds money for a later decision. What is held counts against the limits of both accounts.
    Pending {
        /// The account that will be debited.
        debit: AccountKey,
        /// The account that will be credited.
        credit: AccountKey,
        /// How much at most.
        amount: Money,
        /// From then on it may only be expired.
        expires_at: Timestamp,
    },
    /// Moves what was held, or part of it, and releases the rest.
    PostPending {
        /// The transfer that holds it.
        pending: TransferId,
        /// How much, in minor units; all of it without.
        amount_minor: Option<i64>,
    },
    /// Releases what was held.
    VoidPending {
        /// The transfer that holds it.
        pending: TransferId,
    },
    /// Releases what was held because its time is over.
    ExpirePending {
        /// The transfer that holds it.
        pending: TransferId,
    },
}

impl Action {
    /// The transfer that this one decides.
    pub const fn pending(&self) -> Option<TransferId> {
        match self {
            Self::Post { .. } | Self::Pending { .. } => None,
            Self::PostPending { pending, .. } | Self::VoidPending { pending } | Self::ExpirePending { pending } => Some(*pending),
        }
    }

    /// The kind that is kept of it.
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Post { .. } => EntryKind::Post,
            Self::Pending { .. } => EntryKind::Pending,
            Self::PostPending { .. } => EntryKind::PostPending,
            Self::VoidPending { .. } => EntryKind::VoidPending,
            Self::ExpirePending { .. } => EntryKind::ExpirePending,
        }
    }
}

/// The kinds of applied transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Moved at once.
    Post,
    /// Held.
    Pending,
    /// Moved from what was held.
    PostPending,
    /// Released.
    VoidPending,
    /// Released by time.
    ExpirePending,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Post, Self::Pending, Self::PostPending, Self::VoidPending, Self::ExpirePending];

    /// The stable name in storage and exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Pending => "pending",
            Self::PostPending => "post_pending",
            Self::VoidPending => "void_pending",
            Self::ExpirePending => "expire_pending",
        }
    }

    /// The kind of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One applied transfer, as the books keep it for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The transfer's identifier.
    pub id: TransferId,
    /// What it did.
    pub kind: EntryKind,
    /// The account debited, or to be debited.
    pub debit: AccountKey,
    /// The account credited, or to be credited.
    pub credit: AccountKey,
    /// What was moved, held or released.
    pub amount: Money,
    /// The pending transfer that it decides.
    pub pending: Option<TransferId>,
    /// When a pending transfer may be expired.
    pub expires_at: Option<Timestamp>,
    /// When it was applied.
    pub at: Timestamp,
}

/// What became of a pending transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PendingState {
    /// Nothing yet: the money is held.
    Open,
    /// Moved, in whole or in part.
    Posted,
    /// Released.
    Voided,
    /// Released by time.
    Expired,
}

impl PendingState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Posted, Self::Voided, Self::Expired];

    /// The stable name in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }

    /// The state of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What came of one transfer of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied now.
    Applied,
    /// The very same transfer was applied before; nothing changed.
    Exists,
    /// Not applied.
    Refused(Refusal),
}

/// Why a transfer is not applied. A transfer with several faults gets the first of this list.
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
    /// Under this identifier something of another kind was done.
    #[error("exists_with_different_kind")]
    ExistsWithDifferentKind,
    /// Under this identifier another pending transfer was decided.
    #[error("exists_with_different_pending")]
    ExistsWithDifferentPending,
    /// Under this identifier another account was debited.
    #[error("exists_with_different_debit")]
    ExistsWithDifferentDebit,
    /// Under this identifier another account was credited.
    #[error("exists_with_different_credit")]
    ExistsWithDifferentCredit,
    /// Under this identifier another amount or currency was moved.
    #[error("exists_with_different_amount")]
    ExistsWithDifferentAmount,
    /// Under this identifier money was held until another time.
    #[error("exists_with_different_expiry")]
    ExistsWithDifferentExpiry,
    /// The time until which money is to be held is over already.
    #[error("expiry_not_in_future")]
    ExpiryNotInFuture,
    /// There is no such pending transfer.
    #[error("pending_missing")]
    PendingMissing,
    /// That transfer holds nothing: it is not of the kind that does.
    #[error("pending_of_other_kind")]
    PendingOfOtherKind,
    /// It was posted before.
    #[error("pending_already_posted")]
    PendingAlreadyPosted,
    /// It was voided before.
    #[error("pending_already_voided")]
    PendingAlreadyVoided,
    /// It expired before.
    #[error("pending_already_expired")]
    PendingAlreadyExpired,
    /// Its time is over: it can only be expired.
    #[error("pending_overdue")]
    PendingOverdue,
    /// Its time is not over: it cannot be expired.
    #[error("pending_not_due")]
    PendingNotDue,
    /// More is to be posted than is held.
    #[error("exceeds_pending_amount")]
    ExceedsPendingAmount,
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
    /// The debited account has less than that, what is held counted.
    #[error("exceeds_credits")]
    ExceedsCredits,
    /// The credited account holds less than that, what is held counted.
    #[error("exceeds_debits")]
    ExceedsDebits,
}
