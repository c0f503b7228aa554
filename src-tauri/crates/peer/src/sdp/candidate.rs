use std::net::{IpAddr, SocketAddr};

use crate::PeerError;

/// Kinds of candidates (RFC 8445 section 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CandidateKind {
    Host,
    ServerReflexive,
    PeerReflexive,
    Relay,
}

/// A UDP candidate of component 1 (RFC 8839 section 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) kind: CandidateKind,
    pub(crate) address: SocketAddr,
    pub(crate) priority: u32,
    pub(crate) foundation: String,
    /// Of ours: the address that it was found from.
    pub(crate) base: Option<SocketAddr>,
}

impl CandidateKind {
    fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }

    fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relay => 0,
        }
    }
}

impl Candidate {
    /// One of ours. `rank` tells those of one kind apart, 0 is preferred.
    pub(crate) fn local(
        kind: CandidateKind,
        address: SocketAddr,
        base: Option<SocketAddr>,
        rank: u16,
    ) -> Self {
        // RFC 8421: IPv6 before IPv4 of the same rank would be wanted where both work; ranks come in the caller's order.
        let priority = kind.preference() << 24 | u32::from(u16::MAX - rank) << 8 | 255;
        let foundation = format!("{}{}", kind.preference(), rank);
        Self { kind, address, priority, foundation, base }
    }

    /// Reads `candidate:…`, with or without `a=`. `None`: well-formed and of no use, such as TCP or an mDNS name.
    ///
    /// # Errors
    /// [`PeerError::Candidate`].
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, PeerError> {
        let wrong = |reason| PeerError::Candidate { candidate: text.chars().take(200).collect(), reason };
        let text = text.trim();
        let rest = text.strip_prefix("a=").unwrap_or(text);
        let rest = rest.strip_prefix("candidate:").unwrap_or(rest);
        let words: Vec<&str> = rest.split_ascii_whitespace().take(64).collect();
        let [foundation, component, transport, priority, address, port, typ, kind, ..] = words[..] else {
            return Err(wrong("it has fewer than eight words"));
        };
        let priority = priority.parse().map_err(|_| wrong("its priority is not a number"))?;
        let port: u16 = port.parse().map_err(|_| wrong("its port is not a number below 65536"))?;
        let kind = match (typ, kind) {
            ("typ", "host") => CandidateKind::Host,
            ("typ", "srflx") => CandidateKind::ServerReflexive,
            ("typ", "prflx") => CandidateKind::PeerReflexive,
            ("typ", "relay") => CandidateKind::Relay,
            ("typ", _) => return Ok(None),
            _ => return Err(wrong("it lacks typ")),
        };
        let fits = foundation.len() <= 32 && foundation.chars().all(|c| c.is_ascii_graphic());
        if !fits || component.parse::<u16>().is_err() {
            return Err(wrong("its foundation or component is malformed"));
        }
        let Ok(ip) = address.parse::<IpAddr>() else { return Ok(None) };
        let usable = !(ip.is_unspecified() || ip.is_multicast() || port == 0);
        if component != "1" || !transport.eq_ignore_ascii_case("udp") || !usable {
            return Ok(None);
        }
        let address = SocketAddr::new(ip, port);
        Ok(Some(Self { kind, address, priority, foundation: foundation.to_owned(), base: None }))
    }
}

/// As it stands in a description behind `a=`.
impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, address, priority, foundation, base } = self;
        let (ip, port) = (address.ip(), address.port());
        write!(f, "candidate:{foundation} 1 udp {priority} {ip} {port} typ {}", kind.name())?;
        match base {
            Some(base) if *kind != CandidateKind::Host => {
                write!(f, " raddr {} rport {}", base.ip(), base.port())
            }
            _ => Ok(()),
        }
    }
}
