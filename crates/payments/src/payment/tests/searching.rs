//! What is asked for before and after a search, by how many people it goes over and what it met.

use super::*;

/// Of a thousand looks at one person each, one matches; twenty in a thousand may: twenty people.
fn small_budget() -> RulePack {
    let mut rules = rules();
    (rules.gallery.false_match_rate_ppb, rules.gallery.narrow_match_budget_ppm) = (1_000_000, 5_000);
    rules
}

fn digits(people: u64) -> Searched {
    Searched { part: Part::PhoneSuffix, label: Some(HexArray([1; 16])), people }
}

#[test]
fn digits_or_the_passcode_are_asked_when_too_many_would_be_searched() {
    let rules = small_budget();
    let missed = |people, was_ambiguous| Some(Missed { people, was_ambiguous });
    let table = [
        ("nothing is small enough", None, None, Err(Code::PhoneSuffixRequired)),
        ("a whole gallery that is small enough", None, Some(Searched { people: 20, ..EVERYBODY }), Ok(false)),
        ("regulars", None, Some(Searched { people: 5, ..REGULARS }), Ok(false)),
        ("digits, few people", None, Some(digits(20)), Ok(false)),
        ("digits, more people", None, Some(digits(21)), Ok(true)),
        ("both searches together just within the budget", missed(5, false), Some(digits(15)), Ok(false)),
        ("both searches together above it", missed(5, false), Some(digits(16)), Ok(true)),
        ("several people before", missed(2, true), Some(digits(1)), Ok(true)),
        ("without digits again", missed(5, false), Some(REGULARS), Err(Code::PhoneSuffixRequired)),
        ("everybody after a miss", missed(5, false), Some(EVERYBODY), Err(Code::PhoneSuffixRequired)),
        ("no digits after a miss", missed(5, false), None, Err(Code::PhoneSuffixRequired)),
    ];
    for (what, missed, search, expected) in table {
        let created = Payment { missed, ..payment(PaymentStatus::Created) };
        let answer = match created.start_challenge([6; 32], search, &rules, NOW) {
            Ok(Event::Challenged(challenge)) => {
                assert_eq!(challenge.searched, search, "{what}");
                Ok(challenge.passcode_always)
            }
            Ok(other) => panic!("{what}: {other:?}"),
            Err(refusal) => Err(refusal.code),
        };
        assert_eq!(answer, expected, "{what}");
    }
    let checked = Payment { challenge: Some(Challenge { passcode_always: true, ..challenge() }), ..payment(PaymentStatus::BeingChecked) };
    assert_eq!(checked.judge(&Found::Payer(payer()), &rules, NOW), Ok(Event::PasscodeAsked { payer: ALICE }));
}

#[test]
fn only_a_search_without_digits_in_a_part_asks_for_them_afterwards() {
    let rules = rules();
    let refused = |code| Event::Refused { payer: None, code };
    let missed = |was_ambiguous| Event::Missed(Missed { people: 10, was_ambiguous });
    let city = Searched { part: Part::City, ..REGULARS };
    for (searched, nobody, ambiguous) in [
        (EVERYBODY, refused(Code::NotRecognised), refused(Code::Ambiguous)),
        (digits(10), refused(Code::NotRecognised), refused(Code::Ambiguous)),
        (city, missed(false), missed(true)),
        (REGULARS, missed(false), missed(true)),
    ] {
        let checked =
            Payment { challenge: Some(Challenge { searched: Some(searched), ..challenge() }), ..payment(PaymentStatus::BeingChecked) };
        assert_eq!(checked.judge(&Found::Nobody, &rules, NOW), Ok(nobody), "{searched:?}");
        assert_eq!(checked.judge(&Found::Ambiguous, &rules, NOW), Ok(ambiguous), "{searched:?}");
        let unavailable = Found::Failed(Code::PartiesUnavailable);
        assert_eq!(checked.judge(&unavailable, &rules, NOW), Ok(refused(Code::PartiesUnavailable)), "{searched:?}");
        let paid = Event::Paid { payer: ALICE, verified_by: VerifiedBy::Look };
        assert_eq!(checked.judge(&Found::Payer(payer()), &rules, NOW), Ok(paid), "{searched:?}");
    }
}

#[test]
fn after_a_miss_the_same_payment_goes_on_with_the_digits() {
    let rules = rules();
    let narrow = Payment { challenge: Some(Challenge { searched: Some(REGULARS), ..challenge() }), ..payment(PaymentStatus::BeingChecked) };
    let missed = narrow.judge(&Found::Nobody, &rules, NOW).expect("judged");
    let created = narrow.apply(&missed, NOW);
    assert_eq!((created.status, created.missed), (PaymentStatus::Created, Some(Missed { people: 10, was_ambiguous: false })));
    assert_eq!(
        code(created.receive_probe(
            &probe(context(&created)),
            &Sender { terminal: TILL, device_key: &key().verifying_key(), nonce_used: false },
            NOW
        )),
        Some(Code::StateConflict),
        "the old challenge is over"
    );
    let again = created.start_challenge([7; 32], Some(digits(3)), &rules, NOW).expect("with digits");
    let checked = created.apply(&again, NOW).apply(&Event::ProbeReceived, NOW);
    // Whoever is enrolled nowhere is told so now, as without the search before.
    assert_eq!(checked.judge(&Found::Nobody, &rules, NOW), Ok(Event::Refused { payer: None, code: Code::NotRecognised }));
}
