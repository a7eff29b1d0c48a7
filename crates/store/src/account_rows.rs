//! Accounts as rows: what a payer is judged by, and what changes when one pays or tries a passcode.

use std::sync::{Arc, LazyLock};

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::account::Payer;
use payments::account::limits::{LimitChange, OwnerLimits};
use payments::account::newness::Newness;
use payments::account::usage::Usage;
use payments::passcode::Ladder;
use wire::api::IdentityClass;
use wire::problem::Code;

use crate::db::{DbError, Kind, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name};
use crate::{identity, posting};

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

/// Puts an account in, of which nobody has asked who it is; `phone_taken` if its phone has one.
pub(crate) fn insert(tx: &Tx, new: &NewRow, now: Timestamp) -> Result<(), StoreError> {
    let rows = tx.execute("INSERT INTO accounts (id, name, phone, phone_part, passcode_hash, identity_class, paused, closed, passcode_wrong, passcode_locks,
                 paid_life_minor, usage_year, paid_year_minor, usage_day, paid_day_minor, paid_day_look_only_minor, look_only_run, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?7) ON CONFLICT (phone) DO NOTHING", (Bits(new.id.bits()), new.name, new.phone, new.phone_part, new.passcode_hash.map(Secret::expose), class_name(new.class), At(now)))?;
    if rows == 0 {
        return Err(Code::PhoneTaken.into());
    }
    identity::record(tx, new.id, identity::DEMO, "platform", now)
}

/// A payer's own row.
#[derive(Clone, Copy)]
struct PayerRow {
    /// Without balance, limits and what was paid elsewhere.
    payer: Payer,
    /// Who has this account and others.
    person: Option<Bits>,
    /// The last rows of the account's chains.
    last_activity: Option<Bits>,
    last_query: Option<Bits>,
}

const PAYER: Kind<Option<PayerRow>> = Kind::new("payer", &["accounts", "enrolments", "passkeys"]);
const OWNER_LIMITS: Kind<Arc<[LimitChange]>> = Kind::new("owner's limits", &["account_limits"]);

const PAYER_ROW: &str =
    "SELECT identity_class, closed, paused, passcode_hash IS NOT NULL, passcode_wrong, passcode_locks, passcode_locked_until,
         paid_life_minor, usage_year, paid_year_minor, usage_day, paid_day_minor, paid_day_look_only_minor, look_only_run,
         EXISTS (SELECT 1 FROM enrolments WHERE account = accounts.id AND status <> 'deleted' AND status = 'enrolled'),
         frozen, usage_night, paid_night_minor, paid_day_phone_minor, device_bound_at, rebound_at,
         (SELECT max(enrolled_at) FROM enrolments WHERE account = accounts.id AND status <> 'deleted' AND status = 'enrolled'),
         CASE approvals_frozen WHEN 0 THEN
             (SELECT min(approves_from) FROM passkeys WHERE subject_kind = 'account' AND subject = accounts.id AND revoked_at IS NULL)
         END, person, last_activity, last_query
     FROM accounts WHERE id = ?1";

/// Everything about a payer that a payment is judged by; `not_found` without the account.
pub(crate) fn payer(tx: &Tx, account: AccountId, now: Timestamp) -> Result<Payer, StoreError> {
    let balance_minor = posting::available_minor(tx, AccountKey::wallet(account))?;
    let limits = limits_in_force(tx, account, now)?;
    let PayerRow { payer, person, .. } = load_payer(tx, account)?.ok_or(Code::NotFound)?;
    let elsewhere = person.map_or(Ok(Usage::default()), |person| paid_elsewhere(tx, account, person))?;
    Ok(Payer { balance_minor, limits, elsewhere, ..payer })
}

/// What an account has used of its limits; `not_found` without the account.
pub(crate) fn usage(tx: &Tx, account: AccountId) -> Result<Usage, StoreError> {
    Ok(load_payer(tx, account)?.ok_or(Code::NotFound)?.payer.usage)
}

/// What the person has paid from accounts other than this one.
fn paid_elsewhere(tx: &Tx, account: AccountId, person: Bits) -> Result<Usage, StoreError> {
    let others =
        tx.list("SELECT id FROM accounts WHERE person = ?1 AND id <> ?2", (person, Bits(account.bits())), |row| row.get::<Bits>(0))?;
    others.into_iter().try_fold(Usage::default(), |sum, other| {
        let row = load_payer(tx, AccountId::from_bits(other.0))?;
        Ok(row.map_or(sum, |row| sum.plus(row.payer.usage)))
    })
}

