//! Embeddings and templates: a face as 128 numbers, and the integers that the parties match.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Numbers in an embedding and in a template.
pub const DIMENSIONS: usize = 128;

/// Norm of a template, before rounding. With 127 every score is below 2^15 in size: by Cauchy-Schwarz it is at most
/// (127 + sqrt(128)/2)^2 = 17,598 (`docs/capture.md`).
pub const TEMPLATE_NORM: f32 = 127.0;

/// A face as a vector of norm 1. Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Embedding([f32; DIMENSIONS]);

impl Embedding {
    /// Scales a vector to norm 1.
    ///
    /// # Panics
    /// When a number is not finite or all are zero: a network that answered like that is broken.
    pub fn from_vector(vector: &[f32; DIMENSIONS]) -> Embedding {
        let norm = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        assert!(norm.is_finite() && norm > 0.0, "an embedding has a direction");
        Embedding(vector.map(|value| (f64::from(value) / norm) as f32))
    }

    /// The mean of several embeddings, scaled to norm 1.
    ///
    /// # Panics
    /// When there is none, or when they cancel out.
    pub fn mean<'a>(embeddings: impl IntoIterator<Item = &'a Embedding>) -> Embedding {
        let mut sum = Zeroizing::new([0.0; DIMENSIONS]);
        for embedding in embeddings {
            for (total, value) in sum.iter_mut().zip(&embedding.0) {
                *total += value;
            }
        }
        Embedding::from_vector(&sum)
    }

    /// Cosine of the angle to another embedding, -1..=1.
    pub fn cosine(&self, other: &Embedding) -> f64 {
        self.0.iter().zip(&other.0).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    /// The numbers.
    pub fn values(&self) -> &[f32; DIMENSIONS] {
        &self.0
    }

    /// The template: each number times 127, rounded to the nearest whole one.
    pub fn quantise(&self) -> Template {
        Template(self.0.map(|value| (value * TEMPLATE_NORM).round() as i16))
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedding([hidden])")
    }
}

/// A face as the 128 whole numbers that are shared among the parties. Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Template([i16; DIMENSIONS]);

impl Template {
    /// The numbers, each in -127..=127.
    pub fn values(&self) -> &[i16; DIMENSIONS] {
        &self.0
    }

    /// The numbers as elements of Z_2^16 (two's complement), the form in which they are shared.
    pub fn to_ring(&self) -> Zeroizing<[u16; DIMENSIONS]> {
        Zeroizing::new(self.0.map(i16::cast_unsigned))
    }

    /// The inner product with another template: 16,129 times the cosine, but for rounding; below 2^15 in size.
    pub fn score(&self, other: &Template) -> i32 {
        self.0.iter().zip(&other.0).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(pairs: &[(usize, f32)]) -> Embedding {
        let mut vector = [0.0; DIMENSIONS];
        pairs.iter().for_each(|(at, value)| vector[*at] = *value);
        Embedding::from_vector(&vector)
    }

    #[test]
    fn quantised_values() {
        let template = embedding(&[(0, 3.0), (1, -4.0)]).quantise();
        assert_eq!(template.values()[..3], [76, -102, 0]); // 76.2 and -101.6
        assert_eq!(template.to_ring()[..3], [76, 65_434, 0]);
        assert_eq!(template.score(&template), 76 * 76 + 102 * 102);
        assert_eq!(embedding(&[(5, 0.001)]).quantise().values()[5], 127);
    }

    /// The vectors whose norm grows most by rounding: as many entries as possible just above a half.
    #[test]
    fn scores_stay_inside_16_bits() {
        for ones in 1..=DIMENSIONS {
            let template = embedding(&(0..ones).map(|at| (at, 1.0)).collect::<Vec<_>>()).quantise();
            assert!(template.score(&template) <= 17_598, "{ones} equal entries score {}", template.score(&template));
        }
    }

    #[test]
    fn means() {
        let mean = Embedding::mean([&embedding(&[(0, 2.0)]), &embedding(&[(1, 5.0)])]);
        assert!((mean.values()[0] - 0.5f32.sqrt()).abs() < 1e-6 && (mean.values()[1] - 0.5f32.sqrt()).abs() < 1e-6);
        assert!((mean.cosine(&mean) - 1.0).abs() < 1e-6);
    }
}
