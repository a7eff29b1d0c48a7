//! Every named refusal, each by a probe that differs from a good one in one thing.

use base::id::{SessionId, TerminalId};
use base::party::PartyId;
use ed25519_dalek::SigningKey;
use party::budget::Budget;
use wire::bytes::HexArray;
use wire::party::{PartyAnswer, PartyCommand, PartyRefusal, PartyResponse};
use wire::probe::{ProbeContext, Purpose, SealedProbe};

use crate::world::{Found, World, refusal, resolution};

/// The three parties' refusals of a probe.
async fn refusals(world: &mut World, probe: &SealedProbe) -> [PartyRefusal; 3] {
    let command = world.identification(probe);
    world.ask_all(command).await.each_ref().map(refusal)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_not_what_it_should_be_is_refused_by_all_three() {
    use PartyRefusal::{ChallengeExpired, PurposeMismatch, ShareMalformed, SignatureInvalid, TerminalUnknown};
    type Change = fn(&mut ProbeContext);
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;

    // Before it is signed: a terminal that asks for what it may not.
    let before: [(&str, Change, PartyRefusal); 6] = [
        ("another terminal", |context| context.terminal = TerminalId::from_bits(7), TerminalUnknown),
        ("for enrolment", |context| context.purpose = Purpose::Enrol, PurposeMismatch),
        ("expired", |context| context.expires_at = base::time::Timestamp::from_millis(context.issued_at.millis() - 1), ChallengeExpired),
        ("from the future", |context| context.issued_at = context.issued_at.plus_millis(20_000), ChallengeExpired),
        ("of another size", |context| context.dimensions = 64, ShareMalformed),
        ("two templates", |context| context.templates = 2, ShareMalformed),
    ];
    for (what, change, expected) in before {
        let mut context = world.context(Purpose::Pay);
        change(&mut context);
        let probe = world.seal(context, &[&person.template]);
        assert_eq!(refusals(&mut world, &probe).await, [expected; 3], "{what}");
    }

    // After it was signed: somebody on the way who changes it.
    let after: [(&str, Change); 6] = [
        ("another amount", |context| context.amount_minor += 1),
        ("another payee", |context| context.payee = "mer_00000000000000000000000002".into()),
        ("another payment", |context| context.reference = "pay_00000000000000000000000002".into()),
        ("another nonce", |context| context.nonce = HexArray([9; 32])),
        ("more time", |context| context.expires_at = context.expires_at.plus_millis(1)),
        ("another part of the gallery", |context| context.partition = Some(HexArray([1; 16]))),
    ];
    for (what, change) in after {
        let context = world.context(Purpose::Pay);
        let mut probe = world.seal(context, &[&person.template]);
        change(&mut probe.context);
        assert_eq!(refusals(&mut world, &probe).await, [SignatureInvalid; 3], "{what}");
    }
    let context = world.context(Purpose::Pay);
    let good = world.seal(context.clone(), &[&person.template]);
    let mut altered = good.clone();
    altered.sealed[1].ciphertext.0[0] ^= 1;
    assert_eq!(refusals(&mut world, &altered).await, [SignatureInvalid; 3], "an altered share");
    let mut swapped = good.clone();
    swapped.sealed.swap(0, 1);
    assert_eq!(refusals(&mut world, &swapped).await, [SignatureInvalid; 3], "swapped shares");
    let forged = SealedProbe::sign(context, good.sealed.clone(), &SigningKey::from_bytes(&[6; 32]));
    assert_eq!(refusals(&mut world, &forged).await, [SignatureInvalid; 3], "another device's signature");

    // None of this used the good probe up.
    let command = world.identification(&good);
    assert_eq!(resolution(world.ask_all(command).await), Found::Token(person.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_used_once_and_time_runs_out() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    let contexts = [(); 3].map(|()| world.context(Purpose::Pay));
    let [mut too_old, mut older, mut newer] = contexts;
    (too_old.counter, older.counter, newer.counter) = (1_000, 1_001, 1_064);
    let [too_old, older, newer] = [too_old, older, newer].map(|context| world.seal(context, &[&person.template]));

    let command = world.identification(&newer);
    assert_eq!(resolution(world.ask_all(&command).await), Found::Token(person.token));
    assert_eq!(world.ask_all(&command).await.each_ref().map(refusal), [PartyRefusal::NonceReused; 3]);
    assert_eq!(refusals(&mut world, &newer).await, [PartyRefusal::NonceReused; 3], "under another run's name");
    assert_eq!(refusals(&mut world, &too_old).await, [PartyRefusal::CounterNotIncreasing; 3]);
    // One that was overtaken on its way is taken, once, and does not set the counter back.
    let command = world.identification(&older);
    assert_eq!(resolution(world.ask_all(command).await), Found::Token(person.token));
    assert_eq!(refusals(&mut world, &older).await, [PartyRefusal::NonceReused; 3]);
    assert_eq!(refusals(&mut world, &too_old).await, [PartyRefusal::CounterNotIncreasing; 3]);

    // Also after a restart: what was used is on disk.
    for party in PartyId::ALL {
        world.stop(party).await;
        world.start(party).await;
    }
    world.until_connected().await;
    assert_eq!(refusals(&mut world, &newer).await, [PartyRefusal::NonceReused; 3]);
    assert_eq!(refusals(&mut world, &older).await, [PartyRefusal::NonceReused; 3]);
    assert_eq!(refusals(&mut world, &too_old).await, [PartyRefusal::CounterNotIncreasing; 3]);

    let mut context = world.context(Purpose::Pay);
    context.counter = 1_065;
    let late = world.seal(context, &[&person.template]);
    world.move_clock(31_000);
    assert_eq!(refusals(&mut world, &late).await, [PartyRefusal::ChallengeExpired; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_asks_too_often_waits() {
    let mut world = World::with_budget(Budget { per_minute: 3, per_day: 5 }).await;
    let stranger = world.person();
    // Minute by minute: how many of four looks are answered.
    for answered in [3, 2, 0] {
        for look in 0..4 {
            let context = world.context(Purpose::Pay);
            let probe = world.seal(context, &[&stranger.template]);
            let command = world.identification(&probe);
            let answers = world.ask_all(command).await;
            if look < answered {
                assert_eq!(resolution(answers), Found::Nobody);
            } else {
                assert_eq!(answers.each_ref().map(refusal), [PartyRefusal::BudgetExhausted; 3]);
            }
        }
        world.move_clock(61_000);
    }
    world.move_clock(24 * 60 * 60 * 1000);
    assert_eq!(world.look(&stranger.template).await, Found::Nobody, "a day later");
}

/// Looks that come while one is recorded are recorded together; each is judged with those before it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn of_looks_that_come_at_once_none_is_let_through_unjudged() {
    let mut world = World::with_budget(Budget { per_minute: 6, per_day: 100 }).await;
    let stranger = world.person();
    let mut commands = Vec::new();
    for _ in 0..8 {
        let context = world.context(Purpose::Pay);
        let probe = world.seal(context, &[&stranger.template]);
        commands.push(world.identification(&probe));
    }
    let refused = |answers: &[[PartyAnswer; 3]], party: usize, code: PartyRefusal| {
        answers.iter().filter(|answers| matches!(&answers[party], PartyAnswer::Refused { code: found, .. } if *found == code)).count()
    };
    let [a, b, c, d, e, f, g, h] = commands.try_into().unwrap_or_else(|_| unreachable!("eight"));
    let ask = async |command| world.ask_all(command).await;
    let (a, b, c, d, e, f, g, h) = tokio::join!(ask(a), ask(b), ask(c), ask(d), ask(e), ask(f), ask(g), ask(h));
    let answers = [a, b, c, d, e, f, g, h];
    assert_eq!([0, 1, 2].map(|party| refused(&answers, party, PartyRefusal::BudgetExhausted)), [2; 3], "six of eight");

    world.move_clock(61_000);
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&stranger.template]);
    let [a, b, c, d] = [(); 4].map(|()| world.identification(&probe));
    let ask = async |command| world.ask_all(command).await;
    let (a, b, c, d) = tokio::join!(ask(a), ask(b), ask(c), ask(d));
    let answers = [a, b, c, d];
    assert_eq!([0, 1, 2].map(|party| refused(&answers, party, PartyRefusal::NonceReused)), [3; 3], "one of four");
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_that_were_handed_different_things_compute_nothing() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;

    let (one, other) = (world.context(Purpose::Pay), world.context(Purpose::Pay));
    let (one, other) = (world.seal(one, &[&person.template]), world.seal(other, &[&person.template]));
    let (same, different) = (world.identification(&one), world.identification(&other));
    let session = SessionId::from_bits(world.name());
    let named = |command: PartyCommand| match command {
        PartyCommand::Identify(mut identify) => {
            identify.session = session;
            PartyCommand::Identify(identify)
        }
        other => other,
    };
    let answers = world.ask_all(|party| named(if party == PartyId::P2 { different(party) } else { same(party) })).await;
    assert_eq!(answers.each_ref().map(refusal), [PartyRefusal::ProbeDiffers; 3]);

    // Another party's thresholds.
    world.stop(PartyId::P3).await;
    world.configs[2].thresholds = mpc::protocol::identify::Thresholds::new(8001, 7000).expect("valid thresholds");
    world.start(PartyId::P3).await;
    world.until_connected().await;
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&person.template]);
    assert_eq!(refusals(&mut world, &probe).await, [PartyRefusal::ProbeDiffers; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_and_what_cannot_be_read_is_refused() {
    let world = World::new().await;
    let somebody = party::identity::generate("platform").expect("a name");
    let question = br#"{"id":4,"command":{"command":"status"}}"#;
    let peer = world.configs[0].identity.clone();
    for party in PartyId::ALL {
        assert!(world.exchange(party, &somebody, question).await.is_err(), "an unknown certificate");
    }
    assert!(world.exchange(PartyId::P1, &world.configs[1].identity, question).await.is_err(), "a higher number does not dial");
    let greeting = world.exchange(PartyId::P2, &peer, question).await.expect("a greeting");
    assert_eq!((greeting.len(), greeting[1]), (34, 2), "a party is greeted, not answered");

    for (bytes, id) in [(&b"{}"[..], 0), (br#"{"id":7,"command":{"command":"open"}}"#, 7), (b"\xff\x00", 0), (b"", 0)] {
        let answer = world.exchange(PartyId::P1, &world.platform, bytes).await.expect("an answer");
        let response: PartyResponse = serde_json::from_slice(&answer).expect("a response");
        assert!(matches!(response.answer, PartyAnswer::Refused { code: PartyRefusal::RequestMalformed, .. }));
        assert_eq!(response.id, id);
    }
}
