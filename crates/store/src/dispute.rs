//! "Not me": disputes, and the compensation fund that pays for them.

use base::id::{AccountId, DisputeId, TransferId};
use base::money::{Currency, Money};
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::dispute::{Dispute, Event};
use payments::refusal::Refusal;
use rand_core::CryptoRng;
use wire::api::List;
use wire::dispute as api;

use crate::activity::LIST_MAX;
use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::{Store, activity, alert, dispute_rows, owner, payment_rows, posting};

/// How the institution decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// For the payer.
    Uphold,
    /// Against the payer.
    Reject,
    /// More time, once.
    Extend,
}

impl Store {
    /// Opens a dispute of a payment that the account was charged for: 201 with [`api::Dispute`], or `not_found`,
    /// `state_conflict`, `dispute_window_over`, `dispute_exists`. Freezes the account if that is wished, and credits a
    /// small sum at once.
    pub fn open_dispute(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        new: &api::NewDispute,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        let id = DisputeId::new(now, rng);
        self.once("open_dispute", idempotency, Keep::Forever, now, |tx| {
            let payment = payment_rows::load(tx, new.payment)?;
            let dispute = Dispute::open(id, &payment, account, new.cause, rules, now)?;
            dispute_rows::insert(tx, &dispute)?;
            alert::raise(tx, alert::Kind::NotMe, account, Some(new.payment), now)?;
            if new.freeze {
                owner::freeze_account(tx, account, rules, now)?;
            }
            let dispute = do_what_is_due(tx, dispute, now)?;
            Ok(Answer::of(201, &dispute_rows::render(tx, &dispute, rules)?))
        })
    }

    /// The payer takes a dispute back: 200 with [`api::Dispute`], or `not_found`, `state_conflict`.
    pub fn withdraw_dispute(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        id: DisputeId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("withdraw_dispute", idempotency, Keep::Forever, now, |tx| {
            let before = dispute_rows::owned(tx, account, id)?;
            let event = before.withdraw(posting::available_minor(tx, AccountKey::wallet(account))?)?;
            let after = apply(tx, before, &event, now)?;
            Ok(Answer::of(200, &dispute_rows::render(tx, &after, rules)?))
        })
    }

    /// The payer appeals against a rejection, once: 200 with [`api::Dispute`], open again, or `not_found`, `state_conflict`,
    /// `dispute_window_over`.
    pub fn appeal_dispute(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        id: DisputeId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once("appeal_dispute", idempotency, Keep::Forever, now, |tx| {
            let before = dispute_rows::owned(tx, account, id)?;
            let event = before.appeal(rules, now)?;
            alert::raise(tx, alert::Kind::Appeal, account, Some(before.payment), now)?;
            let after = apply(tx, before, &event, now)?;
            Ok(Answer::of(200, &dispute_rows::render(tx, &after, rules)?))
        })
    }

