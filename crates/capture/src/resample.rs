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
    // Down first, then across: the long loop runs over whole rows of the picture.
    let mut line = Zeroizing::new(vec![0.0f32; picture.width() * 3]);
    for (y, row_span) in spans(picture.height(), height).iter().enumerate() {
        line.fill(0.0);
        for (source_y, weight) in row_span.weights() {
            for (total, value) in line.iter_mut().zip(picture.row(source_y)) {
                *total += weight * f32::from(*value);
            }
        }
        let pixels = line.as_chunks::<3>().0;
        for (x, column_span) in columns.iter().enumerate() {
            let mut sum = [0.0; 3];
            for (source_x, weight) in column_span.weights() {
                for channel in 0..3 {
                    sum[channel] += weight * pixels[source_x][channel];
                }
            }
            for channel in 0..3 {
                planes[channel * plane + y * padded_width + x] = sum[channel];
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
    let (across, down) = (x - left, y - top);
    // Casts saturate, so that points far outside stay outside.
    let (left, top) = (left as i32, top as i32);
    let [upper_left, upper_right] = two_pixels(picture, left, top);
    let [lower_left, lower_right] = two_pixels(picture, left, top.saturating_add(1));
    std::array::from_fn(|channel| {
        let upper = upper_left[channel] * (1.0 - across) + upper_right[channel] * across;
        let lower = lower_left[channel] * (1.0 - across) + lower_right[channel] * across;
        upper * (1.0 - down) + lower * down
    })
}

/// The pixel at column `x`, row `y` and its neighbour to the right; black where they lie outside.
fn two_pixels(picture: &Picture, x: i32, y: i32) -> [[f32; 3]; 2] {
    let Some(row) = usize::try_from(y).ok().filter(|y| *y < picture.height()).map(|y| picture.row(y)) else {
        return [[0.0; 3]; 2];
    };
    let pixels = row.as_chunks::<3>().0;
    [x, x.saturating_add(1)].map(|x| {
        let pixel = usize::try_from(x).ok().and_then(|x| pixels.get(x));
        pixel.map_or([0.0; 3], |pixel| pixel.map(f32::from))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose red is ten times the column, green ten times the row and blue 7.
    fn ramp(width: usize, height: usize) -> Picture {
        let pixel = |at: usize| [(at % width * 10) as u8, (at / width * 10) as u8, 7];
        Picture::from_rgb(width, height, (0..width * height).flat_map(pixel).collect())
    }

    fn check(planes: &[f32], expected: &[f32]) {
        assert_eq!(planes.len(), expected.len());
        for (index, (found, expected)) in planes.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-3, "at {index}: {found}, not {expected}");
        }
    }

    #[test]
    fn shrinking() {
        // 6 columns to 4: the first takes pixel 0 and half of 1, the second half of 1 and 2, and so on.
        check(&shrink(&ramp(6, 1), [4, 1], [4, 1])[..4], &[10.0 / 3.0, 50.0 / 3.0, 100.0 / 3.0, 140.0 / 3.0]);
        // Two by two to one, in the corner of two by one.
        check(&shrink(&ramp(2, 2), [1, 1], [2, 1]), &[5.0, 0.0, 5.0, 0.0, 7.0, 0.0]);
        // The same size: the picture itself.
        check(&shrink(&ramp(2, 2), [2, 2], [2, 2])[..8], &[0.0, 10.0, 0.0, 10.0, 0.0, 0.0, 10.0, 10.0]);
    }

    #[test]
    fn stretching() {
        let rectangle = Rectangle { x: 1, y: 0, width: 2, height: 1 };
        // Pixel centres of four columns lie at -0.25 (held at 0), 0.25, 0.75 and 1.25 (held at 1) of the two.
        check(&stretch(&ramp(4, 2), rectangle, [4, 1])[..4], &[10.0, 12.5, 17.5, 20.0]);
    }

    #[test]
    fn warping() {
        let shift = Similarity { a: 1.0, b: 0.0, x: 0.5, y: -1.0 };
        // The first row lies above the picture, the second is the picture's first, half a pixel to the right.
        check(&warp(&ramp(3, 3), &shift, 2)[..4], &[0.0, 0.0, 5.0, 15.0]);
        let quarter_turn = Similarity { a: 0.0, b: 1.0, x: 2.0, y: 0.0 };
        check(&warp(&ramp(3, 3), &quarter_turn, 2)[..8], &[20.0, 20.0, 10.0, 10.0, 0.0, 10.0, 0.0, 10.0]);
        // Twice as large: the mean of four samples is the mean of four pixels.
        let half = Similarity { a: 2.0, b: 0.0, x: 0.5, y: 0.5 };
        check(&warp(&ramp(4, 4), &half, 2)[..4], &[5.0, 25.0, 5.0, 25.0]);
        let far = Similarity { a: 1.0, b: 0.0, x: 1e30, y: -1e30 };
        assert_eq!(warp(&ramp(2, 2), &far, 1).as_slice(), [0.0; 3]);
    }
}
