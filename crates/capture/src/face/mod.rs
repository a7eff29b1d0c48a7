//! The face path: one picture in, one look at one face out, or the reason why not.
//!
//! decode, detect, choose the one face in the payment zone, align, check its quality and liveness, embed.
//! Several looks make a template: their mean, quantised.

mod align;
mod detect;
mod liveness;
mod network;
mod quality;
mod template;
mod zone;

use std::sync::Arc;

use rten::ThreadPool;

pub use align::{ALIGNED_SIDE_PX, REFERENCE_POINTS};
pub use detect::{Face, FaceBox};
pub use network::Network;
pub use quality::Quality;
pub use template::{DIMENSIONS, Embedding, TEMPLATE_NORM, Template};

use crate::config::CaptureConfig;
use crate::error::CaptureError;
use crate::picture::Picture;
use detect::Detector;

/// Why a sound picture does not show one usable face, in the order in which the checks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookRefusal {
    /// Nobody.
    NoFace,
    /// Somebody near, but beside the payment zone.
    FaceOffCentre,
    /// More than one face in the payment zone.
    SeveralFaces,
    /// Too far away.
    FaceTooSmall,
    /// Not enough light on the face.
    TooDark,
    /// Too much light on the face.
    TooBright,
    /// Out of focus or moving.
    Blurred,
    /// Closed or covered eyes, or a head turned so far that one is hidden.
    EyesNotVisible,
    /// A picture of a face rather than a face.
    NotLive,
    /// The looks of one capture are not of one person.
    FacesDiffer,
}

impl LookRefusal {
    /// The stable code that pages, the API and the demo's table show.
    pub fn code(self) -> &'static str {
        match self {
            LookRefusal::NoFace => "no_face",
            LookRefusal::FaceOffCentre => "face_off_centre",
            LookRefusal::SeveralFaces => "several_faces",
            LookRefusal::FaceTooSmall => "face_too_small",
            LookRefusal::TooDark => "too_dark",
            LookRefusal::TooBright => "too_bright",
            LookRefusal::Blurred => "blurred",
            LookRefusal::EyesNotVisible => "eyes_not_visible",
            LookRefusal::NotLive => "not_live",
            LookRefusal::FacesDiffer => "faces_differ",
        }
    }
}

/// The bytes of the four model files, folded (see [`crate::models::fold`]).
#[derive(Debug, Clone, Copy)]
pub struct FaceModels<'a> {
    /// YuNet, with a symbolic input size.
    pub detector: &'a [u8],
    /// SFace.
    pub recogniser: &'a [u8],
    /// MiniFASNet.
    pub liveness: &'a [u8],
    /// Open or closed eyes.
    pub eyes: &'a [u8],
}

/// The loaded models and the thresholds. Load it once, share it among threads.
pub struct FaceEngine {
    config: CaptureConfig,
    detector: Detector,
    recogniser: Network,
    liveness: Network,
    eyes: Network,
}

/// One look at one face.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The face as a vector.
    pub embedding: Embedding,
    /// Probability that the face is live, 0..=1.
    pub liveness: f32,
    /// What was measured of the face.
    pub quality: Quality,
    /// Where it is in the upright picture, in pixels.
    pub face_box: FaceBox,
    /// Width and height of the upright picture, in pixels.
    pub picture_size: [usize; 2],
}

impl FaceEngine {
    /// Loads the four models and runs each once.
    ///
    /// # Errors
    /// When a file is not the expected model; fetching the models again mends it.
    pub fn load(models: FaceModels<'_>, config: CaptureConfig) -> Result<FaceEngine, CaptureError> {
        let threads = Arc::new(ThreadPool::with_num_threads(config.threads.max(1)));
        let detector = Detector::load(models.detector, &threads)?;
        let load = |role, bytes, output, shape, length| {
            let network = Network::load(role, bytes, &[output], &threads)?;
            network.check(shape, &[length]).map(|()| network)
        };
        let (face, live, eye) = (ALIGNED_SIDE_PX, liveness::LIVENESS_SIDE_PX, quality::EYE_SIDE_PX);
        Ok(FaceEngine {
            detector,
            recogniser: load("recogniser", models.recogniser, "fc1", [1, 3, face, face], DIMENSIONS)?,
            liveness: load("liveness", models.liveness, "output", [1, 3, live, live], 3)?,
            eyes: load("eyes", models.eyes, "output", [1, 1, eye, eye], 2)?,
            config,
        })
    }

    /// The thresholds.
    pub fn config(&self) -> &CaptureConfig {
        &self.config
    }

    /// Looks at the bytes of one JPEG or PNG file.
    ///
    /// # Errors
    /// [`CaptureError::Picture`] when it does not decode, [`CaptureError::Refused`] when it does not show one usable face.
    pub fn look(&self, bytes: &[u8]) -> Result<Look, CaptureError> {
        let picture = Picture::decode(bytes, &self.config.picture)?;
        self.look_at(&picture).map_err(CaptureError::Refused)
    }

    /// Looks at a decoded picture.
    ///
    /// # Errors
    /// The first check that it fails.
    pub fn look_at(&self, picture: &Picture) -> Result<Look, LookRefusal> {
        let size = [picture.width(), picture.height()];
        let faces = self.faces(picture);
        let face = zone::only_face(faces, size.map(|side| side as f32), &self.config)?;
        let aligned = align::align(picture, &face.points);
        let grey = quality::grey(&aligned);
        let (eye_distance_px, turn) = quality::pose(&face.points);
        let quality = Quality {
            face_score: face.score,
            eye_distance_px,
            turn,
            brightness: quality::brightness(&grey),
            sharpness: quality::sharpness(&grey),
            eyes_open: quality::eyes_open(&self.eyes, picture, &face.points),
        };
        quality.check(&self.config)?;
        let liveness = liveness::liveness(&self.liveness, picture, &face.face_box);
        if self.config.liveness_enforced && liveness < self.config.liveness_min {
            return Err(LookRefusal::NotLive);
        }
        let answers = self.recogniser.run(&aligned, [1, 3, ALIGNED_SIDE_PX, ALIGNED_SIDE_PX]);
        let vector = answers[0].as_slice().try_into().expect("the recogniser's size was checked when it was loaded");
        let embedding = Embedding::from_vector(vector);
        Ok(Look { embedding, liveness, quality, face_box: face.face_box, picture_size: size })
    }

    /// All faces of a picture, the most certain first, in the zone or not.
    pub fn faces(&self, picture: &Picture) -> Vec<Face> {
        self.detector.detect(picture, &self.config)
    }

    /// The template of one person from several looks: the mean of their embeddings, quantised.
    ///
    /// # Errors
    /// `faces_differ` when two looks are too unlike to be of one person.
    ///
    /// # Panics
    /// When there is no look.
    pub fn template(&self, looks: &[Look]) -> Result<Template, LookRefusal> {
        assert!(!looks.is_empty(), "a template needs a look");
        for (at, look) in looks.iter().enumerate() {
            let alike = |other: &Look| look.embedding.cosine(&other.embedding) >= f64::from(self.config.same_person_min);
            if !looks[..at].iter().all(alike) {
                return Err(LookRefusal::FacesDiffer);
            }
        }
        Ok(Embedding::mean(looks.iter().map(|look| &look.embedding)).quantise())
    }
}

/// Softmax of a network's answer, first class.
fn first_probability(answer: &[f32]) -> f32 {
    let largest = answer.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = answer.iter().map(|value| (value - largest).exp()).sum();
    (answer[0] - largest).exp() / total
}
