//! Who a probe belongs to: the token of the one record that the query matches, or none, or *ambiguous*.
//!
//! Source: R. Bloemen, B. Gillespie, D. Kales, P. Sippl, R. Walch, "Large-scale MPC: scaling private iris code uniqueness
//! checks to millions of users", 2024 (ePrint 2024/705) for the scan on Shamir shares over a Galois ring followed by
//! comparison on replicated shares; the parts are described in their own files.
//!
//! - In, per party: its share of the query, its shares of N records and of their tokens in an order that all three keep,
//!   and two public thresholds. Out, per party: a [`OutputShare`] for the resolver, and nothing else.
//! - Steps: [`crate::share`] gives additive shares of the scores without a message; [`super::convert`] brings them into
//!   Boolean shares; [`super::compare`] gives `a_j = score_j >= accept` and `b_j = score_j >= ambiguous`, both in the same
//!   rounds; lanes beyond N are set to 0; [`super::unique`] gives `two = at least two b_j`; [`super::select`] gives the
//!   XOR of all `a_j T_j` if not `two`. Since `accept >= ambiguous`, each accepted record is also near, so when `two` is 0
//!   at most one `a_j` is 1.
//! - Rounds: 2 + 15 + (1 + ceil(log2 W) + 6) + 1 with W = ceil(N / 64) words; none if N is 0.
//! - Bytes sent per party, in 8-byte words, beside the conversion's: 30 W + (2 W + 5) + 2. The conversion: 2 N bytes from
//!   party 1, 128 W from party 2, 2 N from party 3. About 6 bytes per record; [`bytes_sent`] has it exactly.
//! - Leaks: to the parties N, the thresholds and the times, which they know anyway. To the resolver the token, none or
//!   ambiguous. Nobody learns a score, an index or a count.
//! - Holds against: one party that follows the protocol and is curious. `docs/protocols/identify.md` names the gaps.

use base::party::PartyId;
use zeroize::Zeroizing;

use super::boolean::Bits;
use super::compare::MARGIN;
use super::{Session, Stage, compare16, convert16, select, unique};
use crate::error::Error;
use crate::share::{NORM_SQUARED_MAX, PreparedQuery};
use crate::token::{Token, TokenShare};

/// The lowest threshold: a slot without a record scores 0 and must not be near, whatever truncation does.
pub const THRESHOLD_MIN: i32 = 2 * MARGIN as i32 + 1;

/// The highest threshold. With it no comparison can wrap: see the assertion below.
pub const THRESHOLD_MAX: i32 = 13_600;

// A score lies between -NORM_SQUARED_MAX and NORM_SQUARED_MAX, a threshold between 1 and THRESHOLD_MAX.
const _: () = assert!(-NORM_SQUARED_MAX - THRESHOLD_MAX >= i16::MIN as i32);
const _: () = assert!(NORM_SQUARED_MAX - 1 <= i16::MAX as i32);

/// The two scores that decide, in the units of the inner product of two templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    accept: u16,
    ambiguous: u16,
}

/// The records that are searched, in an order that is the same at all three parties.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    /// The gallery's matrix, one row of as many shares as the query has features after the other.
    pub shares: &'a [u16],
    /// The rows' token shares.
    pub tokens: &'a [TokenShare],
    /// Which rows are searched, and in which order.
    pub rows: &'a [u32],
}

/// What a party hands to the resolver.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OutputShare {
    /// XOR part of the accepted record's token, or of 0.
    pub token: [u8; 16],
    /// XOR part of "more than one record is near".
    pub ambiguous: bool,
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

