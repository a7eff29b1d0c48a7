//! Prefixed 128-bit identifiers, such as `pay_01jd…`: 48 bits of time, so that they sort, and 80 random bits.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize, Serializer};

use crate::time::Timestamp;

/// Crockford's base-32 alphabet in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters behind the prefix: 26 of 5 bits hold 128 bits.
const BODY_LEN: usize = 26;
/// Characters of a prefix, at most.
const PREFIX_LEN_MAX: usize = 4;

/// A text that is no identifier of the wanted kind. Whoever sent it can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError {
    /// The prefix that was expected, such as `pay_`.
    pub expected_prefix: &'static str,
}

impl std::fmt::Display for IdError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected an identifier of the form {}… with {BODY_LEN} characters behind the prefix", self.expected_prefix)
    }
}

impl std::error::Error for IdError {}

/// Hands the text of an identifier to `take`.
fn encode<T>(prefix: &str, value: u128, take: impl FnOnce(&str) -> T) -> T {
    let mut text = [0; PREFIX_LEN_MAX + BODY_LEN];
    let (head, body) = text[..prefix.len() + BODY_LEN].split_at_mut(prefix.len());
    head.copy_from_slice(prefix.as_bytes());
    let mut rest = value;
    for letter in body.iter_mut().rev() {
        *letter = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    take(std::str::from_utf8(&text[..prefix.len() + BODY_LEN]).expect("prefixes and the alphabet are ASCII"))
}

fn decode(prefix: &'static str, text: &str) -> Result<u128, IdError> {
    let error = IdError { expected_prefix: prefix };
    let body = text.strip_prefix(prefix).ok_or(error)?.as_bytes();
    // The first character may hold only three bits: 26 * 5 = 130.
    if body.len() != BODY_LEN || body[0] > b'7' {
        return Err(error);
    }
    body.iter().try_fold(0_u128, |value, byte| {
        let digit = ALPHABET.iter().position(|symbol| symbol == byte).ok_or(error)?;
        Ok(value << 5 | digit as u128)
    })
}

fn fresh(now: Timestamp, rng: &mut dyn CryptoRng) -> u128 {
    let mut random = [0_u8; 16];
    rng.fill_bytes(&mut random);
    let random = u128::from_le_bytes(random) & ((1 << 80) - 1);
    (u128::from(now.millis()) & ((1 << 48) - 1)) << 80 | random
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(u128);

        impl $name {
            /// The prefix in front of the 26 characters.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier: `now` in the upper 48 bits, 80 bits of `rng` below.
            pub fn new(now: Timestamp, rng: &mut dyn CryptoRng) -> Self {
                Self(fresh(now, rng))
            }

            /// The identifier with exactly these bits, for fixed accounts and tests.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The 128 bits.
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                encode($prefix, self.0, |text| f.write_str(text))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                encode($prefix, self.0, |text| serializer.serialize_str(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                decode($prefix, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                encode($prefix, id.0, str::to_owned)
            }
        }
    };
}

id_type!(/// A shopper's account with the institution (wallet, consents, enrolments).
    AccountId, "acc_");
id_type!(/// A merchant: the payee.
    MerchantId, "mer_");
id_type!(/// A store of a merchant.
    StoreId, "sto_");
id_type!(/// A capturing device with its own Ed25519 key: a till, or the shopper's own capture device at enrolment.
    TerminalId, "ter_");
id_type!(/// One payment, from the amount to the receipt.
    PaymentId, "pay_");
id_type!(/// One refund of a payment.
    RefundId, "re_");
id_type!(/// One payment that its payer disputes.
    DisputeId, "dp_");
id_type!(/// One offline voucher: a sum set aside, signed for one store.
    VoucherId, "vch_");
id_type!(/// One top-up of a wallet from a bank account.
    TopUpId, "top_");
id_type!(/// One consent given or withdrawn.
    ConsentId, "con_");
id_type!(/// A shopper's enrolment of one modality.
    EnrolmentId, "enr_");
id_type!(/// A device that somebody signs in and approves with.
    PasskeyId, "pk_");
id_type!(/// A record in the parties' galleries; says nothing about whose it is.
    RecordId, "rec_");
id_type!(/// A trusted helper of an account's owner: the tie between the two.
    HelperId, "hlp_");
id_type!(/// One use of a biometric: enrolment, query or deletion, as the right-to-know log lists it.
    QueryId, "qry_");
id_type!(/// One run of a protocol between the parties.
    SessionId, "ses_");
id_type!(/// A double-entry transfer in the ledger.
    TransferId, "tra_");
id_type!(/// One HTTP request, for logs and error reports.
    RequestId, "req_");
id_type!(/// A merchant's key to the API.
    ApiKeyId, "key_");
id_type!(/// A member of a merchant's staff.
    StaffId, "stf_");
id_type!(/// Somebody of the institution's customer service.
    ClerkId, "clk_");
id_type!(/// One line of customer service's log: a case that was looked up, or what was done with it.
    ServiceEntryId, "svc_");
id_type!(/// A till on its way to work.
    ActivationId, "act_");
id_type!(/// A refund that waits for approval.
    RefundRequestId, "rr_");
id_type!(/// Something that happened, as merchants are told of it.
    EventId, "evt_");
id_type!(/// Where a merchant wants to be told.
    WebhookEndpointId, "whe_");
id_type!(/// One event on its way to one endpoint.
    DeliveryId, "del_");
id_type!(/// A bank account that a merchant wants to be paid out to.
    BankAccountId, "ba_");
id_type!(/// What a merchant is owed, on its way to its bank.
    PayoutId, "po_");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bits_agree() {
        for bits in [0, 1, 31, 32, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let id = PaymentId::from_bits(bits);
            assert_eq!(id.to_string().parse::<PaymentId>(), Ok(id));
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        let good = PaymentId::from_bits(7).to_string();
        for text in [
            "",
            "pay_",
            "re_00000000000000000000000007",
            &good[..29],
            &format!("{good}0"),
            "pay_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "pay_0000000000000000000000000l",
        ] {
            assert_eq!(text.parse::<PaymentId>(), Err(IdError { expected_prefix: "pay_" }), "{text}");
        }
    }
}
