//! At a Web Call Server: the owner carries our offer there and brings the answer; there is nothing else to be told later.

use super::Wish;
use super::{
    Call, Told,
    attempt::{Attempt, Failure},
    place::hosts,
    plan::PeerPlan,
};
use crate::io::{names::local_address_towards, streams::Tracks};
use sidetone_peer::{IceServerKind, PeerError};
use std::{net::SocketAddr, time::Duration};
use tokio::sync::oneshot;

/// For the server's answer, and for a backend that it asks.
const PATIENCE: Duration = Duration::from_secs(20);
const MOVED: &str = "our address has changed";

impl Attempt {
    /// Until nobody wants the stream any more.
    ///
    /// # Errors
    /// It came to nothing, or cannot go on.
    pub(super) async fn run_at_server(&mut self, call: Call, remote: SocketAddr) -> Result<(), Failure> {
        if !self.is_agreed_at_server(call, remote).await? {
            return Ok(());
        }
        while let Some(wish) = self.wished.recv().await {
            // Candidates are not told: the server finds us by our checks. Neither is a new address: there is one offer.
            if matches!(wish, Wish::Move) {
                return Err(Failure(MOVED.into(), true, None));
            }
        }
        Ok(())
    }

    /// False where nobody wants it any more.
    async fn is_agreed_at_server(&mut self, call: Call, remote: SocketAddr) -> Result<bool, Failure> {
        let Call { wanted, bitrate, servers, relay_only, trusted_ca, role, .. } = call;
        // Whom TLS with TURN servers believes.
        let trusts = self.dialler.trusts.client(trusted_ca.as_deref()).await;
        trusts.map_err(|reason| Failure(reason, false, None))?;
        self.remote = Some(remote);
        let local = local_address_towards(remote, None)
            .and_then(|ip| self.sockets.at(ip))
            .map_err(|error| Failure(format!("there is no way to {remote}: {error}"), true, None))?;
        (self.tell)(Told::Reached { remote, local: local.ip() });
        let ice_servers = self.look_up(servers.into_iter(), local.ip()).await;
        if relay_only && !ice_servers.iter().any(|server| server.kind == IceServerKind::Turn) {
            let words = "streams are to go by a TURN server alone, and none can be used";
            return Err(Failure(words.into(), false, None));
        }
        let certificate = std::sync::Arc::clone(&self.dialler.certificate);
        let hosts = hosts(local, &ice_servers);
        let plan = PeerPlan { certificate, hosts, ice_servers, relay_only, bitrate, wanted };
        let (peer, sdp) = plan.offer().await?;
        if self.wished.is_closed() {
            return Ok(false);
        }
        self.adopt(peer, role, Tracks::default())?;
        let (reply, answered) = oneshot::channel();
        (self.tell)(Told::Offered { sdp, reply });
        let answer = match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(info))) => return Err(Failure(info, false, None)),
            // The owner, or the connection to the server, has gone.
            Ok(Err(_)) => return Ok(false),
            Err(_) => {
                let words = format!("the server did not answer our offer within {} s", PATIENCE.as_secs());
                return Err(Failure(words, true, None));
            }
        };
        let tracks = self.answered(&answer).await?;
        if tracks == Tracks::default() {
            return Err(PeerError::NoCommonCodecs.into());
        }
        (self.tell)(Told::Agreed(tracks));
        Ok(true)
    }
}
