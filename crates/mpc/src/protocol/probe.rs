//! Whether what a till handed out is a template: the shares fit together, every feature is small, the norm is a template's.
//!
//! Without this check a till can pick ring elements that are no template. Scores then wrap around 2^16 and are as good as
//! random, and a random score passes a threshold in one of three cases: it would be somebody.
//!
//! Source: bits by a carry-save adder and a prefix adder on replicated shares (Araki et al., CCS 2016; J. Sklansky,
//! "Conditional-sum addition logic", IRE Transactions 1960); the zero test by a random linear combination that is multiplied
//! with a secret random factor before it is opened is in Chida et al., CRYPTO 2018.
//!
//! - In: party i's share of the template, over 32 bits, or of several templates, which cost the same rounds together
//!   ([`check_all`]). Out: nothing, or [`Error::ProbeInvalid`].
//! - What is tested, all modulo 2^32, from additive shares that each party computes on its own:
//!   1. every feature is in [-128, 127]: of `feature + 128` bits 8 to 31 are 0;
//!   2. the three shares lie on lines: the coefficients of X^2 are 0 in all 32 bits. A *bent* sharing may have a valid template
//!      at 0 and is still worth random scores, since a score is a value of the product of two lines;
//!   3. `NORM_SQUARED_MIN <= norm^2 <= NORM_SQUARED_MAX`: bit 31 of both differences is 0. With 1. the squared norm of up to
//!      1,024 features is at most 2^24, so it did not wrap.
//! - Algebra: reshare the additive shares; the bits of the three components are an XOR sharing of the first operand of an
//!   adder, their majority, one reshare, is the second ([`super::compare`]); a prefix adder gives all bits of the sums. Toss a
//!   coin; `t` is the XOR of a random element of GF(2^64) for each bit that must be 0 and is not; open `k t` with a shared
//!   random `k`. If all bits are 0 that is 0, else it is not, except with probability 2^-63.
//! - Rounds: [`ROUNDS`]. Bytes: [`bytes_sent`], 32 kB for 512 features.
//! - Leaks: one bit, whether the template is valid (of several: whether all of a batch are); `k t` is otherwise uniformly random.
//! - Holds against: a till that cheats while the parties follow the protocol; one party that follows the protocol and is
//!   curious. A party that adds errors in the adder can end the run, and whether it ends tells it one bit about one feature
//!   at most; with a till that it is in league with it can make an invalid probe pass. `docs/protocols/probe.md` has both.

use std::ops::Range;

use base::party::PartyId;

use super::boolean::{Bits, and, reshare, reveal};
use super::planes::{self, words_per_plane};
use super::reshare::reshare_32;
use super::{Session, coin};
use crate::error::Error;
use crate::field::Gf64;
use crate::kernel::Kernel;
use crate::prss::Stream;
use crate::share::{NORM_SQUARED_MAX, TemplateShare};

/// The smallest squared norm of a probe: a unit vector times 127, however it was rounded, is longer than 100.
pub const NORM_SQUARED_MIN: i32 = 10_000;

/// Added to a feature, it is not negative.
const FEATURE_OFFSET: u32 = 128;
/// Bits of a feature that is not negative.
const FEATURE_BITS: usize = 8;
/// Bits of a number here.
const BITS: usize = 32;
/// Levels of the prefix adder: places 0 to 29 have a carry out that matters.
const LEVELS: usize = 5;
/// Carries come out of so many places of the two operands, which begin at bit 1.
const PLACES: usize = BITS - 2;

/// Features of all templates of a batch together: enough that the rounds do not count, and messages of half a megabyte.
const FEATURES_AT_ONCE: usize = 1 << 16;

/// Rounds of [`check`], and of each batch of [`check_all`].
pub const ROUNDS: usize = 1 + 1 + 1 + LEVELS + 1 + 1 + 1;

/// Bytes that a party sends in [`check`] of a template of that many features.
pub fn bytes_sent(features: usize) -> usize {
    bytes_of(&Layout::new(1, features))
}

