//! Finding faces: the YuNet network, the decoding of its answer, and the removal of double detections.
//!
//! Source: Wu, Peng, Yu: YuNet, a tiny millisecond-level face detector, Machine Intelligence Research 2023. At each of
//! three strides (8, 16, 32 pixels) every cell of the grid proposes one face: a class and an objectness score, a box
//! (centre offset in cells, logarithm of the size in cells) and five points (offsets in cells).

use std::sync::Arc;

use rten::ThreadPool;
use zeroize::Zeroize;

use super::network::Network;
use crate::config::CaptureConfig;
use crate::error::CaptureError;
use crate::picture::Picture;
use crate::resample::shrink;

/// Where a face is, in pixels of the upright picture; may reach outside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl FaceBox {
    /// The middle of the box.
    pub fn centre(&self) -> [f32; 2] {
        [self.x + self.width / 2.0, self.y + self.height / 2.0]
    }

    /// Intersection over union with another box, 0..=1.
    pub fn overlap(&self, other: &FaceBox) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        let both = width.max(0.0) * height.max(0.0);
        let either = self.width * self.height + other.width * other.height - both;
        if either > 0.0 { both / either } else { 0.0 }
    }
}

/// A detected face.
#[derive(Clone, PartialEq)]
pub struct Face {
    /// Its box.
    pub face_box: FaceBox,
    /// Five points in pixels of the upright picture: the eye on the picture's left, the eye on its right, the tip of
    /// the nose, the corner of the mouth on the left, the one on the right.
    pub points: [[f32; 2]; 5],
    /// How certain the detector is, 0..=1.
    pub score: f32,
}

impl Drop for Face {
    fn drop(&mut self) {
        self.points.zeroize();
    }
}

/// Grid cells of the detector, in pixels.
const STRIDES: [usize; 3] = [8, 16, 32];
/// The network halves its input five times.
const SIDE_MULTIPLE: usize = 32;
const OUTPUTS: [&str; 12] =
    ["cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"];

/// The face detector.
pub(crate) struct Detector {
    network: Network,
}

impl Detector {
    /// Loads the network and tries it on two sizes.
    pub fn load(bytes: &[u8], threads: &Arc<ThreadPool>) -> Result<Detector, CaptureError> {
        let network = Network::load("detector", bytes, &OUTPUTS, threads)?;
        for [height, width] in [[64, 96], [320, 320]] {
            let cells = STRIDES.map(|stride| height / stride * (width / stride));
            let lengths: Vec<usize> = [1, 1, 4, 10].iter().flat_map(|size| cells.map(|count| count * size)).collect();
            network.check([1, 3, height, width], &lengths)?;
        }
        Ok(Detector { network })
    }

    /// All faces of a picture, the most certain first.
    pub fn detect(&self, picture: &Picture, config: &CaptureConfig) -> Vec<Face> {
        let longest = picture.width().max(picture.height());
        let scale = (config.detection_side_px_max as f32 / longest as f32).min(1.0);
        let shrunk = |side: usize| ((side as f32 * scale).round() as usize).clamp(1, side);
        let size = [shrunk(picture.width()), shrunk(picture.height())];
        let padded = size.map(|side| side.next_multiple_of(SIDE_MULTIPLE));
        let mut planes = shrink(picture, size, padded);
        // The network was trained on blue, green, red.
        let plane = padded[0] * padded[1];
        let (red, rest) = planes.split_at_mut(plane);
        red.swap_with_slice(&mut rest[plane..]);
        let answers = self.network.run(&planes, [1, 3, padded[1], padded[0]]);
        let answers: Vec<&[f32]> = answers.iter().map(|answer| answer.as_slice()).collect();
        let to_picture = [picture.width() as f32 / size[0] as f32, picture.height() as f32 / size[1] as f32];
        let faces = decode(&answers, padded[0], config.face_score_min, to_picture);
        without_doubles(faces, config.overlap_max)
    }
}

/// The proposals whose score reaches `score_min`, in coordinates multiplied by `to_picture`.
fn decode(answers: &[&[f32]], padded_width: usize, score_min: f32, to_picture: [f32; 2]) -> Vec<Face> {
    let mut faces = Vec::new();
    for (level, stride) in STRIDES.into_iter().enumerate() {
        let [class, object, boxes, points] = [0, 3, 6, 9].map(|kind| answers[kind + level]);
        let columns = padded_width / stride;
        for cell in 0..class.len() {
            let score = (class[cell].clamp(0.0, 1.0) * object[cell].clamp(0.0, 1.0)).sqrt();
            if score.is_nan() || score < score_min {
                continue;
            }
            let corner = [(cell % columns) as f32, (cell / columns) as f32];
            let place = |offset: &[f32], axis: usize| (corner[axis] + offset[axis]) * stride as f32 * to_picture[axis];
            let offset = &boxes[cell * 4..cell * 4 + 4];
            let width = offset[2].exp() * stride as f32 * to_picture[0];
            let height = offset[3].exp() * stride as f32 * to_picture[1];
            let offsets = points[cell * 10..cell * 10 + 10].as_chunks::<2>().0;
            let mut face = Face {
                face_box: FaceBox { x: place(offset, 0) - width / 2.0, y: place(offset, 1) - height / 2.0, width, height },
                points: [[0.0; 2]; 5],
                score,
            };
            for (point, offset) in face.points.iter_mut().zip(offsets) {
                *point = [place(offset, 0), place(offset, 1)];
            }
            faces.push(face);
        }
    }
    faces
}

/// Greedy non-maximum suppression: of boxes that overlap more than `overlap_max`, only the most certain stays.
fn without_doubles(mut faces: Vec<Face>, overlap_max: f32) -> Vec<Face> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.iter().all(|other| other.face_box.overlap(&face.face_box) <= overlap_max) {
            kept.push(face);
        }
    }
    kept
}
