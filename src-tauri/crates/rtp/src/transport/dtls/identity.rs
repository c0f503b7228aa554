use std::fmt;
use std::sync::Arc;

use rtc_dtls::crypto::Certificate;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::super::{Failure, provider};

/// Our certificate: self-signed ECDSA P-256, known to peers by its fingerprint alone. One serves a whole process.
#[derive(Clone)]
pub struct DtlsIdentity {
    pub(super) certificate: Arc<Certificate>,
    fingerprint: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashFunction {
    Sha256,
    Sha384,
    Sha512,
}

/// The hash of a certificate, as the signalling carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    pub hash: HashFunction,
    pub bytes: Vec<u8>,
}

impl DtlsIdentity {
    /// Makes the key from the operating system's randomness.
    ///
    /// # Errors
    /// [`Failure::Dtls`] where that fails.
    pub fn generate() -> Result<Self, Failure> {
        // A name that tells nothing: the certificate travels in the open.
        let names = vec!["webrtc".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider().crypto())
            .map_err(|error| Failure::Dtls(format!("no certificate: {error}")))?;
        let der = certificate.certificate.first().map(|der| der.as_ref()).unwrap_or_default();
        Ok(Self { fingerprint: Sha256::digest(der).into(), certificate: Arc::new(certificate) })
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

impl fmt::Debug for DtlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DtlsIdentity")
    }
}

impl Fingerprint {
    pub(super) fn is_of(&self, der: &[u8]) -> bool {
        match self.hash {
            HashFunction::Sha256 => self.bytes == Sha256::digest(der)[..],
            HashFunction::Sha384 => self.bytes == Sha384::digest(der)[..],
            HashFunction::Sha512 => self.bytes == Sha512::digest(der)[..],
        }
    }
}
