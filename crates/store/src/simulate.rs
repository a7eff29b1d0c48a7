//! Made-up shoppers who pay by looking, for test mode: everything of a payment but the camera and the parties. Only a store
//! that holds no person's money may be asked for it; which one that is, its caller knows.

use base::id::{AccountId, MerchantId, PaymentId, TopUpId};
use base::money::Currency;
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::account::Payer;
use payments::account::usage::Usage;
use payments::payment::judge::Found;
use payments::payment::{Event, Payment};
use payments::probe::Searched;
use rand_core::CryptoRng;
use wire::api::{IdentityClass, Part};
use wire::merchant::SimulatedShopper;

use crate::account::{fund, random};
use crate::account_rows::NewRow;
use crate::db::Tx;
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::Bits;
use crate::setup::Payee;
use crate::{Store, account_rows, payment, payment_rows, posting};

/// What is searched in test mode: a gallery without anybody, whatever came of it.
const NOBODY: Searched = Searched { part: Part::Gallery, label: None, people: 0 };

impl Store {
    /// Lets a made-up shopper look for a payment of `merchant`: 200 with the payment in `paid` or `refused`; or `not_found`,
    /// `payment_expired`, `payment_cancelled`, `state_conflict`. Rules, ledger and events are those of every payment.
    pub fn simulate_look(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        payment: PaymentId,
        shopper: SimulatedShopper,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        let (nonce, top_up) = (random(rng), TopUpId::new(now, rng));
        self.once("simulate_look", idempotency, Keep::Forever, now, |tx| {
            let begun = payment::of_payee(tx, Payee::Merchant(merchant), payment)?;
            let challenged = begun.start_challenge(nonce, Some(NOBODY), rules, now)?;
            let looking = payment::apply(tx, begun, &challenged, rules, now)?;
            let checked = payment::apply(tx, looking, &Event::ProbeReceived, rules, now)?;
            let found = found(tx, &checked, shopper, top_up, now)?;
            let event = checked.judge(&found, rules, now)?;
            let after = payment::apply(tx, checked, &event, rules, now)?;
            Ok(Answer::of_payment(200, &payment_rows::render(tx, &after, rules, now)?))
        })
    }
}

fn found(tx: &Tx, payment: &Payment, shopper: SimulatedShopper, top_up: TopUpId, now: Timestamp) -> Result<Found, StoreError> {
    let (number, is_funded) = match shopper {
        SimulatedShopper::Stranger => return Ok(Found::Nobody),
        SimulatedShopper::Twin => return Ok(Found::Ambiguous),
        SimulatedShopper::Funded => (1, true),
        SimulatedShopper::Penniless => (2, false),
    };
    let account = AccountId::from_bits(number);
    open(tx, account, number, now)?;
    if is_funded {
        fund(tx, account, top_up, payment.amount.minor, now)?;
    }
    // Made-up money has no limits over a day: only this payment's own are tried.
    let payer = Payer { enrolled: true, usage: Usage::default(), ..account_rows::payer(tx, account, now)? };
    Ok(Found::Payer(payer))
}

/// Opens the made-up shopper's account, if it is not there.
fn open(tx: &Tx, account: AccountId, number: u128, now: Timestamp) -> Result<(), StoreError> {
    if tx.find("SELECT 1 FROM accounts WHERE id = ?1", [Bits(account.bits())], |row| row.get::<i64>(0))?.is_some() {
        return Ok(());
    }
    let phone = format!("1990000000{number}");
    let row =
        NewRow { id: account, name: "Test Shopper", phone: &phone, phone_part: [0; 16], passcode_hash: None, class: IdentityClass::III };
    account_rows::insert(tx, &row, now)?;
    posting::open_account(tx, AccountKey::wallet(account), Currency::CNY)
}
