//! Customer service: cases by reference alone, masked; freezing and nothing else; a log that only grows.

use base::id::{AccountId, ClerkId, ServiceEntryId};
use base::time::Timestamp;
use payments::passkey::{Action, SubjectKind};
use store::idempotency::Answer;
use store::joining::NewSession;
use store::passkey::{Answered, NewChallenge, Registered};
use store::payment::Identification;
use store::service::clerk;
use store::service::log::Line;
use wire::api::{PaymentStatus, QueryKind};
use wire::dispute::{Dispute, DisputeCause, NewDispute};
use wire::helper::{Helper, NewHelper};
use wire::passkey::NoticeKind;
use wire::problem::Code;
use wire::service::{AccountState, Case, FreezeReason, NewFreeze, ServiceAct, ServiceEntry};

use crate::world::*;

const OWNER: &str = "13800000001";
const HOUR_MS: u64 = 3_600_000;

fn invite(world: &World, name: &str, code: u8) -> ClerkId {
    world.store.invite_clerk(name, &[code; 32], &mut *world.rng.borrow_mut(), world.now()).expect("invites").id
}

/// Each line of the log at a time of its own, by which they are in order.
fn try_look_up(world: &World, clerk: ClerkId, typed: &str) -> Result<Case, Code> {
    world.wait_ms(1);
    world.store.look_up_case(clerk, typed, &mut *world.rng.borrow_mut(), world.now()).map_err(|error| error.code())
}

fn look_up(world: &World, clerk: ClerkId, typed: impl ToString) -> Case {
    try_look_up(world, clerk, &typed.to_string()).expect("a case")
}

fn freeze(world: &World, clerk: ClerkId, look_up: ServiceEntryId) -> Answer {
    world.wait_ms(1);
    let new = NewFreeze { reason: FreezeReason::PhoneLost };
    world.store.freeze_case(&world.fresh(), clerk, look_up, &new, &mut *world.rng.borrow_mut(), world.now()).expect("answers")
}

fn told(world: &World, account: AccountId) -> Vec<ServiceEntry> {
    world.store.service_log(account, None, 100).expect("reads").data
}

fn log(world: &World) -> Vec<Line> {
    let mut all = Vec::new();
    world.store.each_service_line(|lines| all.extend(lines)).expect("reads");
    all
}

#[test]
fn every_reference_of_a_payment_leads_to_its_case_and_nothing_else_does() {
    let world = World::new();
    let clerk = invite(&world, "Sun", 1);
    let owner = world.shopper(OWNER, 100_000);
    let paid = world.pay(owner, 15_000);
    let refunded: wire::api::Payment = resource(&world.refund(paid.id, Some(4_000)));
    let new = NewDispute { payment: paid.id, cause: DisputeCause::Forced, freeze: false };
    let opened = world.store.open_dispute(&world.fresh(), owner.account, &new, &mut *world.rng.borrow_mut(), world.now());
    let dispute: Dispute = resource(&opened.expect("answers"));

    let case = look_up(&world, clerk, paid.id);
    let (account, payment) = (case.account.clone().expect("somebody's"), case.payment.clone().expect("a payment"));
    assert_eq!((&*account.name_masked, &*account.phone_masked), ("李**", "*******0001"));
    assert_eq!((account.state, account.enrolled), (AccountState::Active, true));
    assert_eq!((payment.status, payment.amount_minor, payment.refunded_minor), (PaymentStatus::Paid, 15_000, 4_000));
    assert_eq!((&*payment.store_name, payment.rules_version.is_empty()), ("Main Street", false));
    let shown = case.dispute.clone().expect("disputed");
    assert_eq!((shown.id, shown.amount_minor, shown.decide_by), (dispute.id, 11_000, dispute.decide_by));
    for reference in [refunded.refunds[0].id.to_string(), dispute.id.to_string(), paid.id.to_string().to_uppercase()] {
        let same = look_up(&world, clerk, reference);
        assert_eq!((same.account, same.payment, same.dispute), (case.account.clone(), case.payment.clone(), case.dispute.clone()));
    }
    let enrolled = look_up(&world, clerk, owner.enrolment);
    assert_eq!((enrolled.account, enrolled.payment), (case.account, None));
    assert_eq!(enrolled.enrolment.expect("an enrolment").parties_deleted, 0);
    // Neither a name nor a number nor an amount nor what no caller has.
    for typed in
        ["李雷", OWNER, "0001", "150.00", &owner.account.to_string(), &paid.merchant.to_string(), "pay_00000000000000000000000001", ""]
    {
        assert_eq!(try_look_up(&world, clerk, typed), Err(Code::ReferenceUnknown), "{typed}");
    }
    // All of it is in the log; of what was no reference only that something was typed.
    let lines = log(&world);
    assert_eq!(lines.len(), 13);
    assert!(lines.iter().all(|line| line.clerk == clerk && line.act == ServiceAct::LookUp && line.at <= world.now()));
    let of_nobody: Vec<&str> = lines.iter().filter(|line| line.account.is_none()).map(|line| &*line.reference).collect();
    assert_eq!(of_nobody, ["", "", "", "", "", "", "pay_00000000000000000000000001", ""]);
    // Its owner is told each of them, and the right to know what the face was used for stays about the face.
    let entries = told(&world, owner.account);
    assert_eq!(entries.len(), 5);
    assert_eq!((entries[0].reference.clone(), entries[0].clerk, entries[0].act), (owner.enrolment.to_string(), clerk, ServiceAct::LookUp));
    assert_eq!(world.store.service_log(owner.account, Some(entries[3].id), 100).expect("reads").data, entries[4..]);
    let queries = world.store.queries(owner.account, None, 100).expect("reads").data;
    assert!(queries.iter().all(|row| matches!(row.kind, QueryKind::Enrolment | QueryKind::Identification)));
}

