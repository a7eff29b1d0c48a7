//! Mutual TLS 1.3 in which each side knows the other's certificate beforehand. The usual checks (authority, name, dates)
//! say nothing about a self-signed certificate; in their place its fingerprint is compared, and that the other side has
//! the private key is proved by TLS itself.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::error::Error;
use crate::identity::{Identity, Pin, pin_of};

/// Accepts connections from whoever shows one of the certificates `allowed`.
///
/// # Errors
/// [`Error::IdentityUnusable`].
pub fn acceptor(identity: &Identity, allowed: Vec<Pin>) -> Result<TlsAcceptor, Error> {
    let (certificate, key) = read(identity)?;
    let pinned = Pinned::new(allowed);
    let config = ServerConfig::builder_with_provider(pinned.provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has the ciphers of TLS 1.3")
        .with_client_cert_verifier(Arc::new(pinned))
        .with_single_cert(vec![certificate], key)
        .map_err(|error| Error::IdentityUnusable { reason: error.to_string() })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Connects to whoever shows the certificate `expected`.
///
/// # Errors
/// [`Error::IdentityUnusable`].
pub fn connector(identity: &Identity, expected: Pin) -> Result<TlsConnector, Error> {
    let (certificate, key) = read(identity)?;
    let pinned = Pinned::new(vec![expected]);
    let config = ClientConfig::builder_with_provider(pinned.provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has the ciphers of TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_client_auth_cert(vec![certificate], key)
        .map_err(|error| Error::IdentityUnusable { reason: error.to_string() })?;
    Ok(TlsConnector::from(Arc::new(config)))
}

fn read(identity: &Identity) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Error> {
    let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes())
        .map_err(|error| Error::IdentityUnusable { reason: error.to_string() })?;
    // What the reader says of a key might quote it.
    let key = PrivateKeyDer::from_pem_slice(identity.private_key_pem.expose().as_bytes())
        .map_err(|_| Error::IdentityUnusable { reason: "the private key is no PEM".into() })?;
    Ok((certificate, key))
}

/// Compares fingerprints.
#[derive(Debug)]
struct Pinned {
    allowed: Vec<Pin>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn new(allowed: Vec<Pin>) -> Self {
        Self { allowed, provider: Arc::new(ring::default_provider()) }
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        if self.allowed.contains(&pin_of(certificate)) {
            Ok(())
        } else {
            Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn check_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }
}

fn no_tls12() -> Result<HandshakeSignatureValid, rustls::Error> {
    Err(rustls::Error::General("only TLS 1.3 is spoken here".into()))
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
        self.check(certificate).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(certificate).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        no_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
