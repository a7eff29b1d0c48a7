//! Offline vouchers: what the wallet keeps, what tills know, what tills hand in.

use base::id::{PaymentId, StoreId, VoucherId};
use base::money::Currency;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::passkey::Assertion;

/// `GET /v1/me/vouchers`: paying at a till without network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouchers {
    /// Where it is switched on; nothing while it is off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on: Option<VoucherStore>,
    /// The newest vouchers, newest first; at most 50.
    pub vouchers: Vec<Voucher>,
    /// What is set aside for them, in minor units.
    pub set_aside_minor: i64,
    /// Most that one is worth, in minor units.
    pub voucher_max_minor: i64,
    /// Most that all together are worth whose time is not over, in minor units.
    pub day_max_minor: i64,
    /// When there is room for more, if there is none now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub more_from: Option<Timestamp>,
}

/// The store that vouchers are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoucherStore {
    /// The store.
    pub store: StoreId,
    /// Its public name.
    pub store_name: String,
    /// The payee's public name.
    pub merchant_name: String,
}

/// One voucher as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// Its identifier.
    pub id: VoucherId,
    /// The only store that takes it.
    pub store: StoreId,
    /// That store's public name.
    pub store_name: String,
    /// The payee's public name.
    pub merchant_name: String,
    /// The most it is worth, in minor units.
    pub most_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// `open`, `used`, `stopped` or `expired`.
    pub state: String,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From then on no till takes it.
    pub expires_at: Timestamp,
    /// The payment it was used for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment: Option<PaymentId>,
    /// What is shown at the till: only in the answer to the request that a device approved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
}

/// `POST /v1/me/vouchers`. Answers with [`Vouchers`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVouchers {
    /// For which store.
    pub store: StoreId,
    /// What the device answered that keeps them.
    pub approval: Assertion,
}

/// `GET /v1/terminal/vouchers`: what a till must know before the network is down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoucherKit {
    /// The till's store.
    pub store: StoreId,
    /// The platform's Ed25519 key that signs vouchers, 64 hexadecimal digits.
    pub public_key: String,
    /// Most that one voucher is worth, in minor units.
    pub voucher_max_minor: i64,
    /// Most that an account's vouchers are worth together, in minor units.
    pub day_max_minor: i64,
    /// Oldest list with which vouchers are taken, in seconds.
    pub list_age_max_s: u64,
    /// Vouchers of this store whose time is not over and that must not be taken: stopped, or used.
    pub stopped: Vec<VoucherId>,
    /// When the list was made.
    pub at: Timestamp,
}

/// `POST /v1/terminal/vouchers`: a voucher that this till took while it had no network. Answers with [`crate::api::Payment`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenVoucher {
    /// What was shown.
    pub text: String,
    /// How much of it, in minor units.
    pub amount_minor: i64,
    /// When, by the till's clock.
    pub taken_at: Timestamp,
}
