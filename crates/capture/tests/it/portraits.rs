//! Looks at real pictures: who is alike, what is refused and why.

use capture::config::CaptureConfig;
use capture::error::CaptureError;
use capture::face::{FaceBox, Look, LookRefusal};
use capture::picture::Picture;

use crate::world::{archive, engine_with, paint, portrait, till};

const ONE_MAN: [&str; 4] = ["obama.jpg", "obama2.jpg", "obama3.jpg", "32bit.png"];
const ANOTHER: &str = "biden.jpg";

fn decoded(name: &str) -> Option<Picture> {
    Some(Picture::decode(&portrait(name)?, &CaptureConfig::default().picture).expect("a sound picture"))
}

/// Ranges measured when the models were chosen: 0.67 to 0.90 within, 0.08 to 0.28 across; 32bit.png is
/// obama2.jpg. Ours differ by a few hundredths because large faces are averaged when they are shrunk, not sampled.
#[test]
fn alike_and_unlike() {
    let Some(engine) = till() else { return };
    let mut looks: Vec<(&str, Look)> = Vec::new();
    for name in ONE_MAN.into_iter().chain([ANOTHER]) {
        let Some(bytes) = portrait(name) else { return };
        looks.push((name, engine.look(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))));
    }
    for (index, (name, look)) in looks.iter().enumerate() {
        assert!(look.liveness >= 0.5, "{name} is a photograph of a live man: {}", look.liveness);
        for (other_name, other) in &looks[..index] {
            let cosine = look.embedding.cosine(&other.embedding);
            let range = match (*name, *other_name) {
                ("32bit.png", "obama2.jpg") => 0.99..=1.0,
                (ANOTHER, _) => 0.05..=0.30,
                _ => 0.65..=0.92,
            };
            println!("{name} {other_name}: {cosine:.3}");
            assert!(range.contains(&cosine), "{name} {other_name}: {cosine} is not in {range:?}");
            let score = f64::from(look.embedding.quantise().score(&other.embedding.quantise()));
            assert!((score / 127.0 / 127.0 - cosine).abs() < 0.01, "{name} {other_name}: {score} for {cosine}");
        }
    }
}

#[test]
fn templates() {
    let (Some(engine), Some(other)) = (till(), portrait(ANOTHER)) else { return };
    let look = |name| engine.look(&portrait(name).expect("fetched with the others")).expect("a face");
    let looks: Vec<Look> = ONE_MAN[..3].iter().map(|name| look(name)).collect();
    let template = engine.template(&looks).expect("one man");
    let norm = template.values().iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    assert!((norm - 127.0).abs() < 2.0, "the norm is {norm}");
    assert!(looks.iter().all(|look| look.embedding.quantise().score(&template) > 13_000));
    let stranger = engine.look(&other).expect("a face");
    assert!(stranger.embedding.quantise().score(&template) < 5_000);
    let mixed = [looks[0].clone(), stranger];
    assert_eq!(engine.template(&mixed).err(), Some(LookRefusal::FacesDiffer));
}

fn check(picture: &Picture, expected: LookRefusal) {
    let Some(engine) = till() else { return };
    assert_eq!(engine.look_at(picture).err(), Some(expected));
}

/// The portrait in the middle of a larger, grey picture.
fn placed(portrait: &Picture, size: [usize; 2], left: usize, top: usize) -> Picture {
    paint(size[0], size[1], |x, y| {
        let inside = (left..left + portrait.width()).contains(&x) && (top..top + portrait.height()).contains(&y);
        if inside { portrait.pixel(x - left, y - top) } else { [128; 3] }
    })
}

fn brightened(portrait: &Picture, factor: f32) -> Picture {
    let lit = |value: u8| (f32::from(value) * factor).min(255.0) as u8;
    paint(portrait.width(), portrait.height(), |x, y| portrait.pixel(x, y).map(lit))
}

/// A box blur, along x and then along y.
fn blurred(portrait: &Picture, radius: usize) -> Picture {
    let (width, height) = (portrait.width(), portrait.height());
    let mean = |values: &mut dyn Iterator<Item = [u8; 3]>| {
        let (mut sum, mut count) = ([0u32; 3], 0);
        for value in values {
            (0..3).for_each(|channel| sum[channel] += u32::from(value[channel]));
            count += 1;
        }
        sum.map(|value| (value / count) as u8)
    };
    let around = |at: usize, end: usize| at.saturating_sub(radius)..(at + radius + 1).min(end);
    let across = paint(width, height, |x, y| mean(&mut around(x, width).map(|x| portrait.pixel(x, y))));
    paint(width, height, |x, y| mean(&mut around(y, height).map(|y| across.pixel(x, y))))
}

#[test]
fn one_reason_for_each_bad_picture() {
    let (Some(man), Some(other)) = (decoded("obama.jpg"), decoded("obama2.jpg")) else { return };
    check(&paint(640, 480, |x, y| [(x % 256) as u8, (y % 256) as u8, 90]), LookRefusal::NoFace);
    check(&placed(&man, [3_000, 1_200], 2_000, 30), LookRefusal::FaceOffCentre);
    check(&placed(&man, [5_000, 5_000], 2_000, 2_000), LookRefusal::FaceTooSmall);
    let both = paint(2_136, 1_137, |x, y| match x {
        300..1_210 => man.pixel(x - 300, y),
        1_210..1_836 => other.pixel(x - 1_210, y),
        _ => [128; 3],
    });
    check(&both, LookRefusal::SeveralFaces);
    check(&brightened(&man, 0.1), LookRefusal::TooDark);
    check(&brightened(&man, 2.5), LookRefusal::TooBright);
    check(&blurred(&man, 12), LookRefusal::Blurred);
}

