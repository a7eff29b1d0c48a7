//! `/v1/service/…`: what customer service's page asks, and what its log tells an owner. There is nothing here that thaws, pays, credits
//! or changes a limit.

pub mod cases;
pub mod session;

use super::table::Endpoint;

/// All of them.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        session::invitation(),
        session::redeem(),
        session::challenge(),
        session::sign_in(),
        session::end(),
        cases::desk(),
        cases::look_up(),
        cases::freeze(),
        cases::log(),
    ]
}
