use super::*;
use crate::field::tests::{share, value};
use crate::testing::{Place, SeededRng, Traffic, World};
use base::party::PartyId;
use rand_core::Rng;

/// Values and a circuit on them: `x_1 y_1, ..., x_n y_n` and their chained product `x_1 y_1 ... x_n y_n`.
struct Example {
    x: Vec<u64>,
    y: Vec<u64>,
    shares: [(Vec<Shared>, Vec<Shared>); 3],
}

impl Example {
    fn new(count: usize, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let [x, y] = [(); 2].map(|()| (0..count).map(|_| rng.next_u64()).collect::<Vec<u64>>());
        let mut shares = [(); 3].map(|()| (vec![], vec![]));
        for at in 0..count {
            let (x, y) = (share(x[at], &mut rng), share(y[at], &mut rng));
            for party in 0..3 {
                shares[party].0.push(x[party]);
                shares[party].1.push(y[party]);
            }
        }
        Self { x, y, shares }
    }

    fn expected(&self) -> [u64; 2] {
        let products: Vec<Gf64> = self.x.iter().zip(&self.y).map(|(x, y)| Gf64(*x).times(Gf64(*y))).collect();
        [products.iter().copied().fold(Gf64::ZERO, Gf64::plus).0, products.into_iter().fold(Gf64::ONE, Gf64::times).0]
    }

    /// The sum and the product of all `x_i y_i`, and the circuit, not yet checked.
    fn calculate(&self, session: &mut Session<'_>, verification: Verification) -> Result<([Shared; 2], Circuit), Error> {
        let (x, y) = &self.shares[session.party().index()];
        let mut circuit = Circuit::new(session, verification);
        let x = circuit.inputs(session, x)?;
        let sum = circuit.dots(session, &[(&x, y)])?[0];
        let pairs: Vec<(Wire, Shared)> = x.iter().copied().zip(y.iter().copied()).collect();
        let mut products = circuit.products(session, &pairs)?;
        let total = products.iter().fold(Wire::default(), |sum, product| sum.plus(*product));
        circuit.assert_zero(total.plus(sum).value);
        while products.len() > 1 {
            let last = products.pop().expect("more than one");
            products[0] = circuit.products(session, &[(products[0], last.value)])?[0];
        }
        Ok(([sum.value, products[0].value], circuit))
    }

    fn run(&self, world: &World, verification: Verification) -> [(Result<[Shared; 2], Error>, Traffic); 3] {
        world.run(|session| {
            let (results, circuit) = self.calculate(session, verification)?;
            circuit.check(session)?;
            Ok(results)
        })
    }
}

#[test]
fn circuits_give_the_products_checked_or_not() {
    for (count, seed) in [(1, 1), (2, 2), (5, 3)] {
        let example = Example::new(count, seed);
        for verification in [Verification::On, Verification::Off] {
            let results = example.run(&World::new(seed), verification);
            let value_at = |at: usize| value(results.each_ref().map(|(shares, _)| shares.as_ref().expect("an honest run")[at]));
            assert_eq!([value_at(0), value_at(1)], example.expected());
            let products = 2 * count;
            for (_, traffic) in &results {
                match verification {
                    Verification::On => assert_eq!((traffic.bytes(), traffic.rounds), (8 * count + 16 * products + 96, count + 5)),
                    Verification::Off => assert_eq!((traffic.bytes(), traffic.rounds), (8 * products, count + 1)),
                }
            }
        }
    }
}

#[test]
fn a_claim_of_zero_that_is_none_fails_by_its_name() {
    type Claim = fn(&mut Circuit, Shared);
    let claims: [(Claim, Error); 2] = [(Circuit::assert_zero, Error::CheckFailed), (Circuit::assert_scores_zero, Error::MacMismatch)];
    let mut rng = SeededRng::new(5);
    for (claim, error) in claims {
        for word in [0, 1, 1 << 63, rng.next_u64()] {
            let shares = share(word, &mut rng);
            let results = World::new(word).run(|session| {
                let mut circuit = Circuit::new(session, Verification::On);
                claim(&mut circuit, shares[session.party().index()]);
                circuit.check(session)
            });
            for (result, _) in results {
                assert_eq!(result, if word == 0 { Ok(()) } else { Err(error) });
            }
        }
    }
}

