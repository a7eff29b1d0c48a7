//! Payments that can be asked for again and again, and what must hold of them whatever was killed meanwhile.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use base::hash::hex;
use base::id::PaymentId;
use base::money::Currency;
use base::secret::Secret;
use payments::rules::RuleBook;
use sha2::{Digest, Sha256};
use store::idempotency::Answer;
use store::payment::Identification;
use store::{Location, Store};
use wire::api::{self, PaymentStatus};

use crate::world::*;

/// Payments at once.
pub const TILLS: u64 = 8;
const SHOPPERS: u64 = 4;
const FUNDS_MINOR: i64 = 400_000;
/// What they take: 1 fen each, so that no limit is met.
const AMOUNT_MINOR: i64 = 1;

/// Of each payment that was tried, the fingerprint of each step's answer.
pub type Said = HashMap<u64, HashMap<String, String>>;

/// A world whose shoppers have their funds.
pub fn world_with_shoppers(place: &Location) -> World {
    let world = World::at(place, &rules(), 1);
    for shopper in 0..SHOPPERS {
        world.shopper(&phone(shopper), FUNDS_MINOR);
    }
    world
}

/// One more look than the rules allow is not what is tested here.
pub fn rules() -> String {
    rules_with(&[("look_only_run_max", "1_000_000")])
}

fn phone(shopper: u64) -> String {
    format!("1380000000{shopper}")
}

/// The requests of payment `number`, the same whenever they are asked: keys and identifiers depend on it alone. Each
/// answer is handed to `tell` with its step as soon as it is there. `None` if the store does not answer: asked again, it goes on
/// where it was.
pub fn pay(store: &Store, number: u64, mut tell: impl FnMut(&str, &Answer)) -> Option<PaymentId> {
    let key = |step: &str| keyed(&format!("{step} {number}"));
    let rng = |step: u64| TestRng((number << 20) + (step << 10));
    let new = api::NewPayment { merchant_reference: Some(number.to_string()), ..new_payment(AMOUNT_MINOR) };
    let begun = store.create_payment(&key("begin"), TILL, &new, &mut rng(0), START).ok()?;
    tell("begin", &begun);
    let payment = resource::<api::Payment>(&begun).id;
    let challenged = store.start_challenge(&key("challenge"), TILL, payment, labels(None), &mut rng(1), START).ok()?;
    tell("challenge", &challenged);
    // A payment that was interrupted is not challenged any more.
    let Some(challenged) = challenged.resource::<api::Payment>() else { return Some(payment) };
    let checked = store.receive_probe(&key("look"), TILL, payment, &pay_probe(&challenged), START).ok()?;
    tell("look", &checked);
    // The look itself has no key: whether its outcome was written is read where nobody could say.
    if checked.resource::<api::Payment>().is_some() && store.payment(TILL, payment, START).ok()?.status == PaymentStatus::BeingChecked {
        let token = part_of(&phone(number % SHOPPERS)).0;
        let paid = store.identified(payment, &Identification::Token(token), &mut rng(2), START, &mut || {}).ok()?;
        assert_eq!(paid.status, PaymentStatus::Paid, "{:?}", paid.refusal);
    }
    if number.is_multiple_of(3) && store.payment(TILL, payment, START).ok()?.status == PaymentStatus::Paid {
        let all = api::NewRefund { amount_minor: None };
        tell("refund", &store.refund(&key("refund"), TILL, payment, &all, &mut rng(3), START).ok()?);
    }
    Some(payment)
}

fn new_payment(amount_minor: i64) -> api::NewPayment {
    api::NewPayment {
        amount_minor,
        currency: Currency::CNY,
        merchant_reference: None,
        terminal: None,
        capture: wire::api::Capture::Automatic,
        metadata: None,
    }
}

pub fn fingerprint(answer: &Answer) -> String {
    hex(&Sha256::digest([&answer.status.to_be_bytes()[..], &answer.body].concat()))
}

/// What was counted over all points.
#[derive(Debug, Default)]
pub struct Counts {
    pub points: u64,
    pub acknowledged: usize,
    pub payments: usize,
    pub interrupted: usize,
    /// Paid and not paid back, in all.
    pub earned_minor: i64,
    pub recovery_max: Duration,
}

impl Counts {
    #[expect(clippy::disallowed_methods, reason = "how long recovery takes is measured")]
    /// After a point: what was said before it holds, and the books balance.
    pub fn check_after(&mut self, place: &Location, said: &Said) {
        let begin = Instant::now();
        let store = Store::open(place, RuleBook::parse(&settled(&rules())).expect("sound"), Secret::new([3; 32])).expect("opens").let_rows_wait();
        let interrupted = store.recover(START).expect("recovers").len();
        self.recovery_max = self.recovery_max.max(begin.elapsed());
        assert!(interrupted <= TILLS as usize, "one look at a time at each till");
        for (number, answers) in said {
            // The same requests again: the same bytes, and nothing happens twice.
            let payment = pay(&store, *number, |step, answer| {
                if let Some(before) = answers.get(step) {
                    assert_eq!(&fingerprint(answer), before, "{step} of payment {number} is answered otherwise: {answer:?}");
                    assert!(answer.replayed, "{step} of payment {number} was acknowledged and is lost");
                    self.acknowledged += 1;
                }
            });
            let payment = store.payment(TILL, payment.expect("the store answers"), START).expect("is there");
            let is_settled = matches!(payment.status, PaymentStatus::Paid | PaymentStatus::Refused);
            assert!(is_settled, "payment {number} is still {:?}", payment.status);
            if payment.status == PaymentStatus::Paid {
                self.earned_minor += payment.amount_minor - payment.refunded_minor;
            }
        }
        self.points += 1;
        self.interrupted += interrupted;
        self.payments += said.len();
        let books = store.books().expect("transfers and accounts agree");
        assert!(books.balanced(), "{books:?}");
        assert_eq!(
            (books.customer_minor, books.merchant_minor),
            (SHOPPERS as i64 * FUNDS_MINOR - self.earned_minor, self.earned_minor),
            "after point {}: something was lost or charged twice",
            self.points
        );
    }

    /// Every payment once, and no other.
    pub fn check_all(&self, place: &Location) {
        let store = Store::open(place, RuleBook::parse(&settled(&rules())).expect("sound"), Secret::new([3; 32])).expect("opens").let_rows_wait();
        let (mut references, mut last) = (HashSet::new(), None);
        loop {
            let page = store.payments(TILL, last, 100, START).expect("reads");
            for payment in &page.data {
                assert!(references.insert(payment.merchant_reference.clone()), "{:?} was made twice", payment.merchant_reference);
            }
            last = page.data.last().map(|payment| payment.id);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(references.len(), self.payments);
    }
}
