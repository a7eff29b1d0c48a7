//! Calculating over GF(2^64) on replicated shares so that a party that adds an error anywhere is noticed.
//!
//! Source: K. Chida, D. Genkin, K. Hamada, D. Ikarashi, R. Kikuchi, Y. Lindell, A. Nof, "Fast large-scale honest-majority MPC
//! for malicious adversaries", CRYPTO 2018 (protocol 5.3), with the multiplication of Araki et al., CCS 2016. The field has
//! 2^64 elements, so that one key suffices.
//!
//! - Algebra: a key `k` that nobody knows. Each input and each product `x` carries its MAC, a share of `k x`. For a product
//!   `z = x y` with x authenticated, both `x y` and `(k x) y` are multiplied; the product so carries its MAC. A party can
//!   change a product only by adding an error that it knows ([`reshare`]): then value and MAC no longer fit.
//! - Check: open k and a challenge; with random coefficients `T = sum c_i (k x_i) - k sum c_i x_i`, plus the sum of what was
//!   claimed to be zero; multiply T by an element that nobody knows; open; it must be 0. T itself is never opened: it could
//!   be the product of a cheat's error with a secret.
//! - Opening ([`open`]): each component is held by two parties. Both send it to the third, which compares. One party can
//!   therefore make an opening fail but not change it, and no commitments are needed. Taking the component from one
//!   neighbour only would be the semi-honest opening that broke the check in private-attribution/ipa (issue 1204).
//! - The challenge is such an opening too: of elements whose components come from the pairwise streams. No party knows, or
//!   chooses, the third component; and both others hold the same one.
//! - Rounds: 1 per layer of products, 3 for the check. Bytes: 16 sent per product and party, 8 per input, [`CHECK_BYTES`] for the check.
//! - Leaks: nothing on honest runs but the challenge, the key after its use, and 0. On a cheat: that it was noticed.
//! - Soundness: 2^-62 for a check, see `docs/protocols/verified.md`.
//! - Switched off, nothing is authenticated nor checked, and products cost half.

use base::party::PartyId;
use zeroize::{Zeroize, Zeroizing};

use super::{Session, bytes_to_words, words_to_bytes};
use crate::error::Error;
use crate::field::{Gf64, Shared};
use crate::kernel::Kernel;
use crate::network::Neighbour;
use crate::prss::Stream;

/// Bytes that a party sends in [`Circuit::check`]: three elements opened, two products, two elements opened.
pub const CHECK_BYTES: usize = 16 * 3 + 8 * 2 + 16 * 2;

/// Whether a party that does not follow the protocol is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It is.
    On,
    /// It is not: all three are trusted to follow the protocol. For measuring what the checks cost.
    Off,
}

/// Values in the making, and what has to be checked before any of them is used.
pub struct Circuit {
    /// `None` if switched off.
    key: Option<Shared>,
    wires: Zeroizing<Vec<Wire>>,
    zeros: Zeroizing<Vec<Shared>>,
    scores_zeros: Zeroizing<Vec<Shared>>,
}

/// A share of a value with its MAC.
#[derive(Clone, Copy, Default, Zeroize)]
pub struct Wire {
    /// x.
    pub value: Shared,
    /// k x.
    mac: Shared,
}

impl Wire {
    /// The sum, which is the difference too.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { value: self.value.plus(other.value), mac: self.mac.plus(other.mac) }
    }

    /// The product with a public element.
    #[must_use]
    pub fn times(self, factor: Gf64) -> Self {
        Self { value: self.value.times(factor), mac: self.mac.times(factor) }
    }
}

impl Circuit {
    /// An empty circuit with a key of its own.
    pub fn new(session: &mut Session<'_>, verification: Verification) -> Self {
        let key = match verification {
            Verification::On => Some(Shared::random(&mut session.prss)),
            Verification::Off => None,
        };
        let empty = || Zeroizing::new(vec![]);
        Self { key, wires: Zeroizing::new(vec![]), zeros: empty(), scores_zeros: empty() }
    }

    /// Whether anything is checked.
    pub fn is_checked(&self) -> bool {
        self.key.is_some()
    }

    /// The wire of a public value.
    pub fn public(&self, party: PartyId, value: Gf64) -> Wire {
        let mac = self.key.map_or(Shared::ZERO, |key| key.times(value));
        Wire { value: Shared::public(party, value), mac }
    }

    /// This party's additive parts of the MACs of `values`, to be reshared with other parts in one message and then given
    /// to [`Circuit::authenticated`]. None if switched off.
    pub fn mac_parts<'c>(&'c self, values: &'c [Shared]) -> impl Iterator<Item = Gf64> + 'c {
        self.key.iter().flat_map(move |key| values.iter().map(|value| value.product_part(*key)))
    }

