//! Every legal and illegal move, the judging as a table, probes, refunds, and the diagram in the documents.

use std::collections::BTreeMap;

use base::id::{AccountId, MerchantId, PaymentId, TerminalId, VoucherId};
use base::money::{Currency, Money};
use base::time::Timestamp;
use ed25519_dalek::SigningKey;
use wire::api::{Asks, Capture, IdentityClass, NewPayment, Part, PaymentStatus};
use wire::bytes::{HexArray, HexBytes};
use wire::probe::{ProbeContext, Purpose, SealedProbe, SealedShare};
use wire::problem::Code;

use super::judge::Found;
use super::*;
use crate::account::Payer;
use crate::account::limits::OwnerLimits;
use crate::account::newness::Newness;
use crate::account::tier::VerifiedBy;
use crate::account::usage::Usage;
use crate::passcode::{Given, Ladder};
use crate::probe::{Challenge, Searched, Sender};
use crate::refusal::Refusal;
use crate::rules::{RuleBook, RulePack};

const DAY_MS: u64 = 86_400_000;
const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const TILL: TerminalId = TerminalId::from_bits(7);
const ALICE: AccountId = AccountId::from_bits(1);

const EVERYBODY: Searched = Searched { part: Part::Gallery, label: None, people: 10 };
const REGULARS: Searched = Searched { part: Part::Regulars, label: Some(HexArray([3; 16])), people: 10 };

fn rules() -> RulePack {
    RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound").in_force(NOW).expect("in force").clone()
}

fn challenge() -> Challenge {
    Challenge { nonce: [5; 32], issued_at: NOW, expires_at: NOW.plus_millis(30_000), searched: Some(EVERYBODY), passcode_always: false }
}

/// A payment of 150.00 in `status`, as it would stand there.
fn payment(status: PaymentStatus) -> Payment {
    let paid = matches!(status, PaymentStatus::Paid | PaymentStatus::Undone);
    let authorised = paid || matches!(status, PaymentStatus::Authorised | PaymentStatus::Voided);
    Payment {
        id: PaymentId::from_bits(3),
        terminal: TILL,
        merchant: MerchantId::from_bits(4),
        amount: Money { minor: 15_000, currency: Currency::CNY },
        capture: Capture::Automatic,
        created_at: NOW,
        expires_at: NOW.plus_millis(300_000),
        status,
        challenge: (status != PaymentStatus::Created).then(challenge),
        missed: None,
        payer: (authorised || status == PaymentStatus::AwaitingPasscode).then_some(ALICE),
        refusal: (status == PaymentStatus::Refused).then_some(Code::NotRecognised),
        authorised_at: authorised.then_some(NOW),
        paid_at: paid.then_some(NOW),
        captured_minor: if paid { 15_000 } else { 0 },
        verified_by: authorised.then_some(VerifiedBy::Look),
        refunded_minor: if status == PaymentStatus::Undone { 15_000 } else { 0 },
        refund_count: u32::from(status == PaymentStatus::Undone),
        rules_version: "cn/2026-11-01".into(),
        terms_sha256: None,
    }
}

fn payer() -> Payer {
    Payer {
        account: ALICE,
        class: IdentityClass::II,
        closed: false,
        frozen: false,
        paused: false,
        enrolled: true,
        newness: Newness::default(),
        phone_from: None,
        has_passcode: true,
        ladder: Ladder::default(),
        balance_minor: 1_000_000,
        limits: OwnerLimits::default(),
        usage: Usage::default(),
        elsewhere: Usage::default(),
    }
}

