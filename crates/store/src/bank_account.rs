//! Merchants' bank accounts: asked for by the merchant, approved by staff, in force after a while, with notice at each step.

use base::id::{BankAccountId, MerchantId};
use base::time::Timestamp;
use payments::refusal::Refusal;
use payments::settlement::bank_account::{self as rules_of, BankAccount, STATUSES, status_name};
use rand_core::CryptoRng;
use wire::api::List;
use wire::merchant::{EventData, EventType};
use wire::problem::Code;
use wire::settlement::{self as api, BankAccountStatus};

use crate::Store;
use crate::activity::LIST_MAX;
use crate::alert::{self, MerchantKind};
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::event;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits, Name};

/// How staff decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The merchant was asked back at the number on file and wants it.
    Approve,
    /// Not to be paid to.
    Reject,
}

impl Store {
    /// A merchant asks to be paid out to another bank account: 201 with [`api::BankAccount`], or `invalid_request`, and
    /// `too_many` while another one waits. Until it is in force, payouts go where they went. Staff and all of the merchant's
    /// endpoints are told.
    pub fn request_bank_account(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        new: &api::NewBankAccount,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let id = BankAccountId::new(now, rng);
        self.once("request_bank_account", idempotency, Keep::Day, now, |tx| {
            rules_of::check_new(new)?;
            let waiting = "SELECT 1 FROM bank_accounts WHERE merchant = ?1 AND status = 'waiting'";
            if tx.find(waiting, [Bits(merchant.bits())], |_| Ok(()))?.is_some() {
                return Err(Code::TooMany.into());
            }
            let shared = "SELECT 1 FROM bank_accounts WHERE account_number = ?1 AND merchant <> ?2 LIMIT 1";
            if tx.find(shared, (new.account_number.expose(), Bits(merchant.bits())), |_| Ok(()))?.is_some() {
                alert::raise_about(tx, MerchantKind::BankAccountShared, merchant, now)?;
            }
            tx.execute(
                "INSERT INTO bank_accounts (id, merchant, holder_name, bank_code, account_number, status, requested_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    Bits(id.bits()),
                    Bits(merchant.bits()),
                    &new.holder_name,
                    &new.bank_code,
                    new.account_number.expose(),
                    status_name(BankAccountStatus::Waiting),
                    At(now),
                ),
            )?;
            alert::raise_about(tx, MerchantKind::BankAccountRequested, merchant, now)?;
            let shown = tell(tx, merchant, id, EventType::BankAccountRequested, now)?;
            Ok(Answer::of(201, &shown))
        })
    }

    /// The merchant takes one back that is not paid to yet: 200 with [`api::BankAccount`], or `not_found`, `state_conflict`.
    pub fn withdraw_bank_account(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: BankAccountId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("withdraw_bank_account", idempotency, Keep::Day, now, |tx| {
            let (_, before, _) = load_of(tx, merchant, id)?;
            save(tx, id, before.withdraw(now)?, None, None, now)?;
            Ok(Answer::of(200, &tell(tx, merchant, id, EventType::BankAccountWithdrawn, now)?))
        })
    }

    /// Staff decides about one that waits: `not_found`, `state_conflict`. `by` is who, `reason` why, for the record; the
    /// merchant reads the reason of a rejection.
    pub fn decide_bank_account(
        &self,
        id: BankAccountId,
        decision: Decision,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<api::BankAccount, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("decide_bank_account", |tx| {
            let (merchant, before, _) = load(tx, id)?;
            let (after, kind) = match decision {
                Decision::Approve => (before.approve(rules, now)?, EventType::BankAccountApproved),
                Decision::Reject => (before.reject()?, EventType::BankAccountRejected),
            };
            save(tx, id, after, Some(by), Some(reason), now)?;
            tell(tx, merchant, id, kind, now)
        })
    }

    /// The merchant's bank accounts of whatever status, newest first, older than `starting_after`; at most `limit`, and at
    /// most 100.
    pub fn bank_accounts(
        &self,
        merchant: MerchantId,
        starting_after: Option<BankAccountId>,
        limit: u32,
    ) -> Result<List<api::BankAccount>, StoreError> {
        self.read(|tx| {
            let before = starting_after.map_or(u128::MAX, BankAccountId::bits);
            let limit = limit.clamp(1, LIST_MAX);
            let sql = format!("{BANK_ACCOUNTS} WHERE merchant = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
            let mut data = tx.list(&sql, (Bits(merchant.bits()), Bits(before), limit + 1), |row| Ok(read(row)?.2))?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }

    /// One of them, or `not_found`.
    pub fn bank_account(&self, merchant: MerchantId, id: BankAccountId) -> Result<api::BankAccount, StoreError> {
        self.read(|tx| Ok(load_of(tx, merchant, id)?.2))
    }
}

/// Where the merchant is paid out to: the one that came into force last.
pub(crate) fn in_force(tx: &Tx, merchant: MerchantId, now: Timestamp) -> Result<Option<BankAccountId>, StoreError> {
    let sql = "SELECT id FROM bank_accounts WHERE merchant = ?1 AND status = 'approved' AND effective_at <= ?2
         ORDER BY effective_at DESC, id DESC LIMIT 1";
    let found: Option<Bits> = tx.find(sql, (Bits(merchant.bits()), At(now)), |row| row.get(0))?;
    Ok(found.map(|bits| BankAccountId::from_bits(bits.0)))
}

const BANK_ACCOUNTS: &str =
    "SELECT merchant, id, holder_name, bank_code, account_number, status, requested_at, decided_at, effective_at, reason
     FROM bank_accounts";

type Loaded = (MerchantId, BankAccount, api::BankAccount);

fn load(tx: &Tx, id: BankAccountId) -> Result<Loaded, StoreError> {
    tx.find(&format!("{BANK_ACCOUNTS} WHERE id = ?1"), [Bits(id.bits())], read)?.ok_or(Code::NotFound.into())
}

fn load_of(tx: &Tx, merchant: MerchantId, id: BankAccountId) -> Result<Loaded, StoreError> {
    let found = load(tx, id)?;
    if found.0 == merchant { Ok(found) } else { Err(Refusal::from(Code::NotFound).into()) }
}

fn read(row: &Row) -> Result<Loaded, DbError> {
    let status = row.get::<Name>(5)?.read(|name| STATUSES.into_iter().find(|status| status_name(*status) == name))?;
    let number: String = row.get(4)?;
    let effective_at = row.get::<Option<At>>(8)?.map(|at| at.0);
    let shown = api::BankAccount {
        id: BankAccountId::from_bits(row.get::<Bits>(1)?.0),
        holder_name: row.get(2)?,
        bank_code: row.get(3)?,
        account_last4: number[number.len().saturating_sub(4)..].to_owned(),
        status,
        requested_at: row.get::<At>(6)?.0,
        decided_at: row.get::<Option<At>>(7)?.map(|at| at.0),
        effective_at,
        reason: row.get::<Option<String>>(9)?.filter(|_| status == BankAccountStatus::Rejected),
    };
    Ok((MerchantId::from_bits(row.get::<Bits>(0)?.0), BankAccount { status, effective_at }, shown))
}

fn save(tx: &Tx, id: BankAccountId, after: BankAccount, by: Option<&str>, reason: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE bank_accounts SET status = ?2, effective_at = ?3, decided_at = ?4, decided_by = coalesce(?5, decided_by), reason = coalesce(?6, reason)
         WHERE id = ?1",
        (Bits(id.bits()), status_name(after.status), after.effective_at.map(At), At(now), by, reason),
    )?;
    Ok(())
}

/// Writes the event of what became of a bank account.
fn tell(tx: &Tx, merchant: MerchantId, id: BankAccountId, kind: EventType, now: Timestamp) -> Result<api::BankAccount, StoreError> {
    let (_, _, shown) = load(tx, id)?;
    let data = EventData { bank_account: Some(shown.clone()), ..EventData::default() };
    event::record_data(tx, merchant, kind, data, id.bits(), now)?;
    Ok(shown)
}
