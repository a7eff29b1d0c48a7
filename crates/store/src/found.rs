//! A whole payment in one request, by somebody who has been found already.

use base::id::{PaymentId, TerminalId};
use base::money::Money;
use base::time::Timestamp;
use payments::payment::judge::Found;
use payments::payment::{Payment, decide};
use payments::probe::Challenge;
use payments::terms;
use rand_core::CryptoRng;
use wire::api::{self, PaymentStatus, QueryKind};

use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::query_log::{self, Outcome};
use crate::{Store, account_rows, gallery, payment, payment_rows, setup};

impl Store {
    /// Begins a payment, takes the payment token that the parties would have found, judges and posts, in one
    /// transaction: 200 with [`api::Payment`] in `paid`, `awaiting_passcode` or `refused`; or `invalid_request`. For
    /// measuring everything but the look itself; nothing that a till can reach calls it.
    pub fn pay_as_found(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        new: &api::NewPayment,
        token: &[u8; 16],
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        let id = PaymentId::new(now, rng);
        self.once("pay_as_found", idempotency, Keep::Forever, now, |tx| {
            let device = setup::terminal(tx, terminal)?;
            decide::check_new(new, rules)?;
            let expires_at = now.plus_millis(rules.clocks.payment_lifetime_s * 1000);
            let challenge =
                Challenge { nonce: crate::account::random(rng), issued_at: now, expires_at, searched: None, passcode_always: false };
            let payment = Payment {
                id,
                terminal,
                merchant: device.details.merchant,
                amount: Money { minor: new.amount_minor, currency: new.currency },
                created_at: now,
                expires_at,
                status: PaymentStatus::BeingChecked,
                challenge: Some(challenge),
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
            let found = match gallery::resolve_token(tx, token)? {
                Some(account) => Found::Payer(account_rows::payer(tx, account, now)?),
                None => Found::Nobody,
            };
            let event = payment.judge(&found, rules, now)?;
            let after = payment::after(&payment, &event, rules, now);
            payment_rows::insert(tx, &after, &device, new, None)?;
            if let Found::Payer(payer) = &found {
                query_log::record(tx, payer.account, QueryKind::Identification, Outcome::OfPayment(id), rng, now)?;
            }
            let told = payment::follow(tx, &payment, &after, &event, rules, now)?;
            let shown = told.map_or_else(|| payment_rows::render(tx, &after, rules, now), Ok)?;
            Ok(Answer::of_payment(200, &shown))
        })
    }
}