fn load_payer(tx: &Tx, account: AccountId) -> Result<Option<PayerRow>, StoreError> {
    let found = tx.recall_row(&PAYER, (0, account.bits()), PAYER_ROW, [Bits(account.bits())], |row| {
        let payer = Payer {
            account,
            class: row.get::<Name>(0)?.read(class_from_name)?,
            closed: row.get(1)?,
            frozen: row.get(15)?,
            paused: row.get(2)?,
            enrolled: row.get(14)?,
            newness: Newness {
                enrolled_at: row.get::<Option<At>>(21)?.map(|at| at.0),
                device_bound_at: row.get::<Option<At>>(19)?.map(|at| at.0),
                rebound_at: row.get::<Option<At>>(20)?.map(|at| at.0),
            },
            phone_from: row.get::<Option<At>>(22)?.map(|at| at.0),
            has_passcode: row.get(3)?,
            ladder: ladder(row, 4)?,
            balance_minor: 0,
            limits: OwnerLimits::default(),
            usage: Usage {
                life_minor: row.get(7)?,
                year: row.get(8)?,
                year_minor: row.get(9)?,
                day: row.get(10)?,
                day_minor: row.get(11)?,
                day_look_only_minor: row.get(12)?,
                day_phone_minor: row.get(18)?,
                look_only_run: row.get(13)?,
                night: row.get(16)?,
                night_minor: row.get(17)?,
            },
            elsewhere: Usage::default(),
        };
        Ok(PayerRow { payer, person: row.get(23)?, last_activity: row.get(24)?, last_query: row.get(25)? })
    });
    Ok(found?)
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
    change(tx, account, |row| row.payer.usage = *usage)
}

/// Adds a row to what the account's money did, and stores what it has used of its limits if that is another now; the row before
/// it.
pub(crate) fn add_activity(tx: &Tx, account: AccountId, reference: u128, usage: Option<&Usage>) -> Result<Option<Bits>, StoreError> {
    change(tx, account, |row| {
        row.payer.usage = usage.copied().unwrap_or(row.payer.usage);
        row.last_activity.replace(Bits(reference))
    })
}

/// Adds a row to the uses of the account's biometric; the one before it.
pub(crate) fn add_query(tx: &Tx, account: AccountId, query: u128) -> Result<Option<Bits>, StoreError> {
    change(tx, account, |row| row.last_query.replace(Bits(query)))
}

/// The last of what the account's money did, by its reference.
pub(crate) fn last_activity(tx: &Tx, account: AccountId) -> Result<Option<Bits>, StoreError> {
    Ok(load_payer(tx, account)?.and_then(|row| row.last_activity))
}

/// The last of the uses of the account's biometric.
pub(crate) fn last_query(tx: &Tx, account: AccountId) -> Result<Option<Bits>, StoreError> {
    Ok(load_payer(tx, account)?.and_then(|row| row.last_query))
}

/// Changes what every payment changes, by one statement, so that a batch writes each row once.
fn change<T>(tx: &Tx, account: AccountId, change: impl FnOnce(&mut PayerRow) -> T) -> Result<T, StoreError> {
    let mut row = load_payer(tx, account)?.ok_or(Code::NotFound)?;
    let outcome = change(&mut row);
    let usage = &row.payer.usage;
    tx.put_known(
        "UPDATE accounts SET paid_life_minor = ?2, usage_year = ?3, paid_year_minor = ?4, usage_day = ?5, paid_day_minor = ?6,
             paid_day_look_only_minor = ?7, look_only_run = ?8, usage_night = ?9, paid_night_minor = ?10, last_activity = ?11, last_query = ?12,
             paid_day_phone_minor = ?13
         WHERE id = ?1",
        (
            Bits(account.bits()),
            usage.life_minor,
            usage.year,
            usage.year_minor,
            usage.day,
            usage.day_minor,
            usage.day_look_only_minor,
            usage.look_only_run,
            usage.night,
            usage.night_minor,
            row.last_activity,
            row.last_query,
            usage.day_phone_minor,
        ),
        &PAYER,
        (0, account.bits()),
        Some(row),
    )?;
    Ok(outcome)
}

