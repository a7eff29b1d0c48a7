//! Both ceremonies with a phone of another maker, and what must not pass.

use payments::passkey::SubjectKind;
use proptest::prelude::*;

use super::*;

#[path = "../../../tests/it/world/phone.rs"]
mod phone;

use phone::Phone;

const ALICE: Subject = Subject { kind: SubjectKind::Account, id: 7 };
const ORIGIN: &str = "http://localhost:7400";

fn party() -> RelyingParty {
    RelyingParty::new("localhost", vec![ORIGIN.into()]).expect("sound")
}

/// A phone that is bound to Alice, and what is kept of it.
async fn bound() -> (Phone, Credential, Vec<u8>) {
    let mut phone = Phone::new();
    let asked = party().ask_to_register(ALICE, "13800000001", "李雷", &[]).expect("asks");
    let given = phone.register(&asked.public_key).await;
    assert_eq!(challenge_of(&given.client_data_json), Ok(asked.challenge));
    let new = party().verify_registration(asked.challenge, &asked.state, &given).expect("holds");
    (phone, Credential { subject: ALICE, public_key: new.public_key, state: new.state }, new.credential)
}

fn judge(asked: &Asked, id: &[u8], known: &Credential, given: &Assertion) -> Result<Answered, Code> {
    party().verify_answer(asked.challenge, &asked.state, id.to_vec(), known, given).map_err(|refused| refused.code())
}

#[tokio::test]
async fn a_bound_phone_answers() {
    let (mut phone, mut known, id) = bound().await;
    let mut last = 0;
    for _ in 0..2 {
        let asked = party().ask_to_answer(&[(id.clone(), 0)]).expect("asks");
        let answered = judge(&asked, &id, &known, &phone.answer(&asked.public_key).await).expect("holds");
        assert!(answered.sign_count > last, "the counter goes on");
        (last, known.state) = (answered.sign_count, answered.state);
    }
}

#[tokio::test]
async fn what_another_page_domain_key_or_challenge_signed_does_not_hold() {
    let (mut phone, known, id) = bound().await;
    let asked = party().ask_to_answer(&[]).expect("asks");
    let good = phone.answer(&asked.public_key).await;

    let other = party().ask_to_answer(&[]).expect("asks");
    assert_eq!(judge(&other, &id, &known, &good).err(), Some(Code::PasskeyInvalid), "another challenge");

    let (mut stranger, ..) = bound().await;
    let signed = stranger.answer(&asked.public_key).await;
    let swapped = Assertion { credential_id: good.credential_id.clone(), ..signed };
    assert_eq!(judge(&asked, &id, &known, &swapped).err(), Some(Code::PasskeyInvalid), "another key");

    let of_bob = Credential { subject: Subject { id: 8, ..ALICE }, ..known.clone() };
    assert_eq!(judge(&asked, &id, &of_bob, &good).err(), Some(Code::PasskeyUnknown), "another account's");
    let of_staff = Credential { subject: Subject { kind: SubjectKind::Staff, ..ALICE }, ..known.clone() };
    assert_eq!(judge(&asked, &id, &of_staff, &good).err(), Some(Code::PasskeyUnknown), "another kind of subject");

    let elsewhere = RelyingParty::new("pay.example.com", vec!["https://pay.example.com".into()]).expect("sound");
    let refused = elsewhere.verify_answer(asked.challenge, &asked.state, id.clone(), &known, &good).map_err(|refused| refused.code());
    assert_eq!(refused.err(), Some(Code::PasskeyOrigin), "another origin");
    let only_domain = RelyingParty { origins: vec![ORIGIN.into()], ..elsewhere };
    let refused = only_domain.verify_answer(asked.challenge, &asked.state, id.clone(), &known, &good).map_err(|refused| refused.code());
    assert_eq!(refused.err(), Some(Code::PasskeyInvalid), "another domain");

    phone.origin = "http://localhost:9999".parse().expect("an origin");
    assert_eq!(judge(&asked, &id, &known, &phone.answer(&asked.public_key).await).err(), Some(Code::PasskeyOrigin), "a page elsewhere");
}

#[tokio::test]
async fn a_phone_that_did_not_check_its_owner_is_not_believed() {
    let (mut phone, known, id) = bound().await;
    phone.verifies = false;
    let asked = party().ask_to_answer(&[]).expect("asks");
    assert_eq!(judge(&asked, &id, &known, &phone.answer(&asked.public_key).await).err(), Some(Code::PasskeyInvalid));
    let mut phone = Phone::new();
    phone.verifies = false;
    let asked = party().ask_to_register(ALICE, "13800000001", "李雷", &[]).expect("asks");
    let given = phone.register(&asked.public_key).await;
    let refused = party().verify_registration(asked.challenge, &asked.state, &given).map_err(|refused| refused.code());
    assert_eq!(refused.err(), Some(Code::PasskeyInvalid));
}

