//! Passive liveness: one network's opinion, from a single picture, whether the face is really in front of the camera.
//!
//! A MiniFASNet that sees the face with its surroundings. It stops careless attacks (a photograph or telephone held
//! out, a cut-out), not a screen or print that fills the view, and nothing that is fed in behind the camera.
//! `docs/capture.md` has the counts.

use super::detect::FaceBox;
use super::network::Network;
use crate::picture::Picture;
use crate::resample::{Rectangle, stretch};

/// Side of what the network sees, in pixels.
pub(crate) const LIVENESS_SIDE_PX: usize = 128;

/// How much wider and higher than the face box the network's view is (the model's package, `docs/capture.md`).
const VIEW_SCALE: f32 = 2.7;

/// Probability that the face is live, 0..=1.
pub(crate) fn liveness(network: &Network, picture: &Picture, face_box: &FaceBox) -> f32 {
    let view = view(face_box, picture.width(), picture.height());
    let planes = stretch(picture, view, [LIVENESS_SIDE_PX; 2]);
    let answers = network.run(&planes, [1, 3, LIVENESS_SIDE_PX, LIVENESS_SIDE_PX]);
    super::first_probability(&answers[0])
}

/// The face box enlarged about its middle, no larger than the picture, pushed inside it, in whole pixels.
fn view(face_box: &FaceBox, width: usize, height: usize) -> Rectangle {
    let (limit_x, limit_y) = ((width - 1) as f32, (height - 1) as f32);
    let (face_width, face_height) = (face_box.width.max(1.0), face_box.height.max(1.0));
    let scale = VIEW_SCALE.min(limit_x / face_width).min(limit_y / face_height);
    let [middle_x, middle_y] = face_box.centre();
    let place = |middle: f32, size: f32, limit: f32| (middle - size / 2.0).clamp(0.0, (limit - size).max(0.0));
    let (view_width, view_height) = (face_width * scale, face_height * scale);
    let whole = |size: f32, limit: usize| (size as usize).clamp(1, limit);
    let (x, y) = (place(middle_x, view_width, limit_x) as usize, place(middle_y, view_height, limit_y) as usize);
    Rectangle { x, y, width: whole(view_width, width - x), height: whole(view_height, height - y) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(face: [f32; 4], size: [usize; 2], expected: [usize; 4]) {
        let [x, y, width, height] = face;
        let view = view(&FaceBox { x, y, width, height }, size[0], size[1]);
        assert_eq!([view.x, view.y, view.width, view.height], expected);
    }

    #[test]
    fn views() {
        // In the middle; pushed in from the left top and from the right bottom; as large as the picture allows.
        check([450.0, 400.0, 100.0, 120.0], [1000, 1000], [365, 298, 270, 324]);
        check([0.0, 0.0, 100.0, 120.0], [1000, 1000], [0, 0, 270, 324]);
        check([900.0, 900.0, 100.0, 120.0], [1000, 1000], [729, 675, 270, 324]);
        check([50.0, 50.0, 100.0, 100.0], [201, 201], [0, 0, 200, 200]);
        check([-500.0, -500.0, 10.0, 10.0], [64, 64], [0, 0, 27, 27]);
        check([0.0, 0.0, 1e9, 1e9], [64, 64], [0, 0, 63, 63]);
    }
}
