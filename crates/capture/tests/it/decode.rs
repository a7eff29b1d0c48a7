//! Decoding: what is accepted, what is refused and at what cost.

use std::io::Cursor;

use capture::config::{CaptureConfig, PictureLimits};
use capture::error::PictureError;
use capture::picture::Picture;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, RgbImage};
use proptest::prelude::*;

use crate::world::portrait;

fn limits() -> PictureLimits {
    CaptureConfig::default().picture
}

/// 96 x 64 pixels in four quarters: red, green, blue, white.
fn quarters() -> DynamicImage {
    let colour = |x, y| match (x < 48, y < 32) {
        (true, true) => image::Rgb([255, 0, 0]),
        (false, true) => image::Rgb([0, 255, 0]),
        (true, false) => image::Rgb([0, 0, 255]),
        (false, false) => image::Rgb([255, 255, 255]),
    };
    DynamicImage::ImageRgb8(RgbImage::from_fn(96, 64, colour))
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("encoding to memory");
    bytes.into_inner()
}

fn jpeg_turned(orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&quarters()).expect("encoding to memory");
    // An APP1 segment after the start marker: "Exif", then a little-endian TIFF with one directory of one entry, tag
    // 0x0112 (orientation), type 3 (short), count 1.
    let exif = [b"Exif\0\0II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat();
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    let segment = [&[0xFF, 0xE1], &length[..], &exif].concat();
    bytes.splice(2..2, segment);
    bytes
}

/// The quarters' letters from the top left, row by row.
fn letters(picture: &Picture) -> String {
    let (right, bottom) = (picture.width() - 12, picture.height() - 12);
    let letter = |(x, y)| match picture.pixel(x, y).map(|value| value > 127) {
        [true, false, false] => 'R',
        [false, true, false] => 'G',
        [false, false, true] => 'B',
        [true, true, true] => 'W',
        _ => '?',
    };
    [(12, 12), (right, 12), (12, bottom), (right, bottom)].map(letter).iter().collect()
}

#[test]
fn orientation() {
    // As ITU-T T.871 / EXIF 2.3 number them: where the first row and the first column of the stored picture belong.
    for (orientation, size, expected) in [
        (1, (96, 64), "RGBW"),
        (2, (96, 64), "GRWB"),
        (3, (96, 64), "WBGR"),
        (4, (96, 64), "BWRG"),
        (5, (64, 96), "RBGW"),
        (6, (64, 96), "BRWG"),
        (7, (64, 96), "WGBR"),
        (8, (64, 96), "GWRB"),
    ] {
        let picture = Picture::decode(&jpeg_turned(orientation), &limits()).expect("a sound picture");
        assert_eq!((picture.width(), picture.height()), size, "orientation {orientation}");
        assert_eq!(letters(&picture), expected, "orientation {orientation}");
    }
}

#[test]
fn pixel_layouts() {
    let image = quarters();
    let grey = |picture: Picture| (picture.pixel(12, 12), picture.pixel(90, 60));
    for (image, expected) in [
        (image.clone(), ([255, 0, 0], [255, 255, 255])),
        (DynamicImage::ImageRgba8(image.to_rgba8()), ([255, 0, 0], [255, 255, 255])),
        (DynamicImage::ImageRgb16(image.to_rgb16()), ([255, 0, 0], [255, 255, 255])),
        (DynamicImage::ImageRgba16(image.to_rgba16()), ([255, 0, 0], [255, 255, 255])),
        (DynamicImage::ImageLuma8(image.to_luma8()), ([54, 54, 54], [255, 255, 255])),
        (DynamicImage::ImageLumaA8(image.to_luma_alpha8()), ([54, 54, 54], [255, 255, 255])),
        (DynamicImage::ImageLuma16(image.to_luma16()), ([54, 54, 54], [255, 255, 255])),
    ] {
        let picture = Picture::decode(&encoded(&image, ImageFormat::Png), &limits()).expect("a sound picture");
        assert_eq!(grey(picture), expected, "{:?}", image.color());
    }
}

