use super::*;
use crate::field::tests::{share, value};
use crate::testing::{SeededRng, World};

/// What the resolver sees when somebody is ambiguous must not be G: the coin is public, so G would be a linear equation on
/// the chunks' secrets. Multiplied with an element that nobody knows it says that it is not 0, and nothing else.
#[test]
fn what_the_resolver_sees_of_an_ambiguous_search_is_not_what_was_tested() {
    const EXCESS: [u64; 2] = [5, 0];
    let thresholds = Thresholds::new(8000, 7000).expect("valid thresholds");
    let mut factors = vec![];
    for seed in 0..40 {
        let mut rng = SeededRng::new(1);
        let mut shared = |word| share(word, &mut rng);
        let (near, excess, token, score) = (shared(1 << 7), EXCESS.map(&mut shared), [11, 12].map(&mut shared), shared(500));
        let outcome = |at: usize| ChunkOutcome {
            near: near[at],
            excess: [excess[0][at], excess[1][at]],
            token: [token[0][at], token[1][at]],
            score: score[at],
        };
        // The same keys, hence the same coin. Of one chunk's five elements the third and fourth are for its excess.
        let coins = World::new(seed).run(|session| coin::toss(session).expect("nobody lies").words(5).to_vec());
        let random = &coins[0].0;
        let tested = Gf64(random[2]).times(Gf64(EXCESS[0])).plus(Gf64(random[3]).times(Gf64(EXCESS[1])));
        let outputs = World::new(seed).run(|session| {
            let outcome = outcome(session.party().index());
            conclude(session, &[outcome], thresholds, Verification::On).expect("nobody lies")
        });
        let seen = [0, 1, 2].map(|element| value(outputs.each_ref().map(|(output, _)| output.0[element])));
        assert!(seen.iter().all(|seen| *seen != tested.0 && *seen != 0), "seed {seed}");
        // The token was accepted, so this is what masks it.
        let masks = [seen[0] ^ 11, seen[1] ^ 12, seen[2]];
        factors.extend(masks.map(|mask| Gf64(mask).times(inverse(tested)).0));
    }
    factors.sort_unstable();
    factors.dedup();
    assert_eq!(factors.len(), 3 * 40, "the factors are fresh in each run, and one for each element");
}

/// `a^(2^64 - 2)`.
fn inverse(a: Gf64) -> Gf64 {
    let (mut inverse, mut power) = (Gf64::ONE, a);
    for _ in 1..64 {
        power = power.times(power);
        inverse = inverse.times(power);
    }
    inverse
}
