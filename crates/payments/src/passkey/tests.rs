//! One use, one action, one subject, a short life; counters go on.

use super::*;

const ALICE: Subject = Subject { kind: SubjectKind::Account, id: 7 };

fn challenge(subject: Option<Subject>, action: &Action) -> Challenge {
    Challenge { kind: SubjectKind::Account, subject, action: action.hash, expires_at: Timestamp::from_millis(100), used: false }
}

#[test]
fn a_challenge_is_answered_once_for_what_it_was_made_for() {
    let pay = |amount: i64| Action::new("pay", &[b"pay_1", &amount.to_be_bytes()]);
    let (before, late) = (Timestamp::from_millis(99), Timestamp::from_millis(100));
    let made = challenge(Some(ALICE), &pay(5_000));
    let taken = made.take(ALICE, &pay(5_000), before).expect("fits");
    let bob = Subject { id: 8, ..ALICE };
    let clerk = Subject { kind: SubjectKind::Staff, ..ALICE };
    for (what, outcome, code) in [
        ("again", taken.take(ALICE, &pay(5_000), before), Code::ApprovalUsed),
        ("late", made.take(ALICE, &pay(5_000), late), Code::ApprovalExpired),
        ("another amount", made.take(ALICE, &pay(5_001), before), Code::ApprovalMismatch),
        ("another action", made.take(ALICE, &Action::sign_in(), before), Code::ApprovalMismatch),
        ("another account", made.take(bob, &pay(5_000), before), Code::ApprovalMismatch),
        ("another kind of subject", made.take(clerk, &pay(5_000), before), Code::ApprovalMismatch),
    ] {
        assert_eq!(outcome.map_err(|refusal| refusal.code), Err(code), "{what}");
    }
    let anybody = challenge(None, &Action::sign_in());
    assert!(anybody.take(bob, &Action::sign_in(), before).is_ok());
    assert!(anybody.take(clerk, &Action::sign_in(), before).is_err(), "staff do not sign in to a wallet");
}

#[test]
fn actions_and_handles_are_told_apart() {
    assert_ne!(Action::new("a", &[b"bc"]).hash, Action::new("ab", &[b"c"]).hash);
    assert_ne!(Action::new("a", &[b"b", b"c"]).hash, Action::new("a", &[b"bc"]).hash);
    assert_ne!(ALICE.handle(), Subject { kind: SubjectKind::Staff, ..ALICE }.handle());
}

#[test]
fn a_device_whose_counter_does_not_go_on_is_not_believed() {
    let device = |sign_count, revoked| Device { subject: ALICE, sign_count, approves_from: Timestamp::from_millis(10), revoked };
    for (stored, seen, fits) in [(0, 0, true), (0, 1, true), (4, 5, true), (5, 5, false), (5, 4, false), (5, 0, false)] {
        assert_eq!(device(stored, false).answers_for(ALICE, seen).is_ok(), fits, "{stored} then {seen}");
    }
    assert_eq!(device(0, true).answers_for(ALICE, 1).map_err(|refusal| refusal.code), Err(Code::PasskeyUnknown));
    let other = Subject { id: 9, ..ALICE };
    assert_eq!(device(0, false).answers_for(other, 1).map_err(|refusal| refusal.code), Err(Code::PasskeyUnknown));
    let approves = |revoked, at| device(0, revoked).approves(Timestamp::from_millis(at));
    assert_eq!([approves(false, 9), approves(false, 10), approves(true, 10)], [false, true, false]);
}
