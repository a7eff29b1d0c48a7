//! The gallery's log: order, completion, erasure of what passed through.

use base::id::AccountId;
use base::party::PartyId;
use store::crowd::CrowdMember;
use store::gallery::NewToken;
use store::payment::Identification;
use wire::api::{self, ConsentPurpose, EnrolmentStatus, PaymentStatus};
use wire::party::GalleryOperation;
use wire::probe::{ProbeContext, Purpose, SealedProbe};
use wire::problem::Code;

use crate::world::*;

#[test]
fn an_enrolment_stands_when_all_three_parties_hold_it() {
    let world = World::new();
    let account = world.account("13800000001");
    world.consent(account, ConsentPurpose::Payment, true);
    let enrolment: api::Enrolment = resource(&world.new_enrolment(account));
    let token = [7; 16];
    assert_eq!(resource::<api::Enrolment>(&world.send_template(&enrolment, token)).status, EnrolmentStatus::Storing);
    for party in PartyId::ALL {
        let state =
            || (world.store.enrolment(account, enrolment.id).expect("there").status, world.store.resolve_token(&token).expect("reads"));
        assert_eq!(state(), (EnrolmentStatus::Storing, None), "before {party}");
        let changes = world.store.pending_changes(party, 10).expect("reads");
        let GalleryOperation::Enrol { probe, records } = &changes[0].operation else { panic!("an enrolment") };
        assert_eq!((changes.len(), changes[0].sequence, records.len(), &records[0].partitions), (1, 1, 1, &vec![part_of("13800000001")]));
        probe.verify(party, &device_key(TILL).verifying_key()).expect("its own share, signed");
        let acknowledge = |sequence| world.store.acknowledge_change(party, sequence, &[], &mut *world.rng.borrow_mut(), world.now());
        assert_eq!(acknowledge(2).expect_err("not yet").code(), Code::StateConflict);
        acknowledge(1).expect("applies");
        acknowledge(1).expect("again changes nothing");
        assert_eq!(world.store.acknowledged(party).expect("reads"), 1);
    }
    assert_eq!(world.store.enrolment(account, enrolment.id).expect("there").status, EnrolmentStatus::Enrolled);
    assert_eq!(world.store.resolve_token(&token).expect("reads"), Some(account));
    assert_eq!(world.store.queries(account, None, 10).expect("reads").data.len(), 1, "enrolled once");
    assert_eq!(code(&world.new_enrolment(account)), Code::EnrolmentExists);
    assert_eq!(world.store.gallery_sequence().expect("reads").applied, 1);
}

#[test]
fn templates_that_do_not_fit() {
    let world = World::new();
    let account = world.account("13800000001");
    world.consent(account, ConsentPurpose::Payment, true);
    let enrolment: api::Enrolment = resource(&world.new_enrolment(account));
    let probe = enrol_probe(&enrolment);
    let send = |probe: &SealedProbe, tokens: &[NewToken]| {
        world
            .store
            .receive_template(&world.fresh(), TILL, enrolment.id, probe, tokens, &mut *world.rng.borrow_mut(), world.now())
            .expect("answers")
    };
    let tokens = [new_token([7; 16])];
    let to_pay = sign(ProbeContext { purpose: Purpose::Pay, ..probe.context.clone() });
    let mut altered = probe.clone();
    altered.context.counter = 99;
    assert_eq!(code(&send(&to_pay, &tokens)), Code::ProbeMismatch);
    assert_eq!(code(&send(&altered, &tokens)), Code::ProbeInvalid);
    assert_eq!(code(&send(&probe, &[])), Code::InvalidRequest);
    assert_eq!(send(&probe, &tokens).status, 202);
    assert_eq!(code(&send(&probe, &tokens)), Code::ProbeReplayed);
    let other = world.account("13800000002");
    assert_eq!(world.store.enrolment(other, enrolment.id).expect_err("not theirs").code(), Code::NotFound);
    assert_eq!(world.store.delete_enrolment(other, enrolment.id, world.now()).expect_err("not theirs").code(), Code::NotFound);
    world.consent(other, ConsentPurpose::Payment, true);
    let late: api::Enrolment = resource(&world.new_enrolment(other));
    world.wait_ms(300_000);
    assert_eq!(code(&world.send_template(&late, [8; 16])), Code::ChallengeExpired);
    let again: api::Enrolment = resource(&world.new_enrolment(other));
    assert_eq!(world.send_template(&again, [8; 16]).status, 202, "one that waited is replaced");
}