    /// The account's disputes, newest first, older than `starting_after`; at most `limit`, and at most 100.
    pub fn disputes(
        &self,
        account: AccountId,
        starting_after: Option<DisputeId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<List<api::Dispute>, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| {
            let limit = limit.clamp(1, LIST_MAX);
            let all = dispute_rows::of_account(tx, account, starting_after, limit + 1)?;
            let data = all.iter().take(limit as usize).map(|dispute| dispute_rows::render(tx, dispute, rules)).collect::<Result<_, _>>()?;
            Ok(List { data, has_more: all.len() > limit as usize })
        })
    }

    /// One dispute of the account, or `not_found`.
    pub fn dispute(&self, account: AccountId, id: DisputeId, now: Timestamp) -> Result<api::Dispute, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| dispute_rows::render(tx, &dispute_rows::owned(tx, account, id)?, rules))
    }

    /// How disputes went, for everybody.
    pub fn dispute_statistics(&self) -> Result<api::DisputeStatistics, StoreError> {
        self.read(dispute_rows::statistics)
    }

    /// The institution decides: `not_found`, `state_conflict`. The reason is told to the payer.
    pub fn decide_dispute(&self, id: DisputeId, decision: Decision, reason: &str, now: Timestamp) -> Result<api::Dispute, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("decide_dispute", |tx| {
            let before = dispute_rows::load(tx, id)?;
            let event: Result<Event, Refusal> = match decision {
                Decision::Uphold => before.uphold(reason),
                Decision::Reject => before.reject(posting::available_minor(tx, AccountKey::wallet(before.account))?, reason),
                Decision::Extend => before.extend(reason, rules),
            };
            let after = apply(tx, before, &event?, now)?;
            dispute_rows::render(tx, &after, rules)
        })
    }

    /// Credits what is due and ends what nobody decided in time; says which disputes changed. Run it every few minutes.
    pub fn tend_disputes(&self, now: Timestamp) -> Result<Vec<DisputeId>, StoreError> {
        if self.read(dispute_rows::open)?.iter().all(|dispute| dispute.due(now).is_none()) {
            return Ok(Vec::new());
        }
        self.run_tx("tend_disputes", |tx| {
            let mut changed = Vec::new();
            for dispute in dispute_rows::open(tx)? {
                let before = dispute.clone();
                if do_what_is_due(tx, dispute, now)? != before {
                    changed.push(before.id);
                }
            }
            Ok(changed)
        })
    }

    /// The institution puts money into the compensation fund, under an identifier that counts for ever.
    pub fn fund_compensation(&self, id: TransferId, amount_minor: i64, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("fund_compensation", |tx| {
            posting::open_account(tx, AccountKey::COMPENSATION, Currency::CNY)?;
            posting::open_account(tx, AccountKey::RESERVE, Currency::CNY)?;
            posting::post(tx, id, AccountKey::RESERVE, AccountKey::COMPENSATION, Money::cny(amount_minor), now)
        })
    }
}

/// Does what time demands of a dispute. An empty fund delays it and raises an alert; the next time tries again.
fn do_what_is_due(tx: &Tx, dispute: Dispute, now: Timestamp) -> Result<Dispute, StoreError> {
    let Some(event) = dispute.due(now) else { return Ok(dispute) };
    if dispute.moves_minor(&event) > posting::available_minor(tx, AccountKey::COMPENSATION)? {
        alert::raise(tx, alert::Kind::FundEmpty, dispute.account, Some(dispute.payment), now)?;
        return Ok(dispute);
    }
    apply(tx, dispute, &event, now)
}

/// Stores a dispute after an event and moves its money between the fund and the wallet, in the same transaction.
fn apply(tx: &Tx, dispute: Dispute, event: &Event, now: Timestamp) -> Result<Dispute, StoreError> {
    let moved_minor = dispute.moves_minor(event);
    let after = dispute.apply(event, now);
    dispute_rows::save(tx, &after)?;
    let (fund, wallet) = (AccountKey::COMPENSATION, AccountKey::wallet(after.account));
    let id = TransferId::from_bits(after.id.bits());
    // A dispute gives once, takes back once, and gives once more after an appeal: three identifiers are all it needs.
    let entry = match moved_minor {
        0 => return Ok(after),
        1.. => {
            let credit = posting::following(id, if after.appealed_at.is_some() { "credit after appeal" } else { "credit" });
            posting::post(tx, credit, fund, wallet, Money::cny(moved_minor), now)?;
            activity::Entry::Compensation {
                reference: if after.appealed_at.is_some() { credit.bits() } else { id.bits() },
                payment: after.payment,
                amount_minor: moved_minor,
            }
        }
        _ => {
            let take_back = posting::following(id, "take back");
            posting::post(tx, take_back, wallet, fund, Money::cny(-moved_minor), now)?;
            activity::Entry::CompensationTakenBack { transfer: take_back, payment: after.payment, amount_minor: -moved_minor }
        }
    };
    activity::record(tx, after.account, &entry, now)?;
    Ok(after)
}
