//! From a SIP URI to the hops to try (RFC 3263, without NAPTR and SRV as yet: A and AAAA records, addresses).

use sidetone_sip::message::{Host, Uri};
use sidetone_sip::{Hop, Transport};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// Where requests to `uri` go, best first. `listening` gives our own port for the address to advertise.
///
/// # Errors
/// In words, naming the host.
pub(crate) async fn resolve(
    uri: &Uri,
    transport: Option<Transport>,
    our_port: u16,
    bind: Option<IpAddr>,
) -> Result<Vec<Hop>, String> {
    let transport =
        transport.or_else(|| uri.transport().and_then(Transport::from_token)).unwrap_or(Transport::Udp);
    if !matches!(transport, Transport::Udp | Transport::Tcp) {
        return Err(format!("transport {transport:?} is not supported yet"));
    }
    let port = uri.port.unwrap_or(5060);
    let host = match uri.params.get("maddr") {
        Some(address) => Host::parse(address).map_err(|error| format!("maddr: {error}"))?,
        None => uri.host.clone(),
    };
    let addresses: Vec<SocketAddr> = match &host {
        Host::V4(address) => vec![SocketAddr::from((*address, port))],
        Host::V6(address) => vec![SocketAddr::from((*address, port))],
        Host::Name(name) => tokio::net::lookup_host((name.as_str(), port))
            .await
            .map_err(|error| format!("{name}: {error}"))?
            .collect(),
    };
    let mut hops: Vec<Hop> = Vec::new();
    let mut reason = format!("{host} has no address");
    for remote in addresses {
        match local_address_towards(remote, bind) {
            Ok(ip) => {
                let hop = Hop::new(transport, SocketAddr::new(ip, our_port), remote);
                if !hops.contains(&hop) {
                    hops.push(hop);
                }
            }
            Err(error) => reason = format!("{remote}: {error}"),
        }
    }
    if hops.is_empty() { Err(reason) } else { Ok(hops) }
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
