//! Accounts as rows: what a payer is judged by, and what changes when one pays or tries a passcode.

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::account::{Payer, Usage};
use payments::passcode::Ladder;
use wire::api::IdentityClass;
use wire::problem::Code;

use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::posting;
use crate::row::{At, Bits, Name};

/// The stable name of a class.
pub(crate) const fn class_name(class: IdentityClass) -> &'static str {
    match class {
        IdentityClass::I => "I",
        IdentityClass::II => "II",
        IdentityClass::III => "III",
    }
}

/// The class of a stable name.
pub(crate) fn class_from_name(name: &str) -> Option<IdentityClass> {
    [IdentityClass::I, IdentityClass::II, IdentityClass::III].into_iter().find(|class| class_name(*class) == name)
}

/// A new account's row.
pub(crate) struct NewRow<'a> {
    pub(crate) id: AccountId,
    pub(crate) name: &'a str,
    pub(crate) phone: &'a str,
    pub(crate) phone_part: [u8; 16],
    pub(crate) passcode_hash: Option<&'a Secret<String>>,
    pub(crate) class: IdentityClass,
}

/// Puts an account in; `phone_taken` if its phone has one.
pub(crate) fn insert(tx: &Tx, new: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    let rows = tx.execute("INSERT INTO accounts (id, name, phone, phone_part, passcode_hash, identity_class, paused, closed, passcode_wrong, passcode_locks,
                 paid_life_minor, usage_year, paid_year_minor, usage_day, paid_day_minor, paid_day_look_only_minor, look_only_run, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?7) ON CONFLICT (phone) DO NOTHING", (Bits(new.id.bits()), new.name, new.phone, new.phone_part, new.passcode_hash.map(Secret::expose), class_name(new.class), At(now)))?;
    if rows == 1 { Ok(()) } else { Err(Code::PhoneTaken.into()) }
}

/// Everything about a payer that a payment is judged by; `not_found` without the account.
pub(crate) fn payer(tx: &Tx, account: AccountId) -> Result<Payer, StoreError> {
    let balance_minor = posting::balance_minor(tx, AccountKey::wallet(account))?;
    let found = tx.find(
        "SELECT identity_class, closed, paused, passcode_hash IS NOT NULL, passcode_wrong, passcode_locks, passcode_locked_until,
             paid_life_minor, usage_year, paid_year_minor, usage_day, paid_day_minor, paid_day_look_only_minor, look_only_run,
             EXISTS (SELECT 1 FROM enrolments WHERE account = accounts.id AND status <> 'deleted' AND status = 'enrolled')
         FROM accounts WHERE id = ?1",
        [Bits(account.bits())],
        |row| {
            Ok(Payer {
                account,
                class: row.get::<Name>(0)?.read(class_from_name)?,
                closed: row.get(1)?,
                paused: row.get(2)?,
                enrolled: row.get(14)?,
                has_passcode: row.get(3)?,
                ladder: ladder(row, 4)?,
                balance_minor,
                usage: Usage {
                    life_minor: row.get(7)?,
                    year: row.get(8)?,
                    year_minor: row.get(9)?,
                    day: row.get(10)?,
                    day_minor: row.get(11)?,
                    day_look_only_minor: row.get(12)?,
                    look_only_run: row.get(13)?,
                },
            })
        },
    );
    found?.ok_or(Code::NotFound.into())
}

fn ladder(row: &Row, at: usize) -> Result<Ladder, DbError> {
    Ok(Ladder { wrong: row.get(at)?, locks: row.get(at + 1)?, locked_until: row.get::<Option<At>>(at + 2)?.map(|at| at.0) })
}

/// Stores where an account's passcode attempts stand.
pub(crate) fn save_ladder(tx: &Tx, account: AccountId, ladder: &Ladder) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE accounts SET passcode_wrong = ?2, passcode_locks = ?3, passcode_locked_until = ?4 WHERE id = ?1",
        (Bits(account.bits()), ladder.wrong, ladder.locks, ladder.locked_until.map(At)),
    )?;
    Ok(())
}

/// Stores what an account has used of its limits.
pub(crate) fn save_usage(tx: &Tx, account: AccountId, usage: &Usage) -> Result<(), StoreError> {
    tx.put(
        "UPDATE accounts SET paid_life_minor = ?2, usage_year = ?3, paid_year_minor = ?4, usage_day = ?5, paid_day_minor = ?6,
             paid_day_look_only_minor = ?7, look_only_run = ?8 WHERE id = ?1",
        (
            Bits(account.bits()),
            usage.life_minor,
            usage.year,
            usage.year_minor,
            usage.day,
            usage.day_minor,
            usage.day_look_only_minor,
            usage.look_only_run,
        ),
    )?;
    Ok(())
}

/// The passcode's hash of an account, if it has one.
pub(crate) fn passcode_hash(tx: &Tx, account: AccountId) -> Result<Option<Secret<String>>, StoreError> {
    let hash: Option<Option<String>> =
        tx.find("SELECT passcode_hash FROM accounts WHERE id = ?1", [Bits(account.bits())], |row| row.get(0))?;
    Ok(hash.flatten().map(Secret::new))
}
