//! Paying merchants out: once a day what was paid until the cut, on its way until the bank says what became of it.

use base::id::{MerchantId, PayoutId, TransferId};
use base::money::{Currency, Money};
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::rules::RulePack;
use payments::settlement::profile::Profile;
use payments::settlement::{Step, next_status};
use wire::api::List;
use wire::merchant::{EventData, EventType};
use wire::settlement::{self as api, HoldReason, PayoutStatus};

use crate::alert::{self, MerchantKind};
use crate::db::Tx;
use crate::error::StoreError;
use crate::{Store, bank_account, event, payout_rows, posting};

impl Store {
    /// Makes today's payouts, for each merchant with a bank account in force and nothing held: what it has here without what
    /// was paid since the cut. Says which were made. A second run on the same day moves nothing. Run it every few minutes.
    pub fn settle(&self, now: Timestamp) -> Result<Vec<PayoutId>, StoreError> {
        let rules = self.rules(now)?;
        let due = self.read(|tx| {
            let merchants = payout_rows::without_payout(tx, rules.local_day(now), now)?;
            let is_due = |merchant: &MerchantId| Ok(due_minor(tx, *merchant, rules, now)? > 0);
            merchants
                .into_iter()
                .filter_map(|merchant| is_due(&merchant).map(|due| due.then_some(merchant)).transpose())
                .collect::<Result<Vec<_>, StoreError>>()
        })?;
        let mut made = Vec::new();
        for merchant in due {
            made.extend(self.run_tx("settle", |tx| settle_one(tx, merchant, rules, now))?);
        }
        Ok(made)
    }

    /// Staff or the bank moves a payout on: `not_found`, `state_conflict`, and `insufficient_balance` if what was held is no
    /// longer there. `by` is who, for the record.
    pub fn move_payout(&self, id: PayoutId, step: Step, by: &str, now: Timestamp) -> Result<api::Payout, StoreError> {
        self.run_tx("move_payout", |tx| {
            let (merchant, before) = payout_rows::load(tx, id)?;
            let status = next_status(before.status, step)?;
            let (sent, minor) = (TransferId::from_bits(id.bits()), Money::cny(before.amount_minor));
            match step {
                Step::Release => send(tx, merchant, id, before.amount_minor, now)?,
                Step::Cancel => {}
                Step::Arrive => {
                    posting::post(tx, posting::following(sent, "arrived"), AccountKey::SETTLEMENT, AccountKey::RESERVE, minor, now)?
                }
                Step::Return => {
                    posting::post(
                        tx,
                        posting::following(sent, "returned"),
                        AccountKey::SETTLEMENT,
                        AccountKey::payable(merchant),
                        minor,
                        now,
                    )?;
                    alert::raise_about(tx, MerchantKind::PayoutReturned, merchant, now)?;
                }
            }
            payout_rows::set_status(tx, id, status, Some(by), now)?;
            tell(tx, id, now)
        })
    }

    /// The merchant's payouts, newest first, older than `starting_after`; at most `limit`, and at most 100.
    pub fn payouts(&self, merchant: MerchantId, starting_after: Option<PayoutId>, limit: u32) -> Result<List<api::Payout>, StoreError> {
        self.read(|tx| payout_rows::of_merchant(tx, merchant, starting_after, limit))
    }

    /// One of them, or `not_found`.
    pub fn payout(&self, merchant: MerchantId, id: PayoutId) -> Result<api::Payout, StoreError> {
        self.read(|tx| payout_rows::owned(tx, merchant, id))
    }
}

/// What the merchant is to be paid today.
fn due_minor(tx: &Tx, merchant: MerchantId, rules: &RulePack, now: Timestamp) -> Result<i64, StoreError> {
    let cut = rules.settles_until(now);
    let paid_since = payout_rows::paid_since(tx, merchant, rules.begun_before_paid(cut), cut)?;
    Ok(rules.payout_minor(posting::available_minor(tx, AccountKey::payable(merchant))?, paid_since))
}

fn settle_one(tx: &Tx, merchant: MerchantId, rules: &RulePack, now: Timestamp) -> Result<Option<PayoutId>, StoreError> {
    let (amount_minor, bank_account) = (due_minor(tx, merchant, rules, now)?, bank_account::in_force(tx, merchant, now)?);
    let (1.., Some(bank_account)) = (amount_minor, bank_account) else { return Ok(None) };
    let day = rules.local_day(now);
    let bits = event::id_from(now, "handsel/payout/v1", &[&merchant.bits().to_be_bytes(), &day.to_be_bytes()]);
    let hold_reason = if payout_rows::came_back(tx, merchant, bank_account)? {
        Some(HoldReason::ReturnedBefore)
    } else {
        profile(tx, merchant, rules, now)?.suspicion(rules)
    };
    let payout = api::Payout {
        id: PayoutId::from_bits(bits),
        bank_account,
        amount_minor,
        currency: Currency::CNY,
        status: if hold_reason.is_some() { PayoutStatus::Held } else { PayoutStatus::InTransit },
        hold_reason,
        settles_until: rules.settles_until(now),
        created_at: now,
        sent_at: hold_reason.is_none().then_some(now),
        ended_at: None,
    };
    // Another run may have made today's since the merchants were listed.
    if !payout_rows::insert(tx, merchant, day, &payout, rules)? {
        return Ok(None);
    }
    match hold_reason {
        Some(_) => alert::raise_about(tx, MerchantKind::PayoutHeld, merchant, now)?,
        None => send(tx, merchant, payout.id, amount_minor, now)?,
    }
    tell(tx, payout.id, now)?;
    Ok(Some(payout.id))
}

/// The payments that today's payout adds to those of before.
fn profile(tx: &Tx, merchant: MerchantId, rules: &RulePack, now: Timestamp) -> Result<Profile, StoreError> {
    let from = payout_rows::settled_until(tx, merchant)?;
    payout_rows::profile(tx, merchant, rules, from, rules.settles_until(now))
}

/// Out of the merchant's account and still in the reserve, until the bank has it.
fn send(tx: &Tx, merchant: MerchantId, id: PayoutId, amount_minor: i64, now: Timestamp) -> Result<(), StoreError> {
    let payee = AccountKey::payable(merchant);
    if posting::available_minor(tx, payee)? < amount_minor {
        return Err(wire::problem::Code::InsufficientBalance.into());
    }
    posting::open_account(tx, AccountKey::SETTLEMENT, Currency::CNY)?;
    posting::post(tx, TransferId::from_bits(id.bits()), payee, AccountKey::SETTLEMENT, Money::cny(amount_minor), now)
}

/// Writes the event of what became of a payout.
fn tell(tx: &Tx, id: PayoutId, now: Timestamp) -> Result<api::Payout, StoreError> {
    let (merchant, payout) = payout_rows::load(tx, id)?;
    let kind = match payout.status {
        PayoutStatus::Held => EventType::PayoutHeld,
        PayoutStatus::InTransit => EventType::PayoutSent,
        PayoutStatus::Arrived => EventType::PayoutArrived,
        PayoutStatus::Returned => EventType::PayoutReturned,
        PayoutStatus::Cancelled => EventType::PayoutCancelled,
    };
    event::record_data(tx, merchant, kind, EventData { payout: Some(payout.clone()), ..EventData::default() }, id.bits(), now)?;
    Ok(payout)
}