/// Runs the example with one message changed, for every message and place in it, and hands each honest party's result out.
fn for_every_lie(check: impl Fn(Place, [(PartyId, &Result<[Shared; 2], Error>); 2])) {
    let example = Example::new(2, 6);
    let honest = example.run(&World::new(6), Verification::On);
    for liar in PartyId::ALL {
        let traffic = &honest[liar.index()].1;
        for (to, messages) in [(liar.next(), &traffic.to_next), (liar.previous(), &traffic.to_previous)] {
            for (index, message) in messages.iter().enumerate() {
                for byte in (0..message.len()).step_by(5) {
                    let place = Place { from: liar, to, lane: 0, index };
                    let world = World::new(6).tamper(move |at, messages| {
                        if at == place {
                            messages[0][byte] ^= 0x10;
                        }
                    });
                    let results = example.run(&world, Verification::On);
                    check(place, [liar.next(), liar.previous()].map(|party| (party, &results[party.index()].0)));
                }
            }
        }
    }
}

#[test]
fn an_error_added_to_any_message_of_any_party_fails_the_check() {
    for_every_lie(|place, results| {
        let named = [Error::CheckFailed, Error::MacMismatch, Error::ResultInconsistent];
        let failed = results.iter().filter(|(_, result)| result.as_ref().is_err_and(|error| named.contains(error))).count();
        // A lie in an opening may concern one honest party only: the other passes, or finds that one gone.
        let gone = |error: &Error| matches!(error, Error::PeerUnavailable { .. });
        assert!(failed >= 1, "{place:?}: {results:?}");
        assert!(results.iter().all(|(_, result)| result.as_ref().err().is_none_or(|error| named.contains(error) || gone(error))));
    });
}

/// A party that adds an error to a product, to its MAC or to both, and goes on as if nothing had happened.
#[test]
fn errors_that_a_party_goes_on_with_fail_the_check() {
    let example = Example::new(3, 12);
    for liar in PartyId::ALL {
        for (error, error_of_mac) in [(1, 0), (0, 1), (1, 1), (0x8000_0000_0000_0000, 77)] {
            let results = World::new(13).run(|session| {
                let party = session.party();
                let (x, y) = &example.shares[party.index()];
                let mut circuit = Circuit::new(session, Verification::On);
                let inputs = circuit.inputs(session, x)?;
                circuit.products(session, &[(inputs[0], y[0])])?;
                let add = |share: &mut Shared, error: u64| {
                    let component = if party == liar { &mut share.own } else { &mut share.next };
                    if party == liar || party.next() == liar {
                        *component = component.plus(Gf64(error));
                    }
                };
                let product = circuit.wires.last_mut().expect("the product");
                add(&mut product.value, error);
                add(&mut product.mac, error_of_mac);
                circuit.check(session)
            });
            assert_eq!(results.map(|(result, _)| result), [Err(Error::CheckFailed); 3]);
        }
    }
}

/// Opening as a protocol against curious parties would: the missing component from one neighbour, believed.
fn open_semi_honestly(session: &mut Session<'_>, shares: &[Shared]) -> Result<Vec<Gf64>, Error> {
    session.send(Neighbour::Next, words_to_bytes(&shares.iter().map(|share| share.own.0).collect::<Vec<u64>>()))?;
    let missing = bytes_to_words(&session.receive(Neighbour::Previous, 8 * shares.len())?);
    Ok(shares.iter().zip(missing).map(|(share, missing)| share.own.plus(share.next).plus(Gf64(missing))).collect())
}

