//! Whether a server's certificate is to be believed.

use super::{Keeper, Rules, identity, words};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime},
};
use std::sync::Arc;
use webpki::{EndEntityCert, KeyUsage};

#[derive(Debug)]
pub(super) struct Verifier {
    anchors: Vec<TrustAnchor<'static>>,
    /// The account's own: authorities, or the very certificate of its server.
    own: Vec<CertificateDer<'static>>,
    rules: Rules,
    keeper: Keeper,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(
        system: &[CertificateDer<'static>],
        own: Vec<CertificateDer<'static>>,
        rules: Rules,
        keeper: Keeper,
    ) -> Self {
        let anchor = |certificate| webpki::anchor_from_trusted_cert(certificate).ok();
        let anchors = system.iter().chain(&own).filter_map(anchor).map(|anchor| anchor.to_owned()).collect();
        let algorithms = ring::default_provider().signature_verification_algorithms;
        Self { anchors, own, rules, keeper, algorithms }
    }

    /// # Errors
    /// What is wrong, and what to do, in words.
    fn check_chain(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), String> {
        // The user has looked at this very certificate: nobody else needs to vouch for it.
        if self.own.iter().any(|own| own.as_ref() == server.as_ref()) {
            return words::of_dates(server, now).map_or(Ok(()), Err);
        }
        let parsed = EndEntityCert::try_from(server)
            .map_err(|error| words::of_chain(server, &error, false, self.keeper))?;
        let usage = KeyUsage::server_auth();
        parsed
            .verify_for_usage(self.algorithms.all, &self.anchors, intermediates, now, usage, None, None)
            .map(|_| ())
            .map_err(|error| words::of_chain(server, &error, !self.own.is_empty(), self.keeper))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check_chain(server, intermediates, now)
            .and_then(|()| {
                identity::check(server, name, self.rules)
                    .map_err(|instead| words::of_name(&instead, self.keeper))
            })
            .map(|()| ServerCertVerified::assertion())
            .map_err(|reason| CertificateError::Other(OtherError(Arc::new(words::Refused(reason)))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, server, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, server, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
