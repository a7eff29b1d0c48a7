//! Every outcome in a table, the defects that users of other ledgers reported, and random batches that must keep the sums.

use base::id::{AccountId, MerchantId};
use base::money::Currency;
use proptest::prelude::*;

use super::*;
use crate::breach::check_books;
use Outcome::{Applied as Done, Exists, Refused};
use Refusal::*;

const ALICE: AccountKey = AccountKey::wallet(AccountId::from_bits(1));
const BOB: AccountKey = AccountKey::wallet(AccountId::from_bits(2));
const SHOP: AccountKey = AccountKey::payable(MerchantId::from_bits(1));
const GHOST: AccountKey = AccountKey::wallet(AccountId::from_bits(99));
const RESERVE: AccountKey = AccountKey::RESERVE;
const NOW: Timestamp = Timestamp::from_millis(1_000);
const LATER: Timestamp = Timestamp::from_millis(2_000);

fn id(bits: u128) -> TransferId {
    TransferId::from_bits(bits)
}

fn single(bits: u128, action: Action) -> Transfer {
    Transfer { id: id(bits), action, linked: false }
}

fn post(bits: u128, debit: AccountKey, credit: AccountKey, minor: i64) -> Transfer {
    single(bits, Action::Post { debit, credit, amount: Money::cny(minor) })
}

fn hold(bits: u128, debit: AccountKey, credit: AccountKey, minor: i64) -> Transfer {
    single(bits, Action::Pending { debit, credit, amount: Money::cny(minor), expires_at: LATER })
}

fn capture(bits: u128, pending: u128, amount_minor: Option<i64>) -> Transfer {
    single(bits, Action::PostPending { pending: id(pending), amount_minor })
}

fn void(bits: u128, pending: u128) -> Transfer {
    single(bits, Action::VoidPending { pending: id(pending) })
}

fn expire(bits: u128, pending: u128) -> Transfer {
    single(bits, Action::ExpirePending { pending: id(pending) })
}

fn linked(transfer: Transfer) -> Transfer {
    Transfer { linked: true, ..transfer }
}

/// Alice has 1,000; transfer 1 brought it.
fn funded() -> Ledger {
    let mut ledger = Ledger::new();
    for key in [ALICE, BOB, SHOP, RESERVE, AccountKey::FEE, AccountKey::COMPENSATION, AccountKey::SETTLEMENT] {
        ledger.put_account(Account::new(key, Currency::CNY)).expect("sound");
    }
    assert_eq!(ledger.post(&[post(1, RESERVE, ALICE, 1000)], NOW).expect("sound").outcomes, [Done]);
    ledger
}

fn sound(ledger: &Ledger) {
    check_books(ledger.accounts(), ledger.records()).expect("the books agree");
}

fn available(ledger: &Ledger, key: AccountKey) -> i64 {
    ledger.account(key).expect("opened").available_minor()
}

