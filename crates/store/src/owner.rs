//! What owners set for their accounts: limits, freezing, the passcode given under threat, closing.

use base::id::AccountId;
use base::secret::Secret;
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::account::limits::OwnerLimits;
use payments::passcode::{self, Given};
use payments::refusal::Refusal;
use payments::rules::RulePack;
use rand_core::CryptoRng;
use wire::api::{NewDuressPasscode, Passcode};
use wire::dispute::{Limits, NewLimits};
use wire::passkey::NoticeKind;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::passkey::Answered;
use crate::{Store, account, account_read, account_rows, approval, enrolment, helper, notice, place, posting, voucher};

impl Store {
    /// Sets the owner's own limits: 200 with [`Limits`], or `invalid_request`. Lower ones count at once, higher ones after
    /// the rules' delay, and with the approval of a bound device where there is one: `approval_required`, `device_missing`,
    /// `passkey_unknown`, `passkey_invalid`, `approval_used`, `approval_expired`, `approval_mismatch`.
    pub fn set_limits(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        new: &NewLimits,
        approval: Option<&Answered>,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("set_limits", idempotency, Keep::Day, now, |tx| {
            let standing = account_rows::limits_in_force(tx, account, now)?;
            let changes = standing.change(from_wire(new), rules, now)?;
            if standing.raises(from_wire(new)) {
                approval::approve_if_bound(tx, account, approval, &approval::limits_action(new), now)?;
                notice::record(tx, account, NoticeKind::LimitsRaised, now)?;
            }
            for change in changes {
                account_rows::add_limits(tx, account, &change, now)?;
            }
            Ok(Answer::of(200, &limits(tx, account, now)?))
        })
    }

    /// The owner's own limits.
    pub fn limits(&self, account: AccountId, now: Timestamp) -> Result<Limits, StoreError> {
        self.read(|tx| limits(tx, account, now))
    }

