//! What a head office says of its merchant and stores, and whether it can be so.

use wire::problem::Code;
use wire::shop::{HeadOffice, NewShopStore, Place};

use crate::refusal::Refusal;

/// Longest name of a company or store in characters.
const NAME_CHARS_MAX: usize = 64;
/// Longest address in characters.
const ADDRESS_CHARS_MAX: usize = 200;
/// Characters of a unified social credit code: digits and letters without I, O, S, V, Z (GB 32100-2015, 4.2).
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Weights of its first 17 characters (GB 32100-2015, annex A): powers of 3 modulo 31.
const CREDIT_WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// `invalid_request` naming `field` unless `text` has 1 to `chars_max` characters, not blanks alone and none of control.
pub fn check_text(text: &str, chars_max: usize, field: &'static str) -> Result<(), Refusal> {
    let sound = !text.trim().is_empty() && text.chars().count() <= chars_max && !text.chars().any(char::is_control);
    if sound { Ok(()) } else { Err(Refusal::of_field(Code::InvalidRequest, field)) }
}

/// `invalid_request` with the field at fault.
pub fn check_head_office(said: &HeadOffice) -> Result<(), Refusal> {
    check_text(&said.legal_name, NAME_CHARS_MAX, "legal_name")?;
    if !is_credit_code(&said.credit_code) {
        return Err(Refusal::of_field(Code::InvalidRequest, "credit_code"));
    }
    for (limit, field) in [(said.refund_payment_max_minor, "refund_payment_max_minor"), (said.refund_day_max_minor, "refund_day_max_minor")]
    {
        if limit.is_some_and(|limit| limit < 0) {
            return Err(Refusal::of_field(Code::InvalidRequest, field));
        }
    }
    Ok(())
}

/// `invalid_request` with the field at fault.
pub fn check_store(new: &NewShopStore) -> Result<(), Refusal> {
    check_text(&new.name, NAME_CHARS_MAX, "name")?;
    let Place { city, address, latitude_e6, longitude_e6 } = &new.place;
    check_text(city, NAME_CHARS_MAX, "city")?;
    check_text(address, ADDRESS_CHARS_MAX, "address")?;
    crate::activation::check_position(*latitude_e6, *longitude_e6)
}

/// Whether `text` is a unified social credit code: 18 characters of which the last is the check character.
pub fn is_credit_code(text: &str) -> bool {
    let values: Option<Vec<usize>> = text.bytes().map(|letter| CREDIT_ALPHABET.iter().position(|known| *known == letter)).collect();
    let Some(values) = values.filter(|values| values.len() == 18) else { return false };
    let sum: usize = values.iter().zip(CREDIT_WEIGHTS).map(|(value, weight)| value * weight).sum();
    values[17] == (31 - sum % 31) % 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_credit_code_is_known_by_its_check_character() {
        // Two that companies publish in their imprints, and what can happen to one.
        for (code, sound) in [
            ("91350100M000100Y43", true),
            ("91110000802100433B", true),
            ("91350100M000100Y44", false),
            ("91350100M000100Y4", false),
            ("91350100M000100Y430", false),
            ("91350100M000100y43", false),
            ("9135O100M000100Y43", false),
            ("", false),
        ] {
            assert_eq!(is_credit_code(code), sound, "{code}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_noticed(at in 0_usize..18, other in 0_usize..31) {
            let mut code = *b"91350100M000100Y43";
            prop_assume!(code[at] != CREDIT_ALPHABET[other]);
            code[at] = CREDIT_ALPHABET[other];
            prop_assert!(!is_credit_code(std::str::from_utf8(&code).expect("ASCII")));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,40}") {
            is_credit_code(&text);
        }
    }

    #[test]
    fn what_cannot_be_a_store_is_refused_with_its_field() {
        let new = |name: &str, city: &str, address: &str, latitude_e6| NewShopStore {
            name: name.into(),
            place: Place { city: city.into(), address: address.into(), latitude_e6, longitude_e6: 121_473_700 },
        };
        let field = |new: &NewShopStore| check_store(new).err().and_then(|refusal| refusal.field);
        assert_eq!(field(&new("Store 2", "Shanghai", "Nanjing Road 1", 31_230_400)), None);
        assert_eq!(field(&new(" ", "Shanghai", "Nanjing Road 1", 31_230_400)), Some("name"));
        assert_eq!(field(&new("Store 2", "", "Nanjing Road 1", 31_230_400)), Some("city"));
        assert_eq!(field(&new("Store 2", "Shanghai", &"x".repeat(201), 31_230_400)), Some("address"));
        assert_eq!(field(&new("Store 2", "Shanghai", "Nanjing Road 1", 90_000_001)), Some("latitude_e6"));
    }
}
