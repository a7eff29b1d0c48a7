//! What the protocols on bits send, and what a lie in them does: every message is uniform, whoever lies ends the run or
//! flips bits, and neither the order nor the speed of lanes changes anything.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::party::PartyId;
use mpc::error::Error;
use mpc::protocol::boolean::{Bits, reveal};
use mpc::protocol::reshare::reshare_16;
use mpc::protocol::variants::first_near;
use mpc::protocol::{Session, coin, compare, convert, probe};
use mpc::share::{TemplateShare, share_template};
use mpc::testing::{Place, SeededRng, Traffic, World, random_template, run_three};

/// Two scores, of slots 0 and 1, as additive shares.
const SHARES: [[u16; 2]; 3] = [[1_000, 60_000], [7_000, 5_000], [200, 700]];
const AMBIGUOUS: u16 = 7_000;

fn template() -> [TemplateShare; 3] {
    share_template(&random_template(4, &mut SeededRng::new(1)), &mut SeededRng::new(2)).expect("a valid template")
}

/// Shares of a vector whose scores wrap.
fn wild() -> [TemplateShare; 3] {
    let mut rng = SeededRng::new(3);
    [(); 3].map(|()| {
        let bytes: Vec<u8> = (0..16).map(|_| rng.below(256) as u8).collect();
        TemplateShare::from_bytes(&bytes, 4).expect("as many bytes")
    })
}

fn near(session: &mut Session<'_>) -> Result<Bits, Error> {
    let scores = reshare_16(session, SHARES[session.party().index()].to_vec())?;
    compare::near(session, &scores, AMBIGUOUS)
}

