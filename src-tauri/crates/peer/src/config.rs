use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rtc::peer_connection::certificate::RTCCertificate;

use crate::{Codec, PeerError};

/// Which part of ICE (RFC 8445) the peer plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A server that everybody can reach: ICE-lite, answers offers, DTLS server.
    Gateway,
    /// Anybody else: full ICE, with STUN and TURN where there are servers.
    Client,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub role: Role,
    /// One for all peers of a process: making it takes longest.
    pub certificate: Certificate,
    /// Addresses of our bound UDP sockets as others reach them; host candidates. No unspecified address.
    pub hosts: Vec<SocketAddr>,
    /// Their names looked up. [`Role::Gateway`] uses none.
    pub ice_servers: Vec<IceServer>,
    /// Only by TURN, so that the far end does not learn our addresses.
    pub relay_only: bool,
    /// What may be negotiated, in our order of preference.
    pub codecs: Vec<Codec>,
    pub bitrate: BitrateLimits,
    /// How long nothing may arrive after it has connected; [`DisconnectReason::KeepAlive`](crate::DisconnectReason)
    /// follows. Before the end the peer is asked for a sign of life.
    pub patience: Duration,
    /// How long connecting may take.
    pub connect_within: Duration,
    /// The wall clock at the `now` of [`Peer::new`](crate::Peer::new): for the NTP times of RTCP reports.
    pub wall_clock: SystemTime,
    /// For SSRCs, sequence numbers and ids, so that a test can be repeated. Secrets come from the system.
    pub seed: u64,
}

/// Of all that the peer sends together, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitrateLimits {
    pub min: u64,
    pub start: u64,
    pub max: u64,
}

impl Config {
    /// A gateway's peer with everything else as it is best for most.
    pub fn gateway(certificate: Certificate, hosts: Vec<SocketAddr>, seed: u64) -> Self {
        Self {
            role: Role::Gateway,
            certificate,
            hosts,
            ice_servers: Vec::new(),
            relay_only: false,
            codecs: Codec::ALL.to_vec(),
            bitrate: BitrateLimits::default(),
            patience: Duration::from_millis(1_300),
            connect_within: Duration::from_secs(15),
            wall_clock: SystemTime::now(),
            seed,
        }
    }

    /// A client's peer with everything else as it is best for most.
    pub fn client(certificate: Certificate, hosts: Vec<SocketAddr>, seed: u64) -> Self {
        Self {
            role: Role::Client,
            patience: Duration::from_secs(5),
            ..Self::gateway(certificate, hosts, seed)
        }
    }
}

impl Default for BitrateLimits {
    fn default() -> Self {
        Self { min: 50_000, start: 800_000, max: 8_000_000 }
    }
}

/// A self-signed certificate, known to others by its fingerprint. Cheap to clone.
#[derive(Clone)]
pub struct Certificate(pub(crate) Arc<RTCCertificate>);

/// A STUN or TURN server whose name has been looked up.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    pub kind: IceServerKind,
    pub transport: IceTransport,
    pub address: SocketAddr,
    /// Empty for STUN.
    pub username: String,
    pub credential: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceServerKind {
    Stun,
    Turn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IceTransport {
    Udp,
    Tcp,
}

/// A server's URL (RFC 7064, RFC 7065) before its name is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceUrl {
    pub kind: IceServerKind,
    pub transport: IceTransport,
    /// TLS is not spoken here: whoever opens the connection adds it.
    pub tls: bool,
    pub host: String,
    pub port: u16,
}

impl IceUrl {
    /// # Errors
    /// [`PeerError::IceServer`]: not of the form `stun:host`, `turn:host:port?transport=tcp`.
    pub fn parse(url: &str) -> Result<Self, PeerError> {
        let wrong = |reason| PeerError::IceServer { url: url.chars().take(200).collect(), reason };
        let (scheme, rest) = url.split_once(':').ok_or(wrong("it has no scheme"))?;
        let (kind, tls) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (IceServerKind::Stun, false),
            "stuns" => (IceServerKind::Stun, true),
            "turn" => (IceServerKind::Turn, false),
            "turns" => (IceServerKind::Turn, true),
            _ => return Err(wrong("it begins neither with stun: nor with turn:")),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let transport = match query.to_ascii_lowercase().as_str() {
            "" if tls => IceTransport::Tcp,
            "" | "transport=udp" => IceTransport::Udp,
            "transport=tcp" => IceTransport::Tcp,
            _ => return Err(wrong("its transport is neither udp nor tcp")),
        };
        let standard = if tls { 5349 } else { 3478 };
        let (host, port) = match place.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']').ok_or(wrong("its bracket is not closed"))?;
                (host, rest.strip_prefix(':'))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = port.map_or(Ok(standard), str::parse).map_err(|_| wrong("its port is not a number"))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        if host.is_empty() || host.len() > 255 || !host.chars().all(fits) || port == 0 {
            return Err(wrong("it names no host"));
        }
        Ok(Self { kind, transport, tls, host: host.to_owned(), port })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {}", self.kind, self.transport, self.address)
    }
}
