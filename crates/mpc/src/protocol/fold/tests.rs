use super::super::boolean::tests::share_words;
use super::*;
use crate::field::tests::value;
use crate::testing::{SeededRng, run_three};
use rand_core::Rng;

const LESS: u16 = 8_000;

/// Near bits, scores and tokens of some slots, in shares.
struct Example {
    near: Vec<bool>,
    components: [Vec<u16>; 3],
    tokens: Vec<Token>,
    shares: [Bits; 3],
}

impl Example {
    fn new(slots: usize, near: impl Fn(usize) -> bool, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let near: Vec<bool> = (0..slots).map(near).collect();
        let mut words = vec![0; slots.div_ceil(64)];
        near.iter().enumerate().for_each(|(at, near)| words[at / 64] |= u64::from(*near) << (at % 64));
        let shares = share_words(&words, &mut rng);
        let components = [(); 3].map(|()| (0..slots).map(|_| rng.next_u32() as u16).collect());
        let mut token = || {
            let mut token = [0; 16];
            rand_core::Rng::fill_bytes(&mut rng, &mut token);
            token
        };
        let tokens = (0..slots).map(|_| token()).collect();
        Self { near, components, tokens, shares }
    }

    fn slots(&self) -> usize {
        self.near.len()
    }

    fn components(&self, session: &Session<'_>) -> Components<u16> {
        let [own, next] = [session.party(), session.party().next()].map(|party| self.components[party.index()].clone());
        Components { own, next }
    }

    /// The score word of a component, by definition.
    fn word(&self, component: usize, at: usize) -> u64 {
        let number = |slot: usize| {
            let number = self.components[component].get(slot).map(|number| number.wrapping_sub(if component == 0 { LESS } else { 0 }));
            u64::from(number.unwrap_or(0))
        };
        (0..PLACES).fold(0, |word, place| word | number(PLACES * at + place) << (16 * place))
    }

    fn rows(&self) -> usize {
        rows_of(self.slots())
    }

    /// The parity of the near bits whose slots fit.
    fn parity(&self, fits: impl Fn(usize) -> bool) -> u64 {
        (0..self.slots()).filter(|slot| self.near[*slot] && fits(*slot)).count() as u64 & 1
    }
}

fn values(shares: [&[Shared]; 3]) -> Vec<u64> {
    (0..shares[0].len()).map(|at| value(shares.map(|shares| shares[at]))).collect()
}

fn examples() -> Vec<Example> {
    let mut examples = vec![];
    for (slots, seed) in [(1, 1), (5, 2), (64, 3), (1_000, 4), (1_024, 5), (3_000, 6)] {
        examples.push(Example::new(slots, |slot| slot == slots / 2, seed));
        examples.push(Example::new(slots, |slot| slot % 3 == 1, seed));
    }
    examples
}

#[test]
fn tokens_and_parities_are_those_of_the_near_slots() {
    for example in examples() {
        let near = example.shares.each_ref();
        let chosen = example.near.iter().zip(&example.tokens).filter(|(near, _)| **near);
        let expected = chosen.fold(0, |sum, (_, token)| sum ^ u128::from_le_bytes(*token));
        let tokens = near.map(|near| token(near, 0, &example.tokens));
        assert_eq!(values(tokens.each_ref().map(|token| &token[..])), [expected as u64, (expected >> 64) as u64]);

        let parities = near.map(parities);
        let rows: Vec<u64> = (0..example.rows()).map(|row| example.parity(|slot| slot / ROW_SLOTS == row)).collect();
        assert_eq!(values(parities.each_ref().map(|parities| &parities.rows[..])), rows);
        let columns: Vec<u64> = (0..ROW_SCORE_WORDS).map(|at| example.parity(|slot| slot % ROW_SLOTS / PLACES == at)).collect();
        assert_eq!(values(parities.each_ref().map(|parities| &parities.columns[..])), columns);
        let places: Vec<u64> = (0..PLACES).map(|place| example.parity(|slot| slot % PLACES == place)).collect();
        assert_eq!(values(parities.each_ref().map(|parities| &parities.places[..])), places);
    }
}

