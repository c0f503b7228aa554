//! Who we are where we listen by TLS.

use crate::{GatewayError, TlsIdentity};
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// # Errors
/// Says whether it is the certificate or the key that is wrong.
pub(crate) fn acceptor(identity: &TlsIdentity) -> Result<TlsAcceptor, GatewayError> {
    let wrong =
        |field, error: &dyn std::fmt::Display| GatewayError::Wrong { field, words: error.to_string() };
    let certificates = CertificateDer::pem_slice_iter(identity.certificates.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong("tls-certificate", &error))?;
    if certificates.is_empty() {
        return Err(wrong("tls-certificate", &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(identity.key.expose().as_bytes())
        .map_err(|_| wrong("tls-key", &"there is no private key in it that can be read"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("tls-certificate", &error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| wrong("tls-key", &format!("it does not fit the certificate: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::acceptor;
    use crate::TlsIdentity;
    use sidetone_api::Secret;
    use sidetone_testkit::{CertificateOptions, TestAuthority};

    #[test]
    fn a_certificate_and_its_key_are_told_from_what_is_none() {
        let authority = TestAuthority::new("test").unwrap();
        let one = authority.issue(&CertificateOptions::default()).unwrap();
        let other = authority.issue(&CertificateOptions::default()).unwrap();
        let identity = |certificates: &str, key: &str| {
            acceptor(&TlsIdentity { certificates: certificates.into(), key: Secret::new(key) })
        };
        assert!(identity(&one.certificate, &one.key).is_ok());
        for (certificates, key, field) in [
            ("", one.key.as_str(), "tls-certificate"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", &one.key, "tls-certificate"),
            (&one.certificate, "", "tls-key"),
            (&one.certificate, &one.certificate, "tls-key"),
            (&one.certificate, &other.key, "tls-key"),
        ] {
            let error = identity(certificates, key).err().unwrap().to_string();
            assert!(error.starts_with(field), "{error}");
            assert!(!error.contains("PRIVATE"), "{error}");
        }
    }
}
