//! Which pages may publish and play.
//!
//! To play is to see a camera; to publish is to show something in its place. So not every page that the user happens to visit
//! may do it, though a browser would carry its requests to loopback:
//!
//! - Programs (OBS, GStreamer, scripts) send no `Origin` and are served: they can reach the listener by themselves, which is on
//!   loopback unless somebody asked for more.
//! - Pages of this machine (`localhost`, `127.0.0.1`, `[::1]`, any port) are served, with CORS: who serves one could ask directly.
//!   So are pages of the very host that is asked, any port, and those that the gateway's file names.
//! - Any other page is refused, and so is `null`, which every page can make for itself with a sandboxed frame.
//!
//! The `Host` has been checked before, so a name that was rebound to loopback gets nowhere.

use super::answer::refusal;
use crate::{app::App, guard, listener::Site};
use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::{net::IpAddr, sync::Arc};

const EXPOSED: &str = "Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch";

pub(super) async fn guarded(
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    request: Request,
    next: Next,
) -> Response {
    let origin = match check(request.headers(), &app.access.origins) {
        Ok(origin) => origin,
        Err(words) => return refusal(StatusCode::FORBIDDEN, words),
    };
    let own = site.hosts.check(request.headers(), request.uri());
    let own = own.is_ok_and(|host| guard::check_origin(request.headers(), &host, site.is_secure).is_ok());
    let preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin.filter(|_| !own) else { return response };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    if preflight {
        let allowed = headers.get(header::ALLOW).cloned();
        let allowed = allowed.unwrap_or_else(|| HeaderValue::from_static("POST, PATCH, DELETE, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allowed);
        let asked = HeaderValue::from_static("Authorization, Content-Type, If-Match");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// The page that asks; `None` for a program.
pub(crate) fn check(headers: &HeaderMap, allowed: &[String]) -> Result<Option<HeaderValue>, &'static str> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    match (given.next(), given.next()) {
        // A browser that hides the origin still says that there is one.
        (None, _) if matches!(site(headers), Some("cross-site" | "same-site")) && !is_any(allowed) => {
            Err("a page that does not say where it comes from cannot publish or play here")
        }
        (None, _) => Ok(None),
        (Some(origin), None) if origin.to_str().is_ok_and(|text| is_served(text, headers, allowed)) => {
            Ok(Some(origin.clone()))
        }
        _ => Err("only pages of this machine, and of those that `origins` names, can do this"),
    }
}

fn is_any(allowed: &[String]) -> bool {
    allowed.iter().any(|allowed| allowed == "*")
}

fn is_served(origin: &str, headers: &HeaderMap, allowed: &[String]) -> bool {
    is_any(allowed)
        || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
        || is_of_this_machine(origin)
        || is_of_same_host(origin, headers)
}

/// Whoever serves it is the machine that is asked, whose name has been checked.
fn is_of_same_host(origin: &str, headers: &HeaderMap) -> bool {
    let bare = |host: &str| {
        let end = host.rfind(']').unwrap_or_default();
        host.get(end..).and_then(|rest| rest.find(':')).map_or(host, |colon| &host[..end + colon]).to_owned()
    };
    let asked = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(bare);
    let from = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).map(bare);
    asked.zip(from).is_some_and(|(asked, from)| !asked.is_empty() && asked.eq_ignore_ascii_case(&from))
}

fn site(headers: &HeaderMap) -> Option<&str> {
    headers.get("sec-fetch-site")?.to_str().ok()
}

/// `http://localhost:8080` and its like.
fn is_of_this_machine(origin: &str) -> bool {
    let Some(rest) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) else {
        return false;
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => (host, port),
            None => return false,
        },
        None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
    };
    let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    port_fits && (loopback || host.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::{check, is_of_this_machine};
    use axum::http::{HeaderMap, header};

    #[test]
    fn pages_of_the_host_that_is_asked_and_those_that_are_named_are_served() {
        let may = |origin: &str, host: &str, allowed: &[&str]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            headers.insert(header::HOST, host.parse().unwrap());
            let allowed: Vec<_> = allowed.iter().map(|&origin| origin.to_owned()).collect();
            check(&headers, &allowed).is_ok()
        };
        assert!(may("https://192.0.2.1", "192.0.2.1:8443", &[]));
        assert!(may("https://[2001:db8::1]:444", "[2001:db8::1]:8443", &[]));
        assert!(!may("https://192.0.2.10", "192.0.2.1:8443", &[]));
        assert!(!may("https://192.0.2.1.example", "192.0.2.1:8443", &[]));
        assert!(!may("https://app.example", "192.0.2.1:8443", &["https://other.example"]));
        assert!(may("https://app.example", "192.0.2.1:8443", &["https://APP.example"]));
        assert!(!may("https://app.example:8443", "192.0.2.1:8443", &["https://app.example"]));
        assert!(may("null", "192.0.2.1:8443", &["*"]) && !may("null", "192.0.2.1:8443", &[]));
    }

    #[test]
    fn pages_of_this_machine_are_told_from_those_of_others() {
        for good in [
            "http://localhost",
            "http://localhost:5173",
            "https://127.0.0.1:8443",
            "http://[::1]:80",
            "http://127.9.9.9",
        ] {
            assert!(is_of_this_machine(good), "{good}");
        }
        for bad in [
            "null",
            "",
            "http://",
            "https://example.org",
            "http://localhost.example.org",
            "http://localhost:80.example.org",
            "http://localhost@example.org",
            "http://127.0.0.1.example.org",
            "http://example.org:80",
            "http://[::1",
            "http://[::1]x",
            "http://2130706433",
            "http://192.168.0.1",
            "file://localhost",
            "ftp://localhost",
            "http://localhost/",
        ] {
            assert!(!is_of_this_machine(bad), "{bad}");
        }
    }
}
