//! Everything that can go wrong before a face is looked at: models that do not load, pictures that do not decode,
//! lists that do not parse. What a decoded picture may be refused for is [`crate::face::LookRefusal`].

use thiserror::Error;

use crate::face::LookRefusal;

/// Why this crate did not answer. No variant carries anything of the picture itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CaptureError {
    /// The bytes are not a model that the runtime reads. The operator mends it by fetching the models again.
    #[error("the {model} model cannot be read: {reason}")]
    ModelUnreadable {
        /// Which model, by its role: `detector`, `recogniser`, `liveness` or `eyes`.
        model: &'static str,
        /// What the reader said.
        reason: String,
    },
    /// The model loads but lacks an input or output that this code needs, or answers with another size.
    #[error("the {model} model is not the expected one: {reason}")]
    ModelUnexpected {
        /// Which model, by its role.
        model: &'static str,
        /// What was looked for.
        reason: String,
    },
    /// An ONNX file that cannot be folded to plain fp32 weights.
    #[error("the model's weights cannot be folded: {reason}")]
    ModelNotFoldable {
        /// What stands in the way.
        reason: String,
    },
    /// The picture was refused before or while it was decoded.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The picture is sound but does not show one usable face.
    #[error("the picture is refused: {}", .0.code())]
    Refused(LookRefusal),
    /// A line of a pairs file that is neither a genuine nor an impostor pair.
    #[error("line {line} of the pairs file: {reason}")]
    Pairs {
        /// Line number, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An evaluation over too few pictures to say anything.
    #[error("nothing to evaluate: {reason}")]
    Evaluation {
        /// What is missing.
        reason: &'static str,
    },
}

impl CaptureError {
    /// The stable code that pages, the API and the demo's table show.
    pub fn code(&self) -> &'static str {
        match self {
            CaptureError::ModelUnreadable { .. } => "model_unreadable",
            CaptureError::ModelUnexpected { .. } => "model_unexpected",
            CaptureError::ModelNotFoldable { .. } => "model_not_foldable",
            CaptureError::Picture(error) => error.code(),
            CaptureError::Refused(refusal) => refusal.code(),
            CaptureError::Pairs { .. } => "pairs_malformed",
            CaptureError::Evaluation { .. } => "evaluation_empty",
        }
    }
}

/// Why bytes did not become a picture, in the order in which the checks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PictureError {
    /// More bytes than the limit; nothing was parsed.
    #[error("the picture has more bytes than are accepted")]
    TooManyBytes,
    /// Neither JPEG nor PNG, or a pixel layout that is neither grey nor RGB.
    #[error("the picture is neither a JPEG nor a PNG in grey or RGB")]
    Unsupported,
    /// Its header declares more pixels, or a longer side, than the limit; no pixel was decoded.
    #[error("the picture has more pixels than are accepted")]
    TooManyPixels,
    /// Its header declares fewer pixels than a face needs.
    #[error("the picture is too small to show a face")]
    TooSmall,
    /// The bytes break off or contradict themselves.
    #[error("the picture is damaged")]
    Damaged,
}

impl PictureError {
    /// The stable code that pages, the API and the demo's table show.
    pub fn code(self) -> &'static str {
        match self {
            PictureError::TooManyBytes | PictureError::TooManyPixels => "picture_too_large",
            PictureError::Unsupported => "picture_unsupported",
            PictureError::TooSmall => "picture_too_small",
            PictureError::Damaged => "picture_damaged",
        }
    }
}
