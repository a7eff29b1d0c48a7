//! What owners set for their accounts: limits, freezing, the passcode given under threat, closing.

use base::id::AccountId;
use store::alert::Kind;
use store::idempotency::Answer;
use wire::api::{self, PaymentStatus};
use wire::dispute::{Limits, NewLimits};
use wire::problem::Code;

use crate::world::*;

const HOUR_MS: u64 = 3_600_000;
/// Given under threat.
const DURESS: &str = "860597";

fn set_limits(world: &World, account: AccountId, limits: NewLimits) -> Limits {
    resource(&world.store.set_limits(&world.fresh(), account, &limits, None, world.now()).expect("answers"))
}

fn passcode(text: &str) -> api::Passcode {
    api::Passcode { passcode: secret(text) }
}

fn thaw(world: &World, account: AccountId, text: &str) -> Answer {
    world.store.thaw(&world.fresh(), account, &passcode(text), world.now()).expect("answers")
}

fn set_duress(world: &World, account: AccountId, own: &str, duress: Option<&str>) -> Answer {
    let new = api::NewDuressPasscode { passcode: secret(own), duress_passcode: duress.map(secret) };
    world.store.set_duress_passcode(&world.fresh(), account, &new, &mut *world.rng.borrow_mut(), world.now()).expect("answers")
}

#[test]
fn a_lower_limit_counts_at_once_and_a_higher_one_a_day_later() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    let most = |minor| NewLimits { payment_max_minor: Some(minor), ..NewLimits::default() };
    assert_eq!(set_limits(&world, alice.account, most(1_000)).standing, most(1_000));
    assert_eq!(world.pay(alice, 1_001).refusal, Some(Code::LimitExceeded));
    assert_eq!(world.pay(alice, 1_000).status, PaymentStatus::Paid);
    let raised = set_limits(&world, alice.account, most(2_000));
    assert_eq!((raised.standing, raised.next), (most(1_000), Some(most(2_000))));
    assert_eq!(world.pay(alice, 1_001).refusal, Some(Code::LimitExceeded), "whoever raises it cannot use it at once");
    world.wait_ms(24 * HOUR_MS);
    assert_eq!(world.store.limits(alice.account, world.now()).expect("reads").standing, most(2_000));
    assert_eq!(world.pay(alice, 2_000).status, PaymentStatus::Paid);
    // A raise that waits is given up by lowering again.
    set_limits(&world, alice.account, most(9_000));
    set_limits(&world, alice.account, most(500));
    world.wait_ms(48 * HOUR_MS);
    assert_eq!(world.pay(alice, 501).refusal, Some(Code::LimitExceeded));
}

/// Somebody with a twin says so: from then on no look alone pays, and the twin cannot switch it off and pay.
#[test]
fn whoever_has_a_twin_is_always_asked_for_the_passcode() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    assert_eq!(world.pay(alice, 1).status, PaymentStatus::Paid);
    let twin = NewLimits { passcode_always: true, ..NewLimits::default() };
    assert_eq!(set_limits(&world, alice.account, twin).standing, twin);
    let asked = world.pay(alice, 1);
    assert_eq!(asked.status, PaymentStatus::AwaitingPasscode);
    assert_eq!(resource::<api::Payment>(&world.passcode(asked.id, PASSCODE)).status, PaymentStatus::Paid);
    let off = set_limits(&world, alice.account, NewLimits::default());
    assert_eq!((off.standing, off.next), (twin, Some(NewLimits::default())));
    assert_eq!(world.pay(alice, 1).status, PaymentStatus::AwaitingPasscode, "not yet");
    world.wait_ms(24 * HOUR_MS);
    assert_eq!(world.pay(alice, 1).status, PaymentStatus::Paid);
}

#[test]
fn days_and_nights_have_limits_of_their_own() {
    let world = World::new();
    let alice = world.shopper("13800000001", 100_000);
    set_limits(&world, alice.account, NewLimits { day_max_minor: Some(3_000), night_max_minor: Some(500), ..NewLimits::default() });
    assert_eq!(world.pay(alice, 2_000).status, PaymentStatus::Paid);
    assert_eq!(world.pay(alice, 1_001).refusal, Some(Code::LimitExceeded));
    world.wait_ms(8 * HOUR_MS); // 23:46 in China
    assert_eq!(world.pay(alice, 501).refusal, Some(Code::LimitExceeded));
    assert_eq!(world.pay(alice, 400).status, PaymentStatus::Paid);
    world.wait_ms(HOUR_MS); // past midnight: another day, the same night
    assert_eq!(world.pay(alice, 101).refusal, Some(Code::LimitExceeded));
    world.wait_ms(6 * HOUR_MS); // the morning
    assert_eq!(world.pay(alice, 2_000).status, PaymentStatus::Paid);
}

