//! Refresh and compaction while everything else goes on; what a share of one epoch is worth in another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::id::SessionId;
use base::party::PartyId;
use mpc::share::{Row, reconstruct_rows};
use mpc::testing::chi_squared_of_bytes;
use party::gallery::header::Identity;
use party::gallery::segment::Segment;
use tokio::sync::RwLock;
use tokio::time::Instant;
use wire::bytes::HexArray;
use wire::party::{GalleryChange, GalleryOperation, Identify, PartyAnswer, PartyCommand, PartyRefusal};
use wire::probe::{Purpose, SealedProbe};
use wire::upkeep::PrepareRefresh;

use crate::gallery::common_root;
use crate::traces::copy_of;
use crate::upkeep::{prepared, until};
use crate::world::{DIMENSIONS, Found, World, refusal, resolution};

/// Enough that a preparation takes turns with searches.
const CROWD: usize = 3_500;

/// What a till does over and over, as the platform lets it: never while a change is handed out.
struct Looks<'w> {
    world: &'w World,
    /// How far the galleries are; a change is handed out under the exclusive lock.
    sequence: RwLock<u64>,
    probes: Vec<(SealedProbe, Found)>,
    done: AtomicU64,
    first_session: u128,
}

impl Looks<'_> {
    /// One look after the other until `is_over`; the longest, from when it was wanted until its answer.
    async fn go_on(&self, is_over: &AtomicU64) -> Duration {
        let mut longest = Duration::ZERO;
        for (at, (probe, expected)) in self.probes.iter().enumerate() {
            if is_over.load(Ordering::SeqCst) == 1 {
                return longest;
            }
            let wanted = Instant::now();
            let sequence = self.sequence.read().await;
            let gallery_sequence = *sequence;
            let session = SessionId::from_bits(self.first_session + at as u128);
            let identify = |party| PartyCommand::Identify(Box::new(Identify { session, gallery_sequence, probe: probe.for_party(party) }));
            assert_eq!(resolution(self.world.ask_all(identify).await), *expected, "look {at}");
            drop(sequence);
            longest = longest.max(wanted.elapsed());
            self.done.fetch_add(1, Ordering::SeqCst);
        }
        longest
    }

    /// Hands a change out to all three; how long it kept looks waiting.
    async fn change(&self, operation: impl Fn(PartyId) -> GalleryOperation) -> Duration {
        let mut sequence = self.sequence.write().await;
        let began = Instant::now();
        let next = *sequence + 1;
        let change = |party| PartyCommand::Apply(Box::new(GalleryChange { sequence: next, operation: operation(party) }));
        common_root(&self.world.ask_all(change).await);
        *sequence = next;
        began.elapsed()
    }

    /// Has all three prepare; how long it took, and how many looks were answered meanwhile.
    async fn prepare(&self, command: PartyCommand) -> (HexArray<32>, Duration, u64) {
        let (began, before) = (Instant::now(), self.done.load(Ordering::SeqCst));
        let name = prepared(&self.world.ask_all(|_| command.clone()).await);
        (name, began.elapsed(), self.done.load(Ordering::SeqCst) - before)
    }
}

