//! Who a probe belongs to: the token of the one record that the query matches, or none, or *ambiguous*.
//!
//! Source: R. Bloemen, B. Gillespie, D. Kales, P. Sippl, R. Walch, "Large-scale MPC: scaling private iris code uniqueness
//! checks to millions of users", 2024 (ePrint 2024/705) for the scan on Shamir shares over a Galois ring followed by
//! comparison on replicated shares; the parts are described in their own files.
//!
//! - A run, as each party does it: on lane 0 [`super::agree`] and [`super::probe`]; meanwhile, for each chunk of the gallery,
//!   [`crate::scan`] and then [`super::chunk`] on a lane of its own; when all have ended well, [`super::conclude`] on lane 0.
//!   The resolver puts the three outputs together ([`super::conclude::resolve`]).
//! - Here are the words that all of them use, and the plain twin, [`ideal`].
//! - `docs/protocols/identify.md` says who learns what, what it holds against and why, and the gaps.

use super::compare::MARGIN;
use crate::error::Error;
use crate::share::NORM_SQUARED_MAX;
use crate::token::Token;

/// The lowest threshold: a slot without a record scores 0 and must not be near, whatever truncation does.
pub const THRESHOLD_MIN: i32 = 2 * MARGIN as i32 + 1;

/// The highest threshold. With it no comparison can wrap: see the assertion below.
pub const THRESHOLD_MAX: i32 = 13_600;

// A score lies between -NORM_SQUARED_MAX and NORM_SQUARED_MAX, a threshold between THRESHOLD_MIN and THRESHOLD_MAX.
const _: () = assert!(-NORM_SQUARED_MAX - THRESHOLD_MAX >= i16::MIN as i32);
const _: () = assert!(NORM_SQUARED_MAX - 1 <= i16::MAX as i32);

/// The two scores that decide, in the units of the inner product of two templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    accept: u16,
    ambiguous: u16,
}

/// What the resolver learns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Exactly one record was near, and it was accepted: its token.
    Token(Token),
    /// At most one record was near, and none was accepted.
    None,
    /// More than one record was near.
    Ambiguous,
}

impl Thresholds {
    /// A record is accepted from `accept` on and near from `ambiguous` on.
    ///
    /// # Errors
    /// [`Error::ThresholdsInvalid`] unless `THRESHOLD_MIN <= ambiguous <= accept <= THRESHOLD_MAX`.
    pub fn new(accept: i32, ambiguous: i32) -> Result<Self, Error> {
        if THRESHOLD_MIN <= ambiguous && ambiguous <= accept && accept <= THRESHOLD_MAX {
            Ok(Self { accept: accept as u16, ambiguous: ambiguous as u16 })
        } else {
            Err(Error::ThresholdsInvalid)
        }
    }

    /// From this score on a record is accepted.
    pub fn accept(&self) -> u16 {
        self.accept
    }

    /// From this score on a record is near.
    pub fn ambiguous(&self) -> u16 {
        self.ambiguous
    }
}

base::hidden_debug!(Resolution);

/// What a search must agree with: the same decision, in the clear.
pub mod ideal {
    use super::{Resolution, Thresholds};
    use crate::protocol::compare::MARGIN;
    use crate::protocol::verified::Verification;
    use crate::token::Token;

    /// The inner product of two templates.
    pub fn score(query: &[i16], record: &[i16]) -> i32 {
        query.iter().zip(record).map(|(query, record)| i32::from(*query) * i32::from(*record)).sum()
    }

    /// The decisions that the protocol may come to for records of these scores and tokens: more than one only where a score is
    /// so close to a threshold that truncation decides.
    pub fn decisions(records: &[(i32, Token)], thresholds: Thresholds, verification: Verification) -> Vec<Resolution> {
        let margin = i32::from(MARGIN);
        let (accept, ambiguous) = (i32::from(thresholds.accept()), i32::from(thresholds.ambiguous()));
        // Without verification the score is truncated for acceptance too, and the thresholds' distance rounded up.
        let (surely_accepted, perhaps_accepted) = match verification {
            Verification::On => (accept, accept),
            Verification::Off => (accept + 2 * margin - 1, accept - margin),
        };
        let surely_near = records.iter().filter(|(score, _)| *score >= ambiguous + margin).count();
        let perhaps_near: Vec<_> = records.iter().filter(|(score, _)| *score >= ambiguous - margin).collect();
        let mut decisions = vec![];
        if surely_near == 0 {
            decisions.push(Resolution::None);
        }
        for (score, token) in &perhaps_near {
            let others_surely_near = surely_near - usize::from(*score >= ambiguous + margin);
            if others_surely_near > 0 {
                continue;
            }
            if *score >= perhaps_accepted {
                decisions.push(Resolution::Token(*token));
            }
            if *score < surely_accepted {
                decisions.push(Resolution::None);
            }
        }
        if perhaps_near.len() >= 2 {
            decisions.push(Resolution::Ambiguous);
        }
        decisions
    }
}
