//! TLS to a server, as its address asks for it (`sslmode`, `sslrootcert`), and what of it a sign-in is bound to.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::address::{Address, SslMode};
use super::stream::Stream;
use crate::db::DbError;

/// Asks the server for TLS and shakes hands; its certificate is what the address wants it to be, or nothing is said.
pub(super) fn secure(mut socket: TcpStream, name: &str, address: &Address) -> Result<Stream, DbError> {
    let config = config(address)?;
    let server = ServerName::try_from(name.to_owned()).map_err(|_| DbError::Unfit(format!("{name} is no name of a TLS server")))?;
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    socket.write_all(&request).map_err(DbError::Connection)?;
    // One byte and no more: whatever follows must come from inside TLS.
    let mut answer = [0];
    socket.read_exact(&mut answer).map_err(DbError::Connection)?;
    if answer != *b"S" {
        return Err(DbError::Unfit(
            "the server does not speak TLS: set ssl = on there, or sslmode=disable if the network is yours alone".into(),
        ));
    }
    let mut connection = ClientConnection::new(Arc::new(config), server).map_err(|error| DbError::Unfit(error.to_string()))?;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut socket) {
            let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).map(|why| explain(why, address));
            return Err(refused.map_or(DbError::Connection(error), DbError::Unfit));
        }
    }
    Ok(Stream::Tls(Box::new(StreamOwned::new(connection, socket))))
}

fn config(address: &Address) -> Result<ClientConfig, DbError> {
    let provider = ring::default_provider();
    let checks = match address.ssl_mode {
        SslMode::Disable | SslMode::Require => None,
        SslMode::VerifyCa => Some(false),
        SslMode::VerifyFull => Some(true),
    };
    let roots = checks.map(|_| authorities(address.ssl_root_cert.as_deref())).transpose()?;
    let verifier = Verifier { roots, checks_name: checks == Some(true), algorithms: provider.signature_verification_algorithms };
    Ok(ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, DbError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let unreadable = |why: String| DbError::Unfit(format!("sslrootcert {} cannot be used: {why}", file.display()));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))? {
        let added = certificate.map_err(|error| error.to_string()).and_then(|der| roots.add(der).map_err(|error| error.to_string()));
        added.map_err(unreadable)?;
    }
    if roots.is_empty() { Err(unreadable("it holds no certificate".into())) } else { Ok(roots) }
}

/// What a refused handshake means to whoever runs the two.
fn explain(error: &Error, address: &Address) -> String {
    let meaning = match error {
        // The second: one of the same name with another key.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => match &address.ssl_root_cert {
            Some(file) => format!("its certificate is not signed by an authority in {}", file.display()),
            None => "its certificate is not signed by an authority that this machine knows: name yours by sslrootcert".into(),
        },
        Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            "its certificate is made out for another name than the address has".into()
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => "its certificate is over".into(),
        other => other.to_string(),
    };
    format!("the server has not proved who it is, so nothing was sent: {meaning}")
}

/// Checks as much of a certificate as the address wants.
#[derive(Debug)]
struct Verifier {
    /// Without any, everybody's certificate will do.
    roots: Option<RootCertStore>,
    checks_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let parsed = ParsedCertificate::try_from(certificate)?;
            verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, self.algorithms.all)?;
            if self.checks_name {
                verify_server_name(&parsed, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What binds a sign-in to this connection, `tls-server-end-point` of RFC 5929 section 4: the certificate's hash, by the hash of
/// its signature, or SHA-256 for MD5 and SHA-1. `None` without TLS, and for signatures for which the RFC names no hash.
pub(super) fn end_point(stream: &Stream) -> Option<Vec<u8>> {
    let Stream::Tls(tls) = stream else { return None };
    hash_of(tls.conn.peer_certificates()?.first()?)
}

/// The signatures of PKCS #1 (1.2.840.113549.1.1) and ECDSA with SHA-2 (1.2.840.10045.4.3), without their last number.
const PKCS_1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

fn hash_of(certificate: &[u8]) -> Option<Vec<u8>> {
    let (last, family) = signature_algorithm(certificate)?.split_last()?;
    match (family, last) {
        (PKCS_1, 4 | 5 | 11) | (ECDSA_SHA2, 2) => Some(Sha256::digest(certificate).to_vec()),
        (PKCS_1, 12) | (ECDSA_SHA2, 3) => Some(Sha384::digest(certificate).to_vec()),
        (PKCS_1, 13) | (ECDSA_SHA2, 4) => Some(Sha512::digest(certificate).to_vec()),
        _ => None,
    }
}

/// The object identifier of a certificate's signature, RFC 5280 section 4.1: what was signed, then by which algorithm.
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_signed, rest) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(rest, SEQUENCE)?;
    Some(element(algorithm, OBJECT_IDENTIFIER)?.0)
}

/// The contents of the DER element in front, if it is of this kind, and what follows it.
fn element(bytes: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (found == kind).then(|| rest.split_at_checked(len)).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    #[test]
    fn a_certificate_is_hashed_as_its_signature_hashes() {
        for (algorithm, len) in [(&PKCS_ECDSA_P256_SHA256, Some(32)), (&PKCS_ECDSA_P384_SHA384, Some(48)), (&PKCS_ED25519, None)] {
            let key = KeyPair::generate_for(algorithm).expect("a key");
            let certificate = CertificateParams::new(vec!["db.example".into()]).expect("a name").self_signed(&key).expect("signs");
            assert_eq!(hash_of(certificate.der()).map(|hash| hash.len()), len, "{algorithm:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_no_certificate_have_no_hash_and_break_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(hash_of(&bytes).is_none());
        }

        #[test]
        fn a_cut_certificate_breaks_nothing(cut in 0_usize..300, at in 0_usize..300, byte: u8) {
            let key = KeyPair::generate().expect("a key");
            let certificate = CertificateParams::new(vec!["db.example".into()]).expect("a name").self_signed(&key).expect("signs");
            let mut bytes = certificate.der().to_vec();
            bytes.truncate(bytes.len().saturating_sub(cut));
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
            let _ = hash_of(&bytes);
        }
    }
}
