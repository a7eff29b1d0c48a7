//! The ledger inside a transaction: loads what transfers touch, applies them, writes back what changed and the chain.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base::hash::hash_parts;
use base::id::TransferId;
use base::money::{Currency, Money};
use base::time::Timestamp;
use ledger::account::{Account, AccountKey, AccountKind};
use ledger::chain::Head;
use ledger::post::{Ledger, Record};
use ledger::transfer::{Action, Entry, EntryKind, Outcome, PendingState, Refusal, Transfer};

use crate::db::{DbError, Key, Kind, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name, Sequence};

const ACCOUNT: Kind<Option<Account>> = Kind::new("ledger account", &["ledger_accounts"]);
const HEAD: Kind<Head> = Kind::new("ledger head", &["ledger_transfers"]);
/// Identifiers that no transfer has.
const UNUSED: Kind<()> = Kind::new("unused transfer", &["ledger_transfers"]);

fn account_key(key: AccountKey) -> Key {
    (key.kind as u64, key.owner)
}

/// No transfer has this identifier: it was made this moment.
pub(crate) fn is_unused(tx: &Tx, id: TransferId) {
    tx.learn(&UNUSED, (0, id.bits()), ());
}

/// Opens a ledger account unless it is open.
pub(crate) fn open_account(tx: &Tx, key: AccountKey, currency: Currency) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO ledger_accounts (kind, owner, currency, debits_minor, credits_minor, debits_pending_minor, credits_pending_minor)
         VALUES (?1, ?2, ?3, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
        (key.kind.name(), Bits(key.owner), currency.code()),
    )?;
    Ok(())
}

/// What an account's owner may still spend, in minor units: without what is held; 0 without an account.
pub(crate) fn available_minor(tx: &Tx, key: AccountKey) -> Result<i64, StoreError> {
    Ok(load_account(tx, key)?.map_or(0, |account| account.available_minor()))
}

/// Whether an account has a balance, or anything is held on it.
pub(crate) fn has_money(tx: &Tx, key: AccountKey) -> Result<bool, StoreError> {
    let account = load_account(tx, key)?;
    Ok(account.is_some_and(|account| account.balance_minor() != 0 || account.debits_pending_minor + account.credits_pending_minor != 0))
}

/// Moves `amount` from `debit` to `credit` under `id`, once for ever.
pub(crate) fn post(
    tx: &Tx,
    id: TransferId,
    debit: AccountKey,
    credit: AccountKey,
    amount: Money,
    now: Timestamp,
) -> Result<(), StoreError> {
    apply(tx, id, Action::Post { debit, credit, amount }, now)
}

/// The identifier of what follows on `id`, such as its capture: the same for ever, so that it is done once.
pub(crate) fn following(id: TransferId, what: &str) -> TransferId {
    let hash = hash_parts("handsel transfer", &[what.as_bytes(), &id.bits().to_be_bytes()]);
    let half: [u8; 16] = hash[..16].try_into().expect("a hash has 32 bytes");
    TransferId::from_bits(u128::from_be_bytes(half))
}

/// Applies one transfer. Whoever calls has judged that it may: a refusal of the ledger is a bug, undoes the transaction
/// and is logged.
pub(crate) fn apply(tx: &Tx, id: TransferId, action: Action, now: Timestamp) -> Result<(), StoreError> {
    match try_apply(tx, &[Transfer { id, action, linked: false }], now)?[0] {
        Outcome::Applied | Outcome::Exists => Ok(()),
        Outcome::Refused(refusal) => Err(refused(id, refusal)),
    }
}

fn refused(id: TransferId, refusal: Refusal) -> StoreError {
    StoreError::Corrupt(format!("the ledger refused {id}: {refusal}"))
}

