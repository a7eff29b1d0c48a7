//! A merchant's staff: what each role may do, and how far it may refund alone.

use wire::problem::Code;
use wire::shop::{Action, Role};

use crate::refusal::Refusal;

/// All roles.
pub const ROLES: [Role; 4] = [Role::Owner, Role::Manager, Role::Cashier, Role::Accountant];

/// All actions.
pub const ACTIONS: [Action; 13] = [
    Action::ReadPayments,
    Action::Refund,
    Action::ApproveRefunds,
    Action::ReadFigures,
    Action::ReadDisputes,
    Action::AnswerDisputes,
    Action::ReadTills,
    Action::ManageTills,
    Action::ReadPayouts,
    Action::ChangeBankAccount,
    Action::ManageKeys,
    Action::ManageStaff,
    Action::ManageShop,
];

/// How long an invitation is open, in milliseconds.
pub const INVITATION_MS: u64 = 3 * 86_400_000;

/// Longest name of a person in characters.
const NAME_CHARS_MAX: usize = 64;

/// Refunded of one payment by a cashier alone, in minor units, where the head office says nothing.
const REFUND_PAYMENT_MAX_MINOR: i64 = 20_000;
/// Refunded on a day by one cashier alone, in minor units, where the head office says nothing.
const REFUND_DAY_MAX_MINOR: i64 = 100_000;

/// The stable name of a role, as in the API.
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Manager => "manager",
        Role::Cashier => "cashier",
        Role::Accountant => "accountant",
    }
}

/// The one table of who may do what.
pub const fn may(role: Role, action: Action) -> bool {
    use Action::*;
    match role {
        Role::Owner => true,
        Role::Manager => {
            matches!(action, ReadPayments | Refund | ApproveRefunds | ReadFigures | ReadDisputes | AnswerDisputes | ReadTills | ManageTills)
        }
        Role::Cashier => matches!(action, ReadPayments | Refund | ReadTills),
        Role::Accountant => matches!(action, ReadPayments | ReadFigures | ReadDisputes | ReadTills | ReadPayouts),
    }
}

/// `forbidden` unless `role` may do `action`.
pub fn check(role: Role, action: Action) -> Result<(), Refusal> {
    if may(role, action) { Ok(()) } else { Err(Code::Forbidden.into()) }
}

/// `invalid_request` unless this can be a person's name.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    crate::shop::check_text(name, NAME_CHARS_MAX, "name")
}

/// Who refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunder {
    /// A member of the staff, in the console.
    Staff(Role),
    /// A till: whoever stands there.
    Till,
}

/// How far refunds go without somebody who may approve them, as the head office says; in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefundLimits {
    /// Of one payment, all refunds together.
    pub payment_max_minor: Option<i64>,
    /// On one day, by one person or till.
    pub day_max_minor: Option<i64>,
}

/// What was refunded so far, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refunded {
    /// Of this payment, by anybody.
    pub payment_minor: i64,
    /// Today, by whoever refunds now.
    pub day_minor: i64,
}

/// Whether `amount_minor` more may be refunded without approval; else `refund_needs_approval`. Many small ones count
/// together, of a payment and of a day. A till has limits only where the head office sets some; a cashier in the console always.
pub fn check_refund(who: Refunder, limits: RefundLimits, so_far: Refunded, amount_minor: i64) -> Result<(), Refusal> {
    let (payment_max, day_max) = match who {
        Refunder::Staff(role) if may(role, Action::ApproveRefunds) => return Ok(()),
        Refunder::Staff(_) => {
            (Some(limits.payment_max_minor.unwrap_or(REFUND_PAYMENT_MAX_MINOR)), Some(limits.day_max_minor.unwrap_or(REFUND_DAY_MAX_MINOR)))
        }
        Refunder::Till => (limits.payment_max_minor, limits.day_max_minor),
    };
    let is_above = |max: Option<i64>, so_far: i64| max.is_some_and(|max| so_far.saturating_add(amount_minor) > max);
    let needs_approval = is_above(payment_max, so_far.payment_minor) || is_above(day_max, so_far.day_minor);
    if needs_approval { Err(Code::RefundNeedsApproval.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Accountant, Cashier, Manager, Owner};

    /// The table again, in other words: each action with all who may.
    #[test]
    fn every_role_may_exactly_what_it_should() {
        let expected: [(Action, &[Role]); 13] = [
            (Action::ReadPayments, &[Owner, Manager, Cashier, Accountant]),
            (Action::Refund, &[Owner, Manager, Cashier]),
            (Action::ApproveRefunds, &[Owner, Manager]),
            (Action::ReadFigures, &[Owner, Manager, Accountant]),
            (Action::ReadDisputes, &[Owner, Manager, Accountant]),
            (Action::AnswerDisputes, &[Owner, Manager]),
            (Action::ReadTills, &[Owner, Manager, Cashier, Accountant]),
            (Action::ManageTills, &[Owner, Manager]),
            (Action::ReadPayouts, &[Owner, Accountant]),
            (Action::ChangeBankAccount, &[Owner]),
            (Action::ManageKeys, &[Owner]),
            (Action::ManageStaff, &[Owner]),
            (Action::ManageShop, &[Owner]),
        ];
        assert_eq!(expected.map(|(action, _)| action), ACTIONS);
        for (action, who) in expected {
            for role in ROLES {
                assert_eq!(may(role, action), who.contains(&role), "{role:?} {action:?}");
                assert_eq!(check(role, action).is_ok(), who.contains(&role));
            }
        }
    }

    #[test]
    fn t29_a_cashier_refunds_little_alone_also_in_pieces() {
        let limits = RefundLimits { payment_max_minor: Some(10_000), day_max_minor: Some(25_000) };
        let so_far = |payment_minor, day_minor| Refunded { payment_minor, day_minor };
        let cashier = Refunder::Staff(Cashier);
        for (who, limits, so_far, amount_minor, alone) in [
            (cashier, limits, so_far(0, 0), 10_000, true),
            (cashier, limits, so_far(0, 0), 10_001, false),
            (cashier, limits, so_far(9_999, 0), 2, false),
            (cashier, limits, so_far(0, 20_000), 5_001, false),
            (cashier, limits, so_far(0, 0), i64::MAX, false),
            (cashier, RefundLimits::default(), so_far(0, 0), 20_000, true),
            (cashier, RefundLimits::default(), so_far(0, 0), 20_001, false),
            (cashier, RefundLimits::default(), so_far(0, 90_000), 10_001, false),
            (Refunder::Till, limits, so_far(0, 0), 10_001, false),
            (Refunder::Till, RefundLimits::default(), so_far(0, 0), i64::MAX, true),
            (Refunder::Staff(Manager), limits, so_far(9_000, 24_000), 1_000_000, true),
            (Refunder::Staff(Owner), limits, so_far(0, 0), i64::MAX, true),
        ] {
            assert_eq!(check_refund(who, limits, so_far, amount_minor).is_ok(), alone, "{who:?} {so_far:?} {amount_minor}");
        }
    }
}
