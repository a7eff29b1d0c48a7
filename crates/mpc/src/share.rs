//! Splitting a template into three Shamir shares, one for each party, and the inner product on shares.
//!
//! A template is D signed features, D even, at most 1,024. Two features `(a, b)` are packed into one ring element
//! `a + b v`, each element `s` gets its own line `f(X) = s + r X` with a fresh random `r`, and a party holds `f` at its
//! point: as many 32-bit numbers as the template has features. One share is uniformly random and says nothing; two give
//! the template back.
//!
//! **Two widths.** A probe and a template to be enrolled are shared modulo 2^32, wide enough to check on shares that every
//! feature and the norm are in range ([`TemplateShare::norm_part`], [`TemplateShare::feature_parts`]). A score fits into 16
//! bits, so the gallery keeps the low 16 bits of each number ([`TemplateShare::to_row`]) and the scan works modulo 2^16:
//! cutting respects sums and products, so a cut share is the share of the same template in the smaller ring.
//!
//! **The basis.** `v = S (w - 2)` with `S^2 = -1/7` modulo 2^32, and `phi(c0 + c1 w) = c0 + 2 c1`. Then
//! `phi(1) = phi(v^2) = 1` and `phi(v) = 0`, hence `phi((a + b v) (c + d v)) = a c + b d`: the inner product of two packed
//! templates is `phi` of the sum of the elements' products. The same share serves as a record and as a query, which the
//! basis `{1, w}` does not give (there a query's second features must be negated before sharing).
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

/// Bytes per feature of a [`TemplateShare`].
pub const SHARE_BYTES: usize = 4;

/// Bytes per feature of a [`Row`].
pub const ROW_BYTES: usize = 2;

/// The largest squared norm of a template, and by Cauchy and Schwarz the largest score either way: a unit vector of 128
/// features times 127, each rounded by at most 1/2, is at most 127 + sqrt(128) / 2 = 132.66 long.
pub const NORM_SQUARED_MAX: i32 = 17_598;

/// A square root of -1/7 modulo 2^32; it makes the basis `{1, v}` orthonormal under `phi`.
const S: u32 = square_root_of_minus_one_seventh();

/// Bit by bit: where `root` is right modulo 2^bits, adding 2^(bits - 1) to it changes `root^2` by 2^bits modulo twice that.
const fn square_root_of_minus_one_seventh() -> u32 {
    let minus_seven = 7_u32.wrapping_neg();
    let mut root: u32 = 1;
    let mut bits = 3;
    while bits < 32 {
        if root.wrapping_mul(root).wrapping_mul(minus_seven) >> bits & 1 == 1 {
            root += 1 << (bits - 1);
        }
        bits += 1;
    }
    assert!(root.wrapping_mul(root).wrapping_mul(minus_seven) == 1);
    root
}

/// One party's share of one template that comes from a terminal, to be searched for or to be enrolled.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TemplateShare(Vec<u32>);

/// One party's share of one record's template as the gallery keeps it: a [`TemplateShare`] modulo 2^16.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Row(Vec<u16>);

/// A query share times its Lagrange coefficient modulo 2^16, laid out for inner products with rows.
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
    let mut random = Zeroizing::new(vec![0_u8; 4 * features.len()]);
    rng.fill_bytes(&mut random);
    for (at, (pair, random)) in features.chunks_exact(2).zip(random.chunks_exact(8)).enumerate() {
        let secret = pack(pair[0], pair[1]);
        let number = |at: usize| u32::from_le_bytes([random[at], random[at + 1], random[at + 2], random[at + 3]]);
        let slope = Element::new(number(0), number(4));
        for (party, share) in PartyId::ALL.into_iter().zip(&mut shares) {
            let value = secret.plus(slope.times(point(party)));
            share.0[2 * at] = value.c0;
            share.0[2 * at + 1] = value.c1;
        }
    }
    Ok(shares)
}

