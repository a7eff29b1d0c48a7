use proptest::prelude::*;

use super::*;

fn key(byte: u8) -> VoucherKey {
    VoucherKey::derive(&Secret::new([byte; 32]))
}

fn voucher() -> Voucher {
    Voucher {
        id: VoucherId::from_bits(7),
        store: StoreId::from_bits(9),
        most: Money::cny(5_000),
        expires_at: Timestamp::from_millis(1_793_000_000_000),
    }
}

/// The same text stands in web/till/voucher.test.ts.
const VECTOR: &str = concat!(
    "0180F116D8000000000000000000000000000000070000000000000000000000000000000900001388434E5901A17720CA00",
    "007585B88AAA716D45A4D9FB0D62C00F7EF2EBBBA70E6A2C2813757230ECB7A4099EA12F4C6D9D1F2E686E681ED9EE22BEE18FB9308C2A7A1C14D9A8099DFF07"
);

#[test]
fn a_voucher_is_read_as_it_was_signed_by_its_own_key_only() {
    let text = key(1).sign(&voucher());
    assert_eq!(text.len(), TEXT_LEN);
    assert_eq!(read(&text, &key(1).public()), Ok(voucher()));
    assert_eq!(read(&text.to_ascii_lowercase(), &key(1).public()), Ok(voucher()));
    assert_eq!(read(&text, &key(2).public()), Err(NotAVoucher));
}

/// The bytes are documented, and a till's page reads them without this crate (web/till/voucher.test.ts).
#[test]
fn the_bytes_are_those_of_the_documentation() {
    let text = key(1).sign(&voucher());
    let expected = concat!("00000000000000000000000000000007", "00000000000000000000000000000009", "00001388", "434E59", "01A17720CA00");
    assert_eq!(base::hash::hex(key(1).public().as_bytes()), "9075187abee91973b0bc8ff502230267a15abc25bca72318036009e6a9e76900");
    assert_eq!(text, VECTOR);
    assert_eq!(&text[..2], "01");
    assert_eq!(&text[10..100], expected);
    assert_eq!(text[2..10].to_ascii_lowercase(), base::hash::hex(&Sha256::digest(key(1).public().as_bytes())[..4]));
}

#[test]
fn every_changed_digit_is_noticed() {
    let text = key(1).sign(&voucher());
    for at in 0..TEXT_LEN {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).expect("digits are ASCII");
        assert_eq!(read(&changed, &key(1).public()), Err(NotAVoucher), "digit {at}");
    }
}

proptest! {
    #[test]
    fn any_voucher_is_read_as_it_was_signed(id: u128, store: u128, most in 1..=u32::MAX, expires in 0..1_u64 << 48) {
        let voucher = Voucher {
            id: VoucherId::from_bits(id),
            store: StoreId::from_bits(store),
            most: Money::cny(i64::from(most)),
            expires_at: Timestamp::from_millis(expires),
        };
        prop_assert_eq!(read(&key(3).sign(&voucher), &key(3).public()), Ok(voucher));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", digits in "[0-9A-Fa-f]{228}") {
        prop_assert_eq!(read(&text, &key(1).public()), Err(NotAVoucher));
        prop_assert_eq!(read(&digits, &key(1).public()), Err(NotAVoucher));
        prop_assert!(parse(text.as_bytes()).is_none_or(|voucher| voucher.most.minor > 0));
    }
}
