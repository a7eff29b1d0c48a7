//! Whether an aligned face is good enough to recognise: light, sharpness, pose and eyes.

use zeroize::Zeroizing;

use super::LookRefusal;
use super::align::ALIGNED_SIDE_PX;
use super::network::Network;
use crate::config::CaptureConfig;
use crate::picture::Picture;
use crate::resample::{Planes, Similarity, warp};

/// What was measured of a face; units as in [`CaptureConfig`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// How certain the detector is, 0..=1.
    pub face_score: f32,
    /// Distance between the eyes, in pixels of the picture.
    pub eye_distance_px: f32,
    /// Sideways turn: distance of the nose from the middle of the eyes, in eye distances; 0 looks straight ahead.
    pub turn: f32,
    /// Mean brightness of the aligned face, 0..=255.
    pub brightness: f32,
    /// Sharpness: variance of the Laplacian of the aligned face over the variance of its grey values.
    pub sharpness: f32,
    /// Probability that each eye is open: the one on the picture's left, then the other.
    pub eyes_open: [f32; 2],
}

impl Quality {
    /// The first threshold that is not met, in the order of [`LookRefusal`].
    pub(crate) fn check(&self, config: &CaptureConfig) -> Result<(), LookRefusal> {
        for (refused, refusal) in [
            (self.eye_distance_px < config.eye_distance_px_min, LookRefusal::FaceTooSmall),
            (self.brightness < config.brightness_min, LookRefusal::TooDark),
            (self.brightness > config.brightness_max, LookRefusal::TooBright),
            (self.sharpness < config.sharpness_min, LookRefusal::Blurred),
            (self.turn > config.turn_max, LookRefusal::EyesNotVisible),
            (self.eyes_open.into_iter().all(|open| open < config.eye_open_min), LookRefusal::EyesNotVisible),
        ] {
            if refused {
                return Err(refusal);
            }
        }
        Ok(())
    }
}

/// Distance between the eyes, in pixels, and the sideways turn, in eye distances.
pub(crate) fn pose(points: &[[f32; 2]; 5]) -> (f32, f32) {
    let [left, right, nose, ..] = points;
    let across = [right[0] - left[0], right[1] - left[1]];
    let distance = across[0].hypot(across[1]);
    let from_left = [nose[0] - left[0], nose[1] - left[1]];
    let along = (from_left[0] * across[0] + from_left[1] * across[1]) / (distance * distance).max(f32::MIN_POSITIVE);
    (distance, (along - 0.5).abs())
}

/// Grey values (ITU-R BT.601) of planes of red, green and blue.
pub(crate) fn grey(planes: &Planes) -> Zeroizing<Vec<f32>> {
    let plane = planes.len() / 3;
    let grey = |at: usize| 0.299 * planes[at] + 0.587 * planes[plane + at] + 0.114 * planes[2 * plane + at];
    Zeroizing::new((0..plane).map(grey).collect())
}

/// Mean brightness of the face within an aligned crop: from above the eyes to the mouth, between the cheeks.
pub(crate) fn brightness(grey: &[f32]) -> f32 {
    face_pixels().map(|at| grey[at]).sum::<f32>() / face_pixels().count() as f32
}

/// Variance of the Laplacian (Pertuz, Puig, Garcia: Analysis of focus measure operators, Pattern Recognition 2013,
/// LAPV) over the same part of the face, over the variance of its grey values, so that light does not matter.
pub(crate) fn sharpness(grey: &[f32]) -> f32 {
    let side = ALIGNED_SIDE_PX;
    let laplacian = |at: usize| grey[at - 1] + grey[at + 1] + grey[at - side] + grey[at + side] - 4.0 * grey[at];
    let contrast = variance(face_pixels().map(|at| grey[at]));
    variance(face_pixels().map(laplacian)) / contrast.max(1.0)
}

fn variance(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = values.clone().count() as f32;
    let mean = values.clone().sum::<f32>() / count;
    values.map(|value| (value - mean).powi(2)).sum::<f32>() / count
}

/// Side of what the eye network sees, in pixels.
pub(crate) const EYE_SIDE_PX: usize = 24;

/// Side of the square that it sees, in eye distances: 1.6 times the width of an eye, which is 0.47 eye distances.
const EYE_VIEW: f32 = 0.75;

/// Probability of each eye to be open: the one on the picture's left, then the other.
pub(crate) fn eyes_open(network: &Network, picture: &Picture, points: &[[f32; 2]; 5]) -> [f32; 2] {
    let step = EYE_VIEW / EYE_SIDE_PX as f32;
    let (a, b) = ((points[1][0] - points[0][0]) * step, (points[1][1] - points[0][1]) * step);
    let middle = (EYE_SIDE_PX - 1) as f32 / 2.0;
    [points[0], points[1]].map(|[x, y]| {
        let to_picture = Similarity { a, b, x: x - (a - b) * middle, y: y - (a + b) * middle };
        let patch = grey(&warp(picture, &to_picture, EYE_SIDE_PX));
        let patch: Zeroizing<Vec<f32>> = Zeroizing::new(patch.iter().map(|value| value / 255.0).collect());
        // Class 0 is closed, class 1 open.
        1.0 - super::first_probability(&network.run(&patch, [1, 1, EYE_SIDE_PX, EYE_SIDE_PX])[0])
    })
}

fn face_pixels() -> impl Iterator<Item = usize> + Clone {
    (36..100).flat_map(|y| (28..84).map(move |x| y * ALIGNED_SIDE_PX + x))
}
