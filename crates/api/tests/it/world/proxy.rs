//! A wire between platform and one party that can be cut in the middle of a request, or go silent: bytes go in, and none
//! come out, as when a party hangs or a machine is gone without a word.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

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
    /// The party never sees it, and the connection goes silent. The next one works.
    Silence = 3,
}

/// The wire's state, shared with its connections.
#[derive(Clone, Default)]
pub struct Wire(Arc<State>);

#[derive(Default)]
struct State {
    cut: AtomicU8,
    /// Connections with a lower number are silent.
    silent_below: AtomicU64,
    connections: AtomicU64,
}

impl Wire {
    /// Cuts at the next large request.
    pub fn cut(&self, when: Cut) {
        self.0.cut.store(when as u8, Ordering::SeqCst);
    }

    /// Makes the connections that there are silent; the next one works.
    pub fn silence(&self) {
        self.0.silent_below.store(self.0.connections.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Makes all connections silent, also those that are still to come, until [`Wire::silence`].
    pub fn silence_all(&self) {
        self.0.silent_below.store(u64::MAX, Ordering::SeqCst);
    }

    fn is_silent(&self, connection: u64) -> bool {
        connection < self.0.silent_below.load(Ordering::SeqCst)
    }

    fn take(&self, when: Cut) -> bool {
        self.0.cut.compare_exchange(when as u8, Cut::Never as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
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
            let number = wire.0.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                if let Ok(party) = TcpStream::connect(party).await {
                    carry(platform, party, &wire, number).await;
                }
            });
        }
    });
    (address, wire)
}

/// Until either side hangs up or the wire is cut; for ever if it goes silent.
async fn carry(mut platform: TcpStream, mut party: TcpStream, wire: &Wire, number: u64) {
    let (mut there, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let (mut answer_is_lost, mut is_silent) = (false, false);
    loop {
        tokio::select! {
            read = platform.read(&mut there) => {
                let Ok(len @ 1..) = read else { return };
                if len > LARGE {
                    if wire.take(Cut::BeforeTheParty) {
                        return;
                    }
                    answer_is_lost |= wire.take(Cut::BeforeTheAnswer);
                    is_silent |= wire.take(Cut::Silence);
                }
                if is_silent || wire.is_silent(number) {
                    std::future::pending::<()>().await;
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
