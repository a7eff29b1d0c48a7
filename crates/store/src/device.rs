//! A shopper's devices: bound at first, added with the approval of one that is bound, bound anew after a loss; taken away, and
//! their approvals frozen. What a device approves for an account, and the log that its owner reads of it.

use base::id::{AccountId, PasskeyId};
use base::secret::Secret;
use base::time::Timestamp;
use payments::account::check_name;
use payments::passkey::{Action, Subject, SubjectKind};
use payments::rules::RulePack;
use rand_core::CryptoRng;
use wire::passkey::NoticeKind;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::notice;
use crate::passkey::{self, Answered, Registered};
use crate::row::{At, Bits};
use crate::{Store, account_read, session, voucher};

/// What proves that a device may be bound.
#[derive(Clone, Debug)]
pub enum Proof {
    /// That the account is new and has never had one.
    New,
    /// The approval of a bound device.
    Approval(Answered),
    /// The passcode, because no device is left.
    Passcode(Secret<String>),
}

/// The account as a subject.
pub fn subject(account: AccountId) -> Subject {
    Subject { kind: SubjectKind::Account, id: account.bits() }
}

/// Binding a second device, the one that answers this challenge.
pub fn add_device(challenge: &[u8; 16]) -> Action {
    Action::new("add_device", &[challenge])
}

impl Store {
    /// Opens a session for whoever has the device: `passkey_unknown` (also of a closed account, and while devices are frozen),
    /// `passkey_invalid`, `approval_used`, `approval_expired`, `approval_mismatch`.
    pub fn sign_in_by_passkey(
        &self,
        answered: &Answered,
        token_sha256: &[u8; 32],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<AccountId, StoreError> {
        self.run_tx("sign_in_by_passkey", |tx| {
            let device = passkey::answer(tx, answered, &Action::sign_in(), now)?;
            let account = AccountId::from_bits(device.subject.id);
            let standing = standing(tx, account)?;
            if standing.frozen || standing.closed {
                return Err(Code::PasskeyUnknown.into());
            }
            session::insert(tx, account, token_sha256, expires_at, now)?;
            Ok(account)
        })
    }

    /// Binds a device: 201 with [`wire::passkey::Passkey`]. The first of a new account needs no more; a further one the
    /// approval of a bound one; one in place of those that are lost the passcode, and then all others are taken away, the new
    /// one approves nothing in the cooling-off time, and limits are half for a while. `approval_required` if the proof is not
    /// the one that is due, `too_many`, `passkey_taken`, `passcode_wrong`, `passcode_locked`, and as
    /// [`Store::sign_in_by_passkey`].
    #[expect(clippy::too_many_arguments, reason = "each is one thing that binding needs")]
    pub fn bind_device(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        name: &str,
        new: &Registered,
        proof: &Proof,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let id = PasskeyId::new(now, rng);
        let rules = self.rules(now)?;
        let cooling_ms = rules.devices.cooling_off_s * 1000;
        let bind = |tx: &Tx, approves_from: Timestamp, kind: NoticeKind| {
            check_name(&Secret::new(name.to_owned()))?;
            let subject = subject(account);
            if passkey::list(tx, subject)?.len() >= rules.devices.devices_max as usize {
                return Err(Code::TooMany.into());
            }
            passkey::register(tx, id, subject, name, new, approves_from, now)?;
            tx.execute("UPDATE accounts SET device_bound_at = ?2 WHERE id = ?1", (Bits(account.bits()), At(now)))?;
            notice::record(tx, account, kind, now)?;
            let bound = passkey::list(tx, subject)?.into_iter().find(|device| device.id == id).ok_or(Code::Internal)?;
            Ok(Answer::of(201, &bound))
        };
        match proof {
            Proof::New => self.once("bind_device", idempotency, Keep::Day, now, |tx| {
                let is_first = standing(tx, account)?.may_bind_first(rules, now);
                if is_first { bind(tx, now, NoticeKind::DeviceBound) } else { Err(Code::ApprovalRequired.into()) }
            }),
            Proof::Approval(approval) => self.once("bind_device", idempotency, Keep::Day, now, |tx| {
                approve(tx, account, Some(approval), &add_device(&new.challenge), now)?;
                bind(tx, now, NoticeKind::DeviceBound)
            }),
            Proof::Passcode(passcode) => self.with_passcode("bind_device", idempotency, account, passcode, now, |tx| {
                let standing = standing(tx, account)?;
                if !standing.frozen && !passkey::list(tx, subject(account))?.is_empty() {
                    return Err(Code::ApprovalRequired.into());
                }
                passkey::revoke_all(tx, subject(account), now)?;
                let sql = "UPDATE accounts SET approvals_frozen = 0, rebound_at = ?2 WHERE id = ?1";
                tx.execute(sql, (Bits(account.bits()), At(now)))?;
                bind(tx, now.plus_millis(cooling_ms), NoticeKind::DeviceRebound)
            }),
        }
    }

    /// Takes a device away, with the passcode: 200 with [`wire::api::Me`], or `not_found`, `passcode_wrong`, `passcode_locked`.
    pub fn remove_device(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        device: PasskeyId,
        passcode: &Secret<String>,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.with_passcode("remove_device", idempotency, account, passcode, now, |tx| {
            passkey::revoke(tx, subject(account), device, now)?;
            notice::record(tx, account, NoticeKind::DeviceRemoved, now)?;
            voucher::stop(tx, account, rules, now)?;
            Ok(Answer::of(200, &account_read::me(tx, account, rules, now)?))
        })
    }

    /// From now on no device approves anything or signs in: 200 with [`wire::api::Me`]. Needs no more than being signed in, so that
    /// it takes seconds.
    pub fn freeze_approvals(&self, idempotency: &Idempotency, account: AccountId, now: Timestamp) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("freeze_approvals", idempotency, Keep::Day, now, |tx| {
            set_frozen(tx, account, true)?;
            voucher::stop(tx, account, rules, now)?;
            notice::record(tx, account, NoticeKind::ApprovalsFrozen, now)?;
            Ok(Answer::of(200, &account_read::me(tx, account, rules, now)?))
        })
    }

