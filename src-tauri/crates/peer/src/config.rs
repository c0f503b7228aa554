use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rtc::peer_connection::certificate::RTCCertificate;

use crate::Codec;

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
    /// The same sockets as they are seen through a NAT that changes addresses one for one: told as host candidates, before those
    /// of [`Self::hosts`].
    pub advertised: Vec<SocketAddr>,
    /// Their names looked up. [`Role::Gateway`] uses none.
    pub ice_servers: Vec<IceServer>,
    /// Only by TURN, so that the far end does not learn our addresses.
    pub relay_only: bool,
    /// What may be negotiated, in our order of preference.
    pub codecs: Vec<Codec>,
    pub bitrate: BitrateLimits,
    /// How long nothing may arrive after it has connected; [`DisconnectReason::KeepAlive`](crate::DisconnectReason)
    /// follows. Before the end the peer is asked for a sign of life. A far end that only listens has four times as long:
    /// nobody waits for it.
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
            advertised: Vec::new(),
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

/// A STUN or TURN server whose name has been looked up; [`whip::IceServer`](crate::whip::IceServer) reads the URL.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// As users know it: `turn:relay.example:3478?transport=udp`.
    pub url: String,
    /// Its name or address, which its certificate carries.
    pub host: String,
    pub kind: IceServerKind,
    pub transport: IceTransport,
    pub address: SocketAddr,
    /// The one of our bound addresses that reaches it; `None`: every one of [`Config::hosts`] of its kind. An ICE restart
    /// with other addresses forgets it.
    pub local: Option<SocketAddr>,
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
    /// A TCP connection in which TLS is spoken: the peer says and hears what is inside.
    Tls,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.url, self.transport, self.address)
    }
}
