//! An account as its owner sees it.

use base::id::AccountId;
use base::time::Timestamp;
use payments::account::mask_phone;
use payments::rules::RulePack;
use wire::api;
use wire::problem::Code;

use crate::db::Tx;
use crate::error::StoreError;
use crate::row::Bits;
use crate::{Store, account_rows, approval, consent_rows, device, enrolment, notice, passkey, voucher};

impl Store {
    /// The account as its owner sees it; `not_found` without one.
    pub fn me(&self, account: AccountId, now: Timestamp) -> Result<api::Me, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| me(tx, account, rules, now))
    }
}

pub(crate) fn me(tx: &Tx, account: AccountId, rules: &RulePack, now: Timestamp) -> Result<api::Me, StoreError> {
    let payer = account_rows::payer(tx, account, now)?;
    let person: Option<(String, String)> =
        tx.find("SELECT name, phone FROM accounts WHERE id = ?1", [Bits(account.bits())], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (name, phone) = person.ok_or(Code::NotFound)?;
    Ok(api::Me {
        id: account,
        name,
        phone_masked: mask_phone(&phone),
        identity_class: payer.class,
        class_remaining_minor: payer.person_usage().class_remaining_minor(payer.class, rules, now),
        look_only_max_minor: rules.strength.look_only_payment_max_minor,
        balance_minor: payer.balance_minor,
        set_aside_minor: voucher::set_aside_minor(tx, account)?,
        currency: rules.currency,
        paused: payer.paused,
        frozen: payer.frozen,
        closed: payer.closed,
        undo_window_s: rules.undo.window_s,
        undo_payment_max_minor: rules.undo.payment_max_minor,
        consents: consent_rows::standing(tx, account)?,
        enrolment: enrolment::standing(tx, account)?,
        devices: passkey::list(tx, device::subject(account))?,
        approvals_frozen: device::standing(tx, account)?.frozen,
        first_device: device::standing(tx, account)?.may_bind_first(rules, now),
        enrolment_allowed: approval::is_enrolment_allowed(tx, account, now)?,
        cooling_off_until: payer.newness.cooling_off_until(rules, now),
        cooling_off_payment_max_minor: rules.devices.cooling_off_payment_max_minor,
        halved_until: payer.newness.halved_until(rules, now),
        notices: notice::newest(tx, account)?,
    })
}
