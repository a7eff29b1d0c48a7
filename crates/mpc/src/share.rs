//! Splitting a template into three Shamir shares, one for each party, and the inner product on shares.
//!
//! A template is D signed features, D even, at most 1,024. Two features `(a, b)` are packed into one ring element
//! `a + b v`, each element `s` gets its own line `f(X) = s + r X` with a fresh random `r`, and a party holds `f` at its
//! point: as many 16-bit numbers as the template has features. One share is uniformly random and says nothing; two give
//! the template back.
//!
//! **The basis.** `v = S (w - 2)` with `S^2 = -1/7` modulo 2^16, and `phi(c0 + c1 w) = c0 + 2 c1`. Then
//! `phi(1) = phi(v^2) = 1` and `phi(v) = 0`, hence `phi((a + b v) (c + d v)) = a c + b d`: the inner product of two packed
//! templates is `phi` of the sum of the elements' products. The same share serves as a record and as a query, which the
//! basis `{1, w}` of `matching.md` does not give (there a query's second features must be negated before sharing).
//!
//! **A party's work.** The product of two lines has degree 2 and three points give it back, so
//! `score = phi(sum_i lambda_i q_i t_i) = sum_i phi((lambda_i q_i) t_i)`. With `h = lambda_i q_i`,
//! `phi(h t) = (h0 + 2 h1) t0 + (2 h0 - 3 h1) t1`: the query is brought into that form once
//! ([`TemplateShare::prepare_query`]), after which a record costs one inner product of 16-bit numbers.

use base::party::PartyId;
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::Error;
use crate::ring::{Element, ZERO, inverse_of_odd, lagrange_at_zero, point};

/// The most features that a template may have.
pub const DIMENSIONS_MAX: usize = 1024;

/// The largest squared norm of a template, and by Cauchy and Schwarz the largest score either way: a unit vector of 128
/// features times 127, each rounded by at most 1/2, is at most 127 + sqrt(128) / 2 = 132.66 long.
pub const NORM_SQUARED_MAX: i32 = 17_598;

/// A square root of -1/7 modulo 2^16; it makes the basis `{1, v}` orthonormal under `phi`.
const S: u16 = square_root_of_minus_one_seventh();

const fn square_root_of_minus_one_seventh() -> u16 {
    let mut root: u16 = 1;
    while root.wrapping_mul(root).wrapping_mul(7_u16.wrapping_neg()) != 1 {
        root += 2;
    }
    root
}

/// One party's share of one template: a record's or a probe's.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TemplateShare(Vec<u16>);

/// A query share times its Lagrange coefficient, laid out for [`inner_product`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PreparedQuery(Vec<u16>);

/// Splits `features` into the shares of parties 1, 2 and 3, with randomness from `rng`.
///
/// # Errors
/// [`Error::DimensionsInvalid`], [`Error::NormTooLarge`].
pub fn share_template(features: &[i16], rng: &mut dyn CryptoRng) -> Result<[TemplateShare; 3], Error> {
    check_dimensions(features.len())?;
    let norm_squared: i64 = features.iter().map(|feature| i64::from(*feature).pow(2)).sum();
    if norm_squared > i64::from(NORM_SQUARED_MAX) {
        return Err(Error::NormTooLarge);
    }
    // Filled to its full length at once, so that no copy is left behind by growing.
    let mut shares = [(); 3].map(|()| TemplateShare(vec![0; features.len()]));
    let mut random = Zeroizing::new(vec![0_u8; 2 * features.len()]);
    rng.fill_bytes(&mut random);
    for (at, (pair, random)) in features.chunks_exact(2).zip(random.chunks_exact(4)).enumerate() {
        let secret = pack(pair[0], pair[1]);
        let slope = Element::new(u16::from_le_bytes([random[0], random[1]]), u16::from_le_bytes([random[2], random[3]]));
        for (party, share) in PartyId::ALL.into_iter().zip(&mut shares) {
            let value = secret.plus(slope.times(point(party)));
            share.0[2 * at] = value.c0;
            share.0[2 * at + 1] = value.c1;
        }
    }
    Ok(shares)
}

