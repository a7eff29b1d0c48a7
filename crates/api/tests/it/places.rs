//! Where a shopper is recognised without digits, with three real parties behind it.

use std::time::Duration;

use api::labels;
use base::id::StoreId;
use base::party::PartyId;
use base::secret::Secret;
use serde_json::{Value, json};
use wire::api::{Payment, PaymentStatus};
use wire::problem::Code;

use crate::world::shopper::{Person, Shopper};
use crate::world::till::{SMALL, Till};
use crate::world::{OTHER_PAYEES_TILL, TILL, World};

const SHOP: StoreId = StoreId::from_bits(1);

/// Two people may be searched, or one of whom nobody said to be one.
async fn small_budget() -> World {
    World::with_rules(&[
        ("false_match_rate_ppb", "10_000_000"),
        ("false_match_budget_ppm", "20_000"),
        ("narrow_match_budget_ppm", "10_000"),
    ])
    .await
}

impl World {
    /// All three parties have applied every change.
    async fn until_in_step(&self) {
        let in_step = async || {
            let sequence = self.store().gallery_sequence().expect("reads");
            sequence.queued == sequence.applied
        };
        self.until("the parties are in step", in_step).await;
    }
}

impl Till {
    async fn challenge(&self, payment: &Payment, body: Value) -> Result<Payment, Code> {
        let reply = self.post(&format!("/v1/payments/{}/challenge", payment.id), &body).await;
        if reply.status == 200 { Ok(reply.read()) } else { Err(reply.code()) }
    }