#[test]
fn a_case_has_nothing_that_a_clerk_need_not_know() {
    let world = World::new();
    let clerk = invite(&world, "Sun", 1);
    let owner = world.shopper(OWNER, 98_765);
    let other = world.pay(owner, 1_234);
    let paid = world.pay(owner, 2_345);
    let text = serde_json::to_string(&look_up(&world, clerk, paid.id)).expect("JSON");
    let limits = world.me(owner.account);
    for hidden in [
        "李雷",
        OWNER,
        &owner.account.to_string(),
        &other.id.to_string(),
        &owner.enrolment.to_string(),
        &(98_765 - 1_234 - 2_345).to_string(),
        &limits.class_remaining_minor.to_string(),
        &limits.look_only_max_minor.to_string(),
    ] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    // A refusal where nobody was recognised is nobody's: it has words, and no account to freeze.
    let refused = world.look(500, &Identification::None);
    let case = look_up(&world, clerk, refused.id);
    assert_eq!((case.account, case.payment.expect("a payment").refusal), (None, Some(Code::NotRecognised)));
    assert_eq!(code(&freeze(&world, clerk, case.look_up)), Code::StateConflict);
    assert_eq!(told(&world, owner.account).len(), 1);
}

#[test]
fn a_clerk_freezes_what_was_looked_up_for_an_hour_and_only_the_owner_thaws() {
    let world = World::new();
    let (clerk, other) = (invite(&world, "Sun", 1), invite(&world, "Qian", 2));
    let owner = world.shopper(OWNER, 100_000);
    let paid = world.pay(owner, 1_000);
    let case = look_up(&world, clerk, paid.id);
    assert_eq!(code(&freeze(&world, other, case.look_up)), Code::NotFound, "another clerk's look-up");
    let frozen: Case = resource(&freeze(&world, clerk, case.look_up));
    assert_eq!((frozen.look_up, frozen.account.expect("somebody's").state), (case.look_up, AccountState::Frozen));
    assert_eq!(world.pay(owner, 1).refusal, Some(Code::AccountFrozen));
    let notices = || world.me(owner.account).notices.iter().filter(|notice| notice.kind == NoticeKind::ServiceFroze).count();
    assert_eq!(notices(), 1);
    // Once more changes nothing and tells nothing new; the log has it.
    assert_eq!(freeze(&world, clerk, case.look_up).status, 200);
    assert_eq!(notices(), 1);
    let entries = told(&world, owner.account);
    assert_eq!(entries.iter().map(|entry| entry.act).collect::<Vec<_>>(), [ServiceAct::Freeze, ServiceAct::Freeze, ServiceAct::LookUp]);
    assert_eq!((entries[0].reason, entries[0].reference.clone()), (Some(FreezeReason::PhoneLost), paid.id.to_string()));
    // A freeze is no look-up that could be acted on.
    assert_eq!(code(&freeze(&world, clerk, entries[0].id)), Code::NotFound);
    let given = wire::api::Passcode { passcode: secret(PASSCODE) };
    world.store.thaw(&world.fresh(), owner.account, &given, world.now()).expect("answers");
    assert_eq!(world.pay(owner, 1).status, PaymentStatus::Paid);
    world.now.set(Timestamp::from_millis(case.open_until.millis() - 2));
    assert_eq!(freeze(&world, clerk, case.look_up).status, 200);
    assert_eq!(code(&freeze(&world, clerk, case.look_up)), Code::CaseOver);
}

