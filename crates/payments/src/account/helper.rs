//! Trusted helpers: people whom an owner lets see payments and freeze the account. They never pay, thaw or raise anything.

use base::id::{AccountId, HelperId};
use base::time::Timestamp;
use wire::problem::Code;

use crate::refusal::Refusal;
use crate::rules::RulePack;

const DAY_MS: u64 = 86_400_000;

/// The tie between an owner and a helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helper {
    /// The tie.
    pub id: HelperId,
    /// Whose account.
    pub owner: AccountId,
    /// Who agreed to help.
    pub helper: Option<AccountId>,
    /// When the owner asked.
    pub invited_at: Timestamp,
    /// When the helper agreed.
    pub accepted_at: Option<Timestamp>,
    /// When the helper froze the account last.
    pub froze_at: Option<Timestamp>,
    /// When one of the two ended it.
    pub ended_at: Option<Timestamp>,
}

impl Helper {
    /// Whether it counts: agreed to, or asked a short while ago; and not ended.
    pub fn stands(&self, rules: &RulePack, now: Timestamp) -> bool {
        let waits = now <= self.invited_at.plus_millis(rules.helpers.invitation_days * DAY_MS);
        self.ended_at.is_none() && (self.accepted_at.is_some() || waits)
    }

    /// Whoever was asked agrees: `state_conflict` unless it waits for that, or if it is the owner.
    pub fn accept(self, by: AccountId, rules: &RulePack, now: Timestamp) -> Result<Self, Refusal> {
        if self.accepted_at.is_some() || by == self.owner || !self.stands(rules, now) {
            return Err(Code::StateConflict.into());
        }
        Ok(Self { helper: Some(by), accepted_at: Some(now), ..self })
    }

    /// Whether `account` helps now.
    pub fn is_helped_by(&self, account: AccountId) -> bool {
        self.ended_at.is_none() && self.accepted_at.is_some() && self.helper == Some(account)
    }
}

/// Whether one more may be asked beside `standing` ones: `state_conflict`.
pub fn check_count(standing: usize, rules: &RulePack) -> Result<(), Refusal> {
    if standing < rules.helpers.most as usize { Ok(()) } else { Err(Code::StateConflict.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleBook;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
    const OWNER: AccountId = AccountId::from_bits(1);
    const FRIEND: AccountId = AccountId::from_bits(2);

    fn rules() -> RulePack {
        RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound").in_force(NOW).expect("in force").clone()
    }

    fn asked() -> Helper {
        let id = HelperId::from_bits(1);
        Helper { id, owner: OWNER, helper: None, invited_at: NOW, accepted_at: None, froze_at: None, ended_at: None }
    }

    #[test]
    fn somebody_helps_from_agreeing_until_one_ends_it() {
        let rules = rules();
        let last = NOW.plus_millis(rules.helpers.invitation_days * DAY_MS);
        assert!(!asked().is_helped_by(FRIEND));
        assert_eq!(asked().accept(OWNER, &rules, NOW).map_err(|refusal| refusal.code), Err(Code::StateConflict));
        assert_eq!(asked().accept(FRIEND, &rules, last.plus_millis(1)).map_err(|refusal| refusal.code), Err(Code::StateConflict));
        let agreed = asked().accept(FRIEND, &rules, last).expect("on the last day");
        assert!(agreed.is_helped_by(FRIEND) && !agreed.is_helped_by(OWNER));
        assert!(agreed.stands(&rules, last.plus_millis(400 * DAY_MS)), "it does not run out");
        assert_eq!(agreed.accept(FRIEND, &rules, last).map_err(|refusal| refusal.code), Err(Code::StateConflict));
        let ended = Helper { ended_at: Some(last), ..agreed };
        assert!(!ended.is_helped_by(FRIEND) && !ended.stands(&rules, last));
        assert_eq!(
            Helper { ended_at: Some(NOW), ..asked() }.accept(FRIEND, &rules, NOW).map_err(|refusal| refusal.code),
            Err(Code::StateConflict)
        );
    }

    #[test]
    fn there_are_a_few_at_most() {
        let rules = rules();
        assert!(check_count(rules.helpers.most as usize - 1, &rules).is_ok());
        assert!(check_count(rules.helpers.most as usize, &rules).is_err());
    }
}
