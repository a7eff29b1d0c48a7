//! Applying batches of transfers.

use std::collections::BTreeMap;

use base::id::TransferId;
use base::money::Money;
use base::time::Timestamp;

use crate::account::{Account, AccountKey};
use crate::breach::{self, Breach};
use crate::transfer::{Action, Entry, EntryKind, Outcome, PendingState, Refusal, Transfer};

/// A transfer that was applied, and, for a pending one, what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was applied.
    pub entry: Entry,
    /// Of pending transfers only.
    pub pending_state: Option<PendingState>,
}

/// The accounts and earlier transfers that a batch touches, or all there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: BTreeMap<AccountKey, Account>,
    records: BTreeMap<TransferId, Record>,
}

/// What came of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// One for each transfer, in order.
    pub outcomes: Vec<Outcome>,
    /// What was applied now, in order: to be stored, and added to the chain.
    pub entries: Vec<Entry>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an account in, new or as it was stored; the same key replaces what was there. Errs if it could never have
    /// been stored so.
    pub fn put_account(&mut self, account: Account) -> Result<(), Breach> {
        if !account.is_sound() {
            return Err(Breach::UnsoundAccount(account.key));
        }
        self.accounts.insert(account.key, account);
        Ok(())
    }

    /// Puts a transfer in that was applied before, so that it counts as such.
    pub fn put_record(&mut self, record: Record) {
        self.records.insert(record.entry.id, record);
    }

    /// The account of this key.
    pub fn account(&self, key: AccountKey) -> Option<&Account> {
        self.accounts.get(&key)
    }

    /// The transfer of this identifier.
    pub fn record(&self, id: TransferId) -> Option<&Record> {
        self.records.get(&id)
    }

    /// All accounts in the order of their keys.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// All transfers in the order of their identifiers.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Pending transfers whose time is over at `now`, in the order of their identifiers.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = TransferId> {
        let open = self.records.values().filter(|record| record.pending_state == Some(PendingState::Open));
        open.filter(move |record| record.entry.expires_at.is_some_and(|end| now >= end)).map(|record| record.entry.id)
    }

    /// Applies `batch` in order and says for each transfer what came of it. A chain (transfers with `linked` up to and
    /// including the first without) is applied whole or not at all; transfers outside chains stand for themselves.
    ///
    /// Afterwards the changes of all accounts are summed anew and compared with what the entries moved. If they differ,
    /// the ledger is as it was before and the breach is the answer: whoever stores must stop writing, and lose nothing.
    pub fn post(&mut self, batch: &[Transfer], now: Timestamp) -> Result<Applied, Breach> {
        let mut work = Work { ledger: self, undo: Vec::new(), entries: Vec::new(), now };
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut rest = batch;
        while !rest.is_empty() {
            let closed = rest.iter().position(|transfer| !transfer.linked);
            let (chain, after) = rest.split_at(closed.map_or(rest.len(), |last| last + 1));
            outcomes.extend(work.chain(chain, closed.is_some()));
            rest = after;
        }
        assert_eq!(outcomes.len(), batch.len(), "every transfer has one outcome");
        if let Err(found) = breach::check_batch(&work.before(), &work.ledger.accounts, &work.entries, &work.ledger.records) {
            work.undo_to(0);
            return Err(found);
        }
        Ok(Applied { outcomes, entries: work.entries })
    }
}

/// One batch at work.
struct Work<'a> {
    ledger: &'a mut Ledger,
    undo: Vec<Undo>,
    entries: Vec<Entry>,
    now: Timestamp,
}

/// What one applied transfer changed.
struct Undo {
    id: TransferId,
    accounts: [Account; 2],
    pending: Option<Record>,
}