fn bytes_of(layout: &Layout) -> usize {
    let words = layout.words;
    let ands: usize = (0..LEVELS).map(|level| 2 * steps(level).count()).sum();
    let adder = 4 * 64 * words + 8 * words * (BITS - 1 + PLACES + ands);
    adder + coin::BYTES + 8 + 16
}

/// Where the numbers are: all features, then all coefficients of X^2, then the two differences of each norm, each from a full
/// word on.
struct Layout {
    features: Range<usize>,
    bends: Range<usize>,
    norms: Range<usize>,
    words: usize,
    /// Features of each template.
    dimensions: usize,
}

/// Returns if the shares of the three parties are those of a template.
///
/// # Errors
/// [`Error::ProbeInvalid`] if they are not; errors of the network; [`Error::CoinMismatch`], [`Error::ResultInconsistent`].
pub fn check(session: &mut Session<'_>, template: &TemplateShare) -> Result<(), Error> {
    check_batch(session, std::slice::from_ref(template))
}

/// Returns if the shares of the three parties are those of templates, all of them. They are taken in batches, and the first
/// batch in which one is none ends it.
///
/// # Errors
/// As [`check`].
///
/// # Panics
/// If the templates have different numbers of features.
pub fn check_all(session: &mut Session<'_>, templates: &[TemplateShare]) -> Result<(), Error> {
    let features = templates.first().map_or(1, TemplateShare::dimensions);
    templates.chunks((FEATURES_AT_ONCE / features).max(1)).try_for_each(|batch| check_batch(session, batch))
}

fn check_batch(session: &mut Session<'_>, templates: &[TemplateShare]) -> Result<(), Error> {
    let layout = Layout::new(templates.len(), templates[0].dimensions());
    let sums = sums(session, templates, &layout)?;
    let mut suspects = Bits::zeros(0);
    for (plane, first) in (0..BITS).map(|plane| (plane, plane * layout.words)) {
        let mut suspect = |words: &Range<usize>| suspects.push(sums.view(first + words.start..first + words.end));
        suspect(&layout.bends);
        if plane >= FEATURE_BITS {
            suspect(&layout.features);
        }
        if plane == BITS - 1 {
            suspect(&layout.norms);
        }
    }
    let coin = coin::toss(session)?;
    if is_any_set(session, &suspects, coin)? { Err(Error::ProbeInvalid) } else { Ok(()) }
}

/// All 32 planes of the numbers that are tested.
fn sums(session: &mut Session<'_>, templates: &[TemplateShare], layout: &Layout) -> Result<Bits, Error> {
    let mut numbers = vec![0; 64 * layout.words];
    let place = |words: &Range<usize>| 64 * words.start;
    for (at, template) in templates.iter().enumerate() {
        assert_eq!(template.dimensions(), layout.dimensions, "all templates are of one size");
        let norm = template.norm_part(session.party);
        let parts = [template.feature_parts(session.party), template.bend_parts(session.party), vec![norm, norm.wrapping_neg()].into()];
        for (words, parts) in [&layout.features, &layout.bends, &layout.norms].into_iter().zip(parts) {
            numbers[place(words) + at * parts.len()..][..parts.len()].copy_from_slice(&parts);
        }
    }
    let mut components = reshare_32(session, numbers)?;
    let first = match session.party {
        PartyId::P1 => Some(&mut components.own),
        PartyId::P2 => None,
        PartyId::P3 => Some(&mut components.next),
    };
    if let Some(first) = first {
        first[..64 * layout.features.end].iter_mut().for_each(|number| *number = number.wrapping_add(FEATURE_OFFSET));
        for norm in first[place(&layout.norms)..].as_chunks_mut::<2>().0.iter_mut().take(templates.len()) {
            norm[0] = norm[0].wrapping_sub(NORM_SQUARED_MIN as u32);
            norm[1] = norm[1].wrapping_add(NORM_SQUARED_MAX as u32);
        }
    }
    let carry_save = Bits { own: planes::of_32(&components.own), next: planes::of_32(&components.next) };
    let products = carry_save.own.iter().zip(&carry_save.next).take((BITS - 1) * layout.words).map(|(own, next)| own & next);
    let majorities = reshare(session, products)?;
    add(session, carry_save, &majorities, layout.words)
}