/// Applies a batch: what came of each transfer.
pub(crate) fn try_apply(tx: &Tx, batch: &[Transfer], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
    let mut ledger = load(tx, batch)?;
    let applied = ledger.post(batch, now)?;
    if applied.entries.is_empty() {
        return Ok(applied.outcomes);
    }
    let mut touched = BTreeSet::new();
    let mut head = head(tx)?;
    for entry in &applied.entries {
        head = head.then(entry);
        let record = ledger.record(entry.id).expect("what was applied is there");
        insert(tx, record, head)?;
        if let Some(pending) = entry.pending {
            let state = ledger.record(pending).and_then(|record| record.pending_state).expect("what was decided is there");
            tx.put("UPDATE ledger_transfers SET pending_state = ?2 WHERE id = ?1", (Bits(pending.bits()), state.name()))?;
        }
        touched.extend([entry.debit, entry.credit]);
    }
    touched.into_iter().try_for_each(|key| save_account(tx, ledger.account(key).expect("touched accounts are there")))?;
    Ok(applied.outcomes)
}

/// The accounts and earlier transfers that a batch touches.
fn load(tx: &Tx, batch: &[Transfer]) -> Result<Ledger, StoreError> {
    let mut ledger = Ledger::new();
    let mut keys = BTreeSet::new();
    for transfer in batch {
        for id in [Some(transfer.id), transfer.action.pending()].into_iter().flatten() {
            let Some(record) = load_record(tx, id)? else { continue };
            keys.extend([record.entry.debit, record.entry.credit]);
            ledger.put_record(record);
        }
        if let Action::Post { debit, credit, .. } | Action::Pending { debit, credit, .. } = transfer.action {
            keys.extend([debit, credit]);
        }
    }
    for key in keys {
        load_account(tx, key)?.map_or(Ok(()), |account| ledger.put_account(account))?;
    }
    Ok(ledger)
}

/// Where the chain ends.
pub(crate) fn head(tx: &Tx) -> Result<Head, StoreError> {
    tx.recall(&HEAD, (0, 0), || {
        let last = tx.find("SELECT sequence, hash FROM ledger_transfers ORDER BY sequence DESC LIMIT 1", (), |row| {
            Ok(Head { sequence: row.get::<Sequence>(0)?.0, hash: row.get(1)? })
        })?;
        Ok(last.unwrap_or(Head::genesis()))
    })
}

/// Hashes what was posted before there was a chain. For the migration that brought it.
pub(crate) fn hash_old_transfers(tx: &Tx) -> Result<(), StoreError> {
    let old = tx.list(&format!("SELECT {COLUMNS} FROM ledger_transfers WHERE hash IS NULL ORDER BY sequence"), (), read_record)?;
    let mut head = Head::genesis();
    for record in old {
        head = head.then(&record.entry);
        tx.execute("UPDATE ledger_transfers SET hash = ?2 WHERE id = ?1", (Bits(record.entry.id.bits()), head.hash))?;
    }
    Ok(())
}

fn load_account(tx: &Tx, key: AccountKey) -> Result<Option<Account>, StoreError> {
    let sql = "SELECT kind, owner, currency, debits_minor, credits_minor, debits_pending_minor, credits_pending_minor
         FROM ledger_accounts WHERE kind = ?1 AND owner = ?2";
    Ok(tx.recall_row(&ACCOUNT, account_key(key), sql, (key.kind.name(), Bits(key.owner)), read_account)?)
}

/// All accounts, in the order of their keys.
pub(crate) fn accounts(tx: &Tx) -> Result<Vec<Account>, StoreError> {
    let accounts = tx.list(
        "SELECT kind, owner, currency, debits_minor, credits_minor, debits_pending_minor, credits_pending_minor
         FROM ledger_accounts ORDER BY kind, owner",
        (),
        read_account,
    );
    Ok(accounts?)
}

fn read_account(row: &Row) -> Result<Account, DbError> {
    Ok(Account {
        key: key(row, 0)?,
        currency: currency(row, 2)?,
        debits_minor: row.get(3)?,
        credits_minor: row.get(4)?,
        debits_pending_minor: row.get(5)?,
        credits_pending_minor: row.get(6)?,
    })
}

