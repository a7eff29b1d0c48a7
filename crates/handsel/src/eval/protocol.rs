//! The pairs of an evaluation decided by three parties on shares, beside the same decisions in the clear.

use std::collections::BTreeMap;

use capture::eval::face::Sample;
use capture::eval::pairs::{Pair, PictureName};
use capture::face::Template;
use mpc::error::Error;
use mpc::kernel::Kernel;
use mpc::layout::{RowsView, block_numbers, write_slot};
use mpc::protocol::boolean::reveal;
use mpc::protocol::chunk::{self, ChunkInput, Part};
use mpc::protocol::compare::{MARGIN, near};
use mpc::protocol::conclude::{conclude, resolve};
use mpc::protocol::identify::{Resolution, Thresholds};
use mpc::protocol::reshare::{Components, reshare_16};
use mpc::protocol::verified::Verification;
use mpc::protocol::{Run, probe};
use mpc::scan::scan;
use mpc::share::{TemplateShare, share_template};
use mpc::testing::{SeededRng, World};
use rand_core::Rng;

use crate::provision::{ACCEPT_SCORE, AMBIGUOUS_SCORE};
use crate::run::{Failure, failed};

/// How often the parties decide as the plain scores do, at the thresholds that `handsel up` configures.
pub struct ThroughProtocol {
    /// Pairs with a face in both pictures.
    pub pairs: usize,
    /// Of them, those whose score the parties' shares add up to exactly.
    pub equal_scores: usize,
    /// Those found, or not, as the accept threshold says: each a search of a gallery of one.
    pub equal_acceptances: usize,
    /// Those near, or not, otherwise than the ambiguous threshold says: truncation decided.
    pub changed_by_truncation: usize,
    /// Those whose score is so close to that threshold that truncation may decide.
    pub within_truncation: usize,
}

/// One pair's templates in shares.
struct SharedPair {
    score: i32,
    query: [TemplateShare; 3],
    record: [TemplateShare; 3],
}

/// Decides every pair with three parties in memory.
pub fn decide(samples: &[Sample], pairs: &[Pair]) -> Result<ThroughProtocol, Failure> {
    let thresholds = Thresholds::new(ACCEPT_SCORE, AMBIGUOUS_SCORE).map_err(failed("the thresholds are wrong"))?;
    // Made-up randomness: these shares protect nobody, and the run can be repeated.
    let mut rng = SeededRng::new(1);
    let shared = shared_pairs(samples, pairs, &mut rng).map_err(failed("a template cannot be shared"))?;
    let wrong = || failed("the protocol failed");
    let (scores, is_near) = scores_and_near(&shared, thresholds).map_err(wrong())?;
    let plainly_near = |pair: &SharedPair| pair.score >= i32::from(thresholds.ambiguous());
    let distance = |pair: &SharedPair| (pair.score - i32::from(thresholds.ambiguous())).abs();
    let mut equal_acceptances = 0;
    for pair in &shared {
        let found = is_found(pair, thresholds, rng.next_u64()).map_err(wrong())?;
        equal_acceptances += usize::from(found == (pair.score >= i32::from(thresholds.accept())));
    }
    Ok(ThroughProtocol {
        pairs: shared.len(),
        equal_scores: shared.iter().zip(&scores).filter(|(pair, score)| pair.score == i32::from(**score)).count(),
        equal_acceptances,
        changed_by_truncation: shared.iter().zip(&is_near).filter(|(pair, is_near)| plainly_near(pair) != **is_near).count(),
        within_truncation: shared.iter().filter(|pair| distance(pair) <= i32::from(MARGIN)).count(),
    })
}

fn shared_pairs(samples: &[Sample], pairs: &[Pair], rng: &mut SeededRng) -> Result<Vec<SharedPair>, Error> {
    let templates: BTreeMap<&PictureName, Template> =
        samples.iter().filter_map(|sample| Some((&sample.name, sample.embedding.as_ref()?.quantise()))).collect();
    let both = |pair: &Pair| Some((templates.get(&pair.first)?, templates.get(&pair.second)?));
    pairs
        .iter()
        .filter_map(both)
        .map(|(query, record)| {
            let score = query.score(record);
            Ok(SharedPair { score, query: share_template(query.values(), rng)?, record: share_template(record.values(), rng)? })
        })
        .collect()
}

