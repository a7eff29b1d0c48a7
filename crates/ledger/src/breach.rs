//! What must hold after every batch, worked out anew from the accounts before and after it.

use std::collections::BTreeMap;

use base::id::TransferId;

use crate::account::{Account, AccountKey};
use crate::post::Record;
use crate::totals::Totals;
use crate::transfer::{Entry, EntryKind, PendingState};

/// The books contradict themselves: a bug, or a store that gave back something else than was put in. Whoever writes must
/// stop, keep everything as it was, and call the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// An account has a negative sum or is overdrawn.
    #[error("the account {}:{:032x} has a negative sum or is overdrawn", .0.kind.name(), .0.owner)]
    UnsoundAccount(AccountKey),
    /// What the accounts gained is not what the entries moved.
    #[error("the accounts changed by {changed} where the entries moved {moved}")]
    Unequal {
        /// Sum of the changes on one side of the accounts.
        changed: i128,
        /// Sum of what the entries moved on that side.
        moved: i128,
    },
    /// What is owed and on its way differs from the reserve.
    #[error("what is owed and on its way differs from the reserve by {0} minor units")]
    Reserve(i128),
    /// Accounts and transfers do not tell the same story.
    #[error("account {}:{:032x} does not hold what its transfers moved", .0.kind.name(), .0.owner)]
    Diverged(AccountKey),
}

/// Debits, credits, pending debits, pending credits.
fn sides(account: &Account) -> [i128; 4] {
    [account.debits_minor, account.credits_minor, account.debits_pending_minor, account.credits_pending_minor].map(i128::from)
}

/// Checks one batch: every touched account is sound, posted and pending changes equal what the entries moved, and debits
/// changed like credits.
pub(crate) fn check_batch(
    before: &BTreeMap<AccountKey, Account>,
    after: &BTreeMap<AccountKey, Account>,
    entries: &[Entry],
    records: &BTreeMap<TransferId, Record>,
) -> Result<(), Breach> {
    let mut changed = [0_i128; 4];
    for (key, account) in before {
        let now = &after[key];
        if !now.is_sound() {
            return Err(Breach::UnsoundAccount(*key));
        }
        for (sum, (now, then)) in changed.iter_mut().zip(sides(now).into_iter().zip(sides(account))) {
            *sum += now - then;
        }
    }
    let (mut posted, mut pending) = (0_i128, 0_i128);
    for entry in entries {
        let minor = i128::from(entry.amount.minor);
        let held = entry.pending.map_or(0, |id| i128::from(records[&id].entry.amount.minor));
        match entry.kind {
            EntryKind::Post => posted += minor,
            EntryKind::Pending => pending += minor,
            EntryKind::PostPending => {
                posted += minor;
                pending -= held;
            }
            EntryKind::VoidPending | EntryKind::ExpirePending => pending -= held,
        }
    }
    let moved = [posted, posted, pending, pending];
    match changed.into_iter().zip(moved).find(|(changed, moved)| changed != moved) {
        Some((changed, moved)) => Err(Breach::Unequal { changed, moved }),
        None => Ok(()),
    }
}

/// Checks the whole books: each account holds exactly what the transfers moved and hold, and the totals balance. Both must
/// be all there are.
pub fn check_books<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<Totals, Breach> {
    let mut expected: BTreeMap<AccountKey, [i128; 4]> = BTreeMap::new();
    for Record { entry, pending_state } in records {
        let minor = i128::from(entry.amount.minor);
        let (posted, held) = match (entry.kind, pending_state) {
            (EntryKind::Post | EntryKind::PostPending, _) => (minor, 0),
            (EntryKind::Pending, Some(PendingState::Open)) => (0, minor),
            _ => (0, 0),
        };
        let debit = expected.entry(entry.debit).or_default();
        debit[0] += posted;
        debit[2] += held;
        let credit = expected.entry(entry.credit).or_default();
        credit[1] += posted;
        credit[3] += held;
    }
    let mut totals = Totals::default();
    for account in accounts {
        if !account.is_sound() {
            return Err(Breach::UnsoundAccount(account.key));
        }
        if expected.remove(&account.key).unwrap_or_default() != sides(account) {
            return Err(Breach::Diverged(account.key));
        }
        totals = totals.with(account).ok_or(Breach::UnsoundAccount(account.key))?;
    }
    if let Some((key, _)) = expected.into_iter().find(|(_, sums)| *sums != [0; 4]) {
        return Err(Breach::Diverged(key));
    }
    let excess = totals.reserve_excess_minor();
    if totals.balanced() { Ok(totals) } else { Err(Breach::Reserve(excess)) }
}
