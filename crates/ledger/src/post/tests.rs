//! Every outcome in a table, and random batches that must keep the sums.

use base::id::{AccountId, MerchantId};
use base::money::{Currency, Money};
use proptest::prelude::*;

use super::*;
use crate::totals::Totals;

const ALICE: AccountKey = AccountKey::wallet(AccountId::from_bits(1));
const BOB: AccountKey = AccountKey::wallet(AccountId::from_bits(2));
const SHOP: AccountKey = AccountKey::payable(MerchantId::from_bits(1));
const GHOST: AccountKey = AccountKey::wallet(AccountId::from_bits(99));
const RESERVE: AccountKey = AccountKey::RESERVE;

fn transfer(id: u128, debit: AccountKey, credit: AccountKey, minor: i64) -> Transfer {
    Transfer { id: TransferId::from_bits(id), debit, credit, amount: Money::cny(minor), linked: false }
}

fn linked(transfer: Transfer) -> Transfer {
    Transfer { linked: true, ..transfer }
}

/// Alice holds 1,000; transfer 1 brought it.
fn funded() -> Ledger {
    let mut ledger = Ledger::new();
    for key in [ALICE, BOB, SHOP, RESERVE] {
        ledger.put_account(Account::new(key, Currency::CNY));
    }
    assert_eq!(ledger.post(&[transfer(1, RESERVE, ALICE, 1000)]), [Outcome::Posted]);
    ledger
}

#[test]
fn each_batch_has_its_outcomes_and_leaves_alice_with() {
    use Outcome::{Posted, PostedBefore, Refused};
    use Refusal::*;
    let table: Vec<(&str, Vec<Transfer>, Vec<Outcome>, i64)> = vec![
        ("pays", vec![transfer(2, ALICE, SHOP, 400)], vec![Posted], 600),
        ("pays all", vec![transfer(2, ALICE, SHOP, 1000)], vec![Posted], 0),
        ("one fen too much", vec![transfer(2, ALICE, SHOP, 1001)], vec![Refused(ExceedsCredits)], 1000),
        ("again the same", vec![transfer(2, ALICE, SHOP, 400), transfer(2, ALICE, SHOP, 400)], vec![Posted, PostedBefore], 600),
        ("same id, other amount", vec![transfer(1, RESERVE, ALICE, 5)], vec![Refused(ExistsDifferent)], 1000),
        ("same id, other payee", vec![transfer(1, RESERVE, BOB, 1000)], vec![Refused(ExistsDifferent)], 1000),
        ("zero", vec![transfer(2, ALICE, SHOP, 0)], vec![Refused(AmountNotPositive)], 1000),
        ("negative", vec![transfer(2, ALICE, SHOP, -5)], vec![Refused(AmountNotPositive)], 1000),
        ("to oneself", vec![transfer(2, ALICE, ALICE, 5)], vec![Refused(AccountsSame)], 1000),
        ("from nobody", vec![transfer(2, GHOST, SHOP, 5)], vec![Refused(DebitAccountMissing)], 1000),
        ("to nobody", vec![transfer(2, ALICE, GHOST, 5)], vec![Refused(CreditAccountMissing)], 1000),
        ("merchant owes nothing back", vec![transfer(2, SHOP, ALICE, 5)], vec![Refused(ExceedsCredits)], 1000),
        (
            "out of the reserve more than it holds",
            vec![transfer(2, ALICE, RESERVE, 1000), transfer(3, BOB, RESERVE, 1)],
            vec![Posted, Refused(ExceedsCredits)],
            0,
        ),
        ("past 63 bits", vec![transfer(2, RESERVE, BOB, i64::MAX)], vec![Refused(SumOverflows)], 1000),
        ("zero to oneself: first fault wins", vec![transfer(2, ALICE, ALICE, 0)], vec![Refused(AmountNotPositive)], 1000),
        ("chain", vec![linked(transfer(2, ALICE, SHOP, 300)), transfer(3, SHOP, ALICE, 100)], vec![Posted, Posted], 800),
        (
            "chain with a bad end",
            vec![linked(transfer(2, ALICE, SHOP, 300)), transfer(3, ALICE, SHOP, 701)],
            vec![Refused(LinkedTransferRefused), Refused(ExceedsCredits)],
            1000,
        ),
        (
            "chain with a bad start",
            vec![linked(transfer(2, ALICE, SHOP, 1001)), transfer(3, ALICE, SHOP, 1)],
            vec![Refused(ExceedsCredits), Refused(LinkedTransferRefused)],
            1000,
        ),
        (
            "chain left open",
            vec![linked(transfer(2, ALICE, SHOP, 1)), linked(transfer(3, ALICE, SHOP, 1))],
            vec![Refused(LinkedTransferRefused), Refused(LinkedChainOpen)],
            1000,
        ),
        (
            "single after a failed chain",
            vec![linked(transfer(2, ALICE, SHOP, 1)), transfer(3, ALICE, SHOP, 0), transfer(4, ALICE, SHOP, 7)],
            vec![Refused(LinkedTransferRefused), Refused(AmountNotPositive), Posted],
            993,
        ),
        (
            "chain replayed",
            vec![
                linked(transfer(2, ALICE, SHOP, 1)),
                transfer(3, ALICE, SHOP, 2),
                linked(transfer(2, ALICE, SHOP, 1)),
                transfer(3, ALICE, SHOP, 2),
            ],
            vec![Posted, Posted, PostedBefore, PostedBefore],
            997,
        ),
    ];
    for (name, batch, outcomes, alice) in table {
        let mut ledger = funded();
        assert_eq!(ledger.post(&batch), outcomes, "{name}");
        assert_eq!(ledger.account(ALICE).map(Account::balance_minor), Some(alice), "{name}");
        assert!(Totals::over(ledger.accounts()).expect("small sums").balanced(), "{name}");
    }
}

