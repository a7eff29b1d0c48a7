//! The wallet: accounts, sessions, consents, top-ups.

use wire::api::{self, ConsentPurpose, EnrolmentStatus, IdentityClass};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::world::*;

#[test]
fn who_may_open_an_account() {
    let world = World::new();
    for (phone, passcode, expected) in [
        ("13800000001", PASSCODE, None),
        ("13800000001", PASSCODE, Some((Code::PhoneTaken, None))),
        ("13800000002", "123456", Some((Code::PasscodeWeak, Some("passcode")))),
        ("13800000002", "12345", Some((Code::InvalidRequest, Some("passcode")))),
        ("23800000002", PASSCODE, Some((Code::InvalidRequest, Some("phone")))),
        ("13800000002", PASSCODE, None),
    ] {
        let answer = world.new_account(phone, passcode);
        let refusal = (answer.status >= 400).then(|| problem(&answer));
        assert_eq!(refusal.as_ref().map(|problem| (problem.code, problem.field.as_deref())), expected, "{phone} {passcode}");
    }
    let me: api::Me = world.me(world.account("13800000003"));
    assert_eq!(
        (me.phone_masked.as_str(), me.identity_class, me.balance_minor, me.look_only_max_minor),
        ("*******0003", IdentityClass::II, 0, 20_000)
    );
    assert!(!me.paused && me.consents.is_empty() && me.enrolment.is_none());
    assert!(!format!("{me:?}").contains("李雷"));
    let answer = world.new_account("13800000004", PASSCODE);
    assert!(!format!("{answer:?}").contains("李雷"), "answers hide their bodies");
}

#[test]
fn sessions_begin_with_the_passcode_and_end() {
    let world = World::new();
    let account = world.account("13800000001");
    let sign_in = |phone, passcode, token| {
        world.store.sign_in(
            &api::NewSession { phone: secret(phone), passcode: secret(passcode) },
            &[token; 32],
            world.now().plus_millis(1_000),
            world.now(),
        )
    };
    for (phone, passcode) in [("13800000001", WRONG), ("13800000009", PASSCODE), ("nonsense", PASSCODE), ("13800000001", "")] {
        assert_eq!(sign_in(phone, passcode, 1).expect_err("no").code(), Code::SignInFailed);
    }
    assert_eq!(sign_in("13800000001", PASSCODE, 1).expect("signs in"), account);
    world.store.open_session(account, &[2; 32], world.now().plus_millis(2_000), world.now()).expect("opens");
    let who = |token| world.store.session_account(&[token; 32], world.now()).expect("reads");
    assert_eq!((who(1), who(2), who(3)), (Some(account), Some(account), None));
    world.store.end_session(&[2; 32]).expect("ends");
    assert_eq!((who(1), who(2)), (Some(account), None));
    world.wait_ms(1_000);
    assert_eq!(who(1), None, "it has run out");
}

#[test]
fn consents_are_apart_versioned_and_withdrawn() {
    let world = World::new();
    let account = world.account("13800000001");
    assert_eq!(code(&world.new_enrolment(account)), Code::ConsentMissing);
    assert_eq!(world.consent(account, ConsentPurpose::Membership, true).status, 201);
    assert_eq!(code(&world.new_enrolment(account)), Code::ConsentMissing, "another purpose's consent is none");
    let unknown = api::NewConsent { purpose: ConsentPurpose::Payment, text_sha256: HexArray([9; 32]), granted: true };
    let record = |new: &api::NewConsent| {
        world.store.record_consent(&world.fresh(), account, new, &mut *world.rng.borrow_mut(), world.now()).expect("answers")
    };
    assert_eq!(code(&record(&unknown)), Code::ConsentOutdated);
    assert_eq!(world.consent(account, ConsentPurpose::Payment, true).status, 201);
    assert_eq!(
        world.me(account).consents.iter().map(|consent| consent.purpose).collect::<Vec<_>>(),
        [ConsentPurpose::Payment, ConsentPurpose::Membership]
    );
    assert_eq!(world.new_enrolment(account).status, 201);
    assert_eq!(world.consent(account, ConsentPurpose::Payment, false).status, 201);
    assert!(world.me(account).enrolment.is_none(), "what waited for its capture is gone with the consent");
    assert_eq!(world.me(account).consents.len(), 1);
}

#[test]
fn withdrawing_the_consent_deletes_the_face() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100);
    assert_eq!(world.me(alice.account).enrolment.expect("stands").status, EnrolmentStatus::Enrolled);
    world.consent(alice.account, ConsentPurpose::Payment, false);
    assert_eq!(world.pay(alice, 100).refusal, Some(Code::NotRecognised));
    assert_eq!(world.me(alice.account).enrolment.expect("being deleted").status, EnrolmentStatus::Deleting);
    world.parties_catch_up();
    assert!(world.me(alice.account).enrolment.is_none());
    let deleted = world.store.enrolment(alice.account, alice.enrolment).expect("proof stays");
    assert_eq!((deleted.status, deleted.deletions.len()), (EnrolmentStatus::Deleted, 3));
}

#[test]
fn top_ups_are_bounded() {
    let world = World::new();
    let account = world.account("13800000001");
    for (amount_minor, expected) in [
        (0, Err(Code::InvalidRequest)),
        (-1, Err(Code::InvalidRequest)),
        (500_001, Err(Code::InvalidRequest)),
        (1, Ok(1)),
        (500_000, Ok(500_001)),
    ] {
        let answer = world.top_up(account, amount_minor);
        let balance = answer.resource::<api::TopUp>().map(|top_up| top_up.balance_minor).ok_or_else(|| code(&answer));
        assert_eq!(balance, expected, "{amount_minor}");
    }
    world.check_books(500_001, 0);
}

#[test]
fn answers_with_personal_data_are_forgotten_after_a_day() {
    let world = World::new();
    let new = || api::NewAccount { name: secret("韩梅梅"), phone: secret("13800000001"), passcode: secret(PASSCODE) };
    let create =
        || world.store.create_account(&keyed("open"), &new(), part_of("x"), &mut *world.rng.borrow_mut(), world.now()).expect("answers");
    let first = create();
    assert_eq!((create().body, create().replayed), (first.body, true));
    world.wait_ms(86_400_000);
    world.store.tidy(world.now()).expect("tidies");
    assert_eq!(code(&create()), Code::PhoneTaken, "safe without the stored answer");
}
