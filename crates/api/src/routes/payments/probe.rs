//! `POST /v1/payments/{id}/probe`: the look itself. It is durable before any party is asked; an outcome that takes long
//! comes by itself, and until then the payment is *being checked*.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use base::id::{PaymentId, TerminalId};
use payments::payment::status_name;
use store::idempotency::Idempotency;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument;
use wire::api::Payment;
use wire::merchant::Mode;
use wire::probe::SealedProbe;
use wire::problem::Code;

use crate::app::SharedApp;
use crate::auth::Till;
use crate::body::PathId;
use crate::identification;
use crate::once::{Once, respond};
use crate::problem::Answer;
use crate::resolver::timings::Timings;
use crate::routes::post;
use crate::routes::table::{Access, Endpoint};

/// How long each stage took (W3C Server Timing).
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The endpoint.
pub fn endpoint() -> Endpoint {
    post("/v1/payments/{id}/probe", Access::Terminal, "Hand in the look; refusals of the payer are in the payment's `refusal`")
        .takes("SealedProbe")
        .answers(200, "Payment")
        .refuses(&[
            Code::Forbidden,
            Code::ProbeInvalid,
            Code::ProbeReplayed,
            Code::ProbeMismatch,
            Code::ChallengeExpired,
            Code::StateConflict,
            Code::PaymentExpired,
            Code::PaymentCancelled,
        ])
        .by(handle)
}

async fn handle(
    State(app): State<SharedApp>,
    Till(till): Till,
    PathId(payment): PathId<PaymentId>,
    once: Once<SealedProbe>,
) -> Answer<Response> {
    let Once { idempotency, body: probe, turn: _turn } = once;
    let look = Look { app: app.clone(), terminal: till.details.id, payment, probe };
    let (received, outcome) = look.begin(idempotency.clone()).await;
    let Ok(answer) = received.await else { return Err(Code::Internal.into()) };
    let answer = answer?;
    if !answer.is_first_success() {
        return Ok(respond(answer));
    }
    match tokio::time::timeout(Duration::from_millis(app.timing.answer_after_ms), outcome).await {
        Ok(Ok(Ok((payment, timings)))) => Ok(settled(&app, idempotency, payment, &timings).await),
        Ok(Ok(Err(refused))) => Err(refused),
        // Not known yet, or the platform is stopping: what the store wrote down is the answer.
        Err(_) | Ok(Err(_)) => Ok(respond(answer)),
    }
}

struct Look {
    app: SharedApp,
    terminal: TerminalId,
    payment: PaymentId,
    probe: SealedProbe,
}

type Received = Answer<store::idempotency::Answer>;
type Outcome = Answer<(Payment, Timings)>;

impl Look {
    /// Carries the look through in the background, whether or not anybody still waits for the answer: a till that hangs
    /// up must not leave behind a payment that is being checked by nobody.
    async fn begin(self, idempotency: Idempotency) -> (oneshot::Receiver<Received>, oneshot::Receiver<Outcome>) {
        let (tell_received, received) = oneshot::channel();
        let (tell_outcome, outcome) = oneshot::channel();
        let app = self.app.clone();
        let work = async move {
            let started = Instant::now();
            let answer = self.receive(idempotency).await;
            let goes_on = answer.as_ref().is_ok_and(store::idempotency::Answer::is_first_success);
            let _ = tell_received.send(answer);
            if goes_on {
                let mut timings = Timings::default();
                timings.add_since("receive", started);
                self.app.payment_may_have_changed(self.payment, false);
                let outcome = identification::check(self.app.clone(), self.payment, self.probe, timings).await;
                if let Ok((payment, _)) = &outcome {
                    self.app.metrics.payment(status_name(payment.status));
                }
                self.app.payment_may_have_changed(self.payment, true);
                let _ = tell_outcome.send(outcome);
            }
        };
        let mut checks = app.checks.lock().await;
        while checks.try_join_next().is_some() {}
        checks.spawn(work.instrument(tracing::Span::current()));
        (received, outcome)
    }

    /// Durable before any party is asked.
    async fn receive(&self, idempotency: Idempotency) -> Received {
        let (now, terminal, payment, probe) = (self.app.now(), self.terminal, self.payment, self.probe.clone());
        self.app.write(Mode::Live, move |store| store.receive_probe(&idempotency, terminal, payment, &probe, now)).await
    }
}

/// The outcome becomes the answer that is remembered under the key, in place of *being checked*. If it cannot be written
/// down (the disk is full since), it is the answer all the same: the payment stands as it says, and must not be answered
/// with a failure that says that nothing was charged. The same request is then answered with *being checked* and asks.
async fn settled(app: &SharedApp, idempotency: Idempotency, payment: Payment, timings: &Timings) -> Response {
    let body = serde_json::to_vec(&payment).expect("a payment is plain data");
    let outcome = store::idempotency::Answer { status: 200, body: body.clone(), replayed: false, payment: None, queued: false };
    let answer = app.write(Mode::Live, move |store| store.settle_answer(&idempotency, 200, body)).await.unwrap_or_else(|_| {
        tracing::error!(payment = %payment.id, "the answer could not be remembered; the payment stands");
        outcome
    });
    let mut response = respond(answer);
    let header = HeaderValue::from_str(&timings.header()).expect("stages and numbers are ASCII");
    response.headers_mut().insert(SERVER_TIMING, header);
    response
}