/// Asks batch by batch; what came of each, and what Alice may still spend.
type Case = (&'static str, Vec<(Timestamp, Vec<Transfer>, Vec<Outcome>)>, i64);

fn check(table: Vec<Case>) {
    for (name, batches, alice) in table {
        let mut ledger = funded();
        for (now, batch, outcomes) in batches {
            let before = ledger.clone();
            let applied = ledger.post(&batch, now).expect("no breach");
            assert_eq!(applied.outcomes, outcomes, "{name}");
            let done = outcomes.iter().filter(|outcome| **outcome == Done).count();
            assert_eq!(applied.entries.len(), done, "{name}: an entry for each transfer applied, and no other");
            assert!(done > 0 || before == ledger, "{name}: what is not applied changes nothing");
            sound(&ledger);
        }
        assert_eq!(available(&ledger, ALICE), alice, "{name}");
    }
}

#[test]
fn transfers_at_once() {
    let one = |batch, outcomes| vec![(NOW, batch, outcomes)];
    check(vec![
        ("pays", one(vec![post(2, ALICE, SHOP, 400)], vec![Done]), 600),
        ("pays all", one(vec![post(2, ALICE, SHOP, 1000)], vec![Done]), 0),
        ("one fen too much", one(vec![post(2, ALICE, SHOP, 1001)], vec![Refused(ExceedsCredits)]), 1000),
        ("again the same", one(vec![post(2, ALICE, SHOP, 400), post(2, ALICE, SHOP, 400)], vec![Done, Exists]), 600),
        ("zero", one(vec![post(2, ALICE, SHOP, 0)], vec![Refused(AmountNotPositive)]), 1000),
        ("negative", one(vec![post(2, ALICE, SHOP, -5)], vec![Refused(AmountNotPositive)]), 1000),
        ("to oneself", one(vec![post(2, ALICE, ALICE, 5)], vec![Refused(AccountsSame)]), 1000),
        ("from nobody", one(vec![post(2, GHOST, SHOP, 5)], vec![Refused(DebitAccountMissing)]), 1000),
        ("to nobody", one(vec![post(2, ALICE, GHOST, 5)], vec![Refused(CreditAccountMissing)]), 1000),
        ("a shop that has nothing", one(vec![post(2, SHOP, ALICE, 5)], vec![Refused(ExceedsCredits)]), 1000),
        ("a fund that has nothing", one(vec![post(2, AccountKey::COMPENSATION, ALICE, 5)], vec![Refused(ExceedsCredits)]), 1000),
        (
            "out of the reserve only what came in",
            one(vec![post(2, ALICE, RESERVE, 1000), post(3, BOB, RESERVE, 1)], vec![Done, Refused(ExceedsCredits)]),
            0,
        ),
        ("past 63 bits", one(vec![post(2, RESERVE, BOB, i64::MAX)], vec![Refused(SumOverflows)]), 1000),
        (
            "payout on its way, then arrived",
            one(
                vec![post(2, ALICE, SHOP, 400), post(3, SHOP, AccountKey::SETTLEMENT, 400), post(4, AccountKey::SETTLEMENT, RESERVE, 400)],
                vec![Done; 3],
            ),
            600,
        ),
    ]);
}

#[test]
fn an_identifier_counts_for_ever_and_says_what_differs() {
    let far = Timestamp::from_millis(3_000);
    let hold_until = |at| single(3, Action::Pending { debit: ALICE, credit: SHOP, amount: Money::cny(10), expires_at: at });
    let setup =
        (NOW, vec![post(2, ALICE, SHOP, 100), hold(3, ALICE, SHOP, 10), hold(4, ALICE, SHOP, 20), capture(5, 4, None)], vec![Done; 4]);
    let again = |transfer: Transfer, outcome: Outcome| vec![setup.clone(), (far, vec![transfer], vec![outcome])];
    check(vec![
        ("the same", again(post(2, ALICE, SHOP, 100), Exists), 870),
        ("the same hold, though its time is over", again(hold(3, ALICE, SHOP, 10), Exists), 870),
        ("the same capture", again(capture(5, 4, None), Exists), 870),
        ("the same capture, in words", again(capture(5, 4, Some(20)), Exists), 870),
        ("another kind", again(hold(2, ALICE, SHOP, 100), Refused(ExistsWithDifferentKind)), 870),
        ("another pending", again(capture(5, 3, None), Refused(ExistsWithDifferentPending)), 870),
        ("another payer", again(post(2, BOB, SHOP, 100), Refused(ExistsWithDifferentDebit)), 870),
        ("another payee", again(post(2, ALICE, BOB, 100), Refused(ExistsWithDifferentCredit)), 870),
        ("another amount", again(post(2, ALICE, SHOP, 101), Refused(ExistsWithDifferentAmount)), 870),
        ("another part", again(capture(5, 4, Some(19)), Refused(ExistsWithDifferentAmount)), 870),
        ("another expiry", again(hold_until(far), Refused(ExistsWithDifferentExpiry)), 870),
        ("everything else: the payer comes first", again(post(2, BOB, GHOST, 7), Refused(ExistsWithDifferentDebit)), 870),
        ("a form fault comes before", again(post(2, BOB, BOB, 7), Refused(AccountsSame)), 870),
    ]);
}

#[test]
fn two_phases() {
    let held = (NOW, vec![hold(2, ALICE, SHOP, 400)], vec![Done]);
    let then = |now, batch, outcomes| vec![held.clone(), (now, batch, outcomes)];
    check(vec![
        ("held", vec![held.clone()], 600),
        ("captured", then(NOW, vec![capture(3, 2, None)], vec![Done]), 600),
        ("part captured, rest released", then(NOW, vec![capture(3, 2, Some(150))], vec![Done]), 850),
        ("more than held", then(NOW, vec![capture(3, 2, Some(401))], vec![Refused(ExceedsPendingAmount)]), 600),
        ("captured twice", then(NOW, vec![capture(3, 2, Some(1)), capture(4, 2, Some(1))], vec![Done, Refused(PendingAlreadyPosted)]), 999),
        ("voided", then(NOW, vec![void(3, 2)], vec![Done]), 1000),
        ("voided twice", then(NOW, vec![void(3, 2), void(4, 2)], vec![Done, Refused(PendingAlreadyVoided)]), 1000),
        ("captured after voiding", then(NOW, vec![void(3, 2), capture(4, 2, None)], vec![Done, Refused(PendingAlreadyVoided)]), 1000),
        ("voided after capture", then(NOW, vec![capture(3, 2, None), void(4, 2)], vec![Done, Refused(PendingAlreadyPosted)]), 600),
        ("not due", then(NOW, vec![expire(3, 2)], vec![Refused(PendingNotDue)]), 600),
        ("expired", then(LATER, vec![expire(3, 2)], vec![Done]), 1000),
        ("captured too late", then(LATER, vec![capture(3, 2, None), void(4, 2)], vec![Refused(PendingOverdue); 2]), 600),
        ("captured after expiry", then(LATER, vec![expire(3, 2), capture(4, 2, None)], vec![Done, Refused(PendingAlreadyExpired)]), 1000),
        ("of nothing", then(NOW, vec![capture(3, 9, None), void(4, 9), expire(5, 9)], vec![Refused(PendingMissing); 3]), 600),
        ("of what was posted at once", then(NOW, vec![capture(3, 1, None)], vec![Refused(PendingOfOtherKind)]), 600),
        ("of nothing at all: first fault", then(NOW, vec![capture(3, 9, Some(0))], vec![Refused(AmountNotPositive)]), 600),
        ("held into the past", then(LATER, vec![hold(3, ALICE, SHOP, 1)], vec![Refused(ExpiryNotInFuture)]), 600),
        (
            "what is held cannot be spent",
            then(NOW, vec![post(3, ALICE, BOB, 601), post(4, ALICE, BOB, 600)], vec![Refused(ExceedsCredits), Done]),
            0,
        ),
        ("what is coming cannot be spent", then(NOW, vec![post(3, SHOP, BOB, 1)], vec![Refused(ExceedsCredits)]), 600),
    ]);
}

#[test]
fn chains_are_all_or_nothing() {
    let one = |batch, outcomes| vec![(NOW, batch, outcomes)];
    check(vec![
        ("chain", one(vec![linked(post(2, ALICE, SHOP, 300)), post(3, SHOP, ALICE, 100)], vec![Done, Done]), 800),
        (
            "bad end",
            one(
                vec![linked(post(2, ALICE, SHOP, 300)), post(3, ALICE, SHOP, 701)],
                vec![Refused(LinkedTransferRefused), Refused(ExceedsCredits)],
            ),
            1000,
        ),
        (
            "bad start",
            one(
                vec![linked(post(2, ALICE, SHOP, 1001)), post(3, ALICE, SHOP, 1)],
                vec![Refused(ExceedsCredits), Refused(LinkedTransferRefused)],
            ),
            1000,
        ),
        (
            "left open",
            one(
                vec![linked(post(2, ALICE, SHOP, 1)), linked(post(3, ALICE, SHOP, 1))],
                vec![Refused(LinkedTransferRefused), Refused(LinkedChainOpen)],
            ),
            1000,
        ),
        (
            "single after a failed chain",
            one(
                vec![linked(post(2, ALICE, SHOP, 1)), post(3, ALICE, SHOP, 0), post(4, ALICE, SHOP, 7)],
                vec![Refused(LinkedTransferRefused), Refused(AmountNotPositive), Done],
            ),
            993,
        ),
        (
            "held, captured and then a fault: the hold is open no more than before",
            vec![
                (NOW, vec![hold(2, ALICE, SHOP, 400)], vec![Done]),
                (
                    NOW,
                    vec![linked(capture(3, 2, None)), post(4, SHOP, BOB, 401)],
                    vec![Refused(LinkedTransferRefused), Refused(ExceedsCredits)],
                ),
                (NOW, vec![linked(capture(3, 2, None)), post(4, SHOP, AccountKey::FEE, 4)], vec![Done, Done]),
            ],
            600,
        ),
        (
            "replayed",
            one(
                vec![linked(post(2, ALICE, SHOP, 1)), post(3, ALICE, SHOP, 2), linked(post(2, ALICE, SHOP, 1)), post(3, ALICE, SHOP, 2)],
                vec![Done, Done, Exists, Exists],
            ),
            997,
        ),
    ]);
}

#[test]
fn a_refused_id_may_be_used_later() {
    let mut ledger = funded();
    assert_eq!(ledger.post(&[post(2, BOB, SHOP, 5)], NOW).expect("sound").outcomes, [Refused(ExceedsCredits)]);
    assert_eq!(ledger.post(&[post(2, ALICE, SHOP, 5)], NOW).expect("sound").outcomes, [Done]);
}

/// Blnk issue 181: holds that are not counted in the balance check let a balance be spent many times.
#[test]
fn blnk_181_holds_together_never_exceed_the_balance() {
    let mut ledger = funded();
    let batch: Vec<Transfer> = (2..52).map(|bits| hold(bits, ALICE, SHOP, 300)).collect();
    let outcomes = ledger.post(&batch, NOW).expect("sound").outcomes;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Done).count(), 3);
    assert!(outcomes[3..].iter().all(|outcome| *outcome == Refused(ExceedsCredits)));
    assert_eq!(available(&ledger, ALICE), 100);
}

