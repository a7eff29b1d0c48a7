//! Parties and platform that go away in the middle.

use std::time::Duration;

use api::config::Timing;
use base::id::SessionId;
use base::party::PartyId;
use base::time::Clock;
use serde_json::json;
use tokio::time::Instant;
use wire::api::{Payment, PaymentStatus};
use wire::party::{GalleryOperation, PartyAnswer, PartyCommand};
use wire::problem::Code;
use wire::upkeep::PrepareRefresh;

use crate::world::proxy::Cut;
use crate::world::shopper::Person;
use crate::world::till::{SMALL, fresh_key};
use crate::world::{ENROLLER, TILL, World, logs};

const IMPATIENT: Timing = Timing {
    answer_after_ms: 300,
    reach_parties_ms: 2_500,
    identify_ms: 5_000,
    apply_ms: 5_000,
    expiry_interval_ms: 200,
    gallery_interval_ms: 200,
    webhook_interval_ms: 500,
    webhook_timeout_ms: 20_000,
    heartbeat_ms: 15_000,
    settle_ms: 500,
    seal_again_ms: 60_000,
};

#[tokio::test]
async fn while_a_party_is_down_a_look_is_being_checked_and_then_refused() {
    let mut world = World::with_timing(IMPATIENT).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    world.parties.stop(PartyId::P2).await;
    let ready = world.http.get("/readyz", &[]).await;
    assert_eq!((ready.status, &ready.json()["parties"][1]["connected"]), (503, &json!(false)));

    let payment = till.challenged(SMALL).await;
    let (probe, path, key) = (till.look(&payment, &person), format!("/v1/payments/{}/probe", payment.id), fresh_key());
    let first = till.post_with_key(&path, &probe, &key).await;
    assert_eq!((first.status, first.json()["status"].as_str()), (202, Some("being_checked")));
    // What is being checked can be neither cancelled nor looked at again; the same request has the same answer.
    assert_eq!(till.post(&format!("/v1/payments/{}/cancel", payment.id), &json!({})).await.code(), Code::StateConflict);
    let again = till.post_with_key(&path, &probe, &key).await;
    assert_eq!((again.status, again.is_replayed(), &again.body), (202, true, &first.body));
    world.until("a definite answer", async || till.payment(payment.id).await.status != PaymentStatus::BeingChecked).await;
    let refused = till.payment(payment.id).await;
    assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::PartiesUnavailable)));
    assert_eq!(shopper.me().await.balance_minor, 100_000);

    world.parties.start(PartyId::P2);
    world.until_ready().await;
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
}

#[tokio::test]
async fn a_party_that_restarts_in_time_is_waited_for() {
    let mut world = World::with_timing(Timing { reach_parties_ms: 8_000, ..IMPATIENT }).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    world.parties.stop(PartyId::P3).await;
    let payment = till.challenged(SMALL).await;
    let reply = till.probe(payment.id, &till.look(&payment, &person)).await;
    assert_eq!(reply.status, 202);
    world.parties.start(PartyId::P3);
    world.until("paid", async || till.payment(payment.id).await.status == PaymentStatus::Paid).await;
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
}

#[tokio::test]
async fn a_party_that_lost_its_disk_is_given_its_gallery_back() {
    let mut world = World::with_timing(IMPATIENT).await;
    let (person, gone, till) = (Person::new(), Person::new(), world.till(TILL));
    world.enrolled(&person, 100_000).await;
    let shopper = world.enrolled(&gone, 100_000).await;
    shopper.consent(false).await;
    world.until("deleted", async || shopper.me().await.enrolment.is_none()).await;
    for party in PartyId::ALL {
        world.parties.stop(party).await;
        world.parties.lose_disk(party);
        world.parties.start(party);
        world.until_ready().await;
        assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid, "{party}");
        assert_eq!(till.pay(SMALL, &gone).await.refusal, Some(Code::NotRecognised), "{party}");
    }
}

#[tokio::test]
async fn a_party_that_missed_a_refresh_is_given_the_new_epoch_by_the_platform_itself() {
    let mut world = World::with_timing(IMPATIENT).await;
    let (person, till) = (Person::new(), world.till(TILL));
    world.enrolled(&person, 100_000).await;
    for (epoch, missing) in (1..).zip(PartyId::ALL) {
        let gallery_sequence = world.store().gallery_sequence().expect("reads").applied;
        let prepare = || {
            let session = SessionId::from_bits(u128::from(epoch));
            PartyCommand::PrepareRefresh(PrepareRefresh { session, gallery_sequence, epoch })
        };
        let ask = |party| world.parties.ask(party, prepare());
        let answers = tokio::join!(ask(PartyId::P1), ask(PartyId::P2), ask(PartyId::P3));
        let [PartyAnswer::Prepared { name, .. }, PartyAnswer::Prepared { .. }, PartyAnswer::Prepared { .. }] = <[_; 3]>::from(answers)
        else {
            panic!("all three prepare");
        };
        world.parties.stop(missing).await;
        world.parties.forget_preparation(missing);
        world.parties.start(missing);
        world.until_ready().await;
        let now = world.clock.now();
        let sequence = world.store().queue_upkeep(&GalleryOperation::Refresh { epoch, name }, now).expect("queued");
        world.until("applied by all", async || world.store().gallery_sequence().expect("reads").applied == sequence).await;
        world.until_ready().await;
        for party in PartyId::ALL {
            let PartyAnswer::Audited(audited) = world.parties.ask(party, PartyCommand::Audit { at: None }).await else { panic!("{party}") };
            assert_eq!((audited.sequence, audited.epoch, audited.void), (sequence, epoch, 0), "{party} after {missing} missed it");
        }
        assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid, "{missing}");
    }
}

