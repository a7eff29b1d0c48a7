//! `/v1/shop/…`: what the merchant console asks beside the routes that merchants' servers have too.

pub mod activations;
pub mod disputes;
pub mod office;
pub mod refund_requests;
pub mod session;
pub mod staff;

use axum::body::Body;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::table::Endpoint;
use crate::once::respond;

/// All of them.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        session::invitation(),
        session::redeem(),
        session::challenge(),
        session::sign_in(),
        session::end(),
        office::read(),
        office::set_head_office(),
        office::stores(),
        office::open_store(),
        office::change_store(),
        office::figures(),
        staff::list(),
        staff::invite(),
        staff::invite_again(),
        staff::change(),
        staff::end(),
        activations::list(),
        activations::begin(),
        activations::stop(),
        activations::redeem(),
        activations::test(),
        refund_requests::list(),
        refund_requests::create(),
        refund_requests::approve(),
        refund_requests::reject(),
        disputes::list(),
        disputes::state(),
    ]
}

/// The answer with what is shown once put in by `show`, unless it is a repetition: what is remembered holds none.
fn shown_once<T: Serialize + DeserializeOwned>(answer: store::idempotency::Answer, show: impl FnOnce(&mut T)) -> Response {
    let shown = answer.is_first_success().then(|| answer.resource::<T>()).flatten();
    let mut response = respond(answer);
    if let Some(mut shown) = shown {
        show(&mut shown);
        *response.body_mut() = Body::from(serde_json::to_vec(&shown).expect("plain data"));
    }
    response
}
