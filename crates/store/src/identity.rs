//! Who a shopper is: checks on record, the class of the account that follows, and which accounts are one person's.

use base::id::AccountId;
use base::time::Timestamp;
pub(crate) use payments::account::identity::DEMO;
use payments::account::identity::{check_channel, class_of};
use payments::rules::RulePack;
use wire::api::IdentityClass;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::row::{At, Bits};
use crate::{Store, account_rows};

/// How well an account's owner is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The class.
    pub class: IdentityClass,
    /// What the person may still pay in the class's period, in minor units.
    pub class_remaining_minor: i64,
    /// The channels whose checks count, oldest first. `demo` is none: nobody was asked.
    pub channels: Vec<String>,
    /// Other accounts of the same person.
    pub other_accounts: Vec<AccountId>,
}

impl Store {
    /// How well the owner is known; `not_found`.
    pub fn identity(&self, account: AccountId, now: Timestamp) -> Result<Identity, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| identity(tx, account, rules, now))
    }

    /// Records that `channel` agrees on who the owner is, by `by` of the staff: `not_found`, `account_closed`,
    /// `invalid_request`. The class rises at once where the checks now say so, and never falls by one more; what was paid
    /// keeps counting, in the account's life and in the year.
    pub fn add_identity_check(&self, account: AccountId, channel: &str, by: &str, now: Timestamp) -> Result<Identity, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("add_identity_check", |tx| {
            check_channel(channel)?;
            let payer = account_rows::payer(tx, account, now)?;
            if payer.closed {
                return Err(Code::AccountClosed.into());
            }
            record(tx, account, channel, by, now)?;
            let class = class_of(standing(tx, account)?.iter().map(String::as_str), rules);
            set_class(tx, account, class.unwrap_or(payer.class).max(payer.class))?;
            identity(tx, account, rules, now)
        })
    }

    /// Checks by `channel` no longer count, because they were wrong or are too old: `not_found`. The class falls to what the
    /// others give, to I at least; whoever has paid more than that allows pays nothing more until checked anew.
    pub fn revoke_identity_check(&self, account: AccountId, channel: &str, now: Timestamp) -> Result<Identity, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("revoke_identity_check", |tx| {
            let rows = tx.execute(
                "UPDATE identity_checks SET revoked_at = ?3 WHERE account = ?1 AND channel = ?2 AND revoked_at IS NULL",
                (Bits(account.bits()), channel, At(now)),
            )?;
            if rows == 0 {
                return Err(Code::NotFound.into());
            }
            let class = class_of(standing(tx, account)?.iter().map(String::as_str), rules);
            set_class(tx, account, class.unwrap_or(IdentityClass::I))?;
            identity(tx, account, rules, now)
        })
    }

    /// From now on `account` is of the person who has `other`, or of nobody else, as `by` of the staff found: `not_found`,
    /// `invalid_request` for the same account. The caps of classes and tiers count what all accounts of a person pay.
    pub fn set_person(&self, account: AccountId, other: Option<AccountId>, by: &str, now: Timestamp) -> Result<Identity, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("set_person", |tx| {
            identity(tx, account, rules, now)?;
            let person = match other {
                Some(other) if other == account => return Err(Code::InvalidRequest.into()),
                Some(other) => Some(person_of(tx, other, by)?),
                None => None,
            };
            tx.execute("UPDATE accounts SET person = ?2, person_by = ?3 WHERE id = ?1", (Bits(account.bits()), person, by))?;
            identity(tx, account, rules, now)
        })
    }
}

/// Puts a check on record.
pub(crate) fn record(tx: &Tx, account: AccountId, channel: &str, by: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.put(
        "INSERT INTO identity_checks (account, channel, checked_at, checked_by) VALUES (?1, ?2, ?3, ?4)",
        (Bits(account.bits()), channel, At(now), by),
    )?;
    Ok(())
}

fn identity(tx: &Tx, account: AccountId, rules: &RulePack, now: Timestamp) -> Result<Identity, StoreError> {
    let payer = account_rows::payer(tx, account, now)?;
    let others = "SELECT id FROM accounts WHERE id <> ?1 AND person = (SELECT person FROM accounts WHERE id = ?1) ORDER BY id";
    Ok(Identity {
        class: payer.class,
        class_remaining_minor: payer.person_usage().class_remaining_minor(payer.class, rules, now),
        channels: standing(tx, account)?,
        other_accounts: tx.list(others, [Bits(account.bits())], |row| Ok(AccountId::from_bits(row.get::<Bits>(0)?.0)))?,
    })
}

/// The channels whose checks count.
fn standing(tx: &Tx, account: AccountId) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT channel FROM identity_checks WHERE account = ?1 AND revoked_at IS NULL ORDER BY sequence";
    Ok(tx.list(sql, [Bits(account.bits())], |row| row.get(0))?)
}

/// Who has this account, by a name of the first account that was known to be theirs.
fn person_of(tx: &Tx, account: AccountId, by: &str) -> Result<Bits, StoreError> {
    let id = Bits(account.bits());
    let person = tx.find("SELECT person FROM accounts WHERE id = ?1", [id], |row| row.get::<Option<Bits>>(0))?;
    if let Some(person) = person.ok_or(Code::NotFound)? {
        return Ok(person);
    }
    tx.execute("UPDATE accounts SET person = ?1, person_by = ?2 WHERE id = ?1", (id, by))?;
    Ok(id)
}

fn set_class(tx: &Tx, account: AccountId, class: IdentityClass) -> Result<(), StoreError> {
    tx.execute("UPDATE accounts SET identity_class = ?2 WHERE id = ?1", (Bits(account.bits()), account_rows::class_name(class)))?;
    Ok(())
}
