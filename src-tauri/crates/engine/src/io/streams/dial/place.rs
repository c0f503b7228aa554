//! Where the endpoint and its servers are, and our addresses towards them.

use super::{Told, attempt::Attempt};
use crate::io::{names::local_address_towards, streams::servers::look_up};
use sidetone_peer::{
    IceServer,
    whip::{self, Endpoint},
};
use std::net::{IpAddr, SocketAddr};
use url::Url;

impl Attempt {
    /// Where the endpoint is.
    pub(super) async fn find(&mut self, endpoint: &Endpoint) -> Result<SocketAddr, String> {
        let place = endpoint.place();
        let url = Url::parse(&place).map_err(|error| error.to_string())?;
        let port = url.port_or_known_default().unwrap_or(443);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let ip = match host.parse::<IpAddr>() {
            Ok(ip) => ip,
            Err(_) => {
                let found = self.dialler.names.addresses(host).await?;
                let first = found.iter().find(|ip| ip.is_ipv4()).or(found.first());
                *first.ok_or_else(|| format!("{host} has no address"))?
            }
        };
        let remote = SocketAddr::new(ip, port);
        self.remote = Some(remote);
        Ok(remote)
    }

    /// The ICE servers' addresses; what is wrong with the others is told.
    pub(super) async fn look_up(
        &mut self,
        servers: impl Iterator<Item = whip::IceServer>,
        own: IpAddr,
    ) -> Vec<IceServer> {
        let (mut found, wrong) = look_up(&self.dialler.names, servers, own).await;
        for (url, reason) in wrong {
            (self.tell)(Told::ServerFailed { url, reason });
        }
        for server in &mut found {
            // The way to it may be another than that to the endpoint.
            let local = local_address_towards(server.address, None).and_then(|ip| self.sockets.at(ip));
            server.local = local.ok();
        }
        found
    }
}

/// Our addresses: the one towards the endpoint, and those towards the servers.
pub(super) fn hosts(first: SocketAddr, servers: &[IceServer]) -> Vec<SocketAddr> {
    let mut hosts = vec![first];
    for local in servers.iter().filter_map(|server| server.local) {
        if !hosts.contains(&local) {
            hosts.push(local);
        }
    }
    hosts
}
