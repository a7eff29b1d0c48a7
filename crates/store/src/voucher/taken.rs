//! What tills know of vouchers, and what they hand in after an outage.

use base::id::{PaymentId, StoreId, TerminalId, VoucherId};
use base::money::Money;
use base::time::Timestamp;
use payments::payment::Payment;
use payments::terms;
use payments::voucher::Voucher;
use payments::voucher::issue::{Taken, VoucherState, check_taken};
use rand_core::CryptoRng;
use wire::api::{Capture, NewPayment, PaidVoucher, PaymentStatus};
use wire::passkey::NoticeKind;
use wire::problem::Code;

use super::{release_limits, rows};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits};
use crate::{Store, notice, payment, payment_rows, setup};

impl Store {
    /// Vouchers of `store` whose time is not over and that its tills must not take: stopped, or used.
    pub fn stopped_vouchers(&self, store: StoreId, now: Timestamp) -> Result<Vec<VoucherId>, StoreError> {
        let sql = "SELECT id FROM vouchers WHERE store = ?1 AND expires_at > ?2 AND state IN ('stopped', 'used') ORDER BY id";
        self.read(|tx| Ok(tx.list(sql, (Bits(store.bits()), At(now)), |row| Ok(VoucherId::from_bits(row.get::<Bits>(0)?.0)))?))
    }

    /// Takes a voucher, whose signature the caller has verified, that `terminal` took while it had no network: 201 with
    /// [`wire::api::Payment`] in `paid`; or `voucher_invalid` (it is another store's), and as [`check_taken`]. What is not used of
    /// it is released. The first till that hands a voucher in is paid.
    pub fn take_voucher(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        voucher: &Voucher,
        taken: &Taken,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        let id = PaymentId::new(now, rng);
        self.once("take_voucher", idempotency, Keep::Forever, now, |tx| {
            let device = setup::terminal(tx, terminal)?;
            let found = rows::find(tx, voucher.id)?.filter(|(held, _)| held.store == device.details.store);
            let (held, state) = found.ok_or(Code::VoucherInvalid)?;
            check_taken(taken, state, held.most.minor, held.expires_at)?;
            if now >= held.held_until {
                return Err(Code::VoucherExpired.into());
            }
            let begun = Payment {
                id,
                terminal,
                merchant: device.details.merchant,
                amount: Money { minor: taken.amount_minor, currency: held.most.currency },
                created_at: now,
                expires_at: now.plus_millis(rules.clocks.payment_lifetime_s * 1000),
                status: PaymentStatus::Created,
                challenge: None,
                missed: None,
                payer: None,
                refusal: None,
                capture: Capture::Automatic,
                authorised_at: None,
                paid_at: None,
                captured_minor: 0,
                verified_by: None,
                refunded_minor: 0,
                refund_count: 0,
                rules_version: rules.version.clone(),
                terms_sha256: Some(terms::current_sha256()),
            };
            let new = NewPayment {
                amount_minor: taken.amount_minor,
                currency: held.most.currency,
                merchant_reference: None,
                terminal: None,
                capture: Capture::Automatic,
                metadata: None,
            };
            payment_rows::insert(tx, &begun, &device, &new, Some(PaidVoucher { id: held.id, taken_at: taken.at }))?;
            release_limits(tx, &held, held.most.minor - taken.amount_minor, rules, now)?;
            let used = (Bits(held.id.bits()), VoucherState::Used.name(), Bits(id.bits()), At(taken.at));
            tx.execute("UPDATE vouchers SET state = ?2, payment = ?3, taken_at = ?4 WHERE id = ?1", used)?;
            let event = begun.take_voucher(held.account, held.id, now)?;
            let paid = payment::apply(tx, begun, &event, rules, now)?;
            notice::record(tx, held.account, NoticeKind::VoucherUsed, now)?;
            Ok(Answer::of_payment(201, &payment_rows::render(tx, &paid, rules, now)?))
        })
    }
}
