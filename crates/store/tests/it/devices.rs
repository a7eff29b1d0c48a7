//! Devices and their approvals in the store, on both databases: once, for this, by one that stands.

use std::cell::Cell;

use base::id::AccountId;
use payments::passkey::{Action, SubjectKind};
use store::device::{self, Proof};
use store::idempotency::Answer;
use store::passkey::{Answered, NewChallenge, Registered};
use wire::api::PaymentStatus;
use wire::passkey::{Approvable, ApprovedPayment, NoticeKind, Passkey};
use wire::problem::Code;

use crate::world::*;

/// Challenges and counters of a test, each used once.
pub struct Asking<'w> {
    pub world: &'w World,
    pub next: Cell<u8>,
}

impl Asking<'_> {
    fn challenge(&self, account: Option<AccountId>, action: Action) -> [u8; 16] {
        self.next.set(self.next.get() + 1);
        let challenge = [self.next.get(); 16];
        let expires_at = self.world.now().plus_millis(120_000);
        let subject = account.map(device::subject);
        let new = NewChallenge { challenge, kind: SubjectKind::Account, subject, action, state: vec![1], expires_at };
        self.world.store.open_challenge(&new, self.world.now()).expect("is kept");
        challenge
    }

    pub fn bind(&self, account: AccountId, name: &str, proof: &Proof) -> Answer {
        let challenge = self.challenge(Some(account), Action::register());
        self.bind_for(account, name, challenge, proof)
    }

    fn bind_for(&self, account: AccountId, name: &str, challenge: [u8; 16], proof: &Proof) -> Answer {
        let new = Registered { challenge, credential: name.into(), public_key: vec![1], state: [0; 7], sign_count: 0, transports: 0 };
        let rng = &mut *self.world.rng.borrow_mut();
        self.world.store.bind_device(&self.world.fresh(), account, name, &new, proof, rng, self.world.now()).expect("answers")
    }

    /// What the device of this name signs, its counter going on.
    fn signed(&self, name: &str, challenge: [u8; 16]) -> Answered {
        Answered { challenge, credential: name.into(), state: [0; 7], sign_count: u32::from(self.next.get()) }
    }

    pub fn approval(&self, name: &str, account: AccountId, wanted: &Approvable) -> Answered {
        let action = self.world.store.approvable(account, wanted, self.world.now()).expect("can be approved");
        self.signed(name, self.challenge(Some(account), action))
    }
}

#[test]
fn a_device_is_bound_by_the_one_before() {
    let world = World::new();
    let asking = Asking { world: &world, next: Cell::new(0) };
    let account = world.account("13800000001");
    assert_eq!(asking.bind(account, "phone", &Proof::New).status, 201);
    assert_eq!(problem(&asking.bind(account, "tablet", &Proof::New)).code, Code::ApprovalRequired);
    let challenge = asking.challenge(Some(account), Action::register());
    let approve = |of: [u8; 16]| asking.signed("phone", asking.challenge(Some(account), device::add_device(&of)));
    assert_eq!(problem(&asking.bind_for(account, "tablet", challenge, &Proof::Approval(approve([0; 16])))).code, Code::ApprovalMismatch);
    let bound: Passkey = resource(&asking.bind_for(account, "tablet", challenge, &Proof::Approval(approve(challenge))));
    assert_eq!((bound.name.as_str(), bound.approves_from), ("tablet", world.now()));
    let again = Proof::Approval(approve(challenge));
    assert_eq!(problem(&asking.bind_for(account, "tablet", challenge, &again)).code, Code::ApprovalUsed, "a challenge binds one device");
    // Another account's challenge binds nothing here, and a passkey is bound once.
    let other = world.account("13800000002");
    let of_other = asking.challenge(Some(other), Action::register());
    assert_eq!(problem(&asking.bind_for(account, "third", of_other, &Proof::Approval(approve(of_other)))).code, Code::ApprovalMismatch);
    assert_eq!(problem(&asking.bind(other, "phone", &Proof::New)).code, Code::PasskeyTaken);
    world.wait_ms(900_000);
    assert_eq!(problem(&asking.bind(other, "late", &Proof::New)).code, Code::ApprovalRequired, "the account is no longer new");
}

#[test]
fn notices_go_out_in_their_order_and_none_twice() {
    let world = World::new();
    let asking = Asking { world: &world, next: Cell::new(0) };
    let [alice, bob] = ["13800000001", "13800000002"].map(|phone| world.shopper(phone, 0));
    let after = |sequence, limit| world.store.notices_after(sequence, limit).expect("reads");
    let enrolled = after(0, 100);
    assert_eq!(enrolled.iter().map(|out| out.account).collect::<Vec<_>>(), [alice.account, bob.account]);
    for (account, name) in [(alice.account, "a"), (bob.account, "b")] {
        assert_eq!(asking.bind(account, name, &Proof::New).status, 201);
    }
    world.store.freeze_approvals(&world.fresh(), alice.account, world.now()).expect("answers");
    let first = after(enrolled[1].sequence, 2);
    let rest = after(first[1].sequence, 100);
    let told: Vec<_> = first.iter().chain(&rest).map(|out| (out.account, out.notice.kind)).collect();
    let [bound, frozen] = [NoticeKind::DeviceBound, NoticeKind::ApprovalsFrozen];
    assert_eq!(told, [(alice.account, bound), (bob.account, bound), (alice.account, frozen)]);
    assert!(after(rest[0].sequence, 100).is_empty());
}

#[test]
fn an_approval_pays_once_and_a_copied_device_nothing() {
    let world = World::new();
    let asking = Asking { world: &world, next: Cell::new(0) };
    let alice = world.shopper("13800000001", 300_000);
    assert_eq!(asking.bind(alice.account, "phone", &Proof::New).status, 201);
    let waiting = world.pay(alice, 30_000);
    assert_eq!(waiting.status, PaymentStatus::AwaitingPasscode);
    let wanted = Approvable::Payment { payment: waiting.id };
    let approve = |signed: &Answered| world.store.approve_payment(&world.fresh(), alice.account, waiting.id, signed, world.now()).expect("answers");
    let good = asking.approval("phone", alice.account, &wanted);
    let copied = Answered { sign_count: 0, ..good.clone() };
    let paid: ApprovedPayment = resource(&approve(&good));
    assert_eq!(paid.status, PaymentStatus::Paid);
    assert_eq!(problem(&approve(&good)).code, Code::StateConflict);
    assert_eq!(world.me(alice.account).balance_minor, 270_000);
    let next = world.pay(alice, 30_000);
    let wanted = Approvable::Payment { payment: next.id };
    let approve = |signed: &Answered| world.store.approve_payment(&world.fresh(), alice.account, next.id, signed, world.now()).expect("answers");
    assert_eq!(problem(&approve(&Answered { ..copied })).code, Code::PasskeyInvalid, "the counter did not go on");
    let reused = Answered { sign_count: 100, ..good };
    assert_eq!(problem(&approve(&reused)).code, Code::ApprovalUsed);
    let late = asking.approval("phone", alice.account, &wanted);
    world.wait_ms(120_000);
    assert_eq!(problem(&approve(&late)).code, Code::ApprovalExpired);
    let frozen = asking.approval("phone", alice.account, &wanted);
    world.store.freeze_approvals(&world.fresh(), alice.account, world.now()).expect("answers");
    assert_eq!(problem(&approve(&frozen)).code, Code::DeviceMissing);
    assert_eq!(world.me(alice.account).balance_minor, 270_000);
}
