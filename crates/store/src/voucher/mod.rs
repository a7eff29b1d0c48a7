//! Offline vouchers: sums set aside for one store, each good for one payment that a till took without network.
//!
//! What is set aside for a voucher is the held transfer of the same identifier, from when it is signed until it is used, stopped or
//! its time and the tills' grace are over. It counts towards the owner's limits as long. The text that a till checks is signed by
//! the caller, who has the key.

use base::id::{AccountId, StoreId, TransferId, VoucherId};
use base::money::Money;
use base::time::Timestamp;
use ledger::account::AccountKey;
use ledger::transfer::Action;
use payments::account::tier::VerifiedBy;
use payments::rules::RulePack;
use payments::voucher::issue::{VoucherState, next_voucher};
use rand_core::CryptoRng;
use wire::problem::Code;
use wire::voucher::Vouchers;

use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::passkey::Answered;
use crate::row::{At, Bits};
use crate::{Store, account_rows, approval, device, posting};

mod rows;
mod taken;

pub(crate) use rows::set_aside_minor;
use rows::{Held, held};

impl Store {
    /// Where the account pays without network, and its vouchers, without their texts.
    pub fn vouchers(&self, account: AccountId, now: Timestamp) -> Result<Vouchers, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| rows::load(tx, account, rules, now))
    }

    /// Switches paying without network on at `store`, off anywhere else, and gives as many vouchers as there is room for: 200 with
    /// [`Vouchers`]; again it gives what there is room for by then. `not_found` unless the account is a regular of the store, the
    /// approval's refusals as [`Store::approve_payment`], and what refuses the account's payments: `account_closed`,
    /// `account_frozen`, `account_paused`, `limit_exceeded`, `insufficient_balance`.
    pub fn issue_vouchers(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        store: StoreId,
        answered: &Answered,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("issue_vouchers", idempotency, Keep::Day, now, |tx| {
            if account_rows::payer(tx, account, now)?.closed {
                return Err(Code::AccountClosed.into());
            }
            let regular = "SELECT 1 FROM places WHERE account = ?1 AND store = ?2";
            if tx.find(regular, (Bits(account.bits()), Bits(store.bits())), |_| Ok(()))?.is_none() {
                return Err(Code::NotFound.into());
            }
            device::approve(tx, account, Some(answered), &approval::vouchers(store), now)?;
            if rows::switched_on(tx, account)?.is_some_and(|on| on != store) {
                stop(tx, account, rules, now)?;
            }
            let on = "INSERT INTO voucher_stores (account, store, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            tx.execute(on, (Bits(account.bits()), Bits(store.bits()), At(now)))?;
            issue(tx, account, store, rules, rng, now)?;
            Ok(Answer::of(200, &rows::load(tx, account, rules, now)?))
        })
    }

    /// Switches it off: what is set aside is released, and tills hear which vouchers they must not take any more. Again: the same
    /// without effect.
    pub fn stop_vouchers(&self, account: AccountId, now: Timestamp) -> Result<Vouchers, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("stop_vouchers", |tx| {
            stop(tx, account, rules, now)?;
            rows::load(tx, account, rules, now)
        })
    }

    /// Releases what is set aside for vouchers whose time and grace are over. Says how many.
    pub(crate) fn expire_vouchers(&self, now: Timestamp) -> Result<usize, StoreError> {
        const OVER: &str = "state = 'open' AND held_until <= ?1";
        if self.read(|tx| held(tx, OVER, [At(now)]))?.is_empty() {
            return Ok(0);
        }
        let rules = self.rules(now)?;
        self.run_tx("expire_vouchers", |tx| {
            let over = held(tx, OVER, [At(now)])?;
            for voucher in &over {
                let pending = TransferId::from_bits(voucher.id.bits());
                posting::apply(tx, posting::following(pending, "expire"), Action::ExpirePending { pending }, now)?;
                end(tx, voucher, VoucherState::Expired, rules, now)?;
            }
            Ok(over.len())
        })
    }
}