#[test]
fn references_cannot_be_tried_through() {
    let world = World::with_rules(&rules_with(&[("look_ups_per_hour_max", "3")]));
    let (clerk, other) = (invite(&world, "Sun", 1), invite(&world, "Qian", 2));
    let owner = world.shopper(OWNER, 100_000);
    let paid = world.pay(owner, 1_000).id;
    for typed in ["nothing", "pay_00000000000000000000000001", &paid.to_string()] {
        let _ = try_look_up(&world, clerk, typed);
        world.wait_ms(60_000);
    }
    assert_eq!(try_look_up(&world, clerk, &paid.to_string()), Err(Code::LookUpsSpent));
    assert_eq!(world.store.desk(clerk, world.now()).expect("reads").look_ups_left, 0);
    assert_eq!(log(&world).len(), 3, "what was not looked up is not in the log");
    assert!(try_look_up(&world, other, &paid.to_string()).is_ok(), "each clerk for themselves");
    world.wait_ms(HOUR_MS - 180_000);
    assert!(try_look_up(&world, clerk, &paid.to_string()).is_ok(), "the first is an hour old");
    assert_eq!(try_look_up(&world, clerk, &paid.to_string()), Err(Code::LookUpsSpent));
}

#[test]
fn a_clerk_comes_in_by_an_invitation_and_is_out_at_once_when_removed() {
    let world = World::new();
    let id = invite(&world, "Sun", 1);
    let device =
        |challenge| Registered { challenge, credential: vec![9], public_key: vec![1], state: [0; 7], sign_count: 0, transports: 0 };
    let ask = |challenge: [u8; 16], subject, action| {
        let expires_at = world.now().plus_millis(120_000);
        let new = NewChallenge { challenge, kind: SubjectKind::Clerk, subject, action, state: vec![1], expires_at };
        world.store.open_challenge(&new, world.now()).expect("is kept");
    };
    let session = |token: u8| NewSession { token_sha256: [token; 32], expires_at: world.now().plus_millis(HOUR_MS) };
    let redeem = |code: u8| {
        let rng = &mut *world.rng.borrow_mut();
        world.store.redeem_clerk(&[code; 32], &device([1; 16]), &session(1), rng, world.now()).map_err(|error| error.code())
    };
    ask([1; 16], Some(clerk::subject(id)), Action::register());
    assert_eq!(redeem(7), Err(Code::CodeInvalid));
    assert_eq!(redeem(1), Ok(id));
    assert_eq!(redeem(1), Err(Code::CodeInvalid), "once");
    assert_eq!(world.store.clerk_session(&[1; 32], world.now()).expect("reads"), Some(id));
    assert_eq!(world.store.staff_session(&[1; 32], world.now()).expect("reads"), None, "a desk is no console");
    ask([2; 16], None, Action::sign_in());
    let answered = |challenge| Answered { challenge, credential: vec![9], state: [0; 7], sign_count: 1 };
    assert_eq!(world.store.sign_in_clerk(&answered([2; 16]), &session(2), world.now()).expect("signs in"), id);
    assert!(world.store.clerks(world.now()).expect("reads")[0].joined_at.is_some());
    world.store.remove_clerk(id, world.now()).expect("was there");
    for token in [1, 2] {
        assert_eq!(world.store.clerk_session(&[token; 32], world.now()).expect("reads"), None);
    }
    ask([3; 16], None, Action::sign_in());
    let back = world.store.sign_in_clerk(&answered([3; 16]), &session(3), world.now()).map_err(|error| error.code());
    assert_eq!(back, Err(Code::PasskeyUnknown));
    assert!(world.store.clerks(world.now()).expect("reads").is_empty());
    // An invitation lasts three days.
    let late = invite(&world, "Qian", 4);
    world.wait_ms(3 * 24 * HOUR_MS);
    assert_eq!(world.store.invited_clerk(&[4; 32], world.now()).map_err(|error| error.code()), Err(Code::CodeInvalid));
    assert_eq!(invite(&world, "Qian", 5), late, "invited again");
}

#[test]
fn an_owner_is_told_that_a_helper_froze_the_account() {
    let world = World::new();
    let (owner, friend) = (world.shopper(OWNER, 0), world.shopper("13800000002", 0));
    let new = NewHelper { phone: secret("13800000002"), passcode: secret(PASSCODE) };
    let asked = world.store.invite_helper(&world.fresh(), owner.account, &new, &mut *world.rng.borrow_mut(), world.now());
    let asked: Helper = resource(&asked.expect("answers"));
    world.store.accept_helper(&world.fresh(), friend.account, asked.id, world.now()).expect("answers");
    let kinds = |account| world.me(account).notices.iter().map(|notice| notice.kind).collect::<Vec<_>>();
    assert!(!kinds(owner.account).contains(&NoticeKind::HelperFroze));
    world.store.freeze_helped(&world.fresh(), friend.account, asked.id, world.now()).expect("answers");
    assert!(kinds(owner.account).contains(&NoticeKind::HelperFroze));
    assert!(!kinds(friend.account).contains(&NoticeKind::HelperFroze));
}
