//! The Galois ring GR(2^32, 2) = Z_2^32[w] / (w^2 + w + 1): two 32-bit numbers that multiply like a field of four
//! elements modulo 2, which is just enough to give three parties and the secret a point each.
//!
//! Cutting both coefficients to their low 16 bits respects sums and products, so the same formulas serve GR(2^16, 2), in
//! which the gallery's rows live: calculate here and cut the result.
//!
//! Source: M. Abspoel, R. Cramer, I. Damgård, D. Escudero, C. Yuan, "Efficient information-theoretic secure
//! multiparty computation over Z/p^kZ via Galois rings", TCC 2019. Shamir's scheme needs points whose differences have
//! inverses; Z_2^32 has only two such points, this ring has four: 0, 1, w and 1 + w.

use base::party::PartyId;
use zeroize::Zeroize;

/// The element `c0 + c1 w`; both coefficients modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Zeroize)]
pub struct Element {
    /// The coefficient of 1.
    pub c0: u32,
    /// The coefficient of w.
    pub c1: u32,
}

/// The point of the secret.
pub const ZERO: Element = Element::new(0, 0);
/// The neutral element of multiplication.
pub const ONE: Element = Element::new(1, 0);

/// The point at which `party` holds the polynomial: 1, w and 1 + w.
pub const fn point(party: PartyId) -> Element {
    match party {
        PartyId::P1 => Element::new(1, 0),
        PartyId::P2 => Element::new(0, 1),
        PartyId::P3 => Element::new(1, 1),
    }
}

/// What `party`'s value is multiplied with so that the products of all `present` parties add up to the polynomial's
/// value at 0: the Lagrange coefficient, the product of `x_j / (x_j - x_i)` over the other parties j.
///
/// With all three present it holds for degree 2 and below, with two for degree 1.
pub const fn lagrange_at_zero(party: PartyId, present: &[PartyId]) -> Element {
    let mine = point(party);
    let mut coefficient = ONE;
    let mut at = 0;
    while at < present.len() {
        if present[at].index() != party.index() {
            let other = point(present[at]);
            coefficient = coefficient.times(other).times(other.minus(mine).inverse());
        }
        at += 1;
    }
    coefficient
}

impl Element {
    /// `c0 + c1 w`.
    pub const fn new(c0: u32, c1: u32) -> Self {
        Self { c0, c1 }
    }

    /// The sum.
    pub const fn plus(self, other: Self) -> Self {
        Self::new(self.c0.wrapping_add(other.c0), self.c1.wrapping_add(other.c1))
    }

    /// The difference.
    pub const fn minus(self, other: Self) -> Self {
        Self::new(self.c0.wrapping_sub(other.c0), self.c1.wrapping_sub(other.c1))
    }

    /// The product, with `w^2 = -1 - w`.
    pub const fn times(self, other: Self) -> Self {
        let high = self.c1.wrapping_mul(other.c1);
        let cross = self.c0.wrapping_mul(other.c1).wrapping_add(self.c1.wrapping_mul(other.c0));
        Self::new(self.c0.wrapping_mul(other.c0).wrapping_sub(high), cross.wrapping_sub(high))
    }

    /// The element that gives 1 when multiplied with this one.
    ///
    /// # Panics
    /// If both coefficients are even: such an element has no inverse. Only differences of points are ever inverted.
    pub const fn inverse(self) -> Self {
        assert!(self.c0 & 1 == 1 || self.c1 & 1 == 1, "an element with two even coefficients has no inverse");
        // The conjugate replaces w by w^2 = -1 - w; an element times its conjugate is a number, its norm.
        let conjugate = Self::new(self.c0.wrapping_sub(self.c1), self.c1.wrapping_neg());
        let norm = self.times(conjugate);
        assert!(norm.c1 == 0);
        let inverse_norm = inverse_of_odd(norm.c0);
        conjugate.times(Self::new(inverse_norm, 0))
    }
}

