//! What a day brought, counted from its payments.

use std::collections::HashMap;

use base::time::Timestamp;
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;
use wire::shop::{Figures, HourFigures, RefusalFigures, SecondsFigures};

const HOUR_MS: u64 = 3_600_000;
/// Where the groups of seconds from the beginning to paid begin.
const SECONDS: [u32; 6] = [0, 5, 10, 15, 20, 30];

/// The figures of `payments`, which all began in the 24 hours from `from` on. What is still under way counts as begun only.
pub fn of_day(payments: &[Payment], from: Timestamp) -> Figures {
    let mut figures = Figures {
        from,
        until: from.plus_millis(24 * HOUR_MS),
        begun: 0,
        paid: 0,
        paid_minor: 0,
        refunded_minor: 0,
        hours: (0..24).map(|hour| HourFigures { hour, paid: 0, failed: 0, paid_minor: 0 }).collect(),
        seconds: SECONDS
            .iter()
            .enumerate()
            .map(|(at, from_s)| SecondsFigures { from_s: *from_s, below_s: SECONDS.get(at + 1).copied(), paid: 0 })
            .collect(),
        refusals: Vec::new(),
    };
    let mut refusals = HashMap::<Code, u32>::new();
    for payment in payments {
        let hour = &mut figures.hours[((payment.created_at.millis_since(from) / HOUR_MS) as usize).min(23)];
        figures.begun += 1;
        if let Some(paid_at) = payment.paid_at {
            figures.paid += 1;
            figures.paid_minor += payment.captured_minor;
            figures.refunded_minor += payment.refunded_minor;
            hour.paid += 1;
            hour.paid_minor += payment.captured_minor;
            let seconds = paid_at.millis_since(payment.created_at) / 1_000;
            let group = SECONDS.iter().rposition(|from_s| seconds >= u64::from(*from_s)).unwrap_or(0);
            figures.seconds[group].paid += 1;
        } else if matches!(payment.status, PaymentStatus::Refused | PaymentStatus::Expired | PaymentStatus::Cancelled) {
            hour.failed += 1;
        }
        if let Some(code) = payment.refusal.filter(|_| payment.status == PaymentStatus::Refused) {
            *refusals.entry(code).or_default() += 1;
        }
    }
    figures.refusals = refusals.into_iter().map(|(code, count)| RefusalFigures { code, count }).collect();
    figures.refusals.sort_by_key(|row| (std::cmp::Reverse(row.count), row.code.name()));
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::id::{MerchantId, PaymentId, StoreId, TerminalId};
    use base::money::Currency;
    use wire::api::Capture;

    const FROM: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn payment(status: PaymentStatus, after_ms: u64, took_ms: Option<u64>, refusal: Option<Code>, refunded_minor: i64) -> Payment {
        let created_at = FROM.plus_millis(after_ms);
        Payment {
            id: PaymentId::from_bits(1),
            status,
            amount_minor: 1_000,
            currency: Currency::CNY,
            merchant: MerchantId::from_bits(1),
            merchant_name: "Noodle House".into(),
            store: StoreId::from_bits(1),
            store_name: "Main Street".into(),
            terminal: TerminalId::from_bits(1),
            merchant_reference: None,
            metadata: None,
            created_at,
            expires_at: created_at.plus_millis(60_000),
            capture: Capture::Automatic,
            authorised_at: None,
            paid_at: took_ms.map(|took| created_at.plus_millis(took)),
            captured_minor: if took_ms.is_some() { 1_000 } else { 0 },
            refusal,
            voucher: None,
            asks: None,
            attempts_left: None,
            phone_suffix_required: false,
            refunded_minor,
            refunds: vec![],
            dispute: None,
            rules_version: "cn/2026-11-01".into(),
            terms_sha256: None,
            challenge: None,
        }
    }

    #[test]
    fn every_payment_is_counted_where_it_belongs() {
        use PaymentStatus::{Cancelled, Created, Expired, Paid, Refused, Undone};
        let day = [
            payment(Paid, 0, Some(4_999), None, 0),
            payment(Paid, HOUR_MS - 1, Some(5_000), None, 300),
            payment(Undone, 24 * HOUR_MS - 1, Some(120_000), None, 1_000),
            payment(Refused, HOUR_MS, None, Some(Code::NotRecognised), 0),
            payment(Refused, HOUR_MS, None, Some(Code::NotRecognised), 0),
            payment(Refused, HOUR_MS, None, Some(Code::InsufficientBalance), 0),
            payment(Expired, HOUR_MS, None, None, 0),
            payment(Cancelled, HOUR_MS, None, None, 0),
            payment(Created, 2 * HOUR_MS, None, None, 0),
        ];
        let figures = of_day(&day, FROM);
        assert_eq!((figures.begun, figures.paid, figures.paid_minor, figures.refunded_minor), (9, 3, 3_000, 1_300));
        assert_eq!(figures.until, FROM.plus_millis(86_400_000));
        let hour = |at: usize| (figures.hours[at].paid, figures.hours[at].failed, figures.hours[at].paid_minor);
        assert_eq!((hour(0), hour(1), hour(2), hour(23)), ((2, 0, 2_000), (0, 5, 0), (0, 0, 0), (1, 0, 1_000)));
        assert_eq!(figures.seconds.iter().map(|group| group.paid).collect::<Vec<_>>(), [1, 1, 0, 0, 0, 1]);
        assert_eq!((figures.seconds[5].from_s, figures.seconds[5].below_s), (30, None));
        let refusals: Vec<_> = figures.refusals.iter().map(|row| (row.code, row.count)).collect();
        assert_eq!(refusals, [(Code::NotRecognised, 2), (Code::InsufficientBalance, 1)]);
    }
}
