//! What must not leak: not into logs, and not into what a terminal sees.

use serde_json::json;

use crate::world::shopper::{NAME, PASSCODE, Person};
use crate::world::till::{SMALL, Till, fresh_key};
use crate::world::{ENROLLER, TILL, World, logs};

#[tokio::test]
async fn logs_hold_identifiers_and_codes_only() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let payment = till.challenged(30_000).await;
    let probe = till.look(&payment, &person);
    till.probe(payment.id, &probe).await;
    till.passcode(payment.id, "135790").await;
    till.passcode(payment.id, PASSCODE).await;
    shopper.post("/v1/sessions", json!({"phone": shopper.phone, "passcode": PASSCODE})).await;
    till.post_with_key("/v1/payments", &json!({"amount_minor": 1, "currency": "CNY"}), &fresh_key()).await;

    let log = logs::text();
    assert!(log.contains(&payment.id.to_string()) && log.contains("answered"), "the log is collected");
    let (_, session) = shopper.cookie.split_once('=').expect("a cookie");
    let share = base::hash::hex(&probe.sealed[0].ciphertext.0[..16]);
    let nonce = base::hash::hex(&probe.context.nonce.0);
    for secret in [NAME, &shopper.phone, session, &Till::token(TILL), &Till::token(ENROLLER), &share, &nonce] {
        assert!(!log.contains(secret), "a secret of {} characters is in the log", secret.len());
    }
    // Six digits may stand inside a longer number by chance.
    for passcode in [PASSCODE, "135790"] {
        assert!(log.split(|letter: char| !letter.is_ascii_alphanumeric()).all(|word| word != passcode), "a passcode is in the log");
    }
}

#[tokio::test]
async fn a_terminal_never_sees_who_paid() {
    let world = World::new().await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let account = shopper.me().await.id.to_string();
    let payment = till.pay(SMALL, &person).await;
    till.post(&format!("/v1/payments/{}/refunds", payment.id), &json!({})).await;
    for path in ["/v1/payments".to_owned(), format!("/v1/payments/{}", payment.id), "/v1/terminal".into(), "/readyz".into()] {
        let text = till.get(&path).await.text();
        for secret in [NAME, &shopper.phone, &shopper.phone[7..], &account] {
            assert!(!text.contains(secret) || secret.len() == 4, "{path} tells {} characters", secret.len());
        }
    }
}
