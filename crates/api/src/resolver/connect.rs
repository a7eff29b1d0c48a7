//! Mutual TLS 1.3 to one party: the platform shows its certificate, and the party's is compared with the one whose
//! fingerprint its operator announced. Names and certificate authorities play no part.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{PartyPeer, TlsIdentity};
use crate::error::Error;

/// Makes connections to one party.
#[derive(Clone)]
pub struct Connector {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Connector {
    /// A connector that shows `identity` and accepts only `peer`.
    ///
    /// # Errors
    /// [`Error::TlsIdentity`].
    pub fn new(peer: &PartyPeer, identity: &TlsIdentity) -> Result<Self, Error> {
        let unusable = |reason: String| Error::TlsIdentity { reason };
        let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).map_err(|error| unusable(error.to_string()))?;
        // What the reader says of a key might quote it.
        let key = PrivateKeyDer::from_pem_slice(identity.private_key_pem.expose().as_bytes())
            .map_err(|_| unusable("the private key is no PEM".into()))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(Pinned { certificate_sha256: peer.certificate_sha256.0, provider: provider.clone() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider has the ciphers of TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(vec![certificate], key)
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self { address: peer.address, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// One connection.
    ///
    /// # Errors
    /// What the socket or TLS says, also when somebody else than the party answers.
    pub async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(self.address).await?;
        // A request is one frame; waiting for more would only delay it.
        socket.set_nodelay(true)?;
        self.tls.connect(ServerName::IpAddress(self.address.ip().into()), socket).await
    }
}

#[derive(Debug)]
struct Pinned {
    certificate_sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let digest: [u8; 32] = Sha256::digest(certificate.as_ref()).into();
        if digest == self.certificate_sha256 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3 is spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