fn code<T>(result: Result<T, Refusal>) -> Option<Code> {
    result.err().map(|refusal| refusal.code)
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn context(payment: &Payment) -> ProbeContext {
    let challenge = challenge();
    ProbeContext {
        purpose: Purpose::Pay,
        reference: payment.id.to_string(),
        payee: payment.merchant.to_string(),
        amount_minor: payment.amount.minor,
        currency: "CNY".into(),
        nonce: HexArray(challenge.nonce),
        issued_at: challenge.issued_at,
        expires_at: challenge.expires_at,
        terminal: TILL,
        counter: 1,
        partition: None,
        templates: 1,
        dimensions: 128,
    }
}

fn probe(context: ProbeContext) -> SealedProbe {
    let share = SealedShare { encapsulated_key: HexBytes(vec![1]), ciphertext: HexBytes(vec![2]) };
    SealedProbe::sign(context, [share.clone(), share.clone(), share], &key())
}

/// Asks for `step` in the way that the store would.
fn ask(step: Step, payment: &Payment, now: Timestamp) -> Result<Event, Refusal> {
    let rules = rules();
    let (device, judged) = (key().verifying_key(), Found::Payer(payer()));
    match step {
        Step::Challenge => payment.start_challenge([6; 32], Some(EVERYBODY), &rules, now),
        Step::TakeProbe => {
            payment.receive_probe(&probe(context(payment)), &Sender { terminal: TILL, device_key: &device, nonce_used: false }, now)
        }
        Step::AskDigits => {
            let challenge = Challenge { searched: Some(REGULARS), ..challenge() };
            Payment { challenge: Some(challenge), ..payment.clone() }.judge(&Found::Nobody, &rules, now)
        }
        Step::AskPasscode => {
            payment.judge(&Found::Payer(Payer { usage: Usage { look_only_run: 5, ..Usage::default() }, ..payer() }), &rules, now)
        }
        Step::Refuse if payment.status == PaymentStatus::AwaitingPasscode => {
            payment.try_passcode(&Payer { balance_minor: 0, ..payer() }, Given::Right, &rules, now).map(|(_, event)| event)
        }
        Step::Refuse => payment.judge(&Found::Nobody, &rules, now),
        Step::WrongPasscode => payment.try_passcode(&payer(), Given::Wrong, &rules, now).map(|(_, event)| event),
        Step::Pay if payment.status == PaymentStatus::AwaitingPasscode => {
            payment.try_passcode(&payer(), Given::Right, &rules, now).map(|(_, event)| event)
        }
        Step::Pay => payment.judge(&judged, &rules, now),
        Step::Authorise => {
            let manual = Payment { capture: Capture::Manual, ..payment.clone() };
            match payment.status {
                PaymentStatus::AwaitingPasscode => manual.try_passcode(&payer(), Given::Right, &rules, now).map(|(_, event)| event),
                _ => manual.judge(&judged, &rules, now),
            }
        }
        // The store checks the voucher (crate::voucher::issue); the payment only that it is just begun.
        Step::TakeVoucher => payment.take_voucher(ALICE, VoucherId::from_bits(1), now),
        Step::Capture => payment.capture(None, now),
        Step::Void => payment.void(now),
        Step::Undo => payment.undo(&rules, now),
        Step::Cancel => payment.cancel(now),
        Step::Expire => payment.expire(payment.expires_at).ok_or(Code::StateConflict.into()),
        Step::Refund => payment.refund(None, &rules, now),
    }
}

#[test]
fn every_move_is_legal_exactly_if_the_table_has_it() {
    let mut illegal = 0;
    for status in STATUSES {
        for step in Step::ALL {
            let before = payment(status);
            let answer = ask(step, &before, NOW);
            match next_status(status, step) {
                Some(next) => {
                    let event = answer.unwrap_or_else(|refusal| panic!("{status:?} {step:?}: {refusal}"));
                    assert_eq!(event.step(), step, "{status:?}");
                    assert_eq!(before.apply(&event, NOW).status, next, "{status:?} {step:?}");
                }
                None => {
                    illegal += 1;
                    let expected = match (status, step) {
                        // These two say nothing about time: a payment that is over is simply not theirs.
                        (_, Step::Expire | Step::Refund | Step::Undo) => Code::StateConflict,
                        (_, Step::AskDigits | Step::AskPasscode | Step::Pay | Step::Authorise | Step::Refuse) => Code::StateConflict,
                        (PaymentStatus::Expired, _) => Code::PaymentExpired,
                        (PaymentStatus::Cancelled, _) => Code::PaymentCancelled,
                        _ => Code::StateConflict,
                    };
                    assert_eq!(code(answer), Some(expected), "{status:?} {step:?}");
                }
            }
        }
    }
    assert_eq!(illegal, STATUSES.len() * Step::ALL.len() - TRANSITIONS.len());
}

#[test]
#[should_panic(expected = "decided for the state")]
fn an_event_for_another_state_is_a_bug() {
    let _ = payment(PaymentStatus::Refused).apply(&Event::Paid { payer: ALICE, verified_by: VerifiedBy::Look }, NOW);
}

#[test]
fn time_ends_what_is_open() {
    let over = NOW.plus_millis(300_000);
    for (status, step) in [
        (PaymentStatus::Created, Step::Challenge),
        (PaymentStatus::Challenged, Step::TakeProbe),
        (PaymentStatus::AwaitingPasscode, Step::WrongPasscode),
        (PaymentStatus::Created, Step::Cancel),
        (PaymentStatus::Authorised, Step::Capture),
        (PaymentStatus::Authorised, Step::Void),
    ] {
        assert_eq!(code(ask(step, &payment(status), over)), Some(Code::PaymentExpired), "{status:?} {step:?}");
        assert!(payment(status).expire(Timestamp::from_millis(over.millis() - 1)).is_none());
    }
    // The parties' answer came too late: expired, not paid.
    assert_eq!(ask(Step::Pay, &payment(PaymentStatus::BeingChecked), over), Ok(Event::Expired));
}

#[test]
fn a_payer_is_judged_by_the_rules() {
    let rules = rules();
    let today = Usage { year: rules.local_year(NOW), day: rules.local_day(NOW), ..Usage::default() };
    let locked = Ladder { wrong: 0, locks: 1, locked_until: Some(NOW.plus_millis(1)) };
    let paid = Event::Paid { payer: ALICE, verified_by: VerifiedBy::Look };
    let asked = Event::PasscodeAsked { payer: ALICE };
    let refused = |code| Event::Refused { payer: Some(ALICE), code };
    let table: Vec<(&str, i64, Payer, Event)> = vec![
        ("small", 15_000, payer(), paid.clone()),
        ("the largest by look alone", 20_000, payer(), paid.clone()),
        ("one fen more", 20_001, payer(), asked.clone()),
        ("all of the balance", 15_000, Payer { balance_minor: 15_000, ..payer() }, paid.clone()),
        ("one fen short", 15_000, Payer { balance_minor: 14_999, ..payer() }, refused(Code::InsufficientBalance)),
        ("fourth in a row", 15_000, Payer { usage: Usage { look_only_run: 4, ..today }, ..payer() }, paid.clone()),
        ("sixth in a row", 15_000, Payer { usage: Usage { look_only_run: 5, ..today }, ..payer() }, asked.clone()),
        ("day by look alone just full", 15_000, Payer { usage: Usage { day_look_only_minor: 85_000, ..today }, ..payer() }, paid.clone()),
        ("day by look alone full", 15_000, Payer { usage: Usage { day_look_only_minor: 85_001, ..today }, ..payer() }, asked.clone()),
        (
            "yesterday does not count",
            15_000,
            Payer { usage: Usage { day: today.day - 1, day_minor: 500_000, day_look_only_minor: 100_000, ..today }, ..payer() },
            paid.clone(),
        ),
        ("day just full", 15_000, Payer { usage: Usage { day_minor: 485_000, ..today }, ..payer() }, paid.clone()),
        ("day full", 15_000, Payer { usage: Usage { day_minor: 485_001, ..today }, ..payer() }, refused(Code::LimitExceeded)),
        ("above the day at once", 500_001, payer(), refused(Code::LimitExceeded)),
        (
            "class I just full",
            15_000,
            Payer { class: IdentityClass::I, usage: Usage { life_minor: 85_000, ..Usage::default() }, ..payer() },
            paid.clone(),
        ),
        (
            "class I full",
            15_000,
            Payer { class: IdentityClass::I, usage: Usage { life_minor: 85_001, ..Usage::default() }, ..payer() },
            refused(Code::LimitExceeded),
        ),
        ("class II full", 15_000, Payer { usage: Usage { year_minor: 9_985_001, ..today }, ..payer() }, refused(Code::LimitExceeded)),
        (
            "class III",
            15_000,
            Payer { class: IdentityClass::III, usage: Usage { year_minor: 9_985_001, ..today }, ..payer() },
            paid.clone(),
        ),
        (
            "last year does not count",
            15_000,
            Payer { usage: Usage { year: today.year - 1, year_minor: 9_999_999, ..today }, ..payer() },
            paid.clone(),
        ),
        ("frozen", 15_000, Payer { frozen: true, ..payer() }, refused(Code::AccountFrozen)),
        ("frozen before paused", 15_000, Payer { frozen: true, paused: true, ..payer() }, refused(Code::AccountFrozen)),
        (
            "above the owner's own limit",
            15_000,
            Payer { limits: OwnerLimits { payment_max_minor: Some(14_999), ..OwnerLimits::default() }, ..payer() },
            refused(Code::LimitExceeded),
        ),
        ("a twin's owner", 1, Payer { limits: OwnerLimits { passcode_always: true, ..OwnerLimits::default() }, ..payer() }, asked.clone()),
        ("paused", 15_000, Payer { paused: true, ..payer() }, refused(Code::AccountPaused)),
        ("deleted since the look", 15_000, Payer { enrolled: false, ..payer() }, refused(Code::NotRecognised)),
        ("closed before paused", 15_000, Payer { paused: true, closed: true, ..payer() }, refused(Code::AccountClosed)),
        ("paused before poor", 15_000, Payer { paused: true, balance_minor: 0, ..payer() }, refused(Code::AccountPaused)),
        ("limit before poor", 500_001, Payer { balance_minor: 0, ..payer() }, refused(Code::LimitExceeded)),
        ("locked, but no passcode needed", 15_000, Payer { ladder: locked, ..payer() }, paid),
        ("locked and passcode needed", 20_001, Payer { ladder: locked, ..payer() }, refused(Code::PasscodeLocked)),
        ("no passcode to ask for", 20_001, Payer { has_passcode: false, ..payer() }, refused(Code::LimitExceeded)),
        (
            "absurd amount",
            i64::MAX,
            Payer {
                balance_minor: i64::MAX,
                usage: Usage { life_minor: i64::MAX, year_minor: i64::MAX, day_minor: i64::MAX, ..today },
                ..payer()
            },
            refused(Code::LimitExceeded),
        ),
    ];
    for (name, amount_minor, payer, expected) in table {
        let before = Payment { amount: Money::cny(amount_minor), ..payment(PaymentStatus::BeingChecked) };
        assert_eq!(before.judge(&Found::Payer(payer), &rules, NOW), Ok(expected), "{name}");
    }
}

#[test]
fn what_is_not_one_person_is_refused_without_a_payer() {
    for (found, code) in [
        (Found::Nobody, Code::NotRecognised),
        (Found::Ambiguous, Code::Ambiguous),
        (Found::Failed(Code::PartiesUnavailable), Code::PartiesUnavailable),
    ] {
        assert_eq!(payment(PaymentStatus::BeingChecked).judge(&found, &rules(), NOW), Ok(Event::Refused { payer: None, code }));
    }
}

#[test]
fn a_challenge_ends_with_its_payment_at_the_latest() {
    for (after_ms, lifetime_ms) in [(0, 30_000), (270_000, 30_000), (290_000, 10_000)] {
        let now = NOW.plus_millis(after_ms);
        let Ok(Event::Challenged(challenge)) = ask(Step::Challenge, &payment(PaymentStatus::Created), now) else { panic!("a challenge") };
        assert_eq!((challenge.issued_at, challenge.expires_at.millis_since(now)), (now, lifetime_ms));
    }
}

#[test]
fn a_probe_fits_its_payment_or_says_why_not() {
    let challenged = payment(PaymentStatus::Challenged);
    let good = context(&challenged);
    let other = || "other".to_owned();
    let table: Vec<(&str, ProbeContext, Option<Code>)> = vec![
        ("good", good.clone(), None),
        ("another payment", ProbeContext { reference: PaymentId::from_bits(99).to_string(), ..good.clone() }, Some(Code::ProbeMismatch)),
        ("another payee", ProbeContext { payee: other(), ..good.clone() }, Some(Code::ProbeMismatch)),
        ("another amount", ProbeContext { amount_minor: 14_999, ..good.clone() }, Some(Code::ProbeMismatch)),
        ("another currency", ProbeContext { currency: other(), ..good.clone() }, Some(Code::ProbeMismatch)),
        ("another challenge", ProbeContext { nonce: HexArray([8; 32]), ..good.clone() }, Some(Code::ProbeMismatch)),
        ("a longer life", ProbeContext { expires_at: NOW.plus_millis(60_000), ..good.clone() }, Some(Code::ProbeMismatch)),
        ("another till", ProbeContext { terminal: TerminalId::from_bits(8), ..good.clone() }, Some(Code::ProbeMismatch)),
        ("another purpose", ProbeContext { purpose: Purpose::Enrol, ..good.clone() }, Some(Code::ProbeMismatch)),
        ("another part of the gallery", ProbeContext { partition: Some(HexArray([1; 16])), ..good.clone() }, Some(Code::ProbeMismatch)),
        ("two templates", ProbeContext { templates: 2, ..good.clone() }, Some(Code::ProbeMismatch)),
    ];
    let device_key = key().verifying_key();
    let sender = Sender { terminal: TILL, device_key: &device_key, nonce_used: false };
    for (name, context, expected) in table {
        assert_eq!(code(challenged.receive_probe(&probe(context), &sender, NOW)), expected, "{name}");
    }
    let altered = SealedProbe { context: ProbeContext { amount_minor: 1, ..good.clone() }, ..probe(good.clone()) };
    assert_eq!(code(challenged.receive_probe(&altered, &sender, NOW)), Some(Code::ProbeInvalid), "altered after signing");
    let stranger = SigningKey::from_bytes(&[1; 32]).verifying_key();
    assert_eq!(
        code(challenged.receive_probe(&probe(good.clone()), &Sender { device_key: &stranger, ..sender }, NOW)),
        Some(Code::ProbeInvalid),
        "unknown device"
    );
    assert_eq!(code(challenged.receive_probe(&probe(good.clone()), &sender, NOW.plus_millis(30_000))), Some(Code::ChallengeExpired));
    let replay = Sender { nonce_used: true, ..sender };
    for status in STATUSES {
        // Whoever is told of a replay is told that nothing was charged.
        let expected = match status {
            PaymentStatus::Challenged => Code::ProbeReplayed,
            PaymentStatus::Expired => Code::PaymentExpired,
            PaymentStatus::Cancelled => Code::PaymentCancelled,
            _ => Code::StateConflict,
        };
        assert_eq!(code(payment(status).receive_probe(&probe(good.clone()), &replay, NOW)), Some(expected), "a replay in {status:?}");
    }
}

#[test]
fn passcode_tries() {
    let rules = rules();
    let awaiting = payment(PaymentStatus::AwaitingPasscode);
    let fourth = Ladder { wrong: 4, ..Ladder::default() };
    let locked = Ladder { locks: 1, locked_until: Some(NOW.plus_millis(900_000)), ..Ladder::default() };
    let paid = Event::Paid { payer: ALICE, verified_by: VerifiedBy::LookAndPasscode };
    let paid_under_threat = paid.clone();
    let refused = |code| Event::Refused { payer: Some(ALICE), code };
    let table: Vec<(&str, Payer, Given, (Ladder, Event))> = vec![
        ("right", payer(), Given::Right, (Ladder::default(), paid.clone())),
        ("right after four wrong", Payer { ladder: fourth, ..payer() }, Given::Right, (Ladder::default(), paid)),
        ("wrong", payer(), Given::Wrong, (Ladder { wrong: 1, ..Ladder::default() }, Event::PasscodeWrong)),
        ("wrong the fifth time", Payer { ladder: fourth, ..payer() }, Given::Wrong, (locked, refused(Code::PasscodeLocked))),
        ("right while locked", Payer { ladder: locked, ..payer() }, Given::Right, (locked, refused(Code::PasscodeLocked))),
        ("right, but paused since", Payer { paused: true, ..payer() }, Given::Right, (Ladder::default(), refused(Code::AccountPaused))),
        ("right, but deleted since", Payer { enrolled: false, ..payer() }, Given::Right, (Ladder::default(), refused(Code::NotRecognised))),
        (
            "right, but spent since",
            Payer { balance_minor: 14_999, ..payer() },
            Given::Right,
            (Ladder::default(), refused(Code::InsufficientBalance)),
        ),
    ];
    for (name, payer, given, expected) in table {
        assert_eq!(awaiting.try_passcode(&payer, given, &rules, NOW), Ok(expected), "{name}");
    }
    assert_eq!(awaiting.try_passcode(&payer(), Given::UnderThreat, &rules, NOW), Ok((Ladder::default(), paid_under_threat)));
    let larger = Payment { amount: Money::cny(rules.duress.payment_max_minor + 1), ..awaiting };
    let seems_empty = Event::Refused { payer: Some(ALICE), code: Code::InsufficientBalance };
    assert_eq!(larger.try_passcode(&payer(), Given::UnderThreat, &rules, NOW), Ok((Ladder::default(), seems_empty)));
}

#[test]
fn the_phone_pays_what_the_passcode_may_not() {
    let rules = rules();
    let bound = Payer { phone_from: Some(NOW), ..payer() };
    let locked = Ladder { wrong: 0, locks: 1, locked_until: Some(NOW.plus_millis(1)) };
    let large = rules.strength.two_factor_day_max_minor + 1;
    let paid = Event::Paid { payer: ALICE, verified_by: VerifiedBy::LookAndPhone };
    let refused = |code| Ok(Event::Refused { payer: Some(ALICE), code });
    let today = Usage { day: rules.local_day(NOW), year: rules.local_year(NOW), ..Usage::default() };
    let table = [
        ("above the look", 20_001, bound, Ok(paid.clone())),
        ("above tier B's day", large, bound, Ok(paid.clone())),
        ("with a locked passcode", 20_001, Payer { ladder: locked, ..bound }, Ok(paid.clone())),
        ("no device", 20_001, payer(), Err(Code::DeviceMissing)),
        ("a device that does not approve yet", 20_001, Payer { phone_from: Some(NOW.plus_millis(1)), ..bound }, Err(Code::DeviceMissing)),
        ("frozen", 20_001, Payer { frozen: true, ..bound }, refused(Code::AccountFrozen)),
        ("spent since", 20_001, Payer { balance_minor: 20_000, ..bound }, refused(Code::InsufficientBalance)),
        ("class full", 20_001, Payer { usage: Usage { year_minor: 9_990_000, ..today }, ..bound }, refused(Code::LimitExceeded)),
    ];
    for (name, amount_minor, payer, expected) in table {
        let awaiting = Payment { amount: Money::cny(amount_minor), payer: Some(ALICE), ..payment(PaymentStatus::AwaitingPasscode) };
        assert_eq!(awaiting.approve(&payer, &rules, NOW).map_err(|refusal| refusal.code), expected, "{name}");
    }
    for status in STATUSES.into_iter().filter(|status| *status != PaymentStatus::AwaitingPasscode) {
        assert!(payment(status).approve(&bound, &rules, NOW).is_err(), "{status:?}");
    }
    let late = Payment { expires_at: NOW, ..payment(PaymentStatus::AwaitingPasscode) };
    assert_eq!(late.approve(&bound, &rules, NOW).map_err(|refusal| refusal.code), Err(Code::PaymentExpired));
    let asks = |amount, payer: &Payer| judge::asks(amount, payer, &rules, NOW);
    assert_eq!([asks(20_001, &bound), asks(20_001, &payer())], [Asks::PasscodeOrPhone, Asks::Passcode]);
    assert_eq!([asks(large, &bound), asks(20_001, &Payer { ladder: locked, ..bound })], [Asks::Phone, Asks::Phone]);
    let spent = today.after_payment(large, VerifiedBy::LookAndPhone, &rules, NOW);
    assert_eq!(asks(20_001, &Payer { usage: spent, ..bound }), Asks::PasscodeOrPhone, "the passcode's day is not used up by the phone");
    let large = Payment { amount: Money::cny(large), ..payment(PaymentStatus::BeingChecked) };
    assert_eq!(large.judge(&Found::Payer(bound), &rules, NOW), Ok(Event::PasscodeAsked { payer: ALICE }));
    assert_eq!(large.judge(&Found::Payer(payer()), &rules, NOW).map_err(|refusal| refusal.code), refused(Code::LimitExceeded));
}

#[test]
fn what_is_new_pays_little_and_what_was_lost_half() {
    let rules = rules();
    let day_ago = Timestamp::from_millis(NOW.millis() - DAY_MS);
    let judged = |amount, newness| {
        let before = Payment { amount: Money::cny(amount), ..payment(PaymentStatus::BeingChecked) };
        before.judge(&Found::Payer(Payer { newness, phone_from: Some(NOW), ..payer() }), &rules, NOW).expect("is being checked")
    };
    let refused = Event::Refused { payer: Some(ALICE), code: Code::LimitExceeded };
    let asked = Event::PasscodeAsked { payer: ALICE };
    let paid = Event::Paid { payer: ALICE, verified_by: VerifiedBy::Look };
    let face = |at| Newness { enrolled_at: Some(at), ..Newness::default() };
    let device = |at| Newness { device_bound_at: Some(at), ..face(day_ago) };
    let rebound = |at| Newness { rebound_at: Some(at), ..Newness::default() };
    let just_now = Timestamp::from_millis(day_ago.millis() + 1);
    for (what, amount, newness, expected) in [
        ("a new face, little", 20_000, face(just_now), &paid),
        ("a new face, more", 20_001, face(just_now), &refused),
        ("a face of yesterday", 20_001, face(day_ago), &asked),
        ("a new device", 20_001, device(just_now), &refused),
        ("a device of yesterday", 20_001, device(day_ago), &asked),
        ("in place of a lost one: half of the look", 10_001, rebound(NOW), &asked),
        ("in place of a lost one: little", 10_000, rebound(NOW), &paid),
        ("a week later", 10_001, rebound(Timestamp::from_millis(NOW.millis() - 7 * DAY_MS)), &paid),
    ] {
        assert_eq!(&judged(amount, newness), expected, "{what}");
    }
}

#[test]
fn refunds_are_bounded_by_sum_count_and_age() {
    let rules = rules();
    let year = 365 * DAY_MS;
    let refunded = |refunded_minor, refund_count| Payment { refunded_minor, refund_count, ..payment(PaymentStatus::Paid) };
    type Case = (&'static str, Payment, Option<i64>, u64, Result<i64, Code>);
    let table: Vec<Case> = vec![
        ("all", refunded(0, 0), None, 0, Ok(15_000)),
        ("part", refunded(0, 0), Some(1), 0, Ok(1)),
        ("the rest", refunded(5_000, 1), None, 0, Ok(10_000)),
        ("exactly the rest", refunded(5_000, 1), Some(10_000), 0, Ok(10_000)),
        ("more than was paid", refunded(0, 0), Some(15_001), 0, Err(Code::RefundExceedsPayment)),
        ("more than is left", refunded(5_000, 1), Some(10_001), 0, Err(Code::RefundExceedsPayment)),
        ("nothing is left", refunded(15_000, 2), None, 0, Err(Code::RefundExceedsPayment)),
        ("zero", refunded(0, 0), Some(0), 0, Err(Code::InvalidRequest)),
        ("negative", refunded(0, 0), Some(-1), 0, Err(Code::InvalidRequest)),
        ("the fiftieth", refunded(49, 49), Some(1), 0, Ok(1)),
        ("the fifty-first", refunded(50, 50), Some(1), 0, Err(Code::RefundWindowOver)),
        ("on the last day", refunded(0, 0), None, year, Ok(15_000)),
        ("a year and a millisecond later", refunded(0, 0), None, year + 1, Err(Code::RefundWindowOver)),
    ];
    for (name, payment, amount_minor, later_ms, expected) in table {
        let event = payment.refund(amount_minor, &rules, NOW.plus_millis(later_ms));
        assert_eq!(event.clone().map_err(|refusal| refusal.code), expected.map(|amount_minor| Event::Refunded { amount_minor }), "{name}");
        if let Ok(event) = event {
            let after = payment.apply(&event, NOW);
            assert!(after.refunded_minor <= after.amount.minor, "{name}");
        }
    }
}

#[test]
fn what_is_held_is_captured_once_at_most_in_full() {
    let authorised = payment(PaymentStatus::Authorised);
    let table = [
        ("all", None, Ok(15_000)),
        ("part", Some(1), Ok(1)),
        ("exactly all", Some(15_000), Ok(15_000)),
        ("more", Some(15_001), Err(Code::CaptureExceedsAuthorisation)),
        ("nothing", Some(0), Err(Code::InvalidRequest)),
        ("less than nothing", Some(-1), Err(Code::InvalidRequest)),
    ];
    for (name, amount_minor, expected) in table {
        let event = authorised.capture(amount_minor, NOW);
        assert_eq!(event.clone().map_err(|refusal| refusal.code), expected.map(|amount_minor| Event::Captured { amount_minor }), "{name}");
        if let Ok(event) = event {
            let paid = authorised.clone().apply(&event, NOW);
            assert_eq!(code(paid.capture(Some(1), NOW)), Some(Code::StateConflict), "{name}: no second capture");
            let too_much = paid.refund(Some(paid.captured_minor + 1), &rules(), NOW);
            assert_eq!(code(too_much), Some(Code::RefundExceedsPayment), "{name}: refunds count what was captured");
        }
    }
}

#[test]
fn a_hold_lasts_as_long_as_the_rules_say() {
    let held = ask(Step::Authorise, &payment(PaymentStatus::BeingChecked), NOW).expect("accepted");
    let authorised = Payment { capture: Capture::Manual, ..payment(PaymentStatus::BeingChecked) }.apply(&held, NOW);
    let end = NOW.plus_millis(rules().holds.lifetime_s * 1000);
    assert_eq!((authorised.status, authorised.expires_at, authorised.captured_minor), (PaymentStatus::Authorised, end, 0));
    assert_eq!(authorised.expire(Timestamp::from_millis(end.millis() - 1)), None);
    assert_eq!(authorised.expire(end), Some(Event::Expired));
}

#[test]
fn a_small_payment_is_undone_within_its_window() {
    let rules = rules();
    let (window_ms, max) = (rules.undo.window_s * 1000, rules.undo.payment_max_minor);
    let of = |minor| Payment { amount: Money::cny(minor), captured_minor: minor, ..payment(PaymentStatus::Paid) };
    let refunded = Payment { refunded_minor: 1, refund_count: 1, ..of(100) };
    let table = [
        ("at once", of(100), 0, None),
        ("the largest, at the last moment", of(max), window_ms - 1, None),
        ("too late", of(100), window_ms, Some(Code::UndoOver)),
        ("too large", of(max + 1), 0, Some(Code::UndoOver)),
        ("refunded in part", refunded, 0, Some(Code::UndoOver)),
    ];
    for (name, payment, later_ms, expected) in table {
        let event = payment.undo(&rules, NOW.plus_millis(later_ms));
        assert_eq!(code(event.clone()), expected, "{name}");
        if let Ok(event) = event {
            let undone = payment.apply(&event, NOW);
            assert_eq!((undone.status, undone.refunded_minor), (PaymentStatus::Undone, undone.captured_minor), "{name}");
        }
    }
}

#[test]
fn what_a_payment_begins_with() {
    let new = |amount_minor, reference: Option<String>| NewPayment {
        amount_minor,
        currency: Currency::CNY,
        merchant_reference: reference,
        terminal: None,
        capture: Capture::Automatic,
        metadata: None,
    };
    for (new, field) in [
        (new(1, None), None),
        (new(i64::MAX, Some("字".repeat(64))), None),
        (new(0, None), Some("amount_minor")),
        (new(-5, None), Some("amount_minor")),
        (new(1, Some("x".repeat(65))), Some("merchant_reference")),
    ] {
        assert_eq!(decide::check_new(&new, &rules()).err().map(|refusal| refusal.field), field.map(Some));
    }
}

#[test]
fn the_documents_diagram_is_the_table() {
    let page = include_str!("../../../../docs/payments.md");
    let diagram = diagram();
    assert!(page.contains(&format!("```mermaid\n{diagram}\n```")), "docs/payments.md must hold this diagram:\n{diagram}");
}

#[test]
fn metadata_is_bounded() {
    let rules = rules();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let many = |count: usize| (0..count).map(|number| pair(&number.to_string(), "x")).collect::<BTreeMap<_, _>>();
    for (what, metadata, fits) in [
        ("nothing", BTreeMap::new(), true),
        ("ten", many(10), true),
        ("eleven", many(11), false),
        ("a long name", BTreeMap::from([pair(&"名".repeat(40), "")]), true),
        ("a longer one", BTreeMap::from([pair(&"名".repeat(41), "")]), false),
        ("no name", BTreeMap::from([pair("", "x")]), false),
        ("a long value", BTreeMap::from([pair("x", &"值".repeat(200))]), true),
        ("a longer one", BTreeMap::from([pair("x", &"值".repeat(201))]), false),
        ("a control character", BTreeMap::from([pair("x", "\u{0}")]), false),
    ] {
        let new = NewPayment {
            amount_minor: 1,
            currency: Currency::CNY,
            merchant_reference: None,
            terminal: None,
            capture: Capture::Automatic,
            metadata: Some(metadata),
        };
        let refusal = decide::check_new(&new, &rules).err();
        assert_eq!(refusal, (!fits).then_some(Refusal::of_field(Code::InvalidRequest, "metadata")), "{what}");
    }
}

/// The caps of each tier at their edges, to the fen, for the one source that there is: the wallet's balance.
#[test]
fn every_tier_ends_to_the_fen() {
    use super::judge::tier_allows;
    use crate::account::tier::Tier;
    let rules = rules();
    for (tier, cap_minor) in [(Tier::B, 500_000), (Tier::C, 100_000), (Tier::D, 50_000)] {
        for (used, amount, fits) in [
            (0, cap_minor - 1, true),
            (0, cap_minor, true),
            (0, cap_minor + 1, false),
            (cap_minor - 1, 1, true),
            (cap_minor - 1, 2, false),
            (cap_minor, 1, false),
        ] {
            assert_eq!(tier_allows(tier, used, amount, false, &rules), fits, "{tier:?}: {amount} after {used}");
        }
    }
    assert!(tier_allows(Tier::A, 500_000, i64::MAX, false, &rules), "tier A is what the parties agree");
}

mod searching;
