//! Customer service over HTTP: J21, and T14 and T43 of the threat model.

use api::routes::endpoints;
use api::routes::table::Access;
use base::time::Clock;
use serde_json::{Value, json};
use wire::problem::Code;

use crate::world::desk::Desk;
use crate::world::phone::Phone;
use crate::world::shopper::{PASSCODE, Person};
use crate::world::till::{SMALL, fresh_key};
use crate::world::{TILL, World};

/// The paths to every value of a JSON document.
fn names(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, inner)| names(inner, &format!("{at}.{name}"), found)),
        Value::Array(rows) => rows.iter().for_each(|row| names(row, at, found)),
        _ => found.push(at.to_owned()),
    }
}

#[tokio::test]
async fn a_case_is_found_by_reference_frozen_and_told_to_its_owner() {
    let world = World::new().await;
    let desk = Desk::join(&world, "Sun").await;
    let (person, till) = (Person::new(), world.till(TILL));
    let shopper = world.enrolled(&person, 100_000).await;
    let paid = till.pay(SMALL, &person).await;
    let case = desk.look_up(&paid.id.to_string().to_uppercase()).await.json();
    // What is shown, and nothing besides.
    let mut shown = Vec::new();
    names(&case, "", &mut shown);
    shown.sort();
    let account = ["enrolled", "identity_class", "name_masked", "phone_masked", "state"].map(|name| format!(".account.{name}"));
    let payment = [
        "amount_minor",
        "created_at",
        "currency",
        "id",
        "merchant_name",
        "paid_at",
        "refunded_minor",
        "rules_version",
        "status",
        "store_name",
    ]
    .map(|name| format!(".payment.{name}"));
    let own = ["look_up", "open_until", "reference"].map(|name| format!(".{name}"));
    let mut expected: Vec<String> = account.into_iter().chain(payment).chain(own).collect();
    expected.sort();
    assert_eq!(shown, expected);
    assert_eq!((&case["account"]["state"], &case["payment"]["amount_minor"]), (&json!("active"), &json!(SMALL)));
    let (id, key) = (case["look_up"].as_str().expect("text"), fresh_key());

    world.clock.put_forward(1);
    let frozen = desk.freeze(id, "phone_lost", &key).await;
    assert_eq!((frozen.status, &frozen.json()["account"]["state"]), (200, &json!("frozen")));
    let again = desk.freeze(id, "phone_lost", &key).await;
    assert!(again.is_replayed());
    world.clock.put_forward(1);
    assert_eq!(desk.freeze(id, "phone_lost", &fresh_key()).await.status, 200, "frozen before");
    assert_eq!(desk.freeze(id, "for fun", &fresh_key()).await.code(), Code::InvalidRequest);
    let me = shopper.me().await;
    assert!(me.frozen);
    assert_eq!(shopper.get("/v1/me").await.json()["notices"][0]["kind"], "service_froze");
    let log = shopper.get("/v1/me/service-log").await.json();
    let acts: Vec<&str> = log["data"].as_array().expect("a list").iter().filter_map(|row| row["act"].as_str()).collect();
    assert_eq!(acts, ["freeze", "freeze", "look_up"]);
    assert_eq!((&log["data"][1]["reason"], &log["data"][2]["reference"]), (&json!("phone_lost"), &json!(paid.id)));
    assert_eq!(log["data"][0]["clerk"], json!(desk.clerk));
    assert!(world.shopper(0).await.get("/v1/me/service-log").await.json()["data"].as_array().expect("a list").is_empty());
    // Only the owner thaws, with the passcode.
    assert_eq!(shopper.post("/v1/me/thaw", json!({"passcode": PASSCODE})).await.status, 200);
    world.clock.put_forward(3_600_000);
    assert_eq!(desk.freeze(id, "phone_lost", &fresh_key()).await.code(), Code::CaseOver);
}

