//! Every legal and illegal move of a dispute, its clocks and its money.

use base::id::{MerchantId, TerminalId};
use base::money::Money;
use wire::api::Capture;

use super::*;
use crate::account::tier::VerifiedBy;
use crate::rules::RuleBook;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const ALICE: AccountId = AccountId::from_bits(1);
const ID: DisputeId = DisputeId::from_bits(9);

fn rules() -> RulePack {
    RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound").in_force(NOW).expect("in force").clone()
}

fn paid(minor: i64, refunded_minor: i64) -> Payment {
    Payment {
        id: PaymentId::from_bits(3),
        terminal: TerminalId::from_bits(7),
        merchant: MerchantId::from_bits(4),
        amount: Money::cny(minor),
        capture: Capture::Automatic,
        created_at: NOW,
        expires_at: NOW.plus_millis(300_000),
        status: PaymentStatus::Paid,
        challenge: None,
        missed: None,
        payer: Some(ALICE),
        refusal: None,
        authorised_at: Some(NOW),
        paid_at: Some(NOW),
        captured_minor: minor,
        verified_by: Some(VerifiedBy::Look),
        refunded_minor,
        refund_count: u32::from(refunded_minor > 0),
        rules_version: "cn/2026-11-01".into(),
        terms_sha256: None,
    }
}

fn opened(minor: i64) -> Dispute {
    Dispute::open(ID, &paid(minor, 0), ALICE, DisputeCause::NotThere, &rules(), NOW).expect("can be disputed")
}

fn code<T>(result: Result<T, Refusal>) -> Option<Code> {
    result.err().map(|refusal| refusal.code)
}

#[test]
fn what_may_be_disputed() {
    let rules = rules();
    let window_ms = rules.disputes.window_days * DAY_MS;
    let voided = Payment { status: PaymentStatus::Voided, paid_at: None, captured_minor: 0, ..paid(1_000, 0) };
    let table = [
        ("what was paid", paid(1_000, 0), ALICE, 0, None),
        ("the rest of it", paid(1_000, 999), ALICE, 0, None),
        ("somebody else's", paid(1_000, 0), AccountId::from_bits(2), 0, Some(Code::NotFound)),
        ("all was refunded", paid(1_000, 1_000), ALICE, 0, Some(Code::StateConflict)),
        ("nothing moved", voided, ALICE, 0, Some(Code::StateConflict)),
        ("on the last day", paid(1_000, 0), ALICE, window_ms, None),
        ("a millisecond later", paid(1_000, 0), ALICE, window_ms + 1, Some(Code::DisputeWindowOver)),
    ];
    for (name, payment, account, later_ms, refusal) in table {
        let answer = Dispute::open(ID, &payment, account, DisputeCause::Other, &rules, NOW.plus_millis(later_ms));
        assert_eq!(code(answer), refusal, "{name}");
    }
}

#[test]
fn small_sums_are_credited_at_once_and_larger_ones_in_time() {
    let rules = rules();
    let small = rules.disputes.credit_at_once_max_minor;
    let wait_ms = rules.disputes.credit_within_s * 1000;
    for (minor, due_after_ms) in [(1, 0), (small, 0), (small + 1, wait_ms), (10 * small, wait_ms)] {
        let dispute = opened(minor);
        let due_at = NOW.plus_millis(due_after_ms);
        assert_eq!(dispute.due(due_at), Some(Event::Credited), "{minor}");
        assert!(due_after_ms == 0 || dispute.due(Timestamp::from_millis(due_at.millis() - 1)).is_none(), "{minor}");
        let credited = dispute.apply(&Event::Credited, due_at);
        assert_eq!((credited.credited_minor, credited.due(due_at)), (minor, None), "once");
    }
}

#[test]
fn a_dispute_that_nobody_decides_is_the_payers() {
    let dispute = opened(1_000).apply(&Event::Credited, NOW);
    let end = dispute.decide_by;
    assert_eq!(end.millis_since(NOW), 15 * DAY_MS);
    let event = dispute.due(end).expect("time is over");
    let upheld = dispute.clone().apply(&event, end);
    assert_eq!((upheld.status, upheld.credited_minor), (DisputeStatus::Upheld, 1_000));
    // Prolonged once, at most.
    let extension = dispute.extend("We wait for the merchant's answer.", &rules()).expect("once");
    let extended = dispute.apply(&extension, NOW);
    assert_eq!((extended.decide_by.millis_since(NOW), extended.due(end)), (60 * DAY_MS, None));
    assert_eq!(code(extended.extend("Again.", &rules())), Some(Code::StateConflict));
}