impl Work<'_> {
    fn chain(&mut self, chain: &[Transfer], closed: bool) -> Vec<Outcome> {
        let refused = |at: usize, refusal: Refusal| {
            let mut outcomes = vec![Outcome::Refused(Refusal::LinkedTransferRefused); chain.len()];
            outcomes[at] = Outcome::Refused(refusal);
            outcomes
        };
        if !closed {
            return refused(chain.len() - 1, Refusal::LinkedChainOpen);
        }
        let start = self.undo.len();
        let mut outcomes = Vec::with_capacity(chain.len());
        for (at, transfer) in chain.iter().enumerate() {
            match self.one(transfer) {
                Ok(outcome) => outcomes.push(outcome),
                Err(refusal) => {
                    self.undo_to(start);
                    return refused(at, refusal);
                }
            }
        }
        outcomes
    }

    /// Applies one transfer, checking in the order of [`Refusal`].
    fn one(&mut self, transfer: &Transfer) -> Result<Outcome, Refusal> {
        check_form(&transfer.action)?;
        if let Some(existing) = self.ledger.records.get(&transfer.id) {
            return self.compare(transfer, &existing.entry).map(|()| Outcome::Exists);
        }
        let entry = self.resolve(transfer)?;
        let debit = *self.ledger.accounts.get(&entry.debit).ok_or(Refusal::DebitAccountMissing)?;
        let credit = *self.ledger.accounts.get(&entry.credit).ok_or(Refusal::CreditAccountMissing)?;
        if debit.currency != entry.amount.currency || credit.currency != entry.amount.currency {
            return Err(Refusal::CurrencyMismatch);
        }
        let held = entry.pending.map(|id| self.ledger.records[&id].entry.amount.minor);
        let after = move_money(&entry, held, debit, credit)?;
        self.apply(entry, [debit, credit], after);
        Ok(Outcome::Applied)
    }

    /// Whether what is asked is what was done, field by field in the order of [`Refusal`].
    fn compare(&self, transfer: &Transfer, done: &Entry) -> Result<(), Refusal> {
        if transfer.action.kind() != done.kind {
            return Err(Refusal::ExistsWithDifferentKind);
        }
        let (debit, credit, amount, expires_at) = match transfer.action {
            Action::Post { debit, credit, amount } => (debit, credit, amount, None),
            Action::Pending { debit, credit, amount, expires_at } => (debit, credit, amount, Some(expires_at)),
            Action::PostPending { pending, amount_minor } => {
                same(Some(pending) == done.pending, Refusal::ExistsWithDifferentPending)?;
                let held = self.ledger.records.get(&pending).map_or(done.amount.minor, |record| record.entry.amount.minor);
                let amount = Money { minor: amount_minor.unwrap_or(held), ..done.amount };
                (done.debit, done.credit, amount, None)
            }
            Action::VoidPending { pending } | Action::ExpirePending { pending } => {
                return same(Some(pending) == done.pending, Refusal::ExistsWithDifferentPending);
            }
        };
        same(debit == done.debit, Refusal::ExistsWithDifferentDebit)?;
        same(credit == done.credit, Refusal::ExistsWithDifferentCredit)?;
        same(amount == done.amount, Refusal::ExistsWithDifferentAmount)?;
        same(expires_at == done.expires_at, Refusal::ExistsWithDifferentExpiry)
    }

    /// The entry that a transfer would become: accounts and amount of a decision are those of what it decides.
    fn resolve(&self, transfer: &Transfer) -> Result<Entry, Refusal> {
        let (now, kind) = (self.now, transfer.action.kind());
        let entry = |debit, credit, amount| Entry {
            id: transfer.id,
            kind,
            debit,
            credit,
            amount,
            pending: transfer.action.pending(),
            expires_at: None,
            at: now,
        };
        match transfer.action {
            Action::Post { debit, credit, amount } => Ok(entry(debit, credit, amount)),
            Action::Pending { debit, credit, amount, expires_at } => {
                same(expires_at > now, Refusal::ExpiryNotInFuture)?;
                Ok(Entry { expires_at: Some(expires_at), ..entry(debit, credit, amount) })
            }
            Action::PostPending { pending, .. } | Action::VoidPending { pending } | Action::ExpirePending { pending } => {
                let Record { entry: held, pending_state } = self.ledger.records.get(&pending).ok_or(Refusal::PendingMissing)?;
                match pending_state.ok_or(Refusal::PendingOfOtherKind)? {
                    PendingState::Open => {}
                    PendingState::Posted => return Err(Refusal::PendingAlreadyPosted),
                    PendingState::Voided => return Err(Refusal::PendingAlreadyVoided),
                    PendingState::Expired => return Err(Refusal::PendingAlreadyExpired),
                }
                let overdue = held.expires_at.is_some_and(|end| now >= end);
                match kind {
                    EntryKind::ExpirePending => same(overdue, Refusal::PendingNotDue)?,
                    _ => same(!overdue, Refusal::PendingOverdue)?,
                }
                let minor = match transfer.action {
                    Action::PostPending { amount_minor: Some(minor), .. } => minor,
                    _ => held.amount.minor,
                };
                same(minor <= held.amount.minor, Refusal::ExceedsPendingAmount)?;
                Ok(entry(held.debit, held.credit, Money { minor, ..held.amount }))
            }
        }
    }

    fn apply(&mut self, entry: Entry, before: [Account; 2], after: [Account; 2]) {
        for account in after {
            self.ledger.accounts.insert(account.key, account);
        }
        let pending = entry.pending.map(|id| self.ledger.records[&id]);
        if let Some(record) = pending {
            let state = match entry.kind {
                EntryKind::PostPending => PendingState::Posted,
                EntryKind::VoidPending => PendingState::Voided,
                EntryKind::ExpirePending => PendingState::Expired,
                EntryKind::Post | EntryKind::Pending => unreachable!("only decisions name a pending transfer"),
            };
            self.ledger.put_record(Record { pending_state: Some(state), ..record });
        }
        let pending_state = (entry.kind == EntryKind::Pending).then_some(PendingState::Open);
        self.ledger.put_record(Record { entry, pending_state });
        self.undo.push(Undo { id: entry.id, accounts: before, pending });
        self.entries.push(entry);
    }

    fn undo_to(&mut self, start: usize) {
        for step in self.undo.drain(start..).rev() {
            self.ledger.records.remove(&step.id);
            step.pending.into_iter().for_each(|record| self.ledger.put_record(record));
            for account in step.accounts {
                self.ledger.accounts.insert(account.key, account);
            }
        }
        self.entries.truncate(start);
    }

    /// The touched accounts as they were before the batch.
    fn before(&self) -> BTreeMap<AccountKey, Account> {
        self.undo.iter().rev().flat_map(|step| step.accounts).map(|account| (account.key, account)).collect()
    }
}

