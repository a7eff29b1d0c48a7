//! The field GF(2^64) = GF(2)[X] / (X^64 + X^4 + X^3 + X + 1), and replicated secret shares over it.
//!
//! Bit i of a word is the coefficient of X^i, so adding is XOR, and 64 shared bits are a shared element without any work.
//! The polynomial is the lexicographically first irreducible one of its degree (G. Seroussi, "Table of low-weight binary
//! irreducible polynomials", HPL-98-135, 1998).
//!
//! Sharing (Araki et al., CCS 2016): `x = x_1 + x_2 + x_3`; party i holds `x_i` (`own`) and `x_{i+1}` (`next`). What is
//! linear over GF(2), such as squaring or picking out bits, is done on each component.
//!
//! Constant time: no branch and no address depends on a value.

use base::party::PartyId;
use zeroize::Zeroize;

use crate::prss::Prss;

/// An element of the field.
#[derive(Clone, Copy, PartialEq, Eq, Default, Zeroize)]
pub struct Gf64(pub u64);

/// One party's share of an element.
#[derive(Clone, Copy, PartialEq, Eq, Default, Zeroize)]
pub struct Shared {
    /// The component with the party's own number.
    pub own: Gf64,
    /// The component with the next party's number.
    pub next: Gf64,
}

impl Gf64 {
    /// The neutral element of addition.
    pub const ZERO: Self = Self(0);
    /// The neutral element of multiplication.
    pub const ONE: Self = Self(1);

    /// The sum, which is the difference too.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// The product.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        let low = product_low(self.0, other.0);
        // Written backwards, the product's highest bits become its lowest.
        let high = product_low(self.0.reverse_bits(), other.0.reverse_bits()).reverse_bits() >> 1;
        Self::reduce((high as u128) << 64 | low as u128)
    }

    /// The product with itself; linear over GF(2).
    #[must_use]
    pub const fn square(self) -> Self {
        self.times(self)
    }

    /// The element that a polynomial of degree below 128 is congruent to.
    #[must_use]
    pub const fn reduce(product: u128) -> Self {
        let (low, high) = (product as u64, (product >> 64) as u64);
        // X^64 = X^4 + X^3 + X + 1. What that carries beyond X^63 a second time has degree 3 at most.
        let high = high ^ high >> 63 ^ high >> 61 ^ high >> 60;
        Self(low ^ high ^ high << 1 ^ high << 3 ^ high << 4)
    }
}

/// The low half of the product of two polynomials over GF(2), by multiplying numbers whose bits stand four apart: the
/// carries of at most 16 ones fall into the gaps, or beyond the highest bit.
const fn product_low(a: u64, b: u64) -> u64 {
    const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;
    let mut product = 0;
    let mut place = 0;
    while place < 4 {
        let mut sum = 0;
        let mut of_a = 0;
        while of_a < 4 {
            let of_b = (4 + place - of_a) % 4;
            sum ^= (a & EVERY_FOURTH << of_a).wrapping_mul(b & EVERY_FOURTH << of_b);
            of_a += 1;
        }
        product |= sum & EVERY_FOURTH << place;
        place += 1;
    }
    product
}

impl Shared {
    /// The share of 0 whose components are all 0.
    pub const ZERO: Self = Self { own: Gf64::ZERO, next: Gf64::ZERO };
    /// Bytes of a share.
    pub const BYTES: usize = 16;

    /// `party`'s share of a public value: component 1 is the value, the others are 0.
    pub const fn public(party: PartyId, value: Gf64) -> Self {
        match party {
            PartyId::P1 => Self { own: value, next: Gf64::ZERO },
            PartyId::P2 => Self::ZERO,
            PartyId::P3 => Self { own: Gf64::ZERO, next: value },
        }
    }

    /// A share of a random element that nobody knows: each component comes from the stream of the two parties that hold it.
    pub fn random(prss: &mut Prss) -> Self {
        let own = prss.with_previous().words(1)[0];
        let next = prss.with_next().words(1)[0];
        Self { own: Gf64(own), next: Gf64(next) }
    }

    /// The sum, which is the difference too.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { own: self.own.plus(other.own), next: self.next.plus(other.next) }
    }

    /// The product with a public element.
    #[must_use]
    pub const fn times(self, factor: Gf64) -> Self {
        Self { own: self.own.times(factor), next: self.next.times(factor) }
    }

    /// The square.
    #[must_use]
    pub const fn square(self) -> Self {
        Self { own: self.own.square(), next: self.next.square() }
    }

    /// Both components changed by `change`, which must be linear over GF(2), or the result is a share of nothing.
    #[must_use]
    pub fn map(self, change: impl Fn(u64) -> u64) -> Self {
        Self { own: Gf64(change(self.own.0)), next: Gf64(change(self.next.0)) }
    }

    /// Bit `at` of the shared word, as a shared 0 or 1.
    #[must_use]
    pub fn bit(self, at: u32) -> Self {
        self.map(|word| word >> at & 1)
    }

    /// This party's additive part of the product: the nine products of components occur once among the three parties.
    #[must_use]
    pub const fn product_part(self, other: Self) -> Gf64 {
        self.own.times(other.own.plus(other.next)).plus(self.next.times(other.own))
    }

    /// The share as bytes: the party's own component, then the next party's.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.own.0.to_le_bytes());
        bytes[8..].copy_from_slice(&self.next.0.to_le_bytes());
        bytes
    }

    /// The share in its bytes; all bytes are one.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let component = |at: usize| Gf64(u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes")));
        Self { own: component(0), next: component(8) }
    }
}

