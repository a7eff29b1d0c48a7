//! Who a party is to the others: a self-signed certificate, made once at set-up, and its fingerprint, which the others'
//! operators write into their configuration. No certificate authority, no names, no expiry: a key is replaced by
//! configuring the new fingerprint.

use base::secret::Secret;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use wire::bytes::HexArray;

use crate::error::Error;

/// SHA-256 of a certificate in DER: what a peer is recognised by.
pub type Pin = HexArray<32>;

/// A certificate and its private key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Its private key, PEM (PKCS #8, P-256).
    pub private_key_pem: Secret<String>,
}

/// Makes a new key and a certificate for it; `name` is only for people who look at the certificate.
///
/// # Errors
/// [`Error::IdentityUnusable`] if `name` is no DNS name.
pub fn generate(name: &str) -> Result<Identity, Error> {
    let made =
        rcgen::generate_simple_self_signed([name.to_owned()]).map_err(|error| Error::IdentityUnusable { reason: error.to_string() })?;
    Ok(Identity { certificate_pem: made.cert.pem(), private_key_pem: Secret::new(made.signing_key.serialize_pem()) })
}

impl Identity {
    /// What others recognise this identity by.
    ///
    /// # Errors
    /// [`Error::IdentityUnusable`] if the certificate is no PEM.
    pub fn pin(&self) -> Result<Pin, Error> {
        let certificate = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes())
            .map_err(|error| Error::IdentityUnusable { reason: error.to_string() })?;
        Ok(pin_of(&certificate))
    }
}

/// The fingerprint of a certificate.
pub fn pin_of(certificate: &CertificateDer<'_>) -> Pin {
    HexArray(Sha256::digest(certificate.as_ref()).into())
}