#[tokio::test]
async fn t14_nothing_but_a_reference_finds_anybody_and_not_for_long() {
    let world = World::new().await;
    let (desk, other) = (Desk::join(&world, "Sun").await, Desk::join(&world, "Qian").await);
    let shopper = world.shopper(100_000).await;
    let max = desk.get("/v1/service").await.json()["look_ups_per_hour_max"].as_u64().expect("a number");
    for typed in [&*shopper.phone, "Alice", "100.00"] {
        assert_eq!(desk.look_up(typed).await.code(), Code::ReferenceUnknown, "{typed}");
    }
    for number in 3..max {
        assert_eq!(desk.look_up(&format!("pay_{number:026}")).await.code(), Code::ReferenceUnknown);
    }
    assert_eq!(desk.get("/v1/service").await.json()["look_ups_left"], 0);
    assert_eq!(desk.look_up("pay_00000000000000000000000099").await.code(), Code::LookUpsSpent);
    assert_eq!(other.look_up("pay_00000000000000000000000099").await.code(), Code::ReferenceUnknown);
    // What was typed and is no reference may be a name: it is kept nowhere.
    let mut lines = Vec::new();
    world.store().each_service_line(|some| lines.extend(some)).expect("reads");
    assert_eq!(lines.len() as u64, max + 1);
    assert_eq!(lines.iter().filter(|line| line.reference.is_empty()).count(), 3);
}

/// T43: whatever else there is, a clerk's session opens none of it; and nothing of customer service raises or thaws.
#[tokio::test]
async fn t43_a_clerk_freezes_and_can_do_nothing_else() {
    let world = World::new().await;
    let desk = Desk::join(&world, "Sun").await;
    let rows: Vec<_> = endpoints(true).into_iter().map(|endpoint| endpoint.row).collect();
    let own: Vec<_> = rows.iter().filter(|row| row.access == Access::Clerk).map(|row| format!("{} {}", row.method, row.path)).collect();
    let all = ["DELETE /v1/service/session", "GET /v1/service", "POST /v1/service/look-ups", "POST /v1/service/look-ups/{id}/freeze"];
    assert_eq!(own, all);
    for row in rows
        .iter()
        .filter(|row| !matches!(row.access, Access::Clerk | Access::Anybody | Access::Page | Access::ShopPage | Access::ServicePage))
    {
        let path = row.path.replace("{id}", "none");
        let reply = match row.method.as_str() {
            "GET" => desk.get(&path).await,
            "DELETE" => desk.delete(&path).await,
            _ => desk.post(&path, json!({}), &fresh_key()).await,
        };
        assert!(
            matches!(reply.code(), Code::Unauthenticated | Code::RateLimited | Code::MethodNotAllowed),
            "{} {path}: {}",
            row.method,
            reply.text()
        );
    }
}

#[tokio::test]
async fn a_clerk_who_was_removed_is_out_at_once() {
    let world = World::new().await;
    let mut desk = Desk::join(&world, "Sun").await;
    assert_eq!(desk.get("/v1/service").await.json()["name"], "Sun");
    assert_eq!(Desk::sign_in(&world, &mut desk.phone).await.status, 200);
    world.store().remove_clerk(desk.clerk, world.clock.now()).expect("was there");
    assert_eq!(desk.get("/v1/service").await.code(), Code::Unauthenticated);
    assert_eq!(desk.look_up("pay_00000000000000000000000001").await.code(), Code::Unauthenticated);
    assert_eq!(Desk::sign_in(&world, &mut desk.phone).await.code(), Code::PasskeyUnknown);
    // An invitation counts once, for three days; another desk's passkey and a console's code open nothing here.
    let (_, code) = Desk::invite(&world, "Qian");
    assert_eq!(Desk::redeem(&world, &code, &mut Phone::new()).await.status, 200);
    assert_eq!(Desk::redeem(&world, &code, &mut Phone::new()).await.code(), Code::CodeInvalid, "used");
    let (_, late) = Desk::invite(&world, "Zhao");
    world.clock.put_forward(3 * 86_400_000);
    assert_eq!(Desk::redeem(&world, &late, &mut Phone::new()).await.code(), Code::CodeInvalid, "too late");
    let leaving = Desk::join(&world, "Wu").await;
    assert_eq!(leaving.delete("/v1/service/session").await.status, 204);
    assert_eq!(leaving.get("/v1/service").await.code(), Code::Unauthenticated);
}