#[test]
fn deleting_destroys_everywhere_and_keeps_the_proof() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100);
    assert_eq!(world.store.gallery_len(None).expect("reads"), 1);
    assert_eq!(world.store.gallery_len(Some(&part_of("13800000001"))).expect("reads"), 1);
    assert_eq!(world.store.gallery_len(Some(&part_of("other"))).expect("reads"), 0);
    let delete = || world.store.delete_enrolment(alice.account, alice.enrolment, world.now()).expect("deletes");
    assert_eq!((delete().status, delete().status), (EnrolmentStatus::Deleting, EnrolmentStatus::Deleting));
    assert_eq!(world.store.pending_changes(PartyId::P1, 10).expect("reads").len(), 1, "asked once");
    assert_eq!(code(&world.new_enrolment(alice.account)), Code::EnrolmentExists, "until the old one is gone");
    world.parties_catch_up();
    let gone = delete();
    assert_eq!((gone.status, gone.deletions.len()), (EnrolmentStatus::Deleted, 3));
    assert_eq!(world.store.gallery_len(None).expect("reads"), 0);
    let outcomes: Vec<String> =
        world.store.queries(alice.account, None, 10).expect("reads").data.into_iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, ["deleted", "enrolled"]);
    assert_eq!(world.new_enrolment(alice.account).status, 201, "one may enrol anew");
}

#[test]
fn deleting_before_it_is_stored_never_makes_it_stand() {
    let world = World::new();
    let account = world.account("13800000001");
    world.consent(account, ConsentPurpose::Payment, true);
    let enrolment: api::Enrolment = resource(&world.new_enrolment(account));
    world.send_template(&enrolment, [7; 16]);
    world.store.delete_enrolment(account, enrolment.id, world.now()).expect("deletes");
    world.parties_catch_up();
    assert_eq!(world.store.enrolment(account, enrolment.id).expect("there").status, EnrolmentStatus::Deleted);
    assert_eq!(world.store.resolve_token(&[7; 16]).expect("reads"), None);
}

#[test]
fn sealed_shares_are_erased_from_the_disk_once_the_parties_hold_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let world = World::at(&(&directory.path().join("platform.db")).into(), RULES, 1);
    let needle = base::hash::hex(b"SEALED-SHARE-BYTES");
    let on_disk = || {
        let files =
            std::fs::read_dir(directory.path()).expect("lists").map(|entry| std::fs::read(entry.expect("lists").path()).expect("reads"));
        files.into_iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle.as_bytes()))
    };
    let account = world.account("13800000001");
    world.consent(account, ConsentPurpose::Payment, true);
    let enrolment: api::Enrolment = resource(&world.new_enrolment(account));
    world.send_template(&enrolment, [7; 16]);
    world.store.tidy(world.now()).expect("tidies");
    assert!(on_disk(), "while a party lacks them");
    world.parties_catch_up();
    world.store.tidy(world.now()).expect("tidies");
    assert!(!on_disk(), "not after, neither in the file nor in its log");
}

#[test]
fn a_crowd_is_enrolled_and_can_pay() {
    let world = World::new();
    let members: Vec<CrowdMember> = (0..500_u64)
        .map(|number| {
            let id = 1_000 + u128::from(number);
            CrowdMember {
                account: AccountId::from_bits(id),
                enrolment: base::id::EnrolmentId::from_bits(id),
                phone: format!("199{number:08}"),
                phone_part: part_of(&format!("{number:04}")),
                token: new_token(part_of(&format!("token {number}")).0),
            }
        })
        .collect();
    let challenge = api::Challenge {
        nonce: wire::bytes::HexArray([1; 32]),
        issued_at: world.now(),
        expires_at: world.now().plus_millis(60_000),
        partition: None,
    };
    let probe = sign(ProbeContext { templates: 500, ..context(Purpose::Enrol, "crowd".into(), &challenge) });
    let insert = || world.store.insert_crowd(&members, 10_000, &probe, &mut *world.rng.borrow_mut(), world.now());
    insert().expect("inserts");
    assert_eq!(insert().expect_err("again").code(), Code::ProbeReplayed);
    world.check_books(5_000_000, 0);
    world.parties_catch_up();
    assert_eq!(world.store.gallery_len(None).expect("reads"), 500);
    let token = Identification::Token(part_of("token 17").0);
    assert_eq!(world.look(1_000, &token).status, PaymentStatus::Paid);
    assert_eq!(world.look(20_001, &token).refusal, Some(Code::InsufficientBalance));
    world.check_books(4_999_000, 1_000);
}
