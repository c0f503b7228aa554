//! Which pages may publish and play.
//!
//! To play is to see a camera; to publish is to show something in its place. So not every page that the user happens to visit
//! may do it, though a browser would carry its requests to loopback:
//!
//! - Programs (OBS, GStreamer, scripts) send no `Origin` and are served: they run on this machine, as the listener is on
//!   loopback.
//! - Pages of this machine (`localhost`, `127.0.0.1`, `[::1]`, any port) are served, with CORS: who serves one could ask directly.
//! - Any other page is refused, and so is `null`, which every page can make for itself with a sandboxed frame.
//!
//! The `Host` has been checked before, so a name that was rebound to loopback gets nowhere.

use super::answer::refusal;
use crate::{app::App, guard};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::{net::IpAddr, sync::Arc};

const EXPOSED: &str = "Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch";

pub(super) async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let origin = match check(request.headers()) {
        Ok(origin) => origin,
        Err(words) => return refusal(StatusCode::FORBIDDEN, words),
    };
    let own = app.hosts.check(request.headers(), request.uri());
    let own = own.is_ok_and(|host| guard::check_origin(request.headers(), &host).is_ok());
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
pub(crate) fn check(headers: &HeaderMap) -> Result<Option<HeaderValue>, &'static str> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    match (given.next(), given.next()) {
        // A browser that hides the origin still says that there is one.
        (None, _) if matches!(site(headers), Some("cross-site" | "same-site")) => {
            Err("a page that does not say where it comes from cannot publish or play here")
        }
        (None, _) => Ok(None),
        (Some(origin), None) if origin.to_str().is_ok_and(is_of_this_machine) => Ok(Some(origin.clone())),
        _ => Err("only pages of this machine can publish or play here"),
    }
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
    use super::is_of_this_machine;

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