/// Midaz issue 2317: cancelling a hold on an account at its limit left debits and credits unequal.
#[test]
fn midaz_2317_releasing_a_hold_restores_both_sides_exactly() {
    for (name, release, now) in [("voided", void(3, 2), NOW), ("expired", expire(3, 2), LATER)] {
        let mut ledger = funded();
        let before: Vec<Account> = ledger.accounts().copied().collect();
        ledger.post(&[hold(2, ALICE, SHOP, 1000)], NOW).expect("sound");
        assert_eq!(ledger.post(&[release], now).expect("sound").outcomes, [Done], "{name}");
        assert_eq!(before, ledger.accounts().copied().collect::<Vec<_>>(), "{name}");
        sound(&ledger);
    }
}

/// Hyperswitch issue 319: a second request under a used identifier silently changed the first.
#[test]
fn hyperswitch_319_a_used_identifier_changes_nothing() {
    let mut ledger = funded();
    ledger.post(&[hold(2, ALICE, SHOP, 400)], NOW).expect("sound");
    let before = ledger.clone();
    assert_eq!(ledger.post(&[hold(2, ALICE, SHOP, 4)], NOW).expect("sound").outcomes, [Refused(ExistsWithDifferentAmount)]);
    assert_eq!(before, ledger);
}

const BUDGET: AccountKey = AccountKey { kind: crate::account::AccountKind::PromotionBudget, owner: 7 };

