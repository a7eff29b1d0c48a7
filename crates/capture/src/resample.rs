//! Resampling: parts of a picture as planes of floats, the form in which models take them.
//!
//! All planes are channel by channel (red, green, blue), rows from the top, values 0..=255, and wiped when dropped.

use zeroize::Zeroizing;

use crate::picture::Picture;

/// Three planes of floats, one after the other.
pub(crate) type Planes = Zeroizing<Vec<f32>>;

/// A map from output to picture coordinates that keeps shapes: rotation, scale and shift. Pixel centres are whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    /// Scale times the cosine of the rotation.
    pub a: f32,
    /// Scale times the sine of the rotation.
    pub b: f32,
    /// Shift along x.
    pub x: f32,
    /// Shift along y.
    pub y: f32,
}

impl Similarity {
    /// Where a point goes.
    pub fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [self.a * x - self.b * y + self.x, self.b * x + self.a * y + self.y]
    }

    /// How many picture pixels one output pixel spans.
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }
}

/// A rectangle of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rectangle {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

/// The picture shrunk to `width` x `height` by averaging areas, in the top left corner of planes of
/// `padded_width` x `padded_height` that are black elsewhere.
pub(crate) fn shrink(picture: &Picture, [width, height]: [usize; 2], [padded_width, padded_height]: [usize; 2]) -> Planes {
    assert!(width <= picture.width() && height <= picture.height(), "only shrinks");
    assert!(width <= padded_width && height <= padded_height, "padding does not crop");
    let plane = padded_width * padded_height;
    let mut planes: Planes = Zeroizing::new(vec![0.0; plane * 3]);
    let columns = spans(picture.width(), width);
    let rows = spans(picture.height(), height);
    let mut line = Zeroizing::new(vec![0.0f32; width * 3]);
    for (y, row_span) in rows.iter().enumerate() {
        for (source_y, row_weight) in row_span.weights() {
            shrink_row(picture.row(source_y), &columns, &mut line);
            for channel in 0..3 {
                let out = &mut planes[channel * plane + y * padded_width..][..width];
                for (x, value) in out.iter_mut().enumerate() {
                    *value += row_weight * line[x * 3 + channel];
                }
            }
        }
    }
    planes
}

/// The rectangle stretched to `width` x `height`, bilinear between pixel centres, edges repeated, nothing averaged.
pub(crate) fn stretch(picture: &Picture, rectangle: Rectangle, [width, height]: [usize; 2]) -> Planes {
    let plane = width * height;
    let mut planes: Planes = Zeroizing::new(vec![0.0; plane * 3]);
    let step_x = rectangle.width as f32 / width as f32;
    let step_y = rectangle.height as f32 / height as f32;
    for y in 0..height {
        let from_y = ((y as f32 + 0.5) * step_y - 0.5).clamp(0.0, (rectangle.height - 1) as f32);
        for x in 0..width {
            let from_x = ((x as f32 + 0.5) * step_x - 0.5).clamp(0.0, (rectangle.width - 1) as f32);
            let value = bilinear(picture, [rectangle.x as f32 + from_x, rectangle.y as f32 + from_y]);
            for channel in 0..3 {
                planes[channel * plane + y * width + x] = value[channel];
            }
        }
    }
    planes
}

/// The `size` x `size` patch that `to_picture` maps onto the picture; black outside it. Where the picture is shrunk
/// by more than half, each output pixel is the mean of a grid of samples, so that fine texture does not alias.
pub(crate) fn warp(picture: &Picture, to_picture: &Similarity, size: usize) -> Planes {
    let plane = size * size;
    let mut planes: Planes = Zeroizing::new(vec![0.0; plane * 3]);
    let grid = (to_picture.scale().round() as usize).clamp(1, 8);
    let share = 1.0 / (grid * grid) as f32;
    let offset = |at: usize| (at as f32 + 0.5) / grid as f32 - 0.5;
    for y in 0..size {
        for x in 0..size {
            let mut sum = [0.0f32; 3];
            for sample in 0..grid * grid {
                let point = [x as f32 + offset(sample % grid), y as f32 + offset(sample / grid)];
                let value = bilinear(picture, to_picture.apply(point));
                for channel in 0..3 {
                    sum[channel] += value[channel];
                }
            }
            for channel in 0..3 {
                planes[channel * plane + y * size + x] = sum[channel] * share;
            }
        }
    }
    planes
}

/// The picture at a point between pixels; pixels outside it are black.
fn bilinear(picture: &Picture, [x, y]: [f32; 2]) -> [f32; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, bottom_share) = (x - left, y - top);
    let mut sum = [0.0; 3];
    for (dx, dy, weight) in [
        (0, 0, (1.0 - right_share) * (1.0 - bottom_share)),
        (1, 0, right_share * (1.0 - bottom_share)),
        (0, 1, (1.0 - right_share) * bottom_share),
        (1, 1, right_share * bottom_share),
    ] {
        let (at_x, at_y) = (left as i64 + dx, top as i64 + dy);
        let (Ok(at_x), Ok(at_y)) = (usize::try_from(at_x), usize::try_from(at_y)) else { continue };
        if at_x < picture.width() && at_y < picture.height() {
            let pixel = picture.pixel(at_x, at_y);
            for channel in 0..3 {
                sum[channel] += weight * f32::from(pixel[channel]);
            }
        }
    }
    sum
}

/// The source pixels that one output pixel averages: the first and last only in part.
struct Span {
    first: usize,
    last: usize,
    first_weight: f32,
    inner_weight: f32,
    last_weight: f32,
}

impl Span {
    fn weights(&self) -> impl Iterator<Item = (usize, f32)> {
        (self.first..=self.last).map(|at| {
            let weight = match at {
                _ if at == self.first => self.first_weight,
                _ if at == self.last => self.last_weight,
                _ => self.inner_weight,
            };
            (at, weight)
        })
    }
}

fn spans(source: usize, target: usize) -> Vec<Span> {
    let step = source as f64 / target as f64;
    let span = |at: usize| {
        let (start, end) = (at as f64 * step, (at + 1) as f64 * step);
        let first = (start as usize).min(source - 1);
        let last = ((end.ceil() as usize).max(first + 1) - 1).min(source - 1);
        let covered = |pixel: usize| ((end.min(pixel as f64 + 1.0) - start.max(pixel as f64)) / step) as f32;
        Span { first, last, first_weight: covered(first), inner_weight: (1.0 / step) as f32, last_weight: covered(last) }
    };
    (0..target).map(span).collect()
}

fn shrink_row(row: &[u8], columns: &[Span], line: &mut [f32]) {
    for (out, span) in line.as_chunks_mut::<3>().0.iter_mut().zip(columns) {
        *out = [0.0; 3];
        for (x, weight) in span.weights() {
            for channel in 0..3 {
                out[channel] += weight * f32::from(row[x * 3 + channel]);
            }
        }
    }
}
