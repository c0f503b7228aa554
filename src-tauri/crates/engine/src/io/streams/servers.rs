//! STUN and TURN servers of the settings and of endpoints, looked up.

use crate::io::dns::Names;
use sidetone_peer::{
    IceServer, IceServerKind, IceTransport,
    whip::{self, Scheme},
};
use std::net::{IpAddr, SocketAddr};

/// ICE servers of one stream, those of the settings and of the endpoint.
const MOST: usize = 8;

/// The servers that can be asked from `own`, each once, and what is wrong with the others: their URLs and why, in words.
pub(super) async fn look_up(
    names: &Names,
    servers: impl Iterator<Item = whip::IceServer>,
    own: IpAddr,
) -> (Vec<IceServer>, Vec<(String, String)>) {
    let (mut found, mut wrong) = (Vec::<IceServer>::new(), Vec::new());
    for server in servers.take(MOST) {
        match one(names, &server, own).await {
            Ok(server) if !is_among(&found, &server) => found.push(server),
            Ok(_) => {}
            Err(reason) => wrong.push((server.to_string(), reason)),
        }
    }
    (found, wrong)
}

/// The same place by the same way.
pub(super) fn is_among(servers: &[IceServer], server: &IceServer) -> bool {
    let same = |other: &IceServer| {
        (other.kind, other.transport, other.address) == (server.kind, server.transport, server.address)
    };
    servers.iter().any(same)
}

async fn one(names: &Names, server: &whip::IceServer, own: IpAddr) -> Result<IceServer, String> {
    let (kind, transport) = match (server.scheme, server.tcp) {
        (Scheme::Stun, _) => (IceServerKind::Stun, IceTransport::Udp),
        (Scheme::Turn, false) => (IceServerKind::Turn, IceTransport::Udp),
        (Scheme::Turn, true) => (IceServerKind::Turn, IceTransport::Tcp),
        (Scheme::Turns, true) => (IceServerKind::Turn, IceTransport::Tls),
        (Scheme::Turns, false) => return Err("TURN over DTLS is not spoken".into()),
        (Scheme::Stuns, _) => return Err("STUN is asked over UDP alone".into()),
    };
    let addresses = match server.host.parse::<IpAddr>() {
        Ok(ip) => vec![ip],
        Err(_) => names.addresses(&server.host).await?,
    };
    let of_kind = |ip: &IpAddr| ip.is_ipv4() == own.is_ipv4();
    let ip = addresses.into_iter().find(of_kind).ok_or_else(|| {
        format!("it has no {} address, as the endpoint has", if own.is_ipv4() { "IPv4" } else { "IPv6" })
    })?;
    let text = |token: &whip::Token| token.expose().to_owned();
    Ok(IceServer {
        url: server.to_string(),
        host: server.host.clone(),
        kind,
        transport,
        address: SocketAddr::new(ip, server.port),
        local: None,
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.as_ref().map(text).unwrap_or_default(),
    })
}
