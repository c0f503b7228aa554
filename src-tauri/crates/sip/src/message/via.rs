use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::error::SyntaxError;
use super::host::read_port;
use super::lex::{self, Cursor};
use super::{Host, Params, list};

/// What a branch of RFC 3261 begins with (section 8.1.1.7).
pub const BRANCH_COOKIE: &str = "z9hG4bK";

/// One value of a Via header (RFC 3261 section 20.42, RFC 3581).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// `SIP/2.0`; kept because a request of another version is answered too.
    pub protocol: String,
    pub transport: ViaTransport,
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
}

/// The transport a Via names; compared without case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ViaTransport {
    Udp,
    Tcp,
    Tls,
    Sctp,
    TlsSctp,
    Ws,
    Wss,
    /// In upper case.
    Other(String),
}

const TRANSPORTS: [(ViaTransport, &str); 7] = [
    (ViaTransport::Udp, "UDP"),
    (ViaTransport::Tcp, "TCP"),
    (ViaTransport::Tls, "TLS"),
    (ViaTransport::Sctp, "SCTP"),
    (ViaTransport::TlsSctp, "TLS-SCTP"),
    (ViaTransport::Ws, "WS"),
    (ViaTransport::Wss, "WSS"),
];

impl Via {
    pub fn new(transport: ViaTransport, host: Host, port: Option<u16>) -> Via {
        Via { protocol: "SIP/2.0".to_owned(), transport, host, port, params: Params::new() }
    }

    /// Reads one value that fills all of `text`.
    pub fn parse(text: &str) -> Result<Via, SyntaxError> {
        let mut cursor = Cursor::new("Via value", text);
        cursor.skip_lws();
        let name = cursor.token("the protocol name is missing")?;
        let slash = "a slash is missing in the protocol";
        if !cursor.eat_separator(b'/') {
            return Err(cursor.error(slash));
        }
        let version = cursor.token("the protocol version is missing")?;
        if !cursor.eat_separator(b'/') {
            return Err(cursor.error(slash));
        }
        let transport = ViaTransport::from(cursor.token("the transport is missing")?);
        if !cursor.peek().is_some_and(lex::is_lws) {
            return Err(cursor.error("white space must follow the transport"));
        }
        cursor.skip_lws();
        let host = Host::read(&mut cursor)?;
        let port = read_port(&mut cursor, true)?;
        let params = Params::parse_header(&mut cursor)?;
        cursor.skip_lws();
        if !cursor.at_end() {
            return Err(cursor.error("unexpected text in the Via"));
        }
        Ok(Via {
            protocol: format!("{}/{version}", name.to_ascii_uppercase()),
            transport,
            host,
            port,
            params,
        })
    }

    /// Reads a comma-separated list with at least one value.
    pub fn parse_list(text: &str) -> Result<Vec<Via>, SyntaxError> {
        list::parse("Via value", text, Via::parse)
    }

    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }

    pub fn set_branch(&mut self, branch: impl Into<String>) {
        self.params.set("branch", branch);
    }

    /// Whether the sender asks for the response at its source port (RFC 3581 section 3), with or without a value.
    pub fn has_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The port that the receiver wrote there; `None` as long as it has no (usable) value.
    pub fn rport(&self) -> Option<u16> {
        self.params.get("rport").and_then(super::numbers::unsigned)
    }

    pub fn request_rport(&mut self) {
        self.params.set_flag("rport");
    }

    pub fn set_rport(&mut self, port: u16) {
        self.params.set("rport", port.to_string());
    }

    /// The source address that the receiver saw. Brackets around an IPv6 address are tolerated (RFC 5118 section 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text).parse().ok()
    }

    /// Writes the source address; IPv6 without brackets, as RFC 3261 section 25.1 has it.
    pub fn set_received(&mut self, address: IpAddr) {
        self.params.set("received", address.to_string());
    }

    pub fn maddr(&self) -> Option<&str> {
        self.params.get("maddr")
    }

    pub fn ttl(&self) -> Option<u8> {
        self.params.get("ttl").and_then(super::numbers::unsigned)
    }
}

impl FromStr for Via {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Via::parse(text)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known =
            self.protocol.split_once('/').is_some_and(|(name, v)| lex::is_token(name) && lex::is_token(v));
        let protocol = if known { &self.protocol } else { "SIP/2.0" };
        write!(f, "{protocol}/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.write_header(f)
    }
}

impl ViaTransport {
    pub fn as_str(&self) -> &str {
        match self {
            ViaTransport::Other(name) => name,
            known => TRANSPORTS.iter().find(|(transport, _)| transport == known).map_or("", |(_, name)| name),
        }
    }
}

impl From<&str> for ViaTransport {
    fn from(text: &str) -> Self {
        let known = TRANSPORTS.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        known.map_or_else(
            || ViaTransport::Other(text.to_ascii_uppercase()),
            |(transport, _)| transport.clone(),
        )
    }
}

impl fmt::Display for ViaTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ViaTransport::Other(name) if !lex::is_token(name) => f.write_str("UNKNOWN"),
            transport => f.write_str(transport.as_str()),
        }
    }
}
