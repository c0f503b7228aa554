//! Where a message goes: one step to the next SIP element.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use crate::message::Host;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl Transport {
    /// Delivers in order and without loss, so transactions do not retransmit over it.
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }

    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Port of a SIP URI that names none (RFC 3261 section 19.1.2, RFC 7118 section 5.3).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// The token in a Via header.
    pub fn via_token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The value of the `transport` URI parameter in our Contact: `ws` stands for secure ones too (RFC 7118 section 5.2.2).
    pub fn contact_token(self) -> &'static str {
        if self == Self::Wss { "ws" } else { self.uri_token() }
    }

    /// The value of the `transport` URI parameter.
    pub fn uri_token(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Reads a `transport` URI parameter or a Via transport, whatever its case.
    pub fn from_token(token: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|transport| transport.uri_token().eq_ignore_ascii_case(token))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri_token())
    }
}

/// To whom a connection is opened and on whose word: what the IO layer verifies of it, under a number that it gives out. The user
/// agent carries it from requests to [`super::Output::Resolve`] and from resolved hops to transmissions, and knows no more.
/// [`Authority::default`] asks for nothing besides the name that is resolved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority(pub u32);

/// What tells one stream connection from the others.
pub(crate) type Flow = (Transport, SocketAddr, Authority);

/// A transport, the peer's address, our address as that peer should see it, and what is verified of the peer.
///
/// Stream connections are identified by `(transport, remote, authority)`; `local` is what goes into Via and Contact. Over TCP that
/// is an address where we accept requests, not the ephemeral port of an outgoing connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hop {
    pub transport: Transport,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub authority: Authority,
}

impl Hop {
    /// A hop of which nothing is verified besides its name.
    pub fn new(transport: Transport, local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport, local, remote, authority: Authority::default() }
    }

    pub(crate) fn flow(&self) -> Flow {
        (self.transport, self.remote, self.authority)
    }

    /// Same connection, or same peer over UDP.
    pub(crate) fn same_flow(&self, other: &Self) -> bool {
        self.flow() == other.flow()
    }

    /// Our host and port in Via and Contact. A WebSocket client has no address that others could reach (RFC 7118 section 5): a
    /// name that never resolves stands for it.
    pub(crate) fn sent_by(&self) -> (Host, Option<u16>) {
        if !matches!(self.transport, Transport::Ws | Transport::Wss) {
            return (Host::from(self.local.ip()), Some(self.local.port()));
        }
        let mut hasher = DefaultHasher::new();
        self.local.hash(&mut hasher);
        (Host::Name(format!("{:016x}.invalid", hasher.finish())), None)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.remote)
    }
}
