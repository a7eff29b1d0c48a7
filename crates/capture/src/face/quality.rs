//! Whether an aligned face is good enough to recognise: light, sharpness, pose and eyes.

use super::LookRefusal;
use super::align::{ALIGNED_SIDE_PX, REFERENCE_POINTS};
use super::network::Network;
use crate::config::CaptureConfig;
use crate::resample::Planes;
use zeroize::Zeroizing;

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
    /// Variance of the Laplacian of the aligned face's grey values.
    pub sharpness: f32,
    /// Probability, for the less open eye, that it is open.
    pub eye_open: f32,
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
            (self.eye_open < config.eye_open_min, LookRefusal::EyesNotVisible),
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

/// Grey values (ITU-R BT.601) of an aligned face.
pub(crate) fn grey(aligned: &Planes) -> Zeroizing<Vec<f32>> {
    let plane = ALIGNED_SIDE_PX * ALIGNED_SIDE_PX;
    let grey = |at: usize| 0.299 * aligned[at] + 0.587 * aligned[plane + at] + 0.114 * aligned[2 * plane + at];
    Zeroizing::new((0..plane).map(grey).collect())
}

/// Mean brightness of the face within an aligned crop: from above the eyes to the mouth, between the cheeks.
pub(crate) fn brightness(grey: &[f32]) -> f32 {
    let values: Vec<f32> = face_pixels().map(|at| grey[at]).collect();
    values.iter().sum::<f32>() / values.len() as f32
}

/// Variance of the Laplacian (Pertuz, Puig, Garcia: Analysis of focus measure operators, Pattern Recognition 2013,
/// LAPV) over the same part of the face.
pub(crate) fn sharpness(grey: &[f32]) -> f32 {
    let side = ALIGNED_SIDE_PX;
    let laplacian =
        |at: usize| grey[at - 1] + grey[at + 1] + grey[at - side] + grey[at + side] - 4.0 * grey[at];
    let values: Vec<f32> = face_pixels().map(laplacian).collect();
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32
}

/// Side of what the eye network sees, in pixels; at the aligned scale about 1.6 times the width of an eye.
pub(crate) const EYE_SIDE_PX: usize = 24;

/// The less open eye's probability of being open.
pub(crate) fn eye_open(network: &Network, grey: &[f32]) -> f32 {
    let eye = |[x, y]: [f32; 2]| {
        let [left, top] = [x, y].map(|middle| middle.round() as usize - EYE_SIDE_PX / 2);
        let rows = (top..top + EYE_SIDE_PX).map(|row| &grey[row * ALIGNED_SIDE_PX + left..][..EYE_SIDE_PX]);
        let patch: Zeroizing<Vec<f32>> = Zeroizing::new(rows.flatten().map(|value| value / 255.0).collect());
        let answers = network.run(&patch, [1, 1, EYE_SIDE_PX, EYE_SIDE_PX]);
        // Class 0 is closed, class 1 open.
        1.0 - super::first_probability(&answers[0])
    };
    eye(REFERENCE_POINTS[0]).min(eye(REFERENCE_POINTS[1]))
}

fn face_pixels() -> impl Iterator<Item = usize> {
    (36..100).flat_map(|y| (28..84).map(move |x| y * ALIGNED_SIDE_PX + x))
}
