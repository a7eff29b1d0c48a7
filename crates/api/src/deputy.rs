//! The store's work on the threads that answer HTTP: who pays wakes one of them in any case, and so nobody else has to be woken.

use std::sync::Arc;

use store::Store;
use tokio::sync::Notify;

/// How often what else is to be done on the thread comes first, so that those whose requests are being read share the batch.
const YIELDS: usize = 4;

/// Does what is submitted to `store`, for as long as this runs.
pub async fn work(store: Arc<Store>) {
    let bell = Arc::new(Notify::new());
    let ring = bell.clone();
    let deputy = match store.deputise(move || ring.notify_one()) {
        Ok(deputy) => deputy,
        Err(error) => return tracing::error!(%error, "the store's own thread does all"),
    };
    loop {
        bell.notified().await;
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
        }
        deputy.work();
    }
}
