//! `POST /v1/enrolments/{id}/template`: the sealed template of somebody who enrols, from the device that looked.

use axum::extract::State;
use axum::response::Response;
use base::id::EnrolmentId;
use wire::probe::SealedProbe;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::auth::Till;
use crate::body::PathId;
use crate::crowd::{DIMENSIONS, new_token};
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// Templates of one person: more would only help somebody who wants to fill the gallery.
const TEMPLATES_MAX: u32 = 4;

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/enrolments/{id}/template", Access::Terminal, "Hand in the sealed template of an enrolment")
        .takes("SealedProbe")
        .answers(202, "Enrolment")
        .refuses(&[
            Code::ProbeInvalid,
            Code::ProbeReplayed,
            Code::ProbeMismatch,
            Code::ChallengeExpired,
            Code::StateConflict,
            Code::ConsentMissing,
            Code::ConsentOutdated,
        ])
        .by(handle)
}

async fn handle(
    State(app): State<SharedApp>,
    Till(till): Till,
    PathId(enrolment): PathId<EnrolmentId>,
    once: Once<SealedProbe>,
) -> Answer<Response> {
    let Once { idempotency, body: probe, turn: _turn } = once;
    if !(1..=TEMPLATES_MAX).contains(&probe.context.templates) || probe.context.dimensions != DIMENSIONS {
        return Err(Code::ProbeInvalid.into());
    }
    let (now, terminal) = (app.now(), till.details.id);
    let tokens: Vec<_> = (0..probe.context.templates).map(|_| new_token(now, &mut rng())).collect();
    let work = move |store: &store::Store| store.receive_template(&idempotency, terminal, enrolment, &probe, &tokens, &mut rng(), now);
    let answer = app.with_store(work).await?;
    if answer.is_first_success() {
        app.gallery_changed.notify_one();
    }
    Ok(respond(answer))
}
