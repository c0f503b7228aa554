use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::SyntaxError;
use super::lex::Cursor;

/// RFC 1035 section 2.3.4.
const MAX_NAME: usize = 255;

/// The host of a URI or of a Via. Names compare without case.
#[derive(Debug, Clone, Eq)]
pub enum Host {
    Name(String),
    V4(Ipv4Addr),
    /// Written in brackets.
    V6(Ipv6Addr),
}

impl Host {
    /// Reads a name, an IPv4 address or an IPv6 address in brackets.
    pub fn parse(text: &str) -> Result<Host, SyntaxError> {
        let mut cursor = Cursor::new("host", text);
        let host = Host::read(&mut cursor)?;
        if cursor.at_end() { Ok(host) } else { Err(cursor.error("unexpected text after the host")) }
    }

    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some(IpAddr::V4(*address)),
            Host::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// Without brackets, as a socket address or a resolver wants it.
    pub fn bare(&self) -> String {
        match self {
            Host::V6(address) => address.to_string(),
            other => other.to_string(),
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Host, SyntaxError> {
        let start = cursor.clone();
        if cursor.eat(b'[') {
            let text = cursor.take_while(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.');
            let address = parse_v6(text).ok_or_else(|| start.error("not an IPv6 address"))?;
            if !cursor.eat(b']') {
                return Err(cursor.error("an IPv6 address without its closing bracket"));
            }
            return Ok(Host::V6(address));
        }
        let text = cursor.take_while(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if text.is_empty() {
            return Err(start.error("the host is missing"));
        }
        if let Some(address) = parse_v4(text) {
            return Ok(Host::V4(address));
        }
        if !is_name(text) {
            return Err(start.error("neither a host name nor an IP address"));
        }
        Ok(Host::Name(text.to_owned()))
    }
}

/// Reads `[ ":" port ]`, white space around the colon allowed where `spaced`.
pub(crate) fn read_port(cursor: &mut Cursor<'_>, spaced: bool) -> Result<Option<u16>, SyntaxError> {
    let found = if spaced { cursor.eat_separator(b':') } else { cursor.eat(b':') };
    if !found {
        return Ok(None);
    }
    let digits = cursor.take_while(|byte| byte.is_ascii_digit());
    digits.parse().map(Some).map_err(|_| cursor.error("the port must be a number up to 65535"))
}

/// Four groups of one to three decimal digits; leading zeros do not make them octal (RFC 3261 section 25.1).
fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut groups = text.split('.');
    for octet in &mut octets {
        let group = groups.next()?;
        if group.is_empty() || group.len() > 3 || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *octet = group.parse().ok()?;
    }
    groups.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// Also takes the three colons that the grammar of RFC 3261 produces by mistake (RFC 5118 section 4.10).
fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| match text.matches(":::").count() {
        1 => text.replacen(":::", "::", 1).parse().ok(),
        _ => None,
    })
}

/// RFC 1123 labels, underscores tolerated; a name that ends in a number would be a broken IPv4 address.
fn is_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label_fits = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let last_is_number =
        name.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= MAX_NAME && !last_is_number && name.split('.').all(label_fits)
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Host::Name(one), Host::Name(two)) => one.eq_ignore_ascii_case(two),
            (Host::V4(one), Host::V4(two)) => one == two,
            (Host::V6(one), Host::V6(two)) => one == two,
            _ => false,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Host::V4(address),
            IpAddr::V6(address) => Host::V6(address),
        }
    }
}

impl fmt::Display for Host {
    /// A name that is none is written without the characters that do not fit, `invalid` if nothing is left.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) if is_name(name) && Host::parse(name).is_ok() => f.write_str(name),
            Host::Name(name) => {
                let fits = |c: &char| c.is_ascii_alphanumeric() || "-._".contains(*c);
                let kept: String = name.chars().filter(fits).collect();
                f.write_str(if Host::parse(&kept).is_ok() { &kept } else { "invalid" })
            }
            Host::V4(address) => write!(f, "{address}"),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}
