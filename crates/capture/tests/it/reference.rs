//! Agreement with the reference runtime (`scripts/reference_outputs.py`), which runs the models as they are shipped.

use std::sync::Arc;

use capture::config::CaptureConfig;
use capture::face::Network;
use capture::models::{MODEL_FILES, fold};
use capture::picture::Picture;
use rten::ThreadPool;

use crate::world::{archive, model, portrait, reference, source};

/// Largest difference of any output of a network. 5e-6 was measured when the runtime was chosen
/// (`docs/capture.md`).
const NETWORK_TOLERANCE: f64 = 1e-5;
/// Largest difference of any number of an embedding at the end of the whole path, where every step adds its rounding.
const PATH_TOLERANCE: f64 = 1e-4;

/// One model, its outputs, the shape of its input and where on the portrait the input is picked.
struct Case {
    role: &'static str,
    model: usize,
    outputs: &'static [&'static str],
    channels: usize,
    sequence: [usize; 2],
    /// Left, top, step and side of the square.
    picked: [usize; 4],
}

const DETECTOR_OUTPUTS: [&str; 12] =
    ["cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"];

const CASES: [Case; 4] = [
    Case { role: "detector", model: 0, outputs: &DETECTOR_OUTPUTS, channels: 3, sequence: [96, 160], picked: [0, 0, 2, 288] },
    Case { role: "recogniser", model: 1, outputs: &["fc1"], channels: 3, sequence: [112, 112], picked: [180, 290, 3, 112] },
    Case { role: "liveness", model: 2, outputs: &["output"], channels: 3, sequence: [128, 128], picked: [0, 200, 4, 128] },
    Case { role: "eyes", model: 3, outputs: &["output"], channels: 1, sequence: [24, 24], picked: [250, 380, 3, 24] },
];

/// Every step-th pixel of a square, channel by channel; green alone where there is one channel.
fn picked(picture: &Picture, case: &Case) -> Vec<f32> {
    let [left, top, step, side] = case.picked;
    let value = |channel: usize, y: usize, x: usize| f32::from(picture.pixel(left + step * x, top + step * y)[channel]);
    let plane = |channel: usize| (0..side * side).map(move |at| value(channel, at / side, at % side));
    match case.channels {
        1 => plane(1).collect(),
        _ => (0..3).flat_map(plane).collect(),
    }
}

/// The same numbers as the reference script's: a linear congruential generator, high byte.
fn sequence(length: usize) -> Vec<f32> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as f32
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn largest_difference(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(ours, theirs)| (f64::from(*ours) - theirs).abs()).fold(0.0, f64::max)
}

#[test]
fn every_network() {
    let (Some(reference), Some(png)) = (reference(), portrait("32bit.png")) else { return };
    let picture = Picture::decode(&png, &CaptureConfig::default().picture).expect("a sound picture");
    let threads = Arc::new(ThreadPool::with_num_threads(2));
    for case in &CASES {
        let Some(bytes) = model(case.model) else { return };
        let network = Network::load(case.role, &bytes, case.outputs, &threads).expect("the expected model");
        let [height, width] = case.sequence;
        let side = case.picked[3];
        for (kind, input, shape) in [
            ("picture", picked(&picture, case), [1, case.channels, side, side]),
            ("sequence", sequence(case.channels * height * width), [1, case.channels, height, width]),
        ] {
            let scale = if case.role == "eyes" { 1.0 / 255.0 } else { 1.0 };
            let input: Vec<f32> = input.iter().map(|value| value * scale).collect();
            let answers = network.run(&input, shape);
            for (name, answer) in case.outputs.iter().zip(&answers) {
                let theirs = numbers(&reference[format!("{}_{kind}", case.role)][*name]);
                let difference = largest_difference(answer, &theirs);
                println!("{} {kind} {name}: {} numbers, largest difference {difference:.1e}", case.role, theirs.len());
                assert!(difference <= NETWORK_TOLERANCE, "{} {kind} {name}: {difference}", case.role);
            }
        }
    }
}

/// From the bytes of a picture to the embedding, against a second implementation in another language.
#[test]
fn the_whole_path() {
    let (Some(reference), Some(png), Some(engine)) = (reference(), portrait("32bit.png"), archive()) else { return };
    let look = engine.look(&png).expect("a face");
    let path = &reference["path"];
    let face_box = [look.face_box.x, look.face_box.y, look.face_box.width, look.face_box.height];
    let difference = largest_difference(&face_box, &numbers(&path["box"]));
    assert!(difference < 0.01, "the box differs by {difference} pixels");
    let difference = largest_difference(look.embedding.values(), &numbers(&path["embedding"]));
    println!("embedding: largest difference {difference:.1e}");
    assert!(difference <= PATH_TOLERANCE, "the embedding differs by {difference}");
}

/// Folding the files as they are shipped gives the files that are loaded, byte for byte.
#[test]
fn folded_files() {
    for (index, file) in MODEL_FILES.iter().enumerate() {
        let (Some(source), Some(folded)) = (source(file), model(index)) else { return };
        assert!(fold(&source, file.input).expect("the model is sound") == folded, "{} is not what {} folds to", file.folded, file.source);
    }
}
