//! STUN and TURN servers that a server tells in `Link` headers (RFC 9725 section 4.6).

use super::{Link, Token};
use std::fmt;

/// Servers that are taken; each would be asked.
const MOST: usize = 8;
const LONGEST: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Stun,
    Stuns,
    Turn,
    Turns,
}

/// One STUN or TURN server.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    pub scheme: Scheme,
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
    /// `transport=tcp` of a TURN server (RFC 7065); TLS is over TCP as well.
    pub tcp: bool,
    pub username: Option<String>,
    pub credential: Option<Token>,
}

impl IceServer {
    /// Reads `stun:host[:port]` (RFC 7064) or `turn:host[:port][?transport=udp|tcp]` (RFC 7065), with `s` for TLS.
    pub fn parse(url: &str) -> Option<Self> {
        if url.len() > LONGEST {
            return None;
        }
        let (scheme, rest) = url.split_once(':')?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "stun" => Scheme::Stun,
            "stuns" => Scheme::Stuns,
            "turn" => Scheme::Turn,
            "turns" => Scheme::Turns,
            _ => return None,
        };
        let (server, query) = rest.split_once('?').unwrap_or((rest, ""));
        let tls = matches!(scheme, Scheme::Stuns | Scheme::Turns);
        let tcp = match query.to_ascii_lowercase().as_str() {
            "" => tls,
            "transport=udp" => false,
            "transport=tcp" => true,
            _ => return None,
        };
        let (host, port) = match server.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
            }
            None => server.split_once(':').unwrap_or((server, "")),
        };
        let port = match port {
            "" if tls => 5349,
            "" => 3478,
            digits => digits.parse().ok().filter(|port| *port != 0)?,
        };
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let fits = !host.is_empty() && (server.starts_with('[') || host.chars().all(name));
        fits.then(|| Self { scheme, host: host.to_owned(), port, tcp, username: None, credential: None })
    }

    /// `None` for another link, one without an address that can be used, and TURN without a password.
    pub fn of_link(link: &Link) -> Option<Self> {
        if !link.is("ice-server") {
            return None;
        }
        let mut server = Self::parse(&link.target)?;
        if matches!(server.scheme, Scheme::Stun | Scheme::Stuns) {
            return Some(server);
        }
        let kind = link.parameter("credential-type").unwrap_or("password");
        let username = link.parameter("username").filter(|name| !name.is_empty() && name.len() <= LONGEST)?;
        if !kind.eq_ignore_ascii_case("password") {
            return None;
        }
        server.username = Some(username.to_owned());
        server.credential = Some(Token::password(link.parameter("credential")?)?);
        Some(server)
    }

    pub(super) fn of_links(links: &[Link]) -> Vec<Self> {
        links.iter().filter_map(Self::of_link).take(MOST).collect()
    }
}

/// As [`IceServer::parse`] reads it.
impl fmt::Display for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Stun => "stun",
            Scheme::Stuns => "stuns",
            Scheme::Turn => "turn",
            Scheme::Turns => "turns",
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}:{host}:{}", self.port)?;
        match self.scheme {
            Scheme::Turn | Scheme::Turns => {
                write!(f, "?transport={}", if self.tcp { "tcp" } else { "udp" })
            }
            Scheme::Stun | Scheme::Stuns => Ok(()),
        }
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceServer({self}, user {:?})", self.username)
    }
}

#[cfg(test)]
mod tests {
    use super::{IceServer, Scheme};
    use crate::whip::read_links;

    #[test]
    fn addresses_are_read_with_their_default_ports() {
        for (url, host, port, tcp) in [
            ("stun:stun.example.net", "stun.example.net", 3478, false),
            ("STUNS:a.example", "a.example", 5349, true),
            ("turn:192.0.2.1:99?transport=TCP", "192.0.2.1", 99, true),
            ("turn:[2001:db8::1]?transport=udp", "2001:db8::1", 3478, false),
            ("turns:[2001:db8::1]:443", "2001:db8::1", 443, true),
        ] {
            let server = IceServer::parse(url).unwrap();
            assert_eq!((server.host.as_str(), server.port, server.tcp), (host, port, tcp), "{url}");
            assert_eq!(IceServer::parse(&server.to_string()).unwrap().to_string(), server.to_string());
        }
        for bad in [
            "",
            "turn",
            "turn:",
            "http://a",
            "turn:a:0",
            "turn:a:99999",
            "turn:a b",
            "turn:[::1",
            "turn:[x]",
            "turn:a?x=1",
            "turn:a:1:2",
            "turn:[::1]x",
            "turn:a/b",
            "turn://a",
        ] {
            assert_eq!(IceServer::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_turn_server_needs_a_user_and_a_password() {
        let read = |header: &str| IceServer::of_links(&read_links([header]));
        let full = read(
            "<turn:t.example?transport=udp>; rel=\"ice-server\"; username=\"u\"; credential=\"p\"; credential-type=\"password\"",
        );
        assert_eq!(full[0].scheme, Scheme::Turn);
        assert_eq!(full[0].username.as_deref(), Some("u"));
        assert_eq!(full[0].credential.as_ref().unwrap().expose(), "p");
        for bad in [
            "<turn:t.example>; rel=ice-server",
            "<turn:t.example>; rel=ice-server; username=u",
            "<turn:t.example>; rel=ice-server; username=u; credential=p; credential-type=oauth",
            "<turn:t.example>; rel=other; username=u; credential=p",
        ] {
            assert_eq!(read(bad), [], "{bad}");
        }
        assert_eq!(read(&"<stun:s.example>; rel=ice-server,".repeat(20)).len(), 8);
    }
}