fn operation(command: PartyCommand) -> GalleryOperation {
    match command {
        PartyCommand::Apply(change) => change.operation,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_go_on_while_shares_are_refreshed_and_slots_numbered_anew() {
    let mut world = World::new().await;
    let label = HexArray([5; 16]);
    let mut people: Vec<_> = (0..CROWD).map(|_| world.person()).collect();
    people.iter_mut().step_by(500).for_each(|person| person.partitions = vec![label]);
    world.enrol(&people).await;
    let (stranger, late, leaving) = (world.person(), world.person(), people[1_999].clone());
    let mut probes = vec![];
    for at in 0..300 {
        let mut context = world.context(Purpose::Pay);
        context.expires_at = context.issued_at.plus_millis(900_000);
        // A search of a part is one too, and so is one for nobody.
        let (person, expected) = match at % 3 {
            0 => (&people[7 * at], Found::Token(people[7 * at].token)),
            1 => (&people[500], Found::Token(people[500].token)),
            _ => (&stranger, Found::Nobody),
        };
        context.partition = (at % 3 == 1).then_some(label);
        let template = person.template.clone();
        probes.push((world.seal(context, &[&template]), expected));
    }
    let context = world.context(Purpose::Enrol);
    let probe = world.seal(context, &[&late.template]);
    let enrolment = world.enrolment(probe, std::slice::from_ref(&late)).await;
    world.sequence -= 1;
    let (session, first_session) = (SessionId::from_bits(world.name()), 1 << 40);
    let looks = Looks { world: &world, sequence: RwLock::new(world.sequence), probes, done: AtomicU64::new(0), first_session };

    let (begin, is_over) = (world.sequence, AtomicU64::new(0));
    let upkeep = async {
        while looks.done.load(Ordering::SeqCst) < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let refresh = PrepareRefresh { session, gallery_sequence: begin, epoch: 1 };
        let (name, preparing, beside) = looks.prepare(PartyCommand::PrepareRefresh(refresh)).await;
        // Somebody comes and somebody goes between preparing and putting in force.
        looks.change(|party| operation(enrolment(party))).await;
        looks.change(|_| GalleryOperation::Delete { records: vec![leaving.record] }).await;
        let switching = looks.change(|_| GalleryOperation::Refresh { epoch: 1, name }).await;
        println!("refresh: prepared in {preparing:?}, {beside} looks meanwhile; put in force in {switching:?}");
        let as_of = begin + 3;
        let (_, preparing, beside_compaction) = looks.prepare(PartyCommand::PrepareCompaction { gallery_sequence: as_of }).await;
        looks.change(|_| GalleryOperation::Delete { records: vec![people[2_500].record] }).await;
        let switching_compaction = looks.change(|_| GalleryOperation::Compact { as_of }).await;
        println!("compaction: prepared in {preparing:?}, {beside_compaction} looks meanwhile; put in force in {switching_compaction:?}");
        is_over.store(1, Ordering::SeqCst);
        [(preparing, beside), (preparing, beside_compaction)]
    };
    let (longest, upkeep) = tokio::join!(looks.go_on(&is_over), upkeep);
    println!("{} looks, all right; the longest took {longest:?}", looks.done.load(Ordering::SeqCst));
    for (preparing, beside) in upkeep {
        assert!(beside >= 1, "no look was answered in {preparing:?} of preparing");
    }
    world.sequence += 5;
    let [verified, ..] = world.verify().await;
    assert_eq!((verified.records, verified.partitions[0].records), (CROWD as u64 - 1, 7 - 1));
    assert_eq!(world.audit(PartyId::P2, None).await.slots as usize, CROWD, "one gap closed, one open, one newcomer");
    for (person, expected) in [
        (&people[0], Found::Token(people[0].token)),
        (&people[CROWD - 1], Found::Token(people[CROWD - 1].token)),
        (&late, Found::Token(late.token)),
        (&leaving, Found::Nobody),
        (&people[2_500], Found::Nobody),
    ] {
        assert_eq!(world.look(&person.template).await, expected);
    }
    for party in PartyId::ALL {
        let segments = world.directory(party).join("segments");
        until(&format!("{party}: old segments are gone"), || std::fs::read_dir(&segments).expect("lists").count() == 1).await;
        until(&format!("{party}: the old epoch is gone"), || epochs(&world, party) == [(0, 1), (1, CROWD - 2)]).await;
    }
    // What was put in force is what a start makes of the journal.
    for party in PartyId::ALL {
        world.restart(party).await;
    }
    world.verify().await;
    assert_eq!(world.look(&late.template).await, Found::Token(late.token));
}

/// How many rows of each epoch a party has, and that it has as many keys.
fn epochs(world: &World, party: PartyId) -> Vec<(u32, usize)> {
    let count = |file: &str, table: &str| -> Vec<(u32, usize)> {
        let database = rusqlite::Connection::open(world.directory(party).join(file)).expect("a database");
        let sql = format!("SELECT epoch, count(*) FROM {table} GROUP BY epoch ORDER BY epoch");
        let mut statement = database.prepare(&sql).expect("a table");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("reads");
        rows.collect::<Result<_, _>>().expect("numbers")
    };
    let (rows, keys) = (count(party::store::FILE_NAME, "row"), count(party::keys::FILE_NAME, "row_key"));
    if rows == keys { rows } else { vec![] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_never_mixes_epochs() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..3).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let name = prepared(&world.prepare(1).await);
    let before = world.sequence;
    let refresh = world.change(move |_| GalleryOperation::Refresh { epoch: 1, name });
    let compact = world.change(move |_| GalleryOperation::Compact { as_of: before });
    for (change, sequence) in [(PartyId::ALL.map(&refresh), before), (PartyId::ALL.map(&compact), before + 1)] {
        // One after the other goes over; whatever a run says, it has no answer until all three have.
        for (at, party) in PartyId::ALL.into_iter().enumerate() {
            assert!(matches!(world.ask(party, change[at].clone()).await, PartyAnswer::Applied { .. }));
            for says in [sequence, sequence + 1] {
                world.sequence = says;
                let context = world.context(Purpose::Pay);
                let probe = world.seal(context, &[&people[1].template]);
                let command = world.identification(&probe);
                let answers = world.ask_all(&command).await;
                if at == 2 && says == sequence + 1 {
                    assert_eq!(resolution(answers), Found::Token(people[1].token));
                    continue;
                }
                for (other, answer) in PartyId::ALL.into_iter().zip(&answers) {
                    let is_there = (other.index() <= at) == (says == sequence + 1);
                    let expected = if is_there { PartyRefusal::PeerUnavailable } else { PartyRefusal::GalleryOutOfStep };
                    assert_eq!(refusal(answer), expected, "{other}, {} of three went over", at + 1);
                }
            }
        }
    }
}

/// A party's rows as they stand in its segment.
fn rows_of(world: &World, party: PartyId, generation: u64, count: usize) -> Vec<Row> {
    let copy = copy_of(&world.directory(party));
    let identity = Identity { party, dimensions: usize::from(DIMENSIONS), generation, number: 0 };
    let path = copy.path().join("segments").join(format!("{generation}-00000.segment"));
    let segment = Segment::open(&path, identity).expect("opens").expect("a segment");
    (0..count).map(|slot| segment.rows().read(slot)).collect()
}

/// Chi squared with 255 degrees of freedom of the low and the high bytes: within six standard deviations of uniform.
fn are_uniform(numbers: &[u16]) -> bool {
    let of = |shift: u32| chi_squared_of_bytes(numbers.iter().map(|number| (number >> shift) as u8));
    (119.0..=391.0).contains(&of(0)) && (119.0..=391.0).contains(&of(8))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_one_epoch_is_useless_with_anothers() {
    const COUNT: usize = 80;
    let mut world = World::new().await;
    let people: Vec<_> = (0..COUNT).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let old = PartyId::ALL.map(|party| rows_of(&world, party, 0, COUNT));
    let name = prepared(&world.prepare(1).await);
    let command = world.change(move |_| GalleryOperation::Refresh { epoch: 1, name });
    common_root(&world.ask_all(&command).await);
    let new = PartyId::ALL.map(|party| rows_of(&world, party, world.sequence, COUNT));
    let reconstructed = |one: (PartyId, &Vec<Row>), other: (PartyId, &Vec<Row>)| -> Vec<u16> {
        let pairs = one.1.iter().zip(other.1);
        pairs.flat_map(|(a, b)| reconstruct_rows((one.0, a), (other.0, b)).expect("rows").to_vec()).map(|feature| feature as u16).collect()
    };
    let right: Vec<u16> = people.iter().flat_map(|person| &person.template).map(|feature| *feature as u16).collect();
    assert!(!are_uniform(&right), "the measure sees a template");
    for party in PartyId::ALL {
        let difference: Vec<u16> = old[party.index()]
            .iter()
            .zip(&new[party.index()])
            .flat_map(|(old, new)| old.as_slice().iter().zip(new.as_slice()).map(|(old, new)| new.wrapping_sub(*old)).collect::<Vec<_>>())
            .collect();
        assert!(are_uniform(&difference), "{party}: the difference of two epochs says nothing");
        for other in [party.next(), party.previous()] {
            let (one, another) = (party.index(), other.index());
            assert_eq!(reconstructed((party, &new[one]), (other, &new[another])), right, "shares of one epoch give the template");
            let mixed = reconstructed((party, &old[one]), (other, &new[another]));
            let error: Vec<u16> = mixed.iter().zip(&right).map(|(mixed, right)| mixed.wrapping_sub(*right)).collect();
            assert!(are_uniform(&mixed) && are_uniform(&error), "{party} of the old and {other} of the new epoch");
        }
    }
}