#[tokio::test]
async fn a_counter_that_goes_back_is_a_copy() {
    let (mut phone, mut known, id) = bound().await;
    let copy = phone.stored().clone();
    let asked = party().ask_to_answer(&[]).expect("asks");
    known.state = judge(&asked, &id, &known, &phone.answer(&asked.public_key).await).expect("holds").state;
    *phone.stored() = copy;
    let asked = party().ask_to_answer(&[]).expect("asks");
    assert_eq!(judge(&asked, &id, &known, &phone.answer(&asked.public_key).await).err(), Some(Code::PasskeyInvalid));
}

#[tokio::test]
async fn a_challenge_of_one_ceremony_is_none_of_the_other() {
    let (mut phone, known, id) = bound().await;
    let (to_register, to_answer) =
        (party().ask_to_register(ALICE, "13800000001", "李雷", &[]).expect("asks"), party().ask_to_answer(&[]).expect("asks"));
    let given = phone.answer(&to_answer.public_key).await;
    assert!(judge(&to_register, &id, &known, &given).is_err());
    let given = Phone::new().register(&to_register.public_key).await;
    assert!(party().verify_registration(to_answer.challenge, &to_answer.state, &given).is_err());
    let refused = party().verify_registration(to_register.challenge, &to_register.state, &given);
    assert!(refused.is_ok(), "the same answer holds where it belongs");
}

#[test]
fn passkeys_hold_at_domains_only() {
    for (domain, origin, holds) in [
        ("localhost", "http://localhost:7400", true),
        ("pay.example.com", "https://pay.example.com", true),
        ("example.com", "https://wallet.example.com:8443", true),
        ("127.0.0.1", "http://127.0.0.1:7400", false),
        ("localhost", "http://127.0.0.1:7400", false),
        ("example.com", "https://badexample.com", false),
        ("example.com", "http://example.com", false),
        ("example.com", "https://example.com/wallet", false),
        ("", "https://example.com", false),
    ] {
        assert_eq!(RelyingParty::new(domain, vec![origin.into()]).is_ok(), holds, "{domain} {origin}");
    }
}

fn altered(text: &str, at: usize, with: u8) -> String {
    let mut bytes = base64url::read(text).expect("base64url");
    let at = at % bytes.len();
    bytes[at] ^= with;
    base64url::write(&bytes)
}

#[tokio::test]
async fn no_altered_byte_passes() {
    let (mut phone, known, id) = bound().await;
    let asked = party().ask_to_answer(&[]).expect("asks");
    let good = phone.answer(&asked.public_key).await;
    assert!(judge(&asked, &id, &known, &good).is_ok());
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&(any::<usize>(), 1_u8.., 0_usize..3), |(at, with, part)| {
            let mut bad = good.clone();
            let text = [&mut bad.client_data_json, &mut bad.authenticator_data, &mut bad.signature].into_iter().nth(part).expect("three");
            *text = altered(text, at, with);
            prop_assert!(judge(&asked, &id, &known, &bad).is_err());
            Ok(())
        })
        .expect("nothing altered holds");
}

proptest! {
    #[test]
    fn nothing_from_outside_makes_the_parsers_panic(
        text in ".{0,64}", bytes in proptest::collection::vec(any::<u8>(), 0..300), state in proptest::collection::vec(any::<u8>(), 0..80)
    ) {
        let encoded = base64url::write(&bytes);
        let _ = challenge_of(&text);
        let _ = challenge_of(&encoded);
        for part in [&text, &encoded] {
            let given = Attestation {
                credential_id: part.clone(), client_data_json: part.clone(), attestation_object: encoded.clone(), transports: vec![text.clone()],
            };
            prop_assert!(party().verify_registration([0; 16], &state, &given).is_err());
            let given = Assertion {
                credential_id: part.clone(), client_data_json: part.clone(), authenticator_data: encoded.clone(),
                signature: encoded.clone(), user_handle: Some(part.clone()),
            };
            let known = Credential { subject: ALICE, public_key: bytes.clone(), state: [0; 7] };
            prop_assert!(party().verify_answer([0; 16], &state, bytes.clone(), &known, &given).is_err());
        }
    }
}