/// The template that two parties' shares give, for tests.
///
/// # Errors
/// [`Error::ShareLength`] if the shares differ in length.
///
/// # Panics
/// If both shares are said to be of the same party.
pub fn reconstruct(first: (PartyId, &TemplateShare), second: (PartyId, &TemplateShare)) -> Result<Zeroizing<Vec<i16>>, Error> {
    assert!(first.0 != second.0, "two different parties are needed");
    if first.1.0.len() != second.1.0.len() {
        return Err(Error::ShareLength { expected: SHARE_BYTES * first.1.0.len(), found: SHARE_BYTES * second.1.0.len() });
    }
    let present = [first.0, second.0];
    let mut features = Zeroizing::new(Vec::with_capacity(first.1.0.len()));
    for at in 0..first.1.0.len() / 2 {
        let sum = [first, second]
            .into_iter()
            .fold(ZERO, |sum, (party, share)| sum.plus(lagrange_at_zero(party, &present).times(share.element(at))));
        features.extend(unpack(sum).map(|feature| feature as i16));
    }
    Ok(features)
}

/// The template that two parties' rows give, for tests.
///
/// # Errors
/// [`Error::ShareLength`] if the rows differ in length.
///
/// # Panics
/// If both rows are said to be of the same party.
pub fn reconstruct_rows(first: (PartyId, &Row), second: (PartyId, &Row)) -> Result<Zeroizing<Vec<i16>>, Error> {
    // Whatever the high halves, the low halves of the features come out of the low halves of the shares.
    let widened = |row: &Row| TemplateShare(row.0.iter().map(|number| u32::from(*number)).collect());
    reconstruct((first.0, &widened(first.1)), (second.0, &widened(second.1)))
}

impl TemplateShare {
    /// The share as bytes, [`SHARE_BYTES`] per feature, little-endian: the coefficients of 1 and w of each element in turn.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; SHARE_BYTES * self.0.len()]);
        for (bytes, value) in bytes.chunks_exact_mut(SHARE_BYTES).zip(&self.0) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The share of a template of `dimensions` features from its bytes.
    ///
    /// # Errors
    /// [`Error::DimensionsInvalid`], or [`Error::ShareLength`] if there are not [`SHARE_BYTES`] per feature.
    pub fn from_bytes(bytes: &[u8], dimensions: usize) -> Result<Self, Error> {
        check_bytes(bytes, dimensions, SHARE_BYTES)?;
        Ok(Self(bytes.chunks_exact(SHARE_BYTES).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()))
    }

    /// How many features the template has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The share modulo 2^16, as the gallery keeps it.
    pub fn to_row(&self) -> Row {
        Row(self.0.iter().map(|number| *number as u16).collect())
    }

    /// `party`'s share as the query side of an inner product with rows.
    pub fn prepare_query(&self, party: PartyId) -> PreparedQuery {
        PreparedQuery(self.query_side(party).iter().map(|number| *number as u16).collect())
    }

    /// `party`'s additive share, modulo 2^32, of the squared norm: the inner product of the template with itself.
    pub fn norm_part(&self, party: PartyId) -> u32 {
        let query_side = self.query_side(party);
        query_side.iter().zip(&self.0).fold(0, |sum, (query, record)| sum.wrapping_add(query.wrapping_mul(*record)))
    }

    /// `party`'s additive shares, modulo 2^32, of every feature in order.
    pub fn feature_parts(&self, party: PartyId) -> Zeroizing<Vec<u32>> {
        let coefficient = lagrange_at_zero(party, &PartyId::ALL);
        Zeroizing::new((0..self.0.len() / 2).flat_map(|at| unpack(coefficient.times(self.element(at)))).collect())
    }

    /// `party`'s additive shares, modulo 2^32, of the coefficients of X^2 in the sharing, one per feature: all 0 if the three
    /// shares lie on lines, as [`share_template`] makes them. With points 1, w and 1 + w, whose product is -1, the coefficient
    /// is `-(sum_i lambda_i x_i f(x_i))`, because X times a polynomial of degree 1 has degree 2 and is 0 at 0; signs do not
    /// matter here and are left out.
    pub fn bend_parts(&self, party: PartyId) -> Zeroizing<Vec<u32>> {
        let coefficient = lagrange_at_zero(party, &PartyId::ALL).times(point(party));
        let parts = (0..self.0.len() / 2).map(|at| coefficient.times(self.element(at)));
        Zeroizing::new(parts.flat_map(|part| [part.c0, part.c1]).collect())
    }

