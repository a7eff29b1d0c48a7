//! Finding the first change after which the parties' logs differ. Each root is a hash over the one before and the change, so
//! that once two logs differ they differ for ever: halving finds the place in some twenty questions among a million changes.

use crate::run::Failure;

/// The first of the changes 1 to `last` whose roots are not all the same, if there is one. `differs` says it of one change.
pub async fn first_difference(last: u64, mut differs: impl AsyncFnMut(u64) -> Result<bool, Failure>) -> Result<Option<u64>, Failure> {
    if last == 0 || !differs(last).await? {
        return Ok(None);
    }
    // Alike up to `alike`, different from `different` on.
    let (mut alike, mut different) = (0, last);
    while different - alike > 1 {
        let middle = alike + (different - alike) / 2;
        if differs(middle).await? {
            different = middle;
        } else {
            alike = middle;
        }
    }
    Ok(Some(different))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_difference_is_found_wherever_it_is() {
        for last in [0, 1, 2, 3, 17, 1_000_000] {
            for first in [None, Some(1), Some(2), Some(9), Some(last / 2 + 1), Some(last)] {
                let mut questions = 0;
                let differs = async |sequence| {
                    questions += 1;
                    Ok(first.is_some_and(|first| sequence >= first))
                };
                let expected = first.filter(|first| *first <= last && last > 0);
                assert_eq!(first_difference(last, differs).await.expect("answers"), expected.map(|first| first.max(1)), "{last} {first:?}");
                assert!(questions <= 22, "{questions}");
            }
        }
    }
}