/// `x + 2 y` modulo 2^32, by a prefix adder.
fn add(session: &mut Session<'_>, x: Bits, y: &Bits, words: usize) -> Result<Bits, Error> {
    // Place p of the adder is bit p + 1 of the sum.
    let mut generate = and(session, &x.slice(words, (1 + PLACES) * words), &y.slice(0, PLACES * words))?;
    let mut sum = x;
    sum.xor_in_at(words, y.view(0..y.len()));
    let mut propagate = sum.slice(words, (1 + PLACES) * words);
    let words_of = |place: usize| place * words..(place + 1) * words;
    for level in 0..LEVELS {
        let (mut late, mut early) = (Bits::zeros(0), Bits::zeros(0));
        for (target, source) in steps(level) {
            for part in [&generate, &propagate] {
                late.push(propagate.view(words_of(target)));
                early.push(part.view(words_of(source)));
            }
        }
        let products = and(session, &late, &early)?;
        for (at, (target, _)) in steps(level).enumerate() {
            // A carry comes from here or from there, never from both: XOR is OR.
            generate.xor_in_at(target * words, products.view(words_of(2 * at)));
            propagate.replace(target * words, products.view(words_of(2 * at + 1)));
        }
    }
    sum.xor_in_at(2 * words, generate.view(0..generate.len()));
    Ok(sum)
}

/// Which place takes in which in one level of the prefix network.
fn steps(level: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..PLACES).filter(move |at| at >> level & 1 == 1).map(move |at| (at, (at >> level << level) - 1))
}

/// Opens whether any bit is 1, and nothing else.
fn is_any_set(session: &mut Session<'_>, bits: &Bits, mut coin: Stream) -> Result<bool, Error> {
    let weights = coin.words(64 * bits.len());
    let [own, next] = Kernel::best().masked_xor_64([&bits.own, &bits.next], &weights).map(Gf64);
    let [factor_own, factor_next] = [session.prss.with_previous().words(1), session.prss.with_next().words(1)].map(|words| Gf64(words[0]));
    let product = factor_own.times(own.plus(next)).plus(factor_next.times(own));
    let product = reshare(session, std::iter::once(product.0))?;
    Ok(reveal(session, &product)?[0] != 0)
}

impl Layout {
    fn new(templates: usize, dimensions: usize) -> Self {
        let (each, norms) = (words_per_plane(templates * dimensions), words_per_plane(2 * templates));
        Self { features: 0..each, bends: each..2 * each, norms: 2 * each..2 * each + norms, words: 2 * each + norms, dimensions }
    }
}

/// The plain function that [`check`] must agree with.
pub mod ideal {
    use super::{FEATURE_OFFSET, NORM_SQUARED_MAX, NORM_SQUARED_MIN};

    /// Whether these features, of shares on lines, are a template's.
    pub fn is_template(features: &[i32]) -> bool {
        let limit = FEATURE_OFFSET as i32;
        let norm_squared = || features.iter().map(|feature| feature * feature).sum::<i32>();
        features.iter().all(|feature| (-limit..limit).contains(feature)) && (NORM_SQUARED_MIN..=NORM_SQUARED_MAX).contains(&norm_squared())
    }
}

#[cfg(test)]
mod tests {
    use super::super::boolean::tests::share_words;
    use super::*;
    use crate::ring::{Element, lagrange_at_zero, point};
    use crate::share::share_template;
    use crate::testing::{SeededRng, random_template, run_three};
    use std::collections::BTreeSet;

    /// Shares of any features at all, with `bend` as the coefficient of X^2 of the first element.
    fn share(features: &[i32], bend: Element, seed: u64) -> [TemplateShare; 3] {
        let [one, v] = [[1, 0], [0, 1]].map(|pair| constant_of(&share_template(&pair, &mut SeededRng::new(1)).expect("a valid template")));
        let times = |element: Element, number: i32| element.times(Element::new(number as u32, 0));
        PartyId::ALL.map(|party| {
            let mut slopes = SeededRng::new(seed);
            let mut bytes = vec![];
            for (at, pair) in features.chunks_exact(2).enumerate() {
                let slope = Element::new(slopes.below(1 << 32) as u32, slopes.below(1 << 32) as u32);
                let mut value = times(one, pair[0]).plus(times(v, pair[1])).plus(slope.times(point(party)));
                if at == 0 {
                    value = value.plus(bend.times(point(party)).times(point(party)));
                }
                bytes.extend([value.c0, value.c1].iter().flat_map(|number| number.to_le_bytes()));
            }
            TemplateShare::from_bytes(&bytes, features.len()).expect("as many bytes")
        })
    }