/// The template that two parties' shares give, for tests and for repairing a third party's share.
///
/// # Errors
/// [`Error::ShareLength`] if the shares differ in length.
///
/// # Panics
/// If both shares are said to be of the same party.
pub fn reconstruct(first: (PartyId, &TemplateShare), second: (PartyId, &TemplateShare)) -> Result<Zeroizing<Vec<i16>>, Error> {
    assert!(first.0 != second.0, "two different parties are needed");
    if first.1.0.len() != second.1.0.len() {
        return Err(Error::ShareLength { expected: 2 * first.1.0.len(), found: 2 * second.1.0.len() });
    }
    let present = [first.0, second.0];
    let mut features = Zeroizing::new(Vec::with_capacity(first.1.0.len()));
    for at in 0..first.1.0.len() / 2 {
        let sum = [first, second]
            .into_iter()
            .fold(ZERO, |sum, (party, share)| sum.plus(lagrange_at_zero(party, &present).times(share.element(at))));
        features.extend(unpack(sum));
    }
    Ok(features)
}

impl TemplateShare {
    /// The share as bytes, two per feature, little-endian: the coefficients of 1 and w of each element in turn.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; 2 * self.0.len()]);
        for (bytes, value) in bytes.chunks_exact_mut(2).zip(&self.0) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The share of a template of `dimensions` features from its bytes.
    ///
    /// # Errors
    /// [`Error::DimensionsInvalid`], or [`Error::ShareLength`] if there are not two bytes per feature.
    pub fn from_bytes(bytes: &[u8], dimensions: usize) -> Result<Self, Error> {
        check_dimensions(dimensions)?;
        if bytes.len() != 2 * dimensions {
            return Err(Error::ShareLength { expected: 2 * dimensions, found: bytes.len() });
        }
        Ok(Self(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()))
    }

    /// How many features the template has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The numbers, as a row of the gallery's matrix.
    pub fn as_row(&self) -> &[u16] {
        &self.0
    }

    /// `party`'s share as the query side of [`inner_product`].
    pub fn prepare_query(&self, party: PartyId) -> PreparedQuery {
        let coefficient = lagrange_at_zero(party, &PartyId::ALL);
        let mut row = vec![0; self.0.len()];
        for (at, pair) in row.chunks_exact_mut(2).enumerate() {
            let h = coefficient.times(self.element(at));
            pair[0] = h.c0.wrapping_add(h.c1.wrapping_mul(2));
            pair[1] = h.c0.wrapping_mul(2).wrapping_sub(h.c1.wrapping_mul(3));
        }
        PreparedQuery(row)
    }

    fn element(&self, at: usize) -> Element {
        Element::new(self.0[2 * at], self.0[2 * at + 1])
    }
}

impl PreparedQuery {
    /// How many features the template has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// This party's additive share, modulo 2^16, of the score between the query and the record in `row`.
    ///
    /// # Panics
    /// If `row` has another number of features.
    pub fn inner_product(&self, row: &[u16]) -> u16 {
        assert_eq!(row.len(), self.0.len(), "a record has as many features as the query");
        self.0.iter().zip(row).fold(0_u16, |sum, (query, record)| sum.wrapping_add(query.wrapping_mul(*record)))
    }
}

fn check_dimensions(features: usize) -> Result<(), Error> {
    if features == 0 || !features.is_multiple_of(2) || features > DIMENSIONS_MAX {
        return Err(Error::DimensionsInvalid { features });
    }
    Ok(())
}

/// `a + b v`.
const fn pack(a: i16, b: i16) -> Element {
    let scaled = S.wrapping_mul(b as u16);
    Element::new((a as u16).wrapping_sub(scaled.wrapping_mul(2)), scaled)
}

/// The two features in an element: the reverse of [`pack`].
const fn unpack(element: Element) -> [i16; 2] {
    let a = element.c0.wrapping_add(element.c1.wrapping_mul(2));
    let b = element.c1.wrapping_mul(inverse_of_odd(S));
    [a as i16, b as i16]
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
hidden_debug!(TemplateShare, PreparedQuery);
