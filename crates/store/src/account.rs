//! A shopper's account: opening it, pausing, consents and top-ups.

use base::id::{AccountId, ConsentId, TopUpId, TransferId};
use base::money::{Currency, Money};
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::refusal::Refusal;
use payments::{account, consent, passcode};
use rand_core::CryptoRng;
use wire::api::{self, ConsentPurpose, IdentityClass};
use wire::probe::PartitionLabel;
use wire::problem::Code;

use crate::account_rows::{self, NewRow};
use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::Bits;
use crate::{Store, account_read, activity, consent_rows, enrolment, posting, voucher};

impl Store {
    /// Opens an account of class II: 201 with [`api::Me`], or `invalid_request`, `passcode_weak`, `phone_taken`.
    /// `phone_part` names the part of the gallery of everybody whose phone ends like this one. Takes some 20 ms for the
    /// passcode's hash. Signs nobody in: see [`Store::open_session`].
    pub fn create_account(
        &self,
        idempotency: &Idempotency,
        new: &api::NewAccount,
        phone_part: PartitionLabel,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        if let Some(answer) = self.replay(idempotency)? {
            return Ok(answer);
        }
        // The hash takes long, so it is made before the write transaction begins.
        let hash = check_new(new).map(|()| self.shared.passcodes.hash(&new.passcode, &random(rng)));
        let id = AccountId::new(now, rng);
        let rules = self.rules(now)?;
        self.once("create_account", idempotency, Keep::Day, now, |tx| {
            let hash = hash?;
            let row = NewRow {
                id,
                name: new.name.expose(),
                phone: new.phone.expose(),
                phone_part: phone_part.0,
                passcode_hash: Some(&hash),
                class: IdentityClass::II,
            };
            account_rows::insert(tx, &row, now)?;
            posting::open_account(tx, AccountKey::wallet(id), rules.currency)?;
            Ok(Answer::of(201, &account_read::me(tx, id, rules, now)?))
        })
    }

    /// Pauses or resumes paying by biometrics: 200 with [`api::Me`].
    pub fn set_paused(&self, idempotency: &Idempotency, account: AccountId, paused: bool, now: Timestamp) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("set_paused", idempotency, Keep::Day, now, |tx| {
            tx.execute("UPDATE accounts SET paused = ?2 WHERE id = ?1", (Bits(account.bits()), paused))?;
            if paused {
                voucher::stop(tx, account, rules, now)?;
            }
            Ok(Answer::of(200, &account_read::me(tx, account, rules, now)?))
        })
    }

    /// Records a consent given or withdrawn: 201 with [`api::Consent`], or `consent_outdated` if the text is not the
    /// current one. A withdrawal may name any text and is of the one that was consented to; `consent_missing` if none ever
    /// was. Withdrawing the consent to payment deletes the enrolment; payments, receipts and the ledger stay.
    pub fn record_consent(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        new: &api::NewConsent,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let id = ConsentId::new(now, rng);
        self.once("record_consent", idempotency, Keep::Day, now, |tx| {
            let (version, text_sha256) = if new.granted {
                (consent::version_of(new.purpose, &new.text_sha256)?.to_owned(), new.text_sha256)
            } else {
                let last = consent_rows::last(tx, account, new.purpose)?.ok_or(Code::ConsentMissing)?;
                (last.version, last.text_sha256)
            };
            let row = api::Consent { id, purpose: new.purpose, version, text_sha256, granted: new.granted, decided_at: now };
            consent_rows::insert(tx, account, &row)?;
            if new.purpose == ConsentPurpose::Payment && !new.granted {
                enrolment::delete_standing(tx, account, self.rules(now)?, now)?;
            }
            Ok(Answer::of(201, &row))
        })
    }

    /// Moves money from the demo bank into the wallet: 201 with [`api::TopUp`], or `invalid_request`.
    pub fn top_up(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        new: &api::NewTopUp,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let id = TopUpId::new(now, rng);
        let rules = self.rules(now)?;
        self.once("top_up", idempotency, Keep::Forever, now, |tx| {
            if !(1..=rules.top_ups.max_minor).contains(&new.amount_minor) {
                return Err(Refusal::of_field(Code::InvalidRequest, "amount_minor").into());
            }
            if account_rows::payer(tx, account, now)?.closed {
                return Err(Code::AccountClosed.into());
            }
            fund(tx, account, id, new.amount_minor, now)?;
            let balance_minor = posting::available_minor(tx, AccountKey::wallet(account))?;
            Ok(Answer::of(201, &api::TopUp { id, amount_minor: new.amount_minor, topped_up_at: now, balance_minor }))
        })
    }
}

/// Posts a top-up: the reserve grows, and what is owed to the shopper with it.
pub(crate) fn fund(tx: &Tx, account: AccountId, id: TopUpId, amount_minor: i64, now: Timestamp) -> Result<(), StoreError> {
    posting::open_account(tx, AccountKey::RESERVE, Currency::CNY)?;
    posting::post(tx, TransferId::from_bits(id.bits()), AccountKey::RESERVE, AccountKey::wallet(account), Money::cny(amount_minor), now)?;
    activity::record(tx, account, &activity::Entry::TopUp { id, amount_minor }, now)
}

/// Whether the consent to payment stands: `consent_missing`, `consent_outdated`.
pub(crate) fn check_payment_consent(tx: &Tx, account: AccountId) -> Result<(), StoreError> {
    let last = consent_rows::last(tx, account, ConsentPurpose::Payment)?;
    Ok(consent::check_standing(ConsentPurpose::Payment, last.as_ref().map(|last| (&last.text_sha256, last.granted)))?)
}

fn check_new(new: &api::NewAccount) -> Result<(), Refusal> {
    account::check_name(&new.name)?;
    account::check_phone(&new.phone)?;
    passcode::check_new(&new.passcode)
}

/// Random bytes, such as a salt or a nonce.
pub(crate) fn random<const N: usize>(rng: &mut dyn CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}
