use ed25519_dalek::{Signer, SigningKey};
use wire::bytes::HexArray;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_795_000_060_000);

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn office() -> HeadOffice {
    HeadOffice {
        legal_name: "Lotus Ltd".into(),
        credit_code: "91350100M000100Y43".into(),
        refund_payment_max_minor: None,
        refund_day_max_minor: None,
    }
}

fn place() -> Place {
    Place { city: "Shanghai".into(), address: "Nanjing Road 1".into(), latitude_e6: 31_230_400, longitude_e6: 121_473_700 }
}

fn device() -> RedeemedActivation {
    RedeemedActivation {
        code: "ABCD-EFGH".into(),
        serial: "SN-2024-0007".into(),
        public_key: HexArray(key().verifying_key().to_bytes()),
        token_sha256: HexArray([1; 32]),
        latitude_e6: 31_230_400,
        longitude_e6: 121_473_700,
    }
}

#[test]
fn each_of_the_five_elements_must_be_there() {
    let account = BankAccountId::from_bits(1);
    let lacks = |office, account, place| bind(office, account, place).err().map(|refusal| (refusal.code, refusal.field));
    let incomplete = |field| Some((Code::OnboardingIncomplete, Some(field)));
    assert_eq!(lacks(Some(office()), Some(account), Some(place())), None);
    assert_eq!(lacks(None, Some(account), Some(place())), incomplete("credit_code"));
    assert_eq!(lacks(Some(office()), None, Some(place())), incomplete("settlement_account"));
    assert_eq!(lacks(Some(office()), Some(account), None), incomplete("location"));
    assert_eq!(missing(None, None), [Element::CreditCode, Element::SettlementAccount]);
    assert_eq!(missing(Some(&office()), Some(account)), []);
}

#[test]
fn t09_a_device_that_is_elsewhere_late_or_none_is_refused() {
    let check =
        |device: RedeemedActivation, now| check_device(&device, &place(), LATER, now).err().map(|refusal| (refusal.code, refusal.field));
    assert_eq!(check(device(), NOW), None);
    assert_eq!(check(device(), LATER), Some((Code::CodeInvalid, None)));
    // 0.0045 degrees of latitude are 500.4 m.
    assert_eq!(check(RedeemedActivation { latitude_e6: 31_234_800, ..device() }, NOW), None);
    assert_eq!(check(RedeemedActivation { latitude_e6: 31_234_900, ..device() }, NOW), Some((Code::TerminalElsewhere, None)));
    let field = |field| Some((Code::InvalidRequest, Some(field)));
    assert_eq!(check(RedeemedActivation { serial: "A 1".into(), ..device() }, NOW), field("serial"));
    assert_eq!(check(RedeemedActivation { longitude_e6: 180_000_001, ..device() }, NOW), field("longitude_e6"));
    // y = 2 is on no curve point with x in the field.
    let mut none = [0; 32];
    none[0] = 2;
    assert_eq!(check(RedeemedActivation { public_key: HexArray(none), ..device() }, NOW), field("public_key"));
}

#[test]
fn only_whoever_holds_the_key_is_active() {
    let (terminal, nonce) = (TerminalId::from_bits(5), [9; 32]);
    let public = key().verifying_key().to_bytes();
    let signed = |terminal, nonce: &[u8; 32]| key().sign(&attestation(terminal, nonce)).to_bytes();
    let check = |signature: [u8; 64], now| check_proof(terminal, &nonce, &public, &signature, LATER, now).err().map(|refusal| refusal.code);
    assert_eq!(check(signed(terminal, &nonce), NOW), None);
    assert_eq!(check(signed(terminal, &nonce), LATER), Some(Code::CodeInvalid));
    assert_eq!(check(signed(terminal, &[8; 32]), NOW), Some(Code::ProbeInvalid));
    assert_eq!(check(signed(TerminalId::from_bits(6), &nonce), NOW), Some(Code::ProbeInvalid));
    assert_eq!(check([0; 64], NOW), Some(Code::ProbeInvalid));
}

#[test]
fn distances_are_those_of_the_globe() {
    let (shanghai, beijing) = ((31_230_400, 121_473_700), (39_904_200, 116_407_400));
    assert!((distance_m(shanghai, beijing) - 1_067_000.0).abs() < 6_000.0, "{}", distance_m(shanghai, beijing));
    assert_eq!(distance_m(shanghai, shanghai), 0.0);
    assert!((distance_m((0, 180_000_000), (0, -180_000_000))) < 1.0);
    assert!((distance_m((90_000_000, 0), (-90_000_000, 0)) - 20_015_000.0).abs() < 1_000.0);
}
