//! Paying merchants out, and what banks say of it.

use base::id::{MerchantId, TransferId};
use base::money::{Currency, Money};
use base::time::Timestamp;
use ledger::account::AccountKey;
use wire::problem::Code;

use crate::error::StoreError;
use crate::{Store, posting};

impl Store {
    /// Sends `amount_minor` of what a merchant is owed on its way to its bank, under an identifier that counts for ever. Until
    /// [`Store::paid_out`] it is in transit: out of the merchant's account and still in the reserve. `invalid_request` below
    /// 1, `insufficient_balance` if the merchant has less.
    pub fn pay_out(&self, merchant: MerchantId, id: TransferId, amount_minor: i64, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("pay_out", |tx| {
            if amount_minor < 1 {
                return Err(payments::refusal::Refusal::of_field(Code::InvalidRequest, "amount_minor").into());
            }
            let payee = AccountKey::payable(merchant);
            if posting::available_minor(tx, payee)? < amount_minor {
                return Err(Code::InsufficientBalance.into());
            }
            posting::open_account(tx, AccountKey::SETTLEMENT, Currency::CNY)?;
            posting::post(tx, id, payee, AccountKey::SETTLEMENT, Money::cny(amount_minor), now)
        })
    }

    /// The bank says that the payout `id` of `amount_minor` has arrived: the money leaves the reserve.
    pub fn paid_out(&self, id: TransferId, amount_minor: i64, now: Timestamp) -> Result<(), StoreError> {
        self.run_tx("paid_out", |tx| {
            let arrival = posting::following(id, "arrived");
            posting::post(tx, arrival, AccountKey::SETTLEMENT, AccountKey::RESERVE, Money::cny(amount_minor), now)
        })
    }
}
