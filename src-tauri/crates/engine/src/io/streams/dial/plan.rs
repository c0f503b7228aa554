//! What the peers of an attempt are made with.

use super::attempt::Failure;
use crate::io::clock;
use sidetone_peer::{BitrateLimits, Certificate, Config, IceServer, Peer, PeerError, Wanted};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Instant,
};

/// What peers of one attempt are made with.
pub(super) struct PeerPlan {
    pub(super) certificate: Arc<OnceLock<Certificate>>,
    pub(super) hosts: Vec<SocketAddr>,
    pub(super) ice_servers: Vec<IceServer>,
    pub(super) relay_only: bool,
    pub(super) bitrate: BitrateLimits,
    pub(super) wanted: Wanted,
}

impl PeerPlan {
    pub(super) async fn offer(&self) -> Result<(Box<Peer>, String), Failure> {
        self.make(|peer, now, wanted| peer.create_offer(now, wanted)).await
    }

    pub(super) async fn answer(&self, offer: &str) -> Result<(Box<Peer>, String), Failure> {
        let offer = offer.to_owned();
        self.make(move |peer, now, wanted| peer.accept_offer(now, &offer, wanted)).await
    }

    /// On a thread of its own: keys are made.
    async fn make(
        &self,
        describe: impl FnOnce(&mut Peer, Instant, &Wanted) -> Result<String, PeerError> + Send + 'static,
    ) -> Result<(Box<Peer>, String), Failure> {
        let made = Arc::clone(&self.certificate);
        let (hosts, ice_servers) = (self.hosts.clone(), self.ice_servers.clone());
        let (bitrate, wanted, relay_only) = (self.bitrate, self.wanted.clone(), self.relay_only);
        let making = tokio::task::spawn_blocking(move || {
            let now = Instant::now();
            let seed = clock::random().map(u64::from_be_bytes).unwrap_or_default();
            let client = Config::client(certificate(&made)?, hosts, seed);
            let config = Config { ice_servers, relay_only, bitrate, ..client };
            let mut peer = Box::new(Peer::new(now, config)?);
            let sdp = describe(&mut peer, now, &wanted)?;
            Ok::<_, PeerError>((peer, sdp))
        });
        let made = making.await.map_err(|error| Failure(error.to_string(), false, None))?;
        Ok(made?)
    }
}

/// The certificate of all peers of this run, made once.
pub(crate) fn certificate(made: &OnceLock<Certificate>) -> Result<Certificate, PeerError> {
    if let Some(certificate) = made.get() {
        return Ok(certificate.clone());
    }
    let certificate = Certificate::generate()?;
    Ok(made.get_or_init(|| certificate).clone())
}