/// Runs the protocol as one party; `observe` is called as each stage ends, so that a caller with a clock can measure.
///
/// # Errors
/// Errors of the network. Then nothing was learned by anybody, and the run must not be repeated under the same name.
///
/// # Panics
/// If a row that is searched is not in the matrix, or the matrix has another number of features than the query.
pub fn identify(
    session: &mut Session<'_>,
    query: &PreparedQuery,
    records: Records<'_>,
    thresholds: Thresholds,
    observe: &mut dyn FnMut(Stage),
) -> Result<OutputShare, Error> {
    let scores = scan(query, records);
    observe(Stage::Scan);
    if records.rows.is_empty() {
        return Ok(mask_of_nobody(session));
    }
    let operands = convert16::convert(session, &scores, [thresholds.accept, thresholds.ambiguous])?;
    observe(Stage::Convert);
    let y_twice: Vec<Bits> = operands.y.iter().map(|plane| plane.followed_by(plane)).collect();
    let decisions = compare16::not_negative(session, &operands.x, &y_twice)?;
    let lanes = decisions.len() / 2;
    let accepted = without_spare_lanes(decisions.slice(0, lanes), records.rows.len());
    let near = without_spare_lanes(decisions.slice(lanes, 2 * lanes), records.rows.len());
    observe(Stage::Compare);
    let two = unique::at_least_two(session, &near)?;
    observe(Stage::Unique);
    let tokens = records.rows.iter().map(|row| &records.tokens[*row as usize]);
    let token = select::select(session, &accepted, tokens, &two)?;
    // The parts of `two` come out of an AND and are random already.
    let ambiguous = two.own[0] & 1 == 1;
    observe(Stage::Select);
    Ok(OutputShare { token: token.to_le_bytes(), ambiguous })
}

/// Puts the three parties' output shares together; for the resolver alone.
///
/// # Errors
/// [`Error::ResultInconsistent`] if they say *ambiguous* and hold a token all the same.
pub fn resolve(shares: &[OutputShare; 3]) -> Result<Resolution, Error> {
    let token = shares.iter().fold(0, |token, share| token ^ u128::from_le_bytes(share.token));
    let ambiguous = shares.iter().fold(false, |ambiguous, share| ambiguous ^ share.ambiguous);
    match (ambiguous, token) {
        (true, 0) => Ok(Resolution::Ambiguous),
        (true, _) => Err(Error::ResultInconsistent),
        (false, 0) => Ok(Resolution::None),
        (false, token) => Ok(Resolution::Token(token.to_le_bytes())),
    }
}

/// Bytes that `party` sends in a run over `records` records, to both neighbours together.
pub const fn bytes_sent(party: PartyId, records: usize) -> usize {
    if records == 0 {
        return 0;
    }
    let words = records.div_ceil(64);
    let conversion = match party {
        PartyId::P1 | PartyId::P3 => 2 * records,
        PartyId::P2 => 8 * convert16::SCORE_BITS * words,
    };
    conversion + 8 * (30 * words + (2 * words + 5) + 2)
}

/// Rounds of a run over `records` records: messages that one must wait for before the next can be sent.
pub const fn rounds(records: usize) -> usize {
    if records == 0 {
        return 0;
    }
    let levels = records.div_ceil(64).next_power_of_two().ilog2() as usize;
    2 + 15 + (1 + levels + 6) + 1
}

fn scan(query: &PreparedQuery, records: Records<'_>) -> Zeroizing<Vec<u16>> {
    let width = query.dimensions();
    Zeroizing::new(records.rows.iter().map(|row| query.inner_product(&records.shares[*row as usize * width..][..width])).collect())
}

/// In an empty gallery nobody is found: parts that XOR to nothing, and look like any others.
fn mask_of_nobody(session: &mut Session<'_>) -> OutputShare {
    let words = session.prss.zero_words(3);
    OutputShare { token: (u128::from(words[0]) | u128::from(words[1]) << 64).to_le_bytes(), ambiguous: words[2] & 1 == 1 }
}

/// Sets the lanes behind the last record to 0; they hold decisions about no score.
fn without_spare_lanes(mut bits: Bits, records: usize) -> Bits {
    let used = records % 64;
    if used != 0 {
        let mask = (1_u64 << used) - 1;
        for part in [&mut bits.own, &mut bits.next] {
            *part.last_mut().expect("there is a record") &= mask;
        }
    }
    bits
}

macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "[hidden]"))
            }
        }
    )*};
}
hidden_debug!(OutputShare, Resolution);

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

    /// Who `query` belongs to among `records`.
    pub fn identify<'a>(query: &[i16], records: impl Iterator<Item = (&'a [i16], Token)>, thresholds: Thresholds) -> Resolution {
        let near: Vec<(i32, Token)> = records
            .map(|(record, token)| (score(query, record), token))
            .filter(|(score, _)| *score >= i32::from(thresholds.ambiguous))
            .collect();
        match near[..] {
            [] => Resolution::None,
            [(score, token)] if score >= i32::from(thresholds.accept) => Resolution::Token(token),
            [_] => Resolution::None,
            [_, _, ..] => Resolution::Ambiguous,
        }
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