    /// The element that three shares of two features hold at 0.
    fn constant_of(shares: &[TemplateShare; 3]) -> Element {
        PartyId::ALL.into_iter().fold(Element::new(0, 0), |sum, party| {
            let bytes = shares[party.index()].to_bytes();
            let number = |at: usize| u32::from_le_bytes(bytes[4 * at..][..4].try_into().expect("four bytes"));
            sum.plus(lagrange_at_zero(party, &PartyId::ALL).times(Element::new(number(0), number(1))))
        })
    }

    fn check_shares(shares: &[TemplateShare; 3], expected: bool, seed: u64) {
        let results = run_three(seed, |session| check(session, &shares[session.party().index()]));
        for (result, traffic) in results {
            assert_eq!(result, if expected { Ok(()) } else { Err(Error::ProbeInvalid) });
            assert_eq!((traffic.rounds, traffic.bytes()), (ROUNDS, bytes_sent(shares[0].dimensions())));
        }
    }

    fn check_features(features: &[i32], expected: bool) {
        assert_eq!(ideal::is_template(features), expected, "{features:?}");
        check_shares(&share(features, Element::new(0, 0), 5), expected, 6);
    }

    #[test]
    fn templates_of_every_size_pass() {
        let mut rng = SeededRng::new(1);
        for dimensions in [2, 62, 64, 66, 128, 512, 1024] {
            for _ in 0..3 {
                let template: Vec<i32> = random_template(dimensions, &mut rng).iter().map(|feature| i32::from(*feature)).collect();
                check_features(&template, true);
            }
        }
    }

    #[test]
    fn features_and_norms_at_and_beyond_their_limits() {
        for (features, expected) in [
            (vec![100, 0], true),
            (vec![99, 14], false),
            (vec![127, 0], true),
            (vec![127, 38], true),
            (vec![127, 39], false),
            (vec![128, 0], false),
            (vec![-128, 0], true),
            (vec![-129, 0], false),
            (vec![0, 0], false),
            (vec![-93, 93, 17, 0], true),
            (vec![-93, 93, 18, 0], false),
            (vec![0, 127, 0, 128], false),
            (vec![65_536 + 100, 0], false),
            (vec![100, 65_536], false),
            (vec![100, -65_536], false),
            (vec![i32::MIN, 100], false),
            (vec![i32::MAX, i32::MAX], false),
            (vec![1 << 16, 100, 0, 0], false),
            ([vec![100], vec![0; 126], vec![256]].concat(), false),
            ([vec![100], vec![0; 62], vec![-300]].concat(), false),
            (vec![127; 1024], false),
            (vec![3; 1024], false),
            ([vec![4; 1023], vec![8]].concat(), true),
        ] {
            check_features(&features, expected);
        }
    }

    #[test]
    fn wild_ring_vectors_and_bent_sharings_are_caught() {
        let mut rng = SeededRng::new(2);
        for seed in 0..5 {
            let wild: Vec<i32> = (0..128).map(|_| rng.below(1 << 32) as u32 as i32).collect();
            check_features(&wild, false);
            let template: Vec<i32> = random_template(128, &mut rng).iter().map(|feature| i32::from(*feature)).collect();
            check_shares(&share(&template, Element::new(0, 0), seed), true, seed);
            for bend in [Element::new(1, 0), Element::new(0, 1), Element::new(1 << 31, 0), Element::new(0, 1 << 16)] {
                check_shares(&share(&template, bend, seed), false, seed);
            }
        }
    }