#[tokio::test]
async fn a_platform_that_stops_in_the_middle_refuses_what_it_cannot_know() {
    let mut world = World::with_timing(IMPATIENT).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    world.parties.stop(PartyId::P1).await;
    let payment = till.challenged(SMALL).await;
    let (probe, key) = (till.look(&payment, &person), fresh_key());
    let path = format!("/v1/payments/{}/probe", payment.id);
    assert_eq!(till.post_with_key(&path, &probe, &key).await.status, 202);
    world.stop_platform().await;
    world.start_platform().await;
    world.parties.start(PartyId::P1);
    world.until_ready().await;

    let (till, shopper_after) = (world.till(TILL), shopper.at(world.http.clone()));
    let refused: Payment = till.payment(payment.id).await;
    assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::IdentificationInterrupted)));
    // The answer that was given stays the answer; the look itself is used up.
    assert_eq!(till.post_with_key(&path, &probe, &key).await.status, 202);
    assert_eq!(till.probe(payment.id, &probe).await.code(), Code::StateConflict);
    assert_eq!(shopper_after.me().await.balance_minor, 100_000);
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
}

#[tokio::test]
async fn changes_reach_a_party_that_was_away_also_after_the_platform_restarted() {
    let mut world = World::with_timing(IMPATIENT).await;
    let (person, leaving) = (Person::new(), Person::new());
    let shopper = world.shopper(100_000).await;
    let gone = world.enrolled(&leaving, 100_000).await;
    world.parties.stop(PartyId::P2).await;
    let enrolment = shopper.begin_enrolment().await;
    assert_eq!(world.till(ENROLLER).hand_in(&enrolment, &person).await.status, 202);
    gone.delete(&format!("/v1/enrolments/{}", gone.enrolment().await)).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(shopper.get(&format!("/v1/enrolments/{}", enrolment.id)).await.json()["status"], "storing");

    world.stop_platform().await;
    world.start_platform().await;
    world.parties.start(PartyId::P2);
    let (shopper, gone) = (shopper.at(world.http.clone()), gone.at(world.http.clone()));
    world.until("enrolled", async || shopper.get(&format!("/v1/enrolments/{}", enrolment.id)).await.json()["status"] == "enrolled").await;
    world.until("deleted", async || gone.me().await.enrolment.is_none()).await;
    world.until_ready().await;
    assert_eq!(world.till(TILL).pay(SMALL, &person).await.status, PaymentStatus::Paid);
    assert_eq!(world.till(TILL).pay(SMALL, &leaving).await.refusal, Some(Code::NotRecognised));
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_charges_nothing() {
    let world = World::with_timing(Timing { answer_after_ms: 10_000, ..IMPATIENT }).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    for cut in [Cut::BeforeTheParty, Cut::BeforeTheAnswer] {
        let payment = till.challenged(SMALL).await;
        let probe = till.look(&payment, &person);
        world.cut_wire_to_second(cut);
        let refused: Payment = till.probe(payment.id, &probe).await.read();
        assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::IdentificationInterrupted)), "{cut:?}");
        assert_eq!(shopper.me().await.balance_minor, 100_000, "{cut:?}");
    }
    world.until_ready().await;
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
}

/// A look whose outcome must be known soon after the time in which the parties must be reached.
async fn look_in_time(world: &World, person: &Person) -> Payment {
    let till = world.till(TILL);
    let payment = till.challenged(SMALL).await;
    let started = Instant::now();
    till.probe(payment.id, &till.look(&payment, person)).await;
    world.until("definite", async || till.payment(payment.id).await.status != PaymentStatus::BeingChecked).await;
    let took = started.elapsed();
    assert!(took < Duration::from_millis(IMPATIENT.reach_parties_ms + 4_000), "{took:?}");
    till.payment(payment.id).await
}

