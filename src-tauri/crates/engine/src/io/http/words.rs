//! Requests that got no answer, in words.

use crate::io::tls;
use std::{error::Error, io};
use url::Url;

/// Names no path: it may be a secret.
pub(super) fn of(url: &Url, error: &reqwest::Error) -> String {
    let place = url.origin().ascii_serialization();
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    for cause in causes(error) {
        let Some(io) = cause.downcast_ref::<io::Error>() else { continue };
        if error.is_connect() && tls::is_of_tls(io) {
            return tls::handshake_words(host, io);
        }
        match io.kind() {
            io::ErrorKind::ConnectionRefused => return format!("nobody listens at {place}"),
            io::ErrorKind::TimedOut => return format!("{place} does not answer"),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                return format!("there is no way to {place}: {io}");
            }
            _ => {}
        }
    }
    if error.is_timeout() {
        return format!("{place} does not answer");
    }
    let last = causes(error).last().map(ToString::to_string).unwrap_or_default();
    if last.contains("lookup") || last.contains("resolve") || last.contains("not known") {
        return format!("the name {host} cannot be found: {last}");
    }
    if error.is_connect() {
        return format!("no connection to {place}: {last}");
    }
    format!("{place} broke the connection: {last}")
}

/// The error's causes, from the outside in. The error itself would print its URL.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| next(*cause))
}

/// An I/O error hands on the source of what it wraps, not what it wraps.
fn next<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => cause.source(),
    }
}