/// The hashes of an account's passcode and of the one that its owner gives under threat, if it has them.
#[derive(Default)]
pub(crate) struct PasscodeHashes {
    pub(crate) own: Option<Secret<String>>,
    pub(crate) duress: Option<Secret<String>>,
}

/// An account's hashes.
pub(crate) fn passcode_hashes(tx: &Tx, account: AccountId) -> Result<PasscodeHashes, StoreError> {
    let hashes = tx.find("SELECT passcode_hash, duress_hash FROM accounts WHERE id = ?1", [Bits(account.bits())], |row| {
        let secret = |at| Ok::<_, DbError>(row.get::<Option<String>>(at)?.map(Secret::new));
        Ok(PasscodeHashes { own: secret(0)?, duress: secret(1)? })
    })?;
    Ok(hashes.unwrap_or_default())
}

/// Stores the hash of the passcode given under threat; none takes it away.
pub(crate) fn set_duress_hash(tx: &Tx, account: AccountId, hash: Option<&Secret<String>>) -> Result<(), StoreError> {
    tx.execute("UPDATE accounts SET duress_hash = ?2 WHERE id = ?1", (Bits(account.bits()), hash.map(Secret::expose)))?;
    Ok(())
}

/// Freezes or thaws an account.
pub(crate) fn set_frozen(tx: &Tx, account: AccountId, frozen: bool) -> Result<(), StoreError> {
    tx.execute("UPDATE accounts SET frozen = ?2 WHERE id = ?1", (Bits(account.bits()), frozen))?;
    Ok(())
}

/// Closes an account for good.
pub(crate) fn set_closed(tx: &Tx, account: AccountId) -> Result<(), StoreError> {
    tx.execute("UPDATE accounts SET closed = 1 WHERE id = ?1", [Bits(account.bits())])?;
    Ok(())
}

/// Adds a decision about limits.
pub(crate) fn add_limits(tx: &Tx, account: AccountId, change: &LimitChange, now: Timestamp) -> Result<(), StoreError> {
    let OwnerLimits { payment_max_minor, day_max_minor, night_max_minor, passcode_always } = change.limits;
    tx.execute(
        "INSERT INTO account_limits (account, payment_max_minor, day_max_minor, night_max_minor, passcode_always, effective_at, decided_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (Bits(account.bits()), payment_max_minor, day_max_minor, night_max_minor, passcode_always, At(change.effective_at), At(now)),
    )?;
    Ok(())
}

const LIMITS: &str =
    "SELECT payment_max_minor, day_max_minor, night_max_minor, passcode_always, effective_at FROM account_limits WHERE account = ?1";

/// The newest decision about limits that counts at `now`.
pub(crate) fn limits_in_force(tx: &Tx, account: AccountId, now: Timestamp) -> Result<OwnerLimits, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| format!("{LIMITS} ORDER BY sequence DESC"));
    let all = tx.recall_rows(&OWNER_LIMITS, (0, account.bits()), &SQL, [Bits(account.bits())], read_limits)?;
    Ok(all.iter().find(|change| change.effective_at <= now).map(|change| change.limits).unwrap_or_default())
}

/// The newest decision of all, if it does not count yet.
pub(crate) fn limits_waiting(tx: &Tx, account: AccountId, now: Timestamp) -> Result<Option<LimitChange>, StoreError> {
    let newest = tx.find(&format!("{LIMITS} ORDER BY sequence DESC LIMIT 1"), [Bits(account.bits())], read_limits)?;
    Ok(newest.filter(|change| change.effective_at > now))
}

fn read_limits(row: &Row) -> Result<LimitChange, DbError> {
    let limits = OwnerLimits {
        payment_max_minor: row.get(0)?,
        day_max_minor: row.get(1)?,
        night_max_minor: row.get(2)?,
        passcode_always: row.get(3)?,
    };
    Ok(LimitChange { limits, effective_at: row.get::<At>(4)?.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Connection, Location, Role};

    #[test]
    fn a_payer_is_found_without_reading_others() {
        let directory = tempfile::tempdir().expect("a directory");
        let connection = Connection::open(&Location::Sqlite(directory.path().join("platform.db")), Role::Writer).expect("opens");
        crate::migrate::migrate(&connection).expect("from nothing");
        let plan = Tx(&connection).list(&format!("EXPLAIN QUERY PLAN {PAYER_ROW}"), [Bits(1)], |row| row.get::<String>(3));
        let plan = plan.expect("explains").join("; ");
        assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{plan}");
    }
}
