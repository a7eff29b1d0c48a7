//! How often may be asked: by one terminal, for one payee, by all together. Each party counts for itself and keeps its
//! counts on disk, whatever the platform allows.
//!
//! A ladder, not a wall: up to half of a minute's budget nothing happens; from there on each further look waits a little
//! longer, up to [`DELAY_MAX`]; beyond the budget it is refused. So whoever tries one face after the other is slowed down
//! before the till of a busy shop is refused.

use std::time::Duration;

/// What the last look of a minute's budget waits.
pub const DELAY_MAX: Duration = Duration::from_secs(2);
/// A probe that was no template counts as so many.
pub const INVALID_PROBE_WEIGHT: u32 = 20;

/// Identifications that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In any 60 seconds.
    pub per_minute: u32,
    /// In any 24 hours.
    pub per_day: u32,
}

/// The three budgets of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Of each terminal.
    pub terminal: Budget,
    /// Of each payee, whatever terminals it uses.
    pub payee: Budget,
    /// Of all together.
    pub all: Budget,
}

/// Whom a budget is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The terminal that looked.
    Terminal,
    /// The payee that it looked for.
    Payee,
    /// Everybody.
    All,
}

/// Identifications that were asked for already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// In the last 60 seconds.
    pub last_minute: u32,
    /// In the last 24 hours.
    pub last_day: u32,
}

/// What was asked for already, by each whose budget counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pasts {
    /// By this terminal.
    pub terminal: Past,
    /// For this payee.
    pub payee: Past,
    /// By all.
    pub all: Past,
}

impl Budget {
    /// How long the next look waits; `None` if it is refused.
    pub fn judge(&self, past: Past) -> Option<Duration> {
        if past.last_minute >= self.per_minute || past.last_day >= self.per_day {
            return None;
        }
        let free = self.per_minute / 2;
        let steps = past.last_minute.saturating_sub(free);
        Some(DELAY_MAX * steps / (self.per_minute - free))
    }
}

impl Budgets {
    /// How long the next look waits.
    ///
    /// # Errors
    /// Whose budget is used up.
    pub fn judge(&self, pasts: &Pasts) -> Result<Duration, Subject> {
        let of = |budget: &Budget, past, subject| budget.judge(past).ok_or(subject);
        let terminal = of(&self.terminal, pasts.terminal, Subject::Terminal)?;
        let payee = of(&self.payee, pasts.payee, Subject::Payee)?;
        Ok(terminal.max(payee).max(of(&self.all, pasts.all, Subject::All)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(last_minute: u32, last_day: u32) -> Past {
        Past { last_minute, last_day }
    }

    #[test]
    fn a_look_waits_longer_the_nearer_the_budgets_end_is_and_is_refused_beyond() {
        let budget = Budget { per_minute: 20, per_day: 100 };
        for (past, delay) in [
            (past(0, 0), Some(0)),
            (past(10, 99), Some(0)),
            (past(11, 50), Some(200)),
            (past(19, 50), Some(1800)),
            (past(20, 50), None),
            (past(4000, 0), None),
            (past(0, 100), None),
        ] {
            assert_eq!(budget.judge(past).map(|delay| delay.as_millis()), delay, "{past:?}");
        }
        let none = Budget { per_minute: 0, per_day: 0 };
        assert_eq!(none.judge(Past::default()), None);
        assert_eq!(Budget { per_minute: 1, per_day: 1 }.judge(Past::default()), Some(Duration::ZERO));
    }

    #[test]
    fn each_budget_counts_and_the_longest_wait_is_waited() {
        let budgets = Budgets {
            terminal: Budget { per_minute: 4, per_day: 10 },
            payee: Budget { per_minute: 8, per_day: 20 },
            all: Budget { per_minute: 16, per_day: 40 },
        };
        let pasts = |terminal, payee, all| Pasts { terminal: past(terminal, 0), payee: past(payee, 0), all: past(all, 0) };
        assert_eq!(budgets.judge(&pasts(3, 7, 9)), Ok(Duration::from_millis(1500)));
        assert_eq!(budgets.judge(&pasts(0, 0, 12)), Ok(Duration::from_millis(1000)));
        assert_eq!(budgets.judge(&pasts(4, 0, 0)), Err(Subject::Terminal));
        assert_eq!(budgets.judge(&pasts(0, 8, 0)), Err(Subject::Payee));
        assert_eq!(budgets.judge(&pasts(0, 0, 16)), Err(Subject::All));
    }
}
