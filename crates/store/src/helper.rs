//! Trusted helpers as rows: asking, agreeing, looking, freezing, ending.

use base::id::{AccountId, HelperId};
use base::time::Timestamp;
use payments::account::helper::{Helper, check_count};
use payments::account::{check_phone, mask_phone};
use payments::rules::RulePack;
use rand_core::CryptoRng;
use wire::api::List;
use wire::helper::{self as api, HelperRole, NewHelper};
use wire::passkey::NoticeKind;
use wire::problem::Code;

use crate::db::{DbError, Params, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits};
use crate::{Store, account_rows, activity, notice, owner};

/// Movements that a helper sees.
const SHOWN: u32 = 20;

impl Store {
    /// Asks whoever has this number to help, with the passcode: 201 with [`api::Helper`], the same whether or not the number
    /// has an account; or `invalid_request`, `state_conflict` (too many, asked before, or one's own number),
    /// `passcode_wrong`, `passcode_locked`.
    pub fn invite_helper(
        &self,
        idempotency: &Idempotency,
        owner: AccountId,
        new: &NewHelper,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        let id = HelperId::new(now, rng);
        self.with_passcode("invite_helper", idempotency, owner, &new.passcode, now, |tx| {
            check_phone(&new.phone)?;
            let phone = new.phone.expose();
            let standing = standing(tx, "owner = ?1", [Bits(owner.bits())], rules, now)?;
            check_count(standing.len(), rules)?;
            if phone_of(tx, owner)? == *phone || standing.iter().any(|row| row.phone == *phone) {
                return Err(Code::StateConflict.into());
            }
            tx.execute(
                "INSERT INTO helpers (id, owner, phone, invited_at) VALUES (?1, ?2, ?3, ?4)",
                (Bits(id.bits()), Bits(owner.bits()), phone, At(now)),
            )?;
            Ok(Answer::of(201, &render(tx, &load(tx, id)?, owner)?))
        })
    }

    /// Those who help `account`, then those whom it helps or is asked to help.
    pub fn helpers(&self, account: AccountId, now: Timestamp) -> Result<List<api::Helper>, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| {
            let mut rows = standing(tx, "owner = ?1", [Bits(account.bits())], rules, now)?;
            rows.extend(standing(tx, "phone = ?1", [phone_of(tx, account)?], rules, now)?);
            let data = rows.iter().map(|row| render(tx, row, account)).collect::<Result<_, _>>()?;
            Ok(List { data, has_more: false })
        })
    }

    /// Whoever was asked agrees: 200 with [`api::Helper`], or `not_found`, `state_conflict`.
    pub fn accept_helper(&self, idempotency: &Idempotency, account: AccountId, id: HelperId, now: Timestamp) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("accept_helper", idempotency, Keep::Day, now, |tx| {
            let row = load(tx, id)?;
            if row.phone != phone_of(tx, account)? {
                return Err(Code::NotFound.into());
            }
            row.helper.accept(account, rules, now)?;
            tx.execute("UPDATE helpers SET helper = ?2, accepted_at = ?3 WHERE id = ?1", (Bits(id.bits()), Bits(account.bits()), At(now)))?;
            Ok(Answer::of(200, &render(tx, &load(tx, id)?, account)?))
        })
    }

    /// Either of the two ends it, or whoever was asked says no: 204, or `not_found`.
    pub fn end_helper(&self, idempotency: &Idempotency, account: AccountId, id: HelperId, now: Timestamp) -> Result<Answer, StoreError> {
        self.once("end_helper", idempotency, Keep::Day, now, |tx| {
            let row = load(tx, id)?;
            if row.helper.owner != account && row.phone != phone_of(tx, account)? {
                return Err(Code::NotFound.into());
            }
            tx.execute("UPDATE helpers SET ended_at = ?2, phone = '' WHERE id = ?1", (Bits(id.bits()), At(now)))?;
            Ok(Answer::empty(204))
        })
    }

    /// What a helper sees of the account, or `not_found`.
    pub fn helped(&self, account: AccountId, id: HelperId, now: Timestamp) -> Result<api::Helped, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| helped(tx, &as_helper(tx, account, id)?, account, rules, now))
    }

    /// A helper freezes the account: 200 with [`api::Helped`], or `not_found`. Thawing takes the owner's passcode.
    pub fn freeze_helped(&self, idempotency: &Idempotency, account: AccountId, id: HelperId, now: Timestamp) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("freeze_helped", idempotency, Keep::Day, now, |tx| {
            let row = as_helper(tx, account, id)?;
            owner::freeze_account(tx, row.helper.owner, rules, now)?;
            notice::record(tx, row.helper.owner, NoticeKind::HelperFroze, now)?;
            tx.execute("UPDATE helpers SET froze_at = ?2 WHERE id = ?1", (Bits(id.bits()), At(now)))?;
            Ok(Answer::of(200, &helped(tx, &load(tx, id)?, account, rules, now)?))
        })
    }
}

