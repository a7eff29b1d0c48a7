//! The operating system's randomness, asked for a page at a time: each question costs as much as many bytes.

use std::cell::RefCell;
use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use zeroize::{Zeroize, Zeroizing};

const PAGE_LEN: usize = 1024;

/// What this thread has of it. Bytes that were handed out are wiped; a process here never forks, so that no two have the same.
struct Page {
    bytes: Zeroizing<[u8; PAGE_LEN]>,
    used: usize,
}

thread_local! {
    static PAGE: RefCell<Page> = RefCell::new(Page { bytes: Zeroizing::new([0; PAGE_LEN]), used: PAGE_LEN });
}

/// The operating system's randomness.
///
/// # Panics
/// When asked, if the system has none to give: nothing can be done safely then.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRng;

impl SystemRng {
    fn bytes<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        fill(&mut bytes);
        bytes
    }
}

impl TryRng for SystemRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(Self::bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(Self::bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        fill(out);
        Ok(())
    }
}

impl TryCryptoRng for SystemRng {}

fn fill(out: &mut [u8]) {
    PAGE.with_borrow_mut(|page| {
        for piece in out.chunks_mut(PAGE_LEN) {
            if PAGE_LEN - page.used < piece.len() {
                getrandom::fill(&mut *page.bytes).expect("the operating system gives randomness");
                page.used = 0;
            }
            let given = &mut page.bytes[page.used..][..piece.len()];
            piece.copy_from_slice(given);
            given.zeroize();
            page.used += piece.len();
        }
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_core::Rng;

    use super::*;

    #[test]
    fn nothing_comes_twice_on_any_thread_and_long_pieces_are_whole() {
        let draw = || (0..1_000).map(|_| SystemRng::bytes::<16>()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let drawn: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("draws")).collect();
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 4_000);
        let mut long = [0; 3 * PAGE_LEN + 100];
        SystemRng.fill_bytes(&mut long);
        for piece in long.chunks(16) {
            assert!(piece.iter().any(|byte| *byte != 0), "16 zeros come once in 2^128");
        }
    }
}
