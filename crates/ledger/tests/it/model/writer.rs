//! A writer as a store would be: loads what a batch touches, posts, writes lines and a commit mark, syncs, answers.

use std::collections::BTreeSet;

use base::hash::hex;
use base::id::TransferId;
use base::money::Currency;
use base::time::Timestamp;
use ledger::account::{Account, AccountKey};
use ledger::breach::check_books;
use ledger::chain::{FORMAT, Head};
use ledger::export::{self, Reader};
use ledger::post::Ledger;
use ledger::transfer::{Action, Entry, Outcome, Transfer};

use super::Counts;
use super::disk::{Disk, DiskError};
use super::operation::{ACCOUNTS, Operation, START};
use super::oracle::Oracle;

/// The writer, its disk, and the oracle beside it.
pub struct Writer {
    disk: Disk,
    ledger: Ledger,
    head: Head,
    now: Timestamp,
    oracle: Oracle,
    /// What a batch would have done whose answer nobody got.
    unknown: Vec<Entry>,
    asked: Vec<(Transfer, Outcome)>,
    /// Identifiers that sweeps used.
    sweeps: u128,
    pub counts: Counts,
}

type Checked = Result<(), String>;

impl Writer {
    /// A writer over an empty disk.
    pub fn new() -> Self {
        let mut writer = Self {
            disk: Disk::default(),
            ledger: Ledger::new(),
            head: Head::genesis(),
            now: START,
            oracle: Oracle::default(),
            unknown: Vec::new(),
            asked: Vec::new(),
            sweeps: 1 << 64,
            counts: Counts::default(),
        };
        writer.disk.append(format!("{FORMAT}\n").as_bytes()).and_then(|()| writer.disk.sync()).expect("a new disk works");
        open_accounts(&mut writer.ledger);
        writer
    }

    /// Where the chain ends.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Takes one operation and says what is wrong afterwards, if anything.
    pub fn take(&mut self, operation: &Operation) -> Checked {
        match operation {
            Operation::Batch(batch) => self.batch(batch),
            Operation::AskAgain => self.ask_again(),
            Operation::Wait(millis) => {
                self.now = self.now.plus_millis(*millis);
                Ok(())
            }
            Operation::Sweep => self.sweep(),
            Operation::Fault(fault) => {
                self.disk.next_fault = Some(*fault);
                Ok(())
            }
            Operation::CrashInBatch { batch, kept } => self.crash_in_batch(batch, *kept),
            Operation::Crash { kept } => self.crash(*kept),
            Operation::Audit => self.audit(),
        }
    }

    fn batch(&mut self, batch: &[Transfer]) -> Checked {
        let mut trial = self.oracle.clone();
        let expected = trial.post(batch, self.now);
        let (mut part, applied) = self.post(batch)?;
        if applied.outcomes != expected {
            return Err(format!("came out as {:?}, the oracle says {expected:?}", applied.outcomes));
        }
        let start = self.disk.bytes().len();
        let (text, head) = self.text_of(&applied.entries);
        if let Err(fault) = self.disk.append(text.as_bytes()) {
            // Nothing was done, and the client is told so.
            self.disk.truncate(start);
            self.counts.disk_full += usize::from(fault == DiskError::Full);
            self.counts.write_errors += usize::from(fault == DiskError::Write);
            return self.check();
        }
        if self.disk.sync().is_err() {
            // Nobody knows: the writer stops and starts again from what is on the disk.
            self.counts.sync_errors += 1;
            self.unknown = applied.entries;
            return self.crash(if self.head.sequence.is_multiple_of(2) { 255 } else { 100 });
        }
        self.absorb(&mut part, &applied.entries);
        self.head = head;
        self.oracle = trial;
        for (transfer, outcome) in batch.iter().zip(&applied.outcomes) {
            match outcome {
                Outcome::Applied => self.counts.applied += 1,
                Outcome::Exists => self.counts.existed += 1,
                Outcome::Refused(_) => self.counts.refused += 1,
            }
            self.asked.push((*transfer, *outcome));
        }
        self.check()
    }

    fn crash_in_batch(&mut self, batch: &[Transfer], kept: u8) -> Checked {
        let (_, applied) = self.post(batch)?;
        let (text, _) = self.text_of(&applied.entries);
        if self.disk.append(text.as_bytes()).is_ok() {
            self.unknown = applied.entries;
        }
        self.crash(kept)
    }

    /// Posts in a part of the ledger that holds only what the batch touches, as a store loads it.
    fn post(&self, batch: &[Transfer]) -> Result<(Ledger, ledger::post::Applied), String> {
        let mut part = Ledger::new();
        let mut ids: BTreeSet<TransferId> = batch.iter().map(|transfer| transfer.id).collect();
        ids.extend(batch.iter().filter_map(|transfer| transfer.action.pending()));
        let more: Vec<TransferId> = ids.iter().filter_map(|id| self.ledger.record(*id)?.entry.pending).collect();
        ids.extend(more);
        let mut keys: BTreeSet<AccountKey> = BTreeSet::new();
        for record in ids.iter().filter_map(|id| self.ledger.record(*id)) {
            keys.extend([record.entry.debit, record.entry.credit]);
            part.put_record(*record);
        }
        for transfer in batch {
            if let Action::Post { debit, credit, .. } | Action::Pending { debit, credit, .. } = transfer.action {
                keys.extend([debit, credit]);
            }
        }
        for account in keys.iter().filter_map(|key| self.ledger.account(*key)) {
            part.put_account(*account).map_err(|breach| breach.to_string())?;
        }
        let applied = part.post(batch, self.now).map_err(|breach| breach.to_string())?;
        Ok((part, applied))
    }