/// Ends all ties of an account that is closed.
pub(crate) fn end_all(tx: &Tx, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE helpers SET ended_at = ?2, phone = '' WHERE ended_at IS NULL AND (owner = ?1 OR phone = (SELECT phone FROM accounts WHERE id = ?1))",
        (Bits(account.bits()), At(now)),
    )?;
    Ok(())
}

/// A tie with the number of whoever was asked, which is empty once it has ended.
struct Tie {
    helper: Helper,
    phone: String,
}

const TIES: &str = "SELECT id, owner, phone, helper, invited_at, accepted_at, froze_at, ended_at FROM helpers";

fn read(row: &Row) -> Result<Tie, DbError> {
    let helper = Helper {
        id: HelperId::from_bits(row.get::<Bits>(0)?.0),
        owner: AccountId::from_bits(row.get::<Bits>(1)?.0),
        helper: row.get::<Option<Bits>>(3)?.map(|bits| AccountId::from_bits(bits.0)),
        invited_at: row.get::<At>(4)?.0,
        accepted_at: row.get::<Option<At>>(5)?.map(|at| at.0),
        froze_at: row.get::<Option<At>>(6)?.map(|at| at.0),
        ended_at: row.get::<Option<At>>(7)?.map(|at| at.0),
    };
    Ok(Tie { helper, phone: row.get(2)? })
}

fn load(tx: &Tx, id: HelperId) -> Result<Tie, StoreError> {
    tx.find(&format!("{TIES} WHERE id = ?1 AND ended_at IS NULL"), [Bits(id.bits())], read)?.ok_or(Code::NotFound.into())
}

/// The tie in which `account` helps now.
fn as_helper(tx: &Tx, account: AccountId, id: HelperId) -> Result<Tie, StoreError> {
    let tie = load(tx, id)?;
    if tie.helper.is_helped_by(account) { Ok(tie) } else { Err(Code::NotFound.into()) }
}

/// The ties that count now and fit `condition`, oldest first.
fn standing(tx: &Tx, condition: &str, params: impl Params, rules: &RulePack, now: Timestamp) -> Result<Vec<Tie>, StoreError> {
    let mut ties = tx.list(&format!("{TIES} WHERE {condition} AND ended_at IS NULL ORDER BY id"), params, read)?;
    ties.retain(|tie| tie.helper.stands(rules, now));
    Ok(ties)
}

fn phone_of(tx: &Tx, account: AccountId) -> Result<String, StoreError> {
    Ok(tx.one("SELECT phone FROM accounts WHERE id = ?1", [Bits(account.bits())], |row| row.get(0))?)
}

/// The tie as `reader` sees it.
fn render(tx: &Tx, tie: &Tie, reader: AccountId) -> Result<api::Helper, StoreError> {
    let Helper { id, owner, helper, invited_at, accepted_at, froze_at, .. } = tie.helper;
    let (role, other) = if owner == reader { (HelperRole::HelpsMe, helper) } else { (HelperRole::IHelp, Some(owner)) };
    let name_of = |account: AccountId| tx.one("SELECT name FROM accounts WHERE id = ?1", [Bits(account.bits())], |row| row.get(0));
    let phone = if role == HelperRole::HelpsMe { tie.phone.clone() } else { phone_of(tx, owner)? };
    let name = other.map(name_of).transpose()?;
    Ok(api::Helper { id, role, name, phone_masked: mask_phone(&phone), invited_at, accepted_at, froze_at })
}

fn helped(tx: &Tx, tie: &Tie, reader: AccountId, rules: &RulePack, now: Timestamp) -> Result<api::Helped, StoreError> {
    Ok(api::Helped {
        helper: render(tx, tie, reader)?,
        frozen: account_rows::payer(tx, tie.helper.owner, now)?.frozen,
        notable_payment_minor: rules.helpers.notable_payment_minor,
        activity: activity::page(tx, tie.helper.owner, None, SHOWN)?.data,
    })
}
