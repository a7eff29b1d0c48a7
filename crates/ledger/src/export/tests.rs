//! Exports that are sound, and every way to falsify one.

use base::id::{AccountId, MerchantId, TransferId};
use base::money::{Currency, Money};
use base::time::Timestamp;
use proptest::prelude::*;

use super::*;

const ALICE: AccountKey = AccountKey::wallet(AccountId::from_bits(1));
const SHOP: AccountKey = AccountKey::payable(MerchantId::from_bits(1));

fn transfer(bits: u128, action: Action) -> Transfer {
    Transfer { id: TransferId::from_bits(bits), action, linked: false }
}

/// A top-up, a payment, a hold with its partial capture, a hold that expired, a payout.
fn sound() -> (Ledger, Vec<Entry>) {
    let mut ledger = Ledger::new();
    for key in [ALICE, SHOP, AccountKey::RESERVE, AccountKey::SETTLEMENT] {
        ledger.put_account(Account::new(key, Currency::CNY)).expect("new");
    }
    let at = |seconds: u64| Timestamp::from_millis(1_795_000_000_000 + seconds * 1000);
    let id = TransferId::from_bits;
    let steps = [
        transfer(1, Action::Post { debit: AccountKey::RESERVE, credit: ALICE, amount: Money::cny(10_000) }),
        transfer(2, Action::Post { debit: ALICE, credit: SHOP, amount: Money::cny(3_000) }),
        transfer(3, Action::Pending { debit: ALICE, credit: SHOP, amount: Money::cny(2_000), expires_at: at(60) }),
        transfer(4, Action::PostPending { pending: id(3), amount_minor: Some(1_500) }),
        transfer(5, Action::Pending { debit: ALICE, credit: SHOP, amount: Money::cny(100), expires_at: at(6) }),
        transfer(6, Action::ExpirePending { pending: id(5) }),
        transfer(7, Action::Post { debit: SHOP, credit: AccountKey::SETTLEMENT, amount: Money::cny(4_500) }),
    ];
    let mut entries = Vec::new();
    for (second, step) in steps.into_iter().enumerate() {
        let applied = ledger.post(&[step], at(second as u64 + 1)).expect("sound");
        assert_eq!(applied.outcomes, [Outcome::Applied], "step {second}");
        entries.extend(applied.entries);
    }
    (ledger, entries)
}

fn text() -> String {
    let (ledger, entries) = sound();
    write(&entries, ledger.accounts())
}

/// The chain made anew over these lines, as a forger would.
fn forged(lines: &[&str]) -> String {
    let mut head = Head::genesis();
    let mut forged = format!("{FORMAT}\n");
    for line in lines {
        head = head.then_line(line);
        forged.push_str(&format!("{line} {}\n", hex(&head.hash)));
    }
    forged
}

#[test]
fn a_sound_export_is_verified() {
    let text = text();
    let verified = verify(&text, None).expect("sound");
    assert_eq!(verified.head.sequence, 7);
    let Totals { customer_minor, merchant_minor, transit_minor, reserve_minor, .. } = verified.totals;
    assert_eq!((customer_minor, merchant_minor, transit_minor, reserve_minor), (5_500, 0, 4_500, 10_000));
    assert_eq!(verify(&text, Some(verified.head)).map(|verified| verified.head), Ok(verified.head));
    let empty = write(&[], &[]);
    assert_eq!(verify(&empty, Some(Head::genesis())).map(|verified| verified.head), Ok(Head::genesis()));
}

#[test]
fn what_was_changed_is_found() {
    let text = text();
    let lines: Vec<&str> = text.lines().collect();
    let without = |at: usize| lines.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, line)| format!("{line}\n")).collect::<String>();
    let other = text.replacen(" 3000 CNY", " 3001 CNY", 1);
    let table: Vec<(&str, String, usize, Fault)> = vec![
        ("another format", text.replacen("ledger 1", "ledger 9", 1), 1, Fault::Format),
        ("an amount", other, 3, Fault::Hash),
        ("a time", text.replacen("1795000001000", "1795000001001", 1), 2, Fault::Hash),
        ("a line left out", without(2), 3, Fault::Sequence(2)),
        ("the last line left out", without(7), 9, Fault::Balance),
        ("a sum", text.replacen("CNY 4500 10000 0 0", "CNY 4500 10001 0 0", 1), 9, Fault::Balance),
        ("an account left out", without(8), 12, Fault::Balance),
        ("the head left out", without(12), 12, Fault::Torn),
        ("torn", text[..text.len() - 1].to_owned(), 13, Fault::Torn),
        ("a word put in", text.replacen("balance", "hello\nbalance", 1), 9, Fault::Unreadable),
    ];
    for (name, text, line, fault) in table {
        assert_eq!(verify(&text, None).expect_err(name), ExportError { line, fault }, "{name}");
    }
}

#[test]
fn a_chain_made_anew_still_has_to_follow_the_rules() {
    let text = text();
    let lines: Vec<&str> = text.lines().skip(1).take(7).map(|line| line.rsplit_once(' ').expect("a hash").0).collect();
    let with = |at: usize, was: &str, becomes: &str| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert!(lines[at].contains(was));
        lines[at] = lines[at].replacen(was, becomes, 1);
        forged(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let table: Vec<(&str, String, usize, Fault)> = vec![
        ("more than there is", with(1, " 3000 ", " 30000 "), 3, Fault::Refused(Refusal::ExceedsCredits)),
        ("more than was held", with(3, " 1500 ", " 2500 "), 5, Fault::Refused(Refusal::ExceedsPendingAmount)),
        ("other than was held", with(5, " 100 ", " 99 "), 7, Fault::Unreadable),
        (
            "twice",
            with(1, "tra_00000000000000000000000002", "tra_00000000000000000000000001"),
            3,
            Fault::Refused(Refusal::ExistsWithDifferentDebit),
        ),
        ("expired before its time", with(5, "1795000006000", "1795000005900"), 7, Fault::Refused(Refusal::PendingNotDue)),
    ];
    for (name, text, line, fault) in table {
        assert_eq!(verify(&text, None).expect_err(name), ExportError { line, fault }, "{name}");
    }
}

#[test]
fn a_kept_head_finds_a_past_that_was_rewritten_whole() {
    let (ledger, entries) = sound();
    let kept = entries[..3].iter().fold(Head::genesis(), |head, entry| head.then(entry));
    assert!(verify(&write(&entries, ledger.accounts()), Some(kept)).is_ok());
    // The same money, another minute: sound in itself.
    let mut moved = entries.clone();
    moved[0].at = Timestamp::from_millis(moved[0].at.millis() - 1);
    let rewritten = write(&moved, ledger.accounts());
    assert!(verify(&rewritten, None).is_ok());
    assert_eq!(verify(&rewritten, Some(kept)).expect_err("rewritten").fault, Fault::KeptHead);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(handsel ledger 1\n)?([ -~]{0,120}\n){0,6}") {
        let _ = verify(&text, None);
    }

    #[test]
    fn no_changed_byte_goes_unnoticed(at in 0..1_900_usize, byte in 32..127_u8) {
        let mut bytes = text().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).expect("ASCII");
        prop_assert!(verify(&changed, None).is_err());
    }
}