/// The inverse of an odd number modulo 2^32, by Newton's iteration: each step doubles the right low bits, from 3 on.
pub const fn inverse_of_odd(odd: u32) -> u32 {
    assert!(odd & 1 == 1, "an even number has no inverse modulo 2^32");
    let mut inverse = odd;
    let mut right_bits = 3;
    while right_bits < 32 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(inverse)));
        right_bits *= 2;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Polynomials over the integers, multiplied at length and then reduced: the definition, not the shortcut.
    fn times_by_definition(a: Element, b: Element) -> Element {
        let (a0, a1, b0, b1) = (i128::from(a.c0), i128::from(a.c1), i128::from(b.c0), i128::from(b.c1));
        let product = [a0 * b0, a0 * b1 + a1 * b0, a1 * b1];
        // Subtract product[2] * (w^2 + w + 1).
        let reduced = [product[0] - product[2], product[1] - product[2]];
        Element::new(reduced[0].rem_euclid(1 << 32) as u32, reduced[1].rem_euclid(1 << 32) as u32)
    }

    fn element() -> impl Strategy<Value = Element> {
        let coefficient = prop_oneof![Just(0), Just(1), Just(0xffff), Just(0x7fff_ffff), Just(0x8000_0000), Just(u32::MAX), any::<u32>()];
        (coefficient.clone(), coefficient).prop_map(|(c0, c1)| Element::new(c0, c1))
    }

    proptest! {
        #[test]
        fn the_axioms_of_a_commutative_ring_hold(a in element(), b in element(), c in element()) {
            prop_assert_eq!(a.plus(b), b.plus(a));
            prop_assert_eq!(a.plus(b).plus(c), a.plus(b.plus(c)));
            prop_assert_eq!(a.plus(ZERO), a);
            prop_assert_eq!(a.minus(a), ZERO);
            prop_assert_eq!(a.minus(b).plus(b), a);
            prop_assert_eq!(a.times(b), b.times(a));
            prop_assert_eq!(a.times(b).times(c), a.times(b.times(c)));
            prop_assert_eq!(a.times(ONE), a);
            prop_assert_eq!(a.times(b.plus(c)), a.times(b).plus(a.times(c)));
        }

        #[test]
        fn multiplication_is_that_of_polynomials(a in element(), b in element()) {
            prop_assert_eq!(a.times(b), times_by_definition(a, b));
        }

        #[test]
        fn cutting_to_sixteen_bits_respects_sums_and_products(a in element(), b in element(), high in element()) {
            let cut = |x: Element| Element::new(x.c0 & 0xffff, x.c1 & 0xffff);
            let other = a.plus(high.times(Element::new(1 << 16, 0)));
            prop_assert_eq!(cut(a.plus(b)), cut(other.plus(b)));
            prop_assert_eq!(cut(a.times(b)), cut(other.times(b)));
        }

        #[test]
        fn a_unit_times_its_inverse_is_one(a in element()) {
            prop_assume!(a.c0 & 1 == 1 || a.c1 & 1 == 1);
            prop_assert_eq!(a.times(a.inverse()), ONE);
        }

        #[test]
        fn three_points_give_back_a_polynomial_of_degree_two(s in element(), r in element(), q in element()) {
            let value_at = |x: Element| s.plus(r.times(x)).plus(q.times(x).times(x));
            let sum = PartyId::ALL.iter().fold(ZERO, |sum, party| {
                sum.plus(lagrange_at_zero(*party, &PartyId::ALL).times(value_at(point(*party))))
            });
            prop_assert_eq!(sum, s);
        }

        #[test]
        fn two_points_give_back_a_polynomial_of_degree_one(s in element(), r in element(), without in 0..3_usize) {
            let present: Vec<PartyId> = PartyId::ALL.into_iter().filter(|party| party.index() != without).collect();
            let sum = present.iter().fold(ZERO, |sum, party| {
                sum.plus(lagrange_at_zero(*party, &present).times(s.plus(r.times(point(*party)))))
            });
            prop_assert_eq!(sum, s);
        }
    }

    #[test]
    fn every_pair_of_small_and_extreme_elements_multiplies_as_polynomials_do() {
        let coefficients = [0, 1, 2, 3, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff];
        let elements = || coefficients.iter().flat_map(|c0| coefficients.map(|c1| Element::new(*c0, c1)));
        for a in elements() {
            for b in elements() {
                assert_eq!(a.times(b), times_by_definition(a, b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn odd_numbers_have_their_inverse() {
        for low in (1..=0xffff).step_by(2) {
            for high in [0, 1, 0x5a5a, 0x7fff, 0x8000, 0xffff] {
                let odd: u32 = high << 16 | low;
                assert_eq!(odd.wrapping_mul(inverse_of_odd(odd)), 1);
            }
        }
    }
}
