//! Many runs over three links in whatever order: no run hears another's messages, none waits for ever, and each that
//! cannot end well says why.

use std::sync::Arc;
use std::time::Duration;

use base::id::SessionId;
use base::party::PartyId;
use base::secret::Secret;
use mpc::error::Error;
use mpc::network::{Lanes, Neighbour};
use mpc::testing::SeededRng;
use party::link::Link;
use party::run_network::RunNetwork;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const SILENCE: Duration = Duration::from_millis(700);
const LANES: u32 = 4;

/// What one run does at one party.
#[derive(Clone, Debug)]
struct Plan {
    session: SessionId,
    party: PartyId,
    /// Milliseconds until it begins.
    begins_after: u64,
    /// Never begins.
    is_missing: bool,
    /// Gives up at this step of this lane.
    gives_up_at: Option<(u32, u32)>,
    steps: u32,
    seed: u64,
}

/// What each message of a lane is: whoever gets another one notices.
fn message(session: SessionId, from: PartyId, to: Neighbour, lane: u32, step: u32) -> Vec<u8> {
    let mut bytes = session.bits().to_le_bytes().to_vec();
    bytes.extend([from.number(), u8::from(to == Neighbour::Next)]);
    bytes.extend(lane.to_le_bytes());
    bytes.extend(step.to_le_bytes());
    let len = SeededRng::new(u64::from(lane) << 32 | u64::from(step)).below(3) as usize * 20_000;
    bytes.resize(bytes.len() + len, lane as u8 ^ step as u8);
    bytes
}

fn lane(plan: &Plan, run: &RunNetwork, lane: u32) -> Result<(), Error> {
    let mut network = run.open(lane)?;
    let mut rng = SeededRng::new(plan.seed ^ u64::from(lane) << 40);
    for step in 0..plan.steps {
        if plan.gives_up_at == Some((lane, step)) {
            return Err(Error::ResultInconsistent);
        }
        for to in [Neighbour::Next, Neighbour::Previous] {
            network.send(to, message(plan.session, plan.party, to, lane, step))?;
        }
        std::thread::sleep(Duration::from_micros(rng.below(400)));
        for (from, sent_to) in [(Neighbour::Previous, Neighbour::Next), (Neighbour::Next, Neighbour::Previous)] {
            let expected = message(plan.session, from.of(plan.party), sent_to, lane, step);
            assert!(network.receive(from)? == expected, "{plan:?}: lane {lane}, step {step} got another message");
        }
    }
    Ok(())
}