#[test]
fn money_goes_from_the_fund_and_back_to_it() {
    let fresh = || opened(1_000);
    let credited = || fresh().apply(&Event::Credited, NOW);
    type Case = (&'static str, Dispute, Event, i64, i64, i64);
    let table: Vec<Case> = vec![
        ("upheld after the credit", credited(), credited().uphold("So it is.").expect("open"), 0, 1_000, 0),
        ("upheld before it", fresh(), fresh().uphold("So it is.").expect("open"), 1_000, 1_000, 0),
        ("rejected, all there", credited(), credited().reject(5_000, "A passcode.").expect("open"), -1_000, 0, 0),
        ("rejected, part spent", credited(), credited().reject(300, "A passcode.").expect("open"), -300, 0, 700),
        ("rejected, all spent", credited(), credited().reject(0, "A passcode.").expect("open"), 0, 0, 1_000),
        ("rejected before the credit", fresh(), fresh().reject(5_000, "A passcode.").expect("open"), 0, 0, 0),
        ("withdrawn", credited(), credited().withdraw(5_000).expect("open"), -1_000, 0, 0),
    ];
    for (name, before, event, moves, credited, uncollected) in table {
        assert_eq!(before.moves_minor(&event), moves, "{name}");
        let after = before.apply(&event, NOW);
        assert_eq!((after.credited_minor, after.uncollected_minor), (credited, uncollected), "{name}");
        assert_eq!(after.decided_at, Some(NOW), "{name}");
    }
}

#[test]
fn what_is_decided_stays_decided() {
    for status in STATUSES {
        let decided_at = (status != DisputeStatus::Open).then_some(NOW);
        let dispute = Dispute { status, decided_at, ..opened(1_000) };
        let asked = [
            (Step::Extend, code(dispute.extend("Later.", &rules()))),
            (Step::Uphold, code(dispute.uphold("Yes."))),
            (Step::Reject, code(dispute.reject(9, "No."))),
            (Step::Withdraw, code(dispute.withdraw(9))),
            (Step::Appeal, code(dispute.appeal(&rules(), NOW))),
            (Step::Credit, dispute.due(NOW).is_none().then_some(Code::StateConflict)),
        ];
        assert_eq!(asked.len(), Step::ALL.len());
        for (step, answer) in asked {
            let legal = TRANSITIONS.iter().any(|(from, by, _)| (*from, *by) == (status, step));
            assert_eq!(answer, (!legal).then_some(Code::StateConflict), "{status:?} {step:?}");
        }
        assert_eq!(dispute.blocks_refunds(), matches!(status, DisputeStatus::Open | DisputeStatus::Upheld));
    }
}

#[test]
fn a_rejection_is_appealed_once_in_time_and_decided_anew() {
    let rules = rules();
    let rejected = |available| {
        let credited = opened(1_000).apply(&Event::Credited, NOW);
        let event = credited.reject(available, "A passcode.").expect("open");
        credited.apply(&event, NOW)
    };
    let window_ms = rules.disputes.appeal_within_days * DAY_MS;
    assert_eq!(rejected(5_000).appeal_by(&rules), Some(NOW.plus_millis(window_ms)));
    assert!(rejected(5_000).appeal(&rules, NOW.plus_millis(window_ms)).is_ok(), "on the last day");
    assert_eq!(code(rejected(5_000).appeal(&rules, NOW.plus_millis(window_ms + 1))), Some(Code::DisputeWindowOver));
    let later = NOW.plus_millis(window_ms);
    // What the wallet had when it was rejected, and what the fund gives if the appeal is right.
    for (available, given) in [(5_000, 1_000), (300, 300), (0, 0)] {
        let before = rejected(available);
        let appealed = before.clone().apply(&before.appeal(&rules, later).expect("once"), later);
        assert_eq!(
            (appealed.status, appealed.decided_at, appealed.decide_by.millis_since(later)),
            (DisputeStatus::Open, None, 15 * DAY_MS)
        );
        assert_eq!(appealed.due(later.plus_millis(14 * DAY_MS)), None, "no credit before the decision");
        let upheld = appealed.due(appealed.decide_by).expect("time is over");
        assert_eq!(appealed.moves_minor(&upheld), given);
        let after = appealed.clone().apply(&upheld, later);
        assert_eq!((after.status, after.credited_minor, after.uncollected_minor), (DisputeStatus::Upheld, 1_000, 0), "{available}");
        let event = appealed.reject(9_999, "It was you.").expect("open");
        assert_eq!(appealed.moves_minor(&event), 0, "nothing was given, so nothing is taken");
        let again = appealed.clone().apply(&event, later);
        assert_eq!((again.status, again.uncollected_minor), (DisputeStatus::Rejected, before.uncollected_minor));
        assert_eq!(code(again.appeal(&rules, later)), Some(Code::StateConflict), "once");
        let extended = appealed.clone().apply(&appealed.extend("We wait.", &rules).expect("anew"), later);
        assert_eq!(extended.decide_by.millis_since(later), 60 * DAY_MS);
    }
}

#[test]
fn the_documents_diagram_is_the_table() {
    let page = include_str!("../../../../docs/payments.md");
    let diagram = diagram();
    assert!(page.contains(&format!("```mermaid\n{diagram}\n```")), "docs/payments.md must hold this diagram:\n{diagram}");
}
