//! Events and webhooks: written with what makes them happen, claimed by one, kept until delivered.

use base::id::{PaymentId, WebhookEndpointId};
use base::money::Currency;
use base::time::Timestamp;
use payments::webhook::delivery::Attempt;
use store::delivery::Due;
use store::payment::Identification;
use store::setup::Payee;
use wire::api::{self, Capture};
use wire::merchant::{DeliveryFailure, DeliveryStatus, EventType, NewWebhookEndpoint, SimulatedShopper};
use wire::problem::Code;

use crate::world::{MERCHANT, TILL, World, code, keyed, pay_probe, resource};

const DAY_MS: u64 = 86_400_000;

fn begin(world: &World) -> PaymentId {
    let new = api::NewPayment {
        amount_minor: 100,
        currency: Currency::CNY,
        merchant_reference: None,
        terminal: Some(crate::world::TILL),
        capture: Capture::Automatic, metadata: None };
    let by = Payee::Merchant(MERCHANT);
    resource::<api::Payment>(
        &world.store.create_payment(&world.fresh(), by, &new, &mut *world.rng.borrow_mut(), world.now()).expect("answers"),
    )
    .id
}

fn look(world: &World, payment: PaymentId, shopper: SimulatedShopper) -> store::idempotency::Answer {
    world.store.simulate_look(&world.fresh(), MERCHANT, payment, shopper, &mut *world.rng.borrow_mut(), world.now()).expect("answers")
}

fn paid(world: &World) -> PaymentId {
    let payment = begin(world);
    assert_eq!(look(world, payment, SimulatedShopper::Funded).status, 200);
    payment
}

fn endpoint(world: &World, number: u128, event_types: Option<Vec<EventType>>) -> WebhookEndpointId {
    let id = WebhookEndpointId::from_bits(number);
    let new = NewWebhookEndpoint { url: format!("https://shop.example/{number}"), event_types };
    assert_eq!(world.store.create_endpoint(&world.fresh(), MERCHANT, id, &new, world.now()).expect("answers").status, 201);
    id
}

fn kinds(world: &World) -> Vec<EventType> {
    let mut events = world.store.events(MERCHANT, None, None, 100).expect("reads").data;
    events.sort_by_key(|event| event.created_at);
    events.iter().map(|event| event.kind).collect()
}

fn claim(world: &World) -> Vec<Due> {
    world.store.claim_due(64, world.now().plus_millis(30_000), world.now()).expect("claims")
}

#[test]
fn an_outcome_is_one_event_however_often_it_is_asked_for() {
    let world = World::new();
    let payment = begin(&world);
    assert!(kinds(&world).is_empty(), "a beginning is no outcome");
    let key = world.fresh();
    for _ in 0..3 {
        let mut rng = world.rng.borrow_mut();
        world.store.simulate_look(&key, MERCHANT, payment, SimulatedShopper::Funded, &mut *rng, world.now()).expect("answers");
    }
    // A step that is refused makes none.
    assert_eq!(code(&look(&world, payment, SimulatedShopper::Funded)), Code::StateConflict);
    assert_eq!(kinds(&world), [EventType::PaymentPaid]);
    world.wait_ms(1);
    let refund = api::NewRefund { amount_minor: Some(40) };
    let by = Payee::Merchant(MERCHANT);
    let key = world.fresh();
    for _ in 0..2 {
        world.store.refund(&key, by, payment, &refund, &mut *world.rng.borrow_mut(), world.now()).expect("answers");
    }
    world.wait_ms(1);
    look(&world, begin(&world), SimulatedShopper::Stranger);
    world.wait_ms(1);
    world.store.cancel_payment(&world.fresh(), by, begin(&world), world.now()).expect("answers");
    begin(&world);
    world.wait_ms(DAY_MS);
    world.store.expire_payments(world.now()).expect("expires");
    use EventType as Is;
    let expected = [Is::PaymentPaid, Is::PaymentRefunded, Is::PaymentRefused, Is::PaymentCancelled, Is::PaymentExpired];
    assert_eq!(kinds(&world), expected);
}

#[test]
fn an_answer_says_whether_a_delivery_was_queued_with_it() {
    let world = World::new();
    let queued = |shopper| look(&world, begin(&world), shopper).queued;
    assert!(!queued(SimulatedShopper::Funded), "nobody wants to hear of it");
    endpoint(&world, 1, Some(vec![EventType::PaymentRefused]));
    assert_eq!([SimulatedShopper::Funded, SimulatedShopper::Stranger].map(queued), [false, true]);
}