/// Every bit that a party sends is 0 as often as 1 over runs with the same inputs in which only the masks differ: a message
/// that lacks its mask would be the same each time.
fn check_uniform(name: &str, protocol: impl Fn(&mut Session<'_>) -> Result<(), Error> + Sync) {
    const RUNS: u64 = 600;
    // Six standard deviations of as many tosses.
    let fair = 226..=374;
    let mut ones: [Vec<u32>; 3] = [vec![], vec![], vec![]];
    for seed in 0..RUNS {
        for (ones, (result, traffic)) in ones.iter_mut().zip(run_three(seed, &protocol)) {
            result.expect("everybody is honest");
            let bytes = [traffic.to_next.concat(), traffic.to_previous.concat()].concat();
            ones.resize(8 * bytes.len(), 0);
            for (at, ones) in ones.iter_mut().enumerate() {
                *ones += u32::from(bytes[at / 8] >> (at % 8) & 1);
            }
        }
    }
    for (party, ones) in PartyId::ALL.into_iter().zip(ones) {
        assert!(!ones.is_empty());
        for (at, ones) in ones.into_iter().enumerate() {
            assert!(fair.contains(&ones), "{name}, {party}, bit {at}: 1 in {ones} of {RUNS} runs");
        }
    }
}

#[test]
fn every_bit_of_every_message_is_a_fair_coin() {
    check_uniform("near", |session| near(session).map(|_| ()));
    check_uniform("two operands", |session| {
        let [x, y] = convert::operands(session, &SHARES[session.party().index()], AMBIGUOUS, 1)?;
        compare::sum(session, &x, &y, compare::PLANES).map(|_| ())
    });
    check_uniform("variants", |session| {
        let near = Bits { own: vec![5; 5], next: vec![5; 5] };
        first_near(session, near, 5).map(|_| ())
    });
    check_uniform("coin", |session| coin::toss(session).map(|_| ()));
    let shares = template();
    check_uniform("probe", |session| probe::check(session, &shares[session.party().index()]));
}

/// The places at which a protocol has messages, from what an honest run sent.
fn places(traffic: [&Traffic; 3]) -> Vec<Place> {
    let mut places = vec![];
    for (from, traffic) in PartyId::ALL.into_iter().zip(traffic) {
        for (to, messages) in [(from.next(), &traffic.to_next), (from.previous(), &traffic.to_previous)] {
            places.extend((0..messages.len()).map(|index| Place { from, to, lane: 0, index }));
        }
    }
    places
}

/// Runs `protocol` once for each message, which `lie` alters on its way.
fn with_a_lie_at_every_message<T: Send>(
    protocol: impl Fn(&mut Session<'_>) -> T + Sync,
    lie: impl Fn(&mut Vec<Vec<u8>>) + Send + Sync + Copy + 'static,
    check: impl Fn(Place, [T; 3]),
) {
    let honest = run_three(7, &protocol);
    for place in places(honest.each_ref().map(|(_, traffic)| traffic)) {
        let world = World::new(7).patience(Duration::from_millis(100)).tamper(move |at, messages| {
            if at == place {
                lie(messages);
            }
        });
        check(place, world.run(&protocol).map(|(result, _)| result));
    }
}

fn near_and_open(session: &mut Session<'_>) -> Result<Vec<u64>, Error> {
    let near = near(session)?;
    reveal(session, &near)
}

#[test]
fn a_message_that_is_dropped_or_of_another_length_ends_the_run_by_name() {
    let unavailable = |error: &Error| matches!(error, Error::PeerUnavailable { .. });
    let length = |error: &Error| matches!(error, Error::MessageLength { .. });
    with_a_lie_at_every_message(near_and_open, Vec::clear, |place, results| {
        // What came instead of the message was the next one, of another length, or nothing.
        let victim = results[place.to.index()].as_ref().expect_err("a message was dropped");
        assert!(unavailable(victim) || length(victim), "{place:?}: {victim:?}");
    });
    with_a_lie_at_every_message(
        near_and_open,
        |messages| messages[0].push(0),
        |place, results| {
            let victim = results[place.to.index()].as_ref().expect_err("a message was too long");
            assert!(matches!(victim, Error::MessageLength { peer, .. } if *peer == place.from), "{place:?}: {victim:?}");
        },
    );
}

/// The gap that docs/protocols/compare.md names: a party that lies flips decisions, of the slots it chooses, and no others.
#[test]
fn a_lie_in_a_comparison_reaches_its_own_slot_alone() {
    let honest = run_three(7, near_and_open).map(|(opened, _)| opened.expect("everybody is honest"));
    let flipped = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = flipped.clone();
    with_a_lie_at_every_message(
        near_and_open,
        |messages| *messages[0].last_mut().expect("no message is empty") ^= 0x80,
        move |place, results| {
            for (party, result) in PartyId::ALL.into_iter().zip(results) {
                match result {
                    Ok(words) => {
                        let difference = words[0] ^ honest[party.index()][0];
                        // Bit 63 of a plane is of no slot; the highest byte of the scores' message is of slot 1.
                        assert!(difference & !0b10 == 0, "{place:?}: {difference:b}");
                        seen.lock().expect("no panic").insert((party, difference));
                    }
                    // Whoever opens what the liar sent on differently notices.
                    Err(error) => assert!(matches!(error, Error::ResultInconsistent | Error::PeerUnavailable { .. }), "{place:?}: {error}"),
                }
            }
        },
    );
    assert!(!flipped.lock().expect("no panic").is_empty());
}

#[test]
fn no_single_lie_makes_a_wild_probe_a_template() {
    let shares = wild();
    let check = |session: &mut Session<'_>| probe::check(session, &shares[session.party().index()]);
    for bit in [0, 7] {
        with_a_lie_at_every_message(
            check,
            move |messages| *messages[0].first_mut().expect("no message is empty") ^= 1 << bit,
            |place, results| {
                for result in results {
                    let error = result.expect_err("the probe is wild");
                    let named = matches!(
                        error,
                        Error::ProbeInvalid | Error::CoinMismatch | Error::ResultInconsistent | Error::PeerUnavailable { .. }
                    );
                    assert!(named, "{place:?}: {error}");
                }
            },
        );
    }
}

#[test]
fn a_lie_about_a_template_never_blames_the_parties_by_name() {
    let shares = template();
    let check = |session: &mut Session<'_>| probe::check(session, &shares[session.party().index()]);
    with_a_lie_at_every_message(
        check,
        |messages| messages[0].iter_mut().for_each(|byte| *byte ^= 0xff),
        |place, results| {
            for result in results {
                // Nobody is named for a lie; a party that gave up is named as unavailable by those that wait for it.
                let fine = matches!(
                    result,
                    Ok(()) | Err(Error::ProbeInvalid | Error::CoinMismatch | Error::ResultInconsistent | Error::PeerUnavailable { .. })
                );
                assert!(fine, "{place:?}: {result:?}");
            }
        },
    );
}

/// Four lanes at once, each compared with itself run alone, in the order and at the speed that the seed says.
#[test]
fn lanes_in_any_order_and_at_any_speed_give_the_same() {
    let shares = template();
    let run = |world: World| {
        world.run_lanes(|run| {
            let lane = |lane: u32| {
                run.on_lane(lane, |session| match lane {
                    0 => probe::check(session, &shares[run.party.index()]).map(|()| vec![]),
                    _ => near_and_open(session),
                })
            };
            std::thread::scope(|scope| {
                let mut order: Vec<u32> = (0..4).collect();
                order.rotate_left(run.party.index());
                let mut threads: Vec<_> = order.into_iter().map(|number| (number, scope.spawn(move || lane(number)))).collect();
                threads.sort_by_key(|(number, _)| *number);
                threads.into_iter().map(|(_, thread)| thread.join().expect("no panic")).collect::<Vec<_>>()
            })
        })
    };
    let first = run(World::new(11));
    for delays in [10, 200, 1000] {
        let again = run(World::new(11).delays(Duration::from_micros(delays)));
        for ((results, traffic), (results_again, traffic_again)) in first.iter().zip(&again) {
            assert_eq!(results, results_again);
            for (lane, traffic) in traffic {
                assert_eq!((&traffic.to_next, &traffic.to_previous), (&traffic_again[lane].to_next, &traffic_again[lane].to_previous));
                assert_eq!(traffic.rounds, traffic_again[lane].rounds);
            }
        }
    }
    assert_eq!(first[0].0[1], Ok(vec![0b01]));
}