    /// Lines for the entries, and the mark that the batch is whole.
    fn text_of(&self, entries: &[Entry]) -> (String, Head) {
        let mut text = String::new();
        let head = entries.iter().fold(self.head, |head, entry| export::push_entry(&mut text, head, entry));
        text.push_str(&format!("commit {}\n", hex(&head.hash)));
        (text, head)
    }

    fn absorb(&mut self, part: &mut Ledger, entries: &[Entry]) {
        for account in part.accounts() {
            self.ledger.put_account(*account).expect("posting leaves sound accounts");
        }
        for entry in entries {
            for id in [Some(entry.id), entry.pending].into_iter().flatten() {
                self.ledger.put_record(*part.record(id).expect("what was applied is there"));
            }
        }
    }

    fn sweep(&mut self) -> Checked {
        let overdue: Vec<TransferId> = self.ledger.overdue(self.now).collect();
        let batch: Vec<Transfer> = overdue
            .into_iter()
            .map(|pending| {
                self.sweeps += 1;
                Transfer { id: TransferId::from_bits(self.sweeps), action: Action::ExpirePending { pending }, linked: false }
            })
            .collect();
        if batch.is_empty() {
            return Ok(());
        }
        self.batch(&batch)
    }

    /// Whatever was applied exists; whatever was refused is judged anew by the oracle.
    fn ask_again(&mut self) -> Checked {
        for (transfer, outcome) in self.asked.clone() {
            let alone = Transfer { linked: false, ..transfer };
            let (_, applied) = self.post(&[alone])?;
            if matches!(outcome, Outcome::Applied | Outcome::Exists) && applied.outcomes != [Outcome::Exists] {
                return Err(format!("{transfer:?} was applied and is now {:?}", applied.outcomes));
            }
            if applied.outcomes != self.oracle.clone().post(&[alone], self.now) {
                return Err(format!("{transfer:?} asked again is {:?}", applied.outcomes));
            }
        }
        Ok(())
    }

    /// Power fails, and the writer starts from what the disk kept: exactly what was acknowledged, and all or nothing of the
    /// batch whose answer nobody got.
    fn crash(&mut self, kept: u8) -> Checked {
        self.counts.crashes += 1;
        self.counts.torn += usize::from(self.disk.crash(kept));
        let before = std::mem::take(&mut self.ledger);
        let recovered = recover(&mut self.disk)?;
        (self.ledger, self.head) = (recovered.ledger().clone(), recovered.head());
        open_accounts(&mut self.ledger);
        let acknowledged = self.oracle.done.len() as u64;
        let unknown = std::mem::take(&mut self.unknown);
        if self.head.sequence == acknowledged {
            if before != self.ledger {
                return Err("what was read back is not what was written".into());
            }
        } else if self.head.sequence == acknowledged + unknown.len() as u64 {
            self.oracle.done.extend(unknown);
        } else {
            return Err(format!("{acknowledged} entries were acknowledged, {} were found", self.head.sequence));
        }
        let hash = self.oracle.done.iter().fold(Head::genesis(), |head, entry| head.then(entry)).hash;
        if hash != self.head.hash {
            return Err("the entries found are not those that were acknowledged".into());
        }
        self.check()
    }

    fn audit(&mut self) -> Checked {
        self.counts.audits += 1;
        let text = export::write(&self.oracle.done, self.ledger.accounts());
        let verified = export::verify(&text, Some(self.head)).map_err(|fault| fault.to_string())?;
        if verified.head == self.head { Ok(()) } else { Err("the export ends elsewhere".into()) }
    }

    /// The books, by the ledger and by the oracle.
    fn check(&self) -> Checked {
        check_books(self.ledger.accounts(), self.ledger.records()).map_err(|breach| breach.to_string())?;
        for key in ACCOUNTS {
            let account = self.ledger.account(key).ok_or("an account is gone")?;
            let sums = self.oracle.sums(key);
            let [debits, credits] = [account.debits_minor, account.credits_minor].map(i128::from);
            let [held, coming] = [account.debits_pending_minor, account.credits_pending_minor].map(i128::from);
            if [debits, credits, debits + held, credits + coming] != [sums.debits_posted, sums.credits_posted, sums.debits, sums.credits] {
                return Err(format!("{account:?} where the oracle has {sums:?}"));
            }
        }
        Ok(())
    }
}

fn open_accounts(ledger: &mut Ledger) {
    for key in ACCOUNTS {
        if ledger.account(key).is_none() {
            ledger.put_account(Account::new(key, Currency::CNY)).expect("a new account is sound");
        }
    }
}

/// Reads the disk up to the last whole batch and cuts off the rest.
fn recover(disk: &mut Disk) -> Result<Reader, String> {
    let mut reader = Reader::new(None);
    let mut whole = None;
    let mut at = 0;
    for line in disk.bytes().split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let Some(text) = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok()) else { break };
        if let Some(hash) = text.strip_prefix("commit ") {
            if hash != hex(&reader.head().hash) {
                break;
            }
            whole = Some((at, reader.clone()));
        } else if reader.take(text).is_err() {
            break;
        } else if text == FORMAT {
            whole = Some((at, reader.clone()));
        }
    }
    let (len, reader) = whole.ok_or("nothing can be read")?;
    disk.truncate(len);
    Ok(reader)
}