/// Every pair's score, put together from the parties' components, and what the comparison says of it.
fn scores_and_near(pairs: &[SharedPair], thresholds: Thresholds) -> Result<(Vec<i16>, Vec<bool>), Error> {
    let results = World::new(2).run(|session| {
        let party = session.party();
        let part = |pair: &SharedPair| {
            let query = pair.query[party.index()].prepare_query(party);
            query.inner_product(pair.record[party.index()].to_row().as_slice())
        };
        let components = reshare_16(session, pairs.iter().map(part).collect())?;
        let bits = near(session, &components, thresholds.ambiguous())?;
        Ok((components, reveal(session, &bits)?))
    });
    let [first, second, third] = results.map(|(result, _)| result);
    let (first, second, third): ((Components<u16>, Vec<u64>), _, _) = (first?, second?, third?);
    let own = [&first.0.own, &second.0.own, &third.0.own];
    let score = |at: usize| own.iter().fold(0_u16, |sum, own| sum.wrapping_add(own[at])) as i16;
    let is_near = |at: usize| first.1[at / 64] >> (at % 64) & 1 == 1;
    Ok(((0..pairs.len()).map(score).collect(), (0..pairs.len()).map(is_near).collect()))
}

/// Whether a verified search for the pair's first picture in a gallery of the second one finds it.
fn is_found(pair: &SharedPair, thresholds: Thresholds, seed: u64) -> Result<bool, Error> {
    let token = [1; 16];
    let search = |run: &Run<'_>| {
        let share = &pair.query[run.party.index()];
        let row = pair.record[run.party.index()].to_row();
        let mut block = vec![0; block_numbers(row.dimensions())];
        write_slot(&mut block, 0, &row);
        let rows = RowsView::new(&block, row.dimensions());
        let query = share.prepare_query(run.party);
        let mut scores = vec![0; rows.slots()];
        scan(Kernel::best(), &[&query], rows, &mut [&mut scores]);
        scores.truncate(1);
        let parts = [Part { tokens: &[token], rows, mac: None }];
        let input = ChunkInput { number: 0, scores, parts: &parts, variants: 1, query: &query, thresholds, verification: Verification::On };
        run.on_lane(0, |session| {
            probe::check(session, share)?;
            let outcome = run.on_lane(1, |session| chunk::run(session, input, &mut |_| ()))?;
            conclude(session, &[outcome], thresholds, Verification::On)
        })
    };
    let [first, second, third] = World::new(seed).unrecorded().run_lanes(search).map(|(output, _)| output);
    Ok(resolve(&[first?, second?, third?])? == Resolution::Token(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::testing::random_template;

    #[test]
    fn pairs_are_decided_as_their_scores_say() {
        let mut rng = SeededRng::new(3);
        let person = random_template(128, &mut rng);
        let stranger = random_template(128, &mut rng);
        let thresholds = Thresholds::new(ACCEPT_SCORE, AMBIGUOUS_SCORE).expect("valid thresholds");
        let mut share = |template: &[i16]| share_template(template, &mut rng).expect("a valid template");
        let score = |record: &[i16]| person.iter().zip(record).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>();
        let pairs = [&person, &stranger].map(|record| SharedPair { score: score(record), query: share(&person), record: share(record) });
        let (scores, is_near) = scores_and_near(&pairs, thresholds).expect("an honest run");
        assert_eq!(scores.iter().map(|score| i32::from(*score)).collect::<Vec<_>>(), pairs.each_ref().map(|pair| pair.score));
        assert_eq!(is_near, [true, false]);
        assert_eq!(pairs.each_ref().map(|pair| is_found(pair, thresholds, 4).expect("an honest run")), [true, false]);
    }
}
