//! What must come of a transfer, written without the ledger's code: every sum is made anew from the list of what was done,
//! every fault is named, and the first in the documented order wins.

use std::collections::HashSet;

use base::id::TransferId;
use base::time::Timestamp;
use ledger::account::{AccountKey, AccountKind};
use ledger::transfer::{Action, Entry, EntryKind, Outcome, Refusal, Transfer};

use super::operation::ACCOUNTS;

/// All that was done, in order.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    pub done: Vec<Entry>,
}

impl Oracle {
    /// What must come of `batch`; what is applied is done from now on.
    pub fn post(&mut self, batch: &[Transfer], now: Timestamp) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut chain: Vec<Transfer> = Vec::new();
        for (at, transfer) in batch.iter().enumerate() {
            chain.push(*transfer);
            if !transfer.linked {
                outcomes.extend(self.chain(&chain, now));
                chain.clear();
            } else if at + 1 == batch.len() {
                outcomes.extend(vec![Outcome::Refused(Refusal::LinkedTransferRefused); chain.len() - 1]);
                outcomes.push(Outcome::Refused(Refusal::LinkedChainOpen));
            }
        }
        outcomes
    }

    fn chain(&mut self, chain: &[Transfer], now: Timestamp) -> Vec<Outcome> {
        let mut trial = self.clone();
        let mut outcomes = Vec::new();
        for (at, transfer) in chain.iter().enumerate() {
            let outcome = trial.one(transfer, now);
            if let Outcome::Refused(_) = outcome {
                let mut all = vec![Outcome::Refused(Refusal::LinkedTransferRefused); chain.len()];
                all[at] = outcome;
                return all;
            }
            outcomes.push(outcome);
        }
        *self = trial;
        outcomes
    }

    fn one(&mut self, transfer: &Transfer, now: Timestamp) -> Outcome {
        let entry = self.entry(transfer, now);
        let mut faults = form_faults(transfer);
        if let Some(earlier) = self.find(transfer.id) {
            faults.extend(self.differences(transfer, earlier));
            return faults.into_iter().min().map_or(Outcome::Exists, Outcome::Refused);
        }
        faults.extend(self.time_and_pending_faults(transfer, now));
        if let Some(entry) = &entry {
            faults.extend(self.money_faults(entry));
        }
        match faults.into_iter().min() {
            Some(refusal) => Outcome::Refused(refusal),
            None => {
                self.done.push(entry.expect("without a fault it is complete"));
                Outcome::Applied
            }
        }
    }

    fn find(&self, id: TransferId) -> Option<&Entry> {
        self.done.iter().find(|entry| entry.id == id)
    }

    fn decision_on(&self, id: TransferId) -> Option<&Entry> {
        self.done.iter().find(|entry| entry.pending == Some(id))
    }

    /// The entry that the transfer would become, if what it decides is there.
    fn entry(&self, transfer: &Transfer, now: Timestamp) -> Option<Entry> {
        let blank =
            |kind, debit, credit, amount| Entry { id: transfer.id, kind, debit, credit, amount, pending: None, expires_at: None, at: now };
        let of = |kind, pending: TransferId, minor: Option<i64>| {
            let held = self.find(pending)?;
            let mut amount = held.amount;
            amount.minor = minor.unwrap_or(amount.minor);
            Some(Entry { pending: Some(pending), ..blank(kind, held.debit, held.credit, amount) })
        };
        match transfer.action {
            Action::Post { debit, credit, amount } => Some(blank(EntryKind::Post, debit, credit, amount)),
            Action::Pending { debit, credit, amount, expires_at } => {
                Some(Entry { expires_at: Some(expires_at), ..blank(EntryKind::Pending, debit, credit, amount) })
            }
            Action::PostPending { pending, amount_minor } => of(EntryKind::PostPending, pending, amount_minor),
            Action::VoidPending { pending } => of(EntryKind::VoidPending, pending, None),
            Action::ExpirePending { pending } => of(EntryKind::ExpirePending, pending, None),
        }
    }

    fn differences(&self, transfer: &Transfer, earlier: &Entry) -> Vec<Refusal> {
        if transfer.action.kind() != earlier.kind {
            return vec![Refusal::ExistsWithDifferentKind];
        }
        let mut found = Vec::new();
        let mut differs = |yes, refusal| {
            if yes {
                found.push(refusal)
            }
        };
        match transfer.action {
            Action::Post { debit, credit, amount } | Action::Pending { debit, credit, amount, .. } => {
                differs(debit != earlier.debit, Refusal::ExistsWithDifferentDebit);
                differs(credit != earlier.credit, Refusal::ExistsWithDifferentCredit);
                differs(amount != earlier.amount, Refusal::ExistsWithDifferentAmount);
                if let Action::Pending { expires_at, .. } = transfer.action {
                    differs(Some(expires_at) != earlier.expires_at, Refusal::ExistsWithDifferentExpiry);
                }
            }
            Action::PostPending { pending, amount_minor } => {
                differs(earlier.pending != Some(pending), Refusal::ExistsWithDifferentPending);
                let whole = self.find(pending).map(|held| held.amount.minor);
                differs(amount_minor.or(whole) != Some(earlier.amount.minor), Refusal::ExistsWithDifferentAmount);
            }
            Action::VoidPending { pending } | Action::ExpirePending { pending } => {
                differs(earlier.pending != Some(pending), Refusal::ExistsWithDifferentPending);
            }
        }
        found
    }

    fn time_and_pending_faults(&self, transfer: &Transfer, now: Timestamp) -> Vec<Refusal> {
        if let Action::Pending { expires_at, .. } = transfer.action {
            return if expires_at <= now { vec![Refusal::ExpiryNotInFuture] } else { Vec::new() };
        }
        let Some(pending) = transfer.action.pending() else { return Vec::new() };
        let Some(held) = self.find(pending) else { return vec![Refusal::PendingMissing] };
        let Some(end) = held.expires_at else { return vec![Refusal::PendingOfOtherKind] };
        let mut found = Vec::new();
        match self.decision_on(pending).map(|decision| decision.kind) {
            Some(EntryKind::PostPending) => found.push(Refusal::PendingAlreadyPosted),
            Some(EntryKind::VoidPending) => found.push(Refusal::PendingAlreadyVoided),
            Some(_) => found.push(Refusal::PendingAlreadyExpired),
            None => {}
        }
        match transfer.action {
            Action::ExpirePending { .. } if now < end => found.push(Refusal::PendingNotDue),
            Action::PostPending { .. } | Action::VoidPending { .. } if now >= end => found.push(Refusal::PendingOverdue),
            _ => {}
        }
        if let Action::PostPending { amount_minor: Some(minor), .. } = transfer.action
            && minor > held.amount.minor
        {
            found.push(Refusal::ExceedsPendingAmount);
        }
        found
    }

    fn money_faults(&self, entry: &Entry) -> Vec<Refusal> {
        let mut found = Vec::new();
        if !ACCOUNTS.contains(&entry.debit) {
            found.push(Refusal::DebitAccountMissing);
        }
        if !ACCOUNTS.contains(&entry.credit) {
            found.push(Refusal::CreditAccountMissing);
        }
        // Only what takes money anew can overflow or exceed: a decision moves what is counted already.
        if matches!(entry.kind, EntryKind::Post | EntryKind::Pending) {
            let minor = i128::from(entry.amount.minor);
            let (debit, credit) = (self.sums(entry.debit), self.sums(entry.credit));
            if debit.debits + minor > i128::from(i64::MAX) || credit.credits + minor > i128::from(i64::MAX) {
                found.push(Refusal::SumOverflows);
            }
            if entry.debit.kind != AccountKind::ClientReserve && debit.debits + minor > debit.credits_posted {
                found.push(Refusal::ExceedsCredits);
            }
            if entry.credit.kind == AccountKind::ClientReserve && credit.credits + minor > credit.debits_posted {
                found.push(Refusal::ExceedsDebits);
            }
        }
        found
    }

    /// An account's sums, made anew from everything that was done.
    pub fn sums(&self, key: AccountKey) -> Sums {
        let decided: HashSet<TransferId> = self.done.iter().filter_map(|entry| entry.pending).collect();
        let mut sums = Sums::default();
        for entry in &self.done {
            let open = entry.kind == EntryKind::Pending && !decided.contains(&entry.id);
            let posted = matches!(entry.kind, EntryKind::Post | EntryKind::PostPending);
            if !open && !posted {
                continue;
            }
            let minor = i128::from(entry.amount.minor);
            if entry.debit == key {
                sums.debits += minor;
                sums.debits_posted += if posted { minor } else { 0 };
            }
            if entry.credit == key {
                sums.credits += minor;
                sums.credits_posted += if posted { minor } else { 0 };
            }
        }
        sums
    }
}

/// Sums of one account; without a name for it, what is held is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub debits: i128,
    pub debits_posted: i128,
    pub credits: i128,
    pub credits_posted: i128,
}

fn form_faults(transfer: &Transfer) -> Vec<Refusal> {
    let mut found = Vec::new();
    let minor = match transfer.action {
        Action::Post { debit, credit, amount } | Action::Pending { debit, credit, amount, .. } => {
            if debit == credit {
                found.push(Refusal::AccountsSame);
            }
            amount.minor
        }
        Action::PostPending { amount_minor: Some(minor), .. } => minor,
        _ => 1,
    };
    if minor <= 0 {
        found.push(Refusal::AmountNotPositive);
    }
    found
}
