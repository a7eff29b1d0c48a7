//! Alignment: the similarity that brings a face's five points onto the places where the recogniser expects them.

use crate::picture::Picture;
use crate::resample::{Planes, Similarity, warp};

/// Side of the aligned face, in pixels.
pub const ALIGNED_SIDE_PX: usize = 112;

/// Where the recogniser was trained to find the five points, in pixels of the aligned face: the ArcFace template
/// (Deng et al., ArcFace, CVPR 2019), which SFace shares (OpenCV, FaceRecognizerSF::alignCrop).
pub const REFERENCE_POINTS: [[f32; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

/// The face at 112 x 112, upright, as planes of red, green and blue.
pub(crate) fn align(picture: &Picture, points: &[[f32; 2]; 5]) -> Planes {
    warp(picture, &to_picture(points), ALIGNED_SIDE_PX)
}

/// The similarity from aligned to picture coordinates whose inverse brings `points` closest to the reference points.
///
/// Umeyama, IEEE TPAMI 13(4), 1991. In the plane and without reflection it has a closed form: with both sets centred
/// and read as complex numbers, the factor is sum(conj(p) r) / sum(|p|^2). It is fitted from the picture to the
/// reference, so that errors count in the aligned face's pixels, and then inverted.
pub(crate) fn to_picture(points: &[[f32; 2]; 5]) -> Similarity {
    let (from, to) = (mean(points), mean(&REFERENCE_POINTS));
    let (mut a, mut b, mut spread) = (0.0f64, 0.0f64, 0.0f64);
    for (point, reference) in points.iter().zip(&REFERENCE_POINTS) {
        let [px, py] = [0, 1].map(|axis| f64::from(point[axis]) - from[axis]);
        let [rx, ry] = [0, 1].map(|axis| f64::from(reference[axis]) - to[axis]);
        a += px * rx + py * ry;
        b += px * ry - py * rx;
        spread += px * px + py * py;
    }
    // Inverse of the factor (a + ib) / spread.
    let norm = (a * a + b * b).max(f64::MIN_POSITIVE);
    let (a, b) = (a * spread / norm, -b * spread / norm);
    Similarity { a: a as f32, b: b as f32, x: (from[0] - a * to[0] + b * to[1]) as f32, y: (from[1] - b * to[0] - a * to[1]) as f32 }
}

fn mean(points: &[[f32; 2]; 5]) -> [f64; 2] {
    [0, 1].map(|axis| points.iter().map(|point| f64::from(point[axis])).sum::<f64>() / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points that are the reference turned, scaled and shifted come back exactly.
    #[test]
    fn recovers_a_known_similarity() {
        for (degrees, scale, shift) in [(0.0f32, 1.0f32, [0.0f32, 0.0f32]), (30.0, 2.5, [100.0, -20.0]), (-170.0, 0.3, [5.0, 900.0])] {
            let known =
                Similarity { a: scale * degrees.to_radians().cos(), b: scale * degrees.to_radians().sin(), x: shift[0], y: shift[1] };
            let found = to_picture(&REFERENCE_POINTS.map(|point| known.apply(point)));
            for corner in [[0.0, 0.0], [112.0, 0.0], [0.0, 112.0], [56.0, 56.0]] {
                let (expected, actual) = (known.apply(corner), found.apply(corner));
                for axis in 0..2 {
                    assert!((expected[axis] - actual[axis]).abs() < 2e-3, "{degrees} {scale}: {expected:?} {actual:?}");
                }
            }
        }
    }
}
