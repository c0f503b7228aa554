//! Which `Host` and `Origin` a request may carry.
//!
//! A page of another site can make a browser send requests to loopback. It cannot choose the `Host` that the browser writes
//! (DNS rebinding shows there) nor the `Origin`.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use sidetone_api::Failure;
use std::net::{IpAddr, SocketAddr};

/// The names of this listener in a `Host` header.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<String>);

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
        let port = address.port();
        let mut hosts = vec![address.to_string()];
        let other = match address.ip() {
            IpAddr::V4(_) => format!("[::1]:{port}"),
            IpAddr::V6(_) => format!("127.0.0.1:{port}"),
        };
        hosts.extend([other, format!("localhost:{port}")]);
        if port == 80 {
            let bare: Vec<_> =
                hosts.iter().filter_map(|host| host.strip_suffix(":80")).map(String::from).collect();
            hosts.extend(bare);
        }
        Self(hosts)
    }

    /// The `Host` of the request, in lower case, where it names this listener.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<String, Refusal> {
        let mut given = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (given.next(), given.next()) else {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "Host", "exactly one Host header is needed"));
        };
        let host = host.to_str().unwrap_or_default().to_ascii_lowercase();
        let absolute = uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(&host));
        if absolute && self.0.contains(&host) {
            return Ok(host);
        }
        Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "Host",
            format!("this server answers to {} alone", self.0.join(", ")),
        ))
    }
}

/// The request comes from a page of this listener.
pub(crate) fn check_origin(headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    let wanted = format!("http://{host}");
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
    fn an_origin_is_that_of_the_host_of_the_same_request() {
        let check = |origin| check_origin(&headers(&[(header::ORIGIN, origin)]), "localhost:8088");
        assert!(check("http://localhost:8088").is_ok());
        for bad in [
            "null",
            "http://127.0.0.1:8088",
            "https://localhost:8088",
            "http://localhost:3000",
            "http://localhost:8088.evil",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check_origin(&HeaderMap::new(), "localhost:8088").is_err());
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let headers = headers(&[(header::COOKIE, "xa=1; a=2"), (header::COOKIE, "b=3")]);
        assert_eq!(cookie(&headers, "a"), Some("2"));
        assert_eq!(cookie(&headers, "b"), Some("3"));
        assert_eq!(cookie(&headers, "c"), None);
    }
}