/// A ledger whose promotion has 1,000 to give.
fn promoted() -> Ledger {
    let mut ledger = funded();
    ledger.put_account(Account::new(BUDGET, Currency::CNY)).expect("sound");
    assert_eq!(ledger.post(&[post(50, RESERVE, BUDGET, 1000)], NOW).expect("sound").outcomes, [Done]);
    ledger
}

/// T33: whoever asks again, with however many devices, is given once what is given under one identifier, which whoever gives makes
/// from promotion, person and day.
#[test]
fn t33_a_promotion_gives_the_same_person_once() {
    let mut ledger = promoted();
    assert_eq!(ledger.post(&[post(60, BUDGET, ALICE, 10)], NOW).expect("sound").outcomes, [Done]);
    for _ in 0..100 {
        assert_eq!(ledger.post(&[post(60, BUDGET, ALICE, 10)], LATER).expect("sound").outcomes, [Exists]);
        let to_another = ledger.post(&[post(60, BUDGET, BOB, 10)], LATER).expect("sound").outcomes;
        assert_eq!(to_another, [Refused(ExistsWithDifferentCredit)]);
    }
    assert_eq!((available(&ledger, BUDGET), available(&ledger, ALICE), available(&ledger, BOB)), (990, 1010, 0));
    sound(&ledger);
}