    /// A look, and the payment after it.
    async fn look_for(&self, challenged: &Payment, person: &Person) -> Payment {
        let mut payment: Payment = self.probe(challenged.id, &self.look(challenged, person)).await.read();
        for _ in 0..600 {
            if payment.status != PaymentStatus::BeingChecked {
                return payment;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            payment = self.payment(payment.id).await;
        }
        panic!("no outcome within a minute");
    }
}

fn path() -> String {
    format!("/v1/me/regulars/{SHOP}")
}

async fn searched(shopper: &Shopper) -> Value {
    shopper.last_query().await["searched"].clone()
}

#[tokio::test]
async fn a_regular_is_found_without_digits_and_nobody_else_is() {
    let world = small_budget().await;
    let (till, [alice, bob, stranger]) = (world.till(TILL), [(); 3].map(|()| Person::new()));
    let regular = world.enrolled(&alice, 100_000).await;
    assert_eq!(till.pay(SMALL, &alice).await.status, PaymentStatus::Paid);
    let neighbour = world.enrolled(&bob, 100_000).await;
    world.enrolled(&Person::new(), 0).await;
    assert_eq!(till.challenge(&till.begin(SMALL).await, json!({})).await.expect_err("three people"), Code::PhoneSuffixRequired);

    let places = regular.put(&path(), json!({})).await.json();
    assert_eq!((places["shops"].as_array().map(Vec::len), places["shops"][0]["regular_since"].is_u64()), (Some(1), true), "{places}");
    assert_eq!(
        (regular.last_query().await["kind"].clone(), regular.last_query().await["place"].clone()),
        (json!("place_added"), json!("Merchant 1, Store"))
    );
    world.until_in_step().await;
    assert_eq!(till.pay(SMALL, &alice).await.status, PaymentStatus::Paid, "among more people than may be searched");
    assert_eq!(searched(&regular).await, "regulars");

    // Enrolled, but no regular: digits, and found with them; enrolled nowhere: the same, up to the last answer.
    let mut seen = Vec::new();
    for (person, outcome) in [(&bob, PaymentStatus::Paid), (&stranger, PaymentStatus::Refused)] {
        let payment = till.begin(SMALL).await;
        let challenged = till.challenge(&payment, json!({})).await.expect("a part that is small enough");
        let missed = till.look_for(&challenged, person).await;
        let shown = serde_json::to_value(&missed).expect("plain data");
        seen.push(shown.as_object().expect("an object").keys().cloned().collect::<Vec<_>>());
        assert_eq!((missed.status, missed.phone_suffix_required, missed.refusal), (PaymentStatus::Created, true, None));
        assert_eq!(till.challenge(&payment, json!({})).await.expect_err("once is enough"), Code::PhoneSuffixRequired);
        let again = till.challenge(&payment, json!({"phone_suffix": &neighbour.phone[7..]})).await.expect("with digits");
        assert_eq!(till.look_for(&again, person).await.status, outcome);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(searched(&neighbour).await, "phone_suffix");

    // Another store's till does not find her without digits, with none of its own regulars to search.
    let elsewhere = world.till(OTHER_PAYEES_TILL);
    assert_eq!(elsewhere.challenge(&elsewhere.begin(SMALL).await, json!({})).await.expect_err("no regulars"), Code::PhoneSuffixRequired);
    // Nor does a till that puts its probe under another label, or under none.
    for label in [None, Some(labels::phone_suffix(&Secret::new([7; 32]), &regular.phone[7..]))] {
        let challenged = till.challenge(&till.begin(SMALL).await, json!({})).await.expect("a part that is small enough");
        let probe = till.look_with(&challenged, &alice, |context| context.partition = label);
        assert_eq!(till.probe(challenged.id, &probe).await.code(), Code::ProbeMismatch);
    }

    // Taken back: digits again, at once or as soon as the parties have confirmed, and never a wider search.
    let places = regular.delete(&path()).await.json();
    assert_eq!(places["shops"][0]["regular_since"], Value::Null);
    world.until_in_step().await;
    let payment = till.begin(SMALL).await;
    assert_eq!(till.challenge(&payment, json!({})).await.expect_err("three people"), Code::PhoneSuffixRequired);
    let challenged = till.challenge(&payment, json!({"phone_suffix": &regular.phone[7..]})).await.expect("with digits");
    assert_eq!(till.look_for(&challenged, &alice).await.status, PaymentStatus::Paid);
    assert_eq!(regular.me().await.balance_minor, 100_000 - 3 * SMALL);
}

#[tokio::test]
async fn a_city_is_searched_where_it_is_small_enough_and_ends_with_the_face() {
    let world = small_budget().await;
    let city = "Hangzhou";
    let label = labels::city(&Secret::new([7; 32]), city);
    let now = base::time::Clock::now(&*world.clock);
    world.store().set_store_city(SHOP, Some((city, label)), now).expect("is there");
    let (till, alice) = (world.till(TILL), Person::new());
    let shopper = world.shopper(100_000).await;
    let refused = shopper.put("/v1/me/city", json!({"city": "Atlantis"})).await;
    assert_eq!(refused.code(), Code::NotFound);
    let named = shopper.put("/v1/me/city", json!({"city": city})).await.json();
    assert_eq!((&named["city"], &named["cities"]), (&json!(city), &json!([city])), "before there is a face");
    world.enrol(&shopper, &alice).await;
    for _ in 0..2 {
        world.enrolled(&Person::new(), 0).await;
    }
    assert_eq!(till.pay(SMALL, &alice).await.status, PaymentStatus::Paid);
    assert_eq!(searched(&shopper).await, "city");
    assert_eq!(shopper.delete("/v1/me/city").await.json().get("city"), None);
    world.until_in_step().await;
    assert_eq!(till.challenge(&till.begin(SMALL).await, json!({})).await.expect_err("nobody in the city"), Code::PhoneSuffixRequired);

    for (path, code) in
        [(format!("/v1/me/regulars/{}", StoreId::from_bits(2)), Code::NotFound), ("/v1/me/regulars/sto_7".to_owned(), Code::NotFound)]
    {
        assert_eq!(shopper.put(&path, json!({})).await.code(), code, "{path}");
    }
    assert_eq!(shopper.put(&path(), json!({})).await.status, 200);
    assert_eq!(shopper.delete(&format!("/v1/enrolments/{}", shopper.enrolment().await)).await.status, 200);
    let left = shopper.get("/v1/me/places").await.json();
    assert_eq!((left.get("city"), left["shops"][0].get("regular_since")), (None, None), "it ends with the face");
    world.until_in_step().await;
    assert_eq!(world.store().partition_kinds().expect("reads").len(), 1, "only digits of the others are left");
}

/// A party that is away does not know yet that somebody took it back: nobody is searched until it does.
#[tokio::test]
async fn a_party_that_was_away_finds_nobody_who_took_it_back() {
    let mut world = small_budget().await;
    let (till, alice) = (world.till(TILL), Person::new());
    let regular = world.enrolled(&alice, 100_000).await;
    assert_eq!(till.pay(SMALL, &alice).await.status, PaymentStatus::Paid);
    for _ in 0..2 {
        world.enrolled(&Person::new(), 0).await;
    }
    regular.put(&path(), json!({})).await;
    world.until_in_step().await;
    world.parties.stop(PartyId::P3).await;
    assert_eq!(regular.delete(&path()).await.status, 200);
    let challenged = till.challenge(&till.begin(SMALL).await, json!({})).await.expect("she counts until all three have confirmed");
    let done = till.look_for(&challenged, &alice).await;
    assert_eq!((done.status, done.refusal), (PaymentStatus::Refused, Some(Code::PartiesUnavailable)));
    world.parties.start(PartyId::P3);
    world.until_in_step().await;
    world.until_ready().await;
    assert_eq!(till.challenge(&till.begin(SMALL).await, json!({})).await.expect_err("nobody is a regular"), Code::PhoneSuffixRequired);
}
