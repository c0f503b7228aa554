use std::fmt;
use std::net::IpAddr;

/// A session description (RFC 8866 section 5). What is not interpreted is kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    pub origin: OriginField,
    /// `s=`; may be empty or "-".
    pub session_name: String,
    /// `i=`
    pub information: Option<String>,
    /// `u=`
    pub uri: Option<String>,
    /// `e=`
    pub emails: Vec<String>,
    /// `p=`
    pub phones: Vec<String>,
    /// `c=` of the session, the default of media without their own.
    pub connection: Option<Connection>,
    pub bandwidths: Vec<Bandwidth>,
    /// `t=` with their `r=`; printed as "0 0" when empty.
    pub times: Vec<Timing>,
    /// `z=`
    pub time_zones: Option<String>,
    /// `k=` (obsolete, kept)
    pub key: Option<ObsoleteKey>,
    pub attributes: Vec<Attribute>,
    pub media: Vec<Media>,
}

/// `o=` (RFC 8866 section 5.2). The numbers are kept as digits: the RFC sets no upper bound for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginField {
    pub username: String,
    pub session_id: String,
    pub version: String,
    pub address_type: AddressType,
    pub host: Host,
}

/// `c=` (RFC 8866 section 5.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub address_type: AddressType,
    pub host: Host,
    /// Multicast only.
    pub ttl: Option<u8>,
    /// Multicast only: number of adjacent addresses.
    pub count: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressType {
    Ip4,
    Ip6,
}

/// An address literal or a name that the caller has to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    Ip(IpAddr),
    Name(String),
}

/// `b=` (RFC 8866 section 5.8): kind "AS" in kbit/s, "TIAS", "RS" and "RR" in bit/s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bandwidth {
    pub kind: String,
    pub value: u64,
}

/// `t=` and the `r=` lines below it (kept as text).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    pub start: u64,
    pub stop: u64,
    pub repeats: Vec<String>,
}

/// `a=name` or `a=name:value`. Debug output leaves out keys and passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub value: Option<String>,
}

/// The value of `k=`, which RFC 8866 section 5.12 says not to use. Never in Debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct ObsoleteKey(pub String);

/// `m=` and the lines below it (RFC 8866 section 5.14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// "audio", "video", …
    pub kind: String,
    /// 0: the stream is rejected or closed.
    pub port: u16,
    pub port_count: Option<u16>,
    /// "RTP/AVP", …
    pub protocol: String,
    /// RTP payload type numbers for RTP protocols.
    pub formats: Vec<String>,
    pub information: Option<String>,
    /// More than one is legal for multicast only.
    pub connections: Vec<Connection>,
    pub bandwidths: Vec<Bandwidth>,
    pub key: Option<ObsoleteKey>,
    pub attributes: Vec<Attribute>,
}

impl Connection {
    pub fn new(address: IpAddr) -> Self {
        Self { address_type: AddressType::of(address), host: Host::Ip(address), ttl: None, count: None }
    }

    /// `0.0.0.0` or `::`, the hold of RFC 2543.
    pub fn is_null(&self) -> bool {
        matches!(self.host, Host::Ip(address) if address.is_unspecified())
    }
}

impl AddressType {
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ip4 } else { Self::Ip6 }
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = ["crypto", "ice-pwd"].iter().any(|name| self.name.eq_ignore_ascii_case(name));
        match &self.value {
            Some(_) if secret => write!(f, "{}:…", self.name),
            Some(value) => write!(f, "{}:{value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Debug for ObsoleteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Display for ObsoleteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Attribute {
    pub fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }

    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: Some(value.into()) }
    }
}

impl SessionDescription {
    /// The first video line that is open, and its place.
    pub fn video(&self) -> Option<(usize, &Media)> {
        let mut lines = self.media.iter().enumerate();
        lines.find(|(_, media)| media.port != 0 && media.kind.eq_ignore_ascii_case("video"))
    }

    /// The `c=` that holds for a media section: its own first one, else the session's.
    pub fn connection_of<'a>(&'a self, media: &'a Media) -> Option<&'a Connection> {
        media.connections.first().or(self.connection.as_ref())
    }
}
