//! Who we are where we listen by TLS.

use crate::{GatewayError, TlsIdentity};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ConfigBuilder, ServerConfig, WantsVerifier,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::{ClientHello, ResolvesServerCert, WantsServerCert},
        sign::CertifiedKey,
    },
};

/// # Errors
/// Says whether it is the certificate or the key that is wrong.
pub(crate) fn acceptor(identity: &TlsIdentity) -> Result<TlsAcceptor, GatewayError> {
    let (certificates, key) = read(identity)?;
    let config = builder()?.with_single_cert(certificates, key);
    Ok(of(config.map_err(|error| unfit(&error))?))
}

/// Who we are, which may change while connections go on.
#[derive(Debug)]
pub(crate) struct Changing(RwLock<Arc<CertifiedKey>>);

impl Changing {
    /// # Errors
    /// As [`acceptor`].
    pub(crate) fn of(identity: &TlsIdentity) -> Result<Self, GatewayError> {
        Ok(Self(RwLock::new(certified(identity)?)))
    }

    /// # Errors
    /// As [`acceptor`].
    pub(crate) fn change(&self, identity: &TlsIdentity) -> Result<(), GatewayError> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified(identity)?;
        Ok(())
    }
}

impl ResolvesServerCert for Changing {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// # Errors
/// TLS itself cannot be had.
pub(crate) fn changing(identity: Arc<Changing>) -> Result<TlsAcceptor, GatewayError> {
    Ok(of(builder()?.with_cert_resolver(identity)))
}

fn certified(identity: &TlsIdentity) -> Result<Arc<CertifiedKey>, GatewayError> {
    let (certificates, key) = read(identity)?;
    let certified = CertifiedKey::from_der(certificates, key, &ring::default_provider());
    certified.map(Arc::new).map_err(|error| unfit(&error))
}

fn wrong(field: &'static str, error: &dyn std::fmt::Display) -> GatewayError {
    GatewayError::Wrong { field, words: error.to_string() }
}

fn unfit(error: &dyn std::fmt::Display) -> GatewayError {
    wrong("tls-key", &format!("it does not fit the certificate: {error}"))
}

type Read = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(identity: &TlsIdentity) -> Result<Read, GatewayError> {
    let certificates = CertificateDer::pem_slice_iter(identity.certificates.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong("tls-certificate", &error))?;
    if certificates.is_empty() {
        return Err(wrong("tls-certificate", &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(identity.key.expose().as_bytes())
        .map_err(|_| wrong("tls-key", &"there is no private key in it that can be read"))?;
    Ok((certificates, key))
}

fn builder() -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, GatewayError> {
    let builder: ConfigBuilder<ServerConfig, WantsVerifier> =
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("tls-certificate", &error))?;
    Ok(builder.with_no_client_auth())
}

fn of(mut config: ServerConfig) -> TlsAcceptor {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
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
