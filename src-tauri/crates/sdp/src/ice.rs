//! What ICE says in SDP (RFC 8839).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use zeroize::Zeroizing;

use crate::parse::number;

/// The user name fragment and password of one side (RFC 8839 section 5.4). The password is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    ufrag: String,
    pwd: Zeroizing<String>,
}

/// One address that may be reached (RFC 8839 section 5.1), over UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// 1 to 32 letters, digits, "+" and "/".
    pub foundation: String,
    /// 1 is RTP (or all, with rtcp-mux), 2 RTCP.
    pub component: u16,
    pub priority: u32,
    pub address: SocketAddr,
    pub kind: CandidateKind,
    /// `raddr` and `rport`: from where a reflexive or relayed candidate was gathered.
    pub related: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    Host,
    ServerReflexive,
    PeerReflexive,
    Relayed,
}

impl IceCredentials {
    /// None where a part is shorter or longer than RFC 8839 allows (4 and 22 to 256), or has other characters than
    /// letters, digits, "+", "/" and, as peers in the field send them, "-", "_" and "=".
    pub fn new(ufrag: &str, pwd: &str) -> Option<Self> {
        let legal = |text: &str, least: usize| {
            let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
            (least..=256).contains(&text.len()) && text.bytes().all(is_legal)
        };
        let fits = legal(ufrag, 4) && legal(pwd, 22);
        fits.then(|| Self { ufrag: ufrag.to_owned(), pwd: Zeroizing::new(pwd.to_owned()) })
    }

    /// 8 and 24 characters, 6 bits each, from good randomness.
    pub fn from_random(random: &[u8; 32]) -> Self {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let letter = |byte: &u8| char::from(ALPHABET.get(usize::from(byte & 63)).copied().unwrap_or(b'A'));
        let (ufrag, pwd) = random.split_at(8);
        Self {
            ufrag: ufrag.iter().map(letter).collect(),
            pwd: Zeroizing::new(pwd.iter().map(letter).collect()),
        }
    }

    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    pub fn pwd(&self) -> &str {
        &self.pwd
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({})", self.ufrag)
    }
}

impl CandidateKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }

    /// RFC 8445 section 5.1.2.2.
    pub fn type_preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Host, Self::ServerReflexive, Self::PeerReflexive, Self::Relayed]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

impl Candidate {
    /// A candidate of ours with the priority of RFC 8445 section 5.1.2.1; `rank` counts the addresses of the host,
    /// the best being 0.
    pub fn new(component: u16, rank: u16, kind: CandidateKind, address: SocketAddr) -> Self {
        let family = u32::from(address.is_ipv6());
        let local = u32::from(u16::MAX - rank);
        let below = 256u32.saturating_sub(u32::from(component));
        let priority = kind.type_preference() << 24 | local << 8 | below;
        let foundation = format!("{}", u32::from(rank) * 16 + family * 8 + kind as u32 + 1);
        Self { foundation, component, priority, address, kind, related: None }
    }

    /// The value of `a=candidate`. None for what we cannot use: TCP, host names (mDNS), and what is malformed.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let foundation = words.next().filter(|text| (1..=32).contains(&text.len()))?.to_owned();
        let component = words.next().and_then(number).filter(|component| (1..=256).contains(component))?;
        words.next().filter(|transport| transport.eq_ignore_ascii_case("udp"))?;
        let priority = words.next().and_then(number)?;
        let ip: IpAddr = words.next()?.parse().ok()?;
        let port = words.next().and_then(number).filter(|port| *port != 0)?;
        words.next().filter(|word| word.eq_ignore_ascii_case("typ"))?;
        let kind = CandidateKind::from_name(words.next()?)?;
        let usable = !ip.is_unspecified() && !ip.is_multicast();
        let (mut host, mut related_port) = (None, None);
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            match name {
                "raddr" => host = value.parse().ok(),
                "rport" => related_port = number(value),
                _ => {}
            }
        }
        let related = host.zip(related_port).map(|(host, port): (IpAddr, u16)| SocketAddr::new(host, port));
        usable.then_some(Self {
            foundation,
            component,
            priority,
            address: SocketAddr::new(ip, port),
            kind,
            related,
        })
    }
}

/// The value of the attribute.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, priority, address, kind, related } = self;
        let (ip, port) = (address.ip(), address.port());
        write!(f, "{foundation} {component} UDP {priority} {ip} {port} typ {}", kind.as_str())?;
        related.iter().try_for_each(|from| write!(f, " raddr {} rport {}", from.ip(), from.port()))
    }
}
