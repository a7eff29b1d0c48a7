//! One POST to a merchant's receiver: resolve the name, connect to a checked address and to no other, say it, read the
//! status. No redirect is followed, no proxy is used, no answer's body is read.

use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use payments::webhook::delivery::Attempt;
use payments::webhook::reach::Reach;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use wire::merchant::DeliveryFailure;

use crate::webhooks::destination::Destination;

/// What receivers see.
const AGENT: &str = concat!("Handsel-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Sends webhooks.
pub struct Sender {
    tls: TlsConnector,
    timeout: Duration,
}

impl Sender {
    /// One that trusts the machine's own certificate authorities, and those in the PEM file `more_roots`.
    ///
    /// # Errors
    /// A sentence if `more_roots` cannot be read.
    pub fn new(timeout: Duration, more_roots: Option<&Path>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // A machine without any authorities still delivers to itself in test mode; the rest fails by its own name.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = more_roots {
            roots.add_parsable_certificates(read_pem(path)?);
        }
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), timeout })
    }

    /// How long one attempt may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Posts `body` with `headers` to `url`, if it may be reached, and says what came of it.
    pub async fn post(&self, url: &str, reach: Reach, headers: &[(&'static str, String)], body: Vec<u8>) -> Attempt {
        // What may be reached may have changed since the endpoint was made.
        let Ok(destination) = Destination::parse(url, reach) else {
            return Attempt::Failed(DeliveryFailure::AddressForbidden);
        };
        match tokio::time::timeout(self.timeout, self.try_post(&destination, reach, headers, body)).await {
            Ok(Ok(status)) => Attempt::Answered(status),
            Ok(Err(failure)) => Attempt::Failed(failure),
            Err(_) => Attempt::Failed(DeliveryFailure::Timeout),
        }
    }

    async fn try_post(
        &self,
        to: &Destination,
        reach: Reach,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<u16, DeliveryFailure> {
        let stream = connect(to, reach).await?;
        let mut request =
            Request::post(to.path.as_str()).header(HOST, &to.authority).header(CONTENT_TYPE, "application/json").header(USER_AGENT, AGENT);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| DeliveryFailure::Malformed)?;
        if to.secure {
            let name = ServerName::try_from(to.host.clone()).map_err(|_| DeliveryFailure::NameUnknown)?;
            let stream = self.tls.connect(name, stream).await.map_err(|_| DeliveryFailure::Tls)?;
            say(stream, request).await
        } else {
            say(stream, request).await
        }
    }
}

/// A connection to an address that was checked: what the name resolves to later does not matter.
async fn connect(to: &Destination, reach: Reach) -> Result<TcpStream, DeliveryFailure> {
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((to.host.as_str(), to.port)).await.map_err(|_| DeliveryFailure::NameUnknown)?.collect();
    if found.is_empty() {
        return Err(DeliveryFailure::NameUnknown);
    }
    let allowed: Vec<SocketAddr> = found.into_iter().filter(|address| reach.allows(address.ip())).collect();
    if allowed.is_empty() {
        return Err(DeliveryFailure::AddressForbidden);
    }
    for address in allowed {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
    }
    Err(DeliveryFailure::NotConnected)
}

async fn say(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, request: Request<Full<Bytes>>) -> Result<u16, DeliveryFailure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| DeliveryFailure::Malformed)?;
    // Whoever gives this up, at a timeout too, ends the connection with it.
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);
    let response = sender.send_request(request).await.map_err(|_| DeliveryFailure::Malformed)?;
    Ok(response.status().as_u16())
}

fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    use rustls_pki_types::pem::PemObject;
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    CertificateDer::pem_reader_iter(BufReader::new(file)).collect::<Result<_, _>>().map_err(|error| error.to_string())
}
