use base::id::{EventId, WebhookEndpointId};
use base::secret::Secret;
use base::time::Timestamp;
use wire::merchant::{DeliveryFailure, DeliveryStatus};

use super::delivery::{Attempt, Delivery};
use super::reach::Reach;
use super::schedule::{ATTEMPTS_MAX, STEPS_S, next_due};
use super::signature::{Keys, headers};

const NOW: Timestamp = Timestamp::from_millis(1_795_147_200_000);

#[test]
fn ten_attempts_and_each_step_takes_at_most_a_tenth_longer() {
    assert_eq!(ATTEMPTS_MAX, 10);
    for (attempts, step_s) in STEPS_S.into_iter().enumerate() {
        let wait = |random| next_due(attempts as u32, NOW, random).expect("a step").millis_since(NOW);
        assert_eq!((wait(0), wait(u32::MAX)), (step_s * 1000, step_s * 1100));
    }
    assert_eq!(next_due(10, NOW, 0), None);
}

#[test]
fn an_answer_decides_what_comes_next() {
    let pending =
        |attempts, wait_s: u64| Delivery { status: DeliveryStatus::Pending, attempts, due_at: Some(NOW.plus_millis(wait_s * 1000)) };
    let ended = |status, attempts| Delivery { status, attempts, due_at: None };
    for (what, attempts, attempt, expected, gone) in [
        ("taken", 0, Attempt::Answered(200), ended(DeliveryStatus::Delivered, 1), false),
        ("taken without words", 3, Attempt::Answered(204), ended(DeliveryStatus::Delivered, 4), false),
        ("moved: no redirect is followed", 0, Attempt::Answered(301), pending(1, 5), false),
        ("refused", 0, Attempt::Answered(400), pending(1, 5), false),
        ("gone", 0, Attempt::Answered(410), ended(DeliveryStatus::Dead, 1), true),
        ("overloaded", 1, Attempt::Answered(503), pending(2, 300), false),
        ("no answer in time", 8, Attempt::Failed(DeliveryFailure::Timeout), pending(9, 86_400), false),
        ("the last time", 9, Attempt::Failed(DeliveryFailure::NotConnected), ended(DeliveryStatus::Dead, 10), false),
        ("the last time, taken", 9, Attempt::Answered(200), ended(DeliveryStatus::Delivered, 10), false),
    ] {
        let before = Delivery { attempts, ..Delivery::queued(NOW) };
        let after = before.after(attempt, NOW, 0);
        assert_eq!((after.delivery, after.endpoint_gone), (expected, gone), "{what}");
    }
}

#[test]
#[should_panic(expected = "only a pending delivery")]
fn what_has_ended_is_not_attempted() {
    let ended = Delivery { status: DeliveryStatus::Dead, attempts: 10, due_at: None };
    ended.after(Attempt::Answered(200), NOW, 0);
}

#[test]
fn a_receiver_that_is_away_is_asked_ten_times_in_76_hours() {
    let mut delivery = Delivery::queued(NOW);
    let mut times = vec![];
    while let Some(due_at) = delivery.due_at {
        times.push(due_at.millis_since(NOW) / 1000);
        delivery = delivery.after(Attempt::Failed(DeliveryFailure::NotConnected), due_at, 0).delivery;
    }
    assert_eq!(times, [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105]);
    assert_eq!(delivery.status, DeliveryStatus::Dead);
    assert_eq!(Delivery::replayed(NOW), Delivery::queued(NOW));
}

#[test]
fn only_public_addresses_are_reached() {
    for (address, public, loopback_too) in [
        ("93.184.215.14", true, true),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", true, true),
        ("127.0.0.1", false, true),
        ("127.8.9.10", false, true),
        ("::1", false, true),
        ("::ffff:127.0.0.1", false, true),
        ("0.0.0.0", false, false),
        ("::", false, false),
        ("10.1.2.3", false, false),
        ("100.64.0.1", false, false),
        ("100.128.0.1", true, true),
        ("169.254.169.254", false, false), // what cloud machines ask for their credentials
        ("::ffff:169.254.169.254", false, false),
        ("172.16.0.1", false, false),
        ("172.31.255.255", false, false),
        ("172.32.0.1", true, true),
        ("192.0.0.8", false, false),
        ("192.0.2.1", false, false),
        ("192.168.1.1", false, false),
        ("198.18.0.1", false, false),
        ("198.51.100.7", false, false),
        ("203.0.113.9", false, false),
        ("224.0.0.1", false, false),
        ("255.255.255.255", false, false),
        ("fe80::1", false, false),
        ("fc00::1", false, false),
        ("fd12:3456::1", false, false),
        ("ff02::1", false, false),
        ("64:ff9b::a00:1", false, false),
        ("2001::1", false, false),
        ("2001:db8::1", false, false),
        ("2002:a00:1::", false, false),
        ("3fff::1", false, false),
    ] {
        let address = address.parse().expect("an address");
        assert_eq!((Reach::Public.allows(address), Reach::PublicAndLoopback.allows(address)), (public, loopback_too), "{address}");
    }
}

#[test]
fn keys_differ_by_endpoint_generation_and_platform() {
    let keys = |master, endpoint, generation| {
        let keys = Keys::derive(&Secret::new([master; 32]), WebhookEndpointId::from_bits(endpoint), generation);
        (keys.shared_text().expose().clone(), keys.public_text())
    };
    let one = keys(1, 1, 1);
    assert_eq!(keys(1, 1, 1), one);
    for other in [keys(2, 1, 1), keys(1, 2, 1), keys(1, 1, 2)] {
        assert_ne!(other.0, one.0);
        assert_ne!(other.1, one.1);
    }
    // `whsec_` with 32 bytes, `whpk_` with 32 bytes.
    assert_eq!((one.0.len(), one.1.len()), ("whsec_".len() + 44, "whpk_".len() + 44));
}

#[test]
fn while_keys_change_both_generations_sign() {
    let generation = |number| Keys::derive(&Secret::new([1; 32]), WebhookEndpointId::from_bits(1), number);
    let id = EventId::from_bits(7);
    let signature = |generations: &[Keys]| headers(generations, id, 1_795_147_200, b"{}")[2].1.clone();
    let (old, new) = (signature(&[generation(1)]), signature(&[generation(2)]));
    assert_eq!(signature(&[generation(2), generation(1)]), format!("{new} {old}"));
    assert_eq!(old.split(' ').map(|one| one.split(',').next().expect("a version")).collect::<Vec<_>>(), ["v1", "v1a"]);
    // Nothing that is signed can be altered.
    for [.., (_, altered)] in [
        headers(&[generation(1)], EventId::from_bits(8), 1_795_147_200, b"{}"),
        headers(&[generation(1)], id, 1_795_147_201, b"{}"),
        headers(&[generation(1)], id, 1_795_147_200, b"{ }"),
    ] {
        assert_ne!(altered, old);
    }
}
