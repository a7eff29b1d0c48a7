//! Looks that are not what they should be.

use base::id::TerminalId;
use wire::api::PaymentStatus;
use wire::bytes::HexArray;
use wire::probe::{ProbeContext, Purpose, SealedProbe};
use wire::problem::Code;

use crate::world::shopper::Person;
use crate::world::till::SMALL;
use crate::world::{ENROLLER, SECOND_TILL, TILL, World};

/// What is changed.
type Alteration<T> = Box<dyn FnOnce(&mut T)>;

#[tokio::test]
async fn a_look_for_something_else_is_refused_and_charges_nothing() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let other = till.begin(SMALL).await;

    let contexts: Vec<(&str, Alteration<ProbeContext>, Code)> = vec![
        ("a smaller amount", Box::new(|context| context.amount_minor -= 1), Code::ProbeMismatch),
        ("another payment", Box::new(move |context| context.reference = other.id.to_string()), Code::ProbeMismatch),
        ("another payee", Box::new(|context| context.payee = "mer_00000000000000000000000002".into()), Code::ProbeMismatch),
        ("another currency", Box::new(|context| context.currency = "USD".into()), Code::ProbeMismatch),
        ("another nonce", Box::new(|context| context.nonce = HexArray([1; 32])), Code::ProbeMismatch),
        ("a longer life", Box::new(|context| context.expires_at = context.expires_at.plus_millis(60_000)), Code::ProbeMismatch),
        ("another part of the gallery", Box::new(|context| context.partition = Some(HexArray([1; 16]))), Code::ProbeMismatch),
        ("an enrolment", Box::new(|context| context.purpose = Purpose::Enrol), Code::ProbeMismatch),
        ("another till", Box::new(|context| context.terminal = TerminalId::from_bits(SECOND_TILL)), Code::ProbeMismatch),
    ];
    for (what, alter, code) in contexts {
        let payment = till.challenged(SMALL).await;
        let reply = till.probe(payment.id, &till.look_with(&payment, &person, alter)).await;
        assert_eq!(reply.code(), code, "{what}");
        assert_eq!(till.payment(payment.id).await.status, PaymentStatus::Challenged, "{what}");
    }

    let altered: Vec<(&str, Alteration<SealedProbe>)> = vec![
        ("a share altered on the way", Box::new(|probe| probe.sealed[1].ciphertext.0[0] ^= 1)),
        ("shares swapped", Box::new(|probe| probe.sealed.swap(0, 1))),
        ("a forged signature", Box::new(|probe| probe.signature.0[5] ^= 1)),
        ("a counter put forward", Box::new(|probe| probe.context.counter += 1_000)),
    ];
    for (what, alter) in altered {
        let payment = till.challenged(SMALL).await;
        let mut probe = till.look(&payment, &person);
        alter(&mut probe);
        assert_eq!(till.probe(payment.id, &probe).await.code(), Code::ProbeInvalid, "{what}");
    }
    assert_eq!(shopper.me().await.balance_minor, 100_000);
}

#[tokio::test]
async fn a_look_counts_once_and_for_thirty_seconds() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let payment = till.challenged(SMALL).await;
    let probe = till.look(&payment, &person);
    assert_eq!(till.probe(payment.id, &probe).await.json()["status"], "paid");
    // The same look under another key: for the payment that it has paid, which must not be told that nothing was
    // charged, and for another one.
    assert_eq!(till.probe(payment.id, &probe).await.code(), Code::StateConflict);
    assert_eq!(till.payment(payment.id).await.status, PaymentStatus::Paid);
    let next = till.challenged(SMALL).await;
    assert_eq!(till.probe(next.id, &probe).await.code(), Code::ProbeReplayed);

    let slow = till.challenged(SMALL).await;
    let probe = till.look(&slow, &person);
    world.clock.put_forward(30_001);
    assert_eq!(till.probe(slow.id, &probe).await.code(), Code::ChallengeExpired);
    assert_eq!(shopper.me().await.balance_minor, 100_000 - SMALL);
}

#[tokio::test]
async fn a_share_that_does_not_open_charges_nobody() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let payment = till.challenged(SMALL).await;
    // Sealed for another payment's context, rightly signed: only the parties can see it.
    let whole = till.look(&payment, &person);
    let elsewhere = till.look_with(&payment, &person, |context| context.amount_minor += 1);
    let probe = SealedProbe::sign(whole.context.clone(), elsewhere.sealed, &crate::world::till::Till::key_pair(TILL));
    let reply = till.probe(payment.id, &probe).await;
    assert_eq!(
        (reply.json()["status"].as_str(), reply.json()["refusal"].as_str()),
        (Some("refused"), Some("probe_invalid")),
        "{}",
        reply.text()
    );
    assert_eq!(shopper.me().await.balance_minor, 100_000);
}

#[tokio::test]
async fn an_enrolment_that_does_not_open_is_deleted_and_others_go_on() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let (broken, whole) = (world.shopper(100_000).await, world.enrolled(&person, 100_000).await);
    let enrolment = broken.begin_enrolment().await;
    let enroller = world.till(ENROLLER);
    let challenge = enrolment.challenge.clone().expect("a challenge");
    let context = enroller.context(Purpose::Enrol, enrolment.id.to_string(), &challenge);
    let mut elsewhere = context.clone();
    elsewhere.counter += 1_000_000;
    let sealed = enroller.seal(elsewhere, &[Person::new().template()]).sealed;
    let probe = SealedProbe::sign(context, sealed, &crate::world::till::Till::key_pair(ENROLLER));
    assert_eq!(enroller.post(&format!("/v1/enrolments/{}/template", enrolment.id), &probe).await.status, 202);

    let path = format!("/v1/enrolments/{}", enrolment.id);
    world.until("deleted", async || broken.get(&path).await.json()["status"] == "deleted").await;
    world.until_ready().await;
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
    assert_eq!(whole.me().await.balance_minor, 100_000 - SMALL);
    world.enrol(&broken, &Person::new()).await;
}

#[tokio::test]
async fn an_enrolment_that_the_parties_refuse_is_deleted_and_others_go_on() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let (unlucky, whole) = (world.shopper(100_000).await, world.enrolled(&person, 100_000).await);
    let enrolment = unlucky.begin_enrolment().await;
    assert_eq!(world.unknown_till().hand_in(&enrolment, &Person::new()).await.status, 202);
    let path = format!("/v1/enrolments/{}", enrolment.id);
    world.until("deleted", async || unlucky.get(&path).await.json()["status"] == "deleted").await;
    world.until_ready().await;
    assert_eq!(till.pay(SMALL, &person).await.status, PaymentStatus::Paid);
    assert_eq!(whole.me().await.balance_minor, 100_000 - SMALL);
    let face = Person::new();
    world.enrol(&unlucky, &face).await;
    assert_eq!(till.pay(SMALL, &face).await.status, PaymentStatus::Paid);
}
