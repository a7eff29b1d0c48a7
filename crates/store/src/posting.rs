//! Posting in the ledger inside a transaction: loads what the transfer touches, posts, writes back what changed.

use base::id::TransferId;
use base::money::{Currency, Money};
use base::time::Timestamp;
use ledger::account::{Account, AccountKey, AccountKind};
use ledger::post::Ledger;
use ledger::transfer::{Outcome, Transfer};

use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};

/// Opens a ledger account unless it is open.
pub(crate) fn open_account(tx: &Tx, key: AccountKey, currency: Currency) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO ledger_accounts (kind, owner, currency, debits_minor, credits_minor) VALUES (?1, ?2, ?3, 0, 0) ON CONFLICT DO NOTHING",
        (key.kind.name(), Bits(key.owner), currency.code()),
    )?;
    Ok(())
}

/// What an account's owner has, in minor units; 0 without an account.
pub(crate) fn balance_minor(tx: &Tx, key: AccountKey) -> Result<i64, StoreError> {
    Ok(load_account(tx, key)?.map_or(0, |account| account.balance_minor()))
}

/// Moves `amount` from `debit` to `credit` under `id`, once for ever. Whoever calls has judged that it may: a refusal of
/// the ledger is a bug, undoes the transaction and is logged.
pub(crate) fn post(
    tx: &Tx,
    id: TransferId,
    debit: AccountKey,
    credit: AccountKey,
    amount: Money,
    now: Timestamp,
) -> Result<(), StoreError> {
    let transfer = Transfer { id, debit, credit, amount, linked: false };
    let mut ledger = Ledger::new();
    for key in [debit, credit] {
        load_account(tx, key)?.into_iter().for_each(|account| ledger.put_account(account));
    }
    load_transfer(tx, id)?.into_iter().for_each(|earlier| ledger.put_transfer(earlier));
    match ledger.post(&[transfer])[0] {
        Outcome::Posted => {}
        Outcome::PostedBefore => return Ok(()),
        Outcome::Refused(refusal) => return Err(StoreError::Corrupt(format!("the ledger refused {id}: {refusal}"))),
    }
    for key in [debit, credit] {
        let account = ledger.account(key).expect("a posted transfer's accounts are there");
        tx.execute(
            "UPDATE ledger_accounts SET debits_minor = ?3, credits_minor = ?4 WHERE kind = ?1 AND owner = ?2",
            (key.kind.name(), Bits(key.owner), account.debits_minor, account.credits_minor),
        )?;
    }
    tx.execute(
        "INSERT INTO ledger_transfers (id, debit_kind, debit_owner, credit_kind, credit_owner, amount_minor, currency, posted_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            Bits(id.bits()),
            debit.kind.name(),
            Bits(debit.owner),
            credit.kind.name(),
            Bits(credit.owner),
            amount.minor,
            amount.currency.code(),
            At(now),
        ),
    )?;
    Ok(())
}

fn load_account(tx: &Tx, key: AccountKey) -> Result<Option<Account>, StoreError> {
    let account = tx.find(
        "SELECT currency, debits_minor, credits_minor FROM ledger_accounts WHERE kind = ?1 AND owner = ?2",
        (key.kind.name(), Bits(key.owner)),
        |row| Ok(Account { key, currency: currency(row, 0)?, debits_minor: row.get(1)?, credits_minor: row.get(2)? }),
    );
    Ok(account?)
}

fn load_transfer(tx: &Tx, id: TransferId) -> Result<Option<Transfer>, StoreError> {
    let key = |row: &Row, at: usize| -> Result<AccountKey, DbError> {
        Ok(AccountKey { kind: row.get::<Name>(at)?.read(AccountKind::from_name)?, owner: row.get::<Bits>(at + 1)?.0 })
    };
    let transfer = tx.find(
        "SELECT debit_kind, debit_owner, credit_kind, credit_owner, amount_minor, currency FROM ledger_transfers WHERE id = ?1",
        [Bits(id.bits())],
        |row| {
            Ok(Transfer {
                id,
                debit: key(row, 0)?,
                credit: key(row, 2)?,
                amount: Money { minor: row.get(4)?, currency: currency(row, 5)? },
                linked: false,
            })
        },
    );
    Ok(transfer?)
}

/// The currency of a column.
pub(crate) fn currency(row: &Row, at: usize) -> Result<Currency, DbError> {
    row.get::<Name>(at)?.read(|name| (name == Currency::CNY.code()).then_some(Currency::CNY))
}