fn same(holds: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// What can be said of a transfer without looking anything up.
fn check_form(action: &Action) -> Result<(), Refusal> {
    let (amount_minor, accounts) = match action {
        Action::Post { debit, credit, amount } | Action::Pending { debit, credit, amount, .. } => (amount.minor, Some((debit, credit))),
        Action::PostPending { amount_minor, .. } => (amount_minor.unwrap_or(1), None),
        Action::VoidPending { .. } | Action::ExpirePending { .. } => return Ok(()),
    };
    same(amount_minor > 0, Refusal::AmountNotPositive)?;
    same(accounts.is_none_or(|(debit, credit)| debit != credit), Refusal::AccountsSame)
}

/// Both accounts after an entry; `held_minor` is what the decided pending transfer holds.
fn move_money(entry: &Entry, held_minor: Option<i64>, mut debit: Account, mut credit: Account) -> Result<[Account; 2], Refusal> {
    let minor = entry.amount.minor;
    if let Some(held_minor) = held_minor {
        debit.debits_pending_minor -= held_minor;
        credit.credits_pending_minor -= held_minor;
    }
    match entry.kind {
        EntryKind::Post | EntryKind::PostPending => {
            debit.debits_minor = debit.debits_minor.checked_add(minor).ok_or(Refusal::SumOverflows)?;
            credit.credits_minor = credit.credits_minor.checked_add(minor).ok_or(Refusal::SumOverflows)?;
        }
        EntryKind::Pending => {
            debit.debits_pending_minor = debit.debits_pending_minor.checked_add(minor).ok_or(Refusal::SumOverflows)?;
            credit.credits_pending_minor = credit.credits_pending_minor.checked_add(minor).ok_or(Refusal::SumOverflows)?;
        }
        EntryKind::VoidPending | EntryKind::ExpirePending => {}
    }
    let debits_minor = debit.debits_minor.checked_add(debit.debits_pending_minor).ok_or(Refusal::SumOverflows)?;
    let credits_minor = credit.credits_minor.checked_add(credit.credits_pending_minor).ok_or(Refusal::SumOverflows)?;
    same(!debit.key.kind.debits_must_not_exceed_credits() || debits_minor <= debit.credits_minor, Refusal::ExceedsCredits)?;
    same(!credit.key.kind.credits_must_not_exceed_debits() || credits_minor <= credit.debits_minor, Refusal::ExceedsDebits)?;
    Ok([debit, credit])
}

#[cfg(test)]
mod tests;
