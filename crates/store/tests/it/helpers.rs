//! Trusted helpers: asked, agreed, looking, freezing, ended; and nothing else.

use base::id::{AccountId, HelperId};
use store::idempotency::Answer;
use wire::api::PaymentStatus;
use wire::helper::{Helped, Helper, HelperRole, NewHelper};
use wire::problem::Code;

use crate::world::*;

const DAY_MS: u64 = 86_400_000;
const OWNER: &str = "13800000001";
const FRIEND: &str = "13800000002";

fn invite(world: &World, owner: AccountId, phone: &str, passcode: &str) -> Answer {
    let new = NewHelper { phone: secret(phone), passcode: secret(passcode) };
    world.store.invite_helper(&world.fresh(), owner, &new, &mut *world.rng.borrow_mut(), world.now()).expect("answers")
}

fn accept(world: &World, account: AccountId, id: HelperId) -> Answer {
    world.store.accept_helper(&world.fresh(), account, id, world.now()).expect("answers")
}

fn end(world: &World, account: AccountId, id: HelperId) -> Answer {
    world.store.end_helper(&world.fresh(), account, id, world.now()).expect("answers")
}

fn freeze(world: &World, account: AccountId, id: HelperId) -> Answer {
    world.store.freeze_helped(&world.fresh(), account, id, world.now()).expect("answers")
}

fn seen(world: &World, account: AccountId) -> Vec<Helper> {
    world.store.helpers(account, world.now()).expect("reads").data
}

#[test]
fn a_helper_who_agreed_sees_payments_and_freezes_until_one_of_the_two_ends_it() {
    let world = World::new();
    let (owner, friend) = (world.shopper(OWNER, 100_000), world.shopper(FRIEND, 0));
    let asked: Helper = resource(&invite(&world, owner.account, FRIEND, PASSCODE));
    assert_eq!((asked.role, asked.name.as_deref(), &*asked.phone_masked), (HelperRole::HelpsMe, None, "*******0002"));
    let for_friend = &seen(&world, friend.account)[0];
    assert_eq!((for_friend.role, &*for_friend.phone_masked), (HelperRole::IHelp, "*******0001"));
    assert!(for_friend.name.is_some(), "whoever is asked must know by whom");
    assert_eq!(world.store.helped(friend.account, asked.id, world.now()).err().map(|error| error.code()), Some(Code::NotFound));
    assert_eq!(code(&freeze(&world, friend.account, asked.id)), Code::NotFound);
    assert_eq!(code(&accept(&world, owner.account, asked.id)), Code::NotFound, "an owner cannot agree in the helper's place");

    let agreed: Helper = resource(&accept(&world, friend.account, asked.id));
    assert_eq!(agreed.accepted_at, Some(world.now()));
    assert_eq!(code(&accept(&world, friend.account, asked.id)), Code::StateConflict);
    let paid = world.pay(owner, 15_000);
    let helped = world.store.helped(friend.account, asked.id, world.now()).expect("reads");
    assert_eq!(helped.activity[0].id, paid.id.to_string());
    assert!(!helped.frozen);
    // Only the helper looks, and only this way round.
    assert_eq!(world.store.helped(owner.account, asked.id, world.now()).err().map(|error| error.code()), Some(Code::NotFound));

    let frozen: Helped = resource(&freeze(&world, friend.account, asked.id));
    assert!(frozen.frozen && world.me(owner.account).frozen && !world.me(friend.account).frozen);
    assert_eq!(seen(&world, owner.account)[0].froze_at, Some(world.now()));
    assert_eq!(world.pay(owner, 1).refusal, Some(Code::AccountFrozen));
    // A helper's own passcode thaws the helper's own account, never the other one.
    let given = wire::api::Passcode { passcode: secret(PASSCODE) };
    world.store.thaw(&world.fresh(), friend.account, &given, world.now()).expect("answers");
    assert!(world.me(owner.account).frozen);
    world.store.thaw(&world.fresh(), owner.account, &given, world.now()).expect("answers");
    assert_eq!(world.pay(owner, 1).status, PaymentStatus::Paid);

    assert_eq!(end(&world, owner.account, asked.id).status, 204);
    assert_eq!(code(&freeze(&world, friend.account, asked.id)), Code::NotFound);
    assert_eq!(world.store.helped(friend.account, asked.id, world.now()).err().map(|error| error.code()), Some(Code::NotFound));
    assert!(seen(&world, friend.account).is_empty() && seen(&world, owner.account).is_empty());
}

#[test]
fn asking_takes_the_passcode_says_nothing_about_the_number_and_runs_out() {
    let world = World::new();
    let (owner, stranger) = (world.shopper(OWNER, 0), world.shopper("13800000009", 0));
    assert_eq!(code(&invite(&world, owner.account, FRIEND, "918273")), Code::PasscodeWrong);
    assert_eq!(code(&invite(&world, owner.account, "12345", PASSCODE)), Code::InvalidRequest);
    assert_eq!(code(&invite(&world, owner.account, OWNER, PASSCODE)), Code::StateConflict);
    // Nobody has this number yet: the answer is the same, and whoever opens the account with it finds the question.
    let asked: Helper = resource(&invite(&world, owner.account, FRIEND, PASSCODE));
    assert_eq!(code(&invite(&world, owner.account, FRIEND, PASSCODE)), Code::StateConflict, "asked already");
    assert_eq!(code(&accept(&world, stranger.account, asked.id)), Code::NotFound);
    assert_eq!(code(&end(&world, stranger.account, asked.id)), Code::NotFound);
    let friend = world.shopper(FRIEND, 0);
    assert_eq!(seen(&world, friend.account).len(), 1);
    for phone in ["13800000003", "13800000004"] {
        assert_eq!(invite(&world, owner.account, phone, PASSCODE).status, 201);
    }
    assert_eq!(code(&invite(&world, owner.account, "13800000005", PASSCODE)), Code::StateConflict, "three at most");
    world.wait_ms(8 * DAY_MS);
    assert_eq!(code(&accept(&world, friend.account, asked.id)), Code::StateConflict);
    assert!(seen(&world, friend.account).is_empty() && seen(&world, owner.account).is_empty());
}

#[test]
fn closing_an_account_ends_what_it_helped_and_who_helped_it() {
    let world = World::new();
    let (owner, friend) = (world.shopper(OWNER, 0), world.shopper(FRIEND, 0));
    let asked: Helper = resource(&invite(&world, owner.account, FRIEND, PASSCODE));
    resource::<Helper>(&accept(&world, friend.account, asked.id));
    let given = wire::api::Passcode { passcode: secret(PASSCODE) };
    world.store.close_account(&world.fresh(), friend.account, &given.passcode, None, world.now()).expect("answers");
    assert!(seen(&world, owner.account).is_empty());
    assert_eq!(code(&freeze(&world, friend.account, asked.id)), Code::NotFound);
}