/// A man behind dark glasses that are painted on.
#[test]
fn covered_eyes() {
    let (Some(man), Some(engine)) = (decoded("obama2.jpg"), archive()) else { return };
    let faces = engine.faces(&man);
    let [left, right, ..] = faces[0].points;
    let distance = (right[0] - left[0]).hypot(right[1] - left[1]);
    let covered = paint(man.width(), man.height(), |x, y| {
        let near = |eye: [f32; 2]| (x as f32 - eye[0]).hypot((y as f32 - eye[1]) * 1.4) < distance * 0.42;
        if near(left) || near(right) { [25, 25, 28] } else { man.pixel(x, y) }
    });
    check(&covered, LookRefusal::EyesNotVisible);
}

/// A bystander beside the zone and somebody small behind do not count.
#[test]
fn others_do_not_count() {
    let (Some(engine), Some(man), Some(other)) = (till(), decoded("obama.jpg"), decoded("obama2.jpg")) else { return };
    let alone = engine.look_at(&man).expect("a face");
    let crowd = paint(3_000, 1_137, |x, y| match x {
        0..626 => other.pixel(x, y),
        1_045..1_955 => man.pixel(x - 1_045, y),
        _ => [128; 3],
    });
    let found = engine.look_at(&crowd).expect("one face in the zone");
    assert!(found.embedding.cosine(&alone.embedding) > 0.9, "the man in the middle was looked at");
}

/// Liveness refuses where it is enforced and is reported where it is not.
#[test]
fn liveness_is_enforced_at_the_till_only() {
    let strict = CaptureConfig { liveness_min: 1.1, ..CaptureConfig::default() };
    let archive = CaptureConfig { liveness_min: 1.1, ..CaptureConfig::archive_photograph() };
    let (Some(strict), Some(archive), Some(bytes)) = (engine_with(strict), engine_with(archive), portrait(ANOTHER)) else {
        return;
    };
    assert_eq!(strict.look(&bytes).err(), Some(CaptureError::Refused(LookRefusal::NotLive)));
    assert!((0.0..=1.0).contains(&archive.look(&bytes).expect("a face").liveness));
}

#[test]
fn nothing_of_a_face_is_printed() {
    let (Some(engine), Some(bytes)) = (till(), portrait(ANOTHER)) else { return };
    let look = engine.look(&bytes).expect("a face");
    let template = engine.template(std::slice::from_ref(&look)).expect("one look");
    let printed = format!("{look:?} {template:?}");
    assert!(printed.contains("Embedding([hidden])") && printed.contains("Template([hidden])"));
    let shown = |text: String| printed.contains(&text);
    assert!(!look.embedding.values().iter().any(|value| shown(format!("{value}"))));
}

/// The portrait's face with `margin` face sizes around it, inside a rim of another colour, in front of a wall; the face
/// is 200 pixels wide in a picture of 1280 x 960.
fn held_out(portrait: &Picture, face: FaceBox, margin: f32, rim: f32, rim_colour: [u8; 3]) -> Picture {
    let scale = face.width / 200.0;
    let left = (face.x - margin * face.width).max(0.0);
    let top = (face.y - margin * face.height).max(0.0);
    let right = (face.x + (1.0 + margin) * face.width).min(portrait.width() as f32 - 1.0);
    let bottom = (face.y + (1.0 + margin) * face.height).min(portrait.height() as f32 - 1.0);
    let (half_width, half_height) = ((right - left) / scale / 2.0, (bottom - top) / scale / 2.0);
    paint(1_280, 960, |x, y| {
        let (from_middle_x, from_middle_y) = (x as f32 - 640.0, y as f32 - 480.0);
        let beyond = (from_middle_x.abs() - half_width).max(from_middle_y.abs() - half_height);
        if beyond < 0.0 {
            let pixel = [left + (from_middle_x + half_width) * scale, top + (from_middle_y + half_height) * scale];
            portrait.pixel(pixel[0] as usize, pixel[1] as usize)
        } else if beyond < 200.0 * rim {
            rim_colour
        } else {
            [170 - (y / 12) as u8, 160, 150]
        }
    })
}

/// Synthetic, and only what the model does stop: a tablet and two kinds of print held out at arm's length. What it does
/// not stop is in `docs/capture.md`.
#[test]
fn pictures_held_out_are_not_live() {
    let Some(archive) = archive() else { return };
    for name in ["obama.jpg", "obama2.jpg", "obama3.jpg", ANOTHER] {
        let Some(portrait) = decoded(name) else { return };
        let face = archive.faces(&portrait)[0].face_box;
        for (margin, rim, rim_colour) in [(0.6, 0.1, [12, 12, 14]), (0.3, 0.08, [235, 235, 230]), (0.15, 0.0, [0; 3])] {
            check(&held_out(&portrait, face, margin, rim, rim_colour), LookRefusal::NotLive);
        }
    }
}