    /// The wires of `values` with their `macs`.
    pub fn authenticated(&mut self, values: &[Shared], macs: &[Shared]) -> Vec<Wire> {
        let mac = |at: usize| if self.is_checked() { macs[at] } else { Shared::ZERO };
        let wires: Vec<Wire> = values.iter().enumerate().map(|(at, value)| Wire { value: *value, mac: mac(at) }).collect();
        self.wires.extend_from_slice(&wires);
        wires
    }

    /// Authenticates `values`. One round, 8 bytes each; neither if switched off.
    ///
    /// # Errors
    /// Errors of the network.
    pub fn inputs(&mut self, session: &mut Session<'_>, values: &[Shared]) -> Result<Vec<Wire>, Error> {
        let macs = match self.is_checked() {
            true => reshare(session, self.mac_parts(values).collect())?,
            false => Zeroizing::new(vec![]),
        };
        Ok(self.authenticated(values, &macs))
    }

    /// The products of the pairs. One round, 16 bytes each.
    ///
    /// # Errors
    /// Errors of the network.
    pub fn products(&mut self, session: &mut Session<'_>, pairs: &[(Wire, Shared)]) -> Result<Vec<Wire>, Error> {
        let terms: Vec<(&[Wire], &[Shared])> = pairs.iter().map(|(x, y)| (std::slice::from_ref(x), std::slice::from_ref(y))).collect();
        self.dots(session, &terms)
    }

    /// The inner products of the pairs of equally long lists, as cheap to send as a product each.
    ///
    /// # Errors
    /// Errors of the network.
    pub fn dots(&mut self, session: &mut Session<'_>, pairs: &[(&[Wire], &[Shared])]) -> Result<Vec<Wire>, Error> {
        let kernel = Kernel::best();
        let dot = |which: fn(&Wire) -> Shared| {
            pairs.iter().map(move |(x, y)| {
                assert_eq!(x.len(), y.len());
                let x = |component: fn(Shared) -> Gf64| Zeroizing::new(x.iter().map(|x| component(which(x)).0).collect::<Vec<u64>>());
                let y = |component: fn(&Shared) -> Gf64| Zeroizing::new(y.iter().map(|y| component(y).0).collect::<Vec<u64>>());
                let first = kernel.dot(&x(|x| x.own), &y(|y| y.own.plus(y.next)));
                Gf64::reduce(first ^ kernel.dot(&x(|x| x.next), &y(|y| y.own)))
            })
        };
        let mut parts: Vec<Gf64> = dot(|x| x.value).collect();
        if self.is_checked() {
            parts.extend(dot(|x| x.mac));
        }
        let shares = reshare(session, parts)?;
        let (values, macs) = shares.split_at(pairs.len());
        Ok(self.authenticated(values, macs))
    }

    /// Claims that `value` is zero; the check fails with [`Error::CheckFailed`] if it is not.
    pub fn assert_zero(&mut self, value: Shared) {
        self.zeros.push(value);
    }

    /// The same, but the check then fails with [`Error::MacMismatch`].
    pub fn assert_scores_zero(&mut self, value: Shared) {
        self.scores_zeros.push(value);
    }

    /// Checks everything. Nothing that depends on the circuit may be opened before.
    ///
    /// # Errors
    /// [`Error::MacMismatch`], [`Error::CheckFailed`], [`Error::ResultInconsistent`], errors of the network.
    pub fn check(self, session: &mut Session<'_>) -> Result<(), Error> {
        self.check_by(session, open)
    }

