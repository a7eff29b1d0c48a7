//! The models of the face path, and the folding of their block-quantised weights to fp32.
//!
//! Two of the files come with int8 weights and one fp32 scale for each block of 64 (ONNX opset 21, DequantizeLinear
//! with `block_size`), which the runtime does not read. [`fold`] multiplies them out once, at set-up.

mod fold;
mod onnx;
#[cfg(test)]
mod tests;

pub use fold::{InputSize, fold};

/// One model file as a registry package ships it, and what set-up makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFile {
    /// What it is for.
    pub role: &'static str,
    /// Its name in `var/models/source/`.
    pub source: &'static str,
    /// SHA-256 of that file, in lower-case hexadecimal.
    pub source_sha256: &'static str,
    /// Its name in `var/models/` after set-up.
    pub folded: &'static str,
    /// Which sizes of input the folded file takes.
    pub input: InputSize,
}

/// The four models, in the order detector, recogniser, liveness, eyes. Sources: `docs/capture.md`.
pub const MODEL_FILES: [ModelFile; 4] = [
    ModelFile {
        role: "detector",
        source: "face_detection_yunet_2023mar_int8bq.onnx",
        source_sha256: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        folded: "detector.onnx",
        input: InputSize::Any,
    },
    ModelFile {
        role: "recogniser",
        source: "face_recognition_sface_2021dec_int8bq.onnx",
        source_sha256: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        folded: "recogniser.onnx",
        input: InputSize::AsDeclared,
    },
    ModelFile {
        role: "liveness",
        source: "fr_liveness.onnx",
        source_sha256: "afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d",
        folded: "liveness.onnx",
        input: InputSize::AsDeclared,
    },
    ModelFile {
        role: "eyes",
        source: "fr_eye.onnx",
        source_sha256: "1afcea006abc1ccac3c517022abde0aa092bed74ff3c9fe6878483ef9e6e38de",
        folded: "eyes.onnx",
        input: InputSize::AsDeclared,
    },
];
