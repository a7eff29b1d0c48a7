//! A payment from the amount to the receipt, as its terminal drives it.

use std::sync::Arc;

use base::id::{PaymentId, TerminalId};
use base::money::Money;
use base::secret::Secret;
use base::time::Timestamp;
use payments::passcode::{self, Given};
use payments::payment::judge::Found;
use payments::payment::{Event, Payment, decide};
use payments::probe::{Searched, Sender};
use payments::refusal::Refusal;
use payments::rules::RulePack;
use payments::terms;
use rand_core::CryptoRng;
use wire::api::{self, Part, PaymentStatus, QueryKind};
use wire::probe::{PartitionLabel, SealedProbe};
use wire::problem::Code;

use crate::account::random;
use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::query_log::{self, Outcome};
use crate::setup::{Payee, Terminal};
use crate::{Store, account_rows, alert, event, gallery, membership, payment_money, payment_rows, place, setup};

/// What the resolver learned from the parties.
#[derive(Clone, PartialEq, Eq)]
pub enum Identification {
    /// One record is near: its payment token.
    Token([u8; 16]),
    /// No record is near.
    None,
    /// More than one record is near.
    Ambiguous,
    /// The parties did not finish, with the code for the till: `parties_unavailable`, `budget_exhausted`, ….
    Failed(Code),
}

impl std::fmt::Debug for Identification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token([hidden])"),
            Self::None => f.write_str("None"),
            Self::Ambiguous => f.write_str("Ambiguous"),
            Self::Failed(code) => write!(f, "Failed({})", code.name()),
        }
    }
}

impl Store {
    /// Begins a payment: 201 with [`api::Payment`], or `invalid_request`, `forbidden`, `not_found`, `terminal_required`.
    pub fn create_payment(
        &self,
        idempotency: &Idempotency,
        by: impl Into<Payee>,
        new: &api::NewPayment,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let (by, rules) = (by.into(), self.rules(now)?);
        let id = PaymentId::new(now, rng);
        self.once("create_payment", idempotency, Keep::Forever, now, |tx| {
            let device = by.till(tx, new.terminal)?;
            decide::check_new(new, rules)?;
            let payment = Payment {
                id,
                terminal: device.details.id,
                merchant: device.details.merchant,
                amount: Money { minor: new.amount_minor, currency: new.currency },
                created_at: now,
                expires_at: now.plus_millis(rules.clocks.payment_lifetime_s * 1000),
                status: PaymentStatus::Created,
                challenge: None,
                missed: None,
                payer: None,
                refusal: None,
                capture: new.capture,
                authorised_at: None,
                paid_at: None,
                captured_minor: 0,
                verified_by: None,
                refunded_minor: 0,
                refund_count: 0,
                rules_version: rules.version.clone(),
                terms_sha256: Some(terms::current_sha256()),
            };
            payment_rows::insert(tx, &payment, &device, new, None)?;
            Ok(Answer::of_payment(201, &payment_rows::render(tx, &payment, rules, now)?))
        })
    }

    /// Issues a challenge: 200 with [`api::Payment`], or `not_found`, `forbidden`, `payment_expired`,
    /// `payment_cancelled`, `state_conflict`, `phone_suffix_required`. The search runs in the part of the phone digits
    /// that the shopper gave; without, in the first part of the rules' order that is small enough.
    pub fn start_challenge(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        payment: PaymentId,
        labels: Labels,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let nonce = random(rng);
        self.step("start_challenge", 200, idempotency, Payee::Terminal(terminal), payment, now, |step| {
            let search = choose(step, labels)?;
            let event = step.payment.start_challenge(nonce, search, step.rules, now)?;
            step.apply(&event, now)
        })
    }

    /// Takes a look: 202 with [`api::Payment`] in `being_checked`, durable before any party is asked; or `not_found`,
    /// `forbidden`, `payment_expired`, `payment_cancelled`, `state_conflict`, `probe_replayed`, `probe_mismatch`,
    /// `probe_invalid`, `challenge_expired`. If [`Answer::is_first_success`], ask the parties and report to
    /// [`Store::identified`].
    pub fn receive_probe(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        payment: PaymentId,
        probe: &SealedProbe,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.step("receive_probe", 202, idempotency, Payee::Terminal(terminal), payment, now, |step| {
            let nonce = &probe.context.nonce.0;
            let sender = Sender { terminal, device_key: &step.device.public_key, nonce_used: gallery::nonce_used(step.tx, nonce)? };
            let event = step.payment.receive_probe(probe, &sender, now)?;
            gallery::use_nonce(step.tx, nonce, now)?;
            step.apply(&event, now)
        })
    }

