//! Golden bytes of the chain.

use base::id::{AccountId, MerchantId};
use proptest::prelude::*;

use super::*;

/// A hold of 15.00 and its partial capture.
fn entries() -> [Entry; 2] {
    let hold = Entry {
        id: TransferId::from_bits(2),
        kind: EntryKind::Pending,
        debit: AccountKey::wallet(AccountId::from_bits(0xa11ce)),
        credit: AccountKey::payable(MerchantId::from_bits(7)),
        amount: Money::cny(1500),
        pending: None,
        expires_at: Some(Timestamp::from_millis(1_795_000_600_000)),
        at: Timestamp::from_millis(1_795_000_000_000),
    };
    let capture = Entry {
        id: TransferId::from_bits(3),
        kind: EntryKind::PostPending,
        amount: Money::cny(900),
        pending: Some(hold.id),
        expires_at: None,
        at: Timestamp::from_millis(1_795_000_001_000),
        ..hold
    };
    [hold, capture]
}

/// Lines and hashes as `printf '%s\n%s' "$previous" "$line" | sha256sum` makes them.
const GOLDEN: [(&str, &str); 2] = [
    (
        "1 1795000000000 pending tra_00000000000000000000000002 customer_wallet:000000000000000000000000000a11ce merchant_payable:00000000000000000000000000000007 1500 CNY - 1795000600000",
        "8e186b840be5cb7592fb584a71a1ae76515fce0be7f8c937cb04431cd2f3cdf6",
    ),
    (
        "2 1795000001000 post_pending tra_00000000000000000000000003 customer_wallet:000000000000000000000000000a11ce merchant_payable:00000000000000000000000000000007 900 CNY tra_00000000000000000000000002 -",
        "5b0521cc0ed804c59243a6599e1e2ddfa125d14b29990e8beab359ca9634a1fb",
    ),
];

#[test]
fn lines_and_hashes_never_change() {
    let mut head = Head::genesis();
    assert_eq!(hex(&head.hash), "e707070e31036719d6297d231b80b1df63aa918311afbdf41f54c58c1501e765");
    for (entry, (text, hash)) in entries().iter().zip(GOLDEN) {
        assert_eq!(line(head.sequence + 1, entry), text);
        head = head.then(entry);
        assert_eq!(hex(&head.hash), hash);
        assert_eq!(parse_line(text), Some((head.sequence, *entry)));
    }
}

#[test]
fn a_line_is_read_strictly() {
    let good = GOLDEN[0].0;
    for (was, becomes) in [
        ("1 17", "01 17"),
        (" 1500 ", " +1500 "),
        ("CNY", "cny"),
        (" - ", "  "),
        ("00a11ce", "0A11CE"),
        ("pending", "held"),
        (" 1795000600000", ""),
    ] {
        let bad = good.replacen(was, becomes, 1);
        assert_ne!(bad, good);
        assert_eq!(parse_line(&bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~]{0,200}") {
        if let Some((sequence, entry)) = parse_line(&text) {
            prop_assert_eq!(line(sequence, &entry), text);
        }
    }
}
