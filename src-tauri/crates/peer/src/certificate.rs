use std::sync::Arc;

use rtc::peer_connection::certificate::RTCCertificate;

use crate::{Certificate, PeerError};

impl Certificate {
    /// Makes an ECDSA P-256 key and its certificate from the system's randomness.
    ///
    /// # Errors
    /// [`PeerError::Transport`] where that fails.
    pub fn generate() -> Result<Self, PeerError> {
        let provider = rtc::crypto::default_provider().map_err(PeerError::transport)?;
        // A name that tells nothing: the certificate travels in the open.
        let inner = rtc::dtls::crypto::Certificate::generate_self_signed(
            vec!["webrtc".to_owned()],
            provider.crypto(),
        )
        .map_err(PeerError::transport)?;
        let expires = std::time::SystemTime::now() + std::time::Duration::from_secs(30 * 365 * 86_400);
        Ok(Self(Arc::new(RTCCertificate::from_existing(inner, expires))))
    }
}
