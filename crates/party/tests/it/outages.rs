//! Parties that are away, come back, or are never asked: a named answer within a bound, and nothing lost.

use std::time::Duration;

use base::party::PartyId;
use tokio::time::Instant;
use wire::party::{PartyCommand, PartyRefusal};
use wire::probe::Purpose;

use crate::world::{Found, PEER_TIMEOUT, World, refusal};

/// Beyond the peers' timeout, for a loaded machine.
const SLACK: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn without_one_party_the_others_say_so_soon_and_go_on_when_it_is_back() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    for down in PartyId::ALL {
        world.stop(down).await;
        let context = world.context(Purpose::Pay);
        let probe = world.seal(context, &[&person.template]);
        let command = world.identification(&probe);
        for up in [down.next(), down.previous()] {
            let answer = tokio::time::timeout(PEER_TIMEOUT + SLACK, world.ask(up, command(up))).await.expect("an answer in time");
            assert_eq!(refusal(&answer), PartyRefusal::PeerUnavailable, "{down} is down");
        }
        world.start(down).await;
        world.until_connected().await;
        assert_eq!(world.look(&person.template).await, Found::Token(person.token), "{down} is back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_is_never_asked_does_not_hold_the_others_up() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    for left_out in PartyId::ALL {
        let context = world.context(Purpose::Pay);
        let probe = world.seal(context, &[&person.template]);
        let command = world.identification(&probe);
        let (one, other) = (left_out.next(), left_out.previous());
        let asked = async { tokio::join!(world.ask(one, command(one)), world.ask(other, command(other))) };
        let (first, second) = tokio::time::timeout(PEER_TIMEOUT + SLACK, asked).await.expect("answers in time");
        assert_eq!([refusal(&first), refusal(&second)], [PartyRefusal::PeerUnavailable; 2]);
    }
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_dies_during_runs_ends_them_by_name() {
    let mut world = World::new().await;
    let people: Vec<_> = (0..3).map(|_| world.person()).collect();
    world.enrol(&people).await;
    let context = world.context(Purpose::Pay);
    let probe = world.seal(context, &[&people[0].template]);
    let command = world.identification(&probe);
    // Parties 1 and 2 have begun and wait for party 3, which dies instead of being asked.
    let addresses = (command(PartyId::P1), command(PartyId::P2));
    let begun = std::time::Duration::from_millis(300);
    let (first, second, ()) = {
        let task = world.take_task(PartyId::P3);
        tokio::join!(world.ask(PartyId::P1, addresses.0), world.ask(PartyId::P2, addresses.1), async move {
            tokio::time::sleep(begun).await;
            task.abort();
        })
    };
    assert_eq!([refusal(&first), refusal(&second)], [PartyRefusal::PeerUnavailable; 2]);
    world.start(PartyId::P3).await;
    world.until_connected().await;
    assert_eq!(world.look(&people[1].template).await, Found::Token(people[1].token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_refuses_tells_the_others_so_that_they_do_not_wait() {
    let mut world = World::new().await;
    let person = world.person();
    world.enrol(std::slice::from_ref(&person)).await;
    for refusing in PartyId::ALL {
        // Whether it refuses before the others begin or after.
        for first in [true, false] {
            let context = world.context(Purpose::Pay);
            let probe = world.seal(context, &[&person.template]);
            let command = world.identification(&probe);
            let altered = match command(refusing) {
                PartyCommand::Identify(mut identify) => {
                    identify.probe.signature.0[5] ^= 1;
                    PartyCommand::Identify(identify)
                }
                other => other,
            };
            let (one, other) = (refusing.next(), refusing.previous());
            let pause = Duration::from_millis(100);
            let began = Instant::now();
            let (refused, answers) = tokio::join!(
                async {
                    tokio::time::sleep(if first { Duration::ZERO } else { pause }).await;
                    world.ask(refusing, altered.clone()).await
                },
                async {
                    tokio::time::sleep(if first { pause } else { Duration::ZERO }).await;
                    tokio::join!(world.ask(one, command(one)), world.ask(other, command(other)))
                }
            );
            assert!(began.elapsed() < PEER_TIMEOUT / 2, "{refusing} refused and the others waited {:?}", began.elapsed());
            assert_eq!(refusal(&refused), PartyRefusal::SignatureInvalid);
            assert_eq!([refusal(&answers.0), refusal(&answers.1)], [PartyRefusal::PeerUnavailable; 2]);
        }
    }
    assert_eq!(world.look(&person.template).await, Found::Token(person.token));
}
