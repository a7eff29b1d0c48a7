//! A refusal: an expected outcome that is not success.

use wire::problem::{Code, Problem};

/// Why something was not done. Nothing was charged because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", code.name())]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// The field of the request at fault, where there is one.
    pub field: Option<&'static str>,
    /// Passcode tries that are left, for a wrong passcode.
    pub attempts_left: Option<u32>,
}

impl Refusal {
    /// A refusal because of one field of the request.
    pub const fn of_field(code: Code, field: &'static str) -> Self {
        Self { code, field: Some(field), attempts_left: None }
    }

    /// The problem document that says so.
    pub fn problem(&self) -> Problem {
        let mut problem = Problem::of(self.code);
        problem.field = self.field.map(str::to_owned);
        problem.attempts_left = self.attempts_left;
        problem
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, field: None, attempts_left: None }
    }
}
