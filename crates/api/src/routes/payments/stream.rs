//! `GET /v1/payments/{id}/events`: how a payment stands, told as it changes (server-sent events, HTML standard 9.2), so that a
//! till need not ask again and again. Asking keeps working, and is what to do when the stream breaks.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use base::id::PaymentId;
use tokio::sync::{broadcast, mpsc};
use wire::api::{Payment, PaymentStatus};

use crate::app::SharedApp;
use crate::auth::Payee;
use crate::body::PathId;
use crate::problem::Answer;
use crate::routes::get;
use crate::routes::table::{Access, Endpoint};

/// A change that this process did not make itself is seen by looking this often.
const LOOK_MS: u64 = 2_000;
/// A stream ends by itself after this; its browser opens the next.
const LIFETIME: Duration = Duration::from_secs(600);

/// The endpoint.
pub fn endpoint() -> Endpoint {
    get("/v1/payments/{id}/events", Access::Payee, "How a payment stands, told as it changes, until it is settled")
        .streams("Payment")
        .by(handle)
}

async fn handle(State(app): State<SharedApp>, payee: Payee, PathId(payment): PathId<PaymentId>) -> Answer<Response> {
    // Watched before it is read: no change falls between the two.
    let changes = app.payment_changed.subscribe();
    let first = read(&app, &payee, payment).await?;
    let heartbeat = Duration::from_millis(app.timing.heartbeat_ms);
    let (tell, events) = mpsc::channel(8);
    // Whoever hangs up closes the channel, and with it this task.
    tokio::spawn(async move { tokio::time::timeout(LIFETIME, watch(app, payee, first, changes, tell)).await });
    let stream = Sse::new(Told(events)).keep_alive(KeepAlive::new().interval(heartbeat));
    Ok(stream.into_response())
}

async fn watch(
    app: SharedApp,
    payee: Payee,
    first: Payment,
    mut changes: broadcast::Receiver<PaymentId>,
    tell: mpsc::Sender<Result<Event, Infallible>>,
) {
    let id = first.id;
    let mut last = String::new();
    let mut current = Some(first);
    loop {
        if let Some(payment) = current {
            let text = serde_json::to_string(&payment).expect("a payment is plain data");
            if text != last && tell.send(Ok(Event::default().event("payment").data(&text))).await.is_err() {
                return;
            }
            last = text;
            if is_settled(payment.status) {
                return;
            }
        }
        tokio::select! {
            () = tell.closed() => return,
            () = changed(&mut changes, id) => {}
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {}
        }
        // A store that cannot be read now may be read the next time.
        current = read(&app, &payee, id).await.ok();
    }
}

async fn read(app: &SharedApp, payee: &Payee, payment: PaymentId) -> Answer<Payment> {
    let (by, now) = (payee.by, app.now());
    app.with_store_of(payee.mode, move |store| store.payment(by, payment, now)).await
}

/// Waits until this payment may have changed.
async fn changed(changes: &mut broadcast::Receiver<PaymentId>, payment: PaymentId) {
    loop {
        match changes.recv().await {
            Ok(other) if other != payment => {}
            // Behind: look, to be sure.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Whether the till has nothing more to wait for.
fn is_settled(status: PaymentStatus) -> bool {
    !matches!(status, PaymentStatus::Created | PaymentStatus::Challenged | PaymentStatus::BeingChecked | PaymentStatus::AwaitingPasscode)
}

/// The channel as a stream.
struct Told(mpsc::Receiver<Result<Event, Infallible>>);

impl futures_core::Stream for Told {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
