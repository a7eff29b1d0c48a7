//! Posting batches of transfers.

use std::collections::BTreeMap;

use base::id::TransferId;

use crate::account::{Account, AccountKey};
use crate::transfer::{Outcome, Refusal, Transfer};

/// The accounts and earlier transfers that a batch touches, or all there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: BTreeMap<AccountKey, Account>,
    transfers: BTreeMap<TransferId, Transfer>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an account in, new or as it was stored. The same key replaces what was there.
    pub fn put_account(&mut self, account: Account) {
        assert!(account.debits_minor >= 0, "stored debits are never negative");
        assert!(account.credits_minor >= 0, "stored credits are never negative");
        assert!(account.balance_minor() >= 0, "no account is stored overdrawn");
        self.accounts.insert(account.key, account);
    }

    /// Puts a transfer in that was posted before, so that it counts as such.
    pub fn put_transfer(&mut self, transfer: Transfer) {
        self.transfers.insert(transfer.id, transfer);
    }

    /// The account of this key.
    pub fn account(&self, key: AccountKey) -> Option<&Account> {
        self.accounts.get(&key)
    }

    /// All accounts in the order of their keys.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// Posts `batch` in order and says for each transfer what came of it. A chain (transfers with `linked` up to and
    /// including the first without) is posted whole or not at all; transfers outside chains stand for themselves.
    pub fn post(&mut self, batch: &[Transfer]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut rest = batch;
        while !rest.is_empty() {
            let closed = rest.iter().position(|transfer| !transfer.linked);
            let (chain, after) = rest.split_at(closed.map_or(rest.len(), |last| last + 1));
            outcomes.extend(self.post_chain(chain, closed.is_some()));
            rest = after;
        }
        assert_eq!(outcomes.len(), batch.len(), "every transfer has one outcome");
        outcomes
    }

    fn post_chain(&mut self, chain: &[Transfer], closed: bool) -> Vec<Outcome> {
        if !closed {
            let last = chain.len() - 1;
            let refusal = |at| if at == last { Refusal::LinkedChainOpen } else { Refusal::LinkedTransferRefused };
            return (0..chain.len()).map(|at| Outcome::Refused(refusal(at))).collect();
        }
        let mut undo: Vec<Undo> = Vec::with_capacity(chain.len());
        let mut outcomes = Vec::with_capacity(chain.len());
        for (at, transfer) in chain.iter().enumerate() {
            match self.post_one(transfer) {
                Ok(None) => outcomes.push(Outcome::PostedBefore),
                Ok(Some(step)) => {
                    undo.push(step);
                    outcomes.push(Outcome::Posted);
                }
                Err(refusal) => {
                    undo.into_iter().rev().for_each(|step| self.revert(step));
                    let mut refused = vec![Outcome::Refused(Refusal::LinkedTransferRefused); chain.len()];
                    refused[at] = Outcome::Refused(refusal);
                    return refused;
                }
            }
        }
        outcomes
    }

    /// Posts one transfer: `Ok(None)` if it was posted before.
    fn post_one(&mut self, transfer: &Transfer) -> Result<Option<Undo>, Refusal> {
        if transfer.amount.minor <= 0 {
            return Err(Refusal::AmountNotPositive);
        }
        if transfer.debit == transfer.credit {
            return Err(Refusal::AccountsSame);
        }
        if let Some(existing) = self.transfers.get(&transfer.id) {
            // Whether it was linked does not matter: both times it moved, or would move, the same money.
            let same = Transfer { linked: transfer.linked, ..*existing } == *transfer;
            return if same { Ok(None) } else { Err(Refusal::ExistsDifferent) };
        }
        let debit = *self.accounts.get(&transfer.debit).ok_or(Refusal::DebitAccountMissing)?;
        let credit = *self.accounts.get(&transfer.credit).ok_or(Refusal::CreditAccountMissing)?;
        if debit.currency != transfer.amount.currency || credit.currency != transfer.amount.currency {
            return Err(Refusal::CurrencyMismatch);
        }
        let debits_minor = debit.debits_minor.checked_add(transfer.amount.minor).ok_or(Refusal::SumOverflows)?;
        let credits_minor = credit.credits_minor.checked_add(transfer.amount.minor).ok_or(Refusal::SumOverflows)?;
        if debit.key.kind.debits_must_not_exceed_credits() && debits_minor > debit.credits_minor {
            return Err(Refusal::ExceedsCredits);
        }
        if credit.key.kind.credits_must_not_exceed_debits() && credits_minor > credit.debits_minor {
            return Err(Refusal::ExceedsDebits);
        }
        self.accounts.insert(debit.key, Account { debits_minor, ..debit });
        self.accounts.insert(credit.key, Account { credits_minor, ..credit });
        self.transfers.insert(transfer.id, *transfer);
        Ok(Some(Undo { transfer: transfer.id, debit, credit }))
    }

    fn revert(&mut self, step: Undo) {
        self.accounts.insert(step.debit.key, step.debit);
        self.accounts.insert(step.credit.key, step.credit);
        self.transfers.remove(&step.transfer);
    }
}

/// Both accounts as they were before a transfer.
struct Undo {
    transfer: TransferId,
    debit: Account,
    credit: Account,
}

#[cfg(test)]
mod tests;
