//! Every threshold of the capture path, with its unit and where it comes from. `docs/capture.md` has the same table.

/// What a picture may cost before it is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureLimits {
    /// Largest file, in bytes.
    pub bytes_max: usize,
    /// Longest side that the header may declare, in pixels.
    pub side_px_max: u32,
    /// Most pixels that the header may declare.
    pub pixels_max: u64,
    /// Shortest side that the header may declare, in pixels.
    pub side_px_min: u32,
}

/// The thresholds of one capture point. Fractions and scores are in 0..=1 unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureConfig {
    /// What a picture may cost.
    pub picture: PictureLimits,
    /// Longest side, in pixels, of the copy that the detector sees. A multiple of 32.
    pub detection_side_px_max: u32,
    /// Least detector score, sqrt(class * objectness), of something that counts as a face.
    pub face_score_min: f32,
    /// Overlap (intersection over union) above which two detections are one face.
    pub overlap_max: f32,
    /// Half the payment zone's width, as a fraction of the picture's width, to either side of its middle.
    pub zone_half_width: f32,
    /// Half the payment zone's height, as a fraction of the picture's height, above and below its middle.
    pub zone_half_height: f32,
    /// Faces lower than this fraction of the largest one's height are background and do not count.
    pub background_height_max: f32,
    /// Whether a second face in the zone refuses the picture; if not, the largest and most central one is taken.
    pub several_refused: bool,
    /// Least height of the face box, as a fraction of the picture's shorter side: near enough to mean it.
    pub face_height_min: f32,
    /// Least distance between the eyes, in pixels of the picture.
    pub eye_distance_px_min: f32,
    /// Least mean brightness of the aligned face, in 0..=255.
    pub brightness_min: f32,
    /// Greatest mean brightness of the aligned face, in 0..=255.
    pub brightness_max: f32,
    /// Least sharpness: variance of the Laplacian of the aligned face over the variance of its grey values.
    pub sharpness_min: f32,
    /// Greatest sideways turn: distance of the nose from the middle of the eyes, in eye distances.
    pub turn_max: f32,
    /// Least probability, for the more open eye, that it is open.
    pub eye_open_min: f32,
    /// Least probability that the face is a live one in front of the camera.
    pub liveness_min: f32,
    /// Whether a liveness score below the threshold refuses the picture or is only reported.
    pub liveness_enforced: bool,
    /// Least cosine between any two looks that go into one template: one person in front of the camera all along.
    pub same_person_min: f32,
    /// Threads on which the models run; shared by all concurrent looks of one engine.
    pub threads: usize,
}

impl Default for CaptureConfig {
    /// A till: a person at arm's length from a camera, liveness enforced.
    fn default() -> CaptureConfig {
        CaptureConfig {
            picture: PictureLimits { bytes_max: 12 << 20, side_px_max: 8192, pixels_max: 24_000_000, side_px_min: 64 },
            detection_side_px_max: 320,
            face_score_min: 0.7,
            overlap_max: 0.3,
            zone_half_width: 0.25,
            zone_half_height: 0.35,
            background_height_max: 0.5,
            several_refused: true,
            face_height_min: 0.2,
            eye_distance_px_min: 36.0,
            brightness_min: 30.0,
            brightness_max: 210.0,
            sharpness_min: 0.025,
            turn_max: 0.35,
            eye_open_min: 0.05,
            liveness_min: 0.5,
            liveness_enforced: true,
            same_person_min: 0.363,
            threads: 2,
        }
    }
}

impl CaptureConfig {
    /// Archive photographs (the demo, the evaluation): no captures, so the largest central face is taken whatever its
    /// size, sharpness or light, and liveness is computed and reported but refuses nobody.
    pub fn archive_photograph() -> CaptureConfig {
        CaptureConfig {
            face_score_min: 0.5,
            zone_half_width: 0.5,
            zone_half_height: 0.5,
            several_refused: false,
            face_height_min: 0.0,
            eye_distance_px_min: 5.0,
            brightness_min: 0.0,
            brightness_max: 255.0,
            sharpness_min: 0.0,
            turn_max: f32::INFINITY,
            eye_open_min: 0.0,
            liveness_enforced: false,
            same_person_min: -1.0,
            ..CaptureConfig::default()
        }
    }
}