    fn check_by(
        self,
        session: &mut Session<'_>,
        open: impl Fn(&mut Session<'_>, &[Shared]) -> Result<Vec<Gf64>, Error>,
    ) -> Result<(), Error> {
        let Some(key) = self.key else { return Ok(()) };
        let seed = [(); 2].map(|()| Shared::random(&mut session.prss));
        let opened = open(session, &[seed[0], seed[1], key])?;
        let mut challenge = challenge_of([opened[0], opened[1]]);
        let key = opened[2];
        let sum = weighted(self.wires.iter().map(|wire| wire.mac.plus(wire.value.times(key))), &mut challenge);
        let differences =
            [sum.plus(weighted(self.zeros.iter().copied(), &mut challenge)), weighted(self.scores_zeros.iter().copied(), &mut challenge)];
        let masks = [(); 2].map(|()| Shared::random(&mut session.prss));
        let masked = reshare(session, differences.iter().zip(&masks).map(|(difference, mask)| difference.product_part(*mask)).collect())?;
        match open(session, &masked)?[..] {
            [Gf64::ZERO, Gf64::ZERO] => Ok(()),
            [_, Gf64::ZERO] => Err(Error::CheckFailed),
            _ => Err(Error::MacMismatch),
        }
    }
}

/// A list of shares, wiped when dropped.
pub type Shares = Zeroizing<Vec<Shared>>;

/// A list of words, wiped when dropped.
pub type Words = Zeroizing<Vec<u64>>;

/// Replicated shares of the sums of the three parties' `parts`, each masked first. One round, 8 bytes each.
///
/// Whatever a party sends becomes its component, which the party before it holds too: the shares always fit together, and
/// all that a party can do is to add an error that it chooses without knowing the sum.
///
/// # Errors
/// Errors of the network.
pub fn reshare(session: &mut Session<'_>, parts: Vec<Gf64>) -> Result<Shares, Error> {
    Ok(reshare_along(session, parts, &[], 0)?.0)
}

/// As [`reshare`], with words `along` for the previous party in the same message; `expected` come from the next one.
///
/// # Errors
/// Errors of the network.
pub fn reshare_along(session: &mut Session<'_>, parts: Vec<Gf64>, along: &[u64], expected: usize) -> Result<(Shares, Words), Error> {
    let mut own = session.prss.zero_words(parts.len());
    own.iter_mut().zip(Zeroizing::new(parts).iter()).for_each(|(mask, part)| *mask ^= part.0);
    #[cfg(test)]
    lie::tell(&mut own);
    session.send(Neighbour::Previous, words_to_bytes(&[&own[..], along].concat()))?;
    let mut next = Zeroizing::new(bytes_to_words(&session.receive(Neighbour::Next, 8 * (own.len() + expected))?));
    let came_along = Zeroizing::new(next.split_off(own.len()));
    Ok((Zeroizing::new(own.iter().zip(next.iter()).map(|(own, next)| Shared { own: Gf64(*own), next: Gf64(*next) }).collect()), came_along))
}

/// The values of `shares`, to all three parties. One round, 16 bytes each.
///
/// # Errors
/// [`Error::ResultInconsistent`] if the neighbours do not send the same component; errors of the network.
pub fn open(session: &mut Session<'_>, shares: &[Shared]) -> Result<Vec<Gf64>, Error> {
    let bytes = |component: fn(&Shared) -> u64| words_to_bytes(&shares.iter().map(component).collect::<Vec<u64>>());
    // The component that a party lacks is the previous party's own and the next party's next.
    session.send(Neighbour::Next, bytes(|share| share.own.0))?;
    session.send(Neighbour::Previous, bytes(|share| share.next.0))?;
    let missing = session.receive(Neighbour::Previous, 8 * shares.len())?;
    let again = session.receive(Neighbour::Next, 8 * shares.len())?;
    if missing != again {
        return Err(Error::ResultInconsistent);
    }
    let missing = bytes_to_words(&missing);
    Ok(shares.iter().zip(missing).map(|(share, missing)| share.own.plus(share.next).plus(Gf64(missing))).collect())
}

/// The sum of the shares, each times the next element of `challenge`.
fn weighted(shares: impl ExactSizeIterator<Item = Shared>, challenge: &mut Stream) -> Shared {
    let coefficients = challenge.words(shares.len());
    shares.zip(coefficients.iter()).map(|(share, coefficient)| share.times(Gf64(*coefficient))).sum()
}

/// The random coefficients that the opened elements stand for.
fn challenge_of(seed: [Gf64; 2]) -> Stream {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed[0].0.to_le_bytes());
    key[8..16].copy_from_slice(&seed[1].0.to_le_bytes());
    Stream::new(&key, b"", &[b"handsel/check/v1"])
}

base::hidden_debug!(Wire);

/// The strongest cheat there is with a product: a party adds an error to what it reshares, and goes on with it.
#[cfg(test)]
pub(crate) mod lie {
    use std::cell::Cell;

    /// Which word of which message is altered.
    #[derive(Clone, Copy)]
    pub(crate) struct Lie {
        /// How many messages go before it.
        pub(crate) message: usize,
        /// The word of the message.
        pub(crate) word: usize,
    }

    thread_local!(static LIE: Cell<Option<Lie>> = const { Cell::new(None) });

    /// Makes the party that runs in this thread tell `lie`, if it is given one.
    pub(crate) fn plan(lie: Option<Lie>) {
        LIE.set(lie);
    }

    /// Whether the lie has been told.
    pub(crate) fn is_told() -> bool {
        LIE.get().is_none()
    }

    pub(super) fn tell(words: &mut [u64]) {
        match LIE.get() {
            Some(Lie { message: 0, word }) => {
                words[word] ^= 0x0101;
                LIE.set(None);
            }
            Some(Lie { message, word }) => LIE.set(Some(Lie { message: message - 1, word })),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
