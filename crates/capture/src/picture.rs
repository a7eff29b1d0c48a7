//! A decoded picture: RGB bytes that are wiped when dropped, and the way from a JPEG or PNG file to one.
//!
//! The header is read first and its size checked, so that a file that declares more than the limits costs nothing.

use std::fmt;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use zeroize::{Zeroize, Zeroizing};

use crate::config::PictureLimits;
use crate::error::PictureError;

/// An upright picture: rows from the top, three bytes (red, green, blue) a pixel.
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Decodes a JPEG or PNG and turns it upright as its EXIF orientation says. Alpha is dropped, grey becomes RGB.
    ///
    /// # Errors
    /// Too large, of another format, or damaged; a picture that breaks off is damaged, never half a picture.
    pub fn decode(bytes: &[u8], limits: &PictureLimits) -> Result<Picture, PictureError> {
        if bytes.len() > limits.bytes_max {
            return Err(PictureError::TooManyBytes);
        }
        let format = image::guess_format(bytes).map_err(|_| PictureError::Unsupported)?;
        if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png) {
            return Err(PictureError::Unsupported);
        }
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut decoder_limits = Limits::default();
        // Three times the largest picture at 8 bytes a pixel is more than any decoder here asks for.
        decoder_limits.max_alloc = Some(limits.pixels_max.saturating_mul(24));
        reader.limits(decoder_limits);
        let mut decoder = reader.into_decoder().map_err(unreadable)?;
        check_size(decoder.dimensions(), limits)?;
        if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
            return Err(PictureError::Damaged);
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let color = decoder.color_type();
        let (width, height) = decoder.dimensions();
        let size = usize::try_from(decoder.total_bytes()).map_err(|_| PictureError::TooManyPixels)?;
        let mut raw = Zeroizing::new(vec![0; size]);
        decoder.read_image(&mut raw).map_err(unreadable)?;
        let rgb = if color == ColorType::Rgb8 { std::mem::take(&mut *raw) } else { to_rgb(&raw, color)? };
        Ok(Picture { width: width as usize, height: height as usize, rgb }.upright(orientation))
    }

    /// A picture from rows of RGB bytes.
    ///
    /// # Panics
    /// When there are not exactly `width * height * 3` bytes, or none.
    pub fn from_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Picture {
        assert!(width > 0 && height > 0, "a picture has pixels");
        assert_eq!(rgb.len(), width * height * 3, "three bytes a pixel");
        Picture { width, height, rgb }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixel at column `x`, row `y`, as red, green, blue.
    ///
    /// # Panics
    /// When it lies outside.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Row `y` as RGB bytes.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        &self.rgb[y * self.width * 3..(y + 1) * self.width * 3]
    }

    /// Applies an EXIF orientation; the wrongly turned copy is wiped.
    fn upright(self, orientation: Orientation) -> Picture {
        if orientation == Orientation::NoTransforms {
            return self;
        }
        let (w, h) = (self.width, self.height);
        let turned = orientation.to_exif() >= 5;
        let (width, height) = if turned { (h, w) } else { (w, h) };
        let mut rgb = vec![0; self.rgb.len()];
        for y in 0..height {
            for x in 0..width {
                let (from_x, from_y) = match orientation {
                    Orientation::NoTransforms => (x, y),
                    Orientation::FlipHorizontal => (w - 1 - x, y),
                    Orientation::Rotate180 => (w - 1 - x, h - 1 - y),
                    Orientation::FlipVertical => (x, h - 1 - y),
                    Orientation::Rotate90FlipH => (y, x),
                    Orientation::Rotate90 => (y, h - 1 - x),
                    Orientation::Rotate270FlipH => (w - 1 - y, h - 1 - x),
                    Orientation::Rotate270 => (w - 1 - y, x),
                };
                rgb[(y * width + x) * 3..][..3].copy_from_slice(&self.pixel(from_x, from_y));
            }
        }
        Picture { width, height, rgb }
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.rgb.zeroize();
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{} [hidden])", self.width, self.height)
    }
}

fn check_size((width, height): (u32, u32), limits: &PictureLimits) -> Result<(), PictureError> {
    if width.max(height) > limits.side_px_max || u64::from(width) * u64::from(height) > limits.pixels_max {
        return Err(PictureError::TooManyPixels);
    }
    if width.min(height) < limits.side_px_min {
        return Err(PictureError::TooSmall);
    }
    Ok(())
}

fn unreadable(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooManyPixels,
        ImageError::Unsupported(_) => PictureError::Unsupported,
        _ => PictureError::Damaged,
    }
}

/// The decoder fills what is missing of a JPEG with grey. A whole one has its end marker (FF D9) after the start of its
/// last scan (FF DA); neither pair occurs inside compressed data (ITU-T T.81, B.1.1.2).
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xFF, marker]);
    match (last(0xDA), last(0xD9)) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}

/// Eight-bit RGB from whatever layout the decoder gives; the high byte stands for a 16-bit channel.
fn to_rgb(raw: &[u8], color: ColorType) -> Result<Vec<u8>, PictureError> {
    let high = usize::from(cfg!(target_endian = "little"));
    let (stride, channels) = match color {
        ColorType::L8 => (1, [0, 0, 0]),
        ColorType::La8 => (2, [0, 0, 0]),
        ColorType::Rgb8 => (3, [0, 1, 2]),
        ColorType::Rgba8 => (4, [0, 1, 2]),
        ColorType::L16 => (2, [high; 3]),
        ColorType::La16 => (4, [high; 3]),
        ColorType::Rgb16 => (6, [high, 2 + high, 4 + high]),
        ColorType::Rgba16 => (8, [high, 2 + high, 4 + high]),
        _ => return Err(PictureError::Unsupported),
    };
    let mut rgb = Vec::with_capacity(raw.len() / stride * 3);
    for pixel in raw.chunks_exact(stride) {
        rgb.extend(channels.map(|channel| pixel[channel]));
    }
    Ok(rgb)
}