#[test]
fn tokens_of_parts_add_up() {
    let example = Example::new(300, |slot| slot % 5 == 0, 7);
    for near in &example.shares {
        let whole = token(near, 0, &example.tokens);
        let parts = [token(near, 0, &example.tokens[..128]), token(near, 128, &example.tokens[128..])];
        assert!([0, 1].map(|half| parts[0][half].plus(parts[1][half])) == whole);
    }
}

#[test]
fn score_words_are_selected_and_weighted_as_defined() {
    for example in examples() {
        let coefficients: Vec<[u64; 3]> = {
            let mut rng = SeededRng::new(8);
            (0..example.rows()).map(|_| [(); 3].map(|()| rng.next_u64())).collect()
        };
        let results = run_three(9, |session| {
            let words = ScoreWords::new(session, &example.components(session), LESS);
            let columns = parities(&example.shares[session.party().index()]).columns;
            (words.selected(session, &columns), words.weighted(session, &coefficients))
        });
        let column = |at: usize| example.parity(|slot| slot % ROW_SLOTS / PLACES == at);
        for row in 0..example.rows() {
            for component in 0..3 {
                let at = 3 * row + component;
                let selected = results.iter().fold(Gf64::ZERO, |sum, (result, _)| sum.plus(result.0[at]));
                let words = (0..ROW_SCORE_WORDS).filter(|at| column(*at) == 1);
                assert_eq!(selected.0, words.fold(0, |sum, at| sum ^ example.word(component, row * ROW_SCORE_WORDS + at)));
            }
        }
        let weighted = values(results.each_ref().map(|(result, _)| &result.1[..]));
        for (at, weighted) in weighted.into_iter().enumerate() {
            let terms = (0..example.rows()).flat_map(|row| (0..3).map(move |component| (row, component)));
            let expected = terms.fold(Gf64::ZERO, |sum, (row, component)| {
                let word = Gf64(example.word(component, row * ROW_SCORE_WORDS + at));
                sum.plus(word.times(Gf64(coefficients[row][component])))
            });
            assert_eq!(weighted, expected.0);
        }
    }
}

/// Whether the sketch of these near slots shows that there is one at most.
fn sketch_passes(slots: usize, near: &[usize], seed: u64) -> bool {
    let example = Example::new(slots, |slot| near.contains(&slot), seed);
    let challenge = || Stream::new(&[seed as u8; 32], b"", &[b"test"]);
    let sketches = example.shares.each_ref().map(|near| sketch(near, &mut challenge()));
    let open = |of: fn(&Sketch) -> Shared| Gf64(value(sketches.each_ref().map(of)));
    let words = open(|sketch| sketch.first).times(open(|sketch| sketch.second));
    let bits = open(|sketch| sketch.bits);
    let one_word = words == open(|sketch| sketch.near).times(open(|sketch| sketch.both));
    let one_bit = bits.times(bits.square()) == open(|sketch| sketch.cubes);
    let all: u64 = near.iter().fold(0, |all, slot| all ^ 1 << (slot % 64));
    assert_eq!(open(|sketch| sketch.near).0, all);
    one_word && one_bit
}

#[test]
fn the_sketch_passes_exactly_if_at_most_one_slot_is_near() {
    for slots in [1, 64, 65, 500] {
        assert!(sketch_passes(slots, &[], 10));
        for slot in [0, slots / 2, slots - 1] {
            assert!(sketch_passes(slots, &[slot], 11));
        }
    }
    // Within a word, at the same and at other places of two and three words, and all that a sum could hide.
    let several: [&[usize]; 9] =
        [&[0, 1], &[3, 63], &[0, 64], &[5, 69, 133], &[5, 70, 135], &[0, 1, 64], &[0, 1, 64, 65], &[0, 64, 128, 192], &[1, 2, 3]];
    for near in several {
        for seed in 0..20 {
            assert!(!sketch_passes(500, near, seed), "{near:?}");
        }
    }
    for seed in 0..20 {
        assert!(!sketch_passes(500, &(0..500).collect::<Vec<_>>(), seed));
    }
}