impl std::iter::Sum for Shared {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::ZERO, Self::plus)
    }
}

base::hidden_debug!(Gf64, Shared);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{SeededRng, neighbour_keys};
    use proptest::prelude::*;
    use rand_core::Rng;

    /// The three parties' shares of `value`.
    pub(crate) fn share(value: u64, rng: &mut SeededRng) -> [Shared; 3] {
        let (first, second) = (rng.next_u64(), rng.next_u64());
        let components = [first, second, value ^ first ^ second].map(Gf64);
        PartyId::ALL.map(|party| Shared { own: components[party.index()], next: components[party.next().index()] })
    }

    /// The value of three shares, which must fit together.
    pub(crate) fn value(shares: [Shared; 3]) -> u64 {
        for party in PartyId::ALL {
            assert!(shares[party.index()].next == shares[party.next().index()].own, "the components of {party} differ");
        }
        shares[0].own.0 ^ shares[1].own.0 ^ shares[2].own.0
    }

    /// Multiplying bit by bit and dividing by the polynomial: the definition, not the shortcut.
    fn times_by_definition(a: u64, b: u64) -> u64 {
        const POLYNOMIAL: u128 = 1 << 64 | 0b11011;
        let mut product = (0..64).filter(|bit| b >> bit & 1 == 1).fold(0, |product, bit| product ^ u128::from(a) << bit);
        for bit in (64..128).rev() {
            if product >> bit & 1 == 1 {
                product ^= POLYNOMIAL << (bit - 64);
            }
        }
        product as u64
    }

    fn element() -> impl Strategy<Value = Gf64> {
        let extremes = [0, 1, 2, 3, 1 << 63, u64::MAX, u64::MAX - 1, 0b11011, 0xf << 60, 0x1111_1111_1111_1111, 0x8888_8888_8888_8888];
        prop_oneof![prop::sample::select(extremes.to_vec()), any::<u64>(), (0..64_u32).prop_map(|bit| 1_u64 << bit)].prop_map(Gf64)
    }

    proptest! {
        #[test]
        fn multiplication_is_that_of_polynomials(a in element(), b in element()) {
            prop_assert_eq!(a.times(b).0, times_by_definition(a.0, b.0));
            prop_assert_eq!(a.square().0, times_by_definition(a.0, a.0));
        }

        #[test]
        fn the_axioms_of_a_field_hold(a in element(), b in element(), c in element()) {
            prop_assert!(a.times(b) == b.times(a));
            prop_assert!(a.times(b).times(c) == a.times(b.times(c)));
            prop_assert!(a.times(b.plus(c)) == a.times(b).plus(a.times(c)));
            prop_assert!(a.times(Gf64::ONE) == a);
            prop_assert!(a.plus(a) == Gf64::ZERO);
            // a^(2^64 - 2) = a^2 a^4 ... a^(2^63) is the inverse.
            let (mut inverse, mut power) = (Gf64::ONE, a);
            for _ in 1..64 {
                power = power.square();
                inverse = inverse.times(power);
            }
            prop_assert!(a == Gf64::ZERO || a.times(inverse) == Gf64::ONE);
        }

        #[test]
        fn squaring_is_linear_and_of_order_64(a in element(), b in element()) {
            prop_assert!(a.plus(b).square() == a.square().plus(b.square()));
            prop_assert!((0..64).fold(a, |power, _| power.square()) == a);
        }

        #[test]
        fn shares_calculate_as_their_values_do(a in any::<u64>(), b in any::<u64>(), public in element(), seed in any::<u64>()) {
            let mut rng = SeededRng::new(seed);
            let (x, y) = (share(a, &mut rng), share(b, &mut rng));
            let each = |change: fn(Shared, Shared) -> Shared| [0, 1, 2].map(|party| change(x[party], y[party]));
            prop_assert_eq!(value(x), a);
            prop_assert_eq!(value(each(Shared::plus)), a ^ b);
            prop_assert_eq!(value(x.map(|x| x.times(public))), Gf64(a).times(public).0);
            prop_assert_eq!(value(x.map(Shared::square)), Gf64(a).square().0);
            prop_assert_eq!(value(x.map(|x| x.bit(17))), a >> 17 & 1);
            prop_assert_eq!(value(PartyId::ALL.map(|party| Shared::public(party, public))), public.0);
            let product = (0..3).fold(Gf64::ZERO, |sum, party| sum.plus(x[party].product_part(y[party])));
            prop_assert!(product == Gf64(a).times(Gf64(b)));
            prop_assert!(x.iter().all(|x| Shared::from_bytes(&x.to_bytes()) == *x));
        }
    }

    #[test]
    fn random_shares_fit_together_and_differ() {
        let mut parties = neighbour_keys(3).map(|keys| Prss::new(&keys, b"run", "label", 0));
        let mut values: Vec<u64> = (0..100).map(|_| value(parties.each_mut().map(Shared::random))).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 100);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?} {:?}", Gf64(7), Shared::ZERO), "Gf64[hidden] Shared[hidden]");
    }
}
