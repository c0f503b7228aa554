//! Which `Host` and `Origin` a request may carry.
//!
//! A page of another site can make a browser send requests to loopback. It cannot choose the `Host` that the browser writes
//! (DNS rebinding shows there) nor the `Origin`.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use sidetone_api::Failure;
use std::net::{IpAddr, SocketAddr};

/// The names of this listener in a `Host` header.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Beyond loopback: any address with this port. A name can be rebound by who owns it, an address cannot.
    any_address: Option<u16>,
    /// Of URLs without a port.
    usual_port: u16,
}

/// A refused request: what to answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) failure: Failure,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, field: &str, message: impl Into<String>) -> Self {
        Self { status, failure: Failure::invalid(field, message) }
    }
}

impl Hosts {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self::with(address, &[], false)
    }

    /// `more`: names that count beyond loopback, each with a port of its own or with ours.
    pub(crate) fn with(address: SocketAddr, more: &[String], secure: bool) -> Self {
        let (port, usual_port) = (address.port(), if secure { 443 } else { 80 });
        let mut names = vec![address.to_string()];
        let other = match address.ip() {
            IpAddr::V4(_) => format!("[::1]:{port}"),
            IpAddr::V6(_) => format!("127.0.0.1:{port}"),
        };
        names.extend([other, format!("localhost:{port}")]);
        let beyond = !address.ip().is_loopback();
        if beyond {
            let has_port = |name: &str| name.rfind(']').map_or(name, |end| &name[end..]).contains(':');
            names.extend(more.iter().map(|name| {
                let name = name.to_ascii_lowercase();
                if has_port(&name) { name } else { format!("{name}:{port}") }
            }));
        }
        let usual = format!(":{usual_port}");
        let bare: Vec<_> =
            names.iter().filter_map(|host| host.strip_suffix(&usual)).map(String::from).collect();
        names.extend(bare);
        Self { names, any_address: beyond.then_some(port), usual_port }
    }

    fn has(&self, host: &str) -> bool {
        if self.names.iter().any(|name| name == host) {
            return true;
        }
        let Some(wanted) = self.any_address else { return false };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match (host.parse::<SocketAddr>(), bare.parse::<IpAddr>()) {
            (Ok(address), _) => address.port() == wanted,
            (_, Ok(_)) => wanted == self.usual_port,
            _ => false,
        }
    }

    /// The `Host` of the request, in lower case, where it names this listener.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<String, Refusal> {
        let mut given = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (given.next(), given.next()) else {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "Host", "exactly one Host header is needed"));
        };
        let host = host.to_str().unwrap_or_default().to_ascii_lowercase();
        let absolute = uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(&host));
        if absolute && self.has(&host) {
            return Ok(host);
        }
        let names = self.names.join(", ");
        let words = match self.any_address {
            Some(_) => format!("this server answers to its addresses, and to {names}: `hosts` names others"),
            None => format!("this server answers to {names} alone"),
        };
        Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "Host", words))
    }
}

/// The request comes from a page of this listener.
pub(crate) fn check_origin(headers: &HeaderMap, host: &str, is_secure: bool) -> Result<(), Refusal> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    let wanted = format!("{}://{host}", if is_secure { "https" } else { "http" });
    match (given.next(), given.next()) {
        (Some(origin), None) if origin.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()) => Ok(()),
        _ => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "Origin", format!("only pages of {wanted} may do this")))
        }
    }
}

/// The value of the cookie `name`.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::{Hosts, check_origin, cookie};
    use axum::http::{HeaderMap, HeaderName, Uri, header};

    fn headers(list: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_this_listener_is_a_host() {
        let hosts = Hosts::of("127.0.0.1:8088".parse().unwrap());
        let uri = Uri::from_static("/");
        for good in ["127.0.0.1:8088", "localhost:8088", "LOCALHOST:8088", "[::1]:8088"] {
            assert!(hosts.check(&headers(&[(header::HOST, good)]), &uri).is_ok(), "{good}");
        }
        for bad in [
            "evil.example",
            "evil.example:8088",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost:8088.evil.example",
            "",
        ] {
            let refusal = hosts.check(&headers(&[(header::HOST, bad)]), &uri).unwrap_err();
            assert_eq!(
                (refusal.status.as_u16(), refusal.failure.field.as_deref()),
                (421, Some("Host")),
                "{bad}"
            );
        }
        let two = headers(&[(header::HOST, "127.0.0.1:8088"), (header::HOST, "evil.example")]);
        assert_eq!(hosts.check(&two, &uri).unwrap_err().status.as_u16(), 400);
        assert_eq!(hosts.check(&headers(&[]), &uri).unwrap_err().status.as_u16(), 400);
        let good = headers(&[(header::HOST, "127.0.0.1:8088")]);
        assert!(hosts.check(&good, &Uri::from_static("http://evil.example/")).is_err());
    }

    #[test]
    fn beyond_loopback_addresses_are_hosts_and_names_that_were_given() {
        let more = ["Gateway.example".to_owned(), "front.example:443".to_owned()];
        let hosts = Hosts::with("0.0.0.0:8443".parse().unwrap(), &more, true);
        let uri = Uri::from_static("/");
        let good = [
            "192.0.2.1:8443",
            "[2001:db8::1]:8443",
            "localhost:8443",
            "gateway.example:8443",
            "front.example",
        ];
        for good in good {
            assert!(hosts.check(&headers(&[(header::HOST, good)]), &uri).is_ok(), "{good}");
        }
        for bad in ["192.0.2.1", "192.0.2.1:80", "evil.example:8443", "gateway.example", "192.0.2.1:8443x"] {
            assert!(hosts.check(&headers(&[(header::HOST, bad)]), &uri).is_err(), "{bad}");
        }
        let plain = Hosts::with("[::]:80".parse().unwrap(), &more, false);
        assert!(plain.check(&headers(&[(header::HOST, "[2001:db8::1]")]), &uri).is_ok());
        let local = Hosts::with("127.0.0.1:8088".parse().unwrap(), &more, false);
        assert!(local.check(&headers(&[(header::HOST, "gateway.example:8088")]), &uri).is_err());
    }

    #[test]
    fn an_origin_is_that_of_the_host_of_the_same_request() {
        let by = |origin, is_secure| {
            check_origin(&headers(&[(header::ORIGIN, origin)]), "localhost:8088", is_secure)
        };
        let check = |origin| by(origin, false);
        assert!(check("http://localhost:8088").is_ok());
        assert!(by("https://localhost:8088", true).is_ok() && by("http://localhost:8088", true).is_err());
        for bad in [
            "null",
            "http://127.0.0.1:8088",
            "https://localhost:8088",
            "http://localhost:3000",
            "http://localhost:8088.evil",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check_origin(&HeaderMap::new(), "localhost:8088", false).is_err());
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let headers = headers(&[(header::COOKIE, "xa=1; a=2"), (header::COOKIE, "b=3")]);
        assert_eq!(cookie(&headers, "a"), Some("2"));
        assert_eq!(cookie(&headers, "b"), Some("3"));
        assert_eq!(cookie(&headers, "c"), None);
    }
}
