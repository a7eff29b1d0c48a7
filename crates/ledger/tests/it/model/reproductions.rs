//! Failures that the model showed when the ledger or its writer was wrong on purpose or by mistake, each as a short list
//! of operations. They pass now; whatever brings one back fails by its name.

use base::id::TransferId;
use base::money::Money;
use ledger::account::AccountKey;
use ledger::transfer::{Action, Transfer};

use super::disk::DiskError;
use super::operation::{ACCOUNTS, Operation, START};
use super::run;

const ALICE: AccountKey = ACCOUNTS[0];
const BOB: AccountKey = ACCOUNTS[1];
const SHOP: AccountKey = ACCOUNTS[3];
const RESERVE: AccountKey = ACCOUNTS[8];

fn transfer(id: u128, action: Action) -> Transfer {
    Transfer { id: TransferId::from_bits(id), action, linked: false }
}

fn post(id: u128, debit: AccountKey, credit: AccountKey, minor: i64) -> Transfer {
    transfer(id, Action::Post { debit, credit, amount: Money::cny(minor) })
}

fn hold(id: u128, minor: i64) -> Transfer {
    transfer(id, Action::Pending { debit: ALICE, credit: SHOP, amount: Money::cny(minor), expires_at: START.plus_millis(1_000) })
}

fn capture(id: u128, pending: u128, amount_minor: Option<i64>) -> Transfer {
    transfer(id, Action::PostPending { pending: TransferId::from_bits(pending), amount_minor })
}

fn linked(transfer: Transfer) -> Transfer {
    Transfer { linked: true, ..transfer }
}

/// Alice has 5,000, and then this happens.
fn holds(operations: impl IntoIterator<Item = Operation>) {
    let funded = Operation::Batch(vec![post(1, RESERVE, ALICE, 5_000)]);
    let all: Vec<Operation> = std::iter::once(funded).chain(operations).collect();
    run(&all).unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn a_chain_that_fails_behind_a_capture_leaves_the_hold_open() {
    holds([
        Operation::Batch(vec![hold(2, 700)]),
        Operation::Batch(vec![linked(capture(3, 2, None)), post(4, BOB, SHOP, 1)]),
        Operation::Batch(vec![capture(5, 2, Some(700))]),
    ]);
}

#[test]
fn what_is_held_is_not_spent_again() {
    holds([Operation::Batch(vec![hold(2, 4_000)]), Operation::Batch(vec![post(3, ALICE, SHOP, 1_001), hold(4, 1_001), hold(5, 1_000)])]);
}

#[test]
fn the_rest_of_a_part_capture_is_free_again() {
    holds([Operation::Batch(vec![hold(2, 5_000)]), Operation::Batch(vec![capture(3, 2, Some(1)), post(4, ALICE, BOB, 4_999)])]);
}

#[test]
fn an_overdue_hold_is_not_captured_before_or_after_the_sweep() {
    holds([
        Operation::Batch(vec![hold(2, 700)]),
        Operation::Wait(1_000),
        Operation::Batch(vec![capture(3, 2, None)]),
        Operation::Sweep,
        Operation::Batch(vec![capture(4, 2, None)]),
    ]);
}

#[test]
fn power_that_fails_inside_a_chain_leaves_none_of_it() {
    for kept in 0..=255 {
        let batch = vec![linked(hold(2, 700)), linked(capture(3, 2, None)), post(4, SHOP, BOB, 300)];
        holds([Operation::CrashInBatch { batch, kept }, Operation::AskAgain, Operation::Batch(vec![post(5, ALICE, SHOP, 4_300)])]);
    }
}

#[test]
fn a_write_that_failed_half_way_is_cut_off_before_the_next() {
    for fault in [DiskError::Full, DiskError::Write, DiskError::Sync] {
        holds([
            Operation::Fault(fault),
            Operation::Batch(vec![post(2, ALICE, SHOP, 10)]),
            Operation::Batch(vec![post(3, ALICE, SHOP, 20)]),
            Operation::Crash { kept: 42 },
            Operation::AskAgain,
        ]);
    }
}
