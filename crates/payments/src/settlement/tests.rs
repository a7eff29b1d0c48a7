//! When what is paid out, what is held, and where nothing is sent.

use base::secret::Secret;
use wire::settlement::{BankAccountStatus, NewBankAccount};

use super::bank_account::{BankAccount, check_new};
use super::profile::Profile;
use super::*;
use crate::rules::RuleBook;

/// 2026-11-18T12:53:20 in China.
const NOW: Timestamp = Timestamp::from_millis(1_794_977_600_000);
const DAY_MS: u64 = 86_400_000;

fn rules() -> RulePack {
    RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound").in_force(NOW).expect("in force").clone()
}

#[test]
fn a_payout_ends_at_the_last_local_midnight() {
    let mut rules = rules();
    let midnight = rules.settles_until(NOW);
    assert_eq!((midnight.millis() + 8 * 3_600_000) % DAY_MS, 0, "midnight in China");
    assert!(NOW.millis_since(midnight) < DAY_MS);
    for (later_ms, days) in [(DAY_MS - NOW.millis_since(midnight) - 1, 0), (DAY_MS - NOW.millis_since(midnight), 1)] {
        assert_eq!(rules.settles_until(NOW.plus_millis(later_ms)).millis_since(midnight), days * DAY_MS);
    }
    rules.settlement.delay_days = 3;
    assert_eq!(midnight.millis_since(rules.settles_until(NOW)), 2 * DAY_MS);
}

#[test]
fn only_what_is_old_enough_and_enough_is_paid_out() {
    let rules = rules();
    for (available, paid_since, expected) in
        [(1_000, 0, 1_000), (1_000, 400, 600), (1_000, 901, 0), (1_000, 900, 100), (100, 5_000, 0), (0, 0, 0)]
    {
        assert_eq!(rules.payout_minor(available, paid_since), expected, "{available} with {paid_since}");
    }
}

#[test]
fn every_move_is_in_the_table_or_refused() {
    for status in STATUSES {
        for step in Step::ALL {
            let legal = TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (status, step));
            assert_eq!(next_status(status, step).ok(), legal.map(|(_, _, to)| *to), "{status:?} {step:?}");
        }
    }
}

/// T30: signs of cash-out, at their edges.
#[test]
fn t30_cash_out_is_held_for_staff() {
    let rules = rules();
    let plain = Profile { payments: 20, sum_minor: 100_000, round: 12, by_night: 12, one_payer_minor: 50_000 };
    assert_eq!(plain.suspicion(&rules), None);
    for (profile, reason) in [
        (Profile { round: 13, ..plain }, HoldReason::RoundSums),
        (Profile { by_night: 13, ..plain }, HoldReason::Night),
        (Profile { one_payer_minor: 50_001, ..plain }, HoldReason::OnePayer),
    ] {
        assert_eq!(profile.suspicion(&rules), Some(reason));
        assert_eq!(Profile { payments: 19, round: 19, by_night: 19, ..profile }.suspicion(&rules), None, "few payments say nothing");
    }
}

#[test]
fn what_can_be_a_bank_account() {
    let good = || NewBankAccount {
        holder_name: "荷花药房有限公司".into(),
        bank_code: "102100099996".into(),
        account_number: Secret::new("6222021001112223334".into()),
    };
    assert_eq!(check_new(&good()), Ok(()));
    for (field, bad) in [
        ("holder_name", NewBankAccount { holder_name: " ".into(), ..good() }),
        ("holder_name", NewBankAccount { holder_name: "A\u{0}".into(), ..good() }),
        ("holder_name", NewBankAccount { holder_name: "x".repeat(65), ..good() }),
        ("bank_code", NewBankAccount { bank_code: "10210009999".into(), ..good() }),
        ("bank_code", NewBankAccount { bank_code: "10210009999x".into(), ..good() }),
        ("account_number", NewBankAccount { account_number: Secret::new("1234567".into()), ..good() }),
        ("account_number", NewBankAccount { account_number: Secret::new("6222 0210 0111".into()), ..good() }),
    ] {
        assert_eq!(check_new(&bad), Err(Refusal::of_field(Code::InvalidRequest, field)));
    }
    assert!(!format!("{:?}", good()).contains("6222"));
}

/// T36: a changed bank account waits for approval and then for a day.
#[test]
fn t36_nobody_is_paid_to_an_account_before_its_time() {
    let rules = rules();
    let asked = BankAccount { status: BankAccountStatus::Waiting, effective_at: None };
    assert!(!asked.is_paid_to(NOW));
    let approved = asked.approve(&rules, NOW).expect("it waits");
    for (later_ms, paid_to) in [(0, false), (DAY_MS - 1, false), (DAY_MS, true)] {
        let now = NOW.plus_millis(later_ms);
        assert_eq!((approved.is_paid_to(now), approved.withdraw(now).is_err()), (paid_to, paid_to), "after {later_ms} ms");
    }
    let rejected = asked.reject().expect("it waits");
    for ended in [rejected, asked.withdraw(NOW).expect("it waits"), approved.withdraw(NOW).expect("nothing was sent")] {
        assert!(ended.approve(&rules, NOW).is_err() && ended.reject().is_err() && ended.withdraw(NOW).is_err());
        assert!(!ended.is_paid_to(NOW.plus_millis(9 * DAY_MS)));
    }
}