    /// Freezes the account: 200 with [`wire::api::Me`]. No payment leaves it until it is thawed; a look at a till is refused.
    pub fn freeze(&self, idempotency: &Idempotency, account: AccountId, now: Timestamp) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("freeze", idempotency, Keep::Day, now, |tx| {
            freeze_account(tx, account, rules, now)?;
            Ok(Answer::of(200, &account_read::me(tx, account, rules, now)?))
        })
    }

    /// Thaws it with the passcode: 200 with [`wire::api::Me`], or `passcode_wrong`, `passcode_locked`. Takes some 40 ms for
    /// the hashes.
    pub fn thaw(&self, idempotency: &Idempotency, account: AccountId, given: &Passcode, now: Timestamp) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.with_passcode("thaw", idempotency, account, &given.passcode, now, |tx| {
            account_rows::set_frozen(tx, account, false)?;
            Ok(Answer::of(200, &account_read::me(tx, account, rules, now)?))
        })
    }

    /// Sets or takes away the passcode given under threat: 204 without a body, so that nobody who looks on learns whether
    /// there is one; or `passcode_wrong`, `passcode_locked`, `passcode_weak` (also if it is the passcode itself).
    pub fn set_duress_passcode(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        new: &NewDuressPasscode,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        if let Some(answer) = self.replay(idempotency)? {
            return Ok(answer);
        }
        let duress = new.duress_passcode.as_ref();
        if duress.is_some_and(|duress| passcode::check_form(duress).is_err()) {
            return Err(Refusal::of_field(Code::InvalidRequest, "duress_passcode").into());
        }
        let hash = match duress {
            None => Ok(None),
            Some(duress) if duress.expose() == new.passcode.expose() => Err(Refusal::of_field(Code::PasscodeWeak, "duress_passcode")),
            Some(duress) => passcode::check_new(duress).map(|()| Some(self.shared.passcodes.hash(duress, &account::random(rng)))),
        };
        self.with_passcode("set_duress_passcode", idempotency, account, &new.passcode, now, |tx| {
            account_rows::set_duress_hash(tx, account, hash?.as_ref())?;
            Ok(Answer::empty(204))
        })
    }

    /// Closes the account for good, with the passcode and, where there is one, the approval of a bound device: 200 with
    /// [`wire::api::Me`], or `passcode_wrong`, `passcode_locked`, `balance_remains`, and as [`Store::set_limits`]. The face is deleted; what the law asks to keep is kept.
    pub fn close_account(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        passcode: &Secret<String>,
        approval: Option<&Answered>,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.with_passcode("close_account", idempotency, account, passcode, now, |tx| {
            approval::approve_if_bound(tx, account, approval, &approval::close(), now)?;
            voucher::stop(tx, account, rules, now)?;
            if posting::has_money(tx, AccountKey::wallet(account))? {
                return Err(Code::BalanceRemains.into());
            }
            account_rows::set_closed(tx, account)?;
            helper::end_all(tx, account, now)?;
            enrolment::delete_standing(tx, account, rules, now)?;
            place::end(tx, account)?;
            Ok(Answer::of(200, &account_read::me(tx, account, rules, now)?))
        })
    }

    /// Does `work` once if the passcode is right; a wrong one counts on the ladder that till and sign-in share.
    pub(crate) fn with_passcode(
        &self,
        name: &'static str,
        idempotency: &Idempotency,
        account: AccountId,
        passcode: &Secret<String>,
        now: Timestamp,
        work: impl FnOnce(&Tx) -> Result<Answer, StoreError>,
    ) -> Result<Answer, StoreError> {
        if let Some(answer) = self.replay(idempotency)? {
            return Ok(answer);
        }
        let rules = self.rules(now)?;
        let hashes = self.read(|tx| account_rows::passcode_hashes(tx, account))?;
        let given = self.shared.passcodes.judge(passcode, hashes.own.as_ref(), hashes.duress.as_ref());
        self.once(name, idempotency, Keep::Day, now, |tx| {
            // What cannot be a passcode is no try.
            passcode::check_form(passcode)?;
            let payer = account_rows::payer(tx, account, now)?;
            if payer.ladder.is_locked(now) {
                return Err(Code::PasscodeLocked.into());
            }
            // Only the owner's own passcode changes anything here: whoever threatens must not thaw or close.
            let right = given == Given::Right;
            let ladder = payer.ladder.after_try(right, &rules.passcode, now);
            account_rows::save_ladder(tx, account, &ladder)?;
            if right {
                return work(tx);
            }
            // An answer and not an error, so that the try stays counted.
            let attempts_left = Some(ladder.attempts_left(&rules.passcode, now));
            Ok(Answer::refusal(&Refusal { attempts_left, ..Code::PasscodeWrong.into() }))
        })
    }
}

/// No money leaves the account until it is thawed, whoever freezes it; what was set aside for vouchers is free again.
pub(crate) fn freeze_account(tx: &Tx, account: AccountId, rules: &RulePack, now: Timestamp) -> Result<(), StoreError> {
    account_rows::set_frozen(tx, account, true)?;
    voucher::stop(tx, account, rules, now)
}

fn limits(tx: &Tx, account: AccountId, now: Timestamp) -> Result<Limits, StoreError> {
    let waiting = account_rows::limits_waiting(tx, account, now)?;
    Ok(Limits {
        standing: to_wire(account_rows::limits_in_force(tx, account, now)?),
        next_from: waiting.map(|change| change.effective_at),
        next: waiting.map(|change| to_wire(change.limits)),
    })
}

pub(crate) fn from_wire(limits: &NewLimits) -> OwnerLimits {
    let NewLimits { payment_max_minor, day_max_minor, night_max_minor, passcode_always } = *limits;
    OwnerLimits { payment_max_minor, day_max_minor, night_max_minor, passcode_always }
}

fn to_wire(limits: OwnerLimits) -> NewLimits {
    let OwnerLimits { payment_max_minor, day_max_minor, night_max_minor, passcode_always } = limits;
    NewLimits { payment_max_minor, day_max_minor, night_max_minor, passcode_always }
}