    /// Judges what the parties found, by the rules at this moment, and posts the payment if nothing more is needed:
    /// answers with the payment in `paid`, `awaiting_passcode`, `refused` or `expired`. Errs with `state_conflict` if the
    /// payment is no longer being checked; nothing is charged then. Whoever was recognised finds the look in their log in any
    /// case, even if their face is being deleted or the answer came too late. `judged` is called when the rules have spoken and
    /// before anything is written, so that a caller with a clock can tell rules and commit apart.
    pub fn identified(
        &self,
        payment: PaymentId,
        found: &Identification,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
        judged: &mut dyn FnMut(),
    ) -> Result<api::Payment, StoreError> {
        let rules = self.rules(now)?;
        self.run_tx("identified", |tx| {
            let before = payment_rows::load(tx, payment)?;
            let owner = match found {
                Identification::Token(token) => gallery::owner_of_token(tx, token)?,
                _ => None,
            };
            let found = match (found, owner) {
                (Identification::Token(_), Some(owner)) if owner.stands => Found::Payer(account_rows::payer(tx, owner.account, now)?),
                // The token of a face that is being deleted: nobody pays with it any more.
                (Identification::Token(_) | Identification::None, _) => Found::Nobody,
                (Identification::Ambiguous, _) => Found::Ambiguous,
                (Identification::Failed(code), _) => Found::Failed(*code),
            };
            let event = before.judge(&found, rules, now);
            judged();
            // An answer that comes again, because nobody knew whether the first was written, is one look.
            if let Some(owner) = owner
                && (event.is_ok() || !query_log::has_look(tx, owner.account, payment)?)
            {
                query_log::record(tx, owner.account, QueryKind::Identification, Outcome::OfPayment(payment), rng, now)?;
            }
            match event {
                Ok(event) => {
                    let after = apply(tx, before, &event, rules, now)?;
                    payment_rows::render(tx, &after, rules, now).map(Ok)
                }
                Err(refusal) => Ok(Err(refusal)),
            }
        })?
        .map_err(StoreError::Refused)
    }

    /// Takes the passcode: 200 with [`api::Payment`] in `paid` or `refused`; or `invalid_request`, `not_found`,
    /// `forbidden`, `payment_expired`, `payment_cancelled`, `state_conflict`, `passcode_wrong` with the tries that are
    /// left. The last wrong try refuses the payment with `passcode_locked`. Takes some 40 ms for the
    /// hashes: that of the passcode, and that of the one given under threat, whether or not there is one.
    pub fn enter_passcode(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        payment: PaymentId,
        passcode: &Secret<String>,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        if let Some(answer) = self.replay(idempotency)? {
            return Ok(answer);
        }
        // The hash takes long, so it is checked before the write transaction begins, and judged inside it.
        let given = self.judge_passcode(payment, passcode)?;
        self.step("enter_passcode", 200, idempotency, Payee::Terminal(terminal), payment, now, |step| {
            passcode::check_form(passcode)?;
            let payer = step.payment.payer.map(|payer| account_rows::payer(step.tx, payer, now)).transpose()?;
            let (Some(payer), Some(given)) = (payer, given) else {
                return Err(step.payment.check_awaits_passcode(now).err().unwrap_or(Code::StateConflict.into()).into());
            };
            let (ladder, event) = step.payment.try_passcode(&payer, given, step.rules, now)?;
            account_rows::save_ladder(step.tx, payer.account, &ladder)?;
            if given == Given::UnderThreat && !ladder.is_locked(now) {
                alert::raise(step.tx, alert::Kind::UnderThreat, payer.account, Some(step.payment.id), now)?;
            }
            step.apply(&event, now)?;
            if event == Event::PasscodeWrong {
                let attempts_left = Some(ladder.attempts_left(&step.rules.passcode, now));
                step.refusal = Some(Refusal { attempts_left, ..Code::PasscodeWrong.into() });
            }
            Ok(())
        })
    }

    /// Gives a payment up: 200 with [`api::Payment`], or `not_found`, `forbidden`, `payment_expired`,
    /// `payment_cancelled`, and `state_conflict` once its outcome is not known or is final.
    pub fn cancel_payment(
        &self,
        idempotency: &Idempotency,
        by: impl Into<Payee>,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.step("cancel_payment", 200, idempotency, by.into(), payment, now, |step| {
            let event = step.payment.cancel(now)?;
            step.apply(&event, now)
        })
    }

    /// `None` unless somebody is asked for the passcode.
    fn judge_passcode(&self, payment: PaymentId, passcode: &Secret<String>) -> Result<Option<Given>, StoreError> {
        let hashes = self.read(|tx| {
            let payment = payment_rows::load(tx, payment)?;
            match payment.payer {
                Some(payer) if payment.status == PaymentStatus::AwaitingPasscode => Ok(Some(account_rows::passcode_hashes(tx, payer)?)),
                _ => Ok(None),
            }
        })?;
        Ok(hashes.map(|hashes| self.shared.passcodes.judge(passcode, hashes.own.as_ref(), hashes.duress.as_ref())))
    }

