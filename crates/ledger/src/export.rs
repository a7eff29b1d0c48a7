//! The export of a ledger and its verification, offline and without us.
//!
//! ```text
//! handsel ledger 1
//! <line 1> <hash 1>
//! …
//! balance <account> <currency> <debits> <credits> <debits pending> <credits pending>
//! …
//! head <sequence> <hash>
//! ```
//!
//! Verifying works every transfer out anew from nothing: limits, pending transfers, identifiers, hashes, and at the end
//! every account's sums. Who changes the past must change every later hash; who changes all of them is found by whoever
//! kept an earlier head.

use std::collections::BTreeSet;

use base::hash::{hex, unhex};

use crate::account::{Account, AccountKey};
use crate::breach::{Breach, check_books};
use crate::chain::{self, FORMAT, Head};
use crate::post::Ledger;
use crate::totals::Totals;
use crate::transfer::{Action, Entry, EntryKind, Outcome, Refusal, Transfer};

/// What is wrong with an export, and at which line of the text (from 1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct ExportError {
    /// The line of the text.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// The kinds of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text does not begin like an export.
    #[error("this is no ledger's export of a known version")]
    Format,
    /// The line cannot be read.
    #[error("the line cannot be read")]
    Unreadable,
    /// The text ends inside a line, or before the head.
    #[error("the text ends too early")]
    Torn,
    /// A line is missing or was put in.
    #[error("number {0} should stand here")]
    Sequence(u64),
    /// The line is not the one that was hashed.
    #[error("the hash does not fit: this line or one before was changed")]
    Hash,
    /// The transfer could never have been applied.
    #[error("the transfer breaks a rule: {0}")]
    Refused(Refusal),
    /// The same transfer stands here a second time.
    #[error("the transfer was applied before")]
    Repeated,
    /// The books contradict themselves.
    #[error("{0}")]
    Breach(Breach),
    /// An account's sums are not what its transfers moved.
    #[error("the account's sums are not what its transfers moved")]
    Balance,
    /// The head that the auditor kept is not in this chain.
    #[error("the head that was kept is not in this chain")]
    KeptHead,
}

/// What a sound export says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Where the chain ends.
    pub head: Head,
    /// The sums over all accounts.
    pub totals: Totals,
}

/// Writes an export: the entries in the order of the chain, then the accounts.
pub fn write<'a>(entries: impl IntoIterator<Item = &'a Entry>, accounts: impl IntoIterator<Item = &'a Account>) -> String {
    let mut text = format!("{FORMAT}\n");
    let mut head = Head::genesis();
    for entry in entries {
        head = push_entry(&mut text, head, entry);
    }
    push_trailer(&mut text, head, accounts);
    text
}

/// Adds one entry's line to `text`; the head after it.
pub fn push_entry(text: &mut String, head: Head, entry: &Entry) -> Head {
    let line = chain::line(head.sequence + 1, entry);
    let head = head.then_line(&line);
    text.push_str(&format!("{line} {}\n", hex(&head.hash)));
    head
}

/// Adds the accounts and the head to `text`.
pub fn push_trailer<'a>(text: &mut String, head: Head, accounts: impl IntoIterator<Item = &'a Account>) {
    for account in accounts {
        let Account { key, currency, debits_minor, credits_minor, debits_pending_minor, credits_pending_minor } = account;
        let (key, currency) = (chain::key_text(*key), currency.code());
        text.push_str(&format!("balance {key} {currency} {debits_minor} {credits_minor} {debits_pending_minor} {credits_pending_minor}\n"));
    }
    text.push_str(&format!("head {} {}\n", head.sequence, hex(&head.hash)));
}

/// An export as it is read, line by line: everything that its lines say, worked out anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    ledger: Ledger,
    head: Head,
    lines: usize,
    kept: Option<Head>,
    listed: BTreeSet<AccountKey>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    Entries,
    Balances,
    Done,
}

impl Reader {
    /// A reader that has read nothing. `kept` is a head that the auditor noted earlier.
    pub fn new(kept: Option<Head>) -> Self {
        Self { ledger: Ledger::new(), head: Head::genesis(), lines: 0, kept, listed: BTreeSet::new(), state: State::Begin }
    }

    /// The ledger up to the last good line.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The head up to the last good line.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Takes the next line, without its line feed. After an error only [`Reader::head`] is of further use.
    pub fn take(&mut self, text: &str) -> Result<(), ExportError> {
        let state = self.line(text).map_err(|fault| ExportError { line: self.lines + 1, fault })?;
        self.lines += 1;
        self.state = state;
        Ok(())
    }

    /// Ends the reading: the text must have ended with its head.
    pub fn finish(self) -> Result<Verified, ExportError> {
        let at = |fault| ExportError { line: self.lines, fault };
        if self.state != State::Done {
            return Err(at(Fault::Torn));
        }
        if self.kept.is_some() {
            return Err(at(Fault::KeptHead));
        }
        let totals = check_books(self.ledger.accounts(), self.ledger.records()).map_err(|breach| at(Fault::Breach(breach)))?;
        Ok(Verified { head: self.head, totals })
    }