    #[test]
    fn one_partys_wrong_share_is_caught() {
        let template: Vec<i32> = random_template(128, &mut SeededRng::new(3)).iter().map(|feature| i32::from(*feature)).collect();
        for party in 0..3 {
            let mut shares = share(&template, Element::new(0, 0), 7);
            let mut bytes = shares[party].to_bytes().to_vec();
            bytes[200] ^= 1;
            shares[party] = TemplateShare::from_bytes(&bytes, 128).expect("as many bytes");
            check_shares(&shares, false, 8);
        }
    }

    #[test]
    fn of_many_templates_one_that_is_none_is_caught_wherever_it_is() {
        let mut rng = SeededRng::new(4);
        for (dimensions, count) in [(2, 1), (2, 33), (6, 64), (128, 5), (66, 100)] {
            let features =
                |rng: &mut SeededRng| random_template(dimensions, rng).iter().map(|feature| i32::from(*feature)).collect::<Vec<_>>();
            let good: Vec<_> = (0..count).map(|seed| share(&features(&mut rng), Element::new(0, 0), seed)).collect();
            let play = |shares: &[[TemplateShare; 3]], seed| {
                run_three(seed, |session| {
                    let at = session.party().index();
                    check_all(session, &shares.iter().map(|shares| shares[at].clone()).collect::<Vec<_>>())
                })
            };
            for (result, traffic) in play(&good, 1) {
                assert_eq!((result, traffic.rounds), (Ok(()), ROUNDS), "{count} of {dimensions}");
                assert_eq!(traffic.bytes(), bytes_of(&Layout::new(count as usize, dimensions)));
            }
            let mut large = features(&mut rng);
            large[dimensions - 1] = 4_000;
            let bad = [
                ("too large", share(&large, Element::new(0, 0), 9)),
                ("too small", share(&vec![0; dimensions], Element::new(0, 0), 9)),
                ("bent", share(&features(&mut rng), Element::new(0, 1 << 31), 9)),
            ];
            for (what, bad) in &bad {
                for at in [0, count as usize / 2, count as usize - 1] {
                    let mut shares = good.clone();
                    shares[at] = bad.clone();
                    assert!(play(&shares, 2).iter().all(|(result, _)| *result == Err(Error::ProbeInvalid)), "{what} at {at} of {count}");
                }
            }
        }
    }

    #[test]
    fn more_than_a_batch_is_checked_to_the_end() {
        let mut rng = SeededRng::new(5);
        let count = FEATURES_AT_ONCE / 512 + 1;
        let mut shares: Vec<_> =
            (0..count).map(|_| share_template(&random_template(512, &mut rng), &mut rng).expect("a template")).collect();
        let play = |shares: &[[TemplateShare; 3]]| {
            run_three(3, |session| {
                let at = session.party().index();
                check_all(session, &shares.iter().map(|shares| shares[at].clone()).collect::<Vec<_>>())
            })
        };
        for (result, traffic) in play(&shares) {
            assert_eq!((result, traffic.rounds), (Ok(()), 2 * ROUNDS));
        }
        shares[count - 1] = share(&[100; 512], Element::new(0, 0), 1);
        assert!(play(&shares).iter().all(|(result, _)| *result == Err(Error::ProbeInvalid)));
        assert!(play(&[]).iter().all(|(result, traffic)| (*result, traffic.rounds) == (Ok(()), 0)));
    }

    /// The same bits and the same coin: what is opened still differs from run to run, so it says no more than that a bit is 1.
    #[test]
    fn what_is_opened_of_an_invalid_probe_is_random() {
        let opened: BTreeSet<u64> = (0..20)
            .map(|seed| {
                let shares = share_words(&[1 << 17], &mut SeededRng::new(1));
                let results = run_three(seed, |session| {
                    let coin = Stream::new(&[7; 32], b"", &[b"a coin of the test"]);
                    is_any_set(session, &shares[session.party().index()], coin)
                });
                let parts = results.map(|(is_any_set, traffic)| {
                    assert_eq!(is_any_set, Ok(true));
                    u64::from_le_bytes(traffic.to_next[0][..].try_into().expect("one word"))
                });
                parts[0] ^ parts[1] ^ parts[2]
            })
            .collect();
        assert_eq!(opened.len(), 20);
    }
}
