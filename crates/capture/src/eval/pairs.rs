//! The pairs file of a verification protocol, in the format of Labeled Faces in the Wild.
//!
//! One comparison a line: `name i j` compares two pictures of one person, `name i name j` pictures of two people.
//! Fields are separated by tabs or spaces. A first line of two numbers, or one, says how many folds there are and how
//! many pairs of each kind each has; the folds then follow one another, genuine pairs first.

use crate::error::CaptureError;

/// One picture: whose, and which of theirs, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureName {
    /// The folder's name.
    pub person: String,
    /// The number in the file's name.
    pub number: u32,
}

/// Two pictures to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// One.
    pub first: PictureName,
    /// The other.
    pub second: PictureName,
    /// The part of the protocol that it belongs to.
    pub fold: usize,
}

impl Pair {
    /// Whether both pictures are of one person.
    pub fn genuine(&self) -> bool {
        self.first.person == self.second.person
    }
}

/// Folds that are made when the file does not say: pairs are dealt out in turn, each kind for itself.
const FOLDS: usize = 10;

/// Reads a pairs file.
///
/// # Errors
/// The first line that is not a pair, by its number.
pub fn parse(text: &str) -> Result<Vec<Pair>, CaptureError> {
    let mut pairs = Vec::new();
    let mut per_fold: Option<usize> = None;
    let mut dealt = [0usize; 2];
    for (index, line) in text.lines().enumerate() {
        let malformed = |reason| CaptureError::Pairs { line: index + 1, reason };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |field: &str| field.parse::<u32>().map_err(|_| malformed("a picture's number is no number"));
        let (first, second) = match fields[..] {
            [] => continue,
            [_] | [_, _] if index == 0 => {
                per_fold = Some(header(&fields).ok_or(malformed("the first line is neither a header nor a pair"))?);
                continue;
            }
            [name, i, j] => ((name, number(i)?), (name, number(j)?)),
            [name, i, other, j] if name != other => ((name, number(i)?), (other, number(j)?)),
            [_, _, _, _] => return Err(malformed("a pair of two people names the same person twice")),
            _ => return Err(malformed("a pair is `name i j` or `name i name j`")),
        };
        let picture = |(person, number): (&str, u32)| PictureName { person: person.to_owned(), number };
        let mut pair = Pair { first: picture(first), second: picture(second), fold: 0 };
        let kind = usize::from(pair.genuine());
        pair.fold = match per_fold {
            Some(count) => pairs.len() / (2 * count),
            None => dealt[kind] % FOLDS,
        };
        dealt[kind] += 1;
        pairs.push(pair);
    }
    Ok(pairs)
}

/// Pairs of each kind in a fold, from a header `folds pairs` or `pairs`.
fn header(fields: &[&str]) -> Option<usize> {
    let numbers: Vec<usize> = fields.iter().map(|field| field.parse().ok()).collect::<Option<_>>()?;
    numbers.last().copied().filter(|count| *count > 0)
}