#[test]
fn a_delivery_is_claimed_by_one_and_comes_back_when_that_one_is_gone() {
    let world = World::new();
    endpoint(&world, 1, None);
    endpoint(&world, 2, Some(vec![EventType::PaymentRefused]));
    paid(&world);
    let first = claim(&world);
    assert_eq!(first.iter().map(|due| due.url.as_str()).collect::<Vec<_>>(), ["https://shop.example/1"]);
    assert!(claim(&world).is_empty());
    world.wait_ms(30_001);
    let second = claim(&world);
    assert_eq!(second[0].delivery, first[0].delivery);
    let attempt = |outcome| world.store.record_attempt(second[0].delivery, outcome, world.now(), 0, world.now()).expect("writes");
    assert_eq!(attempt(Attempt::Failed(DeliveryFailure::Timeout)), DeliveryStatus::Pending);
    assert!(claim(&world).is_empty(), "not due yet");
    world.wait_ms(5_001);
    assert_eq!(claim(&world).len(), 1);
    assert_eq!(attempt(Attempt::Answered(200)), DeliveryStatus::Delivered);
    // Somebody who was thought gone and comes late changes nothing.
    assert_eq!(attempt(Attempt::Failed(DeliveryFailure::Timeout)), DeliveryStatus::Delivered);
    world.wait_ms(DAY_MS);
    assert!(claim(&world).is_empty());
}

#[test]
fn a_slow_receiver_holds_up_no_other() {
    let world = World::new();
    endpoint(&world, 1, None);
    for _ in 0..20 {
        paid(&world);
    }
    let slow = claim(&world);
    assert_eq!(slow.len(), 4, "few at once to one endpoint");
    endpoint(&world, 2, None);
    paid(&world);
    let next = claim(&world);
    assert_eq!(next.iter().map(|due| due.url.as_str()).collect::<Vec<_>>(), ["https://shop.example/2"]);
}

#[test]
fn what_is_old_and_delivered_goes_and_what_is_pending_stays() {
    let world = World::new();
    endpoint(&world, 1, None);
    paid(&world);
    let [due] = &claim(&world)[..] else { panic!("one") };
    world.store.record_attempt(due.delivery, Attempt::Answered(200), world.now(), 0, world.now()).expect("writes");
    world.wait_ms(1);
    paid(&world);
    world.wait_ms(91 * DAY_MS);
    world.store.tidy_events(world.now()).expect("tidies");
    let left = world.store.events(MERCHANT, None, None, 100).expect("reads").data;
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].id, due.event);
    assert_eq!(claim(&world).len(), 1);
}

#[test]
fn the_wrong_merchant_finds_nothing() {
    let world = World::new();
    let (own, rival) = (endpoint(&world, 1, None), base::id::MerchantId::from_bits(2));
    paid(&world);
    let event = world.store.events(MERCHANT, None, None, 1).expect("reads").data[0].id;
    let delivery = claim(&world)[0].delivery;
    let is_hidden = |error: store::error::StoreError| error.code() == Code::NotFound;
    assert!(world.store.event(rival, event).is_err_and(is_hidden));
    assert!(world.store.endpoint(rival, own).is_err_and(is_hidden));
    assert!(world.store.delivery(rival, delivery, true).is_err_and(is_hidden));
    assert!(world.store.delete_endpoint(rival, own, Timestamp::from_millis(1)).is_err_and(is_hidden));
    assert!(world.store.delivery(MERCHANT, delivery, true).is_ok());
}

#[test]
fn metadata_come_back_on_the_payment_and_in_events_whatever_their_size() {
    let world = World::new();
    let alice = world.shopper("13800000001", 10_000);
    let metadata: std::collections::BTreeMap<_, _> = (0..10).map(|number| (format!("{number}{}", "名".repeat(39)), "\"".repeat(200))).collect();
    let new = api::NewPayment {
        amount_minor: 100,
        currency: Currency::CNY,
        merchant_reference: None,
        terminal: None,
        capture: Capture::Automatic,
        metadata: Some(metadata.clone()),
    };
    let create = || world.store.create_payment(&keyed("noted"), TILL, &new, &mut *world.rng.borrow_mut(), world.now()).expect("answers");
    let begun: api::Payment = resource(&create());
    assert_eq!((&begun.metadata, create().replayed), (&Some(metadata.clone()), true));
    let challenged: api::Payment = resource(&world.challenge(begun.id));
    world.store.receive_probe(&world.fresh(), TILL, begun.id, &pay_probe(&challenged), world.now()).expect("answers");
    assert_eq!(world.identified(begun.id, &Identification::Token(alice.token)).metadata, Some(metadata.clone()));
    let told = world.store.events(MERCHANT, None, None, 1).expect("reads").data.remove(0);
    assert_eq!(told.data.payment.expect("of a payment").metadata, Some(metadata.clone()));
    // Read anew, by whoever did not write it.
    assert_eq!(world.store.payments(TILL, None, 1, world.now()).expect("reads").data[0].metadata, Some(metadata));
    assert_eq!(world.new_payment(100).metadata, None);
}