#[test]
fn a_refused_id_may_be_used_later() {
    let mut ledger = funded();
    assert_eq!(ledger.post(&[transfer(2, BOB, SHOP, 5)]), [Outcome::Refused(Refusal::ExceedsCredits)]);
    assert_eq!(ledger.post(&[transfer(2, ALICE, SHOP, 5)]), [Outcome::Posted]);
}

#[test]
fn totals_see_what_does_not_balance() {
    let mut accounts: Vec<Account> = funded().accounts().copied().collect();
    assert!(Totals::over(&accounts).expect("small").balanced());
    accounts[0].credits_minor += 1;
    assert!(!Totals::over(&accounts).expect("small").balanced());
}

fn any_transfer() -> impl Strategy<Value = Transfer> {
    let key = prop::sample::select(vec![ALICE, BOB, SHOP, RESERVE, GHOST]);
    (0..40_u128, key.clone(), key, -2..600_i64, prop::bool::weighted(0.3))
        .prop_map(|(id, debit, credit, minor, linked)| Transfer { linked, ..transfer(id, debit, credit, minor) })
}

proptest! {
    #[test]
    fn random_batches_keep_the_sums_and_repeat_without_effect(batches in prop::collection::vec(prop::collection::vec(any_transfer(), 0..12), 1..12)) {
        let mut ledger = funded();
        for batch in &batches {
            let before = ledger.clone();
            let outcomes = ledger.post(batch);
            prop_assert!(Totals::over(ledger.accounts()).expect("small sums").balanced());
            prop_assert!(ledger.accounts().all(|account| account.balance_minor() >= 0));
            if outcomes.iter().all(|outcome| *outcome != Outcome::Posted) {
                prop_assert_eq!(&before, &ledger);
            }
            // Whatever was posted is posted before when it is asked again, one by one.
            for (transfer, outcome) in batch.iter().zip(&outcomes) {
                if *outcome == Outcome::Posted {
                    let alone = Transfer { linked: false, ..*transfer };
                    prop_assert_eq!(ledger.post(&[alone]), vec![Outcome::PostedBefore]);
                }
            }
        }
    }
}