/// Stops whatever vouchers of the account are good, and switches paying without network off.
pub(crate) fn stop(tx: &Tx, account: AccountId, rules: &RulePack, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM voucher_stores WHERE account = ?1", [Bits(account.bits())])?;
    for voucher in held(tx, "state = 'open' AND account = ?1", [Bits(account.bits())])? {
        let pending = TransferId::from_bits(voucher.id.bits());
        let (what, release) = match now < voucher.held_until {
            true => ("void", Action::VoidPending { pending }),
            false => ("expire", Action::ExpirePending { pending }),
        };
        posting::apply(tx, posting::following(pending, what), release, now)?;
        end(tx, &voucher, VoucherState::Stopped, rules, now)?;
    }
    Ok(())
}

/// The same, if it is this store that they are for.
pub(crate) fn stop_at(tx: &Tx, account: AccountId, store: StoreId, rules: &RulePack, now: Timestamp) -> Result<(), StoreError> {
    if rows::switched_on(tx, account)? == Some(store) { stop(tx, account, rules, now) } else { Ok(()) }
}

/// As many vouchers as there is room for. What refuses the first refuses the request, unless there are others that are good.
fn issue(tx: &Tx, account: AccountId, store: StoreId, rules: &RulePack, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<(), StoreError> {
    let mut has_good = !held(tx, "state = 'open' AND account = ?1", [Bits(account.bits())])?.is_empty();
    loop {
        let payer = account_rows::payer(tx, account, now)?;
        let most_minor = match next_voucher(&payer, rows::signed_minor(tx, account, now)?, rules, now) {
            Ok(Some(most_minor)) => most_minor,
            Ok(None) => return Ok(()),
            Err(_) if has_good => return Ok(()),
            Err(code) => return Err(code.into()),
        };
        let expires_at = now.plus_millis(rules.offline.voucher_lifetime_s * 1000);
        let voucher = Held {
            id: VoucherId::new(now, rng),
            account,
            store,
            most: Money { minor: most_minor, currency: rules.currency },
            issued_at: now,
            expires_at,
            held_until: expires_at.plus_millis(rules.offline.upload_grace_s * 1000),
        };
        set_aside(tx, &voucher, now)?;
        let usage = payer.usage.after_payment(most_minor, VerifiedBy::Voucher, rules, now);
        account_rows::save_usage(tx, account, &usage)?;
        rows::insert(tx, &voucher)?;
        has_good = true;
    }
}

fn set_aside(tx: &Tx, voucher: &Held, now: Timestamp) -> Result<(), StoreError> {
    let merchant = "SELECT merchant FROM stores WHERE id = ?1";
    let merchant: Bits = tx.one(merchant, [Bits(voucher.store.bits())], |row| row.get(0))?;
    let credit = AccountKey::payable(base::id::MerchantId::from_bits(merchant.0));
    posting::open_account(tx, credit, voucher.most.currency)?;
    let debit = AccountKey::wallet(voucher.account);
    let hold = Action::Pending { debit, credit, amount: voucher.most, expires_at: voucher.held_until };
    posting::apply(tx, TransferId::from_bits(voucher.id.bits()), hold, now)
}

/// What was set aside for it is released: so is what it took of the limits.
fn end(tx: &Tx, voucher: &Held, state: VoucherState, rules: &RulePack, now: Timestamp) -> Result<(), StoreError> {
    release_limits(tx, voucher, voucher.most.minor, rules, now)?;
    tx.execute("UPDATE vouchers SET state = ?2 WHERE id = ?1", (Bits(voucher.id.bits()), state.name()))?;
    Ok(())
}

fn release_limits(tx: &Tx, voucher: &Held, minor: i64, rules: &RulePack, now: Timestamp) -> Result<(), StoreError> {
    let usage = account_rows::usage(tx, voucher.account)?.after_release(minor, VerifiedBy::Voucher, voucher.issued_at, rules, now);
    account_rows::save_usage(tx, voucher.account, &usage)
}