fn save_account(tx: &Tx, account: &Account) -> Result<(), StoreError> {
    let Account { key, debits_minor, credits_minor, debits_pending_minor, credits_pending_minor, .. } = *account;
    tx.put_known(
        "UPDATE ledger_accounts SET debits_minor = ?3, credits_minor = ?4, debits_pending_minor = ?5, credits_pending_minor = ?6
         WHERE kind = ?1 AND owner = ?2",
        (key.kind.name(), Bits(key.owner), debits_minor, credits_minor, debits_pending_minor, credits_pending_minor),
        &ACCOUNT,
        account_key(key),
        Some(*account),
    )?;
    Ok(())
}

const COLUMNS: &str =
    "id, kind, debit_kind, debit_owner, credit_kind, credit_owner, amount_minor, currency, pending, expires_at, posted_at, pending_state";

fn load_record(tx: &Tx, id: TransferId) -> Result<Option<Record>, StoreError> {
    if tx.is_known(&UNUSED, (0, id.bits())) {
        return Ok(None);
    }
    Ok(tx.find(&format!("SELECT {COLUMNS} FROM ledger_transfers WHERE id = ?1"), [Bits(id.bits())], read_record)?)
}

/// At most `limit` transfers behind the place `after` of the chain, in its order.
pub(crate) fn records_after(tx: &Tx, after: u64, limit: u32) -> Result<Vec<Record>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM ledger_transfers WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");
    Ok(tx.list(&sql, (Sequence(after), limit), read_record)?)
}

fn read_record(row: &Row) -> Result<Record, DbError> {
    let entry = Entry {
        id: TransferId::from_bits(row.get::<Bits>(0)?.0),
        kind: row.get::<Name>(1)?.read(EntryKind::from_name)?,
        debit: key(row, 2)?,
        credit: key(row, 4)?,
        amount: Money { minor: row.get(6)?, currency: currency(row, 7)? },
        pending: row.get::<Option<Bits>>(8)?.map(|bits| TransferId::from_bits(bits.0)),
        expires_at: row.get::<Option<At>>(9)?.map(|at| at.0),
        at: row.get::<At>(10)?.0,
    };
    let pending_state = row.get::<Option<Name>>(11)?.map(|name| name.read(PendingState::from_name)).transpose()?;
    Ok(Record { entry, pending_state })
}

fn insert(tx: &Tx, record: &Record, head: Head) -> Result<(), StoreError> {
    let Record { entry, pending_state } = record;
    tx.forget(&UNUSED, (0, record.entry.id.bits()));
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "INSERT INTO ledger_transfers ({COLUMNS}, sequence, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        )
    });
    tx.put_known(
        &SQL,
        (
            Bits(entry.id.bits()),
            entry.kind.name(),
            entry.debit.kind.name(),
            Bits(entry.debit.owner),
            entry.credit.kind.name(),
            Bits(entry.credit.owner),
            entry.amount.minor,
            entry.amount.currency.code(),
            entry.pending.map(|id| Bits(id.bits())),
            entry.expires_at.map(At),
            At(entry.at),
            pending_state.map(PendingState::name),
            Sequence(head.sequence),
            head.hash,
        ),
        &HEAD,
        (0, 0),
        head,
    )?;
    Ok(())
}

fn key(row: &Row, at: usize) -> Result<AccountKey, DbError> {
    Ok(AccountKey { kind: row.get::<Name>(at)?.read(AccountKind::from_name)?, owner: row.get::<Bits>(at + 1)?.0 })
}

/// The currency of a column.
pub(crate) fn currency(row: &Row, at: usize) -> Result<Currency, DbError> {
    row.get::<Name>(at)?.read(|name| (name == Currency::CNY.code()).then_some(Currency::CNY))
}