/// T34: a promotion that is set up wrongly, such as 20 in 100 for everybody, ends with its budget: no money of customers, no
/// other budget and no reserve pays for it, also where what is promised is only held.
#[test]
fn t34_a_promotion_never_spends_more_than_its_budget() {
    let mut ledger = promoted();
    let batch: Vec<Transfer> =
        (0..50).flat_map(|number| [post(100 + number, BUDGET, ALICE, 30), hold(200 + number, BUDGET, BOB, 30)]).collect();
    let outcomes = ledger.post(&batch, NOW).expect("sound").outcomes;
    let (done, refused) = (outcomes.iter().filter(|outcome| **outcome == Done).count(), Refused(ExceedsCredits));
    assert_eq!(done, 33);
    assert!(outcomes[done..].iter().all(|outcome| *outcome == refused), "from then on nothing is given");
    assert_eq!((available(&ledger, BUDGET), available(&ledger, SHOP)), (10, 0));
    assert_eq!(ledger.post(&[post(300, BUDGET, ALICE, 11)], LATER).expect("sound").outcomes, [refused]);
    assert_eq!(ledger.post(&[post(301, BUDGET, ALICE, 10)], LATER).expect("sound").outcomes, [Done]);
    sound(&ledger);
}

#[test]
fn a_breach_is_told_and_changes_nothing() {
    // The store gives back a hold that the account does not have: releasing it would make the held sum negative.
    let mut ledger = funded();
    ledger.post(&[hold(2, ALICE, SHOP, 400)], NOW).expect("sound");
    let alice = Account { debits_pending_minor: 0, ..*ledger.account(ALICE).expect("opened") };
    ledger.put_account(alice).expect("by itself it is sound");
    let before = ledger.clone();
    assert_eq!(ledger.post(&[post(8, ALICE, SHOP, 1), void(3, 2)], NOW), Err(Breach::UnsoundAccount(ALICE)));
    assert_eq!(before, ledger, "nothing is lost and nothing half done");
    assert_eq!(check_books(ledger.accounts(), ledger.records()), Err(Breach::Diverged(ALICE)));
    let overdrawn = Account { debits_minor: 1001, ..alice };
    assert_eq!(ledger.put_account(overdrawn), Err(Breach::UnsoundAccount(ALICE)));
}

#[test]
fn books_that_do_not_fit_are_found() {
    type Harm = fn(&mut Vec<Account>);
    let table: [(&str, Harm, Breach); 3] = [
        ("a credit from nowhere", |accounts| accounts[0].credits_minor += 1, Breach::Diverged(ALICE)),
        ("an account is gone", |accounts| *accounts = accounts.split_off(1), Breach::Diverged(ALICE)),
        ("a hold from nowhere", |accounts| accounts[0].debits_pending_minor += 1, Breach::Diverged(ALICE)),
    ];
    for (name, harm, breach) in table {
        let ledger = funded();
        let mut accounts: Vec<Account> = ledger.accounts().copied().collect();
        harm(&mut accounts);
        assert_eq!(check_books(&accounts, ledger.records()), Err(breach), "{name}");
    }
}

fn any_transfer() -> impl Strategy<Value = Transfer> {
    let key = prop::sample::select(vec![ALICE, BOB, SHOP, RESERVE, GHOST]);
    (0..40_u128, 0..40_u128, 0..6_u8, key.clone(), key, -2..600_i64, prop::bool::weighted(0.3)).prop_map(
        |(bits, other, kind, debit, credit, minor, chained)| {
            let transfer = match kind {
                0 | 1 => post(bits, debit, credit, minor),
                2 => hold(bits, debit, credit, minor),
                3 => capture(bits, other, (minor % 2 == 0).then_some(minor)),
                4 => void(bits, other),
                _ => expire(bits, other),
            };
            Transfer { linked: chained, ..transfer }
        },
    )
}

proptest! {
    #[test]
    fn random_batches_keep_the_sums_and_repeat_without_effect(batches in prop::collection::vec(prop::collection::vec(any_transfer(), 0..12), 1..12)) {
        let mut ledger = funded();
        for (at, batch) in batches.iter().enumerate() {
            let now = Timestamp::from_millis(1_000 + at as u64 * 150);
            let before = ledger.clone();
            let applied = ledger.post(batch, now).expect("no breach");
            sound(&ledger);
            if applied.entries.is_empty() {
                prop_assert_eq!(&before, &ledger);
            }
            for (transfer, outcome) in batch.iter().zip(&applied.outcomes) {
                if *outcome == Done {
                    prop_assert_eq!(ledger.post(&[Transfer { linked: false, ..*transfer }], now).expect("no breach").outcomes, vec![Exists]);
                }
            }
        }
    }
}
