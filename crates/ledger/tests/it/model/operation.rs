//! Operations, and lists of them made from a seed.

use base::id::{AccountId, MerchantId, TransferId};
use base::money::Money;
use base::time::Timestamp;
use ledger::account::AccountKey;
use ledger::transfer::{Action, Transfer};

use super::disk::DiskError;

/// What happens to the writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A client asks for a batch.
    Batch(Vec<Transfer>),
    /// A client that had no answer, or did not believe it, asks for everything again, one by one.
    AskAgain,
    /// Time passes, in milliseconds.
    Wait(u64),
    /// The writer expires what is overdue.
    Sweep,
    /// The next write or sync fails like this.
    Fault(DiskError),
    /// Power fails between write and sync of the next batch; of the written part, so many 256ths survive.
    CrashInBatch {
        /// The batch.
        batch: Vec<Transfer>,
        /// What survives.
        kept: u8,
    },
    /// Power fails; the writer starts again.
    Crash {
        /// What survives of what was not synced.
        kept: u8,
    },
    /// An auditor takes an export.
    Audit,
}

/// Where every world begins.
pub const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// The accounts of every world.
pub const ACCOUNTS: [AccountKey; 9] = [
    AccountKey::wallet(AccountId::from_bits(1)),
    AccountKey::wallet(AccountId::from_bits(2)),
    AccountKey::wallet(AccountId::from_bits(3)),
    AccountKey::payable(MerchantId::from_bits(1)),
    AccountKey::payable(MerchantId::from_bits(2)),
    AccountKey::FEE,
    AccountKey::COMPENSATION,
    AccountKey::SETTLEMENT,
    AccountKey::RESERVE,
];
/// An account that no world has.
const GHOST: AccountKey = AccountKey::wallet(AccountId::from_bits(99));

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to choose.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// Chooses operations and remembers which identifiers it used.
struct Maker {
    rng: Rng,
    now: Timestamp,
    used: Vec<Transfer>,
}

/// A list of `len` operations, the same for the same seed.
pub fn list(seed: u64, len: usize) -> Vec<Operation> {
    let mut maker = Maker { rng: Rng(seed), now: START, used: Vec::new() };
    let first = Operation::Batch((0..3).map(|wallet| maker.post(ACCOUNTS[8], ACCOUNTS[wallet], 5_000)).collect());
    std::iter::once(first).chain((1..len).map(|_| maker.operation())).collect::<Vec<_>>()
}

impl Maker {
    fn operation(&mut self) -> Operation {
        match self.rng.below(100) {
            0..70 => Operation::Batch(self.batch()),
            70..78 => {
                let millis = self.rng.below(4_000);
                self.now = self.now.plus_millis(millis);
                Operation::Wait(millis)
            }
            78..84 => Operation::Sweep,
            84..90 => Operation::Fault([DiskError::Full, DiskError::Write, DiskError::Sync][self.rng.below(3) as usize]),
            90..94 => Operation::CrashInBatch { batch: self.batch(), kept: self.rng.next() as u8 },
            94..96 => Operation::Crash { kept: self.rng.next() as u8 },
            96..98 => Operation::AskAgain,
            _ => Operation::Audit,
        }
    }

    fn batch(&mut self) -> Vec<Transfer> {
        let len = 1 + self.rng.below(4) * self.rng.below(3);
        (0..len).map(|_| Transfer { linked: self.rng.one_in(4), ..self.transfer() }).collect()
    }

    fn transfer(&mut self) -> Transfer {
        if !self.used.is_empty() && self.rng.one_in(8) {
            return self.repeat();
        }
        let minor = if self.rng.one_in(40) { self.odd_amount() } else { 1 + self.rng.below(900) as i64 };
        let (debit, credit) = self.accounts();
        let (pending, amount) = (self.some_id(), Money::cny(minor));
        let action = match self.rng.below(10) {
            0..3 => Action::Post { debit, credit, amount },
            3..6 => Action::Pending { debit, credit, amount, expires_at: self.now.plus_millis(self.rng.below(9_000)) },
            6..8 => Action::PostPending { pending, amount_minor: self.rng.one_in(2).then_some(minor) },
            8 => Action::VoidPending { pending },
            _ => Action::ExpirePending { pending },
        };
        self.remember(action)
    }

    /// The accounts of a top-up, a payment, a refund, a fee, a payout, its arrival, a compensation, or anything.
    fn accounts(&mut self) -> (AccountKey, AccountKey) {
        let wallet = ACCOUNTS[self.rng.below(3) as usize];
        let payable = ACCOUNTS[3 + self.rng.below(2) as usize];
        let [fee, compensation, settlement, reserve] = [ACCOUNTS[5], ACCOUNTS[6], ACCOUNTS[7], ACCOUNTS[8]];
        match self.rng.below(16) {
            0..2 => (reserve, wallet),
            2..9 => (wallet, payable),
            9 => (payable, wallet),
            10 => (payable, fee),
            11 => (payable, settlement),
            12 => (settlement, reserve),
            13 => (reserve, compensation),
            14 => (compensation, wallet),
            _ => (ACCOUNTS[self.rng.below(9) as usize], if self.rng.one_in(3) { GHOST } else { wallet }),
        }
    }

    fn odd_amount(&mut self) -> i64 {
        [0, -1, i64::MAX, i64::MIN, 5_001][self.rng.below(5) as usize]
    }

    /// An identifier that was used, rather a recent one.
    fn some_id(&mut self) -> TransferId {
        let back = self.rng.below(12) as usize;
        self.used.iter().rev().nth(back).map_or(TransferId::from_bits(u128::MAX), |transfer| transfer.id)
    }

    /// A transfer that was asked for before, as it was or with something changed.
    fn repeat(&mut self) -> Transfer {
        let at = self.rng.below(self.used.len() as u64) as usize;
        let mut transfer = self.used[at];
        if self.rng.one_in(2) {
            let (id, pending) = (self.some_id(), self.some_id());
            match &mut transfer.action {
                Action::Post { amount, .. } | Action::Pending { amount, .. } if self.rng.one_in(2) => {
                    amount.minor = amount.minor.saturating_add(1)
                }
                Action::Post { debit, .. } => *debit = ACCOUNTS[1],
                Action::Pending { expires_at, .. } => *expires_at = expires_at.plus_millis(1),
                Action::PostPending { amount_minor, .. } => *amount_minor = Some(7),
                Action::VoidPending { pending: decided } | Action::ExpirePending { pending: decided } => *decided = pending,
            }
            if self.rng.one_in(4) {
                transfer.id = id;
            }
        }
        transfer
    }

    fn post(&mut self, debit: AccountKey, credit: AccountKey, minor: i64) -> Transfer {
        self.remember(Action::Post { debit, credit, amount: Money::cny(minor) })
    }

    fn remember(&mut self, action: Action) -> Transfer {
        let id = TransferId::from_bits(self.used.len() as u128 + 1);
        let transfer = Transfer { id, action, linked: false };
        self.used.push(transfer);
        transfer
    }
}