/// T26: forced to pay.
#[test]
fn t26_the_passcode_given_under_threat_pays_little_tells_staff_and_shows_nothing() {
    let world = World::new();
    let alice = world.shopper("13800000001", 300_000);
    assert_eq!(set_duress(&world, alice.account, PASSCODE, Some(DURESS)).status, 204);
    let small = world.pay(alice, 40_000);
    assert_eq!(small.status, PaymentStatus::AwaitingPasscode);
    let paid: api::Payment = resource(&world.passcode(small.id, DURESS));
    // The till's view differs in nothing from a payment with the passcode itself.
    let other = world.pay(alice, 40_000);
    let ordinary: api::Payment = resource(&world.passcode(other.id, PASSCODE));
    assert_eq!((paid.status, paid.attempts_left), (ordinary.status, ordinary.attempts_left));
    // Above the small sum the wallet seems empty, though it is not.
    let large = world.pay(alice, 60_000);
    let refused: api::Payment = resource(&world.passcode(large.id, DURESS));
    assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::InsufficientBalance)));
    assert_eq!(world.me(alice.account).balance_minor, 220_000);
    let alerts = world.store.alerts(None, 10).expect("reads");
    assert_eq!(alerts.iter().map(|alert| (alert.kind, alert.payment)).collect::<Vec<_>>(), [
        (Kind::UnderThreat, Some(large.id)),
        (Kind::UnderThreat, Some(small.id)),
    ]);
    // What the wallet shows says nothing of it.
    let shown = serde_json::to_string(&world.me(alice.account)).expect("JSON").to_lowercase();
    assert!(!shown.contains("duress") && !shown.contains("threat"), "{shown}");
}

#[test]
fn the_passcode_given_under_threat_is_set_with_the_passcode_itself() {
    let world = World::new();
    let alice = world.shopper("13800000001", 300_000);
    assert_eq!(code(&set_duress(&world, alice.account, WRONG, Some(DURESS))), Code::PasscodeWrong);
    assert_eq!(code(&set_duress(&world, alice.account, PASSCODE, Some(PASSCODE))), Code::PasscodeWeak);
    assert_eq!(code(&set_duress(&world, alice.account, PASSCODE, Some("123456"))), Code::PasscodeWeak);
    assert_eq!(set_duress(&world, alice.account, PASSCODE, Some(DURESS)).status, 204);
    // Whoever threatens must not thaw the account or take the passcode away.
    world.store.freeze(&world.fresh(), alice.account, world.now()).expect("freezes");
    assert_eq!(code(&thaw(&world, alice.account, DURESS)), Code::PasscodeWrong);
    assert_eq!(code(&set_duress(&world, alice.account, DURESS, None)), Code::PasscodeWrong);
    assert_eq!(thaw(&world, alice.account, PASSCODE).status, 200);
    // Taken away, it is a wrong passcode like any other.
    assert_eq!(set_duress(&world, alice.account, PASSCODE, None).status, 204);
    let asked = world.pay(alice, 40_000);
    assert_eq!(code(&world.passcode(asked.id, DURESS)), Code::PasscodeWrong);
    assert!(world.store.alerts(None, 10).expect("reads").is_empty());
}

#[test]
fn thawing_shares_the_ladder_of_tries() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    world.store.freeze(&world.fresh(), alice.account, world.now()).expect("freezes");
    assert_eq!(world.pay(alice, 100).refusal, Some(Code::AccountFrozen));
    for left in [4, 3, 2, 1, 0] {
        let answer = thaw(&world, alice.account, WRONG);
        assert_eq!((code(&answer), problem(&answer).attempts_left), (Code::PasscodeWrong, Some(left)));
    }
    assert_eq!(code(&thaw(&world, alice.account, PASSCODE)), Code::PasscodeLocked);
    assert_eq!(code(&thaw(&world, alice.account, "49381")), Code::InvalidRequest, "what cannot be a passcode is no try");
    world.wait_ms(15 * 60_000);
    assert_eq!(thaw(&world, alice.account, PASSCODE).status, 200);
    assert_eq!(world.pay(alice, 100).status, PaymentStatus::Paid);
}

#[test]
fn an_account_is_closed_only_when_it_is_empty() {
    let world = World::new();
    let alice = world.shopper("13800000001", 1_000);
    let close = |text: &str| world.store.close_account(&world.fresh(), alice.account, &secret(text), None, world.now()).expect("answers");
    assert_eq!(code(&close(WRONG)), Code::PasscodeWrong);
    assert_eq!(code(&close(PASSCODE)), Code::BalanceRemains);
    let payment = world.being_checked_with(1_000, api::Capture::Manual);
    world.identified(payment, &store::payment::Identification::Token(alice.token));
    assert_eq!(code(&close(PASSCODE)), Code::BalanceRemains, "what is held is still there");
    world.store.capture_payment(&world.fresh(), TILL, payment, &api::NewCapture::default(), world.now()).expect("captures");
    let me: api::Me = resource(&close(PASSCODE));
    assert!(me.closed);
    world.parties_catch_up();
    assert!(world.me(alice.account).enrolment.is_none(), "the face goes with the account");
    assert_eq!(code(&world.top_up(alice.account, 100)), Code::AccountClosed);
    world.check_books(0, 1_000);
}