/// Party 1 adds an error to a product. In the last opening, it waits for what it lacks, and then sends what makes the sum 0.
fn cheat_in_the_zero_check(honest: fn(&mut Session<'_>, &[Shared]) -> Result<Vec<Gf64>, Error>, both: bool) -> [Result<(), Error>; 3] {
    let example = Example::new(1, 7);
    let world = World::new(7).tamper(|place, messages| {
        if (place.from, place.to, place.index) == (PartyId::P1, PartyId::P3, 1) {
            messages[0][0] ^= 1;
        }
    });
    let rushing = move |session: &mut Session<'_>, shares: &[Shared]| {
        let is_last = shares.len() == 2;
        if !is_last {
            return honest(session, shares);
        }
        let missing = bytes_to_words(&session.receive(Neighbour::Previous, 16)?);
        let lies = shares.iter().zip(missing).map(|(share, missing)| share.next.0 ^ missing).collect::<Vec<u64>>();
        session.send(Neighbour::Next, words_to_bytes(&lies))?;
        if both {
            session.send(Neighbour::Previous, words_to_bytes(&shares.iter().map(|share| share.next.0).collect::<Vec<u64>>()))?;
            session.receive(Neighbour::Next, 16)?;
        }
        Ok(vec![Gf64::ZERO; 2])
    };
    let results = world.run(|session| {
        let (_, circuit) = example.calculate(session, Verification::On)?;
        match session.party() {
            PartyId::P1 => circuit.check_by(session, rushing),
            PartyId::P2 | PartyId::P3 => circuit.check_by(session, honest),
        }
    });
    results.map(|(result, _)| result)
}

#[test]
fn a_zero_check_opened_semi_honestly_would_believe_a_cheat() {
    let [_, fooled, _] = cheat_in_the_zero_check(open_semi_honestly, false);
    assert_eq!(fooled, Ok(()), "this test's cheat must work against the defect");
    let [_, second, third] = cheat_in_the_zero_check(open, true);
    assert_eq!((second, third), (Err(Error::ResultInconsistent), Err(Error::CheckFailed)));
}

type Reshare = fn(&mut Session<'_>, Vec<Gf64>) -> Result<Zeroizing<Vec<Shared>>, Error>;

/// What each party sends to the previous one while it multiplies the same shares twice, under other keys.
fn reshared_twice(reshare: Reshare) -> [[Vec<Vec<u8>>; 3]; 2] {
    let example = Example::new(4, 8);
    [1, 2].map(|seed| {
        let results = World::new(seed).run(|session| {
            let (x, y) = &example.shares[session.party().index()];
            reshare(session, x.iter().zip(y).map(|(x, y)| x.product_part(*y)).collect()).expect("an honest run");
        });
        results.map(|(_, traffic)| traffic.to_previous)
    })
}

#[test]
fn a_product_reshared_without_its_zero_mask_would_show_the_neighbours_shares() {
    fn reshare_without_mask(session: &mut Session<'_>, parts: Vec<Gf64>) -> Result<Zeroizing<Vec<Shared>>, Error> {
        session.send(Neighbour::Previous, words_to_bytes(&parts.iter().map(|part| part.0).collect::<Vec<u64>>()))?;
        session.receive(Neighbour::Next, 8 * parts.len())?;
        Ok(Zeroizing::new(vec![]))
    }
    let [first, second] = reshared_twice(reshare_without_mask);
    assert_eq!(first, second, "this test must see the defect");
    let [first, second] = reshared_twice(reshare);
    for party in 0..3 {
        let words = |messages: &[Vec<u8>]| bytes_to_words(&messages[0]);
        assert!(words(&first[party]).iter().zip(words(&second[party])).all(|(first, second)| *first != second));
    }
}

/// Before the check opens its challenge, all that a party receives are products under masks that it does not know.
#[test]
fn every_bit_of_every_product_sent_is_a_fair_coin() {
    const RUNS: u64 = 600;
    // Six standard deviations of as many tosses.
    let fair = 226..=374;
    let example = Example::new(2, 9);
    let mut ones: [Vec<u32>; 3] = [vec![], vec![], vec![]];
    for seed in 0..RUNS {
        for (ones, (_, traffic)) in ones.iter_mut().zip(example.run(&World::new(seed), Verification::On)) {
            let products = traffic.to_previous.len() - 3;
            let bytes = [&traffic.to_previous[..products], &traffic.to_previous[products + 1..=products + 1]].concat().concat();
            ones.resize(8 * bytes.len(), 0);
            for (at, ones) in ones.iter_mut().enumerate() {
                *ones += u32::from(bytes[at / 8] >> (at % 8) & 1);
            }
        }
    }
    for ones in ones {
        for (at, ones) in ones.into_iter().enumerate() {
            assert!(fair.contains(&ones), "bit {at}: 1 in {ones} of {RUNS} runs");
        }
    }
}
