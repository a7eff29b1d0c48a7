//! A wire between platform and one party that can be cut in the middle of a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// More than any request but those that carry a sealed share.
const LARGE: usize = 2_000;

/// When the wire is cut, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    Never = 0,
    /// The party never sees the large request.
    BeforeTheParty = 1,
    /// The party sees it, and its answer is lost.
    BeforeTheAnswer = 2,
}

/// The wire's state, shared with its connections.
#[derive(Clone, Default)]
pub struct Wire(Arc<AtomicU8>);

impl Wire {
    /// Cuts at the next large request.
    pub fn cut(&self, when: Cut) {
        self.0.store(when as u8, Ordering::SeqCst);
    }

    fn take(&self, when: Cut) -> bool {
        self.0.compare_exchange(when as u8, Cut::Never as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// A wire to `party`, and where the platform finds it.
pub async fn wire(party: SocketAddr) -> (SocketAddr, Wire) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let (address, wire) = (listener.local_addr().expect("bound"), Wire::default());
    let shared = wire.clone();
    tokio::spawn(async move {
        while let Ok((platform, _)) = listener.accept().await {
            let wire = shared.clone();
            tokio::spawn(async move {
                if let Ok(party) = TcpStream::connect(party).await {
                    carry(platform, party, &wire).await;
                }
            });
        }
    });
    (address, wire)
}

/// Until either side hangs up or the wire is cut.
async fn carry(mut platform: TcpStream, mut party: TcpStream, wire: &Wire) {
    let (mut there, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut answer_is_lost = false;
    loop {
        tokio::select! {
            read = platform.read(&mut there) => {
                let Ok(len @ 1..) = read else { return };
                if len > LARGE {
                    if wire.take(Cut::BeforeTheParty) {
                        return;
                    }
                    answer_is_lost |= wire.take(Cut::BeforeTheAnswer);
                }
                if party.write_all(&there[..len]).await.is_err() {
                    return;
                }
            }
            read = party.read(&mut back) => {
                let Ok(len @ 1..) = read else { return };
                if answer_is_lost || platform.write_all(&back[..len]).await.is_err() {
                    return;
                }
            }
        }
    }
}