fn run(plan: &Plan, [next, previous]: [&Arc<Link>; 2]) -> Result<(), Error> {
    std::thread::sleep(Duration::from_millis(plan.begins_after));
    let begin = |link: &Arc<Link>| link.begin(plan.session).map_err(|_| Error::PeerUnavailable { peer: link.peer });
    let network = RunNetwork::new(plan.party, begin(next)?, begin(previous)?, Secret::new([1; 32]), SILENCE);
    let results: Vec<Result<(), Error>> = std::thread::scope(|scope| {
        let network = &network;
        let threads: Vec<_> = (0..LANES).map(|at| scope.spawn(move || lane(plan, network, at))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no lane panics")).collect()
    });
    results.into_iter().collect::<Result<(), Error>>()?;
    network.finish();
    Ok(())
}

/// Carries bytes from one stream to the other in pieces of random length with random pauses, until told to cut.
async fn carry(from: DuplexStream, to: DuplexStream, seed: u64, cut_after: Option<usize>) {
    let (mut from_reader, mut from_writer) = tokio::io::split(from);
    let (mut to_reader, mut to_writer) = tokio::io::split(to);
    let way = |seed: u64| (SeededRng::new(seed), vec![0_u8; 60_000]);
    let pump =
        async |reader: &mut (dyn tokio::io::AsyncRead + Unpin + Send), writer: &mut (dyn tokio::io::AsyncWrite + Unpin + Send), seed| {
            let (mut rng, mut buffer) = way(seed);
            let mut carried = 0;
            loop {
                let len = 1 + rng.below(buffer.len() as u64) as usize;
                let Ok(len @ 1..) = reader.read(&mut buffer[..len]).await else { return };
                carried += len;
                if cut_after.is_some_and(|cut| carried > cut) || writer.write_all(&buffer[..len]).await.is_err() {
                    return;
                }
                match rng.below(8) {
                    0 => tokio::time::sleep(Duration::from_micros(rng.below(3000))).await,
                    1..4 => tokio::task::yield_now().await,
                    _ => {}
                }
            }
        };
    tokio::select! {
        () = pump(&mut from_reader, &mut to_writer, seed) => {}
        () = pump(&mut to_reader, &mut from_writer, seed ^ 1) => {}
    }
}

/// Two connected links between `low` and `high`.
fn connect(low: PartyId, high: PartyId, seed: u64, cut_after: Option<usize>, runtime: &tokio::runtime::Runtime) -> [Arc<Link>; 2] {
    let links = [high, low].map(|peer| Link::new(peer, Secret::new([7; 32])));
    let size = 1 + SeededRng::new(seed).below(100_000) as usize;
    let ((at_low, low_end), (at_high, high_end)) = (tokio::io::duplex(size), tokio::io::duplex(size));
    for (link, stream) in links.iter().cloned().zip([at_low, at_high]) {
        runtime.spawn(async move { link.run(stream, None).await });
    }
    runtime.spawn(carry(low_end, high_end, seed, cut_after));
    links
}

/// Plays one schedule; panics with its seed if something is wrong.
fn play(seed: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let mut rng = SeededRng::new(seed);
    let cut_after = (rng.below(4) == 0).then(|| rng.below(1 << 20) as usize);
    let [one_two, one_three, two_three] =
        [(PartyId::P1, PartyId::P2), (PartyId::P1, PartyId::P3), (PartyId::P2, PartyId::P3)].map(|(low, high)| {
            connect(
                low,
                high,
                seed ^ u64::from(low.number()) << 8 ^ u64::from(high.number()),
                cut_after.filter(|_| low == PartyId::P1 && high == PartyId::P2),
                &runtime,
            )
        });
    let link = |party: PartyId, peer: PartyId| match (party, peer) {
        (PartyId::P1, PartyId::P2) => &one_two[0],
        (PartyId::P2, PartyId::P1) => &one_two[1],
        (PartyId::P1, PartyId::P3) => &one_three[0],
        (PartyId::P3, PartyId::P1) => &one_three[1],
        (PartyId::P2, PartyId::P3) => &two_three[0],
        _ => &two_three[1],
    };
    let mut plans = Vec::new();
    for number in 0..2 + rng.below(5) {
        let session = SessionId::from_bits(u128::from(seed) << 32 | u128::from(number));
        let (steps, odd_one, oddity) = (1 + rng.below(12) as u32, PartyId::ALL[rng.below(3) as usize], rng.below(5));
        plans.extend(PartyId::ALL.map(|party| Plan {
            session,
            party,
            begins_after: rng.below(60),
            is_missing: party == odd_one && oddity == 0,
            gives_up_at:
                (party == odd_one && oddity == 1).then(|| (rng.below(u64::from(LANES)) as u32, rng.below(u64::from(steps)) as u32)),
            steps,
            seed: rng.below(u64::MAX),
        }));
    }
    let began = Instant::now();
    let results: Vec<Option<Result<(), Error>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = plans
            .iter()
            .map(|plan| {
                let links = [link(plan.party, plan.party.next()), link(plan.party, plan.party.previous())];
                scope.spawn(move || (!plan.is_missing).then(|| run(plan, links)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no run panics")).collect()
    });
    assert!(began.elapsed() < SILENCE + Duration::from_secs(5), "seed {seed}: somebody waited too long");
    for (plan, result) in plans.iter().zip(&results) {
        let of_run: Vec<&Plan> = plans.iter().filter(|other| other.session == plan.session).collect();
        let is_sound = of_run.iter().all(|other| !other.is_missing && other.gives_up_at.is_none());
        let Some(result) = result else { continue };
        match (result, plan.gives_up_at) {
            (Err(Error::ResultInconsistent), Some(_)) => {}
            (Err(Error::PeerUnavailable { peer }), _) => {
                assert!(!is_sound || cut_after.is_some(), "seed {seed}: {plan:?} lost {peer} for nothing");
            }
            (Ok(()), None) => assert!(!of_run.iter().any(|other| other.is_missing), "seed {seed}: {plan:?} ended without a party"),
            (other, _) => panic!("seed {seed}: {plan:?} ended with {other:?}"),
        }
    }
    runtime.shutdown_background();
}

#[test]
fn runs_in_any_order_neither_mix_nor_wait_for_ever() {
    let first = std::env::var("HANDSEL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = first.map_or(0..24, |seed: u64| seed..seed + 1);
    seeds.for_each(play);
}

mod frames {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever a peer sends, the link ends or goes on.
        #[test]
        fn any_bytes_are_taken_in_or_end_the_link(bytes in proptest::collection::vec(any::<u8>(), 0..400), lengths in proptest::collection::vec(0_u32..60, 0..8)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                // As they are, and cut into frames with lengths in front.
                let mut framed = Vec::new();
                let mut rest = &bytes[..];
                for len in lengths {
                    let (frame, later) = rest.split_at((len as usize).min(rest.len()));
                    framed.extend(len.to_le_bytes());
                    framed.extend(frame);
                    rest = later;
                }
                for input in [&bytes, &framed] {
                    let link = Link::new(PartyId::P2, Secret::new([7; 32]));
                    let (mut at_peer, here) = tokio::io::duplex(4096);
                    at_peer.write_all(input).await.expect("there is room");
                    drop(at_peer);
                    link.run(here, None).await;
                    assert!(!link.is_alive(), "the connection ended");
                }
            });
        }
    }
}