    /// The share times its Lagrange coefficient, as the left side of an inner product.
    fn query_side(&self, party: PartyId) -> Zeroizing<Vec<u32>> {
        let coefficient = lagrange_at_zero(party, &PartyId::ALL);
        let mut numbers = Zeroizing::new(vec![0_u32; self.0.len()]);
        for (at, pair) in numbers.chunks_exact_mut(2).enumerate() {
            let h = coefficient.times(self.element(at));
            pair[0] = h.c0.wrapping_add(h.c1.wrapping_mul(2));
            pair[1] = h.c0.wrapping_mul(2).wrapping_sub(h.c1.wrapping_mul(3));
        }
        numbers
    }

    fn element(&self, at: usize) -> Element {
        Element::new(self.0[2 * at], self.0[2 * at + 1])
    }
}

impl Row {
    /// The row as bytes, [`ROW_BYTES`] per feature, little-endian.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; ROW_BYTES * self.0.len()]);
        for (bytes, value) in bytes.chunks_exact_mut(ROW_BYTES).zip(&self.0) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The row of a template of `dimensions` features from its bytes.
    ///
    /// # Errors
    /// [`Error::DimensionsInvalid`], or [`Error::ShareLength`] if there are not [`ROW_BYTES`] per feature.
    pub fn from_bytes(bytes: &[u8], dimensions: usize) -> Result<Self, Error> {
        check_bytes(bytes, dimensions, ROW_BYTES)?;
        Ok(Self(bytes.chunks_exact(ROW_BYTES).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()))
    }

    /// The row of these numbers, one per feature.
    ///
    /// # Errors
    /// [`Error::DimensionsInvalid`].
    pub fn from_numbers(numbers: Vec<u16>) -> Result<Self, Error> {
        // Taken first, so that refused numbers are wiped too.
        let row = Self(numbers);
        check_dimensions(row.0.len())?;
        Ok(row)
    }

    /// How many features the template has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The numbers, one per feature: the coefficients of 1 and w of each element in turn.
    pub fn as_slice(&self) -> &[u16] {
        &self.0
    }
}

impl PreparedQuery {
    /// The prepared query of these numbers, one per feature, as another process of the same party made it.
    ///
    /// # Errors
    /// [`Error::DimensionsInvalid`].
    pub fn from_numbers(numbers: Vec<u16>) -> Result<Self, Error> {
        // Taken first, so that refused numbers are wiped too.
        let query = Self(numbers);
        check_dimensions(query.0.len())?;
        Ok(query)
    }

    /// How many features the template has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The numbers, one per feature.
    pub fn as_slice(&self) -> &[u16] {
        &self.0
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

fn check_bytes(bytes: &[u8], dimensions: usize, bytes_per_feature: usize) -> Result<(), Error> {
    check_dimensions(dimensions)?;
    if bytes.len() != bytes_per_feature * dimensions {
        return Err(Error::ShareLength { expected: bytes_per_feature * dimensions, found: bytes.len() });
    }
    Ok(())
}

/// `a + b v`.
pub(crate) const fn pack(a: i16, b: i16) -> Element {
    let scaled = S.wrapping_mul(b as u32);
    Element::new((a as u32).wrapping_sub(scaled.wrapping_mul(2)), scaled)
}

/// The two features in an element, modulo 2^32: the reverse of [`pack`], and linear.
const fn unpack(element: Element) -> [u32; 2] {
    [element.c0.wrapping_add(element.c1.wrapping_mul(2)), element.c1.wrapping_mul(inverse_of_odd(S))]
}

base::hidden_debug!(TemplateShare, Row, PreparedQuery);
