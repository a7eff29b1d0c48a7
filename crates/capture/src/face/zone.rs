//! The payment zone: which of the detected faces is the one that pays, if exactly one does.

use super::LookRefusal;
use super::detect::{Face, FaceBox};
use crate::config::CaptureConfig;

/// The one face in the zone of a `width` x `height` picture.
///
/// # Errors
/// In this order: `no_face`, `face_too_small` or `face_off_centre` (nobody in the zone), `several_faces`,
/// `face_too_small`.
pub(crate) fn only_face(faces: Vec<Face>, [width, height]: [f32; 2], config: &CaptureConfig) -> Result<Face, LookRefusal> {
    let tall_enough = |face: &Face| face.face_box.height >= config.face_height_min * width.min(height);
    if faces.is_empty() {
        return Err(LookRefusal::NoFace);
    }
    let somebody_near = faces.iter().any(tall_enough);
    let inside = |face: &Face| {
        let [x, y] = face.face_box.centre();
        (x / width - 0.5).abs() <= config.zone_half_width && (y / height - 0.5).abs() <= config.zone_half_height
    };
    let mut in_zone: Vec<Face> = faces.into_iter().filter(inside).collect();
    let weight = |face: &Face| prominence(&face.face_box, [width, height]);
    in_zone.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let tallest = in_zone.iter().map(|face| face.face_box.height).fold(0.0, f32::max);
    let counting = in_zone.iter().filter(|face| face.face_box.height >= config.background_height_max * tallest);
    let several = counting.count() > 1;
    let Some(face) = in_zone.into_iter().next() else {
        return Err(if somebody_near { LookRefusal::FaceOffCentre } else { LookRefusal::FaceTooSmall });
    };
    if several && config.several_refused {
        return Err(LookRefusal::SeveralFaces);
    }
    if !tall_enough(&face) {
        return Err(LookRefusal::FaceTooSmall);
    }
    Ok(face)
}

/// Large and central: the area less twice the squared distance from the picture's middle, in square pixels.
fn prominence(face_box: &FaceBox, [width, height]: [f32; 2]) -> f32 {
    let [x, y] = face_box.centre();
    let away = (x - width / 2.0).powi(2) + (y - height / 2.0).powi(2);
    face_box.width * face_box.height - 2.0 * away
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(centre: [f32; 2], height: f32) -> Face {
        let face_box = FaceBox { x: centre[0] - height / 2.0, y: centre[1] - height / 2.0, width: height, height };
        Face { face_box, points: [[0.0; 2]; 5], score: 0.9 }
    }

    fn check(faces: &[([f32; 2], f32)], config: &CaptureConfig, expected: Result<f32, LookRefusal>) {
        let faces = faces.iter().map(|(centre, height)| face(*centre, *height)).collect();
        let found = only_face(faces, [1000.0, 500.0], config).map(|face| face.face_box.height);
        assert_eq!(found, expected);
    }

    #[test]
    fn till() {
        let config = &CaptureConfig::default();
        let middle = [500.0, 250.0];
        check(&[], config, Err(LookRefusal::NoFace));
        check(&[(middle, 200.0)], config, Ok(200.0));
        check(&[(middle, 60.0)], config, Err(LookRefusal::FaceTooSmall));
        check(&[([100.0, 250.0], 200.0)], config, Err(LookRefusal::FaceOffCentre));
        check(&[([100.0, 250.0], 60.0)], config, Err(LookRefusal::FaceTooSmall));
        check(&[([400.0, 250.0], 200.0), ([600.0, 250.0], 180.0)], config, Err(LookRefusal::SeveralFaces));
        // Somebody small behind, and somebody as large beside the zone, do not count.
        check(&[(middle, 200.0), ([600.0, 200.0], 90.0), ([950.0, 250.0], 220.0)], config, Ok(200.0));
    }

    #[test]
    fn archive() {
        let config = &CaptureConfig::archive_photograph();
        check(&[], config, Err(LookRefusal::NoFace));
        check(&[([400.0, 250.0], 200.0), ([800.0, 250.0], 210.0)], config, Ok(200.0));
        check(&[([100.0, 250.0], 40.0)], config, Ok(40.0));
    }
}