#[tokio::test]
async fn a_party_that_hangs_while_somebody_enrols_keeps_no_look_waiting() {
    // A change may take as long as it does in earnest.
    let world = World::with_timing(Timing { apply_ms: Timing::default().apply_ms, ..IMPATIENT }).await;
    let (person, next) = (Person::new(), Person::new());
    let shopper = world.enrolled(&person, 100_000).await;
    // It hangs from the beginning, or falls silent when it is handed the change.
    for silent_all in [true, false] {
        let other = world.shopper(100_000).await;
        if silent_all {
            world.wire_to_second().silence_all();
        } else {
            world.cut_wire_to_second(Cut::Silence);
        }
        let enrolment = other.begin_enrolment().await;
        assert_eq!(world.till(ENROLLER).hand_in(&enrolment, &Person::new()).await.status, 202);
        for _ in 0..2 {
            let refused = look_in_time(&world, &person).await;
            assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(Code::PartiesUnavailable)), "{silent_all}");
        }
        if silent_all {
            world.wire_to_second().silence();
            world.until_ready().await;
            assert_eq!(look_in_time(&world, &person).await.status, PaymentStatus::Paid);
            world.enrolled(&next, 0).await;
        }
    }
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
}

#[tokio::test]
async fn a_change_that_is_not_answered_is_sent_again_on_a_new_connection() {
    let world = World::with_timing(Timing { apply_ms: 1_500, ..IMPATIENT }).await;
    let person = Person::new();
    world.cut_wire_to_second(Cut::Silence);
    world.enrolled(&person, 100_000).await;
    assert_eq!(world.till(TILL).pay(SMALL, &person).await.status, PaymentStatus::Paid);
}

#[tokio::test]
async fn a_connection_that_is_dead_without_a_word_is_replaced_in_time() {
    let world = World::with_timing(Timing { reach_parties_ms: Timing::default().reach_parties_ms, ..IMPATIENT }).await;
    let person = Person::new();
    world.enrolled(&person, 100_000).await;
    world.wire_to_second().silence();
    assert_eq!(look_in_time(&world, &person).await.status, PaymentStatus::Paid);
}

#[tokio::test]
async fn a_party_whose_gallery_went_another_way_is_named() {
    let mut world = World::with_timing(IMPATIENT).await;
    let person = Person::new();
    world.enrolled(&person, 100_000).await;
    world.parties.stop(PartyId::P3).await;
    let store = rusqlite::Connection::open(world.party_store_path(PartyId::P3)).expect("the party's store");
    assert_eq!(store.execute("UPDATE change SET root = zeroblob(32)", []).expect("altered"), 1);
    drop(store);
    world.parties.start(PartyId::P3);
    world.until("named", async || world.http.get("/readyz", &[]).await.json()["parties"][2]["diverged"] == true).await;
    let ready = world.http.get("/readyz", &[]).await;
    let diverged: Vec<bool> = [0, 1, 2].map(|at: usize| ready.json()["parties"][at]["diverged"] == true).to_vec();
    assert_eq!((ready.status, diverged), (503, vec![false, false, true]));
    world.until("logged", async || logs::text().contains("the party's gallery differs from the others'")).await;
    assert_eq!(look_in_time(&world, &person).await.refusal, Some(Code::PartiesUnavailable));
}

#[tokio::test]
async fn an_acknowledgement_that_is_lost_comes_again() {
    let world = World::with_timing(IMPATIENT).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.shopper(100_000).await;
    for cut in [Cut::BeforeTheAnswer, Cut::BeforeTheParty] {
        world.cut_wire_to_second(cut);
        world.enrol(&shopper, &person).await;
        world.until_ready().await;
        assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid, "{cut:?}");
        shopper.delete(&format!("/v1/enrolments/{}", shopper.enrolment().await)).await;
        world.until("deleted", async || shopper.me().await.enrolment.is_none()).await;
    }
}

#[tokio::test]
async fn a_till_that_hangs_up_leaves_nothing_unknown() {
    let world = World::with_timing(IMPATIENT).await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    for patience_ms in [1, 3, 8, 20] {
        let payment = till.challenged(SMALL).await;
        let (probe, key) = (till.look(&payment, &person), fresh_key());
        let path = format!("/v1/payments/{}/probe", payment.id);
        let hurried = till.post_with_key(&path, &probe, &key);
        let _ = tokio::time::timeout(Duration::from_millis(patience_ms), hurried).await;
        world.until("definite", async || till.payment(payment.id).await.status != PaymentStatus::BeingChecked).await;
        // Whether the request came through or not: the same again has an answer, and it is paid once.
        let again = loop {
            let reply = till.post_with_key(&path, &probe, &key).await;
            if reply.status < 400 || reply.code() != Code::RequestInFlight {
                break reply;
            }
        };
        assert!(again.status < 300, "{}", again.text());
        world.until("paid", async || till.payment(payment.id).await.status == PaymentStatus::Paid).await;
    }
    assert_eq!(shopper.me().await.balance_minor, 100_000 - 4 * SMALL);
}
