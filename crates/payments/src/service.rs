//! Customer service: what a reference is, what of a case is shown, and how much one clerk may look up. Clerks freeze; nobody of them
//! thaws, pays, disputes or raises anything.

use base::id::{DisputeId, EnrolmentId, PaymentId, RefundId};
use base::time::Timestamp;
use wire::problem::Code;
use wire::service::{AccountState, FreezeReason, ServiceAct};

use crate::account::Payer;
use crate::refusal::Refusal;
use crate::rules::RulePack;

/// Over how long look-ups are counted, in milliseconds.
pub const HOUR_MS: u64 = 3_600_000;

/// All reasons for freezing.
pub const REASONS: [FreezeReason; 4] =
    [FreezeReason::CallerAsked, FreezeReason::PhoneLost, FreezeReason::NotTheirPayment, FreezeReason::MisuseSuspected];

/// All that the log has lines about.
pub const ACTS: [ServiceAct; 2] = [ServiceAct::LookUp, ServiceAct::Freeze];

/// The stable name of a reason, as in the API.
pub const fn reason_name(reason: FreezeReason) -> &'static str {
    match reason {
        FreezeReason::CallerAsked => "caller_asked",
        FreezeReason::PhoneLost => "phone_lost",
        FreezeReason::NotTheirPayment => "not_their_payment",
        FreezeReason::MisuseSuspected => "misuse_suspected",
    }
}

/// The stable name of what a line is about, as in the API.
pub const fn act_name(act: ServiceAct) -> &'static str {
    match act {
        ServiceAct::LookUp => "look_up",
        ServiceAct::Freeze => "freeze",
    }
}

/// What a case can be found by. Each has 80 random bits that only its own people were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A payment, as its receipt has it.
    Payment(PaymentId),
    /// A refund.
    Refund(RefundId),
    /// A dispute.
    Dispute(DisputeId),
    /// An enrolment, as the receipt of its deletion has it.
    Enrolment(EnrolmentId),
}

impl Reference {
    /// The reference that somebody read out: in any case, with or without blanks, with O for 0 and I or L for 1. `None` for
    /// whatever is none, such as a name or a phone number.
    pub fn parse(typed: &str) -> Option<Self> {
        let text: String = typed.chars().filter(|letter| !letter.is_whitespace()).map(|letter| letter.to_ascii_lowercase()).collect();
        let (kind, letters) = text.split_once('_')?;
        let letters: String = letters
            .chars()
            .map(|letter| match letter {
                'o' => '0',
                'i' | 'l' => '1',
                letter => letter,
            })
            .collect();
        let id = format!("{kind}_{letters}");
        match kind {
            "pay" => id.parse().ok().map(Self::Payment),
            "re" => id.parse().ok().map(Self::Refund),
            "dp" => id.parse().ok().map(Self::Dispute),
            "enr" => id.parse().ok().map(Self::Enrolment),
            _ => None,
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Payment(id) => id.fmt(f),
            Self::Refund(id) => id.fmt(f),
            Self::Dispute(id) => id.fmt(f),
            Self::Enrolment(id) => id.fmt(f),
        }
    }
}

/// Whether one more case may be looked up after `so_far` in the last hour: `look_ups_spent`.
pub fn check_look_ups(so_far: u32, rules: &RulePack) -> Result<(), Refusal> {
    if so_far < rules.service.look_ups_per_hour_max { Ok(()) } else { Err(Code::LookUpsSpent.into()) }
}

/// Until when a case that was looked up at `at` may be acted on.
pub fn open_until(at: Timestamp, rules: &RulePack) -> Timestamp {
    at.plus_millis(rules.service.case_open_s * 1_000)
}

/// The first character of a name, and nothing about how long the rest is.
pub fn mask_name(name: &str) -> String {
    name.trim().chars().take(1).chain("**".chars()).collect()
}

/// Where the account stands; of several, what stops most.
pub fn account_state(payer: &Payer) -> AccountState {
    match payer {
        Payer { closed: true, .. } => AccountState::Closed,
        Payer { frozen: true, .. } => AccountState::Frozen,
        Payer { paused: true, .. } => AccountState::Paused,
        _ => AccountState::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleBook;

    #[test]
    fn a_reference_is_the_same_however_it_is_read_out_and_nothing_else_is_one() {
        let payment = PaymentId::from_bits(0x0193_0000_1111_2222_3333_4444_5555_6666);
        let text = payment.to_string();
        let misheard = text.to_uppercase().replace('0', "O").replace('1', "l");
        for typed in [&text, &misheard, &format!(" {} {} ", &text[..9], &text[9..])] {
            assert_eq!(Reference::parse(typed), Some(Reference::Payment(payment)), "{typed}");
        }
        for id in [DisputeId::from_bits(7).to_string(), RefundId::from_bits(8).to_string(), EnrolmentId::from_bits(9).to_string()] {
            assert_eq!(Reference::parse(&id).expect("a reference").to_string(), id);
        }
        for typed in [
            "",
            "Alice",
            "13800000001",
            "100.00",
            "acc_00000000000000000000000001",
            "mer_00000000000000000000000001",
            &text[..29],
            "pay_",
            "_",
        ] {
            assert_eq!(Reference::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn names_keep_their_first_character_only() {
        for (name, masked) in [("Alice", "A**"), ("王小明", "王**"), (" Bo", "B**"), ("É", "É**"), ("", "**")] {
            assert_eq!(mask_name(name), masked);
        }
    }

    #[test]
    fn a_clerk_looks_up_so_many_and_no_more() {
        let now = Timestamp::from_millis(1_795_000_000_000);
        let rules = RuleBook::parse(include_str!("../../../rules/cn.toml")).expect("sound").in_force(now).expect("in force").clone();
        let max = rules.service.look_ups_per_hour_max;
        assert!(check_look_ups(max - 1, &rules).is_ok());
        assert_eq!(check_look_ups(max, &rules).map_err(|refusal| refusal.code), Err(Code::LookUpsSpent));
    }
}

#[cfg(test)]
mod never_panics {
    use proptest::prelude::*;

    use super::Reference;

    proptest! {
        #[test]
        fn whatever_is_typed_is_a_reference_or_none(typed in ".{0,80}") {
            if let Some(reference) = Reference::parse(&typed) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Some(reference));
            }
        }
    }
}