    fn line(&mut self, text: &str) -> Result<State, Fault> {
        match self.state {
            State::Begin if text == FORMAT => {
                self.drop_kept();
                Ok(State::Entries)
            }
            State::Begin => Err(Fault::Format),
            State::Done => Err(Fault::Unreadable),
            State::Entries | State::Balances => {
                if let Some(rest) = text.strip_prefix("balance ") {
                    self.balance(rest).map(|()| State::Balances)
                } else if let Some(rest) = text.strip_prefix("head ") {
                    self.end(rest).map(|()| State::Done)
                } else if self.state == State::Entries {
                    self.entry(text).map(|()| State::Entries)
                } else {
                    Err(Fault::Unreadable)
                }
            }
        }
    }

    fn entry(&mut self, text: &str) -> Result<(), Fault> {
        let (line, hash) = text.rsplit_once(' ').ok_or(Fault::Unreadable)?;
        let (sequence, entry) = chain::parse_line(line).ok_or(Fault::Unreadable)?;
        let head = self.head.then_line(line);
        if sequence != head.sequence {
            return Err(Fault::Sequence(head.sequence));
        }
        if hex(&head.hash) != hash {
            return Err(Fault::Hash);
        }
        replay(&mut self.ledger, &entry)?;
        self.head = head;
        self.drop_kept();
        Ok(())
    }

    fn drop_kept(&mut self) {
        if self.kept == Some(self.head) {
            self.kept = None;
        }
    }

    fn balance(&mut self, text: &str) -> Result<(), Fault> {
        let fields: Vec<&str> = text.split(' ').collect();
        let [key, currency, sums @ ..] = fields.as_slice() else { return Err(Fault::Unreadable) };
        let key: AccountKey = chain::parse_key(key).ok_or(Fault::Unreadable)?;
        let currency = chain::parse_currency(currency).ok_or(Fault::Unreadable)?;
        let sums: Vec<i64> = sums.iter().map(|sum| sum.parse().ok()).collect::<Option<_>>().ok_or(Fault::Unreadable)?;
        let [debits_minor, credits_minor, debits_pending_minor, credits_pending_minor] = sums.as_slice() else {
            return Err(Fault::Unreadable);
        };
        let said = Account {
            key,
            currency,
            debits_minor: *debits_minor,
            credits_minor: *credits_minor,
            debits_pending_minor: *debits_pending_minor,
            credits_pending_minor: *credits_pending_minor,
        };
        let worked_out = self.ledger.account(key).copied().unwrap_or(Account::new(key, currency));
        if said == worked_out && self.listed.insert(key) { Ok(()) } else { Err(Fault::Balance) }
    }

    fn end(&self, text: &str) -> Result<(), Fault> {
        let (sequence, hash) = text.split_once(' ').ok_or(Fault::Unreadable)?;
        let sequence: u64 = sequence.parse().map_err(|_| Fault::Unreadable)?;
        if sequence != self.head.sequence {
            return Err(Fault::Sequence(self.head.sequence));
        }
        if unhex(hash).as_deref() != Some(&self.head.hash) {
            return Err(Fault::Hash);
        }
        if self.ledger.accounts().all(|account| self.listed.contains(&account.key)) { Ok(()) } else { Err(Fault::Balance) }
    }
}

/// Verifies a whole export. `kept` is a head that the auditor noted earlier and that must be in it.
pub fn verify(text: &str, kept: Option<Head>) -> Result<Verified, ExportError> {
    let mut reader = Reader::new(kept);
    for line in text.split_inclusive('\n') {
        let whole = line.strip_suffix('\n').ok_or(ExportError { line: reader.lines + 1, fault: Fault::Torn })?;
        reader.take(whole)?;
    }
    reader.finish()
}

/// Applies an entry that was applied before, at the time it was, and opens accounts that it names first.
fn replay(ledger: &mut Ledger, entry: &Entry) -> Result<(), Fault> {
    for key in [entry.debit, entry.credit] {
        if ledger.account(key).is_none() {
            ledger.put_account(Account::new(key, entry.amount.currency)).map_err(Fault::Breach)?;
        }
    }
    let transfer = Transfer { id: entry.id, action: action(entry).ok_or(Fault::Unreadable)?, linked: false };
    let applied = ledger.post(&[transfer], entry.at).map_err(Fault::Breach)?;
    match applied.outcomes[0] {
        // The line says more than the transfer: accounts and amount of a decision must be those of what it decided.
        Outcome::Applied if applied.entries[0] == *entry => Ok(()),
        Outcome::Applied => Err(Fault::Unreadable),
        Outcome::Exists => Err(Fault::Repeated),
        Outcome::Refused(refusal) => Err(Fault::Refused(refusal)),
    }
}

/// What was asked for when `entry` was applied; `None` if it lacks a field of its kind.
fn action(entry: &Entry) -> Option<Action> {
    let Entry { debit, credit, amount, .. } = *entry;
    Some(match entry.kind {
        EntryKind::Post => Action::Post { debit, credit, amount },
        EntryKind::Pending => Action::Pending { debit, credit, amount, expires_at: entry.expires_at? },
        EntryKind::PostPending => Action::PostPending { pending: entry.pending?, amount_minor: Some(amount.minor) },
        EntryKind::VoidPending => Action::VoidPending { pending: entry.pending? },
        EntryKind::ExpirePending => Action::ExpirePending { pending: entry.pending? },
    })
}

#[cfg(test)]
mod tests;