    /// The devices are found: they sign in again, with the passcode, and approve again after the cooling-off time: 200 with
    /// [`wire::api::Me`], or `passcode_wrong`, `passcode_locked`.
    pub fn thaw_approvals(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        passcode: &Secret<String>,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.with_passcode("thaw_approvals", idempotency, account, passcode, now, |tx| {
            if standing(tx, account)?.frozen {
                set_frozen(tx, account, false)?;
                let approves_from = now.plus_millis(rules.devices.cooling_off_s * 1000);
                passkey::approve_from(tx, subject(account), approves_from)?;
                notice::record(tx, account, NoticeKind::ApprovalsThawed, now)?;
            }
            Ok(Answer::of(200, &account_read::me(tx, account, rules, now)?))
        })
    }
}

/// Takes the approval of one of the account's devices for `action`: `approval_required` without one, `device_missing` if no
/// device may approve, and as [`passkey::approve`].
pub(crate) fn approve(tx: &Tx, account: AccountId, given: Option<&Answered>, action: &Action, now: Timestamp) -> Result<(), StoreError> {
    if standing(tx, account)?.frozen || !passkey::list(tx, subject(account))?.iter().any(|device| device.approves_from <= now) {
        return Err(Code::DeviceMissing.into());
    }
    passkey::approve(tx, given.ok_or(Code::ApprovalRequired)?, subject(account), action, now)
}

/// What binding depends on.
pub(crate) struct Standing {
    pub(crate) frozen: bool,
    closed: bool,
    device_bound_at: Option<Timestamp>,
    opened_at: Timestamp,
}

impl Standing {
    /// Whether the account is new and never had a device.
    pub(crate) fn may_bind_first(&self, rules: &RulePack, now: Timestamp) -> bool {
        !self.closed && self.device_bound_at.is_none() && now < self.opened_at.plus_millis(rules.devices.first_device_s * 1000)
    }
}

pub(crate) fn standing(tx: &Tx, account: AccountId) -> Result<Standing, StoreError> {
    let sql = "SELECT approvals_frozen, device_bound_at, created_at, closed FROM accounts WHERE id = ?1";
    let found = tx.find(sql, [Bits(account.bits())], |row| {
        Ok(Standing {
            frozen: row.get(0)?,
            closed: row.get(3)?,
            device_bound_at: row.get::<Option<At>>(1)?.map(|at| at.0),
            opened_at: row.get::<At>(2)?.0,
        })
    })?;
    found.ok_or(Code::NotFound.into())
}

fn set_frozen(tx: &Tx, account: AccountId, frozen: bool) -> Result<(), StoreError> {
    tx.execute("UPDATE accounts SET approvals_frozen = ?2 WHERE id = ?1", (Bits(account.bits()), frozen))?;
    Ok(())
}