    /// One step of a payment by the terminal it began at, or by its merchant, answered with `status` and the payment.
    #[expect(clippy::too_many_arguments, reason = "each is one thing that every step needs")]
    fn step(
        &self,
        name: &'static str,
        status: u16,
        idempotency: &Idempotency,
        by: Payee,
        payment: PaymentId,
        now: Timestamp,
        work: impl FnOnce(&mut PaymentStep) -> Result<(), StoreError>,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        self.once(name, idempotency, Keep::Forever, now, |tx| {
            let payment = of_payee(tx, by, payment)?;
            if matches!(by, Payee::Terminal(terminal) if terminal != payment.terminal) {
                return Err(Code::Forbidden.into());
            }
            let device = setup::terminal(tx, payment.terminal)?;
            let mut step = PaymentStep { tx, rules, device, payment, refusal: None };
            work(&mut step)?;
            match step.refusal {
                Some(refusal) => Ok(Answer::refusal(&refusal)),
                None => Ok(Answer::of_payment(status, &payment_rows::render(tx, &step.payment, rules, now)?)),
            }
        })
    }
}

/// Labels of the parts of the gallery that a look at a till may be compared with.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    /// Of everybody whose phone ends in the digits that were given.
    pub phone_suffix: Option<PartitionLabel>,
    /// Of the store's regulars.
    pub regulars: PartitionLabel,
}

/// What a step works with.
struct PaymentStep<'a> {
    tx: &'a Tx<'a>,
    rules: &'a RulePack,
    device: Arc<Terminal>,
    payment: Payment,
    /// A refusal that is answered although what the step did stays.
    refusal: Option<Refusal>,
}

impl PaymentStep<'_> {
    fn apply(&mut self, event: &Event, now: Timestamp) -> Result<(), StoreError> {
        self.payment = apply(self.tx, self.payment.clone(), event, self.rules, now)?;
        Ok(())
    }
}

/// What the next look is compared with; `None` if the phone's digits are needed for that.
fn choose(step: &PaymentStep, labels: Labels) -> Result<Option<Searched>, StoreError> {
    let people =
        |part, label: Option<PartitionLabel>| membership::count(step.tx, label.as_ref(), step.rules.people_max(part).saturating_add(1));
    if labels.phone_suffix.is_some() {
        let (part, label) = (Part::PhoneSuffix, labels.phone_suffix);
        return Ok(Some(Searched { part, label, people: people(part, label)? }));
    }
    if step.payment.missed.is_some() {
        return Ok(None);
    }
    let city = place::city_label(step.tx, step.device.details.store)?;
    let label_of = |part| match part {
        Part::Gallery | Part::PhoneSuffix => None,
        Part::City => city,
        Part::Regulars => Some(labels.regulars),
    };
    let found = step.rules.part_without_digits(|part| match label_of(part) {
        None if part != Part::Gallery => Ok(0),
        label => people(part, label),
    })?;
    Ok(found.map(|(part, people)| Searched { part, label: label_of(part), people }))
}

/// A payment of the payee; `not_found` for any other.
pub(crate) fn of_payee(tx: &Tx, by: Payee, payment: PaymentId) -> Result<Payment, StoreError> {
    let merchant = by.merchant(tx)?;
    let payment = payment_rows::load(tx, payment)?;
    if payment.merchant == merchant { Ok(payment) } else { Err(Code::NotFound.into()) }
}

/// Stores a payment after an event, and does what the event does to money, limits and the wallet's list.
pub(crate) fn apply(tx: &Tx, before: Payment, event: &Event, rules: &RulePack, now: Timestamp) -> Result<Payment, StoreError> {
    let after = after(&before, event, rules, now);
    payment_rows::save(tx, &after)?;
    follow(tx, &before, &after, event, rules, now)?;
    Ok(after)
}

/// A payment after an event that these rules judged.
pub(crate) fn after(before: &Payment, event: &Event, rules: &RulePack, now: Timestamp) -> Payment {
    let mut after = before.clone().apply(event, now);
    after.rules_version.clone_from(&rules.version);
    after
}

/// Does what an event does beside the payment itself; the payment as merchants are told of it, if they are.
pub(crate) fn follow(
    tx: &Tx,
    before: &Payment,
    after: &Payment,
    event: &Event,
    rules: &RulePack,
    now: Timestamp,
) -> Result<Option<api::Payment>, StoreError> {
    payment_money::follow(tx, before, after, event, rules, now)?;
    match event::of_status(after.status).filter(|_| after.status != before.status) {
        Some(kind) => event::record(tx, kind, payment_rows::render(tx, after, rules, now)?, after.id.bits(), now).map(Some),
        None => Ok(None),
    }
}
