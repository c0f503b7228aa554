//! TLS towards SIP servers: TLS 1.2 and 1.3, the server's certificate verified by RFC 5922.
//!
//! The chain is checked by webpki against the system's authorities and the account's own one. The platforms' verifiers are not
//! asked: they check the name along with the chain, by rules for web pages (no `sip:` URIs), and say what is wrong in words of
//! their own that differ from system to system.

mod identity;
mod pem;
#[cfg(test)]
mod tests;
mod verify;
mod words;

pub(crate) use pem::check as check_ca;
pub(crate) use words::of_handshake as handshake_words;

use rustls::{
    ClientConfig,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::OnceCell,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use verify::Verifier;

/// From the first byte to the last of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Sessions that can be resumed, of one trust.
const SESSIONS: usize = 64;

/// Whose name a certificate must carry, and by which rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// RFC 5922: `sip:` URIs before DNS names, no wildcards.
    Sip,
    /// As for web pages (RFC 7118 section 5.1 leaves it to RFC 6455): DNS names, wildcards.
    Web,
}

/// Who has authorities beside the system's, for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    Account,
    Streams,
    Hooks,
}

/// Whom an account, or all streams, believe: the system's authorities and its own.
#[derive(Debug)]
pub(crate) struct Trust {
    keeper: Keeper,
    own: Vec<CertificateDer<'static>>,
    connectors: OnceCell<Result<Connectors, String>>,
}

#[derive(Debug)]
struct Connectors {
    sip: Arc<ClientConfig>,
    web: Arc<ClientConfig>,
}

/// What a handshake proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    /// In words: `TLS 1.3, certificate of pbx.example by Example CA`.
    pub(crate) info: String,
}

impl Trust {
    /// Believes the system's authorities, and those in `pem`, text that has been [checked](check_ca).
    pub(crate) fn new(pem: Option<&str>) -> Self {
        Self::of(Keeper::Account, pem)
    }

    /// The same for the servers of streams.
    pub(crate) fn of_streams(pem: Option<&str>) -> Self {
        Self::of(Keeper::Streams, pem)
    }

    /// The same for the hooks' backend.
    pub(crate) fn of_hooks(pem: Option<&str>) -> Self {
        Self::of(Keeper::Hooks, pem)
    }

    fn of(keeper: Keeper, pem: Option<&str>) -> Self {
        let own = pem.and_then(|pem| pem::check(pem).ok()).unwrap_or_default();
        Self { keeper, own, connectors: OnceCell::new() }
    }

    /// Shakes hands with the server `host` (a name, or an address without brackets) over an open connection.
    ///
    /// # Errors
    /// The reason in words.
    pub(crate) async fn shake_hands<S>(
        &self,
        host: &str,
        rules: Rules,
        stream: S,
    ) -> Result<(TlsStream<S>, Proof), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("{host} is no name that a certificate can carry"))?;
        let connectors = self.connectors().await?;
        let config = match rules {
            Rules::Sip => &connectors.sip,
            Rules::Web => &connectors.web,
        };
        let shaking = TlsConnector::from(Arc::clone(config)).connect(name, stream);
        let stream = tokio::time::timeout(HANDSHAKE, shaking)
            .await
            .map_err(|_| format!("{host} did not finish the TLS handshake within {} s", HANDSHAKE.as_secs()))?
            .map_err(|error| words::of_handshake(host, &error))?;
        let proof = Proof { info: words::of_connection(host, stream.get_ref().1) };
        Ok((stream, proof))
    }
}

impl Trust {
    /// For clients of web servers that shake hands themselves.
    ///
    /// # Errors
    /// The reason in words.
    pub(crate) async fn web_config(&self) -> Result<Arc<ClientConfig>, String> {
        Ok(Arc::clone(&self.connectors().await?.web))
    }

    async fn connectors(&self) -> Result<&Connectors, String> {
        let load = || Connectors::load(self.own.clone(), self.keeper);
        self.connectors.get_or_init(load).await.as_ref().map_err(Clone::clone)
    }
}

impl Connectors {
    /// Reads the system's authorities, off the loop: that may take a while.
    async fn load(own: Vec<CertificateDer<'static>>, keeper: Keeper) -> Result<Self, String> {
        let system = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs)
            .await
            .map_err(|error| format!("the system's list of authorities cannot be read: {error}"))?;
        for error in &system.errors {
            tracing::warn!("a certificate of the system cannot be read: {error}");
        }
        let verifier = |rules| Verifier::new(&system.certs, own.clone(), rules, keeper);
        Ok(Self { sip: config(verifier(Rules::Sip))?, web: config(verifier(Rules::Web))? })
    }
}

fn config(verifier: Verifier) -> Result<Arc<ClientConfig>, String> {
    let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(Arc::new(config))
}

/// Whether a connection failed for its TLS.
pub(crate) fn is_of_tls(error: &io::Error) -> bool {
    cause(error).is_some()
}

/// The failure of a handshake as rustls knows it.
fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