fn check(bytes: &[u8], limits: &PictureLimits, expected: PictureError) {
    let found = Picture::decode(bytes, limits).err();
    assert_eq!(found, Some(expected));
}

#[test]
fn refusals() {
    let jpeg = jpeg_turned(1);
    let png = encoded(&quarters(), ImageFormat::Png);
    check(b"", &limits(), PictureError::Unsupported);
    check(b"GIF89a and so on", &limits(), PictureError::Unsupported);
    check(&jpeg[..jpeg.len() / 2], &limits(), PictureError::Damaged);
    check(&jpeg[..jpeg.len() - 2], &limits(), PictureError::Damaged);
    check(&png[..png.len() / 2], &limits(), PictureError::Damaged);
    check(&jpeg[..3], &limits(), PictureError::Damaged);
    check(&png[..8], &limits(), PictureError::Damaged);
    check(&jpeg, &PictureLimits { bytes_max: jpeg.len() - 1, ..limits() }, PictureError::TooManyBytes);
    check(&jpeg, &PictureLimits { side_px_max: 95, ..limits() }, PictureError::TooManyPixels);
    check(&jpeg, &PictureLimits { pixels_max: 96 * 64 - 1, ..limits() }, PictureError::TooManyPixels);
    check(&jpeg, &PictureLimits { side_px_min: 65, ..limits() }, PictureError::TooSmall);
    let exactly = PictureLimits { bytes_max: jpeg.len(), side_px_max: 96, pixels_max: 96 * 64, side_px_min: 64 };
    assert!(Picture::decode(&jpeg, &exactly).is_ok());
}

/// A PNG whose header declares a size and whose checksum is right, followed by a few bytes of pixels.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut png = encoded(&quarters(), ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

/// CRC-32 as PNG uses it (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[test]
fn bombs_cost_nothing() {
    for (width, height) in [(60_000, 60_000), (u32::MAX >> 1, u32::MAX >> 1), (8_193, 64), (64, 8_193), (8_000, 8_000)] {
        check(&png_header(width, height), &limits(), PictureError::TooManyPixels);
    }
    // A size within the limits, but without the pixels that it declares.
    check(&png_header(4_000, 4_000), &limits(), PictureError::Damaged);
    // A JPEG frame header (SOF0: FF C0, length, precision, height, width) of the largest size that it can declare.
    let mut jpeg = jpeg_turned(1);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("a baseline frame");
    jpeg[frame + 5..frame + 9].fill(0xFF);
    check(&jpeg, &limits(), PictureError::TooManyPixels);
}

#[test]
fn debug_shows_no_pixel() {
    let picture = Picture::decode(&jpeg_turned(1), &limits()).expect("a sound picture");
    assert_eq!(format!("{picture:?}"), "Picture(96x64 [hidden])");
}

#[test]
fn a_real_portrait_that_breaks_off() {
    for name in ["biden.jpg", "32bit.png"] {
        let Some(bytes) = portrait(name) else { return };
        for part in 1..20 {
            check(&bytes[..bytes.len() * part / 20], &limits(), PictureError::Damaged);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(0u8.., 0..400), start in 0usize..3) {
        let signatures: [&[u8]; 3] = [b"", b"\xFF\xD8\xFF\xE0", b"\x89PNG\r\n\x1A\n"];
        let bytes = [signatures[start], &bytes].concat();
        prop_assert!(Picture::decode(&bytes, &limits()).is_err());
    }

    #[test]
    fn damaged_pictures_never_panic(png in any::<bool>(), damage in proptest::collection::vec((0usize..4_000, 0u8..), 1..8)) {
        let mut bytes = if png { encoded(&quarters(), ImageFormat::Png) } else { jpeg_turned(6) };
        let length = bytes.len();
        for (at, byte) in damage {
            bytes[at % length] = byte;
        }
        if let Ok(picture) = Picture::decode(&bytes, &limits()) {
            let (width, height) = (picture.width() as u64, picture.height() as u64);
            prop_assert!(width * height <= limits().pixels_max);
            picture.pixel(picture.width() - 1, picture.height() - 1);
        }
    }
}
