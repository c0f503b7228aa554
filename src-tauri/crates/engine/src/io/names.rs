//! From a SIP URI to the hops to try.

use super::{
    dns::{self, Goal, Names, Target},
    transport::{Authorities, Flows, Link},
};
use sidetone_sip::message::{Host, Uri};
use sidetone_sip::{Authority, Hop, Transport};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

/// Finds the way to servers: their addresses, what they must prove, and our own address towards them.
#[derive(Clone)]
pub(crate) struct Finder {
    pub(crate) names: Arc<Names>,
    pub(crate) authorities: Arc<Authorities>,
    pub(crate) flows: Arc<Flows>,
    /// Where we listen.
    pub(crate) port: u16,
    pub(crate) bind: Option<IpAddr>,
}

impl Finder {
    /// Where requests to `uri` go, best first.
    ///
    /// # Errors
    /// In words, naming the host.
    pub(crate) async fn find(
        &self,
        uri: &Uri,
        transport: Option<Transport>,
        authority: Authority,
    ) -> Result<Vec<Hop>, String> {
        let goal = towards_websocket(Goal::of(uri, transport)?, &self.authorities.link(authority))?;
        let mut hops: Vec<Hop> = Vec::new();
        let mut reason = format!("{} has no address", goal.host);
        for target in dns::locate(&self.names, &goal).await? {
            match self.hop(&goal, target, authority) {
                Ok(hop) if !hops.contains(&hop) => hops.push(hop),
                Ok(_) => {}
                Err(error) => reason = format!("{}: {error}", target.address),
            }
        }
        if hops.is_empty() { Err(reason) } else { Ok(hops) }
    }

    /// The address of the STUN server `host`, of the family of our address `own`, within `patience`. None where there is none,
    /// or where `own` is on loopback and the server is not: neither hears the other.
    pub(crate) async fn find_stun(
        &self,
        host: &Host,
        port: u16,
        own: IpAddr,
        patience: Duration,
    ) -> Option<SocketAddr> {
        let found = match host.ip() {
            Some(ip) => vec![ip],
            None => tokio::time::timeout(patience, self.names.addresses(&host.bare())).await.ok()?.ok()?,
        };
        let reaches = |ip: &IpAddr| {
            ip.is_ipv4() == own.is_ipv4()
                && ip.is_loopback() == own.is_loopback()
                && !ip.is_multicast()
                && !ip.is_unspecified()
        };
        found.into_iter().find(reaches).map(|ip| SocketAddr::new(ip, port))
    }

    fn hop(&self, goal: &Goal, target: Target, of: Authority) -> std::io::Result<Hop> {
        let ip = local_address_towards(target.address, self.bind)?;
        let mut hop = Hop::new(target.transport, SocketAddr::new(ip, self.port), target.address);
        if matches!(target.transport, Transport::Udp | Transport::Tcp) {
            return Ok(hop);
        }
        hop.authority = self.authorities.of_server(of, &goal.host.bare());
        // A proxy names itself by its address in Record-Route, and `ws` there stands for `wss` too. What the account has verified
        // at this address is asked for again.
        let by_address = goal.host.ip().is_some();
        if let Some((authority, transport)) = self.authorities.known_at(of, hop.remote)
            && by_address
            && is_same_kind(hop.transport, transport)
        {
            (hop.authority, hop.transport) = (authority, transport);
        }
        if hop.transport == Transport::Tls {
            hop.local = self.flows.local(super::transport::flow(&hop), ip)?;
        }
        Ok(hop)
    }
}

/// A WebSocket account has one server, whatever host a request names: nobody else could be spoken to (RFC 7118 section 4).
fn towards_websocket(goal: Goal, link: &Link) -> Result<Goal, String> {
    let web = matches!(goal.transport, Some(Transport::Ws | Transport::Wss));
    let Some(url) = link.websocket.as_ref().filter(|_| web) else { return Ok(goal) };
    if goal.secure && !url.secure {
        return Err("sips: goes over wss://, and the account's WebSocket URL is ws://".into());
    }
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let host = Host::parse(&host).map_err(|error| error.to_string())?;
    let transport = url.transport();
    let port = Some(url.port.unwrap_or(transport.default_port()));
    Ok(Goal { host, port, transport: Some(transport), secure: goal.secure })
}

/// Never down from a secured transport.
fn is_same_kind(wanted: Transport, known: Transport) -> bool {
    wanted == known || (wanted == Transport::Ws && known == Transport::Wss)
}

/// The address of ours that packets to `remote` carry: connecting a UDP socket asks the routing table and sends nothing.
pub(crate) fn local_address_towards(remote: SocketAddr, bind: Option<IpAddr>) -> std::io::Result<IpAddr> {
    if let Some(ip) = bind.filter(|ip| !ip.is_unspecified()) {
        return Ok(ip);
    }
    if remote.ip().is_loopback() {
        return Ok(remote.ip());
    }
    let any = if remote.is_ipv4() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        "::".parse().unwrap_or(remote.ip())
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(remote)?;
    Ok(socket.local_addr()?.ip())
}

/// What this machine is called.
pub(crate) fn machine() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    if name.is_empty() { "this machine".into() } else { name }
}
