//! The gallery's log: applied once, in order, the same everywhere; deletions are real and signed.

use base::id::RecordId;
use base::party::PartyId;
use ed25519_dalek::Signature;
use wire::bytes::HexArray;
use wire::party::{GalleryOperation, PartyAnswer, PartyCommand, PartyRefusal};
use wire::probe::{Purpose, SealedProbe};

use crate::traces::Traces;
use crate::world::{Found, TERMINAL, World, refusal, resolution};

/// The common root after an applied change; panics if the parties' roots differ.
#[track_caller]
pub fn common_root(answers: &[PartyAnswer; 3]) -> HexArray<32> {
    let roots = answers.each_ref().map(|answer| match answer {
        PartyAnswer::Applied { gallery_root, .. } => *gallery_root,
        other => panic!("{other:?}"),
    });
    assert!(roots[0] == roots[1] && roots[1] == roots[2]);
    roots[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_apply_once_and_in_order_and_survive_a_restart() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..3).map(|_| world.person()).collect();
    let mut commands = Vec::new();
    for person in &people {
        let context = world.context(Purpose::Enrol);
        let probe = world.seal(context, &[&person.template]);
        commands.push(world.enrolment(probe, std::slice::from_ref(person)).await);
    }
    let out_of_step = [PartyRefusal::GalleryOutOfStep; 3];
    assert_eq!(world.ask_all(&commands[1]).await.each_ref().map(refusal), out_of_step, "the second change first");
    let first = common_root(&world.ask_all(&commands[0]).await);
    let second = common_root(&world.ask_all(&commands[1]).await);
    assert!(first != second);
    assert!(first == common_root(&world.ask_all(&commands[0]).await), "applied again, it answers as the first time");
    assert_eq!(world.status(PartyId::P1).await.records, 2);

    // Party 2 misses a change, and is told of it later, when the challenge is long over.
    for party in [PartyId::P1, PartyId::P3] {
        assert!(matches!(world.ask(party, commands[2](party)).await, PartyAnswer::Applied { sequence: 3, .. }));
    }
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&people[0].template]);
    let command = world.identification(&probe);
    assert_eq!(refusal(&world.ask(PartyId::P2, command(PartyId::P2)).await), PartyRefusal::GalleryOutOfStep);
    world.stop(PartyId::P2).await;
    world.move_clock(3_600_000);
    world.start(PartyId::P2).await;
    world.until_connected().await;
    assert_eq!(world.status(PartyId::P2).await.gallery_sequence, 2);
    common_root(&world.ask_all(&commands[2]).await);
    for person in &people {
        assert_eq!(world.look(&person.template).await, Found::Token(person.token));
    }

    // Another change under a number that is taken, and a probe or a name that was used.
    let other = world.change(|_| GalleryOperation::Delete { records: vec![RecordId::from_bits(1)] });
    let misnumbered = |party| match other(party) {
        PartyCommand::Apply(mut change) => {
            change.sequence = 2;
            PartyCommand::Apply(change)
        }
        other => other,
    };
    assert_eq!(world.ask_all(misnumbered).await.each_ref().map(refusal), out_of_step);
    world.sequence -= 1;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_that_is_not_what_it_should_be_is_not_applied() {
    use PartyRefusal::{NonceReused, RequestMalformed};
    let mut world = World::new().await;
    let (one, other) = (world.person(), world.person());
    let context = world.context(Purpose::Enrol);
    let used = world.seal(context, &[&one.template]);
    let command = world.enrolment(used.clone(), std::slice::from_ref(&one)).await;
    common_root(&world.ask_all(command).await);

    let [fresh, twice] = [(); 2].map(|()| world.context(Purpose::Enrol));
    let table: [(&str, SealedProbe, Vec<_>, PartyRefusal); 4] = [
        ("a probe that was used", used, vec![other.clone()], NonceReused),
        ("a record that is there", world.seal(fresh.clone(), &[&one.template]), vec![one.clone()], RequestMalformed),
        ("more records than templates", world.seal(fresh, &[&one.template]), vec![other.clone(), world.person()], RequestMalformed),
        (
            "a record twice",
            world.seal(wire::probe::ProbeContext { templates: 2, ..twice }, &[&one.template, &one.template]),
            vec![other.clone(); 2],
            RequestMalformed,
        ),
    ];
    for (what, probe, people, expected) in table {
        let command = world.enrolment(probe, &people).await;
        assert_eq!(world.ask_all(command).await.each_ref().map(refusal), [expected; 3], "{what}");
        world.sequence -= 1;
        assert_eq!(world.status(PartyId::P3).await.gallery_sequence, 1, "{what}");
    }
    world.enrol(std::slice::from_ref(&other)).await;
    assert_eq!(world.look(&other.template).await, Found::Token(other.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_does_not_open_is_void_everywhere_until_it_is_deleted() {
    let mut world = World::new().await;
    let (good, broken) = (world.person(), world.person());
    world.enrol(std::slice::from_ref(&good)).await;

    // The terminal sealed party 2's share to a wrong context; it signed what it sealed.
    let (context, other) = (world.context(Purpose::Enrol), world.context(Purpose::Enrol));
    let (sealed, elsewhere) = (world.seal(context.clone(), &[&broken.template]).sealed, world.seal(other, &[&broken.template]).sealed);
    let [first, _, third] = sealed;
    let [_, second, _] = elsewhere;
    let probe = SealedProbe::sign(context, [first, second, third], &world.device_key);
    let command = world.enrolment(probe, std::slice::from_ref(&broken)).await;
    for _ in 0..2 {
        let answers = world.ask_all(&command).await;
        assert_eq!(answers.each_ref().map(refusal), [PartyRefusal::ShareMalformed; 3], "they checked it together");
    }
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&good.template]);
    let command = world.identification(&probe);
    assert_eq!(world.ask_all(command).await.each_ref().map(refusal), [PartyRefusal::GalleryOutOfStep; 3]);

    let record = broken.record;
    let command = world.change(move |_| GalleryOperation::Delete { records: vec![record] });
    common_root(&world.ask_all(command).await);
    assert_eq!(world.look(&good.template).await, Found::Token(good.token));
    assert_eq!(world.look(&broken.template).await, Found::Nobody);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_of_unknown_origin_is_void_and_does_not_hold_up_what_comes_later() {
    let mut world = World::new().await;
    let good = world.person();
    world.enrol(std::slice::from_ref(&good)).await;
    // Only party 3 has never heard of this terminal.
    let terminal = base::id::TerminalId::from_bits(TERMINAL.bits() + 1);
    world.stop(PartyId::P3).await;
    world.configs[2].terminals.remove(&terminal).expect("it was known");
    world.start(PartyId::P3).await;
    world.until_connected().await;

    let contexts = [(); 5].map(|()| world.context(Purpose::Enrol));
    let [mut elsewhere, mut paying, mut small, mut wild, forged] = contexts;
    elsewhere.terminal = terminal;
    paying.purpose = Purpose::Pay;
    small.dimensions = 64;
    wild.counter = u64::MAX;
    let strange = world.person();
    let template = &strange.template;
    let mut altered = world.seal(forged, &[template]);
    altered.signature.0[7] ^= 1;
    let table: [(&str, SealedProbe); 5] = [
        ("a terminal that one does not know", world.seal(elsewhere, &[template])),
        ("a payment's probe", world.seal(paying, &[template])),
        ("another size", world.seal(small, &[&template[..64]])),
        ("a number beyond all bounds", world.seal(wild, &[template])),
        ("a signature that does not fit", altered),
    ];
    for (what, probe) in table {
        let command = world.enrolment(probe, std::slice::from_ref(&strange)).await;
        for _ in 0..2 {
            assert_eq!(world.ask_all(&command).await.each_ref().map(refusal), [PartyRefusal::ShareMalformed; 3], "{what}");
            for party in PartyId::ALL {
                assert_eq!(world.status(party).await.gallery_sequence, world.sequence, "{what}: the log goes on");
            }
        }
        let record = strange.record;
        let command = world.change(move |_| GalleryOperation::Delete { records: vec![record] });
        common_root(&world.ask_all(command).await);
        assert_eq!(world.look(&good.template).await, Found::Token(good.token), "{what}");
        assert_eq!(world.look(template).await, Found::Nobody, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_person_is_gone_from_every_byte_and_all_three_sign_it() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..5).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let gone = &people[2];
    let before = PartyId::ALL.map(|party| Traces::of(&world, party, gone.record));
    for party in PartyId::ALL {
        assert_eq!(before[party.index()].found(&world, party), ["row", "sealed row", "key", "token"], "all is on disk before");
    }

    let (record, unknown) = (gone.record, RecordId::from_bits(5));
    let command = world.change(move |_| GalleryOperation::Delete { records: vec![record, unknown] });
    let (first, again) = (world.ask_all(&command).await, world.ask_all(&command).await);
    common_root(&first);
    for (party, (first, again)) in PartyId::ALL.into_iter().zip(first.iter().zip(&again)) {
        let (PartyAnswer::Applied { deletions, .. }, PartyAnswer::Applied { deletions: repeated, .. }) = (first, again) else {
            unreachable!()
        };
        assert_eq!(deletions, repeated, "asked again, the same word");
        assert_eq!(deletions.iter().map(|deletion| deletion.record).collect::<Vec<_>>(), [record, unknown]);
        let key = world.configs[party.index()].confirmation_key.verifying_key();
        for deletion in deletions {
            assert_eq!((deletion.party, deletion.sequence), (party, world.sequence));
            key.verify_strict(&deletion.message(), &Signature::from_bytes(&deletion.signature.0)).expect("the party signed it");
        }
        let none: [&str; 0] = [];
        assert_eq!(before[party.index()].found(&world, party), none, "{party} still has it on disk");
    }
    assert_eq!(world.look(&gone.template).await, Found::Nobody);
    assert_eq!(world.look(&people[3].template).await, Found::Token(people[3].token));

    for party in PartyId::ALL {
        world.stop(party).await;
        world.start(party).await;
    }
    world.until_connected().await;
    assert_eq!(world.look(&gone.template).await, Found::Nobody);
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&people[4].template]);
    let command = world.identification(&probe);
    assert_eq!(resolution(world.ask_all(command).await), Found::Token(people[4].token));
}
